"""Names, addresses and tokens. Elsewhere a person is an opaque id, so that erasure has one place."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, cast

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from uuid6 import uuid7

from programme.messages import PersonId
from store.database import insert_unless_there
from store.tables import memberships, people, tokens

TokenRole = Literal["programme_manager", "auditor", "participant"]
_TOKEN_BYTES = 32
_PREFIX = "olive_"  # lets a secret scanner recognise a token that ended up where it should not


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """Whose token it is, and the part for which it was made."""

    person_id: PersonId
    role: TokenRole


@dataclass(frozen=True, slots=True)
class Address:
    """How to reach a person."""

    name: str
    email: str


async def add_people(connection: AsyncConnection, named: Sequence[tuple[str, str]]) -> list[PersonId]:
    """The ids of people given as (name, e-mail), in that order; whoever has the e-mail already keeps id and name.

    Raises:
        ValueError: a name or address holds a line break, which would let it write mail headers.
    """
    keys = [_email_key(email) for _, email in named]
    if not keys:
        return []
    rows = {
        key: {"person_id": str(uuid7()), "name": _line(name), "email": _line(email), "email_key": key}
        for key, (name, email) in reversed(list(zip(keys, named, strict=True)))
    }
    await connection.execute(insert_unless_there(connection, people), [rows[key] for key in sorted(rows)])
    found = await connection.execute(select(people.c.email_key, people.c.person_id).where(people.c.email_key.in_(rows)))
    ids = {row.email_key: row.person_id for row in found}
    return [ids[key] for key in keys]


def _email_key(email: str) -> str:
    return email.strip().casefold()


def _line(text: str) -> str:
    if "\r" in text or "\n" in text:
        raise ValueError("a name or address is a single line")
    return text.strip()


async def address(connection: AsyncConnection, person_id: PersonId) -> Address | None:
    """How to reach a person; None where the person is not known."""
    return (await addresses(connection, [person_id])).get(person_id)


async def addresses(connection: AsyncConnection, person_ids: Sequence[PersonId]) -> dict[PersonId, Address]:
    """How to reach several people; whoever is not known is missing."""
    query = select(people.c.person_id, people.c.name, people.c.email).where(people.c.person_id.in_(person_ids))
    return {row.person_id: Address(row.name, row.email) for row in await connection.execute(query)}


async def person_with(connection: AsyncConnection, email: str) -> PersonId | None:
    """Whose e-mail address this is."""
    query = select(people.c.person_id).where(people.c.email_key == _email_key(email))
    return (await connection.execute(query)).scalar_one_or_none()


async def create_token(connection: AsyncConnection, person_id: PersonId, role: TokenRole) -> str:
    """A new bearer token. It is shown once: only its digest is kept."""
    token = _PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
    row = {"digest": _digest(token), "person_id": person_id, "role": role, "created": datetime.now(UTC)}
    await connection.execute(insert(tokens), row)
    return token


async def person_of(connection: AsyncConnection, token: str) -> TokenHolder | None:
    """Whose token this is; None where it is unknown or revoked."""
    row = (await connection.execute(_HOLDER, {"digest": _digest(token)})).one_or_none()
    return TokenHolder(row.person_id, cast("TokenRole", row.role)) if row else None


async def visitor_of(
    connection: AsyncConnection, token: str, engagement_id: str
) -> tuple[TokenHolder, tuple[str, ...] | None] | None:
    """Whose token this is, and the parts that the person holds or is offered in an engagement; one statement.

    None: the token is unknown or revoked. Parts None: not a member, so the engagement does not exist for this person.
    """
    this = {"digest": _digest(token), "engagement": engagement_id}
    row = (await connection.execute(_VISITOR, this)).one_or_none()
    if row is None:
        return None
    member = row.roles is not None
    return TokenHolder(row.person_id, row.role), tuple(sorted({*row.roles, *row.offered})) if member else None


_HOLDER = select(tokens.c.person_id, tokens.c.role).where(
    tokens.c.digest == bindparam("digest"), tokens.c.revoked.is_(None)
)
_VISITOR = _HOLDER.add_columns(memberships.c.roles, memberships.c.offered).join_from(
    tokens,
    memberships,
    (memberships.c.person_id == tokens.c.person_id) & (memberships.c.engagement_id == bindparam("engagement")),
    isouter=True,
)


async def revoke(connection: AsyncConnection, token: str) -> bool:
    """End a token. False where there was none in force."""
    ended = update(tokens).where(tokens.c.digest == _digest(token), tokens.c.revoked.is_(None))
    return (await connection.execute(ended.values(revoked=datetime.now(UTC)))).rowcount > 0


async def revoke_all(connection: AsyncConnection, person_id: PersonId) -> int:
    """End every token of a person; how many there were."""
    ended = update(tokens).where(tokens.c.person_id == person_id, tokens.c.revoked.is_(None))
    return (await connection.execute(ended.values(revoked=datetime.now(UTC)))).rowcount


def _digest(token: str) -> str:
    # A token is 256 random bits, so nothing slower than one SHA-256 is needed to keep it from being guessed.
    return hashlib.sha256(token.encode()).hexdigest()
