"""Today's pace: when the people of an engagement do what they owe, measured from what the folded state remembers.

A figure is a median over everybody who did the same kind of thing, at least three times; where less is known the share
of the allowed time counts that people take altogether. Figures are used and never shown one by one: a kind of task that
one person does would be a figure about that person (programme.md, invariants 14 and 30).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median_low
from typing import TYPE_CHECKING, NamedTuple

from programme.measures import next_month
from programme.messages import Stage

if TYPE_CHECKING:
    from programme.engagement import Cycle, Engagement
    from programme.working_time import WorkingTime

DEFAULT_SHARE = 50  # percent of the allowed time, where nothing is known: half of it
FEWEST = 3  # deeds of a kind, before they count as a pace of their own


class Done(NamedTuple):
    """Something that somebody did: which command, since when it was owed, by when it was due, when it was done."""

    command: str
    opened: date
    due: date
    on: date


@dataclass(frozen=True)
class Pace:
    """``offsets``: working days after the due date, by command (negative: before it). ``share``: percent of the time.

    measured: of how many deeds these figures were taken; 0: they are the default.
    """

    offsets: Mapping[str, int] = field(default_factory=dict)
    share: int = DEFAULT_SHARE
    measured: int = 0


def signed(time: WorkingTime, due: date, on: date) -> int:
    """How many working days after its due date something was done; negative before it."""
    return time.between(due, on) if on >= due else -time.between(on, due)


def measured(engagement: Engagement) -> Pace:
    """The pace of an engagement's people so far; the default where nothing has been done yet."""
    time = engagement.time
    by_command: dict[str, list[int]] = {}
    shares = []
    for one in _done(engagement):
        by_command.setdefault(one.command, []).append(signed(time, one.due, one.on))
        if allowed := time.between(one.opened, one.due):
            shares.append(100 * time.between(one.opened, one.on) // allowed)
    offsets = {command: median_low(found) for command, found in by_command.items() if len(found) >= FEWEST}
    known = len(shares) >= FEWEST
    return Pace(offsets, median_low(shares) if known else DEFAULT_SHARE, sum(map(len, by_command.values())))


def _done(engagement: Engagement) -> Iterator[Done]:
    """Everything that the state dates on both ends. Who has answered a questionnaire is nobody's to measure."""
    yield from _beginning(engagement)
    for cycle in (*engagement.past, engagement.cycle) if engagement.cycle else engagement.past:
        yield from _exchange(engagement, cycle)
        yield from _sessions(engagement, cycle)
        yield from _agreement(engagement, cycle)
        yield from _delivery(engagement, cycle)
        yield from _reviews(engagement, cycle)


def _after(engagement: Engagement, command: str, opened: date, days: int, on: date) -> Done:
    return Done(command, opened, engagement.time.shifted(opened, engagement.time.plus(opened, days)), on)


def _beginning(engagement: Engagement) -> Iterator[Done]:
    durations = engagement.template.durations
    for person in engagement.people.values():
        if person.enrolled and person.accepted:
            yield _after(engagement, "AcceptEnrolment", person.enrolled, durations.enrolment, person.accepted)
        for one in person.appointments:
            if one.accepted and one.accepted > one.since:  # on the day itself it may have needed no answer
                yield _after(engagement, "AcceptAppointment", one.since, durations.appointment, one.accepted)


def _exchange(engagement: Engagement, cycle: Cycle) -> Iterator[Done]:
    durations, exchange = engagement.template.durations, cycle.exchange
    if exchange.proposed_on and exchange.confirmed:
        yield _after(engagement, "ConfirmPairs", exchange.proposed_on, durations.pair_confirmation, exchange.confirmed)
    for pair in exchange.pairs.values():
        for visit in pair.visits:
            yield _after(engagement, "RecordVisit", pair.formed, durations.pair_visits, visit.noted)
        for writing in pair.writings.values():
            if writing.round == 1:
                yield _after(engagement, "WriteReflection", pair.formed, durations.reflection, writing.on)
                for mark in writing.marks.values():
                    yield _after(engagement, "MarkReflection", pair.formed, durations.recognition, mark.on)


def _sessions(engagement: Engagement, cycle: Cycle) -> Iterator[Done]:
    durations = engagement.template.durations
    for session in cycle.sessions.all.values():
        if session.held and session.on:
            yield _after(engagement, "RecordAttendance", session.on, durations.session_attendance, session.held)
        if session.held and session.notes and session.notes.version == 1:
            yield _after(engagement, "WriteNotes", session.held, durations.notes, session.notes.written)
        if session.notes and session.counts_from and not session.notes.views:
            written, days = session.notes.written, durations.notes_confirmation
            yield _after(engagement, "ConfirmNotes", written, days, session.counts_from)


def _agreement(engagement: Engagement, cycle: Cycle) -> Iterator[Done]:
    durations, agreement = engagement.template.durations, cycle.agreement
    ended = [one.ended for one in engagement.stages if (one.stage, one.cycle) == (Stage.SESSIONS, cycle.number)]
    since = max((one for one in ended if one), default=date.min)
    for action in agreement.actions.values():
        for assent in action.agreements.values() if action.proposed else ():
            opened = max(action.proposed or since, since)
            if assent.version == action.version and opened <= assent.on:
                yield _after(engagement, "AgreeAction", opened, durations.agreement, assent.on)
        if action.approval and action.approval_asked:
            yield _after(engagement, "ApproveAction", action.approval_asked, durations.approval, action.approval.on)
        for found in action.verifications.values() if action.reported else ():
            opened = action.reported or found.on
            yield _after(engagement, "VerifyAction", opened, durations.verification, found.on)
    for signed_on in agreement.compact.signatures.values():
        if (opened := max(agreement.compact.drafted or since, since)) <= signed_on:
            yield _after(engagement, "SignCompact", opened, durations.compact, signed_on)


def _delivery(engagement: Engagement, cycle: Cycle) -> Iterator[Done]:
    durations = engagement.template.durations
    for one in cycle.delivery.check_ins:
        for lines in one.lines.values():
            for line in lines.values():
                yield _after(engagement, "CheckIn", one.opened, one.working_days, line.on)
    asked_for = {(one.month, measure) for one in cycle.delivery.points for measure in one.measures}
    for measure in engagement.measures.measures.values():
        for reading in measure.readings:
            if (reading.period, measure.id) in asked_for and reading.corrects is None:
                ended = next_month(reading.period) - timedelta(days=1)
                yield _after(engagement, "AddPoints", ended, durations.measure_point, reading.on)


def _reviews(engagement: Engagement, cycle: Cycle) -> Iterator[Done]:
    durations = engagement.template.durations
    for review in cycle.challenge.reviews.values():
        for seat in review.panel.values():
            if seat.accepted:
                yield _after(engagement, "AcceptPanel", seat.appointed, durations.panel_acceptance, seat.accepted)
        if review.held and review.found:
            yield _after(engagement, "RecordFindings", review.held, durations.findings, review.found)
        for finding in review.findings.values() if review.found else ():
            for answer in finding.answers.values():
                yield _after(
                    engagement, "AnswerFinding", review.found or answer.on, durations.findings_answer, answer.on
                )
        if review.meeting:
            due = engagement.time.plus(review.meeting.on, -durations.position_statement)
            for statement in review.statements.values():
                yield Done("GivePositionStatement", review.meeting.called, due, statement.on)
