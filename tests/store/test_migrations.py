import asyncio
import subprocess
import sys
import threading
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from store.database import Database, migrate, synchronous
from store.tables import metadata


def differences(url: str) -> list[Any]:
    engine = create_engine(synchronous(url), poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))


def test_the_migrations_make_exactly_the_tables_of_the_code(url: str) -> None:
    assert differences(url) == []


def test_the_comparison_would_notice(empty_url: str) -> None:
    assert differences(empty_url) != []


def test_migrating_twice_changes_nothing(empty_url: str) -> None:
    migrate(empty_url)
    migrate(empty_url)
    assert differences(empty_url) == []


def test_several_processes_may_migrate_at_once(empty_url: str) -> None:
    program = f"from store.database import migrate; migrate({empty_url!r})"
    processes = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert differences(empty_url) == []


async def test_a_database_is_healthy_once_it_is_migrated(empty_url: str) -> None:
    database = Database(empty_url)
    assert not await database.healthy()
    migrate(empty_url)
    assert await database.healthy()
    await database.close()


@pytest.mark.parametrize(
    "url",
    ["sqlite+aiosqlite:////nowhere/at/all.sqlite3", "postgresql+psycopg://nobody@127.0.0.1:1/none"],
)
async def test_a_database_that_is_away_is_not_healthy(url: str) -> None:
    before = set(threading.enumerate())
    database = Database(url)
    assert not await database.healthy()
    await database.close()
    # After a failed connect the driver's thread still tells the loop how it ended, and the loop must be there.
    for thread in set(threading.enumerate()) - before:
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join)
