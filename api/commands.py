"""One path for each command of the core, generated from it: POST /engagements/{id}/{command}.

A command that comes twice happens once. Under one `Idempotency-Key` the command id is always the same, so that the
workflow knows it again; the answer is kept, so that it is the same for whichever API process is asked. Candid words
are deposited first, under references that follow from the command id.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any, cast
from uuid import UUID, uuid4, uuid5

import structlog
from fastapi import APIRouter, Header, Path, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from api import answers
from api.bodies import Bodies, Strict, Unfolded, unfold
from api.dependencies import Actor, Door, FrontDoor, Member, Visitor
from api.describing import Responses, command_description, problems
from api.desk import Gone, NotKnownYet, Recorded
from api.errors import DATABASE_AWAY, RETRY_SECONDS, EngineAway, KeyReused, NoSuchCommand, NoSuchEngagement, Refused
from programme.cover import COVERABLE
from programme.engagement import commands
from programme.messages import Command, Sealed
from programme.reading import purpose_of
from programme.refusals import (
    CannotCover,
    CommandReused,
    EngagementEnded,
    EngagementPaused,
    ForbiddenCombination,
    Invalid,
    MovedOn,
    NotCoverable,
    NotCovering,
    NotYet,
    RoleRequired,
    TooLong,
)
from programme.stages.diagnosis import WithdrawAnswers
from store import confidential, read_model, requests
from store.requests import Remembered
from workflows.ports import Submission

EVERY_COMMAND = (RoleRequired, ForbiddenCombination, EngagementEnded, MovedOn, TooLong, Invalid, KeyReused)
_VERSION = re.compile(r'"(\d{1,9})"')
_KEYS = UUID("6a1e7b52-0c1f-5d0e-9d8b-0f8f6f0e7c11")  # the namespace in which keys become command ids
_ASKED_AFRESH = frozenset({MovedOn.__name__, CommandReused.__name__})
log = structlog.get_logger(component="commands")

IfMatch = Annotated[
    str | None,
    Header(
        max_length=100,
        description="`ETag` of the version that you saw: 412 if somebody has changed the engagement since.",
    ),
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="Your own name for this request, kept for 30 days. The same key and request: the same answer, and "
        "it happens once.",
    ),
]


class Unknown(BaseModel):
    """Nobody knows yet whether the command was taken; it will happen at most once.

    Ask at `ask`, or send the same request again with `idempotency_key` as its `Idempotency-Key`.
    """

    command_id: str
    engagement_id: str
    idempotency_key: str
    ask: str


@dataclass(frozen=True)
class Asking:
    """A command as it came in: who asks what of which engagement, and under which name."""

    visitor: Visitor
    kind: str
    key: str
    keyed: bool  # the key is the caller's own, so the answer is kept
    command_id: str
    unfolded: Unfolded
    expected: int | None
    sealed: BaseModel | None = None

    @property
    def digest(self) -> str:
        """What the request says, answers aside: nothing that is kept beside a person may lead to them."""
        words = sorted(self.unfolded.deposits.items())
        place = f"{self.visitor.engagement_id} {self.visitor.on_behalf_of or ''}".strip()
        said = f"{place} {self.unfolded.command.model_dump_json()} {words!r}"
        return hashlib.sha256(said.encode()).hexdigest()

    @property
    def submission(self) -> Submission:
        """What travels to the workflow."""
        return Submission(
            command_id=self.command_id,
            by=self.visitor.person_id,
            on_behalf_of=self.visitor.on_behalf_of,
            expected=self.expected,
            command=cast("Any", self.unfolded.command),
        )

    def remembered(self, response: dict[str, Any] | None) -> Remembered:
        """What is kept under the key."""
        return Remembered(self.digest, self.command_id, self.visitor.engagement_id, response)


def command_id_of(person_id: str, key: str) -> str:
    """The id of the command that a person names by this key."""
    return str(uuid5(_KEYS, f"{person_id} {key}"))


def kebab(kind: str) -> str:
    """The name of a command in a path: AcceptEnrolment becomes accept-enrolment."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", kind).lower()


def expected_version(if_match: str | None) -> int | None:
    """The version of an If-Match; None where none is asked for. Raises MovedOn for what is no version of ours."""
    if if_match is None or if_match.strip() == "*":
        return None
    match = _VERSION.fullmatch(if_match.strip())
    if match is None:
        raise MovedOn
    return int(match[1])


# --- handing in ----------------------------------------------------------------------------------------------------


async def hand_in(door: FrontDoor, asking: Asking) -> Response:
    """Take a command and answer: 200 and recorded, a refusal, or 202 and not known yet."""
    if asking.visitor.on_behalf_of and type(asking.unfolded.command) not in COVERABLE:
        raise NotCoverable  # before anything is kept in confidence
    if asking.keyed and (kept := await _kept(door, asking)) is not None:
        return kept
    await _keep_in_confidence(door, asking)
    try:
        found = await door.desk.submit(asking.visitor.engagement_id, asking.submission, _also(asking))
    except Refused as refusal:
        await _note(door, asking, refusal)
        raise
    except Gone:
        raise await _why_gone(door, asking.visitor) from None
    return answer(found, asking.key)


def answer(found: Recorded | NotKnownYet, key: str, *, status: int = 200) -> Response:
    """The answer to a command."""
    if isinstance(found, NotKnownYet):
        ask = f"/api/v1/engagements/{found.engagement_id}/commands/{key}?content={found.content}"
        unknown = Unknown(command_id=found.command_id, engagement_id=found.engagement_id, idempotency_key=key, ask=ask)
        headers = {"Location": ask, "Retry-After": str(RETRY_SECONDS)}
        return JSONResponse(unknown.model_dump(), status_code=202, headers=headers)
    return JSONResponse(found.model_dump(mode="json"), status_code=status, headers={"ETag": f'"{found.sequence}"'})


async def _kept(door: FrontDoor, asking: Asking) -> Response | None:
    """The answer that this key has had. Raises KeyReused for another request under it, and Refused again."""
    person = asking.visitor.person_id
    try:
        async with door.database.reading() as connection:
            found = await requests.remembered(connection, person, asking.key)
    except DATABASE_AWAY:
        return None  # the workflow knows the command id too
    if found is None:
        return None
    if found.digest != asking.digest:
        raise KeyReused
    return replayed(found.response, asking.key) if found.response else None


def replayed(response: dict[str, Any], key: str) -> Response:
    """An answer given again. Raises Refused."""
    if "refused" in response:
        raise Refused(response["refused"], response["detail"])
    return answer(Recorded.model_validate(response["recorded"]), key, status=response.get("status", 200))


async def _keep_in_confidence(door: FrontDoor, asking: Asking) -> None:
    """Deposit candid words and answers, before the command that refers to them."""
    if asking.sealed is not None:
        await answers.keep(door, asking.visitor, asking.sealed)
    if not asking.unfolded.deposits:
        return
    visitor = asking.visitor
    command = asking.unfolded.command
    async with door.database.writing() as connection:
        for deposit_id, words in asking.unfolded.deposits.items():
            purpose, about = purpose_of(command, words.field)
            author = visitor.person_id
            await confidential.deposit(
                connection, visitor.engagement_id, author, purpose, about, words.text, deposit_id=deposit_id
            )


def _also(asking: Asking) -> Callable[[AsyncConnection, Recorded], Any] | None:
    """What is written beside the record: the answer under its key, and the end of withdrawn answers."""
    withdraws = isinstance(asking.unfolded.command, WithdrawAnswers)
    # A questionnaire is answered again by sending it again; a row with the time of it would tell too much.
    keeps = asking.keyed and asking.sealed is None
    if not withdraws and not keeps:
        return None

    async def also(connection: AsyncConnection, recorded: Recorded) -> None:
        if withdraws:
            await answers.delete(connection, asking.visitor)
        if keeps:
            await remember(connection, asking, {"recorded": recorded.model_dump(mode="json")})

    return also


async def remember(connection: AsyncConnection, asking: Asking, response: dict[str, Any]) -> None:
    """Keep the answer for whoever repeats the request."""
    person = asking.visitor.person_id
    found = await requests.begin(connection, person, asking.key, asking.remembered(None), datetime.now(UTC))
    if found.digest == asking.digest and found.response is None:  # else the key was another request's a moment earlier
        await requests.answered(connection, person, asking.key, response)


async def _note(door: FrontDoor, asking: Asking, refusal: Refused) -> None:
    """Keep the refusal: in the figures, and under its key. A database that is away changes nothing about the answer."""
    code = str(refusal.extras["code"])
    visitor = asking.visitor
    try:
        async with door.database.writing() as connection:
            now = datetime.now(UTC)
            await requests.record_refusal(connection, visitor.engagement_id, visitor.person_id, asking.kind, code, now)
            if isinstance(asking.unfolded.command, WithdrawAnswers) and code == NotYet.__name__:
                await answers.delete(connection, visitor)  # what the core does not count is not kept either
            if asking.keyed and asking.sealed is None and code not in _ASKED_AFRESH:
                await remember(connection, asking, {"refused": code, "detail": refusal.detail})
    except DATABASE_AWAY:
        log.warning("a refusal could not be noted", engagement_id=visitor.engagement_id, code=code)


async def _why_gone(door: FrontDoor, visitor: Visitor) -> Exception:
    """Why no workflow answers: the engagement has ended, or Temporal does not know it."""
    async with door.database.reading() as connection:
        engagement = await read_model.standing(connection, visitor.engagement_id)
    return EngagementEnded() if engagement is not None and engagement.ended else EngineAway()


# --- routes --------------------------------------------------------------------------------------------------------


def command_router(bodies: Bodies, by_hand: Mapping[type[Command], Callable[..., Any]]) -> APIRouter:
    """A route for every command that a person may ask; ``by_hand``: of those that are asked in other words."""
    router = APIRouter()
    for command in commands():
        router.add_api_route(
            f"/{kebab(command.__name__)}",
            by_hand.get(command) or _endpoint(command, bodies.body_of(command)),
            methods=["POST"],
            name=command.__name__,
            summary=_summary(command),
            description=command_description(command),
            tags=[command.__module__.rpartition(".")[2]],
            response_model=Recorded,
            responses=_responses(command),
            openapi_extra={
                "x-who": sorted(command.who),
                "x-on-behalf-of": command in COVERABLE,
                "x-refusals": sorted({kind.__name__ for kind in (*EVERY_COMMAND, *command.refusals)}),
            },
        )
    return router


def _summary(command: type[Command]) -> str:
    words = kebab(command.__name__).replace("-", " ")
    return words[0].upper() + words[1:]


def _responses(command: type[Command]) -> Responses:
    paused = () if command.while_paused else (EngagementPaused,)
    hands = (CannotCover, NotCovering) if command in COVERABLE else (NotCoverable,)
    said = problems(*EVERY_COMMAND, *paused, *hands, *command.refusals, NoSuchEngagement)
    return said | {
        200: {
            "description": "Recorded.",
            "headers": {"ETag": {"description": "The engagement's version.", "schema": {"type": "string"}}},
        },
        202: {"description": Unknown.__doc__, "model": Unknown},
    }


def _endpoint(command: type[Command], body_model: type[BaseModel]) -> Callable[..., Any]:
    async def endpoint(
        door: Door,
        visitor: Actor,
        body: BaseModel,
        if_match: IfMatch = None,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        return await hand_in(door, asking_for(command, body, visitor, if_match, idempotency_key))

    endpoint.__annotations__["body"] = body_model
    return endpoint


def asking_for(
    command: type[Command], body: BaseModel, visitor: Visitor, if_match: str | None, idempotency_key: str | None
) -> Asking:
    """A command as it came in, from its body."""
    key = idempotency_key or uuid4().hex
    named = UUID(command_id_of(visitor.person_id, key))
    sealed = next((name for name, info in command.model_fields.items() if info.annotation is Sealed), None)
    unfolded = unfold(command, body, lambda place: str(uuid5(named, f"words {place}")))
    asking = asking_of(unfolded, visitor, if_match, key)
    return replace(asking, keyed=idempotency_key is not None, sealed=getattr(body, sealed) if sealed else None)


def asking_of(unfolded: Unfolded, visitor: Visitor, if_match: str | None, idempotency_key: str | None) -> Asking:
    """A command that is ready. Without a key of the caller's own it has one that nobody will use again."""
    key = idempotency_key or uuid4().hex
    return Asking(
        visitor=visitor,
        kind=unfolded.command.kind,
        key=key,
        keyed=idempotency_key is not None,
        command_id=command_id_of(visitor.person_id, key),
        unfolded=unfolded,
        expected=expected_version(if_match),
    )


more = APIRouter()


@more.delete("/answers", tags=["answers"], response_model=Recorded, responses=_responses(WithdrawAnswers))
async def delete_answers(
    door: Door, visitor: Actor, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None
) -> Response:
    """Delete your answers while the questionnaire is open; the same as the command WithdrawAnswers."""
    return await hand_in(door, asking_for(WithdrawAnswers, Strict(), visitor, if_match, idempotency_key))


@more.get(
    "/commands/{key}", tags=["commands"], response_model=Recorded, responses=problems(NoSuchEngagement, NoSuchCommand)
)
async def ask_again(
    door: Door,
    visitor: Member,
    key: Annotated[str, Path(max_length=200, description="The request's Idempotency-Key, or the one that a 202 gave.")],
    content: Annotated[str, Query(max_length=64, pattern="^[0-9a-f]*$", description="As in the link of the 202.")] = "",
) -> Response:
    """What became of one of your commands that was answered 202. 404: it never arrived; send it again."""
    command_id = command_id_of(visitor.person_id, key)
    async with door.database.reading() as connection:
        kept = await requests.remembered(connection, visitor.person_id, key)
    if kept is not None and kept.response and kept.engagement_id == visitor.engagement_id:
        return replayed(kept.response, key)
    try:
        found = await door.desk.ask_again(visitor.engagement_id, command_id, content)
    except Gone:
        raise NoSuchCommand from None
    return answer(found, key)
