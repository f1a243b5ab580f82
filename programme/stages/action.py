"""What an action is: its aim, its two owners, its version, and who said yes to which version.

State, and the questions that several parts ask of it. The rules stand in those parts: drafting, agreement, approval,
objections, halves, verification.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import Field

from programme.messages import Frozen, Paragraph, PersonId, Sentence, Side, Stage
from programme.refusals import ActionElsewhere, NotCoOwner, UnknownAction

if TYPE_CHECKING:
    from programme.engagement import Engagement

ActionId = str
CONDITIONS = frozenset(f"C{number:02d}" for number in range(1, 12))  # the eleven published conditions


class ActionStatus(StrEnum):
    """Where an action stands, from draft to sustained, and its side exits."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    AGREED = "agreed"
    AWAITING_APPROVAL = "awaiting_approval"
    ACTIVE = "active"
    REPORTED_COMPLETE = "reported_complete"
    VERIFIED = "verified"
    SUSTAINED = "sustained"
    CLOSED = "closed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    SUSPENDED = "suspended"
    SUPERSEDED = "superseded"


UNDECIDED = frozenset({ActionStatus.PROPOSED, ActionStatus.AGREED, ActionStatus.AWAITING_APPROVAL})
IN_FORCE = frozenset(
    {ActionStatus.ACTIVE, ActionStatus.REPORTED_COMPLETE, ActionStatus.VERIFIED, ActionStatus.SUSTAINED}
)
WATCHED = IN_FORCE - {ActionStatus.SUSTAINED}  # its measures' points are asked for, and their signals explained
OVER = frozenset({ActionStatus.CLOSED, ActionStatus.DECLINED, ActionStatus.WITHDRAWN, ActionStatus.SUPERSEDED})


class Screened(StrEnum):
    """An answer to one of the three questions of the clinical screening."""

    YES = "yes"
    NO = "no"
    NOT_SURE = "not_sure"


class Screening(Frozen):
    """The proposer's answers. Anything but three times no marks the action for medical approval."""

    changes_who_treats: Screened = Screened.NOT_SURE  # who treats, assesses or prioritises patients
    directs_clinical_decision: Screened = Screened.NOT_SURE  # limits or directs a doctor's clinical decision
    changes_clinical_staffing: Screened = Screened.NOT_SURE  # clinical staffing, supervision or hours

    @property
    def clear(self) -> bool:
        """Whether all three answers are no."""
        answers = {self.changes_who_treats, self.directs_clinical_decision, self.changes_clinical_staffing}
        return answers == {Screened.NO}


class Aim(Frozen):
    """One sentence, and in figures: from what to what, by when. The unit is that of the first measure."""

    sentence: Sentence
    from_value: Decimal
    to_value: Decimal
    by: date


class Assent(Frozen):
    """One person's yes, to one version, on one day."""

    by: PersonId
    version: int
    on: date


class Joint(StrEnum):
    """What takes both co-owners: each gives half of it."""

    WITHDRAW = "withdraw"
    COMPLETE = "complete"
    CLOSE = "close"


class Verification(Frozen):
    """What somebody who does not own the action found."""

    by: PersonId
    evidence: Paragraph
    on: date


class Objection(Frozen):
    """A patient-safety objection by a doctor. It suspends the action until a medical approver has decided it."""

    number: int
    by: PersonId
    reason: Paragraph
    raised: date
    acknowledged: date | None = None
    decided: date | None = None
    returned: bool = False  # decided in the objector's favour: the action goes back to be drafted anew
    decision: Paragraph = ""


class PdsaNote(Frozen):
    """An optional note of a small test: plan, do, study, act."""

    by: PersonId
    plan: Sentence
    do: Sentence = ""
    study: Sentence = ""
    act: Sentence = ""
    on: date


class Action(Frozen):
    """One agreed piece of work with an owner on each side. ``version`` counts material changes; a yes holds for one.

    ``source`` is the id of the session or the recommendation it came from. ``promised`` is the aim's date as it stood
    when the version began: small moves are measured from there, so that many of them cannot add up to a large one.
    """

    id: ActionId
    version: int = 1
    status: ActionStatus = ActionStatus.DRAFT
    title: Sentence = ""
    scope: Sentence = ""
    source: str = ""
    replaces: ActionId = ""
    drafted: date
    proposer: PersonId = ""
    proposed: date | None = None
    aim: Aim | None = None
    promised: date | None = None
    conditions: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    doctor_owner: PersonId = ""
    manager_owner: PersonId = ""
    doctor_signatory: PersonId = ""
    manager_signatory: PersonId = ""
    taken_over: dict[Side, date] = Field(default_factory=dict)  # since when a new co-owner is asked to accept it
    screening: Screening | None = None
    marked: bool = False
    agreements: dict[Side, Assent] = Field(default_factory=dict)
    approval_asked: date | None = None
    approval: Assent | None = None
    activated: date | None = None
    joint: dict[Joint, dict[Side, Assent]] = Field(default_factory=dict)
    verifiers: dict[Side, PersonId] = Field(default_factory=dict)  # whom the co-owners asked
    reported: date | None = None
    verifications: dict[Side, Verification] = Field(default_factory=dict)
    verified: date | None = None
    reopened: date | None = None  # verified in error, and active again since
    objections: tuple[Objection, ...] = ()
    suspended_from: ActionStatus | None = None
    suspended_by: int = 0  # the number of the objection that began the present or last suspension
    notes: tuple[PdsaNote, ...] = ()
    ended: date | None = None
    reason: Paragraph = ""  # why it was declined, refused or sent back last

    def owner(self, side: Side) -> PersonId:
        """The co-owner of a side; empty where none is named yet."""
        return self.doctor_owner if side is Side.DOCTOR else self.manager_owner

    @property
    def owners(self) -> tuple[PersonId, ...]:
        """The co-owners, the doctor first."""
        return tuple(owner for owner in (self.doctor_owner, self.manager_owner) if owner)

    def signatory(self, side: Side) -> PersonId:
        """Who signs for a side: whoever was named, else its co-owner."""
        named = self.doctor_signatory if side is Side.DOCTOR else self.manager_signatory
        return named or self.owner(side)

    @property
    def agreed_by_both(self) -> bool:
        """Whether each side's agreement is there, for the current version, by different people."""
        valid = {side: one.by for side, one in self.agreements.items() if one.version == self.version}
        return len(valid) == len(Side) and len(set(valid.values())) == len(Side)

    @property
    def approved(self) -> bool:
        """Whether the current version is approved."""
        return self.approval is not None and self.approval.version == self.version

    @property
    def open_objections(self) -> tuple[Objection, ...]:
        """Objections that nobody has decided yet."""
        return tuple(one for one in self.objections if one.decided is None)

    @property
    def watches(self) -> bool:
        """Whether it is judged by its measures now; a suspended action still is."""
        status = self.suspended_from if self.status is ActionStatus.SUSPENDED else self.status
        return status in WATCHED

    @property
    def undecided(self) -> bool:
        """Whether it was proposed and is still to be decided, by a side or by the approver."""
        return self.status in UNDECIDED or (self.status is ActionStatus.SUSPENDED and self.suspended_from in UNDECIDED)


class Compact(Frozen):
    """What each side gives, so what the other gets. A signature holds for one version of the text."""

    version: int = 0
    doctors_give: tuple[Sentence, ...] = ()
    managers_give: tuple[Sentence, ...] = ()
    drafted: date | None = None
    signatures: dict[PersonId, date] = Field(default_factory=dict)
    succeeded: dict[PersonId, PersonId] = Field(default_factory=dict)  # a sponsor -> in whose place they came

    def signed_by(self, sponsors: tuple[PersonId, ...]) -> bool:
        """Whether both of these sponsors have signed, or those in whose place they came."""
        return self.version > 0 and len(sponsors) == len(Side) and all(self.signed_for(one) for one in sponsors)

    def signed_for(self, sponsor: PersonId) -> bool:
        """Whether the signature of a sponsor's side is there: given agreements stay valid when somebody goes."""
        seen = set[PersonId]()
        while sponsor not in self.signatures and sponsor in self.succeeded and sponsor not in seen:
            seen.add(sponsor)
            sponsor = self.succeeded[sponsor]
        return sponsor in self.signatures


class NeedStatus(StrEnum):
    """Where a development need stands."""

    OPEN = "open"
    OWNED = "owned"
    REPORTED_MET = "reported_met"
    MET = "met"
    DROPPED = "dropped"


class DevelopmentNeed(Frozen):
    """Something that people must learn or get to work well together. Tracked like an action, with one owner."""

    id: str
    need: Sentence
    conditions: tuple[str, ...] = ()
    side: Side | None = None  # whose need; None: of both sides
    source: str = ""
    by: date | None = None
    added: date
    added_by: PersonId = ""
    suggested: PersonId = ""
    owner: PersonId = ""
    owned: date | None = None
    status: NeedStatus = NeedStatus.OPEN
    reported: date | None = None
    confirmations: dict[Side, Verification] = Field(default_factory=dict)
    dropped_by: dict[Side, PersonId] = Field(default_factory=dict)
    ended: date | None = None


class Agreement(Frozen):
    """What a cycle has agreed on. ``drafted`` and ``needed`` count for the ids, which are never used again."""

    actions: dict[ActionId, Action] = Field(default_factory=dict)
    drafted: int = 0
    compact: Compact = Compact()
    needs: dict[str, DevelopmentNeed] = Field(default_factory=dict)
    needed: int = 0

    def in_force(self) -> tuple[Action, ...]:
        """The actions that are active or on their way from there to sustained; suspended ones are not."""
        return tuple(action for action in self.actions.values() if action.status in IN_FORCE)

    def with_action(self, action: Action) -> Agreement:
        """A copy that holds this action."""
        return self.model_copy(update={"actions": {**self.actions, action.id: action}})

    def with_need(self, need: DevelopmentNeed) -> Agreement:
        """A copy that holds this development need."""
        return self.model_copy(update={"needs": {**self.needs, need.id: need}})

    def carried(self) -> Agreement:
        """What a next cycle takes over: everything that is not over, the compact, and the counts."""
        actions = {one.id: one for one in self.actions.values() if one.status not in OVER}
        over = {NeedStatus.MET, NeedStatus.DROPPED}
        needs = {one.id: one for one in self.needs.values() if one.status not in over}
        return self.model_copy(update={"actions": actions, "needs": needs})


# --- questions -------------------------------------------------------------------------------------------------------


def actions_of(engagement: Engagement) -> Iterator[Action]:
    """The actions of the running cycle, whatever became of them."""
    if engagement.cycle:
        yield from engagement.cycle.agreement.actions.values()


def action_of(engagement: Engagement, action: ActionId, among: frozenset[ActionStatus] | None = None) -> Action:
    """An action of the running cycle, that stands where something may be done with it.

    Raises:
        UnknownAction: there is none with this id.
        ActionElsewhere: its status is not among those.
    """
    found = engagement.cycle.agreement.actions.get(action) if engagement.cycle else None
    if found is None:
        raise UnknownAction(action)
    if among is not None and found.status not in among:
        raise ActionElsewhere(found.status.value)
    return found


def owned_side(engagement: Engagement, action: Action, person: PersonId) -> Side:
    """The side for which a person co-owns an action.

    Raises:
        NotCoOwner: the person does not.
    """
    side = engagement.people[person].side
    if side is None or action.owner(side) != person:
        raise NotCoOwner
    return side


def agreeing_since(engagement: Engagement) -> date | None:
    """Since when agreements are taken: none is given while the joint sessions still talk."""
    span = engagement.span(Stage.SESSIONS)
    return span.ended if span else None


def changed(engagement: Engagement, action: ActionId, **changes: object) -> Engagement:
    """The engagement with these fields of an action changed."""
    agreement = engagement.running.agreement
    found = agreement.actions[action].model_copy(update=changes)
    return engagement.in_cycle(agreement=agreement.with_action(found))
