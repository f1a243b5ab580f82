"""The days on which somebody does not work: part-time days and leave, set by the person, respected by dates and post.

A personal due date that falls on such a day moves to the next day on which the person works; news and reminders wait
for one. What is common to everybody waits for nobody, and what protects patients neither.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from programme.holds import personal
from programme.messages import Command, Event, PersonId, Role, Task
from programme.part import Asked, Part
from programme.people import Away, Pattern, Weekday
from programme.refusals import Invalid
from programme.working_time import local_date, uk_date

if TYPE_CHECKING:
    from programme.engagement import Engagement

LONGEST_LEAVE = 31  # days; who is away for longer hands over
MOST_LEAVES = 20


class SetWorkingPattern(Command):
    """Say on which weekdays you do not work, and when you are on leave. It replaces what you said before."""

    who = frozenset(Role)
    refusals = (Invalid,)

    kind: Literal["SetWorkingPattern"] = "SetWorkingPattern"
    off: tuple[Weekday, ...] = ()
    away: tuple[Away, ...] = ()


class WorkingPatternSet(Event):
    """Somebody said when they do not work."""

    kind: Literal["WorkingPatternSet"] = "WorkingPatternSet"
    person: PersonId
    off: tuple[Weekday, ...] = ()
    away: tuple[Away, ...] = ()


Commands = SetWorkingPattern
Events = WorkingPatternSet


# --- asking about days -----------------------------------------------------------------------------------------------


def works(engagement: Engagement, person: PersonId, on: date) -> bool:
    """Whether somebody works on a day: as the trust does, but for the own days off."""
    found = engagement.people.get(person)
    return engagement.time.is_working(on) and (found is None or found.works.on(on))


def next_day(engagement: Engagement, people: tuple[PersonId, ...], on: date) -> date:
    """The first day from ``on`` on which one of these people works."""
    patterns = [engagement.people[one].works for one in people if one in engagement.people]
    if not any(patterns) or not all(patterns):
        return on
    while not any(works(engagement, one, on) for one in people):
        on += timedelta(days=1)
    return on


def there(engagement: Engagement, people: tuple[PersonId, ...], on: date) -> bool:
    """Whether a message to these people may leave on a day; one to both sponsors, when one of them works."""
    return next_day(engagement, people, on) == on


def when_there(engagement: Engagement, people: tuple[PersonId, ...], at: datetime) -> datetime:
    """An instant, or the morning of the next day on which one of these people works."""
    today = local_date(at)
    day = next_day(engagement, people, today)
    return at if day == today else engagement.time.morning(day)


def next_sending(engagement: Engagement, people: tuple[PersonId, ...], at: datetime) -> datetime:
    """The first instant from ``at`` on at which a message to these people may leave."""
    while (later := engagement.time.next_sending(when_there(engagement, people, at))) != at:
        at = later
    return at


def when_they_work(engagement: Engagement, task: Task) -> Task:
    """A task with its due date on a day on which whoever owes it works."""
    if not engagement.people[task.person].works or task.due is None or not personal(engagement, task):
        return task
    on = next_day(engagement, (task.person,), task.due.on)
    if on == task.due.on:
        return task
    why = f"{task.due.why}; {uk_date(task.due.on)} is a day off of whoever it was asked of"
    return replace(task, due=replace(task.due, on=on, why=why))


# --- decide and evolve -----------------------------------------------------------------------------------------------


def set_working_pattern(engagement: Engagement, command: SetWorkingPattern, asked: Asked) -> list[Event]:
    """Take note of days off; leave that has passed is left out."""
    if set(command.off) == set(Weekday):
        message = "Leave at least one weekday on which you work. The programme manager records who is away for long."
        raise Invalid(message)
    if len(command.away) > MOST_LEAVES or any(not 0 <= one.days <= LONGEST_LEAVE for one in command.away):
        message = (
            f"Name at most {MOST_LEAVES} leaves, each from a day to a later one and of at most {LONGEST_LEAVE} days."
            " The programme manager records who is away for longer."
        )
        raise Invalid(message)
    off = tuple(day for day in Weekday if day in command.off)
    away = tuple(
        sorted((one for one in command.away if one.last >= asked.today), key=lambda one: (one.first, one.last))
    )
    if engagement.people[asked.by].works == Pattern(off=off, away=away):
        return []
    return [WorkingPatternSet(person=asked.by, off=off, away=away)]


def _set(engagement: Engagement, event: WorkingPatternSet, at: datetime) -> Engagement:
    del at
    person = engagement.people[event.person].but(works=Pattern(off=event.off, away=event.away))
    return engagement.but(people={**engagement.people, person.id: person})


PART = Part(name="rota", decide={SetWorkingPattern: set_working_pattern}, evolve={WorkingPatternSet: _set})
