"""The outbox: messages that the core has issued and the post has still to deliver."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from programme.messages import PersonId
from programme.post import Invitation, Item


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


async def due(connection: AsyncConnection, engagement_id: str, now: datetime) -> list[Message]:
    """What waits to be delivered, the oldest first: issued by ``now``, neither sent nor given up."""
    raise NotImplementedError


async def waiting(connection: AsyncConnection, now: datetime) -> list[str]:
    """The engagements in whose outbox something waits."""
    raise NotImplementedError


async def mark_attempt(connection: AsyncConnection, engagement_id: str, message: int) -> None:
    """Count an attempt, before it is made."""
    raise NotImplementedError


async def mark_sent(connection: AsyncConnection, engagement_id: str, message: int, at: datetime) -> None:
    """The mail server took the message."""
    raise NotImplementedError


async def mark_given_up(connection: AsyncConnection, engagement_id: str, message: int, at: datetime) -> None:
    """Nobody could be given the message; it is not tried again."""
    raise NotImplementedError
