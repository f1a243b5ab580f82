import asyncio
import contextlib
import fcntl
import logging
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from logging.handlers import QueueHandler
from pathlib import Path

import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import (
    SearchAttributeIndexedValueType,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
)
from temporalio.service import RPCError

from runtime.embedded import EmbeddedTemporal, EmbeddedTemporalError, time_skipping_temporal
from runtime.logs import NATIVE
from runtime.settings import Settings
from runtime.temporal import (
    RETENTION,
    TemporalUnreachableError,
    connect,
    ensure_namespace,
    register_search_attributes,
)

STAGE = SearchAttributeKey.for_keyword("OliveStage")
ROOT = Path(__file__).parents[2]
SECONDS = 20.0  # Nobody waits this long unless something is broken.

# A parent that is killed cannot clean up: it starts a server, says its address, and waits for its end.
PARENT = """
import asyncio, sys
from pathlib import Path
from runtime.embedded import EmbeddedTemporal

async def main():
    async with EmbeddedTemporal(Path(sys.argv[1])) as server:
        print(server.address, server.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedTemporal]:
    async with EmbeddedTemporal(tmp_path / "temporal") as server:
        yield server


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "temporal")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        yield parent
        parent.kill()


async def started(client: Client) -> None:
    await client.start_workflow("Nobody", id="engagement-1", task_queue="nobody", result_type=type(None))


async def status(client: Client) -> WorkflowExecutionStatus | None:
    return (await client.get_workflow_handle("engagement-1").describe()).status


def wait_until_unlocked(lock: Path) -> None:
    # The server holds its lock for as long as it lives, so taking it is waiting for its end: no polling.
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)


def refuses(address: str) -> bool:
    host, _, port = address.partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) != 0


async def test_the_server_answers_on_loopback_and_is_gone_afterwards(settings: Settings, tmp_path: Path) -> None:
    async with EmbeddedTemporal(tmp_path / "temporal") as server:
        client = await connect(settings, address=server.address)
        assert client.namespace == "olive-branch"
        assert server.address.startswith("127.0.0.1:")
        pid = server.pid
    assert refuses(server.address)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_the_server_starts_whatever_ours_are_told_to_trace(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "console")
    async with EmbeddedTemporal(tmp_path / "temporal") as server:
        assert (await (await connect(settings, address=server.address)).count_workflows()).count == 0


async def test_addresses_stay_the_same_for_a_folder(server: EmbeddedTemporal, tmp_path: Path) -> None:
    first = (server.address, server.ui_url)
    await server.__aexit__(None, None, None)
    async with EmbeddedTemporal(tmp_path / "temporal") as again:
        assert (again.address, again.ui_url) == first


async def test_a_port_that_somebody_else_took_is_replaced(tmp_path: Path) -> None:
    async with EmbeddedTemporal(tmp_path / "temporal") as server:
        before = server.address
    host, _, port = before.partition(":")
    with socket.create_server((host, int(port))):
        async with EmbeddedTemporal(tmp_path / "temporal") as again:
            assert again.address != before


async def test_nothing_is_lost_when_the_server_is_killed(settings: Settings, server: EmbeddedTemporal) -> None:
    client = await connect(settings, address=server.address)
    await started(client)
    first = server.pid
    os.kill(first, signal.SIGKILL)
    # The client keeps asking until the server is back on the same port.
    assert await asyncio.wait_for(status(client), SECONDS) is WorkflowExecutionStatus.RUNNING
    assert server.pid != first


async def test_engagements_are_still_there_after_a_restart(settings: Settings, tmp_path: Path) -> None:
    async with EmbeddedTemporal(tmp_path / "temporal") as server:
        await started(await connect(settings, address=server.address))
    async with EmbeddedTemporal(tmp_path / "temporal") as server:
        client = await connect(settings, address=server.address)
        assert await status(client) is WorkflowExecutionStatus.RUNNING


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start ends the orphan (tested below)")
async def test_the_server_ends_with_a_parent_that_is_killed(
    parent: subprocess.Popen[str], settings: Settings, tmp_path: Path
) -> None:
    assert parent.stdout is not None
    address, _ = (await asyncio.to_thread(parent.stdout.readline)).split()
    await started(await connect(settings, address=address))
    parent.kill()
    await asyncio.wait_for(asyncio.to_thread(parent.wait), SECONDS)  # its claim on the folder ends with it
    await asyncio.wait_for(asyncio.to_thread(wait_until_unlocked, tmp_path / "temporal" / "server.lock"), SECONDS)
    assert refuses(address)
    async with EmbeddedTemporal(tmp_path / "temporal") as server:
        client = await connect(settings, address=server.address)
        assert await status(client) is WorkflowExecutionStatus.RUNNING


async def test_an_orphaned_server_is_ended_before_another_starts(tmp_path: Path) -> None:
    folder = tmp_path / "temporal"
    folder.mkdir()
    with (folder / "server.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        orphan = await asyncio.create_subprocess_exec("sleep", "600", pass_fds=(lock.fileno(),))
        lock.write(str(orphan.pid))
    async with EmbeddedTemporal(folder):
        assert await asyncio.wait_for(orphan.wait(), SECONDS) == -signal.SIGKILL


async def test_two_processes_cannot_share_a_folder(server: EmbeddedTemporal, tmp_path: Path) -> None:
    with pytest.raises(EmbeddedTemporalError, match="OLIVE_DATA_DIR"):
        async with EmbeddedTemporal(tmp_path / "temporal"):
            pass
    assert server.pid


async def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    folder = tmp_path / "temporal"
    (folder / "temporal.sqlite3").mkdir(parents=True)
    with pytest.raises(EmbeddedTemporalError, match="unable to open database file"):
        async with EmbeddedTemporal(folder):
            pass
    # What failed let go of the folder.
    (folder / "temporal.sqlite3").rmdir()
    async with EmbeddedTemporal(folder) as server:
        assert server.pid


async def test_closed_runs_stay_readable_for_ninety_days(settings: Settings, server: EmbeddedTemporal) -> None:
    client = await connect(settings, address=server.address)
    for _ in range(2):
        await ensure_namespace(client)
        found = await client.workflow_service.describe_namespace(_describe(client.namespace))
        assert found.config.workflow_execution_retention_ttl.ToTimedelta() == RETENTION


async def test_a_namespace_that_does_not_exist_is_made(settings: Settings, server: EmbeddedTemporal) -> None:
    elsewhere = settings.model_copy(update={"temporal_namespace": "olive-training"})
    client = await connect(elsewhere, address=server.address)
    await ensure_namespace(client)
    found = await client.workflow_service.describe_namespace(_describe("olive-training"))
    assert found.config.workflow_execution_retention_ttl.ToTimedelta() == RETENTION


async def test_search_attributes_can_be_registered_twice(settings: Settings, server: EmbeddedTemporal) -> None:
    client = await connect(settings, address=server.address)
    with pytest.raises(RPCError):
        await _start_with_stage(client)
    for _ in range(2):
        await register_search_attributes(client, {STAGE.name: SearchAttributeIndexedValueType.KEYWORD})
    await _start_with_stage(client)


async def test_nobody_at_the_address_is_said_in_words(settings: Settings) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(TemporalUnreachableError, match=str(port)):
        await connect(settings, address=f"127.0.0.1:{port}")


async def test_no_address_at_all_is_said_in_words(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", os.devnull)
    with pytest.raises(TemporalUnreachableError, match="OLIVE_TEMPORAL_ADDRESS"):
        await connect(settings)


async def test_where_nobody_names_a_server_it_is_the_one_of_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", os.devnull)
    beside = Settings(data_dir=tmp_path)
    async with EmbeddedTemporal(beside.temporal_dir) as temporal:
        client = await connect(beside)
        assert client.service_client.config.target_host == temporal.address
        elsewhere = beside.model_copy(update={"environment": "production"})
        with pytest.raises(TemporalUnreachableError, match="OLIVE_TEMPORAL_ADDRESS"):
            await connect(elsewhere)
        copy = beside.model_copy(update={"data_dir": tmp_path / "copy"})
        shutil.copytree(beside.temporal_dir, copy.temporal_dir)  # with the same ports, and no server of its own
        with pytest.raises(TemporalUnreachableError, match="olive up"):
            await connect(copy)
    with pytest.raises(TemporalUnreachableError, match="olive up"):
        await connect(beside)


async def test_temporals_own_variables_name_server_and_namespace(
    settings: Settings, server: EmbeddedTemporal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "default")
    assert (await connect(settings)).namespace == "default"
    ours = settings.model_copy(update={"temporal_namespace": "olive-branch"})
    assert (await connect(ours)).namespace == "olive-branch"


async def test_the_skipping_clock_jumps_a_year() -> None:
    async with time_skipping_temporal() as environment:
        before = await environment.get_current_time()
        await environment.sleep(365 * 24 * 3600)
        after = await environment.get_current_time()
    assert (after - before).days >= 365


def _describe(namespace: str) -> DescribeNamespaceRequest:
    return DescribeNamespaceRequest(namespace=namespace)


async def _start_with_stage(client: Client) -> None:
    await client.start_workflow(
        "Nobody",
        id="engagement-2",
        task_queue="nobody",
        result_type=type(None),
        search_attributes=TypedSearchAttributes([SearchAttributePair(STAGE, "mandate")]),
    )


async def test_what_the_native_half_says_goes_into_our_log_without_its_values(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said: queue.Queue[logging.LogRecord] = queue.Queue()
    handler = QueueHandler(said)
    logging.getLogger(NATIVE).addHandler(handler)
    async with EmbeddedTemporal(tmp_path) as temporal:
        client = await connect(Settings(), address=temporal.address)
    with pytest.raises(RPCError):
        await client.count_workflows(rpc_timeout=timedelta(seconds=5))
    line = await asyncio.to_thread(said.get, timeout=SECONDS)
    logging.getLogger(NATIVE).removeHandler(handler)
    assert temporal.address not in line.getMessage()
    assert "gRPC" not in capfd.readouterr().err
