"""What a measure is: its readings, its targets, its rebases, and what its chart says. State only.

A point is never edited: a correction is a further reading of the same month, with its reason, and both stay. A measure
belongs to the engagement, not to a cycle, so that its line runs on for years.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any, Self

from pydantic import Field

from programme import spc
from programme.messages import Frozen, Paragraph, PersonId, Sentence, Side

MeasureId = str


class MeasureKind(StrEnum):
    """What a measure is for."""

    OUTCOME = "outcome"
    PROCESS = "process"
    BALANCING = "balancing"  # what must not get worse meanwhile


class Direction(StrEnum):
    """Which way is better. A measure that an action aims at goes up or down."""

    UP = "up"
    DOWN = "down"
    NEUTRAL = "neutral"


class Reading(Frozen):
    """A value for one month (``period`` is its first day), in the measure's unit.

    ``corrects`` is the number of the reading that it replaces.
    """

    number: int
    period: date
    value: Decimal
    by: PersonId
    on: date
    corrects: int | None = None
    reason: Sentence = ""


class Target(Frozen):
    """A target in force from a day on. Targets change yearly, so none is ever a constant."""

    since: date
    value: Decimal
    by: PersonId
    on: date


class Rebase(Frozen):
    """New lines from a month on, asked for by one co-owner and agreed by the one of the other side."""

    since: date
    reason: Sentence
    asked_by: PersonId
    asked: date
    agreed_by: PersonId = ""
    agreed: date | None = None


class Explanation(Frozen):
    """What the co-owner of a side says about a signal."""

    by: PersonId
    text: Paragraph
    on: date


class Signal(Frozen):
    """Something that chance does not explain, in the month ``period``; the co-owners say what they know of it.

    ``meaning`` is improvement, concern or neither; ``rule`` and ``heading`` as on the chart.
    """

    number: int
    period: date
    rule: str
    heading: int
    meaning: str
    raised: date
    explanations: dict[Side, Explanation] = Field(default_factory=dict)


class Measure(Frozen):
    """One thing that is counted monthly. ``readings`` holds every value ever entered, in the order of entering."""

    id: MeasureId
    title: Sentence
    purpose: MeasureKind = MeasureKind.OUTCOME
    unit: Sentence = ""
    direction: Direction = Direction.NEUTRAL
    source: Sentence = ""
    steward: PersonId = ""
    defined: date
    readings: tuple[Reading, ...] = ()
    targets: tuple[Target, ...] = ()
    rebases: tuple[Rebase, ...] = ()
    asked_rebase: Rebase | None = None
    signals: tuple[Signal, ...] = ()
    read: int = 0  # how many of the readings the chart was read for

    def but(self, **changes: Any) -> Self:
        """A copy with these fields changed; the chart of the old one is not carried over."""
        copy = self.model_copy(update=changes)
        copy.__dict__.pop("chart", None)
        return copy

    @property
    def points(self) -> tuple[Reading, ...]:
        """The reading in force for each month, in the order of months."""
        return tuple(in_force for _, in_force in sorted({one.period: one for one in self.readings}.items()))

    @property
    def has_baseline(self) -> bool:
        """Whether there are enough points for limits at all; below twelve they are trial limits."""
        return len(self.points) >= spc.FEWEST_FIXED

    @cached_property
    def chart(self) -> spc.Chart:
        """The chart of the points in force, by the Making Data Count rules."""
        return spc.chart(
            [spc.Point(on=one.period, value=one.value) for one in self.points],
            direction=self.direction.value,
            rebases=[one.since for one in self.rebases],
            targets=list({one.since: (one.since, one.value) for one in self.targets}.values()),
        )


class Measures(Frozen):
    """All measures of an engagement. ``defined`` counts for the ids."""

    measures: dict[MeasureId, Measure] = Field(default_factory=dict)
    defined: int = 0
