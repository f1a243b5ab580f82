"""Handing over: what somebody leaves open passes to a successor of the same side, and the past stays as it was."""

from datetime import date, timedelta

import pytest

from programme.continuity import DueDateMoved
from programme.departure import Departure
from programme.gates import common_lacks
from programme.handover import (
    AcceptHandover,
    DeclineHandover,
    NameSuccessor,
    PersonLeft,
    PersonReturned,
    RecordDeparture,
    WithdrawDeparture,
)
from programme.messages import PersonId, Role, Side, Stage
from programme.people import Enrolment, EnrolPeople
from programme.post import MessageIssued
from programme.refusals import (
    AlreadyDone,
    ForbiddenCombination,
    Invalid,
    NoHandover,
    NotASuccessor,
    NotHeldByYou,
    RoleRequired,
)
from programme.stages.action import ActionStatus
from programme.stages.agreement import ActionExpired, AgreeAction
from programme.stages.approval import ApproveAction
from programme.stages.checkins import CheckIn
from programme.stages.delivery import Progress, flagged
from programme.stages.exchange import ConfirmPairs
from programme.stages.mandate import Answer, StateWillingness
from programme.stages.ownership import AcceptOwnership, ReturnedToAgreement
from programme.stages.verification import ReportComplete, VerifyAction
from tests.core.agreed import CLINICAL, DOCTOR, MANAGER, action, agree, agreeing, delivering, propose, status
from tests.core.programme_driver import (
    APPROVER,
    DEPUTY,
    FACILITATOR,
    MANAGERIAL,
    MEDICAL,
    PM,
    STEWARD,
    Programme,
    begun,
)

SUCCESSOR = "d2"


def departs(programme: Programme, person: PersonId = DOCTOR, days: int = 0, returns: int | None = None) -> Departure:
    """The programme manager records that somebody goes, in so many working days."""
    last_day = programme.engagement.time.plus(programme.today, days)
    back = last_day + timedelta(days=returns) if returns else None
    programme.do(RecordDeparture(person=person, last_day=last_day, returns=back), PM)
    return programme.engagement.handovers.departures[person]


def hands_over(
    programme: Programme, person: PersonId = DOCTOR, role: Role = Role.DOCTOR, successor: PersonId = SUCCESSOR
) -> None:
    """A successor is named and takes over."""
    programme.do(NameSuccessor(person=person, role=role, successor=successor), PM)
    programme.do(AcceptHandover(person=person, role=role), successor)


def test_a_successor_takes_over_an_action_and_what_was_agreed_stays_agreed() -> None:
    programme = delivering()
    departs(programme, days=5)
    hands_over(programme)
    now = action(programme)
    assert (now.doctor_owner, now.manager_owner) == (SUCCESSOR, MANAGER)
    assert now.status is ActionStatus.ACTIVE
    assert now.agreements[Side.DOCTOR].by == DOCTOR
    assert now.agreed_by_both


def test_a_new_co_owner_accepts_the_action_or_it_returns_to_agreement() -> None:
    accepting, silent = delivering(), delivering()
    for programme in (accepting, silent):
        departs(programme)
        hands_over(programme)
    (task,) = accepting.tasks(SUCCESSOR, "AcceptOwnership")
    assert task.due
    assert task.due.on == accepting.engagement.time.plus(accepting.today, 10)
    accepting.do(AcceptOwnership(action="A1"), SUCCESSOR)
    accepting.wait(11)
    assert status(accepting) is ActionStatus.ACTIVE
    version = action(silent).version
    silent.wait(10)
    assert status(silent) is ActionStatus.ACTIVE
    silent.wait(1)
    assert silent.events(ReturnedToAgreement)
    assert (status(silent), action(silent).version) == (ActionStatus.PROPOSED, version + 1)
    assert not action(silent).agreements
    assert {task.person for task in silent.tasks(command="AgreeAction")} == {SUCCESSOR, MANAGER}


@pytest.mark.parametrize(
    ("successor", "refusal"),
    [("m2", NotASuccessor), (MEDICAL, NotASuccessor), (DOCTOR, NotASuccessor), ("d3", NotASuccessor)],
)
def test_a_successor_takes_part_on_the_same_side_and_stays(successor: PersonId, refusal: type[Exception]) -> None:
    programme = delivering()
    departs(programme, "d3", days=4)
    departs(programme, days=5)
    with pytest.raises(refusal):
        programme.do(NameSuccessor(person=DOCTOR, role=Role.DOCTOR, successor=successor), PM)


def test_only_whoever_was_named_takes_over_and_may_decline() -> None:
    programme = delivering()
    departs(programme)
    programme.do(NameSuccessor(person=DOCTOR, role=Role.DOCTOR, successor=SUCCESSOR), PM)
    with pytest.raises(NoHandover):
        programme.do(AcceptHandover(person=DOCTOR, role=Role.DOCTOR), "d4")
    programme.do(DeclineHandover(person=DOCTOR, role=Role.DOCTOR), SUCCESSOR)
    with pytest.raises(NoHandover):
        programme.do(AcceptHandover(person=DOCTOR, role=Role.DOCTOR), SUCCESSOR)
    assert action(programme).doctor_owner == DOCTOR
    assert programme.tasks(PM, "NameSuccessor")


# --- the clock -------------------------------------------------------------------------------------------------------


def due_of(programme: Programme, person: PersonId, command: str) -> date:
    """When a person's one task of a kind is due."""
    (task,) = programme.tasks(person, command)
    assert task.due
    return task.due.on


def proposed() -> Programme:
    """A1 is proposed; both sides have 10 working days to agree."""
    programme = agreeing()
    propose(programme)
    return programme


@pytest.mark.parametrize(("days", "lost"), [(0, 0), (1, 0), (4, 3), (10, 9), (14, 10)])
def test_clocks_of_what_was_left_open_stand_still_until_somebody_takes_over(days: int, lost: int) -> None:
    programme = proposed()
    promised = due_of(programme, DOCTOR, "AgreeAction")
    departs(programme)
    programme.wait(days)
    hands_over(programme)
    assert due_of(programme, SUCCESSOR, "AgreeAction") == programme.engagement.time.plus(promised, lost)
    assert due_of(programme, MANAGER, "AgreeAction") == promised
    moved = programme.events(DueDateMoved)
    assert {event.was for event in moved} <= {promised}
    assert len(moved) == (1 if lost else 0)
    assert all(f"the clock was held for {lost} working day" in event.why for event in moved)


def test_a_proposal_does_not_expire_before_the_successor_has_had_the_time_that_was_lost() -> None:
    programme = proposed()
    departs(programme)
    programme.wait(9)
    hands_over(programme)
    due = due_of(programme, SUCCESSOR, "AgreeAction")
    programme.advance(due)
    assert not programme.events(ActionExpired)
    programme.do(AgreeAction(action="A1", version=1), SUCCESSOR)
    programme.do(AgreeAction(action="A1", version=1), MANAGER)
    assert status(programme) is ActionStatus.ACTIVE


def test_nobody_is_chased_about_what_somebody_left_open_while_the_clock_stands_still() -> None:
    programme = delivering()
    while not programme.tasks(DOCTOR, "CheckIn"):
        programme.wait(1)
    departs(programme)
    programme.wait(1)
    before = len(programme.entries)
    programme.wait(9)
    said = [one.event for one in programme.entries[before:] if isinstance(one.event, MessageIssued)]
    assert not [item.task for event in said for item in event.items if item.task.endswith(f"/{DOCTOR}")]
    programme.wait(20)
    said = [one.event for one in programme.entries[before:] if isinstance(one.event, MessageIssued)]
    chased = {one for event in said for one in event.people for item in event.items if item.task.endswith(f"/{DOCTOR}")}
    assert {MEDICAL, MANAGERIAL} <= chased, "afterwards it is late as anything else"
    assert DOCTOR not in chased


def test_common_windows_wait_for_nobody() -> None:
    programme = begun(Stage.DIAGNOSIS)
    (window,) = {task.due.on for task in programme.tasks(command="CompleteQuestionnaire") if task.due}
    departs(programme, days=1, returns=20)
    programme.wait(5)
    assert {task.due.on for task in programme.tasks(command="CompleteQuestionnaire") if task.due} == {window}
    assert not programme.tasks(DOCTOR)


# --- last days and returns -------------------------------------------------------------------------------------------


def test_parts_end_with_the_last_day_and_the_person_is_asked_and_told_nothing_more() -> None:
    programme = delivering()
    departs(programme, "d9", days=1)
    programme.wait(1)
    assert "d9" in programme.engagement.participants(Side.DOCTOR)
    programme.wait(1)
    assert [event.person for event in programme.events(PersonLeft)] == ["d9"]
    assert "d9" not in programme.engagement.participants(Side.DOCTOR)
    assert not programme.engagement.people["d9"].intended()
    with pytest.raises(RoleRequired):
        programme.do(VerifyAction(action="A1", evidence="Seen"), "d9")
    sent = len(programme.told("d9"))
    programme.wait(60)
    assert len(programme.told("d9")) == sent


def test_after_a_long_absence_parts_are_the_persons_again_but_for_what_was_taken_over() -> None:
    programme = delivering()
    departure = departs(programme, returns=60)
    programme.wait(1)
    hands_over(programme)
    assert not programme.engagement.people[DOCTOR].roles()
    assert departure.returns
    programme.advance(departure.returns)
    assert programme.events(PersonReturned)
    assert programme.engagement.people[DOCTOR].roles() == {Role.DOCTOR}
    assert action(programme).doctor_owner == SUCCESSOR


def test_somebody_who_comes_back_before_anybody_took_over_finds_the_time_that_was_lost() -> None:
    programme = proposed()
    promised = due_of(programme, DOCTOR, "AgreeAction")
    departs(programme)
    back = programme.engagement.time.plus(programme.today, 4)
    programme.do(RecordDeparture(person=DOCTOR, last_day=programme.today, returns=back), PM)
    programme.advance(back)
    assert due_of(programme, DOCTOR, "AgreeAction") == programme.engagement.time.plus(promised, 3)
    programme.do(AgreeAction(action="A1", version=1), DOCTOR)


def test_a_departure_is_corrected_or_withdrawn_until_it_has_come_to_pass() -> None:
    programme = delivering()
    departs(programme, days=3)
    departs(programme, days=5)
    programme.wait(4)
    assert not programme.events(PersonLeft)
    programme.do(WithdrawDeparture(person=DOCTOR), PM)
    programme.wait(3)
    assert not programme.events(PersonLeft)
    departs(programme)
    programme.wait(1)
    with pytest.raises(AlreadyDone):
        programme.do(WithdrawDeparture(person=DOCTOR), PM)
    with pytest.raises(AlreadyDone):
        departs(programme, days=3)
    with pytest.raises(Invalid):
        programme.do(RecordDeparture(person="d3", last_day=programme.today, returns=programme.today), PM)


# --- whose turn it is ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person", "role", "sponsor"), [("d1", Role.DOCTOR, MEDICAL), ("m1", Role.MANAGER, MANAGERIAL)]
)
def test_what_nobody_takes_over_in_10_working_days_goes_to_the_sponsor_of_that_side(
    person: PersonId, role: Role, sponsor: PersonId
) -> None:
    programme = delivering()
    departs(programme, person, days=2)
    assert {task.person for task in programme.tasks(command="NameSuccessor")} == {PM}
    programme.do(NameSuccessor(person=person, role=role, successor=f"{person[0]}2"), PM)
    assert not programme.tasks(command="NameSuccessor")
    programme.wait(10)
    assert not programme.tasks(command="NameSuccessor")
    programme.wait(1)
    assert {task.person for task in programme.tasks(command="NameSuccessor")} == {sponsor}
    other = MEDICAL if sponsor == MANAGERIAL else MANAGERIAL
    with pytest.raises(NotHeldByYou):
        programme.do(NameSuccessor(person=person, role=role, successor=f"{person[0]}3"), other)
    programme.do(NameSuccessor(person=person, role=role, successor=f"{person[0]}3"), sponsor)
    with pytest.raises(NoHandover):
        programme.do(AcceptHandover(person=person, role=role), f"{person[0]}2")
    programme.do(AcceptHandover(person=person, role=role), f"{person[0]}3")
    assert not programme.tasks(command="NameSuccessor")


def test_whoever_leaves_nothing_open_needs_no_successor() -> None:
    programme = delivering()
    departs(programme, "d9", days=2)
    assert not programme.tasks(command="NameSuccessor")
    with pytest.raises(NoHandover):
        programme.do(NameSuccessor(person="d9", role=Role.DOCTOR, successor="d8"), PM)


# --- who is excluded -------------------------------------------------------------------------------------------------


def test_nobody_comes_to_own_what_they_verify() -> None:
    programme = delivering()
    programme.do(ReportComplete(action="A1", verifier="d5"), DOCTOR)
    departs(programme, days=3)
    with pytest.raises(ForbiddenCombination):
        programme.do(NameSuccessor(person=DOCTOR, role=Role.DOCTOR, successor="d5"), PM)
    departs(programme, "d5", days=3)
    with pytest.raises(NotASuccessor):
        programme.do(NameSuccessor(person="d5", role=Role.DOCTOR, successor=DOCTOR), PM)


def test_what_somebody_was_asked_to_verify_passes_to_a_successor() -> None:
    programme = delivering()
    programme.do(ReportComplete(action="A1", verifier="d5"), DOCTOR)
    programme.do(ReportComplete(action="A1", verifier="m5"), MANAGER)
    departs(programme, "d5", days=3)
    hands_over(programme, "d5", successor="d6")
    assert {task.person for task in programme.tasks(command="VerifyAction")} == {"d6", "m5"}


def test_an_exclusion_that_arises_after_somebody_was_named_is_found_when_they_accept() -> None:
    programme = delivering()
    departs(programme, days=3)
    programme.do(NameSuccessor(person=DOCTOR, role=Role.DOCTOR, successor="d5"), PM)
    programme.do(ReportComplete(action="A1", verifier="d5"), DOCTOR)
    with pytest.raises(ForbiddenCombination):
        programme.do(AcceptHandover(person=DOCTOR, role=Role.DOCTOR), "d5")


# --- named parts -----------------------------------------------------------------------------------------------------


def newcomer(programme: Programme, person: PersonId, *, gmc_registered: bool = False) -> PersonId:
    """Somebody with a small part, who could take over another."""
    row = Enrolment(person=person, roles=(Role.MEASURE_STEWARD,), gmc_registered=gmc_registered)
    programme.do(EnrolPeople(people=(row,)), PM)
    return person


def test_no_gate_passes_until_a_new_sponsor_has_said_to_be_willing_and_delivery_goes_on() -> None:
    programme = delivering()
    while not programme.tasks(DOCTOR, "CheckIn"):
        programme.wait(1)
    departs(programme, MEDICAL)
    programme.wait(1)
    assert common_lacks(programme.engagement) == ["both sponsors' willingness must be in force"]
    hands_over(programme, MEDICAL, Role.MEDICAL_SPONSOR, newcomer(programme, "med2"))
    assert common_lacks(programme.engagement) == ["both sponsors' willingness must be in force"]
    programme.do(CheckIn(about="A1", progress=Progress.ON_TRACK, line="Fine"), DOCTOR)
    assert {task.person for task in programme.tasks(command="StateWillingness")} == {"med2"}
    programme.do(StateWillingness(answer=Answer.WILLING), "med2")
    assert common_lacks(programme.engagement) == []


def test_what_a_sponsor_signed_stays_signed_when_a_successor_comes() -> None:
    programme = delivering()
    departs(programme, MEDICAL)
    hands_over(programme, MEDICAL, Role.MEDICAL_SPONSOR, newcomer(programme, "med2"))
    assert programme.engagement.running.agreement.compact.signed_by(programme.engagement.sponsors)


@pytest.mark.parametrize("successor", ["m5", PM, MANAGERIAL, FACILITATOR])
def test_a_sponsor_is_succeeded_by_somebody_of_the_same_side_without_a_part_that_excludes(successor: PersonId) -> None:
    programme = delivering()
    departs(programme, MEDICAL)
    with pytest.raises((ForbiddenCombination, NotASuccessor)):
        programme.do(NameSuccessor(person=MEDICAL, role=Role.MEDICAL_SPONSOR, successor=successor), PM)


def test_what_names_a_side_waits_until_both_sponsors_are_there() -> None:
    programme = delivering()
    departs(programme, MEDICAL)
    programme.wait(1)
    while not programme.tasks(DOCTOR, "CheckIn"):
        programme.wait(1)
    before = len(programme.told(MANAGERIAL))
    programme.advance(due_of(programme, DOCTOR, "CheckIn"))
    programme.wait(14)
    assert not [title for title in programme.told(MANAGERIAL)[before:] if "Check in" in title]


def test_the_deputy_decides_while_the_approver_is_away_and_without_either_approvals_wait() -> None:
    programme = agreeing()
    propose(programme, CLINICAL)
    agree(programme)
    departs(programme, APPROVER, returns=90)
    programme.wait(1)
    assert {task.person for task in programme.tasks(command="ApproveAction")} == {DEPUTY}
    departs(programme, DEPUTY)
    programme.wait(1)
    assert {task.command for task in programme.tasks() if task.about == "A1"} == {"Appoint"}
    programme.wait(30)
    assert status(programme) is ActionStatus.AWAITING_APPROVAL
    hands_over(programme, DEPUTY, Role.DEPUTY_APPROVER, newcomer(programme, "dep2", gmc_registered=True))
    programme.do(ApproveAction(action="A1", version=1), "dep2")
    assert status(programme) is ActionStatus.ACTIVE


def test_an_approver_is_succeeded_by_a_registered_doctor_and_a_facilitator_by_nobody_of_a_side() -> None:
    programme = delivering()
    departs(programme, APPROVER)
    departs(programme, FACILITATOR)
    with pytest.raises(Invalid):
        programme.do(NameSuccessor(person=APPROVER, role=Role.MEDICAL_APPROVER, successor=STEWARD), PM)
    with pytest.raises(ForbiddenCombination):
        programme.do(NameSuccessor(person=FACILITATOR, role=Role.FACILITATOR, successor="d5"), PM)
    hands_over(programme, FACILITATOR, Role.FACILITATOR, newcomer(programme, "fac2"))
    assert programme.engagement.holders(Role.FACILITATOR) == ("fac2",)


def test_a_pair_begins_anew_with_a_successor_and_what_it_cannot_be_is_for_the_facilitator() -> None:
    programme = begun(Stage.EXCHANGE)
    programme.do(ConfirmPairs(), PM)
    pair = next(one for one in programme.engagement.running.exchange.standing if "d1" in one.members)
    departs(programme, "d1")
    hands_over(programme, "d1", successor="d2")
    formed = [one for one in programme.engagement.running.exchange.standing if "d2" in one.members]
    assert any(set(one.managers) == set(pair.managers) for one in formed)
    assert programme.engagement.running.exchange.pairs[pair.id].replaced
    departs(programme, "d3")
    programme.wait(1)
    assert any("has left" in task.title for task in programme.tasks(FACILITATOR, "RePair"))


def test_sponsors_who_change_again_within_a_cycle_are_a_sign_of_drift_for_the_next_review() -> None:
    programme = delivering()
    departs(programme, MEDICAL)
    hands_over(programme, MEDICAL, Role.MEDICAL_SPONSOR, newcomer(programme, "med2"))
    assert flagged(programme.engagement) == ()
    programme.do(StateWillingness(answer=Answer.WILLING), "med2")
    departs(programme, "med2")
    hands_over(programme, "med2", Role.MEDICAL_SPONSOR, newcomer(programme, "med3"))
    assert flagged(programme.engagement) == (programme.today,)
    programme.wait(2)
    for sponsor in ("med3", MANAGERIAL):
        assert any("changed again" in title for title in programme.told(sponsor))
