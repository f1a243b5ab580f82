from datetime import timedelta

from programme.chain import record as chained
from programme.engagement import RecordedEntry
from programme.messages import CLOCK, Side
from programme.part import Asked
from programme.people import AcceptEnrolment
from programme.post import Item, MessageIssued
from store import outbox
from store.database import Database
from store.outbox import Message
from tests.core.programme_driver import DOCTORS, MONDAY, Programme
from tests.store.trust import keep, record, registered, travelled

SOON = timedelta(days=3)


async def waiting(database: Database, name: str = "engagement-1") -> list[Message]:
    async with database.reading() as connection:
        return await outbox.due(connection, name, MONDAY + timedelta(days=400))


def invited() -> Programme:
    """Everybody has been sent the first invitation."""
    programme = registered()
    programme.advance(MONDAY + timedelta(hours=4))
    return programme


def issuing(programme: Programme, *items: Item, people: tuple[str, ...] = (DOCTORS[0],)) -> list[RecordedEntry]:
    """What a core would say that forgot what it had sent."""
    event = MessageIssued(people=people, items=items, on=programme.today)
    last = programme.engagement
    return travelled(chained(last.sequence, last.digest, [event], Asked(CLOCK, programme.at)))


async def test_every_message_that_is_issued_waits_once(database: Database) -> None:
    programme = invited()
    await keep(database, programme)
    await record(database, "engagement-1", travelled(programme.entries))
    issued = [entry for entry in programme.entries if isinstance(entry.event, MessageIssued)]
    found = await waiting(database)
    assert [message.message for message in found] == [entry.sequence for entry in issued]
    assert [(one.people, one.items) for one in found] == [
        (entry.event.people, entry.event.items) for entry in issued if isinstance(entry.event, MessageIssued)
    ]
    assert {message.attempts for message in found} == {0}


async def test_nothing_is_due_before_it_was_issued(database: Database) -> None:
    await keep(database, invited())
    async with database.reading() as connection:
        assert await outbox.due(connection, "engagement-1", MONDAY - timedelta(days=1)) == []
        assert await outbox.waiting(connection, MONDAY + SOON) == ["engagement-1"]
        assert await outbox.waiting(connection, MONDAY - timedelta(days=1)) == []


async def test_a_message_that_was_sent_or_given_up_waits_no_more(database: Database) -> None:
    await keep(database, invited())
    first, second, *rest = await waiting(database)
    async with database.writing() as connection:
        assert await outbox.mark_attempt(connection, "engagement-1", first.message)
        await outbox.mark_sent(connection, "engagement-1", first.message, MONDAY)
        await outbox.mark_given_up(connection, "engagement-1", second.message, MONDAY)
        assert not await outbox.mark_attempt(connection, "engagement-1", first.message)  # another attempt was quicker
        assert not await outbox.mark_attempt(connection, "engagement-1", second.message)
        for message in rest:
            await outbox.mark_attempt(connection, "engagement-1", message.message)
    left = await waiting(database)
    assert [message.message for message in left] == [message.message for message in rest]
    assert {message.attempts for message in left} == {1}
    for message in left:
        async with database.writing() as connection:
            await outbox.mark_sent(connection, "engagement-1", message.message, MONDAY)
    async with database.reading() as connection:
        assert await outbox.waiting(connection, MONDAY + SOON) == []


async def test_the_same_rung_never_waits_twice_even_if_the_core_issued_it_twice(database: Database) -> None:
    programme = invited()
    await keep(database, programme)
    before = await waiting(database)
    [again] = [message.items[0] for message in before if message.people == (DOCTORS[0],)]
    assert again.rung
    news = Item(title="Something new", notice=99)
    await record(database, "engagement-1", issuing(programme, again, news))
    *_, latest = await waiting(database)
    assert latest.items == (news,)


async def test_a_message_of_nothing_new_is_not_sent_at_all(database: Database) -> None:
    programme = invited()
    await keep(database, programme)
    before = await waiting(database)
    [again] = [message.items[0] for message in before if message.people == (DOCTORS[0],)]
    await record(database, "engagement-1", issuing(programme, again))
    assert await waiting(database) == before


async def test_the_same_rung_of_another_person_is_another_message(database: Database) -> None:
    programme = registered()
    await keep(database, programme)
    item = Item(title="Answer", task="1/diagnosis/questionnaire-1/everybody", rung="opened+5")
    entries = issuing(programme, item, people=(DOCTORS[0],))
    await record(database, "engagement-1", entries)
    events = [MessageIssued(people=(DOCTORS[1],), items=(item,), on=programme.today)]
    last = entries[-1]
    more = chained(last.sequence, last.digest, events, Asked(CLOCK, programme.at))
    await record(database, "engagement-1", travelled(more))
    assert [message.people for message in await waiting(database)] == [(DOCTORS[0],), (DOCTORS[1],)]


async def test_who_has_answered_is_reminded_no_more(database: Database) -> None:
    programme = invited()
    programme.do(AcceptEnrolment(side=Side.DOCTOR, privacy_notice="1"), DOCTORS[0])
    programme.wait(12)
    await keep(database, programme)
    found = await waiting(database)
    mine = [message for message in found if message.people == (DOCTORS[0],)]
    others = [message for message in found if message.people == (DOCTORS[1],)]
    assert len(mine) < len(others)
