"""What a joint session is: its date, who was asked and who came, what it brought, and whether that counts.

State only. The rules stand in the parts that use it: sessions (date, invitation, quorum) and notes.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from pydantic import Field

from programme.messages import Frozen, Paragraph, PersonId, Sentence, Side
from programme.working_time import local_date

SessionId = str


class Purpose(StrEnum):
    """Why a joint session takes place. All follow the same rules."""

    PLANNED = "planned"  # A, B and C of the template
    AGREEMENT = "agreement"  # an agreement was declined or expired: C again, with what the sides said
    STUCK = "stuck"  # two check-ins in a row said so
    LEARNING = "learning"  # D, "What did we learn"
    RENEWAL = "renewal"  # the sponsors differ about what comes next
    EXTRA = "extra"  # the facilitator or the programme manager wants one


class Level(StrEnum):
    """Where in the trust a decision is taken."""

    WARD = "ward"
    SERVICE = "service"
    DIVISION = "division"
    BOARD = "board"


class Option(Frozen):
    """One way to go, with what each side sees for it and against it."""

    text: Sentence
    doctors_for: Sentence = ""
    doctors_against: Sentence = ""
    managers_for: Sentence = ""
    managers_against: Sentence = ""


class DecisionLevel(Frozen):
    """A decision, who takes it now and who should."""

    decision: Sentence
    now: Level
    should: Level


class CompactDraft(Frozen):
    """What each side gives: so what the other side gets."""

    doctors_give: tuple[Sentence, ...] = ()
    managers_give: tuple[Sentence, ...] = ()

    def gives(self, side: Side) -> tuple[str, ...]:
        """What a side gives."""
        return self.doctors_give if side is Side.DOCTOR else self.managers_give

    def gets(self, side: Side) -> tuple[str, ...]:
        """What a side gets."""
        return self.gives(side.other)


class Deferral(Frozen):
    """A priority condition that is left for later, on purpose: until when and why. Each touchpoint offers it again.

    ``ran_out``: the day has come, and the condition waits again.
    """

    condition: str
    until: date
    reason: Sentence
    ran_out: bool = False


class DeferredCondition(Deferral):
    """A condition that notes have deferred, and since when: a pause moves the day by what was lost since then."""

    since: date | None = None


class Outputs(Frozen):
    """What a session agreed. ``summary`` is what was said; which of the others are needed hangs on the session."""

    summary: Paragraph = ""
    problem: Paragraph = ""
    priorities: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    decisions: tuple[DecisionLevel, ...] = ()
    compact: CompactDraft | None = None
    deferrals: tuple[Deferral, ...] = ()
    learned: Paragraph = ""


class Dissent(Frozen):
    """What somebody of a side holds against a version of the notes. Kept beside them, whatever they become."""

    side: Side
    version: int
    text: Paragraph
    by: PersonId
    on: date


class Notes(Frozen):
    """What a session brought, and who says so. ``views``: both sides' words where the facilitator had to settle.

    ``late``: since when a confirmation is missing that was due.
    """

    version: int
    written: date
    outputs: Outputs
    confirmed: dict[Side, PersonId] = Field(default_factory=dict)
    late: date | None = None
    views: dict[Side, Paragraph] = Field(default_factory=dict)

    @property
    def confirmed_from_both_sides(self) -> bool:
        """Whether somebody of each side has confirmed this version."""
        return len(self.confirmed) == len(Side)


class Reopened(Frozen):
    """A version of the notes that counted, and does so no more."""

    version: int
    reason: Paragraph
    on: date


class Session(Frozen):
    """One joint session. A session that was not quorate is followed by another with an id of its own.

    ``within``: at most so many working days after it was called. ``revision``: of the calendar entry, None before the
    first one. ``dated``: when the present date was announced. ``counts_from``: when its notes came to count.
    """

    id: SessionId
    letter: str
    title: Sentence
    purpose: Purpose = Purpose.PLANNED
    why: Sentence = ""
    called: date
    within: int | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    place: Sentence = ""
    revision: int | None = None
    dated: date | None = None
    invited: tuple[PersonId, ...] = ()
    replies: dict[PersonId, bool] = Field(default_factory=dict)
    quorum_checked: bool = False
    over: date | None = None
    held: date | None = None
    voting: tuple[PersonId, ...] = ()
    others: tuple[PersonId, ...] = ()
    quorate: bool = False
    conversation: Paragraph = ""
    notes: Notes | None = None
    dissents: tuple[Dissent, ...] = ()
    reopened: tuple[Reopened, ...] = ()
    counts_from: date | None = None

    @property
    def on(self) -> date | None:
        """The day on which it takes place, in London."""
        return local_date(self.starts) if self.starts else None

    @property
    def name(self) -> str:
        """What the pages and messages call it."""
        return f"Joint session {self.letter}, {self.title}"


class Sessions(Frozen):
    """The joint sessions of a cycle, in the order in which they were called; ``counted``: those whose notes count."""

    all: dict[SessionId, Session] = Field(default_factory=dict)
    counted: tuple[SessionId, ...] = ()
    deferrals: dict[str, DeferredCondition] = Field(default_factory=dict)

    @property
    def _agreed(self) -> tuple[Outputs, ...]:
        """What counts, the latest first."""
        notes = (self.all[one].notes for one in reversed(self.counted))
        return tuple(one.outputs for one in notes if one)

    @property
    def problem(self) -> str:
        """The shared problem statement in force."""
        return next((one.problem for one in self._agreed if one.problem), "")

    @property
    def priorities(self) -> tuple[str, ...]:
        """The priority conditions in force."""
        return next((one.priorities for one in self._agreed if one.priorities), ())

    @property
    def options(self) -> tuple[Option, ...]:
        """The options, as last agreed."""
        return next((one.options for one in self._agreed if one.options), ())

    @property
    def decisions(self) -> tuple[DecisionLevel, ...]:
        """The decision-level table in force."""
        return next((one.decisions for one in self._agreed if one.decisions), ())

    @property
    def compact(self) -> CompactDraft | None:
        """The compact as last drafted."""
        return next((one.compact for one in self._agreed if one.compact), None)

    @property
    def learned(self) -> str:
        """What the sides say they learned."""
        return next((one.learned for one in self._agreed if one.learned), "")

    def with_session(self, session: Session) -> Sessions:
        """A copy that holds this session."""
        return self.model_copy(update={"all": {**self.all, session.id: session}})
