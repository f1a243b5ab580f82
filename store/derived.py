"""What lists are made of: rows derived from the folded engagement by pure functions. There is no second interpretation.

A derivation gives, for one table, every row that an engagement has there, by the rest of its primary key.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Table

from programme.engagement import Engagement
from programme.progress import progress
from store import tables
from store.requests import scope_key

READ_MODEL = 1
"""The version of everything here, and of the fold. A build that derives otherwise counts on; what an older one wrote is
then folded again from the journal when it is next touched."""

UNDATED = date.max  # where a task without a due date stands in a list by date

Key = tuple[object, ...]
Rows = Mapping[Key, dict[str, Any]]


class Change(NamedTuple):
    """What makes one table agree with another state of the engagement."""

    table: Table
    gone: list[Key]
    new: list[dict[str, Any]]


def engagement_row(engagement: Engagement) -> dict[str, Any]:
    """The one row of an engagement in lists, its snapshot aside."""
    coming = engagement.coming
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
        "next_due": coming[0].at if coming else None,
        "ended": engagement.ended,
    }


def _memberships(engagement: Engagement) -> Iterator[tuple[Key, dict[str, Any]]]:
    for person in engagement.people.values():
        held = person.roles()
        offered = person.intended() - held
        if held or offered:
            yield (
                (person.id,),
                {"roles": sorted(held), "offered": sorted(offered), "side": person.side and person.side.value},
            )


def _tasks(engagement: Engagement) -> Iterator[tuple[Key, dict[str, Any]]]:
    for task in engagement.open_tasks:
        yield (
            (task.id,),
            {
                "person_id": task.person,
                "about": task.about,
                "command": task.command,
                "title": task.title,
                "ladder": task.ladder,
                "opened": task.opened,
                "due": task.due and task.due.on,
                "why": task.due.why if task.due else "",
                "provisional": task.due is not None and task.due.provisional,
                "side": task.side and task.side.value,
                "falls": task.due.on if task.due else UNDATED,
            },
        )


DERIVATIONS: dict[Table, Callable[[Engagement], Iterator[tuple[Key, dict[str, Any]]]]] = {
    tables.memberships: _memberships,
    tables.tasks: _tasks,
}


def rows(table: Table, engagement: Engagement | None) -> Rows:
    """Every row of a table that an engagement has; none before it exists."""
    return dict(DERIVATIONS[table](engagement)) if engagement is not None else {}


def key_columns(table: Table) -> list[str]:
    """The primary key of a derived table, the engagement aside."""
    return [column.name for column in table.primary_key if column.name != "engagement_id"]


def changes(before: Engagement | None, after: Engagement) -> Iterator[Change]:
    """What has to be deleted and inserted, table by table, where anything differs."""
    for table in DERIVATIONS:
        old, new = rows(table, before), rows(table, after)
        gone = [key for key, row in old.items() if new.get(key) != row]
        fresh = [_whole(table, after.id, key, row) for key, row in new.items() if old.get(key) != row]
        if gone or fresh:
            yield Change(table, gone, fresh)


def _whole(table: Table, engagement_id: str, key: Key, row: dict[str, Any]) -> dict[str, Any]:
    return {"engagement_id": engagement_id, **dict(zip(key_columns(table), key, strict=True)), **row}
