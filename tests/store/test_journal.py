import asyncio
import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import event, insert, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from programme.chain import BrokenChain, canonical
from programme.messages import Side
from programme.people import AcceptEnrolment
from programme.stages.diagnosis import CompleteQuestionnaire
from store import journal, read_model, tables, views
from store.database import Database
from store.journal import JournalFork, JournalGap, Tail
from tests.core.programme_driver import DOCTORS, MANAGERS, PM, Programme
from tests.store.trust import answering, keep, otherwise, record, registered, travelled

ACCEPT = AcceptEnrolment(side=Side.DOCTOR, privacy_notice="1")


async def test_what_is_read_is_what_was_recorded_byte_for_byte(database: Database) -> None:
    programme = answering()
    sent = await keep(database, programme)
    async with database.reading() as connection:
        lines = await journal.entries(connection, "engagement-1", limit=1000)
    assert [line.entry for line in lines] == sent
    assert [line.body for line in lines] == [canonical(entry) for entry in sent]
    assert all(hashlib.sha256(line.body).hexdigest() == line.digest for line in lines)


async def test_the_same_tail_twice_is_recorded_once(database: Database) -> None:
    entries = await keep(database, registered())
    assert await record(database, "engagement-1", entries) == len(entries)
    assert await record(database, "engagement-1", entries[2:]) == len(entries)
    async with database.reading() as connection:
        assert len(await journal.entries(connection, "engagement-1")) == len(entries)


async def test_a_tail_that_overlaps_what_is_known_adds_what_is_new(database: Database) -> None:
    entries = travelled(registered().entries)
    await record(database, "engagement-1", entries[:3])
    assert await record(database, "engagement-1", entries[1:]) == len(entries)


async def test_recording_nothing_changes_nothing(database: Database) -> None:
    assert await record(database, "engagement-1", []) == 0
    entries = await keep(database, registered())
    assert await record(database, "engagement-1", []) == len(entries)


async def test_a_tail_that_starts_too_late_is_asked_for_again(database: Database) -> None:
    entries = travelled(registered().entries)
    with pytest.raises(JournalGap) as first:
        await record(database, "engagement-1", entries[1:])
    assert first.value.expected == 1
    await record(database, "engagement-1", entries[:2])
    with pytest.raises(JournalGap) as later:
        await record(database, "engagement-1", entries[3:])
    assert later.value.expected == 3


async def test_a_hole_inside_a_tail_is_refused_whole(database: Database) -> None:
    entries = travelled(registered().entries)
    with pytest.raises(BrokenChain):
        await record(database, "engagement-1", [entries[0], entries[2]])
    async with database.reading() as connection:
        assert await journal.entries(connection, "engagement-1") == []


async def test_another_entry_at_a_known_place_is_an_alarm_and_changes_nothing(database: Database) -> None:
    programme = registered()
    entries = await keep(database, programme)
    before = programme.engagement
    one = otherwise(before, ACCEPT, DOCTORS[0], programme.at)
    other = otherwise(before, ACCEPT, DOCTORS[1], programme.at)
    last = await record(database, "engagement-1", one)
    with pytest.raises(JournalFork) as alarm:
        await record(database, "engagement-1", other)
    assert alarm.value.sequence == len(entries) + 1
    with pytest.raises(JournalFork):
        await record(database, "engagement-1", [*entries, *other])
    async with database.reading() as connection:
        assert await journal.recorded(connection, "engagement-1", one) == last
        with pytest.raises(JournalFork):
            await journal.recorded(connection, "engagement-1", other)


async def test_a_tail_of_another_past_is_an_alarm(database: Database) -> None:
    mine, other = registered(), registered(scope="Another scope")
    await keep(database, mine)
    with pytest.raises(JournalFork):
        await record(database, "engagement-1", otherwise(other.engagement, ACCEPT, DOCTORS[0], other.at))


async def test_an_entry_whose_content_was_changed_on_the_way_is_refused(database: Database) -> None:
    entries = travelled(registered().entries)
    forged = entries[-1].model_copy(update={"actor": "somebody-else"})
    with pytest.raises(BrokenChain):
        await record(database, "engagement-1", [*entries[:-1], forged])


async def test_entries_of_another_engagement_are_refused(database: Database) -> None:
    entries = travelled(registered("engagement-1").entries)
    with pytest.raises(BrokenChain):
        await record(database, "engagement-2", entries)


async def test_whoever_asks_whether_all_is_recorded_learns_it_without_writing(database: Database) -> None:
    entries = travelled(registered().entries)
    async with database.reading() as connection:
        assert await journal.recorded(connection, "engagement-1", entries) is None
    await record(database, "engagement-1", entries[:2])
    async with database.reading() as connection:
        assert await journal.recorded(connection, "engagement-1", entries) is None
        assert await journal.recorded(connection, "engagement-1", entries[:1]) == 2


async def test_twenty_at_once_with_the_same_tail_have_one_effect(database: Database) -> None:
    entries = travelled(answering().entries)
    found = await asyncio.gather(*(record(database, "engagement-1", entries) for _ in range(20)))
    assert set(found) == {len(entries)}
    async with database.reading() as connection:
        lines = await journal.entries(connection, "engagement-1", limit=1000)
    assert [line.digest for line in lines] == [entry.digest for entry in entries]


async def test_twenty_people_finishing_at_once_lose_and_double_nothing(database: Database) -> None:
    programme = answering()
    await keep(database, programme)
    known = len(programme.entries)
    tails = []
    for person in (*DOCTORS[:10], *MANAGERS[:10]):
        programme.do(CompleteQuestionnaire(), person)
        tails.append(travelled(programme.entries[known:]))  # each caller holds all that was unrecorded then
    await asyncio.gather(*(record(database, "engagement-1", tail) for tail in reversed(tails)))
    async with database.reading() as connection:
        lines = await journal.entries(connection, "engagement-1", limit=1000)
        engagement = await read_model.standing(connection, "engagement-1")
    assert [line.digest for line in lines] == [entry.digest for entry in programme.entries]
    assert engagement == programme.engagement


async def test_many_engagements_are_recorded_beside_each_other(database: Database) -> None:
    programmes = [registered(f"engagement-{number}") for number in range(8)]
    await asyncio.gather(*(keep(database, programme) for programme in programmes))
    async with database.reading() as connection:
        for programme in programmes:
            assert await read_model.standing(connection, programme.engagement.id) == programme.engagement
        assert len(await views.engagement_ids(connection)) == 8


async def test_many_engagements_take_as_many_statements_as_one(database: Database) -> None:
    programmes = [registered(f"engagement-{number}") for number in range(6)]
    for programme in programmes:
        await keep(database, programme)

    async def statements(those: list[Programme]) -> list[str]:
        seen: list[str] = []

        def note(*told: object) -> None:
            seen.append(str(told[2]))

        tails = {one.engagement.id: otherwise(one.engagement, ACCEPT, DOCTORS[0], one.at) for one in those}
        event.listen(database.engine.sync_engine, "before_cursor_execute", note)
        async with database.writing() as connection:
            last = await journal.append_all(connection, {name: Tail(tail) for name, tail in tails.items()})
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)
        assert last == {name: tail[-1].sequence for name, tail in tails.items()}
        return seen

    one, many = await statements(programmes[:1]), await statements(programmes[1:])
    assert len(one) == len(many)
    async with database.reading() as connection:
        for programme in programmes:
            programme.do(ACCEPT, DOCTORS[0])
            assert await read_model.standing(connection, programme.engagement.id) == programme.engagement


async def test_an_append_that_is_undone_leaves_no_trace_even_in_memory(database: Database) -> None:
    programme = registered()
    await keep(database, programme)
    more = otherwise(programme.engagement, ACCEPT, DOCTORS[0], programme.at)
    connection = await database.engine.connect()
    await journal.append(connection, "engagement-1", more)
    await connection.rollback()
    await connection.close()
    async with database.reading() as connection:
        assert await read_model.standing(connection, "engagement-1") == programme.engagement
    another = otherwise(programme.engagement, ACCEPT, DOCTORS[1], programme.at)
    assert await record(database, "engagement-1", another) == len(programme.entries) + len(another)
    async with database.writing() as connection:
        assert await read_model.rebuild(connection, "engagement-1") == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET actor_id = 'nobody'",
        "UPDATE journal SET body = body WHERE sequence = 2",
        "DELETE FROM journal",
        "DELETE FROM journal WHERE sequence = 3",
    ],
)
async def test_the_database_itself_refuses_to_change_the_journal(database: Database, statement: str) -> None:
    entries = await keep(database, registered())
    with pytest.raises(DBAPIError, match="append only"):
        async with database.writing() as connection:
            await connection.execute(text(statement))
    async with database.reading() as connection:
        assert [line.entry for line in await journal.entries(connection, "engagement-1")] == entries


async def test_a_line_cannot_be_replaced_by_a_back_door(database: Database) -> None:
    await keep(database, registered())
    back_doors = {
        "sqlite": "INSERT OR REPLACE INTO journal SELECT * FROM journal WHERE sequence = 2",
        "postgresql": "TRUNCATE journal",
    }
    with pytest.raises(DBAPIError, match="append only"):
        async with database.writing() as connection:
            await connection.execute(text(back_doors[connection.dialect.name]))


async def test_two_lines_can_never_follow_on_the_same_line(database: Database) -> None:
    entries = await keep(database, registered())
    last = entries[-1]
    line = {
        "engagement_id": "engagement-1",
        "sequence": last.sequence + 1,
        "at": last.at,
        "actor_id": PM,
        "kind": last.event.kind,
        "body": b"{}",
        "previous_digest": last.previous_digest,
        "digest": "0" * 64,
    }
    with pytest.raises(DBAPIError):
        async with database.writing() as connection:
            await connection.execute(insert(tables.journal), line)


async def test_the_same_trust_and_scope_are_never_open_twice(database: Database) -> None:
    await keep(database, registered("engagement-1", scope="Emergency department"))
    with pytest.raises(IntegrityError):
        await keep(database, registered("engagement-2", scope="  emergency   DEPARTMENT "))
    async with database.reading() as connection:
        assert await views.engagement_ids(connection) == ["engagement-1"]


async def test_history_is_filtered_by_kind_person_and_time(database: Database) -> None:
    programme = registered()
    programme.advance(programme.at + timedelta(days=1))
    programme.do(ACCEPT, DOCTORS[3])
    await keep(database, programme)
    async with database.reading() as connection:
        accepted = await journal.entries(connection, "engagement-1", kind="EnrolmentAccepted")
        his = await journal.entries(connection, "engagement-1", actor=DOCTORS[3])
        early = await journal.entries(connection, "engagement-1", until=programme.entries[0].at)
        after = await journal.entries(connection, "engagement-1", after=2, limit=2)
    assert [line.actor_id for line in accepted] == [DOCTORS[3]]
    assert {line.kind for line in his} >= {"EnrolmentAccepted"}
    assert {line.at for line in early} == {programme.entries[0].at}
    assert [line.sequence for line in after] == [3, 4]


async def test_a_fault_never_tells_what_was_being_written(database: Database) -> None:
    await keep(database, registered())
    with pytest.raises(DBAPIError) as fault:
        async with database.writing() as connection:
            await connection.execute(update(tables.journal).values(actor_id="a name that nobody may read"))
    assert "nobody may read" not in str(fault.value)
