"""Delivery: monthly lines from both sides, points, touchpoints, and completion that others verify."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from programme.charting import SignalRaised
from programme.continuity import PauseEngagement
from programme.engagement import Engagement, fold
from programme.gates import StageEnded
from programme.ladders import Audience
from programme.measures import AddPoints, CorrectPoint, NewPoint
from programme.messages import Side, Stage
from programme.post import MessageIssued, NoticeRaised
from programme.refusals import (
    ActionElsewhere,
    AlreadyDone,
    Invalid,
    NotCoOwner,
    NotHeldByYou,
    NotYet,
    OwnWork,
    TouchpointIncomplete,
    UnknownNeed,
    UnknownPerson,
    WrongSide,
)
from programme.stages.action import ActionStatus, NeedStatus
from programme.stages.checkins import CheckIn
from programme.stages.delivery import AddPdsaNote, DriftFlagged, Progress, RecordTouchpoint, data_late
from programme.stages.halves import CloseAction
from programme.stages.needs import (
    AddDevelopmentNeed,
    ConfirmNeedMet,
    OwnDevelopmentNeed,
    ReopenNeed,
    ReportNeedMet,
)
from programme.stages.notes import ConditionDeferred
from programme.stages.session import Purpose
from programme.stages.verification import RefuseVerification, ReportComplete, VerifyAction
from programme.working_time import month_after
from tests.core.agreed import (
    BASELINE,
    DOCTOR,
    MANAGER,
    action,
    add_points,
    agree,
    agreeing,
    define,
    delivering,
    measure,
    propose,
    status,
)
from tests.core.given import given
from tests.core.programme_driver import FACILITATOR, MANAGERIAL, MEDICAL, PM, STEWARD, Programme, begun

MARCH, APRIL, MAY, JUNE = (date(2026, month, 1) for month in (3, 4, 5, 6))


def first_working_day(programme: Programme, month: date) -> date:
    return programme.engagement.time.plus(month, 0)


def come_to(programme: Programme, month: date) -> None:
    """Come to the first working day of a month, on which check-ins are due."""
    programme.advance(first_working_day(programme, month))


def say(programme: Programme, progress: Progress, by: str = DOCTOR, about: str = "A1") -> None:
    programme.do(CheckIn(about=about, progress=progress, line="As we planned", learned="Ask earlier"), by)


def stuck_sessions(programme: Programme) -> int:
    return sum(1 for one in programme.engagement.running.sessions.all.values() if one.purpose is Purpose.STUCK)


# --- check-ins -----------------------------------------------------------------------------------------------------


def test_each_side_writes_its_line_on_the_first_working_day_of_the_month() -> None:
    programme = delivering()
    come_to(programme, MARCH)
    owed = programme.tasks(command="CheckIn")
    assert {task.person for task in owed} == {DOCTOR, MANAGER}
    assert {task.due.on for task in owed if task.due} == {date(2026, 3, 2)}
    say(programme, Progress.ON_TRACK, DOCTOR)
    assert [task.person for task in programme.tasks(command="CheckIn")] == [MANAGER]
    with pytest.raises(AlreadyDone):
        say(programme, Progress.STUCK, DOCTOR)
    say(programme, Progress.NEEDS_HELP, MANAGER)
    assert programme.tasks(command="CheckIn") == []
    lines = programme.engagement.running.delivery.check_ins[-1].lines["A1"]
    assert {side: line.progress for side, line in lines.items()} == {
        Side.DOCTOR: Progress.ON_TRACK,
        Side.MANAGER: Progress.NEEDS_HELP,
    }


def test_only_the_co_owners_check_in_and_only_when_it_is_open() -> None:
    programme = delivering()
    with pytest.raises(NotYet):
        say(programme, Progress.ON_TRACK)
    come_to(programme, MARCH)
    for somebody in ("d2", "m2"):
        with pytest.raises(NotCoOwner):
            say(programme, Progress.ON_TRACK, somebody)
    with pytest.raises(Invalid):
        programme.do(CheckIn(about="A1", progress=Progress.ON_TRACK, line=""), DOCTOR)


def test_a_missing_check_in_reaches_both_sponsors_in_one_message_after_10_working_days() -> None:
    programme = delivering()
    come_to(programme, MARCH)
    say(programme, Progress.ON_TRACK, DOCTOR)
    title = "Check in on A1 for the managers, March 2026"
    programme.wait(4)
    assert title not in programme.told(PM)
    programme.wait(1)
    assert title in programme.told(PM)
    assert title in programme.told(DOCTOR), "the other co-owner hears of it"
    programme.wait(5)
    together = [
        event.people
        for event in programme.events(MessageIssued)
        if any(item.title == title for item in event.items) and set(event.people) & {MEDICAL, MANAGERIAL}
    ]
    assert together == [(MEDICAL, MANAGERIAL)]


def test_a_later_line_answers_for_the_months_that_were_missed() -> None:
    programme = delivering()
    come_to(programme, APRIL)
    assert len(programme.tasks(MANAGER, "CheckIn")) == 2
    say(programme, Progress.ON_TRACK, MANAGER)
    assert programme.tasks(MANAGER, "CheckIn") == []
    assert len(programme.tasks(DOCTOR, "CheckIn")) == 2


def test_two_stuck_in_a_row_call_a_short_joint_session_once() -> None:
    programme = delivering()
    come_to(programme, MARCH)
    say(programme, Progress.STUCK, DOCTOR)
    assert stuck_sessions(programme) == 0
    come_to(programme, APRIL)
    say(programme, Progress.STUCK, MANAGER)
    assert stuck_sessions(programme) == 1
    say(programme, Progress.STUCK, DOCTOR)
    come_to(programme, MAY)
    say(programme, Progress.STUCK, DOCTOR)
    assert stuck_sessions(programme) == 1
    assert len([entry for entry in programme.entries if entry.event.kind == "StuckTwice"]) == 1


def test_stuck_with_a_better_month_between_calls_no_session() -> None:
    programme = delivering()
    for month, progress in ((MARCH, Progress.STUCK), (APRIL, Progress.NEEDS_HELP), (MAY, Progress.STUCK)):
        come_to(programme, month)
        say(programme, progress)
    assert stuck_sessions(programme) == 0


def test_a_silent_month_does_not_break_a_row_of_stuck() -> None:
    programme = delivering()
    for month in (MARCH, MAY):
        come_to(programme, month)
        say(programme, Progress.STUCK)
    assert stuck_sessions(programme) == 1


def test_check_ins_end_with_the_action() -> None:
    programme = delivering()
    come_to(programme, MARCH)
    for owner in (DOCTOR, MANAGER):
        programme.do(ReportComplete(action="A1"), owner)
    assert programme.tasks(command="CheckIn") == []
    with pytest.raises(NotYet):
        say(programme, Progress.ON_TRACK)
    come_to(programme, APRIL)
    assert programme.tasks(command="CheckIn") == []


def test_a_pause_moves_a_check_in_by_the_working_days_that_were_lost() -> None:
    programme = delivering()
    programme.advance(first_working_day(programme, MARCH) - timedelta(days=4))
    due = programme.tasks(DOCTOR, "CheckIn")[0].due
    assert due
    resumes = programme.engagement.time.plus(programme.today, 3)
    programme.do(PauseEngagement(reason="Strike", resumes=resumes), PM)
    programme.advance(resumes)
    moved = programme.tasks(DOCTOR, "CheckIn")[0].due
    assert moved
    assert moved.on == programme.engagement.time.plus(due.on, 3)


# --- points --------------------------------------------------------------------------------------------------------


def test_a_months_point_is_due_on_the_tenth_working_day_after_it() -> None:
    programme = delivering()
    programme.advance(MARCH)
    (task,) = programme.tasks(STEWARD, "AddPoints")
    assert task.due
    assert task.due.on == date(2026, 3, 13)
    add_points(programme, ("69",))
    assert programme.tasks(STEWARD, "AddPoints") == []


def test_late_data_are_said_on_the_chart_and_to_the_co_owners_after_8_working_days() -> None:
    programme = delivering()
    programme.advance(date(2026, 3, 13))
    programme.wait(7)
    title = "Enter the February 2026 point of measure M1"
    assert not data_late(programme.engagement, "M1", programme.today)
    assert title not in programme.told(MANAGER)
    programme.wait(1)
    assert data_late(programme.engagement, "M1", programme.today)
    assert title in programme.told(MANAGER)
    add_late = AddPoints(measure="M1", points=(NewPoint(period=date(2026, 2, 1), value=Decimal(68)),))
    programme.do(add_late, STEWARD)
    assert not data_late(programme.engagement, "M1", programme.today)


def test_points_of_measures_that_nothing_in_force_has_are_not_asked_for() -> None:
    programme = delivering()
    define(programme)
    add_points(programme, BASELINE, measure="M2")
    programme.advance(MARCH)
    assert {task.about for task in programme.tasks(STEWARD)} == {"M1"}


# --- touchpoints and drift -----------------------------------------------------------------------------------------


def touch(programme: Programme, *attended: str, by: str = DOCTOR) -> None:
    command = RecordTouchpoint(on=programme.today, actions=("A1",), attended=attended, summary="Weekends next")
    programme.do(command, by)


def test_a_joint_touchpoint_takes_both_co_owners_and_a_sponsor() -> None:
    programme = delivering()
    for missing in ((DOCTOR, MEDICAL), (MANAGER, MEDICAL), (DOCTOR, MANAGER), (DOCTOR, MANAGER, PM)):
        with pytest.raises(TouchpointIncomplete):
            touch(programme, *missing)
    touch(programme, DOCTOR, MANAGER, MANAGERIAL)
    assert programme.engagement.running.delivery.touchpoints[-1].attended == (DOCTOR, MANAGER, MANAGERIAL)


def test_a_touchpoint_names_people_and_actions_that_exist() -> None:
    programme = delivering()
    with pytest.raises(UnknownPerson):
        touch(programme, DOCTOR, MANAGER, MEDICAL, "nobody")
    with pytest.raises(Invalid):
        programme.do(RecordTouchpoint(on=programme.today, actions=(), attended=(MEDICAL,)), MEDICAL)


def test_each_touchpoint_offers_again_what_the_sessions_left_for_later() -> None:
    programme = delivering()
    later = ConditionDeferred(condition="C04", until=JUNE, reason="After the winter", on=programme.today)
    given(programme, later, later.model_copy(update={"condition": "C09"}))
    touch(programme, DOCTOR, MANAGER, MEDICAL)
    offers = [one for one in programme.events(NoticeRaised) if one.about == "deferrals"]
    assert [(one.people, "C04" in one.title, "C09" in one.title) for one in offers] == [
        ((DOCTOR, MANAGER, MEDICAL), True, False)
    ]


def test_a_touchpoint_is_due_two_months_after_the_last_one() -> None:
    programme = delivering()
    programme.wait(10)
    held = programme.today
    touch(programme, DOCTOR, MANAGER, MEDICAL)
    tasks = programme.tasks(command="RecordTouchpoint")
    assert {task.person for task in tasks} == {DOCTOR, MANAGER}
    assert {task.due.on for task in tasks if task.due} == {programme.engagement.time.plus(month_after(held, 2), 0)}


def test_a_touchpoint_is_neither_in_the_future_nor_before_delivery() -> None:
    programme = delivering()
    for on in (programme.today + timedelta(days=1), programme.today - timedelta(days=1)):
        command = RecordTouchpoint(on=on, actions=("A1",), attended=(DOCTOR, MANAGER, MEDICAL))
        with pytest.raises(Invalid):
            programme.do(command, DOCTOR)
    with pytest.raises(NotYet):
        touch(agreeing(), DOCTOR, MANAGER, MEDICAL)


def test_quiet_drift_is_flagged_to_both_sponsors_together_after_60_working_days() -> None:
    programme = delivering()
    programme.wait(60)
    assert programme.events(DriftFlagged) == []
    programme.wait(1)
    assert len(programme.events(DriftFlagged)) == 1
    assert programme.engagement.running.delivery.drift == (programme.events(DriftFlagged)[0].on,)
    notices = [one for one in programme.events(NoticeRaised) if one.about == "touchpoints"]
    assert [(one.people, one.together) for one in notices] == [((MEDICAL, MANAGERIAL), True)]
    programme.wait(59)
    assert len(programme.events(DriftFlagged)) == 1


def test_a_touchpoint_keeps_drift_away() -> None:
    programme = delivering()
    programme.wait(30)
    touch(programme, DOCTOR, MANAGER, MEDICAL)
    programme.wait(59)
    assert programme.events(DriftFlagged) == []


def test_a_co_owner_notes_a_small_test_and_nobody_else_does() -> None:
    programme = delivering()
    note = AddPdsaNote(action="A1", plan="Two consultants on Monday", study="Queue halved")
    with pytest.raises(NotCoOwner):
        programme.do(note, "d2")
    programme.do(note, MANAGER)
    assert [(one.by, one.plan, one.study) for one in action(programme).notes] == [
        (MANAGER, "Two consultants on Monday", "Queue halved")
    ]


# --- completion ----------------------------------------------------------------------------------------------------


def complete(programme: Programme, **verifiers: str) -> None:
    for side, owner in (("doctor", DOCTOR), ("manager", MANAGER)):
        programme.do(ReportComplete(action="A1", verifier=verifiers.get(side, "")), owner)


def verify(programme: Programme, by: str) -> None:
    programme.do(VerifyAction(action="A1", evidence="The rota of four weeks"), by)


def test_completion_takes_both_co_owners() -> None:
    programme = delivering()
    with pytest.raises(NotCoOwner):
        programme.do(ReportComplete(action="A1"), "d2")
    programme.do(ReportComplete(action="A1"), DOCTOR)
    assert status(programme) is ActionStatus.ACTIVE
    assert [task.person for task in programme.tasks(command="ReportComplete")] == [MANAGER]
    programme.do(ReportComplete(action="A1"), MANAGER)
    assert status(programme) is ActionStatus.REPORTED_COMPLETE


def test_what_was_reported_is_verified_by_both_sides_and_never_by_its_owners() -> None:
    programme = delivering()
    complete(programme)
    for owner in (DOCTOR, MANAGER):
        with pytest.raises(OwnWork):
            verify(programme, owner)
        with pytest.raises(OwnWork):
            programme.do(RefuseVerification(action="A1", reason="No"), owner)
    verify(programme, "d5")
    assert status(programme) is ActionStatus.REPORTED_COMPLETE
    with pytest.raises(AlreadyDone):
        verify(programme, "d6")
    verify(programme, "m5")
    assert status(programme) is ActionStatus.VERIFIED


def test_verification_needs_evidence() -> None:
    programme = delivering()
    complete(programme)
    with pytest.raises(Invalid):
        programme.do(VerifyAction(action="A1", evidence=" "), "d5")


def test_whoever_a_co_owner_named_is_asked_to_look_else_the_facilitator_finds_somebody() -> None:
    programme = delivering()
    complete(programme, doctor="d5")
    assert {task.person for task in programme.tasks(command="VerifyAction")} == {"d5", FACILITATOR}


@pytest.mark.parametrize(("verifier", "refusal"), [("m5", WrongSide), (DOCTOR, OwnWork), ("nobody", UnknownPerson)])
def test_a_verifier_is_of_ones_own_side_and_owns_nothing_of_it(verifier: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        delivering().do(ReportComplete(action="A1", verifier=verifier), DOCTOR)


def test_a_refused_verification_makes_the_action_active_again_and_asks_both_anew() -> None:
    programme = delivering()
    complete(programme)
    verify(programme, "d5")
    programme.do(RefuseVerification(action="A1", reason="Not at weekends"), "m5")
    assert (status(programme), action(programme).verifications) == (ActionStatus.ACTIVE, {})
    programme.do(ReportComplete(action="A1"), DOCTOR)
    assert status(programme) is ActionStatus.ACTIVE


def verified() -> Programme:
    programme = delivering()
    complete(programme)
    verify(programme, "d5")
    verify(programme, "m5")
    return programme


def after(programme: Programme, *values: str) -> None:
    for value in values:
        programme.advance(month_after(programme.today.replace(day=1), 1))
        add_points(programme, (value,))


def test_three_later_points_without_a_concern_make_it_sustained() -> None:
    programme = verified()
    after(programme, "68", "69", "68")
    assert status(programme) is ActionStatus.VERIFIED, "the month in which it was verified does not count"
    after(programme, "70")
    assert status(programme) is ActionStatus.SUSTAINED


def test_a_signal_of_concern_keeps_it_from_being_sustained_until_three_calm_points_follow() -> None:
    programme = verified()
    after(programme, "68", "69", "30", "68")
    assert programme.events(SignalRaised)[-1].meaning == "concern"
    assert status(programme) is ActionStatus.VERIFIED
    after(programme, "68")
    assert status(programme) is ActionStatus.VERIFIED
    after(programme, "69")
    assert status(programme) is ActionStatus.SUSTAINED


def test_a_correction_can_show_that_it_was_sustained_all_along() -> None:
    programme = verified()
    after(programme, "68", "69", "30", "68")
    slip = measure(programme).points[-2].period
    programme.do(CorrectPoint(measure="M1", period=slip, value=Decimal(68), reason="A slip of the pen"), STEWARD)
    assert status(programme) is ActionStatus.SUSTAINED


def test_an_action_is_closed_by_both_co_owners_after_it_was_verified() -> None:
    programme = delivering()
    with pytest.raises(ActionElsewhere):
        programme.do(CloseAction(action="A1"), DOCTOR)
    programme = verified()
    with pytest.raises(NotCoOwner):
        programme.do(CloseAction(action="A1"), "d5")
    programme.do(CloseAction(action="A1"), MANAGER)
    assert status(programme) is ActionStatus.VERIFIED
    assert [task.person for task in programme.tasks(command="CloseAction")] == [DOCTOR]
    programme.do(CloseAction(action="A1"), DOCTOR)
    assert status(programme) is ActionStatus.CLOSED


# --- development needs ---------------------------------------------------------------------------------------------


def needed(**fields: object) -> Programme:
    programme = delivering()
    command = AddDevelopmentNeed.model_validate({"need": "Reading a chart together", **fields})
    programme.do(command, FACILITATOR)
    return programme


def need_status(programme: Programme) -> NeedStatus:
    return programme.engagement.running.agreement.needs["N1"].status


def test_a_development_need_is_owned_by_somebody_of_its_side() -> None:
    programme = needed(side="manager")
    assert [task.person for task in programme.tasks(command="OwnDevelopmentNeed")] == [FACILITATOR]
    with pytest.raises(WrongSide):
        programme.do(OwnDevelopmentNeed(need="N1"), "d4")
    with pytest.raises(UnknownNeed):
        programme.do(OwnDevelopmentNeed(need="N9"), "m4")
    programme.do(OwnDevelopmentNeed(need="N1"), "m4")
    assert need_status(programme) is NeedStatus.OWNED
    assert programme.tasks(command="OwnDevelopmentNeed") == []


def test_a_need_is_named_from_the_joint_sessions_on_for_conditions_and_people_that_exist() -> None:
    with pytest.raises(NotYet):
        begun(Stage.EXCHANGE).do(AddDevelopmentNeed(need="Too early"), DOCTOR)
    with pytest.raises(Invalid):
        needed(conditions=("C12",))
    with pytest.raises(Invalid):
        needed(need=" ")
    for nobody in ("nobody", PM):
        with pytest.raises(UnknownPerson):
            needed(suggested=nobody)


def test_a_need_moves_on_only_from_where_it_stands() -> None:
    programme = needed()
    with pytest.raises(ActionElsewhere):
        programme.do(ReportNeedMet(need="N1"), "m4")
    with pytest.raises(ActionElsewhere):
        programme.do(ConfirmNeedMet(need="N1", evidence="I saw it"), "d4")
    programme.do(OwnDevelopmentNeed(need="N1"), "m4")
    with pytest.raises(ActionElsewhere):
        programme.do(OwnDevelopmentNeed(need="N1"), "d4")


def test_whoever_is_suggested_is_asked_first_to_own_a_need() -> None:
    assert [task.person for task in needed(suggested="d4").tasks(command="OwnDevelopmentNeed")] == ["d4"]
    with pytest.raises(WrongSide):
        needed(suggested="d4", side="manager")


def test_the_owner_of_a_need_checks_in_monthly_like_an_action() -> None:
    programme = needed()
    programme.do(OwnDevelopmentNeed(need="N1"), "m4")
    come_to(programme, MARCH)
    assert [task.about for task in programme.tasks("m4", "CheckIn")] == ["N1"]
    with pytest.raises(NotHeldByYou):
        say(programme, Progress.ON_TRACK, DOCTOR, about="N1")
    say(programme, Progress.STUCK, "m4", about="N1")
    assert programme.tasks("m4", "CheckIn") == []
    come_to(programme, APRIL)
    say(programme, Progress.STUCK, "m4", about="N1")
    assert stuck_sessions(programme) == 1


def test_a_need_is_met_when_somebody_of_each_side_who_does_not_own_it_says_so() -> None:
    programme = needed()
    programme.do(OwnDevelopmentNeed(need="N1"), "m4")
    with pytest.raises(NotHeldByYou):
        programme.do(ReportNeedMet(need="N1"), "m5")
    programme.do(ReportNeedMet(need="N1"), "m4")
    for command in (ConfirmNeedMet(need="N1", evidence="I saw it"), ReopenNeed(need="N1", reason="No")):
        with pytest.raises(OwnWork):
            programme.do(command, "m4")
    programme.do(ConfirmNeedMet(need="N1", evidence="We read three charts"), "d4")
    with pytest.raises(AlreadyDone):
        programme.do(ConfirmNeedMet(need="N1", evidence="We did"), "d5")
    assert need_status(programme) is NeedStatus.REPORTED_MET
    programme.do(ReopenNeed(need="N1", reason="Not the limits"), "m5")
    assert need_status(programme) is NeedStatus.OWNED
    programme.do(ReportNeedMet(need="N1"), "m4")
    for person in ("d4", "m5"):
        programme.do(ConfirmNeedMet(need="N1", evidence="We read three charts"), person)
    assert need_status(programme) is NeedStatus.MET


# --- the whole -----------------------------------------------------------------------------------------------------


def test_delivery_does_not_end_by_itself() -> None:
    programme = delivering()
    programme.wait(100)
    assert programme.engagement.in_stage(Stage.DELIVERY)


def test_when_delivery_has_ended_nobody_is_asked_for_lines_points_or_explanations() -> None:
    programme = delivering()
    after(programme, "99")
    come_to(programme, APRIL)
    monthly = {"CheckIn", "AddPoints", "ExplainSignal", "RecordTouchpoint"}
    assert monthly <= {task.command for task in programme.tasks()}
    given(programme, StageEnded(stage=Stage.DELIVERY, cycle=1, on=programme.today))
    assert monthly.isdisjoint({task.command for task in programme.tasks()})


def test_the_owner_of_a_need_and_the_co_owners_are_whom_a_late_line_concerns() -> None:
    programme = needed()
    assert programme.engagement.concerned("N1", Audience.CO_OWNERS) == ()
    programme.do(OwnDevelopmentNeed(need="N1"), "m4")
    assert programme.engagement.concerned("N1", Audience.CO_OWNERS) == ("m4",)
    for about in ("A1", "M1"):
        assert programme.engagement.concerned(about, Audience.CO_OWNERS) == (DOCTOR, MANAGER)


def test_a_half_year_of_delivery_can_be_rebuilt_from_its_history() -> None:
    programme = delivering()
    propose(programme)
    agree(programme, "A2")
    for month in (MARCH, APRIL, MAY, JUNE):
        come_to(programme, month)
        for owner in (DOCTOR, MANAGER):
            say(programme, Progress.ON_TRACK, owner)
        add_points(programme, ("70",))
    assert fold(Engagement(), programme.entries) == programme.engagement
    assert Engagement.model_validate_json(programme.engagement.model_dump_json()) == programme.engagement
