"""Reading the journal."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from programme.engagement import RecordedEntry
from programme.messages import PersonId
from store.tables import journal

BATCH = 200  # entries folded before other work gets its turn


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A line of the journal as it is stored. ``body`` is what the digest was taken over."""

    sequence: int
    at: datetime
    actor_id: PersonId
    on_behalf_of: PersonId | None
    kind: str
    body: bytes
    previous_digest: str
    digest: str

    @property
    def entry(self) -> RecordedEntry:
        """The entry, read from its bytes and from nothing else."""
        return RecordedEntry.model_validate({**json.loads(self.body), "digest": self.digest})


_LINE = (
    journal.c.sequence,
    journal.c.at,
    journal.c.actor_id,
    journal.c.on_behalf_of,
    journal.c.kind,
    journal.c.body,
    journal.c.previous_digest,
    journal.c.digest,
)


async def entries(  # noqa: PLR0913 - the filters of the history
    connection: AsyncConnection,
    engagement_id: str,
    *,
    after: int = 0,
    until: datetime | None = None,
    limit: int = 200,
    kind: str | None = None,
    actor: PersonId | None = None,
) -> list[StoredEntry]:
    """The next entries after a sequence, oldest first; ``until`` leaves out what happened later than that instant."""
    query = select(*_LINE).where(journal.c.engagement_id == engagement_id, journal.c.sequence > after)
    if until is not None:
        query = query.where(journal.c.at <= until)
    if kind is not None:
        query = query.where(journal.c.kind == kind)
    if actor is not None:
        query = query.where(journal.c.actor_id == actor)
    rows = await connection.execute(query.order_by(journal.c.sequence).limit(limit))
    return [StoredEntry(*row) for row in rows]


async def every(
    connection: AsyncConnection, engagement_id: str, *, after: int = 0, before: int | None = None
) -> AsyncIterator[StoredEntry]:
    """All entries later than ``after``, the oldest first; up to but not including the sequence ``before``."""
    last = after
    while batch := await entries(connection, engagement_id, after=last, limit=BATCH):
        for line in batch:
            if before is not None and line.sequence >= before:
                return
            yield line
        if len(batch) < BATCH:
            return
        last = batch[-1].sequence


async def first_after(connection: AsyncConnection, engagement_id: str, at: datetime) -> int | None:
    """The sequence of the first entry later than an instant."""
    later = select(func.min(journal.c.sequence)).where(journal.c.engagement_id == engagement_id, journal.c.at > at)
    found: int | None = (await connection.execute(later)).scalar_one()
    return found


async def digests(connection: AsyncConnection, engagement_id: str, first: int, last: int) -> dict[int, str]:
    """The digests of the entries from ``first`` to ``last``."""
    these = {"this": engagement_id, "first": first, "last": last}
    return {row.sequence: row.digest for row in await connection.execute(_DIGESTS, these)}


_DIGESTS = select(journal.c.sequence, journal.c.digest).where(
    journal.c.engagement_id == bindparam("this"),
    journal.c.sequence.between(bindparam("first"), bindparam("last")),
)
