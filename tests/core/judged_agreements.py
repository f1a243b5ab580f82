"""Invariants 1 to 9, judged: willingness, sides, agreement, the clinical line, patient safety."""

from collections.abc import Iterator, Mapping, Sequence

from programme.charting import RebaseAgreed
from programme.engagement import Engagement
from programme.gates import GatePassed, StageStarted
from programme.measure import Direction, MeasureKind
from programme.messages import (
    APPROVERS,
    CLOCK,
    Entry,
    PersonId,
    Role,
    Side,
    Stage,
)
from programme.people import AppointmentAccepted, EnrolmentAccepted
from programme.stages.action import IN_FORCE, Action, ActionStatus
from programme.stages.agreement import ActionActivated, ActionAgreed
from programme.stages.approval import ActionApproved, ActionRefused, ClinicalMarkLifted
from programme.stages.compact import CompactSigned
from programme.stages.diagnosis import QuestionnaireCompleted
from programme.stages.findings import FindingAnswered
from programme.stages.halves import HalfGiven
from programme.stages.mandate import CycleStarted, WillingnessStated
from programme.stages.needs import NeedConfirmed
from programme.stages.notes import NotesConfirmed, NotesSettled
from programme.stages.objections import ObjectionAcknowledged, ObjectionDecided, SafetyObjectionRaised
from programme.stages.ownership import OwnerChanged
from programme.stages.panels import PanelAccepted
from programme.stages.renewal import RenewalDecided
from programme.stages.verification import SideVerified
from tests.core.judging import Step, action_named, actions, both_willing, needs, reviews, sessions, side_of, standing

THEIR_OWN = (
    ActionAgreed,
    ActionApproved,
    ActionRefused,
    ClinicalMarkLifted,
    SafetyObjectionRaised,
    ObjectionAcknowledged,
    ObjectionDecided,
    HalfGiven,
    SideVerified,
    NeedConfirmed,
    CompactSigned,
    WillingnessStated,
    RenewalDecided,
    NotesConfirmed,
    FindingAnswered,
    PanelAccepted,
    RebaseAgreed,
    EnrolmentAccepted,
    AppointmentAccepted,
    QuestionnaireCompleted,
)
"""What only the person says of whom it speaks: no clock, no escalation and nobody else."""
CLINICAL = (ActionApproved, ActionRefused, ClinicalMarkLifted, ObjectionAcknowledged, ObjectionDecided)


def _two_sided(engagement: Engagement) -> Iterator[tuple[str, Mapping[Side, PersonId]]]:
    """Everything that takes one person of each side, and who they are."""
    for action in actions(engagement):
        yield f"owners of {action.id}", {side: one for side in Side if (one := action.owner(side))}
        yield f"agreements to {action.id}", {side: one.by for side, one in action.agreements.items()}
        yield f"verifications of {action.id}", {side: one.by for side, one in action.verifications.items()}
        for what, given in action.joint.items():
            yield f"{what.value} of {action.id}", {side: one.by for side, one in given.items()}
    for need in needs(engagement):
        yield f"confirmations of {need.id}", {side: one.by for side, one in need.confirmations.items()}
        yield f"words to drop {need.id}", need.dropped_by
    for session in sessions(engagement):
        if session.notes:
            yield f"confirmations of the notes of {session.id}", session.notes.confirmed
    for review in reviews(engagement):
        for finding in review.findings.values():
            yield f"answers to {finding.id}", {side: one.by for side, one in finding.answers.items()}
    for measure in engagement.measures.measures.values():
        for signal in measure.signals:
            who = {side: one.by for side, one in signal.explanations.items()}
            yield f"explanations of signal {signal.number}", who


def no_stage_after_mandate_without_both_sponsors_willing(step: Step) -> Iterator[str]:
    """1. No stage after 0 without both sponsors' willingness in force."""
    for moment in step.moments:
        event = moment.event
        begins = isinstance(event, StageStarted) and event.stage is not Stage.MANDATE
        if (begins or isinstance(event, GatePassed | CycleStarted)) and not both_willing(moment.before):
            yield f"{event.kind} without the willingness of both sponsors"


def nobody_counts_for_two_sides(step: Step) -> Iterator[str]:
    """2. A participant has exactly one side per cycle; nobody's act counts for two sides, whosever hands did it."""
    for entry in step.entries:
        sides = {side_of(step.after, one) for one in (entry.actor, entry.on_behalf_of) if one} - {None}
        if len(sides) > 1:
            yield f"{entry.actor} acted across the table on behalf of {entry.on_behalf_of}"
    for person, was in step.before.people.items():
        now = step.after.people.get(person)
        if was.side is not None and (now is None or now.side is not was.side):
            yield f"{person} changed sides"
    for what, given in _two_sided(step.after):
        if len(set(given.values())) < len(given):
            yield f"{what}: one person for both sides"
        for side, person in given.items():
            if side_of(step.after, person) not in (side, None):
                yield f"{what}: {person} for the {side.value}s"


def active_only_with_an_agreement_from_each_side(step: Step) -> Iterator[str]:
    """3. An action is active only with one valid agreement from each side, on its version, by different people."""
    for action in actions(step.after):
        if standing(action) in IN_FORCE:
            valid = {side: one.by for side, one in action.agreements.items() if one.version == action.version}
            if set(valid) != set(Side) or len(set(valid.values())) < len(Side):
                yield f"{action.id} is {action.status.value} without both sides' agreement to version {action.version}"


def silence_never_agrees_or_approves(step: Step) -> Iterator[str]:
    """4. Silence, timeout or escalation never creates an agreement or approval."""
    for entry in step.entries:
        event = entry.event
        if isinstance(event, (*THEIR_OWN, NotesSettled)) and entry.actor == CLOCK:
            yield f"time alone brought about {event.kind}"
        if isinstance(event, THEIR_OWN):
            spoken_for = next(getattr(event, name) for name in ("by", "sponsor", "person") if hasattr(event, name))
            if spoken_for != (entry.on_behalf_of or entry.actor):
                yield f"{event.kind} of {spoken_for} by {entry.actor}"


def clinical_actions_wait_for_an_independent_approver(step: Step) -> Iterator[str]:
    """5. Marked or unsure: active only after a GMC-registered approver, neither owner nor proposer, approved it."""
    for moment in step.moments:
        event = moment.event
        if isinstance(event, ActionApproved):
            person, action = moment.before.people[event.by], action_named(moment.before, event.action)
            if not person.gmc_registered or not person.roles() & APPROVERS:
                yield f"{event.action} approved by somebody who is no registered approver"
            if {event.by, moment.entry.actor} & {*action.owners, action.proposer} or event.version != action.version:
                yield f"{event.action} approved by an owner or proposer, or in another version"
    for action in actions(step.after):
        if standing(action) not in IN_FORCE:
            continue
        approved = action.approval is not None and action.approval.version == action.version
        if action.marked and not approved:
            yield f"{action.id} is marked and {action.status.value} without approval of version {action.version}"
        unsure = action.screening is None or not action.screening.clear
        if unsure and not action.marked and not _lifted(step.recorded, action):
            yield f"{action.id} is {action.status.value}, was not clear, and nobody lifted its mark"


def _lifted(recorded: Sequence[Entry], action: Action) -> bool:
    lifted = (one.event for one in recorded if isinstance(one.event, ClinicalMarkLifted))
    return any((one.action, one.version) == (action.id, action.version) for one in lifted)


def only_an_approver_decides_a_clinical_question(step: Step) -> Iterator[str]:
    """6. Nobody but the medical approver lifts the clinical mark; a manager never decides a clinical question."""
    for moment in step.moments:
        event = moment.event
        if isinstance(event, CLINICAL):
            person = moment.before.people[event.by]
            if person.side is Side.MANAGER or not person.roles() & APPROVERS or not person.gmc_registered:
                yield f"{event.kind} by somebody who may not decide it"
        if isinstance(event, ClinicalMarkLifted) and not event.reason.strip():
            yield f"{event.action} lost its mark without a reason"
        after = {action.id: action for action in actions(moment.after)}
        for action in actions(moment.before):
            unmarked = action.marked and action.id in after and not after[action.id].marked
            if unmarked and not isinstance(event, ClinicalMarkLifted):
                yield f"{action.id} lost its mark by {event.kind}"


def an_objection_suspends_until_an_approver_decides(step: Step) -> Iterator[str]:
    """7. A doctor's objection suspends the action at once; only an approver ends it, with a reason."""
    for moment in step.moments:
        event = moment.event
        if isinstance(event, SafetyObjectionRaised) and Role.DOCTOR not in moment.before.people[event.by].roles():
            yield f"an objection to {event.action} by somebody who is no doctor here"
        if isinstance(event, ObjectionDecided) and not event.reason.strip():
            yield f"an objection to {event.action} was decided without a reason"
    for action in actions(step.after):
        open_ones = [one for one in action.objections if one.decided is None]
        if open_ones and action.status is not ActionStatus.SUSPENDED:
            yield f"{action.id} is {action.status.value} while an objection is open"
        if action.status is ActionStatus.SUSPENDED and not open_ones:
            yield f"{action.id} stays suspended although every objection is decided"
    before = {action.id: action for action in actions(step.before)}
    decided = {one.event.action for one in step.entries if isinstance(one.event, ObjectionDecided)}
    for action in actions(step.after):
        was = before.get(action.id)
        resumed = was and was.status is ActionStatus.SUSPENDED and action.status is not ActionStatus.SUSPENDED
        if resumed and action.id not in decided:
            yield f"{action.id} goes on although nobody decided the objection"


def a_material_change_voids_agreements_and_approval(step: Step) -> Iterator[str]:
    """8. Any material change voids earlier agreements and approval."""
    for moment in step.moments:
        after = {action.id: action for action in actions(moment.after)}
        for was in actions(moment.before):
            now = after.get(was.id)
            if now is None or was.status is ActionStatus.DRAFT or now.status is ActionStatus.DRAFT:
                continue
            if isinstance(moment.event, OwnerChanged) and moment.event.action == was.id:
                yield from _taken_over(was, now, moment.event)
                continue
            if _reads_otherwise(moment.after, was, now) and (
                now.version <= was.version or now.agreements or now.approval or now.status is not ActionStatus.PROPOSED
            ):
                yield f"{was.id} reads otherwise by {moment.event.kind} and what was agreed stands"


def _taken_over(was: Action, now: Action, event: OwnerChanged) -> Iterator[str]:
    """Somebody took a co-owner's place: what was agreed stands, if the new one is asked to accept it."""
    if now.agreements != was.agreements or now.version != was.version:
        yield f"{was.id} has a new co-owner and what was agreed does not stand"
    sustained = {ActionStatus.VERIFIED, ActionStatus.SUSTAINED}
    if event.side in was.agreements and event.side not in now.taken_over and was.status not in sustained:
        yield f"{was.id} has a new co-owner who is not asked to accept it"


def _reads_otherwise(engagement: Engagement, was: Action, now: Action) -> bool:
    fields = ("title", "scope", "measures", "doctor_owner", "manager_owner", "replaces")
    if any(getattr(was, one) != getattr(now, one) for one in fields):
        return True
    if was.aim is None or now.aim is None:
        return was.aim != now.aim
    if (was.aim.from_value, was.aim.to_value, was.aim.sentence) != (
        now.aim.from_value,
        now.aim.to_value,
        now.aim.sentence,
    ):
        return True
    if was.aim.by == now.aim.by:
        return False  # another calendar may count other days since: what was small then stays small
    first, last = sorted((was.promised or was.aim.by, now.aim.by))
    moved = engagement.time.between(first, last)
    return now.version == was.version and moved > engagement.template.durations.material_change_of_dates


def active_actions_can_be_checked(step: Step) -> Iterator[str]:
    """9. Each active action has a condition, a measure with direction and baseline, a doctor and a manager owner."""
    for action in actions(step.after):
        if standing(action) not in IN_FORCE:
            continue
        if not action.conditions:
            yield f"{action.id} is in force without a condition"
        measures = [step.after.measures.measures[one] for one in action.measures]
        aimed = [one for one in measures if one.purpose is not MeasureKind.BALANCING]
        if not aimed or any(one.direction is Direction.NEUTRAL or not one.readings for one in aimed):
            yield f"{action.id} is in force without a measure that has a direction and a baseline"
        if [side_of(step.after, action.owner(side)) for side in Side] != list(Side):
            yield f"{action.id} is in force without a co-owner of each side"
    for moment in step.moments:
        if isinstance(moment.event, ActionActivated):
            action = action_named(moment.before, moment.event.action)
            if action.aim is None or not action.aim.sentence.strip():
                yield f"{action.id} became active without an aim"
