"""Who goes, and who takes over what: the handover in one place; and who covers for whom."""

from datetime import date

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.dependencies import Door, Member
from api.describing import problems
from api.errors import NoSuchEngagement
from api.seeing import whole
from api.tasks import TaskShown, of_task
from programme.departure import Departure, Handover, handover_due, wanted
from programme.duties import DutyKind, duties
from programme.engagement import Engagement
from programme.messages import PersonId, Role
from programme.people import Pattern
from programme.reading import covers_for, departures_for, tasks_for

of_one = APIRouter(tags=["departures"])


class DutyShown(BaseModel):
    """One thing that is left open: of which kind, and what it is about."""

    kind: DutyKind
    about: str


class PartShown(BaseModel):
    """A part of somebody who goes. ``due``: by when it is taken over, before a sponsor is asked who should."""

    role: Role
    successor_id: PersonId = Field(description="Who was asked to take it over; empty while nobody is named.")
    taken_over: date | None
    due: date | None = Field(description="Null where nothing is left open, or where it was taken over.")
    why: str
    waits_for_a_sponsor: bool
    open: tuple[DutyShown, ...]


class DepartureShown(BaseModel):
    """Somebody goes, for good or for a time. A note, if there is one, stands among the words that you may read."""

    person_id: PersonId
    last_day: date
    returns: date | None
    gone: bool
    note_written: bool
    parts: tuple[PartShown, ...]
    tasks: tuple[TaskShown, ...] = Field(description="What the person still owes, as far as you may see it.")


@of_one.get("/departures", responses=problems(NoSuchEngagement))
async def list_departures(door: Door, visitor: Member) -> tuple[DepartureShown, ...]:
    """Who goes: the programme manager sees all; others their own, and where they take over or name somebody."""
    found = await whole(door, visitor)
    engagement, reader = found.engagement, found.reader
    return tuple(_shown(engagement, one, reader) for one in departures_for(engagement, reader))


def _shown(engagement: Engagement, departure: Departure, reader: PersonId) -> DepartureShown:
    tasks = (task for task in tasks_for(engagement, reader) if task.person == departure.person)
    return DepartureShown(
        person_id=departure.person,
        last_day=departure.last_day,
        returns=departure.returns,
        gone=departure.left is not None,
        note_written=bool(departure.note.deposit),
        parts=tuple(_part(engagement, departure, one) for one in departure.handovers.values()),
        tasks=tuple(of_task(engagement, task, reader) for task in tasks),
    )


def _part(engagement: Engagement, departure: Departure, handover: Handover) -> PartShown:
    due = handover_due(engagement, handover) if handover in wanted(engagement, departure) else None
    left = duties(engagement, departure.person, handover.role) if handover.accepted is None else ()
    return PartShown(
        role=handover.role,
        successor_id=handover.successor,
        taken_over=handover.accepted,
        due=due.on if due else None,
        why=due.why if due else "",
        waits_for_a_sponsor=handover.sponsor and due is not None,
        open=tuple(DutyShown(kind=one.kind, about=one.about) for one in left),
    )


class CoverShown(BaseModel):
    """Somebody acts, or will act, on behalf of somebody else, who stays accountable."""

    cover: int
    person_id: PersonId
    by_id: PersonId
    first: date
    last: date
    runs: bool = Field(description="Today is one of its days.")


@of_one.get("/covers", responses=problems(NoSuchEngagement))
async def list_covers(door: Door, visitor: Member) -> tuple[CoverShown, ...]:
    """Who covers for whom, now or later: the programme manager sees all, others where they are one of the two."""
    found = await whole(door, visitor)
    return tuple(
        CoverShown(cover=one.number, person_id=one.person, by_id=one.by, first=one.first, last=one.last, runs=one.on)
        for one in covers_for(found.engagement, found.reader)
    )


@of_one.get("/working-pattern", responses=problems(NoSuchEngagement))
async def read_working_pattern(door: Door, visitor: Member) -> Pattern:
    """Your own days off here, as you set them: part-time days and leave. Nobody else reads them."""
    found = await whole(door, visitor)
    return found.engagement.people[found.reader].works if found.reader in found.engagement.people else Pattern()
