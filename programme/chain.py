"""The digest chain of the journal: canonical bytes (RFC 8785) and SHA-256, made in the core.

Temporal's state and the database are two independent witnesses of the same chain, and must agree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

import rfc8785

from programme.messages import Entry, Event
from programme.working_time import at_local, local_date

if TYPE_CHECKING:
    from programme.part import Asked

GENESIS = "0" * 64


class BrokenChain(Exception):  # noqa: N818 - an alarm, named for what it finds
    """An entry does not follow on the one before it."""


def instant(at: datetime) -> str:
    """An instant as the journal writes it: RFC 3339, UTC, six digits."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical(entry: Entry) -> bytes:
    """The bytes over which an entry's digest is taken: everything of the entry but the digest itself."""
    content: dict[str, Any] = {
        "sequence": entry.sequence,
        "at": instant(entry.at),
        "actor": entry.actor,
        "on_behalf_of": entry.on_behalf_of,
        "event": entry.event.model_dump(mode="json"),
        "previous_digest": entry.previous_digest,
    }
    return rfc8785.dumps(content)


def digest_of(body: bytes) -> str:
    """The digest of canonical bytes, in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def record(sequence: int, digest: str, events: Sequence[Event], asked: Asked) -> list[Entry]:
    """Chain events to an entry with this sequence and digest."""
    entries = []
    for event in events:
        sequence += 1
        entry = Entry(
            sequence=sequence,
            at=at_local(local_date(asked.at), time(0)) if event.by_day else asked.at,
            actor=asked.by,
            on_behalf_of=asked.on_behalf_of,
            event=event,
            previous_digest=digest,
            digest="",
        )
        digest = digest_of(canonical(entry))
        entries.append(entry.model_copy(update={"digest": digest}))
    return entries


def check_follows(sequence: int, digest: str, entry: Entry, body: bytes | None = None) -> None:
    """Hold an entry against the last one. ``body``: the bytes that were stored, where they were.

    Stored bytes are verified as they are: a build that has since given an event a further field would write others.

    Raises:
        BrokenChain: a gap, a fork, or a digest that is not that of the content.
    """
    if entry.sequence != sequence + 1 or entry.previous_digest != digest:
        message = f"Entry {entry.sequence} does not follow on entry {sequence}."
        raise BrokenChain(message)
    if digest_of(canonical(entry) if body is None else body) != entry.digest:
        message = f"The content of entry {entry.sequence} is not what its digest was taken over."
        raise BrokenChain(message)
