"""The folded engagement between two appends: one snapshot row, and a memory of what this process folded last.

A digest says everything about an engagement's past, so a fold remembered under it needs no check against the database.
"""

from collections import OrderedDict
from typing import NamedTuple, TypeVar

from pydantic import BaseModel
from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from programme.engagement import Engagement, evolve
from store import derived
from store.entries import every
from store.tables import engagements

REMEMBERED = 1024  # engagements whose fold a process keeps
_SHARED = 16  # templates and calendars that many engagements have in common
Value = TypeVar("Value", bound=BaseModel)


class Head(NamedTuple):
    """Where the stored engagement stands, and by which version of the derivations."""

    sequence: int
    digest: str
    read_model: int

    @property
    def current(self) -> bool:
        """Whether this build would have written the same rows."""
        return self.read_model == derived.READ_MODEL


class _Folds:
    """The engagements that were folded last, the least recently used dropped first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._folded: OrderedDict[str, Engagement] = OrderedDict()
        self._common: list[BaseModel] = []

    def recall(self, engagement_id: str, head: Head) -> Engagement | None:
        found = self._folded.get(engagement_id)
        if found is None or (found.sequence, found.digest) != (head.sequence, head.digest):
            return None
        self._folded.move_to_end(engagement_id)
        return found

    def keep(self, engagement_id: str, engagement: Engagement) -> None:
        self._folded[engagement_id] = engagement
        self._folded.move_to_end(engagement_id)
        if len(self._folded) > self._limit:
            self._folded.popitem(last=False)

    def sharing(self, engagement: Engagement) -> Engagement:
        """The same engagement, its template and calendar shared with those that have equal ones."""
        template, calendar = self._one(engagement.template), self._one(engagement.calendar)
        return engagement.but(template=template, calendar=calendar)

    def _one(self, value: Value) -> Value:
        for known in self._common:
            if type(known) is type(value) and known == value:
                return known
        self._common = [value, *self._common[: _SHARED - 1]]
        return value


_FOLDS = _Folds(REMEMBERED)


async def head(connection: AsyncConnection, engagement_id: str, *, lock: bool = False) -> Head | None:
    """Where the stored engagement stands. ``lock``: nobody else appends to it until this transaction ends."""
    query = select(engagements.c.sequence, engagements.c.digest, engagements.c.read_model).where(
        engagements.c.engagement_id == engagement_id
    )
    locked = lock and connection.dialect.name != "sqlite"  # there, a writing transaction is alone from its beginning
    row = (await connection.execute(query.with_for_update() if locked else query)).first()
    if row is None and locked:  # no row to lock yet
        await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(engagement_id, 0))))
        row = (await connection.execute(query.with_for_update())).first()
    return Head(*row) if row else None


async def folded(connection: AsyncConnection, engagement_id: str, at: Head) -> Engagement:
    """The engagement at its head: remembered, or read, or (written by an older build) folded again."""
    remembered = _FOLDS.recall(engagement_id, at)
    if remembered is not None:
        return remembered
    engagement = await _read(connection, engagement_id) if at.current else await refolded(connection, engagement_id)
    engagement = _FOLDS.sharing(engagement)
    _FOLDS.keep(engagement_id, engagement)
    return engagement


async def _read(connection: AsyncConnection, engagement_id: str) -> Engagement:
    query = select(engagements.c.snapshot).where(engagements.c.engagement_id == engagement_id)
    return Engagement.model_validate_json((await connection.execute(query)).scalar_one())


async def refolded(connection: AsyncConnection, engagement_id: str, before: int | None = None) -> Engagement:
    """The engagement folded from the journal, up to but not including the sequence ``before``.

    Raises:
        programme.chain.BrokenChain: the journal's own digests do not hold.
    """
    engagement = Engagement()
    async for line in every(connection, engagement_id, before):
        engagement = evolve(engagement, line.entry, line.body)
    return engagement


async def save(connection: AsyncConnection, before: Head | None, was: Engagement | None, now: Engagement) -> None:
    """Write the snapshot, and the derived rows that differ from those of ``was``.

    Rows that another version of the derivations wrote are replaced whole.
    """
    if before is not None and not before.current:
        await replace(connection, before, now)
        return
    await _write(connection, before, now)
    for change in derived.changes(was, now):
        await _apply(connection, now.id, change)
    _FOLDS.keep(now.id, now if was is not None else _FOLDS.sharing(now))


async def replace(connection: AsyncConnection, before: Head | None, now: Engagement) -> None:
    """Write the snapshot and every derived row, whatever stood there."""
    await _write(connection, before, now)
    for table in derived.DERIVATIONS:
        await connection.execute(delete(table).where(table.c.engagement_id == now.id))
    for change in derived.changes(None, now):
        await _apply(connection, now.id, change)


async def _write(connection: AsyncConnection, before: Head | None, now: Engagement) -> None:
    row = {**derived.engagement_row(now), "snapshot": now.model_dump_json()}
    if before is None:
        await connection.execute(insert(engagements), {"engagement_id": now.id, **row})
    else:
        await connection.execute(update(engagements).where(engagements.c.engagement_id == now.id), row)


async def _apply(connection: AsyncConnection, engagement_id: str, change: derived.Change) -> None:
    if change.gone:
        names = [f"of_{name}" for name in derived.key_columns(change.table)]
        keys = [{"of_engagement_id": engagement_id, **dict(zip(names, key, strict=True))} for key in change.gone]
        await connection.execute(_DELETIONS[change.table], keys)
    if change.new:
        await connection.execute(insert(change.table), change.new)


_DELETIONS = {
    table: delete(table).where(*(column == bindparam(f"of_{column.name}") for column in table.primary_key))
    for table in derived.DERIVATIONS
}
