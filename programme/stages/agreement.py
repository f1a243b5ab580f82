"""Stage 4, Agreement: each side says yes or no to one version of an action, and gate G4 opens delivery.

Two people sign, one for each side; silence is never consent, and after 10 working days an unanswered proposal goes back
to a joint session. How a proposal comes about stands in ``drafting.py``, medical approval in ``approval.py``, the
patient-safety objection in ``objections.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from programme.gates import common_lacks, passed
from programme.measures import refuse_blank
from programme.messages import (
    PARTICIPANTS,
    Command,
    Due,
    DueDate,
    Event,
    Paragraph,
    PersonId,
    Role,
    Side,
    Stage,
    Task,
)
from programme.part import Asked, Part
from programme.post import NoticeRaised
from programme.refusals import (
    ActionElsewhere,
    ActionIncomplete,
    AlreadyDone,
    Invalid,
    NotSignatory,
    NotYet,
    UnknownAction,
    VersionMoved,
)
from programme.stages.action import (
    IN_FORCE,
    Action,
    ActionId,
    ActionStatus,
    Assent,
    NeedStatus,
    action_of,
    actions_of,
    agreeing_since,
    changed,
)
from programme.stages.drafting import UNSIGNED, measures_of, refuse_incomplete
from programme.stages.session import Purpose
from programme.stages.sessions import call_session
from programme.working_time import end_of

if TYPE_CHECKING:
    from programme.engagement import Engagement


# --- commands ------------------------------------------------------------------------------------------------------


class AgreeAction(Command):
    """Agree to this version of an action, for one's side."""

    who = PARTICIPANTS
    refusals = (UnknownAction, ActionElsewhere, NotSignatory, VersionMoved, AlreadyDone, ActionIncomplete, NotYet)

    kind: Literal["AgreeAction"] = "AgreeAction"
    action: ActionId
    version: int


class DeclineAction(Command):
    """Decline this version of an action, for one's side, with a reason. It goes back to a joint session."""

    who = PARTICIPANTS
    refusals = (UnknownAction, ActionElsewhere, NotSignatory, VersionMoved, Invalid, NotYet)

    kind: Literal["DeclineAction"] = "DeclineAction"
    action: ActionId
    version: int
    reason: Paragraph


Commands = AgreeAction | DeclineAction


# --- events --------------------------------------------------------------------------------------------------------


class ActionAgreed(Event):
    """One side agrees to one version."""

    kind: Literal["ActionAgreed"] = "ActionAgreed"
    action: ActionId
    version: int
    side: Side
    by: PersonId
    on: date


class ActionDeclined(Event):
    """One side declines."""

    kind: Literal["ActionDeclined"] = "ActionDeclined"
    action: ActionId
    version: int
    side: Side
    by: PersonId
    reason: str
    on: date


class ActionExpired(Event):
    """Not both sides answered in time: a draft again, under a new version. Silence is never consent."""

    kind: Literal["ActionExpired"] = "ActionExpired"
    action: ActionId
    version: int
    on: date


class ActionActivated(Event):
    """Both sides agreed to this version, and where it is marked an approver approved it."""

    kind: Literal["ActionActivated"] = "ActionActivated"
    action: ActionId
    version: int
    on: date


class ActionSuperseded(Event):
    """Another action that is active now takes the place of this one."""

    kind: Literal["ActionSuperseded"] = "ActionSuperseded"
    action: ActionId
    by_action: ActionId
    on: date


Events = ActionAgreed | ActionDeclined | ActionExpired | ActionActivated | ActionSuperseded


# --- asking about actions ------------------------------------------------------------------------------------------


def answer_due(engagement: Engagement, action: Action) -> DueDate | None:
    """By when both sides answer a proposal; None while nobody is asked."""
    since = agreeing_since(engagement)
    if action.status is not ActionStatus.PROPOSED or action.proposed is None or since is None:
        return None
    why = "the action was proposed" if action.proposed >= since else "the sessions ended with it proposed"
    return engagement.time.due(max(action.proposed, since), engagement.template.durations.agreement, why)


# --- decide --------------------------------------------------------------------------------------------------------


def _answerable(engagement: Engagement, command: AgreeAction | DeclineAction) -> Action:
    action = action_of(engagement, command.action, frozenset({ActionStatus.PROPOSED}))
    if agreeing_since(engagement) is None:
        raise NotYet("agreements are given once the joint sessions have ended")
    if command.version != action.version:
        raise VersionMoved(action.version)
    return action


def _signing_side(engagement: Engagement, action: Action, person: PersonId) -> Side:
    side = engagement.people[person].side
    if side is None or action.signatory(side) != person:
        raise NotSignatory
    return side


def agree_action(engagement: Engagement, command: AgreeAction, asked: Asked) -> list[Event]:
    """Take one side's agreement to the version that its signatory has read."""
    action = _answerable(engagement, command)
    side = _signing_side(engagement, action, asked.by)
    if side in action.agreements:
        raise AlreadyDone("your side has agreed to this version")
    refuse_incomplete(engagement, action, asked)
    return [ActionAgreed(action=action.id, version=action.version, side=side, by=asked.by, on=asked.today)]


def decline_action(engagement: Engagement, command: DeclineAction, asked: Asked) -> list[Event]:
    """Take one side's no, and call a joint session about it. A co-owner may decline beside the signatory."""
    action = _answerable(engagement, command)
    refuse_blank(command.reason, "The reason")
    side = engagement.people[asked.by].side
    if side is None or asked.by not in {action.owner(side), action.signatory(side)}:
        raise NotSignatory
    declined = ActionDeclined(
        action=action.id, version=action.version, side=side, by=asked.by, reason=command.reason, on=asked.today
    )
    return [declined, *back_to_session(engagement, action, "declined", asked.today)]


def back_to_session(engagement: Engagement, action: Action, what: str, on: date) -> list[Event]:
    """A joint session about an action that did not come to be agreed, and the news of it."""
    people = tuple(dict.fromkeys((action.proposer, *action.owners)))
    title = f"Action {action.id} was {what} and goes back to a joint session"
    return [
        *call_session(engagement, Purpose.AGREEMENT, f"Agree again: action {action.id}", on, f"It was {what}"),
        NoticeRaised(people=tuple(one for one in people if one), title=title, about=action.id),
    ]


# --- what follows --------------------------------------------------------------------------------------------------


def follows(engagement: Engagement, asked: Asked) -> list[Event]:
    """Let an agreed action become active; pass gate G4 once it lacks nothing."""
    if engagement.cycle is None:
        return []
    for action in engagement.cycle.agreement.actions.values():
        if action.status is ActionStatus.AGREED and action.agreed_by_both and (not action.marked or action.approved):
            return _activated(engagement, action, asked.today)
    if engagement.in_stage(Stage.AGREEMENT) and not lacks(engagement):
        return passed(engagement, "G4", Stage.AGREEMENT, (Stage.DELIVERY, Stage.CHALLENGE), asked.today)
    return []


def _activated(engagement: Engagement, action: Action, on: date) -> list[Event]:
    events: list[Event] = [ActionActivated(action=action.id, version=action.version, on=on)]
    replaced = engagement.running.agreement.actions.get(action.replaces)
    if replaced and replaced.status in IN_FORCE:
        events.append(ActionSuperseded(action=replaced.id, by_action=action.id, on=on))
    title = f"Action {action.id} is active: both sides have agreed"
    return [*events, NoticeRaised(people=action.owners, title=title, about=action.id)]


def lacks(engagement: Engagement) -> list[str]:
    """Gate G4: what is still missing, as sentences."""
    agreement = engagement.running.agreement
    missing = common_lacks(engagement)
    if not agreement.in_force():
        missing.append("at least 1 action must be active")
    missing += [f"action {one.id} must be decided" for one in agreement.actions.values() if one.undecided]
    if not agreement.compact.signed_by(engagement.sponsors):
        missing.append("both sponsors must sign the compact")
    for action in agreement.in_force():
        missing += [
            f"measure {measure.id} must have a baseline"
            for measure in measures_of(engagement, action)
            if not measure.has_baseline
        ]
    needs = agreement.needs.values()
    missing += [f"development need {one.id} must have an owner" for one in needs if one.status is NeedStatus.OPEN]
    return missing


# --- evolve --------------------------------------------------------------------------------------------------------


def _agreed(engagement: Engagement, event: ActionAgreed, at: datetime) -> Engagement:
    del at
    action = engagement.running.agreement.actions[event.action]
    assent = Assent(by=event.by, version=event.version, on=event.on)
    action = action.model_copy(update={"agreements": {**action.agreements, event.side: assent}})
    status = ActionStatus.AGREED if action.agreed_by_both else action.status
    return changed(engagement, event.action, agreements=action.agreements, status=status)


def _declined(engagement: Engagement, event: ActionDeclined, at: datetime) -> Engagement:
    del at
    return changed(engagement, event.action, status=ActionStatus.DECLINED, reason=event.reason, ended=event.on)


def _expired(engagement: Engagement, event: ActionExpired, at: datetime) -> Engagement:
    del at
    return changed(
        engagement, event.action, status=ActionStatus.DRAFT, version=event.version, proposed=None, **UNSIGNED
    )


def _active(engagement: Engagement, event: ActionActivated, at: datetime) -> Engagement:
    del at
    first = engagement.running.agreement.actions[event.action].activated
    return changed(engagement, event.action, status=ActionStatus.ACTIVE, activated=first or event.on)


def _superseded(engagement: Engagement, event: ActionSuperseded, at: datetime) -> Engagement:
    del at
    return changed(engagement, event.action, status=ActionStatus.SUPERSEDED, ended=event.on)


# --- agenda and tasks ----------------------------------------------------------------------------------------------


def agenda(engagement: Engagement) -> Iterator[Due]:
    """The day on which an unanswered proposal goes back."""
    for action in actions_of(engagement):
        if due := answer_due(engagement, action):
            what = f"Action {action.id} goes back to a joint session unless both sides have answered"
            key = f"act:agreement:expire/{action.id}/{action.version}"
            closes = ("agree-action", action.id)
            yield Due(at=end_of(due.on), key=key, what=what, why=due.why, promised=True, closes=closes)


def act(engagement: Engagement, what: str, asked: Asked) -> list[Event]:
    """Let a proposal expire: nobody's silence is taken for a yes."""
    action = engagement.running.agreement.actions[what.split("/")[1]]
    told = engagement.holders(Role.PROGRAMME_MANAGER) + engagement.holders(Role.FACILITATOR)
    return [
        ActionExpired(action=action.id, version=action.version + 1, on=asked.today),
        *back_to_session(engagement, action, "not answered by both sides in time", asked.today),
        NoticeRaised(
            people=told, title=f"Action {action.id} expired and goes back to a joint session", about=action.id
        ),
    ]


def tasks(engagement: Engagement) -> Iterator[Task]:
    """An answer from each side's signatory."""
    for action in actions_of(engagement):
        if due := answer_due(engagement, action):
            yield from _answers(engagement, action, due)


def _answers(engagement: Engagement, action: Action, due: DueDate) -> Iterator[Task]:
    opened = max(filter(None, (action.proposed, agreeing_since(engagement))))
    for side in Side:
        person = action.signatory(side)
        if side not in action.agreements:
            yield Task(
                id=f"{engagement.running.number}/agreement/agree-{action.id}-v{action.version}-{opened}/{person}",
                ladder="agree-action",
                person=person,
                about=action.id,
                command="AgreeAction",
                title=f"Agree to action {action.id}, or decline it",
                opened=opened,
                due=due,
                side=side,
            )


PART = Part(
    name="agreement",
    decide={AgreeAction: agree_action, DeclineAction: decline_action},
    evolve={
        ActionAgreed: _agreed,
        ActionDeclined: _declined,
        ActionExpired: _expired,
        ActionActivated: _active,
        ActionSuperseded: _superseded,
    },
    agenda=agenda,
    act=act,
    tasks=tasks,
    follows=follows,
)
