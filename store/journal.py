"""The journal: entries of an engagement, each once, in order, chained by digest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from programme.engagement import RecordedEntry
from programme.messages import PersonId


class JournalGap(Exception):  # noqa: N818 - an answer to the workflow, not a fault
    """The tail starts too late; send it again from ``expected`` on."""

    def __init__(self, expected: int) -> None:
        super().__init__(f"The journal expects entry {expected} next.")
        self.expected = expected


class JournalFork(Exception):  # noqa: N818 - an alarm, named for what it finds
    """The journal holds another entry at this sequence: two histories of one engagement. Somebody must look."""

    def __init__(self, sequence: int) -> None:
        super().__init__(f"The journal holds another entry {sequence}. Nothing was appended.")
        self.sequence = sequence


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
        """The entry, read from its bytes."""
        raise NotImplementedError


async def append(connection: AsyncConnection, engagement_id: str, entries: Sequence[RecordedEntry]) -> int:
    """Append entries, each once, and fold the read model; returns the last sequence in the journal.

    Entries that are there already are compared and passed over, so the same tail may come any number of times.

    Raises:
        JournalGap: the entries start too late.
        JournalFork: another entry stands at a sequence of theirs.
    """
    raise NotImplementedError


async def recorded(connection: AsyncConnection, engagement_id: str, entries: Sequence[RecordedEntry]) -> int | None:
    """The last sequence in the journal if it holds all these entries already, else None; needs no write lock.

    Raises:
        JournalFork: as ``append``.
    """
    raise NotImplementedError


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
    raise NotImplementedError
