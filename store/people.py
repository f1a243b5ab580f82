"""Names, addresses and tokens. Elsewhere a person is an opaque id, so that erasure has one place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from programme.messages import PersonId

TokenRole = Literal["programme_manager", "auditor", "participant"]


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
    """The ids of people given as (name, e-mail), in that order; whoever has the e-mail already keeps id and name."""
    raise NotImplementedError


async def address(connection: AsyncConnection, person_id: PersonId) -> Address | None:
    """How to reach a person; None where the person is not known."""
    raise NotImplementedError


async def addresses(connection: AsyncConnection, person_ids: Sequence[PersonId]) -> dict[PersonId, Address]:
    """How to reach several people; whoever is not known is missing."""
    raise NotImplementedError


async def create_token(connection: AsyncConnection, person_id: PersonId, role: TokenRole) -> str:
    """A new bearer token. It is shown once: only its digest is kept."""
    raise NotImplementedError


async def person_of(connection: AsyncConnection, token: str) -> TokenHolder | None:
    """Whose token this is; None where it is unknown or revoked."""
    raise NotImplementedError


async def revoke(connection: AsyncConnection, token: str) -> bool:
    """End a token. False where there was none in force."""
    raise NotImplementedError


async def revoke_all(connection: AsyncConnection, person_id: PersonId) -> int:
    """End every token of a person; how many there were."""
    raise NotImplementedError
