"""One request of many engagements: foreseen first, read, then carried out as it was foreseen.

What is asked is a command of the core's in each engagement, under the name of whoever asks: the core checks that
person's part in every one. Carrying it out is a workflow of its own; what came of each engagement stands in SQL.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, cast
from uuid import UUID, uuid4, uuid5

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field, create_model
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.bodies import Bodies, Strict, Text, unfold
from api.commands import IdempotencyKey
from api.dependencies import Caller, Door, FrontDoor, Pages, cursor_at, place_of
from api.describing import problems
from api.errors import (
    BadCursor,
    DryRunFirst,
    DryRunTooOld,
    EngineAway,
    KeyReused,
    NoSuchBulk,
    NoSuchTemplate,
    NotUnderWay,
)
from api.templates import TemplateToOffer, named
from programme.continuity import PauseEngagement, ResumeEngagement
from programme.foreseeing import MovedTasks, Prospect
from programme.messages import Command, Stage
from programme.refusals import Invalid
from programme.stages.renewal import SuggestTemplate
from programme.telling import TellParticipants
from store import bulk
from store.bulk import MOST, Answer, Bulk, Item, State, Wanted
from store.people import TokenHolder
from workflows.addresses import TASK_QUEUE, bulk_workflow
from workflows.ports import BulkRun

HOLDS_HOURS = 24  # for which a dry run may be carried out
LISTED = 50
_KEYS = UUID("0f6c1c6e-6a55-5a6d-8a52-1f0a2c7f5b10")  # the namespace in which keys become ids of requests
ASKED: dict[str, type[Command]] = {
    "pause": PauseEngagement,
    "resume": ResumeEngagement,
    "tell_participants": TellParticipants,
}
"""Operations that are a command in the words of the core, by their name in a request."""
CHANGE_CALENDAR, OFFER_TEMPLATE = "change_calendar", "offer_template"


class NewestCalendar(Strict):
    """The newest calendar of each trust: nothing needs to be said about it."""


class BulkRequest(Strict):
    """Either a dry run: which engagements and one operation; or ``run``: the id of a dry run to be carried out."""

    dry_run: bool = Field(default=False, description="True: only say what would come of it.")
    run: Annotated[Text, Field(max_length=80)] = Field(default="", description="A dry run that was read.")
    trust: Annotated[Text, Field(max_length=8)] = Field(default="", description="All of a trust, by its ODS code.")
    stage: Stage | None = Field(default=None, description="All that stand in this stage.")
    engagements: tuple[Annotated[Text, Field(max_length=64)], ...] = Field(default=(), max_length=MOST)


class ForeseenShown(BaseModel):
    """What the dry run said. ``told``: how many people would hear of it."""

    prospect: Prospect
    code: str
    why: str
    moved: tuple[MovedTasks, ...]
    told: int
    news: tuple[str, ...]


class ItemShown(BaseModel):
    """One engagement of a request. ``entries``: how many lines of its history came of it."""

    engagement_id: str
    ods_code: str | None
    scope: str | None
    state: Answer
    code: str
    why: str
    entries: int
    foreseen: ForeseenShown | None


class BulkListed(BaseModel):
    """A request of many engagements, and how many of them stand where."""

    bulk_id: str
    operation: str
    state: State
    asked_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None
    counts: dict[Answer, int]


class BulkShown(BulkListed):
    """A request with its engagements, some at a time."""

    items: tuple[ItemShown, ...]
    next: str | None


class BulkTaken(BaseModel):
    """The request is kept and goes on by itself; ask for it by its id."""

    bulk_id: str
    state: State


router = APIRouter(tags=["bulk"])
BulkId = Annotated[str, Path(max_length=80, description="The request.")]


# --- asking --------------------------------------------------------------------------------------------------------


def request_router(bodies: Bodies) -> APIRouter:
    """The route that takes requests: each operation in the words of its command."""
    made = APIRouter(tags=["bulk"])
    operations: dict[str, Any] = {name: (bodies.body_of(command) | None, None) for name, command in ASKED.items()}
    operations |= {CHANGE_CALENDAR: (NewestCalendar | None, None), OFFER_TEMPLATE: (TemplateToOffer | None, None)}
    body_model = create_model("Bulk", __base__=BulkRequest, __doc__=BulkRequest.__doc__, **operations)
    made.add_api_route(
        "/bulk",
        _endpoint(body_model),
        methods=["POST"],
        name="ask_many",
        summary="Ask something of many engagements",
        status_code=202,
        response_model=BulkTaken,
        responses=problems(DryRunFirst, DryRunTooOld, NoSuchBulk, NoSuchTemplate, KeyReused, Invalid),
    )
    return made


def _endpoint(body_model: type[BaseModel]) -> Callable[..., Any]:
    async def endpoint(
        door: Door, caller: Caller, body: BaseModel, response: Response, idempotency_key: IdempotencyKey = None
    ) -> BulkTaken:
        """Foresee what would come of a request in many engagements; or carry out what was foreseen.

        Operations: `pause`, `resume`, `tell_participants`, `offer_template`, `change_calendar`, one at a time. Choose
        by `trust`, `stage` or both, or name `engagements`; only those in which you take part exist for you, and the
        programme checks your part in each. A dry run changes nothing, and holds for 24 hours.
        """
        wanted = cast("BulkRequest", body)
        if wanted.run:
            taken = await _carry_out(door, caller, wanted.run)
        elif wanted.dry_run:
            taken = await _foresee(door, caller, wanted, idempotency_key)
        else:
            raise DryRunFirst
        response.headers["Location"] = f"/api/v1/bulk/{taken.bulk_id}"
        return taken

    endpoint.__annotations__["body"] = body_model
    return endpoint


async def _foresee(door: FrontDoor, caller: TokenHolder, wanted: BulkRequest, key: str | None) -> BulkTaken:
    operation, command = _asked(door, wanted)
    bulk_id = str(uuid5(_KEYS, f"{caller.person_id} {key}")) if key else str(uuid4())
    async with door.database.writing() as connection:
        found = await bulk.asked(connection, bulk_id)
        ids = wanted.engagements or await bulk.chosen(
            connection, caller.person_id, ods_code=wanted.trust.strip().upper(), stage=wanted.stage or ""
        )
        if found is None:
            _refuse_size(len(ids))
        said = command.model_dump(mode="json") if command else None
        kept = Wanted(bulk_id, caller.person_id, operation, said, tuple(dict.fromkeys(ids)))
        if not await bulk.ask(connection, kept, datetime.now(UTC)):
            raise KeyReused
    await _start(door.client, bulk_id, dry=True)
    return BulkTaken(bulk_id=bulk_id, state=found.state if found else State.FORESEEING)


def _asked(door: FrontDoor, wanted: BulkRequest) -> tuple[str, Command | None]:
    """The one operation of a request, and its command (None: each engagement has its own). Raises Invalid."""
    named_ones = [name for name in (*ASKED, CHANGE_CALENDAR, OFFER_TEMPLATE) if getattr(wanted, name) is not None]
    if len(named_ones) != 1:
        message = "Name one operation: pause, resume, tell_participants, offer_template or change_calendar."
        raise Invalid(message)
    if bool(wanted.engagements) == bool(wanted.trust or wanted.stage):
        message = "Choose engagements by trust, by stage or both; or name them. One of the two."
        raise Invalid(message)
    (name,) = named_ones
    body = getattr(wanted, name)
    if name in ASKED:
        return name, unfold(ASKED[name], body, lambda _: str(uuid4())).command
    return name, SuggestTemplate(template=named(door, body.template)) if name == OFFER_TEMPLATE else None


def _refuse_size(number: int) -> None:
    if not number:
        message = "There is no open engagement of yours among these. Look at the list of your engagements."
        raise Invalid(message)
    if number > MOST:
        message = f"These are more than {MOST} engagements. Ask in several parts, by trust or by stage."
        raise Invalid(message)


async def _carry_out(door: FrontDoor, caller: TokenHolder, bulk_id: str) -> BulkTaken:
    """Begin what was foreseen; asked twice, it has begun once."""
    found = await _own(door, caller, bulk_id)
    if found.state is State.FORESEEING:
        raise DryRunFirst
    if found.state is State.FORESEEN:
        if datetime.now(UTC) - found.asked_at > timedelta(hours=HOLDS_HOURS):
            raise DryRunTooOld(HOLDS_HOURS)
        found = await _moved(door, found, (State.FORESEEN,), State.RUNNING)
    if found.state is State.RUNNING:
        await _start(door.client, bulk_id, dry=False)
    return BulkTaken(bulk_id=bulk_id, state=found.state)


# --- reading, stopping, going on -----------------------------------------------------------------------------------


@router.get("/bulk", responses=problems())
async def list_bulk(door: Door, caller: Caller) -> tuple[BulkListed, ...]:
    """Your latest requests of many engagements."""
    async with door.database.reading() as connection:
        found = await bulk.asked_by(connection, caller.person_id, LISTED)
        return tuple([BulkListed(**_facts(one), counts=await bulk.counts(connection, one.bulk_id)) for one in found])


@router.get("/bulk/{bulk_id}", responses=problems(NoSuchBulk, BadCursor))
async def read_bulk(door: Door, caller: Caller, pages: Pages, bulk_id: BulkId) -> BulkShown:
    """How far a request has come, and what came of it in each engagement; before it is begun, what would come of it."""
    found = await _own(door, caller, bulk_id)
    async with door.database.reading() as connection:
        counts = await bulk.counts(connection, bulk_id)
        items = await bulk.items(connection, found, after=place_of(pages.cursor), limit=pages.limit + 1)
    more = cursor_at(items[-1].place) if len(items) > pages.limit else None
    shown = tuple(_item(item) for item in items[: pages.limit])
    return BulkShown(**_facts(found), counts=counts, items=shown, next=more)


@router.post("/bulk/{bulk_id}/stop", status_code=202, responses=problems(NoSuchBulk, NotUnderWay))
async def stop_bulk(door: Door, caller: Caller, bulk_id: BulkId) -> BulkTaken:
    """Ask no further engagement. Those that are being asked at this moment still answer."""
    found = await _own(door, caller, bulk_id)
    stopped = await _moved(door, found, (State.RUNNING,), State.STOPPED)
    if stopped.state is not State.STOPPED:
        raise NotUnderWay
    workflow = door.client.get_workflow_handle(bulk_workflow(bulk_id, dry=False))
    try:
        await workflow.signal("stop")
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:  # else it has ended of itself, and looks at SQL when it begins
            raise EngineAway from None
    return BulkTaken(bulk_id=bulk_id, state=stopped.state)


@router.post("/bulk/{bulk_id}/start", status_code=202, responses=problems(NoSuchBulk, NotUnderWay))
async def start_bulk(door: Door, caller: Caller, bulk_id: BulkId) -> BulkTaken:
    """Go on where it was stopped, or where it stands still: nobody who has answered is asked again."""
    found = await _own(door, caller, bulk_id)
    if found.state is State.STOPPED:
        found = await _moved(door, found, (State.STOPPED,), State.RUNNING)
    if found.state not in {State.RUNNING, State.FORESEEING}:
        raise NotUnderWay
    await _start(door.client, bulk_id, dry=found.state is State.FORESEEING)
    return BulkTaken(bulk_id=bulk_id, state=found.state)


async def _own(door: FrontDoor, caller: TokenHolder, bulk_id: str) -> Bulk:
    """A request of the caller's. Raises NoSuchBulk: somebody else's does not exist."""
    async with door.database.reading() as connection:
        found = await bulk.asked(connection, bulk_id)
    if found is None or found.person_id != caller.person_id:
        raise NoSuchBulk
    return found


async def _moved(door: FrontDoor, found: Bulk, before: tuple[State, ...], after: State) -> Bulk:
    """The request in its new state, or as somebody else has moved it meanwhile."""
    async with door.database.writing() as connection:
        await bulk.move(connection, found.bulk_id, before, after, datetime.now(UTC))
        return await bulk.asked(connection, found.bulk_id) or found


async def _start(client: Client, bulk_id: str, *, dry: bool) -> None:
    """Let the workflow run, or go on. Raises EngineAway: the request is kept; start it again later."""
    try:
        await client.start_workflow(
            "Bulk",
            BulkRun(bulk_id=bulk_id, dry=dry),
            id=bulk_workflow(bulk_id, dry=dry),
            task_queue=TASK_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal="go_on",
            rpc_timeout=timedelta(seconds=10),
        )
    except WorkflowAlreadyStartedError:
        return
    except RPCError:
        raise EngineAway from None


# --- words ---------------------------------------------------------------------------------------------------------

_FACTS: tuple[Literal["bulk_id", "operation", "state", "asked_at", "begun_at", "ended_at"], ...] = (
    "bulk_id",
    "operation",
    "state",
    "asked_at",
    "begun_at",
    "ended_at",
)


def _facts(found: Bulk) -> dict[str, Any]:
    return {name: getattr(found, name) for name in _FACTS}


def _item(item: Item) -> ItemShown:
    names = ("engagement_id", "ods_code", "scope", "state", "code", "why", "entries")
    foreseen = ForeseenShown.model_validate(item.foreseen) if item.foreseen else None
    return ItemShown(**{name: getattr(item, name) for name in names}, foreseen=foreseen)
