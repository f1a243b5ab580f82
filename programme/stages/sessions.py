"""Stage 3, Joint sessions: which there are, who came, whether that was a quorum, and gate G3.

The same rules run every joint session of a cycle: A, B and C of the template, a further date after one without quorum,
and the extra ones that other stages call. Dates stand in ``invitations.py``, what a session brought in ``notes.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from programme.gates import common_lacks, passed
from programme.messages import (
    Command,
    Due,
    Event,
    PersonId,
    Role,
    Sentence,
    Side,
    Stage,
    Task,
    TaskId,
)
from programme.part import Asked, Part
from programme.refusals import (
    AlreadyDone,
    Invalid,
    NotYet,
    UnknownPerson,
    UnknownSession,
)
from programme.stages.action import OVER, Action, ActionStatus, Compact
from programme.stages.session import Purpose, Session, SessionId
from programme.template import SessionPlan
from programme.working_time import uk_date

if TYPE_CHECKING:
    from programme.engagement import Engagement

LETTERS = {
    Purpose.AGREEMENT: "C",
    Purpose.STUCK: "S",
    Purpose.LEARNING: "D",
    Purpose.RENEWAL: "R",
    Purpose.EXTRA: "E",
}


# --- commands ------------------------------------------------------------------------------------------------------


class CallSession(Command):
    """Ask for a joint session beyond those of the programme, and say why."""

    who = frozenset({Role.FACILITATOR, Role.PROGRAMME_MANAGER})
    refusals = (NotYet, Invalid)

    kind: Literal["CallSession"] = "CallSession"
    why: Sentence


class RecordAttendance(Command):
    """Say who attended, and so certify whether there was a quorum. ``others`` were there without a vote."""

    who = frozenset({Role.FACILITATOR})
    refusals = (UnknownSession, AlreadyDone, NotYet, Invalid, UnknownPerson)

    kind: Literal["RecordAttendance"] = "RecordAttendance"
    session: SessionId
    voting: tuple[PersonId, ...] = ()
    others: tuple[PersonId, ...] = ()
    facilitator_present: bool = True


Commands = CallSession | RecordAttendance


# --- events --------------------------------------------------------------------------------------------------------


class SessionCalled(Event):
    """A joint session is needed. ``again``: the one without quorum that it follows."""

    kind: Literal["SessionCalled"] = "SessionCalled"
    session: SessionId
    letter: str
    title: str
    purpose: Purpose
    why: str = ""
    within: int | None = None
    again: SessionId = ""
    on: date


class SessionOver(Event):
    """The time of a session has passed; the facilitator says who came."""

    kind: Literal["SessionOver"] = "SessionOver"
    session: SessionId
    on: date


class AttendanceRecorded(Event):
    """A session was held, and the facilitator certified whether it was quorate."""

    kind: Literal["AttendanceRecorded"] = "AttendanceRecorded"
    session: SessionId
    voting: tuple[PersonId, ...]
    others: tuple[PersonId, ...]
    facilitator_present: bool
    quorate: bool
    on: date


Events = SessionCalled | SessionOver | AttendanceRecorded


# --- asking about sessions -----------------------------------------------------------------------------------------


def sessions(engagement: Engagement) -> Iterator[Session]:
    """The joint sessions of the running cycle."""
    if engagement.cycle:
        yield from engagement.cycle.sessions.all.values()


def find(engagement: Engagement, session: SessionId) -> Session:
    """A session of the running cycle.

    Raises:
        UnknownSession: there is none of that id.
    """
    found = engagement.cycle.sessions.all.get(session) if engagement.cycle else None
    if found is None:
        raise UnknownSession(session)
    return found


def attended(session: Session, person: PersonId) -> bool:
    """Whether a person attended with a vote."""
    return person in session.voting


def quorate(engagement: Engagement, session: SessionId) -> bool:
    """Whether a session of the running cycle was held and certified as quorate: only then could it agree anything."""
    return any(one.quorate for one in sessions(engagement) if one.id == session)


def quorum_of(engagement: Engagement, people: Iterable[PersonId]) -> bool:
    """At least 3 of each side, and neither side under 40% of those who vote (both are settings of the template)."""
    thresholds, voting = engagement.template.thresholds, set(people)
    counts = [len(voting.intersection(engagement.participants(side))) for side in Side]
    least = max(thresholds.quorum_each_side, 1)
    return all(count >= least and 100 * count >= thresholds.quorum_percent * sum(counts) for count in counts)


def shown_compact(engagement: Engagement) -> Compact | None:
    """The compact, at the top of every session since both sponsors signed it."""
    compact = engagement.running.agreement.compact
    return compact if compact.signed_by(engagement.sponsors) else None


def uncovered(engagement: Engagement) -> tuple[str, ...]:
    """The priority conditions that neither an action nor a deferral takes care of."""
    running = engagement.running.sessions
    taken_up = {condition for action in _proposed(engagement) for condition in action.conditions}
    deferred = {one.condition for one in running.deferrals.values() if not one.ran_out}
    return tuple(condition for condition in running.priorities if condition not in taken_up | deferred)


def _proposed(engagement: Engagement) -> list[Action]:
    actions = engagement.running.agreement.actions.values()
    return [action for action in actions if action.status not in OVER | {ActionStatus.DRAFT}]


def deferred(engagement: Engagement) -> tuple[str, ...]:
    """What was left for later and no action has taken up since: each joint touchpoint offers it again."""
    taken_up = {condition for action in _proposed(engagement) for condition in action.conditions}
    return tuple(sorted(engagement.running.sessions.deferrals.keys() - taken_up))


def task_id(engagement: Engagement, session: Session, what: str, person: PersonId) -> TaskId:
    """The id of a task about a session. Extra sessions outlive the stage, and so do the reminders already sent."""
    place = Stage.SESSIONS.value if session.purpose is Purpose.PLANNED else "joint"
    return f"{engagement.running.number}/{place}/{what}-{session.id}/{person}"


def session_before(engagement: Engagement, session: Session) -> Session | None:
    """The planned session that comes before this one: its latest date."""
    if session.purpose is not Purpose.PLANNED:
        return None
    letters = [plan.letter for plan in engagement.template.sessions]
    place = letters.index(session.letter)
    return _latest(engagement, letters[place - 1]) if place else None


def _latest(engagement: Engagement, letter: str) -> Session | None:
    found = [one for one in sessions(engagement) if one.letter == letter and one.purpose is Purpose.PLANNED]
    return found[-1] if found else None


# --- calling -------------------------------------------------------------------------------------------------------


def call_session(
    engagement: Engagement, purpose: Purpose, title: str, today: date, why: str, *, within: int | None = None
) -> list[Event]:
    """Ask the facilitator for a date of an extra joint session; nothing if one of that purpose waits already.

    ``title`` and ``why`` hold no names. ``within``: the most working days from today, where there is a limit.
    """
    if any(one.purpose is purpose and one.held is None for one in sessions(engagement)):
        return []
    letter = LETTERS[purpose]
    ids = _new_id(engagement, letter)
    return [
        SessionCalled(session=ids, letter=letter, title=title, purpose=purpose, why=why, within=within, on=today),
    ]


def one_more(engagement: Engagement, today: date, why: str) -> SessionCalled:
    """The last of the planned sessions once more: the gate waits for it as for the first."""
    plan = engagement.template.sessions[-1]
    again = {"why": why, "within": engagement.template.durations.session_again}
    return _planned(engagement, plan, today).model_copy(update=again)


def _new_id(engagement: Engagement, letter: str) -> SessionId:
    used = sum(1 for one in sessions(engagement) if one.letter == letter)
    return f"{engagement.running.number}{letter}{used + 1 if used else ''}"


def call(engagement: Engagement, command: CallSession, asked: Asked) -> list[Event]:
    """An extra session, because the facilitator or the programme manager sees the need."""
    if engagement.cycle is None or engagement.span(Stage.SESSIONS) is None:
        what = "extra sessions come after the first of the programme's own"
        raise NotYet(what)
    if not command.why.strip():
        message = "Say what the session is about and why it is needed."
        raise Invalid(message)
    return call_session(engagement, Purpose.EXTRA, "Extra session", asked.today, command.why)


# --- holding -------------------------------------------------------------------------------------------------------


def not_held(engagement: Engagement, session: SessionId) -> Session:
    """A session that is still to come.

    Raises:
        UnknownSession: there is none of that id.
        AlreadyDone: it was held.
    """
    found = find(engagement, session)
    if found.held:
        raise AlreadyDone("the session was held")
    return found


def record_attendance(engagement: Engagement, command: RecordAttendance, asked: Asked) -> list[Event]:
    """Certify who was there. Without a quorum nothing can be agreed, and a new date is needed soon."""
    session = not_held(engagement, command.session)
    if session.starts is None or asked.at < session.starts:
        what = "the session has not begun"
        raise NotYet(what)
    before = session_before(engagement, session)
    if before and not before.quorate:
        what = f"session {before.letter} must have been held with a quorum first; move this one"
        raise NotYet(what)
    _refuse_impossible_attendance(engagement, command)
    quorum = command.facilitator_present and quorum_of(engagement, command.voting)
    held = AttendanceRecorded(
        session=session.id,
        voting=tuple(sorted(command.voting)),
        others=tuple(sorted(command.others)),
        facilitator_present=command.facilitator_present,
        quorate=quorum,
        on=asked.today,
    )
    return [held] if quorum else [held, _again(engagement, session, asked.today)]


def _refuse_impossible_attendance(engagement: Engagement, command: RecordAttendance) -> None:
    everybody = (*command.voting, *command.others)
    if len(set(everybody)) < len(everybody):
        message = "Somebody is listed twice. Each person attended once, with a vote or without."
        raise Invalid(message)
    for person in everybody:
        if person not in engagement.people:
            raise UnknownPerson(person)
    if any(not engagement.people[person].takes_part for person in command.voting):
        message = "Only participants of the two sides vote. List everybody else among the others."
        raise Invalid(message)


def _again(engagement: Engagement, session: Session, today: date) -> SessionCalled:
    return SessionCalled(
        session=_new_id(engagement, session.letter),
        letter=session.letter,
        title=session.title,
        purpose=session.purpose,
        why=f"The session of {uk_date(session.on or today)} was not quorate",
        within=engagement.template.durations.session_again,
        again=session.id,
        on=today,
    )


# --- gate G3 -------------------------------------------------------------------------------------------------------


def follows(engagement: Engagement, asked: Asked) -> list[Event]:
    """Call the sessions of the template when the stage opens; pass gate G3 when nothing is lacking."""
    if not engagement.in_stage(Stage.SESSIONS):
        return []
    planned = engagement.template.sessions
    if planned and not any(one.purpose is Purpose.PLANNED for one in sessions(engagement)):
        return [_planned(engagement, plan, asked.today) for plan in planned]
    if not lacks(engagement):
        return passed(engagement, "G3", Stage.SESSIONS, (Stage.AGREEMENT,), asked.today)
    return []


def _planned(engagement: Engagement, plan: SessionPlan, today: date) -> SessionCalled:
    return SessionCalled(
        session=_new_id(engagement, plan.letter),  # a carried action may have called a session of this letter before
        letter=plan.letter,
        title=plan.title,
        purpose=Purpose.PLANNED,
        on=today,
    )


def lacks(engagement: Engagement) -> list[str]:
    """Gate G3: what is still missing."""
    missing = common_lacks(engagement)
    for plan in engagement.template.sessions:
        latest = _latest(engagement, plan.letter)
        if latest is None or not latest.quorate:
            missing.append(f"session {plan.letter} must be held with a quorum")
        elif latest.counts_from is None:
            missing.append(f"the notes of session {plan.letter} must be confirmed from both sides")
    if not _proposed(engagement):
        missing.append("at least 1 action must be proposed")
    missing += [f"{condition} must have an action, or a deferral with a date" for condition in uncovered(engagement)]
    return missing


# --- evolve --------------------------------------------------------------------------------------------------------


def _called(engagement: Engagement, event: SessionCalled, at: datetime) -> Engagement:
    del at
    session = Session(
        id=event.session,
        letter=event.letter,
        title=event.title,
        purpose=event.purpose,
        why=event.why,
        called=event.on,
        within=event.within,
    )
    return engagement.in_cycle(sessions=engagement.running.sessions.with_session(session))


def _over(engagement: Engagement, event: SessionOver, at: datetime) -> Engagement:
    del at
    return changed(engagement, event.session, over=event.on)


def _held(engagement: Engagement, event: AttendanceRecorded, at: datetime) -> Engagement:
    del at
    return changed(
        engagement, event.session, held=event.on, voting=event.voting, others=event.others, quorate=event.quorate
    )


def changed(engagement: Engagement, session: SessionId, **changes: object) -> Engagement:
    """A copy in which a session is changed."""
    running = engagement.running.sessions
    return engagement.in_cycle(sessions=running.with_session(running.all[session].model_copy(update=changes)))


# --- agenda and tasks ----------------------------------------------------------------------------------------------


def agenda(engagement: Engagement) -> Iterator[Due]:
    """Each session that has a date."""
    for session in sessions(engagement):
        if session.ends and not session.held and not session.over:
            why = "The date that was announced" if session.revision == 0 else "The date that was announced last"
            what = f"{session.name} takes place"
            yield Due(at=session.ends, key=f"act:sessions:over/{session.id}", what=what, why=why)


def act(engagement: Engagement, what: str, asked: Asked) -> list[Event]:
    """Note that a session's time has passed."""
    del engagement
    return [SessionOver(session=what.partition("/")[2], on=asked.today)]


def tasks(engagement: Engagement) -> Iterator[Task]:
    """Attendance to record, for the facilitator."""
    for session in sessions(engagement):
        if session.held or session.over is None:
            continue
        for facilitator in engagement.holders(Role.FACILITATOR):
            yield Task(
                id=task_id(engagement, session, f"attendance-{session.revision}", facilitator),
                ladder="session-attendance",
                person=facilitator,
                about=session.id,
                command="RecordAttendance",
                title=f"Say who attended {session.name}",
                opened=session.over,
                due=engagement.time.due(session.over, engagement.template.durations.session_attendance, "the session"),
            )


PART = Part(
    name="sessions",
    decide={CallSession: call, RecordAttendance: record_attendance},
    evolve={SessionCalled: _called, SessionOver: _over, AttendanceRecorded: _held},
    agenda=agenda,
    act=act,
    tasks=tasks,
    follows=follows,
)
