"""A run that is left while the world outside is just coming to an end with something goes on all the same."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from temporalio import activity
from temporalio.testing import WorkflowEnvironment

from programme.stages.diagnosis import CompleteQuestionnaire
from tests.workflows.hosted import DOCTORS, House, Record
from workflows.engagement import EngagementWorkflow
from workflows.ports import Batch

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("soon")]

PATIENCE = 20.0  # seconds; a step that the server had dropped would never come again


class LastWords(Record):
    """A journal that lets something happen in the very moment in which an append is done."""

    happens: Callable[[], Awaitable[None]] | None = None

    @activity.defn(name="journal.append")
    async def append(self, batch: Batch) -> int:
        last = await super().append(batch)
        if self.happens:
            await self.happens()
        return last


async def test_a_checkpoint_in_the_moment_in_which_an_append_is_done_holds_nothing_up(
    skipping: WorkflowEnvironment,
) -> None:
    record = LastWords()
    house = House(skipping.client, record)
    async with house.worker():
        hosted = await house.in_diagnosis()
        record.happens = lambda: hosted.handle.signal(EngagementWorkflow.checkpoint)
        async with asyncio.timeout(PATIENCE):
            for doctor in DOCTORS:
                answer = await hosted.ask(CompleteQuestionnaire(), doctor)
                await record.reaches(hosted.id, answer.sequence)
            assert (await hosted.standing()).sequence == record.last(hosted.id)
    await house.clear()
