"""A launch: POST /engagements registers an engagement with its people, all or nothing.

A reservation of the trust and scope comes first. From then on a crash at any point leaves something that the same
`Idempotency-Key` completes, and that nobody else can open a second time; a reservation that comes to nothing lapses.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeVar
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import UploadFile
from uuid6 import uuid7

from activities.calendars import newest
from api.bodies import FIRST_DAY, LAST_DAY, Strict, Text
from api.commands import IdempotencyKey, Unknown, answer, command_id_of, replayed
from api.dependencies import Caller, Door, FrontDoor
from api.describing import problems
from api.desk import Gone, NotKnownYet, Recorded
from api.errors import (
    AlreadyOpen,
    EngineAway,
    FaultyRoster,
    KeyReused,
    NoSuchTemplate,
    NotForYou,
    NotSignedIn,
    Refused,
)
from api.roster import RosterRow
from programme.engagement import Engagement, decide
from programme.messages import PersonId
from programme.part import Asked
from programme.refusals import CommandReused, InvalidOdsCode, ThresholdOutOfRange
from programme.stages.mandate import RegisterEngagement
from programme.template import ProgrammeTemplate
from programme.working_time import Calendar, Division, Holiday
from runtime.roster import COLUMNS, MOST_PEOPLE, Launcher, Roster, check, read_csv
from runtime.templates import TemplateError
from store import holidays, people, requests, views
from store.people import TokenHolder
from store.requests import Remembered
from workflows.ports import Submission

MOST_CLOSURES = 200
Short = Annotated[Text, Field(max_length=300)]


Wanted = TypeVar("Wanted", bound="EngagementToLaunch")


class Closure(Strict):
    """A day on which the trust does not work, besides bank holidays."""

    on: Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
    name: Short


class EngagementToLaunch(Strict):
    """What an engagement is about."""

    ods_code: Short = Field(description="The trust, by its ODS code, such as R1A.")
    scope: Short = Field(description="A service, such as 'Emergency department', or the whole trust.")
    local_problem: Short = Field(description="What is to get better, in one sentence.")
    dpia_reference: Short = Field(description="Of the data protection impact assessment.")
    privacy_notice: Annotated[Text, Field(max_length=80)] = Field(default="1", description="Its version.")
    k: int = Field(default=11, ge=-1000, le=1000, description="Smallest group whose figures are shown, 8 to 30.")
    template: Annotated[Text, Field(max_length=80)] = "twelve-months"
    division: Division = Field(default=Division.ENGLAND_AND_WALES, description="Whose bank holidays count.")
    closures: tuple[Closure, ...] = Field(default=(), max_length=MOST_CLOSURES)


class Launch(EngagementToLaunch):
    """An engagement, and the people who take part."""

    people: tuple[RosterRow, ...] = Field(max_length=MOST_PEOPLE)


@dataclass(frozen=True)
class Ready:
    """A launch of which everything is known: it only has to happen."""

    launch: EngagementToLaunch
    roster: Roster
    template: ProgrammeTemplate
    calendar: Calendar

    @property
    def digest(self) -> str:
        """What the request says."""
        said = [self.launch.model_dump(mode="json", exclude={"people"}), [asdict(row) for row in self.roster.rows]]
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()

    def command(self, engagement_id: str, ids: list[PersonId]) -> RegisterEngagement:
        """The command, with ids in place of names."""
        facts = self.launch.model_dump(include={"ods_code", "scope", "local_problem", "dpia_reference"})
        return RegisterEngagement(
            engagement=engagement_id,
            privacy_notice=self.launch.privacy_notice,
            k=self.launch.k,
            template=self.template,
            calendar=self.calendar,
            people=self.roster.enrolments(ids),
            **facts,
        )


async def _ready(door: FrontDoor, caller: TokenHolder, launch: EngagementToLaunch, roster: Roster) -> Ready:
    """Everything that can be refused before anything is kept.

    Raises FaultyRoster, NoSuchTemplate, and whatever the core refuses about the engagement itself.
    """
    if roster.faults:
        raise FaultyRoster([asdict(fault) for fault in roster.faults])
    try:
        template = door.templates.named(launch.template)
    except TemplateError as error:
        raise NoSuchTemplate(str(error)) from None
    closures = [Holiday(on=closure.on, name=closure.name) for closure in launch.closures]
    async with door.database.reading() as connection:
        calendar = await newest(connection, launch.division, launch.ods_code.strip().upper(), closures)
    ready = Ready(launch, roster, template, calendar)
    asked = Asked(by=caller.person_id, at=datetime.now(UTC))
    decide(Engagement(), ready.command("rehearsed", [row.email for row in roster.rows]), asked)
    return ready


async def _launcher(door: FrontDoor, caller: TokenHolder) -> Launcher:
    if caller.role != "programme_manager":
        raise NotForYou("somebody whose token was made for a programme manager")
    async with door.database.reading() as connection:
        found = await people.address(connection, caller.person_id)
    if found is None:
        raise NotSignedIn
    return Launcher(found.name, found.email)


@dataclass(frozen=True)
class Begun:
    """A launch in hand: the engagement's id, who is who, or the answer that it has had before."""

    engagement_id: str
    ids: list[PersonId]
    response: dict[str, Any] | None


async def _begin(door: FrontDoor, caller: TokenHolder, ready: Ready, key: str) -> Begun:
    """Reserve the trust and scope and give everybody an id, in one transaction.

    Raises KeyReused, AlreadyOpen.
    """
    wanted = Remembered(ready.digest, command_id_of(caller.person_id, key), str(uuid7()), None)
    now = datetime.now(UTC)
    async with door.database.writing() as connection:
        found = await requests.begin(connection, caller.person_id, key, wanted, now)
        if found.digest != wanted.digest:
            raise KeyReused
        if found.response:
            return Begun(found.engagement_id, [], found.response)
        ods_code = ready.launch.ods_code.strip().upper()
        holder = await requests.reserve(connection, found.engagement_id, ods_code, ready.launch.scope, now)
        if holder != found.engagement_id:
            raise AlreadyOpen(await _if_seen(connection, holder, caller.person_id))
        closures = [Holiday(on=closure.on, name=closure.name) for closure in ready.launch.closures]
        await holidays.close(connection, found.engagement_id, closures, caller.person_id, now)
        return Begun(found.engagement_id, await people.add_people(connection, ready.roster.named), None)


async def _if_seen(connection: AsyncConnection, engagement_id: str, person_id: PersonId) -> str | None:
    """The engagement, if this person may know that it exists."""
    return engagement_id if await views.roles_in(connection, engagement_id, person_id) is not None else None


async def _register(door: FrontDoor, caller: TokenHolder, ready: Ready, begun: Begun, key: str) -> Response:
    """Start the engagement's workflow with its registration, and record it."""

    async def also(connection: AsyncConnection, recorded: Recorded) -> None:
        response = {"recorded": recorded.model_dump(mode="json"), "status": 201}
        await requests.answered(connection, caller.person_id, key, response)

    submission = Submission(
        command_id=command_id_of(caller.person_id, key),
        by=caller.person_id,
        command=ready.command(begun.engagement_id, begun.ids),
    )
    try:
        found = await door.desk.submit(begun.engagement_id, submission, also, launch=True)
    except Refused as refusal:
        if refusal.extras["code"] != CommandReused.__name__:  # which would mean that it is registered
            await _give_back(door, caller, begun, key)
        raise
    except Gone:
        raise EngineAway from None
    return _created(found, key)


async def _give_back(door: FrontDoor, caller: TokenHolder, begun: Begun, key: str) -> None:
    """Let the trust and scope, and the key, be used again."""
    async with door.database.writing() as connection:
        await requests.release(connection, begun.engagement_id)
        await requests.forget(connection, caller.person_id, key)


def _created(found: Recorded | NotKnownYet, key: str) -> Response:
    response = answer(found, key, status=201)
    if isinstance(found, Recorded):
        response.headers["Location"] = f"/api/v1/engagements/{found.engagement_id}"
    return response


async def launch(
    door: FrontDoor, caller: TokenHolder, wanted: EngagementToLaunch, roster: Roster, key: str | None
) -> Response:
    """Launch an engagement, or say what keeps it from being launched."""
    key = key or uuid4().hex
    ready = await _ready(door, caller, wanted, roster)
    begun = await _begin(door, caller, ready, key)
    if begun.response:
        response = replayed(begun.response, key)
        response.headers["Location"] = f"/api/v1/engagements/{begun.engagement_id}"
        return response
    return await _register(door, caller, ready, begun, key)


# --- reading the request -------------------------------------------------------------------------------------------


async def _from_json(request: Request, launcher: Launcher) -> tuple[EngagementToLaunch, Roster]:
    wanted = _model(Launch, await request.body(), "body")
    lines = [(place, row.model_dump()) for place, row in enumerate(wanted.people, start=1)]
    return wanted, check(lines, launcher, ods_code=wanted.ods_code)


async def _from_form(request: Request, launcher: Launcher) -> tuple[EngagementToLaunch, Roster]:
    async with request.form(max_files=2, max_fields=2) as form:
        parts = {name: await _content(part) for name, part in form.items()}
    wanted = _model(EngagementToLaunch, parts.get("engagement", b""), "engagement")
    return wanted, read_csv(parts.get("roster", b""), launcher, ods_code=wanted.ods_code)


async def _content(part: UploadFile | str) -> bytes:
    return part.encode("utf-8", "replace") if isinstance(part, str) else await part.read()


def _model(model: type[Wanted], content: bytes, place: str) -> Wanted:
    """JSON as a model. Raises RequestValidationError."""
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        faults = [{**fault, "loc": (place, *fault["loc"])} for fault in error.errors(include_url=False)]
        raise RequestValidationError(faults) from None


# --- the route -----------------------------------------------------------------------------------------------------

router = APIRouter(tags=["launch"])
BODIES = (Launch, EngagementToLaunch)
_FORM = {
    "type": "object",
    "required": ["engagement", "roster"],
    "properties": {
        "engagement": {"type": "string", "description": "The JSON of EngagementToLaunch.", "maxLength": 60_000},
        "roster": {"type": "string", "format": "binary", "description": f"CSV, UTF-8: {', '.join(COLUMNS)}."},
    },
}
_REQUEST = {
    "required": True,
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/Launch"}},
        "multipart/form-data": {"schema": _FORM},
    },
}
_SAID = problems(NotForYou, FaultyRoster, NoSuchTemplate, InvalidOdsCode, ThresholdOutOfRange, AlreadyOpen, KeyReused)
_RECORDED: dict[int | str, dict[str, Any]] = {
    201: {
        "description": "Launched and recorded; `Location` names it.",
        "headers": {"Location": {"schema": {"type": "string"}}, "ETag": {"schema": {"type": "string"}}},
    },
    202: {"description": Unknown.__doc__, "model": Unknown},
}


@router.post(
    "/engagements",
    status_code=201,
    response_model=Recorded,
    responses=_SAID | _RECORDED,
    openapi_extra={"requestBody": _REQUEST},
)
async def launch_engagement(
    door: Door, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Register an engagement and enrol its people, from JSON or from a form with a CSV file.

    For holders of a programme manager's token. Whoever launches manages it, with or without a row of their own. Every
    faulty row is named in `faults`, with its line and what to do; one fault, and nothing is loaded.
    """
    launcher = await _launcher(door, caller)
    form = request.headers.get("content-type", "").partition(";")[0].strip().lower() == "multipart/form-data"
    wanted, roster = await (_from_form if form else _from_json)(request, launcher)
    return await launch(door, caller, wanted, roster, idempotency_key)
