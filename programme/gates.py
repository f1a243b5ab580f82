"""The gates between stages, and how a stage begins and ends. What a gate still lacks is a list of sentences."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from programme.messages import Event, Frozen, Role, Stage
from programme.part import Part
from programme.post import NoticeRaised, forgotten

if TYPE_CHECKING:
    from programme.engagement import Engagement

TITLES = {
    Stage.MANDATE: "Mandate",
    Stage.DIAGNOSIS: "Diagnosis",
    Stage.EXCHANGE: "Perspective exchange",
    Stage.SESSIONS: "Joint sessions",
    Stage.AGREEMENT: "Agreement",
    Stage.DELIVERY: "Delivery",
    Stage.CHALLENGE: "Challenge reviews",
    Stage.RENEWAL: "Re-diagnosis and renewal",
}


class StageSpan(Frozen):
    """When a stage began and ended. A stage that runs again, in a later cycle or reopened, has a further span."""

    stage: Stage
    cycle: int
    started: date
    ended: date | None = None


class GatePassed(Event):
    """Everything that a gate asks for is there."""

    kind: Literal["GatePassed"] = "GatePassed"
    gate: str


class StageStarted(Event):
    """A stage of a cycle began."""

    kind: Literal["StageStarted"] = "StageStarted"
    stage: Stage
    cycle: int
    on: date


class StageEnded(Event):
    """A stage of a cycle ended."""

    kind: Literal["StageEnded"] = "StageEnded"
    stage: Stage
    cycle: int
    on: date


Events = GatePassed | StageStarted | StageEnded


def common_lacks(engagement: Engagement) -> list[str]:
    """What every gate asks for: willingness of both sponsors in force, and a clock that runs."""
    lacks = []
    if engagement.paused:
        lacks.append("the programme is paused")
    if not engagement.mandate.both_willing(engagement.sponsors):
        lacks.append("both sponsors' willingness must be in force")
    return lacks


def passed(engagement: Engagement, gate: str, ended: Stage, started: tuple[Stage, ...], on: date) -> list[Event]:
    """The events of a gate: one stage ends, the next begin, and everybody who takes part is told."""
    cycle = engagement.cycle.number if engagement.cycle else 1
    span = engagement.span(ended)
    news = " and ".join(TITLES[stage] for stage in started)
    everybody = tuple(person.id for person in engagement.people.values() if person.roles() - {Role.AUDITOR})
    return [
        GatePassed(gate=gate),
        StageEnded(stage=ended, cycle=span.cycle if span else cycle, on=on),  # the mandate comes before any cycle
        *(StageStarted(stage=stage, cycle=cycle, on=on) for stage in started),
        NoticeRaised(people=everybody, title=f"The programme has come to: {news}", about=started[0].value),
    ]


def _gate_passed(engagement: Engagement, event: GatePassed, at: datetime) -> Engagement:
    del event, at
    return engagement


def _stage_started(engagement: Engagement, event: StageStarted, at: datetime) -> Engagement:
    del at
    return engagement.but(
        stages=(*engagement.stages, StageSpan(stage=event.stage, cycle=event.cycle, started=event.on))
    )


def _stage_ended(engagement: Engagement, event: StageEnded, at: datetime) -> Engagement:
    del at
    spans = tuple(
        span.model_copy(update={"ended": event.on})
        if span.stage is event.stage and span.cycle == event.cycle and span.ended is None
        else span
        for span in engagement.stages
    )
    return forgotten(engagement.but(stages=spans), f"{event.cycle}/{event.stage.value}/")


PART = Part(name="gates", evolve={GatePassed: _gate_passed, StageStarted: _stage_started, StageEnded: _stage_ended})
