"""What people read: the engagement folded by the core, and rows derived from it by pure functions."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from programme.engagement import Engagement


async def standing(connection: AsyncConnection, engagement_id: str) -> Engagement | None:
    """The engagement as of the last entry in the journal; None where there is none."""
    raise NotImplementedError


async def as_of(connection: AsyncConnection, engagement_id: str, at: datetime) -> Engagement:
    """The engagement as it was at an instant: the fold stops before the first later entry."""
    raise NotImplementedError


async def rebuild(connection: AsyncConnection, engagement_id: str) -> list[str]:
    """Fold the journal again, put right what differs, and say what did: one sentence a difference.

    Needs a writing connection. The journal itself is only read: a broken chain is reported, never mended.
    """
    raise NotImplementedError
