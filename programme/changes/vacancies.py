"""An appointment that ends, early or late, so that the part can be given to somebody else.

Participants and sponsors are not appointed: they leave by a hand-over. What the part was asked to do waits for the next
holder, as the programme says of each part; nothing that was done in it is undone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from programme.changes.record import with_changes
from programme.measures import refuse_blank
from programme.messages import (
    CHALLENGERS,
    PARTICIPANTS,
    SPONSORS,
    Command,
    Event,
    PersonId,
    Role,
    Sentence,
)
from programme.part import Asked, Part
from programme.people import HELD_BY_ONE, Person, wording
from programme.post import NoticeRaised
from programme.refusals import Invalid, NotHeld, NotYet, UnknownPerson
from programme.stages.panels import PanelMemberReleased
from programme.stages.reviewing import uninvited

if TYPE_CHECKING:
    from programme.engagement import Engagement


class EndAppointment(Command):
    """End an appointment, held or only offered, with a reason. Then somebody else can be appointed."""

    who = frozenset({Role.PROGRAMME_MANAGER})
    refusals = (UnknownPerson, NotHeld, NotYet, Invalid)

    kind: Literal["EndAppointment"] = "EndAppointment"
    person: PersonId
    role: Role
    reason: Sentence


Commands = EndAppointment


class AppointmentEnded(Event):
    """Somebody no longer holds a part, and is no longer asked to."""

    kind: Literal["AppointmentEnded"] = "AppointmentEnded"
    person: PersonId
    role: Role
    reason: str
    on: date


Events = AppointmentEnded


# --- decide ----------------------------------------------------------------------------------------------------------


def end_appointment(engagement: Engagement, command: EndAppointment, asked: Asked) -> list[Event]:
    """End it; the person, and for a part of which there is one both sponsors together, are told."""
    person, role = engagement.people.get(command.person), command.role
    if person is None:
        raise UnknownPerson(command.person)
    if role in PARTICIPANTS | SPONSORS:
        raise Invalid("Participants and sponsors are not appointed. Record their last day; a successor takes over.")
    if all(one.role is not role for one in person.appointments):
        raise NotHeld(wording(role))
    if engagement.holders(role) == (person.id,) and role is Role.PROGRAMME_MANAGER:
        raise Invalid("Somebody must manage the programme. Appoint another programme manager first.")
    refuse_blank(command.reason, "The reason")
    _refuse_a_chair_in_the_middle(engagement, person, role)
    ended = AppointmentEnded(person=person.id, role=role, reason=command.reason, on=asked.today)
    return [ended, *_news(engagement, person, role), *_off_panels(engagement, person, role, asked.today)]


def _refuse_a_chair_in_the_middle(engagement: Engagement, person: Person, role: Role) -> None:
    if role not in CHALLENGERS or engagement.cycle is None:
        return
    for review in engagement.cycle.challenge.reviews.values():
        if review.chair == person.id and review.held and not review.answered:
            raise NotYet("this challenger chairs a review that has met; pass the chair first")


def _news(engagement: Engagement, person: Person, role: Role) -> Iterator[Event]:
    title = f"You no longer hold the part of {wording(role)} in this programme"
    yield NoticeRaised(people=(person.id,), title=title, about=role.value)
    if role in HELD_BY_ONE:
        title = f"The part of {wording(role)} is open, and will be given to somebody else"
        yield NoticeRaised(people=engagement.sponsors, title=title, about=role.value, together=True)


def _off_panels(engagement: Engagement, person: Person, role: Role, on: date) -> Iterator[Event]:
    """Whoever is no challenger any more leaves the panels that have not met; another is appointed."""
    others = {one.role for one in person.appointments if one.role is not role}
    if role not in CHALLENGERS or others & CHALLENGERS or engagement.cycle is None:
        return
    for review in engagement.cycle.challenge.reviews.values():
        if person.id in review.panel and not review.held:
            yield PanelMemberReleased(review=review.id, person=person.id, reason="The appointment has ended", on=on)
            yield from uninvited(engagement, review, person.id)


# --- evolve ----------------------------------------------------------------------------------------------------------


def _ended(engagement: Engagement, event: AppointmentEnded, at: datetime) -> Engagement:
    del at
    person = engagement.people[event.person]
    kept = tuple(one for one in person.appointments if one.role is not event.role)
    people = {**engagement.people, person.id: person.but(appointments=kept)}
    return with_changes(engagement.but(people=people), vacant={**engagement.changes.vacant, event.role: event.on})


PART = Part(name="vacancies", decide={EndAppointment: end_appointment}, evolve={AppointmentEnded: _ended})
