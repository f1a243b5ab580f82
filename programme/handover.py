"""Handing over: somebody goes, a successor of the same side takes over what is open, and the past stays as it was.

The programme manager records the last day; whoever goes may leave a note. A successor is named for each part that
leaves something open and has 10 working days to take it over; then it is the turn of the sponsor of that side. At the
end of the last day the person's parts end, or rest until they are back.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Literal

from programme.departure import (
    Departure,
    Handover,
    Hold,
    every_wanted,
    handover_due,
    hold_ends,
    leaving_in_words,
    open_departures,
    own_sponsors,
    wanted,
)
from programme.duties import excluded, passed_on
from programme.holds import ended, running
from programme.messages import (
    APPROVERS,
    CHALLENGERS,
    PARTICIPANTS,
    SPONSORS,
    Command,
    Due,
    Event,
    PersonId,
    Role,
    Task,
    Words,
)
from programme.part import Asked, Part
from programme.people import SIDE_SPONSOR, Appointment, Person, refuse_clash, wording
from programme.post import NoticeRaised, silenced
from programme.refusals import (
    AlreadyDone,
    ForbiddenCombination,
    Invalid,
    NoDeparture,
    NoHandover,
    NotASuccessor,
    NotHeldByYou,
    NotRegistered,
    UnknownPerson,
)
from programme.stages.delivery import with_delivery
from programme.stages.mandate import AffirmationAsked
from programme.working_time import at_local, end_of

if TYPE_CHECKING:
    from programme.engagement import Engagement


# --- commands --------------------------------------------------------------------------------------------------------


class RecordDeparture(Command):
    """Record somebody's last day, and when they are back if they are. Said again, it corrects what was said."""

    who = frozenset({Role.PROGRAMME_MANAGER})
    refusals = (UnknownPerson, AlreadyDone, Invalid)

    kind: Literal["RecordDeparture"] = "RecordDeparture"
    person: PersonId
    last_day: date
    returns: date | None = None


class WithdrawDeparture(Command):
    """Somebody does not go after all. What was handed over already stays with the successor."""

    who = frozenset({Role.PROGRAMME_MANAGER})
    refusals = (NoDeparture, AlreadyDone)

    kind: Literal["WithdrawDeparture"] = "WithdrawDeparture"
    person: PersonId


class WriteHandoverNote(Command):
    """Leave a note for your successor and the programme manager, in confidence; written again, another one."""

    who = frozenset(Role)
    refusals = (NoDeparture, Invalid)

    kind: Literal["WriteHandoverNote"] = "WriteHandoverNote"
    note: Words


class NameSuccessor(Command):
    """Ask somebody to take over a part of a person who goes. A sponsor does so for the own side."""

    who = frozenset({Role.PROGRAMME_MANAGER}) | SPONSORS
    refusals = (NoDeparture, NoHandover, UnknownPerson, NotHeldByYou, NotASuccessor, NotRegistered, AlreadyDone)

    kind: Literal["NameSuccessor"] = "NameSuccessor"
    person: PersonId
    role: Role
    successor: PersonId
    gmc_registered: bool = False


class AcceptHandover(Command):
    """Take over a part of somebody who goes, with your interests declared where the part asks for that."""

    who = frozenset(Role)
    whoever = True
    refusals = (NoHandover, NotASuccessor)

    kind: Literal["AcceptHandover"] = "AcceptHandover"
    person: PersonId
    role: Role
    interests: Words = Words()


class DeclineHandover(Command):
    """Not take over a part; somebody else is named."""

    who = frozenset(Role)
    whoever = True
    refusals = (NoHandover,)

    kind: Literal["DeclineHandover"] = "DeclineHandover"
    person: PersonId
    role: Role


Commands = RecordDeparture | WithdrawDeparture | WriteHandoverNote | NameSuccessor | AcceptHandover | DeclineHandover


# --- events ----------------------------------------------------------------------------------------------------------


class DepartureRecorded(Event):
    """Somebody goes, for good or until ``returns``. ``parts``: what the person held then."""

    kind: Literal["DepartureRecorded"] = "DepartureRecorded"
    person: PersonId
    last_day: date
    returns: date | None = None
    parts: tuple[Role, ...]
    on: date


class DepartureWithdrawn(Event):
    """Somebody stays after all."""

    kind: Literal["DepartureWithdrawn"] = "DepartureWithdrawn"
    person: PersonId


class HandoverNoted(Event):
    """Whoever goes left a note for the successor."""

    kind: Literal["HandoverNoted"] = "HandoverNoted"
    person: PersonId
    note: Words


class SuccessorNamed(Event):
    """Somebody was asked to take over a part."""

    kind: Literal["SuccessorNamed"] = "SuccessorNamed"
    person: PersonId
    role: Role
    successor: PersonId
    gmc_registered: bool = False
    on: date


class HandoverAccepted(Event):
    """A successor has taken over a part. The agreements of the earlier holder stay valid."""

    kind: Literal["HandoverAccepted"] = "HandoverAccepted"
    person: PersonId
    role: Role
    successor: PersonId
    interests: Words = Words()
    on: date


class HandoverDeclined(Event):
    """Whoever was asked does not take the part over."""

    kind: Literal["HandoverDeclined"] = "HandoverDeclined"
    person: PersonId
    role: Role
    successor: PersonId
    on: date


class HandoverUnanswered(Event):
    """Nobody has taken the part over in time: it is the turn of the sponsor of that side to name somebody."""

    kind: Literal["HandoverUnanswered"] = "HandoverUnanswered"
    person: PersonId
    role: Role
    on: date


class PersonLeft(Event):
    """The last day is over: the person's parts end, or rest until ``returns``."""

    kind: Literal["PersonLeft"] = "PersonLeft"
    person: PersonId
    returns: date | None = None
    on: date


class PersonReturned(Event):
    """Somebody is back; the parts that nobody has taken over are theirs again."""

    kind: Literal["PersonReturned"] = "PersonReturned"
    person: PersonId
    on: date


class ClocksReleased(Event):
    """The clocks of what somebody left open run again, from ``until`` on. ``tasks``: which, without the person."""

    kind: Literal["ClocksReleased"] = "ClocksReleased"
    person: PersonId
    role: Role
    first: date
    until: date
    tasks: tuple[str, ...]
    successor: PersonId = ""


Events = (
    DepartureRecorded
    | DepartureWithdrawn
    | HandoverNoted
    | SuccessorNamed
    | HandoverAccepted
    | HandoverDeclined
    | HandoverUnanswered
    | PersonLeft
    | PersonReturned
    | ClocksReleased
)


# --- decide: who goes ------------------------------------------------------------------------------------------------


def departure_of(engagement: Engagement, person: PersonId) -> Departure:
    """The departure of somebody who goes or has gone.

    Raises:
        NoDeparture: none is recorded.
    """
    found = engagement.handovers.departures.get(person)
    if found is None or found.over is not None:
        raise NoDeparture(person)
    return found


def record_departure(engagement: Engagement, command: RecordDeparture, asked: Asked) -> list[Event]:
    """Record a last day. Of somebody who has gone for a time, only the day of the return can still be said anew."""
    person = engagement.people.get(command.person)
    if person is None:
        raise UnknownPerson(command.person)
    if engagement.registered and command.last_day < engagement.registered:
        raise Invalid("The last day lies before the engagement began. Name a later one.")
    if command.returns is not None and command.returns <= max(command.last_day, asked.today):
        raise Invalid("Name a later day of return, or none if the person does not come back.")
    if person.gone and (person.returns is None or command.last_day != _last_day(engagement, command.person)):
        raise AlreadyDone("the last day has passed; only a day of return can still be changed")
    parts = _parts(engagement, person)
    facts = command.model_dump(exclude={"kind"})
    return [DepartureRecorded(**facts, parts=parts, on=asked.today)]


def _last_day(engagement: Engagement, person: PersonId) -> date | None:
    found = engagement.handovers.departures.get(person)
    return found.last_day if found else None


def _parts(engagement: Engagement, person: Person) -> tuple[Role, ...]:
    known = engagement.handovers.departures.get(person.id)
    if person.gone and known:
        return tuple(known.handovers)
    return tuple(sorted(person.roles()))


def withdraw_departure(engagement: Engagement, command: WithdrawDeparture, asked: Asked) -> list[Event]:
    """Forget a departure that has not come to pass."""
    del asked
    if departure_of(engagement, command.person).left:
        raise AlreadyDone("the last day has passed; record a day of return instead")
    return [DepartureWithdrawn(person=command.person)]


def write_handover_note(engagement: Engagement, command: WriteHandoverNote, asked: Asked) -> list[Event]:
    """Keep a note, for the successor and the programme manager."""
    departure_of(engagement, asked.by)
    if not command.note.deposit:
        raise Invalid("Write what your successor should know.")
    return [HandoverNoted(person=asked.by, note=command.note)]


# --- decide: who takes over ------------------------------------------------------------------------------------------


def _handover(engagement: Engagement, person: PersonId, role: Role) -> tuple[Departure, Handover]:
    departure = departure_of(engagement, person)
    handover = next((one for one in wanted(engagement, departure) if one.role is role), None)
    if handover is None:
        raise NoHandover(wording(role))
    return departure, handover


def name_successor(engagement: Engagement, command: NameSuccessor, asked: Asked) -> list[Event]:
    """Ask somebody who may hold the part, and in none of its duties is excluded."""
    _, handover = _handover(engagement, command.person, command.role)
    _refuse_other_sponsor(engagement, command.role, asked)
    if handover.successor == command.successor:
        raise AlreadyDone("this person has been asked to take the part over")
    successor = engagement.people.get(command.successor)
    if successor is None:
        raise UnknownPerson(command.successor)
    gmc = command.gmc_registered or successor.gmc_registered
    if command.role in APPROVERS and not gmc:
        raise NotRegistered
    _refuse_successor(engagement, command.person, command.role, successor)
    facts = command.model_dump(exclude={"kind", "gmc_registered"})
    return [SuccessorNamed(**facts, gmc_registered=gmc, on=asked.today)]


def _refuse_other_sponsor(engagement: Engagement, role: Role, asked: Asked) -> None:
    """Let a sponsor name somebody for the own side only, or for a part of neither."""
    held = engagement.people[asked.by].roles()
    if Role.PROGRAMME_MANAGER not in held and asked.by not in own_sponsors(engagement, role):
        raise NotHeldByYou("Naming a successor on the other side")


def _refuse_successor(engagement: Engagement, person: PersonId, role: Role, successor: Person) -> None:
    """Refuse a successor who may not hold the part, or who would join two parts of one action or review.

    Raises:
        NotASuccessor: of the other side, not taking part, or going as well.
        ForbiddenCombination: names the two parts.
    """
    if successor.id == person or successor.id in {one.person for one in open_departures(engagement)}:
        raise NotASuccessor("who stays")
    if role in PARTICIPANTS and role not in successor.roles():
        raise NotASuccessor(f"who takes part as a {role.value}; enrol the person first")
    if role in CHALLENGERS and role not in successor.roles():
        raise NotASuccessor("who is a challenger already; appoint the person first")
    if role in SPONSORS and successor.side and SIDE_SPONSOR[successor.side] is not role:
        raise NotASuccessor("of the same side")
    if role not in PARTICIPANTS:
        refuse_clash((successor.intended() - {role}) | {role})
    if pair := excluded(engagement, person, role, successor.id):
        raise ForbiddenCombination(*pair)


def accept_handover(engagement: Engagement, command: AcceptHandover, asked: Asked) -> list[Event]:
    """Take over what is open. Clocks that stood still run again, and what was due lies later by what was lost."""
    departure, handover = _offered(engagement, command, asked)
    _refuse_successor(engagement, command.person, command.role, engagement.people[asked.by])
    hold = ended(engagement, departure, handover.role, asked.today, asked.by)
    accepted = HandoverAccepted(
        person=command.person, role=command.role, successor=asked.by, interests=command.interests, on=asked.today
    )
    return [
        *passed_on(engagement, command.person, command.role, asked.by, asked.today),
        *([_released(hold)] if hold else []),
        accepted,
        *_affirms(engagement, command, asked),
    ]


def _offered(
    engagement: Engagement, command: AcceptHandover | DeclineHandover, asked: Asked
) -> tuple[Departure, Handover]:
    found = engagement.handovers.departures.get(command.person)
    handover = next((one for one in wanted(engagement, found) if one.role is command.role), None) if found else None
    if found is None or handover is None or handover.successor != asked.by:
        raise NoHandover(wording(command.role))
    return found, handover


def _released(hold: Hold) -> ClocksReleased:
    return ClocksReleased(**hold.model_dump())


def _affirms(engagement: Engagement, command: AcceptHandover, asked: Asked) -> list[Event]:
    """A new sponsor says whether they are willing: until then no gate passes, and delivery goes on."""
    if command.role not in SPONSORS or engagement.mandate.ask_again:  # both are asked anew then
        return []
    title = f"There is another {wording(command.role)}. No gate passes until the new one has said to be willing"
    others = tuple(one for one in engagement.sponsors if one != command.person)
    again = engagement.cycle is not None and bool(engagement.cycle.delivery.sponsors_changed)
    told = (*others, *engagement.holders(Role.PROGRAMME_MANAGER), *engagement.holders(Role.FACILITATOR))
    return [
        AffirmationAsked(sponsor=asked.by, was=command.person, on=asked.today),
        *([NoticeRaised(people=told, title=title, about="willingness")] if told else []),
        *([NoticeRaised(people=(*others, asked.by), title=AGAIN, about="drift", together=True)] if again else []),
    ]


AGAIN = "Sponsors have changed again in this cycle. The next review reads it as a sign of drift"


def decline_handover(engagement: Engagement, command: DeclineHandover, asked: Asked) -> list[Event]:
    """Leave it to somebody else."""
    _offered(engagement, command, asked)
    return [HandoverDeclined(person=command.person, role=command.role, successor=asked.by, on=asked.today)]


# --- evolve: who goes ------------------------------------------------------------------------------------------------


def _recorded(engagement: Engagement, event: DepartureRecorded, at: datetime) -> Engagement:
    del at
    handovers = engagement.handovers
    known = handovers.departures.get(event.person)
    if known is None or known.over is not None:
        counted = handovers.counted + 1
        known = Departure(person=event.person, number=counted, recorded=event.on, last_day=event.last_day)
        engagement = engagement.but(handovers=handovers.model_copy(update={"counted": counted}))
    parts = {role: known.handovers.get(role, Handover(role=role, opened=event.on)) for role in event.parts}
    changed = known.model_copy(update={"last_day": event.last_day, "returns": event.returns, "handovers": parts})
    if changed.left:
        engagement = _with_person(engagement, event.person, returns=event.returns)
    return _keep(engagement, changed)


def _withdrawn(engagement: Engagement, event: DepartureWithdrawn, at: datetime) -> Engagement:
    del at
    departure = engagement.handovers.departures[event.person]
    for handover in departure.handovers.values():
        engagement = _without_offer(engagement, handover)
    departures = {person: one for person, one in engagement.handovers.departures.items() if person != event.person}
    return engagement.but(handovers=engagement.handovers.model_copy(update={"departures": departures}))


def _noted(engagement: Engagement, event: HandoverNoted, at: datetime) -> Engagement:
    del at
    return _keep(engagement, engagement.handovers.departures[event.person].model_copy(update={"note": event.note}))


def _left(engagement: Engagement, event: PersonLeft, at: datetime) -> Engagement:
    del at
    departure = engagement.handovers.departures[event.person]
    held = engagement.people[event.person].roles()
    added = {role: Handover(role=role, opened=event.on) for role in sorted(held) if role not in departure.handovers}
    left = departure.model_copy(update={"left": event.on, "handovers": {**departure.handovers, **added}})
    gone = _with_person(silenced(engagement, event.person), event.person, left=event.on, returns=event.returns)
    return _keep(gone, left)


def _returned(engagement: Engagement, event: PersonReturned, at: datetime) -> Engagement:
    del at
    departure = engagement.handovers.departures[event.person]
    for handover in departure.handovers.values():
        engagement = _without_offer(engagement, handover)
    back = departure.model_copy(update={"over": event.on})
    return _keep(_with_person(engagement, event.person, left=None, returns=None), back)


# --- evolve: who takes over ------------------------------------------------------------------------------------------


def _named(engagement: Engagement, event: SuccessorNamed, at: datetime) -> Engagement:
    del at
    handover = engagement.handovers.departures[event.person].handovers[event.role]
    engagement = _without_offer(engagement, handover)
    offered = (*engagement.people[event.successor].succeeds, event.role)
    engagement = _with_person(engagement, event.successor, succeeds=offered)
    return _turn(
        engagement,
        event.person,
        event.role,
        successor=event.successor,
        gmc_registered=event.gmc_registered,
        opened=event.on,
        sponsor=False,
    )


def _accepted(engagement: Engagement, event: HandoverAccepted, at: datetime) -> Engagement:
    del at
    handover = engagement.handovers.departures[event.person].handovers[event.role]
    engagement = _change(_without_offer(engagement, handover), event.person, event.role, accepted=event.on)
    holds = tuple(
        one.model_copy(update={"successor": event.successor})
        if (one.person, one.role) == (event.person, event.role)
        else one
        for one in engagement.handovers.holds
    )
    engagement = engagement.but(handovers=engagement.handovers.model_copy(update={"holds": holds}))
    if event.role in PARTICIPANTS:
        return engagement
    return _part_passed(engagement, event, gmc_registered=handover.gmc_registered)


def _part_passed(engagement: Engagement, event: HandoverAccepted, *, gmc_registered: bool) -> Engagement:
    """The successor holds the part, and whoever goes does not; what a sponsor signed for the side stays signed."""
    if event.role in SPONSORS and engagement.cycle:
        changed = (*engagement.cycle.delivery.sponsors_changed, event.on)
        engagement = with_delivery(engagement, sponsors_changed=changed)
        assert engagement.cycle  # noqa: S101 - it was there a line ago
        agreement = engagement.cycle.agreement
        succeeded = {**agreement.compact.succeeded, event.successor: event.person}
        compact = agreement.compact.model_copy(update={"succeeded": succeeded})
        engagement = engagement.in_cycle(agreement=agreement.model_copy(update={"compact": compact}))
    earlier, successor = engagement.people[event.person], engagement.people[event.successor]
    kept = tuple(one for one in earlier.appointments if one.role is not event.role)
    engagement = _with_person(engagement, event.person, appointments=kept)
    if event.role in successor.roles():
        return engagement
    offered = tuple(one for one in successor.appointments if one.role is not event.role)
    appointment = Appointment(role=event.role, since=event.on, accepted=event.on)
    registered = gmc_registered or successor.gmc_registered
    return _with_person(engagement, event.successor, appointments=(*offered, appointment), gmc_registered=registered)


def _declined(engagement: Engagement, event: HandoverDeclined, at: datetime) -> Engagement:
    del at
    handover = engagement.handovers.departures[event.person].handovers[event.role]
    return _turn(
        _without_offer(engagement, handover), event.person, event.role, successor="", opened=event.on, sponsor=False
    )


def _unanswered(engagement: Engagement, event: HandoverUnanswered, at: datetime) -> Engagement:
    del at
    return _turn(engagement, event.person, event.role, opened=event.on, sponsor=True)


def _clocks_released(engagement: Engagement, event: ClocksReleased, at: datetime) -> Engagement:
    del at
    hold = Hold(**event.model_dump(exclude={"kind"}))
    handovers = engagement.handovers.model_copy(update={"holds": (*engagement.handovers.holds, hold)})
    return _change(engagement.but(handovers=handovers), event.person, event.role, released=event.until)


def _turn(engagement: Engagement, person: PersonId, role: Role, **changes: object) -> Engagement:
    turn = engagement.handovers.departures[person].handovers[role].turn + 1
    return _change(engagement, person, role, turn=turn, **changes)


def _change(engagement: Engagement, person: PersonId, role: Role, **changes: object) -> Engagement:
    departure = engagement.handovers.departures[person]
    handover = departure.handovers[role].model_copy(update=changes)
    return _keep(engagement, departure.model_copy(update={"handovers": {**departure.handovers, role: handover}}))


def _keep(engagement: Engagement, departure: Departure) -> Engagement:
    departures = {**engagement.handovers.departures, departure.person: departure}
    return engagement.but(handovers=engagement.handovers.model_copy(update={"departures": departures}))


def _with_person(engagement: Engagement, person: PersonId, **changes: object) -> Engagement:
    return engagement.but(people={**engagement.people, person: engagement.people[person].but(**changes)})


def _without_offer(engagement: Engagement, handover: Handover) -> Engagement:
    """Nobody is asked to take the part over any more."""
    if not handover.successor:
        return engagement
    offered = list(engagement.people[handover.successor].succeeds)
    if handover.role in offered:
        offered.remove(handover.role)
    return _with_person(engagement, handover.successor, succeeds=tuple(offered))


# --- agenda ----------------------------------------------------------------------------------------------------------


def agenda(engagement: Engagement) -> Iterator[Due]:
    """Last days and returns; the days on which it is the sponsors' turn, and on which held clocks run again."""
    for departure in open_departures(engagement):
        if departure.left is None:
            why, at = f"The {leaving_in_words(departure)}", end_of(departure.last_day)
            yield Due(at=at, key=f"act:handover:leave/{departure.person}", what="Somebody's parts end", why=why)
        elif departure.returns:
            why, at = f"The {leaving_in_words(departure)}", at_local(departure.returns, time(0))
            yield Due(at=at, key=f"act:handover:return/{departure.person}", what="Somebody is back", why=why)
    for departure, handover in every_wanted(engagement):
        if not handover.sponsor:
            due = handover_due(engagement, handover)
            what = f"A sponsor is asked who takes over the part of {wording(handover.role)}"
            key = f"act:handover:unanswered/{departure.person}/{handover.role.value}/{handover.turn}"
            closes = ("handover", departure.person)
            yield Due(at=end_of(due.on), key=key, what=what, why=due.why, promised=True, closes=closes)
    for departure, handover in running(engagement):
        key = f"act:handover:release/{departure.person}/{handover.role.value}"
        what = f"The clocks of what the {wording(handover.role)} left open run again"
        why = f"At most {engagement.template.durations.handover} working days after the last day"
        yield Due(at=at_local(hold_ends(engagement, departure), time(0)), key=key, what=what, why=why)


def act(engagement: Engagement, what: str, asked: Asked) -> list[Event]:
    """End somebody's parts, or let them be theirs again; go on without a successor."""
    deed, person, *rest = what.split("/")
    departure = engagement.handovers.departures[person]
    match deed:
        case "leave":
            return [PersonLeft(person=person, returns=departure.returns, on=asked.today)]
        case "return":
            return [*_released_all(engagement, departure, asked), PersonReturned(person=person, on=asked.today)]
        case "unanswered":
            return [HandoverUnanswered(person=person, role=Role(rest[0]), on=asked.today)]
        case _:
            hold = ended(engagement, departure, Role(rest[0]), hold_ends(engagement, departure))
            return [_released(hold)] if hold else []


def _released_all(engagement: Engagement, departure: Departure, asked: Asked) -> list[Event]:
    """The clocks that still stand when somebody is back."""
    held = [handover.role for one, handover in running(engagement) if one.person == departure.person]
    holds = (ended(engagement, departure, role, asked.today) for role in held)
    return [_released(hold) for hold in holds if hold]


# --- tasks -----------------------------------------------------------------------------------------------------------


def tasks(engagement: Engagement) -> Iterator[Task]:
    """To name a successor, and for the successor to take over."""
    for departure, handover in every_wanted(engagement):
        about = f"{departure.number}-{handover.role.value}-{handover.turn}"
        if handover.successor and not engagement.people[handover.successor].gone:
            yield Task(
                id=f"handover/accept-{about}/{handover.successor}",
                ladder="handover",
                person=handover.successor,
                about=departure.person,
                command="AcceptHandover",
                title=f"Say whether you take over the part of {wording(handover.role)}",
                opened=handover.opened,
                due=handover_due(engagement, handover),
            )
        if handover.sponsor or not handover.successor:
            yield from _to_name(engagement, departure, handover, about)


def _to_name(engagement: Engagement, departure: Departure, handover: Handover, about: str) -> Iterator[Task]:
    """For the programme manager first; then for the sponsor of that side, whose own lateness names no side."""
    sponsors = own_sponsors(engagement, handover.role)
    managers = engagement.holders(Role.PROGRAMME_MANAGER)
    for person in sponsors if handover.sponsor else managers or sponsors:
        yield Task(
            id=f"handover/name-{about}/{person}",
            ladder="name-successor",
            person=person,
            about=departure.person,
            command="NameSuccessor",
            title=f"Name a successor for the part of {wording(handover.role)}",
            opened=handover.opened,
            due=handover_due(engagement, handover),
        )


PART = Part(
    name="handover",
    decide={
        RecordDeparture: record_departure,
        WithdrawDeparture: withdraw_departure,
        WriteHandoverNote: write_handover_note,
        NameSuccessor: name_successor,
        AcceptHandover: accept_handover,
        DeclineHandover: decline_handover,
    },
    evolve={
        DepartureRecorded: _recorded,
        DepartureWithdrawn: _withdrawn,
        HandoverNoted: _noted,
        SuccessorNamed: _named,
        HandoverAccepted: _accepted,
        HandoverDeclined: _declined,
        HandoverUnanswered: _unanswered,
        PersonLeft: _left,
        PersonReturned: _returned,
        ClocksReleased: _clocks_released,
    },
    agenda=agenda,
    act=act,
    tasks=tasks,
)
