"""SQLite behind one thread hop a statement.

aiosqlite keeps a connection in a thread of its own and goes there for the cursor, the statement, the rows and the
close: four hops, of which each costs as much as the statement itself. Here all four happen in one, so that an append to
the journal makes 8 hops in place of 25.
"""

import logging
import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Self

import aiosqlite

CHUNK = 64  # rows that aiosqlite would fetch at once while iterating, which SQLAlchemy never lets it do
Parameters = Sequence[Any]


class Connection(aiosqlite.Connection):
    """An aiosqlite connection whose cursors make one trip."""

    def cursor(self) -> "Cursor":  # type: ignore[override]  # the part of a cursor that SQLAlchemy asks for
        """A cursor; it comes to be in the connection's thread, with its first statement."""
        return Cursor(self._execute, lambda: self._conn)

    async def rollback(self) -> None:
        """Undo the transaction; no trip where there is none."""
        if self.in_transaction:
            await super().rollback()


class Cursor:
    """What SQLAlchemy asks of a cursor. It holds all rows of its statement, because they came along."""

    def __init__(
        self, hop: Callable[..., Coroutine[Any, Any, Any]], connection: Callable[[], sqlite3.Connection]
    ) -> None:
        self._hop = hop
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Parameters = ()) -> Self:
        """Run a statement and fetch what it returns."""
        await self._hop(self._run, sqlite3.Cursor.execute, statement, parameters)
        return self

    async def executemany(self, statement: str, parameters: Sequence[Parameters]) -> Self:
        """Run a statement for each of several sets of parameters."""
        await self._hop(self._run, sqlite3.Cursor.executemany, statement, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        """The rows."""
        return self._rows

    async def close(self) -> None:
        """Nothing is open any more."""

    def _run(self, run: Callable[..., sqlite3.Cursor], statement: str, parameters: Any) -> None:
        cursor = self._connection().cursor()
        try:
            run(cursor, statement, parameters)
            self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
            self._rows = cursor.fetchall() if cursor.description else []
        finally:
            cursor.close()


def connecting(path: str, timeout: float) -> Callable[[], Connection]:
    """What opens connections to a file. ``timeout``: seconds that a statement waits for another process's lock."""
    # At DEBUG, aiosqlite logs every statement with its parameters: names, answers, candid words.
    logging.getLogger("aiosqlite").setLevel(logging.INFO)

    def connect() -> Connection:
        connection = Connection(partial(sqlite3.connect, path, timeout=timeout), CHUNK)
        connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does: an exit must not wait for it
        return connection

    return connect
