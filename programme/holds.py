"""Clocks that stand still for one person's duties, while everybody else's run.

From the last day of somebody who goes until a successor takes over, at most 10 working days, what they left open is
not reminded of and not late; afterwards its due dates lie later by the working days that were lost. What is common to
everybody, such as the questionnaire, waits for nobody; what protects patients neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from programme.departure import Departure, Handover, Hold, every_wanted, hold_begins, hold_ends
from programme.messages import Due, Role, Task, TaskId
from programme.working_time import end_of

if TYPE_CHECKING:
    from programme.engagement import Engagement

COMMON = frozenset({"questionnaire", "session-invitation", "position-statement"})
"""Ladders of what has one date for everybody, of a window or a meeting: it is not moved for one person."""


def stem(task: TaskId) -> str:
    """The id of a task without the person who owes it."""
    return task.rpartition("/")[0]


def personal(engagement: Engagement, task: Task) -> bool:
    """Whether a task's date is one person's own, so that it may wait for that person."""
    return task.due is not None and task.ladder not in COMMON and not engagement.template.ladder(task.ladder).urgent


def held_days(engagement: Engagement, hold: Hold, task: Task) -> int:
    """The working days that a task lost in a hold; those of a pause at the same time were added already."""
    if task.due is None or task.due.on < hold.first or task.opened >= hold.until:
        return 0
    first, last = max(hold.first, task.opened + timedelta(days=1)), hold.until - timedelta(days=1)
    working = engagement.time
    return max(0, working.between(first - timedelta(days=1), last) - working.stopped(first, last))


def after_holds(engagement: Engagement, task: Task) -> Task:
    """A task with its due date moved later by the working days for which its clock was held."""
    lost = sum(held_days(engagement, hold, task) for hold in engagement.handovers.holds if _covers(hold, task))
    if not lost or task.due is None or not personal(engagement, task):
        return task
    days = f"{lost} working day{'' if lost == 1 else 's'}"
    because = f"the clock was held for {days} until a successor could take over"
    return replace(task, due=engagement.time.later(task.due, engagement.time.plus(task.due.on, lost), because))


def _covers(hold: Hold, task: Task) -> bool:
    return task.person in (hold.person, hold.successor) and stem(task.id) in hold.tasks


# --- while it is held ------------------------------------------------------------------------------------------------


def running(engagement: Engagement) -> Iterator[tuple[Departure, Handover]]:
    """The parts for which the clock stands still now."""
    for departure, handover in every_wanted(engagement):
        if departure.left and handover.released is None:
            yield departure, handover


def held_tasks(engagement: Engagement, departure: Departure, role: Role) -> tuple[Task, ...]:
    """What somebody who has gone owes in a part, and what therefore waits."""
    return tuple(
        task
        for task in engagement.open_tasks
        if task.person == departure.person
        and personal(engagement, task)
        and _of_part(engagement, departure, task, role)
    )


def _of_part(engagement: Engagement, departure: Departure, task: Task, role: Role) -> bool:
    """Whether a task is owed in this part: the first, in the order of the parts' names, that may ask its command."""
    may = engagement.who_may(task.command)
    return role == min((one for one in departure.handovers if one in may), default=None)


def held_now(engagement: Engagement) -> dict[TaskId, date]:
    """The tasks whose clock stands still now, and until when at the latest."""
    return {
        task.id: hold_ends(engagement, departure)
        for departure, handover in running(engagement)
        for task in held_tasks(engagement, departure, handover.role)
    }


def ended(engagement: Engagement, departure: Departure, role: Role, until: date, successor: str = "") -> Hold | None:
    """The hold that ends now; None where no clock stood still."""
    first = hold_begins(departure)
    if departure.left is None or until <= first or departure.handovers[role].released:
        return None
    tasks = tuple(stem(task.id) for task in held_tasks(engagement, departure, role))
    return Hold(person=departure.person, role=role, first=first, until=until, tasks=tasks, successor=successor)


def before_it_passed(engagement: Engagement, task: Task) -> TaskId:
    """The id of a held task before its successor took it over; empty where it never was."""
    for hold in engagement.handovers.holds:
        if hold.successor == task.person and stem(task.id) in hold.tasks:
            return f"{stem(task.id)}/{hold.person}"
    return ""


# --- what closes a task ----------------------------------------------------------------------------------------------


def after_what_it_closes(engagement: Engagement, due: Due) -> Due:
    """An act that closes tasks, not before the due date of any of them has passed, wherever a person's own lies."""
    if due.closes is None:
        return due
    ladder, about = due.closes
    dates = [
        _at_the_latest(engagement, task)
        for task in engagement.open_tasks
        if task.ladder == ladder and task.about == about and task.due
    ]
    latest = max((end_of(on) for on in dates), default=due.at)
    return replace(due, at=latest, why=f"{due.why}; a later date was given to somebody") if latest > due.at else due


def _at_the_latest(engagement: Engagement, task: Task) -> date:
    """When a task is due; where its clock stands still, when it would be due if nobody takes over."""
    assert task.due  # noqa: S101 - asked of such only
    until = engagement.held_now.get(task.id)
    if until is None:
        return task.due.on
    departure = engagement.handovers.departures[task.person]
    hold = Hold(person=task.person, role=Role.DOCTOR, first=hold_begins(departure), until=until, tasks=())
    return engagement.time.plus(task.due.on, held_days(engagement, hold, task))
