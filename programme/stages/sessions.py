"""Stage 3, Joint sessions: when they take place, who is asked, who came, and whether that was a quorum.

The same rules run every joint session of a cycle: A, B and C of the template, a further date after one without quorum,
and the extra ones that other stages call. What a session brought stands in ``notes.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from programme.gates import common_lacks, passed
from programme.messages import (
    PARTICIPANTS,
    Command,
    Due,
    DueDate,
    Event,
    Frozen,
    PersonId,
    Role,
    Sentence,
    Side,
    Stage,
    Task,
    TaskId,
)
from programme.part import Asked, Part
from programme.post import PAUSE, SESSION, Invitation, NoticeRaised
from programme.refusals import (
    AlreadyDone,
    Invalid,
    NotYet,
    SessionTooLate,
    SessionTooSoon,
    UnknownPerson,
    UnknownSession,
)
from programme.stages.action import OVER, Action, ActionStatus, Compact
from programme.stages.session import Purpose, Session, SessionId
from programme.template import SessionPlan
from programme.working_time import local_date, uk_date, uk_day, uk_time

if TYPE_CHECKING:
    from programme.engagement import Engagement

LETTERS = {
    Purpose.AGREEMENT: "C",
    Purpose.STUCK: "S",
    Purpose.LEARNING: "D",
    Purpose.RENEWAL: "R",
    Purpose.EXTRA: "E",
}
SPONSORS_COME = frozenset({Purpose.LEARNING, Purpose.RENEWAL})
EXTRA_HOURS = 2  # an extra session is a short one
CANCELLED = "is cancelled"


# --- commands ------------------------------------------------------------------------------------------------------


class CallSession(Command):
    """Ask for a joint session beyond those of the programme, and say why."""

    who = frozenset({Role.FACILITATOR, Role.PROGRAMME_MANAGER})
    refusals = (NotYet, Invalid)

    kind: Literal["CallSession"] = "CallSession"
    why: Sentence


class ScheduleSession(Command):
    """Set the date of a joint session; everybody is invited. Without ``ends`` it lasts as long as the template says."""

    who = frozenset({Role.FACILITATOR, Role.PROGRAMME_MANAGER})
    refusals = (UnknownSession, AlreadyDone, NotYet, Invalid, SessionTooSoon, SessionTooLate)

    kind: Literal["ScheduleSession"] = "ScheduleSession"
    session: SessionId
    starts: datetime
    ends: datetime | None = None
    place: Sentence = ""


class MoveSession(Command):
    """Give a joint session another date; the calendar entry follows, and everybody answers again."""

    who = frozenset({Role.FACILITATOR, Role.PROGRAMME_MANAGER})
    refusals = (UnknownSession, AlreadyDone, NotYet, Invalid, SessionTooSoon, SessionTooLate)

    kind: Literal["MoveSession"] = "MoveSession"
    session: SessionId
    starts: datetime
    ends: datetime | None = None
    place: Sentence = ""
    reason: Sentence


class CancelSession(Command):
    """Take the date of a joint session away. The session is still needed: the facilitator is asked for a new date."""

    who = frozenset({Role.FACILITATOR, Role.PROGRAMME_MANAGER})
    refusals = (UnknownSession, AlreadyDone, NotYet, Invalid)

    kind: Literal["CancelSession"] = "CancelSession"
    session: SessionId
    reason: Sentence


class AnswerInvitation(Command):
    """Say whether one comes. The answer can be changed until the session begins."""

    who = PARTICIPANTS
    refusals = (UnknownSession, AlreadyDone, NotYet)

    kind: Literal["AnswerInvitation"] = "AnswerInvitation"
    session: SessionId
    comes: bool


class RecordAttendance(Command):
    """Say who attended, and so certify whether there was a quorum. ``others`` were there without a vote."""

    who = frozenset({Role.FACILITATOR})
    refusals = (UnknownSession, AlreadyDone, NotYet, Invalid, UnknownPerson)

    kind: Literal["RecordAttendance"] = "RecordAttendance"
    session: SessionId
    voting: tuple[PersonId, ...] = ()
    others: tuple[PersonId, ...] = ()
    facilitator_present: bool = True


Commands = CallSession | ScheduleSession | MoveSession | CancelSession | AnswerInvitation | RecordAttendance


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


class SessionScheduled(Event):
    """A joint session has a date. ``revision`` is that of its calendar entry."""

    kind: Literal["SessionScheduled"] = "SessionScheduled"
    session: SessionId
    starts: datetime
    ends: datetime
    place: str
    revision: int
    people: tuple[PersonId, ...] = ()
    on: date


class SessionMoved(Event):
    """A joint session has another date; the earlier answers to the invitation are void."""

    kind: Literal["SessionMoved"] = "SessionMoved"
    session: SessionId
    starts: datetime
    ends: datetime
    place: str
    revision: int
    people: tuple[PersonId, ...] = ()
    reason: str
    on: date


class SessionCancelled(Event):
    """A joint session has no date any more, and needs one."""

    kind: Literal["SessionCancelled"] = "SessionCancelled"
    session: SessionId
    revision: int
    reason: str
    on: date


class InvitationExtended(Event):
    """People who came to the programme after a session was announced are invited too."""

    kind: Literal["InvitationExtended"] = "InvitationExtended"
    session: SessionId
    people: tuple[PersonId, ...]


class InvitationAnswered(Event):
    """Somebody said whether they come."""

    kind: Literal["InvitationAnswered"] = "InvitationAnswered"
    session: SessionId
    person: PersonId
    comes: bool


class QuorumChecked(Event):
    """Shortly before a session: whether those who said that they come would be a quorum."""

    kind: Literal["QuorumChecked"] = "QuorumChecked"
    session: SessionId
    expected: bool


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


Events = (
    SessionCalled
    | SessionScheduled
    | SessionMoved
    | SessionCancelled
    | InvitationExtended
    | InvitationAnswered
    | QuorumChecked
    | SessionOver
    | AttendanceRecorded
)


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


def invited(engagement: Engagement, session: Session) -> tuple[PersonId, ...]:
    """Both sides and the facilitator; the sponsors too where the session looks back or ahead."""
    people = engagement.participants(Side.DOCTOR) + engagement.participants(Side.MANAGER)
    people += engagement.holders(Role.FACILITATOR)
    return tuple(dict.fromkeys(people + engagement.sponsors if session.purpose in SPONSORS_COME else people))


def _before(engagement: Engagement, session: Session) -> Session | None:
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


# --- dates and invitations -----------------------------------------------------------------------------------------


class When(Frozen):
    """A date that was checked: UTC instants, and the place."""

    starts: datetime
    ends: datetime
    place: str


def schedule(engagement: Engagement, command: ScheduleSession, asked: Asked) -> list[Event]:
    """Give a session its date, and invite everybody."""
    session = _not_held(engagement, command.session)
    if session.starts:
        raise AlreadyDone("the session has a date; move it instead")
    when = _checked(engagement, session, command, asked)
    revision = 0 if session.revision is None else session.revision + 1
    people = invited(engagement, session)
    return [
        SessionScheduled(session=session.id, revision=revision, people=people, on=asked.today, **when.model_dump()),
        _invitation(engagement, session, when, revision, people, "is announced"),
    ]


def move(engagement: Engagement, command: MoveSession, asked: Asked) -> list[Event]:
    """Give a session another date, and say so to everybody."""
    session = _not_held(engagement, command.session)
    if session.starts is None or session.revision is None:
        what = "the session has no date yet; schedule it"
        raise NotYet(what)
    _refuse_no_reason(command.reason)
    when = _checked(engagement, session, command, asked)
    revision, people = session.revision + 1, invited(engagement, session)
    return [
        SessionMoved(
            session=session.id,
            revision=revision,
            people=people,
            reason=command.reason,
            on=asked.today,
            **when.model_dump(),
        ),
        _invitation(engagement, session, when, revision, people, "has moved"),
    ]


def cancel(engagement: Engagement, command: CancelSession, asked: Asked) -> list[Event]:
    """Take a date away, in everybody's calendar too."""
    session = _not_held(engagement, command.session)
    _refuse_no_reason(command.reason)
    called_off = _called_off(engagement, session, command.reason, asked.today, SESSION)
    if not called_off:
        what = "the session has no date that could be cancelled"
        raise NotYet(what)
    return called_off


def _called_off(engagement: Engagement, session: Session, reason: str, today: date, topic: str) -> list[Event]:
    """What takes a date away: nothing where there is none."""
    if session.starts is None or session.ends is None or session.revision is None:
        return []
    revision = session.revision + 1
    when = When(starts=session.starts, ends=session.ends, place=session.place)
    news = _invitation(engagement, session, when, revision, session.invited, CANCELLED)
    return [
        SessionCancelled(session=session.id, revision=revision, reason=reason, on=today),
        news.model_copy(update={"topic": topic}),
    ]


def _not_held(engagement: Engagement, session: SessionId) -> Session:
    found = find(engagement, session)
    if found.held:
        raise AlreadyDone("the session was held")
    return found


def _refuse_no_reason(reason: str) -> None:
    if not reason.strip():
        message = "Say why: everybody who was invited is told of the change."
        raise Invalid(message)


def _checked(engagement: Engagement, session: Session, asked_for: ScheduleSession | MoveSession, asked: Asked) -> When:
    """The date that is asked for, where it can stand."""
    if asked_for.starts.tzinfo is None or (asked_for.ends and asked_for.ends.tzinfo is None):
        message = "Give the times with their offset from UTC, such as 2026-03-04T14:00:00+00:00."
        raise Invalid(message)
    starts = asked_for.starts.astimezone(UTC)
    ends = asked_for.ends.astimezone(UTC) if asked_for.ends else starts + timedelta(hours=_hours(engagement, session))
    if starts <= asked.at:
        message = "This time has passed. Choose a later one."
        raise Invalid(message)
    if ends <= starts or local_date(ends) != local_date(starts):
        message = "A session ends on the day on which it begins, and after it has begun."
        raise Invalid(message)
    if not engagement.time.is_working(local_date(starts)):
        message = "The trust does not work on that day. Choose a working day."
        raise Invalid(message)
    _refuse_outside_window(engagement, session, local_date(starts), asked.today)
    return When(starts=starts, ends=ends, place=asked_for.place)


def _hours(engagement: Engagement, session: Session) -> int:
    plans = engagement.template.sessions if session.purpose is Purpose.PLANNED else ()
    return next((plan.hours for plan in plans if plan.letter == session.letter), EXTRA_HOURS)


def _refuse_outside_window(engagement: Engagement, session: Session, on: date, today: date) -> None:
    """Hold a day against the session before it and against the limit with which this one was called."""
    time, durations = engagement.time, engagement.template.durations
    limits = []
    if session.within is not None:
        by = time.due(session.called, session.within, "the session was called").on
        limits.append(_while_it_can_be_met(engagement, by, session.within, today))
    if before := _before(engagement, session):
        if before.on is None:
            what = f"session {before.letter} has no date yet; schedule it first"
            raise NotYet(what)
        earliest = time.plus(before.on, durations.session_gap)
        if on < earliest:
            raise SessionTooSoon(durations.session_gap, uk_date(earliest))
        if session.within is None:
            by = time.plus(before.on, durations.session_gap_most)
            limits.append(_while_it_can_be_met(engagement, by, durations.session_gap_most, today))
    if limits and on > min(limits):
        raise SessionTooLate(uk_date(min(limits)))


def _while_it_can_be_met(engagement: Engagement, by: date, working_days: int, today: date) -> date:
    """A limit; where it has passed, as many days again from today, because the session must remain possible."""
    return by if by > today else engagement.time.plus(today, working_days)


def _invitation(
    engagement: Engagement, session: Session, when: When, revision: int, people: tuple[PersonId, ...], news: str
) -> NoticeRaised:
    """The news of a date, with the calendar entry: the same uid always, a higher revision each time."""
    day = f"{uk_day(local_date(when.starts))}, {uk_time(when.starts)} to {uk_time(when.ends)}"
    entry = Invitation(
        uid=f"{engagement.id}-session-{session.id}",
        revision=revision,
        cancelled=news == CANCELLED,
        title=session.name,
        starts=when.starts,
        ends=when.ends,
        place=when.place,
    )
    return NoticeRaised(
        people=people,
        title=f"{session.name} {news}: {day}",
        about=session.id,
        topic=SESSION,
        invitation=entry,
    )


def answer_invitation(engagement: Engagement, command: AnswerInvitation, asked: Asked) -> list[Event]:
    """Accept or decline; the same answer twice is no news."""
    session = _not_held(engagement, command.session)
    if session.starts is None:
        what = "the session has no date; you are asked when it has one"
        raise NotYet(what)
    if asked.at >= session.starts:
        raise AlreadyDone("the session has begun")
    if session.replies.get(asked.by) is command.comes:
        return []
    return [InvitationAnswered(session=session.id, person=asked.by, comes=command.comes)]


# --- holding -------------------------------------------------------------------------------------------------------


def record_attendance(engagement: Engagement, command: RecordAttendance, asked: Asked) -> list[Event]:
    """Certify who was there. Without a quorum nothing can be agreed, and a new date is needed soon."""
    session = _not_held(engagement, command.session)
    if session.starts is None or asked.at < session.starts:
        what = "the session has not begun"
        raise NotYet(what)
    before = _before(engagement, session)
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
    """Call the sessions of the template when the stage opens, keep invitations true, and pass gate G3."""
    for session in sessions(engagement):
        if events := _off_in_a_pause(engagement, session, asked) or _late_invitation(engagement, session, asked):
            return events
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
        session=f"{engagement.running.number}{plan.letter}",
        letter=plan.letter,
        title=plan.title,
        purpose=Purpose.PLANNED,
        on=today,
    )


def _off_in_a_pause(engagement: Engagement, session: Session, asked: Asked) -> list[Event]:
    """Nobody travels to a session that lies in a pause; a new date is set when the programme goes on."""
    pause = engagement.continuity.pause
    if (
        pause is None
        or session.on is None
        or session.held
        or session.over
        or not asked.today <= session.on < pause.resumes
    ):
        return []
    return _called_off(engagement, session, "The programme is paused", asked.today, PAUSE)


def _late_invitation(engagement: Engagement, session: Session, asked: Asked) -> list[Event]:
    """Invite people who joined after the announcement, while the session lies ahead."""
    if session.starts is None or session.ends is None or asked.at >= session.starts or session.revision is None:
        return []
    people = tuple(person for person in invited(engagement, session) if person not in session.invited)
    if not people:
        return []
    when = When(starts=session.starts, ends=session.ends, place=session.place)
    return [
        InvitationExtended(session=session.id, people=people),
        _invitation(engagement, session, when, session.revision, people, "is announced"),
    ]


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


def _dated(engagement: Engagement, event: SessionScheduled | SessionMoved, at: datetime) -> Engagement:
    del at
    return changed(
        engagement,
        event.session,
        starts=event.starts,
        ends=event.ends,
        place=event.place,
        revision=event.revision,
        dated=event.on,
        invited=event.people,
        replies={},
        quorum_checked=False,
        over=None,
    )


def _cancelled(engagement: Engagement, event: SessionCancelled, at: datetime) -> Engagement:
    del at
    return changed(
        engagement,
        event.session,
        starts=None,
        ends=None,
        place="",
        revision=event.revision,
        dated=event.on,
        replies={},
        quorum_checked=False,
        over=None,
    )


def _extended(engagement: Engagement, event: InvitationExtended, at: datetime) -> Engagement:
    del at
    told = engagement.running.sessions.all[event.session].invited
    return changed(engagement, event.session, invited=(*told, *event.people))


def _answered(engagement: Engagement, event: InvitationAnswered, at: datetime) -> Engagement:
    del at
    replies = engagement.running.sessions.all[event.session].replies
    return changed(engagement, event.session, replies={**replies, event.person: event.comes})


def _quorum_checked(engagement: Engagement, event: QuorumChecked, at: datetime) -> Engagement:
    del at
    return changed(engagement, event.session, quorum_checked=True)


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
    """The look at the answers before a session, and the session itself."""
    for session in sessions(engagement):
        if session.held or session.over or session.starts is None or session.ends is None:
            continue
        if on := _quorum_check(engagement, session):
            why = f"{session.name} takes place on {uk_day(local_date(session.starts))}"
            what = "The facilitator is told if those who said that they come would be no quorum"
            yield Due(at=engagement.time.morning(on), key=f"act:sessions:quorum/{session.id}", what=what, why=why)
        why = "The date that was announced" if session.revision == 0 else "The date that was announced last"
        yield Due(at=session.ends, key=f"act:sessions:over/{session.id}", what=f"{session.name} takes place", why=why)


def _quorum_check(engagement: Engagement, session: Session) -> date | None:
    """5 working days before, or the day before where the session was announced later than that; else never."""
    if session.quorum_checked or session.on is None or session.dated is None:
        return None
    for before in (engagement.template.durations.session_quorum_check, 1):
        on = engagement.time.plus(session.on, -before)
        if session.dated < on:
            return on
    return None


def act(engagement: Engagement, what: str, asked: Asked) -> list[Event]:
    """Look at the answers; note that a session's time has passed."""
    deed, _, name = what.partition("/")
    session = engagement.running.sessions.all[name]
    if deed == "over":
        return [SessionOver(session=name, on=asked.today)]
    expected = quorum_of(engagement, (person for person, comes in session.replies.items() if comes))
    checked = QuorumChecked(session=name, expected=expected)
    if expected or session.starts is None:
        return [checked]
    title = f"{session.name}: too few have said that they come to be a quorum"
    facilitators = engagement.holders(Role.FACILITATOR)
    return [checked, NoticeRaised(people=facilitators, title=title, about=name, topic=SESSION)]


def tasks(engagement: Engagement) -> Iterator[Task]:
    """Invitations to answer; for the facilitator: dates to set or move, and attendance to record."""
    for session in sessions(engagement):
        if session.held:
            continue
        if session.starts and not session.over:
            yield from _invitations(engagement, session)
        for facilitator in engagement.holders(Role.FACILITATOR):
            if task := _duty(engagement, session, facilitator):
                yield task


def _invitations(engagement: Engagement, session: Session) -> Iterator[Task]:
    on, dated = session.on, session.dated
    if on is None or dated is None or session.starts is None:
        return
    due = DueDate(on, f"{session.name} begins at {uk_time(session.starts)} on {uk_day(on)}")
    for side in Side:
        for person in engagement.participants(side):
            if person not in session.replies:
                yield Task(
                    id=task_id(engagement, session, f"invitation-{session.revision}", person),
                    ladder="session-invitation",
                    person=person,
                    about=session.id,
                    command="AnswerInvitation",
                    title=f"Say whether you come to {session.name}",
                    opened=dated,
                    due=due,
                )


def _duty(engagement: Engagement, session: Session, facilitator: PersonId) -> Task | None:
    """What the facilitator owes for a session that was not held yet; one thing at a time."""
    time, durations = engagement.time, engagement.template.durations
    before = _before(engagement, session)
    if session.over:
        return Task(
            id=task_id(engagement, session, f"attendance-{session.revision}", facilitator),
            ladder="session-attendance",
            person=facilitator,
            about=session.id,
            command="RecordAttendance",
            title=f"Say who attended {session.name}",
            opened=session.over,
            due=time.due(session.over, durations.session_attendance, "the session"),
        )
    if before and (before.on is None or before.dated is None):
        return None
    since = max(filter(None, (session.called, session.dated, before.dated if before else None)))
    if session.starts is None:
        return Task(
            id=task_id(engagement, session, f"schedule-{session.revision or 0}", facilitator),
            ladder="schedule-session",
            person=facilitator,
            about=session.id,
            command="ScheduleSession",
            title=f"Set the date of {session.name}",
            opened=since,
            due=time.due(since, durations.session_scheduling, "a date was needed"),
        )
    if before and before.on and session.on and session.on < time.plus(before.on, durations.session_gap):
        return Task(
            id=task_id(engagement, session, f"move-{session.revision}-{before.id}-{before.revision}", facilitator),
            ladder="schedule-session",
            person=facilitator,
            about=session.id,
            command="MoveSession",
            title=f"Move {session.name}: session {before.letter} is too near to it",
            opened=since,
            due=time.due(since, durations.session_scheduling, "a new date was needed"),
        )
    return None


PART = Part(
    name="sessions",
    decide={
        CallSession: call,
        ScheduleSession: schedule,
        MoveSession: move,
        CancelSession: cancel,
        AnswerInvitation: answer_invitation,
        RecordAttendance: record_attendance,
    },
    evolve={
        SessionCalled: _called,
        SessionScheduled: _dated,
        SessionMoved: _dated,
        SessionCancelled: _cancelled,
        InvitationExtended: _extended,
        InvitationAnswered: _answered,
        QuorumChecked: _quorum_checked,
        SessionOver: _over,
        AttendanceRecorded: _held,
    },
    agenda=agenda,
    act=act,
    tasks=tasks,
    follows=follows,
)
