"""Completed is not verified: the co-owners report, people who own nothing of it look, and the chart has the last word.

An action is reported complete by both co-owners, verified by a participant of each side who does not own it, with
evidence, and sustained once three later points carry no signal of concern.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from programme.measure import Measure, MeasureKind
from programme.measures import refuse_blank
from programme.messages import PARTICIPANTS, Command, Event, Paragraph, PersonId, Role, Side, Task
from programme.part import Asked, Part
from programme.post import NoticeRaised
from programme.refusals import (
    ActionElsewhere,
    AlreadyDone,
    Invalid,
    NotCoOwner,
    OwnWork,
    UnknownAction,
    UnknownPerson,
    WrongSide,
)
from programme.spc import Variation
from programme.stages.action import (
    Action,
    ActionId,
    ActionStatus,
    Joint,
    Verification,
    action_of,
    actions_of,
    changed,
    owned_side,
)
from programme.stages.drafting import measures_of
from programme.stages.halves import half

if TYPE_CHECKING:
    from programme.engagement import Engagement

REPORTED = frozenset({ActionStatus.REPORTED_COMPLETE})


# --- commands ------------------------------------------------------------------------------------------------------


class ReportComplete(Command):
    """Report that an action is done; it counts once the other co-owner has said the same.

    ``verifier``: somebody of one's own side who does not own it and is asked to look.
    """

    who = PARTICIPANTS
    refusals = (UnknownAction, ActionElsewhere, NotCoOwner, UnknownPerson, WrongSide, OwnWork, AlreadyDone)

    kind: Literal["ReportComplete"] = "ReportComplete"
    action: ActionId
    verifier: PersonId = ""


class VerifyAction(Command):
    """Say for one's side, with evidence, that what was reported is so. The co-owners cannot."""

    who = PARTICIPANTS
    refusals = (UnknownAction, ActionElsewhere, OwnWork, AlreadyDone, Invalid)

    kind: Literal["VerifyAction"] = "VerifyAction"
    action: ActionId
    evidence: Paragraph


class RefuseVerification(Command):
    """Say, with a reason, that what was reported is not so. The action is active again."""

    who = PARTICIPANTS
    refusals = (UnknownAction, ActionElsewhere, OwnWork, Invalid)

    kind: Literal["RefuseVerification"] = "RefuseVerification"
    action: ActionId
    reason: Paragraph


Commands = ReportComplete | VerifyAction | RefuseVerification


# --- events --------------------------------------------------------------------------------------------------------


class VerifierNamed(Event):
    """A co-owner named somebody of the same side to look."""

    kind: Literal["VerifierNamed"] = "VerifierNamed"
    action: ActionId
    side: Side
    person: PersonId


class ActionReportedComplete(Event):
    """Both co-owners say that the action is done."""

    kind: Literal["ActionReportedComplete"] = "ActionReportedComplete"
    action: ActionId
    on: date


class SideVerified(Event):
    """Somebody of a side who does not own the action found it done."""

    kind: Literal["SideVerified"] = "SideVerified"
    action: ActionId
    side: Side
    by: PersonId
    evidence: str
    on: date


class VerificationRefused(Event):
    """Somebody who does not own the action found it not done."""

    kind: Literal["VerificationRefused"] = "VerificationRefused"
    action: ActionId
    by: PersonId
    reason: str
    on: date


class ActionVerified(Event):
    """Both sides found it done."""

    kind: Literal["ActionVerified"] = "ActionVerified"
    action: ActionId
    on: date


class ActionSustained(Event):
    """Enough later points carry no signal of concern."""

    kind: Literal["ActionSustained"] = "ActionSustained"
    action: ActionId
    on: date


Events = VerifierNamed | ActionReportedComplete | SideVerified | VerificationRefused | ActionVerified | ActionSustained


# --- decide --------------------------------------------------------------------------------------------------------


def report_complete(engagement: Engagement, command: ReportComplete, asked: Asked) -> list[Event]:
    """Give one side's half of a completion; the second half reports it."""
    action = action_of(engagement, command.action, frozenset({ActionStatus.ACTIVE}))
    side = owned_side(engagement, action, asked.by)
    reported = half(action, Joint.COMPLETE, side, asked, ActionReportedComplete(action=action.id, on=asked.today))
    if not command.verifier:
        return reported
    if command.verifier not in engagement.people:
        raise UnknownPerson(command.verifier)
    if command.verifier in action.owners:
        raise OwnWork
    if command.verifier not in engagement.participants(side):
        raise WrongSide
    return [VerifierNamed(action=action.id, side=side, person=command.verifier), *reported]


def _not_an_owner(engagement: Engagement, command: VerifyAction | RefuseVerification, asked: Asked) -> Action:
    action = action_of(engagement, command.action, REPORTED)
    if asked.by in action.owners:
        raise OwnWork
    return action


def verify_action(engagement: Engagement, command: VerifyAction, asked: Asked) -> list[Event]:
    """Verify for one side; with the other side's word the action is verified."""
    action = _not_an_owner(engagement, command, asked)
    refuse_blank(command.evidence, "The evidence")
    side = engagement.people[asked.by].side
    if side is None or side in action.verifications:
        raise AlreadyDone("your side has verified this action")
    verified = SideVerified(action=action.id, side=side, by=asked.by, evidence=command.evidence, on=asked.today)
    if side.other not in action.verifications:
        return [verified]
    title = f"Action {action.id} is verified by both sides"
    return [
        verified,
        ActionVerified(action=action.id, on=asked.today),
        NoticeRaised(people=action.owners, title=title, about=action.id),
    ]


def refuse_verification(engagement: Engagement, command: RefuseVerification, asked: Asked) -> list[Event]:
    """Send an action back to its owners."""
    action = _not_an_owner(engagement, command, asked)
    refuse_blank(command.reason, "The reason")
    title = f"Action {action.id} was found not to be complete yet. It is active again"
    return [
        VerificationRefused(action=action.id, by=asked.by, reason=command.reason, on=asked.today),
        NoticeRaised(people=action.owners, title=title, about=action.id),
    ]


def sustained(engagement: Engagement, action: Action) -> bool:
    """Whether each measure it aims at has had so many points in a row since, none with a signal of concern.

    Points of months that began after the verification count; the balancing measure is watched by its own signals.
    """
    aimed = [one for one in measures_of(engagement, action) if one.purpose is not MeasureKind.BALANCING]
    needed, since = engagement.template.durations.sustained_points, action.verified
    return since is not None and all(_calm_since(measure, since, needed) for measure in aimed)


def _calm_since(measure: Measure, since: date, needed: int) -> bool:
    if sum(1 for point in measure.points if point.period > since) < needed:
        return False
    later = [point for point in measure.chart.points if point.on > since]
    return all(point.variation is not Variation.CONCERN for point in later[-needed:])


def follows(engagement: Engagement, asked: Asked) -> list[Event]:
    """Call an action sustained when its chart says so."""
    for action in actions_of(engagement):
        if action.status is ActionStatus.VERIFIED and sustained(engagement, action):
            title = f"Action {action.id} is sustained: no signal of concern since it was verified"
            return [
                ActionSustained(action=action.id, on=asked.today),
                NoticeRaised(people=action.owners, title=title, about=action.id),
            ]
    return []


# --- evolve --------------------------------------------------------------------------------------------------------


def _verifier_named(engagement: Engagement, event: VerifierNamed, at: datetime) -> Engagement:
    del at
    verifiers = engagement.running.agreement.actions[event.action].verifiers
    return changed(engagement, event.action, verifiers={**verifiers, event.side: event.person})


def _reported(engagement: Engagement, event: ActionReportedComplete, at: datetime) -> Engagement:
    del at
    return changed(engagement, event.action, status=ActionStatus.REPORTED_COMPLETE, reported=event.on, verifications={})


def _side_verified(engagement: Engagement, event: SideVerified, at: datetime) -> Engagement:
    del at
    found = Verification(by=event.by, evidence=event.evidence, on=event.on)
    verifications = engagement.running.agreement.actions[event.action].verifications
    return changed(engagement, event.action, verifications={**verifications, event.side: found})


def _refused(engagement: Engagement, event: VerificationRefused, at: datetime) -> Engagement:
    del at
    joint = engagement.running.agreement.actions[event.action].joint
    kept = {what: given for what, given in joint.items() if what is not Joint.COMPLETE}
    return changed(
        engagement,
        event.action,
        status=ActionStatus.ACTIVE,
        reported=None,
        verifications={},
        joint=kept,
        reason=event.reason,
    )


def _verified(engagement: Engagement, event: ActionVerified, at: datetime) -> Engagement:
    del at
    return changed(engagement, event.action, status=ActionStatus.VERIFIED, verified=event.on)


def _sustained(engagement: Engagement, event: ActionSustained, at: datetime) -> Engagement:
    del at
    return changed(engagement, event.action, status=ActionStatus.SUSTAINED)


# --- tasks ---------------------------------------------------------------------------------------------------------


def tasks(engagement: Engagement) -> Iterator[Task]:
    """A look at what was reported, for whoever was named on each side; else the facilitator finds somebody."""
    for action in actions_of(engagement):
        if action.status is not ActionStatus.REPORTED_COMPLETE or action.reported is None:
            continue
        for side in Side:
            if side not in action.verifications:
                yield from _looks(engagement, action, side, action.reported)


def _looks(engagement: Engagement, action: Action, side: Side, reported: date) -> Iterator[Task]:
    named = action.verifiers.get(side)
    known = named is not None and named in engagement.participants(side) and named not in action.owners
    people = (named,) if named and known else engagement.holders(Role.FACILITATOR)
    look = f"Verify action {action.id}"
    for person in people:
        yield Task(
            id=f"action/verify-{action.id}-{side.value}-{reported}/{person}",
            ladder="verification",
            person=person,
            about=action.id,
            command="VerifyAction",
            title=look if known else f"Ask a {side.value} who does not own action {action.id} to verify it",
            opened=reported,
            due=engagement.time.due(
                reported, engagement.template.durations.verification, "both co-owners reported it complete"
            ),
            side=side if known else None,
        )


PART = Part(
    name="verification",
    decide={
        ReportComplete: report_complete,
        VerifyAction: verify_action,
        RefuseVerification: refuse_verification,
    },
    evolve={
        VerifierNamed: _verifier_named,
        ActionReportedComplete: _reported,
        SideVerified: _side_verified,
        VerificationRefused: _refused,
        ActionVerified: _verified,
        ActionSustained: _sustained,
    },
    tasks=tasks,
    follows=follows,
)
