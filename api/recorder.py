"""Appends what workflows have decided, many answers in one transaction.

A commit costs the same for one entry as for fifty. While one transaction is under way, the others that arrive wait; the
next takes them all. A lone answer is appended at once; under load a transaction begins a moment after the last one
began, so that it finds company.
"""

import asyncio
import contextvars
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar, cast

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from sqlalchemy.ext.asyncio import AsyncConnection

from api.errors import DATABASE_AWAY
from programme.engagement import RecordedEntry
from runtime.telemetry import Telemetry, traceparent
from store import journal
from store.database import Database
from store.journal import JournalGap, Tail
from store.outbox import NO_CAUSES, Causes

APART = 0.03  # seconds from the beginning of one transaction to that of the next; measured, see decision 0007
TOGETHER = 64  # answers in one transaction
_REMEMBERED = 10_000  # engagements of which the last recorded entry is known

Outcome = TypeVar("Outcome")
Afterwards = Callable[[AsyncConnection, int], Awaitable[Outcome]]
"""What is done in the same transaction, given the last entry in the journal; its result is the answer."""


@dataclass(eq=False)
class _Waiting:
    """One answer that waits to be recorded."""

    engagement_id: str
    tail: Sequence[RecordedEntry]
    afterwards: Afterwards[object]
    causes: Causes
    done: "asyncio.Future[object]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    since: float = field(default_factory=time.monotonic)
    cause: str | None = field(default_factory=traceparent)
    context: Context = field(default_factory=otel_context.get_current)

    def answer(self, outcome: object) -> None:
        if not self.done.done():
            self.done.set_result(outcome)

    def fail(self, error: BaseException) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class Recorder:
    """One writer of a process. It writes as long as something waits."""

    def __init__(self, database: Database, telemetry: Telemetry) -> None:
        self._database = database
        self._begun = float("-inf")  # when the last transaction began
        self._telemetry = telemetry
        self._waiting: list[_Waiting] = []
        self._oldest: float | None = None
        self._writing: asyncio.Task[None] | None = None
        self._last: OrderedDict[str, int] = OrderedDict()

    def seen(self, engagement_id: str) -> int:
        """The last entry of an engagement that this process has seen in the journal; 0 where it knows of none."""
        return self._last.get(engagement_id, 0)

    @property
    def lag(self) -> float:
        """Seconds for which the oldest answer has waited to be recorded."""
        since = [one.since for one in self._waiting] + ([self._oldest] if self._oldest is not None else [])
        return time.monotonic() - min(since) if since else 0.0

    async def record(
        self,
        engagement_id: str,
        tail: Sequence[RecordedEntry],
        afterwards: Afterwards[Outcome],
        causes: Causes = NO_CAUSES,
    ) -> Outcome:
        """Append entries, then do the rest, in one transaction; what ``afterwards`` returned, once it is committed.

        Raises:
            JournalGap, JournalFork, BrokenChain: as ``journal.append``.
            One of DATABASE_AWAY: nobody knows whether it is recorded.
        """
        waiting = _Waiting(engagement_id, tail, afterwards, causes)
        self._waiting.append(waiting)
        if self._writing is None or self._writing.done():
            # In a context of its own: what it writes for others belongs to none of their requests.
            self._writing = asyncio.create_task(self._write_all(), context=contextvars.Context())
        return cast("Outcome", await asyncio.shield(waiting.done))

    async def close(self) -> None:
        """Write what waits."""
        if self._writing is not None:
            await asyncio.wait({self._writing})

    async def _write_all(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._begun + APART - time.monotonic())
            self._begun = time.monotonic()
            batch, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
            self._oldest = min(one.since for one in batch)
            try:
                with self._moment(batch):
                    await self._write(batch)
            except DATABASE_AWAY as error:
                _fail(batch, error)
            except Exception as error:  # noqa: BLE001 - whatever one of them is guilty of, the others are not
                await self._write_apart(batch, error)
            self._oldest = None

    @contextmanager
    def _moment(self, batch: list[_Waiting]) -> Iterator[None]:
        """The trace of what is written: that of its request, or, for several, one of its own that is linked to them."""
        if len(batch) > 1:
            with self._telemetry.moment("record", caused_by=[one.cause for one in batch if one.cause]):
                yield
            return
        token = otel_context.attach(batch[0].context)
        try:
            yield
        finally:
            otel_context.detach(token)

    async def _write_apart(self, batch: list[_Waiting], error: Exception) -> None:
        """Each by itself, so that one that cannot be written fails alone."""
        if len(batch) == 1:
            _fail(batch, error)
            return
        for waiting in batch:
            try:
                with self._moment([waiting]):
                    await self._write([waiting])
            except Exception as own:  # noqa: BLE001 - handed to whoever waits for it
                _fail([waiting], own)

    async def _write(self, batch: list[_Waiting]) -> None:
        by_engagement: dict[str, list[_Waiting]] = {}
        for waiting in batch:
            by_engagement.setdefault(waiting.engagement_id, []).append(waiting)
        tails = {engagement_id: _joined(those) for engagement_id, those in by_engagement.items()}
        try:
            async with self._database.writing() as connection:
                recorded = await journal.append_all(connection, tails)
                outcomes = [(one, await one.afterwards(connection, recorded[one.engagement_id])) for one in batch]
        except JournalGap:
            for engagement_id in by_engagement:
                self._last.pop(engagement_id, None)  # this process may be wrong about what the journal holds
            raise
        for engagement_id, last in recorded.items():
            self._remember(engagement_id, last)
        for waiting, outcome in outcomes:
            waiting.answer(outcome)

    def _remember(self, engagement_id: str, last: int) -> None:
        self._last[engagement_id] = last
        self._last.move_to_end(engagement_id)
        if len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)


def _joined(those: Sequence[_Waiting]) -> Tail:
    """Several tails of one engagement as one, in order."""
    by_sequence = {entry.sequence: entry for one in those for entry in one.tail}
    causes = {sequence: cause for one in those for sequence, cause in one.causes.items()}
    return Tail([by_sequence[sequence] for sequence in sorted(by_sequence)], causes)


def _fail(batch: list[_Waiting], error: BaseException) -> None:
    for waiting in batch:
        waiting.fail(error)
