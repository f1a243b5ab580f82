"""The evidence of a challenge review: the journal up to one entry, and what was overdue or left out on that day."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from programme.changes.skipping import left_out_in_words
from programme.messages import Event, Task
from programme.part import Asked, Evolves
from programme.post import NoticeRaised
from programme.stages.delivery import flagged
from programme.stages.review import Evidence, Review, ReviewId, reviewed
from programme.stages.reviewing import change_review

if TYPE_CHECKING:
    from programme.engagement import Engagement

VOLUNTARY_LADDERS = frozenset({"questionnaire", "enrolment", "willingness"})


# --- events ----------------------------------------------------------------------------------------------------------


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


Events = EvidenceFrozen | LeftOutShown


# --- decide ----------------------------------------------------------------------------------------------------------


def freeze_evidence(engagement: Engagement, review: Review, asked: Asked) -> list[Event]:
    """Name the last recorded entry of the journal, and what is overdue today."""
    durations, elapsed = engagement.template.durations, engagement.time.elapsed
    late = {task: elapsed(task.due.on, asked.today) for task in engagement.open_tasks if task.due and _counts(task)}
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
        drift=flagged(engagement),
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


# --- evolve ----------------------------------------------------------------------------------------------------------


def _frozen(engagement: Engagement, event: EvidenceFrozen, at: datetime) -> Engagement:
    del at
    return change_review(engagement, event.review, evidence=Evidence(**event.model_dump(exclude={"kind", "review"})))


def _left_out_shown(engagement: Engagement, event: LeftOutShown, at: datetime) -> Engagement:
    del at
    evidence = engagement.running.challenge.reviews[event.review].evidence
    shown = evidence.model_copy(update={"left_out": event.steps}) if evidence else None
    return change_review(engagement, event.review, evidence=shown)


EVOLVE: Evolves = {EvidenceFrozen: _frozen, LeftOutShown: _left_out_shown}
