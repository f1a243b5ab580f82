"""The stages of every cycle: planned, as they were, and what was expected of them each time that something began."""

from collections.abc import Iterator
from datetime import date

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.dependencies import Door, Member
from api.describing import problems
from api.errors import NoSuchEngagement, NotForYou
from api.seeing import seen
from programme.engagement import Engagement
from programme.gates import TITLES
from programme.messages import Stage
from programme.planning import plan_of
from programme.reading import View

of_one = APIRouter(tags=["engagements"])


class Span(BaseModel):
    """From when to when; null: not known, or not yet."""

    starts: date | None = None
    ends: date | None = None


class ExpectedThen(Span):
    """What was expected of a stage on a day: when it would begin and end, or had."""

    on: date


class StageDates(BaseModel):
    """A stage of a cycle. ``actual`` has several spans where it ran again."""

    cycle: int
    stage: Stage
    title: str
    planned: Span = Field(description="When the cycle began. The mandate comes before any plan.")
    actual: tuple[Span, ...]
    expected: tuple[ExpectedThen, ...] = Field(description="Each time that a stage began or ended, the oldest first.")


@of_one.get("/stages", responses=problems(NoSuchEngagement, NotForYou))
async def read_stages(door: Door, visitor: Member) -> tuple[StageDates, ...]:
    """Planned beside actual beside expected, for every stage of every cycle: what was foreseen when, and what came."""
    found = await seen(door, visitor, View.PROGRESS)
    return tuple(_stages(found.engagement))


def _stages(engagement: Engagement) -> Iterator[StageDates]:
    spans = [(span.cycle, span.stage) for span in engagement.stages]
    spans += [(one.cycle, stage.stage) for one in engagement.expected for stage in one.stages]
    order = list(Stage)
    for cycle, stage in sorted(set(spans), key=lambda one: (one[0], order.index(one[1]))):
        yield StageDates(
            cycle=cycle,
            stage=stage,
            title=TITLES[stage],
            planned=_planned(engagement, cycle, stage),
            actual=tuple(
                Span(starts=span.started, ends=span.ended)
                for span in engagement.stages
                if (span.cycle, span.stage) == (cycle, stage)
            ),
            expected=tuple(_expected(engagement, cycle, stage)),
        )


def _planned(engagement: Engagement, cycle: int, stage: Stage) -> Span:
    plan = plan_of(engagement, cycle)
    planned = plan.of(stage) if plan else None
    return Span(starts=planned.starts, ends=planned.ends) if planned else Span()


def _expected(engagement: Engagement, cycle: int, stage: Stage) -> Iterator[ExpectedThen]:
    for one in engagement.expected:
        planned = one.of(stage) if one.cycle == cycle else None
        if planned:
            yield ExpectedThen(on=one.on, starts=planned.starts, ends=planned.ends)
