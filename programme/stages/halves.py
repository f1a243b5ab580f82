"""What takes both co-owners: an action is withdrawn, reported complete and closed in two halves, one from each side."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from programme.messages import PARTICIPANTS, Command, Event, PersonId, Side, Task
from programme.part import Asked, Part
from programme.refusals import ActionElsewhere, AlreadyDone, NotCoOwner, UnknownAction
from programme.stages.action import (
    IN_FORCE,
    UNDECIDED,
    Action,
    ActionId,
    ActionStatus,
    Assent,
    Joint,
    action_of,
    actions_of,
    changed,
    owned_side,
)

if TYPE_CHECKING:
    from programme.engagement import Engagement

WITHDRAWABLE = (UNDECIDED | IN_FORCE | {ActionStatus.DRAFT}) - {ActionStatus.SUSTAINED}
CLOSABLE = frozenset({ActionStatus.VERIFIED, ActionStatus.SUSTAINED})


# --- commands --------------------------------------------------------------------------------------------------------


class WithdrawAction(Command):
    """Take an action back. It is withdrawn once the other side's co-owner has said the same."""

    who = PARTICIPANTS
    refusals = (UnknownAction, ActionElsewhere, NotCoOwner, AlreadyDone)

    kind: Literal["WithdrawAction"] = "WithdrawAction"
    action: ActionId


class CloseAction(Command):
    """Close an action whose completion was verified. It is closed once the other side's co-owner has said the same."""

    who = PARTICIPANTS
    refusals = (UnknownAction, ActionElsewhere, NotCoOwner, AlreadyDone)

    kind: Literal["CloseAction"] = "CloseAction"
    action: ActionId


Commands = WithdrawAction | CloseAction


# --- events ----------------------------------------------------------------------------------------------------------


class HalfGiven(Event):
    """One co-owner gave half of what takes both: withdrawal, completion or the close of an action."""

    kind: Literal["HalfGiven"] = "HalfGiven"
    action: ActionId
    what: Joint
    version: int
    side: Side
    by: PersonId
    on: date


class ActionWithdrawn(Event):
    """Both sides took the action back."""

    kind: Literal["ActionWithdrawn"] = "ActionWithdrawn"
    action: ActionId
    on: date


class ActionClosed(Event):
    """Both sides closed the action; nothing more is asked about it."""

    kind: Literal["ActionClosed"] = "ActionClosed"
    action: ActionId
    on: date


Events = HalfGiven | ActionWithdrawn | ActionClosed


# --- decide ----------------------------------------------------------------------------------------------------------


def withdraw_action(engagement: Engagement, command: WithdrawAction, asked: Asked) -> list[Event]:
    """Give one side's half of a withdrawal; the second half withdraws."""
    action = action_of(engagement, command.action, WITHDRAWABLE)
    side = engagement.people[asked.by].side
    if side is None or action.owner(side) not in ("", asked.by):
        raise NotCoOwner
    return half(action, Joint.WITHDRAW, side, asked, ActionWithdrawn(action=action.id, on=asked.today))


def close_action(engagement: Engagement, command: CloseAction, asked: Asked) -> list[Event]:
    """Give one side's half of a close; the second half closes."""
    action = action_of(engagement, command.action, CLOSABLE)
    side = owned_side(engagement, action, asked.by)
    return half(action, Joint.CLOSE, side, asked, ActionClosed(action=action.id, on=asked.today))


def half(action: Action, what: Joint, side: Side, asked: Asked, whole: Event) -> list[Event]:
    """One co-owner's half of something, and the whole where the other half was there."""
    given = action.joint.get(what, {})
    if side in given:
        raise AlreadyDone("your side has said so; the other side has not yet")
    event = HalfGiven(action=action.id, what=what, version=action.version, side=side, by=asked.by, on=asked.today)
    return [event, whole] if side.other in given else [event]


# --- evolve ----------------------------------------------------------------------------------------------------------


def _half_given(engagement: Engagement, event: HalfGiven, at: datetime) -> Engagement:
    del at
    joint = engagement.running.agreement.actions[event.action].joint
    assent = Assent(by=event.by, version=event.version, on=event.on)
    given = {**joint, event.what: {**joint.get(event.what, {}), event.side: assent}}
    return changed(engagement, event.action, joint=given)


def _withdrawn(engagement: Engagement, event: ActionWithdrawn, at: datetime) -> Engagement:
    del at
    return changed(engagement, event.action, status=ActionStatus.WITHDRAWN, ended=event.on)


def _closed(engagement: Engagement, event: ActionClosed, at: datetime) -> Engagement:
    del at
    return changed(engagement, event.action, status=ActionStatus.CLOSED, ended=event.on)


# --- tasks -----------------------------------------------------------------------------------------------------------


def tasks(engagement: Engagement) -> Iterator[Task]:
    """The half that is missing, for the co-owner of the other side."""
    for action in actions_of(engagement):
        if action.status in WITHDRAWABLE:
            yield from _other_half(action, Joint.WITHDRAW, "WithdrawAction", "it is withdrawn")
        if action.status is ActionStatus.ACTIVE:
            yield from _other_half(action, Joint.COMPLETE, "ReportComplete", "it is complete")
        if action.status in CLOSABLE:
            yield from _other_half(action, Joint.CLOSE, "CloseAction", "it is closed")


def _other_half(action: Action, what: Joint, command: str, words: str) -> Iterator[Task]:
    """For the co-owner whose half is missing: a duty that stands open, without a date."""
    given = action.joint.get(what, {})
    for side, assent in given.items():
        owner = action.owner(side.other)
        if side.other not in given and owner:
            yield Task(
                id=f"action/{what.value}-{action.id}-{assent.on}/{owner}",
                ladder="duty",
                person=owner,
                about=action.id,
                command=command,
                title=f"Say whether you agree about action {action.id}: {words}",
                opened=assent.on,
            )


PART = Part(
    name="halves",
    decide={WithdrawAction: withdraw_action, CloseAction: close_action},
    evolve={HalfGiven: _half_given, ActionWithdrawn: _withdrawn, ActionClosed: _closed},
    tasks=tasks,
)
