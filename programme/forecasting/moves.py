"""What-if: a session or a review later, somebody absent, a pause, a further holiday. And how people write it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from programme.forecasting.meeting import called as session_called
from programme.forecasting.reviewing import called as review_called
from programme.messages import FIRST_YEAR, LAST_YEAR, Frozen, PersonId
from programme.refusals import Invalid
from programme.stages.review_plan import plans
from programme.working_time import local_date

if TYPE_CHECKING:
    from datetime import datetime

    from programme.engagement import Engagement

MOST_DAYS = 260  # working days by which something may be moved: a year
MOST = 20  # of a kind in one question
_MOVE = re.compile(r"((?:session|review)-[a-z0-9-]{1,40})=\+(\d{1,3})")
_ABSENT = re.compile(r"([^=]{1,254})=([\d-]+)\.\.([\d-]+)")
_STRETCH = re.compile(r"([\d-]+)\.\.([\d-]+)")


class Move(Frozen):
    """A session or review so many working days later than it would take place: ``session-b``, ``review-external-1``."""

    what: str
    days: Annotated[int, Field(description="Working days.")]


class Absence(Frozen):
    """Somebody who is away from one day to another, both included."""

    person: PersonId
    first: date
    last: date


class Halt(Frozen):
    """A pause of the programme: from a day on, resumed on another."""

    first: date
    resumes: date


class Moves(Frozen):
    """Everything of one what-if."""

    moves: tuple[Move, ...] = ()
    absences: tuple[Absence, ...] = ()
    pauses: tuple[Halt, ...] = ()
    holidays: tuple[date, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is asked."""
        return bool(self.moves or self.absences or self.pauses or self.holidays)


def written(
    moves: Iterable[str] = (), absent: Iterable[str] = (), pause: Iterable[str] = (), holidays: Iterable[str] = ()
) -> Moves:
    """Moves as people write them.

    Raises:
        Invalid: names the first that cannot be read, and how to write it.
    """
    found = Moves(
        moves=tuple(map(_move, moves)),
        absences=tuple(map(_absence, absent)),
        pauses=tuple(map(_halt, pause)),
        holidays=tuple(map(_day, holidays)),
    )
    if max(map(len, (found.moves, found.absences, found.pauses, found.holidays))) > MOST:
        raise Invalid(f"Ask for at most {MOST} moves of a kind at a time.")
    return found


def _move(text: str) -> Move:
    match = _MOVE.fullmatch(text.strip().lower())
    if not match or not 1 <= int(match[2]) <= MOST_DAYS:
        raise Invalid(f"Write a move as session-b=+10 or review-external-1=+10: 1 to {MOST_DAYS} working days later.")
    return Move(what=match[1], days=int(match[2]))


def _absence(text: str) -> Absence:
    match = _ABSENT.fullmatch(text.strip())
    if not match:
        raise Invalid("Write an absence as PERSON=2027-03-01..2027-03-19.")
    first, last = _day(match[2]), _day(match[3])
    if last < first:
        raise Invalid("An absence ends on the day on which it begins, or later.")
    return Absence(person=match[1], first=first, last=last)


def _halt(text: str) -> Halt:
    match = _STRETCH.fullmatch(text.strip())
    if not match:
        raise Invalid("Write a pause as 2027-12-20..2028-01-04: from its first day to the day on which it resumes.")
    first, resumes = _day(match[1]), _day(match[2])
    if resumes <= first:
        raise Invalid("A pause resumes on a later day than that on which it begins.")
    return Halt(first=first, resumes=resumes)


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise Invalid("Write each day as 2027-03-01.") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Invalid(f"Name a day between {FIRST_YEAR} and {LAST_YEAR}.")
    return day


# --- what can be asked of this engagement ----------------------------------------------------------------------------


def refuse_impossible(engagement: Engagement, moves: Moves, at: datetime) -> None:
    """Refuse a what-if that could not come about here.

    Raises:
        Invalid: says what, and what could be asked instead.
    """
    today, most = local_date(at), engagement.template.durations.pause
    for move in moves.moves:
        _refuse_move(engagement, move.what)
    for absence in moves.absences:
        if absence.person not in engagement.people:
            raise Invalid("Nobody of that id takes part. Look at the people of this engagement for theirs.")
    _refuse_pauses(engagement, moves, today, most)
    for day in moves.holidays:
        if day <= today:
            raise Invalid("A further holiday lies ahead: name a later day than today.")


def _refuse_move(engagement: Engagement, what: str) -> None:
    held = set()
    if engagement.cycle:
        cycle = engagement.cycle
        by_name = {session_called(one): one.held is not None and one.quorate for one in cycle.sessions.all.values()}
        by_name |= {review_called(one.id): one.held is not None for one in cycle.challenge.reviews.values()}
        held = {name for name, is_held in by_name.items() if is_held}
    names = known_moves(engagement)
    if what in held:
        raise Invalid("What has been held cannot be moved. Move one that lies ahead.")
    if what not in names:
        raise Invalid(f"Nothing of that name lies ahead in this cycle. Choose from: {', '.join(names)}.")


def known_moves(engagement: Engagement) -> tuple[str, ...]:
    """What a move may name: the sessions and reviews of the template, and those that were called besides."""
    planned = [f"session-{plan.letter.lower()}" for plan in engagement.template.sessions]
    if engagement.cycle:
        planned += [session_called(one) for one in engagement.cycle.sessions.all.values()]
        planned += [review_called(review) for review, _ in plans(engagement)]
    else:
        counted: dict[str, int] = {}
        for plan in engagement.template.reviews:
            counted[plan.kind] = counted.get(plan.kind, 0) + 1
            planned.append(f"review-{plan.kind}-{counted[plan.kind]}")
    return tuple(dict.fromkeys(planned))


def _refuse_pauses(engagement: Engagement, moves: Moves, today: date, most: int) -> None:
    free_from = engagement.continuity.pause.resumes if engagement.continuity.pause else today
    for halt in sorted(moves.pauses, key=lambda one: one.first):
        if halt.first < free_from:
            raise Invalid("A pause begins today or later, and not within another.")
        if engagement.time.between(halt.first, halt.resumes) > most:
            raise Invalid(f"A pause lasts at most {most} working days.")
        free_from = halt.resumes
