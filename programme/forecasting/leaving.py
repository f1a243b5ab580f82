"""What people do when somebody goes: name a successor, take over, stand by what was agreed."""

from __future__ import annotations

from collections.abc import Iterator

from programme.departure import Departure, Handover, open_departures, wanted
from programme.duties import excluded
from programme.forecasting.beginning import WORDS
from programme.forecasting.moment import STAND_IN, Deeds, Moment
from programme.handover import AcceptHandover, NameSuccessor
from programme.messages import APPROVERS, CHALLENGERS, PARTICIPANTS, PersonId, Role
from programme.people import Enrolment, EnrolPeople
from programme.stages.ownership import AcceptOwnership


def name_successor(moment: Moment) -> Deeds:
    """Somebody who has the same part, where it takes one; else somebody who is still to be found."""
    deeds: Deeds = []
    for departure, handover in _of(moment):
        if handover.successor and not handover.sponsor:
            continue
        found = next(_candidates(moment, departure, handover), None)
        if found is None:
            if handover.role in PARTICIPANTS | CHALLENGERS:
                continue
            found = f"{STAND_IN}-{handover.role.value}-{departure.number}"
            new = Enrolment(person=found, gmc_registered=handover.role in APPROVERS)
            enrols = moment.engagement.holder(Role.PROGRAMME_MANAGER) or moment.task.person
            deeds += [(EnrolPeople(people=(new,)), enrols)] if found not in moment.engagement.people else []
        asked = NameSuccessor(
            person=departure.person, role=handover.role, successor=found, gmc_registered=handover.role in APPROVERS
        )
        deeds.append((asked, moment.task.person))
    return deeds


def _of(moment: Moment) -> Iterator[tuple[Departure, Handover]]:
    if departure := moment.engagement.handovers.departures.get(moment.task.about):
        for handover in wanted(moment.engagement, departure):
            yield departure, handover


def _candidates(moment: Moment, departure: Departure, handover: Handover) -> Iterator[PersonId]:
    """Whoever has the part already, stays, and is excluded from none of what is open."""
    engagement, role = moment.engagement, handover.role
    going = {one.person for one in open_departures(engagement)}
    for person in engagement.holders(role):
        if person not in going | {handover.successor} and not excluded(engagement, departure.person, role, person):
            yield person


def accept_handover(moment: Moment) -> Deeds:
    """Take over every part of that person for which one was asked."""
    who = moment.task.person
    return [
        (AcceptHandover(person=departure.person, role=handover.role, interests=WORDS), who)
        for departure, handover in _of(moment)
        if handover.successor == who
    ]


def accept_ownership(moment: Moment) -> Deeds:
    """Accept the action as it was agreed."""
    return [(AcceptOwnership(action=moment.task.about), moment.task.person)]
