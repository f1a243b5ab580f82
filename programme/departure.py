"""What is known of somebody who leaves or is away for long: until when they work, and who takes over which part.

State, and the questions asked of it. The rules stand in ``handover.py``; what a part leaves open in ``duties.py``; how
the clock is held for those duties in ``holds.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pydantic import Field

from programme.duties import duties
from programme.messages import APPROVERS, SPONSORS, DueDate, Frozen, PersonId, Role, Side, Words
from programme.people import SIDE_SPONSOR
from programme.working_time import uk_date

if TYPE_CHECKING:
    from programme.engagement import Engagement


class Handover(Frozen):
    """One part of somebody who goes, and who takes it over.

    ``turn`` counts how often somebody was asked to name a successor, or to take over; ``opened`` is when it last was.
    ``sponsor``: whether it is the sponsors' turn to name somebody. ``released``: when the clocks ran again without one.
    """

    role: Role
    opened: date
    turn: int = 1
    successor: PersonId = ""
    gmc_registered: bool = False
    accepted: date | None = None
    sponsor: bool = False
    released: date | None = None


class Departure(Frozen):
    """Somebody goes: for good, or until ``returns``. ``number`` tells one departure of a person from the next."""

    person: PersonId
    number: int
    recorded: date
    last_day: date
    returns: date | None = None
    left: date | None = None
    over: date | None = None  # the person is back
    note: Words = Words()
    handovers: dict[Role, Handover] = Field(default_factory=dict)


class Hold(Frozen):
    """A stretch in which the clocks of what somebody left open stood still: from ``first`` up to but not ``until``.

    ``tasks`` are the ids of those tasks without the person; the shift goes with them to the successor.
    """

    person: PersonId
    role: Role
    first: date
    until: date
    tasks: tuple[str, ...]
    successor: PersonId = ""


class Handovers(Frozen):
    """Who goes, by person, and the clocks that were held. ``counted``: departures so far, for ids."""

    departures: dict[PersonId, Departure] = Field(default_factory=dict)
    holds: tuple[Hold, ...] = ()
    counted: int = 0


# --- questions -------------------------------------------------------------------------------------------------------


def open_departures(engagement: Engagement) -> Iterator[Departure]:
    """Whoever goes, or has gone and is not back."""
    return (one for one in engagement.handovers.departures.values() if one.over is None)


def wanted(engagement: Engagement, departure: Departure) -> Iterator[Handover]:
    """The parts for which a successor is looked for: something of them is left open, and nobody has taken it over."""
    for handover in departure.handovers.values():
        if handover.accepted is None and duties(engagement, departure.person, handover.role):
            yield handover


def every_wanted(engagement: Engagement) -> Iterator[tuple[Departure, Handover]]:
    """All of them, of everybody who goes."""
    for departure in open_departures(engagement):
        for handover in wanted(engagement, departure):
            yield departure, handover


def handover_due(engagement: Engagement, handover: Handover) -> DueDate:
    """By when a part is taken over, or a successor named, before it is the sponsors' turn."""
    since = "the part was offered to you" if handover.successor else "a successor was asked for"
    return engagement.time.due(handover.opened, engagement.template.durations.handover, since)


def own_sponsors(engagement: Engagement, role: Role) -> tuple[PersonId, ...]:
    """The sponsors whose turn it is to name a successor: the one of that side; both for a part of neither side.

    Approvers are doctors. For a sponsor, and where there is none, the programme manager is asked again.
    """
    sides = {Role.DOCTOR: Side.DOCTOR, Role.MANAGER: Side.MANAGER} | dict.fromkeys(APPROVERS, Side.DOCTOR)
    managers = engagement.holders(Role.PROGRAMME_MANAGER)
    if role in SPONSORS:
        return managers or engagement.sponsors
    return (engagement.holders(SIDE_SPONSOR[sides[role]]) if role in sides else engagement.sponsors) or managers


def hold_begins(departure: Departure) -> date:
    """The first day on which nobody works on what was left open."""
    return departure.last_day + timedelta(days=1)


def hold_ends(engagement: Engagement, departure: Departure) -> date:
    """The day on which the clocks run again, successor or not."""
    most = engagement.template.durations.handover
    return engagement.time.due(departure.last_day, most, "the last day").on + timedelta(days=1)


def leaving_in_words(departure: Departure) -> str:
    """When somebody goes, as the end of a sentence that names nobody."""
    until = f", back on {uk_date(departure.returns)}" if departure.returns else ""
    return f"last day {uk_date(departure.last_day)}{until}"
