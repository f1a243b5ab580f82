"""The outbox: messages that the core has issued and the post has still to deliver.

Rows come from the journal in its own transaction. They are not derived state: rebuilding never sends anything again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from programme.messages import Entry, PersonId
from programme.post import Invitation, Item, MessageIssued
from store.tables import outbox, outbox_rungs

Causes = Mapping[int, Sequence[str]]
"""The requests of which messages are a consequence (each a W3C ``traceparent``), by the entry that issues each."""
NO_CAUSES: Causes = {}

_Fired = set[tuple[str, PersonId, str]]  # task, person, rung


@dataclass(frozen=True, slots=True)
class Message:
    """A message to deliver. ``message`` is the sequence of the entry that issued it."""

    engagement_id: str
    message: int
    people: tuple[PersonId, ...]
    items: tuple[Item, ...]
    topic: str
    invitation: Invitation | None
    issued_at: datetime
    attempts: int
    caused_by: tuple[str, ...]  # the requests of which it is a consequence, as in ``Causes``


async def put(connection: AsyncConnection, engagement_id: str, entries: Sequence[Entry], causes: Causes) -> None:
    """Put what these new entries issue into the outbox; ``journal.append`` calls it.

    A rung that has gone out to a person is left out: the core sends each once, and the key here holds it to that.
    """
    issued = [(entry, entry.event) for entry in entries if isinstance(entry.event, MessageIssued)]
    if not issued:
        return
    named = {item.task for _, event in issued for item in event.items if item.task}
    fired = await _fired(connection, engagement_id, sorted(named))
    rows, rungs = list[dict[str, Any]](), list[dict[str, Any]]()
    for entry, event in issued:
        items = [item for item in event.items if not item.task or not _rungs(item, event.people) <= fired]
        fresh = {rung for item in items if item.task for rung in _rungs(item, event.people)} - fired
        if items:
            rows.append(_row(engagement_id, entry, event, items, causes.get(entry.sequence, ())))
        rungs += (_rung_row(engagement_id, entry.sequence, rung) for rung in sorted(fresh))
        fired |= fresh
    if rows:
        await connection.execute(insert(outbox), rows)
    if rungs:
        await connection.execute(insert(outbox_rungs), rungs)


def _row(
    engagement_id: str, entry: Entry, event: MessageIssued, items: Sequence[Item], caused_by: Sequence[str]
) -> dict[str, Any]:
    return {
        "engagement_id": engagement_id,
        "message": entry.sequence,
        "people": list(event.people),
        "items": [item.model_dump(mode="json") for item in items],
        "topic": event.topic,
        "invitation": event.invitation and event.invitation.model_dump(mode="json"),
        "issued_at": entry.at,
        "attempts": 0,
        "caused_by": list(caused_by) or None,
    }


async def _fired(connection: AsyncConnection, engagement_id: str, tasks: Sequence[str]) -> _Fired:
    if not tasks:
        return set()
    columns = outbox_rungs.c.task_id, outbox_rungs.c.person_id, outbox_rungs.c.rung
    query = select(*columns).where(outbox_rungs.c.engagement_id == engagement_id, outbox_rungs.c.task_id.in_(tasks))
    return {(row.task_id, row.person_id, row.rung) for row in await connection.execute(query)}


def _rungs(item: Item, people: tuple[PersonId, ...]) -> _Fired:
    return {(item.task, person, item.rung) for person in people}


def _rung_row(engagement_id: str, message: int, rung: tuple[str, PersonId, str]) -> dict[str, Any]:
    task, person, name = rung
    return {"engagement_id": engagement_id, "task_id": task, "person_id": person, "rung": name, "message": message}


_WAITS = outbox.c.sent_at.is_(None) & outbox.c.given_up_at.is_(None)


async def due(connection: AsyncConnection, engagement_id: str, now: datetime) -> list[Message]:
    """What waits to be delivered, the oldest first: issued by ``now``, neither sent nor given up."""
    query = (
        select(outbox)
        .where(outbox.c.engagement_id == engagement_id, outbox.c.issued_at <= now, _WAITS)
        .order_by(outbox.c.message)
    )
    return [_message(row) for row in await connection.execute(query)]


async def waiting(connection: AsyncConnection, now: datetime) -> list[str]:
    """The engagements in whose outbox something waits."""
    query = select(outbox.c.engagement_id).where(outbox.c.issued_at <= now, _WAITS).distinct()
    return sorted((await connection.execute(query)).scalars())


async def mark_attempt(connection: AsyncConnection, engagement_id: str, message: int) -> bool:
    """Count an attempt, before it is made. False where nothing waits: it was sent or given up meanwhile."""
    return await _mark(connection, engagement_id, message, attempts=outbox.c.attempts + 1)


async def mark_sent(connection: AsyncConnection, engagement_id: str, message: int, at: datetime) -> None:
    """The mail server took the message."""
    await _mark(connection, engagement_id, message, sent_at=at)


async def mark_given_up(connection: AsyncConnection, engagement_id: str, message: int, at: datetime) -> None:
    """Nobody could be given the message; it is not tried again."""
    await _mark(connection, engagement_id, message, given_up_at=at)


async def _mark(connection: AsyncConnection, engagement_id: str, message: int, **values: Any) -> bool:
    this = (outbox.c.engagement_id == engagement_id) & (outbox.c.message == message)
    marked = await connection.execute(update(outbox).where(this, _WAITS).values(**values))
    return marked.rowcount > 0


def _message(row: Row[Any]) -> Message:
    return Message(
        engagement_id=row.engagement_id,
        message=row.message,
        people=tuple(row.people),
        items=tuple(Item.model_validate(item) for item in row.items),
        topic=row.topic,
        invitation=Invitation.model_validate(row.invitation) if row.invitation else None,
        issued_at=row.issued_at,
        attempts=row.attempts,
        caused_by=tuple(row.caused_by or ()),
    )
