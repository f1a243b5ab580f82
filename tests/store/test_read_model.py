import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, text, update

from programme.engagement import Engagement
from programme.messages import Side, Stage
from programme.people import AcceptEnrolment
from store import derived, journal, read_model, tables
from store.database import Database
from store.folds import folds_of
from tests.core.programme_driver import DOCTORS, Programme, begun
from tests.store.trust import answering, keep, record, registered, travelled

ACCEPT = AcceptEnrolment(side=Side.DOCTOR, privacy_notice="1")


@pytest.fixture(scope="module")
def year() -> Programme:
    return begun(Stage.RENEWAL)


async def rebuild(database: Database, name: str = "engagement-1") -> list[str]:
    async with database.writing() as connection:
        return await read_model.rebuild(connection, name)


async def standing(database: Database, name: str = "engagement-1") -> Engagement | None:
    async with database.reading() as connection:
        return await read_model.standing(connection, name)


@pytest.fixture
async def another_process(url: str, database: Database) -> AsyncIterator[Database]:
    """The same database in a process that has folded nothing yet."""
    del database
    opened = Database(url)
    yield opened
    await opened.close()


async def rows_of(database: Database, programme: Programme) -> None:
    """Every derived table holds exactly what the pure derivations say."""
    async with database.reading() as connection:
        for table in derived.DERIVATIONS:
            found = await read_model.stored_rows(connection, table, programme.engagement.id)
            assert found == derived.rows(table, programme.engagement), table.name


async def test_what_is_read_is_what_the_core_folded(
    database: Database, another_process: Database, year: Programme
) -> None:
    await keep(database, year)
    assert await standing(database) == year.engagement
    assert await standing(another_process) == year.engagement
    await rows_of(database, year)
    assert await rebuild(database) == []


async def test_a_whole_year_in_small_appends_leaves_the_same_rows(database: Database, year: Programme) -> None:
    entries = travelled(year.entries)
    for first in range(0, len(entries), 61):
        await record(database, "engagement-1", entries[first : first + 61])
    await rows_of(database, year)
    assert await rebuild(database) == []


async def test_another_process_folds_on_from_what_it_remembers(database: Database, another_process: Database) -> None:
    programme = registered()
    await keep(database, programme)
    assert await standing(another_process) == programme.engagement
    for person in DOCTORS[:3]:
        known = len(programme.entries)
        programme.do(ACCEPT, person)
        await record(database, "engagement-1", travelled(programme.entries[known:]))
        assert await standing(another_process) == programme.engagement
    known = len(programme.entries)
    programme.do(ACCEPT, DOCTORS[3])
    await record(another_process, "engagement-1", travelled(programme.entries[known:]))
    assert await standing(database) == programme.engagement
    assert await rebuild(database) == []


async def test_what_was_remembered_of_a_database_that_was_put_back_is_not_believed(
    database: Database, year: Programme
) -> None:
    """The same id with another past: as after a restored backup, or a rehearsal over an old folder."""
    programme = answering()
    await keep(database, programme)
    async with database.reading() as connection:
        folds_of(connection).keep("engagement-1", year.engagement.but(sequence=3, digest="f" * 64))
    assert await standing(database) == programme.engagement


async def test_an_unknown_engagement_stands_nowhere(database: Database) -> None:
    assert await standing(database, "nobody") is None
    assert await rebuild(database, "nobody") == []


async def test_the_past_is_read_as_it_was(database: Database) -> None:
    programme = registered()
    at = programme.at + timedelta(hours=1)
    programme.advance(at)
    then = programme.engagement
    programme.advance(programme.at + timedelta(days=3))
    programme.do(ACCEPT, DOCTORS[0])
    await keep(database, programme)
    async with database.reading() as connection:
        assert await read_model.as_of(connection, "engagement-1", at) == then
        assert await read_model.as_of(connection, "engagement-1", programme.at) == programme.engagement
        before = await read_model.as_of(connection, "engagement-1", at - timedelta(days=1))
    assert before == Engagement()


async def test_every_day_of_a_year_can_be_read_again(database: Database, year: Programme) -> None:
    await keep(database, year)
    instants = sorted({entry.at for entry in year.entries})
    for at in instants[:: len(instants) // 8]:
        async with database.reading() as connection:
            found = await read_model.as_of(connection, "engagement-1", at)
        assert all(entry.at <= at for entry in year.entries[: found.sequence])
        assert all(entry.at > at for entry in year.entries[found.sequence : found.sequence + 1])


async def test_a_tampered_snapshot_is_reported_and_put_right(database: Database) -> None:
    await keep(database, answering())
    async with database.writing() as connection:
        body = (await connection.execute(select(tables.snapshots.c.engagement))).scalar_one()
        forged = {**json.loads(body), "k": 1, "local_problem": "Nothing to see"}
        await connection.execute(update(tables.snapshots).values(engagement=json.dumps(forged)))
    assert await rebuild(database) == ["Snapshot: 'k' differs", "Snapshot: 'local_problem' differs"]
    assert await rebuild(database) == []


async def test_a_snapshot_that_is_no_snapshot_is_reported(database: Database) -> None:
    await keep(database, answering())
    async with database.writing() as connection:
        await connection.execute(update(tables.snapshots).values(engagement="not a snapshot"))
    assert "Snapshot: 'people' differs" in await rebuild(database)
    assert await rebuild(database) == []


async def test_tampered_rows_are_reported_one_by_one_and_put_right(database: Database) -> None:
    programme = answering()
    await keep(database, programme)
    first, second, *_ = programme.engagement.open_tasks
    tasks = tables.tasks
    async with database.writing() as connection:
        await connection.execute(update(tasks).where(tasks.c.task_id == first.id).values(title="Something else"))
        await connection.execute(delete(tasks).where(tasks.c.task_id == second.id))
        await connection.execute(update(tables.engagements).values(stage="renewal", paused=True))
        await connection.execute(
            text("INSERT INTO memberships VALUES ('engagement-1', 'stranger', '[\"auditor\"]', '[]', NULL)")
        )
    assert sorted(await rebuild(database)) == sorted(
        [
            "Engagement: column 'stage' differs",
            "Engagement: column 'paused' differs",
            "Table 'memberships': row stranger should not be there",
            f"Table 'tasks': row {first.id} differs",
            f"Table 'tasks': row {second.id} is missing",
        ]
    )
    assert await rebuild(database) == []
    await rows_of(database, programme)


async def test_the_read_model_can_be_thrown_away(database: Database) -> None:
    programme = answering()
    await keep(database, programme)
    async with database.writing() as connection:
        for table in (tables.engagements, tables.snapshots, *derived.DERIVATIONS):
            await connection.execute(delete(table))
    assert await rebuild(database) == ["The engagement is missing from the read model"]
    assert await standing(database) == programme.engagement
    await rows_of(database, programme)


async def test_a_message_that_the_outbox_never_held_is_reported_and_not_sent(database: Database) -> None:
    programme = answering()
    programme.wait(1)
    await keep(database, programme)
    async with database.writing() as connection:
        [lost, *_] = (await connection.execute(select(tables.outbox.c.message))).scalars()
        await connection.execute(delete(tables.outbox).where(tables.outbox.c.message == lost))
    assert await rebuild(database) == [f"Message {lost} is missing from the outbox"]
    async with database.reading() as connection:
        assert lost not in (await connection.execute(select(tables.outbox.c.message))).scalars().all()


@pytest.mark.parametrize(
    ("forgery", "found"),
    [
        ("UPDATE journal SET actor_id = 'me' WHERE sequence = 2", "Entry 2: column 'actor_id' contradicts its content"),
        ("UPDATE journal SET digest = previous_digest WHERE sequence = 3", "content of entry 3 is not what its digest"),
        ("DELETE FROM journal WHERE sequence = 2", "Entry 3 does not follow on entry 1"),
    ],
)
async def test_a_journal_changed_behind_its_triggers_is_reported_and_not_mended(
    database: Database, forgery: str, found: str
) -> None:
    await keep(database, answering())
    async with database.writing() as connection:
        if connection.dialect.name == "sqlite":
            await connection.execute(text("DROP TRIGGER journal_refuses_update"))
            await connection.execute(text("DROP TRIGGER journal_refuses_delete"))
        else:
            await connection.execute(text("ALTER TABLE journal DISABLE TRIGGER USER"))
        await connection.execute(text(forgery))
    for _ in range(2):
        [difference] = await rebuild(database)
        assert found in difference


async def test_rows_of_an_older_build_are_folded_anew_with_the_next_entry(
    database: Database, another_process: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    programme = answering()
    with monkeypatch.context() as older:
        older.setattr(derived, "READ_MODEL", derived.READ_MODEL - 1)
        await keep(another_process, programme)
        async with database.writing() as connection:  # what that build made of it, this one would not
            await connection.execute(update(tables.tasks).values(title="As it was called then"))
            await connection.execute(update(tables.snapshots).values(engagement="{}"))
    known = len(programme.entries)
    assert await standing(database) == programme.engagement
    programme.wait(5)
    await record(database, "engagement-1", travelled(programme.entries[known:]))
    await rows_of(database, programme)
    assert await rebuild(database) == []


async def test_engagements_share_one_template_in_memory(database: Database) -> None:
    for number in (1, 2):
        await keep(database, registered(f"engagement-{number}"))
    one, other = [await standing(database, f"engagement-{number}") for number in (1, 2)]
    assert one is not None
    assert other is not None
    assert one.template is other.template
    assert one.calendar is other.calendar


async def test_the_journal_says_what_an_older_build_wrote_even_if_events_have_grown_since(database: Database) -> None:
    """Stored bytes are verified as they are: a field that a later build adds is not in them."""
    entries = await keep(database, registered())
    async with database.reading() as connection:
        [line, *_] = await journal.entries(connection, "engagement-1")
    grown = line.entry.model_copy(update={"event": line.entry.event.model_copy(update={"k": 12})})
    assert grown != entries[0]
    assert line.entry == entries[0]
