"""Days on which trusts do not work beyond those that the government has listed: closures, and what is announced late.

A day is announced for everybody, a division, a trust or one engagement, by whom and when. Nothing is ever deleted: a
day that is taken back has a second row that says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, func, insert, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection
from uuid6 import uuid7

from programme.messages import PersonId
from programme.working_time import Division, Holiday
from store.database import insert_unless_there
from store.tables import announced_days, engagements

MOST = 500  # days in a list; few are ever announced
_BACK = announced_days.alias("taken_back")


class Reach(StrEnum):
    """For whom a day counts."""

    EVERYWHERE = "everywhere"
    DIVISION = "division"
    TRUST = "trust"
    ENGAGEMENT = "engagement"


@dataclass(frozen=True, slots=True)
class Announcement:
    """A day that is announced. ``whose``: the division, the trust's ODS code or the engagement; empty: everybody's."""

    on: date
    name: str
    reach: Reach
    whose: str
    announced_at: datetime
    announced_by: PersonId


@dataclass(frozen=True, slots=True)
class Announced(Announcement):
    """A day that was announced, and when it was taken back, if it was."""

    announcement_id: str
    withdrawn_at: datetime | None


async def announce(connection: AsyncConnection, day: Announcement) -> str:
    """Keep an announcement; returns its id."""
    announcement_id = str(uuid7())
    await connection.execute(insert(announced_days), _row(day, announcement_id))
    return announcement_id


async def close(
    connection: AsyncConnection, engagement_id: str, days: Iterable[Holiday], by: PersonId, at: datetime
) -> None:
    """Keep the closures with which an engagement is launched, each once however often the launch is tried."""
    rows = [
        _row(Announcement(day.on, day.name, Reach.ENGAGEMENT, engagement_id, at, by), f"{engagement_id}-{day.on}")
        for day in days
    ]
    if rows:
        await connection.execute(insert_unless_there(connection, announced_days), rows)


async def withdraw(connection: AsyncConnection, announcement_id: str, by: PersonId, at: datetime) -> Announced | None:
    """Take a day back; None where no such day stands."""
    one = next(iter(await _found(connection, announced_days.c.announcement_id == announcement_id)), None)
    if one is None or one.withdrawn_at:
        return None
    again = Announcement(one.on, one.name, one.reach, one.whose, at, by)
    await connection.execute(insert(announced_days), _row(again, str(uuid7())) | {"withdraws": announcement_id})
    return one


async def every(connection: AsyncConnection, *reaches: Reach, whose: str | None = None) -> list[Announced]:
    """What was announced with these reaches, taken back or not, the earliest day first."""
    condition: ColumnElement[bool] = announced_days.c.reach.in_([reach.value for reach in reaches or Reach])
    if whose is not None:
        condition = and_(condition, announced_days.c.whose == whose)
    return await _found(connection, condition)


async def standing(
    connection: AsyncConnection, division: Division, ods_code: str, engagement_ids: Sequence[str] = ()
) -> list[Announced]:
    """The days that count now for trusts of a division, for a trust and for some engagements."""
    column = announced_days.c
    theirs = or_(
        column.reach == Reach.EVERYWHERE.value,
        and_(column.reach == Reach.DIVISION.value, column.whose == division.value),
        and_(column.reach == Reach.TRUST.value, column.whose == ods_code),
        and_(column.reach == Reach.ENGAGEMENT.value, column.whose.in_(engagement_ids)),
    )
    return [one for one in await _found(connection, theirs) if one.withdrawn_at is None]


def counting(days: Iterable[Announced], division: Division, ods_code: str, engagement_id: str) -> tuple[Holiday, ...]:
    """Those of the standing days that count for one engagement, each date once, in order.

    Where several stand on one date, what was announced for the most gives it its name.
    """
    whose = {
        Reach.EVERYWHERE: "",
        Reach.DIVISION: division.value,
        Reach.TRUST: ods_code,
        Reach.ENGAGEMENT: engagement_id,
    }
    theirs = [one for one in days if one.withdrawn_at is None and whose[one.reach] == one.whose]
    widest_last = sorted(theirs, key=lambda one: list(whose).index(one.reach), reverse=True)
    named = {one.on: one.name for one in widest_last}
    return tuple(Holiday(on=on, name=name) for on, name in sorted(named.items()))


async def concerned(connection: AsyncConnection, reach: Reach, whose: str) -> int:
    """How many open engagements a day counts for."""
    column = engagements.c
    theirs = {
        Reach.EVERYWHERE: true(),
        Reach.DIVISION: column.division == whose,
        Reach.TRUST: column.ods_code == whose,
        Reach.ENGAGEMENT: column.engagement_id == whose,
    }
    query = select(func.count()).select_from(engagements).where(column.ended == "", theirs[reach])
    return int((await connection.execute(query)).scalar_one())


async def _found(connection: AsyncConnection, condition: ColumnElement[bool]) -> list[Announced]:
    days = announced_days
    taken_back = days.outerjoin(_BACK, _BACK.c.withdraws == days.c.announcement_id)
    query = (
        select(days, _BACK.c.announced_at.label("withdrawn_at"))
        .select_from(taken_back)
        .where(condition, days.c.withdraws.is_(None))
        .order_by(days.c.on, days.c.announcement_id)
    )
    return [
        Announced(
            on=row.on,
            name=row.name,
            reach=Reach(row.reach),
            whose=row.whose,
            announced_at=row.announced_at,
            announced_by=row.announced_by,
            announcement_id=row.announcement_id,
            withdrawn_at=row.withdrawn_at,
        )
        for row in await connection.execute(query)
    ]


def _row(day: Announcement, announcement_id: str) -> dict[str, object]:
    return {
        "announcement_id": announcement_id,
        "on": day.on,
        "name": day.name,
        "reach": day.reach.value,
        "whose": day.whose,
        "announced_at": day.announced_at,
        "announced_by": day.announced_by,
        "withdraws": None,
    }
