"""Engagements: the list of one's own, one of them, what happens next in it, and who takes part."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from api.bodies import Moment
from api.dependencies import Caller, Door, FrontDoor, Member, PageOf, Pages, cursor_at, place_of
from api.describing import problems
from api.errors import BadCursor, NoSuchEngagement, NotForYou
from api.seeing import Seen, seen, whole
from programme.engagement import Engagement
from programme.gates import TITLES, StageSpan
from programme.messages import PersonId, Role, Side, Stage
from programme.missing import missing
from programme.progress import progress
from programme.reading import View, agenda_for, may_see
from programme.stages import diagnosis
from programme.stages.action import Compact
from programme.stages.challenge import VOLUNTARY_LADDERS
from programme.working_time import at_local, local_date
from store import people, read_model, views
from store.entries import entries, first_after

router = APIRouter(tags=["engagements"])
of_one = APIRouter(tags=["engagements"])


class EngagementListed(BaseModel):
    """An engagement in a list. ``your_roles``: the parts that you hold or are offered."""

    engagement_id: str
    ods_code: str
    scope: str
    stage: str
    cycle: int
    progress: str
    paused: bool
    registered: date | None
    next_due: datetime | None
    ended: str
    sequence: int
    your_roles: tuple[str, ...]


class StageShown(BaseModel):
    """An open stage, and what is still missing before its gate opens."""

    stage: Stage
    title: str
    missing: tuple[str, ...]


class SideShown(BaseModel):
    """How many people of a side take part."""

    taking_part: int


class TurnoutShown(BaseModel):
    """How many of a side can answer, and how many had by the end of yesterday; null while that could tell who."""

    invited: int
    completed: int | None


class QuestionnaireShown(BaseModel):
    """A questionnaire that is open. Who has answered is known to nobody."""

    survey: str
    opened: date | None
    turnout: dict[Side, TurnoutShown]


class EngagementShown(BaseModel):
    """One engagement: where it stands, what is missing, and what waits, in numbers."""

    engagement_id: str
    sequence: int = Field(description="Its version, as in `ETag`.")
    ods_code: str
    scope: str
    local_problem: str
    dpia_reference: str
    privacy_notice: str
    k: int
    template: str
    template_version: str
    division: str
    registered: date | None
    progress: str = Field(description="In the programme's words.")
    stage: Stage
    cycle: int
    paused_until: date | None
    ended: str
    your_roles: tuple[str, ...]
    stages: tuple[StageSpan, ...]
    gates: tuple[StageShown, ...]
    sides: dict[Side, SideShown]
    questionnaire: QuestionnaireShown | None
    problem: str = Field(description="The shared problem statement, once the sides have agreed on one.")
    priorities: tuple[str, ...]
    compact: Compact | None
    open_tasks: int = Field(description="Of everybody; what is voluntary is not counted.")
    overdue_tasks: int


class DueShown(BaseModel):
    """Something that will happen if nobody does anything."""

    at: datetime
    what: str
    why: str


class PersonShown(BaseModel):
    """Somebody who takes part. ``offered``: parts that wait for an answer, told to the programme manager alone."""

    person_id: PersonId
    name: str
    side: Side | None
    roles: tuple[Role, ...]
    offered: tuple[Role, ...] = ()


# --- lists ---------------------------------------------------------------------------------------------------------


@router.get("/engagements", responses=problems(BadCursor))
async def list_engagements(
    door: Door,
    caller: Caller,
    pages: Pages,
    *,
    open_only: Annotated[bool, Query(description="Leave out what has ended.")] = False,
) -> PageOf[EngagementListed]:
    """The engagements in which you hold or are offered a part; for an auditor of all, every one."""
    async with door.database.reading() as connection:
        if caller.role == "auditor":
            page = await views.every_engagement(connection, open_only=open_only, cursor=pages.cursor, limit=pages.limit)
        else:
            page = await views.engagements(
                connection, caller.person_id, open_only=open_only, cursor=pages.cursor, limit=pages.limit
            )
    return PageOf(items=tuple(_listed(row) for row in page.items), next=page.next)


def _listed(row: views.EngagementRow) -> EngagementListed:
    fields = {name: getattr(row, name) for name in EngagementListed.model_fields if name != "your_roles"}
    return EngagementListed(**fields, your_roles=row.roles)


# --- one -----------------------------------------------------------------------------------------------------------


@of_one.get("", responses=problems(NoSuchEngagement, NotForYou))
async def read_engagement(
    door: Door,
    visitor: Member,
    response: Response,
    as_of: Annotated[Moment | None, Query(description="As it was at that instant; for readers of the history.")] = None,
) -> EngagementShown:
    """One engagement: where it stands and what is missing. Who has not answered or not accepted is told to nobody."""
    found = await (seen(door, visitor, View.HISTORY) if as_of else whole(door, visitor))
    engagement = await _as_it_was(door, found, as_of) if as_of else found.engagement
    today = local_date(datetime.now(UTC))
    answering = await _questionnaire(door, engagement, today)
    response.headers["ETag"] = f'"{engagement.sequence}"'
    return _shown(engagement, tuple(sorted(visitor.parts)), answering, today)


async def _as_it_was(door: FrontDoor, found: Seen, at: datetime) -> Engagement:
    async with door.database.reading() as connection:
        engagement = await read_model.as_of(connection, found.engagement.id, at)
    if not engagement.registered:
        raise NoSuchEngagement
    return engagement


def _shown(
    engagement: Engagement, roles: tuple[str, ...], answering: QuestionnaireShown | None, today: date
) -> EngagementShown:
    owed = [task for task in engagement.open_tasks if task.ladder not in VOLUNTARY_LADDERS]
    cycle, pause = engagement.cycle, engagement.continuity.pause
    facts = ("sequence", "ods_code", "scope", "local_problem", "dpia_reference", "privacy_notice", "k", "registered")
    return EngagementShown(
        engagement_id=engagement.id,
        **{name: getattr(engagement, name) for name in facts},
        template=engagement.template.name,
        template_version=engagement.template.version,
        division=engagement.calendar.division.value,
        progress=progress(engagement),
        stage=engagement.stage,
        cycle=cycle.number if cycle else 0,
        paused_until=pause.resumes if pause else None,
        ended=engagement.ended,
        your_roles=roles,
        stages=engagement.stages,
        gates=_gates(engagement),
        sides={side: SideShown(taking_part=len(engagement.participants(side))) for side in Side},
        questionnaire=answering,
        problem=cycle.sessions.problem if cycle else "",
        priorities=cycle.sessions.priorities if cycle else (),
        compact=cycle.agreement.compact if cycle and cycle.agreement.compact.version else None,
        open_tasks=len(owed),
        overdue_tasks=sum(1 for task in owed if task.due and task.due.on < today),
    )


def _gates(engagement: Engagement) -> tuple[StageShown, ...]:
    return tuple(
        StageShown(stage=stage, title=TITLES[stage], missing=lacks) for stage, lacks in missing(engagement).items()
    )


async def _questionnaire(door: FrontDoor, engagement: Engagement, today: date) -> QuestionnaireShown | None:
    """The turnout as of the end of yesterday: a number that moves at once would tell who has just answered."""
    found = diagnosis.current(engagement)
    if found is None or not found[1].open:
        return None
    name, survey = found
    async with door.database.reading() as connection:
        fresh = await _answered_today(connection, engagement.id, today)
    earlier = survey.model_copy(update={"completed": tuple(one for one in survey.completed if one not in fresh)})
    counted = diagnosis.counts(engagement, earlier)
    turnout = {
        side: TurnoutShown(invited=counted[side]["invited"] or 0, completed=counted[side]["completed"]) for side in Side
    }
    return QuestionnaireShown(survey=name, opened=survey.opened, turnout=turnout)


async def _answered_today(connection: AsyncConnection, engagement_id: str, today: date) -> set[PersonId]:
    begins = at_local(today, time(0)) - timedelta(microseconds=1)
    first = await first_after(connection, engagement_id, begins)
    if first is None:
        return set()
    lines = await entries(
        connection, engagement_id, after=first - 1, kind=diagnosis.QuestionnaireCompleted.__name__, limit=1000
    )
    return {line.actor_id for line in lines}


# --- what happens next, and who takes part -------------------------------------------------------------------------


@of_one.get("/agenda", responses=problems(NoSuchEngagement, BadCursor))
async def read_agenda(door: Door, visitor: Member, pages: Pages) -> PageOf[DueShown]:
    """What happens next if nobody does anything: when, what, and why. Reminders stand here for whom they reach."""
    found = await whole(door, visitor)
    dues = agenda_for(found.engagement, found.reader)
    begin = place_of(pages.cursor)
    end = begin + pages.limit
    shown = tuple(DueShown(at=due.at, what=due.what, why=due.why) for due in dues[begin:end])
    return PageOf(items=shown, next=cursor_at(end) if end < len(dues) else None)


@of_one.get("/people", responses=problems(NoSuchEngagement, NotForYou))
async def read_people(door: Door, visitor: Member) -> tuple[PersonShown, ...]:
    """Who takes part, in which parts. Whoever was invited and has not accepted is told to the programme manager."""
    found = await seen(door, visitor, View.AGENDA)
    manages = may_see(found.engagement, View.WAITING, found.reader)
    async with door.database.reading() as connection:
        known = await people.addresses(connection, list(found.engagement.people))
    names = {person_id: address.name for person_id, address in known.items()}
    return tuple(_people(found, names, manages=manages))


def _people(found: Seen, names: dict[PersonId, str], *, manages: bool) -> list[PersonShown]:
    shown = []
    for person in found.engagement.people.values():
        held = person.roles()
        offered = person.intended() - held if manages else frozenset[Role]()
        if held or offered:
            shown.append(
                PersonShown(
                    person_id=person.id,
                    name=names.get(person.id, ""),
                    side=person.side if person.takes_part or manages else None,
                    roles=tuple(sorted(held)),
                    offered=tuple(sorted(offered)),
                )
            )
    return shown
