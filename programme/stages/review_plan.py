"""When the challenge reviews of a cycle are planned, and when their panels are asked for: data of the template."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from programme.messages import Stage
from programme.stages.review import ReviewId, ReviewKind
from programme.template import ReviewPlan
from programme.working_time import month_after

if TYPE_CHECKING:
    from programme.engagement import Engagement


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
