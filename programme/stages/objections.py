"""The patient-safety objection: any doctor may stop an action at once, and only a medical approver lets it go on.

It works while the programme is paused, its days are not shifted by a pause, and its messages leave at any hour. The
approver acknowledges within 1 working day, or the deputy is told; decides within 5, or both sponsors are told. Until
then, however long it takes, the action stays suspended.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from programme.measures import refuse_blank
from programme.messages import APPROVERS, Command, Event, Paragraph, PersonId, Role, Task
from programme.part import Asked, Part
from programme.post import SAFETY, NoticeRaised
from programme.refusals import ActionElsewhere, AlreadyDone, Invalid, NotYourApproval, UnknownAction, UnknownObjection
from programme.stages.action import (
    IN_FORCE,
    UNDECIDED,
    Action,
    ActionId,
    ActionStatus,
    Objection,
    action_of,
    actions_of,
    changed,
)
from programme.stages.agreement import back_to_session
from programme.stages.approval import approver_for, may_decide
from programme.stages.drafting import UNSIGNED
from programme.working_time import working_time

if TYPE_CHECKING:
    from programme.engagement import Engagement

OBJECTIONABLE = UNDECIDED | IN_FORCE | {ActionStatus.SUSPENDED}


# --- commands ------------------------------------------------------------------------------------------------------


class RaiseSafetyObjection(Command):
    """Say why an action is not safe for patients; it is suspended at once. Write nothing about a single patient."""

    who = frozenset({Role.DOCTOR})
    refusals = (UnknownAction, ActionElsewhere, Invalid)
    while_paused = True

    kind: Literal["RaiseSafetyObjection"] = "RaiseSafetyObjection"
    action: ActionId
    reason: Paragraph


class AcknowledgeObjection(Command):
    """Say that one has taken up a patient-safety objection."""

    who = APPROVERS
    refusals = (UnknownAction, UnknownObjection, NotYourApproval, AlreadyDone)
    while_paused = True

    kind: Literal["AcknowledgeObjection"] = "AcknowledgeObjection"
    action: ActionId
    objection: int


class DecideObjection(Command):
    """Decide a patient-safety objection, with a reason: the action goes on as it was, or is drafted anew."""

    who = APPROVERS
    refusals = (UnknownAction, UnknownObjection, NotYourApproval, AlreadyDone, Invalid)
    while_paused = True

    kind: Literal["DecideObjection"] = "DecideObjection"
    action: ActionId
    objection: int
    goes_on: bool
    reason: Paragraph


Commands = RaiseSafetyObjection | AcknowledgeObjection | DecideObjection


# --- events --------------------------------------------------------------------------------------------------------


class SafetyObjectionRaised(Event):
    """A doctor objected for the safety of patients; from this moment on the action is suspended."""

    kind: Literal["SafetyObjectionRaised"] = "SafetyObjectionRaised"
    action: ActionId
    objection: int
    by: PersonId
    reason: str
    on: date


class ObjectionAcknowledged(Event):
    """An approver has taken up an objection."""

    kind: Literal["ObjectionAcknowledged"] = "ObjectionAcknowledged"
    action: ActionId
    objection: int
    by: PersonId
    on: date


class ObjectionDecided(Event):
    """An approver decided an objection."""

    kind: Literal["ObjectionDecided"] = "ObjectionDecided"
    action: ActionId
    objection: int
    goes_on: bool
    by: PersonId
    reason: str
    on: date


class ActionResumed(Event):
    """No objection stands any more; the action is again where it was."""

    kind: Literal["ActionResumed"] = "ActionResumed"
    action: ActionId
    on: date


class ActionReturned(Event):
    """An objection was upheld: a draft again, under a new version, marked for medical approval."""

    kind: Literal["ActionReturned"] = "ActionReturned"
    action: ActionId
    version: int
    on: date


Events = SafetyObjectionRaised | ObjectionAcknowledged | ObjectionDecided | ActionResumed | ActionReturned


# --- decide --------------------------------------------------------------------------------------------------------


def raise_safety_objection(engagement: Engagement, command: RaiseSafetyObjection, asked: Asked) -> list[Event]:
    """Suspend an action at once, and say so at once to the approver and to those who act on it."""
    action = action_of(engagement, command.action, OBJECTIONABLE)
    refuse_blank(command.reason, "The reason")
    approver = approver_for(engagement, action)
    title = f"Patient-safety objection: action {action.id} is suspended until it is decided"
    told = (approver,) if approver else (*engagement.sponsors, *engagement.holders(Role.PROGRAMME_MANAGER))
    return [
        SafetyObjectionRaised(
            action=action.id,
            objection=len(action.objections) + 1,
            by=asked.by,
            reason=command.reason,
            on=asked.today,
        ),
        NoticeRaised(people=tuple(dict.fromkeys((*told, *action.owners))), title=title, about=action.id, topic=SAFETY),
    ]


def _open(engagement: Engagement, command: AcknowledgeObjection | DecideObjection, asked: Asked) -> Objection:
    action = action_of(engagement, command.action)
    if not may_decide(engagement, action, asked.by):
        raise NotYourApproval
    found = next((one for one in action.objections if one.number == command.objection), None)
    if found is None:
        raise UnknownObjection(command.objection)
    if found.decided:
        raise AlreadyDone("the objection is decided")
    return found


def acknowledge_objection(engagement: Engagement, command: AcknowledgeObjection, asked: Asked) -> list[Event]:
    """Take up an objection."""
    objection = _open(engagement, command, asked)
    if objection.acknowledged:
        raise AlreadyDone("the objection is acknowledged")
    return [ObjectionAcknowledged(action=command.action, objection=objection.number, by=asked.by, on=asked.today)]


def decide_objection(engagement: Engagement, command: DecideObjection, asked: Asked) -> list[Event]:
    """Decide an objection. The last decision on a suspended action says whether it goes on."""
    objection = _open(engagement, command, asked)
    refuse_blank(command.reason, "The reason")
    decided = ObjectionDecided(
        action=command.action,
        objection=objection.number,
        goes_on=command.goes_on,
        by=asked.by,
        reason=command.reason,
        on=asked.today,
    )
    action = action_of(engagement, command.action)
    if len(action.open_objections) > 1:
        return [decided]
    return [decided, *_ended(engagement, action, asked, returned=not command.goes_on or _upheld_before(action))]


def _upheld_before(action: Action) -> bool:
    """Whether another objection of this same suspension was upheld."""
    return any(one.returned for one in action.objections if one.number >= action.suspended_by)


def _ended(engagement: Engagement, action: Action, asked: Asked, *, returned: bool) -> list[Event]:
    if returned:
        back = back_to_session(engagement, action, "found unsafe as it stands", asked.today)
        return [ActionReturned(action=action.id, version=action.version + 1, on=asked.today), *back]
    title = f"The patient-safety objection is decided: action {action.id} goes on"
    return [
        ActionResumed(action=action.id, on=asked.today),
        NoticeRaised(people=action.owners, title=title, about=action.id),
    ]


# --- evolve --------------------------------------------------------------------------------------------------------


def _raised(engagement: Engagement, event: SafetyObjectionRaised, at: datetime) -> Engagement:
    del at
    action = engagement.running.agreement.actions[event.action]
    objection = Objection(number=event.objection, by=event.by, reason=event.reason, raised=event.on)
    engagement = changed(engagement, event.action, objections=(*action.objections, objection))
    if action.status is ActionStatus.SUSPENDED:
        return engagement
    return changed(
        engagement,
        event.action,
        status=ActionStatus.SUSPENDED,
        suspended_from=action.status,
        suspended_by=event.objection,
    )


def _acknowledged(engagement: Engagement, event: ObjectionAcknowledged, at: datetime) -> Engagement:
    del at
    return _objection(engagement, event.action, event.objection, acknowledged=event.on)


def _decided(engagement: Engagement, event: ObjectionDecided, at: datetime) -> Engagement:
    del at
    changes = {"decided": event.on, "returned": not event.goes_on, "decision": event.reason}
    return _objection(engagement, event.action, event.objection, **changes)


def _objection(engagement: Engagement, action: ActionId, number: int, **changes: object) -> Engagement:
    held = engagement.running.agreement.actions[action].objections
    objections = tuple(one.model_copy(update=changes) if one.number == number else one for one in held)
    return changed(engagement, action, objections=objections)


def _resumed(engagement: Engagement, event: ActionResumed, at: datetime) -> Engagement:
    """What was being asked is asked anew from this day: nobody could answer meanwhile."""
    del at
    status = engagement.running.agreement.actions[event.action].suspended_from
    asked_anew: dict[str, object] = {}
    if status is ActionStatus.PROPOSED:
        asked_anew = {"proposed": event.on}
    if status is ActionStatus.AWAITING_APPROVAL:
        asked_anew = {"approval_asked": event.on}
    return changed(engagement, event.action, status=status, suspended_from=None, **asked_anew)


def _returned(engagement: Engagement, event: ActionReturned, at: datetime) -> Engagement:
    del at
    return changed(
        engagement,
        event.action,
        status=ActionStatus.DRAFT,
        version=event.version,
        marked=True,
        proposed=None,
        suspended_from=None,
        **UNSIGNED,
    )


# --- tasks ---------------------------------------------------------------------------------------------------------


def tasks(engagement: Engagement) -> Iterator[Task]:
    """Acknowledge and decide, for the approver. A pause does not move their days, nor does a new cycle ask anew."""
    for action in actions_of(engagement):
        approver = approver_for(engagement, action) if action.open_objections else None
        if approver:
            for objection in action.open_objections:
                yield from _duties(engagement, action, objection, approver)


def _duties(engagement: Engagement, action: Action, objection: Objection, approver: PersonId) -> Iterator[Task]:
    time, durations = working_time(engagement.calendar, ()), engagement.template.durations
    about = f"{action.id}-{objection.number}"
    if objection.acknowledged is None:
        yield Task(
            id=f"safety/acknowledge-{about}/{approver}",
            ladder="safety-acknowledgement",
            person=approver,
            about=action.id,
            command="AcknowledgeObjection",
            title=f"Acknowledge the patient-safety objection to action {action.id}",
            opened=objection.raised,
            due=time.due(objection.raised, durations.objection_acknowledge, "the objection was raised"),
        )
    yield Task(
        id=f"safety/decide-{about}/{approver}",
        ladder="safety-objection",
        person=approver,
        about=action.id,
        command="DecideObjection",
        title=f"Decide the patient-safety objection to action {action.id}",
        opened=objection.raised,
        due=time.due(objection.raised, durations.objection_decide, "the objection was raised"),
    )


PART = Part(
    name="objections",
    decide={
        RaiseSafetyObjection: raise_safety_objection,
        AcknowledgeObjection: acknowledge_objection,
        DecideObjection: decide_objection,
    },
    evolve={
        SafetyObjectionRaised: _raised,
        ObjectionAcknowledged: _acknowledged,
        ObjectionDecided: _decided,
        ActionResumed: _resumed,
        ActionReturned: _returned,
    },
    tasks=tasks,
)
