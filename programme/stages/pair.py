"""What a pair is: who is in it, whom they visited, and whether they recognise themselves in what was written.

State only. The rules stand in the parts that use it: exchange (which pairs there are) and visits (what happens in one).
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from pydantic import Field

from programme.messages import Frozen, PersonId, Words

PairId = str
Pairs = tuple[tuple[PersonId, ...], ...]  # as people name them: the members of each

TRIO = 3


class ExcuseReason(StrEnum):
    """Why a pair need not finish."""

    LONG_ABSENCE = "long_absence"
    LEFT = "left"  # the trust, or the scope of the engagement
    NO_COMMON_TIME = "no_common_time"  # rotas that never meet
    WITHDREW = "withdrew"
    CONFLICT = "conflict"  # an interest or a complaint stands between the two
    NOT_RECOGNISED = "not_recognised"  # both rounds were used; what differs may go on the difference log


class Milestone(StrEnum):
    """What a pair has before it."""

    VISITS = "visits"
    RECOGNITION = "recognition"


class Group(Frozen):
    """The members of a pair: one of each side, and in a trio one person more."""

    id: PairId
    doctors: tuple[PersonId, ...]
    managers: tuple[PersonId, ...]


class Visit(Frozen):
    """Half a day or more with somebody of the other side: when it was, and when it was noted here."""

    guest: PersonId
    host: PersonId
    on: date
    half_days: int
    noted: date


class Mark(Frozen):
    """What somebody of the other side says of a text about them."""

    recognised: bool
    correction: Words = Words()
    on: date


class Writing(Frozen):
    """What it is like to be the partner, as one person wrote it; ``round`` 2 follows a correction."""

    words: Words
    round: int = 1
    on: date
    marks: dict[PersonId, Mark] = Field(default_factory=dict)

    @property
    def corrected(self) -> date | None:
        """When somebody last said that this is not how it is; None if nobody did."""
        return max((mark.on for mark in self.marks.values() if not mark.recognised), default=None)


class Insight(Frozen):
    """What a person would bring to session A. Private to the pair unless everybody in it ticks "share"."""

    words: Words
    ticks: dict[PersonId, bool] = Field(default_factory=dict)


class Pair(Frozen):
    """People of both sides who exchange places. ``stalled``: since when the facilitator is asked to step in.

    ``left_out``: whose further visits are not asked for any more, and since when.
    """

    id: PairId
    doctors: tuple[PersonId, ...]
    managers: tuple[PersonId, ...]
    formed: date
    visits: tuple[Visit, ...] = ()
    writings: dict[PersonId, Writing] = Field(default_factory=dict)
    insights: dict[PersonId, Insight] = Field(default_factory=dict)
    stalled: dict[Milestone, date] = Field(default_factory=dict)
    left_out: dict[PersonId, date] = Field(default_factory=dict)
    excused: ExcuseReason | None = None
    excused_on: date | None = None
    replaced: bool = False

    @property
    def members(self) -> tuple[PersonId, ...]:
        """Everybody in it, the doctors first."""
        return self.doctors + self.managers

    def across(self, person: PersonId) -> tuple[PersonId, ...]:
        """The members of the other side."""
        return self.managers if person in self.doctors else self.doctors

    def hosts_left(self, guest: PersonId) -> tuple[PersonId, ...]:
        """Whom a member has still to visit."""
        if guest in self.left_out:
            return ()
        seen = {visit.host for visit in self.visits if visit.guest == guest}
        return tuple(host for host in self.across(guest) if host not in seen)

    def recognises(self, author: PersonId) -> bool:
        """Whether everybody whom a text is about recognises themselves in it."""
        writing = self.writings.get(author)
        marks = writing.marks if writing else {}
        return all(person in marks and marks[person].recognised for person in self.across(author))

    @property
    def recognised(self) -> bool:
        """Whether the pair has recognised each other both ways."""
        return all(self.recognises(author) for author in self.members)

    @property
    def open(self) -> bool:
        """Whether the pair is still at work."""
        return not (self.replaced or self.excused or self.recognised)

    @property
    def milestone(self) -> Milestone:
        """What it has before it."""
        visited = not any(self.hosts_left(guest) for guest in self.members)
        return Milestone.RECOGNITION if visited else Milestone.VISITS

    @property
    def settled_on(self) -> date:
        """The day on which it was excused or last marked; the day on which it was formed where neither has happened."""
        marked = (mark.on for writing in self.writings.values() for mark in writing.marks.values())
        return self.excused_on or max(marked, default=self.formed)


class Exchange(Frozen):
    """The pairs of a cycle, as proposed and as they are; a pair that was replaced stays on record.

    ``before_return``: how many there were when the programme came back to the exchange; 0 where it has not.
    """

    proposed: tuple[Group, ...] = ()
    proposed_on: date | None = None
    confirmed: date | None = None
    before_return: int = 0
    pairs: dict[PairId, Pair] = Field(default_factory=dict)

    @property
    def standing(self) -> tuple[Pair, ...]:
        """Every pair that no other has replaced."""
        return tuple(pair for pair in self.pairs.values() if not pair.replaced)
