"""More time for a duty: a due date moves later, never earlier, by so many working days in all and with a reason.

Whoever is asked the same gets the same time, so that no side is given longer than the other; what closes the duty waits
for it. What protects patients, what both sponsors were promised alike and what has a command of its own stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from programme.changes.looking_after import role_of, task_in_care
from programme.changes.record import DutyId, Later, LaterReason, duty_of, given, with_changes
from programme.messages import Command, Event, Role, Sentence, Task, TaskId
from programme.part import Asked, Part
from programme.post import NoticeRaised
from programme.refusals import ExtensionTooLong, Invalid, NotExtendable, UnknownTask
from programme.working_time import uk_date

if TYPE_CHECKING:
    from programme.engagement import Engagement

_PATIENTS = "It protects patients"
_SPONSORS = "Both sponsors were given the same days, and after two rounds the programme goes on without them"
FIXED: Mapping[str, str] = {
    "AcknowledgeObjection": _PATIENTS,
    "DecideObjection": _PATIENTS,
    "ApproveAction": "It is a clinical decision; when its days are over the deputy may decide",
    "AnswerInvitation": "It ends with the session. Move the session instead",
    "DecideRenewal": _SPONSORS,
    "RecordJointMeeting": _SPONSORS,
    "ChooseAfterShortfall": "Everybody who answered waits for it",
}
"""Commands whose tasks keep their dates, and why. A window that is common to all is extended by its own command."""


class ExtendDueDate(Command):
    """Move the due date of a task later, for everybody of whom the same is asked. ``task``: its id.

    The facilitator may do so in the perspective exchange and for joint sessions. ``sentence``: more about the reason,
    for the history; only the reason itself is told with the date.
    """

    who = frozenset({Role.PROGRAMME_MANAGER, Role.FACILITATOR})
    refusals = (UnknownTask, NotExtendable, ExtensionTooLong, Invalid)

    kind: Literal["ExtendDueDate"] = "ExtendDueDate"
    task: TaskId
    to: date
    reason: LaterReason
    sentence: Sentence = ""


Commands = ExtendDueDate


class DueDateExtended(Event):
    """A duty has so many working days more. What moves is told by ``DueDateMoved``, one for each person."""

    kind: Literal["DueDateExtended"] = "DueDateExtended"
    duty: DutyId
    working_days: int
    to: date
    by: Role
    reason: LaterReason
    sentence: str = ""
    on: date


Events = DueDateExtended


# --- decide ----------------------------------------------------------------------------------------------------------


def extend_due_date(engagement: Engagement, command: ExtendDueDate, asked: Asked) -> list[Event]:
    """Give more time, and say so to everybody who owes it."""
    role = role_of(engagement, asked)
    task = _extendable(engagement, command.task, role)
    if command.reason is LaterReason.OTHER and not command.sentence.strip():
        raise Invalid("Say in a sentence what the reason is.")
    duty = duty_of(task.id)
    alike = [one for one in engagement.open_tasks if duty_of(one.id) == duty]
    days = _days_more(engagement, command.to, alike, asked.today)
    extended = DueDateExtended(
        duty=duty,
        working_days=days,
        to=command.to,
        by=role,
        reason=command.reason,
        sentence=command.sentence.strip(),
        on=asked.today,
    )
    people = tuple(dict.fromkeys(one.person for one in alike if one.person != asked.by))
    title = f"More time, until {uk_date(command.to)}: {task.title}"
    return [extended, *([NoticeRaised(people=people, title=title, about=task.about)] if people else [])]


def _extendable(engagement: Engagement, name: TaskId, role: Role) -> Task:
    """An open task that whoever asks looks after and whose date may move."""
    task = task_in_care(engagement, name, role)
    if task.due is None:
        raise NotExtendable("It stands open without a date")
    if why := FIXED.get(task.command):
        raise NotExtendable(why)
    return task


def _days_more(engagement: Engagement, to: date, alike: Sequence[Task], today: date) -> int:
    """How many working days a duty is given, counted from the latest of the dates on which it is due."""
    due = max(task.due.on for task in alike if task.due)
    if to <= due or to < today or not engagement.time.is_working(to):
        raise Invalid(f"Name a working day after {uk_date(max(due, today))}: a due date never moves earlier.")
    days = engagement.time.between(due, to)
    most = engagement.template.durations.extension
    already = given(engagement.changes.later.get(duty_of(alike[0].id), ()))
    if already + days > most:
        raise ExtensionTooLong(most, most - already)
    _refuse_after_the_evidence(engagement, alike[0], to)
    return days


def _refuse_after_the_evidence(engagement: Engagement, task: Task, to: date) -> None:
    """A position statement is part of the evidence, which is frozen some days before the panel meets."""
    if task.command != "GivePositionStatement":
        return
    meeting = engagement.running.challenge.reviews[task.about].meeting
    frozen = engagement.template.durations.evidence_frozen
    if meeting and to >= engagement.time.plus(meeting.on, -frozen):
        raise NotExtendable("The evidence is frozen before that day. Move the review instead")


# --- evolve ----------------------------------------------------------------------------------------------------------


def _extended(engagement: Engagement, event: DueDateExtended, at: datetime) -> Engagement:
    del at
    more = Later(
        working_days=event.working_days, by=event.by, reason=event.reason, sentence=event.sentence, on=event.on
    )
    later = engagement.changes.later
    return with_changes(engagement, later={**later, event.duty: (*later.get(event.duty, ()), more)})


PART = Part(name="extending", decide={ExtendDueDate: extend_due_date}, evolve={DueDateExtended: _extended})
