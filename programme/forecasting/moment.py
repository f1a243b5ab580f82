"""What somebody sees who does a deed in a forecast: the engagement, the task, the moment, and what is given beforehand.

Nothing here draws a random number: a choice between people follows from the seed and from what it is about, so that the
same question has the same answer, and one choice never shifts another.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from programme.forecasting.pace import Pace
from programme.messages import PersonId, Side
from programme.working_time import local_date

if TYPE_CHECKING:
    from programme.engagement import Engagement
    from programme.messages import Command, Task

Deed = tuple["Command", PersonId]
Deeds = list[Deed]
Thing = TypeVar("Thing")
STAND_IN = "stand-in"  # begins the id of somebody who is still to be found


class Course(StrEnum):
    """How a forecast goes: best, at today's pace, or worst."""

    BEST = "best"
    PACE = "pace"
    WORST = "worst"


@dataclass(frozen=True)
class Guide:
    """What is given for a whole course: who acts when, which dates must not come earlier, who is away.

    not_before: by what it is called (``session-b``, ``review-1-external-1``). away: for a person, first and last days.
    """

    course: Course = Course.PACE
    pace: Pace = field(default_factory=Pace)
    seed: int = 1
    not_before: Mapping[str, date] = field(default_factory=dict)
    away: Mapping[PersonId, Sequence[tuple[date, date]]] = field(default_factory=dict)

    def is_away(self, person: PersonId, on: date) -> bool:
        """Whether somebody is absent on a day."""
        return any(first <= on <= last for first, last in self.away.get(person, ()))

    def one(self, things: Sequence[Thing], *about: object) -> Thing:
        """One of several, always the same for the same seed and matter."""
        said = "/".join(map(str, (self.seed, *about)))
        return things[zlib.crc32(said.encode()) % len(things)]


@dataclass(frozen=True, slots=True)
class Moment:
    """One task at one moment."""

    engagement: Engagement
    task: Task
    at: datetime
    guide: Guide

    @property
    def today(self) -> date:
        """The day in London."""
        return local_date(self.at)

    def working_day(self, on: date, *people: PersonId) -> date:
        """That day, or the first working day after it on which nobody of these is away."""
        day = self.engagement.time.plus(on, 0)
        while any(self.guide.is_away(person, day) for person in people):
            day = self.engagement.time.plus(day, 1)
        return day

    def present(self, side: Side) -> tuple[PersonId, ...]:
        """The participants of a side who are not away today."""
        today = self.today
        return tuple(one for one in self.engagement.participants(side) if not self.guide.is_away(one, today))
