"""On which day somebody does what they owe: at today's pace, at best, and at worst.

At worst nobody does anything before the last rung of its ladder has fired, and nothing at all where the programme goes
on without it: a proposal that nobody answers expires once, notes that nobody confirms are settled, decisions that
nobody takes end in "sustain". What may be answered on its last day is answered then, so that there is an end.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from programme.forecasting.moment import Course, Guide

if TYPE_CHECKING:
    from programme.engagement import Engagement
    from programme.messages import Task

UNDATED = 5  # working days until somebody does what has no date but is asked for
LAST_DAY = frozenset({"AcceptEnrolment", "AgreeAction", "AnswerInvitation", "CompleteQuestionnaire", "DecideRenewal"})
"""What cannot be done any more, or would not help any more, once its date has passed."""
AT_ITS_DATE = frozenset({"RecordTouchpoint"})
"""What is a date more than a deadline: nobody does it the day that it is asked for."""
GOES_ON_WITHOUT = frozenset(
    {"AnswerInvitation", "ConfirmNotes", "DecideRenewal", "GivePositionStatement", "RecordJointMeeting", "WriteThemes"}
)
"""What the programme waits for only so long."""


def day_for(engagement: Engagement, task: Task, guide: Guide, today: date) -> date | None:
    """The day on which a task is done, never before today; None where nobody does it."""
    if guide.course is Course.WORST:
        return _at_worst(engagement, task, guide, today)
    if task.due is None and not engagement.template.ladder(task.ladder).rungs:
        return None  # nobody waits for it, and nobody is reminded
    if guide.course is Course.BEST:
        on = task.due.on if task.due and task.command in AT_ITS_DATE else task.opened
    else:
        on = _at_pace(engagement, task, guide)
    return _not_before(engagement, task, guide, max(on, task.opened, today))


def _not_before(engagement: Engagement, task: Task, guide: Guide, on: date) -> date:
    """The day, or the first working day after it on which the person is there."""
    day = engagement.time.plus(on, 0)
    while guide.is_away(task.person, day):
        day = engagement.time.plus(day, 1)
    return day


def _at_pace(engagement: Engagement, task: Task, guide: Guide) -> date:
    time = engagement.time
    if task.due is None:
        return time.plus(task.opened, UNDATED)
    due = task.due.on
    if task.command in AT_ITS_DATE:
        return due
    offset = guide.pace.offsets.get(task.command)
    if offset is not None:
        on = time.plus(due, offset)
    else:
        on = time.plus(task.opened, -(-time.between(task.opened, due) * guide.pace.share // 100))
    return min(on, _last_moment(engagement, task, due))


def _last_moment(engagement: Engagement, task: Task, due: date) -> date:
    """The day of the last reminder or escalation, or the due date: people are asked so often that nobody is later."""
    rungs = () if task.command in LAST_DAY else engagement.rung_days.of(task)
    return max(due, rungs[-1].on) if rungs else due


def _at_worst(engagement: Engagement, task: Task, guide: Guide, today: date) -> date | None:
    if task.command in GOES_ON_WITHOUT or task.due is None or _is_silent(engagement, task):
        return None
    last = _last_moment(engagement, task, task.due.on)
    return _not_before(engagement, task, guide, max(last, task.opened, today))


def _is_silent(engagement: Engagement, task: Task) -> bool:
    """Whether nobody answers this time: the programme asks once more, and then they do."""
    if task.command == "AgreeAction":
        return engagement.running.agreement.actions[task.about].version == 1
    if task.command == "CompleteQuestionnaire":
        survey = engagement.running.diagnosis.survey(task.about)
        return survey.window == 1 or not survey.extended
    return False
