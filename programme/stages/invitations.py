"""When joint sessions take place and who comes: dates, calendar entries, answers, and a look ahead at the quorum."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Literal

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
)
from programme.part import Asked, Part
from programme.post import PAUSE, SESSION, Invitation, NoticeRaised
from programme.refusals import AlreadyDone, Invalid, NotYet, SessionTooLate, SessionTooSoon, UnknownSession
from programme.stages.session import Purpose, Session, SessionId
from programme.stages.sessions import changed, not_held, quorum_of, session_before, sessions, task_id
from programme.working_time import local_date, uk_date, uk_day, uk_time

if TYPE_CHECKING:
    from programme.engagement import Engagement

SPONSORS_COME = frozenset({Purpose.LEARNING, Purpose.RENEWAL})
EXTRA_HOURS = 2  # an extra session is a short one
CANCELLED = "is cancelled"


# --- commands --------------------------------------------------------------------------------------------------------


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


Commands = ScheduleSession | MoveSession | CancelSession | AnswerInvitation


# --- events ----------------------------------------------------------------------------------------------------------


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


Events = SessionScheduled | SessionMoved | SessionCancelled | InvitationExtended | InvitationAnswered | QuorumChecked


# --- decide ----------------------------------------------------------------------------------------------------------


def invited(engagement: Engagement, session: Session) -> tuple[PersonId, ...]:
    """Both sides and the facilitator; the sponsors too where the session looks back or ahead."""
    people = engagement.participants(Side.DOCTOR) + engagement.participants(Side.MANAGER)
    people += engagement.holders(Role.FACILITATOR)
    return tuple(dict.fromkeys(people + engagement.sponsors if session.purpose in SPONSORS_COME else people))


class When(Frozen):
    """A date that was checked: UTC instants, and the place."""

    starts: datetime
    ends: datetime
    place: str


def schedule(engagement: Engagement, command: ScheduleSession, asked: Asked) -> list[Event]:
    """Give a session its date, and invite everybody."""
    session = not_held(engagement, command.session)
    if session.starts:
        raise AlreadyDone("the session has a date; move it instead")
    if not _in_turn(engagement, session):
        what = "the programme is back in the perspective exchange; the sessions go on after it"
        raise NotYet(what)
    when = _checked(engagement, session, command, asked)
    revision = 0 if session.revision is None else session.revision + 1
    people = invited(engagement, session)
    return [
        SessionScheduled(session=session.id, revision=revision, people=people, on=asked.today, **when.model_dump()),
        _invitation(engagement, session, when, revision, people, "is announced"),
    ]


def move(engagement: Engagement, command: MoveSession, asked: Asked) -> list[Event]:
    """Give a session another date, and say so to everybody."""
    session = not_held(engagement, command.session)
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
    session = not_held(engagement, command.session)
    _refuse_no_reason(command.reason)
    cancelled = called_off(engagement, session, command.reason, asked.today, SESSION)
    if not cancelled:
        what = "the session has no date that could be cancelled"
        raise NotYet(what)
    return cancelled


def called_off(engagement: Engagement, session: Session, reason: str, today: date, topic: str) -> list[Event]:
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


def _refuse_no_reason(reason: str) -> None:
    if not reason.strip():
        message = "Say why: everybody who was invited is told of the change."
        raise Invalid(message)


def _checked(engagement: Engagement, session: Session, asked_for: ScheduleSession | MoveSession, asked: Asked) -> When:
    """The date that is asked for, where it can stand."""
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
    before = session_before(engagement, session)
    if before and before.on is None:
        what = f"session {before.letter} has no date yet; schedule it first"
        raise NotYet(what)
    earliest, latest = window(engagement, session, today)
    if earliest and on < earliest:
        raise SessionTooSoon(engagement.template.durations.session_gap, uk_date(earliest))
    if latest and on > latest:
        raise SessionTooLate(uk_date(latest))


def window(engagement: Engagement, session: Session, today: date) -> tuple[date | None, date | None]:
    """The first and the last day that a session may have, as things stand today; None where there is no limit."""
    time, durations = engagement.time, engagement.template.durations
    limits = []
    if session.within is not None:
        by = time.due(session.called, session.within, "the session was called").on
        limits.append(_while_it_can_be_met(engagement, by, session.within, today))
    before = session_before(engagement, session)
    if before is None or before.on is None:
        return None, min(limits, default=None)
    if session.within is None:
        by = time.shifted(before.on, time.plus(before.on, durations.session_gap_most))
        limits.append(_while_it_can_be_met(engagement, by, durations.session_gap_most, today))
    return time.plus(before.on, durations.session_gap), min(limits, default=None)


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
    session = not_held(engagement, command.session)
    if session.starts is None:
        what = "the session has no date; you are asked when it has one"
        raise NotYet(what)
    if asked.at >= session.starts:
        raise AlreadyDone("the session has begun")
    if session.replies.get(asked.by) is command.comes:
        return []
    return [InvitationAnswered(session=session.id, person=asked.by, comes=command.comes)]


# --- what follows ----------------------------------------------------------------------------------------------------


def follows(engagement: Engagement, asked: Asked) -> list[Event]:
    """Keep invitations true: nobody travels into a pause, and who has come since is invited too."""
    for session in sessions(engagement):
        if events := _off_in_a_pause(engagement, session, asked) or _late_invitation(engagement, session, asked):
            return events
    return []


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
    return called_off(engagement, session, "The programme is paused", asked.today, PAUSE)


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


# --- evolve ----------------------------------------------------------------------------------------------------------


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


# --- agenda and tasks ------------------------------------------------------------------------------------------------


def agenda(engagement: Engagement) -> Iterator[Due]:
    """The look at the answers some days before a session."""
    for session in sessions(engagement):
        if session.held or session.over or session.starts is None:
            continue
        if on := _quorum_check(engagement, session):
            why = f"{session.name} takes place on {uk_day(local_date(session.starts))}"
            what = "The facilitator is told if those who said that they come would be no quorum"
            yield Due(at=engagement.time.morning(on), key=f"act:invitations:quorum/{session.id}", what=what, why=why)


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
    """Look at the answers, and tell the facilitator if they promise no quorum."""
    del asked
    session = engagement.running.sessions.all[what.partition("/")[2]]
    expected = quorum_of(engagement, (person for person, comes in session.replies.items() if comes))
    checked = QuorumChecked(session=session.id, expected=expected)
    if expected:
        return [checked]
    title = f"{session.name}: too few have said that they come to be a quorum"
    facilitators = engagement.holders(Role.FACILITATOR)
    return [checked, NoticeRaised(people=facilitators, title=title, about=session.id, topic=SESSION)]


def tasks(engagement: Engagement) -> Iterator[Task]:
    """Invitations to answer; for the facilitator, dates to set or to move."""
    for session in sessions(engagement):
        if session.held or session.over:
            continue
        if session.starts:
            yield from _invitations(engagement, session)
        for facilitator in engagement.holders(Role.FACILITATOR):
            if task := _date_to_set(engagement, session, facilitator):
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


def _in_turn(engagement: Engagement, session: Session) -> bool:
    """Whether a session may have a date: a planned one waits while the programme is back in the exchange."""
    return session.purpose is not Purpose.PLANNED or engagement.in_stage(Stage.SESSIONS)


def _back_since(engagement: Engagement, session: Session) -> date | None:
    """Since when the programme is in the joint sessions again, for a session that was called before."""
    if session.purpose is not Purpose.PLANNED or engagement.cycle is None:
        return None
    spans = [one for one in engagement.stages if (one.stage, one.cycle) == (Stage.SESSIONS, engagement.cycle.number)]
    return spans[-1].started if len(spans) > 1 and session.called < spans[-1].started else None


def _date_to_set(engagement: Engagement, session: Session, facilitator: PersonId) -> Task | None:
    """A first date, once the session before it has one; another date, where the one before has come too near."""
    before = session_before(engagement, session)
    if before and (before.on is None or before.dated is None):
        return None
    back = _back_since(engagement, session)
    if not _in_turn(engagement, session):
        return None
    since = max(filter(None, (session.called, session.dated, before.dated if before else None, back)))
    gap = engagement.template.durations.session_gap
    if session.starts is None:
        what = f"schedule-{session.revision or 0}{f'-{back}' if back else ''}"
        command, title = "ScheduleSession", f"Set the date of {session.name}"
    elif before and before.on and session.on and session.on < engagement.time.plus(before.on, gap):
        what, command = f"move-{session.revision}-{before.id}-{before.revision}", "MoveSession"
        title = f"Move {session.name}: session {before.letter} is too near to it"
    else:
        return None
    return Task(
        id=task_id(engagement, session, what, facilitator),
        ladder="schedule-session",
        person=facilitator,
        about=session.id,
        command=command,
        title=title,
        opened=since,
        due=engagement.time.due(since, engagement.template.durations.session_scheduling, "a date was needed"),
    )


PART = Part(
    name="invitations",
    decide={
        ScheduleSession: schedule,
        MoveSession: move,
        CancelSession: cancel,
        AnswerInvitation: answer_invitation,
    },
    evolve={
        SessionScheduled: _dated,
        SessionMoved: _dated,
        SessionCancelled: _cancelled,
        InvitationExtended: _extended,
        InvitationAnswered: _answered,
        QuorumChecked: _quorum_checked,
    },
    agenda=agenda,
    act=act,
    tasks=tasks,
    follows=follows,
)
