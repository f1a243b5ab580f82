"""What a part leaves open when its holder goes, and how it passes to a successor: an action, a need, a pair, a seat.

``duties`` lists it, in one place and for one part; ``passed_on`` makes the events by which a successor takes it over.
What was done stays with whoever did it: only what is still to be done changes hands.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from programme import pairing
from programme.messages import APPROVERS, CHALLENGERS, PARTICIPANTS, Event, PersonId, Role, Side, Stage
from programme.post import NoticeRaised
from programme.stages.action import OVER, Action, ActionStatus, DevelopmentNeed, NeedStatus, actions_of
from programme.stages.exchange import PairsChanged, groups_of
from programme.stages.needs import NeedHandedOver
from programme.stages.ownership import OwnerChanged, SignatoryChanged, accepts_anew
from programme.stages.pair import Pair
from programme.stages.panels import PanelMemberAppointed, PanelMemberReleased
from programme.stages.review import Review, conflict
from programme.stages.verification import VerifierNamed

if TYPE_CHECKING:
    from datetime import date

    from programme.engagement import Engagement

SIDE_OF = {Role.DOCTOR: Side.DOCTOR, Role.MANAGER: Side.MANAGER}
SETTLED = OVER | {ActionStatus.SUSTAINED}


class DutyKind(StrEnum):
    """What somebody leaves open."""

    CO_OWNER = "co_owner"
    SIGNATORY = "signatory"
    VERIFIER = "verifier"
    NEED = "need"
    PAIR = "pair"
    SEAT = "seat"  # on the panel of a challenge review that has not met
    PART = "part"  # the part itself: there is one, or this is the last who holds it


class Duty(NamedTuple):
    """One thing that is left open: of which kind, and the id of what it is about."""

    kind: DutyKind
    about: str


def duties(engagement: Engagement, person: PersonId, role: Role) -> tuple[Duty, ...]:
    """What a person leaves open in one part."""
    if role in PARTICIPANTS:
        return tuple(_of_participant(engagement, person, SIDE_OF[role]))
    if role in CHALLENGERS:
        return tuple(Duty(DutyKind.SEAT, review.id) for review in _seats(engagement, person))
    if role is Role.AUDITOR:
        return ()
    others = [one for one in engagement.people.values() if one.id != person and role in one.intended()]
    asked = [one for one in others if role in one.succeeds]
    return () if len(others) > len(asked) else (Duty(DutyKind.PART, role.value),)


def _of_participant(engagement: Engagement, person: PersonId, side: Side) -> Iterator[Duty]:
    for action in actions_of(engagement):
        if action.owner(side) == person and action.status not in SETTLED:
            yield Duty(DutyKind.CO_OWNER, action.id)
        elif _signs(action, side, person):
            yield Duty(DutyKind.SIGNATORY, action.id)
        if _looks(action, side, person):
            yield Duty(DutyKind.VERIFIER, action.id)
    if engagement.cycle:
        yield from (
            Duty(DutyKind.NEED, need.id)
            for need in engagement.cycle.agreement.needs.values()
            if _concerns(need, person)
        )
        yield from (Duty(DutyKind.PAIR, pair.id) for pair in _pairs(engagement, person))


def _signs(action: Action, side: Side, person: PersonId) -> bool:
    """Whether a person was named to sign for a side that has not answered."""
    named = action.doctor_signatory if side is Side.DOCTOR else action.manager_signatory
    return named == person and action.status not in SETTLED and side not in action.agreements


def _looks(action: Action, side: Side, person: PersonId) -> bool:
    asked = action.verifiers.get(side) == person and side not in action.verifications
    return asked and action.status in {ActionStatus.ACTIVE, ActionStatus.REPORTED_COMPLETE}


def _concerns(need: DevelopmentNeed, person: PersonId) -> bool:
    if need.status is NeedStatus.OPEN:
        return need.suggested == person
    return need.owner == person and need.status in {NeedStatus.OWNED, NeedStatus.REPORTED_MET}


def _pairs(engagement: Engagement, person: PersonId) -> Iterator[Pair]:
    if engagement.cycle and engagement.in_stage(Stage.EXCHANGE):
        yield from (pair for pair in engagement.cycle.exchange.standing if pair.open and person in pair.members)


def _seats(engagement: Engagement, person: PersonId) -> Iterator[Review]:
    reviews = engagement.cycle.challenge.reviews.values() if engagement.cycle else ()
    return (review for review in reviews if person in review.panel and not review.held)


# --- who cannot succeed ----------------------------------------------------------------------------------------------


def excluded(engagement: Engagement, person: PersonId, role: Role, successor: PersonId) -> tuple[str, str] | None:
    """Two parts in one action or review that a successor would join and nobody may; None where there are none."""
    found = (_excluded_by(engagement, duty, person, role, successor) for duty in duties(engagement, person, role))
    return next((pair for pair in found if pair), None)


def _excluded_by(
    engagement: Engagement, duty: Duty, person: PersonId, role: Role, successor: PersonId
) -> tuple[str, str] | None:
    if duty.kind is DutyKind.CO_OWNER:
        action = engagement.running.agreement.actions[duty.about]
        if action.verifiers.get(SIDE_OF[role]) == successor or _verified(action, successor):
            return "the co-owner of an action", "its verifier"
        if action.marked and engagement.people[successor].roles() & APPROVERS:
            return "the co-owner of an action", "its medical approver"
    if duty.kind is DutyKind.VERIFIER and successor in engagement.running.agreement.actions[duty.about].owners:
        return "the co-owner of an action", "its verifier"
    if duty.kind is DutyKind.SEAT:
        review = engagement.running.challenge.reviews[duty.about]
        if successor in review.panel or conflict(engagement, _with_seat(review, person, successor), successor):
            return "a challenger of a review", "somebody with a seat or an interest in it"
    return None


def _verified(action: Action, person: PersonId) -> bool:
    return any(one.by == person for one in action.verifications.values())


def _with_seat(review: Review, person: PersonId, successor: PersonId) -> Review:
    return review.model_copy(update={"chair": successor}) if review.chair == person else review


# --- passing on ------------------------------------------------------------------------------------------------------


def passed_on(engagement: Engagement, person: PersonId, role: Role, successor: PersonId, on: date) -> list[Event]:
    """The events by which a successor takes over what a person leaves open in one part."""
    found = duties(engagement, person, role)
    events = [
        event
        for duty in found
        if duty.kind in {DutyKind.CO_OWNER, DutyKind.SIGNATORY, DutyKind.VERIFIER}
        for event in _action_passed(engagement, duty, person, role, successor, on)
    ]
    events += [
        NeedHandedOver(need=duty.about, was=person, now=successor, on=on)
        for duty in found
        if duty.kind is DutyKind.NEED
    ]
    pairs = [engagement.running.exchange.pairs[duty.about] for duty in found if duty.kind is DutyKind.PAIR]
    seats = [engagement.running.challenge.reviews[duty.about] for duty in found if duty.kind is DutyKind.SEAT]
    return [
        *events,
        *_pairs_passed(engagement, pairs, person, successor, on),
        *(event for review in seats for event in _seat_passed(review, person, successor, on)),
    ]


def _action_passed(
    engagement: Engagement, duty: Duty, person: PersonId, role: Role, successor: PersonId, on: date
) -> Iterator[Event]:
    action, side = engagement.running.agreement.actions[duty.about], SIDE_OF[role]
    if duty.kind is DutyKind.VERIFIER:
        yield VerifierNamed(action=action.id, side=side, person=successor)
        return
    if _signs(action, side, person):
        yield SignatoryChanged(action=action.id, side=side, was=person, now=successor)
    if duty.kind is DutyKind.CO_OWNER:
        accepts = accepts_anew(action, side)
        yield OwnerChanged(action=action.id, side=side, was=person, now=successor, accepts=accepts, on=on)
        title = f"Action {action.id} has another co-owner for the {side.value}s"
        others = tuple(owner for owner in action.owners if owner != person)
        if others:
            yield NoticeRaised(people=others, title=title, about=action.id)


def _pairs_passed(
    engagement: Engagement, pairs: list[Pair], person: PersonId, successor: PersonId, on: date
) -> list[Event]:
    """A new pair in place of each that the successor may join: places are exchanged between people, not parts.

    What cannot be formed so is for the facilitator to settle.
    """
    if not pairs:
        return []
    room = engagement.template.thresholds.pairs_each - _at_work(engagement, successor)
    possible = [pair for pair in pairs if _may_join(engagement, pair, person, successor)][: max(room, 0)]
    if not possible:
        return []
    members = [tuple(successor if one == person else one for one in pair.members) for pair in possible]
    partners = tuple(dict.fromkeys(one for pair in possible for one in pair.members if one != person))
    title = "Your partner for the perspective exchange has changed: you begin anew with a successor"
    return [
        PairsChanged(replaced=tuple(pair.id for pair in possible), pairs=groups_of(engagement, members), on=on),
        NoticeRaised(people=partners, title=title),
    ]


def _at_work(engagement: Engagement, person: PersonId) -> int:
    standing = engagement.running.exchange.standing
    return sum(1 for pair in standing if person in pair.members and (pair.open or pair.recognised))


def _may_join(engagement: Engagement, pair: Pair, person: PersonId, successor: PersonId) -> bool:
    lines = {one.id: one.line_manager for one in engagement.people.values()}
    others = [one for one in pair.members if one != person]
    together = combinations(sorted((*others, successor)), 2)
    return successor not in others and not any(pairing.in_one_line(one, other, lines) for one, other in together)


def _seat_passed(review: Review, person: PersonId, successor: PersonId, on: date) -> Iterator[Event]:
    """The seat of a doctor or manager by profession passes to such; the successor accepts it with a declaration."""
    seat = review.panel[person]
    yield PanelMemberReleased(review=review.id, person=person, reason="Handed over to a successor", on=on)
    yield PanelMemberAppointed(
        review=review.id, person=successor, background=seat.background, chair=review.chair == person, on=on
    )
