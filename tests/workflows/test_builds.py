"""Two builds side by side: a run stays on the build that began it, and its checkpoint takes it to the new one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client
from temporalio.service import RPCError

from programme.stages.diagnosis import CompleteQuestionnaire
from runtime.embedded import EmbeddedTemporal
from runtime.settings import Settings
from runtime.temporal import connect, prepare_namespace
from tests.workflows.hosted import Hosted, House, until
from workflows.addresses import TASK_QUEUE

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("soon")]

NAMESPACE = "builds"


@pytest_asyncio.fixture(loop_scope="session")
async def alone(tmp_path: Path) -> AsyncIterator[Client]:
    """A server of its own: which build is current holds for everybody on a task queue."""
    settings = Settings(data_dir=tmp_path, temporal_namespace=NAMESPACE)
    async with EmbeddedTemporal(tmp_path / "server", namespace=NAMESPACE) as server:
        client = await connect(settings, address=server.address)
        await prepare_namespace(client)
        yield client


async def make_current(client: Client, build: str) -> None:
    """Send new runs to a build, once the server has heard of it."""
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace, deployment_name=TASK_QUEUE, build_id=build, identity="test"
    )

    async def is_current() -> bool:
        try:
            await client.workflow_service.set_worker_deployment_current_version(request)
        except RPCError:
            return False
        return True

    await until(is_current)


async def build_of(hosted: Hosted) -> str:
    """The build on which the last step of the present run was made."""
    done = [event.workflow_task_completed_event_attributes for event in await hosted.events()]
    return [one.deployment_version.build_id for one in done if one.deployment_version.build_id][-1]


async def test_a_run_stays_on_its_build_until_its_checkpoint_takes_it_to_the_new_one(alone: Client) -> None:
    house = House(alone)
    async with house.worker(pinned="old"):
        await make_current(alone, "old")
        hosted = await house.in_diagnosis()
        await hosted.ask(CompleteQuestionnaire(), "d0")
        async with house.worker(pinned="new"):
            await make_current(alone, "new")
            await hosted.ask(CompleteQuestionnaire(), "d1")
            assert await build_of(hosted) == "old"
            await hosted.renewed()
            await hosted.ask(CompleteQuestionnaire(), "d2")
            assert await build_of(hosted) == "new"
            engagement = await hosted.settled()
    assert engagement.running.diagnosis.survey("diagnosis").completed == ("d0", "d1", "d2")
