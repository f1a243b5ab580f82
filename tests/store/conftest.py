"""Every test here that asks for ``database`` runs on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from store.database import Database, migrate
from tests.databases import PostgreSQL, postgresql, sqlite

BOTH = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def server() -> Iterator[PostgreSQL]:
    with postgresql() as running:
        yield running


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without any table."""
    if request.param == "sqlite":
        return sqlite(tmp_path)
    running: PostgreSQL = request.getfixturevalue("server")
    return running.empty()


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database."""
    if request.param == "sqlite":
        address = sqlite(tmp_path)
        migrate(address)
        return address
    running: PostgreSQL = request.getfixturevalue("server")
    return running.migrated()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = Database(url)
    yield opened
    await opened.close()
