"""Bank holidays and closures of a trust as a dated snapshot: the only calendar that the core ever sees.

Offline: the days come from the `holidays` package, which knows every day that the government has listed, and beyond
that the days that follow from the rules; and from what was announced since. A day announced late is a new snapshot,
and every deadline follows it.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from holidays import country_holidays
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.engagements import EngagementActivities
from activities.faults import without_details
from programme.continuity import ChangeCalendar
from programme.messages import CLOCK
from programme.working_time import Calendar, Division, Holiday
from store import holidays, read_model
from store.database import Database
from store.holidays import Announced
from store.tables import engagements
from workflows.ports import NO_ENGAGEMENT, Behind, Calendars, Looked, Reply, Request, Submission

YEARS = range(2025, 2031)
PUBLISHED_UNTIL = date(2028, 12, 31)  # the end of the government's list; later days are worked out, not announced
PAGE = 200  # engagements that are looked at in one query
_SUBDIVISIONS = {
    Division.ENGLAND_AND_WALES: "ENG",  # Wales keeps the same days
    Division.SCOTLAND: "SCT",
    Division.NORTHERN_IRELAND: "NIR",
}


def snapshot(division: Division, closures: Iterable[Holiday] = ()) -> Calendar:
    """The days on which trusts of a division do not work, with what else is closed there, in order.

    A closure on a bank holiday keeps the bank holiday's name. The version is a digest of the content: the same days
    have the same version, whoever took the snapshot and when.
    """
    return _snapshot(division, tuple(closures))


@lru_cache(maxsize=256)
def _snapshot(division: Division, closures: tuple[Holiday, ...]) -> Calendar:
    named = {closure.on: closure.name for closure in closures} | _published(division)
    days = tuple(Holiday(on=on, name=name) for on, name in sorted(named.items()))
    return Calendar(version=_version(division, days), division=division, holidays=days, published_until=PUBLISHED_UNTIL)


@lru_cache(maxsize=len(Division))
def _published(division: Division) -> dict[date, str]:
    return dict(country_holidays("GB", subdiv=_SUBDIVISIONS[division], years=YEARS).items())


def _version(division: Division, days: tuple[Holiday, ...]) -> str:
    content = [division.value, PUBLISHED_UNTIL.isoformat(), *([day.on.isoformat(), day.name] for day in days)]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


async def newest(
    connection: AsyncConnection, division: Division, ods_code: str, closures: Iterable[Holiday] = ()
) -> Calendar:
    """The calendar of a trust now: published and announced days, and the closures of an engagement to be launched."""
    days = await holidays.standing(connection, division, ods_code)
    return snapshot(division, _joined(holidays.counting(days, division, ods_code, ""), closures))


def _joined(announced: Iterable[Holiday], closures: Iterable[Holiday]) -> tuple[Holiday, ...]:
    """Announced days and own closures in order of date; on one date the announced name stands."""
    named = {day.on: day for day in (*closures, *announced)}
    return tuple(named[on] for on in sorted(named))


class _Standing(NamedTuple):
    """An open engagement, as the lists know it."""

    engagement_id: str
    sequence: int
    ods_code: str
    division: str | None
    calendar: str | None


class CalendarActivities(Calendars):
    """Compares calendars in SQL, and asks the engagements that are behind."""

    def __init__(self, database: Database, engagements: EngagementActivities) -> None:
        self._database = database
        self._engagements = engagements

    @activity.defn(name="calendars.look")
    async def look(self, after: str) -> Looked:
        """The next open engagements after an id, and which of them go by an older calendar."""
        with without_details():
            async with self._database.reading() as connection:
                rows = await _open_after(connection, after)
                wanted = await _wanted(connection, rows)
        behind = tuple(
            Behind(engagement_id=row.engagement_id, sequence=row.sequence)
            for row, calendar in zip(rows, wanted, strict=True)
            if calendar.version != row.calendar
        )
        return Looked(number=len(rows), behind=behind, last=rows[-1].engagement_id if len(rows) == PAGE else "")

    @activity.defn(name="calendars.bring")
    async def bring(self, behind: Behind) -> Reply:
        """Bring the newest calendar to an engagement.

        The command's id names the calendar and the version that it is to replace: the same day announced, taken back
        and announced again is three changes, and each of them happens once.
        """
        with without_details():
            async with self._database.reading() as connection:
                rows = await _of(connection, behind.engagement_id)
                wanted = await _wanted(connection, rows)
        if not wanted:
            return Reply(engagement_id=behind.engagement_id, refused=NO_ENGAGEMENT, why="It has ended.")
        calendar = wanted[0]
        submission = Submission(
            command_id=f"calendar-{calendar.version}-{behind.sequence}",
            by=CLOCK,
            command=ChangeCalendar(calendar=calendar),
        )
        return await self._engagements.submit(Request(engagement_id=behind.engagement_id, submission=submission))


_COLUMNS = select(*(engagements.c[name] for name in _Standing._fields)).where(engagements.c.ended == "")


async def _open_after(connection: AsyncConnection, after: str) -> list[_Standing]:
    query = _COLUMNS.where(engagements.c.engagement_id > after).order_by(engagements.c.engagement_id).limit(PAGE)
    return [await _known(connection, _Standing(*row)) for row in (await connection.execute(query)).all()]


async def _of(connection: AsyncConnection, engagement_id: str) -> list[_Standing]:
    rows = (await connection.execute(_COLUMNS.where(engagements.c.engagement_id == engagement_id))).all()
    return [await _known(connection, _Standing(*row)) for row in rows]


async def _known(connection: AsyncConnection, row: _Standing) -> _Standing:
    """A row with its calendar; what an older build wrote is looked up in the engagement itself."""
    if row.division is not None:
        return row
    engagement = await read_model.standing(connection, row.engagement_id)
    calendar = engagement.calendar if engagement else Calendar(version="")
    return row._replace(division=calendar.division.value, calendar=calendar.version)


async def _wanted(connection: AsyncConnection, rows: Sequence[_Standing]) -> list[Calendar]:
    """The newest calendar of each."""
    known: dict[tuple[Division, str], list[Announced]] = {}
    ids = [row.engagement_id for row in rows]
    found = []
    for row in rows:
        division = Division(str(row.division))
        key = division, row.ods_code
        if key not in known:
            known[key] = await holidays.standing(connection, *key, ids)
        found.append(snapshot(division, holidays.counting(known[key], *key, row.engagement_id)))
    return found
