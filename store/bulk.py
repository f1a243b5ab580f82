"""One request of many engagements: which, what was foreseen for each, and what came of it.

A request is foreseen first (a dry run), then carried out as it was foreseen, and may be stopped and started again. What
an engagement has answered is written once; whatever has no answer yet waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from programme.messages import PersonId
from store.database import Instant, insert_unless_there
from store.tables import bulk_items, bulks, engagements, memberships

MOST = 5000  # engagements in one request


class State(StrEnum):
    """Where a request stands."""

    FORESEEING = "foreseeing"  # the dry run is under way
    FORESEEN = "foreseen"
    RUNNING = "running"
    STOPPED = "stopped"
    FINISHED = "finished"


class Answer(StrEnum):
    """What came of it in one engagement."""

    UNSEEN = "unseen"  # not foreseen yet
    WAITING = "waiting"  # would be taken, and has no answer yet
    DONE = "done"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Bulk:
    """A request of many engagements. ``command``: the command as JSON; None where each has its own."""

    bulk_id: str
    person_id: PersonId
    operation: str
    command: dict[str, Any] | None
    state: State
    asked_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Item:
    """One engagement of a request. ``scope`` and ``ods_code`` are None where the person takes no part in it."""

    place: int
    engagement_id: str
    state: Answer
    code: str
    why: str
    foreseen: dict[str, Any] | None
    entries: int
    ods_code: str | None
    scope: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an engagement has answered. ``state`` WAITING: nothing yet, and it is asked again."""

    engagement_id: str
    state: Answer
    code: str = ""
    why: str = ""
    entries: int = 0
    last: int = 0
    foreseen: dict[str, Any] | None = None


async def chosen(connection: AsyncConnection, person: PersonId, *, ods_code: str = "", stage: str = "") -> list[str]:
    """The open engagements of a trust, in a stage, or both, in which a person holds or is offered a part."""
    query = (
        select(engagements.c.engagement_id)
        .join(memberships, memberships.c.engagement_id == engagements.c.engagement_id)
        .where(memberships.c.person_id == person, engagements.c.ended == "")
        .order_by(engagements.c.engagement_id)
        .limit(MOST + 1)
    )
    if ods_code:
        query = query.where(engagements.c.ods_code == ods_code)
    if stage:
        query = query.where(engagements.c.stage == stage)
    return list((await connection.execute(query)).scalars())


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request that is to be kept."""

    bulk_id: str
    person_id: PersonId
    operation: str
    command: dict[str, Any] | None
    engagement_ids: Sequence[str]


async def ask(connection: AsyncConnection, wanted: Wanted, now: datetime) -> bool:
    """Keep a request, to be foreseen; False where another one has this id."""
    row: dict[str, Any] = {"bulk_id": wanted.bulk_id, "person_id": wanted.person_id, "operation": wanted.operation}
    row |= {"command": wanted.command, "state": State.FORESEEING.value, "asked_at": now}
    await connection.execute(insert_unless_there(connection, bulks), row)
    empty = {"state": Answer.UNSEEN.value, "code": "", "why": "", "entries": 0, "last": 0, "attempts": 0}
    items_ = [
        {"bulk_id": wanted.bulk_id, "place": place, "engagement_id": engagement_id, **empty}
        for place, engagement_id in enumerate(wanted.engagement_ids)
    ]
    if items_:
        await connection.execute(insert_unless_there(connection, bulk_items), items_)
    return await _says(connection, wanted)


async def _says(connection: AsyncConnection, wanted: Wanted) -> bool:
    found = await asked(connection, wanted.bulk_id)
    item = bulk_items.c
    query = select(item.engagement_id).where(item.bulk_id == wanted.bulk_id).order_by(item.place)
    kept = list((await connection.execute(query)).scalars())
    return (
        found is not None
        and kept == list(wanted.engagement_ids)
        and (found.person_id, found.operation, found.command) == (wanted.person_id, wanted.operation, wanted.command)
    )


async def asked(connection: AsyncConnection, bulk_id: str) -> Bulk | None:
    """A request; None where there is none."""
    row = (await connection.execute(select(bulks).where(bulks.c.bulk_id == bulk_id))).mappings().one_or_none()
    return Bulk(**{**row, "state": State(row["state"])}) if row else None


async def asked_by(connection: AsyncConnection, person: PersonId, limit: int) -> list[Bulk]:
    """The latest requests of a person."""
    query = select(bulks).where(bulks.c.person_id == person).order_by(bulks.c.bulk_id.desc()).limit(limit)
    rows = (await connection.execute(query)).mappings()
    return [Bulk(**{**row, "state": State(row["state"])}) for row in rows]


async def pending(connection: AsyncConnection, bulk_id: str, state: Answer, limit: int) -> list[str]:
    """The next engagements of a request in a state, those that were asked the fewest times first."""
    item = bulk_items.c
    query = (
        select(item.engagement_id)
        .where(item.bulk_id == bulk_id, item.state == state.value)
        .order_by(item.attempts, item.place)
        .limit(limit)
    )
    return list((await connection.execute(query)).scalars())


async def note(connection: AsyncConnection, bulk_id: str, outcome: Outcome) -> None:
    """Write what an engagement has answered. What has been answered stays as it is."""
    item = bulk_items.c
    values: dict[str, Any] = {
        "state": outcome.state.value,
        "code": outcome.code,
        "why": outcome.why,
        "entries": outcome.entries,
        "last": outcome.last,
        "attempts": item.attempts + (outcome.foreseen is None),
    }
    if outcome.foreseen is not None:
        values["foreseen"] = outcome.foreseen
    open_ = [Answer.UNSEEN.value, Answer.WAITING.value]
    this = and_(item.bulk_id == bulk_id, item.engagement_id == outcome.engagement_id, item.state.in_(open_))
    await connection.execute(update(bulk_items).where(this).values(**values))


async def move(connection: AsyncConnection, bulk_id: str, before: Sequence[State], after: State, now: datetime) -> bool:
    """Let a request go from one state to another; False where it stands in none of those before."""
    values: dict[str, Any] = {"state": after.value}
    if after is State.RUNNING:
        values["begun_at"] = func.coalesce(bulks.c.begun_at, literal(now, Instant()))
    if after is State.FINISHED:
        values["ended_at"] = now
    this = and_(bulks.c.bulk_id == bulk_id, bulks.c.state.in_([one.value for one in before]))
    return (await connection.execute(update(bulks).where(this).values(**values))).rowcount == 1


async def unrecorded(connection: AsyncConnection, bulk_id: str) -> int:
    """How many engagements have answered with entries that the journal does not hold yet."""
    item = bulk_items.c
    behind = and_(engagements.c.engagement_id == item.engagement_id, engagements.c.sequence < item.last)
    query = select(func.count()).select_from(bulk_items.join(engagements, behind)).where(item.bulk_id == bulk_id)
    return int((await connection.execute(query)).scalar_one())


async def counts(connection: AsyncConnection, bulk_id: str) -> dict[Answer, int]:
    """How many engagements stand where."""
    item = bulk_items.c
    query = select(item.state, func.count().label("number")).where(item.bulk_id == bulk_id).group_by(item.state)
    return {Answer(row.state): row.number for row in await connection.execute(query)}


async def items(connection: AsyncConnection, bulk: Bulk, *, after: int, limit: int) -> list[Item]:
    """The engagements of a request in order, from a place on; of those that are not the person's, only the id."""
    item, own = bulk_items.c, memberships.c
    theirs: ColumnElement[bool] = and_(own.engagement_id == item.engagement_id, own.person_id == bulk.person_id)
    query = (
        select(
            *(item[name] for name in ("place", "engagement_id", "state", "code", "why", "foreseen", "entries")),
            engagements.c.ods_code,
            engagements.c.scope,
        )
        .select_from(
            bulk_items.outerjoin(memberships, theirs).outerjoin(
                engagements, engagements.c.engagement_id == own.engagement_id
            )
        )
        .where(item.bulk_id == bulk.bulk_id, item.place >= after)
        .order_by(item.place)
        .limit(limit)
    )
    rows = (await connection.execute(query)).mappings()
    return [Item(**{**row, "state": Answer(row["state"])}) for row in rows]
