"""Who looks after a task that is another's: the programme manager after all, the facilitator after what is theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from programme.messages import Role, Task, TaskId
from programme.refusals import UnknownTask

if TYPE_CHECKING:
    from programme.engagement import Engagement
    from programme.part import Asked

VOLUNTARY = frozenset({"CompleteQuestionnaire", "AcceptEnrolment", "StateWillingness"})
"""Nobody is late with these, and nobody learns from a refusal who has not done them."""

FACILITATED = frozenset(
    {"RecordVisit", "WriteReflection", "MarkReflection", "OfferInsight", "ShareInsight", "RePair"}
    | {"ScheduleSession", "MoveSession", "RecordAttendance", "WriteNotes", "ConfirmNotes", "SettleNotes"}
    | {"ConfirmNeedMet"}
)
"""What the facilitator looks after: the perspective exchange and the joint sessions."""


def role_of(engagement: Engagement, asked: Asked) -> Role:
    """As what somebody looks after tasks: the programme manager's part comes first."""
    manages = Role.PROGRAMME_MANAGER in engagement.people[asked.by].roles()
    return Role.PROGRAMME_MANAGER if manages else Role.FACILITATOR


def task_in_care(engagement: Engagement, name: TaskId, role: Role) -> Task:
    """An open task that somebody of this part looks after.

    Raises:
        UnknownTask: there is none, or it is voluntary, or another's to look after; which of these is not told.
    """
    task = next((one for one in engagement.open_tasks if one.id == name and one.command not in VOLUNTARY), None)
    if task is None or (role is Role.FACILITATOR and task.command not in FACILITATED):
        raise UnknownTask
    return task
