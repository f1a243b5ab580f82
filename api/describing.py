"""What OpenAPI says about a route beyond its schema: who may call it, and every no it may answer."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.errors import PROBLEM_JSON, NotSignedIn, status_of, title_of, type_uri
from programme.messages import Command, Role
from programme.people import wording
from programme.refusals import Refusal

TITLE = "Olive Branch"
DESCRIPTION = """Runs improvement programmes in which doctors and managers of an NHS trust rebuild trust, step by step.

A command is accepted only once it is recorded; `202` means that nobody knows yet, and that sending it again under the
same `Idempotency-Key` is safe. Every no is an RFC 9457 problem whose `code` is stable. The programme is our own design
on published conditions; no validation is claimed."""
PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457: why not, and what to do instead.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "description": "Where this kind of problem is explained.",
        },
        "title": {"type": "string", "description": "What kind of no it is."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What to do, for people; nothing should branch on it."},
        "code": {"type": "string", "description": "The name that programs read."},
        "errors": {
            "type": "array",
            "description": "What does not fit the schema: where, and what is wanted.",
            "items": {
                "type": "object",
                "required": ["where", "what"],
                "properties": {"where": {"type": "string"}, "what": {"type": "string"}},
            },
        },
    },
}
_UNREADABLE = "The request does not fit the schema."

Responses = dict[int | str, dict[str, Any]]


def problems(*refusals: type[Refusal]) -> Responses:
    """The answers of a route that says no in these ways; everybody may also be not signed in, or not be understood."""
    by_status: dict[int, list[type[Refusal]]] = {HTTPStatus.UNPROCESSABLE_ENTITY: []}
    distinct: dict[type[Refusal], None] = dict.fromkeys((NotSignedIn, *refusals))
    for refusal in distinct:
        by_status.setdefault(status_of(refusal), []).append(refusal)
    return {status: _response(status, kinds) for status, kinds in sorted(by_status.items())} | away()


def away() -> Responses:
    """The answer while the database does not answer."""
    return {503: {"description": "The database does not answer: ask again.", "content": _content({})}}


def _response(status: int, kinds: list[type[Refusal]]) -> dict[str, Any]:
    lines = [f"`{kind.__name__}`: {title_of(kind)}" for kind in kinds]
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        lines.append(f"`Unreadable`: {_UNREADABLE}")
    examples = {
        kind.__name__: {
            "value": {
                "type": type_uri(kind.__name__),
                "title": title_of(kind),
                "status": status,
                "code": kind.__name__,
            }
        }
        for kind in kinds
    }
    return {"description": "\n\n".join(lines), "content": _content(examples)}


def _content(examples: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {PROBLEM_JSON: described | ({"examples": examples} if examples else {})}


def who_in_words(roles: Iterable[Role]) -> str:
    """Roles in a sentence, in the order of the programme's table: programme manager, medical sponsor."""
    held = frozenset(roles)
    return (
        "anybody who takes part"
        if held == frozenset(Role)
        else ", ".join(wording(role) for role in Role if role in held)
    )


def command_description(command: type[Command]) -> str:
    """A command in words: what it does, who may ask, and whether it works in a pause."""
    paused = "\n\nWorks while the programme is paused, too." if command.while_paused else ""
    return f"{command.__doc__}\n\n**Who may ask:** {who_in_words(command.who)}.{paused}"


def describe(app: FastAPI, more: tuple[type[BaseModel], ...] = ()) -> None:
    """Let the application's OpenAPI carry the schemas of problems, and of bodies that a route reads by itself."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            schema = get_openapi(title=TITLE, version=app.version, description=DESCRIPTION, routes=app.routes)
            known = schema.setdefault("components", {}).setdefault("schemas", {})
            _, read = models_json_schema(
                [(model, "validation") for model in more], ref_template="#/components/schemas/{model}"
            )
            known.update(read.get("$defs", {}))
            known["Problem"] = PROBLEM
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
