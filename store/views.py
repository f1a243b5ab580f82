"""Lists for people, straight from rows. A page starts after a cursor, so it costs the same however long the list is."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, Select, Table, and_, func, literal, or_, select, tuple_, union
from sqlalchemy.ext.asyncio import AsyncConnection

from programme.cover import KINDS as COVERED
from programme.messages import PersonId
from store import tables
from store.entries import StoredEntry, entries

LIMIT = 50
MOST = 200
Item = TypeVar("Item")


class BadCursor(ValueError):  # noqa: N818 - an answer to whoever sent it
    """The cursor was not made by this list."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some rows, and the cursor of the rows after them (None: there are none)."""

    items: tuple[Item, ...]
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
    points: tuple[PointRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """What the metrics show."""

    open_by_stage: dict[str, int]
    overdue_tasks: int
    outbox_waiting: int
    outbox_oldest: datetime | None
    journal_entries: int


async def engagements(
    connection: AsyncConnection,
    person: PersonId,
    *,
    open_only: bool = False,
    cursor: str | None = None,
    limit: int = LIMIT,
) -> Page[EngagementRow]:
    """The engagements in which a person holds or is offered a part, in the order of their registration."""
    table, membership = tables.engagements, tables.memberships
    columns = [table.c[name] for name in _fields(EngagementRow) if name != "roles"]
    both = membership.join(table, table.c.engagement_id == membership.c.engagement_id)
    query = select(*columns, membership.c.roles, membership.c.offered).select_from(both)
    query = query.where(membership.c.person_id == person)
    if open_only:
        query = query.where(table.c.ended == "")
    return await _page(connection, query, [membership.c.engagement_id], cursor, limit, _engagement)


def _engagement(row: Any) -> EngagementRow:
    columns = row._asdict()
    roles = {*columns.pop("roles"), *columns.pop("offered")}
    return EngagementRow(**columns, roles=tuple(sorted(roles)))


async def every_engagement(
    connection: AsyncConnection, *, open_only: bool = False, cursor: str | None = None, limit: int = LIMIT
) -> Page[EngagementRow]:
    """Every engagement, for an auditor of all; nobody's parts are told."""
    table = tables.engagements
    query = select(*(table.c[name] for name in _fields(EngagementRow) if name != "roles"))
    if open_only:
        query = query.where(table.c.ended == "")
    return await _page(
        connection, query, [table.c.engagement_id], cursor, limit, lambda row: EngagementRow(**row._asdict(), roles=())
    )


async def engagement_ids(connection: AsyncConnection) -> list[str]:
    """Every engagement, from the journal: also one that the read model has lost."""
    table = tables.journal
    first = select(table.c.engagement_id).where(table.c.sequence == 1)
    return list((await connection.execute(first.order_by(table.c.engagement_id))).scalars())


async def exists(connection: AsyncConnection, engagement_id: str) -> bool:
    """Whether there is such an engagement."""
    table = tables.engagements
    query = select(table.c.engagement_id).where(table.c.engagement_id == engagement_id)
    return (await connection.execute(query)).first() is not None


async def roles_in(connection: AsyncConnection, engagement_id: str, person: PersonId) -> tuple[str, ...] | None:
    """The parts that a person holds or is offered in an engagement.

    None: not a member, so it does not exist for this person.
    """
    table = tables.memberships
    query = select(table.c.roles, table.c.offered).where(
        table.c.engagement_id == engagement_id, table.c.person_id == person
    )
    row = (await connection.execute(query)).one_or_none()
    return tuple(sorted({*row.roles, *row.offered})) if row else None


async def inbox(
    connection: AsyncConnection, person: PersonId, *, cursor: str | None = None, limit: int = LIMIT
) -> Page[TaskRow]:
    """What a person owes, or may do on somebody's behalf now, in all engagements; the earliest due first."""
    table, covers = tables.tasks, tables.covers
    covered = (
        select(covers.c.cover)
        .where(covers.c.by_id == person)
        .where(covers.c.engagement_id == table.c.engagement_id, covers.c.person_id == table.c.person_id)
        .exists()
    )
    owed = or_(table.c.person_id == person, and_(table.c.command.in_(sorted(COVERED)), covered))
    # Whose tasks they could be, said first: a condition with "or" alone would look at every task of everybody.
    whose = union(select(literal(person)), select(covers.c.person_id).where(covers.c.by_id == person))
    query = select(*_columns(table, TaskRow), table.c.falls).where(table.c.person_id.in_(whose), owed)
    order = [table.c.falls, table.c.engagement_id, table.c.task_id]
    return await _page(connection, query, order, cursor, limit, _task)


async def tasks(
    connection: AsyncConnection, engagement_id: str, *, cursor: str | None = None, limit: int = LIMIT
) -> Page[TaskRow]:
    """What everybody owes in an engagement, the earliest due first."""
    table = tables.tasks
    query = select(*_columns(table, TaskRow), table.c.falls).where(table.c.engagement_id == engagement_id)
    return await _page(connection, query, [table.c.falls, table.c.task_id], cursor, limit, _task)


def _task(row: Any) -> TaskRow:
    return TaskRow(*row[:-1])


async def actions(
    connection: AsyncConnection,
    engagement_id: str,
    *,
    state: str | None = None,
    cursor: str | None = None,
    limit: int = LIMIT,
) -> Page[ActionRow]:
    """The actions of an engagement."""
    table = tables.actions
    query = select(*_columns(table, ActionRow)).where(table.c.engagement_id == engagement_id)
    if state is not None:
        query = query.where(table.c.state == state)
    return await _page(connection, query, [table.c.cycle, table.c.action_id], cursor, limit, _as(ActionRow))


async def sessions(
    connection: AsyncConnection, engagement_id: str, *, cursor: str | None = None, limit: int = LIMIT
) -> Page[SessionRow]:
    """The joint sessions of an engagement."""
    table = tables.sessions
    query = select(*_columns(table, SessionRow)).where(table.c.engagement_id == engagement_id)
    return await _page(connection, query, [table.c.cycle, table.c.session_id], cursor, limit, _as(SessionRow))


async def reviews(
    connection: AsyncConnection, engagement_id: str, *, cursor: str | None = None, limit: int = LIMIT
) -> Page[ReviewRow]:
    """The challenge reviews of an engagement."""
    table = tables.reviews
    query = select(*_columns(table, ReviewRow)).where(table.c.engagement_id == engagement_id)
    return await _page(connection, query, [table.c.cycle, table.c.review_id], cursor, limit, _as(ReviewRow))


async def measures(
    connection: AsyncConnection, engagement_id: str, *, cursor: str | None = None, limit: int = LIMIT
) -> Page[MeasureRow]:
    """The measures of an engagement, with their points."""
    table, points = tables.measures, tables.points
    query = select(table.c.measure_id, table.c.title, table.c.content).where(table.c.engagement_id == engagement_id)
    page = await _page(connection, query, [table.c.measure_id], cursor, limit, _as(MeasureRow))
    these = points.c.engagement_id == engagement_id, points.c.measure_id.in_([row.measure_id for row in page.items])
    found = await connection.execute(select(points).where(*these).order_by(points.c.measure_id, points.c.period))
    of: dict[str, list[PointRow]] = {}
    for point in found:
        of.setdefault(point.measure_id, []).append(PointRow(point.period, point.value, point.content))
    return Page(tuple(replace(row, points=tuple(of.get(row.measure_id, ()))) for row in page.items), page.next)


async def history(  # noqa: PLR0913 - the filters of the history
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
    order = [tables.journal.c.sequence]
    after = _decoded(order, cursor)[0] if cursor else 0
    found = await entries(
        connection, engagement_id, after=after, until=until, limit=_bounded(limit) + 1, kind=kind, actor=actor
    )
    kept = found[: _bounded(limit)]
    return Page(tuple(kept), _encoded([kept[-1].sequence]) if len(found) > len(kept) else None)


async def counts(connection: AsyncConnection, today: date) -> Counts:
    """What the metrics show, across all engagements."""
    engagement, task, post = tables.engagements, tables.tasks, tables.outbox
    stages = select(engagement.c.stage, func.count().label("number")).where(engagement.c.ended == "")
    by_stage = await connection.execute(stages.group_by(engagement.c.stage))
    late = select(func.count()).select_from(task).where(task.c.falls < today)
    waits = post.c.sent_at.is_(None) & post.c.given_up_at.is_(None)
    waiting = (await connection.execute(select(func.count(), func.min(post.c.issued_at)).where(waits))).one()
    return Counts(
        open_by_stage={row.stage: row.number for row in by_stage},
        overdue_tasks=(await connection.execute(late)).scalar_one(),
        outbox_waiting=waiting[0],
        outbox_oldest=waiting[1],
        journal_entries=(await connection.execute(select(func.sum(engagement.c.sequence)))).scalar_one() or 0,
    )


# --- pages ---------------------------------------------------------------------------------------------------------


async def _page(
    connection: AsyncConnection,
    query: Select[Any],
    order: list[Column[Any]],
    cursor: str | None,
    limit: int,
    make: Callable[[Any], Item],
) -> Page[Item]:
    """One page of a query: the rows after the cursor by ``order``, which must tell any two rows apart."""
    if cursor:
        query = query.where(tuple_(*order) > tuple_(*_decoded(order, cursor)))
    asked = _bounded(limit)
    rows = (await connection.execute(query.order_by(*order).limit(asked + 1))).all()
    kept = rows[:asked]
    more = _encoded([getattr(kept[-1], column.name) for column in order]) if len(rows) > asked else None
    return Page(tuple(make(row) for row in kept), more)


def _bounded(limit: int) -> int:
    return min(max(limit, 1), MOST)


def _encoded(values: list[Any]) -> str:
    text = json.dumps([value.isoformat() if isinstance(value, date) else value for value in values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decoded(order: list[Column[Any]], cursor: str) -> list[Any]:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return [_value(column.type.python_type, value) for column, value in zip(order, values, strict=True)]
    except (ValueError, TypeError) as error:
        raise BadCursor("This cursor was not made by this list. Begin again without one.") from error


def _value(kind: type[Any], value: Any) -> Any:
    if kind is date:
        return date.fromisoformat(value)
    if type(value) is not kind:
        raise TypeError
    return value


def _fields(row: type[Any]) -> list[str]:
    return [field.name for field in fields(row)]


def _columns(table: Table, row: type[Any]) -> list[Column[Any]]:
    return [table.c[name] for name in _fields(row)]


def _as(row: type[Item]) -> Callable[[Any], Item]:
    make: Callable[..., Item] = row
    return lambda columns: make(*columns)
