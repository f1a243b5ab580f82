"""Days announced late: whom they count for, and that nothing of it is ever lost."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from programme.working_time import Division, Holiday
from store import holidays
from store.database import Database
from store.holidays import Announcement, Reach
from store.tables import announced_days

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MOURNING = date(2026, 3, 19)
ENGLAND, SCOTLAND = Division.ENGLAND_AND_WALES, Division.SCOTLAND


def announced(reach: Reach, whose: str = "", on: date = MOURNING, name: str = "A day of mourning") -> Announcement:
    return Announcement(on, name, reach, whose, NOW, "pm")


async def counting(database: Database, division: Division, ods_code: str, engagement: str) -> list[Holiday]:
    async with database.reading() as connection:
        days = await holidays.standing(connection, division, ods_code, [engagement])
    return list(holidays.counting(days, division, ods_code, engagement))


async def announce(database: Database, *days: Announcement) -> list[str]:
    async with database.writing() as connection:
        return [await holidays.announce(connection, day) for day in days]


@pytest.mark.parametrize(
    ("reach", "whose", "counts_for"),
    [
        (Reach.EVERYWHERE, "", {"leeds", "leeds too", "perth", "hull"}),
        (Reach.DIVISION, "england-and-wales", {"leeds", "leeds too", "hull"}),
        (Reach.TRUST, "RR8", {"leeds", "leeds too"}),
        (Reach.ENGAGEMENT, "leeds", {"leeds"}),
    ],
)
async def test_a_day_counts_for_those_for_whom_it_was_announced(
    database: Database, reach: Reach, whose: str, counts_for: set[str]
) -> None:
    await announce(database, announced(reach, whose))
    trusts = {
        "leeds": (ENGLAND, "RR8"),
        "leeds too": (ENGLAND, "RR8"),
        "perth": (SCOTLAND, "S8T1H"),
        "hull": (ENGLAND, "RWA"),
    }
    found = {one for one, (division, code) in trusts.items() if await counting(database, division, code, one)}
    assert found == counts_for


async def test_a_day_that_is_taken_back_counts_no_more_and_stays_to_be_read(database: Database) -> None:
    (first,) = await announce(database, announced(Reach.EVERYWHERE))
    async with database.writing() as connection:
        taken_back = await holidays.withdraw(connection, first, "pm2", NOW)
        again = await holidays.withdraw(connection, first, "pm2", NOW)
    assert taken_back
    assert again is None
    assert await counting(database, ENGLAND, "RR8", "leeds") == []
    async with database.reading() as connection:
        (kept,) = await holidays.every(connection, Reach.EVERYWHERE)
    assert (kept.name, kept.withdrawn_at, kept.announced_by) == ("A day of mourning", NOW, "pm")


async def test_what_was_taken_back_can_be_announced_again(database: Database) -> None:
    (first,) = await announce(database, announced(Reach.EVERYWHERE))
    async with database.writing() as connection:
        await holidays.withdraw(connection, first, "pm", NOW)
    await announce(database, announced(Reach.EVERYWHERE))
    assert [day.on for day in await counting(database, ENGLAND, "RR8", "leeds")] == [MOURNING]


@pytest.mark.parametrize("statement", [delete(announced_days), update(announced_days).values(name="Another")])
async def test_no_announcement_is_ever_changed_or_deleted(database: Database, statement: object) -> None:
    await announce(database, announced(Reach.EVERYWHERE))
    with pytest.raises(DBAPIError):
        async with database.writing() as connection:
            await connection.execute(statement)  # type: ignore[call-overload]
    assert len(await counting(database, ENGLAND, "RR8", "leeds")) == 1


async def test_the_closures_of_a_launch_are_kept_once_however_often_it_is_tried(database: Database) -> None:
    closure = Holiday(on=date(2026, 6, 5), name="Move")
    for _ in range(2):
        async with database.writing() as connection:
            await holidays.close(connection, "leeds", [closure], "pm", NOW)
    assert await counting(database, ENGLAND, "RR8", "leeds") == [closure]
    async with database.reading() as connection:
        assert len(await holidays.every(connection)) == 1
