"""The folded engagement between two appends: what this process folded last, else a snapshot and the entries since.

A snapshot is written every so many entries, not at each: it is a hundred times as long as an entry.
"""

from typing import NamedTuple

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from programme.chain import BrokenChain
from programme.engagement import Engagement, evolve
from store import derived
from store.database import putting
from store.entries import every
from store.folds import folds_of
from store.tables import engagements, snapshots

EVERY = 16  # entries between two snapshots; folding as many takes about as long as reading one


class Head(NamedTuple):
    """Where the stored engagement stands, and by which version of the derivations."""

    sequence: int
    digest: str
    read_model: int

    @property
    def current(self) -> bool:
        """Whether this build would have written the same rows."""
        return self.read_model == derived.READ_MODEL


_THIS = engagements.c.engagement_id == bindparam("this")
_HEAD = select(engagements.c.sequence, engagements.c.digest, engagements.c.read_model).where(_THIS)
_LOCKED = _HEAD.with_for_update()
_LOCK = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("this"), 0)))


async def head(connection: AsyncConnection, engagement_id: str, *, lock: bool = False) -> Head | None:
    """Where the stored engagement stands. ``lock``: nobody else appends to it until this transaction ends."""
    this = {"this": engagement_id}
    locked = lock and connection.dialect.name != "sqlite"  # there, a writing transaction is alone from its beginning
    row = (await connection.execute(_LOCKED if locked else _HEAD, this)).first()
    if row is None and locked:  # no row to lock yet
        await connection.execute(_LOCK, this)
        row = (await connection.execute(_LOCKED, this)).first()
    return Head(*row) if row else None


async def folded(connection: AsyncConnection, engagement_id: str, at: Head) -> Engagement:
    """The engagement at its head: from what was folded last, else from the snapshot, each with the entries since.

    What an older build derived is folded again from the beginning.
    """
    folds = folds_of(connection)
    engagement = folds.recall(engagement_id, at.sequence, at.digest)
    if engagement is not None and engagement.sequence == at.sequence:
        return engagement
    try:
        engagement = await _caught_up(connection, engagement_id, engagement, at)
    except BrokenChain:  # what was remembered is of another past: a database was put back, or exchanged
        engagement = await _caught_up(connection, engagement_id, None, at)
    folds.keep(engagement_id, engagement)
    return engagement


async def _caught_up(
    connection: AsyncConnection, engagement_id: str, engagement: Engagement | None, at: Head
) -> Engagement:
    if engagement is None:
        engagement = folds_of(connection).sharing(await _read(connection, engagement_id, at) or Engagement())
    async for line in every(connection, engagement_id, after=engagement.sequence):
        engagement = evolve(engagement, line.entry, line.body)
    return engagement


async def _read(connection: AsyncConnection, engagement_id: str, at: Head) -> Engagement | None:
    """The snapshot, unless another build folded it, or it is ahead of the head."""
    this = (snapshots.c.engagement_id == engagement_id) & (snapshots.c.read_model == derived.READ_MODEL)
    query = select(snapshots.c.engagement).where(this, snapshots.c.sequence <= at.sequence)
    body = (await connection.execute(query)).scalar_one_or_none()
    return Engagement.model_validate_json(body) if body else None


async def refolded(connection: AsyncConnection, engagement_id: str, before: int | None = None) -> Engagement:
    """The engagement folded from the journal, up to but not including the sequence ``before``.

    Raises:
        programme.chain.BrokenChain: the journal's own digests do not hold.
    """
    engagement = Engagement()
    async for line in every(connection, engagement_id, before=before):
        engagement = evolve(engagement, line.entry, line.body)
    return engagement


async def save(connection: AsyncConnection, before: Head | None, was: Engagement | None, now: Engagement) -> None:
    """Write the engagement's row, the derived rows that differ from those of ``was``, and a snapshot when it is time.

    Rows that another version of the derivations wrote are replaced whole.
    """
    if before is not None and not before.current:
        await replace(connection, now)
        return
    row = derived.engagement_row(now)
    if before is None:
        await connection.execute(_INSERT, {"engagement_id": now.id, **row})
    else:
        await connection.execute(_UPDATE, {"this": now.id, **row})
    if before is None or before.sequence // EVERY != now.sequence // EVERY:
        await _write(connection, now)
    for change in derived.changes(was, now):
        await _apply(connection, now.id, change)
    folds = folds_of(connection)
    folds.keep(now.id, now if was is not None else folds.sharing(now))


async def replace(connection: AsyncConnection, now: Engagement) -> None:
    """Write everything that is derived from an engagement, whatever stood there."""
    for table in (engagements, *derived.DERIVATIONS):
        await connection.execute(delete(table).where(table.c.engagement_id == now.id))
    await connection.execute(_INSERT, {"engagement_id": now.id, **derived.engagement_row(now)})
    await _write(connection, now)
    for change in derived.changes(None, now):
        await _apply(connection, now.id, change)


async def _write(connection: AsyncConnection, now: Engagement) -> None:
    row = {"sequence": now.sequence, "read_model": derived.READ_MODEL, "engagement": now.model_dump_json()}
    await connection.execute(putting(connection, snapshots), {"engagement_id": now.id, **row})


async def _apply(connection: AsyncConnection, engagement_id: str, change: derived.Change) -> None:
    if change.gone:
        names = [f"of_{name}" for name in derived.key_columns(change.table)]
        keys = [{"of_engagement_id": engagement_id, **dict(zip(names, key, strict=True))} for key in change.gone]
        await connection.execute(_DELETIONS[change.table], keys)
    if change.put:
        await connection.execute(putting(connection, change.table), change.put)


_DELETIONS = {
    table: delete(table).where(*(column == bindparam(f"of_{column.name}") for column in table.primary_key))
    for table in derived.DERIVATIONS
}
_UPDATE = update(engagements).where(_THIS)
_INSERT = insert(engagements)
