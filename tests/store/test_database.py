import asyncio
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import DBAPIError

from store import tables
from store.database import Database

NOON = datetime(2026, 7, 1, 12, 0, 0, 123456, tzinfo=UTC)


def refusal(at: datetime, name: str = "r1") -> dict[str, object]:
    return {"refusal_id": name, "engagement_id": "e", "person_id": "p", "command": "C", "code": "R", "at": at}


async def times(database: Database) -> list[datetime]:
    async with database.reading() as connection:
        return list((await connection.execute(select(tables.refusals.c.at))).scalars())


async def test_an_instant_comes_back_as_the_same_instant_in_utc(database: Database) -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    async with database.writing() as connection:
        await connection.execute(insert(tables.refusals), refusal(elsewhere))
    [found] = await times(database)
    assert found == NOON
    assert found.tzinfo is UTC


async def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    async with database.writing() as connection:
        with pytest.raises(Exception, match="needs a time zone"):
            await connection.execute(insert(tables.refusals), refusal(NOON.replace(tzinfo=None)))


async def test_a_decimal_comes_back_digit_for_digit(database: Database) -> None:
    value = Decimal("68.40")
    row = {"engagement_id": "e", "measure_id": "m", "period": NOON.date(), "value": value, "content": {}}
    async with database.writing() as connection:
        await connection.execute(insert(tables.points), row)
    async with database.reading() as connection:
        found = (await connection.execute(select(tables.points.c.value))).scalar_one()
    assert str(found) == "68.40"


async def test_what_fails_halfway_leaves_nothing_behind(database: Database) -> None:
    async def fail() -> None:
        async with database.writing() as connection:
            await connection.execute(insert(tables.refusals), refusal(NOON))
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError):
        await fail()
    assert await times(database) == []


async def test_a_cancelled_writer_leaves_nothing_behind_and_lets_the_next_one_in(database: Database) -> None:
    begun = asyncio.Event()

    async def stall() -> None:
        async with database.writing() as connection:
            await connection.execute(insert(tables.refusals), refusal(NOON))
            begun.set()
            await asyncio.Event().wait()

    stalled = asyncio.create_task(stall())
    await begun.wait()
    stalled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stalled
    async with asyncio.timeout(10), database.writing() as connection:
        await connection.execute(insert(tables.refusals), refusal(NOON, "r2"))
    assert len(await times(database)) == 1


async def test_whoever_reads_sees_one_moment(database: Database) -> None:
    counted = select(func.count()).select_from(tables.refusals)
    async with database.reading() as reading:
        before = (await reading.execute(counted)).scalar_one()
        async with database.writing() as connection:
            await connection.execute(insert(tables.refusals), refusal(NOON))
        assert (await reading.execute(counted)).scalar_one() == before == 0
    assert len(await times(database)) == 1


async def test_counting_up_at_once_loses_no_count(database: Database) -> None:
    """Read, then write: where the lock is taken only for the write, some of these fail or overwrite each other."""
    highest = select(func.count()).select_from(tables.refusals)

    async def add() -> None:
        async with database.writing() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(select(func.pg_advisory_xact_lock(1)))
            number = (await connection.execute(highest)).scalar_one()
            await connection.execute(insert(tables.refusals), refusal(NOON, f"r{number}"))

    await asyncio.gather(*(add() for _ in range(30)))
    assert len(await times(database)) == 30


async def test_a_writer_waits_for_a_writer_of_another_process(url: str, database: Database) -> None:
    other = Database(url)
    async with other.writing() as first:
        await first.execute(insert(tables.refusals), refusal(NOON, "r1"))
        waiting = asyncio.create_task(_add_second(database))
        await asyncio.sleep(0.05)
    await waiting
    await other.close()
    assert len(await times(database)) == 2


async def _add_second(database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(insert(tables.refusals), refusal(NOON, "r2"))


async def test_an_error_does_not_repeat_what_it_was_given(database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(insert(tables.refusals), refusal(NOON))
    with pytest.raises(DBAPIError) as fault:
        async with database.writing() as connection:
            await connection.execute(insert(tables.refusals), {**refusal(NOON), "person_id": "a secret name"})
    assert "secret" not in str(fault.value)
