"""The journal: entries of an engagement, each once, in order, chained by digest; and all that follows from them.

Whoever holds entries that Temporal has made durable may append them: the front door at once, the workflow a moment
later. Everything happens in the caller's transaction, or nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from programme import chain
from programme.engagement import Engagement, RecordedEntry, evolve
from store import confidential, outbox, requests, snapshots
from store.entries import StoredEntry, digests, entries
from store.outbox import NO_CAUSES, Causes
from store.snapshots import Growth, Head
from store.tables import journal

__all__ = ["JournalFork", "JournalGap", "StoredEntry", "Tail", "append", "append_all", "entries", "reached", "recorded"]


_INSERT = insert(journal)


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


class Tail(NamedTuple):
    """Entries to append to one engagement. ``causes``: what the outbox keeps of a message, by the entry's sequence."""

    entries: Sequence[RecordedEntry]
    causes: Causes = NO_CAUSES


async def append(
    connection: AsyncConnection,
    engagement_id: str,
    entries: Sequence[RecordedEntry],
    causes: Causes = NO_CAUSES,
) -> int:
    """Append to one engagement; returns the last sequence in its journal. The rest as ``append_all``."""
    return (await append_all(connection, {engagement_id: Tail(entries, causes)}))[engagement_id]


async def append_all(connection: AsyncConnection, tails: Mapping[str, Tail]) -> dict[str, int]:
    """Append entries, each once, and fold the read model; returns the last sequence in the journal of each engagement.

    Entries that are there already are compared and passed over, so the same tail may come any number of times. With
    many engagements there are as many statements as with one.

    Raises:
        JournalGap: the entries start too late.
        JournalFork: another entry stands at a sequence of theirs.
        programme.chain.BrokenChain: they do not follow on each other, or their content is not what was digested.
    """
    heads = await snapshots.heads(connection, tails, lock=True)
    additions = list[_Addition]()
    for engagement_id, tail in sorted(tails.items()):
        addition = await _addition(connection, engagement_id, heads.get(engagement_id), tail.entries)
        if addition is not None:
            additions.append(addition)
    if additions:
        await connection.execute(_INSERT, [line for one in additions for line in one.lines()])
        await snapshots.save(connection, [one.growth for one in additions])
    for one in additions:
        now = one.growth.now
        await outbox.put(connection, now.id, one.fresh, tails[now.id].causes)
        await confidential.claim(connection, now.id, confidential.named_in(one.bodies))
        await _let_go(connection, one.growth.was or Engagement(), now)
    stood = {engagement_id: heads[engagement_id].sequence if engagement_id in heads else 0 for engagement_id in tails}
    return stood | {one.growth.now.id: one.growth.now.sequence for one in additions}


class _Addition(NamedTuple):
    """What is new of one engagement: its entries, the bytes of each, and what they make of the engagement."""

    growth: Growth
    fresh: Sequence[RecordedEntry]
    bodies: list[bytes]

    def lines(self) -> Iterator[dict[str, object]]:
        return (_line(self.growth.now.id, *one) for one in zip(self.fresh, self.bodies, strict=True))


async def _addition(
    connection: AsyncConnection, engagement_id: str, head: Head | None, entries: Sequence[RecordedEntry]
) -> _Addition | None:
    last = head.sequence if head else 0
    await _compare(connection, engagement_id, [entry for entry in entries if entry.sequence <= last])
    fresh = [entry for entry in entries if entry.sequence > last]
    if not fresh:
        return None
    if fresh[0].sequence != last + 1:
        raise JournalGap(last + 1)
    if fresh[0].previous_digest != (head.digest if head else chain.GENESIS):
        raise JournalFork(last)
    was = await snapshots.folded(connection, engagement_id, head) if head else None
    now, bodies = _fold(was or Engagement(), fresh)
    if now.id != engagement_id:
        message = "These entries belong to another engagement."
        raise chain.BrokenChain(message)
    return _Addition(Growth(head, was, now), fresh, bodies)


async def _let_go(connection: AsyncConnection, before: Engagement, after: Engagement) -> None:
    """What is not kept once something has ended: answers that nobody will publish, the hold on trust and scope."""
    for run in confidential.abandoned(after) - confidential.abandoned(before):
        await confidential.abandon(connection, run)
    if after.ended and not before.ended:
        await requests.release(connection, after.id)


async def recorded(connection: AsyncConnection, engagement_id: str, entries: Sequence[RecordedEntry]) -> int | None:
    """The last sequence in the journal if it holds all these entries already, else None; needs no write lock.

    Raises:
        JournalFork: as ``append``.
    """
    head = await snapshots.head(connection, engagement_id)
    last = head.sequence if head else 0
    if any(entry.sequence > last for entry in entries):
        return None
    await _compare(connection, engagement_id, entries)
    return last


async def reached(connection: AsyncConnection, engagement_id: str, sequence: int, digest: str) -> int:
    """The last sequence in the journal, which agrees with whoever holds this entry where it has come that far.

    Raises:
        JournalFork: another entry stands at this sequence, or one before it differs.
    """
    head = await snapshots.head(connection, engagement_id)
    last = head.sequence if head else 0
    if last < sequence:
        return last
    stored = await digests(connection, engagement_id, sequence, sequence)
    if stored.get(sequence) != digest:
        raise JournalFork(sequence)
    return last


async def _compare(connection: AsyncConnection, engagement_id: str, known: Sequence[RecordedEntry]) -> None:
    if not known:
        return
    stored = await digests(connection, engagement_id, known[0].sequence, known[-1].sequence)
    for entry in known:
        if stored.get(entry.sequence) != entry.digest:
            raise JournalFork(entry.sequence)


def _fold(engagement: Engagement, fresh: Sequence[RecordedEntry]) -> tuple[Engagement, list[bytes]]:
    bodies = []
    for entry in fresh:
        body = chain.canonical(entry)
        engagement = evolve(engagement, entry, body)
        bodies.append(body)
    return engagement, bodies


def _line(engagement_id: str, entry: RecordedEntry, body: bytes) -> dict[str, object]:
    return {
        "engagement_id": engagement_id,
        "sequence": entry.sequence,
        "at": entry.at,
        "actor_id": entry.actor,
        "on_behalf_of": entry.on_behalf_of,
        "kind": entry.event.kind,
        "body": body,
        "previous_digest": entry.previous_digest,
        "digest": entry.digest,
    }
