"""The Making Data Count rules, one by one, and together. Golden values: programme.md."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programme.spc import Assurance, Chart, Direction, Point, Rule, Variation, chart, signals

FIRST = date(2025, 1, 1)
VIGNETTE = (1, 2, 1, 2, 10, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1)
CALM = (4, 6, 5, 4, 6, 5, 4, 6, 5, 4, 6, 5)


def dated(values: Sequence[object]) -> list[Point]:
    return [Point(on=FIRST + timedelta(days=day), value=Decimal(str(value))) for day, value in enumerate(values)]


def drawn(
    values: Sequence[object],
    direction: Direction = "up",
    *,
    fix_n: int | None = None,
    targets: Sequence[tuple[date, Decimal]] = (),
) -> Chart:
    return chart(dated(values), direction=direction, fix_n=fix_n, targets=targets)


def rules(result: Chart) -> str:
    """One letter a point: Outside, Trend, 2 in 3, Shift, or a dot."""
    letters = {Rule.OUTSIDE: "O", Rule.TREND: "T", Rule.TWO_IN_THREE: "2", Rule.SHIFT: "S", None: "."}
    return "".join(letters[point.rule] for point in result.points)


def test_the_published_example_gives_its_published_limits() -> None:
    last = chart(dated(VIGNETTE), direction="up").points[-1]
    assert (last.mean, last.upl, last.lpl) == (Decimal("1.94"), Decimal("4.60"), Decimal("-0.72"))


def test_without_screening_the_outlying_ranges_widen_the_limits() -> None:
    result = chart(dated(VIGNETTE), direction="up", screen=False)
    assert (result.points[-1].upl, result.points[-1].lpl) == (Decimal("6.95"), Decimal("-3.06"))
    assert result.segments[0].ranges_left_out == 0
    assert "outlying moving ranges left out of limits" not in result.notes


def test_screening_is_said_on_the_chart_and_counted() -> None:
    result = chart(dated(VIGNETTE), direction="up")
    assert result.segments[0].ranges_left_out == 2
    assert "outlying moving ranges left out of limits" in result.notes


def test_a_range_of_exactly_3_267_times_the_average_is_left_out() -> None:
    swings = [0, "0.6733"] * 5  # nine ranges of 0.6733, then one of 2.9403: 3.267 times the average of all ten
    assert drawn([*swings, "3.6136"]).segments[0].ranges_left_out == 1
    assert drawn([*swings, "3.6135"]).segments[0].ranges_left_out == 0


# Each row fixes the lines on the calm 12 points before it (mean 5, limits 1.37 and 8.63, two sigma 2.58 and 7.42).
@pytest.mark.parametrize(
    ("later", "caught", "why"),
    [
        ((9,), "O", "above the upper limit"),
        ((1,), "O", "below the lower limit"),
        (("5.1",) * 7, "S" * 7, "seven in a row above the mean"),
        (("4.9",) * 8, "S" * 8, "eight in a row below the mean"),
        (("5.1",) * 6, "." * 6, "six in a row are not enough"),
        (("5.1",) * 3 + (5,) + ("5.1",) * 3, "." * 7, "a point on the mean breaks the shift"),
        (("4.4", "4.6", "4.8", "5.2", "5.4", "5.6", "5.8"), "T" * 7, "seven rising across the mean"),
        (("5.6", "5.4", "5.2", "4.8", "4.6", "4.4", "4.2"), "T" * 7, "seven falling across the mean"),
        (("4.6", "4.8", "5.2", "5.4", "5.6", "5.8", "5.7"), "." * 7, "six rising are not enough"),
        (("4.4", "4.6", "4.8", "4.8", "5.2", "5.4", "5.6"), "." * 7, "a tie breaks the trend"),
        (("6", "8", "8"), ".22", "two of three close to the upper limit"),
        (("8", "6", "8"), "2.2", "only the close ones of the three are caught"),
        (("2", "4", "2"), "2.2", "two of three close to the lower limit"),
        (("8", "4", "8"), "...", "all three must lie on one side"),
        (("8", "2", "8"), "...", "close to opposite limits is not two in three"),
        (("8", "8", "9"), "22O", "a point outside is not close, but may be the third"),
        (("8", "9", "6"), ".O.", "one close and one outside are not two close"),
    ],
)
def test_each_rule_catches_what_it_should_and_nothing_else(later: tuple[object, ...], caught: str, why: str) -> None:
    # A point on the mean parts what is tested from the calm points.
    result = drawn((*CALM, 5, *later), fix_n=12)
    assert rules(result)[13:] == caught, why
    assert rules(result)[:13] == "." * 13


@pytest.mark.parametrize(
    ("later", "caught"),
    [
        (("5.2", "5.4", "5.6", "5.8", "6.0", "6.2", "9"), "TTTTTTO"),  # outside before trend
        (("5.2", "5.4", "5.6", "5.8", "6.0", "7.8", "7.9"), "T" * 7),  # trend before two in three
        (("5.2", "5.4", "5.2", "5.4", "5.2", "7.8", "7.9"), "SSSSS22"),  # two in three before shift
        (("5.2", "5.4", "5.6", "5.8", "6.0", "6.2", "6.4"), "T" * 7),  # trend before shift
    ],
)
def test_a_point_that_several_rules_catch_is_named_by_the_first_of_them(later: tuple[str, ...], caught: str) -> None:
    assert rules(drawn((*CALM, 5, *later), fix_n=12))[13:] == caught


def test_a_peak_between_two_trends_keeps_the_one_that_came_first() -> None:
    up = ("4.4", "4.6", "4.8", "5.2", "5.4", "5.6", "5.8")
    result = drawn((*CALM, 5, *up, *reversed(up[:-1])), fix_n=12)
    assert [point.heading for point in result.points[13:]] == [1] * 7 + [-1] * 6


@pytest.mark.parametrize(
    ("direction", "value", "variation", "latest"),
    [
        ("up", 9, Variation.IMPROVEMENT, "improvement"),
        ("up", 1, Variation.CONCERN, "concern"),
        ("down", 9, Variation.CONCERN, "concern"),
        ("down", 1, Variation.IMPROVEMENT, "improvement"),
        ("neutral", 9, Variation.NEITHER, "neither"),
        ("neutral", 1, Variation.NEITHER, "neither"),
        ("up", 5, Variation.COMMON_CAUSE, None),
    ],
)
def test_what_counts_as_improvement_depends_on_the_measure(
    direction: Direction, value: int, variation: Variation, latest: str | None
) -> None:
    result = drawn((*CALM, value), direction, fix_n=12)
    assert result.points[-1].variation is variation
    assert result.latest == latest


def test_the_words_shown_are_those_of_the_programme() -> None:
    assert [str(word) for word in Variation] == [
        "Special cause \N{EN DASH} improvement",
        "Special cause \N{EN DASH} concern",
        "Special cause \N{EN DASH} neither good nor bad",
        "Common cause \N{EN DASH} no significant change",
    ]


@pytest.mark.parametrize(
    ("direction", "target", "assurance"),
    [
        ("up", 9, Assurance.MISSES),
        ("up", 1, Assurance.MEETS),
        ("up", 5, Assurance.HIT_AND_MISS),
        ("down", 9, Assurance.MEETS),
        ("down", 1, Assurance.MISSES),
        ("neutral", 9, None),
        ("up", None, None),
    ],
)
def test_the_limits_say_whether_the_target_will_be_met(
    direction: Direction, target: int | None, assurance: Assurance | None
) -> None:
    targets = [] if target is None else [(FIRST, Decimal(target))]
    assert drawn(CALM, direction, targets=targets).assurance is assurance


def test_the_target_of_the_time_stands_beside_each_point() -> None:
    targets = [(FIRST + timedelta(days=6), Decimal(78)), (FIRST + timedelta(days=2), Decimal(76))]
    result = drawn(CALM, targets=targets)
    assert [point.target for point in result.points] == [None] * 2 + [Decimal(76)] * 4 + [Decimal(78)] * 6
    assert result.target == Decimal(78)


def test_a_target_on_the_limit_is_hit_and_miss() -> None:
    assert drawn((5, 5, 5), targets=[(FIRST, Decimal(5))]).assurance is Assurance.HIT_AND_MISS


def test_a_rebase_starts_new_lines_and_keeps_the_old() -> None:
    raised = tuple(value + 20 for value in CALM)
    result = chart(dated((*CALM, *raised)), direction="up", rebases=[FIRST + timedelta(days=12)])
    assert [segment.mean for segment in result.segments] == [Decimal("5.00"), Decimal("25.00")]
    assert result.segments[0].upl is not None
    assert result.segments[1].upl == result.segments[0].upl + 20, "the jump is in no moving range"
    assert rules(result) == "." * 24


def test_no_run_crosses_a_rebase() -> None:
    values = (*CALM, "5.1", "5.1", "5.1", "5.1", *(8, 7, 8, 7, 8, 7, 8, 7, 8, 7, 8, 7))
    assert "S" not in rules(chart(dated(values), direction="up", rebases=[FIRST + timedelta(days=16)]))


def test_a_rebase_without_points_makes_no_segment() -> None:
    days = [FIRST - timedelta(days=9), FIRST + timedelta(days=99)]
    assert len(chart(dated(CALM), direction="up", rebases=days).segments) == 1


@pytest.mark.parametrize(("count", "trial"), [(1, True), (11, True), (12, False), (13, False)])
def test_fewer_than_12_points_give_trial_limits(count: int, trial: bool) -> None:
    result = drawn([4 + place % 3 for place in range(count)])
    assert result.trial_limits is trial
    assert any(note.startswith("trial limits") for note in result.notes) is trial


def test_a_fixed_baseline_of_fewer_than_12_points_gives_trial_limits_however_long_the_chart() -> None:
    assert drawn((*CALM, *CALM), fix_n=11).trial_limits


def test_a_chart_without_points_says_so() -> None:
    result = drawn(())
    assert result.summary == "There are no points yet."
    assert (result.points, result.latest, result.trial_limits) == ((), None, True)


def test_one_point_alone_has_no_limits() -> None:
    result = drawn((5,), targets=[(FIRST, Decimal(9))])
    assert (result.points[0].upl, result.points[0].lpl, result.assurance) == (None, None, None)
    assert result.summary.endswith(
        "the latest point, 5 on 1 January 2025, stands alone, so no limits can be drawn yet."
    )


def test_values_that_never_change_keep_their_limits_on_the_mean() -> None:
    result = drawn(["0.1"] * 15)
    assert (result.points[0].upl, result.points[0].lpl) == (Decimal("0.10"), Decimal("0.10"))
    assert signals(result) == ()


def test_the_summary_says_signal_reason_and_target_in_one_sentence() -> None:
    result = drawn((*CALM, 9), fix_n=12, targets=[(FIRST, Decimal(8))])
    assert result.summary == (
        "Special cause \N{EN DASH} improvement: the latest point, 9 on 13 January 2025, is above the upper limit; "
        "target 8: will not consistently meet the target, hit and miss."
    )
    assert "is within the limits of 1.37 to 8.63" in drawn(CALM).summary


def test_small_rates_keep_their_decimal_places() -> None:
    assert drawn(["0.004", "0.006", "0.004", "0.006"]).points[0].mean == Decimal("0.0050")


def test_points_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="date order"):
        chart(list(reversed(dated(CALM))), direction="up")
    with pytest.raises(ValueError, match="date order"):
        chart([*dated((1,)), *dated((2,))], direction="up")


def test_a_baseline_of_one_point_is_refused() -> None:
    with pytest.raises(ValueError, match="fix_n"):
        drawn(CALM, fix_n=1)


values = st.lists(st.decimals("-1000", "1000", places=1), min_size=1, max_size=40)


@given(values)
def test_turning_the_chart_upside_down_turns_every_signal(series: list[Decimal]) -> None:
    upright, turned = drawn(series, "up"), drawn([-value for value in series], "down")
    assert [point.variation for point in upright.points] == [point.variation for point in turned.points]
    assert [point.rule for point in upright.points] == [point.rule for point in turned.points]
    assert [point.heading for point in upright.points] == [-point.heading for point in turned.points]


@given(values, st.decimals("-500", "500", places=1))
def test_the_zero_of_the_scale_does_not_matter(series: list[Decimal], moved: Decimal) -> None:
    assert rules(drawn(series)) == rules(drawn([value + moved for value in series]))


@given(values)
def test_a_point_is_flagged_exactly_when_it_carries_a_special_cause(series: list[Decimal]) -> None:
    result = drawn(series)
    flagged = {point.on for point in signals(result)}
    assert flagged == {point.on for point in result.points if point.variation is not Variation.COMMON_CAUSE}
    assert all((point.heading != 0) == (point.on in flagged) for point in result.points)


@given(values)
def test_a_chart_survives_the_journal(series: list[Decimal]) -> None:
    result = drawn(series)
    assert Chart.model_validate_json(result.model_dump_json()) == result


@given(values, st.integers(0, 40))
def test_segments_do_not_know_of_each_other(series: list[Decimal], cut: int) -> None:
    whole = chart(dated(series), direction="up", rebases=[FIRST + timedelta(days=cut)])
    parts = [chart(part, direction="up") for part in (dated(series)[:cut], dated(series)[cut:])]
    assert [point.rule for point in whole.points] == [point.rule for part in parts for point in part.points]
