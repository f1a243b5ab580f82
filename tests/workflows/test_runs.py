"""One engagement over many runs: continue-as-new loses nothing, whatever the world outside does meanwhile."""

import asyncio

import pytest
from temporalio.api.enums.v1 import EventType

from programme.stages.diagnosis import CompleteQuestionnaire, WithdrawAnswers
from tests.workflows.hosted import DOCTORS, MANAGERS, House, Mishaps
from workflows import ports
from workflows.engagement import EngagementWorkflow

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("soon")]


async def test_checkpoints_in_the_middle_of_things_lose_and_double_nothing(house: House) -> None:
    people = (*DOCTORS, *MANAGERS)
    async with house.worker():
        hosted = await house.in_diagnosis()
        for _ in range(3):
            finishing = [asyncio.create_task(hosted.ask(CompleteQuestionnaire(), person)) for person in people]
            await hosted.handle.signal(EngagementWorkflow.checkpoint)
            await asyncio.gather(*finishing)
            withdrawing = [asyncio.create_task(hosted.ask(WithdrawAnswers(), person)) for person in people]
            await hosted.renewed()
            await asyncio.gather(*withdrawing)
        engagement = await hosted.settled()
        assert engagement.digest == (await hosted.standing()).digest
    happened = [(entry.event.kind, entry.actor) for entry in house.record.entries[hosted.id]]
    for kind in ("QuestionnaireCompleted", "AnswersWithdrawn"):
        assert sorted(by for what, by in happened if what == kind) == sorted(people * 3)


async def test_a_run_that_is_left_while_the_database_is_away_hands_on_its_tail(house: House) -> None:
    async with house.worker():
        hosted = await house.in_diagnosis()
        before = house.record.last(hosted.id)
        house.record.mishaps = Mishaps(away=True)
        answers = [await hosted.ask(CompleteQuestionnaire(), person, command_id=person) for person in DOCTORS[:3]]
        await hosted.renewed()
        assert house.record.last(hosted.id) == before
        again = await hosted.ask(CompleteQuestionnaire(), DOCTORS[0], command_id=DOCTORS[0])
        assert (again.first, again.last, again.tail) == (answers[0].first, answers[0].last, answers[-1].tail)
        house.record.mishaps = Mishaps()
        assert (await hosted.settled()).digest == answers[-1].digest


async def test_a_long_history_continues_as_new_by_itself(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "RUN_EVENTS", 100)
    async with house.worker():
        hosted = await house.in_diagnosis()
        for person in (*DOCTORS, *MANAGERS):
            await hosted.ask(CompleteQuestionnaire(), person)
        engagement = await hosted.settled()
        runs = await hosted.runs()
    assert len(runs) > 1
    assert all(100 < len(run.events) < 150 for run in runs[:-1])
    assert len(engagement.running.diagnosis.survey("diagnosis").completed) == len(DOCTORS) + len(MANAGERS)


async def test_a_run_that_nobody_registers_ends_by_itself(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "UNREGISTERED", ports.APPEND_AFTER)
    async with house.worker():
        hosted = await house.unregistered()
        await hosted.handle.result()
        assert not await hosted.events(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
