"""Going back with care: to an earlier stage, an open action, answer or note, an open part, a mistaken entry."""

from datetime import time, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from programme.changes.correcting import CorrectEntry, EntryCorrected, Original, original_of
from programme.changes.record import Mistake, SkipReason
from programme.changes.reopening import ReopenAction, ReopenFinding, ReopenNotes
from programme.changes.returning import ReturnToStage, StageReturned
from programme.changes.skipping import SkipStep
from programme.changes.vacancies import AppointmentEnded, EndAppointment
from programme.gates import GatePassed
from programme.measures import CorrectPoint, PointsAdded
from programme.messages import Entry, Event, Role, Side, Stage
from programme.people import AcceptAppointment, Appoint, DeclineAppointment, Enrolment, EnrolPeople
from programme.post import MessageIssued
from programme.refusals import (
    ActionElsewhere,
    AlreadyDone,
    CannotReturn,
    Invalid,
    NotCorrectable,
    NotHeld,
    NotHeldByYou,
    NotYet,
    RoleRequired,
    UnknownEntry,
    UnknownPerson,
)
from programme.stages.action import ActionStatus
from programme.stages.agreement import ActionAgreed, AgreeAction
from programme.stages.checkins import CheckedIn, CheckIn
from programme.stages.delivery import Progress, RecordTouchpoint, TouchpointHeld
from programme.stages.exchange import ConfirmPairs, RePair
from programme.stages.findings import AnswerFinding, FindingAnswered, NewFinding
from programme.stages.invitations import ScheduleSession, SessionCancelled
from programme.stages.panels import PanelMemberReleased
from programme.stages.review import FindingKind, Reply
from programme.stages.session import Deferral
from programme.stages.verification import ReportComplete, VerifyAction
from programme.working_time import at_local
from tests.core import given
from tests.core.agreed import action, agreeing, delivering, status
from tests.core.programme_driver import (
    APPROVER,
    FACILITATOR,
    MANAGERIAL,
    MEDICAL,
    OUTPUTS,
    PM,
    STEWARD,
    Programme,
    begun,
    confirm,
    hold,
    play_pair,
    play_session,
    schedule,
    write,
)

WHY = "More is needed before we go on"


def back(programme: Programme, to: Stage, by: str = PM) -> list[Event]:
    return programme.do(ReturnToStage(stage=to, reason=WHY), by)


def stage(programme: Programme) -> str:
    """The stage in front."""
    return programme.engagement.stage.value


def gates(programme: Programme) -> list[str]:
    return [event.gate for event in programme.events(GatePassed)]


def unpaired(programme: Programme) -> tuple[str, str]:
    """A doctor and a manager who could form one pair more."""
    paired = {frozenset(pair.members) for pair in programme.engagement.running.exchange.standing}
    people = (programme.engagement.participants(side) for side in Side)
    doctors, managers = people
    return next((d, m) for d in doctors for m in managers if frozenset((d, m)) not in paired)


# --- back to the exchange --------------------------------------------------------------------------------------------


def test_from_the_joint_sessions_back_to_the_exchange_and_its_gate_is_passed_again() -> None:
    programme = begun(Stage.SESSIONS)
    back(programme, Stage.EXCHANGE, by=FACILITATOR)
    assert stage(programme) == "exchange"
    assert not programme.engagement.in_stage(Stage.SESSIONS)
    programme.wait(3)
    assert stage(programme) == "exchange"
    programme.do(RePair(pairs=(unpaired(programme),)), FACILITATOR)
    play_pair(programme, programme.engagement.running.exchange.standing[-1])
    assert stage(programme) == "sessions"
    assert gates(programme).count("G2") == 2


def test_both_sponsors_are_told_of_a_return_in_one_message_and_everybody_else_apart() -> None:
    programme = begun(Stage.SESSIONS)
    back(programme, Stage.EXCHANGE)
    programme.wait(3)
    title = "The programme has returned to: Perspective exchange"
    told = [event.people for event in programme.events(MessageIssued) if title in [item.title for item in event.items]]
    assert (MEDICAL, MANAGERIAL) in told
    assert ("d3",) in told
    assert [people for people in told if {MEDICAL, MANAGERIAL} & set(people)] == [(MEDICAL, MANAGERIAL)]


def test_what_was_given_before_a_return_stays() -> None:
    programme = begun(Stage.SESSIONS)
    play_session(programme, "1A")
    before = programme.engagement
    recorded = len(programme.entries)
    back(programme, Stage.EXCHANGE)
    after = programme.engagement
    assert after.running.diagnosis == before.running.diagnosis
    assert after.running.sessions.problem == before.running.sessions.problem
    assert after.running.exchange.pairs == before.running.exchange.pairs
    assert programme.entries[:recorded] == begun_entries(programme, recorded)
    (event,) = programme.events(StageReturned)
    assert (event.left, event.to, event.reason) == (Stage.SESSIONS, Stage.EXCHANGE, WHY)


def begun_entries(programme: Programme, number: int) -> list[Entry]:
    """The first entries, each still chained to the one before it."""
    entries = programme.entries[:number]
    assert all(one.previous_digest == before.digest for before, one in pairwise(entries))
    return entries


def test_dates_of_joint_sessions_are_called_off_and_asked_for_again_after_the_exchange() -> None:
    programme = begun(Stage.SESSIONS)
    first = programme.tasks(FACILITATOR, "ScheduleSession")[0]
    schedule(programme, "1A")
    back(programme, Stage.EXCHANGE)
    assert [event.session for event in programme.events(SessionCancelled)] == ["1A"]
    assert programme.tasks(command="AnswerInvitation") == []
    assert programme.tasks(command="ScheduleSession") == []
    on = programme.engagement.time.plus(programme.today, 20)
    with pytest.raises(NotYet, match="back in the perspective exchange"):
        programme.do(ScheduleSession(session="1A", starts=at_local(on, time(14))), FACILITATOR)
    programme.wait(15)
    programme.do(RePair(pairs=(unpaired(programme),)), FACILITATOR)
    play_pair(programme, programme.engagement.running.exchange.standing[-1])
    again = programme.tasks(FACILITATOR, "ScheduleSession")[0]
    assert again.id != first.id
    assert again.due
    assert again.due.on > programme.today


def test_where_no_further_pair_can_be_formed_the_programme_goes_on_with_those_that_there_are() -> None:
    programme = begun(Stage.SESSIONS)
    back(programme, Stage.EXCHANGE)
    (task,) = [one for one in programme.tasks(FACILITATOR, "RePair") if one.about == "further"]
    programme.do(SkipStep(task=task.id, reason=SkipReason.NO_COMMON_DATE, sentence="Nobody is free"), PM)
    assert stage(programme) == "sessions"


# --- back to the joint sessions --------------------------------------------------------------------------------------


def test_from_agreement_back_to_the_joint_sessions_takes_one_session_more() -> None:
    programme = begun(Stage.AGREEMENT)
    programme.do(AgreeAction(action="A1", version=1), "d1")
    back(programme, Stage.SESSIONS)
    assert stage(programme) == "sessions"
    assert programme.tasks(command="AgreeAction") == []
    assert action(programme).agreements.keys() == {Side.DOCTOR}
    schedule(programme, "1C2", 12)
    hold(programme, "1C2")
    assert stage(programme) == "sessions"
    write(programme, "1C2")
    confirm(programme, "1C2")
    assert stage(programme) == "agreement"
    assert gates(programme).count("G3") == 2
    (task,) = programme.tasks(command="AgreeAction")
    assert (task.person, action(programme).version) == ("m1", 1)
    assert task.due
    assert task.due.on > programme.today


def test_nothing_expires_while_the_programme_is_back_in_the_joint_sessions() -> None:
    programme = begun(Stage.AGREEMENT)
    back(programme, Stage.SESSIONS)
    programme.wait(30)
    assert status(programme) is ActionStatus.PROPOSED


# --- where one does not return ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "to", "instead"),
    [
        (Stage.EXCHANGE, Stage.DIAGNOSIS, "at the end of the cycle"),
        (Stage.DIAGNOSIS, Stage.MANDATE, "Willingness is asked again"),
        (Stage.DELIVERY, Stage.AGREEMENT, "Change the action"),
        (Stage.RENEWAL, Stage.DELIVERY, "can be reopened"),
    ],
)
def test_no_other_stage_is_returned_to_and_the_refusal_says_what_to_do(stage: Stage, to: Stage, instead: str) -> None:
    programme = begun(stage)
    with pytest.raises(CannotReturn, match=instead):
        back(programme, to)


def test_one_returns_only_from_the_stage_that_follows() -> None:
    for stage, to in ((Stage.DELIVERY, Stage.SESSIONS), (Stage.AGREEMENT, Stage.EXCHANGE)):
        with pytest.raises(NotYet, match="the stage after it"):
            back(begun(stage), to)


def test_one_returns_so_once_in_a_cycle() -> None:
    programme = begun(Stage.SESSIONS)
    back(programme, Stage.EXCHANGE)
    programme.do(RePair(pairs=(unpaired(programme),)), FACILITATOR)
    play_pair(programme, programme.engagement.running.exchange.standing[-1])
    with pytest.raises(AlreadyDone, match="once in this cycle"):
        back(programme, Stage.EXCHANGE)


def test_nobody_returns_without_both_sponsors_willing_without_a_reason_or_as_a_participant() -> None:
    programme = begun(Stage.SESSIONS)
    with pytest.raises(RoleRequired):
        back(programme, Stage.EXCHANGE, by="d1")
    with pytest.raises(Invalid):
        programme.do(ReturnToStage(stage=Stage.EXCHANGE, reason=" "), PM)
    mandate = programme.engagement.mandate.model_copy(update={"revealed": False})
    programme.engagement = programme.engagement.but(mandate=mandate)
    with pytest.raises(NotYet, match="willingness must be in force"):
        back(programme, Stage.EXCHANGE)


# --- a verified action -----------------------------------------------------------------------------------------------


def verified() -> Programme:
    """A1 is verified by both sides."""
    programme = delivering()
    for owner in ("d1", "m1"):
        programme.do(ReportComplete(action="A1"), owner)
    for person in ("d5", "m5"):
        programme.do(VerifyAction(action="A1", evidence="I was there and saw it"), person)
    assert status(programme) is ActionStatus.VERIFIED
    return programme


def test_an_action_that_was_verified_in_error_is_active_again_and_both_co_owners_are_told() -> None:
    programme = verified()
    programme.wait(60)
    programme.do(ReopenAction(action="A1", reason="The rota never changed"), FACILITATOR)
    assert status(programme) is ActionStatus.ACTIVE
    assert action(programme).verifications == {}
    assert action(programme).agreed_by_both
    due = [task.due.on for task in programme.tasks("d1", "RecordTouchpoint") if task.due]
    assert all(on > programme.today for on in due)
    programme.wait(2)
    for person in ("d1", "m1", "d5", "m5"):
        assert "Action A1 was verified in error. It is active again" in programme.told(person)


def test_a_reopened_action_is_reported_and_verified_anew() -> None:
    programme = verified()
    programme.do(ReopenAction(action="A1", reason="The rota never changed"), "d7")
    for owner in ("d1", "m1"):
        programme.do(ReportComplete(action="A1"), owner)
    assert status(programme) is ActionStatus.REPORTED_COMPLETE
    assert {task.person for task in programme.tasks(command="VerifyAction")}


def test_only_what_is_verified_and_not_closed_is_reopened_with_a_reason() -> None:
    programme = delivering()
    with pytest.raises(ActionElsewhere):
        programme.do(ReopenAction(action="A1", reason="No"), FACILITATOR)
    with pytest.raises(Invalid):
        verified().do(ReopenAction(action="A1", reason=""), FACILITATOR)
    with pytest.raises(RoleRequired):
        verified().do(ReopenAction(action="A1", reason="I say so"), PM)


# --- an answer to a finding ------------------------------------------------------------------------------------------

REVIEW = "1-internal-1"
FIRST, SECOND = f"{REVIEW}-1", f"{REVIEW}-2"


def found() -> Programme:
    """A review has a concern and a recommendation, both about A1."""
    concern = NewFinding(kind=FindingKind.CONCERN, text="The weekends", action="A1")
    advice = NewFinding(kind=FindingKind.RECOMMEND, text="Cover the weekends", action="A1")
    return given.found(given.opened(given.delivering(), REVIEW), REVIEW, concern, advice)


def answer(programme: Programme, finding: str, person: str, reply: Reply = Reply.ACCEPT) -> None:
    programme.do(AnswerFinding(review=REVIEW, finding=finding, reply=reply, reason="We see it so"), person)


def test_a_side_takes_its_answer_back_and_is_asked_again_with_days_of_its_own() -> None:
    programme = found()
    answer(programme, FIRST, "d1", Reply.REJECT)
    answer(programme, SECOND, "d1")
    assert programme.tasks("d1", "AnswerFinding") == []
    programme.wait(19)
    programme.do(ReopenFinding(review=REVIEW, finding=FIRST, reason="We were wrong"), "d1")
    finding = given.review_of(programme, REVIEW).findings[FIRST]
    assert finding.answers == {}
    assert [(one.side, one.answer.reply) for one in finding.taken_back] == [(Side.DOCTOR, Reply.REJECT)]
    (task,) = programme.tasks("d1", "AnswerFinding")
    assert "-again-" in task.id
    assert task.due
    assert task.due.on == programme.engagement.time.plus(programme.today, 5)
    answer(programme, FIRST, "d1", Reply.PARTLY)
    assert given.review_of(programme, REVIEW).findings[FIRST].answers[Side.DOCTOR].reply is Reply.PARTLY
    with pytest.raises(AlreadyDone, match="taken back"):
        programme.do(ReopenFinding(review=REVIEW, finding=FIRST, reason="Again"), "d1")


def test_nobody_takes_back_another_sides_answer_or_one_that_was_not_given() -> None:
    programme = found()
    answer(programme, FIRST, "d1")
    with pytest.raises(NotHeldByYou):
        programme.do(ReopenFinding(review=REVIEW, finding=FIRST, reason="No"), "d2")
    with pytest.raises(NotYet):
        programme.do(ReopenFinding(review=REVIEW, finding=FIRST, reason="No"), "m1")


def test_an_accepted_recommendation_is_not_taken_back_because_an_action_was_drafted() -> None:
    programme = found()
    for person in ("d1", "m1"):
        answer(programme, SECOND, person)
    with pytest.raises(AlreadyDone, match="an action was drafted"):
        programme.do(ReopenFinding(review=REVIEW, finding=SECOND, reason="No"), "d1")


def test_after_gate_g6_no_answer_is_taken_back() -> None:
    programme = found()
    for person in ("d1", "m1"):
        answer(programme, FIRST, person, Reply.REJECT)
        answer(programme, SECOND, person, Reply.REJECT)
    assert "G6" in gates(programme)
    with pytest.raises(AlreadyDone, match="G6"):
        programme.do(ReopenFinding(review=REVIEW, finding=FIRST, reason="No"), "d1")


# --- notes -----------------------------------------------------------------------------------------------------------


def test_notes_that_count_are_reopened_before_the_gate_and_count_again_once_both_sides_confirm() -> None:
    programme = begun(Stage.SESSIONS)
    play_session(programme, "1A")
    assert programme.engagement.running.sessions.problem
    programme.do(ReopenNotes(session="1A", reason="The wrong priorities were written down"), FACILITATOR)
    session = programme.engagement.running.sessions.all["1A"]
    assert (session.counts_from, session.notes and session.notes.version) == (None, 2)
    assert programme.engagement.running.sessions.problem == ""
    assert len(programme.tasks(command="ConfirmNotes")) == 10
    other = OUTPUTS["A"].model_copy(update={"problem": "Nobody owns the first two hours"})
    write(programme, "1A", other)
    confirm(programme, "1A")
    assert programme.engagement.running.sessions.problem == "Nobody owns the first two hours"
    assert [one.version for one in programme.engagement.running.sessions.all["1A"].reopened] == [1]


def test_reopened_notes_can_be_confirmed_as_they_are_and_everybody_who_attended_is_told() -> None:
    programme = begun(Stage.SESSIONS)
    play_session(programme, "1A")
    programme.do(ReopenNotes(session="1A", reason="Two of us were not asked"), FACILITATOR)
    confirm(programme, "1A")
    assert programme.engagement.running.sessions.problem
    programme.wait(2)
    assert any(title.startswith("The notes of Joint session A") for title in programme.told("d2"))


def test_what_reopened_notes_had_deferred_waits_again() -> None:
    programme = begun(Stage.SESSIONS)
    for letter in ("1A", "1B"):
        play_session(programme, letter)
    schedule(programme, "1C", 12)
    hold(programme, "1C")
    later = Deferral(condition="C03", until=programme.today + timedelta(days=90), reason="First the others")
    write(programme, "1C", OUTPUTS["C"].model_copy(update={"deferrals": (later,)}))
    confirm(programme, "1C")
    assert programme.engagement.running.sessions.deferrals.keys() == {"C03"}
    programme.do(ReopenNotes(session="1C", reason="We did not agree on that"), FACILITATOR)
    assert programme.engagement.running.sessions.deferrals == {}


def test_behind_the_gate_notes_stay() -> None:
    programme = begun(Stage.AGREEMENT)
    with pytest.raises(AlreadyDone, match="belongs in the next session"):
        programme.do(ReopenNotes(session="1A", reason="No"), FACILITATOR)
    before = begun(Stage.SESSIONS)
    schedule(before, "1A")
    hold(before, "1A")
    write(before, "1A")
    with pytest.raises(NotYet, match="do not count"):
        before.do(ReopenNotes(session="1A", reason="No"), FACILITATOR)


# --- appointments ----------------------------------------------------------------------------------------------------


def test_a_facilitator_is_replaced_late_and_everything_open_is_asked_of_the_next() -> None:
    programme = begun(Stage.SESSIONS)
    programme.do(EnrolPeople(people=(Enrolment(person="fay"),)), PM)
    owed = {task.id.rpartition("/")[0] for task in programme.tasks(FACILITATOR)}
    programme.do(EndAppointment(person=FACILITATOR, role=Role.FACILITATOR, reason="A new post"), PM)
    with pytest.raises(RoleRequired):
        schedule(programme, "1A")
    (task,) = [one for one in programme.tasks(PM, "Appoint") if one.about == "facilitator"]
    assert task.due
    assert task.due.on > programme.today
    programme.do(Appoint(person="fay", role=Role.FACILITATOR), PM)
    programme.do(AcceptAppointment(role=Role.FACILITATOR), "fay")
    assert owed <= {one.id.rpartition("/")[0] for one in programme.tasks("fay")}
    programme.wait(2)
    assert "You no longer hold the part of facilitator in this programme" in programme.told(FACILITATOR)
    together = [event for event in programme.events(MessageIssued) if event.people == (MEDICAL, MANAGERIAL)]
    assert any("The part of facilitator is open" in item.title for event in together for item in event.items)


def test_an_offer_is_taken_back_and_made_to_somebody_else() -> None:
    programme = begun(Stage.MANDATE)
    programme.do(EndAppointment(person=FACILITATOR, role=Role.FACILITATOR, reason="Named by mistake"), PM)
    programme.do(EnrolPeople(people=(Enrolment(person="fay"),)), PM)
    programme.do(Appoint(person="fay", role=Role.FACILITATOR), PM)
    assert [one.person for one in programme.tasks(command="AcceptAppointment") if one.about == "facilitator"] == ["fay"]


def test_after_a_declined_appointment_the_duty_to_appoint_is_a_new_one() -> None:
    programme = begun(Stage.MANDATE)
    programme.wait(8)
    programme.do(DeclineAppointment(role=Role.FACILITATOR), FACILITATOR)
    (task,) = [one for one in programme.tasks(PM, "Appoint") if one.about == "facilitator"]
    assert task.opened == programme.today
    assert task.due
    assert task.due.on == programme.engagement.time.plus(programme.today, 10)


def test_a_challenger_whose_appointment_ends_leaves_the_panel_that_has_not_met() -> None:
    programme = given.panel(given.opened(given.delivering(), REVIEW), REVIEW)
    programme.do(EndAppointment(person="ic1", role=Role.INTERNAL_CHALLENGER, reason="Moved"), PM)
    assert [event.person for event in programme.events(PanelMemberReleased)] == ["ic1"]
    assert programme.tasks(PM, "AppointToPanel")


def test_a_chair_of_a_review_that_has_met_stays_until_the_chair_is_passed() -> None:
    programme = given.held(given.opened(given.delivering(), REVIEW), REVIEW)
    chair = given.review_of(programme, REVIEW).chair
    with pytest.raises(NotYet, match="pass the chair first"):
        programme.do(EndAppointment(person=chair, role=Role.INTERNAL_CHALLENGER, reason="Moved"), PM)


@pytest.mark.parametrize(
    ("person", "role", "refused"),
    [
        (MEDICAL, Role.MEDICAL_SPONSOR, Invalid),
        ("d1", Role.DOCTOR, Invalid),
        (PM, Role.PROGRAMME_MANAGER, Invalid),
        (APPROVER, Role.FACILITATOR, NotHeld),
        ("nobody", Role.FACILITATOR, UnknownPerson),
    ],
)
def test_not_every_part_ends_by_an_appointment(person: str, role: Role, refused: type[Exception]) -> None:
    programme = begun(Stage.SESSIONS)
    with pytest.raises(refused):
        programme.do(EndAppointment(person=person, role=role, reason="A change"), PM)
    assert programme.events(AppointmentEnded) == []


def test_everybody_of_a_pair_that_is_replaced_is_told() -> None:
    programme = begun(Stage.EXCHANGE)
    programme.do(ConfirmPairs(), PM)
    first, second = programme.engagement.running.exchange.standing[:2]
    crossed = ((first.doctors[0], second.managers[0]), (second.doctors[0], first.managers[0]))
    programme.do(RePair(replaces=(first.id, second.id), pairs=crossed), FACILITATOR)
    programme.wait(2)
    for person in {*first.members, *second.members}:
        assert "Your pair for the perspective exchange was changed" in programme.told(person)


# --- corrections -----------------------------------------------------------------------------------------------------


def the_last(programme: Programme, kind: type[Event]) -> Entry:
    return [entry for entry in programme.entries if isinstance(entry.event, kind)][-1]


def correct(programme: Programme, entry: Entry, by: str = PM, text: str = "It was the day before") -> list[Event]:
    command = CorrectEntry(entry=entry.sequence, mistake=Mistake.WRONG_DATE, text=text, original=original_of(entry))
    return programme.do(command, by)


def touched() -> tuple[Programme, Entry]:
    """A joint touchpoint about A1 was recorded by its doctor."""
    programme = delivering()
    programme.do(RecordTouchpoint(on=programme.today, actions=("A1",), attended=("d1", "m1", MEDICAL)), "d1")
    return programme, the_last(programme, TouchpointHeld)


def test_a_correction_is_a_new_entry_that_names_the_old_and_the_old_stays() -> None:
    programme, entry = touched()
    correct(programme, entry)
    (event,) = programme.events(EntryCorrected)
    assert (event.entry, event.entry_kind, event.by) == (entry.sequence, "TouchpointHeld", PM)
    assert programme.entries[entry.sequence - 1] == entry
    assert programme.engagement.running.delivery.touchpoints[-1].on == programme.today
    (correction,) = programme.engagement.changes.corrections_of("A1")
    assert correction.text == "It was the day before"
    assert programme.entries[correction.recorded - 1].event == event
    programme.wait(2)
    for person in ("d1", "m1"):
        assert any(title.startswith("An entry that concerns you was corrected") for title in programme.told(person))


def test_whoever_made_an_entry_corrects_it_and_others_do_not() -> None:
    programme, entry = touched()
    correct(programme, entry, by="d1")
    with pytest.raises(UnknownEntry):
        correct(programme, entry, by="m1")


def test_the_programme_manager_corrects_facts_and_nobodys_words() -> None:
    programme = delivering()
    while not programme.tasks(command="CheckIn"):
        programme.wait(1)
    programme.do(CheckIn(about="A1", progress=Progress.ON_TRACK, line="All well"), "d1")
    entry = the_last(programme, CheckedIn)
    with pytest.raises(NotCorrectable, match="another person's words"):
        correct(programme, entry)
    correct(programme, entry, by="d1", text="Not all is well")
    assert programme.engagement.changes.corrections_of("A1")


@pytest.mark.parametrize("by", [PM, "m1"])
def test_nobodys_answer_or_agreement_is_corrected_not_even_by_whoever_gave_it(by: str) -> None:
    programme = delivering()
    with pytest.raises(NotCorrectable, match="answer, agreement, approval, willingness or evidence"):
        correct(programme, the_last(programme, ActionAgreed), by)


def test_what_has_a_correction_of_its_own_is_corrected_by_that() -> None:
    programme = agreeing()
    entry = the_last(programme, PointsAdded)
    with pytest.raises(NotCorrectable, match="CorrectPoint"):
        correct(programme, entry, by=STEWARD)
    month = programme.engagement.measures.measures["M1"].points[0].period
    programme.do(CorrectPoint(measure="M1", period=month, value=Decimal(60), reason="Counted twice"), STEWARD)


def test_an_answer_to_a_finding_points_to_the_command_that_takes_it_back() -> None:
    programme = found()
    answer(programme, FIRST, "d1")
    with pytest.raises(NotCorrectable, match="ReopenFinding"):
        correct(programme, the_last(programme, FindingAnswered))


def test_a_correction_needs_words_and_an_entry() -> None:
    programme, entry = touched()
    with pytest.raises(Invalid):
        correct(programme, entry, text=" ")
    for number, original in ((0, original_of(entry)), (10**6, original_of(entry)), (1, Original())):
        with pytest.raises(UnknownEntry):
            programme.do(CorrectEntry(entry=number, mistake=Mistake.WRONG_DATE, text="x", original=original), PM)


def test_a_correction_can_be_corrected_by_whoever_made_it() -> None:
    programme, entry = touched()
    correct(programme, entry)
    correct(programme, the_last(programme, EntryCorrected), text="No, it was the day as entered")
    assert len(programme.engagement.changes.corrections_of("A1")) == 2
