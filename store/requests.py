"""What the front door remembers: launches in hand, requests it has answered, and refusals."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from uuid6 import uuid7

from programme.messages import PersonId
from store.database import insert_unless_there
from store.tables import engagements, idempotency, refusals, reservations

ABANDONED_AFTER = timedelta(days=1)  # a reservation without an engagement: its launch never came to anything
KEPT = timedelta(days=30)  # answers to repeated requests


@dataclass(frozen=True, slots=True)
class Remembered:
    """A request under an idempotency key. ``response`` None: it is in hand, and its command may be sent again."""

    digest: str
    command_id: str
    engagement_id: str
    response: dict[str, Any] | None


def scope_key(scope: str) -> str:
    """A scope as it is compared: without case and superfluous spaces."""
    return " ".join(scope.split()).casefold()


async def reserve(connection: AsyncConnection, engagement_id: str, ods_code: str, scope: str, now: datetime) -> str:
    """Reserve a trust and scope for a launch; returns the engagement that holds it (another one's id: refuse).

    It is held until the engagement ends or the launch is given up, so the same trust and scope cannot be open twice.
    """
    this = (reservations.c.ods_code == ods_code) & (reservations.c.scope_key == scope_key(scope))
    registered = select(engagements.c.engagement_id).where(engagements.c.engagement_id == reservations.c.engagement_id)
    abandoned = (reservations.c.reserved_at < now - ABANDONED_AFTER) & ~registered.exists()
    await connection.execute(delete(reservations).where(this, abandoned))
    row = {"ods_code": ods_code, "scope_key": scope_key(scope), "engagement_id": engagement_id, "reserved_at": now}
    await connection.execute(insert_unless_there(connection, reservations), row)
    return str((await connection.execute(select(reservations.c.engagement_id).where(this))).scalar_one())


async def release(connection: AsyncConnection, engagement_id: str) -> None:
    """Give a trust and scope back: the launch was refused, or the engagement has ended."""
    await connection.execute(delete(reservations).where(reservations.c.engagement_id == engagement_id))


async def begin(
    connection: AsyncConnection, person: PersonId, key: str, wanted: Remembered, now: datetime
) -> Remembered:
    """What is remembered under this key; from now on ``wanted`` itself, where nothing was.

    Compare ``digest``: another one is the same key with another body.
    """
    row = {"person_id": person, "key": key, "created": now, **asdict(wanted)}
    await connection.execute(insert_unless_there(connection, idempotency), row)
    columns = idempotency.c.digest, idempotency.c.command_id, idempotency.c.engagement_id, idempotency.c.response
    found = await connection.execute(select(*columns).where(_under(person, key)))
    return Remembered(*found.one())


async def remembered(connection: AsyncConnection, person: PersonId, key: str) -> Remembered | None:
    """What is remembered under this key; None where it was not used, or long ago."""
    columns = idempotency.c.digest, idempotency.c.command_id, idempotency.c.engagement_id, idempotency.c.response
    found = (await connection.execute(select(*columns).where(_under(person, key)))).one_or_none()
    return Remembered(*found) if found else None


async def answered(connection: AsyncConnection, person: PersonId, key: str, response: dict[str, Any]) -> None:
    """Remember the answer, for whoever repeats the request."""
    await connection.execute(update(idempotency).where(_under(person, key)).values(response=response))


async def forget(connection: AsyncConnection, person: PersonId, key: str) -> None:
    """Forget a request that came to nothing, so that its key may be used again."""
    await connection.execute(delete(idempotency).where(_under(person, key), idempotency.c.response.is_(None)))


async def forget_old(connection: AsyncConnection, now: datetime) -> int:
    """Forget requests older than ``KEPT``; how many there were."""
    return (await connection.execute(delete(idempotency).where(idempotency.c.created < now - KEPT))).rowcount


def _under(person: PersonId, key: str) -> Any:
    return (idempotency.c.person_id == person) & (idempotency.c.key == key)


async def record_refusal(
    connection: AsyncConnection, engagement_id: str, person: PersonId, command: str, code: str, at: datetime
) -> None:
    """Note a refusal: the command's kind and the refusal's name, nothing that was said."""
    row = {"refusal_id": str(uuid7()), "engagement_id": engagement_id, "person_id": person}
    await connection.execute(insert(refusals), {**row, "command": command, "code": code, "at": at})


async def refusal_counts(connection: AsyncConnection) -> dict[str, int]:
    """Refusals by code."""
    counted = select(refusals.c.code, func.count().label("number")).group_by(refusals.c.code)
    return {row.code: row.number for row in await connection.execute(counted)}
