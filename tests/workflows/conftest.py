"""Real Temporal for the tests of the one workflow: a development server, and a skipping clock for each test."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from runtime.embedded import EmbeddedTemporal, time_skipping_temporal
from runtime.settings import Settings
from runtime.temporal import connect, ensure_namespace, prepare_namespace
from tests.workflows.hosted import House
from workflows import ports

NAMESPACE = "workflow-tests"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A client of the development server, in a namespace of these tests."""
    folder = tmp_path_factory.mktemp("temporal")
    settings = Settings(data_dir=folder, temporal_namespace=NAMESPACE)
    async with EmbeddedTemporal(folder / "server", namespace=NAMESPACE) as server:
        connected = await connect(settings, address=server.address)
        await ensure_namespace(connected)
        await prepare_namespace(connected)
        yield connected


@pytest_asyncio.fixture(loop_scope="session")
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A server whose clock jumps over waiting. One for each test: a step that a test leaves behind holds the clock."""
    async with time_skipping_temporal() as environment:
        await prepare_namespace(environment.client)
        yield environment


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tail is appended after a moment, where what ships waits for the caller's own append."""
    monkeypatch.setattr(ports, "APPEND_AFTER", timedelta(milliseconds=50))


@pytest_asyncio.fixture(loop_scope="session")
async def house(client: Client) -> AsyncIterator[House]:
    """The development server with an empty world around it; a test starts the worker that it needs."""
    built = House(client)
    yield built
    await built.clear()
