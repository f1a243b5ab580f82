"""How many hours of steps a person has in each fortnight, and who has too many. By part and opaque id, never ranked.

Fortnights are counted from the Monday of the week of the forecast; the fullest one may begin on any day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

from programme.forecasting.moment import STAND_IN
from programme.messages import Frozen, PersonId, Role

if TYPE_CHECKING:
    from programme.forecasting.course import Run

FORTNIGHT = timedelta(days=14)
HOUR = 60


class Fortnight(Frozen):
    """The minutes of steps in the fourteen days from a day on."""

    starts: date
    minutes: int


class Load(Frozen):
    """What a person is asked for: by fortnight, and the fullest fourteen days of all."""

    person: PersonId
    roles: tuple[Role, ...]
    fortnights: tuple[Fortnight, ...]
    fullest: Fortnight


def loads(run: Run, today: date) -> tuple[Load, ...]:
    """The load of everybody who is known, in the order of their ids."""
    monday = today - timedelta(days=today.weekday())
    people = run.engagement.people
    return tuple(
        Load(
            person=person,
            roles=tuple(sorted(people[person].roles())),
            fortnights=_by_fortnight(days, monday),
            fullest=_fullest(days),
        )
        for person, days in sorted(run.load.items())
        if days and person in people and not person.startswith(STAND_IN)
    )


def _by_fortnight(days: Mapping[date, int], monday: date) -> tuple[Fortnight, ...]:
    counted = Counter[int]()
    for day, spent in days.items():
        counted[(day - monday) // FORTNIGHT] += spent
    return tuple(
        Fortnight(starts=monday + place * FORTNIGHT, minutes=spent) for place, spent in sorted(counted.items())
    )


def _fullest(days: Mapping[date, int]) -> Fortnight:
    """Any fourteen days are as full as some fourteen days that begin with a step."""
    windows = [(sum(spent for on, spent in days.items() if day <= on < day + FORTNIGHT), day) for day in days]
    most = max(spent for spent, _ in windows)
    return Fortnight(starts=min(day for spent, day in windows if spent == most), minutes=most)


def overloaded(found: tuple[Load, ...], hours: int) -> tuple[Load, ...]:
    """Whose fullest fourteen days hold more than so many hours."""
    return tuple(one for one in found if one.fullest.minutes > hours * HOUR)
