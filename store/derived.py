"""What lists are made of: rows derived from the folded engagement by pure functions. There is no second interpretation.

A derivation names, for one table, everything in an engagement that has a row there, by the rest of its primary key, and
makes the row of one such thing. So an append makes rows only of what it has touched.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Table

from programme.cover import Cover, covers_now
from programme.engagement import Cycle, Engagement
from programme.measure import Measure, Reading
from programme.messages import Task
from programme.people import Person
from programme.progress import progress
from programme.stages.action import Action
from programme.stages.review import Review
from programme.stages.session import Session
from programme.working_time import end_of
from store import tables
from store.requests import scope_key

READ_MODEL = 3
"""The version of everything here, and of the fold. A build that derives otherwise counts on; what an older one wrote is
then folded again from the journal when it is next touched."""

UNDATED = date.max  # where a task without a due date stands in a list by date

Key = tuple[object, ...]
Rows = Mapping[Key, dict[str, Any]]
Items = Iterable[tuple[Key, Any]]


class Change(NamedTuple):
    """What makes one table agree with another state of the engagement.

    gone: the primary keys of rows to delete, each column under its name ``of``. put: rows that are new or differ.
    """

    table: Table
    gone: list[dict[str, Any]]
    put: list[dict[str, Any]]


def engagement_row(engagement: Engagement) -> dict[str, Any]:
    """The one row of an engagement in lists, its snapshot aside."""
    return {
        "sequence": engagement.sequence,
        "digest": engagement.digest,
        "read_model": READ_MODEL,
        "ods_code": engagement.ods_code,
        "scope": engagement.scope,
        "scope_key": scope_key(engagement.scope),
        "stage": engagement.stage.value,
        "cycle": engagement.cycle.number if engagement.cycle else 0,
        "progress": progress(engagement),
        "paused": engagement.paused,
        "registered": engagement.registered,
        "next_due": _next_due(engagement),
        "ended": engagement.ended,
        "division": engagement.calendar.division.value,
        "calendar": engagement.calendar.version,
    }


def _next_due(engagement: Engagement) -> datetime | None:
    """When the next task is late or something is decided by itself; reminders on the way there are not counted."""
    late = min((task.due.on for task in engagement.open_tasks if task.due), default=None)
    decided = [act.at for act in engagement.acts[:1]]
    return min([*decided, end_of(late)] if late else decided, default=None)


def _memberships(engagement: Engagement) -> Items:
    """Everybody who holds a part or is offered one."""
    return (((person.id,), person) for person in engagement.people.values() if person.intended())


def _membership(person: Person) -> dict[str, Any]:
    held = person.roles()
    offered = person.intended() - held
    return {"roles": sorted(held), "offered": sorted(offered), "side": person.side and person.side.value}


def _tasks(engagement: Engagement) -> Items:
    return (((task.id,), task) for task in engagement.open_tasks)


def _task(task: Task) -> dict[str, Any]:
    due = task.due
    return {
        "person_id": task.person,
        "about": task.about,
        "command": task.command,
        "title": task.title,
        "ladder": task.ladder,
        "opened": task.opened,
        "due": due and due.on,
        "why": due.why if due else "",
        "provisional": due is not None and due.provisional,
        "side": task.side and task.side.value,
        "falls": due.on if due else UNDATED,
    }


def _covers(engagement: Engagement) -> Items:
    """Who acts on whose behalf now."""
    return (((one.number,), one) for one in covers_now(engagement))


def _cover(one: Cover) -> dict[str, Any]:
    return {"person_id": one.person, "by_id": one.by}


def _actions(engagement: Engagement) -> Items:
    """Actions, as they stand in the last cycle that knows them; their development needs stand in the snapshot."""
    for cycle in _cycles(engagement):
        for action in cycle.agreement.actions.values():
            yield (action.id,), (cycle.number, action)


def _action(found: tuple[int, Action]) -> dict[str, Any]:
    cycle, action = found
    row = {"cycle": cycle, "state": action.status.value, "title": action.title}
    return {**row, "content": action.model_dump(mode="json")}


def _sessions(engagement: Engagement) -> Items:
    for cycle in _cycles(engagement):
        for session in cycle.sessions.all.values():
            yield (session.id,), (cycle.number, session)


def _session(found: tuple[int, Session]) -> dict[str, Any]:
    cycle, session = found
    row = {"cycle": cycle, "letter": session.letter, "state": session_state(session), "held": session.held}
    return {**row, "content": session.model_dump(mode="json")}


def session_state(session: Session) -> str:
    """Where a joint session stands, from its call to the day on which its notes count."""
    if session.held is None:
        return "over" if session.over else "dated" if session.starts else "called"
    if not session.quorate:
        return "inquorate"
    return "counts" if session.counts_from else "noted" if session.notes else "held"


def _measures(engagement: Engagement) -> Items:
    return (((measure.id,), measure) for measure in engagement.measures.measures.values())


def _measure(measure: Measure) -> dict[str, Any]:
    return {"title": measure.title, "content": measure.model_dump(mode="json", exclude={"readings"})}


def _points(engagement: Engagement) -> Items:
    """The reading in force for each month; what it corrected stands in the snapshot and in the journal."""
    for measure in engagement.measures.measures.values():
        for point in measure.points:
            yield (measure.id, point.period), point


def _point(point: Reading) -> dict[str, Any]:
    return {"value": point.value, "content": point.model_dump(mode="json")}


def _reviews(engagement: Engagement) -> Items:
    for cycle in _cycles(engagement):
        for review in cycle.challenge.reviews.values():
            yield (review.id,), (cycle.number, review)


def _review(found: tuple[int, Review]) -> dict[str, Any]:
    cycle, review = found
    row = {"cycle": cycle, "external": review.external, "state": review_state(review)}
    return {**row, "content": review.model_dump(mode="json")}


def review_state(review: Review) -> str:
    """Where a challenge review stands, from the opening of its panel to the answers of both sides."""
    if review.found:
        return "answered" if review.answered else "found"
    if review.held:
        return "held"
    return "evidence_frozen" if review.evidence else "opened"


def _cycles(engagement: Engagement) -> tuple[Cycle, ...]:
    return (*engagement.past, engagement.cycle) if engagement.cycle else engagement.past


class Derivation(NamedTuple):
    """How one table follows from the engagement. ``source``: the parts of the state that ``items`` reads.

    ``row`` makes the columns of one item, and depends on nothing else.
    """

    items: Callable[[Engagement], Items]
    row: Callable[[Any], dict[str, Any]]
    source: Callable[[Engagement], tuple[object, ...]]


DERIVATIONS: dict[Table, Derivation] = {
    tables.memberships: Derivation(_memberships, _membership, lambda engagement: (engagement.people,)),
    tables.tasks: Derivation(_tasks, _task, lambda engagement: (engagement.open_tasks,)),
    tables.covers: Derivation(_covers, _cover, lambda engagement: (engagement.covers, engagement.people)),
    tables.actions: Derivation(
        _actions, _action, lambda engagement: (engagement.past, engagement.cycle and engagement.cycle.agreement)
    ),
    tables.sessions: Derivation(
        _sessions, _session, lambda engagement: (engagement.past, engagement.cycle and engagement.cycle.sessions)
    ),
    tables.measures: Derivation(_measures, _measure, lambda engagement: (engagement.measures,)),
    tables.points: Derivation(_points, _point, lambda engagement: (engagement.measures,)),
    tables.reviews: Derivation(
        _reviews, _review, lambda engagement: (engagement.past, engagement.cycle and engagement.cycle.challenge)
    ),
}


def rows(table: Table, engagement: Engagement) -> Rows:
    """Every row of a table that an engagement has."""
    derivation = DERIVATIONS[table]
    return {key: derivation.row(item) for key, item in derivation.items(engagement)}


def key_columns(table: Table) -> list[str]:
    """The primary key of a derived table, the engagement aside."""
    return [column.name for column in table.primary_key if column.name != "engagement_id"]


def changes(before: Engagement | None, after: Engagement) -> Iterator[Change]:
    """What has to be deleted and put, table by table, where anything differs."""
    for table, derivation in DERIVATIONS.items():
        if before is not None and _same(derivation.source(before), derivation.source(after)):
            continue
        old = dict(derivation.items(before)) if before is not None else {}
        new = dict(derivation.items(after))
        gone = [_keyed(table, after.id, key) for key in old if key not in new]
        put = [_whole(table, after.id, key, derivation.row(item)) for key, item in new.items() if old.get(key) != item]
        if gone or put:
            yield Change(table, gone, put)


def of(column: str) -> str:
    """The name under which a statement is told a column of a key; that of the column itself is for its new value."""
    return f"of_{column}"


def _keyed(table: Table, engagement_id: str, key: Key) -> dict[str, Any]:
    names = map(of, key_columns(table))
    return {of("engagement_id"): engagement_id, **dict(zip(names, key, strict=True))}


def _same(before: tuple[object, ...], after: tuple[object, ...]) -> bool:
    """Whether nothing was touched. The state is frozen, so the very same object is the very same content."""
    return all(one is other for one, other in zip(before, after, strict=True))


def _whole(table: Table, engagement_id: str, key: Key, row: dict[str, Any]) -> dict[str, Any]:
    return {"engagement_id": engagement_id, **dict(zip(key_columns(table), key, strict=True)), **row}
