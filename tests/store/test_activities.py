import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import text
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.diagnosis import DiagnosisActivities, NotClosedYet
from activities.faults import without_details
from activities.journal import JournalActivities
from programme.disclosure import View
from programme.messages import Side
from programme.people import AcceptEnrolment
from programme.stages.diagnosis import CompleteQuestionnaire
from runtime.templates import shipped_questionnaire
from store import confidential, journal, read_model
from store.confidential import SurveyRun
from store.database import Database
from store.journal import JournalFork, JournalGap
from tests.core.programme_driver import DOCTORS, MANAGERS, Programme
from tests.store.trust import answering, keep, otherwise, registered, travelled
from workflows.ports import Batch, Close, Reached

RUN = SurveyRun("engagement-1", 1, "diagnosis")
CLOSE = Close(engagement_id="engagement-1", key="1/diagnosis/1/full")


async def append(database: Database, batch: Batch) -> int:
    return await ActivityEnvironment().run(JournalActivities(database).append, batch)


async def close(database: Database, order: Close = CLOSE) -> str:
    return await ActivityEnvironment().run(DiagnosisActivities(database, shipped_questionnaire()).close, order)


async def answer(database: Database, programme: Programme, people: Sequence[str]) -> None:
    """People answer: the front door keeps the answers, the core takes note."""
    for number, person in enumerate(people):
        side = Side.DOCTOR if person in DOCTORS else Side.MANAGER
        ratings: dict[str, int | None] = dict.fromkeys(shipped_questionnaire().keys, number % 5 + 1)
        async with database.writing() as connection:
            await confidential.put_answers(connection, RUN, person, side, ratings, {})
        programme.do(CompleteQuestionnaire(), person)


async def closed(database: Database, people: Sequence[str] = (*DOCTORS[:12], *MANAGERS[:12])) -> Programme:
    programme = answering()
    await answer(database, programme, people)
    programme.wait(16)
    return programme


async def test_a_batch_is_recorded_however_often_it_comes(database: Database) -> None:
    entries = tuple(travelled(registered().entries))
    batch = Batch(engagement_id="engagement-1", entries=entries)
    assert await asyncio.gather(*(append(database, batch) for _ in range(5))) == [len(entries)] * 5
    assert await append(database, Batch(engagement_id="engagement-1", entries=entries[:2])) == len(entries)


async def test_a_gap_and_a_fork_stop_the_append_with_an_alarm(database: Database) -> None:
    programme = registered()
    entries = tuple(travelled(programme.entries))
    with pytest.raises(JournalGap):
        await append(database, Batch(engagement_id="engagement-1", entries=entries[1:]))
    await append(database, Batch(engagement_id="engagement-1", entries=entries))
    accept = AcceptEnrolment(side=Side.DOCTOR, privacy_notice="1")
    one, other = [
        Batch(
            engagement_id="engagement-1", entries=tuple(otherwise(programme.engagement, accept, person, programme.at))
        )
        for person in DOCTORS[:2]
    ]
    await append(database, one)
    with pytest.raises(JournalFork):
        await append(database, other)


async def test_asked_how_far_it_has_come_the_journal_appends_nothing_and_knows_another_past(database: Database) -> None:
    entries = tuple(travelled(registered().entries))
    first, last = entries[0], entries[-1]

    async def asked(sequence: int, digest: str) -> int:
        return await append(
            database, Batch(engagement_id="engagement-1", reached=Reached(sequence=sequence, digest=digest))
        )

    assert await asked(last.sequence, last.digest) == 0
    await append(database, Batch(engagement_id="engagement-1", entries=entries[:-1]))
    assert await asked(last.sequence, last.digest) == last.sequence - 1
    assert await asked(first.sequence, first.digest) == last.sequence - 1
    with pytest.raises(JournalFork):
        await asked(first.sequence, last.digest)


async def test_what_is_wrong_with_the_database_is_told_without_its_words(database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(text("ALTER TABLE journal RENAME TO elsewhere"))
        await connection.execute(text("ALTER TABLE engagements RENAME TO elsewhere_too"))
    with pytest.raises(ApplicationError) as fault:
        await append(database, Batch(engagement_id="engagement-1", entries=tuple(travelled(registered().entries))))
    assert fault.value.__cause__ is None
    assert fault.value.__suppress_context__
    assert "engagement" not in str(fault.value)
    assert not fault.value.non_retryable


def test_a_fault_that_quotes_an_answer_is_not_quoted() -> None:
    def fail() -> None:
        with without_details(JournalGap):
            raise ValueError("C01a was rated 1 by Ann")

    with pytest.raises(ApplicationError) as fault:
        fail()
    assert "Ann" not in str(fault.value)
    assert fault.value.type == "ValueError"


async def test_closing_computes_the_pack_and_destroys_the_links(database: Database) -> None:
    programme = await closed(database)
    await keep(database, programme)
    digest = await close(database)
    async with database.reading() as connection:
        found = await confidential.pack_of(connection, RUN)
        mine = await confidential.my_answers(connection, RUN, DOCTORS[0])
        linked = await connection.execute(text("SELECT * FROM answer_links"))
        assert linked.all() == []
    assert mine is None
    assert found is not None
    assert found[1] == digest
    assert found[0].view is View.SIDE_BY_SIDE


async def test_closing_twice_even_at_once_gives_the_same_pack(database: Database) -> None:
    await keep(database, await closed(database))
    found = await asyncio.gather(*(close(database) for _ in range(4)), return_exceptions=True)
    digests = {result for result in found if isinstance(result, str)}
    assert len(digests) == 1
    assert {await close(database)} == digests  # what lost the race is simply tried again


async def test_nothing_is_computed_before_the_journal_says_that_the_window_has_closed(database: Database) -> None:
    with pytest.raises(NotClosedYet):
        await close(database)
    programme = answering()
    await keep(database, programme)
    await answer(database, programme, (*DOCTORS[:12], *MANAGERS[:12]))
    with pytest.raises(NotClosedYet):
        await close(database)
    programme.wait(16)
    await keep(database, programme)
    for other in ("2/diagnosis/1/full", "1/diagnosis/2/full", "1/rediagnosis/1/full"):
        with pytest.raises(NotClosedYet):
            await close(database, Close(engagement_id="engagement-1", key=other))
    assert len(await close(database)) == 64


async def test_a_combined_pack_shows_no_side(database: Database) -> None:
    await keep(database, await closed(database))
    await close(database, Close(engagement_id="engagement-1", key="1/diagnosis/1/combined"))
    async with database.reading() as connection:
        found = await confidential.pack_of(connection, RUN)
    assert found is not None
    assert found[0].view is View.TOGETHER
    assert all(condition.sides is None for condition in found[0].conditions)


async def test_answers_that_the_core_never_took_are_in_no_figure(database: Database) -> None:
    programme = await closed(database, (*DOCTORS[:11], *MANAGERS[:11]))
    late: dict[str, int | None] = dict.fromkeys(shipped_questionnaire().keys, 5)
    async with database.writing() as connection:  # the window closed before the command came
        await confidential.put_answers(connection, RUN, DOCTORS[13], Side.DOCTOR, late, {})
    await keep(database, programme)
    await close(database)
    async with database.reading() as connection:
        sheets = await connection.execute(text("SELECT count(*) FROM answers"))
        assert sheets.scalar_one() == 22


async def test_a_failed_close_loses_no_answer(database: Database) -> None:
    await keep(database, await closed(database))
    async with database.writing() as connection:
        await connection.execute(text("ALTER TABLE packs RENAME TO elsewhere"))
    with pytest.raises(ApplicationError):
        await close(database)
    async with database.writing() as connection:
        await connection.execute(text("ALTER TABLE elsewhere RENAME TO packs"))
        assert await confidential.my_answers(connection, RUN, DOCTORS[0]) is not None
    assert len(await close(database)) == 64


async def test_the_record_and_the_fold_agree_after_everything(database: Database) -> None:
    programme = await closed(database)
    await keep(database, programme)
    await close(database)
    async with database.writing() as connection:
        assert await read_model.rebuild(connection, "engagement-1") == []
        assert len(await journal.entries(connection, "engagement-1", limit=1000)) == len(programme.entries)
