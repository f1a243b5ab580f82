"""What people do about joint sessions: dates, invitations, attendance, notes."""

from __future__ import annotations

from datetime import date, time

from programme.differences import RaiseDifference
from programme.forecasting.beginning import SAID
from programme.forecasting.moment import Course, Deeds, Moment
from programme.messages import PersonId, Side
from programme.stages.action import CONDITIONS
from programme.stages.invitations import AnswerInvitation, MoveSession, ScheduleSession, window
from programme.stages.notes import ConfirmNotes, SettleNotes, WriteNotes
from programme.stages.session import (
    CompactDraft,
    DecisionLevel,
    Deferral,
    Level,
    Option,
    Outputs,
    Purpose,
    Session,
)
from programme.stages.sessions import RecordAttendance, session_before, uncovered
from programme.working_time import at_local, month_after

SESSION_AT = time(14)
AHEAD = 2  # working days at least from the announcement to the session, at today's pace
DEFERRED_MONTHS = 3


def called(session: Session) -> str:
    """What a move calls a session: session-b; extra ones cannot be told apart beforehand."""
    return (
        f"session-{session.letter.lower()}" if session.purpose is Purpose.PLANNED else f"session-{session.id.lower()}"
    )


def _session(moment: Moment) -> Session:
    return moment.engagement.running.sessions.all[moment.task.about]


# --- dates -----------------------------------------------------------------------------------------------------------


def schedule_session(moment: Moment) -> Deeds:
    """Set a date that the programme allows."""
    session = _session(moment)
    starts = at_local(session_day(moment, session), SESSION_AT)
    return [(ScheduleSession(session=session.id, starts=starts, place=SAID), moment.task.person)]


def move_session(moment: Moment) -> Deeds:
    """Keep the distance to the session before."""
    return moved(moment, _session(moment), moment.task.person)


def moved(moment: Moment, session: Session, by: PersonId) -> Deeds:
    """Give a session another date."""
    starts = at_local(session_day(moment, session), SESSION_AT)
    return [(MoveSession(session=session.id, starts=starts, place=SAID, reason=SAID), by)]


def session_day(moment: Moment, session: Session) -> date:
    """The day of a session: as early as the rules allow, as usual, or as late; not before a move lets it be."""
    time_, today = moment.engagement.time, moment.today
    earliest, latest = window(moment.engagement, session, today)
    first = time_.plus(today, 1)
    wanted = max(filter(None, (_usual(moment, session, latest), earliest, first)))
    wanted = max(wanted, moment.guide.not_before.get(called(session), wanted))
    wanted = moment.working_day(wanted, moment.task.person)
    return max(min(wanted, latest), earliest or first) if latest else wanted


def _usual(moment: Moment, session: Session, latest: date | None) -> date:
    """When a course would have a session, limits apart: the first of its kind is announced some weeks ahead."""
    time_, durations = moment.engagement.time, moment.engagement.template.durations
    if moment.guide.course is Course.BEST:
        return time_.plus(moment.today, 1)
    if moment.guide.course is Course.WORST and latest:
        return latest
    if session.within is not None or session.purpose is not Purpose.PLANNED:
        return time_.plus(moment.today, durations.session_gap)
    if session_before(moment.engagement, session):
        return time_.plus(moment.today, AHEAD)
    return time_.plus(moment.today, durations.session_invitation)


def answer_invitation(moment: Moment) -> Deeds:
    """Come."""
    return [(AnswerInvitation(session=moment.task.about, comes=True), moment.task.person)]


# --- attendance ------------------------------------------------------------------------------------------------------


def record_attendance(moment: Moment) -> Deeds:
    """Everybody who is there comes; at worst the first date has no quorum."""
    session, who = _session(moment), moment.task.person
    before = session_before(moment.engagement, session)
    if before and not before.quorate:  # the one before took place again in between: this one waits for it
        return moved(moment, session, who) if before.on else []
    voting = () if moment.guide.course is Course.WORST and not _again(moment, session) else _balanced(moment)
    return [(RecordAttendance(session=session.id, voting=voting, others=(who,)), who)]


def _again(moment: Moment, session: Session) -> bool:
    """Whether a session of the same kind took place without quorum."""
    others = moment.engagement.running.sessions.all.values()
    return any(
        one.held and not one.quorate and (one.letter, one.purpose) == (session.letter, session.purpose)
        for one in others
    )


def _balanced(moment: Moment) -> tuple[PersonId, ...]:
    """Both sides; of the larger one only as many vote as leave the smaller its share."""
    doctors, managers = (moment.present(side) for side in (Side.DOCTOR, Side.MANAGER))
    share = moment.engagement.template.thresholds.quorum_percent
    most = min(len(doctors), len(managers)) * (100 - share) // max(share, 1)
    return doctors[:most] + managers[:most]


# --- notes -----------------------------------------------------------------------------------------------------------


def write_notes(moment: Moment) -> Deeds:
    """Write what the session has to bring; the first one logs a difference, the last one defers what is left."""
    session = _session(moment)
    deeds: Deeds = []
    if session.letter == "A" and session.purpose is Purpose.PLANNED:
        deeds = [(RaiseDifference(title=SAID, session=session.id), session.voting[0])]
    return [*deeds, (WriteNotes(session=session.id, outputs=_outputs(moment, session)), moment.task.person)]


def _outputs(moment: Moment, session: Session) -> Outputs:
    """All that any session may have to bring; what it brings too much of is no fault."""
    if session.purpose is not Purpose.PLANNED:
        return Outputs(summary=SAID, learned=SAID)
    running, found = moment.engagement.running.sessions, Outputs(summary=SAID)
    if session.letter == "A":
        fewest = moment.engagement.template.thresholds.priority_conditions[0]
        found = found.model_copy(update={"problem": SAID, "priorities": tuple(sorted(CONDITIONS)[:fewest])})
    if session.letter == "B":
        option = Option(text=SAID, doctors_for=SAID, managers_for=SAID)
        decision = DecisionLevel(decision=SAID, now=Level.DIVISION, should=Level.SERVICE)
        found = found.model_copy(update={"options": (option,), "decisions": (decision,)})
    if session.letter == moment.engagement.template.sessions[-1].letter:
        compact = running.compact or CompactDraft(doctors_give=(SAID,), managers_give=(SAID,))
        until = month_after(moment.today, DEFERRED_MONTHS)
        left = tuple(Deferral(condition=one, until=until, reason=SAID) for one in uncovered(moment.engagement))
        found = found.model_copy(update={"compact": compact, "deferrals": left})
    elif session.letter == "C":
        found = found.model_copy(update={"compact": CompactDraft(doctors_give=(SAID,), managers_give=(SAID,))})
    return found


def confirm_notes(moment: Moment) -> Deeds:
    """Confirm the version that is out."""
    notes = _session(moment).notes
    return [(ConfirmNotes(session=moment.task.about, version=notes.version), moment.task.person)] if notes else []


def settle_notes(moment: Moment) -> Deeds:
    """Let both views stand."""
    return [(SettleNotes(session=moment.task.about, doctors_view=SAID, managers_view=SAID), moment.task.person)]
