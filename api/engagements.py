"""Engagements: the list of one's own, one of them, what happens next in it, and who takes part."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from api.bodies import Moment
from api.dependencies import Caller, Door, FrontDoor, Member, PageOf, Pages, cursor_at, place_of
from api.describing import problems
from api.errors import BadCursor, NoSuchEngagement, NotForYou
from api.seeing import Seen, seen, whole
from programme.engagement import Engagement
from programme.messages import PersonId, Role, Side
from programme.reading import View, agenda_for, may_see
from programme.stages import diagnosis
from programme.working_time import at_local, local_date
from store import people, read_model, views
from store.entries import entries, first_after
from web.engagements import EngagementShown, QuestionnaireShown, questionnaire, shown

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
    return shown(engagement, tuple(sorted(visitor.parts)), answering, today)


async def _as_it_was(door: FrontDoor, found: Seen, at: datetime) -> Engagement:
    async with door.database.reading() as connection:
        engagement = await read_model.as_of(connection, found.engagement.id, at)
    if not engagement.registered:
        raise NoSuchEngagement
    return engagement


async def _questionnaire(door: FrontDoor, engagement: Engagement, today: date) -> QuestionnaireShown | None:
    found = diagnosis.current(engagement)
    if found is None or not found[1].open:
        return None
    async with door.database.reading() as connection:
        fresh = await _answered_today(connection, engagement.id, today)
    return questionnaire(engagement, fresh)


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
