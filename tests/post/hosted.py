"""The trust's engagement with the real workflow, journal and post, on a clock that skips."""

import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Interceptor
from temporalio.testing import WorkflowEnvironment

from activities.journal import JournalActivities
from programme import template
from programme.working_time import Calendar
from runtime.payloads import CONVERTER
from tests.post.trust import Trust, registered
from worker.hosting import Activities, hosting
from workflows.addresses import NEXT_DUE, PAUSED, POST_QUEUE, STAGE, TASK_QUEUE, engagement_workflow
from workflows.engagement import EngagementWorkflow
from workflows.ports import Carried, Submission

YEAR = Path(template.__file__).parent / "templates" / "twelve-months.yaml"
CALENDAR = Calendar(version="none")
SEARCHABLE = {
    STAGE: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    PAUSED: IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
    NEXT_DUE: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
}


@asynccontextmanager
async def skipping(trust: Trust, interceptors: Sequence[Interceptor] = ()) -> AsyncIterator[WorkflowEnvironment]:
    """A worker with the trust's journal and post, on a clock that skips."""
    path = shutil.which("temporal-test-server", path=Path(sys.executable).parent)
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=path, data_converter=CONVERTER, interceptors=interceptors
    ) as environment:
        client = environment.client
        searchable = AddSearchAttributesRequest(search_attributes=SEARCHABLE)
        await client.operator_service.add_search_attributes(searchable)
        done: Activities = {TASK_QUEUE: [JournalActivities(trust.database).append], POST_QUEUE: [trust.post.deliver]}
        async with hosting(client, done):
            yield environment


def registration(trust: Trust) -> Submission:
    """The trust's engagement on its way in."""
    year = template.parse(YEAR.read_text(encoding="utf-8"))
    return Submission(command_id="1", by=trust.ids["pm"], command=registered(trust.ids, CALENDAR, year))


@asynccontextmanager
async def hosted(trust: Trust) -> AsyncIterator[WorkflowEnvironment]:
    """The trust's engagement, registered with the running workflow."""
    async with skipping(trust) as environment:
        name = engagement_workflow(trust.engagement_id)
        handle = await environment.client.start_workflow(
            EngagementWorkflow.run, Carried(), id=name, task_queue=TASK_QUEUE
        )
        await handle.execute_update(EngagementWorkflow.submit, registration(trust))
        yield environment
