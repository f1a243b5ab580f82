"""Measures: points that are never edited, dated targets, lines that both renew, signals that both explain."""

from datetime import date
from decimal import Decimal

import pytest

from programme import spc
from programme.charting import AnswerRebase, AskForRebase, ChartRead, ExplainSignal, SignalRaised
from programme.engagement import Engagement, fold
from programme.measure import Direction, MeasureKind
from programme.measures import AddPoints, CorrectPoint, DefineMeasure, NewPoint, SetTarget
from programme.messages import Role, Side
from programme.people import Enrolment, EnrolPeople
from programme.refusals import (
    AlreadyDone,
    Invalid,
    NotCoOwner,
    NotYet,
    PointExists,
    RoleRequired,
    UnknownMeasure,
    UnknownPoint,
    UnknownSignal,
)
from programme.working_time import month_after
from tests.core.agreed import (
    BASELINE,
    DOCTOR,
    MANAGER,
    add_points,
    agree,
    agreeing,
    define,
    delivering,
    last_months,
    measure,
    propose,
)
from tests.core.programme_driver import PM, STEWARD, Programme, registered, roster


def month_by_month(programme: Programme, *values: str) -> None:
    """Let months end and enter each one's value."""
    for value in values:
        programme.advance(month_after(programme.today.replace(day=1), 1))
        add_points(programme, (value,))


# --- points --------------------------------------------------------------------------------------------------------


def test_a_correction_keeps_the_value_that_was_wrong_and_says_why() -> None:
    programme = agreeing()
    before = measure(programme)
    wrong = before.points[3]
    fixed = CorrectPoint(measure="M1", period=wrong.period, value=Decimal(71), reason="Two days were missing")
    programme.do(fixed, STEWARD)
    after = measure(programme)
    assert after.readings[: len(before.readings)] == before.readings
    assert after.readings[-1].corrects == wrong.number
    assert after.readings[-1].reason == "Two days were missing"
    assert after.points[3].value == Decimal(71)
    assert len(after.points) == len(before.points)
    assert after.chart.points[3].value == Decimal(71)


def test_a_correction_without_a_reason_is_refused() -> None:
    programme = agreeing()
    month = measure(programme).points[0].period
    with pytest.raises(Invalid):
        programme.do(CorrectPoint(measure="M1", period=month, value=Decimal(1), reason=" "), STEWARD)


def test_what_was_never_entered_cannot_be_corrected() -> None:
    programme = agreeing()
    with pytest.raises(UnknownPoint):
        programme.do(CorrectPoint(measure="M1", period=date(2020, 1, 1), value=Decimal(1), reason="Typing"), STEWARD)


def test_a_month_has_one_value_and_a_second_one_is_refused() -> None:
    programme = agreeing()
    with pytest.raises(PointExists):
        add_points(programme, ("99",))
    assert len(measure(programme).points) == len(BASELINE)


def test_a_faulty_list_of_points_enters_none_of_them() -> None:
    programme = agreeing()
    define(programme)
    twice = (NewPoint(period=date(2025, 1, 1), value=Decimal(1)), NewPoint(period=date(2025, 1, 31), value=Decimal(2)))
    with pytest.raises(PointExists):
        programme.do(AddPoints(measure="M2", points=twice), STEWARD)
    assert measure(programme, "M2").readings == ()


def test_a_month_that_has_not_ended_has_no_point() -> None:
    programme = agreeing()
    running = NewPoint(period=programme.today.replace(day=1), value=Decimal(70))
    with pytest.raises(Invalid):
        programme.do(AddPoints(measure="M1", points=(running,)), STEWARD)


def test_any_day_of_a_month_stands_for_the_month() -> None:
    programme = agreeing()
    define(programme)
    programme.do(AddPoints(measure="M2", points=(NewPoint(period=date(2025, 6, 30), value=Decimal(5)),)), STEWARD)
    assert measure(programme, "M2").points[0].period == date(2025, 6, 1)


@pytest.mark.parametrize("value", ["1e12", "0.0000001", "1e400"])
def test_a_value_that_no_service_has_is_refused(value: str) -> None:
    programme = agreeing()
    define(programme)
    point = NewPoint(period=date(2025, 6, 1), value=Decimal(value))
    with pytest.raises(Invalid):
        programme.do(AddPoints(measure="M2", points=(point,)), STEWARD)


@pytest.mark.parametrize("count", [0, 241])
def test_a_list_of_points_is_neither_empty_nor_endless(count: int) -> None:
    programme = agreeing()
    define(programme)
    points = tuple(NewPoint(period=month_after(date(2000, 1, 1), month), value=Decimal(1)) for month in range(count))
    with pytest.raises(Invalid):
        programme.do(AddPoints(measure="M2", points=points), STEWARD)


def test_a_correction_to_the_same_value_changes_nothing() -> None:
    programme = agreeing()
    point = measure(programme).points[0]
    same = CorrectPoint(measure="M1", period=point.period, value=point.value, reason="Looked again")
    assert programme.do(same, STEWARD) == []


def test_only_a_steward_enters_points() -> None:
    programme = agreeing()
    for somebody in (PM, DOCTOR, MANAGER):
        with pytest.raises(RoleRequired):
            programme.do(AddPoints(measure="M1", points=()), somebody)


def test_a_measure_that_nobody_defined_takes_no_points() -> None:
    with pytest.raises(UnknownMeasure):
        add_points(agreeing(), ("1",), measure="M9")


def test_a_measure_needs_a_title_and_a_source() -> None:
    for title, source in (("", "ED dashboard"), ("Waits", "")):
        with pytest.raises(Invalid):
            agreeing().do(DefineMeasure(title=title, source=source), STEWARD)


def test_the_steward_is_asked_for_a_measure_and_then_for_its_baseline() -> None:
    programme = registered()
    assert [task.command for task in programme.tasks(STEWARD)] == ["DefineMeasure"]
    define(programme)
    assert [task.command for task in programme.tasks(STEWARD)] == ["AddPoints"]
    add_points(programme, ("68",))
    assert programme.tasks(STEWARD), "one point alone has no limits, and is no baseline"
    programme.do(AddPoints(measure="M1", points=(NewPoint(period=date(2024, 1, 1), value=Decimal(67)),)), STEWARD)
    assert programme.tasks(STEWARD) == []
    assert measure(programme).chart.trial_limits


def test_the_programme_manager_is_asked_for_a_steward_where_there_is_none() -> None:
    programme = registered(tuple(row for row in roster() if row.person != STEWARD))
    owed = [task for task in programme.tasks(PM, "Appoint") if task.about == "measure_steward"]
    assert len(owed) == 1
    programme.do(EnrolPeople(people=(Enrolment(person=STEWARD, roles=(Role.MEASURE_STEWARD,)),)), PM)
    assert owed[0].id not in {task.id for task in programme.tasks(PM)}


def test_twelve_points_make_the_trial_limits_mark_go() -> None:
    programme = registered()
    define(programme)
    add_points(programme, BASELINE[:12])
    assert not measure(programme).chart.trial_limits


# --- targets -------------------------------------------------------------------------------------------------------


def test_a_target_holds_from_its_day_and_leaves_the_one_before_in_place() -> None:
    programme = agreeing()
    months = [point.period for point in measure(programme).points]
    programme.do(SetTarget(measure="M1", since=months[0], value=Decimal(76)), STEWARD)
    programme.do(SetTarget(measure="M1", since=months[9], value=Decimal(78)), STEWARD)
    targets = [point.target for point in measure(programme).chart.points]
    assert targets == [Decimal(76)] * 9 + [Decimal(78)] * 9


def test_a_target_set_again_for_the_same_day_is_the_one_in_force_and_both_are_kept() -> None:
    programme = agreeing()
    since = measure(programme).points[0].period
    for value in (76, 75):
        programme.do(SetTarget(measure="M1", since=since, value=Decimal(value)), STEWARD)
    assert measure(programme).chart.target == Decimal(75)
    assert [one.value for one in measure(programme).targets] == [Decimal(76), Decimal(75)]


# --- rebases -------------------------------------------------------------------------------------------------------


def test_lines_begin_anew_only_when_both_co_owners_say_so() -> None:
    programme = delivering()
    since = measure(programme).points[9].period
    programme.do(AskForRebase(measure="M1", since=since, reason="The front door moved"), DOCTOR)
    assert len(measure(programme).chart.segments) == 1
    with pytest.raises(NotCoOwner):
        programme.do(AnswerRebase(measure="M1", agree=True), DOCTOR)
    with pytest.raises(NotCoOwner):
        programme.do(AnswerRebase(measure="M1", agree=True), "m2")
    assert [task.command for task in programme.tasks(MANAGER, "AnswerRebase")] == ["AnswerRebase"]
    programme.do(AnswerRebase(measure="M1", agree=True), MANAGER)
    assert [segment.points for segment in measure(programme).chart.segments] == [9, 9]
    rebase = measure(programme).rebases[0]
    assert (rebase.asked_by, rebase.agreed_by, rebase.reason) == (DOCTOR, MANAGER, "The front door moved")


def test_lines_stay_when_the_other_side_does_not_want_new_ones() -> None:
    programme = delivering()
    since = measure(programme).points[9].period
    programme.do(AskForRebase(measure="M1", since=since, reason="The front door moved"), MANAGER)
    programme.do(AnswerRebase(measure="M1", agree=False), DOCTOR)
    assert len(measure(programme).chart.segments) == 1
    with pytest.raises(NotYet):
        programme.do(AnswerRebase(measure="M1", agree=True), DOCTOR)


def test_new_lines_need_a_reason_a_month_between_points_and_a_co_owner() -> None:
    programme = delivering()
    months = [point.period for point in measure(programme).points]
    with pytest.raises(Invalid):
        programme.do(AskForRebase(measure="M1", since=months[9], reason=""), DOCTOR)
    for since in (months[0], month_after(months[-1], 1)):
        with pytest.raises(Invalid):
            programme.do(AskForRebase(measure="M1", since=since, reason="New door"), DOCTOR)
    with pytest.raises(NotCoOwner):
        programme.do(AskForRebase(measure="M1", since=months[9], reason="New door"), "d2")


# --- signals -------------------------------------------------------------------------------------------------------


def test_a_signal_is_explained_by_each_side_for_itself_within_10_working_days() -> None:
    programme = delivering()
    month_by_month(programme, "95")
    signal = measure(programme).signals[0]
    assert (signal.rule, signal.meaning) == ("outside", "improvement")
    owed = programme.tasks(command="ExplainSignal")
    assert {task.person for task in owed} == {DOCTOR, MANAGER}
    time = programme.engagement.time
    assert {task.due.on for task in owed if task.due} == {time.plus(programme.today, 10)}
    programme.do(ExplainSignal(measure="M1", signal=1, explanation="A quiet month"), DOCTOR)
    assert [task.person for task in programme.tasks(command="ExplainSignal")] == [MANAGER]
    with pytest.raises(AlreadyDone):
        programme.do(ExplainSignal(measure="M1", signal=1, explanation="Again"), DOCTOR)
    programme.do(ExplainSignal(measure="M1", signal=1, explanation="More staff"), MANAGER)
    assert programme.tasks(command="ExplainSignal") == []
    assert {side: one.text for side, one in measure(programme).signals[0].explanations.items()} == {
        Side.DOCTOR: "A quiet month",
        Side.MANAGER: "More staff",
    }


def test_only_co_owners_explain_and_only_signals_that_were_seen() -> None:
    programme = delivering()
    month_by_month(programme, "95")
    with pytest.raises(NotCoOwner):
        programme.do(ExplainSignal(measure="M1", signal=1, explanation="Luck"), "d2")
    with pytest.raises(UnknownSignal):
        programme.do(ExplainSignal(measure="M1", signal=2, explanation="Luck"), DOCTOR)
    with pytest.raises(Invalid):
        programme.do(ExplainSignal(measure="M1", signal=1, explanation=""), DOCTOR)


def test_a_run_of_points_is_asked_about_once() -> None:
    programme = delivering()
    month_by_month(programme, "90", "91", "92")
    assert [(one.rule, one.heading) for one in measure(programme).signals] == [("outside", 1)]
    month_by_month(programme, "40")
    assert [one.meaning for one in measure(programme).signals] == ["improvement", "concern"]


def test_a_quiet_month_raises_no_signal_and_the_reading_is_recorded() -> None:
    programme = delivering()
    month_by_month(programme, "68")
    assert programme.events(SignalRaised) == []
    assert programme.events(ChartRead)[-1].readings == len(BASELINE) + 1


def test_a_correction_can_bring_a_signal_to_light() -> None:
    programme = delivering()
    month_by_month(programme, "68")
    month = measure(programme).points[-1].period
    programme.do(CorrectPoint(measure="M1", period=month, value=Decimal(30), reason="A slip"), STEWARD)
    assert [one.meaning for one in measure(programme).signals] == ["concern"]


def test_nobody_is_asked_to_explain_the_time_before_an_action() -> None:
    programme = agreeing()
    define(programme)
    add_points(programme, (*BASELINE[:10], "99", *BASELINE[11:]), measure="M2")
    assert spc.signals(measure(programme, "M2").chart)
    propose(programme, measures=("M2",))
    agree(programme)
    assert measure(programme, "M2").signals == ()


def test_a_measure_that_no_action_in_force_has_is_not_asked_about() -> None:
    programme = agreeing()
    month_by_month(programme, "99")
    assert measure(programme).signals == ()


def test_a_worse_balancing_measure_is_a_concern_of_its_own() -> None:
    programme = agreeing()
    define(programme, direction=Direction.DOWN, purpose=MeasureKind.BALANCING, title="Back within 72 hours")
    add_points(programme, BASELINE, measure="M2")
    propose(programme, measures=("M1", "M2"))
    agree(programme)
    programme.advance(month_after(programme.today.replace(day=1), 1))
    add_points(programme, ("99",), measure="M2")
    assert [one.meaning for one in measure(programme, "M2").signals] == ["concern"]


def test_what_measures_hold_can_be_rebuilt_from_the_history_and_survives_storage() -> None:
    programme = delivering()
    month_by_month(programme, "95", "30")
    assert fold(Engagement(), programme.entries) == programme.engagement
    stored = Engagement.model_validate_json(programme.engagement.model_dump_json())
    assert stored == programme.engagement
    assert stored.measures.measures["M1"].chart == measure(programme).chart
    assert last_months(date(2026, 3, 9), 2) == [date(2026, 1, 1), date(2026, 2, 1)]
