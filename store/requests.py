"""What the front door remembers: launches in hand, requests it has answered, and refusals."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from programme.messages import PersonId

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
    """Reserve a trust and scope for a launch; returns the engagement that holds it (another one's id: refuse)."""
    raise NotImplementedError


async def release(connection: AsyncConnection, engagement_id: str) -> None:
    """Give a trust and scope back: the launch was refused, or the engagement has ended."""
    raise NotImplementedError


async def begin(  # noqa: PLR0913
    connection: AsyncConnection,
    person: PersonId,
    key: str,
    digest: str,
    command_id: str,
    engagement_id: str,
    now: datetime,
) -> Remembered:
    """What is remembered under this key; this request itself, where nothing was. Compare ``digest``: another body is 422."""
    raise NotImplementedError


async def answered(connection: AsyncConnection, person: PersonId, key: str, response: dict[str, Any]) -> None:
    """Remember the answer, for whoever repeats the request."""
    raise NotImplementedError


async def forget_old(connection: AsyncConnection, now: datetime) -> int:
    """Forget requests older than ``KEPT``; how many there were."""
    raise NotImplementedError


async def record_refusal(  # noqa: PLR0913
    connection: AsyncConnection, engagement_id: str, person: PersonId, command: str, code: str, at: datetime
) -> None:
    """Note a refusal: the command's kind and the refusal's name, nothing that was said."""
    raise NotImplementedError


async def refusal_counts(connection: AsyncConnection) -> dict[str, int]:
    """Refusals by code."""
    raise NotImplementedError
