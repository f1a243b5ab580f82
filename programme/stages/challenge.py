"""Stage 6, Challenge reviews: a panel from outside the scope looks at frozen evidence, and both sides answer.

Two internal reviews and an external one in a cycle, as the template plans them. Nobody judges what they own, approved,
signed, sponsor or manage; the chair asks three questions against complacency; a finding is corrected by a new entry,
never edited; and no cycle is renewed before an external review has been answered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Literal

from programme.changes.skipping import left_out_in_words
from programme.gates import GatePassed, StageStarted, common_lacks
from programme.messages import (
    CHALLENGERS,
    PARTICIPANTS,
    SPONSORS,
    Command,
    Due,
    DueDate,
    Event,
    Frozen,
    Paragraph,
    PersonId,
    Role,
    Sentence,
    Side,
    Stage,
    Task,
    Words,
)
from programme.part import Asked, Part
from programme.post import PAUSE, SESSION, Invitation, NoticeRaised
from programme.refusals import (
    AlreadyDone,
    ConflictOfInterest,
    EvidenceIsFrozen,
    FindingNotTied,
    Invalid,
    NotComplacent,
    NotHeldByYou,
    NotYet,
    PanelNotQuorate,
    RoleTaken,
    StatementsMissing,
    Unknown,
    UnknownPerson,
)
from programme.stages.action import CONDITIONS
from programme.stages.drafting import ActionText, drafted
from programme.stages.review import (
    Answer,
    Complacency,
    Correction,
    Evidence,
    Finding,
    FindingId,
    FindingKind,
    Meeting,
    Panellist,
    PositionStatement,
    ProgressCheck,
    Reply,
    Review,
    ReviewId,
    ReviewKind,
    answerers,
    complete,
    conflict,
    missing_statements,
    owners,
    quorate,
    reviewed,
    speaks_for,
)
from programme.template import ReviewPlan
from programme.working_time import at_local, end_of, local_date, month_after, uk_date, uk_day

if TYPE_CHECKING:
    from programme.engagement import Engagement

LONGEST_MEETING = 8  # hours
TITLE_LIMIT = 300  # of an action: a Sentence


# --- commands ------------------------------------------------------------------------------------------------------


class AppointToPanel(Command):
    """Put a challenger on the panel of a review, as its chair or beside the chair."""

    who = frozenset({Role.PROGRAMME_MANAGER})
    refusals = (Unknown, UnknownPerson, AlreadyDone, RoleTaken, ConflictOfInterest)

    kind: Literal["AppointToPanel"] = "AppointToPanel"
    review: ReviewId
    person: PersonId
    background: Side
    chair: bool = False


class ReleaseFromPanel(Command):
    """Take a challenger off a panel, with a reason: somebody else is appointed."""

    who = frozenset({Role.PROGRAMME_MANAGER})
    refusals = (Unknown, AlreadyDone, Invalid)

    kind: Literal["ReleaseFromPanel"] = "ReleaseFromPanel"
    review: ReviewId
    person: PersonId
    reason: Sentence


class PassChair(Command):
    """Give the chair of a review to another challenger on its panel, with a reason."""

    who = frozenset({Role.PROGRAMME_MANAGER})
    refusals = (Unknown, AlreadyDone, ConflictOfInterest, Invalid)

    kind: Literal["PassChair"] = "PassChair"
    review: ReviewId
    person: PersonId
    reason: Sentence


class AcceptPanel(Command):
    """Sit on a panel, declaring one's interests (in confidence, to the programme manager and the sponsors).

    ``independent``: no employment by, no contract with the trust in the last 24 months; asked of external challengers.
    """

    who = CHALLENGERS
    refusals = (Unknown, AlreadyDone, ConflictOfInterest)

    kind: Literal["AcceptPanel"] = "AcceptPanel"
    review: ReviewId
    interests: Words = Words()
    independent: bool = False


class DeclinePanel(Command):
    """Not sit on a panel."""

    who = CHALLENGERS
    refusals = (Unknown, AlreadyDone)

    kind: Literal["DeclinePanel"] = "DeclinePanel"
    review: ReviewId


class ScheduleReview(Command):
    """Set the date of the review meeting, or move it. Panel and co-owners get a calendar entry."""

    who = CHALLENGERS | {Role.PROGRAMME_MANAGER}
    refusals = (Unknown, AlreadyDone, NotYet, NotHeldByYou, Invalid)

    kind: Literal["ScheduleReview"] = "ScheduleReview"
    review: ReviewId
    starts: datetime
    hours: int = 3
    place: Sentence = ""


class GivePositionStatement(Command):
    """Say how one sees the reviewed actions that one owns, on the record."""

    who = PARTICIPANTS
    refusals = (Unknown, AlreadyDone, NotYet, NotHeldByYou, EvidenceIsFrozen, Invalid)

    kind: Literal["GivePositionStatement"] = "GivePositionStatement"
    review: ReviewId
    text: Paragraph


class HoldReview(Command):
    """The panel has met. ``without_statements``: the chair went on although a position statement is missing."""

    who = CHALLENGERS
    refusals = (Unknown, AlreadyDone, NotYet, NotHeldByYou, ConflictOfInterest, PanelNotQuorate, StatementsMissing)

    kind: Literal["HoldReview"] = "HoldReview"
    review: ReviewId
    attended: tuple[PersonId, ...]
    without_statements: bool = False


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


class RecordProgressCheck(Command):
    """Say what became of the recommendations that were accepted after last cycle's external review."""

    who = frozenset({Role.EXTERNAL_CHALLENGER})
    refusals = (Unknown, AlreadyDone, ConflictOfInterest, Invalid)

    kind: Literal["RecordProgressCheck"] = "RecordProgressCheck"
    review: ReviewId
    text: Paragraph


Commands = (
    AppointToPanel
    | ReleaseFromPanel
    | PassChair
    | AcceptPanel
    | DeclinePanel
    | ScheduleReview
    | GivePositionStatement
    | HoldReview
    | RecordFindings
    | CorrectFinding
    | AnswerFinding
    | RecordProgressCheck
)


# --- events --------------------------------------------------------------------------------------------------------


class ReviewOpened(Event):
    """The time has come to appoint the panel of a review."""

    kind: Literal["ReviewOpened"] = "ReviewOpened"
    review: ReviewId
    review_kind: ReviewKind
    planned: date
    on: date


class ReviewMoved(Event):
    """A review moved to a later month: nothing is agreed yet that could be challenged."""

    kind: Literal["ReviewMoved"] = "ReviewMoved"
    review: ReviewId
    month: int
    planned: date
    on: date


class PanelMemberAppointed(Event):
    """A challenger was asked to sit on a panel."""

    kind: Literal["PanelMemberAppointed"] = "PanelMemberAppointed"
    review: ReviewId
    person: PersonId
    background: Side
    chair: bool
    on: date


class PanelMemberReleased(Event):
    """A challenger is no longer on a panel."""

    kind: Literal["PanelMemberReleased"] = "PanelMemberReleased"
    review: ReviewId
    person: PersonId
    reason: str
    on: date


class ChairPassed(Event):
    """Another challenger chairs a review."""

    kind: Literal["ChairPassed"] = "ChairPassed"
    review: ReviewId
    person: PersonId
    reason: str
    on: date


class PanelAccepted(Event):
    """A challenger sits on a panel, interests declared."""

    kind: Literal["PanelAccepted"] = "PanelAccepted"
    review: ReviewId
    person: PersonId
    interests: Words = Words()
    independent: bool
    on: date


class PanelDeclined(Event):
    """A challenger does not sit on a panel."""

    kind: Literal["PanelDeclined"] = "PanelDeclined"
    review: ReviewId
    person: PersonId
    on: date


class ReviewScheduled(Event):
    """A review meeting has a date, or another one."""

    kind: Literal["ReviewScheduled"] = "ReviewScheduled"
    review: ReviewId
    starts: datetime
    ends: datetime
    place: str
    on: date


class ReviewDateWithdrawn(Event):
    """A review meeting does not take place on its day; it gets another."""

    kind: Literal["ReviewDateWithdrawn"] = "ReviewDateWithdrawn"
    review: ReviewId
    revision: int
    reason: str
    on: date


class PositionStatementGiven(Event):
    """A co-owner said how they see the reviewed actions."""

    kind: Literal["PositionStatementGiven"] = "PositionStatementGiven"
    review: ReviewId
    person: PersonId
    side: Side
    text: str
    on: date


class EvidenceFrozen(Event):
    """The evidence of a review is the fold of the journal up to ``sequence``, whose digest proves it."""

    kind: Literal["EvidenceFrozen"] = "EvidenceFrozen"
    review: ReviewId
    sequence: int
    digest: str
    actions: tuple[str, ...]
    overdue: dict[str, int]
    late_check_ins: tuple[str, ...]
    late_answers: tuple[ReviewId, ...]
    drift: tuple[date, ...]
    on: date


class LeftOutShown(Event):
    """The evidence of a review names the steps that were left out in this cycle."""

    kind: Literal["LeftOutShown"] = "LeftOutShown"
    review: ReviewId
    steps: tuple[str, ...]


class ReviewHeld(Event):
    """A panel met, quorate. ``without``: sides whose position statement was missing."""

    kind: Literal["ReviewHeld"] = "ReviewHeld"
    review: ReviewId
    attended: tuple[PersonId, ...]
    without: tuple[Side, ...]
    on: date


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


class ReviewAnswered(Event):
    """Both sides have answered everything that a panel found."""

    kind: Literal["ReviewAnswered"] = "ReviewAnswered"
    review: ReviewId
    on: date


class ReportOpened(Event):
    """Everybody who takes part can read the report of an external review, with the answers given so far."""

    kind: Literal["ReportOpened"] = "ReportOpened"
    review: ReviewId
    on: date


class ProgressCheckOpened(Event):
    """Somebody from outside is asked what became of last cycle's accepted recommendations."""

    kind: Literal["ProgressCheckOpened"] = "ProgressCheckOpened"
    review: ReviewId
    on: date


class ProgressChecked(Event):
    """What became of last cycle's accepted recommendations."""

    kind: Literal["ProgressChecked"] = "ProgressChecked"
    review: ReviewId
    person: PersonId
    text: str
    on: date


Events = (
    ReviewOpened
    | ReviewMoved
    | PanelMemberAppointed
    | PanelMemberReleased
    | ChairPassed
    | PanelAccepted
    | PanelDeclined
    | ReviewScheduled
    | PositionStatementGiven
    | ReviewDateWithdrawn
    | EvidenceFrozen
    | LeftOutShown
    | ReviewHeld
    | FindingsRecorded
    | FindingCorrected
    | FindingAnswered
    | ReviewAnswered
    | ReportOpened
    | ProgressCheckOpened
    | ProgressChecked
)


# --- the plan of the cycle -----------------------------------------------------------------------------------------


def month_begins(engagement: Engagement, month: int) -> date:
    """The first day of a month of the running cycle, pauses added; the first month begins with the cycle."""
    started = engagement.running.started
    return engagement.time.shifted(started, engagement.time.plus(month_after(started, month - 1), 0))


def agreed(engagement: Engagement) -> bool:
    """Whether gate G4 has passed in the running cycle: there is something to challenge. A sustaining year begins so."""
    return any(
        span.stage in (Stage.DELIVERY, Stage.CHALLENGE) and span.cycle == engagement.running.number
        for span in engagement.stages
    )


def plans(engagement: Engagement) -> Iterator[tuple[ReviewId, ReviewPlan]]:
    """The reviews of the running cycle; in a year of sustaining only what comes from outside."""
    counted = Counter[str]()
    cycle = engagement.running
    for plan in engagement.template.reviews:
        counted[plan.kind] += 1
        if not cycle.sustaining or plan.kind == ReviewKind.EXTERNAL:
            yield f"{cycle.number}-{plan.kind}-{counted[plan.kind]}", plan


def planned(engagement: Engagement, review: ReviewId, plan: ReviewPlan) -> date:
    """The day for which a review is planned: the first working day of its month, or of the month to which it moved."""
    month = engagement.running.challenge.moved.get(review, plan.month)
    return engagement.time.plus(month_begins(engagement, month), 0)


def lead(engagement: Engagement, kind: str) -> int:
    """How many working days before a review its panel is appointed."""
    durations = engagement.template.durations
    return durations.panel_external if kind == ReviewKind.EXTERNAL else durations.panel_internal


def opens(engagement: Engagement, review: ReviewId, plan: ReviewPlan) -> date:
    """The day on which the panel of a review is to be appointed."""
    day = engagement.time.plus(planned(engagement, review, plan), -lead(engagement, plan.kind))
    return max(day, engagement.running.started)


def chair(engagement: Engagement, review: ReviewId) -> tuple[PersonId, ...]:
    """Who chairs a review of the running cycle, if anybody does."""
    found = engagement.cycle.challenge.reviews.get(review) if engagement.cycle else None
    return (found.chair,) if found and found.chair else ()


def invitation(engagement: Engagement, review: Review, meeting: Meeting, *, cancelled: bool = False) -> Invitation:
    """The calendar entry of a review meeting."""
    return Invitation(
        uid=f"{engagement.id}-review-{review.id}",
        revision=meeting.revision + cancelled,
        cancelled=cancelled,
        title=f"Challenge review, {review.kind.value}",
        starts=meeting.starts,
        ends=meeting.ends,
        place=meeting.place,
    )


def lacks(engagement: Engagement) -> list[str]:
    """Gate G6 of the external review, without which no cycle is renewed: what is still missing."""
    external = [one for one in engagement.running.challenge.reviews.values() if one.external]
    if not any(one.held for one in external):
        return ["an external review must have been held in this cycle"]
    if not any(one.answered for one in external):
        return ["both sides must have answered every finding of the external review"]
    return []


# --- decide: the panel ---------------------------------------------------------------------------------------------


def review_of(engagement: Engagement, review: ReviewId) -> Review:
    """A review of the running cycle that is open.

    Raises:
        Unknown: there is none with this id.
    """
    found = engagement.cycle.challenge.reviews.get(review) if engagement.cycle else None
    if found is None:
        message = f"No review '{review}' is open in this cycle. Look at the reviews for those that are."
        raise Unknown(message)
    return found


def _unfound(engagement: Engagement, review: ReviewId) -> Review:
    found = review_of(engagement, review)
    if found.found:
        raise AlreadyDone("the findings of this review are recorded")
    return found


def _panellist(review: Review, person: PersonId) -> Panellist:
    found = review.panel.get(person)
    if found is None:
        message = f"'{person}' is not on the panel of this review."
        raise Unknown(message)
    return found


def _seated(review: Review, person: PersonId) -> None:
    if not _panellist(review, person).accepted:
        raise Unknown(f"'{person}' has not accepted the seat on this panel.")


def _refuse_conflict(engagement: Engagement, review: Review, person: PersonId) -> None:
    found = conflict(engagement, review, person)
    if found:
        raise ConflictOfInterest(found.value)


def _said(text: str, what: str) -> str:
    said = text.strip()
    if not said:
        message = f"{what} is empty. Write it in a sentence or two."
        raise Invalid(message)
    return said


def appoint_to_panel(engagement: Engagement, command: AppointToPanel, asked: Asked) -> list[Event]:
    """Ask a challenger to sit on a panel; conflicts are found before anybody is asked."""
    review = _unfound(engagement, command.review)
    if command.person not in engagement.people:
        raise UnknownPerson(command.person)
    if command.person in review.panel:
        raise AlreadyDone("this challenger is on the panel")
    if command.chair and review.chair:
        raise RoleTaken("chair of this review")
    as_asked = review.model_copy(update={"chair": command.person}) if command.chair else review
    _refuse_conflict(engagement, as_asked, command.person)
    facts = command.model_dump(exclude={"kind"})
    return [PanelMemberAppointed(**facts, on=asked.today)]


def release_from_panel(engagement: Engagement, command: ReleaseFromPanel, asked: Asked) -> list[Event]:
    """Take a challenger off the panel; a calendar entry is taken back."""
    review = _unfound(engagement, command.review)
    _panellist(review, command.person)
    reason = _said(command.reason, "The reason")
    released = PanelMemberReleased(review=review.id, person=command.person, reason=reason, on=asked.today)
    return [released, *uninvited(engagement, review, command.person)]


def uninvited(engagement: Engagement, review: Review, person: PersonId) -> list[Event]:
    """What takes the calendar entry of a review meeting back from somebody who leaves its panel."""
    if not review.meeting or review.held or not review.panel[person].accepted:
        return []
    entry = invitation(engagement, review, review.meeting, cancelled=True)
    return [
        NoticeRaised(
            people=(person,),
            title="You are no longer on the panel of a challenge review",
            about=review.id,
            topic=SESSION,
            invitation=entry,
        )
    ]


def pass_chair(engagement: Engagement, command: PassChair, asked: Asked) -> list[Event]:
    """Another challenger chairs; after the meeting only one who was there."""
    review = review_of(engagement, command.review)
    if review.answered:
        raise AlreadyDone("both sides have answered this review")
    panellist = _panellist(review, command.person)
    if review.chair == command.person:
        raise AlreadyDone("this challenger chairs the review")
    if not panellist.accepted or (review.held and command.person not in review.attended):
        message = "Name a challenger who has accepted and, once the panel has met, was at the meeting."
        raise Invalid(message)
    _refuse_conflict(engagement, review.model_copy(update={"chair": command.person}), command.person)
    reason = _said(command.reason, "The reason")
    return [ChairPassed(review=review.id, person=command.person, reason=reason, on=asked.today)]


def accept_panel(engagement: Engagement, command: AcceptPanel, asked: Asked) -> list[Event]:
    """Sit on the panel, having declared one's interests; conflicts are looked for again."""
    review = _unfound(engagement, command.review)
    panellist = _panellist(review, asked.by)
    if panellist.accepted:
        raise AlreadyDone("you sit on the panel")
    answered = panellist.model_copy(update={"accepted": asked.today, "independent": command.independent})
    _refuse_conflict(engagement, review.model_copy(update={"panel": {**review.panel, asked.by: answered}}), asked.by)
    accepted = PanelAccepted(
        review=review.id,
        person=asked.by,
        interests=command.interests,
        independent=command.independent,
        on=asked.today,
    )
    return [accepted, *(_invited(engagement, review, review.meeting, (asked.by,)) if review.meeting else [])]


def decline_panel(engagement: Engagement, command: DeclinePanel, asked: Asked) -> list[Event]:
    """Not sit on the panel; the programme manager asks somebody else."""
    review = _unfound(engagement, command.review)
    _panellist(review, asked.by)
    return [
        PanelDeclined(review=review.id, person=asked.by, on=asked.today),
        *uninvited(engagement, review, asked.by),
    ]


# --- decide: the meeting -------------------------------------------------------------------------------------------


def _invited(
    engagement: Engagement, review: Review, meeting: Meeting, people: tuple[PersonId, ...]
) -> list[NoticeRaised]:
    title = f"{review.kind.value.capitalize()} challenge review on {uk_day(meeting.on)}"
    entry = invitation(engagement, review, meeting)
    return [NoticeRaised(people=people, title=title, about=review.id, topic=SESSION, invitation=entry)]


def schedule_review(engagement: Engagement, command: ScheduleReview, asked: Asked) -> list[Event]:
    """Set or move the date, in time for the position statements."""
    review = _unfound(engagement, command.review)
    if review.held:
        raise AlreadyDone("the panel has met")
    if Role.PROGRAMME_MANAGER not in engagement.people[asked.by].roles() and asked.by != review.chair:
        raise NotHeldByYou("Setting the date of this review")
    if not complete(engagement, review):
        raise NotYet("the chair and two more challengers, a doctor and a manager, must have accepted first")
    _refuse_date(engagement, review, command, asked)
    ends = command.starts + timedelta(hours=command.hours)
    scheduled = ReviewScheduled(
        review=review.id, starts=command.starts, ends=ends, place=command.place.strip(), on=asked.today
    )
    return [scheduled, *_invited(engagement, review, _meeting(review, scheduled), _concerned(engagement, review))]


def _concerned(engagement: Engagement, review: Review) -> tuple[PersonId, ...]:
    """Whom the date of a review concerns: its panel, and the owners on both sides."""
    return tuple(dict.fromkeys((*review.panel, *(one for side in Side for one in owners(engagement, side)))))


def _refuse_date(engagement: Engagement, review: Review, command: ScheduleReview, asked: Asked) -> None:
    if command.starts.tzinfo is None or not 1 <= command.hours <= LONGEST_MEETING:
        message = f"Give the start with its time zone, and 1 to {LONGEST_MEETING} hours."
        raise Invalid(message)
    durations = engagement.template.durations
    ahead = 0 if review.evidence else durations.evidence_frozen if review.meeting else durations.position_statement
    day = local_date(command.starts)
    if engagement.time.between(asked.today, day) <= ahead or not engagement.time.is_working(day):
        message = f"Name a working day more than {ahead} working days ahead: the evidence must be ready before it."
        raise Invalid(message)


def _meeting(review: Review, event: ReviewScheduled) -> Meeting:
    return Meeting(
        starts=event.starts,
        ends=event.ends,
        on=local_date(event.starts),
        place=event.place,
        revision=(review.meeting.revision if review.meeting else review.revision) + 1,
        called=review.meeting.called if review.meeting else event.on,
        dated=event.on,
    )


def give_position_statement(engagement: Engagement, command: GivePositionStatement, asked: Asked) -> list[Event]:
    """One's view of what is reviewed, before the evidence is frozen."""
    review = review_of(engagement, command.review)
    side = next((side for side in Side if asked.by in owners(engagement, side)), None)
    if side is None:
        raise NotHeldByYou("A position statement of this review")
    if review.meeting is None:
        raise NotYet("the review has no date")
    if review.evidence:
        raise EvidenceIsFrozen
    if asked.by in review.statements:
        raise AlreadyDone("you have given your position statement")
    text = _said(command.text, "The position statement")
    return [PositionStatementGiven(review=review.id, person=asked.by, side=side, text=text, on=asked.today)]


def freeze_evidence(engagement: Engagement, review: Review, asked: Asked) -> list[Event]:
    """Name the last recorded entry of the journal, and what is overdue today."""
    durations, between = engagement.template.durations, engagement.time.between
    late = {task: between(task.due.on, asked.today) for task in engagement.open_tasks if task.due and _counts(task)}
    check_ins = {
        task.about for task, by in late.items() if task.ladder == "check-in" and by >= durations.check_in_unanswered
    }
    answers = {
        task.about
        for task, by in late.items()
        if task.ladder == "answer-findings" and by >= durations.findings_unanswered
    }
    overdue = Counter(task.ladder for task, by in late.items() if by > 0)
    frozen = EvidenceFrozen(
        review=review.id,
        sequence=engagement.chained,
        digest=engagement.digest,
        actions=tuple(one.id for one in reviewed(engagement)),
        overdue=dict(sorted(overdue.items())),
        late_check_ins=tuple(sorted(check_ins)),
        late_answers=tuple(sorted(answers)) if review.external else (),
        drift=engagement.running.delivery.drift,
        on=asked.today,
    )
    people, left_out = tuple(review.panel), left_out_in_words(engagement)
    return [
        frozen,
        *([LeftOutShown(review=review.id, steps=left_out)] if left_out else []),
        NoticeRaised(people=people, title="The evidence for your challenge review is ready", about=review.id),
    ]


def _counts(task: Task) -> bool:
    """Whether being late with a task is anybody's business: answering the questionnaire and joining are voluntary."""
    return task.ladder not in VOLUNTARY_LADDERS


VOLUNTARY_LADDERS = frozenset({"questionnaire", "enrolment", "willingness"})


def _chaired(engagement: Engagement, review: Review, asked: Asked) -> None:
    if asked.by != review.chair:
        raise NotHeldByYou("Chairing this review")
    _refuse_conflict(engagement, review, asked.by)


def hold_review(engagement: Engagement, command: HoldReview, asked: Asked) -> list[Event]:
    """The panel has met: quorate, nobody in conflict, and openly so where a position statement was missing."""
    review = _unfound(engagement, command.review)
    _chaired(engagement, review, asked)
    if review.held:
        raise AlreadyDone("the panel has met")
    if review.meeting is None or review.evidence is None or review.meeting.on > asked.today:
        raise NotYet("the evidence must be frozen and the day of the meeting must have come")
    if not engagement.in_stage(Stage.CHALLENGE):
        raise NotYet("both sides have agreed on nothing that could be challenged")
    present = tuple(dict.fromkeys(command.attended))
    for person in present:
        _seated(review, person)
        _refuse_conflict(engagement, review, person)
    if not quorate(engagement, review, present):
        raise PanelNotQuorate(engagement.template.thresholds.panel_challengers)
    without = missing_statements(engagement, review)
    if without and not command.without_statements:
        raise StatementsMissing
    return [ReviewHeld(review=review.id, attended=present, without=without, on=asked.today)]


# --- decide: the findings ------------------------------------------------------------------------------------------


def record_findings(engagement: Engagement, command: RecordFindings, asked: Asked) -> list[Event]:
    """Commend, concern or recommend, each tied to something; and the test against complacency."""
    review = _unfound(engagement, command.review)
    _chaired(engagement, review, asked)
    if review.held is None or review.evidence is None:
        raise NotYet("the panel must have met")
    for one in command.findings:
        _said(one.text, "A finding")
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
        "surprised": _said(command.surprised, "What surprised the panel"),
        "stopped_asking": _said(command.stopped_asking, "What nobody asks any more"),
        "disagreement": _said(command.disagreement, "Where score and measure disagree"),
    }
    if any(one.kind is not FindingKind.COMMEND for one in command.findings):
        return Complacency(**answers)
    second = command.second in review.attended and command.second != review.chair
    if not command.reason.strip() or not second:
        raise NotComplacent
    return Complacency(**answers, reason=command.reason.strip(), second=command.second)


def finding_of(review: Review, finding: FindingId) -> Finding:
    """A finding of a review.

    Raises:
        Unknown: there is none with this id.
    """
    found = review.findings.get(finding)
    if found is None:
        message = f"No finding '{finding}' in this review."
        raise Unknown(message)
    return found


def correct_finding(engagement: Engagement, command: CorrectFinding, asked: Asked) -> list[Event]:
    """Another wording, beside the first; only until both sides have answered."""
    review = review_of(engagement, command.review)
    _chaired(engagement, review, asked)
    finding = finding_of(review, command.finding)
    if finding.answered:
        raise AlreadyDone("both sides have answered this finding")
    text, reason = _said(command.text, "The finding"), _said(command.reason, "The reason")
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
        _said(command.reason, "The reason")
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


def record_progress_check(engagement: Engagement, command: RecordProgressCheck, asked: Asked) -> list[Event]:
    """What became of what was accepted."""
    check = engagement.running.challenge.checks.get(command.review) if engagement.cycle else None
    review = _past_review(engagement, command.review)
    if check is None or review is None:
        message = f"No progress check on '{command.review}' is asked for."
        raise Unknown(message)
    if check.on:
        raise AlreadyDone("the progress check is recorded")
    _refuse_conflict(engagement, review, asked.by)
    text = _said(command.text, "The progress check")
    return [ProgressChecked(review=command.review, person=asked.by, text=text, on=asked.today)]


def _past_review(engagement: Engagement, review: ReviewId) -> Review | None:
    return engagement.past[-1].challenge.reviews.get(review) if engagement.past else None


# --- what follows --------------------------------------------------------------------------------------------------


def follows(engagement: Engagement, asked: Asked) -> list[Event]:
    """Challenge begins with delivery; gate G6 of a review passes once both sides have answered all of it."""
    if engagement.cycle is None:
        return []
    number = engagement.cycle.number
    if engagement.in_stage(Stage.DELIVERY) and not _begun(engagement):
        return [StageStarted(stage=Stage.CHALLENGE, cycle=number, on=asked.today)]
    if withdrawn := _off_in_a_pause(engagement, asked):
        return withdrawn
    if common_lacks(engagement):
        return []
    for review in engagement.cycle.challenge.reviews.values():
        if review.all_answered and review.answered is None:
            answered = [GatePassed(gate="G6"), ReviewAnswered(review=review.id, on=asked.today)]
            opened = _opened(engagement, review, asked) if review.external and not review.report_opened else []
            return [*answered, *opened]
    return []


def _off_in_a_pause(engagement: Engagement, asked: Asked) -> list[Event]:
    """Nobody travels to a review that lies in a pause: who is concerned is told at once, and it gets a new date."""
    pause = engagement.continuity.pause
    for review in engagement.running.challenge.reviews.values() if pause else ():
        meeting = review.meeting
        if pause is None or meeting is None or review.held or not asked.at < meeting.starts:
            continue
        if meeting.on >= pause.resumes:
            continue
        title = f"The {review.kind.value} challenge review on {uk_day(meeting.on)} does not take place: a pause"
        return [
            ReviewDateWithdrawn(
                review=review.id, revision=meeting.revision + 1, reason="The programme is paused", on=asked.today
            ),
            NoticeRaised(
                people=_concerned(engagement, review),
                title=title,
                about=review.id,
                topic=PAUSE,
                invitation=invitation(engagement, review, meeting, cancelled=True),
            ),
        ]
    return []


def _begun(engagement: Engagement) -> bool:
    return any(span.stage is Stage.CHALLENGE and span.cycle == engagement.running.number for span in engagement.stages)


def _opened(engagement: Engagement, review: Review, asked: Asked) -> list[Event]:
    everybody = engagement.sponsors + engagement.participants(Side.DOCTOR) + engagement.participants(Side.MANAGER)
    title = "The report of the external review is open to everybody who takes part"
    return [
        ReportOpened(review=review.id, on=asked.today),
        NoticeRaised(people=tuple(dict.fromkeys(everybody)), title=title, about=review.id),
    ]


# --- evolve --------------------------------------------------------------------------------------------------------


def _review_opened(engagement: Engagement, event: ReviewOpened, at: datetime) -> Engagement:
    del at
    review = Review(id=event.review, kind=event.review_kind, planned=event.planned, opened=event.on)
    return _keep(engagement, review)


def _review_moved(engagement: Engagement, event: ReviewMoved, at: datetime) -> Engagement:
    del at
    challenge = engagement.running.challenge
    return _with(engagement, moved={**challenge.moved, event.review: event.month})


def _appointed(engagement: Engagement, event: PanelMemberAppointed, at: datetime) -> Engagement:
    del at
    review = engagement.running.challenge.reviews[event.review]
    panellist = Panellist(person=event.person, background=event.background, appointed=event.on)
    seat = event.person if event.chair else review.chair
    return _change(engagement, event.review, panel={**review.panel, event.person: panellist}, chair=seat)


def _left(engagement: Engagement, event: PanelMemberReleased | PanelDeclined, at: datetime) -> Engagement:
    del at
    review = engagement.running.challenge.reviews[event.review]
    panel = {person: one for person, one in review.panel.items() if person != event.person}
    seat = "" if review.chair == event.person else review.chair
    return _change(engagement, event.review, panel=panel, chair=seat)


def _chair_passed(engagement: Engagement, event: ChairPassed, at: datetime) -> Engagement:
    del at
    return _change(engagement, event.review, chair=event.person)


def _accepted(engagement: Engagement, event: PanelAccepted, at: datetime) -> Engagement:
    del at
    review = engagement.running.challenge.reviews[event.review]
    changes = {"accepted": event.on, "independent": event.independent}
    panellist = review.panel[event.person].model_copy(update=changes)
    return _change(engagement, event.review, panel={**review.panel, event.person: panellist})


def _scheduled(engagement: Engagement, event: ReviewScheduled, at: datetime) -> Engagement:
    del at
    return _change(
        engagement, event.review, meeting=_meeting(engagement.running.challenge.reviews[event.review], event)
    )


def _date_withdrawn(engagement: Engagement, event: ReviewDateWithdrawn, at: datetime) -> Engagement:
    del at
    return _change(engagement, event.review, meeting=None, withdrawn=event.on, revision=event.revision)


def _statement_given(engagement: Engagement, event: PositionStatementGiven, at: datetime) -> Engagement:
    del at
    statement = PositionStatement(by=event.person, side=event.side, text=event.text, on=event.on)
    statements = engagement.running.challenge.reviews[event.review].statements
    return _change(engagement, event.review, statements={**statements, event.person: statement})


def _frozen(engagement: Engagement, event: EvidenceFrozen, at: datetime) -> Engagement:
    del at
    return _change(engagement, event.review, evidence=Evidence(**event.model_dump(exclude={"kind", "review"})))


def _left_out_shown(engagement: Engagement, event: LeftOutShown, at: datetime) -> Engagement:
    del at
    evidence = engagement.running.challenge.reviews[event.review].evidence
    shown = evidence.model_copy(update={"left_out": event.steps}) if evidence else None
    return _change(engagement, event.review, evidence=shown)


def _held(engagement: Engagement, event: ReviewHeld, at: datetime) -> Engagement:
    del at
    return _change(engagement, event.review, held=event.on, attended=event.attended, without=event.without)


def _recorded(engagement: Engagement, event: FindingsRecorded, at: datetime) -> Engagement:
    del at
    findings = {one.id: one for one in event.findings}
    return _change(engagement, event.review, found=event.on, findings=findings, complacency=event.complacency)


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


def _review_answered(engagement: Engagement, event: ReviewAnswered, at: datetime) -> Engagement:
    del at
    return _change(engagement, event.review, answered=event.on)


def _report_opened(engagement: Engagement, event: ReportOpened, at: datetime) -> Engagement:
    del at
    return _change(engagement, event.review, report_opened=event.on)


def _check_opened(engagement: Engagement, event: ProgressCheckOpened, at: datetime) -> Engagement:
    del at
    check = ProgressCheck(review=event.review, opened=event.on)
    return _with(engagement, checks={**engagement.running.challenge.checks, event.review: check})


def _checked(engagement: Engagement, event: ProgressChecked, at: datetime) -> Engagement:
    del at
    checks = engagement.running.challenge.checks
    check = checks[event.review].model_copy(update={"text": event.text, "by": event.person, "on": event.on})
    return _with(engagement, checks={**checks, event.review: check})


def _with(engagement: Engagement, **changes: object) -> Engagement:
    return engagement.in_cycle(challenge=engagement.running.challenge.model_copy(update=changes))


def _keep(engagement: Engagement, review: Review) -> Engagement:
    return _with(engagement, reviews={**engagement.running.challenge.reviews, review.id: review})


def _change(engagement: Engagement, review: ReviewId, **changes: object) -> Engagement:
    return _keep(engagement, engagement.running.challenge.reviews[review].model_copy(update=changes))


def with_finding(engagement: Engagement, review: ReviewId, finding: Finding) -> Engagement:
    """The engagement with this finding as it is now."""
    findings = engagement.running.challenge.reviews[review].findings
    return _change(engagement, review, findings={**findings, finding.id: finding})


# --- agenda --------------------------------------------------------------------------------------------------------


def agenda(engagement: Engagement) -> Iterator[Due]:
    """Panels to appoint, evidence to freeze, reports to open, and last cycle's recommendations to look at again."""
    if engagement.cycle is None:
        return
    for review, plan in plans(engagement):
        if review not in engagement.cycle.challenge.reviews:
            yield _opening(engagement, review, plan)
    for one in engagement.cycle.challenge.reviews.values():
        yield from _coming(engagement, one)
    yield from _check_coming(engagement)


def _opening(engagement: Engagement, review: ReviewId, plan: ReviewPlan) -> Due:
    day = planned(engagement, review, plan)
    why = f"{lead(engagement, plan.kind)} working days before the {plan.kind} review, planned for {uk_date(day)}"
    at = at_local(opens(engagement, review, plan), time(0))
    return Due(
        at=at, key=f"act:challenge:open/{review}", what=f"The panel of the {plan.kind} review is asked for", why=why
    )


def _coming(engagement: Engagement, review: Review) -> Iterator[Due]:
    durations = engagement.template.durations
    if review.meeting and not review.evidence:
        due = before(engagement, review.meeting, durations.evidence_frozen, at_least=1)
        what = f"The evidence of the {review.kind.value} review is frozen"
        yield Due(at=at_local(due.on, time(0)), key=f"act:challenge:freeze/{review.id}", what=what, why=due.why)
    if review.external and review.found and not review.report_opened:
        due = engagement.time.due(review.found, durations.external_report_open, "the findings were recorded")
        what = "The report of the external review opens to everybody who takes part"
        yield Due(at=end_of(due.on), key=f"act:challenge:report/{review.id}", what=what, why=due.why, promised=True)


def _check_coming(engagement: Engagement) -> Iterator[Due]:
    month = max((plan.check_month for plan in engagement.template.reviews), default=0)
    if not month or not engagement.past:
        return
    for review in engagement.past[-1].challenge.reviews.values():
        if review.external and review.findings and review.id not in engagement.running.challenge.checks:
            at = at_local(month_begins(engagement, month), time(0))
            why = f"Month {month} of the cycle after the external review"
            what = "Somebody from outside is asked what became of the recommendations"
            yield Due(at=at, key=f"act:challenge:check/{review.id}", what=what, why=why)


def before(engagement: Engagement, meeting: Meeting, working_days: int, *, at_least: int) -> DueDate:
    """The date that many working days before a review meeting, and why; after a pause later, while it still serves."""
    called = meeting.dated or meeting.called
    return engagement.time.ahead(called, meeting.on, working_days, "the review", at_least=at_least)


def act(engagement: Engagement, what: str, asked: Asked) -> list[Event]:
    """Open or move a review, freeze its evidence, open its report, ask for a progress check."""
    deed, _, review = what.partition("/")
    match deed:
        case "open":
            return _open_or_move(engagement, review, asked)
        case "freeze":
            return freeze_evidence(engagement, engagement.running.challenge.reviews[review], asked)
        case "report":
            return _opened(engagement, engagement.running.challenge.reviews[review], asked)
        case _:
            return [ProgressCheckOpened(review=review, on=asked.today)]


def _open_or_move(engagement: Engagement, review: ReviewId, asked: Asked) -> list[Event]:
    """A review that comes too early, because nothing is agreed yet, moves once to its later month."""
    plan = dict(plans(engagement))[review]
    if plan.late_month and review not in engagement.running.challenge.moved and not agreed(engagement):
        day = engagement.time.plus(month_begins(engagement, plan.late_month), 0)
        return [ReviewMoved(review=review, month=plan.late_month, planned=day, on=asked.today)]
    day = planned(engagement, review, plan)
    return [ReviewOpened(review=review, review_kind=ReviewKind(plan.kind), planned=day, on=asked.today)]


# --- tasks ---------------------------------------------------------------------------------------------------------


def tasks(engagement: Engagement) -> Iterator[Task]:
    """What the panel, its chair, the programme manager and both sides owe."""
    if engagement.cycle is None:
        return
    for review in engagement.cycle.challenge.reviews.values():
        if review.found is None:
            yield from _panel_tasks(engagement, review)
            yield from _meeting_tasks(engagement, review)
        elif review.answered is None:
            yield from _answer_tasks(engagement, review)
    for check in engagement.cycle.challenge.checks.values():
        yield from _check_tasks(engagement, check)


def _task(engagement: Engagement, what: str, person: PersonId, **fields: object) -> Task:
    prefix = f"{engagement.running.number}/{Stage.CHALLENGE.value}"
    return Task(id=f"{prefix}/{what}/{person}", person=person, **fields)  # type: ignore[arg-type]


def _panel_tasks(engagement: Engagement, review: Review) -> Iterator[Task]:
    time_, durations = engagement.time, engagement.template.durations
    if not complete(engagement, review):
        days = lead(engagement, review.kind) - durations.panel_to_sponsors
        due = time_.due(review.opened, days, "the panel was asked for")
        for manager in engagement.holders(Role.PROGRAMME_MANAGER):
            yield _task(
                engagement,
                f"panel-{review.id}",
                manager,
                ladder="appoint-challengers",
                about=review.id,
                command="AppointToPanel",
                title=f"Appoint the panel of the {review.kind.value} review",
                opened=review.opened,
                due=due,
            )
    for one in review.panel.values():
        if not one.accepted:
            yield _task(
                engagement,
                f"seat-{review.id}-{one.appointed}",
                one.person,
                ladder="appointment",
                about=review.id,
                command="AcceptPanel",
                title=f"Accept or decline a seat on the panel of the {review.kind.value} review",
                opened=one.appointed,
                due=time_.due(one.appointed, durations.panel_acceptance, "the seat was offered to you"),
            )


def _meeting_tasks(engagement: Engagement, review: Review) -> Iterator[Task]:
    if review.meeting is None:
        yield from _date_tasks(engagement, review)
    elif review.evidence is None:
        yield from _statement_tasks(engagement, review, review.meeting)
    elif review.held is None and review.chair:
        yield _task(
            engagement,
            f"meeting-{review.id}",
            review.chair,
            ladder="duty",
            about=review.id,
            command="HoldReview",
            title="Say who was at the review meeting",
            opened=review.meeting.on,
            due=engagement.time.due(review.meeting.on, 1, "the review meeting"),
        )
    elif review.held and review.chair:
        yield _task(
            engagement,
            f"findings-{review.id}",
            review.chair,
            ladder="findings",
            about=review.id,
            command="RecordFindings",
            title="Record the findings of the review",
            opened=review.held,
            due=engagement.time.due(review.held, engagement.template.durations.findings, "the panel met"),
        )


def _date_tasks(engagement: Engagement, review: Review) -> Iterator[Task]:
    if not complete(engagement, review):
        return
    complete_on = max(one.accepted for one in review.panel.values() if one.accepted)
    opened, what, why = complete_on, f"date-{review.id}", "the panel was complete"
    if review.withdrawn:
        opened, what, why = review.withdrawn, f"{what}-{review.revision}", "its date was taken back"
    for manager in engagement.holders(Role.PROGRAMME_MANAGER):
        yield _task(
            engagement,
            what,
            manager,
            ladder="duty",
            about=review.id,
            command="ScheduleReview",
            title=f"Set the date of the {review.kind.value} review",
            opened=opened,
            due=engagement.time.due(opened, engagement.template.durations.review_date, why),
        )


def _statement_tasks(engagement: Engagement, review: Review, meeting: Meeting) -> Iterator[Task]:
    due = before(engagement, meeting, engagement.template.durations.position_statement, at_least=2)
    for side in Side:
        for person in owners(engagement, side):
            if person not in review.statements:
                yield _task(
                    engagement,
                    f"position-{review.id}",
                    person,
                    ladder="position-statement",
                    about=review.id,
                    command="GivePositionStatement",
                    title="Give your position statement for the review",
                    opened=meeting.called,
                    due=due,
                    side=side,
                )


def _answer_tasks(engagement: Engagement, review: Review) -> Iterator[Task]:
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
            yield _task(
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


def _check_tasks(engagement: Engagement, check: ProgressCheck) -> Iterator[Task]:
    if check.on:
        return
    challengers = engagement.holders(Role.EXTERNAL_CHALLENGER)
    title = (
        "Say what became of the recommendations"
        if challengers
        else "Appoint somebody from outside for a progress check"
    )
    due = engagement.time.due(
        check.opened, engagement.template.durations.progress_check, "the progress check was asked for"
    )
    for person in challengers or engagement.holders(Role.PROGRAMME_MANAGER):
        yield _task(
            engagement,
            f"check-{check.review}",
            person,
            ladder="progress-check",
            about=check.review,
            command="RecordProgressCheck" if challengers else "Appoint",
            title=title,
            opened=check.opened,
            due=due,
        )


PART = Part(
    name="challenge",
    decide={
        AppointToPanel: appoint_to_panel,
        ReleaseFromPanel: release_from_panel,
        PassChair: pass_chair,
        AcceptPanel: accept_panel,
        DeclinePanel: decline_panel,
        ScheduleReview: schedule_review,
        GivePositionStatement: give_position_statement,
        HoldReview: hold_review,
        RecordFindings: record_findings,
        CorrectFinding: correct_finding,
        AnswerFinding: answer_finding,
        RecordProgressCheck: record_progress_check,
    },
    evolve={
        ReviewOpened: _review_opened,
        ReviewMoved: _review_moved,
        PanelMemberAppointed: _appointed,
        PanelMemberReleased: _left,
        ChairPassed: _chair_passed,
        PanelAccepted: _accepted,
        PanelDeclined: _left,
        ReviewScheduled: _scheduled,
        ReviewDateWithdrawn: _date_withdrawn,
        PositionStatementGiven: _statement_given,
        EvidenceFrozen: _frozen,
        LeftOutShown: _left_out_shown,
        ReviewHeld: _held,
        FindingsRecorded: _recorded,
        FindingCorrected: _corrected,
        FindingAnswered: _answered,
        ReviewAnswered: _review_answered,
        ReportOpened: _report_opened,
        ProgressCheckOpened: _check_opened,
        ProgressChecked: _checked,
    },
    agenda=agenda,
    act=act,
    tasks=tasks,
    follows=follows,
)
