"""A new co-owner of an action: what was agreed stays agreed, and the new owner accepts it within 10 working days.

Silence is no acceptance: an action that its new co-owner has not accepted in time returns to agreement, as after any
other material change of an owner. How somebody comes to be the new co-owner stands in ``handover.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from programme.messages import PARTICIPANTS, Command, Due, DueDate, Event, PersonId, Side, Task
from programme.part import Asked, Part
from programme.post import NoticeRaised
from programme.refusals import ActionElsewhere, AlreadyDone, NotCoOwner, UnknownAction
from programme.stages.action import (
    UNDECIDED,
    Action,
    ActionId,
    ActionStatus,
    action_of,
    actions_of,
    changed,
    owned_side,
)
from programme.stages.drafting import UNSIGNED
from programme.working_time import end_of

if TYPE_CHECKING:
    from programme.engagement import Engagement

UNDER_WAY = frozenset({ActionStatus.ACTIVE, ActionStatus.REPORTED_COMPLETE})
TO_ACCEPT = UNDECIDED | UNDER_WAY | {ActionStatus.SUSPENDED}  # afterwards nothing of it hangs on its owners' will


# --- commands --------------------------------------------------------------------------------------------------------


class AcceptOwnership(Command):
    """Accept an action as its new co-owner: as both sides agreed it."""

    who = PARTICIPANTS
    refusals = (UnknownAction, ActionElsewhere, NotCoOwner, AlreadyDone)

    kind: Literal["AcceptOwnership"] = "AcceptOwnership"
    action: ActionId


class DeclineOwnership(Command):
    """Not accept an action as both sides agreed it, as its new co-owner. It returns to agreement."""

    who = PARTICIPANTS
    refusals = (UnknownAction, ActionElsewhere, NotCoOwner, AlreadyDone)

    kind: Literal["DeclineOwnership"] = "DeclineOwnership"
    action: ActionId


Commands = AcceptOwnership | DeclineOwnership


# --- events ----------------------------------------------------------------------------------------------------------


class OwnerChanged(Event):
    """A side of an action has another co-owner. ``accepts``: who is asked to accept what was agreed."""

    kind: Literal["OwnerChanged"] = "OwnerChanged"
    action: ActionId
    side: Side
    was: PersonId
    now: PersonId
    accepts: bool
    on: date


class SignatoryChanged(Event):
    """Somebody else of the same side signs, where the side has not answered yet."""

    kind: Literal["SignatoryChanged"] = "SignatoryChanged"
    action: ActionId
    side: Side
    was: PersonId
    now: PersonId


class OwnershipAccepted(Event):
    """The new co-owner accepts the action as it was agreed."""

    kind: Literal["OwnershipAccepted"] = "OwnershipAccepted"
    action: ActionId
    side: Side
    by: PersonId
    on: date


class ReturnedToAgreement(Event):
    """The new co-owner has not accepted the action: both sides are asked anew, about a new version."""

    kind: Literal["ReturnedToAgreement"] = "ReturnedToAgreement"
    action: ActionId
    version: int
    on: date


Events = OwnerChanged | SignatoryChanged | OwnershipAccepted | ReturnedToAgreement


# --- asking about owners ---------------------------------------------------------------------------------------------


def accepts_anew(action: Action, side: Side) -> bool:
    """Whether a new co-owner of a side is asked to accept: where that side has agreed, so that silence would bind."""
    return action.status in TO_ACCEPT and side in action.agreements


def ownership_due(engagement: Engagement, action: Action, side: Side) -> DueDate | None:
    """By when the new co-owner of a side accepts; None where nobody is asked."""
    since = action.taken_over.get(side)
    if since is None or action.status not in TO_ACCEPT:
        return None
    return engagement.time.due(since, engagement.template.durations.ownership, "the action was taken over")


# --- decide ----------------------------------------------------------------------------------------------------------


def _to_accept(
    engagement: Engagement, command: AcceptOwnership | DeclineOwnership, asked: Asked
) -> tuple[Action, Side]:
    action = action_of(engagement, command.action, TO_ACCEPT)
    side = owned_side(engagement, action, asked.by)
    if side not in action.taken_over:
        raise AlreadyDone("nobody waits for you to accept this action")
    return action, side


def accept_ownership(engagement: Engagement, command: AcceptOwnership, asked: Asked) -> list[Event]:
    """Stand by what the earlier co-owner's side agreed."""
    action, side = _to_accept(engagement, command, asked)
    return [OwnershipAccepted(action=action.id, side=side, by=asked.by, on=asked.today)]


def decline_ownership(engagement: Engagement, command: DeclineOwnership, asked: Asked) -> list[Event]:
    """Ask both sides anew."""
    action, _ = _to_accept(engagement, command, asked)
    return returned(action, asked.today)


def returned(action: Action, on: date) -> list[Event]:
    """A new round of agreement, and the news of it."""
    title = f"Action {action.id} has a new co-owner and returns to agreement"
    return [
        ReturnedToAgreement(action=action.id, version=action.version + 1, on=on),
        NoticeRaised(people=action.owners, title=title, about=action.id),
    ]


# --- evolve ----------------------------------------------------------------------------------------------------------


def _owner_changed(engagement: Engagement, event: OwnerChanged, at: datetime) -> Engagement:
    del at
    taken_over = engagement.running.agreement.actions[event.action].taken_over
    asked = {**taken_over, event.side: event.on} if event.accepts else taken_over
    return changed(engagement, event.action, **{f"{event.side.value}_owner": event.now}, taken_over=asked)


def _signatory_changed(engagement: Engagement, event: SignatoryChanged, at: datetime) -> Engagement:
    del at
    return changed(engagement, event.action, **{f"{event.side.value}_signatory": event.now})


def _accepted(engagement: Engagement, event: OwnershipAccepted, at: datetime) -> Engagement:
    del at
    taken_over = engagement.running.agreement.actions[event.action].taken_over
    left = {side: since for side, since in taken_over.items() if side is not event.side}
    return changed(engagement, event.action, taken_over=left)


def _returned(engagement: Engagement, event: ReturnedToAgreement, at: datetime) -> Engagement:
    del at
    action = engagement.running.agreement.actions[event.action]
    suspended = action.status is ActionStatus.SUSPENDED
    return changed(
        engagement,
        event.action,
        status=ActionStatus.SUSPENDED if suspended else ActionStatus.PROPOSED,
        suspended_from=ActionStatus.PROPOSED if suspended else action.suspended_from,
        version=event.version,
        proposed=event.on,
        promised=action.aim.by if action.aim else None,
        reported=None,
        verifications={},
        **UNSIGNED,
    )


# --- agenda and tasks ------------------------------------------------------------------------------------------------


def agenda(engagement: Engagement) -> Iterator[Due]:
    """The day on which an action that was not accepted returns to agreement; a suspended one waits."""
    for action in actions_of(engagement):
        for side in Side if action.status is not ActionStatus.SUSPENDED else ():
            if due := ownership_due(engagement, action, side):
                yield Due(
                    at=end_of(due.on),
                    key=f"act:ownership:return/{action.id}/{side.value}/{action.version}",
                    what=f"Action {action.id} returns to agreement unless its new co-owner has accepted it",
                    why=due.why,
                    promised=True,
                    closes=("accept-ownership", action.id),
                )


def act(engagement: Engagement, what: str, asked: Asked) -> list[Event]:
    """Nobody's silence is taken for a yes."""
    return returned(engagement.running.agreement.actions[what.split("/")[1]], asked.today)


def tasks(engagement: Engagement) -> Iterator[Task]:
    """For each new co-owner whose side had agreed before."""
    for action in actions_of(engagement):
        for side in Side:
            if (due := ownership_due(engagement, action, side)) and (since := action.taken_over.get(side)):
                owner = action.owner(side)
                yield Task(
                    id=f"action/accept-{action.id}-v{action.version}-{since}/{owner}",
                    ladder="accept-ownership",
                    person=owner,
                    about=action.id,
                    command="AcceptOwnership",
                    title=f"Accept action {action.id} as its new co-owner, or send it back to agreement",
                    opened=since,
                    due=due,
                    side=side,
                )


PART = Part(
    name="ownership",
    decide={AcceptOwnership: accept_ownership, DeclineOwnership: decline_ownership},
    evolve={
        OwnerChanged: _owner_changed,
        SignatoryChanged: _signatory_changed,
        OwnershipAccepted: _accepted,
        ReturnedToAgreement: _returned,
    },
    agenda=agenda,
    act=act,
    tasks=tasks,
)
