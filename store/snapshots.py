"""The folded engagement between two appends: what this process folded last, else a snapshot and the entries since.

A snapshot is written every so many entries, not at each: it is a hundred times as long as an entry.
"""

from collections.abc import Collection, Sequence
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


class Growth(NamedTuple):
    """What an append makes of an engagement. ``at``: where it stood. Both that and ``was`` are None for a new one."""

    at: Head | None
    was: Engagement | None
    now: Engagement


_HEADS = select(
    engagements.c.engagement_id, engagements.c.sequence, engagements.c.digest, engagements.c.read_model
).where(engagements.c.engagement_id.in_(bindparam("these", expanding=True)))
_LOCKED = _HEADS.order_by(engagements.c.engagement_id).with_for_update()
_LOCK = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("this"), 0)))


async def head(connection: AsyncConnection, engagement_id: str, *, lock: bool = False) -> Head | None:
    """Where the stored engagement stands; None where there is none. ``lock``: as ``heads``."""
    return (await heads(connection, [engagement_id], lock=lock)).get(engagement_id)


async def heads(connection: AsyncConnection, these: Collection[str], *, lock: bool = False) -> dict[str, Head]:
    """Where stored engagements stand. ``lock``: nobody else appends to them until this transaction ends.

    Locks are taken in the order of ids, so that two processes never wait for each other.
    """
    locked = lock and connection.dialect.name != "sqlite"  # there, a writing transaction is alone from its beginning
    found = await _found(connection, these, locked=locked)
    missing = sorted(set(these) - set(found)) if locked else []
    for engagement_id in missing:  # no row to lock yet
        await connection.execute(_LOCK, {"this": engagement_id})
    return found | await _found(connection, missing, locked=True) if missing else found


async def _found(connection: AsyncConnection, these: Collection[str], *, locked: bool) -> dict[str, Head]:
    rows = await connection.execute(_LOCKED if locked else _HEADS, {"these": list(these)})
    return {engagement_id: Head(*standing) for engagement_id, *standing in rows}


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


async def save(connection: AsyncConnection, grown: Sequence[Growth]) -> None:
    """Write each engagement's row, the derived rows that differ from what was, and a snapshot when it is time.

    One statement a table, however many engagements there are. Rows that another version of the derivations wrote are
    replaced whole.
    """
    await _put_rows(connection, [one for one in grown if one.at is None or one.at.current])
    for one in grown:
        if one.at is not None and not one.at.current:
            await replace(connection, one.now)
    folds = folds_of(connection)
    for _, was, now in grown:
        folds.keep(now.id, now if was is not None else folds.sharing(now))


async def _put_rows(connection: AsyncConnection, grown: Sequence[Growth]) -> None:
    if new := [{"engagement_id": now.id, **derived.engagement_row(now)} for at, _, now in grown if at is None]:
        await connection.execute(_INSERT, new)
    if moved := [{"this": now.id, **derived.engagement_row(now)} for at, _, now in grown if at is not None]:
        await connection.execute(_UPDATE, moved)
    await _write(connection, [one.now for one in grown if _is_time(one)])
    await _apply(connection, [change for _, was, now in grown for change in derived.changes(was, now)])


def _is_time(one: Growth) -> bool:
    """Whether a snapshot is written."""
    return one.at is None or one.at.sequence // EVERY != one.now.sequence // EVERY


async def replace(connection: AsyncConnection, now: Engagement) -> None:
    """Write everything that is derived from an engagement, whatever stood there."""
    for table in (engagements, *derived.DERIVATIONS):
        await connection.execute(delete(table).where(table.c.engagement_id == now.id))
    await _put_rows(connection, [Growth(None, None, now)])


async def _write(connection: AsyncConnection, these: Sequence[Engagement]) -> None:
    if these:
        await connection.execute(putting(connection, snapshots), [_snapshot(one) for one in these])


def _snapshot(now: Engagement) -> dict[str, object]:
    row = {"engagement_id": now.id, "sequence": now.sequence, "read_model": derived.READ_MODEL}
    return {**row, "engagement": now.model_dump_json()}


async def _apply(connection: AsyncConnection, changes: Sequence[derived.Change]) -> None:
    for table in derived.DERIVATIONS:
        these = [change for change in changes if change.table is table]
        if gone := [key for change in these for key in change.gone]:
            await connection.execute(_DELETIONS[table], gone)
        if put := [row for change in these for row in change.put]:
            await connection.execute(putting(connection, table), put)


_DELETIONS = {
    table: delete(table).where(*(column == bindparam(derived.of(column.name)) for column in table.primary_key))
    for table in derived.DERIVATIONS
}
_UPDATE = update(engagements).where(engagements.c.engagement_id == bindparam("this"))
_INSERT = insert(engagements)
