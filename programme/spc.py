"""XmR charts by the NHS "Making Data Count" rules: what is signal and what is noise in one measure.

Source: programme.md, "SPC: exact Making Data Count rules". Everything is worked out in exact fractions, so that a point
exactly on the mean is found and the same points give the same chart on every machine. What is published is a Decimal,
one place finer than the finest value and at least 0.01, in the unit of the measure. Nothing here compares two charts.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import groupby, pairwise
from typing import Literal, NamedTuple

from programme.messages import Frozen
from programme.working_time import uk_date

SHIFT_LENGTH = 7  # in a row on one side of the mean
TREND_LENGTH = 7  # in a row rising or falling; documents of other years say 6
FEWEST_FIXED = 2  # points: one alone has no moving range
TRIAL_BELOW = 12  # points that a segment's limits should stand on
LIMIT = Fraction("2.66")  # average moving ranges from the mean to a limit: three sigma
NEAR = LIMIT * 2 / 3  # two sigma
OUTLYING = Fraction("3.267")  # average moving ranges from which a moving range is left out of the limits

Direction = Literal["up", "down", "neutral"]
_BETTER: dict[Direction, int] = {"up": 1, "down": -1}


class Variation(StrEnum):
    """What a point says, in the words that are shown: never by colour alone."""

    IMPROVEMENT = "Special cause \N{EN DASH} improvement"
    CONCERN = "Special cause \N{EN DASH} concern"
    NEITHER = "Special cause \N{EN DASH} neither good nor bad"
    COMMON_CAUSE = "Common cause \N{EN DASH} no significant change"


class Assurance(StrEnum):
    """What the limits promise about the target, in the words that are shown."""

    MEETS = "Will consistently meet the target"
    HIT_AND_MISS = "Will not consistently meet the target, hit and miss"
    MISSES = "Will consistently miss the target"


class Rule(StrEnum):
    """The four rules, in the order in which they name a point that more than one of them catches."""

    OUTSIDE = "outside"
    TREND = "trend"
    TWO_IN_THREE = "two_in_three"
    SHIFT = "shift"


Signal = Literal["improvement", "concern", "neither"]
MEANING: dict[Variation, Signal | None] = {
    Variation.IMPROVEMENT: "improvement",
    Variation.CONCERN: "concern",
    Variation.NEITHER: "neither",
    Variation.COMMON_CAUSE: None,
}
_REASONS: dict[tuple[Rule, int], str] = {
    (Rule.OUTSIDE, 1): "is above the upper limit",
    (Rule.OUTSIDE, -1): "is below the lower limit",
    (Rule.TREND, 1): f"is one of {TREND_LENGTH} or more in a row that rise",
    (Rule.TREND, -1): f"is one of {TREND_LENGTH} or more in a row that fall",
    (Rule.TWO_IN_THREE, 1): "is one of 2 in 3 close to the upper limit",
    (Rule.TWO_IN_THREE, -1): "is one of 2 in 3 close to the lower limit",
    (Rule.SHIFT, 1): f"is one of {SHIFT_LENGTH} or more in a row above the mean",
    (Rule.SHIFT, -1): f"is one of {SHIFT_LENGTH} or more in a row below the mean",
}


class Point(Frozen):
    """One value of a measure, in the measure's unit, dated by its period."""

    on: date
    value: Decimal


class ChartPoint(Frozen):
    """A point beside the lines of its segment.

    ``rule`` is the first rule that catches it and ``heading`` which way: 1 above or rising, -1 below or falling, 0 with
    no rule. A segment of one point has no limits.
    """

    on: date
    value: Decimal
    mean: Decimal
    upl: Decimal | None
    lpl: Decimal | None
    target: Decimal | None
    rule: Rule | None
    heading: int
    variation: Variation


class Segment(Frozen):
    """The stretch between two rebases, with lines of its own. ``start`` and ``end`` are its first and last point."""

    start: date
    end: date
    points: int
    mean: Decimal
    upl: Decimal | None
    lpl: Decimal | None
    ranges_left_out: int  # moving ranges too far out to count towards the limits
    trial_limits: bool  # the limits stand on fewer than 12 points


class Chart(Frozen):
    """A whole chart. ``latest`` and ``trial_limits`` speak of its last point; ``notes`` must be shown with it."""

    direction: Direction
    points: tuple[ChartPoint, ...]
    segments: tuple[Segment, ...]
    target: Decimal | None
    assurance: Assurance | None
    latest: Signal | None
    trial_limits: bool
    summary: str
    notes: tuple[str, ...]


class _Lines(NamedTuple):
    """The exact lines of a segment; ``spread`` is the average moving range, None where there is no pair of points."""

    mean: Fraction
    spread: Fraction | None
    left_out: int

    def at(self, ranges: Fraction) -> Fraction | None:
        """The line so many average moving ranges above the mean (below, if negative)."""
        return None if self.spread is None else self.mean + ranges * self.spread


class _Caught(NamedTuple):
    """What the rules found at one point."""

    rule: Rule | None
    heading: int


def chart(
    points: Sequence[Point],
    *,
    direction: Direction,
    rebases: Sequence[date] = (),
    fix_n: int | None = None,
    screen: bool = True,
    targets: Sequence[tuple[date, Decimal]] = (),
) -> Chart:
    """Draw the lines through the points, a segment at a time, and say what they show.

    rebases: a segment begins with the first point on or after each of these dates.
    fix_n: the lines of each segment stand on its first ``fix_n`` points; None means on all of them.
    screen: leave outlying moving ranges out of the limits (said in the notes).
    targets: (from this date, value), in any order; the one in force at a point is the latest not after it.

    Raises:
        ValueError: the points are not in date order with one a date, or ``fix_n`` leaves no moving range.
    """
    if any(later.on <= earlier.on for earlier, later in pairwise(points)):
        raise ValueError("points must be in date order, one for a date")
    if fix_n is not None and fix_n < FEWEST_FIXED:
        raise ValueError(f"fix_n must be {FEWEST_FIXED} or more")
    drawn: list[ChartPoint] = []
    segments: list[Segment] = []
    assurance: Assurance | None = None
    places = _places(points)
    for stretch in _stretches(points, rebases):
        lines = _lines([Fraction(point.value) for point in stretch[:fix_n]], screen=screen)
        segments.append(_segment(stretch, lines, places, fix_n))
        drawn += _drawn(stretch, lines, places, direction, targets)
        assurance = _assurance(drawn[-1].target, lines, direction)  # of the last segment, in the end
    return _chart(drawn, segments, direction, assurance, screen=screen)


def signals(chart: Chart) -> tuple[ChartPoint, ...]:
    """The points that carry a special cause, in date order; ``rule`` and ``variation`` say which."""
    return tuple(point for point in chart.points if point.rule is not None)


def _stretches(points: Sequence[Point], rebases: Sequence[date]) -> list[list[Point]]:
    """A rebase between two points, outside all of them, or twice between the same two, makes no empty segment."""
    return [list(group) for _, group in groupby(points, lambda point: sum(rebase <= point.on for rebase in rebases))]


def _lines(baseline: Sequence[Fraction], *, screen: bool) -> _Lines:
    mean = sum(baseline, Fraction()) / len(baseline)
    ranges = [abs(later - earlier) for earlier, later in pairwise(baseline)]
    if not ranges:
        return _Lines(mean, None, 0)
    spread = sum(ranges, Fraction()) / len(ranges)
    # Values that never change have a spread of nothing, which would screen every range away.
    kept = [moved for moved in ranges if moved < OUTLYING * spread] if screen and spread else ranges
    return _Lines(mean, sum(kept, Fraction()) / len(kept), len(ranges) - len(kept))


def _caught(values: Sequence[Fraction], lines: _Lines) -> list[_Caught]:
    """The first rule, in the order of ``Rule``, that catches each point of a segment."""
    sides = [_sign(value - lines.mean) for value in values]
    outside = [side if _beyond(value, lines, LIMIT) else 0 for value, side in zip(values, sides, strict=True)]
    close = [
        side if _beyond(value, lines, NEAR) and not out else 0
        for value, side, out in zip(values, sides, outside, strict=True)
    ]
    by_rule = (outside, _trends(values), _two_in_three(close, sides), _runs(sides, SHIFT_LENGTH))
    return [
        next((_Caught(rule, heading) for rule, heading in zip(Rule, found, strict=True) if heading), _Caught(None, 0))
        for found in zip(*by_rule, strict=True)
    ]


def _beyond(value: Fraction, lines: _Lines, ranges: Fraction) -> bool:
    return lines.spread is not None and abs(value - lines.mean) > ranges * lines.spread


def _runs(signs: Sequence[int], length: int) -> list[int]:
    """The sign of the run that each place belongs to, where that run is long enough; a 0 breaks every run."""
    found: list[int] = []
    for sign, run in groupby(signs):
        long = len(list(run))
        found += [sign if long >= length else 0] * long
    return found


def _trends(values: Sequence[Fraction]) -> list[int]:
    """The trend that each point is part of."""
    # A peak between two trends keeps the first: later points must not turn a label that people have read.
    steps = _runs([_sign(later - earlier) for earlier, later in pairwise(values)], TREND_LENGTH - 1)
    return [into or out_of for into, out_of in zip([0, *steps], [*steps, 0], strict=True)]


def _two_in_three(close: list[int], sides: list[int]) -> list[int]:
    """Only the close points are caught, but all three must lie on one side of the mean."""
    found = [0] * len(close)
    for start in range(len(close) - 2):
        window = slice(start, start + 3)
        if len(set(sides[window])) == 1 and close[window].count(0) <= 1:
            found[window] = close[window]
    return found


def _sign(value: Fraction) -> int:
    return (value > 0) - (value < 0)


def _variation(caught: _Caught, direction: Direction) -> Variation:
    if caught.rule is None:
        return Variation.COMMON_CAUSE
    if direction == "neutral":
        return Variation.NEITHER
    return Variation.IMPROVEMENT if caught.heading == _BETTER[direction] else Variation.CONCERN


def _drawn(
    stretch: Sequence[Point],
    lines: _Lines,
    places: int,
    direction: Direction,
    targets: Sequence[tuple[date, Decimal]],
) -> list[ChartPoint]:
    caught = _caught([Fraction(point.value) for point in stretch], lines)
    return [
        ChartPoint(
            on=point.on,
            value=point.value,
            mean=_rounded(lines.mean, places),
            upl=_published(lines.at(LIMIT), places),
            lpl=_published(lines.at(-LIMIT), places),
            target=_target(targets, point.on),
            rule=found.rule,
            heading=found.heading,
            variation=_variation(found, direction),
        )
        for point, found in zip(stretch, caught, strict=True)
    ]


def _segment(stretch: Sequence[Point], lines: _Lines, places: int, fix_n: int | None) -> Segment:
    return Segment(
        start=stretch[0].on,
        end=stretch[-1].on,
        points=len(stretch),
        mean=_rounded(lines.mean, places),
        upl=_published(lines.at(LIMIT), places),
        lpl=_published(lines.at(-LIMIT), places),
        ranges_left_out=lines.left_out,
        trial_limits=len(stretch[:fix_n]) < TRIAL_BELOW,
    )


def _chart(
    points: Sequence[ChartPoint],
    segments: Sequence[Segment],
    direction: Direction,
    assurance: Assurance | None,
    *,
    screen: bool,
) -> Chart:
    last = points[-1] if points else None
    trial = not segments or segments[-1].trial_limits
    notes = (
        *(["outlying moving ranges left out of limits"] if screen else []),
        *([f"trial limits: fewer than {TRIAL_BELOW} points"] if trial else []),
    )
    return Chart(
        direction=direction,
        points=tuple(points),
        segments=tuple(segments),
        target=last.target if last else None,
        assurance=assurance,
        latest=MEANING[last.variation] if last else None,
        trial_limits=trial,
        summary=_summary(last, assurance) if last else "There are no points yet.",
        notes=notes,
    )


def _assurance(target: Decimal | None, lines: _Lines, direction: Direction) -> Assurance | None:
    """A target beyond a limit will be met, or missed, every time; between the limits it is chance."""
    if direction == "neutral" or target is None or lines.spread is None:
        return None
    goal = Fraction(target)
    if not _beyond(goal, lines, LIMIT):
        return Assurance.HIT_AND_MISS
    return Assurance.MISSES if _sign(goal - lines.mean) == _BETTER[direction] else Assurance.MEETS


def _target(targets: Sequence[tuple[date, Decimal]], on: date) -> Decimal | None:
    in_force = [target for target in targets if target[0] <= on]
    return max(in_force, key=lambda target: target[0])[1] if in_force else None


def _summary(last: ChartPoint, assurance: Assurance | None) -> str:
    """The chart in one sentence, for whoever cannot or will not read the drawing."""
    if last.rule is not None:
        why = _REASONS[last.rule, last.heading]
    elif last.upl is None:
        why = "stands alone, so no limits can be drawn yet"
    else:
        why = f"is within the limits of {last.lpl} to {last.upl}"
    towards = f"; target {last.target}: {assurance[0].lower()}{assurance[1:]}" if assurance else ""
    return f"{last.variation}: the latest point, {last.value} on {uk_date(last.on)}, {why}{towards}."


def _places(points: Sequence[Point]) -> int:
    """Decimal places of the published lines: a rate such as 0.004 would vanish at 0.01."""
    exponents = [exponent for point in points if isinstance(exponent := point.value.as_tuple().exponent, int)]
    return max([2, *(1 - exponent for exponent in exponents)])


def _rounded(value: Fraction, places: int) -> Decimal:
    return Decimal(round(value * 10**places)).scaleb(-places)


def _published(value: Fraction | None, places: int) -> Decimal | None:
    return None if value is None else _rounded(value, places)
