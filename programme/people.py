"""Who takes part, on which side, in which parts; and which parts nobody may join in one person.

A participant is enrolled by the programme manager and counts once the person has accepted. Some parts must be
accepted with a declaration of interests before they are held. Forbidden combinations are refused at appointment and
again at each act, because people move.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from programme.messages import (
    APPROVERS,
    CHALLENGERS,
    CLOCK,
    PARTICIPANTS,
    SPONSORS,
    Command,
    Event,
    Frozen,
    PersonId,
    Role,
    Side,
    Task,
    Words,
)
from programme.part import Asked, Part
from programme.refusals import (
    AlreadyDone,
    AlreadyEnrolled,
    ForbiddenCombination,
    Invalid,
    NoAppointment,
    NotRegistered,
    RoleRequired,
    RoleTaken,
    UnknownPerson,
    WrongSide,
)
from programme.working_time import local_date

if TYPE_CHECKING:
    from programme.engagement import Engagement

ACCEPTED_WITH_DECLARATION = frozenset({Role.FACILITATOR, Role.DATA_PROTECTION_CONTACT}) | APPROVERS | CHALLENGERS
HELD_BY_ONE = frozenset({Role.FACILITATOR, Role.DATA_PROTECTION_CONTACT}) | APPROVERS | SPONSORS
SIDE_ROLE = {Side.DOCTOR: Role.DOCTOR, Side.MANAGER: Role.MANAGER}
SIDE_SPONSOR = {Side.DOCTOR: Role.MEDICAL_SPONSOR, Side.MANAGER: Role.MANAGERIAL_SPONSOR}

FORBIDDEN: frozenset[frozenset[Role]] = frozenset(
    frozenset({one, other})
    for one, others in {
        Role.FACILITATOR: PARTICIPANTS | SPONSORS | CHALLENGERS | {Role.PROGRAMME_MANAGER},
        Role.INTERNAL_CHALLENGER: PARTICIPANTS | SPONSORS | APPROVERS,
        Role.EXTERNAL_CHALLENGER: PARTICIPANTS | SPONSORS | APPROVERS,
        Role.AUDITOR: frozenset(Role) - {Role.AUDITOR},
        Role.MEDICAL_SPONSOR: {Role.MANAGERIAL_SPONSOR},
        Role.PROGRAMME_MANAGER: PARTICIPANTS | SPONSORS | CHALLENGERS | APPROVERS,
    }.items()
    for other in others
)
"""programme.md, Invariants: combinations that nobody may hold in one engagement. Those that hang on a single action or
review (approver and proposer, challenger and owner) stand with that action or review."""


class Appointment(Frozen):
    """A part given to a person: since when, and since when accepted."""

    role: Role
    since: date
    accepted: date | None = None


class Weekday(StrEnum):
    """The days on which a trust works."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"


class Away(Frozen):
    """A leave, from its first day to its last."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days it lasts; negative where it ends before it begins."""
        return (self.last - self.first).days + (1 if self.last >= self.first else 0)


@dataclass(frozen=True, slots=True)
class Pattern:
    """The days on which somebody does not work, though the trust does."""

    off: tuple[Weekday, ...] = ()
    away: tuple[Away, ...] = ()

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.off or self.away)

    def on(self, day: date) -> bool:
        """Whether the person works on a day on which the trust does."""
        weekdays = {number for number, name in enumerate(Weekday) if name in self.off}
        return day.weekday() not in weekdays and not any(one.first <= day <= one.last for one in self.away)


EVERY_DAY = Pattern()
_NO_PARTS: frozenset[Role] = frozenset()
_TAKES_PART: dict[Side | None, frozenset[Role]] = {side: frozenset({role}) for side, role in SIDE_ROLE.items()}
_TAKES_PART[None] = _NO_PARTS


@dataclass(frozen=True, slots=True)
class Person:
    """A person in one engagement: an opaque id and parts. Names and addresses live in the people store.

    A plain value without what a model carries: an engagement has dozens of them, and a worker a thousand engagements.
    """

    id: PersonId
    side: Side | None = None
    enrolled: date | None = None
    accepted: date | None = None
    declined: bool = False
    dual_role: bool = False
    line_manager: PersonId | None = None
    gmc_registered: bool = False
    ods_code: str = ""
    privacy_notice: str = ""
    appointments: tuple[Appointment, ...] = ()
    left: date | None = None  # since when the parts are over, or rest until ``returns``
    returns: date | None = None
    works: Pattern = EVERY_DAY
    succeeds: tuple[Role, ...] = ()  # parts that the person was asked to take over

    def but(self, **changes: Any) -> Person:
        """A copy with these fields changed."""
        return replace(self, **changes)

    @property
    def gone(self) -> bool:
        """Whether the person has left, or is away for long: nothing is asked of them and nothing is sent to them."""
        return self.left is not None

    @property
    def takes_part(self) -> bool:
        """Whether the person is an accepted participant of a side."""
        return self.side is not None and self.accepted is not None and not self.gone

    def roles(self) -> frozenset[Role]:
        """The parts that the person holds now; those of somebody who is away for long rest."""
        if self.gone:
            return _NO_PARTS
        if not self.appointments:  # most people: this is asked of everybody at each step
            return _TAKES_PART[self.side] if self.takes_part else _NO_PARTS
        held = {one.role for one in self.appointments if one.accepted}
        if self.side is not None and self.takes_part:
            held.add(SIDE_ROLE[self.side])
        return frozenset(held)

    def intended(self) -> frozenset[Role]:
        """The parts held or offered: what a further appointment must not clash with. Parts that rest still count."""
        if self.gone and self.returns is None:
            return _NO_PARTS
        if not self.appointments and not self.succeeds:
            return _NO_PARTS if self.declined else _TAKES_PART[self.side]
        offered = {one.role for one in self.appointments} | set(self.succeeds)
        if self.side is not None and not self.declined:
            offered.add(SIDE_ROLE[self.side])
        return frozenset(offered)


class Enrolment(Frozen):
    """One row of a roster, with ids in place of names."""

    person: PersonId
    side: Side | None = None
    roles: tuple[Role, ...] = ()
    dual_role: bool = False
    line_manager: PersonId | None = None
    gmc_registered: bool = False
    ods_code: str = ""


# --- commands ------------------------------------------------------------------------------------------------------


class EnrolPeople(Command):
    """Add people to the engagement, as participants of a side, in a part, or both."""

    who = frozenset({Role.PROGRAMME_MANAGER})
    refusals = (AlreadyEnrolled, ForbiddenCombination, RoleTaken, NotRegistered, Invalid)

    kind: Literal["EnrolPeople"] = "EnrolPeople"
    people: tuple[Enrolment, ...]


class AcceptEnrolment(Command):
    """Take part on one's side, having read this version of the privacy notice."""

    who = frozenset({Role.DOCTOR, Role.MANAGER})
    refusals = (AlreadyDone, WrongSide, Invalid)

    kind: Literal["AcceptEnrolment"] = "AcceptEnrolment"
    side: Side
    privacy_notice: str


class DeclineEnrolment(Command):
    """Not take part. Nobody is told who declined; the programme manager sees counts."""

    who = frozenset({Role.DOCTOR, Role.MANAGER})
    refusals = (AlreadyDone,)

    kind: Literal["DeclineEnrolment"] = "DeclineEnrolment"


class Appoint(Command):
    """Offer a part to an enrolled person."""

    who = frozenset({Role.PROGRAMME_MANAGER})
    refusals = (UnknownPerson, ForbiddenCombination, RoleTaken, NotRegistered, Invalid)

    kind: Literal["Appoint"] = "Appoint"
    person: PersonId
    role: Role
    gmc_registered: bool = False


class AcceptAppointment(Command):
    """Accept a part, declaring one's interests (in confidence, to the programme manager and the sponsors)."""

    who = frozenset(Role)
    refusals = (NoAppointment,)

    kind: Literal["AcceptAppointment"] = "AcceptAppointment"
    role: Role
    interests: Words = Words()


class DeclineAppointment(Command):
    """Decline a part that was offered."""

    who = frozenset(Role)
    refusals = (NoAppointment,)

    kind: Literal["DeclineAppointment"] = "DeclineAppointment"
    role: Role


Commands = EnrolPeople | AcceptEnrolment | DeclineEnrolment | Appoint | AcceptAppointment | DeclineAppointment


# --- events --------------------------------------------------------------------------------------------------------


class PeopleEnrolled(Event):
    """People were added by the programme manager."""

    kind: Literal["PeopleEnrolled"] = "PeopleEnrolled"
    people: tuple[Enrolment, ...]
    on: date


class EnrolmentAccepted(Event):
    """A participant takes part."""

    kind: Literal["EnrolmentAccepted"] = "EnrolmentAccepted"
    person: PersonId
    privacy_notice: str
    on: date


class EnrolmentDeclined(Event):
    """A person does not take part."""

    kind: Literal["EnrolmentDeclined"] = "EnrolmentDeclined"
    person: PersonId


class Appointed(Event):
    """A part was offered to a person; held at once where it needs no declaration."""

    kind: Literal["Appointed"] = "Appointed"
    person: PersonId
    role: Role
    gmc_registered: bool = False
    on: date


class AppointmentAccepted(Event):
    """A part is held, interests declared."""

    kind: Literal["AppointmentAccepted"] = "AppointmentAccepted"
    person: PersonId
    role: Role
    interests: Words = Words()
    on: date


class AppointmentDeclined(Event):
    """A part was not accepted."""

    kind: Literal["AppointmentDeclined"] = "AppointmentDeclined"
    person: PersonId
    role: Role


Events = PeopleEnrolled | EnrolmentAccepted | EnrolmentDeclined | Appointed | AppointmentAccepted | AppointmentDeclined


# --- asking about people -------------------------------------------------------------------------------------------


def wording(role: Role) -> str:
    """A role in a sentence: the medical approver."""
    return role.value.replace("_", " ")


def clash(roles: frozenset[Role]) -> tuple[Role, Role] | None:
    """Two roles of a set that nobody may join in one person, or None."""
    for pair in FORBIDDEN:
        if pair <= roles:
            first, second = sorted(pair)
            return first, second
    return None


def refuse_clash(roles: frozenset[Role]) -> None:
    """Refuse a set of roles that holds a forbidden combination.

    Raises:
        ForbiddenCombination: names the two.
    """
    if pair := clash(roles):
        raise ForbiddenCombination(wording(pair[0]), wording(pair[1]))


def authorise(engagement: Engagement, command: Command, asked: Asked) -> None:
    """Hold a command's ``who`` against the parts that the person holds at this moment.

    Accepting or declining is open to whoever was offered the part: it is not held yet. Whoever is named as a successor
    answers for themselves, whatever they hold.

    Raises:
        RoleRequired: the person holds none of the roles.
        ForbiddenCombination: the person has come to hold two parts that exclude each other.
    """
    person = engagement.people.get(asked.by)
    answering = isinstance(command, AcceptEnrolment | DeclineEnrolment | AcceptAppointment | DeclineAppointment)
    held = frozenset[Role]() if person is None else person.intended() if answering else person.roles()
    if person is None or person.gone or not (command.whoever or held & command.who):
        raise RoleRequired(" or ".join(sorted(f"a {wording(role)}" for role in command.who)) or "the programme itself")
    refuse_clash(held)


# --- decide --------------------------------------------------------------------------------------------------------


def refuse_enrolments(engagement: Engagement, people: tuple[Enrolment, ...]) -> None:
    """Refuse a list of enrolments if any of them cannot stand, alone or beside the others."""
    seen = set(engagement.people)
    taken = {one.role for person in engagement.people.values() for one in person.appointments}
    for row in people:
        if row.person in seen:
            raise AlreadyEnrolled(row.person)
        if row.person == CLOCK:  # what that person did, time alone would seem to have done (invariant 4)
            raise Invalid("This id is the system's own. Give the person another one.")
        seen.add(row.person)
        side = {SIDE_ROLE[row.side]} if row.side else set[Role]()
        if PARTICIPANTS & set(row.roles):
            message = "A side is written in the column 'side', not among the roles."
            raise Invalid(message)
        refuse_clash(frozenset(row.roles) | side)
        for role in row.roles:
            if role in HELD_BY_ONE and role in taken:
                raise RoleTaken(wording(role))
            if role in APPROVERS and not row.gmc_registered:
                raise NotRegistered
            taken.add(role)


def enrol_people(engagement: Engagement, command: EnrolPeople, asked: Asked) -> list[Event]:
    """Add people; each is then asked to accept."""
    refuse_enrolments(engagement, command.people)
    return [PeopleEnrolled(people=command.people, on=asked.today)] if command.people else []


def accept_enrolment(engagement: Engagement, command: AcceptEnrolment, asked: Asked) -> list[Event]:
    """Take part, on the side that the programme manager named."""
    person = engagement.people[asked.by]
    if person.side is not command.side:
        raise WrongSide
    if person.accepted:
        raise AlreadyDone("you take part")
    if not command.privacy_notice:
        message = "Name the version of the privacy notice that you read."
        raise Invalid(message)
    return [EnrolmentAccepted(person=asked.by, privacy_notice=command.privacy_notice, on=asked.today)]


def decline_enrolment(engagement: Engagement, command: DeclineEnrolment, asked: Asked) -> list[Event]:
    """Not take part: possible until one has accepted."""
    del command
    person = engagement.people[asked.by]
    if person.accepted or person.declined:
        raise AlreadyDone("you have answered the invitation")
    return [EnrolmentDeclined(person=asked.by)]


def appoint(engagement: Engagement, command: Appoint, asked: Asked) -> list[Event]:
    """Offer a part."""
    person = engagement.people.get(command.person)
    if person is None:
        raise UnknownPerson(command.person)
    if command.role in PARTICIPANTS:
        message = "Participants are enrolled on a side, not appointed."
        raise Invalid(message)
    if command.role in person.intended():
        raise RoleTaken(wording(command.role))
    refuse_clash(person.intended() | {command.role})
    if command.role in HELD_BY_ONE and any(command.role in other.intended() for other in engagement.people.values()):
        raise RoleTaken(wording(command.role))
    gmc = command.gmc_registered or person.gmc_registered
    if command.role in APPROVERS and not gmc:
        raise NotRegistered
    return [Appointed(person=command.person, role=command.role, gmc_registered=gmc, on=asked.today)]


def _open_appointment(engagement: Engagement, person: PersonId, role: Role) -> Appointment:
    for one in engagement.people[person].appointments:
        if one.role is role and one.accepted is None:
            return one
    raise NoAppointment(wording(role))


def accept_appointment(engagement: Engagement, command: AcceptAppointment, asked: Asked) -> list[Event]:
    """Accept a part with a declaration."""
    _open_appointment(engagement, asked.by, command.role)
    return [AppointmentAccepted(person=asked.by, role=command.role, interests=command.interests, on=asked.today)]


def decline_appointment(engagement: Engagement, command: DeclineAppointment, asked: Asked) -> list[Event]:
    """Decline a part; the programme manager offers it to somebody else."""
    _open_appointment(engagement, asked.by, command.role)
    return [AppointmentDeclined(person=asked.by, role=command.role)]


# --- evolve --------------------------------------------------------------------------------------------------------


def enrolled(row: Enrolment, on: date) -> Person:
    """A person as a roster row makes it."""
    return Person(
        id=row.person,
        side=row.side,
        enrolled=on if row.side else None,
        dual_role=row.dual_role,
        line_manager=row.line_manager,
        gmc_registered=row.gmc_registered,
        ods_code=row.ods_code,
        appointments=tuple(
            Appointment(role=role, since=on, accepted=None if role in ACCEPTED_WITH_DECLARATION else on)
            for role in row.roles
        ),
    )


def _with(engagement: Engagement, person: Person) -> Engagement:
    return engagement.but(people={**engagement.people, person.id: person})


def _people_enrolled(engagement: Engagement, event: PeopleEnrolled, at: datetime) -> Engagement:
    del at
    return engagement.but(people={**engagement.people, **{row.person: enrolled(row, event.on) for row in event.people}})


def _enrolment_accepted(engagement: Engagement, event: EnrolmentAccepted, at: datetime) -> Engagement:
    del at
    person = engagement.people[event.person]
    return _with(
        engagement,
        person.but(accepted=event.on, declined=False, privacy_notice=event.privacy_notice),
    )


def _enrolment_declined(engagement: Engagement, event: EnrolmentDeclined, at: datetime) -> Engagement:
    del at
    return _with(engagement, engagement.people[event.person].but(declined=True))


def _appointed(engagement: Engagement, event: Appointed, at: datetime) -> Engagement:
    del at
    person = engagement.people[event.person]
    accepted = None if event.role in ACCEPTED_WITH_DECLARATION else event.on
    appointments = (*person.appointments, Appointment(role=event.role, since=event.on, accepted=accepted))
    return _with(engagement, person.but(appointments=appointments, gmc_registered=event.gmc_registered))


def _appointment_accepted(engagement: Engagement, event: AppointmentAccepted, at: datetime) -> Engagement:
    del at
    person = engagement.people[event.person]
    changed = tuple(
        one.model_copy(update={"accepted": event.on}) if one.role is event.role else one for one in person.appointments
    )
    return _with(engagement, person.but(appointments=changed))


def _appointment_declined(engagement: Engagement, event: AppointmentDeclined, at: datetime) -> Engagement:
    person = engagement.people[event.person]
    kept = tuple(one for one in person.appointments if one.role is not event.role)
    vacant = {**engagement.changes.vacant, event.role: local_date(at)}
    after = engagement.but(changes=engagement.changes.model_copy(update={"vacant": vacant}))
    return _with(after, person.but(appointments=kept))


# --- tasks ---------------------------------------------------------------------------------------------------------


def tasks(engagement: Engagement) -> Iterator[Task]:
    """Invitations to answer: enrolments and appointments."""
    durations = engagement.template.durations
    for person in engagement.people.values():
        if person.gone:
            continue
        if person.side and person.enrolled and not person.accepted and not person.declined:
            yield Task(
                id=f"people/enrolment/{person.id}",
                ladder="enrolment",
                person=person.id,
                about=person.id,
                command="AcceptEnrolment",
                title="Say whether you take part",
                opened=person.enrolled,
                due=engagement.time.due(person.enrolled, durations.enrolment, "you were invited"),
            )
        for one in person.appointments:
            if not one.accepted:
                yield Task(
                    id=f"people/appointment-{one.role}-{one.since}/{person.id}",
                    ladder="appointment",
                    person=person.id,
                    about=one.role.value,
                    command="AcceptAppointment",
                    title=f"Accept or decline the part of {wording(one.role)}",
                    opened=one.since,
                    due=engagement.time.due(one.since, durations.appointment, "the part was offered to you"),
                )


PART = Part(
    name="people",
    decide={
        EnrolPeople: enrol_people,
        AcceptEnrolment: accept_enrolment,
        DeclineEnrolment: decline_enrolment,
        Appoint: appoint,
        AcceptAppointment: accept_appointment,
        DeclineAppointment: decline_appointment,
    },
    evolve={
        PeopleEnrolled: _people_enrolled,
        EnrolmentAccepted: _enrolment_accepted,
        EnrolmentDeclined: _enrolment_declined,
        Appointed: _appointed,
        AppointmentAccepted: _appointment_accepted,
        AppointmentDeclined: _appointment_declined,
    },
    tasks=tasks,
)
