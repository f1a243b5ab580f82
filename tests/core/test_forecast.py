"""What a forecast says: the end of each stage in three courses, what it waits for, and what moves change."""

import ast
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from programme.engagement import Engagement
from programme.forecasting.deeds import DEEDS
from programme.forecasting.moment import Course
from programme.forecasting.moves import written
from programme.forecasting.outlook import Forecast, StageOutlook, forecast
from programme.handover import RecordDeparture
from programme.messages import Role, Side, Stage
from programme.people import Enrolment
from programme.refusals import EngagementEnded, Invalid
from programme.stages.diagnosis import CompleteQuestionnaire
from programme.stages.mandate import Answer, StateWillingness
from tests.core.programme_driver import (
    DOCTORS,
    FACILITATOR,
    MANAGERIAL,
    MANAGERS,
    MEDICAL,
    PM,
    Programme,
    begun,
    registered,
    roster,
)

STAGES = [Stage.MANDATE, Stage.EXCHANGE, Stage.SESSIONS, Stage.DELIVERY, Stage.CHALLENGE, Stage.RENEWAL]


@cache
def foreseen(stage: Stage, *moves: str) -> Forecast:
    programme = begun(stage)
    return forecast(programme.engagement, programme.at, written(moves))


def of(found: Forecast, stage: Stage) -> StageOutlook:
    return next(one for one in (found.moved or found.baseline).stages if one.stage is stage)


# --- every task is somebody's to do ----------------------------------------------------------------------------------


def asked_for() -> set[str]:
    """Every command that a task of the core names."""
    found = set()
    for file in Path("programme").rglob("*.py"):
        tree = ast.parse(file.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and {one.arg for one in node.keywords} >= {"ladder", "command"}:
                named = next(one.value for one in node.keywords if one.arg == "command")
                found |= {one.value for one in ast.walk(named) if isinstance(one, ast.Constant)}
    return {one for one in found if isinstance(one, str)}


ELSEWHERE = {"MoveSession", "ScheduleSession", "CloseAction", "ReportComplete", "WithdrawAction"}  # in a variable


def test_a_forecast_knows_what_is_done_about_every_kind_of_task() -> None:
    assert asked_for() | ELSEWHERE == set(DEEDS)


def test_a_kind_of_task_that_nobody_foresees_is_what_the_programme_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    without = {kind: deed for kind, deed in DEEDS.items() if kind != "ConfirmPairs"}
    monkeypatch.setattr("programme.forecasting.course.DEEDS", without)
    programme = begun(Stage.EXCHANGE)
    pace = forecast(programme.engagement, programme.at).baseline.courses[Course.PACE]
    assert pace.ends is None
    assert "the pairs must be confirmed" in pace.waits_for
    assert any("Confirm the pairs" in one for one in pace.waits_for)


# --- the courses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", STAGES)
def test_the_best_course_ends_no_later_than_todays_pace_and_that_no_later_than_the_worst(stage: Stage) -> None:
    told = foreseen(stage).baseline
    for one in told.stages:
        for moments in (
            (one.best.starts, one.pace.starts, one.worst.starts),
            (one.best.ends, one.pace.ends, one.worst.ends),
        ):
            known = [moment for moment in moments if moment]
            assert len(known) == 3
            assert known == sorted(known), one.stage
    ends = [told.courses[course].ends for course in Course]
    assert ends == sorted(end for end in ends if end)


def test_silence_ends_in_a_year_of_sustaining_and_ordinary_people_renew() -> None:
    told = foreseen(Stage.MANDATE).baseline.courses
    assert told[Course.WORST].how == "sustain"
    assert told[Course.PACE].how == told[Course.BEST].how == "renew"


def test_what_has_happened_stands_in_every_course_as_it_was() -> None:
    found = foreseen(Stage.DELIVERY)
    for stage in (Stage.DIAGNOSIS, Stage.EXCHANGE, Stage.SESSIONS, Stage.AGREEMENT):
        outlook = of(found, stage)
        assert outlook.actual == outlook.best == outlook.pace == outlook.worst
        assert outlook.actual.ends


def test_too_few_people_are_said_to_be_missing_in_place_of_a_date() -> None:
    programme = registered(people=roster(DOCTORS[:9]))
    told = forecast(programme.engagement, programme.at).baseline.courses[Course.PACE]
    assert (told.ends, told.how) == (None, "waits")
    assert told.waits_for == ("2 more doctors must have accepted",)


def test_challengers_who_are_still_to_be_found_are_said_to_be_presumed() -> None:
    presumes = foreseen(Stage.MANDATE).baseline.presumes
    assert "3 external challengers still to be found will be found in time" in presumes
    assert "3 internal challengers still to be found will be found in time" in presumes


def test_the_same_question_has_the_same_answer_and_asking_changes_nothing() -> None:
    programme = begun(Stage.SESSIONS)
    before = programme.engagement.model_dump_json()
    first, second = (forecast(programme.engagement, programme.at, seed=3) for _ in range(2))
    assert first == second
    assert programme.engagement.model_dump_json() == before


def test_what_has_ended_has_no_forecast() -> None:
    programme = registered()
    ended = programme.engagement.but(ended="closed")
    with pytest.raises(EngagementEnded):
        forecast(ended, programme.at)


# --- what nobody may know --------------------------------------------------------------------------------------------


def both_forecasts(one: Engagement, other: Engagement, programme: Programme) -> None:
    assert forecast(one, programme.at) == forecast(other, programme.at)


def test_a_forecast_does_not_tell_what_a_sponsor_has_said_unseen() -> None:
    willing, unwilling = registered(), registered()
    willing.do(StateWillingness(answer=Answer.WILLING), MEDICAL)
    unwilling.do(StateWillingness(answer=Answer.NOT_WILLING), MEDICAL)
    both_forecasts(willing.engagement, unwilling.engagement, willing)


def test_a_forecast_does_not_tell_who_or_how_many_have_answered() -> None:
    nobody, many = begun(Stage.DIAGNOSIS), begun(Stage.DIAGNOSIS)
    for person in (*DOCTORS, *MANAGERS):
        many.do(CompleteQuestionnaire(), person)
    both_forecasts(nobody.engagement, many.engagement, nobody)


# --- load ------------------------------------------------------------------------------------------------------------


def test_a_visit_takes_half_a_day_and_a_session_as_long_as_its_calendar_entry() -> None:
    load = {one.person: one for one in foreseen(Stage.EXCHANGE).baseline.load}
    visiting = load["d3"].fortnights
    assert any(one.minutes >= 225 for one in visiting)
    attended = [one.minutes for one in load[FACILITATOR].fortnights]
    assert sum(attended) >= 3 * 3 * 60


def test_who_has_more_than_so_many_hours_in_any_fourteen_days_is_named_by_id_alone() -> None:
    programme = begun(Stage.EXCHANGE)
    told = forecast(programme.engagement, programme.at, hours=3).baseline
    assert told.too_much
    assert all(one.fullest.minutes > 180 for one in told.too_much)
    assert {one.person for one in told.too_much} <= set(programme.engagement.people)
    assert list(told.too_much) == sorted(told.too_much, key=lambda one: one.person)


# --- moves -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [5, 40])
@pytest.mark.parametrize("stage", [Stage.MANDATE, Stage.SESSIONS])
def test_moving_session_b_never_brings_anything_forward(stage: Stage, days: int) -> None:
    found = foreseen(stage, f"session-b=+{days}")
    for change in found.changes:
        for later in (change.best, change.pace, change.worst):
            assert later is not None
            assert later >= 0, change
    joint = next(one for one in found.changes if one.stage is Stage.SESSIONS)
    assert joint.pace is not None
    assert joint.pace >= days


def test_an_absent_facilitator_delays_what_only_they_do() -> None:
    programme = begun(Stage.SESSIONS)
    away = f"{FACILITATOR}={programme.today}..{date(programme.today.year, 12, 1)}"
    found = forecast(programme.engagement, programme.at, written(absent=[away]))
    joint = next(one for one in found.changes if one.stage is Stage.SESSIONS)
    assert joint.pace
    assert joint.pace > 60


def test_a_pause_delays_the_end_of_the_stage_in_which_it_lies_by_its_working_days() -> None:
    programme = begun(Stage.DIAGNOSIS)
    time, today = programme.engagement.time, programme.today
    first, resumes = time.plus(today, 5), time.plus(today, 15)
    found = forecast(programme.engagement, programme.at, written(pause=[f"{first}..{resumes}"]))
    diagnosis = next(one for one in found.changes if one.stage is Stage.DIAGNOSIS)
    assert (diagnosis.best, diagnosis.pace) == (10, 10)


def test_a_further_holiday_delays_what_was_due_after_it_by_one_working_day_of_before() -> None:
    programme = begun(Stage.DIAGNOSIS)
    holiday = programme.engagement.time.plus(programme.today, 3)
    found = forecast(programme.engagement, programme.at, written(holidays=[str(holiday)]))
    diagnosis = next(one for one in found.changes if one.stage is Stage.DIAGNOSIS)
    assert diagnosis.best == 1


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"moves": ["session-b"]}, "as session-b"),
        ({"moves": ["session-b=+0"]}, "1 to 260"),
        ({"moves": ["session-z=+3"]}, "session-a, session-b, session-c"),
        ({"absent": ["d1=2026-03-02"]}, "PERSON=2027-03-01..2027-03-19"),
        ({"absent": ["d1=2026-03-20..2026-03-02"]}, "ends on the day on which it begins, or later"),
        ({"pause": ["2026-03-02..2026-03-02"]}, "resumes on a later day"),
        ({"pause": ["2026-03-02..2026-06-02"]}, "at most 30 working days"),
        ({"pause": ["2025-03-02..2025-03-09"]}, "today or later"),
        ({"holidays": ["2020-01-01"]}, "later day than today"),
        ({"holidays": ["tomorrow"]}, "as 2027-03-01"),
    ],
)
def test_a_move_that_cannot_be_is_refused_with_what_could_be(asked: dict[str, list[str]], said: str) -> None:
    programme = registered()
    with pytest.raises(Invalid, match=said):
        forecast(programme.engagement, programme.at, written(**asked))


def test_somebody_who_takes_no_part_cannot_be_absent() -> None:
    programme = registered()
    with pytest.raises(Invalid, match="people of this engagement"):
        forecast(programme.engagement, programme.at, written(absent=["nobody=2026-03-02..2026-03-09"]))


def test_what_has_been_held_cannot_be_moved() -> None:
    programme = begun(Stage.AGREEMENT)
    with pytest.raises(Invalid, match="held"):
        forecast(programme.engagement, programme.at, written(["session-b=+5"]))


def test_who_leaves_is_followed_by_somebody_and_the_programme_comes_to_its_end() -> None:
    programme = begun(Stage.DELIVERY)
    programme.do(RecordDeparture(person=FACILITATOR, last_day=programme.today), PM)
    programme.do(RecordDeparture(person="d1", last_day=programme.today), PM)
    programme.wait(1)
    told = forecast(programme.engagement, programme.at).baseline
    assert all(told.courses[course].ends for course in Course)
    assert "1 facilitator still to be found will be found in time" in told.presumes


# --- pace ------------------------------------------------------------------------------------------------------------


def test_people_who_have_been_quick_are_expected_to_stay_quick(start: Callable[[Stage], Programme]) -> None:
    quick = start(Stage.SESSIONS)
    told = forecast(quick.engagement, quick.at).baseline
    assert any("were measured" in one for one in told.presumes)
    fresh = registered()
    assert any("nothing was measured yet" in one for one in forecast(fresh.engagement, fresh.at).baseline.presumes)


def test_no_figure_about_a_persons_pace_is_in_a_forecast() -> None:
    names = set(Forecast.model_json_schema()["$defs"]["Load"]["properties"])
    assert names == {"person", "roles", "fortnights", "fullest"}


def test_people_enrolled_without_a_side_are_not_asked_more_than_their_part() -> None:
    auditor = Enrolment(person="aud", roles=(Role.AUDITOR,))
    programme = registered(people=(*roster(), auditor))
    assert "aud" not in {one.person for one in forecast(programme.engagement, programme.at).baseline.load}
    assert {one.person for one in forecast(programme.engagement, programme.at).baseline.load} >= {MANAGERIAL, *DOCTORS}
    assert all(programme.engagement.people[one].side in (*Side, None) for one in programme.engagement.people)
