"""The monthly check-in: a line from each co-owner on the first working day, and help where two in a row say "Stuck".

Each side writes for itself and neither line is averaged with the other: where either side is stuck, the action is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Literal

from programme.measures import next_month, refuse_blank
from programme.messages import PARTICIPANTS, Command, Due, DueDate, Event, PersonId, Sentence, Side, Task
from programme.part import Asked, Part
from programme.refusals import AlreadyDone, Invalid, NotCoOwner, NotHeldByYou, NotYet
from programme.stages.action import ActionStatus, NeedStatus, owned_side
from programme.stages.delivery import CheckInLine, CheckInRound, Progress, delivering_since, with_delivery
from programme.stages.session import Purpose
from programme.stages.sessions import call_session
from programme.working_time import at_local

if TYPE_CHECKING:
    from programme.engagement import Engagement


class CheckIn(Command):
    """Say in one line how an action or a development need of one's own goes, and what was learned."""

    who = PARTICIPANTS
    refusals = (NotYet, NotCoOwner, NotHeldByYou, AlreadyDone, Invalid)

    kind: Literal["CheckIn"] = "CheckIn"
    about: str
    progress: Progress
    line: Sentence
    learned: Sentence = ""


Commands = CheckIn


class CheckInsOpened(Event):
    """The check-ins of a month are asked for; they are due so many working days later."""

    kind: Literal["CheckInsOpened"] = "CheckInsOpened"
    month: date
    working_days: int
    actions: tuple[str, ...]
    needs: tuple[str, ...]
    on: date


class CheckedIn(Event):
    """One side's line about an action, or the owner's about a development need."""

    kind: Literal["CheckedIn"] = "CheckedIn"
    month: date
    about: str
    side: Side
    by: PersonId
    progress: Progress
    line: str
    learned: str = ""
    on: date


class StuckTwice(Event):
    """Two check-ins in a row said "Stuck"; a short joint session is called."""

    kind: Literal["StuckTwice"] = "StuckTwice"
    about: str
    month: date


Events = CheckInsOpened | CheckedIn | StuckTwice


# --- asking about check-ins ----------------------------------------------------------------------------------------


def rounds_about(engagement: Engagement, about: str) -> tuple[CheckInRound, ...]:
    """The rounds of this cycle in which somebody was asked about an action or a development need."""
    return tuple(one for one in engagement.running.delivery.check_ins if about in one.lines)


def unanswered(rounds: Sequence[CheckInRound], about: str, side: Side) -> Iterator[CheckInRound]:
    """The rounds since a side last said something: a later line answers for the months before it."""
    for one in reversed(rounds):
        if side in one.lines[about]:
            return
        yield one


def _stuck(one: CheckInRound, about: str) -> bool:
    return any(line.progress is Progress.STUCK for line in one.lines[about].values())


def _next_month(engagement: Engagement, started: date) -> date:
    """The month whose check-ins open next: the first, after those that did, to open after delivery had begun."""
    rounds = engagement.running.delivery.check_ins
    if rounds:
        return next_month(rounds[-1].month)
    month = next_month(started)
    return month if _opens(engagement, month) > started else next_month(month)


def _opens(engagement: Engagement, month: date) -> date:
    return engagement.time.plus(engagement.time.plus(month, 0), -engagement.template.durations.check_in_opens)


# --- decide --------------------------------------------------------------------------------------------------------


def check_in(engagement: Engagement, command: CheckIn, asked: Asked) -> list[Event]:
    """Take one side's line, and call a session where the month before was stuck as well."""
    rounds = rounds_about(engagement, command.about) if engagement.cycle else ()
    if not rounds:
        raise NotYet("no check-in about this is open; it opens shortly before the first working day of each month")
    side = _speaks(engagement, command.about, asked.by)
    if side in rounds[-1].lines[command.about]:
        raise AlreadyDone("your side has checked in this month")
    refuse_blank(command.line, "The line")
    said = CheckedIn(
        month=rounds[-1].month,
        about=command.about,
        side=side,
        by=asked.by,
        progress=command.progress,
        line=command.line,
        learned=command.learned,
        on=asked.today,
    )
    if command.progress is not Progress.STUCK or not _second_in_a_row(engagement, rounds, command.about):
        return [said]
    title = f"Two check-ins in a row are stuck: {command.about}"
    called = call_session(engagement, Purpose.STUCK, title, asked.today, "Two check-ins in a row said Stuck")
    return [said, StuckTwice(about=command.about, month=rounds[-1].month), *called]


def _speaks(engagement: Engagement, about: str, person: PersonId) -> Side:
    """For which side somebody speaks about an action in force or an owned development need."""
    agreement = engagement.running.agreement
    if about in agreement.actions:
        action = agreement.actions[about]
        if action.status is not ActionStatus.ACTIVE:
            raise NotYet("check-ins are about active actions")
        return owned_side(engagement, action, person)
    side = engagement.people[person].side
    if agreement.needs[about].owner != person or side is None:
        raise NotHeldByYou("This development need")
    return side


def _second_in_a_row(engagement: Engagement, rounds: Sequence[CheckInRound], about: str) -> bool:
    """Whether this month was not stuck until now, and the last month in which anybody said something was.

    A month that already led to a session does not count again.
    """
    earlier = [one for one in rounds[:-1] if one.lines[about]]
    last_call = engagement.running.delivery.stuck.get(about)
    if not earlier or _stuck(rounds[-1], about) or (last_call and earlier[-1].month <= last_call):
        return False
    return _stuck(earlier[-1], about)


# --- evolve --------------------------------------------------------------------------------------------------------


def _opened(engagement: Engagement, event: CheckInsOpened, at: datetime) -> Engagement:
    del at
    opened = CheckInRound(
        month=event.month,
        opened=event.on,
        working_days=event.working_days,
        lines={about: {} for about in (*event.actions, *event.needs)},
    )
    return with_delivery(engagement, check_ins=(*engagement.running.delivery.check_ins, opened))


def _said(engagement: Engagement, event: CheckedIn, at: datetime) -> Engagement:
    del at
    line = CheckInLine(by=event.by, progress=event.progress, line=event.line, learned=event.learned, on=event.on)
    rounds = tuple(
        one.model_copy(update={"lines": {**one.lines, event.about: {**one.lines[event.about], event.side: line}}})
        if one.month == event.month
        else one
        for one in engagement.running.delivery.check_ins
    )
    return with_delivery(engagement, check_ins=rounds)


def _stuck_twice(engagement: Engagement, event: StuckTwice, at: datetime) -> Engagement:
    del at
    return with_delivery(engagement, stuck={**engagement.running.delivery.stuck, event.about: event.month})


# --- agenda and tasks ----------------------------------------------------------------------------------------------


def agenda(engagement: Engagement) -> Iterator[Due]:
    """The opening of the next month's check-ins."""
    started = delivering_since(engagement)
    if started is None:
        return
    month = _next_month(engagement, started)
    why = f"Check-ins are due on the first working day of {month:%B %Y}"
    what = f"The {month:%B %Y} check-ins open"
    opens = _opens(engagement, month)
    opens = engagement.time.shifted(opens, opens)  # not while the clock stands still
    yield Due(at=at_local(opens, time(0)), key=f"act:checkins:open/{month}", what=what, why=why)


def act(engagement: Engagement, what: str, asked: Asked) -> list[Event]:
    """Ask both owners of every active action, and every owner of a development need."""
    month = date.fromisoformat(what.partition("/")[2])
    agreement = engagement.running.agreement
    first = engagement.time.shifted(_opens(engagement, month), engagement.time.plus(month, 0))
    return [
        CheckInsOpened(
            month=month,
            working_days=max(1, engagement.time.between(asked.today, first)),  # later where a pause lay between
            actions=tuple(one.id for one in agreement.actions.values() if one.status is ActionStatus.ACTIVE),
            needs=tuple(one.id for one in agreement.needs.values() if one.status is NeedStatus.OWNED),
            on=asked.today,
        )
    ]


def tasks(engagement: Engagement) -> Iterator[Task]:
    """A line from each owner of what is still active."""
    if delivering_since(engagement) is None:
        return
    agreement = engagement.running.agreement
    for action in agreement.actions.values():
        if action.status is ActionStatus.ACTIVE:
            for side in Side:
                yield from _lines(engagement, action.id, side, action.owner(side))
    for need in agreement.needs.values():
        owner_side = engagement.people[need.owner].side if need.owner else None
        if need.status is NeedStatus.OWNED and owner_side:
            yield from _lines(engagement, need.id, owner_side, need.owner)


def _lines(engagement: Engagement, about: str, side: Side, owner: PersonId) -> Iterator[Task]:
    for one in unanswered(rounds_about(engagement, about), about, side):
        yield Task(
            id=f"{engagement.running.number}/delivery/check-in-{about}-{one.month:%Y-%m}/{owner}",
            ladder="check-in",
            person=owner,
            about=about,
            command="CheckIn",
            title=f"Check in on {about} for the {side.value}s, {one.month:%B %Y}",
            opened=one.opened,
            due=check_in_due(engagement, one),
            side=side,
        )


def check_in_due(engagement: Engagement, one: CheckInRound) -> DueDate:
    """The first working day of the month, or later where the round opened late."""
    return engagement.time.due(one.opened, one.working_days, f"the {one.month:%B %Y} check-ins opened")


PART = Part(
    name="checkins",
    decide={CheckIn: check_in},
    evolve={CheckInsOpened: _opened, CheckedIn: _said, StuckTwice: _stuck_twice},
    agenda=agenda,
    act=act,
    tasks=tasks,
)
