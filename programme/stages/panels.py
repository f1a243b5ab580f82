"""The panel of a challenge review: who is asked, who declares interests and accepts, who chairs.

Nobody judges what they own, approved, signed, sponsor or manage; conflicts are looked for at each of these acts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from programme.messages import CHALLENGERS, Command, Event, PersonId, Role, Sentence, Side, Task, Words
from programme.part import Asked, Decides, Evolves
from programme.refusals import AlreadyDone, ConflictOfInterest, Invalid, RoleTaken, Unknown, UnknownPerson
from programme.stages.review import Panellist, Review, ReviewId, complete
from programme.stages.review_plan import lead
from programme.stages.reviewing import (
    change_review,
    invited,
    panellist_of,
    refuse_conflict,
    review_of,
    said,
    task_of,
    unfound,
    uninvited,
)

if TYPE_CHECKING:
    from programme.engagement import Engagement


# --- commands --------------------------------------------------------------------------------------------------------


class AppointToPanel(Command):
    """Put a challenger on the panel of a review, as its chair or beside the chair."""

    who = frozenset({Role.PROGRAMME_MANAGER})
    refusals = (Unknown, UnknownPerson, AlreadyDone, RoleTaken, ConflictOfInterest)

    kind: Literal["AppointToPanel"] = "AppointToPanel"
    review: ReviewId
    person: PersonId
    background: Side
    chair: bool = False


class ReleaseFromPanel(Command):
    """Take a challenger off a panel, with a reason: somebody else is appointed."""

    who = frozenset({Role.PROGRAMME_MANAGER})
    refusals = (Unknown, AlreadyDone, Invalid)

    kind: Literal["ReleaseFromPanel"] = "ReleaseFromPanel"
    review: ReviewId
    person: PersonId
    reason: Sentence


class PassChair(Command):
    """Give the chair of a review to another challenger on its panel, with a reason."""

    who = frozenset({Role.PROGRAMME_MANAGER})
    refusals = (Unknown, AlreadyDone, ConflictOfInterest, Invalid)

    kind: Literal["PassChair"] = "PassChair"
    review: ReviewId
    person: PersonId
    reason: Sentence


class AcceptPanel(Command):
    """Sit on a panel, declaring one's interests (in confidence, to the programme manager and the sponsors).

    ``independent``: no employment by, no contract with the trust in the last 24 months; asked of external challengers.
    """

    who = CHALLENGERS
    refusals = (Unknown, AlreadyDone, ConflictOfInterest)

    kind: Literal["AcceptPanel"] = "AcceptPanel"
    review: ReviewId
    interests: Words = Words()
    independent: bool = False


class DeclinePanel(Command):
    """Not sit on a panel."""

    who = CHALLENGERS
    refusals = (Unknown, AlreadyDone)

    kind: Literal["DeclinePanel"] = "DeclinePanel"
    review: ReviewId


Commands = AppointToPanel | ReleaseFromPanel | PassChair | AcceptPanel | DeclinePanel


# --- events ----------------------------------------------------------------------------------------------------------


class PanelMemberAppointed(Event):
    """A challenger was asked to sit on a panel."""

    kind: Literal["PanelMemberAppointed"] = "PanelMemberAppointed"
    review: ReviewId
    person: PersonId
    background: Side
    chair: bool
    on: date


class PanelMemberReleased(Event):
    """A challenger is no longer on a panel."""

    kind: Literal["PanelMemberReleased"] = "PanelMemberReleased"
    review: ReviewId
    person: PersonId
    reason: str
    on: date


class ChairPassed(Event):
    """Another challenger chairs a review."""

    kind: Literal["ChairPassed"] = "ChairPassed"
    review: ReviewId
    person: PersonId
    reason: str
    on: date


class PanelAccepted(Event):
    """A challenger sits on a panel, interests declared."""

    kind: Literal["PanelAccepted"] = "PanelAccepted"
    review: ReviewId
    person: PersonId
    interests: Words = Words()
    independent: bool
    on: date


class PanelDeclined(Event):
    """A challenger does not sit on a panel."""

    kind: Literal["PanelDeclined"] = "PanelDeclined"
    review: ReviewId
    person: PersonId
    on: date


Events = PanelMemberAppointed | PanelMemberReleased | ChairPassed | PanelAccepted | PanelDeclined


# --- decide ----------------------------------------------------------------------------------------------------------


def appoint_to_panel(engagement: Engagement, command: AppointToPanel, asked: Asked) -> list[Event]:
    """Ask a challenger to sit on a panel; conflicts are found before anybody is asked."""
    review = unfound(engagement, command.review)
    if command.person not in engagement.people:
        raise UnknownPerson(command.person)
    if command.person in review.panel:
        raise AlreadyDone("this challenger is on the panel")
    if command.chair and review.chair:
        raise RoleTaken("chair of this review")
    as_asked = review.model_copy(update={"chair": command.person}) if command.chair else review
    refuse_conflict(engagement, as_asked, command.person)
    facts = command.model_dump(exclude={"kind"})
    return [PanelMemberAppointed(**facts, on=asked.today)]


def release_from_panel(engagement: Engagement, command: ReleaseFromPanel, asked: Asked) -> list[Event]:
    """Take a challenger off the panel; a calendar entry is taken back."""
    review = unfound(engagement, command.review)
    panellist_of(review, command.person)
    reason = said(command.reason, "The reason")
    released = PanelMemberReleased(review=review.id, person=command.person, reason=reason, on=asked.today)
    return [released, *uninvited(engagement, review, command.person)]


def pass_chair(engagement: Engagement, command: PassChair, asked: Asked) -> list[Event]:
    """Another challenger chairs; after the meeting only one who was there."""
    review = review_of(engagement, command.review)
    if review.answered:
        raise AlreadyDone("both sides have answered this review")
    panellist = panellist_of(review, command.person)
    if review.chair == command.person:
        raise AlreadyDone("this challenger chairs the review")
    if not panellist.accepted or (review.held and command.person not in review.attended):
        message = "Name a challenger who has accepted and, once the panel has met, was at the meeting."
        raise Invalid(message)
    refuse_conflict(engagement, review.model_copy(update={"chair": command.person}), command.person)
    reason = said(command.reason, "The reason")
    return [ChairPassed(review=review.id, person=command.person, reason=reason, on=asked.today)]


def accept_panel(engagement: Engagement, command: AcceptPanel, asked: Asked) -> list[Event]:
    """Sit on the panel, having declared one's interests; conflicts are looked for again."""
    review = unfound(engagement, command.review)
    panellist = panellist_of(review, asked.by)
    if panellist.accepted:
        raise AlreadyDone("you sit on the panel")
    answered = panellist.model_copy(update={"accepted": asked.today, "independent": command.independent})
    refuse_conflict(engagement, review.model_copy(update={"panel": {**review.panel, asked.by: answered}}), asked.by)
    accepted = PanelAccepted(
        review=review.id,
        person=asked.by,
        interests=command.interests,
        independent=command.independent,
        on=asked.today,
    )
    return [accepted, *(invited(engagement, review, review.meeting, (asked.by,)) if review.meeting else [])]


def decline_panel(engagement: Engagement, command: DeclinePanel, asked: Asked) -> list[Event]:
    """Not sit on the panel; the programme manager asks somebody else."""
    review = unfound(engagement, command.review)
    panellist_of(review, asked.by)
    return [
        PanelDeclined(review=review.id, person=asked.by, on=asked.today),
        *uninvited(engagement, review, asked.by),
    ]


# --- evolve ----------------------------------------------------------------------------------------------------------


def _appointed(engagement: Engagement, event: PanelMemberAppointed, at: datetime) -> Engagement:
    del at
    review = engagement.running.challenge.reviews[event.review]
    panellist = Panellist(person=event.person, background=event.background, appointed=event.on)
    seat = event.person if event.chair else review.chair
    return change_review(engagement, event.review, panel={**review.panel, event.person: panellist}, chair=seat)


def _left(engagement: Engagement, event: PanelMemberReleased | PanelDeclined, at: datetime) -> Engagement:
    del at
    review = engagement.running.challenge.reviews[event.review]
    panel = {person: one for person, one in review.panel.items() if person != event.person}
    seat = "" if review.chair == event.person else review.chair
    return change_review(engagement, event.review, panel=panel, chair=seat)


def _chair_passed(engagement: Engagement, event: ChairPassed, at: datetime) -> Engagement:
    del at
    return change_review(engagement, event.review, chair=event.person)


def _accepted(engagement: Engagement, event: PanelAccepted, at: datetime) -> Engagement:
    del at
    review = engagement.running.challenge.reviews[event.review]
    changes = {"accepted": event.on, "independent": event.independent}
    panellist = review.panel[event.person].model_copy(update=changes)
    return change_review(engagement, event.review, panel={**review.panel, event.person: panellist})


# --- tasks -----------------------------------------------------------------------------------------------------------


def tasks(engagement: Engagement, review: Review) -> Iterator[Task]:
    """A panel to complete, and seats to accept."""
    time_, durations = engagement.time, engagement.template.durations
    if not complete(engagement, review):
        days = lead(engagement, review.kind) - durations.panel_to_sponsors
        due = time_.due(review.opened, days, "the panel was asked for")
        for manager in engagement.holders(Role.PROGRAMME_MANAGER):
            yield task_of(
                engagement,
                f"panel-{review.id}",
                manager,
                ladder="appoint-challengers",
                about=review.id,
                command="AppointToPanel",
                title=f"Appoint the panel of the {review.kind.value} review",
                opened=review.opened,
                due=due,
            )
    for one in review.panel.values():
        if not one.accepted:
            yield task_of(
                engagement,
                f"seat-{review.id}-{one.appointed}",
                one.person,
                ladder="appointment",
                about=review.id,
                command="AcceptPanel",
                title=f"Accept or decline a seat on the panel of the {review.kind.value} review",
                opened=one.appointed,
                due=time_.due(one.appointed, durations.panel_acceptance, "the seat was offered to you"),
            )


DECIDE: Decides = {
    AppointToPanel: appoint_to_panel,
    ReleaseFromPanel: release_from_panel,
    PassChair: pass_chair,
    AcceptPanel: accept_panel,
    DeclinePanel: decline_panel,
}
EVOLVE: Evolves = {
    PanelMemberAppointed: _appointed,
    PanelMemberReleased: _left,
    ChairPassed: _chair_passed,
    PanelAccepted: _accepted,
    PanelDeclined: _left,
}
