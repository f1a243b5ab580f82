import asyncio
import os
import signal
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from runtime.embedded import EmbeddedTemporal
from runtime.settings import Settings
from runtime.temporal import connect

pytestmark = pytest.mark.chaos

KILLS = 5
BETWEEN_KILLS = 40  # Acknowledged starts, so that each kill meets a server under load.
SECONDS = 120.0


class Load:
    """Callers that start one engagement after another and note each that the server acknowledged."""

    def __init__(self, client: Client) -> None:
        self.acknowledged: list[str] = []
        self.stopped = False
        self._client = client
        self._news: asyncio.Queue[None] = asyncio.Queue()

    async def call(self, caller: int) -> None:
        number = 0
        while not self.stopped:
            number += 1
            name = f"engagement-{caller}-{number}"
            await self._client.start_workflow("Nobody", id=name, task_queue="nobody", result_type=type(None))
            self.acknowledged.append(name)
            self._news.put_nowait(None)

    async def more(self, count: int) -> None:
        for _ in range(count):
            await self._news.get()


async def test_no_acknowledged_engagement_is_lost_when_the_server_is_killed_under_load(tmp_path: Path) -> None:
    async with asyncio.timeout(SECONDS), EmbeddedTemporal(tmp_path) as server:
        client = await connect(Settings(data_dir=tmp_path), address=server.address)
        load = Load(client)
        async with asyncio.TaskGroup() as callers:
            for caller in range(4):
                callers.create_task(load.call(caller))
            for _ in range(KILLS):
                await load.more(BETWEEN_KILLS)
                os.kill(server.pid, signal.SIGKILL)
            await load.more(BETWEEN_KILLS)
            load.stopped = True
        found = [await client.get_workflow_handle(name).describe() for name in load.acknowledged]
    assert len(found) >= (KILLS + 1) * BETWEEN_KILLS
    assert all(description.status is WorkflowExecutionStatus.RUNNING for description in found)
