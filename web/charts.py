"""XmR charts as SVG: one measure, its limits and what they say, readable without colour and without script.

The words come from ``programme.spc``; here they only get places. Limits may pass 0 or 100: the drawing is cut there,
the figures are not. Every point keeps its date, value and meaning as text; the page shows the table beside the chart.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from jinja2 import ChainableUndefined, Environment, FileSystemLoader

from programme.spc import Chart, ChartPoint, Segment, Variation
from programme.working_time import uk_date

WIDTH, HEIGHT = 960.0, 440.0
LEFT, RIGHT, TOP, BOTTOM = 72.0, 168.0, 56.0, 96.0  # margins: figures, names of the lines, title, dates and legend
TICKS = 6  # at most, up the side
DATES = 6  # at most, along the foot
APART = 18.0  # at least, between two names of lines


@dataclass(frozen=True, slots=True)
class _Look:
    """How a sort of point looks: by shape first, then by colour (each at least 4.5 to 1 on white)."""

    shape: str
    colour: str


_LOOKS = {
    Variation.COMMON_CAUSE: _Look("circle", "#4c6272"),
    Variation.IMPROVEMENT: _Look("diamond", "#005eb8"),
    Variation.CONCERN: _Look("square", "#b34700"),
    Variation.NEITHER: _Look("triangle", "#5c2d91"),
}


@dataclass(frozen=True, slots=True)
class _Marker:
    """A point of the chart, or of its legend."""

    x: float
    y: float
    look: _Look
    words: str


@dataclass(frozen=True, slots=True)
class _Stroke:
    """A line through some places: ``kind`` is data, mean, limit or target."""

    kind: str
    places: str


@dataclass(frozen=True, slots=True)
class _Text:
    """Words at a place."""

    x: float
    y: float
    words: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a value can not pass, where there is such a thing: 0 and 100 for a percentage."""

    lowest: Decimal | None = None
    highest: Decimal | None = None


def drawing(chart: Chart, *, title: str, name: str, unit: str = "", bounds: Bounds | None = None) -> str:
    """The SVG of a chart, for a page or a file of its own.

    title: of the measure. name: letters, digits and hyphens, unlike that of any other chart on the page.
    unit: of the values, as it follows a figure: "%", " minutes".
    """
    if not name.replace("-", "").isalnum() or not name.isascii():
        raise ValueError("a chart's name is made of letters, digits and hyphens")
    plane = _Plane(chart, bounds or Bounds(), unit) if chart.points else None
    summary = " ".join([chart.summary, *(f"{note[:1].upper()}{note[1:]}." for note in chart.notes)])
    template = _templates().get_template("xmr.svg.jinja")
    return template.render(title=title, name=name, summary=summary, chart=chart, plane=plane, size=_SIZE)


_SIZE = {
    "width": WIDTH,
    "height": HEIGHT,
    "left": LEFT,
    "right": WIDTH - RIGHT,
    "top": TOP,
    "bottom": HEIGHT - BOTTOM,
}


class _Plane:
    """Where everything goes: dates to the right, values up."""

    def __init__(self, chart: Chart, bounds: Bounds, unit: str) -> None:
        self._chart = chart
        self._unit = unit
        self._first, self._last = chart.points[0].on, chart.points[-1].on
        self._ticks = _ticks(*_span(chart, bounds))
        self._low, self._high = self._ticks[0], self._ticks[-1]

    def x(self, on: date) -> float:
        """From the left edge; a single point stands in the middle."""
        days = (self._last - self._first).days
        share = (on - self._first).days / days if days else 0.5
        inset = 12.0  # so that the first and last marker do not touch the frame
        return round(LEFT + inset + share * (WIDTH - LEFT - RIGHT - 2 * inset), 1)

    def y(self, value: Decimal) -> float:
        """From the top edge; what lies beyond the frame is cut by it."""
        share = float((value - self._low) / (self._high - self._low))
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)

    @property
    def figures(self) -> list[_Text]:
        """The figures up the side."""
        return [_Text(LEFT - 10, self.y(tick), f"{_plain(tick)}{self._unit}") for tick in self._ticks]

    @property
    def dates(self) -> list[_Text]:
        """The dates along the foot: as many as have room."""
        points = self._chart.points
        monthly = all(point.on.day == 1 for point in points)
        every = math.ceil(len(points) / DATES)
        shown = [point.on for point in points[::every]]
        return [_Text(self.x(on), HEIGHT - BOTTOM + 22, f"{on:%B %Y}" if monthly else uk_date(on)) for on in shown]

    @property
    def strokes(self) -> list[_Stroke]:
        """Limits and means of each segment, the target, and the line through the points."""
        strokes = []
        for segment, points in _by_segment(self._chart):
            for kind, value in (("limit", segment.upl), ("limit", segment.lpl), ("mean", segment.mean)):
                if value is not None:
                    strokes.append(_Stroke(kind, self._level(segment.start, segment.end, value)))
            strokes.append(_Stroke("data", " ".join(f"{self.x(point.on)},{self.y(point.value)}" for point in points)))
        return [*(_Stroke("target", places) for places in self._target()), *strokes]

    def _level(self, start: date, end: date, value: Decimal) -> str:
        # A segment of one point still shows its lines, as long as a marker is wide.
        left, right = (self.x(start) - 8, self.x(end) + 8) if start == end else (self.x(start), self.x(end))
        return f"{left},{self.y(value)} {right},{self.y(value)}"

    def _target(self) -> Iterator[str]:
        """The target as steps: each holds until the next."""
        places: list[str] = []
        previous: Decimal | None = None
        for point in self._chart.points:
            if point.target is None:
                continue
            if previous is not None and previous != point.target:
                places.append(f"{self.x(point.on)},{self.y(previous)}")
            places.append(f"{self.x(point.on)},{self.y(point.target)}")
            previous = point.target
        if len(places) == 1 and previous is not None:
            yield self._level(self._last, self._last, previous)
        elif places:
            yield " ".join(places)

    @property
    def markers(self) -> list[_Marker]:
        """The points, each with its words."""
        return [
            _Marker(self.x(point.on), self.y(point.value), _LOOKS[point.variation], self._words(point))
            for point in self._chart.points
        ]

    def _words(self, point: ChartPoint) -> str:
        return f"{uk_date(point.on)}: {_plain(point.value)}{self._unit}. {point.variation}."

    @property
    def names(self) -> list[_Text]:
        """The names of the last segment's lines, beside their ends and far enough apart to be read."""
        last = self._chart.segments[-1]
        lines = {"Upper limit": last.upl, "Target": self._chart.target, "Mean": last.mean, "Lower limit": last.lpl}
        wanted = sorted(
            (self._inside(value), f"{what} {_plain(value)}{self._unit}")
            for what, value in lines.items()
            if value is not None
        )
        names: list[_Text] = []
        for y, words in wanted:
            lowest = names[-1].y + APART if names else TOP
            names.append(_Text(WIDTH - RIGHT + 10, max(y, lowest), words))
        return names

    def _inside(self, value: Decimal) -> float:
        return min(max(self.y(value), TOP), HEIGHT - BOTTOM)

    @property
    def legend(self) -> list[_Marker]:
        """The sorts of point that occur, in words."""
        found = [variation for variation in _LOOKS if any(point.variation is variation for point in self._chart.points)]
        return [
            _Marker(LEFT + 12, HEIGHT - BOTTOM + 48 + 20 * row, _LOOKS[one], str(one)) for row, one in enumerate(found)
        ]


def _by_segment(chart: Chart) -> Iterator[tuple[Segment, Sequence[ChartPoint]]]:
    start = 0
    for segment in chart.segments:
        yield segment, chart.points[start : start + segment.points]
        start += segment.points


def _span(chart: Chart, bounds: Bounds) -> tuple[Decimal, Decimal]:
    """The lowest and highest value to draw: all points, and the lines as far as a value can go."""
    values = [point.value for point in chart.points]
    lines = [line for point in chart.points for line in (point.upl, point.lpl, point.target) if line is not None]
    low, high = min([*values, *lines]), max([*values, *lines])
    if bounds.lowest is not None:
        low = min([max(low, bounds.lowest), *values])
    if bounds.highest is not None:
        high = max([min(high, bounds.highest), *values])
    return (low, high) if low < high else (low - 1, high + 1)


def _ticks(low: Decimal, high: Decimal) -> list[Decimal]:
    """Round figures that enclose the span, at even steps of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / (TICKS - 1)
    power = Decimal(1).scaleb(rough.adjusted())
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [step * number for number in range(first, last + 1)]


def _plain(value: Decimal) -> str:
    """A figure without needless zeros and without an exponent."""
    text = f"{value:f}".replace("-", "\N{MINUS SIGN}")
    return text.rstrip("0").rstrip(".") if "." in text else text


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates" / "charts"),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
