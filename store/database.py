"""The database: one transaction at a time, on SQLite or PostgreSQL, and the types that both keep alike.

Only the edge commits: ``writing`` is one transaction, committed on a clean exit and undone on any other. Nothing in the
store commits by itself.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import DateTime, Dialect, Insert, String, Table, create_engine, event, pool, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.types import TypeDecorator

from store.folds import OPTION, Folds
from store.trips import connecting

WAITS = 30  # seconds that a writer waits for SQLite's one write lock, held by another process
_WRITES = "olive_writes"
_ALONE = "olive_alone"  # a statement by itself


class Instant(TypeDecorator[datetime]):
    """An instant in UTC. SQLite drops time zones, so a time without one is refused going in and never comes out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; without its zone where the database could not keep it."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Exact(TypeDecorator[Decimal]):
    """A decimal kept digit for digit: SQLite would make a float of it. Never ordered or added up in SQL."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """To its digits."""
        del dialect
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        """From its digits."""
        del dialect
        return None if value is None else Decimal(value)


class Database:
    """A pool of connections. ``url`` is an SQLAlchemy address: sqlite+aiosqlite:///FILE or postgresql+psycopg://...

    remembered: engagements whose fold this process keeps in memory.
    """

    def __init__(self, url: str, *, connections: int = 10, remembered: int = 512) -> None:
        self.engine = _engine(make_url(url), connections).execution_options(**{OPTION: Folds(remembered)})
        on_sqlite = self.engine.dialect.name == "sqlite"
        # SQLite lets one writer in and makes the others poll, unfairly: within a process they queue here instead.
        self._turn: AbstractAsyncContextManager[Any] = asyncio.Lock() if on_sqlite else nullcontext()
        self._writer = self.engine.execution_options(**{_WRITES: True})
        snapshot = {} if on_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reader = self.engine.execution_options(**snapshot)
        alone: dict[str, Any] = {_ALONE: True} if on_sqlite else {"isolation_level": "AUTOCOMMIT"}
        self._asker = self.engine.execution_options(**alone)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees the database as of one moment, and cannot change what others see."""
        async with self._reader.connect() as connection:
            yield connection

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[AsyncConnection]:
        """A connection for one statement that reads: it needs no transaction, so it costs one trip in place of four."""
        connection = await self._asker.connect()
        try:
            yield connection
        finally:
            await connection.close()  # at once: to leave ``async with`` costs a task, and there is nothing to undo

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, committed if the block ends well."""
        async with self._turn, self._writer.begin() as connection:
            yield connection

    async def healthy(self) -> bool:
        """Whether the database answers and has been migrated to what this build expects."""
        try:
            async with self.reading() as connection:
                found = await connection.scalar(text("SELECT version_num FROM alembic_version"))
        except (SQLAlchemyError, OSError):
            return False
        return bool(found == _head())

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def _engine(url: URL, connections: int) -> AsyncEngine:
    # Names, answers and candid words are parameters: no error text may repeat them.
    pooled: dict[str, Any] = {"pool_size": connections, "max_overflow": connections, "hide_parameters": True}
    if url.get_backend_name() != "sqlite":
        return create_async_engine(url, pool_pre_ping=True, **pooled)
    # Both kinds of use end their transaction themselves: a rollback on return would be one more trip to the thread.
    pooled["pool_reset_on_return"] = None
    engine = create_async_engine(url, async_creator=connecting(url.database or "", WAITS), **pooled)
    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _prepare(connection: Any, record: Any) -> None:
    """Settings of a SQLite connection.

    FULL, because a person is told "recorded" once the append has committed, and the workflow then forgets what the
    journal confirmed: with NORMAL a power cut could lose the last transactions of a write-ahead log. What is deleted is
    overwritten, because links between people and answers must not linger in a free page.
    """
    del record
    connection.isolation_level = None  # transactions begin below, not where the driver guesses
    cursor = connection.cursor()
    for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=FAST"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A writer takes the lock before it reads: a deferred transaction that reads and then writes fails under load.
    options = connection.get_execution_options()
    if not options.get(_ALONE, False):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(_WRITES, False) else "BEGIN")


def insert_unless_there(connection: AsyncConnection, table: Table) -> Insert:
    """An INSERT that passes over rows whose key is there already."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


def putting(connection: AsyncConnection, table: Table) -> Insert:
    """An INSERT that takes the place of a row whose key is there already. Made once a table: making it costs more."""
    return _putting(connection.dialect.name, table)


@cache
def _putting(dialect: str, table: Table) -> Insert:
    statement = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    others = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=others)


def migrate(url: str) -> None:
    """Bring a database to the tables that this build expects. Safe to run twice, and in several processes at once.

    Not in several threads: alembic keeps what it works on in a global.
    """
    engine = create_engine(synchronous(url), poolclass=pool.NullPool)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.connect() as connection:
        configuration = configuration_of_migrations()
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")


def synchronous(url: str) -> URL:
    """The same address for the driver that needs no event loop (psycopg is both)."""
    parsed = make_url(url)
    return parsed.set(drivername="sqlite") if parsed.get_backend_name() == "sqlite" else parsed


def configuration_of_migrations() -> Config:
    """Where the migrations are: inside this package, wherever it is installed."""
    configuration = Config()
    configuration.set_main_option("script_location", "store:migrations")
    return configuration


@cache
def _head() -> str | None:
    return ScriptDirectory.from_config(configuration_of_migrations()).get_current_head()
