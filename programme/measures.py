"""Measures: what is counted each month, typed or loaded, corrected without losing anything, and its dated targets.

What the chart of a measure says, and when its lines begin anew, stands in ``charting.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from programme.measure import Direction, Measure, MeasureId, MeasureKind, Reading, Target
from programme.messages import Command, Event, Frozen, PersonId, Role, Sentence, Task
from programme.part import Asked, Part
from programme.refusals import Invalid, PointExists, UnknownMeasure, UnknownPoint
from programme.working_time import month_after

if TYPE_CHECKING:
    from programme.engagement import Engagement

_CEILING = Decimal(10) ** 12  # no service counts more than this
_PLACES = 6
_MOST_POINTS = 240  # twenty years of months in one file


# --- commands ------------------------------------------------------------------------------------------------------


class NewPoint(Frozen):
    """A value for the month in which ``period`` lies, in the measure's unit."""

    period: date
    value: Decimal


class DefineMeasure(Command):
    """Say what is counted monthly, from which source, and which way is better."""

    who = frozenset({Role.MEASURE_STEWARD})
    refusals = (Invalid,)

    kind: Literal["DefineMeasure"] = "DefineMeasure"
    title: Sentence
    purpose: MeasureKind = MeasureKind.OUTCOME
    unit: Sentence = ""
    direction: Direction = Direction.NEUTRAL
    source: Sentence = ""


class AddPoints(Command):
    """Enter the values of one or more months, typed or from a file: the baseline, or the month that has ended."""

    who = frozenset({Role.MEASURE_STEWARD})
    refusals = (UnknownMeasure, PointExists, Invalid)

    kind: Literal["AddPoints"] = "AddPoints"
    measure: MeasureId
    points: tuple[NewPoint, ...]


class CorrectPoint(Command):
    """Put another value in force for a month, with a reason. The value before stays in the history."""

    who = frozenset({Role.MEASURE_STEWARD})
    refusals = (UnknownMeasure, UnknownPoint, Invalid)

    kind: Literal["CorrectPoint"] = "CorrectPoint"
    measure: MeasureId
    period: date
    value: Decimal
    reason: Sentence


class SetTarget(Command):
    """Put a target in force from a day on; earlier targets stay for the time before."""

    who = frozenset({Role.MEASURE_STEWARD})
    refusals = (UnknownMeasure, Invalid)

    kind: Literal["SetTarget"] = "SetTarget"
    measure: MeasureId
    since: date
    value: Decimal


Commands = DefineMeasure | AddPoints | CorrectPoint | SetTarget


# --- events --------------------------------------------------------------------------------------------------------


class MeasureDefined(Event):
    """A measure exists."""

    kind: Literal["MeasureDefined"] = "MeasureDefined"
    measure: MeasureId
    title: str
    purpose: MeasureKind
    unit: str = ""
    direction: Direction
    source: str = ""
    steward: PersonId
    on: date


class PointsAdded(Event):
    """Values of months that had none."""

    kind: Literal["PointsAdded"] = "PointsAdded"
    measure: MeasureId
    points: tuple[NewPoint, ...]
    by: PersonId
    on: date


class PointCorrected(Event):
    """Another value is in force for a month; the one before is kept."""

    kind: Literal["PointCorrected"] = "PointCorrected"
    measure: MeasureId
    period: date
    value: Decimal
    corrects: int
    reason: str
    by: PersonId
    on: date


class TargetSet(Event):
    """A target is in force from a day on."""

    kind: Literal["TargetSet"] = "TargetSet"
    measure: MeasureId
    since: date
    value: Decimal
    by: PersonId
    on: date


Events = MeasureDefined | PointsAdded | PointCorrected | TargetSet


# --- asking about measures -----------------------------------------------------------------------------------------


def measure_of(engagement: Engagement, measure: MeasureId) -> Measure:
    """A measure of the engagement.

    Raises:
        UnknownMeasure: there is none with this id.
    """
    found = engagement.measures.measures.get(measure)
    if found is None:
        raise UnknownMeasure(measure)
    return found


def month_of(on: date) -> date:
    """The first day of the month in which a day lies."""
    return on.replace(day=1)


def next_month(month: date) -> date:
    """The first day of the month after."""
    return month_after(month_of(month), 1)


def refuse_value(value: Decimal) -> None:
    """Refuse a figure that no measure of a service has: it would only make arithmetic slow.

    Raises:
        Invalid: more than twelve digits before the point, or more than six after it.
    """
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_PLACES or abs(value) >= _CEILING:
        raise Invalid(f"Write values below 1,000,000,000,000 with at most {_PLACES} decimal places.")


def refuse_blank(text: str, what: str) -> None:
    """Refuse an empty sentence.

    Raises:
        Invalid: names what is empty.
    """
    if not text.strip():
        raise Invalid(f"{what} is empty. Write one sentence.")


# --- decide --------------------------------------------------------------------------------------------------------


def define_measure(engagement: Engagement, command: DefineMeasure, asked: Asked) -> list[Event]:
    """Define a measure; whoever defines it looks after its points."""
    refuse_blank(command.title, "The title")
    refuse_blank(command.source, "The source")
    return [
        MeasureDefined(
            measure=f"M{engagement.measures.defined + 1}",
            title=command.title,
            purpose=command.purpose,
            unit=command.unit,
            direction=command.direction,
            source=command.source,
            steward=asked.by,
            on=asked.today,
        )
    ]


def add_points(engagement: Engagement, command: AddPoints, asked: Asked) -> list[Event]:
    """Enter values of months that have ended and have none yet: all of them, or none."""
    measure = measure_of(engagement, command.measure)
    if not 1 <= len(command.points) <= _MOST_POINTS:
        raise Invalid(f"Enter 1 to {_MOST_POINTS} points at a time.")
    known = {one.period for one in measure.readings}
    for point in command.points:
        month = month_of(point.period)
        if next_month(month) > asked.today:
            raise Invalid(f"{month:%B %Y} has not ended. Enter its point when it has.")
        if month in known:
            raise PointExists(f"{month:%B %Y}")
        refuse_value(point.value)
        known.add(month)
    points = tuple(NewPoint(period=month_of(one.period), value=one.value) for one in command.points)
    return [PointsAdded(measure=measure.id, points=points, by=asked.by, on=asked.today)]


def correct_point(engagement: Engagement, command: CorrectPoint, asked: Asked) -> list[Event]:
    """Put another value in force; the earlier reading and this one both stay."""
    measure = measure_of(engagement, command.measure)
    month = month_of(command.period)
    refuse_blank(command.reason, "The reason")
    refuse_value(command.value)
    corrected = next((one for one in measure.points if one.period == month), None)
    if corrected is None:
        raise UnknownPoint(f"{month:%B %Y}")
    if corrected.value == command.value:
        return []
    return [
        PointCorrected(
            measure=measure.id,
            period=month,
            value=command.value,
            corrects=corrected.number,
            reason=command.reason,
            by=asked.by,
            on=asked.today,
        )
    ]


def set_target(engagement: Engagement, command: SetTarget, asked: Asked) -> list[Event]:
    """Put a dated target in force."""
    measure = measure_of(engagement, command.measure)
    refuse_value(command.value)
    return [TargetSet(measure=measure.id, since=command.since, value=command.value, by=asked.by, on=asked.today)]


# --- evolve --------------------------------------------------------------------------------------------------------


def _defined(engagement: Engagement, event: MeasureDefined, at: datetime) -> Engagement:
    del at
    facts = event.model_dump(exclude={"kind", "measure", "on"})
    measure = Measure(id=event.measure, defined=event.on, **facts)
    held = engagement.measures
    counted = held.model_copy(update={"defined": held.defined + 1})
    return with_measure(engagement.but(measures=counted), measure)


def _points_added(engagement: Engagement, event: PointsAdded, at: datetime) -> Engagement:
    del at
    measure = engagement.measures.measures[event.measure]
    first = len(measure.readings) + 1
    added = tuple(
        Reading(number=number, period=one.period, value=one.value, by=event.by, on=event.on)
        for number, one in enumerate(event.points, first)
    )
    return with_measure(engagement, measure.but(readings=(*measure.readings, *added)))


def _point_corrected(engagement: Engagement, event: PointCorrected, at: datetime) -> Engagement:
    del at
    measure = engagement.measures.measures[event.measure]
    facts = event.model_dump(exclude={"kind", "measure"})
    correction = Reading(number=len(measure.readings) + 1, **facts)
    return with_measure(engagement, measure.but(readings=(*measure.readings, correction)))


def _target_set(engagement: Engagement, event: TargetSet, at: datetime) -> Engagement:
    del at
    measure = engagement.measures.measures[event.measure]
    target = Target(since=event.since, value=event.value, by=event.by, on=event.on)
    return with_measure(engagement, measure.but(targets=(*measure.targets, target)))


def with_measure(engagement: Engagement, measure: Measure) -> Engagement:
    """The engagement with this measure in place of the one of its id."""
    held = engagement.measures
    return engagement.but(measures=held.model_copy(update={"measures": {**held.measures, measure.id: measure}}))


# --- tasks ---------------------------------------------------------------------------------------------------------


def tasks(engagement: Engagement) -> Iterator[Task]:
    """The first measure and every baseline, for the stewards; a steward, where there is none."""
    measures = engagement.measures.measures.values()
    if engagement.registered and not any(Role.MEASURE_STEWARD in one.intended() for one in engagement.people.values()):
        yield from _find_steward(engagement, engagement.registered)
    if engagement.registered and not measures:
        yield from _steward_tasks(engagement, "first", engagement.registered, "the engagement was registered")
    for measure in measures:
        if not measure.has_baseline:
            yield from _steward_tasks(engagement, measure.id, measure.defined, "the measure was defined")


def _find_steward(engagement: Engagement, since: date) -> Iterator[Task]:
    for manager in engagement.holders(Role.PROGRAMME_MANAGER):
        yield Task(
            id=f"measures/steward/{manager}",
            ladder="duty",
            person=manager,
            about=Role.MEASURE_STEWARD.value,
            command="Appoint",
            title="Appoint a measure steward",
            opened=since,
            due=engagement.time.due(since, engagement.template.durations.appointment, "the engagement was registered"),
        )


def _steward_tasks(engagement: Engagement, what: str, since: date, why: str) -> Iterator[Task]:
    first = what == "first"
    for steward in engagement.holders(Role.MEASURE_STEWARD):
        yield Task(
            id=f"measures/baseline-{what}/{steward}",
            ladder="baseline",
            person=steward,
            about="measures" if first else what,
            command="DefineMeasure" if first else "AddPoints",
            title="Choose a measure and load its baseline" if first else f"Load the baseline of measure {what}",
            opened=since,
            due=engagement.time.due(since, engagement.template.durations.baseline, why),
        )


PART = Part(
    name="measures",
    decide={
        DefineMeasure: define_measure,
        AddPoints: add_points,
        CorrectPoint: correct_point,
        SetTarget: set_target,
    },
    evolve={
        MeasureDefined: _defined,
        PointsAdded: _points_added,
        PointCorrected: _point_corrected,
        TargetSet: _target_set,
    },
    tasks=tasks,
)
