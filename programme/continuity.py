"""What lets a year have surprises: the stopped clock, a changed calendar, and due dates that never move unseen.

A pause stops the clock and still answers; a new calendar re-plans every deadline. Whatever moves a due date, the move
is an event with its reason, and a due date never moves earlier.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from programme.messages import SPONSORS, Command, Due, Event, Frozen, Role, Sentence, Task, TaskId
from programme.part import Asked, Part
from programme.post import PAUSE, NoticeRaised
from programme.refusals import DecisionAwaited, Invalid, NotPaused, PauseTooLong, WindowIsOpen
from programme.stages import diagnosis, mandate
from programme.working_time import Calendar, Stop, at_local, counted, one_calendar, uk_date

if TYPE_CHECKING:
    from programme.engagement import Engagement

SAFETY_MARK = "safety"  # in the key of every due that protects patients


class OpenWindow(StrEnum):
    """What becomes of a questionnaire that is open when a pause begins; it is never silently frozen."""

    CLOSE = "close"
    EXTEND = "extend"


class Pause(Frozen):
    """A pause that runs: since when, until when, and why. ``kept_open``: the questionnaires that wait for its end."""

    since: date
    resumes: date
    reason: str
    kept_open: tuple[str, ...] = ()


class Continuity(Frozen):
    """The stopped clock. ``held_to``, ``held_acts``: due dates, and what they end, that would have moved earlier.

    ``spent``: the last pause was as long as one may be, and both sponsors decide before there is another.
    """

    pause: Pause | None = None
    stops: tuple[Stop, ...] = ()
    spent: bool = False
    held_to: dict[TaskId, date] = Field(default_factory=dict)
    held_acts: dict[str, datetime] = Field(default_factory=dict)


class PauseEngagement(Command):
    """Stop the clock until a date, for at most 30 working days. ``window``: what becomes of an open questionnaire."""

    who = frozenset({Role.PROGRAMME_MANAGER})
    refusals = (PauseTooLong, DecisionAwaited, WindowIsOpen, Invalid)

    kind: Literal["PauseEngagement"] = "PauseEngagement"
    reason: Sentence
    resumes: date
    window: OpenWindow | None = None


class ExtendPause(Command):
    """Let a pause last until a later date, for at most 30 working days from its first day on."""

    who = frozenset({Role.PROGRAMME_MANAGER})
    refusals = (NotPaused, PauseTooLong, Invalid)
    while_paused = True

    kind: Literal["ExtendPause"] = "ExtendPause"
    reason: Sentence
    resumes: date


class ResumeEngagement(Command):
    """Let the clock run again before the date that was set."""

    who = frozenset({Role.PROGRAMME_MANAGER}) | SPONSORS
    refusals = (NotPaused,)
    while_paused = True

    kind: Literal["ResumeEngagement"] = "ResumeEngagement"


class ChangeCalendar(Command):
    """A newer snapshot of bank holidays and closures. Brought by the system."""

    refusals = (Invalid,)
    while_paused = True

    kind: Literal["ChangeCalendar"] = "ChangeCalendar"
    calendar: Calendar


Commands = PauseEngagement | ExtendPause | ResumeEngagement | ChangeCalendar


class EngagementPausedUntil(Event):
    """The clock stands still."""

    kind: Literal["EngagementPausedUntil"] = "EngagementPausedUntil"
    reason: str
    since: date
    resumes: date
    kept_open: tuple[str, ...] = ()


class PauseExtended(Event):
    """A pause lasts until a later date."""

    kind: Literal["PauseExtended"] = "PauseExtended"
    reason: str
    was: date
    resumes: date


class EngagementResumed(Event):
    """The clock runs again; what was due moves by the working days that were lost."""

    kind: Literal["EngagementResumed"] = "EngagementResumed"
    on: date


class QuestionnaireKeptOpen(Event):
    """A questionnaire that was open when a pause began stays open for as many working days longer."""

    kind: Literal["QuestionnaireKeptOpen"] = "QuestionnaireKeptOpen"
    survey: str
    working_days: int
    closes: date


class CalendarChanged(Event):
    """Another calendar is in force."""

    kind: Literal["CalendarChanged"] = "CalendarChanged"
    calendar: Calendar


class DueDateMoved(Event):
    """A due date moved later, and why."""

    kind: Literal["DueDateMoved"] = "DueDateMoved"
    task: TaskId
    was: date
    now: date
    why: str


class DueDateKept(Event):
    """A change would have moved a due date earlier; it stays."""

    kind: Literal["DueDateKept"] = "DueDateKept"
    task: TaskId
    on: date


class DeadlineKept(Event):
    """A change of the calendar would have brought forward what happens when a due date has passed; it waits."""

    kind: Literal["DeadlineKept"] = "DeadlineKept"
    deadline: str
    until: datetime


Events = (
    EngagementPausedUntil
    | PauseExtended
    | EngagementResumed
    | QuestionnaireKeptOpen
    | CalendarChanged
    | DueDateMoved
    | DueDateKept
    | DeadlineKept
)


def goes_on_in_a_pause(due: Due) -> bool:
    """Only the end of the pause, the news of it, who comes and goes, and what protects patients."""
    goes_on = ("act:continuity:", "act:handover:leave/", "act:handover:return/", f"notice:{PAUSE}:")
    return due.key.startswith(goes_on) or SAFETY_MARK in due.key


def not_earlier(task: Task, held: dict[TaskId, date]) -> Task:
    """The task with its due date held where a change would have moved it earlier."""
    kept = held.get(task.id)
    if kept is None or task.due is None or task.due.on >= kept:
        return task
    return replace(
        task,
        due=replace(
            task.due, on=kept, why=f"{task.due.why}; it was promised for {uk_date(kept)} and does not move earlier"
        ),
    )


def not_sooner(due: Due, held: dict[str, datetime]) -> Due:
    """What happens after a due date, held where a change of the calendar would have brought it forward."""
    kept = held.get(due.key)
    if kept is None or not due.promised or due.at >= kept:
        return due
    return replace(due, at=kept, why=f"{due.why}; what was promised does not come earlier")


def kept_deadlines(before: Engagement, after: Engagement) -> Iterator[Event]:
    """One event for each promised deadline that another calendar would bring forward."""
    if before.calendar is after.calendar:
        return
    was = {due.key: due.at for due in before.acts if due.promised}
    for due in after.acts:
        if due.promised and due.key in was and due.at < was[due.key]:
            yield DeadlineKept(deadline=due.key, until=was[due.key])


def moved_due_dates(
    before: Engagement, after: Engagement, tasks: Callable[[Engagement], list[Task]]
) -> Iterator[Event]:
    """One event for each open task whose due date is not what it was."""
    if before is after:
        return
    was = {task.id: task.due.on for task in tasks(before) if task.due}
    for task in tasks(after):
        earlier = was.get(task.id) or was.get(after.formerly(task))
        if earlier is None or task.due is None or task.due.on == earlier:
            continue
        if task.due.on > earlier:
            yield DueDateMoved(task=task.id, was=earlier, now=task.due.on, why=task.due.why)
        else:
            yield DueDateKept(task=task.id, on=earlier)


def lost(engagement: Engagement, since: date, resumes: date) -> int:
    """How many working days a pause costs: those from its first day up to the day before it ends."""
    day = timedelta(days=1)
    return engagement.time.between(since - day, resumes - day)


def pause_engagement(engagement: Engagement, command: PauseEngagement, asked: Asked) -> list[Event]:
    """Stop the clock, and tell both sponsors; an open questionnaire is closed or kept open for longer, as was said."""
    if command.resumes <= asked.today:
        message = "Name a later day than today on which the programme resumes."
        raise Invalid(message)
    news = _until(engagement, asked.today, command.reason, command.resumes)
    if engagement.continuity.spent and not engagement.mandate.both_willing(engagement.sponsors):
        raise DecisionAwaited
    windows = tuple(name for name, survey in diagnosis.surveys(engagement) if survey.open)
    if windows and command.window is None:
        raise WindowIsOpen
    closing = windows if command.window is OpenWindow.CLOSE else ()
    kept_open = () if closing else windows
    return [
        *(diagnosis.closed_now(engagement, name, asked.today) for name in closing),
        EngagementPausedUntil(reason=command.reason, since=asked.today, resumes=command.resumes, kept_open=kept_open),
        news,
    ]


def extend_pause(engagement: Engagement, command: ExtendPause, asked: Asked) -> list[Event]:
    """Let the clock stand still for longer, and tell both sponsors."""
    del asked
    pause = engagement.continuity.pause
    if pause is None:
        raise NotPaused
    if command.resumes <= pause.resumes:
        message = f"Name a later day than {uk_date(pause.resumes)}. To resume earlier, resume the programme."
        raise Invalid(message)
    news = _until(engagement, pause.since, command.reason, command.resumes)
    return [PauseExtended(reason=command.reason, was=pause.resumes, resumes=command.resumes), news]


def _until(engagement: Engagement, since: date, reason: str, resumes: date) -> NoticeRaised:
    """What both sponsors are told together of a pause that may last until then."""
    limit = engagement.template.durations.pause
    if not reason.strip():
        message = "Say why the programme pauses: both sponsors are told."
        raise Invalid(message)
    if (days := lost(engagement, since, resumes)) > limit:
        raise PauseTooLong(limit)
    title = f"Paused until {uk_date(resumes)}. Due dates move by the working days that are lost"
    if days == limit:
        title += ". It cannot last longer: both sponsors then say whether they are willing to go on"
    return NoticeRaised(people=engagement.sponsors, title=title, topic=PAUSE, together=True)


def resume_engagement(engagement: Engagement, command: ResumeEngagement, asked: Asked) -> list[Event]:
    """Let the clock run again, and tell both sponsors."""
    del command
    if not engagement.paused:
        raise NotPaused
    title = "The programme has resumed earlier than planned. Due dates have moved by the working days that were lost"
    return [
        *_resume(engagement, asked),
        NoticeRaised(people=engagement.sponsors, title=title, topic=PAUSE, together=True),
    ]


def _resume(engagement: Engagement, asked: Asked) -> list[Event]:
    """The end of a pause, what it means for an open questionnaire, and what is to be decided after the longest."""
    pause = engagement.continuity.pause
    if pause is None:
        return []
    resumed = EngagementResumed(on=asked.today)
    after, days = _resumed(engagement, resumed, asked.at), lost(engagement, pause.since, asked.today)
    kept_open = [
        QuestionnaireKeptOpen(survey=name, working_days=days, closes=closes)
        for name in pause.kept_open
        if days and (closes := diagnosis.closes(after, name))
    ]
    return [resumed, *kept_open, *(_to_decide(engagement, asked) if after.continuity.spent else ())]


def _to_decide(engagement: Engagement, asked: Asked) -> Iterator[Event]:
    """The longest pause is over: no gate passes until both sponsors have said again that they are willing."""
    limit = engagement.template.durations.pause
    if engagement.mandate.both_willing(engagement.sponsors):
        yield mandate.WillingnessAsked(round=engagement.mandate.round + 1, on=asked.today)
        title = f"The programme has paused for {counted(limit)}, the longest that is possible. Say whether you go on"
        yield NoticeRaised(people=engagement.sponsors, title=title, about="willingness", together=True)


def change_calendar(engagement: Engagement, command: ChangeCalendar, asked: Asked) -> list[Event]:
    """Put another calendar in force; every deadline follows."""
    del asked
    if command.calendar == engagement.calendar:
        return []
    if command.calendar.division is not engagement.calendar.division:
        message = "This calendar is of another holiday division than the trust's."
        raise Invalid(message)
    return [CalendarChanged(calendar=command.calendar)]


def _paused(engagement: Engagement, event: EngagementPausedUntil, at: datetime) -> Engagement:
    del at
    pause = Pause(since=event.since, resumes=event.resumes, reason=event.reason, kept_open=event.kept_open)
    return _with(engagement, pause=pause)


def _extended(engagement: Engagement, event: PauseExtended, at: datetime) -> Engagement:
    del at
    pause = engagement.continuity.pause
    changes = {"resumes": event.resumes, "reason": event.reason}
    return _with(engagement, pause=pause.model_copy(update=changes)) if pause else engagement


def _kept_open(engagement: Engagement, event: QuestionnaireKeptOpen, at: datetime) -> Engagement:
    del event, at
    return engagement  # when it closes follows from the stop


def _resumed(engagement: Engagement, event: EngagementResumed, at: datetime) -> Engagement:
    del at
    pause = engagement.continuity.pause
    stops, spent = engagement.continuity.stops, False
    if pause and pause.since < event.on:
        stops = (*stops, Stop(first=pause.since, until=event.on, why=pause.reason))
        spent = lost(engagement, pause.since, event.on) >= engagement.template.durations.pause
    return _with(engagement, pause=None, stops=stops, spent=spent)


def _calendar_changed(engagement: Engagement, event: CalendarChanged, at: datetime) -> Engagement:
    del at
    return engagement.but(calendar=one_calendar(event.calendar))


def _due_date_moved(engagement: Engagement, event: DueDateMoved, at: datetime) -> Engagement:
    del event, at
    return engagement


def _due_date_kept(engagement: Engagement, event: DueDateKept, at: datetime) -> Engagement:
    del at
    return _with(engagement, held_to={**engagement.continuity.held_to, event.task: event.on})


def _deadline_kept(engagement: Engagement, event: DeadlineKept, at: datetime) -> Engagement:
    del at
    return _with(engagement, held_acts={**engagement.continuity.held_acts, event.deadline: event.until})


def _with(engagement: Engagement, **changes: object) -> Engagement:
    return engagement.but(continuity=engagement.continuity.model_copy(update=changes))


def agenda(engagement: Engagement) -> Iterator[Due]:
    """The end of a pause."""
    pause = engagement.continuity.pause
    if pause:
        why = f"The pause that began on {uk_date(pause.since)} ends"
        yield Due(
            at=at_local(pause.resumes, time(0)), key="act:continuity:resume", what="The programme resumes", why=why
        )


def act(engagement: Engagement, what: str, asked: Asked) -> list[Event]:
    """Resume on the day."""
    del what
    return _resume(engagement, asked)


PART = Part(
    name="continuity",
    decide={
        PauseEngagement: pause_engagement,
        ExtendPause: extend_pause,
        ResumeEngagement: resume_engagement,
        ChangeCalendar: change_calendar,
    },
    evolve={
        EngagementPausedUntil: _paused,
        PauseExtended: _extended,
        EngagementResumed: _resumed,
        QuestionnaireKeptOpen: _kept_open,
        CalendarChanged: _calendar_changed,
        DueDateMoved: _due_date_moved,
        DueDateKept: _due_date_kept,
        DeadlineKept: _deadline_kept,
    },
    agenda=agenda,
    act=act,
)
