"""What was expected when: the plan of a cycle, and what became of it each time that a stage began or ended.

Planned dates follow from the template's durations and from what has happened so far, in closed form: a forecast of
people at a pace takes too long to stand between somebody's request and its answer. An auditor sees in two years' time
what was expected on which day, beside what came.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from programme.messages import Event, Frozen, Stage
from programme.part import Asked, Part
from programme.stages.review_plan import month_begins

if TYPE_CHECKING:
    from programme.engagement import Engagement
    from programme.template import ProgrammeTemplate


class PlannedStage(Frozen):
    """A stage, and when it was expected to begin and to end; as it was, where it had."""

    stage: Stage
    starts: date
    ends: date


class Expected(Frozen):
    """What was expected of a cycle on a day. ``turns``: how many stages had begun or ended by then, over all cycles."""

    cycle: int
    on: date
    turns: int
    stages: tuple[PlannedStage, ...]

    def of(self, stage: Stage) -> PlannedStage | None:
        """What was expected of a stage."""
        return next((one for one in self.stages if one.stage is stage), None)


class StagesForeseen(Event):
    """The stages of a cycle as they were expected from a day on; the first of a cycle is its plan."""

    kind: Literal["StagesForeseen"] = "StagesForeseen"
    cycle: int
    turns: int
    stages: tuple[PlannedStage, ...]
    on: date


Events = StagesForeseen


# --- what is expected ------------------------------------------------------------------------------------------------


def plan_of(engagement: Engagement, cycle: int) -> Expected | None:
    """The plan with which a cycle began; None where it has not, or where it was not kept yet."""
    return next((one for one in engagement.expected if one.cycle == cycle), None)


def working_days(template: ProgrammeTemplate) -> dict[Stage, int]:
    """How many working days a stage takes if everybody uses the time that they are given and no more."""
    durations = template.durations
    gaps = durations.session_gap * max(len(template.sessions) - 1, 0)
    return {
        Stage.DIAGNOSIS: durations.questionnaire + durations.themes,
        Stage.EXCHANGE: durations.pair_confirmation + durations.recognition,
        Stage.SESSIONS: durations.session_invitation + gaps + durations.notes + durations.notes_confirmation,
        Stage.AGREEMENT: durations.agreement + durations.approval,
        Stage.RENEWAL: (
            durations.questionnaire + durations.themes + durations.renewal_session + durations.renewal_decision
        ),
    }


def expected(engagement: Engagement, today: date) -> tuple[PlannedStage, ...]:
    """When each stage of the running cycle begins and ends, as far as can be said today."""
    cycle = engagement.running
    found: list[PlannedStage] = []
    day = cycle.started
    for stage in () if cycle.sustaining else (Stage.DIAGNOSIS, Stage.EXCHANGE, Stage.SESSIONS, Stage.AGREEMENT):
        found.append(_stage(engagement, stage, day, today))
        day = found[-1].ends
    renewal = _stage(engagement, Stage.RENEWAL, max(day, _rediagnosis(engagement)), today)
    beside = (Stage.CHALLENGE,) if cycle.sustaining else (Stage.DELIVERY, Stage.CHALLENGE)
    found += (_until(engagement, stage, day, max(renewal.ends, _external_answered(engagement))) for stage in beside)
    return (*found, renewal)


def _rediagnosis(engagement: Engagement) -> date:
    return month_begins(engagement, engagement.template.rediagnosis_month)


def _external_answered(engagement: Engagement) -> date:
    """When the answers to the last review from outside are due."""
    durations = engagement.template.durations
    months = [plan.month for plan in engagement.template.reviews if plan.kind == "external"]
    begins = month_begins(engagement, max(months)) if months else engagement.running.started
    return engagement.time.plus(begins, durations.findings + durations.findings_answer)


def _stage(engagement: Engagement, stage: Stage, planned: date, today: date) -> PlannedStage:
    """A stage as it was; else so many working days from when it began or begins, and never in the past."""
    first, ended = _spans(engagement, stage)
    starts = first or max(planned, today)
    if first and ended:
        return PlannedStage(stage=stage, starts=first, ends=ended)
    time, days = engagement.time, working_days(engagement.template)[stage]
    ends = time.shifted(starts, time.plus(starts, days))
    return PlannedStage(stage=stage, starts=starts, ends=max(ends, today))


def _until(engagement: Engagement, stage: Stage, planned: date, ends: date) -> PlannedStage:
    """A stage that goes on to the end of the cycle."""
    first, ended = _spans(engagement, stage)
    return PlannedStage(stage=stage, starts=first or planned, ends=ended or ends)


def _spans(engagement: Engagement, stage: Stage) -> tuple[date | None, date | None]:
    """When a stage of the running cycle first began, and when it last ended; None where it has not."""
    number = engagement.running.number
    spans = [one for one in engagement.stages if one.stage is stage and one.cycle == number]
    return (spans[0].started, spans[-1].ended) if spans else (None, None)


def turns(engagement: Engagement) -> int:
    """How many stages have begun or ended."""
    return sum(1 if span.ended is None else 2 for span in engagement.stages)


# --- the part --------------------------------------------------------------------------------------------------------


def follows(engagement: Engagement, asked: Asked) -> list[Event]:
    """Keep what is expected when a cycle begins, and each time that a stage begins or ends."""
    if engagement.cycle is None:
        return []
    now = turns(engagement)
    if any(one.turns == now for one in engagement.expected[-1:]):
        return []
    stages = expected(engagement, asked.today)
    return [StagesForeseen(cycle=engagement.cycle.number, turns=now, stages=stages, on=asked.today)]


def _foreseen(engagement: Engagement, event: StagesForeseen, at: datetime) -> Engagement:
    del at
    kept = Expected(cycle=event.cycle, on=event.on, turns=event.turns, stages=event.stages)
    return engagement.but(expected=(*engagement.expected, kept))


PART = Part(name="planning", evolve={StagesForeseen: _foreseen}, follows=follows)
