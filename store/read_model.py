"""What people read: the engagement folded by the core, and rows derived from it by pure functions."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from programme import chain
from programme.engagement import Engagement, evolve
from programme.post import MessageIssued
from store import derived, snapshots
from store.entries import StoredEntry, every, first_after
from store.tables import engagements, outbox
from store.tables import snapshots as stored


async def standing(connection: AsyncConnection, engagement_id: str) -> Engagement | None:
    """The engagement as of the last entry in the journal; None where there is none."""
    head = await snapshots.head(connection, engagement_id)
    return await snapshots.folded(connection, engagement_id, head) if head else None


async def as_of(connection: AsyncConnection, engagement_id: str, at: datetime) -> Engagement:
    """The engagement as it was at an instant: the fold stops before the first later entry.

    What is kept by its day alone (a completed questionnaire) counts from the beginning of that day, unless something
    later stands before it.
    """
    later = await first_after(connection, engagement_id, at)
    if later is None:
        return await standing(connection, engagement_id) or Engagement()
    return await snapshots.refolded(connection, engagement_id, before=later)


async def rebuild(connection: AsyncConnection, engagement_id: str) -> list[str]:
    """Fold the journal again, put right what differs, and say what did: one sentence a difference.

    Needs a writing connection. The journal itself is only read: a broken chain is reported, never mended, and then
    nothing is put right.
    """
    head = await snapshots.head(connection, engagement_id, lock=True)
    engagement, messages, differences = await _refold(connection, engagement_id)
    if differences:
        return differences
    if engagement.sequence == 0:
        return [] if head is None else ["The journal holds nothing of this engagement"]
    derived_differ = await _differences(connection, engagement, head)
    if derived_differ:
        await snapshots.replace(connection, engagement)
    return [*derived_differ, *await _unposted(connection, engagement_id, messages)]


async def _refold(connection: AsyncConnection, engagement_id: str) -> tuple[Engagement, list[int], list[str]]:
    """The engagement, the messages it has issued, and what is wrong with the journal itself."""
    engagement, messages = Engagement(), list[int]()
    async for line in every(connection, engagement_id):
        entry = line.entry
        if wrong := [f"Entry {line.sequence}: column '{name}' contradicts its content" for name in _misfits(line)]:
            return engagement, messages, wrong
        try:
            engagement = evolve(engagement, entry, line.body)
        except chain.BrokenChain as broken:
            return engagement, messages, [str(broken)]
        if isinstance(entry.event, MessageIssued):
            messages.append(line.sequence)
    return engagement, messages, []


def _misfits(line: StoredEntry) -> Iterator[str]:
    """The columns that do not say what the digested bytes say."""
    entry = line.entry
    content = {
        "sequence": entry.sequence,
        "at": entry.at,
        "actor_id": entry.actor,
        "on_behalf_of": entry.on_behalf_of,
        "kind": entry.event.kind,
        "previous_digest": entry.previous_digest,
    }
    return (name for name, value in content.items() if getattr(line, name) != value)


async def _differences(connection: AsyncConnection, engagement: Engagement, head: snapshots.Head | None) -> list[str]:
    if head is None:
        return ["The engagement is missing from the read model"]
    found = [f"Engagement: column '{name}' differs" for name in await _columns_differ(connection, engagement)]
    found += [f"Snapshot: '{name}' differs" for name in await _snapshot_differs(connection, engagement.id)]
    for table in derived.DERIVATIONS:
        stored, expected = await stored_rows(connection, table, engagement.id), derived.rows(table, engagement)
        found += [
            f"Table '{table.name}': row {_named(key)} {_wrong(key, stored, expected)}"
            for key in dict.fromkeys((*expected, *stored))
            if stored.get(key) != expected.get(key)
        ]
    return found


def _wrong(key: derived.Key, stored: derived.Rows, expected: derived.Rows) -> str:
    if key not in stored:
        return "is missing"
    return "differs" if key in expected else "should not be there"


async def _columns_differ(connection: AsyncConnection, engagement: Engagement) -> list[str]:
    """The columns of the engagement's row that are not what the fold says."""
    query = select(engagements).where(engagements.c.engagement_id == engagement.id)
    row = (await connection.execute(query)).one()._asdict()
    return [name for name, value in derived.engagement_row(engagement).items() if row[name] != value]


async def _snapshot_differs(connection: AsyncConnection, engagement_id: str) -> list[str]:
    """The fields of the snapshot that are not what the fold up to its entry says."""
    query = select(stored.c.sequence, stored.c.read_model, stored.c.engagement)
    row = (await connection.execute(query.where(stored.c.engagement_id == engagement_id))).one_or_none()
    if row is None or row.read_model != derived.READ_MODEL:
        return []  # nobody reads it: then the engagement is folded from the beginning
    folded = await snapshots.refolded(connection, engagement_id, before=row.sequence + 1)
    found, expected = _fields(row.engagement), folded.model_dump(mode="json")
    return [name for name in sorted({*found, *expected}) if found.get(name) != expected.get(name)]


def _fields(snapshot: str) -> dict[str, Any]:
    try:
        content = json.loads(snapshot)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


async def stored_rows(connection: AsyncConnection, table: Table, engagement_id: str) -> derived.Rows:
    """The rows of a derived table as they are stored, to be held against ``derived.rows``."""
    keys = derived.key_columns(table)
    rows = await connection.execute(select(table).where(table.c.engagement_id == engagement_id))
    found = {}
    for row in rows:
        content = row._asdict()
        del content["engagement_id"]
        found[tuple(content.pop(name) for name in keys)] = content
    return found


async def _unposted(connection: AsyncConnection, engagement_id: str, messages: list[int]) -> list[str]:
    """Messages that the journal issued and the outbox has never held. They are reported, not sent."""
    query = select(outbox.c.message).where(outbox.c.engagement_id == engagement_id)
    held = set((await connection.execute(query)).scalars())
    return [f"Message {message} is missing from the outbox" for message in messages if message not in held]


def _named(key: derived.Key) -> str:
    return "/".join(str(part) for part in key)
