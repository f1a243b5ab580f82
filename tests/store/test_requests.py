import asyncio
from datetime import timedelta

from programme.stages.diagnosis import Choice, ChooseAfterShortfall
from store import requests
from store.database import Database
from store.requests import ABANDONED_AFTER, KEPT, Remembered
from tests.core.programme_driver import FACILITATOR, MONDAY
from tests.store.trust import answering, keep, record, registered, travelled

SCOPE = "Emergency department"


async def reserve(database: Database, name: str, scope: str = SCOPE, after: timedelta = timedelta()) -> str:
    async with database.writing() as connection:
        return await requests.reserve(connection, name, "R1A", scope, MONDAY + after)


async def test_one_of_twenty_launches_at_once_gets_the_trust_and_scope(database: Database) -> None:
    holders = await asyncio.gather(*(reserve(database, f"engagement-{number}") for number in range(20)))
    assert len(set(holders)) == 1


async def test_a_scope_is_the_same_however_it_is_written(database: Database) -> None:
    assert await reserve(database, "engagement-1") == "engagement-1"
    assert await reserve(database, "engagement-2", " emergency  DEPARTMENT") == "engagement-1"
    assert await reserve(database, "engagement-3", "Maternity") == "engagement-3"


async def test_a_repeated_launch_finds_its_own_reservation(database: Database) -> None:
    assert await reserve(database, "engagement-1") == "engagement-1"
    assert await reserve(database, "engagement-1") == "engagement-1"


async def test_a_launch_that_came_to_nothing_does_not_block_a_trust_for_ever(database: Database) -> None:
    await reserve(database, "engagement-1")
    assert await reserve(database, "engagement-2", after=ABANDONED_AFTER) == "engagement-1"
    assert await reserve(database, "engagement-2", after=2 * ABANDONED_AFTER) == "engagement-2"


async def test_a_running_engagement_holds_its_trust_and_scope_for_years(database: Database) -> None:
    await reserve(database, "engagement-1")
    await keep(database, registered("engagement-1", scope=SCOPE))
    assert await reserve(database, "engagement-2", after=timedelta(days=900)) == "engagement-1"


async def test_a_refused_launch_gives_the_trust_back(database: Database) -> None:
    await reserve(database, "engagement-1")
    async with database.writing() as connection:
        await requests.release(connection, "engagement-1")
    assert await reserve(database, "engagement-2") == "engagement-2"


async def test_an_ended_engagement_makes_room_for_the_next(database: Database) -> None:
    programme = answering()
    await reserve(database, "engagement-1", programme.engagement.scope)
    await keep(database, programme)
    known = len(programme.entries)
    programme.wait(60)
    programme.do(ChooseAfterShortfall(choice=Choice.STOP), FACILITATOR)
    assert programme.engagement.ended
    await record(database, "engagement-1", travelled(programme.entries[known:]))
    assert await reserve(database, "engagement-2", programme.engagement.scope) == "engagement-2"
    await keep(database, registered("engagement-2", scope=programme.engagement.scope))


async def begin(database: Database, wanted: Remembered) -> Remembered:
    async with database.writing() as connection:
        return await requests.begin(connection, "ann", "key", wanted, MONDAY)


async def test_the_same_key_at_once_is_one_request(database: Database) -> None:
    wanted = [Remembered("digest", f"command-{number}", "engagement-1", None) for number in range(20)]
    found = await asyncio.gather(*(begin(database, one) for one in wanted))
    assert len({one.command_id for one in found}) == 1


async def test_a_repeated_request_gets_the_first_answer(database: Database) -> None:
    first = await begin(database, Remembered("digest", "command-1", "engagement-1", None))
    async with database.writing() as connection:
        await requests.answered(connection, "ann", "key", {"sequence": 7})
    again = await begin(database, Remembered("another digest", "command-2", "engagement-1", None))
    assert first.response is None
    assert again == Remembered("digest", "command-1", "engagement-1", {"sequence": 7})
    async with database.writing() as connection:
        other = await requests.begin(connection, "bo", "key", again, MONDAY)
    assert other.command_id == "command-1"  # its own row: keys are each person's own


async def test_old_requests_are_forgotten(database: Database) -> None:
    await begin(database, Remembered("digest", "command-1", "engagement-1", None))
    async with database.writing() as connection:
        assert await requests.forget_old(connection, MONDAY + KEPT) == 0
        assert await requests.forget_old(connection, MONDAY + KEPT + timedelta(days=1)) == 1


async def test_refusals_are_counted_by_their_name(database: Database) -> None:
    async with database.writing() as connection:
        for code in ("WindowClosed", "WindowClosed", "TooLong"):
            await requests.record_refusal(connection, "engagement-1", "ann", "CompleteQuestionnaire", code, MONDAY)
        assert await requests.refusal_counts(connection) == {"WindowClosed": 2, "TooLong": 1}
