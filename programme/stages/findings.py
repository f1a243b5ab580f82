"""What a panel found and what both sides answer: each finding tied to something, corrected beside its first wording.

The chair answers three questions against complacency; what both sides accept of a recommendation becomes a draft.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from programme.messages import (
    CHALLENGERS,
    PARTICIPANTS,
    SPONSORS,
    Command,
    DueDate,
    Event,
    Frozen,
    Paragraph,
    PersonId,
    Side,
    Task,
)
from programme.part import Asked, Decides, Evolves
from programme.post import NoticeRaised
from programme.refusals import (
    AlreadyDone,
    ConflictOfInterest,
    FindingNotTied,
    Invalid,
    NotComplacent,
    NotHeldByYou,
    NotYet,
    Unknown,
)
from programme.stages.action import CONDITIONS
from programme.stages.drafting import ActionText, drafted
from programme.stages.review import (
    Answer,
    Complacency,
    Correction,
    Finding,
    FindingId,
    FindingKind,
    Reply,
    Review,
    ReviewId,
    answerers,
    speaks_for,
)
from programme.stages.reviewing import (
    change_review,
    finding_of,
    refuse_others_than_the_chair,
    review_of,
    said,
    task_of,
    unfound,
    with_finding,
)

if TYPE_CHECKING:
    from programme.engagement import Engagement

TITLE_LIMIT = 300  # of an action: a Sentence


# --- commands --------------------------------------------------------------------------------------------------------


class NewFinding(Frozen):
    """One finding as the chair writes it, tied to an action or to a condition (C01 to C11)."""

    kind: FindingKind
    text: Paragraph
    action: str = ""
    condition: str = ""


class RecordFindings(Command):
    """Write what the panel found, and answer the three questions against complacency.

    Without a concern and without a recommendation, ``reason`` says why, and ``second`` names the other challenger who
    stands by that.
    """

    who = CHALLENGERS
    refusals = (Unknown, AlreadyDone, NotYet, NotHeldByYou, ConflictOfInterest, FindingNotTied, NotComplacent, Invalid)

    kind: Literal["RecordFindings"] = "RecordFindings"
    review: ReviewId
    findings: tuple[NewFinding, ...] = ()
    surprised: Paragraph
    stopped_asking: Paragraph
    disagreement: Paragraph
    reason: Paragraph = ""
    second: PersonId = ""


class CorrectFinding(Command):
    """Word a finding anew, with a reason. The earlier wording stays in the record; answers to it fall away."""

    who = CHALLENGERS
    refusals = (Unknown, AlreadyDone, NotHeldByYou, ConflictOfInterest, Invalid)

    kind: Literal["CorrectFinding"] = "CorrectFinding"
    review: ReviewId
    finding: FindingId
    text: Paragraph
    reason: Paragraph


class AnswerFinding(Command):
    """Answer a finding for one's side: accept, partly or reject; the last two with a reason."""

    who = PARTICIPANTS | SPONSORS
    refusals = (Unknown, AlreadyDone, NotHeldByYou, Invalid)

    kind: Literal["AnswerFinding"] = "AnswerFinding"
    review: ReviewId
    finding: FindingId
    reply: Reply
    reason: Paragraph = ""


Commands = RecordFindings | CorrectFinding | AnswerFinding


# --- events ----------------------------------------------------------------------------------------------------------


class FindingsRecorded(Event):
    """A panel's findings, and the chair's three answers."""

    kind: Literal["FindingsRecorded"] = "FindingsRecorded"
    review: ReviewId
    findings: tuple[Finding, ...]
    complacency: Complacency
    on: date


class FindingCorrected(Event):
    """A finding is worded anew; the earlier wording stays in the record."""

    kind: Literal["FindingCorrected"] = "FindingCorrected"
    review: ReviewId
    finding: FindingId
    text: str
    reason: str
    on: date


class FindingAnswered(Event):
    """A side answered a finding."""

    kind: Literal["FindingAnswered"] = "FindingAnswered"
    review: ReviewId
    finding: FindingId
    person: PersonId
    side: Side
    reply: Reply
    reason: str
    on: date


Events = FindingsRecorded | FindingCorrected | FindingAnswered


# --- decide ----------------------------------------------------------------------------------------------------------


def record_findings(engagement: Engagement, command: RecordFindings, asked: Asked) -> list[Event]:
    """Commend, concern or recommend, each tied to something; and the test against complacency."""
    review = unfound(engagement, command.review)
    refuse_others_than_the_chair(engagement, review, asked)
    if review.held is None or review.evidence is None:
        raise NotYet("the panel must have met")
    for one in command.findings:
        said(one.text, "A finding")
        tied = one.action in review.evidence.actions if one.action else one.condition in CONDITIONS
        if not tied or bool(one.action) == bool(one.condition):
            raise FindingNotTied
    findings = tuple(
        Finding(id=f"{review.id}-{number}", **one.model_dump()) for number, one in enumerate(command.findings, start=1)
    )
    complacency = _complacency(review, command)
    recorded = FindingsRecorded(review=review.id, findings=findings, complacency=complacency, on=asked.today)
    people = (one for finding in findings for side in Side for one in answerers(engagement, finding, side))
    told = tuple(dict.fromkeys(people))
    title = "A challenge review has findings that wait for the answer of both sides"
    return [recorded, *([NoticeRaised(people=told, title=title, about=review.id)] if told else [])]


def _complacency(review: Review, command: RecordFindings) -> Complacency:
    answers = {
        "surprised": said(command.surprised, "What surprised the panel"),
        "stopped_asking": said(command.stopped_asking, "What nobody asks any more"),
        "disagreement": said(command.disagreement, "Where score and measure disagree"),
    }
    if any(one.kind is not FindingKind.COMMEND for one in command.findings):
        return Complacency(**answers)
    second = command.second in review.attended and command.second != review.chair
    if not command.reason.strip() or not second:
        raise NotComplacent
    return Complacency(**answers, reason=command.reason.strip(), second=command.second)


def correct_finding(engagement: Engagement, command: CorrectFinding, asked: Asked) -> list[Event]:
    """Another wording, beside the first; only until both sides have answered."""
    review = review_of(engagement, command.review)
    refuse_others_than_the_chair(engagement, review, asked)
    finding = finding_of(review, command.finding)
    if finding.answered:
        raise AlreadyDone("both sides have answered this finding")
    text, reason = said(command.text, "The finding"), said(command.reason, "The reason")
    return [FindingCorrected(review=review.id, finding=finding.id, text=text, reason=reason, on=asked.today)]


def answer_finding(engagement: Engagement, command: AnswerFinding, asked: Asked) -> list[Event]:
    """One side's answer. What both sides accept of a recommendation is drafted as an action."""
    review = review_of(engagement, command.review)
    finding = finding_of(review, command.finding)
    side = speaks_for(engagement, finding, asked.by)
    if side is None:
        raise NotHeldByYou("Answering this finding")
    if side in finding.answers:
        raise AlreadyDone("your side has answered this finding")
    if command.reply is not Reply.ACCEPT:
        said(command.reason, "The reason")
    answered = FindingAnswered(
        review=review.id,
        finding=finding.id,
        person=asked.by,
        side=side,
        reply=command.reply,
        reason=command.reason.strip(),
        on=asked.today,
    )
    after = _with_answer(finding, answered)
    return [answered, *(_drafted(engagement, after, asked) if after.accepted else [])]


def _drafted(engagement: Engagement, finding: Finding, asked: Asked) -> list[Event]:
    """An accepted recommendation enters stage 4 as a draft action: a title, to be completed by both sides."""
    if finding.kind is not FindingKind.RECOMMEND:
        return []
    tied = engagement.running.agreement.actions.get(finding.action)
    text = ActionText(
        title=finding.text[:TITLE_LIMIT],
        conditions=tied.conditions if tied else (finding.condition,),
        doctor_owner=tied.doctor_owner if tied else "",
        manager_owner=tied.manager_owner if tied else "",
    )
    return [drafted(engagement, text, finding.id, asked.today)]


# --- evolve ----------------------------------------------------------------------------------------------------------


def _recorded(engagement: Engagement, event: FindingsRecorded, at: datetime) -> Engagement:
    del at
    findings = {one.id: one for one in event.findings}
    return change_review(engagement, event.review, found=event.on, findings=findings, complacency=event.complacency)


def _corrected(engagement: Engagement, event: FindingCorrected, at: datetime) -> Engagement:
    del at
    finding = engagement.running.challenge.reviews[event.review].findings[event.finding]
    correction = Correction(was=finding.text, reason=event.reason, on=event.on)
    changes = {"text": event.text, "corrections": (*finding.corrections, correction), "answers": {}}
    return with_finding(engagement, event.review, finding.model_copy(update=changes))


def _answered(engagement: Engagement, event: FindingAnswered, at: datetime) -> Engagement:
    del at
    finding = engagement.running.challenge.reviews[event.review].findings[event.finding]
    return with_finding(engagement, event.review, _with_answer(finding, event))


def _with_answer(finding: Finding, event: FindingAnswered) -> Finding:
    answer = Answer(by=event.person, reply=event.reply, reason=event.reason, on=event.on)
    return finding.model_copy(update={"answers": {**finding.answers, event.side: answer}})


# --- tasks -----------------------------------------------------------------------------------------------------------


def tasks(engagement: Engagement, review: Review) -> Iterator[Task]:
    """Findings to answer for each side; those whose answer was taken back have a task, and some days, of their own."""
    assert review.found  # noqa: S101 - asked for only once there are findings
    durations = engagement.template.durations
    due = engagement.time.due(review.found, durations.findings_answer, "the findings were recorded")
    for side in Side:
        waiting = [one for one in review.findings.values() if side not in one.answers]
        fresh = [one for one in waiting if not _taken_back(one, side)]
        yield from _to_answer(engagement, review, side, fresh, None, due)
        for since in sorted({on for one in waiting if (on := _taken_back(one, side))}):
            again = [one for one in waiting if _taken_back(one, side) == since]
            later = engagement.time.due(since, durations.correction, "the answer was taken back")
            yield from _to_answer(engagement, review, side, again, since, max(due, later, key=lambda one: one.on))


def _taken_back(finding: Finding, side: Side) -> date | None:
    return max((one.on for one in finding.taken_back if one.side is side), default=None)


def _to_answer(
    engagement: Engagement, review: Review, side: Side, waiting: Sequence[Finding], again: date | None, due: DueDate
) -> Iterator[Task]:
    people = dict.fromkeys(person for one in waiting for person in answerers(engagement, one, side))
    for person in people:
        if any(speaks_for(engagement, one, person) is side for one in waiting):
            yield task_of(
                engagement,
                f"answers-{review.id}-{side.value}{f'-again-{again}' if again else ''}",
                person,
                ladder="answer-findings",
                about=review.id,
                command="AnswerFinding",
                title="Answer the findings of the review for your side",
                opened=again or review.found or due.on,
                due=due,
                side=side,
            )


DECIDE: Decides = {RecordFindings: record_findings, CorrectFinding: correct_finding, AnswerFinding: answer_finding}
EVOLVE: Evolves = {FindingsRecorded: _recorded, FindingCorrected: _corrected, FindingAnswered: _answered}
