"""What a challenge review is: its panel, its frozen evidence, its findings and both sides' answers.

State, and the questions asked of it: who may sit on the panel, whether it is complete, whose answer is missing.
The rules stand in panels, meetings, evidence, findings and progress_checks; ``challenge.py`` composes them.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import Field

from programme.messages import (
    APPROVERS,
    CHALLENGERS,
    PARTICIPANTS,
    SPONSORS,
    Frozen,
    Paragraph,
    PersonId,
    Role,
    Sentence,
    Side,
)
from programme.people import SIDE_SPONSOR
from programme.stages.action import IN_FORCE, Action, ActionStatus

if TYPE_CHECKING:
    from programme.engagement import Engagement

ReviewId = str
FindingId = str
REVIEWED = IN_FORCE | {ActionStatus.SUSPENDED, ActionStatus.CLOSED}


class ReviewKind(StrEnum):
    """Who chairs: somebody from the trust, or somebody from outside it."""

    INTERNAL = "internal"
    EXTERNAL = "external"


class FindingKind(StrEnum):
    """What a finding says."""

    COMMEND = "commend"
    CONCERN = "concern"
    RECOMMEND = "recommend"


class Reply(StrEnum):
    """What a side answers to a finding."""

    ACCEPT = "accept"
    PARTLY = "partly"
    REJECT = "reject"


class Conflict(StrEnum):
    """Why somebody may not challenge this engagement; in the words of a sentence about anybody."""

    NO_CHALLENGER = "who does not hold the part of a challenger"
    PARTICIPANT = "who takes part in the programme"
    SPONSOR = "who is a sponsor"
    APPROVER = "who approves actions"
    OWNER = "who owns a reviewed action"
    SIGNATORY = "who signed a reviewed action"
    LINE = "who manages, or reports to, the owner of a reviewed action"
    SAME_TRUST = "who comes from this trust, or whose organisation is not known"
    NOT_EXTERNAL = "who is not an external challenger"
    NOT_INDEPENDENT = "who was employed by or under contract with the trust in the last 24 months"


class Panellist(Frozen):
    """A challenger on the panel of one review. ``background`` is what the person is by profession: no side of ours."""

    person: PersonId
    background: Side
    appointed: date
    accepted: date | None = None
    independent: bool = False  # no employment by or contract with the trust for 24 months, as declared


class Meeting(Frozen):
    """When and where the panel meets. ``revision`` counts the moves, for calendars; ``dated``: when it was last set."""

    starts: datetime
    ends: datetime
    on: date
    place: Sentence = ""
    revision: int = 0
    called: date
    dated: date | None = None


class PositionStatement(Frozen):
    """How a co-owner sees the actions that are reviewed."""

    by: PersonId
    side: Side
    text: Paragraph
    on: date


class Evidence(Frozen):
    """What the panel judges: everything folded up to this entry of the journal, and what was overdue on that day.

    ``overdue`` counts open tasks by the name of their ladder. ``late_check_ins`` are actions long without a check-in,
    ``late_answers`` earlier reviews whose findings wait for an answer, ``drift`` the days on which drift was flagged,
    ``left_out`` the steps that were left out in this cycle, in words.
    """

    sequence: int
    digest: str
    on: date
    actions: tuple[str, ...] = ()
    overdue: dict[str, int] = Field(default_factory=dict)
    late_check_ins: tuple[str, ...] = ()
    late_answers: tuple[ReviewId, ...] = ()
    drift: tuple[date, ...] = ()
    left_out: tuple[str, ...] = ()


class Answer(Frozen):
    """One side's answer to a finding."""

    by: PersonId
    reply: Reply
    reason: Paragraph = ""
    on: date


class TakenBack(Frozen):
    """An answer that a side took back before the review was answered, and why."""

    side: Side
    answer: Answer
    reason: Paragraph
    on: date


class Correction(Frozen):
    """An earlier wording of a finding, and why it was corrected."""

    was: Paragraph
    reason: Paragraph
    on: date


class Finding(Frozen):
    """What the panel found, tied to an action or to one of the eleven conditions."""

    id: FindingId
    kind: FindingKind
    text: Paragraph
    action: str = ""
    condition: str = ""
    corrections: tuple[Correction, ...] = ()
    answers: dict[Side, Answer] = Field(default_factory=dict)
    taken_back: tuple[TakenBack, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether both sides have answered."""
        return len(self.answers) == len(Side)

    @property
    def accepted(self) -> bool:
        """Whether both sides have answered and neither rejects it."""
        return self.answered and all(one.reply is not Reply.REJECT for one in self.answers.values())


class Complacency(Frozen):
    """The chair's three answers, and why there was nothing to say where there was nothing."""

    surprised: Paragraph  # which result surprised us
    stopped_asking: Paragraph  # what we have stopped asking
    disagreement: Paragraph  # where score and measure disagree
    reason: Paragraph = ""
    second: PersonId = ""


class Review(Frozen):
    """One challenge review, from the appointment of its panel to both sides' answers."""

    id: ReviewId
    kind: ReviewKind
    planned: date
    opened: date
    panel: dict[PersonId, Panellist] = Field(default_factory=dict)
    chair: PersonId = ""
    meeting: Meeting | None = None
    withdrawn: date | None = None  # when its last date was taken back, and the revision of that calendar entry
    revision: int = -1
    statements: dict[PersonId, PositionStatement] = Field(default_factory=dict)
    evidence: Evidence | None = None
    held: date | None = None
    attended: tuple[PersonId, ...] = ()
    without: tuple[Side, ...] = ()  # sides whose position statement was missing when the panel met
    found: date | None = None
    findings: dict[FindingId, Finding] = Field(default_factory=dict)
    complacency: Complacency | None = None
    answered: date | None = None
    report_opened: date | None = None

    @property
    def accepted(self) -> tuple[PersonId, ...]:
        """Who on the panel has accepted."""
        return tuple(one.person for one in self.panel.values() if one.accepted)

    @property
    def external(self) -> bool:
        """Whether somebody from outside the trust chairs it."""
        return self.kind is ReviewKind.EXTERNAL

    @property
    def all_answered(self) -> bool:
        """Whether there are findings to be had and both sides have answered each of them."""
        return self.found is not None and all(one.answered for one in self.findings.values())


class ProgressCheck(Frozen):
    """What became of the accepted recommendations of an earlier external review."""

    review: ReviewId
    opened: date
    text: Paragraph = ""
    by: PersonId = ""
    on: date | None = None


class Challenge(Frozen):
    """The reviews of a cycle, and the progress checks on those of the cycle before.

    ``moved`` holds the later month of a review that was moved because nothing was agreed yet.
    """

    reviews: dict[ReviewId, Review] = Field(default_factory=dict)
    moved: dict[ReviewId, int] = Field(default_factory=dict)
    checks: dict[ReviewId, ProgressCheck] = Field(default_factory=dict)


# --- questions -----------------------------------------------------------------------------------------------------


def reviewed(engagement: Engagement) -> tuple[Action, ...]:
    """The actions of the running cycle that a review looks at: those that have come into force."""
    return tuple(one for one in engagement.running.agreement.actions.values() if one.status in REVIEWED)


def owners(engagement: Engagement, side: Side) -> tuple[PersonId, ...]:
    """The co-owners of one side of what is reviewed, each once."""
    return tuple(dict.fromkeys(owner for one in reviewed(engagement) if (owner := one.owner(side))))


def conflict(engagement: Engagement, review: Review, person: PersonId) -> Conflict | None:
    """Why this person may not sit on the panel, or None. Asked at the appointment and at each act: people move.

    programme.md, Invariant 16 and forbidden combinations.
    """
    roles = engagement.people[person].intended()
    if not roles & CHALLENGERS:
        return Conflict.NO_CHALLENGER
    for held, found in (
        (PARTICIPANTS, Conflict.PARTICIPANT),
        (SPONSORS, Conflict.SPONSOR),
        (APPROVERS, Conflict.APPROVER),
    ):
        if roles & held:
            return found
    return _conflict_with_actions(engagement, person) or _conflict_with_the_trust(engagement, review, person)


def _conflict_with_actions(engagement: Engagement, person: PersonId) -> Conflict | None:
    people = engagement.people
    for action in reviewed(engagement):
        if person in action.owners:
            return Conflict.OWNER
        if action.approval and person == action.approval.by:
            return Conflict.APPROVER
        if any(person == yes.by for yes in action.agreements.values()):
            return Conflict.SIGNATORY
        line = {people[owner].line_manager for owner in action.owners if owner in people}
        if person in line or people[person].line_manager in action.owners:
            return Conflict.LINE
    return None


def _conflict_with_the_trust(engagement: Engagement, review: Review, person: PersonId) -> Conflict | None:
    external = Role.EXTERNAL_CHALLENGER in engagement.people[person].intended()
    if review.external and review.chair == person and not external:
        return Conflict.NOT_EXTERNAL
    code = engagement.people[person].ods_code.strip().upper()
    if external and code in ("", engagement.ods_code):
        return Conflict.SAME_TRUST
    panellist = review.panel.get(person)
    if external and panellist and panellist.accepted and not panellist.independent:
        return Conflict.NOT_INDEPENDENT
    return None


def quorate(engagement: Engagement, review: Review, present: tuple[PersonId, ...]) -> bool:
    """The chair, and besides the chair at least two challengers, a doctor and a manager among them."""
    others = [review.panel[person] for person in present if person in review.accepted and person != review.chair]
    backgrounds = {one.background for one in others}
    enough = len(others) >= engagement.template.thresholds.panel_challengers
    return bool(review.chair) and review.chair in present and enough and backgrounds == set(Side)


def complete(engagement: Engagement, review: Review) -> bool:
    """Whether a quorum has accepted, nobody of it in conflict."""
    return quorate(engagement, review, tuple(one for one in review.accepted if not conflict(engagement, review, one)))


def missing_statements(engagement: Engagement, review: Review) -> tuple[Side, ...]:
    """The sides of which a co-owner has given no position statement."""
    return tuple(side for side in Side if any(one not in review.statements for one in owners(engagement, side)))


def answerers(engagement: Engagement, finding: Finding, side: Side) -> tuple[PersonId, ...]:
    """Who may answer a finding for a side: the co-owners of what it is tied to; without any, the side's sponsor."""
    actions = engagement.running.agreement.actions.values()
    tied = [one for one in actions if one.id == finding.action or finding.condition in one.conditions]
    if finding.condition:
        tied = [one for one in tied if one.status in REVIEWED]
    found = tuple(dict.fromkeys(owner for one in tied if (owner := one.owner(side))))
    return found or engagement.holders(SIDE_SPONSOR[side])


def speaks_for(engagement: Engagement, finding: Finding, person: PersonId) -> Side | None:
    """The side for which somebody may answer a finding; nobody may for both."""
    own = engagement.people[person].side
    sides = [side for side in Side if person in answerers(engagement, finding, side) and own in (None, side)]
    return sides[0] if len(sides) == 1 else None
