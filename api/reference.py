"""The page `/docs`: every path of the schema on one plain page, with nothing fetched from anywhere else.

And `/problems/{code}`, where a problem's `type` leads.
"""

import base64
import hashlib
from collections.abc import Iterator
from html import escape
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from api.describing import TITLE, problems
from api.errors import NothingHere, all_refusals, status_of, title_of, type_uri

STYLE = """
body{font:16px/1.5 Arial,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#212b32}
h2{border-top:1px solid #aeb7bd;padding-top:1rem}
details{border-bottom:1px solid #d8dde0;padding:.5rem 0}
summary{cursor:pointer}
code{background:#f0f4f5;padding:0 .25rem;overflow-wrap:anywhere}
.method{display:inline-block;min-width:4rem;font-weight:bold}
table{border-collapse:collapse}
td,th{text-align:left;vertical-align:top;padding:.25rem 1rem .25rem 0}
"""
_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
router = APIRouter(include_in_schema=False)
Schema = dict[str, Any]


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """Every path, from the schema."""
    return HTMLResponse("".join(page(request.app.openapi())), headers={"Content-Security-Policy": POLICY})


def page(schema: Schema) -> Iterator[str]:
    """The page in pieces."""
    yield f'<!doctype html><html lang="en-GB"><head><meta charset="utf-8"><title>{TITLE}: API</title>'
    yield f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
    yield f"<h1>{TITLE}: API</h1><p>{_text(schema['info']['description'])}</p>"
    yield '<p>The same as <a href="/openapi.json">OpenAPI, for programs</a>.</p>'
    by_tag: dict[str, list[tuple[str, str, Schema]]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault((operation.get("tags") or ["other"])[0], []).append((method, path, operation))
    for tag, operations in by_tag.items():
        yield f"<h2>{escape(tag.capitalize())}</h2>"
        for method, path, operation in operations:
            yield from _operation(schema, method, path, operation)
    yield "</body></html>"


def _operation(schema: Schema, method: str, path: str, operation: Schema) -> Iterator[str]:
    yield f'<details><summary><span class="method">{method.upper()}</span> <code>{escape(path)}</code> '
    yield f"{escape(operation.get('summary', ''))}</summary><p>{_text(operation.get('description', ''))}</p>"
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body:
        yield "<h3>What to send</h3>"
        yield from _fields(_resolved(schema, body))
    yield "<h3>Answers</h3><table>"
    for status, answer in operation.get("responses", {}).items():
        yield f"<tr><th>{escape(str(status))}</th><td>{_text(answer.get('description', ''))}</td></tr>"
    yield "</table></details>"


def _fields(body: Schema) -> Iterator[str]:
    yield "<table>"
    for name, field in body.get("properties", {}).items():
        needed = " (needed)" if name in body.get("required", ()) else ""
        yield f"<tr><th><code>{escape(name)}</code>{needed}</th><td>{escape(_kind(field))}</td></tr>"
    yield "</table>"


def _kind(field: Schema) -> str:
    """A field's type in a few words."""
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if "anyOf" in field:
        return " or ".join(_kind(one) for one in field["anyOf"])
    kind = field.get("format") or field.get("type") or "anything"
    if field.get("type") == "array":
        kind = f"list of {_kind(field.get('items', {}))}"
    limit = f", at most {field['maxLength']} characters" if "maxLength" in field else ""
    return f"{kind}{limit}"


def _resolved(schema: Schema, body: Schema) -> Schema:
    name = str(body.get("$ref", "")).rpartition("/")[2]
    found: Schema = schema["components"]["schemas"].get(name, body)
    return found


def _text(markdown: str) -> str:
    """The little Markdown that the schema uses: paragraphs, bold and code."""
    text = escape(markdown).replace("\n\n", "<br><br>")
    for mark, tag in (("**", "strong"), ("`", "code")):
        pieces = text.split(mark)
        if len(pieces) % 2:
            text = "".join(f"<{tag}>{piece}</{tag}>" if place % 2 else piece for place, piece in enumerate(pieces))
    return text


class ProblemExplained(BaseModel):
    """A kind of problem."""

    type: str
    code: str
    title: str
    status: int


explained = APIRouter(tags=["problems"])


@explained.get("/problems/{code}", responses=problems(NothingHere))
async def explain_problem(code: Annotated[str, Path(max_length=80)]) -> ProblemExplained:
    """What kind of no a code stands for."""
    kind = all_refusals().get(code)
    if kind is None:
        raise NothingHere
    return ProblemExplained(type=type_uri(code), code=code, title=title_of(kind), status=status_of(kind))
