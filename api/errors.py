"""How a no is said over HTTP: RFC 9457 problems. The one place that knows which refusal has which status.

A problem's `type` is a path of this API that explains it (`/problems/{code}`), `code` the name that programs read,
`detail` a sentence for people. Nothing that somebody typed comes back in one, and no text of an exception.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi_problem.error import Problem, StatusProblem
from fastapi_problem.handler import ExceptionHandler, new_exception_handler
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from programme.refusals import Invalid, MovedOn, NotAllowed, OutOfTurn, Refusal, Unknown
from store import views

PROBLEM_JSON = "application/problem+json"
RETRY_SECONDS = 5
DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeoutError)

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,40}")
_SAID_INSTEAD = {  # of the messages that quote what was sent
    "union_tag_invalid": "Choose one of the kinds that the schema names",
    "json_invalid": "This is not JSON",
}


# --- what the front door itself refuses ----------------------------------------------------------------------------


class NotSignedIn(Refusal):
    """The request carries no valid token."""

    def __init__(self) -> None:
        super().__init__("Send your token in the header 'Authorization: Bearer ...'. 'olive token' makes a new one.")


class NoSuchEngagement(Unknown):
    """There is no such engagement, or you take no part in it."""

    def __init__(self) -> None:
        super().__init__("There is no engagement with this id in which you take part. Look at the list of yours.")


class NothingHere(Unknown):
    """Nothing with this id is there for you to read."""

    def __init__(self) -> None:
        super().__init__("Nothing with this id is there for you to read.")


class NoSuchCommand(Unknown):
    """Nothing is known of this command."""

    def __init__(self) -> None:
        super().__init__("Nothing is known of this command: it did not arrive, or long ago. Send it again.")


class NotForYou(NotAllowed):
    """Your part does not let you do this."""

    def __init__(self, who: str) -> None:
        super().__init__(f"Only {who} may do this.")


class KeyReused(Invalid):
    """The idempotency key came before with another request."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request. Send this one with a new key.")


class FaultyRoster(Invalid):
    """The roster has faults, and nothing of it was loaded."""

    def __init__(self, faults: list[dict[str, Any]]) -> None:
        number = f"{len(faults)} fault{'' if len(faults) == 1 else 's'}"
        super().__init__(f"The roster has {number}, and nothing of it was loaded. Correct them and send it again.")
        self.more = {"faults": faults}


class AlreadyOpen(OutOfTurn):
    """An engagement of this trust and scope is open already."""

    def __init__(self, engagement_id: str | None) -> None:
        super().__init__("An engagement of this trust and scope is open already. It must end before another begins.")
        self.more = {"engagement_id": engagement_id} if engagement_id else {}


class NoSuchBulk(Unknown):
    """You have made no such request of many engagements."""

    def __init__(self) -> None:
        super().__init__("There is no such request of yours. Look at the list of those that you have made.")


class DryRunFirst(OutOfTurn):
    """What is asked of many engagements is foreseen first, and then carried out as it was foreseen."""

    def __init__(self) -> None:
        super().__init__("Ask for a dry run first, read what it says, then ask for that dry run to be carried out.")


class DryRunTooOld(OutOfTurn):
    """What was foreseen long ago may not be what would happen now."""

    def __init__(self, hours: int) -> None:
        super().__init__(f"This dry run is more than {hours} hours old. Ask for a new one, and read what it says.")


class NotUnderWay(OutOfTurn):
    """The request of many engagements is not being carried out."""

    def __init__(self) -> None:
        super().__init__("This request is not under way: it was not begun, or everybody has been asked.")


class NoSuchTemplate(Invalid):
    """The launch names a template that does not exist, or that has faults."""


class BadCursor(Invalid):
    """The cursor is not one that this list gave out."""

    def __init__(self) -> None:
        super().__init__("This cursor is not one of this list's. Begin again without a cursor.")


STATUS: Mapping[type[Refusal], int] = {
    NotSignedIn: HTTPStatus.UNAUTHORIZED,
    NotAllowed: HTTPStatus.FORBIDDEN,
    Unknown: HTTPStatus.NOT_FOUND,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    OutOfTurn: HTTPStatus.CONFLICT,
    MovedOn: HTTPStatus.PRECONDITION_FAILED,
}
"""Each family of refusals; and the refusals for which HTTP has a status of its own."""


def status_of(refusal: type[Refusal]) -> int:
    """The HTTP status of a refusal: its own, or that of the nearest family."""
    return next(STATUS[kind] for kind in refusal.__mro__ if kind in STATUS)


def title_of(refusal: type[Refusal]) -> str:
    """What kind of no it is: the first line of its description."""
    return (refusal.__doc__ or refusal.__name__).strip().splitlines()[0]


def type_uri(code: str) -> str:
    """Where a problem is explained."""
    return f"/problems/{code}"


def all_refusals() -> dict[str, type[Refusal]]:
    """Every refusal that has a status, by its code."""
    return {kind.__name__: kind for kind in _descendants(Refusal) if any(base in STATUS for base in kind.__mro__)}


def _descendants(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)


# --- problems on their way out -------------------------------------------------------------------------------------


class Refused(Problem):
    """A refusal as a problem. ``code`` is all that is left of one that came back from the workflow."""

    def __init__(self, code: str, detail: str, **more: Any) -> None:
        kind = all_refusals()[code]
        headers = {"WWW-Authenticate": "Bearer"} if kind is NotSignedIn else None
        super().__init__(title_of(kind), type_uri(code), detail, status_of(kind), headers, code=code, **more)


class DatabaseAway(Problem):
    """The database does not answer; nothing was read or changed."""

    def __init__(self) -> None:
        super().__init__(
            "The database does not answer.",
            type_uri("DatabaseAway"),
            "Nothing was changed. Send the same request again in a few seconds, with the same Idempotency-Key.",
            HTTPStatus.SERVICE_UNAVAILABLE,
            {"Retry-After": str(RETRY_SECONDS)},
            code="DatabaseAway",
        )


class EngineAway(Problem):
    """The engagement's workflow does not run."""

    def __init__(self) -> None:
        super().__init__(
            "This engagement is not running now.",
            type_uri("EngineAway"),
            "Nothing was changed. Send the same request again later, or ask whoever runs this service.",
            HTTPStatus.SERVICE_UNAVAILABLE,
            {"Retry-After": str(RETRY_SECONDS)},
            code="EngineAway",
        )


class Fault(StatusProblem):
    """A fault of ours. Says nothing about its cause: the log has the type and the line."""

    type_ = "/problems/Fault"
    title = "Something went wrong on our side."
    status = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, *_: object, **__: object) -> None:  # what is handed over may quote what somebody typed
        super().__init__("It is logged. Send the same request again, with the same Idempotency-Key.", code="Fault")


class Unreadable(StatusProblem):
    """A request that does not fit the schema: where, and what is wanted, never what was sent."""

    type_ = "/problems/Unreadable"
    title = "The request does not fit the schema."
    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, faults: list[dict[str, str]]) -> None:
        super().__init__("Correct what 'errors' names, and send it again.", code="Unreadable", errors=faults)


def _refused(_: ExceptionHandler, _request: Request, refusal: Refusal) -> Problem:
    return Refused(refusal.code, str(refusal), **getattr(refusal, "more", {}))


def _bad_cursor(_: ExceptionHandler, _request: Request, _error: Exception) -> Problem:
    return Refused(BadCursor.__name__, str(BadCursor()))


def _database_away(_: ExceptionHandler, _request: Request, _error: Exception) -> Problem:
    return DatabaseAway()


def _unreadable(_: ExceptionHandler, _request: Request, error: RequestValidationError) -> Problem:
    return Unreadable([{"where": _where(one["loc"]), "what": _what(one)} for one in error.errors()[:50]])


def _http(_: ExceptionHandler, _request: Request, error: HTTPException) -> Problem:
    return _plain(error.status_code, dict(error.headers) if error.headers else None)


def _plain(status: int, headers: dict[str, str] | None = None) -> Problem:
    """A problem of which HTTP says everything that there is to say."""
    phrase = HTTPStatus(status).phrase
    code = "".join(word.capitalize() for word in re.findall(r"[A-Za-z]+", phrase))
    return Problem(f"{phrase}.", type_uri(code), None, status, headers, code=code)


def too_large() -> Response:
    """The answer to a body that is longer than this service takes."""
    problem = _plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return JSONResponse(problem.marshal(), status_code=problem.status, media_type=PROBLEM_JSON)


def _where(place: tuple[str | int, ...]) -> str:
    """The place of a fault. A name that the client made up is only repeated if it is plainly a name."""
    return ".".join(str(part) if isinstance(part, int) or _PLAIN_NAME.fullmatch(part) else "?" for part in place)


def _what(fault: Mapping[str, Any]) -> str:
    said: str = _SAID_INSTEAD.get(fault["type"], fault["msg"])
    return said.removeprefix("Value error, ")


def handle_errors(app: FastAPI) -> None:
    """Answer every error of an application with a problem."""
    handler = new_exception_handler(
        logger=logging.getLogger("api"),
        unhandled_wrappers={"default": Fault},
        handlers={
            Refusal: _refused,
            views.BadCursor: _bad_cursor,
            **dict.fromkeys(DATABASE_AWAY, _database_away),
        },
        http_exception_handler=_http,
        request_validation_handler=_unreadable,
    )
    for kind in (Exception, Problem, HTTPException, RequestValidationError, Refusal, views.BadCursor, *DATABASE_AWAY):
        app.add_exception_handler(kind, handler)
