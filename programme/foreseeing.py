"""What a request would lead to, without letting it happen: for whoever must know before asking it of many engagements.

Made by the core's own ``step`` on a copy, so it says what the engagement would say at that moment. It counts people and
names none; of what is voluntary it says nothing at all, for even a number could tell who has not answered.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import date, time
from enum import StrEnum
from typing import TYPE_CHECKING

from programme.continuity import ResumeEngagement
from programme.engagement import step
from programme.messages import Command, Frozen, Role, TaskId
from programme.part import Asked
from programme.people import refuse_clash, wording
from programme.post import NoticeRaised
from programme.refusals import Refusal, RoleRequired
from programme.stages.evidence import VOLUNTARY_LADDERS
from programme.working_time import at_local

if TYPE_CHECKING:
    from programme.engagement import Engagement
    from programme.messages import PersonId


class Prospect(StrEnum):
    """What would come of a request."""

    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"  # nothing would be news
    REFUSED = "refused"


class MovedTasks(Frozen):
    """Tasks with one title whose due date would move from one day to another."""

    title: str
    was: date
    now: date
    tasks: int


class DryRun(Frozen):
    """What would come of a request. ``told``: how many people would hear of it, and ``news`` what."""

    prospect: Prospect
    code: str = ""
    why: str = ""
    moved: tuple[MovedTasks, ...] = ()
    told: int = 0
    news: tuple[str, ...] = ()


def foresee(engagement: Engagement, command: Command, asked: Asked) -> DryRun:
    """What would come of a command now. Of a pause, also what its end on the day will have moved."""
    try:
        after, entries = step(engagement, command, asked)
    except Refusal as refusal:
        return DryRun(prospect=Prospect.REFUSED, code=refusal.code, why=str(refusal))
    if not entries:
        return DryRun(prospect=Prospect.UNCHANGED)
    raised = [entry.event for entry in entries if isinstance(entry.event, NoticeRaised)]
    return DryRun(
        prospect=Prospect.ACCEPTED,
        moved=_moved(engagement, _resumed(engagement, after, asked)),
        told=len({person for notice in raised for person in notice.people}),
        news=tuple(dict.fromkeys(notice.title for notice in raised)),
    )


def refuse_unless_managing(engagement: Engagement, person: PersonId) -> None:
    """Refuse what the system does at the request of somebody who does not manage the engagement.

    Raises:
        RoleRequired, ForbiddenCombination: as for a command of the programme manager's.
    """
    found = engagement.people.get(person)
    held = found.roles() if found else frozenset[Role]()
    if Role.PROGRAMME_MANAGER not in held:
        raise RoleRequired(f"a {wording(Role.PROGRAMME_MANAGER)}")
    refuse_clash(held)


def _resumed(before: Engagement, after: Engagement, asked: Asked) -> Engagement:
    """The engagement as it would be once a pause that begins now has ended on its day."""
    pause = after.continuity.pause
    if pause is None or before.paused:
        return after
    ends = Asked(by=asked.by, at=at_local(pause.resumes, time(0)))
    with suppress(Refusal):
        after, _ = step(after, ResumeEngagement(), ends)
    return after


def _moved(before: Engagement, after: Engagement) -> tuple[MovedTasks, ...]:
    was: dict[TaskId, date] = {task.id: task.due.on for task in before.open_tasks if task.due}
    moved = Counter(
        (task.title, was[task.id], task.due.on)
        for task in after.open_tasks
        if task.due and task.ladder not in VOLUNTARY_LADDERS and was.get(task.id, task.due.on) != task.due.on
    )
    return tuple(
        MovedTasks(title=title, was=earlier, now=later, tasks=number)
        for (title, earlier, later), number in sorted(moved.items())
    )
