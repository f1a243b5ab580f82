"""What tests of several folders ask for."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.stack import Stack, running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """The whole product, once for a session; tests that use it are marked ``asyncio(loop_scope="session")``."""
    async with running(tmp_path_factory.mktemp("stack")) as started:
        yield started
