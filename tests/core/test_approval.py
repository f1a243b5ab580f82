"""Medical approval and the patient-safety objection: a doctor decides what is clinical, and any doctor may stop it."""

from datetime import date, time, timedelta
from typing import Any

import pytest

from programme.continuity import PauseEngagement, ResumeEngagement
from programme.engagement import Engagement, fold
from programme.messages import Role, Side, Stage
from programme.people import AppointmentAccepted, Enrolment, EnrolmentAccepted, PeopleEnrolled
from programme.post import SAFETY, MessageIssued
from programme.refusals import (
    ActionElsewhere,
    AlreadyDone,
    EngagementPaused,
    Invalid,
    NotYourApproval,
    RoleRequired,
    UnknownObjection,
    VersionMoved,
)
from programme.stages.action import ActionStatus, Screened, Screening
from programme.stages.agreement import AgreeAction
from programme.stages.approval import ApproveAction, LiftClinicalMark, RefuseAction
from programme.stages.drafting import ChangeAction, ProposeAction
from programme.stages.halves import WithdrawAction
from programme.stages.objections import AcknowledgeObjection, DecideObjection, RaiseSafetyObjection
from programme.stages.session import Purpose
from programme.working_time import at_local
from tests.core.agreed import (
    CLEAR,
    CLINICAL,
    DOCTOR,
    MANAGER,
    action,
    agree,
    agreeing,
    delivering,
    propose,
    status,
    text,
)
from tests.core.given import given
from tests.core.programme_driver import APPROVER, DEPUTY, FACILITATOR, MANAGERIAL, MEDICAL, PM, Programme


def enrolled(programme: Programme, person: str, role: Role, side: Side | None = None, *, gmc: bool = True) -> None:
    """Somebody who holds a part, and perhaps takes part on a side too."""
    row = Enrolment(person=person, side=side, roles=(role,), gmc_registered=gmc)
    today = programme.today
    given(
        programme,
        PeopleEnrolled(people=(row,), on=today),
        AppointmentAccepted(person=person, role=role, on=today),
        *([EnrolmentAccepted(person=person, privacy_notice="1", on=today)] if side else []),
    )


def awaiting(programme: Programme | None = None, **changes: Any) -> Programme:
    """Both sides have agreed to a clinically marked action."""
    programme = programme or agreeing()
    propose(programme, screening=CLINICAL, **changes)
    agree(programme)
    return programme


APPROVE = ApproveAction(action="A1", version=1)


# --- approval ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", list(Screening.model_fields))
@pytest.mark.parametrize("answer", [Screened.YES, Screened.NOT_SURE])
def test_yes_or_not_sure_to_any_question_waits_for_a_medical_approver(question: str, answer: Screened) -> None:
    programme = agreeing()
    propose(programme, screening=CLEAR.model_copy(update={question: answer}))
    agree(programme)
    assert status(programme) is ActionStatus.AWAITING_APPROVAL
    programme.do(APPROVE, APPROVER)
    assert status(programme) is ActionStatus.ACTIVE


def test_a_screening_that_nobody_answered_counts_as_not_sure() -> None:
    programme = agreeing()
    propose(programme, screening=Screening())
    agree(programme)
    assert status(programme) is ActionStatus.AWAITING_APPROVAL


def test_three_times_no_needs_no_approval() -> None:
    programme = agreeing()
    propose(programme, screening=CLEAR)
    agree(programme)
    assert status(programme) is ActionStatus.ACTIVE


def test_approval_comes_after_both_sides_have_agreed_and_for_their_version() -> None:
    programme = agreeing()
    propose(programme, screening=CLINICAL)
    with pytest.raises(ActionElsewhere):
        programme.do(APPROVE, APPROVER)
    agree(programme)
    with pytest.raises(VersionMoved):
        programme.do(ApproveAction(action="A1", version=2), APPROVER)


def test_silence_never_approves() -> None:
    programme = awaiting()
    programme.wait(60)
    assert status(programme) is ActionStatus.AWAITING_APPROVAL
    assert action(programme).approval is None


def test_approval_is_due_in_5_days_then_the_deputy_hears_of_it_and_on_day_10_the_medical_sponsor() -> None:
    programme = awaiting()
    title = "Approve action A1, or refuse it"
    task = programme.tasks(APPROVER, "ApproveAction")[0]
    assert task.due
    assert task.due.on == programme.engagement.time.plus(programme.today, 5)
    programme.wait(4)
    assert (title in programme.told(APPROVER), title in programme.told(DEPUTY)) == (True, False)
    programme.wait(1)
    assert (title in programme.told(DEPUTY), title in programme.told(MEDICAL)) == (True, False)
    programme.wait(5)
    assert (title in programme.told(MEDICAL), title in programme.told(MANAGERIAL)) == (True, False)


def test_nobody_but_an_approver_approves_refuses_or_lifts_the_mark() -> None:
    programme = awaiting()
    for somebody in (DOCTOR, MANAGER, "d2", PM, FACILITATOR, MEDICAL, MANAGERIAL):
        for command in (
            APPROVE,
            RefuseAction(action="A1", version=1, reason="No"),
            LiftClinicalMark(action="A1", reason="Not clinical"),
        ):
            with pytest.raises(RoleRequired):
                programme.do(command, somebody)


def test_a_co_owner_does_not_approve_the_own_action_the_deputy_does() -> None:
    programme = agreeing()
    enrolled(programme, APPROVER, Role.MEDICAL_APPROVER, Side.DOCTOR)
    awaiting(programme, doctor_owner=APPROVER)
    with pytest.raises(NotYourApproval):
        programme.do(APPROVE, APPROVER)
    with pytest.raises(NotYourApproval):
        programme.do(LiftClinicalMark(action="A1", reason="Not clinical"), APPROVER)
    assert [task.person for task in programme.tasks(command="ApproveAction")] == [DEPUTY]
    programme.do(APPROVE, DEPUTY)
    assert status(programme) is ActionStatus.ACTIVE


def test_a_proposer_does_not_approve_the_own_action() -> None:
    programme = agreeing()
    enrolled(programme, APPROVER, Role.MEDICAL_APPROVER, Side.DOCTOR)
    propose(programme, screening=CLINICAL, by=APPROVER)
    agree(programme)
    with pytest.raises(NotYourApproval):
        programme.do(APPROVE, APPROVER)


def test_an_approver_who_is_not_registered_any_more_does_not_approve() -> None:
    programme = agreeing()
    enrolled(programme, APPROVER, Role.MEDICAL_APPROVER, gmc=False)
    awaiting(programme)
    with pytest.raises(NotYourApproval):
        programme.do(APPROVE, APPROVER)


def test_somebody_who_speaks_for_the_managers_decides_nothing_clinical() -> None:
    programme = agreeing()
    enrolled(programme, APPROVER, Role.MEDICAL_APPROVER, Side.MANAGER)
    awaiting(programme)
    with pytest.raises(NotYourApproval):
        programme.do(APPROVE, APPROVER)


def test_the_deputy_stands_in_once_the_approvers_date_has_come_and_not_before() -> None:
    programme = awaiting()
    programme.wait(4)
    with pytest.raises(NotYourApproval):
        programme.do(APPROVE, DEPUTY)
    programme.wait(1)
    programme.do(APPROVE, DEPUTY)
    assert status(programme) is ActionStatus.ACTIVE


def test_a_deputy_under_the_same_rule_does_not_approve_what_the_deputy_owns() -> None:
    programme = agreeing()
    enrolled(programme, DEPUTY, Role.DEPUTY_APPROVER, Side.DOCTOR)
    awaiting(programme, doctor_owner=DEPUTY)
    programme.wait(30)
    with pytest.raises(NotYourApproval):
        programme.do(APPROVE, DEPUTY)


def test_approvals_wait_where_nobody_may_decide_and_the_programme_manager_finds_somebody() -> None:
    programme = agreeing()
    enrolled(programme, APPROVER, Role.MEDICAL_APPROVER, gmc=False)
    enrolled(programme, DEPUTY, Role.DEPUTY_APPROVER, gmc=False)
    awaiting(programme)
    programme.wait(30)
    assert status(programme) is ActionStatus.AWAITING_APPROVAL
    assert programme.tasks(command="ApproveAction") == []
    assert "A1" in {task.about for task in programme.tasks(PM, "Appoint")}
    enrolled(programme, DEPUTY, Role.DEPUTY_APPROVER)
    assert "A1" not in {task.about for task in programme.tasks(PM, "Appoint")}
    programme.do(APPROVE, DEPUTY)
    assert status(programme) is ActionStatus.ACTIVE


def test_a_refusal_has_a_reason_and_leads_back_to_a_joint_session() -> None:
    programme = awaiting()
    with pytest.raises(Invalid):
        programme.do(RefuseAction(action="A1", version=1, reason=" "), APPROVER)
    programme.do(RefuseAction(action="A1", version=1, reason="Not safe at night"), APPROVER)
    assert (status(programme), action(programme).reason) == (ActionStatus.DECLINED, "Not safe at night")
    waiting = programme.engagement.running.sessions.all.values()
    assert Purpose.AGREEMENT in {one.purpose for one in waiting}


def test_the_mark_is_lifted_with_a_reason_and_then_the_agreement_is_enough() -> None:
    programme = agreeing()
    propose(programme, screening=CLINICAL)
    with pytest.raises(Invalid):
        programme.do(LiftClinicalMark(action="A1", reason=""), APPROVER)
    with pytest.raises(NotYourApproval):
        programme.do(LiftClinicalMark(action="A1", reason="Rota only"), DEPUTY)
    programme.do(LiftClinicalMark(action="A1", reason="Rota only"), APPROVER)
    with pytest.raises(AlreadyDone):
        programme.do(LiftClinicalMark(action="A1", reason="Rota only"), APPROVER)
    assert status(programme) is ActionStatus.PROPOSED
    agree(programme)
    assert status(programme) is ActionStatus.ACTIVE


def test_lifting_the_mark_of_an_agreed_action_activates_it() -> None:
    programme = awaiting()
    programme.do(LiftClinicalMark(action="A1", reason="Rota only"), APPROVER)
    assert status(programme) is ActionStatus.ACTIVE


def test_a_material_change_voids_the_approval_too() -> None:
    programme = awaiting()
    programme.do(APPROVE, APPROVER)
    programme.do(ChangeAction(action="A1", text=text(programme, scope="Nights only")), DOCTOR)
    assert action(programme).approval is None
    agree(programme)
    assert status(programme) is ActionStatus.AWAITING_APPROVAL


def test_no_change_by_the_sides_takes_the_mark_away() -> None:
    programme = awaiting()
    change = ChangeAction(action="A1", text=text(programme, scope="Nights only"), screening=CLEAR)
    programme.do(change, MANAGER)
    assert action(programme).marked
    programme.wait(11)
    programme.do(ProposeAction(action="A1", screening=CLEAR), MANAGER)
    assert action(programme).marked


def test_a_second_thought_in_the_screening_marks_an_active_action_and_both_agree_anew() -> None:
    programme = agreeing()
    propose(programme)
    agree(programme)
    programme.do(ChangeAction(action="A1", text=text(programme), screening=CLINICAL), DOCTOR)
    assert (status(programme), action(programme).marked) == (ActionStatus.PROPOSED, True)


# --- the patient-safety objection ----------------------------------------------------------------------------------

OBJECTION = RaiseSafetyObjection(action="A1", reason="Nobody covers resuscitation")


def acknowledged(objection: int = 1) -> AcknowledgeObjection:
    return AcknowledgeObjection(action="A1", objection=objection)


def decided(objection: int = 1, *, goes_on: bool = True) -> DecideObjection:
    return DecideObjection(action="A1", objection=objection, goes_on=goes_on, reason="Cover is arranged")


def test_any_doctor_stops_an_action_at_once_and_only_an_approver_lets_it_go_on() -> None:
    programme = delivering()
    programme.do(OBJECTION, "d9")
    assert status(programme) is ActionStatus.SUSPENDED
    for somebody in ("d9", DOCTOR, MANAGER, PM, MEDICAL, MANAGERIAL, FACILITATOR):
        with pytest.raises(RoleRequired):
            programme.do(decided(), somebody)
    programme.do(decided(), APPROVER)
    assert status(programme) is ActionStatus.ACTIVE


def test_nobody_but_a_doctor_who_takes_part_raises_one_and_it_has_a_reason() -> None:
    programme = delivering()
    for somebody in (MANAGER, PM, FACILITATOR, MEDICAL):
        with pytest.raises(RoleRequired):
            programme.do(OBJECTION, somebody)
    with pytest.raises(Invalid):
        programme.do(RaiseSafetyObjection(action="A1", reason=""), "d9")


def test_the_approver_and_the_co_owners_are_told_at_once_on_a_saturday_night() -> None:
    programme = delivering()
    saturday = programme.today + timedelta(days=5 - programme.today.weekday())
    night = at_local(saturday, time(23, 30))
    programme.do(OBJECTION, "d9", at=night)
    programme.advance(night + timedelta(minutes=1))
    urgent = [event for event in programme.entries if isinstance(event.event, MessageIssued) and event.at == night]
    told = {person for entry in urgent for person in entry.event.people}  # type: ignore[attr-defined]
    assert told == {APPROVER, DOCTOR, MANAGER}
    assert {entry.event.topic for entry in urgent} == {SAFETY}  # type: ignore[attr-defined]


def test_after_a_working_day_without_acknowledgement_the_deputy_is_told() -> None:
    programme = delivering()
    programme.do(OBJECTION, "d9")
    programme.wait(1)
    assert "Acknowledge the patient-safety objection to action A1" in programme.told(DEPUTY)


def test_an_acknowledged_objection_does_not_trouble_the_deputy() -> None:
    programme = delivering()
    programme.do(OBJECTION, "d9")
    programme.do(acknowledged(), APPROVER)
    with pytest.raises(AlreadyDone):
        programme.do(acknowledged(), APPROVER)
    programme.wait(4)
    assert not any("objection" in title for title in programme.told(DEPUTY))


def test_after_5_working_days_both_sponsors_are_told_together_and_the_action_stays_suspended() -> None:
    programme = delivering()
    programme.do(OBJECTION, "d9")
    programme.wait(4)
    title = "Decide the patient-safety objection to action A1"
    assert title not in programme.told(MEDICAL)
    programme.wait(1)
    told = [
        event.people
        for event in programme.events(MessageIssued)
        if any(item.title == title and item.escalation for item in event.items)
    ]
    assert told == [(MEDICAL, MANAGERIAL)]
    programme.wait(40)
    assert status(programme) is ActionStatus.SUSPENDED


def paused(programme: Programme, working_days: int = 20) -> date:
    resumes = programme.engagement.time.plus(programme.today, working_days)
    programme.do(PauseEngagement(reason="Winter pressure", resumes=resumes), PM)
    return resumes


def test_a_pause_stops_no_objection_no_decision_and_no_urgent_message() -> None:
    programme = delivering()
    paused(programme)
    with pytest.raises(EngagementPaused):
        programme.do(WithdrawAction(action="A1"), DOCTOR)
    programme.do(OBJECTION, "d9")
    assert status(programme) is ActionStatus.SUSPENDED
    programme.wait(1)
    assert "Acknowledge the patient-safety objection to action A1" in programme.told(DEPUTY)
    programme.wait(4)
    assert "Decide the patient-safety objection to action A1" in programme.told(MANAGERIAL)
    programme.do(acknowledged(), APPROVER)
    programme.do(decided(), APPROVER)
    assert status(programme) is ActionStatus.ACTIVE


def test_a_pause_does_not_move_the_days_of_an_objection() -> None:
    programme = delivering()
    programme.do(OBJECTION, "d9")
    before = {task.id: task.due for task in programme.tasks(APPROVER)}
    paused(programme, 2)
    programme.wait(1)
    programme.do(ResumeEngagement(), PM)
    assert {task.id: task.due for task in programme.tasks(APPROVER)} == before
    programme.wait(4)
    assert "Decide the patient-safety objection to action A1" in programme.told(MEDICAL)


def test_an_objection_that_is_upheld_sends_the_action_back_to_be_drafted_and_marks_it() -> None:
    programme = delivering()
    programme.do(OBJECTION, "d9")
    programme.do(decided(goes_on=False), APPROVER)
    returned = action(programme)
    assert (returned.status, returned.version, returned.marked) == (ActionStatus.DRAFT, 2, True)
    assert returned.agreements == {}
    programme.do(ProposeAction(action="A1", screening=CLEAR), DOCTOR)
    agree(programme)
    assert status(programme) is ActionStatus.AWAITING_APPROVAL


def test_a_decision_has_a_reason_and_is_made_once() -> None:
    programme = delivering()
    programme.do(OBJECTION, "d9")
    with pytest.raises(Invalid):
        programme.do(DecideObjection(action="A1", objection=1, goes_on=True, reason=" "), APPROVER)
    with pytest.raises(UnknownObjection):
        programme.do(decided(2), APPROVER)
    programme.do(decided(), DEPUTY)
    with pytest.raises(AlreadyDone):
        programme.do(decided(), APPROVER)
    assert action(programme).objections[0].decision == "Cover is arranged"


def test_an_action_goes_on_only_when_every_objection_is_decided() -> None:
    programme = delivering()
    programme.do(OBJECTION, "d8")
    programme.do(OBJECTION, "d9")
    programme.do(decided(1), APPROVER)
    assert status(programme) is ActionStatus.SUSPENDED
    programme.do(decided(2), APPROVER)
    assert status(programme) is ActionStatus.ACTIVE


def test_one_upheld_objection_of_two_is_enough_to_send_an_action_back() -> None:
    programme = delivering()
    programme.do(OBJECTION, "d8")
    programme.do(OBJECTION, "d9")
    programme.do(decided(1, goes_on=False), APPROVER)
    programme.do(decided(2), APPROVER)
    assert status(programme) is ActionStatus.DRAFT


def test_an_objection_upheld_long_ago_does_not_decide_a_later_one() -> None:
    programme = delivering()
    programme.do(OBJECTION, "d8")
    programme.do(decided(1, goes_on=False), APPROVER)
    programme.do(ProposeAction(action="A1", screening=CLEAR), DOCTOR)
    agree(programme)
    programme.do(ApproveAction(action="A1", version=2), APPROVER)
    programme.do(OBJECTION, "d9")
    programme.do(decided(2), APPROVER)
    assert status(programme) is ActionStatus.ACTIVE


def test_nothing_else_is_done_with_a_suspended_action() -> None:
    programme = delivering()
    programme.do(OBJECTION, "d9")
    commands: list[Any] = [
        WithdrawAction(action="A1"),
        ChangeAction(action="A1", text=text(programme, scope="Else")),
        AgreeAction(action="A1", version=1),
    ]
    for command in commands:
        with pytest.raises(ActionElsewhere):
            programme.do(command, DOCTOR)


def test_a_proposal_that_was_suspended_has_all_its_days_again() -> None:
    programme = agreeing()
    propose(programme)
    programme.wait(9)
    programme.do(OBJECTION, "d9")
    programme.wait(9)
    programme.do(decided(), APPROVER)
    programme.wait(9)
    assert status(programme) is ActionStatus.PROPOSED
    agree(programme)
    assert status(programme) is ActionStatus.ACTIVE


def test_an_approval_that_was_suspended_has_all_its_days_again() -> None:
    programme = awaiting()
    programme.wait(4)
    programme.do(OBJECTION, "d9")
    assert programme.tasks(command="ApproveAction") == []
    programme.wait(4)
    programme.do(decided(), APPROVER)
    (task,) = programme.tasks(APPROVER, "ApproveAction")
    assert task.due
    assert task.due.on == programme.engagement.time.plus(programme.today, 5)


def test_an_approver_who_owns_the_action_does_not_decide_an_objection_to_it() -> None:
    programme = agreeing()
    enrolled(programme, APPROVER, Role.MEDICAL_APPROVER, Side.DOCTOR)
    propose(programme, doctor_owner=APPROVER)
    agree(programme)
    programme.do(OBJECTION, "d9")
    with pytest.raises(NotYourApproval):
        programme.do(decided(), APPROVER)
    programme.do(decided(), DEPUTY)
    assert status(programme) is ActionStatus.ACTIVE


def test_without_an_approver_the_sponsors_and_the_programme_manager_are_told_at_once() -> None:
    programme = delivering()
    enrolled(programme, APPROVER, Role.MEDICAL_APPROVER, gmc=False)
    enrolled(programme, DEPUTY, Role.DEPUTY_APPROVER, gmc=False)
    programme.do(OBJECTION, "d9")
    programme.advance(programme.at + timedelta(minutes=1))
    for person in (MEDICAL, MANAGERIAL, PM):
        assert any("suspended" in title for title in programme.told(person))


def test_an_objection_at_a_minute_to_five_on_friday_is_acknowledged_by_monday() -> None:
    programme = delivering()
    friday = programme.today + timedelta(days=4 - programme.today.weekday())
    programme.do(OBJECTION, "d9", at=at_local(friday, time(16, 59)))
    due = {task.command: task.due.on for task in programme.tasks(APPROVER) if task.due}
    assert due["AcknowledgeObjection"] == friday + timedelta(days=3)
    assert due["DecideObjection"] == friday + timedelta(days=7)


def test_what_was_objected_and_decided_can_be_rebuilt_from_the_history() -> None:
    programme = delivering()
    programme.do(OBJECTION, "d9")
    programme.do(acknowledged(), APPROVER)
    programme.do(decided(goes_on=False), APPROVER)
    programme.wait(20)
    assert fold(Engagement(), programme.entries) == programme.engagement
    assert programme.engagement.in_stage(Stage.DELIVERY)
