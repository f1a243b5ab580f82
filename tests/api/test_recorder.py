import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from api.recorder import Recorder
from programme.engagement import Engagement, RecordedEntry, step
from programme.messages import Stage
from programme.part import Asked
from programme.stages.mandate import RegisterEngagement
from programme.working_time import Calendar
from runtime.telemetry import configure
from store import journal
from store.database import Database, migrate
from store.journal import JournalGap
from tests.core.programme_driver import MONDAY, PM, TWELVE_MONTHS, begun, roster


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'olive.sqlite3'}"
    migrate(url)
    opened = Database(url)
    yield opened
    await opened.close()


def history(name: str) -> list[RecordedEntry]:
    """The first entries of an engagement of that name."""
    command = RegisterEngagement(
        engagement=name,
        ods_code="R1A",
        scope=name,
        local_problem="People wait",
        dpia_reference="1",
        privacy_notice="1",
        k=11,
        template=TWELVE_MONTHS,
        calendar=Calendar(version="1"),
        people=roster(),
    )
    _, entries = step(Engagement(), command, Asked(PM, MONDAY))
    return [RecordedEntry(**entry.__dict__) for entry in entries]


async def last(connection: AsyncConnection, sequence: int) -> int:
    del connection
    return sequence


async def stored(database: Database, name: str) -> list[str]:
    async with database.reading() as connection:
        return [line.digest for line in await journal.entries(connection, name)]


async def test_many_answers_at_once_are_recorded_and_each_learns_it_after_the_commit(database: Database) -> None:
    recorder = Recorder(database, configure("test"))
    histories = {f"engagement-{number}": history(f"engagement-{number}") for number in range(5)}

    async def record(name: str) -> int:
        recorded = await recorder.record(name, histories[name], last)
        assert await stored(database, name) == [entry.digest for entry in histories[name]]
        return recorded

    assert await asyncio.gather(*(record(name) for name in histories)) == [len(one) for one in histories.values()]
    assert {recorder.seen(name) for name in histories} == {4}


async def test_tails_of_one_engagement_that_overlap_become_one(database: Database) -> None:
    recorder = Recorder(database, configure("test"))
    programme = begun(Stage.MANDATE)
    entries = [RecordedEntry(**entry.__dict__) for entry in programme.entries]
    tails = [entries[:2], entries[1:3], entries[:4], entries]
    found = await asyncio.gather(*(recorder.record("engagement-1", tail, last) for tail in tails))
    assert set(found) == {len(entries)}
    assert await stored(database, "engagement-1") == [entry.digest for entry in entries]


async def test_answers_that_follow_soon_are_recorded_together(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.recorder.APART", 1.0)
    recorder, commits = Recorder(database, configure("test")), list[object]()
    event.listen(database.engine.sync_engine, "commit", commits.append)
    await recorder.record("engagement-0", history("engagement-0"), last)
    assert len(commits) == 1  # a lone answer waits for nobody
    waiting = []
    for number in range(1, 4):
        name = f"engagement-{number}"
        waiting.append(asyncio.create_task(recorder.record(name, history(name), last)))
        await asyncio.sleep(0.01)
    await asyncio.gather(*waiting)
    assert len(commits) == 2


async def test_one_answer_that_cannot_be_recorded_keeps_no_other_from_it(database: Database) -> None:
    recorder = Recorder(database, configure("test"))
    good, torn = history("engagement-1"), history("engagement-2")[2:]
    found = await asyncio.gather(
        recorder.record("engagement-1", good, last),
        recorder.record("engagement-2", torn, last),
        recorder.record("engagement-1", good, last),
        return_exceptions=True,
    )
    assert [found[0], found[2]] == [len(good), len(good)]
    assert isinstance(found[1], JournalGap)
    assert recorder.seen("engagement-2") == 0


async def test_what_fails_afterwards_takes_its_own_entries_back_and_nobody_elses(database: Database) -> None:
    recorder = Recorder(database, configure("test"))

    async def fail(connection: AsyncConnection, sequence: int) -> int:
        raise RuntimeError(hashlib.sha256(str((connection, sequence)).encode()).hexdigest())

    found = await asyncio.gather(
        recorder.record("engagement-1", history("engagement-1"), fail),
        recorder.record("engagement-2", history("engagement-2"), last),
        return_exceptions=True,
    )
    assert isinstance(found[0], RuntimeError)
    assert found[1] == len(history("engagement-2"))
    assert await stored(database, "engagement-1") == []


async def test_a_caller_who_stops_waiting_loses_nothing(database: Database) -> None:
    recorder = Recorder(database, configure("test"))
    waiting = asyncio.create_task(recorder.record("engagement-1", history("engagement-1"), last))
    await asyncio.sleep(0)
    waiting.cancel()
    await recorder.close()
    assert len(await stored(database, "engagement-1")) == 4
