"""Days announced late: a bank holiday for next month, or a closure of one trust; and how far re-planning has come.

An announcement moves the due dates of running programmes. It says for how many, before (`preview`) and after.
"""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, model_validator
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.service import RPCError, RPCStatusCode

from activities.calendars import snapshot
from api.bodies import FIRST_DAY, LAST_DAY, Strict, Text
from api.dependencies import Caller, Door, FrontDoor
from api.describing import problems
from api.errors import EngineAway, NotForYou, NothingHere
from programme.messages import Role
from programme.refusals import Invalid, InvalidOdsCode, OutOfTurn
from programme.stages.mandate import ODS_CODE
from programme.working_time import Calendar, Division, local_date, uk_day
from runtime.schedules import ANSWER_WITHIN, look_now
from store import holidays, views
from store.holidays import Announced, Announcement, Reach
from store.people import TokenHolder
from workflows.addresses import CALENDARS
from workflows.ports import Replanning

SATURDAY = 5
_ID = re.compile(r"[A-Za-z0-9-]{1,80}")
NAMED = 120  # characters: a name stands in the sentence of every due date that it moves
router = APIRouter(prefix="/holidays", tags=["holidays"])


class NotAWorkingDay(Invalid):
    """A day that cannot be announced: it has passed, or nobody works on it anyway."""


class AnnouncedAlready(OutOfTurn):
    """The day does not count as a working day there already."""

    def __init__(self) -> None:
        super().__init__("This day is known as a bank holiday or closure there already. Nothing has to be announced.")


class DayToAnnounce(Strict):
    """A day on which trusts do not work. Without division, trust or engagement it counts for everybody."""

    on: Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
    name: Annotated[Text, Field(min_length=1, max_length=NAMED)]
    division: Division | None = None
    trust: Annotated[Text, Field(max_length=8)] | None = Field(default=None, description="Its ODS code, such as RR8.")
    engagement: Annotated[Text, Field(max_length=64)] | None = None

    @model_validator(mode="after")
    def _one_reach(self) -> Self:
        if sum(one is not None for one in (self.division, self.trust, self.engagement)) > 1:
            raise ValueError("name a division, a trust or an engagement, not several")
        return self

    @property
    def reach(self) -> tuple[Reach, str]:
        """For whom the day counts."""
        if self.engagement is not None:
            return Reach.ENGAGEMENT, self.engagement
        if self.trust is not None:
            return Reach.TRUST, self.trust.strip().upper()
        return (Reach.DIVISION, self.division.value) if self.division else (Reach.EVERYWHERE, "")


class DayShown(BaseModel):
    """A day that was announced. ``whose``: the division, trust or engagement for which it counts; empty: everybody."""

    announcement_id: str
    on: date
    name: str
    reach: Reach
    whose: str
    announced_at: datetime
    announced_by: str
    withdrawn_at: datetime | None = None


class WhatItDoes(BaseModel):
    """What an announcement does: ``engagements`` is how many running programmes count working days there.

    ``replanning``: it has begun. Where it has not, the look of the next morning does it.
    """

    announcement_id: str | None
    engagements: int
    replanning: bool
    says: str


def _only_managers(caller: TokenHolder) -> None:
    if caller.role != "programme_manager":
        raise NotForYou("somebody whose token was made for a programme manager")


def _identified(text: str) -> str:
    """An id as we write it; what is none names nothing. Raises NothingHere."""
    if not _ID.fullmatch(text):
        raise NothingHere
    return text


async def _refuse_unless_managed(connection: AsyncConnection, caller: TokenHolder, engagement_id: str) -> None:
    roles = await views.roles_in(connection, engagement_id, caller.person_id)
    if roles is None or Role.PROGRAMME_MANAGER.value not in roles:
        raise NothingHere


async def _refuse(connection: AsyncConnection, caller: TokenHolder, day: DayToAnnounce) -> None:
    """Everything that keeps a day from being announced."""
    reach, whose = day.reach
    if reach is Reach.TRUST and not ODS_CODE.fullmatch(whose):
        raise InvalidOdsCode
    if reach is Reach.ENGAGEMENT:
        await _refuse_unless_managed(connection, caller, _identified(whose))
    if day.on < local_date(datetime.now(UTC)):
        raise NotAWorkingDay("This day has passed. What was due by it stays as it was.")
    if day.on.weekday() >= SATURDAY:
        raise NotAWorkingDay("Nobody works on a Saturday or Sunday anyway. Announce the working day that is lost.")
    if await _known(connection, day):
        raise AnnouncedAlready


async def _known(connection: AsyncConnection, day: DayToAnnounce) -> bool:
    """Whether the day is announced with this very reach, or published in every division that it concerns."""
    reach, whose = day.reach
    stands = await holidays.every(connection, reach, whose=whose)
    if any(one.on == day.on and one.withdrawn_at is None for one in stands):
        return True
    divisions = [Division(whose)] if reach is Reach.DIVISION else list(Division)
    return all(_holds(snapshot(division), day.on) for division in divisions)


def _holds(calendar: Calendar, on: date) -> bool:
    return any(one.on == on for one in calendar.holidays)


def _says(day: date, name: str, engagements: int, *, back: bool = False) -> str:
    """One sentence: what happens to whom."""
    programmes = f"{engagements} running programme{'' if engagements == 1 else 's'}"
    if back:
        return f"{name} on {uk_day(day)} counts as a working day again for {programmes}; no due date moves earlier."
    return (
        f"{uk_day(day)} does not count as a working day for {programmes}: each due date that counts it moves later, "
        "and its history and its reason say so."
    )


async def _done(door: FrontDoor, announcement_id: str, engagements: int, says: str) -> WhatItDoes:
    begun = await look_now(door.client)
    return WhatItDoes(announcement_id=announcement_id, engagements=engagements, replanning=begun, says=says)


_SAID = problems(NotForYou, NothingHere, InvalidOdsCode, NotAWorkingDay, AnnouncedAlready)


@router.post("", status_code=201, responses=_SAID)
async def announce_holiday(
    door: Door,
    caller: Caller,
    day: DayToAnnounce,
    *,
    preview: Annotated[bool, Query(description="Only say what it would do.")] = False,
) -> WhatItDoes:
    """Announce a day on which trusts do not work. Running programmes re-plan at once.

    For holders of a programme manager's token; for one engagement, for whoever manages it.
    """
    _only_managers(caller)
    reach, whose = day.reach
    async with door.database.writing() as connection:
        await _refuse(connection, caller, day)
        number = await holidays.concerned(connection, reach, whose)
        says = _says(day.on, day.name, number)
        if preview:
            return WhatItDoes(announcement_id=None, engagements=number, replanning=False, says=says)
        announced = Announcement(day.on, day.name, reach, whose, datetime.now(UTC), caller.person_id)
        announcement_id = await holidays.announce(connection, announced)
    return await _done(door, announcement_id, number, says)


@router.get("", responses=problems(NotForYou, NothingHere))
async def announced_holidays(
    door: Door,
    caller: Caller,
    engagement: Annotated[str | None, Query(max_length=64, description="With the closures of this one.")] = None,
) -> list[DayShown]:
    """The days that were announced, those that were taken back, too; the earliest first."""
    if caller.role not in ("programme_manager", "auditor"):
        raise NotForYou("a programme manager or an auditor")
    async with door.database.reading() as connection:
        found = await holidays.every(connection, Reach.EVERYWHERE, Reach.DIVISION, Reach.TRUST)
        if engagement is not None:
            whose = _identified(engagement)
            if caller.role != "auditor" and await views.roles_in(connection, whose, caller.person_id) is None:
                raise NothingHere
            found += await holidays.every(connection, Reach.ENGAGEMENT, whose=whose)
    return [_shown(one) for one in sorted(found, key=lambda one: one.on)]


def _shown(one: Announced) -> DayShown:
    return DayShown(
        announcement_id=one.announcement_id,
        on=one.on,
        name=one.name,
        reach=one.reach,
        whose=one.whose,
        announced_at=one.announced_at,
        announced_by=one.announced_by,
        withdrawn_at=one.withdrawn_at,
    )


@router.post("/{announcement_id}/withdraw", responses=problems(NotForYou, NothingHere))
async def withdraw_holiday(door: Door, caller: Caller, announcement_id: str) -> WhatItDoes:
    """Take an announced day back. What was promised for a later date stays promised for it."""
    _only_managers(caller)
    async with door.database.writing() as connection:
        one = await holidays.withdraw(connection, _identified(announcement_id), caller.person_id, datetime.now(UTC))
        if one is None:
            raise NothingHere
        if one.reach is Reach.ENGAGEMENT:
            await _refuse_unless_managed(connection, caller, one.whose)  # which undoes what was written
        number = await holidays.concerned(connection, one.reach, one.whose)
    return await _done(door, announcement_id, number, _says(one.on, one.name, number, back=True))


@router.get("/replanning", responses=problems(NotForYou, NothingHere))
async def replanning(door: Door, caller: Caller) -> Replanning:
    """How far the round that the last announcement started has come, in numbers of engagements."""
    _only_managers(caller)
    try:
        found: Replanning = await door.client.get_workflow_handle(CALENDARS).query(
            "progress", result_type=Replanning, rpc_timeout=ANSWER_WITHIN
        )
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise NothingHere from None
        raise EngineAway from None
    return found
