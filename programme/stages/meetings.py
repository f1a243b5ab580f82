"""The meeting of a challenge review: its date, the position statements before it, and who was there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from programme.messages import (
    CHALLENGERS,
    PARTICIPANTS,
    Command,
    DueDate,
    Event,
    Paragraph,
    PersonId,
    Role,
    Sentence,
    Side,
    Stage,
    Task,
)
from programme.part import Asked, Decides, Evolves
from programme.post import PAUSE, NoticeRaised
from programme.refusals import (
    AlreadyDone,
    ConflictOfInterest,
    EvidenceIsFrozen,
    Invalid,
    NotHeldByYou,
    NotYet,
    PanelNotQuorate,
    StatementsMissing,
    Unknown,
)
from programme.stages.review import (
    Meeting,
    PositionStatement,
    Review,
    ReviewId,
    complete,
    missing_statements,
    owners,
    quorate,
)
from programme.stages.reviewing import (
    change_review,
    invitation,
    invited,
    panellist_of,
    refuse_conflict,
    refuse_others_than_the_chair,
    review_of,
    said,
    task_of,
    unfound,
)
from programme.working_time import local_date, uk_day

if TYPE_CHECKING:
    from programme.engagement import Engagement

LONGEST_MEETING = 8  # hours


# --- commands --------------------------------------------------------------------------------------------------------


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


Commands = ScheduleReview | GivePositionStatement | HoldReview


# --- events ----------------------------------------------------------------------------------------------------------


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


class ReviewHeld(Event):
    """A panel met, quorate. ``without``: sides whose position statement was missing."""

    kind: Literal["ReviewHeld"] = "ReviewHeld"
    review: ReviewId
    attended: tuple[PersonId, ...]
    without: tuple[Side, ...]
    on: date


Events = ReviewScheduled | ReviewDateWithdrawn | PositionStatementGiven | ReviewHeld


# --- decide ----------------------------------------------------------------------------------------------------------


def _seated(review: Review, person: PersonId) -> None:
    if not panellist_of(review, person).accepted:
        raise Unknown(f"'{person}' has not accepted the seat on this panel.")


def schedule_review(engagement: Engagement, command: ScheduleReview, asked: Asked) -> list[Event]:
    """Set or move the date, in time for the position statements."""
    review = unfound(engagement, command.review)
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
    return [scheduled, *invited(engagement, review, _meeting(review, scheduled), _concerned(engagement, review))]


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
    text = said(command.text, "The position statement")
    return [PositionStatementGiven(review=review.id, person=asked.by, side=side, text=text, on=asked.today)]


def hold_review(engagement: Engagement, command: HoldReview, asked: Asked) -> list[Event]:
    """The panel has met: quorate, nobody in conflict, and openly so where a position statement was missing."""
    review = unfound(engagement, command.review)
    refuse_others_than_the_chair(engagement, review, asked)
    if review.held:
        raise AlreadyDone("the panel has met")
    if review.meeting is None or review.evidence is None or review.meeting.on > asked.today:
        raise NotYet("the evidence must be frozen and the day of the meeting must have come")
    if not engagement.in_stage(Stage.CHALLENGE):
        raise NotYet("both sides have agreed on nothing that could be challenged")
    present = tuple(dict.fromkeys(command.attended))
    for person in present:
        _seated(review, person)
        refuse_conflict(engagement, review, person)
    if not quorate(engagement, review, present):
        raise PanelNotQuorate(engagement.template.thresholds.panel_challengers)
    without = missing_statements(engagement, review)
    if without and not command.without_statements:
        raise StatementsMissing
    return [ReviewHeld(review=review.id, attended=present, without=without, on=asked.today)]


def off_in_a_pause(engagement: Engagement, asked: Asked) -> list[Event]:
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


# --- evolve ----------------------------------------------------------------------------------------------------------


def _scheduled(engagement: Engagement, event: ReviewScheduled, at: datetime) -> Engagement:
    del at
    return change_review(
        engagement, event.review, meeting=_meeting(engagement.running.challenge.reviews[event.review], event)
    )


def _date_withdrawn(engagement: Engagement, event: ReviewDateWithdrawn, at: datetime) -> Engagement:
    del at
    return change_review(engagement, event.review, meeting=None, withdrawn=event.on, revision=event.revision)


def _statement_given(engagement: Engagement, event: PositionStatementGiven, at: datetime) -> Engagement:
    del at
    statement = PositionStatement(by=event.person, side=event.side, text=event.text, on=event.on)
    statements = engagement.running.challenge.reviews[event.review].statements
    return change_review(engagement, event.review, statements={**statements, event.person: statement})


def _held(engagement: Engagement, event: ReviewHeld, at: datetime) -> Engagement:
    del at
    return change_review(engagement, event.review, held=event.on, attended=event.attended, without=event.without)


# --- tasks -----------------------------------------------------------------------------------------------------------


def before(engagement: Engagement, meeting: Meeting, working_days: int, *, at_least: int) -> DueDate:
    """The date that many working days before a review meeting, and why; after a pause later, while it still serves."""
    called = meeting.dated or meeting.called
    return engagement.time.ahead(called, meeting.on, working_days, "the review", at_least=at_least)


def tasks(engagement: Engagement, review: Review) -> Iterator[Task]:
    """The date, the position statements, who was there, and the findings to record."""
    if review.meeting is None:
        yield from _date_tasks(engagement, review)
    elif review.evidence is None:
        yield from _statement_tasks(engagement, review, review.meeting)
    elif review.held is None and review.chair:
        yield task_of(
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
        yield task_of(
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
        yield task_of(
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
                yield task_of(
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


DECIDE: Decides = {
    ScheduleReview: schedule_review,
    GivePositionStatement: give_position_statement,
    HoldReview: hold_review,
}
EVOLVE: Evolves = {
    ReviewScheduled: _scheduled,
    ReviewDateWithdrawn: _date_withdrawn,
    PositionStatementGiven: _statement_given,
    ReviewHeld: _held,
}
