"""What a chart shows, read from its SVG as a browser or a screen reader reads it."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programme.spc import Chart, Direction, Point, chart
from web.charts import HEIGHT, LEFT, RIGHT, WIDTH, Bounds, drawing

SVG = "{http://www.w3.org/2000/svg}"
VIGNETTE = (1, 2, 1, 2, 10, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1)


def months(count: int) -> list[date]:
    return [date(2024 + month // 12, month % 12 + 1, 1) for month in range(count)]


def of(values: Sequence[object], direction: Direction = "up", rebases: Sequence[date] = ()) -> Chart:
    points = [Point(on=on, value=Decimal(str(value))) for on, value in zip(months(len(values)), values, strict=True)]
    return chart(points, direction=direction, rebases=rebases)


def drawn(its: Chart, title: str = "Waiting", unit: str = "", bounds: Bounds | None = None) -> ET.Element:
    return ET.fromstring(drawing(its, title=title, name="measure-1", unit=unit, bounds=bounds))  # noqa: S314 - our own


def shapes(svg: ET.Element) -> list[ET.Element]:
    """The markers of the points and of the legend: whatever has words of its own."""
    return [element for element in svg.iter() if element is not svg and element.find(f"{SVG}title") is not None]


def height(marker: ET.Element) -> float:
    if marker.tag == f"{SVG}circle":
        return float(marker.attrib["cy"])
    if marker.tag == f"{SVG}rect":
        return float(marker.attrib["y"]) + 6
    return float(marker.attrib["d"].split("l")[0].partition(",")[2]) + (8 if "l8,8" in marker.attrib["d"] else 7)


def words(svg: ET.Element) -> list[str]:
    return [element.text or "" for element in svg.iter(f"{SVG}text")]


def test_a_chart_says_what_it_is_and_what_it_shows_to_whoever_cannot_see_it() -> None:
    svg = drawn(of(VIGNETTE, "down"))
    assert svg.attrib["role"] == "img"
    named = svg.attrib["aria-labelledby"].split()
    texts = {element.attrib["id"]: element.text for element in svg if "id" in element.attrib}
    assert texts[named[0]] == "Waiting"
    summary = texts[named[1]]
    assert summary is not None
    assert summary.startswith("Common cause")
    assert summary.endswith("Outlying moving ranges left out of limits.")


def test_a_signal_is_told_by_its_shape_and_words_and_not_by_colour_alone() -> None:
    markers = shapes(drawn(of(VIGNETTE, "down")))[: len(VIGNETTE)]
    assert [marker.tag for marker in markers].count(f"{SVG}rect") == 1
    assert markers[4].tag == f"{SVG}rect"
    title = markers[4].find(f"{SVG}title")
    assert title is not None
    assert title.text == "1 May 2024: 10. Special cause \N{EN DASH} concern."


def test_the_lines_are_named_with_their_figures() -> None:
    assert {"Upper limit 4.6", "Mean 1.94", "Lower limit \N{MINUS SIGN}0.72"} <= set(words(drawn(of(VIGNETTE))))


def test_a_limit_beyond_what_is_possible_is_cut_in_the_drawing_and_whole_in_words() -> None:
    svg = drawn(of(VIGNETTE), unit="%", bounds=Bounds(Decimal(0), Decimal(100)))
    assert "0%" in words(svg)
    assert "\N{MINUS SIGN}2%" not in words(svg)
    assert "Lower limit \N{MINUS SIGN}0.72%" in words(svg)


def test_after_a_rebase_the_lines_begin_anew_and_the_old_ones_stay() -> None:
    once, twice = (
        len(list(drawn(of([4, 6, 5] * 8, rebases=rebases)).iter(f"{SVG}polyline")))
        for rebases in ((), (date(2025, 1, 1),))
    )
    assert (once, twice) == (4, 8)


def test_what_people_typed_stays_text() -> None:
    svg = drawn(of(VIGNETTE), title="<script>alert(1)</script> & more")
    assert "<script>alert(1)</script> & more" in words(svg)
    assert {element.tag.removeprefix(SVG) for element in svg.iter()} <= {
        "svg",
        "title",
        "desc",
        "text",
        "rect",
        "line",
        "g",
        "clipPath",
        "polyline",
        "circle",
        "path",
    }


def test_a_chart_loads_nothing_and_brings_no_styles() -> None:
    text = drawing(of(VIGNETTE), title="Waiting", name="measure-1")
    assert text.count("http") == 1  # the name of the format itself
    for element in ET.fromstring(text).iter():  # noqa: S314 - our own
        assert not {"href", "style", "onclick", "onload"} & element.attrib.keys()


@pytest.mark.parametrize("name", ["", "m 1", 'm"1', "m/1", "\N{LATIN SMALL LETTER U WITH DIAERESIS}"])
def test_a_name_that_is_no_name_in_a_page_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="letters, digits and hyphens"):
        drawing(of(VIGNETTE), title="Waiting", name=name)


def test_a_measure_without_points_says_so() -> None:
    svg = drawn(of([]))
    assert "There are no points yet." in words(svg)
    assert shapes(svg) == []


@given(st.lists(st.decimals(-(10**6), 10**6, places=3, allow_nan=False), min_size=1, max_size=40))
def test_every_point_is_inside_the_frame_and_a_higher_value_is_never_drawn_lower(values: list[Decimal]) -> None:
    svg = drawn(of(values))
    heights = [height(marker) for marker in shapes(svg)[: len(values)]]
    assert all(0 < place < HEIGHT for place in heights)
    upwards = [place for _, place in sorted(zip(values, heights, strict=True), key=lambda pair: (pair[0], -pair[1]))]
    assert upwards == sorted(upwards, reverse=True)
    for line in svg.iter(f"{SVG}polyline"):
        for place in line.attrib["points"].split():
            assert LEFT <= float(place.partition(",")[0]) <= WIDTH - RIGHT
