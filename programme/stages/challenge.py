"""Stage 6, Challenge reviews: a panel from outside the scope looks at frozen evidence, and both sides answer.

Two internal reviews and an external one in a cycle, as the template plans them. Nobody judges what they own, approved,
signed, sponsor or manage; the chair asks three questions against complacency; a finding is corrected by a new entry,
never edited; and no cycle is renewed before an external review has been answered.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Literal

from programme.gates import GatePassed, StageStarted, common_lacks
from programme.messages import Due, Event, PersonId, Side, Stage, Task
from programme.part import Asked, Part
from programme.post import NoticeRaised
from programme.stages import evidence, findings, meetings, panels, progress_checks
from programme.stages.evidence import freeze_evidence
from programme.stages.meetings import before, off_in_a_pause
from programme.stages.progress_checks import ProgressCheckOpened
from programme.stages.review import Review, ReviewId, ReviewKind
from programme.stages.review_plan import agreed, lead, month_begins, opens, planned, plans
from programme.stages.reviewing import change_review, keep, with_challenge
from programme.template import ReviewPlan
from programme.working_time import at_local, end_of, uk_date

if TYPE_CHECKING:
    from programme.engagement import Engagement


# --- commands and events ---------------------------------------------------------------------------------------------


Commands = panels.Commands | meetings.Commands | findings.Commands | progress_checks.Commands


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


Events = (
    ReviewOpened
    | ReviewMoved
    | ReviewAnswered
    | ReportOpened
    | panels.Events
    | meetings.Events
    | evidence.Events
    | findings.Events
    | progress_checks.Events
)


def chair(engagement: Engagement, review: ReviewId) -> tuple[PersonId, ...]:
    """Who chairs a review of the running cycle, if anybody does."""
    found = engagement.cycle.challenge.reviews.get(review) if engagement.cycle else None
    return (found.chair,) if found and found.chair else ()


def lacks(engagement: Engagement) -> list[str]:
    """Gate G6 of the external review, without which no cycle is renewed: what is still missing."""
    external = [one for one in engagement.running.challenge.reviews.values() if one.external]
    if not any(one.held for one in external):
        return ["an external review must have been held in this cycle"]
    if not any(one.answered for one in external):
        return ["both sides must have answered every finding of the external review"]
    return []


def follows(engagement: Engagement, asked: Asked) -> list[Event]:
    """Challenge begins with delivery; gate G6 of a review passes once both sides have answered all of it."""
    if engagement.cycle is None:
        return []
    number = engagement.cycle.number
    if engagement.in_stage(Stage.DELIVERY) and not _begun(engagement):
        return [StageStarted(stage=Stage.CHALLENGE, cycle=number, on=asked.today)]
    if withdrawn := off_in_a_pause(engagement, asked):
        return withdrawn
    if common_lacks(engagement):
        return []
    for review in engagement.cycle.challenge.reviews.values():
        if review.all_answered and review.answered is None:
            answered = [GatePassed(gate="G6"), ReviewAnswered(review=review.id, on=asked.today)]
            opened = _opened(engagement, review, asked) if review.external and not review.report_opened else []
            return [*answered, *opened]
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


def _review_opened(engagement: Engagement, event: ReviewOpened, at: datetime) -> Engagement:
    del at
    review = Review(id=event.review, kind=event.review_kind, planned=event.planned, opened=event.on)
    return keep(engagement, review)


def _review_moved(engagement: Engagement, event: ReviewMoved, at: datetime) -> Engagement:
    del at
    challenge = engagement.running.challenge
    return with_challenge(engagement, moved={**challenge.moved, event.review: event.month})


def _review_answered(engagement: Engagement, event: ReviewAnswered, at: datetime) -> Engagement:
    del at
    return change_review(engagement, event.review, answered=event.on)


def _report_opened(engagement: Engagement, event: ReportOpened, at: datetime) -> Engagement:
    del at
    return change_review(engagement, event.review, report_opened=event.on)


def agenda(engagement: Engagement) -> Iterator[Due]:
    """Panels to appoint, evidence to freeze, reports to open, and last cycle's recommendations to look at again."""
    if engagement.cycle is None:
        return
    for review, plan in plans(engagement):
        if review not in engagement.cycle.challenge.reviews:
            yield _opening(engagement, review, plan)
    for one in engagement.cycle.challenge.reviews.values():
        yield from _coming(engagement, one)
    yield from progress_checks.agenda(engagement)


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


def tasks(engagement: Engagement) -> Iterator[Task]:
    """What the panel, its chair, the programme manager and both sides owe."""
    if engagement.cycle is None:
        return
    for review in engagement.cycle.challenge.reviews.values():
        if review.found is None:
            yield from panels.tasks(engagement, review)
            yield from meetings.tasks(engagement, review)
        elif review.answered is None:
            yield from findings.tasks(engagement, review)
    for check in engagement.cycle.challenge.checks.values():
        yield from progress_checks.tasks(engagement, check)


PART = Part(
    name="challenge",
    decide={**panels.DECIDE, **meetings.DECIDE, **findings.DECIDE, **progress_checks.DECIDE},
    evolve={
        ReviewOpened: _review_opened,
        ReviewMoved: _review_moved,
        ReviewAnswered: _review_answered,
        ReportOpened: _report_opened,
        **panels.EVOLVE,
        **meetings.EVOLVE,
        **evidence.EVOLVE,
        **findings.EVOLVE,
        **progress_checks.EVOLVE,
    },
    agenda=agenda,
    act=act,
    tasks=tasks,
    follows=follows,
)
