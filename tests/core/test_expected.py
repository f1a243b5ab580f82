"""What was expected when: kept as a cycle begins and each time that a stage begins or ends."""

from datetime import date

import pytest

from programme.engagement import Engagement, fold
from programme.messages import Stage
from programme.planning import StagesForeseen, plan_of, turns
from programme.stages.review_plan import month_begins
from tests.core.programme_driver import Programme, begun, registered

BEGINS_A_CYCLE = {Stage.DIAGNOSIS, Stage.EXCHANGE, Stage.SESSIONS, Stage.AGREEMENT}


def kept(programme: Programme) -> list[StagesForeseen]:
    return programme.events(StagesForeseen)


def test_nothing_is_planned_before_both_sponsors_are_willing() -> None:
    assert kept(registered()) == []


def test_a_cycle_begins_with_a_plan_in_which_one_stage_follows_on_another() -> None:
    programme = begun(Stage.DIAGNOSIS)
    plan = plan_of(programme.engagement, 1)
    assert plan
    assert plan.on == programme.engagement.running.started
    by_stage = {one.stage: one for one in plan.stages}
    assert set(by_stage) == set(Stage) - {Stage.MANDATE}
    in_turn = [by_stage[stage] for stage in Stage if stage in BEGINS_A_CYCLE]
    assert in_turn[0].starts == plan.on
    assert [one.ends for one in in_turn[:-1]] == [one.starts for one in in_turn[1:]]
    assert by_stage[Stage.DELIVERY].starts == by_stage[Stage.CHALLENGE].starts == in_turn[-1].ends
    template = programme.engagement.template
    assert by_stage[Stage.RENEWAL].starts == month_begins(programme.engagement, template.rediagnosis_month)
    assert by_stage[Stage.DELIVERY].ends >= by_stage[Stage.RENEWAL].ends


def test_a_stage_is_planned_for_as_long_as_the_template_gives_its_steps() -> None:
    programme = begun(Stage.DIAGNOSIS)
    plan, durations = plan_of(programme.engagement, 1), programme.engagement.template.durations
    diagnosis = plan.of(Stage.DIAGNOSIS) if plan else None
    assert diagnosis
    days = programme.engagement.time.between(diagnosis.starts, diagnosis.ends)
    assert days == durations.questionnaire + durations.themes


@pytest.mark.parametrize("stage", [Stage.EXCHANGE, Stage.SESSIONS, Stage.DELIVERY, Stage.RENEWAL])
def test_each_time_that_a_stage_begins_or_ends_what_is_expected_from_there_on_is_kept(stage: Stage) -> None:
    programme = begun(stage)
    events = kept(programme)
    assert len({event.turns for event in events}) == len(events)
    assert events[-1].turns == turns(programme.engagement)
    for span in programme.engagement.stages:
        of_stage = next((one for one in events[-1].stages if one.stage is span.stage), None)
        if of_stage and span.ended:
            assert (of_stage.starts, of_stage.ends) == (span.started, span.ended)
        elif of_stage:
            assert of_stage.starts == span.started
            assert of_stage.ends >= events[-1].on


def test_the_plan_stays_as_it_was_whatever_comes() -> None:
    first = plan_of(begun(Stage.DIAGNOSIS).engagement, 1)
    assert plan_of(begun(Stage.RENEWAL).engagement, 1) == first


def test_nothing_is_expected_to_begin_in_the_past() -> None:
    for event in kept(begun(Stage.RENEWAL)):
        began = {span.stage for span in begun(Stage.RENEWAL).engagement.stages if span.started <= event.on}
        assert all(one.starts >= event.on for one in event.stages if one.stage not in began)


def test_what_was_expected_is_rebuilt_from_the_history() -> None:
    programme = begun(Stage.SESSIONS)
    assert fold(Engagement(), programme.entries).expected == programme.engagement.expected


def test_asking_anything_else_keeps_nothing_further() -> None:
    programme = begun(Stage.EXCHANGE)
    before = len(kept(programme))
    programme.advance(date(2026, 2, 6))
    assert len(kept(programme)) == before
