"""An e-mail and what caused it: the front door, the workflow and the post are real, and each of them is traced."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from api.desk import Desk, Recorded
from programme.stages.mandate import Answer, StateWillingness
from runtime.telemetry import Telemetry
from tests.post.hosted import registration, skipping
from tests.post.trust import Trust, email
from tests.watched import Watched
from workflows.addresses import engagement_workflow
from workflows.engagement import EngagementWorkflow
from workflows.ports import Submission

PATIENCE = timedelta(seconds=30)


@pytest.fixture
def watched() -> Iterator[Watched]:
    made = Watched()
    yield made
    made.telemetry.shutdown()


@asynccontextmanager
async def launched(trust: Trust, telemetry: Telemetry) -> AsyncIterator[tuple[WorkflowEnvironment, Desk]]:
    """The trust's engagement, launched by a traced request four days ago, and the desk at which more is asked."""
    async with skipping(trust, telemetry.interceptors()) as environment:
        desk = Desk(environment.client, trust.database, telemetry, at_once=10, patience=PATIENCE)
        with telemetry.moment("launch"):
            answer = await desk.submit(trust.engagement_id, registration(trust), launch=True)
        assert isinstance(answer, Recorded)
        await environment.sleep(timedelta(days=4))
        yield environment, desk
        await desk.close()


async def test_an_e_mail_is_linked_to_the_requests_of_which_it_is_a_consequence(
    unregistered: Trust, watched: Watched
) -> None:
    trust, telemetry = unregistered, watched.telemetry
    async with launched(trust, telemetry) as (environment, desk):
        appended, delivered = watched.linked("journal.append"), watched.linked("post.deliver")
        for person, name in (("med", "first sponsor"), ("man", "second sponsor")):
            command = StateWillingness(answer=Answer.NOT_YET)
            with telemetry.moment(name):
                asked = Submission(command_id=name, by=trust.ids[person], command=command)
                assert isinstance(await desk.submit(trust.engagement_id, asked), Recorded)
        await environment.sleep(timedelta(days=4))
    assert any(watched.request("launch") in traces for traces in appended)
    assert any(watched.request("launch") in traces for traces in delivered)
    # Both sponsors are told once the second has answered, at the next hour at which messages leave.
    later = watched.linked("post.deliver")[len(delivered) :]
    assert any(watched.request("second sponsor") in traces for traces in later)
    assert email("med") in trust.server.reached


async def test_a_reminder_of_a_later_run_is_linked_to_the_request_of_an_earlier_one(
    unregistered: Trust, watched: Watched
) -> None:
    trust = unregistered
    async with launched(trust, watched.telemetry) as (environment, _):
        delivered = watched.linked("post.deliver")
        handle = environment.client.get_workflow_handle(engagement_workflow(trust.engagement_id))
        first = (await handle.describe()).run_id
        await handle.signal(EngagementWorkflow.checkpoint)
        await environment.sleep(timedelta(days=14))
        assert (await handle.describe()).run_id != first
    reminders = watched.linked("post.deliver")[len(delivered) :]
    assert reminders
    assert all(watched.request("launch") in traces for traces in reminders)
