"""What became of the recommendations that were accepted in the cycle before: asked once, of somebody from outside."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Literal

from programme.messages import Command, Due, Event, Paragraph, PersonId, Role, Task
from programme.part import Asked, Decides, Evolves
from programme.refusals import AlreadyDone, ConflictOfInterest, Invalid, Unknown
from programme.stages.review import ProgressCheck, Review, ReviewId
from programme.stages.review_plan import month_begins
from programme.stages.reviewing import refuse_conflict, said, task_of, with_challenge
from programme.working_time import at_local

if TYPE_CHECKING:
    from programme.engagement import Engagement


# --- commands --------------------------------------------------------------------------------------------------------


class RecordProgressCheck(Command):
    """Say what became of the recommendations that were accepted after last cycle's external review."""

    who = frozenset({Role.EXTERNAL_CHALLENGER})
    refusals = (Unknown, AlreadyDone, ConflictOfInterest, Invalid)

    kind: Literal["RecordProgressCheck"] = "RecordProgressCheck"
    review: ReviewId
    text: Paragraph


Commands = RecordProgressCheck


# --- events ----------------------------------------------------------------------------------------------------------


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


Events = ProgressCheckOpened | ProgressChecked


# --- decide ----------------------------------------------------------------------------------------------------------


def record_progress_check(engagement: Engagement, command: RecordProgressCheck, asked: Asked) -> list[Event]:
    """What became of what was accepted."""
    check = engagement.running.challenge.checks.get(command.review) if engagement.cycle else None
    review = past_review(engagement, command.review)
    if check is None or review is None:
        message = f"No progress check on '{command.review}' is asked for."
        raise Unknown(message)
    if check.on:
        raise AlreadyDone("the progress check is recorded")
    refuse_conflict(engagement, review, asked.by)
    text = said(command.text, "The progress check")
    return [ProgressChecked(review=command.review, person=asked.by, text=text, on=asked.today)]


def past_review(engagement: Engagement, review: ReviewId) -> Review | None:
    """The review of the last cycle with this id; None where there was none."""
    return engagement.past[-1].challenge.reviews.get(review) if engagement.past else None


# --- evolve ----------------------------------------------------------------------------------------------------------


def _check_opened(engagement: Engagement, event: ProgressCheckOpened, at: datetime) -> Engagement:
    del at
    check = ProgressCheck(review=event.review, opened=event.on)
    return with_challenge(engagement, checks={**engagement.running.challenge.checks, event.review: check})


def _checked(engagement: Engagement, event: ProgressChecked, at: datetime) -> Engagement:
    del at
    checks = engagement.running.challenge.checks
    check = checks[event.review].model_copy(update={"text": event.text, "by": event.person, "on": event.on})
    return with_challenge(engagement, checks={**checks, event.review: check})


# --- agenda and tasks ------------------------------------------------------------------------------------------------


def agenda(engagement: Engagement) -> Iterator[Due]:
    """The month in which somebody from outside is asked."""
    month = max((plan.check_month for plan in engagement.template.reviews), default=0)
    if not month or not engagement.past:
        return
    for review in engagement.past[-1].challenge.reviews.values():
        if review.external and review.findings and review.id not in engagement.running.challenge.checks:
            at = at_local(month_begins(engagement, month), time(0))
            why = f"Month {month} of the cycle after the external review"
            what = "Somebody from outside is asked what became of the recommendations"
            yield Due(at=at, key=f"act:challenge:check/{review.id}", what=what, why=why)


def tasks(engagement: Engagement, check: ProgressCheck) -> Iterator[Task]:
    """The check itself, or somebody from outside to appoint for it."""
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
        yield task_of(
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


DECIDE: Decides = {RecordProgressCheck: record_progress_check}
EVOLVE: Evolves = {ProgressCheckOpened: _check_opened, ProgressChecked: _checked}
