"""Lists for people, straight from rows: each page starts after a cursor, so it costs the same however long the list is."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from programme.messages import PersonId
from store.journal import StoredEntry

LIMIT = 50
MOST = 200
Row = TypeVar("Row")


class BadCursor(ValueError):
    """The cursor was not made by this list."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows, and the cursor of the rows after them (None: there are none)."""

    items: tuple[Row, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class EngagementRow:
    """An engagement in a list, with the parts that the person who looks holds in it."""

    engagement_id: str
    sequence: int
    ods_code: str
    scope: str
    stage: str
    cycle: int
    progress: str
    paused: bool
    registered: date | None
    next_due: datetime | None
    ended: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task in an inbox."""

    engagement_id: str
    task_id: str
    person_id: PersonId
    about: str
    command: str
    title: str
    opened: date
    due: date | None
    why: str
    provisional: bool
    side: str | None


@dataclass(frozen=True, slots=True)
class ActionRow:
    """An action in the register."""

    action_id: str
    cycle: int
    state: str
    title: str
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A joint session."""

    session_id: str
    cycle: int
    letter: str
    state: str
    held: date | None
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A challenge review."""

    review_id: str
    cycle: int
    external: bool
    state: str
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PointRow:
    """A point of a measure."""

    period: date
    value: Decimal
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class MeasureRow:
    """A measure with all its points, the oldest first."""

    measure_id: str
    title: str
    content: dict[str, Any]
    points: tuple[PointRow, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """What the metrics show."""

    open_by_stage: dict[str, int]
    overdue_tasks: int
    outbox_waiting: int
    outbox_oldest: datetime | None
    journal_entries: int


async def engagements(
    connection: AsyncConnection, person: PersonId, *, cursor: str | None = None, limit: int = LIMIT
) -> Page[EngagementRow]:
    """The engagements in which a person holds or is offered a part."""
    raise NotImplementedError


async def roles_in(connection: AsyncConnection, engagement_id: str, person: PersonId) -> tuple[str, ...] | None:
    """The parts that a person holds in an engagement; None: not a member, so it does not exist for this person."""
    raise NotImplementedError


async def inbox(
    connection: AsyncConnection, person: PersonId, *, cursor: str | None = None, limit: int = LIMIT
) -> Page[TaskRow]:
    """What a person owes, in all engagements, the earliest due first."""
    raise NotImplementedError


async def tasks(
    connection: AsyncConnection, engagement_id: str, *, cursor: str | None = None, limit: int = LIMIT
) -> Page[TaskRow]:
    """What everybody owes in an engagement, the earliest due first."""
    raise NotImplementedError


async def actions(
    connection: AsyncConnection, engagement_id: str, *, cursor: str | None = None, limit: int = LIMIT
) -> Page[ActionRow]:
    """The actions of an engagement."""
    raise NotImplementedError


async def sessions(
    connection: AsyncConnection, engagement_id: str, *, cursor: str | None = None, limit: int = LIMIT
) -> Page[SessionRow]:
    """The joint sessions of an engagement."""
    raise NotImplementedError


async def reviews(
    connection: AsyncConnection, engagement_id: str, *, cursor: str | None = None, limit: int = LIMIT
) -> Page[ReviewRow]:
    """The challenge reviews of an engagement."""
    raise NotImplementedError


async def measures(
    connection: AsyncConnection, engagement_id: str, *, cursor: str | None = None, limit: int = LIMIT
) -> Page[MeasureRow]:
    """The measures of an engagement, with their points."""
    raise NotImplementedError


async def history(  # noqa: PLR0913
    connection: AsyncConnection,
    engagement_id: str,
    *,
    cursor: str | None = None,
    limit: int = LIMIT,
    until: datetime | None = None,
    kind: str | None = None,
    actor: PersonId | None = None,
) -> Page[StoredEntry]:
    """The journal of an engagement, the oldest first."""
    raise NotImplementedError


async def counts(connection: AsyncConnection, today: date) -> Counts:
    """What the metrics show, across all engagements."""
    raise NotImplementedError
