"""Dated cover: other hands do what somebody owes, and who is accountable stays who it was."""

from datetime import timedelta

import pytest

from programme.cover import COVERABLE, ArrangeCover, CoverBegan, CoverEnded, EndCover, HandsLent
from programme.engagement import commands, step
from programme.handover import RecordDeparture
from programme.messages import Command, Entry, PersonId, Role, Sealed, Side, Words
from programme.part import Asked
from programme.people import AcceptAppointment, Appoint
from programme.post import MessageIssued
from programme.reading import tasks_for
from programme.refusals import (
    AlreadyDone,
    CannotCover,
    ForbiddenCombination,
    Invalid,
    NotCoverable,
    NotCovering,
    NotHeldByYou,
    OwnWork,
    RoleRequired,
)
from programme.stages.action import ActionStatus
from programme.stages.agreement import AgreeAction
from programme.stages.approval import ApproveAction
from programme.stages.checkins import CheckIn
from programme.stages.delivery import Progress
from programme.stages.mandate import Answer, StateWillingness
from programme.stages.objections import RaiseSafetyObjection
from programme.stages.sessions import CallSession
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
)

HANDS = "d2"
ON_TRACK = CheckIn(about="A1", progress=Progress.ON_TRACK, line="Fine")


def on_behalf(programme: Programme, command: Command, hands: PersonId, person: PersonId) -> list[Entry]:
    """Somebody asks on behalf of somebody else."""
    programme.engagement, entries = step(programme.engagement, command, Asked(hands, programme.at, person))
    programme.entries += entries
    return entries


def covers(
    programme: Programme, hands: PersonId = HANDS, person: PersonId = DOCTOR, begins: int = 0, days: int = 10
) -> None:
    """The programme manager arranges cover, from so many days ahead for so many days."""
    first = programme.today + timedelta(days=begins)
    programme.do(ArrangeCover(person=person, by=hands, first=first, last=first + timedelta(days=days)), PM)


def checking_in() -> Programme:
    """A month's check-ins are open."""
    programme = delivering()
    while not programme.tasks(DOCTOR, "CheckIn"):
        programme.wait(1)
    return programme


def clinical() -> Programme:
    """A1 carries the clinical mark, and waits for approval."""
    programme = agreeing()
    propose(programme, CLINICAL)
    agree(programme)
    return programme


def test_what_is_done_on_behalf_counts_for_whoever_is_accountable_and_names_both() -> None:
    programme = checking_in()
    covers(programme)
    entries = on_behalf(programme, ON_TRACK, HANDS, DOCTOR)
    assert {(entry.actor, entry.on_behalf_of) for entry in entries} == {(HANDS, DOCTOR)}
    said = programme.engagement.running.delivery.check_ins[-1].lines["A1"][Side.DOCTOR]
    assert said.by == DOCTOR
    assert not programme.tasks(DOCTOR, "CheckIn")


def test_cover_changes_nobodys_part_and_no_owner() -> None:
    programme = checking_in()
    parts = {person.id: person.roles() for person in programme.engagement.people.values()}
    covers(programme)
    on_behalf(programme, ON_TRACK, HANDS, DOCTOR)
    assert {person.id: person.roles() for person in programme.engagement.people.values()} == parts
    assert action(programme).doctor_owner == DOCTOR


def test_cover_runs_from_its_first_day_to_its_last() -> None:
    programme = checking_in()
    covers(programme, begins=2, days=3)
    with pytest.raises(NotCovering):
        on_behalf(programme, ON_TRACK, HANDS, DOCTOR)
    programme.advance(programme.today + timedelta(days=2))
    assert programme.events(CoverBegan)
    assert "CheckIn" in {one.command for one in tasks_for(programme.engagement, HANDS) if one.person == DOCTOR}
    programme.advance(programme.today + timedelta(days=4))
    assert programme.events(CoverEnded)
    assert not [task for task in tasks_for(programme.engagement, HANDS) if task.person == DOCTOR]
    with pytest.raises(NotCovering):
        on_behalf(programme, ON_TRACK, HANDS, DOCTOR)


@pytest.mark.parametrize("by", [PM, DOCTOR, HANDS])
def test_a_cover_is_ended_by_those_whom_it_concerns(by: PersonId) -> None:
    programme = checking_in()
    covers(programme)
    with pytest.raises(NotHeldByYou):
        programme.do(EndCover(cover=1), "d7")
    programme.do(EndCover(cover=1), by)
    with pytest.raises(NotCovering):
        on_behalf(programme, ON_TRACK, HANDS, DOCTOR)
    with pytest.raises(AlreadyDone):
        programme.do(EndCover(cover=1), by)


def test_cover_is_arranged_by_the_person_or_the_programme_manager_with_days_that_make_sense() -> None:
    programme = delivering()
    today = programme.today
    programme.do(ArrangeCover(person=DOCTOR, by=HANDS, first=today, last=today), DOCTOR)
    with pytest.raises(NotHeldByYou):
        programme.do(ArrangeCover(person="d5", by=HANDS, first=today, last=today), "d6")
    with pytest.raises(AlreadyDone):
        programme.do(ArrangeCover(person=DOCTOR, by="d6", first=today, last=today), DOCTOR)
    for first, last in ((2, 1), (-3, -1)):
        days = {"first": today + timedelta(days=first), "last": today + timedelta(days=last)}
        with pytest.raises(Invalid):
            programme.do(ArrangeCover(person="d5", by="d6", first=days["first"], last=days["last"]), PM)


# --- who may not -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hands", "person", "refusal"),
    [
        ("m2", DOCTOR, CannotCover),
        ("d2", MANAGER, CannotCover),
        (STEWARD, DOCTOR, CannotCover),
        (DOCTOR, DOCTOR, CannotCover),
        ("m2", MEDICAL, CannotCover),
        ("m2", APPROVER, CannotCover),
        (STEWARD, APPROVER, CannotCover),
        (MEDICAL, MANAGERIAL, ForbiddenCombination),
        ("d2", FACILITATOR, ForbiddenCombination),
        (MEDICAL, PM, ForbiddenCombination),
        (FACILITATOR, MEDICAL, ForbiddenCombination),
    ],
)
def test_cover_never_crosses_sides_nor_joins_what_is_held_apart(
    hands: PersonId, person: PersonId, refusal: type[Exception]
) -> None:
    programme = delivering()
    with pytest.raises(refusal):
        covers(programme, hands, person)


def test_nobody_covers_for_both_sponsors() -> None:
    programme = delivering()
    covers(programme, STEWARD, MEDICAL)
    with pytest.raises((CannotCover, ForbiddenCombination)):
        covers(programme, STEWARD, MANAGERIAL, begins=3)


def test_a_combination_that_came_about_later_is_found_at_the_act() -> None:
    programme = delivering()
    covers(programme, STEWARD, FACILITATOR)
    on_behalf(programme, CallSession(why="Two things are open"), STEWARD, FACILITATOR)
    programme.do(Appoint(person=STEWARD, role=Role.INTERNAL_CHALLENGER), PM)
    programme.do(AcceptAppointment(role=Role.INTERNAL_CHALLENGER), STEWARD)
    with pytest.raises(ForbiddenCombination):
        on_behalf(programme, CallSession(why="Another thing is open"), STEWARD, FACILITATOR)


def test_hands_that_have_gone_lend_themselves_to_nobody() -> None:
    programme = checking_in()
    covers(programme, days=20)
    programme.do(RecordDeparture(person=HANDS, last_day=programme.today), PM)
    programme.wait(1)
    with pytest.raises(CannotCover):
        on_behalf(programme, ON_TRACK, HANDS, DOCTOR)


def test_whoever_has_gone_is_accountable_for_nothing_new() -> None:
    programme = checking_in()
    covers(programme, days=20)
    programme.do(RecordDeparture(person=DOCTOR, last_day=programme.today), PM)
    programme.wait(1)
    with pytest.raises((RoleRequired, CannotCover)):
        on_behalf(programme, ON_TRACK, HANDS, DOCTOR)


def test_what_is_personal_or_candid_is_nobody_elses_to_do() -> None:
    programme = delivering()
    covers(programme)
    covers(programme, STEWARD, MEDICAL)
    with pytest.raises(NotCoverable):
        on_behalf(programme, RaiseSafetyObjection(action="A1", reason="Nights"), HANDS, DOCTOR)
    with pytest.raises(NotCoverable):
        on_behalf(programme, StateWillingness(answer=Answer.WILLING), STEWARD, MEDICAL)
    for command in COVERABLE:
        candid = [one for one in command.model_fields.values() if one.annotation in (Words, Sealed)]
        assert not candid, f"{command.__name__} takes candid words, which are their author's"
        assert command in set(commands())


# --- what needs two people -------------------------------------------------------------------------------------------


def test_hands_that_own_an_action_do_not_approve_it() -> None:
    programme = clinical()
    programme.do(Appoint(person=DOCTOR, role=Role.MEASURE_STEWARD, gmc_registered=True), PM)
    covers(programme, DOCTOR, APPROVER)
    with pytest.raises(ForbiddenCombination):
        on_behalf(programme, ApproveAction(action="A1", version=1), DOCTOR, APPROVER)
    assert status(programme) is ActionStatus.AWAITING_APPROVAL


def test_registered_hands_without_a_stake_approve_and_the_approver_is_accountable() -> None:
    programme = clinical()
    covers(programme, DEPUTY, APPROVER)
    on_behalf(programme, ApproveAction(action="A1", version=1), DEPUTY, APPROVER)
    approval = action(programme).approval
    assert approval
    assert approval.by == APPROVER


def test_hands_that_reported_an_action_complete_do_not_verify_it() -> None:
    programme = delivering()
    covers(programme)
    on_behalf(programme, ReportComplete(action="A1"), HANDS, DOCTOR)
    programme.do(ReportComplete(action="A1"), MANAGER)
    assert programme.events(HandsLent)
    with pytest.raises(ForbiddenCombination):
        programme.do(VerifyAction(action="A1", evidence="I saw it"), HANDS)
    covers(programme, HANDS, "d5")
    with pytest.raises(ForbiddenCombination):
        on_behalf(programme, VerifyAction(action="A1", evidence="I saw it"), HANDS, "d5")
    programme.do(VerifyAction(action="A1", evidence="I saw it"), "d5")


def test_an_owners_hands_do_not_verify_for_somebody_else() -> None:
    programme = delivering()
    programme.do(ReportComplete(action="A1"), DOCTOR)
    programme.do(ReportComplete(action="A1"), MANAGER)
    covers(programme, DOCTOR, "d5")
    with pytest.raises(ForbiddenCombination):
        on_behalf(programme, VerifyAction(action="A1", evidence="I saw it"), DOCTOR, "d5")
    with pytest.raises(OwnWork):
        programme.do(VerifyAction(action="A1", evidence="I saw it"), DOCTOR)


def test_both_halves_of_an_agreement_come_from_different_hands() -> None:
    programme = agreeing()
    propose(programme)
    covers(programme)
    on_behalf(programme, AgreeAction(action="A1", version=1), HANDS, DOCTOR)
    with pytest.raises(CannotCover):
        covers(programme, HANDS, MANAGER)
    programme.do(AgreeAction(action="A1", version=1), MANAGER)
    assert status(programme) is ActionStatus.ACTIVE


# --- what is told ----------------------------------------------------------------------------------------------------


def test_whoever_covers_is_told_and_reminded_too_once_for_each_rung() -> None:
    programme = delivering()
    covers(programme, days=60)
    programme.wait(1)
    assert any("on behalf of somebody" in title for title in programme.told(HANDS))
    while not programme.tasks(DOCTOR, "CheckIn"):
        programme.wait(1)
    programme.wait(8)
    rungs = [
        item.rung
        for event in programme.events(MessageIssued)
        for item in event.items
        if HANDS in event.people and "check-in" in item.task
    ]
    assert rungs
    assert len(rungs) == len(set(rungs))
    assert all(DOCTOR in item for item in (task.id for task in programme.tasks(DOCTOR)))
