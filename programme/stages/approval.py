"""Medical approval: nobody but a doctor decides the medical management of patients.

An action that is marked, or where the proposer was not sure, waits until a GMC-registered approver who neither owns nor
proposed it has decided the version that both sides agreed. Nothing is ever approved by silence; without an approver who
may decide, approvals wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from programme.measures import refuse_blank
from programme.messages import APPROVERS, Command, DueDate, Event, Paragraph, PersonId, Role, Side, Task
from programme.part import Asked, Part
from programme.refusals import (
    ActionElsewhere,
    ActionIncomplete,
    AlreadyDone,
    Invalid,
    NotYourApproval,
    UnknownAction,
    VersionMoved,
)
from programme.stages.action import (
    UNDECIDED,
    Action,
    ActionId,
    ActionStatus,
    Assent,
    action_of,
    actions_of,
    changed,
)
from programme.stages.agreement import back_to_session
from programme.stages.drafting import refuse_incomplete

if TYPE_CHECKING:
    from programme.engagement import Engagement

AWAITING = frozenset({ActionStatus.AWAITING_APPROVAL})


# --- commands ------------------------------------------------------------------------------------------------------


class ApproveAction(Command):
    """Approve this version of a clinically marked action."""

    who = APPROVERS
    refusals = (UnknownAction, ActionElsewhere, NotYourApproval, VersionMoved, ActionIncomplete)

    kind: Literal["ApproveAction"] = "ApproveAction"
    action: ActionId
    version: int


class RefuseAction(Command):
    """Refuse this version of a clinically marked action, with a reason. It goes back to a joint session."""

    who = APPROVERS
    refusals = (UnknownAction, ActionElsewhere, NotYourApproval, VersionMoved, Invalid)

    kind: Literal["RefuseAction"] = "RefuseAction"
    action: ActionId
    version: int
    reason: Paragraph


class LiftClinicalMark(Command):
    """Say, with a reason, that an action needs no medical approval after all."""

    who = APPROVERS
    refusals = (UnknownAction, ActionElsewhere, NotYourApproval, AlreadyDone, Invalid)

    kind: Literal["LiftClinicalMark"] = "LiftClinicalMark"
    action: ActionId
    reason: Paragraph


Commands = ApproveAction | RefuseAction | LiftClinicalMark


# --- events --------------------------------------------------------------------------------------------------------


class ApprovalAsked(Event):
    """Both sides have agreed to a marked action; a medical approver is asked."""

    kind: Literal["ApprovalAsked"] = "ApprovalAsked"
    action: ActionId
    version: int
    on: date


class ActionApproved(Event):
    """A medical approver approved one version."""

    kind: Literal["ActionApproved"] = "ActionApproved"
    action: ActionId
    version: int
    by: PersonId
    on: date


class ActionRefused(Event):
    """A medical approver refused one version."""

    kind: Literal["ActionRefused"] = "ActionRefused"
    action: ActionId
    version: int
    by: PersonId
    reason: str
    on: date


class ClinicalMarkLifted(Event):
    """A medical approver said that this version needs no medical approval."""

    kind: Literal["ClinicalMarkLifted"] = "ClinicalMarkLifted"
    action: ActionId
    version: int
    by: PersonId
    reason: str
    on: date


Events = ApprovalAsked | ActionApproved | ActionRefused | ClinicalMarkLifted


# --- who may decide ------------------------------------------------------------------------------------------------


def may_decide(engagement: Engagement, action: Action, person: PersonId) -> bool:
    """Whether somebody could be the medical approver of this action.

    Somebody enrolled on the managers' side speaks for managers, whatever their registration: a manager never decides a
    clinical question (programme.md, invariants 5 and 6).
    """
    found = engagement.people[person]
    registered = found.gmc_registered and bool(found.roles() & APPROVERS)
    return registered and found.side is not Side.MANAGER and person not in {*action.owners, action.proposer}


def approver_for(engagement: Engagement, action: Action) -> PersonId | None:
    """The medical approver of an action: the deputy where the approver may not decide it; None where nobody may."""
    candidates = engagement.holders(Role.MEDICAL_APPROVER) + engagement.holders(Role.DEPUTY_APPROVER)
    return next((person for person in candidates if may_decide(engagement, action, person)), None)


def approval_due(engagement: Engagement, action: Action) -> DueDate | None:
    """By when an approval is due; None where none is asked for."""
    if action.approval_asked is None or action.status is not ActionStatus.AWAITING_APPROVAL:
        return None
    return engagement.time.due(
        action.approval_asked, engagement.template.durations.approval, "both sides had agreed to the action"
    )


def _refuse_others(engagement: Engagement, action: Action, asked: Asked) -> None:
    """Let the approver decide, or a deputy once the approver's date has come."""
    due = approval_due(engagement, action)
    stands_in = due is not None and asked.today >= due.on and may_decide(engagement, action, asked.by)
    if asked.by != approver_for(engagement, action) and not stands_in:
        raise NotYourApproval


# --- decide --------------------------------------------------------------------------------------------------------


def _awaiting(engagement: Engagement, command: ApproveAction | RefuseAction, asked: Asked) -> Action:
    action = action_of(engagement, command.action, AWAITING)
    _refuse_others(engagement, action, asked)
    if command.version != action.version:
        raise VersionMoved(action.version)
    return action


def approve_action(engagement: Engagement, command: ApproveAction, asked: Asked) -> list[Event]:
    """Approve the version that both sides agreed."""
    action = _awaiting(engagement, command, asked)
    refuse_incomplete(engagement, action, asked)
    return [ActionApproved(action=action.id, version=action.version, by=asked.by, on=asked.today)]


def refuse_action(engagement: Engagement, command: RefuseAction, asked: Asked) -> list[Event]:
    """Refuse the version, and call a joint session about it."""
    action = _awaiting(engagement, command, asked)
    refuse_blank(command.reason, "The reason")
    refused = ActionRefused(
        action=action.id, version=action.version, by=asked.by, reason=command.reason, on=asked.today
    )
    return [refused, *back_to_session(engagement, action, "refused medical approval", asked.today)]


def lift_clinical_mark(engagement: Engagement, command: LiftClinicalMark, asked: Asked) -> list[Event]:
    """Lift the mark of the version that is proposed."""
    action = action_of(engagement, command.action, UNDECIDED)
    if asked.by != approver_for(engagement, action):
        raise NotYourApproval
    refuse_blank(command.reason, "The reason")
    if not action.marked:
        raise AlreadyDone("the action carries no clinical mark")
    return [
        ClinicalMarkLifted(action=action.id, version=action.version, by=asked.by, reason=command.reason, on=asked.today)
    ]


def follows(engagement: Engagement, asked: Asked) -> list[Event]:
    """Ask for the approval of a marked action once both sides have agreed to it."""
    for action in actions_of(engagement):
        if action.status is ActionStatus.AGREED and action.marked and not action.approved:
            return [ApprovalAsked(action=action.id, version=action.version, on=asked.today)]
    return []


# --- evolve --------------------------------------------------------------------------------------------------------


def _asked(engagement: Engagement, event: ApprovalAsked, at: datetime) -> Engagement:
    del at
    return changed(engagement, event.action, status=ActionStatus.AWAITING_APPROVAL, approval_asked=event.on)


def _approved(engagement: Engagement, event: ActionApproved, at: datetime) -> Engagement:
    del at
    approval = Assent(by=event.by, version=event.version, on=event.on)
    return changed(engagement, event.action, status=ActionStatus.AGREED, approval=approval)


def _refused(engagement: Engagement, event: ActionRefused, at: datetime) -> Engagement:
    del at
    return changed(engagement, event.action, status=ActionStatus.DECLINED, reason=event.reason, ended=event.on)


def _lifted(engagement: Engagement, event: ClinicalMarkLifted, at: datetime) -> Engagement:
    del at
    waits = engagement.running.agreement.actions[event.action].status is ActionStatus.AWAITING_APPROVAL
    status = {"status": ActionStatus.AGREED, "approval_asked": None} if waits else {}
    return changed(engagement, event.action, marked=False, **status)


# --- tasks ---------------------------------------------------------------------------------------------------------


def tasks(engagement: Engagement) -> Iterator[Task]:
    """A decision, for the approver of each action that waits for one; somebody who may decide, where nobody may."""
    for action in actions_of(engagement):
        if (due := approval_due(engagement, action)) and (asked := action.approval_asked):
            yield from _waiting(engagement, action, due, asked)


def _waiting(engagement: Engagement, action: Action, due: DueDate, asked: date) -> Iterator[Task]:
    approver = approver_for(engagement, action)
    decide, find = f"Approve action {action.id}, or refuse it", f"Appoint somebody who may approve action {action.id}"
    for person in (approver,) if approver else engagement.holders(Role.PROGRAMME_MANAGER):
        what = "approve" if approver else "approver"
        yield Task(
            id=f"{engagement.running.number}/agreement/{what}-{action.id}-v{action.version}-{asked}/{person}",
            ladder="medical-approval" if approver else "duty",
            person=person,
            about=action.id,
            command="ApproveAction" if approver else "Appoint",
            title=decide if approver else find,
            opened=asked,
            due=due,
        )


PART = Part(
    name="approval",
    decide={ApproveAction: approve_action, RefuseAction: refuse_action, LiftClinicalMark: lift_clinical_mark},
    evolve={
        ApprovalAsked: _asked,
        ActionApproved: _approved,
        ActionRefused: _refused,
        ClinicalMarkLifted: _lifted,
    },
    tasks=tasks,
    follows=follows,
)
