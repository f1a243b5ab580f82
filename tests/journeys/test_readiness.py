"""Whoever watches over the product is told in time that its worker has died."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx
from temporalio.api.workflowservice.v1 import ListWorkersRequest
from temporalio.client import Client

from bench.grounds import free_port
from cli.processes import until_ready
from runtime.embedded import EmbeddedTemporal
from runtime.settings import Settings
from runtime.temporal import connect, ensure_namespace
from store.database import migrate

SOON = 60.0  # seconds; by its last question alone, a killed worker would seem to be there for 90


async def _started(module: str, environment: dict[str, str]) -> asyncio.subprocess.Process:
    leash = [sys.executable, "-m", "runtime.leash", str(os.getpid()), sys.executable, "-m", module]
    return await asyncio.create_subprocess_exec(*leash, env={**os.environ, **environment})


async def _beating(client: Client) -> bool:
    found = await client.workflow_service.list_workers(ListWorkersRequest(namespace=client.namespace))
    return bool(found.workers_info)


async def _until(url: str, status: httpx.codes) -> dict[str, bool]:
    async with httpx.AsyncClient(timeout=10) as http:
        while True:
            answer = await http.get(f"{url}/readyz")
            if answer.status_code == status:
                said: dict[str, bool] = answer.json()
                return said
            await asyncio.sleep(0.2)


async def test_that_the_worker_was_killed_is_told_before_its_last_question_is_forgotten(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    migrate(settings.database_url.get_secret_value())
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with EmbeddedTemporal(tmp_path / "temporal") as temporal:
        client = await connect(settings, address=temporal.address)
        await ensure_namespace(client)
        environment = {
            "OLIVE_DATA_DIR": str(tmp_path),
            "OLIVE_TEMPORAL_ADDRESS": temporal.address,
            "OLIVE_API_PORT": str(port),
        }
        first, api = [await _started(module, environment) for module in ("worker", "api")]
        await until_ready(url, tmp_path)
        async with asyncio.timeout(SOON):
            while not await _beating(client):  # noqa: ASYNC110 - nothing tells us
                await asyncio.sleep(0.2)
        first.send_signal(signal.SIGKILL)
        async with asyncio.timeout(SOON):
            said = await _until(url, httpx.codes.SERVICE_UNAVAILABLE)
        assert said == {"ready": False, "database": True, "temporal": True, "workers": False}
        second = await _started("worker", environment)
        async with asyncio.timeout(SOON):
            assert (await _until(url, httpx.codes.OK))["workers"]
        for process in (second, api):
            process.terminate()
            await process.wait()
