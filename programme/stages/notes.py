"""The notes of joint sessions: what a session agreed, and whether that counts.

Notes count when somebody of each side who attended has confirmed the same version, or when the facilitator has settled
them with both sides' views beside them. What anybody held against them is kept, whatever becomes of the notes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Literal

from programme.messages import PARTICIPANTS, Command, Due, Event, Paragraph, PersonId, Role, Side, Task
from programme.part import Asked, Part
from programme.post import NoticeRaised
from programme.refusals import (
    AlreadyDone,
    DidNotAttend,
    Invalid,
    NotesChanged,
    NotQuorate,
    NotYet,
    OutputMissing,
    UnknownCondition,
    UnknownSession,
)
from programme.stages.action import CONDITIONS
from programme.stages.session import (
    Deferral,
    DeferredCondition,
    Dissent,
    Notes,
    Option,
    Outputs,
    Purpose,
    Session,
    SessionId,
)
from programme.stages.sessions import attended, changed, find, sessions, task_id
from programme.working_time import at_local, end_of

if TYPE_CHECKING:
    from programme.engagement import Engagement


# --- commands ------------------------------------------------------------------------------------------------------


class RecordConversation(Command):
    """Keep what was talked about in a session without quorum. Nothing in it is agreed."""

    who = frozenset({Role.FACILITATOR})
    refusals = (UnknownSession, NotYet, Invalid)

    kind: Literal["RecordConversation"] = "RecordConversation"
    session: SessionId
    text: Paragraph


class WriteNotes(Command):
    """Write what a quorate session agreed, or write it anew; a new version has to be confirmed again."""

    who = frozenset({Role.FACILITATOR})
    refusals = (UnknownSession, NotYet, NotQuorate, AlreadyDone, OutputMissing, UnknownCondition, Invalid)

    kind: Literal["WriteNotes"] = "WriteNotes"
    session: SessionId
    outputs: Outputs


class ConfirmNotes(Command):
    """Say, for one's side, that this version of the notes is right."""

    who = PARTICIPANTS
    refusals = (UnknownSession, NotYet, AlreadyDone, DidNotAttend, NotesChanged)

    kind: Literal["ConfirmNotes"] = "ConfirmNotes"
    session: SessionId
    version: int


class DisputeNotes(Command):
    """Say what is wrong with this version of the notes. It is kept beside them."""

    who = PARTICIPANTS
    refusals = (UnknownSession, NotYet, DidNotAttend, NotesChanged, Invalid)

    kind: Literal["DisputeNotes"] = "DisputeNotes"
    session: SessionId
    version: int
    text: Paragraph


class SettleNotes(Command):
    """Let the notes stand although a side has not confirmed them in time, with the views of both sides beside them."""

    who = frozenset({Role.FACILITATOR})
    refusals = (UnknownSession, NotYet, AlreadyDone, Invalid)

    kind: Literal["SettleNotes"] = "SettleNotes"
    session: SessionId
    doctors_view: Paragraph
    managers_view: Paragraph


Commands = RecordConversation | WriteNotes | ConfirmNotes | DisputeNotes | SettleNotes


# --- events --------------------------------------------------------------------------------------------------------


class ConversationRecorded(Event):
    """A session without quorum left a record of what was talked about."""

    kind: Literal["ConversationRecorded"] = "ConversationRecorded"
    session: SessionId
    text: str


class NotesWritten(Event):
    """The notes of a session are out. They count for nothing yet."""

    kind: Literal["NotesWritten"] = "NotesWritten"
    session: SessionId
    version: int
    outputs: Outputs
    on: date


class NotesConfirmed(Event):
    """Somebody who attended has confirmed a version of the notes for their side."""

    kind: Literal["NotesConfirmed"] = "NotesConfirmed"
    session: SessionId
    version: int
    side: Side
    person: PersonId


class NotesDisputed(Event):
    """Somebody who attended holds something against a version of the notes."""

    kind: Literal["NotesDisputed"] = "NotesDisputed"
    session: SessionId
    version: int
    side: Side
    person: PersonId
    text: str
    on: date


class NotesUnconfirmed(Event):
    """The days for confirming have passed, and a side has not confirmed."""

    kind: Literal["NotesUnconfirmed"] = "NotesUnconfirmed"
    session: SessionId
    version: int
    on: date


class NotesSettled(Event):
    """The facilitator lets the notes stand, with the views of both sides beside them."""

    kind: Literal["NotesSettled"] = "NotesSettled"
    session: SessionId
    version: int
    doctors_view: str
    managers_view: str
    on: date


class NotesAdopted(Event):
    """From now on the notes count."""

    kind: Literal["NotesAdopted"] = "NotesAdopted"
    session: SessionId
    version: int
    on: date


class ConditionDeferred(Event):
    """A priority condition is left for later, until a date and for a reason."""

    kind: Literal["ConditionDeferred"] = "ConditionDeferred"
    condition: str
    until: date
    reason: str
    on: date


class DeferralRanOut(Event):
    """The date has come until which a condition was left."""

    kind: Literal["DeferralRanOut"] = "DeferralRanOut"
    condition: str
    on: date


Events = (
    ConversationRecorded
    | NotesWritten
    | NotesConfirmed
    | NotesDisputed
    | NotesUnconfirmed
    | NotesSettled
    | NotesAdopted
    | ConditionDeferred
    | DeferralRanOut
)


# --- what a session has to bring -----------------------------------------------------------------------------------


def _a_problem_and_priorities(engagement: Engagement, session: Session, outputs: Outputs) -> Iterator[str]:
    if not outputs.problem.strip():
        yield "a shared statement of the problem"
    if not outputs.priorities:
        yield "the priority conditions"
    raised = {one.session for one in engagement.differences.values()}
    if not raised.intersection(one.id for one in sessions(engagement) if one.letter == session.letter):
        yield "a difference in the log that came up in it (raise it with the id of this session)"


def _options_and_levels(engagement: Engagement, session: Session, outputs: Outputs) -> Iterator[str]:
    del engagement, session
    if not outputs.options:
        yield "the options, with what each side sees for and against them"
    if not outputs.decisions:
        yield "the table of decisions: who takes each now, and who should"


def _a_compact(engagement: Engagement, session: Session, outputs: Outputs) -> Iterator[str]:
    del engagement, session
    if outputs.compact is None:
        yield "the draft of the compact"


def _what_was_learned(engagement: Engagement, session: Session, outputs: Outputs) -> Iterator[str]:
    del engagement, session
    if not outputs.learned.strip():
        yield "what was learned"


REQUIRED: dict[tuple[Purpose, str], Callable[[Engagement, Session, Outputs], Iterator[str]]] = {
    (Purpose.PLANNED, "A"): _a_problem_and_priorities,
    (Purpose.PLANNED, "B"): _options_and_levels,
    (Purpose.PLANNED, "C"): _a_compact,
    (Purpose.LEARNING, "D"): _what_was_learned,
}
"""programme.md, Stage 3: the required output of each session. Any session may bring more; proposed actions and
development needs are kept by the agreement."""


def _refuse_missing(engagement: Engagement, session: Session, outputs: Outputs) -> None:
    if not outputs.summary.strip():
        raise OutputMissing("a summary of what was said")
    required = REQUIRED.get((session.purpose, session.letter))
    for what in required(engagement, session, outputs) if required else ():
        raise OutputMissing(what)


def _refuse_priorities(engagement: Engagement, priorities: tuple[str, ...]) -> None:
    _refuse_unknown(priorities)
    fewest, most = engagement.template.thresholds.priority_conditions
    if priorities and not fewest <= len(set(priorities)) == len(priorities) <= most:
        message = f"A session chooses {fewest} to {most} priority conditions, each of them once."
        raise Invalid(message)


def _refuse_unknown(conditions: tuple[str, ...]) -> None:
    for condition in conditions:
        if condition not in CONDITIONS:
            raise UnknownCondition(condition)


def _refuse_one_sided(outputs: Outputs) -> None:
    """Refuse options in which a side says nothing, and a compact in which a side gives nothing."""
    for option in outputs.options:
        if not option.text.strip() or not all(_heard(option, side) for side in Side):
            message = "Each option needs a text, and something from each side that speaks for it or against it."
            raise Invalid(message)
    if any(not row.decision.strip() for row in outputs.decisions):
        message = "Each row of the decision table names a decision."
        raise Invalid(message)
    compact = outputs.compact
    if compact and not all(any(given.strip() for given in compact.gives(side)) for side in Side):
        message = "In the compact each side gives something. What one side gives is what the other gets."
        raise Invalid(message)


def _heard(option: Option, side: Side) -> bool:
    if side is Side.DOCTOR:
        return bool((option.doctors_for + option.doctors_against).strip())
    return bool((option.managers_for + option.managers_against).strip())


def _refuse_deferrals(engagement: Engagement, outputs: Outputs, today: date) -> None:
    priorities = outputs.priorities or engagement.running.sessions.priorities
    for deferral in outputs.deferrals:
        _refuse_unknown((deferral.condition,))
        if deferral.condition not in priorities:
            message = f"{deferral.condition} is no priority condition. Only those are deferred."
            raise Invalid(message)
        if deferral.until <= today or not deferral.reason.strip():
            message = f"Say until when {deferral.condition} waits (a later day than today), and why."
            raise Invalid(message)


# --- decide --------------------------------------------------------------------------------------------------------


def record_conversation(engagement: Engagement, command: RecordConversation, asked: Asked) -> list[Event]:
    """Keep the conversation of a session without quorum."""
    del asked
    session = find(engagement, command.session)
    if session.held is None:
        what = "say first who attended"
        raise NotYet(what)
    if session.quorate or not command.text.strip():
        message = "A conversation is recorded, in words, for a session without quorum. A quorate one has notes."
        raise Invalid(message)
    return [ConversationRecorded(session=session.id, text=command.text)]


def write_notes(engagement: Engagement, command: WriteNotes, asked: Asked) -> list[Event]:
    """Put the notes out. Only a quorate session can prioritise, agree or adopt anything."""
    session = find(engagement, command.session)
    if session.held is None:
        what = "say first who attended"
        raise NotYet(what)
    if not session.quorate:
        raise NotQuorate
    if session.counts_from:
        raise AlreadyDone("the notes count; what has changed since belongs in the next session")
    _refuse_missing(engagement, session, command.outputs)
    _refuse_priorities(engagement, command.outputs.priorities)
    _refuse_one_sided(command.outputs)
    _refuse_deferrals(engagement, command.outputs, asked.today)
    version = session.notes.version + 1 if session.notes else 1
    return [NotesWritten(session=session.id, version=version, outputs=command.outputs, on=asked.today)]


def _read(engagement: Engagement, session_id: SessionId, version: int, person: PersonId) -> tuple[Session, Side]:
    """The session whose notes a person has read, and the side for which the person speaks."""
    session = find(engagement, session_id)
    side = engagement.people[person].side
    if session.notes is None:
        what = "the notes are not out"
        raise NotYet(what)
    if side is None or not attended(session, person):
        raise DidNotAttend
    if version != session.notes.version:
        raise NotesChanged(session.notes.version)
    return session, side


def confirm_notes(engagement: Engagement, command: ConfirmNotes, asked: Asked) -> list[Event]:
    """Confirm a version for one's side; one person of a side is enough."""
    session, side = _read(engagement, command.session, command.version, asked.by)
    if session.counts_from or (session.notes and side in session.notes.confirmed):
        raise AlreadyDone("somebody of your side has confirmed the notes, or they were settled")
    return [NotesConfirmed(session=session.id, version=command.version, side=side, person=asked.by)]


def dispute_notes(engagement: Engagement, command: DisputeNotes, asked: Asked) -> list[Event]:
    """Keep what somebody holds against the notes, and tell the facilitator."""
    session, side = _read(engagement, command.session, command.version, asked.by)
    if not command.text.strip():
        message = "Say what is wrong with the notes: your words are kept beside them."
        raise Invalid(message)
    facilitators = engagement.holders(Role.FACILITATOR)
    title = f"The notes of {session.name} are disputed. Write them anew, or leave both views"
    return [
        NotesDisputed(
            session=session.id, version=command.version, side=side, person=asked.by, text=command.text, on=asked.today
        ),
        NoticeRaised(people=facilitators, title=title, about=session.id),
    ]


def settle_notes(engagement: Engagement, command: SettleNotes, asked: Asked) -> list[Event]:
    """Let the notes stand with both views, once the days for confirming have passed."""
    session = find(engagement, command.session)
    if session.counts_from:
        raise AlreadyDone("the notes count")
    if session.notes is None or session.notes.late is None:
        what = "the notes must have waited for both sides as long as the programme allows"
        raise NotYet(what)
    if not command.doctors_view.strip() or not command.managers_view.strip():
        message = "Write down how the doctors and how the managers see it: both views stay beside the notes."
        raise Invalid(message)
    return [
        NotesSettled(
            session=session.id,
            version=session.notes.version,
            doctors_view=command.doctors_view,
            managers_view=command.managers_view,
            on=asked.today,
        )
    ]


def follows(engagement: Engagement, asked: Asked) -> list[Event]:
    """Notes that both sides have confirmed, or that were settled, count; what they defer is deferred."""
    for session in sessions(engagement):
        notes = session.notes
        if notes and session.counts_from is None and (notes.confirmed_from_both_sides or notes.views):
            adopted = NotesAdopted(session=session.id, version=notes.version, on=asked.today)
            return [adopted, *(_deferred(one, asked.today) for one in notes.outputs.deferrals)]
    return []


def _deferred(deferral: Deferral, today: date) -> ConditionDeferred:
    return ConditionDeferred(condition=deferral.condition, until=deferral.until, reason=deferral.reason, on=today)


# --- evolve --------------------------------------------------------------------------------------------------------


def _conversation(engagement: Engagement, event: ConversationRecorded, at: datetime) -> Engagement:
    del at
    return changed(engagement, event.session, conversation=event.text)


def _written(engagement: Engagement, event: NotesWritten, at: datetime) -> Engagement:
    del at
    notes = Notes(version=event.version, written=event.on, outputs=event.outputs)
    return changed(engagement, event.session, notes=notes)


def _confirmed(engagement: Engagement, event: NotesConfirmed, at: datetime) -> Engagement:
    del at
    notes = engagement.running.sessions.all[event.session].notes
    return _with_notes(
        engagement, event.session, confirmed={**(notes.confirmed if notes else {}), event.side: event.person}
    )


def _disputed(engagement: Engagement, event: NotesDisputed, at: datetime) -> Engagement:
    del at
    dissent = Dissent(side=event.side, version=event.version, text=event.text, by=event.person, on=event.on)
    return changed(
        engagement,
        event.session,
        dissents=(*engagement.running.sessions.all[event.session].dissents, dissent),
    )


def _unconfirmed(engagement: Engagement, event: NotesUnconfirmed, at: datetime) -> Engagement:
    del at
    return _with_notes(engagement, event.session, late=event.on)


def _settled(engagement: Engagement, event: NotesSettled, at: datetime) -> Engagement:
    del at
    views = {Side.DOCTOR: event.doctors_view, Side.MANAGER: event.managers_view}
    return _with_notes(engagement, event.session, views=views)


def _adopted(engagement: Engagement, event: NotesAdopted, at: datetime) -> Engagement:
    del at
    after = changed(engagement, event.session, counts_from=event.on)
    running = after.running.sessions
    return after.in_cycle(sessions=running.model_copy(update={"counted": (*running.counted, event.session)}))


def _condition_deferred(engagement: Engagement, event: ConditionDeferred, at: datetime) -> Engagement:
    del at
    deferred = DeferredCondition(condition=event.condition, until=event.until, reason=event.reason, since=event.on)
    return _with_deferral(engagement, deferred)


def _ran_out(engagement: Engagement, event: DeferralRanOut, at: datetime) -> Engagement:
    del at
    deferral = engagement.running.sessions.deferrals[event.condition]
    return _with_deferral(engagement, deferral.model_copy(update={"ran_out": True}))


def _with_deferral(engagement: Engagement, deferral: DeferredCondition) -> Engagement:
    running = engagement.running.sessions
    deferrals = {**running.deferrals, deferral.condition: deferral}
    return engagement.in_cycle(sessions=running.model_copy(update={"deferrals": deferrals}))


def _with_notes(engagement: Engagement, session: SessionId, **changes: object) -> Engagement:
    notes = engagement.running.sessions.all[session].notes
    return changed(engagement, session, notes=notes.model_copy(update=changes) if notes else None)


# --- agenda and tasks ----------------------------------------------------------------------------------------------


def agenda(engagement: Engagement) -> Iterator[Due]:
    """The end of the days for confirming; the dates until which conditions were left."""
    durations = engagement.template.durations
    for session in sessions(engagement):
        notes = session.notes
        if notes and session.counts_from is None and notes.late is None:
            due = engagement.time.due(notes.written, durations.notes_confirmation, "the notes were out")
            what = f"The facilitator is asked to settle the notes of {session.name}"
            key, closes = f"act:notes:late/{session.id}", ("confirm-notes", session.id)
            yield Due(at=end_of(due.on), key=key, what=what, why=due.why, promised=True, closes=closes)
    if engagement.cycle:
        for deferral in engagement.cycle.sessions.deferrals.values():
            if not deferral.ran_out:
                what = f"{deferral.condition} waits again for an action"
                why = "It was deferred until this day"
                at = at_local(engagement.time.shifted(deferral.since or deferral.until, deferral.until), time(0))
                yield Due(at=at, key=f"act:notes:deferral/{deferral.condition}", what=what, why=why)


def act(engagement: Engagement, what: str, asked: Asked) -> list[Event]:
    """Note that a confirmation is late; bring a deferred condition back."""
    deed, _, name = what.partition("/")
    if deed == "deferral":
        title = f"The day has come until which the condition {name} was left"
        people = engagement.holders(Role.FACILITATOR) + engagement.holders(Role.PROGRAMME_MANAGER)
        return [DeferralRanOut(condition=name, on=asked.today), NoticeRaised(people=people, title=title, about=name)]
    notes = engagement.running.sessions.all[name].notes
    return [NotesUnconfirmed(session=name, version=notes.version, on=asked.today)] if notes else []


def tasks(engagement: Engagement) -> Iterator[Task]:
    """Notes to write, to confirm and to settle."""
    for session in sessions(engagement):
        if not session.quorate or session.counts_from:
            continue
        for facilitator in engagement.holders(Role.FACILITATOR):
            if task := _of_facilitator(engagement, session, facilitator):
                yield task
        if session.notes:
            yield from _confirmations(engagement, session, session.notes)


def _of_facilitator(engagement: Engagement, session: Session, facilitator: PersonId) -> Task | None:
    time_, durations, notes = engagement.time, engagement.template.durations, session.notes
    if notes is None and session.held:
        return Task(
            id=task_id(engagement, session, "notes", facilitator),
            ladder="session-notes",
            person=facilitator,
            about=session.id,
            command="WriteNotes",
            title=f"Write the notes of {session.name}",
            opened=session.held,
            due=time_.due(session.held, durations.notes, "the quorum was certified"),
        )
    if notes and notes.late:
        return Task(
            id=task_id(engagement, session, f"settle-{notes.version}", facilitator),
            ladder="settle-notes",
            person=facilitator,
            about=session.id,
            command="SettleNotes",
            title=f"Settle the notes of {session.name} with both sides' views",
            opened=notes.late,
            due=time_.due(notes.late, durations.session_settling, "the days for confirming ended"),
        )
    return None


def _confirmations(engagement: Engagement, session: Session, notes: Notes) -> Iterator[Task]:
    """Everybody of a side who attended is asked, until one of them has confirmed."""
    due = engagement.time.due(notes.written, engagement.template.durations.notes_confirmation, "the notes were out")
    for person in session.voting:
        side = engagement.people[person].side
        if side and side not in notes.confirmed and engagement.people[person].takes_part:
            yield Task(
                id=task_id(engagement, session, f"confirm-{notes.version}", person),
                ladder="confirm-notes",
                person=person,
                about=session.id,
                command="ConfirmNotes",
                title=f"Confirm the notes of {session.name}",
                opened=notes.written,
                due=due,
                side=side,
            )


PART = Part(
    name="notes",
    decide={
        RecordConversation: record_conversation,
        WriteNotes: write_notes,
        ConfirmNotes: confirm_notes,
        DisputeNotes: dispute_notes,
        SettleNotes: settle_notes,
    },
    evolve={
        ConversationRecorded: _conversation,
        NotesWritten: _written,
        NotesConfirmed: _confirmed,
        NotesDisputed: _disputed,
        NotesUnconfirmed: _unconfirmed,
        NotesSettled: _settled,
        NotesAdopted: _adopted,
        ConditionDeferred: _condition_deferred,
        DeferralRanOut: _ran_out,
    },
    agenda=agenda,
    act=act,
    tasks=tasks,
    follows=follows,
)
