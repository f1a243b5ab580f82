"""Commands at the one workflow: what is refused leaves no trace, what is accepted happens once."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

import pytest
from temporalio import activity
from temporalio.api.enums.v1 import EventType

from programme.engagement import AnyCommand, RecordedEntry
from programme.messages import PersonId, Role, Side
from programme.people import AcceptEnrolment, Appoint
from programme.stages.diagnosis import CompleteQuestionnaire, ExtendWindow, WithdrawAnswers
from tests.workflows.hosted import (
    DOCTORS,
    FACILITATOR,
    MANAGERS,
    PM,
    SECOND_PM,
    House,
    Mishaps,
    Record,
    registration,
    shut,
)
from workflows.ports import Accepted, Batch

UNLUCKY = 30  # the seed with which the second append fails before it commits, and the third after

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("soon")]


async def test_a_refusal_leaves_nothing_in_temporals_history_and_comes_back_under_its_name(house: House) -> None:
    async with house.worker():
        hosted = await house.in_diagnosis()
        await hosted.ask(CompleteQuestionnaire(), "d0")
        await hosted.settled()
        before = await hosted.events()
        assert await hosted.refusal(CompleteQuestionnaire(), FACILITATOR) == "RoleRequired"
        assert await hosted.refusal(CompleteQuestionnaire(), "nobody") == "RoleRequired"
        assert await hosted.refusal(WithdrawAnswers(), "d1") == "NotYet"
        assert await hosted.refusal(AcceptEnrolment(side=Side.DOCTOR, privacy_notice="1"), "d0") == "AlreadyDone"
        assert await hosted.events() == before


async def test_the_same_command_twice_has_one_effect_and_the_same_answer(house: House) -> None:
    async with house.worker():
        hosted = await house.in_diagnosis()
        first = await hosted.ask(ExtendWindow(), PM, command_id="extend")
        assert await hosted.ask(ExtendWindow(), PM, command_id="extend") == first
        assert (await hosted.settled()).sequence == first.last


async def test_another_content_under_the_same_id_is_refused(house: House) -> None:
    async with house.worker():
        hosted = await house.in_diagnosis()
        await hosted.ask(CompleteQuestionnaire(), "d0", command_id="mine")
        assert await hosted.refusal(WithdrawAnswers(), "d0", command_id="mine") == "CommandReused"
        assert await hosted.refusal(CompleteQuestionnaire(), "d1", command_id="mine") == "CommandReused"


async def test_a_command_is_remembered_across_continue_as_new(house: House) -> None:
    async with house.worker():
        hosted = await house.in_diagnosis()
        first = await hosted.ask(ExtendWindow(), PM, command_id="extend")
        await hosted.renewed()
        again = await hosted.ask(ExtendWindow(), PM, command_id="extend")
        assert (again.first, again.last, again.digest) == (first.first, first.last, first.digest)
        assert await hosted.refusal(CompleteQuestionnaire(), "d0", command_id="extend") == "CommandReused"
        assert (await hosted.settled()).sequence == first.last


async def test_the_same_command_twenty_times_at_once_has_one_effect(house: House) -> None:
    async with house.worker():
        hosted = await house.in_diagnosis()
        answers = await asyncio.gather(*(hosted.ask(ExtendWindow(), PM, command_id="extend") for _ in range(20)))
        assert len({(answer.first, answer.last, answer.digest) for answer in answers}) == 1
        assert (await hosted.settled()).sequence == answers[0].last


@pytest.mark.parametrize(
    ("command", "refused_as"),
    [(ExtendWindow(), "AlreadyDone"), (Appoint(person="d0", role=Role.MEASURE_STEWARD), "RoleTaken")],
    ids=["the same window", "the same appointment"],
)
async def test_of_two_people_on_the_same_thing_at_once_one_wins(
    house: House, command: AnyCommand, refused_as: str
) -> None:
    async with house.worker():
        hosted = await house.in_diagnosis()
        outcomes = await asyncio.gather(*(hosted.outcome(command, by) for by in (PM, SECOND_PM)))
        assert Counter(map(type, outcomes)) == {Accepted: 1, str: 1}
        assert refused_as in outcomes


async def test_who_saw_an_older_version_is_told_that_it_moved_on(house: House) -> None:
    async with house.worker():
        hosted = await house.in_diagnosis()
        seen = (await hosted.standing()).sequence
        await hosted.ask(CompleteQuestionnaire(), "d0", expected=seen)
        assert await hosted.refusal(CompleteQuestionnaire(), "d1", expected=seen) == "MovedOn"
        await hosted.ask(CompleteQuestionnaire(), "d1", expected=seen + 1)


async def test_who_repeats_a_command_gets_its_answer_though_the_version_moved_on(house: House) -> None:
    async with house.worker():
        hosted = await house.in_diagnosis()
        seen = (await hosted.standing()).sequence
        first = await hosted.ask(CompleteQuestionnaire(), "d0", command_id="mine", expected=seen)
        again = await hosted.ask(CompleteQuestionnaire(), "d0", command_id="mine", expected=seen)
        assert again == first


@pytest.mark.parametrize("cached", [1000, 0], ids=["in memory", "replayed at every step"])
@pytest.mark.parametrize("share", [0.0, 0.1], ids=["all is well", "a tenth of appends fail before, and after, commit"])
async def test_of_those_who_act_in_the_same_moment_none_is_lost_and_none_doubled(
    house: House, share: float, cached: int
) -> None:
    house.record.mishaps = Mishaps(before=share, after=share, seed=UNLUCKY)
    people = (*DOCTORS, *MANAGERS)[6:26]
    async with house.worker(cached=cached):
        hosted = await house.in_diagnosis()
        waves: list[AnyCommand] = [CompleteQuestionnaire(), WithdrawAnswers(), CompleteQuestionnaire()]
        own: list[RecordedEntry] = []
        for command in waves:
            answers = await asyncio.gather(*(hosted.ask(command, person) for person in people))
            own += [entry for answer in answers for entry in answer.tail if entry.sequence == answer.last]
            await hosted.settled()
        engagement = house.record.folded(hosted.id)
        assert sorted(own, key=lambda entry: entry.sequence) == house.record.entries[hosted.id][-len(own) :]
        assert [entry.actor for entry in own] == [*people] * len(waves)
        assert engagement.running.diagnosis.survey("diagnosis").completed == tuple(sorted(people))
        assert engagement.digest == (await hosted.standing()).digest
        assert not await hosted.events(EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)
    assert all(house.record.mishaps.struck[when] for when in ("before", "after")) == bool(share)


async def test_a_front_door_that_appends_what_it_was_told_and_the_workflow_agree(house: House) -> None:
    async with house.worker():
        hosted = await house.in_diagnosis()

        async def finish(person: PersonId) -> None:
            answer = await hosted.ask(CompleteQuestionnaire(), person)
            assert house.record.keep(hosted.id, answer.tail) >= answer.last

        await asyncio.gather(*(finish(person) for person in DOCTORS))
        assert (await hosted.settled()).digest == (await hosted.standing()).digest


class Observed(Record):
    """A journal that remembers what was brought to it, and may have been put aside for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.brought: list[Batch] = []

    @activity.defn(name="journal.append")
    async def append(self, batch: Batch) -> int:
        self.brought.append(batch)
        return await super().append(batch)


async def test_what_the_front_door_has_recorded_is_confirmed_by_its_digest_and_not_brought_again(house: House) -> None:
    house.record = record = Observed()
    async with house.worker():
        hosted = await house.in_diagnosis()
        answer = await hosted.ask(CompleteQuestionnaire(), "d0")
        record.keep(hosted.id, answer.tail)
        await hosted.settled()
        assert [(batch.entries, batch.reached and batch.reached.digest) for batch in record.brought] == [
            ((), answer.digest)
        ]


async def test_what_a_front_door_that_died_has_not_recorded_the_workflow_brings(house: House) -> None:
    house.record = record = Observed()
    async with house.worker():
        hosted = await house.in_diagnosis()
        answer = await hosted.ask(CompleteQuestionnaire(), "d0")
        assert (await hosted.settled()).sequence == answer.last
        asked, brought = record.brought
        assert (asked.entries, brought.entries) == ((), answer.tail)


async def test_before_the_registration_everything_else_is_refused(house: House) -> None:
    async with house.worker():
        hosted = await house.unregistered()
        assert await hosted.refusal(CompleteQuestionnaire(), "d0") == "NotYet"
        accepted = await hosted.ask(registration(hosted.id, shut(datetime.now(UTC).date())), PM)
        assert accepted.first == 1
        assert await hosted.refusal(registration(hosted.id, shut(datetime.now(UTC).date())), PM) == "RoleRequired"
