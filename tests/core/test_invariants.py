"""The thirty invariants of programme.md, one test each, by the number and the words of the rule.

Every test asks the core for what the rule forbids, and for what it promises. ``invariants.py`` judges the same rules
over whole programmes of chance. Where a rule lives outside the core too, a comment names the tests that hold it there.
"""

from collections.abc import Iterator
from dataclasses import asdict, is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, get_args, get_type_hints

import pytest
from pydantic import BaseModel

from programme.chain import BrokenChain
from programme.continuity import (
    ChangeCalendar,
    DeadlineKept,
    DueDateKept,
    DueDateMoved,
    PauseEngagement,
    ResumeEngagement,
)
from programme.engagement import PARTS, Engagement, RecordedEntry, commands, fold
from programme.gates import GatePassed, StageStarted
from programme.ladders import Audience
from programme.measure import Direction, MeasureKind
from programme.measures import AddPoints, CorrectPoint, NewPoint
from programme.messages import CLOCK, Command, PersonId, Role, Sealed, Side, Stage, Words
from programme.people import (
    ACCEPTED_WITH_DECLARATION,
    AcceptAppointment,
    AcceptEnrolment,
    Appoint,
    AppointmentAccepted,
    Enrolment,
    EnrolmentAccepted,
    EnrolPeople,
    PeopleEnrolled,
    Person,
)
from programme.post import SAFETY, MessageIssued, NoticeRaised, RungSuppressed
from programme.reading import COMMENT, READERS, View, may_read_pack, may_read_words, may_see, tasks_for
from programme.refusals import (
    ActionIncomplete,
    AlreadyDone,
    AlreadyEnrolled,
    ConflictOfInterest,
    EngagementPaused,
    ForbiddenCombination,
    Invalid,
    NotQuorate,
    NotRegistered,
    NotSignatory,
    NotYet,
    NotYourApproval,
    OwnWork,
    PanelNotQuorate,
    PointExists,
    Refusal,
    RoleRequired,
    ThresholdOutOfRange,
    VersionMoved,
    WrongSide,
)
from programme.stages.action import Action, ActionStatus, Assent, Screening
from programme.stages.agreement import ActionActivated, ActionAgreed, ActionExpired, AgreeAction
from programme.stages.approval import ActionApproved, ApproveAction, LiftClinicalMark
from programme.stages.compact import SignCompact
from programme.stages.diagnosis import (
    CompleteQuestionnaire,
    PackComputed,
    PackReleased,
    QuestionnaireCompleted,
    RecordPack,
    WriteThemes,
    counts,
)
from programme.stages.drafting import ChangeAction, DraftAction, ProposeAction
from programme.stages.findings import CorrectFinding, NewFinding
from programme.stages.halves import WithdrawAction
from programme.stages.mandate import (
    Answer,
    RegisterEngagement,
    StateWillingness,
    WillingnessAsked,
    WillingnessRevealed,
    WillingnessStated,
)
from programme.stages.meetings import HoldReview
from programme.stages.notes import ConfirmNotes, DisputeNotes, SettleNotes, WriteNotes
from programme.stages.objections import DecideObjection, RaiseSafetyObjection
from programme.stages.panels import AcceptPanel, AppointToPanel
from programme.stages.renewal import DecideRenewal, NextStep, RecordJointMeeting, RenewalAsked, RenewalSettled
from programme.stages.review import FindingKind, quorate
from programme.stages.sessions import RecordAttendance
from programme.stages.verification import ReportComplete, VerifyAction
from programme.template import ProgrammeTemplate
from programme.working_time import LONDON, Calendar, Holiday, at_local
from tests.core.agreed import (
    BASELINE,
    CLEAR,
    CLINICAL,
    action,
    add_points,
    agree,
    agreeing,
    define,
    delivering,
    draft,
    propose,
    status,
    text,
)
from tests.core.given import EXTERNAL, dated, given, opened, review_of
from tests.core.given import delivering as with_challengers
from tests.core.given import found as with_findings
from tests.core.judged_candour import CANDID
from tests.core.programme_driver import (
    APPROVER,
    DEPUTY,
    DOCTORS,
    FACILITATOR,
    MANAGERIAL,
    MANAGERS,
    MEDICAL,
    OUTPUTS,
    PM,
    STEWARD,
    TWELVE_MONTHS,
    Programme,
    begun,
    confirm,
    hold,
    play,
    play_diagnosis,
    registered,
    roster,
    schedule,
    write,
)

FIRST = "1-internal-1"
OUTSIDE = "1-external-1"
YES = AgreeAction(action="A1", version=1)


def refused(programme: Programme, no: type[Refusal], command: Command, *people: PersonId) -> None:
    """Each of these people is told no, and nothing happens."""
    for person in people:
        before = len(programme.entries)
        with pytest.raises(no):
            programme.do(command, person)
        assert len(programme.entries) == before


def willing_again(programme: Programme, answer: Answer = Answer.WILLING) -> None:
    """Both sponsors answer the question that was put to them again."""
    for sponsor in (MEDICAL, MANAGERIAL):
        programme.do(StateWillingness(answer=answer), sponsor)


def taking_part(programme: Programme, person: PersonId, role: Role, side: Side, *, gmc: bool = True) -> None:
    """Somebody who holds a part and takes part on a side too, as people move."""
    row = Enrolment(person=person, side=side, roles=(role,), gmc_registered=gmc)
    today = programme.today
    given(
        programme,
        PeopleEnrolled(people=(row,), on=today),
        AppointmentAccepted(person=person, role=role, on=today),
        EnrolmentAccepted(person=person, privacy_notice="1", on=today),
    )


def test_invariant_01_no_stage_after_mandate_without_both_sponsors_willing() -> None:
    programme = registered(people=roster())
    play(programme, Stage.DIAGNOSIS)
    assert programme.engagement.in_stage(Stage.DIAGNOSIS)
    given(programme, WillingnessAsked(round=2, on=programme.today))  # as when a sponsor leaves
    play_diagnosis(programme)
    assert [span.stage for span in programme.engagement.stages if span.ended is None] == [Stage.DIAGNOSIS]
    programme.do(StateWillingness(answer=Answer.WILLING), MEDICAL)
    assert not programme.engagement.in_stage(Stage.EXCHANGE)
    programme.do(StateWillingness(answer=Answer.WILLING), MANAGERIAL)
    assert programme.engagement.in_stage(Stage.EXCHANGE)

    one_sided = registered()
    for row in roster():
        if row.side:
            one_sided.do(AcceptEnrolment(side=row.side, privacy_notice="1"), row.person)
        for role in row.roles:
            if role in ACCEPTED_WITH_DECLARATION:
                one_sided.do(AcceptAppointment(role=role), row.person)
    one_sided.do(StateWillingness(answer=Answer.WILLING), MEDICAL)
    one_sided.do(StateWillingness(answer=Answer.NOT_YET), MANAGERIAL)
    assert [span.stage for span in one_sided.engagement.stages] == [Stage.MANDATE]


def test_invariant_02_one_person_has_one_side_and_never_counts_for_two() -> None:
    programme = registered()
    refused(programme, WrongSide, AcceptEnrolment(side=Side.MANAGER, privacy_notice="1"), "d1")
    other_side = EnrolPeople(people=(Enrolment(person="d1", side=Side.MANAGER),))
    refused(programme, AlreadyEnrolled, other_side, PM)
    refused(programme, Invalid, Appoint(person="d1", role=Role.MANAGER), PM)

    programme = agreeing()
    drafted = DraftAction(text=text(programme, manager_owner="d2"))
    refused(programme, WrongSide, drafted, "d1")
    propose(programme)
    programme.do(YES, "d1")
    refused(programme, NotSignatory, YES, "d2", "m2")
    refused(programme, AlreadyDone, YES, "d1")
    assert status(programme) is ActionStatus.PROPOSED
    one = Assent(by="d1", version=1, on=programme.today)
    both = Action(id="A9", drafted=programme.today, agreements=dict.fromkeys(Side, one))
    assert not both.agreed_by_both  # one person's yes, written down for both sides


def test_invariant_03_active_only_with_an_agreement_of_each_side_to_the_same_version() -> None:
    programme = agreeing()
    propose(programme)
    programme.do(YES, "d1")
    assert status(programme) is ActionStatus.PROPOSED
    programme.do(ChangeAction(action="A1", text=text(programme, scope="Weekends")), "d1")
    refused(programme, VersionMoved, YES, "m1")  # what the other side had agreed to is not what it reads now
    programme.do(AgreeAction(action="A1", version=2), "m1")
    assert status(programme) is ActionStatus.PROPOSED
    programme.do(AgreeAction(action="A1", version=2), "d1")
    assert status(programme) is ActionStatus.ACTIVE
    stale = {side: Assent(by=side.value, version=1, on=programme.today) for side in Side}
    assert not Action(id="A9", version=2, drafted=programme.today, agreements=stale).agreed_by_both


def test_invariant_04_silence_never_becomes_an_agreement_or_an_approval() -> None:
    programme = agreeing()
    propose(programme)
    propose(programme, screening=CLINICAL, doctor_owner="d2", manager_owner="m2")
    agree(programme, "A2")
    programme.do(YES, "d1")
    happened = programme.wait(120)
    assert any(isinstance(event, ActionExpired) for event in happened)
    assert not any(isinstance(event, ActionAgreed | ActionApproved) for event in happened)
    assert status(programme) is ActionStatus.DRAFT
    assert action(programme).agreements == {}
    assert status(programme, "A2") is ActionStatus.AWAITING_APPROVAL
    assert not programme.engagement.running.agreement.compact.signatures
    # Nobody can be enrolled under the name by which time decides: what they did would be silence's doing.
    refused(programme, Invalid, EnrolPeople(people=(Enrolment(person=CLOCK, side=Side.DOCTOR),)), PM)


def test_invariant_05_a_marked_or_unsure_action_waits_for_an_approver_who_neither_owns_nor_proposed_it() -> None:
    programme = agreeing()
    taking_part(programme, APPROVER, Role.MEDICAL_APPROVER, Side.DOCTOR)
    propose(programme, screening=Screening(), doctor_owner=APPROVER)  # nobody was sure of anything
    propose(programme, screening=CLINICAL, by=APPROVER)
    propose(programme, screening=CLINICAL, doctor_owner="d3", manager_owner="m3")
    for name in ("A1", "A2", "A3"):
        agree(programme, name)
        assert status(programme, name) is ActionStatus.AWAITING_APPROVAL
    for name in ("A1", "A2"):
        refused(programme, NotYourApproval, ApproveAction(action=name, version=1), APPROVER)
    refused(programme, RoleRequired, ApproveAction(action="A3", version=1), "d1", "m1", PM, MEDICAL, FACILITATOR)
    refused(programme, VersionMoved, ApproveAction(action="A3", version=2), APPROVER)
    for name, person in (("A1", DEPUTY), ("A2", DEPUTY), ("A3", APPROVER)):
        programme.do(ApproveAction(action=name, version=1), person)
        assert status(programme, name) is ActionStatus.ACTIVE

    unregistered = agreeing()
    taking_part(unregistered, APPROVER, Role.MEDICAL_APPROVER, Side.DOCTOR, gmc=False)
    propose(unregistered, screening=CLINICAL)
    agree(unregistered)
    refused(unregistered, NotYourApproval, ApproveAction(action="A1", version=1), APPROVER)
    nobody = registered(people=tuple(row for row in roster() if row.person != APPROVER))
    refused(nobody, NotRegistered, Appoint(person="d1", role=Role.MEDICAL_APPROVER), PM)
    row = Enrolment(person="new", roles=(Role.MEDICAL_APPROVER,))
    refused(nobody, NotRegistered, EnrolPeople(people=(row,)), PM)


def test_invariant_06_nobody_but_the_approver_lifts_the_mark_and_no_manager_decides_a_clinical_question() -> None:
    programme = agreeing()
    propose(programme, screening=CLINICAL)
    lift = LiftClinicalMark(action="A1", reason="It changes a form")
    refused(programme, RoleRequired, lift, "d1", "m1", PM, MEDICAL, MANAGERIAL, FACILITATOR)
    refused(programme, Invalid, lift.model_copy(update={"reason": " "}), APPROVER)
    programme.do(ChangeAction(action="A1", text=text(programme, scope="Weekends"), screening=CLEAR), "m1")
    assert action(programme).marked
    programme.do(lift, APPROVER)
    assert not action(programme).marked

    programme = agreeing()
    taking_part(programme, APPROVER, Role.MEDICAL_APPROVER, Side.MANAGER)
    propose(programme, screening=CLINICAL)
    agree(programme)
    programme.do(RaiseSafetyObjection(action="A1", reason="Nights"), "d5")
    refused(programme, NotYourApproval, DecideObjection(action="A1", objection=1, goes_on=True, reason="Yes"), APPROVER)
    programme.do(DecideObjection(action="A1", objection=1, goes_on=True, reason="Safe"), DEPUTY)
    refused(programme, NotYourApproval, ApproveAction(action="A1", version=1), APPROVER)
    refused(programme, NotYourApproval, lift, APPROVER)


def test_invariant_07_any_doctor_suspends_an_action_at_once_and_only_an_approver_lets_it_go_on() -> None:
    programme = delivering()
    objection = RaiseSafetyObjection(action="A1", reason="Nobody is left on the ward at night")
    refused(programme, RoleRequired, objection, "m1", "m5", PM, MEDICAL, FACILITATOR, APPROVER)
    programme.do(objection, "d9")
    assert status(programme) is ActionStatus.SUSPENDED
    programme.wait(90)
    assert status(programme) is ActionStatus.SUSPENDED
    goes_on = DecideObjection(action="A1", objection=1, goes_on=True, reason="The rota covers it")
    refused(programme, RoleRequired, goes_on, "d9", "d1", "m1", PM, MEDICAL, MANAGERIAL)
    refused(programme, Invalid, goes_on.model_copy(update={"reason": ""}), APPROVER)
    programme.do(goes_on, APPROVER)
    assert status(programme) is ActionStatus.ACTIVE

    programme = agreeing()
    taking_part(programme, APPROVER, Role.MEDICAL_APPROVER, Side.DOCTOR)
    propose(programme, doctor_owner=APPROVER)
    programme.do(objection, "d9")
    refused(programme, NotYourApproval, goes_on, APPROVER)  # who owns it does not judge it
    programme.do(goes_on, DEPUTY)


def test_invariant_08_a_material_change_voids_agreement_and_approval() -> None:
    changes: dict[str, dict[str, Any]] = {
        "aim": {"aim": text(agreeing()).aim.model_copy(update={"to_value": Decimal(90)})},  # type: ignore[union-attr]
        "measure": {"measures": ("M1", "M2")},
        "owner": {"manager_owner": "m4"},
        "scope": {"scope": "The whole trust"},
    }
    for name, changed in changes.items():
        programme = agreeing()
        define(programme, purpose=MeasureKind.BALANCING)
        propose(programme, screening=CLINICAL)
        agree(programme)
        programme.do(ApproveAction(action="A1", version=1), APPROVER)
        assert status(programme) is ActionStatus.ACTIVE
        programme.do(ChangeAction(action="A1", text=text(programme, **changed)), "d1")
        assert (action(programme).version, status(programme)) == (2, ActionStatus.PROPOSED), name
        assert (action(programme).agreements, action(programme).approval) == ({}, None), name

    programme = delivering()
    aim = action(programme).aim
    assert aim is not None
    for days in (14, 14, 14):  # many small moves are one large one
        aim = aim.model_copy(update={"by": aim.by + timedelta(days=days)})
        programme.do(ChangeAction(action="A1", text=text(programme, aim=aim)), "d1")
    assert (action(programme).version, status(programme)) == (2, ActionStatus.PROPOSED)


@pytest.mark.parametrize(
    "without", ["conditions", "measures", "direction", "baseline", "doctor_owner", "manager_owner", "aim"]
)
def test_invariant_09_an_active_action_has_condition_measure_direction_baseline_and_two_owners(without: str) -> None:
    programme = agreeing()
    define(programme, Direction.NEUTRAL)
    add_points(programme, BASELINE, "M2")
    define(programme)
    lacking: dict[str, Any] = {
        "conditions": (),
        "measures": (),
        "direction": ("M2",),
        "baseline": ("M3",),
        "doctor_owner": "",
        "manager_owner": "",
        "aim": None,
    }
    field = "measures" if without in ("direction", "baseline") else without
    draft(programme, **{field: lacking[without]})
    refused(programme, ActionIncomplete, ProposeAction(action="A1", screening=CLEAR), "d1")
    propose(programme)
    agree(programme, "A2")
    assert status(programme, "A2") is ActionStatus.ACTIVE
    changed = ChangeAction(action="A2", text=text(programme, **{field: lacking[without]}))
    refused(programme, ActionIncomplete, changed, "d1")


# What a pack shows is held by tests/unit/test_disclosure.py, what leaves the store by
# tests/store/test_confidential.py and tests/store/test_activities.py::test_a_combined_pack_shows_no_side.
def test_invariant_10_k_is_at_least_8_fixed_and_no_smaller_count_is_told() -> None:
    for k in (7, 31, 0, -1):
        with pytest.raises(ThresholdOutOfRange):
            Programme().do(registration(k=k), PM)
    assert not [kind for kind in commands() if "k" in kind.model_fields]  # nothing changes it afterwards
    programme = begun(Stage.DIAGNOSIS)
    for number, person in enumerate(DOCTORS[:12], start=1):
        programme.do(CompleteQuestionnaire(), person)
        told = counts(programme.engagement, programme.engagement.running.diagnosis.survey("diagnosis"))
        assert told["doctor"]["completed"] == (number if number >= 11 else None)
        assert told["manager"]["completed"] is None


# Comments leave the store for nobody else: tests/api/test_reading.py::test_each_part_opens_its_own_views; what was
# answered is in no view at all: tests/store/test_confidential.py::test_after_the_close_nothing_leads_from_an_answer.
def test_invariant_11_neither_programme_manager_sponsor_challenger_nor_auditor_reads_a_comment() -> None:
    programme = with_challengers()
    programme.do(EnrolPeople(people=(Enrolment(person="aud", roles=(Role.AUDITOR,)),)), PM)
    engagement = programme.engagement
    for person in (PM, MEDICAL, MANAGERIAL, "aud", "ic0", EXTERNAL[0], STEWARD, APPROVER, "d1", "m1"):
        assert not may_see(engagement, View.COMMENTS, person)
        assert not may_read_words(engagement, COMMENT, "d5", "diagnosis", person)
    assert may_read_words(engagement, COMMENT, "d5", "diagnosis", FACILITATOR)
    assert READERS[View.COMMENTS] == {Role.FACILITATOR}


# The figures themselves: tests/store/test_activities.py::test_nothing_is_computed_before_the_journal_says_that_the_
# window_has_closed.
def test_invariant_12_no_result_before_the_window_closes_and_then_for_all_at_once() -> None:
    programme = begun(Stage.DIAGNOSIS)
    pack = RecordPack(survey="diagnosis", window=1, pack="0" * 64)
    for person in (*DOCTORS, *MANAGERS):
        programme.do(CompleteQuestionnaire(), person)
    assert programme.do(pack, CLOCK) == []
    refused(programme, NotYet, WriteThemes(), FACILITATOR)
    readers = (MEDICAL, MANAGERIAL, *DOCTORS, *MANAGERS)
    while programme.engagement.running.diagnosis.survey("diagnosis").open:
        assert not programme.events(PackComputed)
        programme.wait(1)
    programme.do(pack, CLOCK)
    assert not any(may_read_pack(programme.engagement, "diagnosis", person) for person in readers)
    happened = programme.do(WriteThemes(), FACILITATOR)
    assert any(isinstance(event, PackReleased) for event in happened)
    assert all(may_read_pack(programme.engagement, "diagnosis", person) for person in readers)
    told = [set(event.people) for event in happened if isinstance(event, NoticeRaised) and event.about == "diagnosis"]
    assert told == [set(readers)]


# The links themselves: tests/store/test_confidential.py::test_after_the_close_nothing_leads_from_an_answer_to_a_person
# and test_rows_lie_in_another_order_than_they_came.
def test_invariant_13_nothing_in_the_history_ties_a_person_to_an_answer() -> None:
    assert CompleteQuestionnaire().model_dump() == {"kind": "CompleteQuestionnaire", "answers": {}}
    assert not Sealed.model_fields
    programme = begun(Stage.DIAGNOSIS)
    programme.advance(programme.at + timedelta(hours=3, minutes=17))
    for person in ("m3", "d9", "d2"):
        programme.do(CompleteQuestionnaire(), person)
    lines = [entry for entry in programme.entries if isinstance(entry.event, QuestionnaireCompleted)]
    assert {line.at for line in lines} == {at_local(programme.today, time(0))}  # the day, and not the time
    assert set(QuestionnaireCompleted.model_fields) == {"kind", "survey", "person"}
    assert programme.engagement.running.diagnosis.survey("diagnosis").completed == ("d2", "d9", "m3")


# tests/api/test_commands.py::test_nobody_learns_who_has_answered holds the front door to it.
def test_invariant_14_not_answering_is_nobodys_business() -> None:
    programme = begun(Stage.DIAGNOSIS)
    for person in DOCTORS[1:]:
        programme.do(CompleteQuestionnaire(), person)
    happened = programme.wait(40)
    issued = [event for event in happened if isinstance(event, MessageIssued)]
    asked = [(event.people, item) for event in issued for item in event.items if "/questionnaire-" in item.task]
    assert {people for people, _ in asked} == {(person,) for person in ("d0", *MANAGERS)}
    assert not any(item.escalation for _, item in asked)
    assert not [rung.name for rung in TWELVE_MONTHS.ladder("questionnaire").rungs if rung.escalates]
    quiet = begun(Stage.DIAGNOSIS)
    assert not [task for task in tasks_for(quiet.engagement, PM) if task.command == "CompleteQuestionnaire"]
    escalating = TWELVE_MONTHS.model_copy(
        update={"ladders": {**TWELVE_MONTHS.ladders, "questionnaire": TWELVE_MONTHS.ladder("check-in")}}
    )
    with pytest.raises(Invalid):
        Programme().do(registration(template=escalating), PM)


def test_invariant_15_the_facilitator_is_of_neither_side_and_no_sponsor_owner_or_challenger() -> None:
    programme = registered(people=tuple(row for row in roster() if row.person != FACILITATOR))
    for person in ("d1", "m1", MEDICAL, MANAGERIAL, PM):
        refused(programme, ForbiddenCombination, Appoint(person=person, role=Role.FACILITATOR), PM)
    for role, side in ((Role.FACILITATOR, Side.DOCTOR), (Role.FACILITATOR, Side.MANAGER)):
        row = Enrolment(person="new", roles=(role,), side=side)
        refused(programme, ForbiddenCombination, EnrolPeople(people=(row,)), PM)
    for role in (Role.INTERNAL_CHALLENGER, Role.EXTERNAL_CHALLENGER, Role.MEDICAL_SPONSOR):
        row = Enrolment(person="new", roles=(Role.FACILITATOR, role))
        refused(programme, ForbiddenCombination, EnrolPeople(people=(row,)), PM)
    programme = agreeing()
    refused(programme, WrongSide, DraftAction(text=text(programme, doctor_owner=FACILITATOR)), "d1")
    taking_part(programme, FACILITATOR, Role.FACILITATOR, Side.DOCTOR)  # people move: each act is held to it again
    refused(programme, ForbiddenCombination, DraftAction(text=text(programme)), FACILITATOR)


def test_invariant_16_nobody_challenges_what_they_own_signed_approved_sponsor_or_manage() -> None:
    programme = opened(with_challengers(), FIRST)
    conflicted = (
        Enrolment(person="doctor", side=Side.DOCTOR, roles=(Role.INTERNAL_CHALLENGER,)),
        Enrolment(person="sponsor", roles=(Role.INTERNAL_CHALLENGER, Role.MEDICAL_SPONSOR)),
        Enrolment(person="approver", roles=(Role.INTERNAL_CHALLENGER, Role.MEDICAL_APPROVER)),
        Enrolment(person="reports", roles=(Role.INTERNAL_CHALLENGER,), line_manager="m1"),
        Enrolment(person="same", roles=(Role.EXTERNAL_CHALLENGER,), ods_code="R1A"),
    )
    given(programme, PeopleEnrolled(people=conflicted, on=programme.today))
    for row in conflicted:
        seat = AppointToPanel(review=FIRST, person=row.person, background=Side.DOCTOR, chair=False)
        refused(programme, ConflictOfInterest, seat, PM)
    today = programme.today
    given(
        programme,
        ActionAgreed(action="A1", version=1, side=Side.DOCTOR, by="d7", on=today),
        ActionApproved(action="A1", version=1, by=APPROVER, on=today),
        ActionActivated(action="A1", version=1, on=today),
        PeopleEnrolled(people=(Enrolment(person="boss", roles=(Role.INTERNAL_CHALLENGER,)),), on=today),
    )
    for person in ("d1", "m1", "d7", APPROVER):  # people move: nobody leaves behind what they own, signed or approved
        row = Enrolment(person=person, roles=(Role.INTERNAL_CHALLENGER,), line_manager="boss")
        given(programme, PeopleEnrolled(people=(row,), on=today))
    for person in ("d1", "m1", "d7", APPROVER, "boss"):
        seat = AppointToPanel(review=FIRST, person=person, background=Side.DOCTOR, chair=False)
        refused(programme, ConflictOfInterest, seat, PM)

    for place in (0, 2):  # the chair, and somebody beside the chair
        programme = dated(opened(with_challengers(), FIRST), FIRST)
        review = review_of(programme, FIRST)
        assert review.meeting is not None
        programme.advance(review.meeting.ends)
        person = review.accepted[place]
        row = Enrolment(person=person, roles=(Role.INTERNAL_CHALLENGER,), line_manager="d1")
        given(programme, PeopleEnrolled(people=(row,), on=programme.today))
        given(programme, AppointmentAccepted(person=person, role=Role.INTERNAL_CHALLENGER, on=programme.today))
        hold_it = HoldReview(review=FIRST, attended=review.accepted, without_statements=True)
        refused(programme, ConflictOfInterest, hold_it, review.chair)  # it came up after the appointment

    outside = opened(with_challengers(), OUTSIDE)
    inside = AppointToPanel(review=OUTSIDE, person="ic0", background=Side.DOCTOR, chair=True)
    refused(outside, ConflictOfInterest, inside, PM)  # of this trust


def test_invariant_17_a_panel_has_a_doctor_and_a_manager_and_no_cycle_ends_without_an_external_review() -> None:
    programme = dated(opened(with_challengers(), FIRST), FIRST)
    review = review_of(programme, FIRST)
    assert review.meeting is not None
    programme.advance(review.meeting.ends)
    for present in (review.accepted[:2], review.accepted[1:], review.accepted[:1]):
        hold_it = HoldReview(review=FIRST, attended=present, without_statements=True)
        refused(programme, PanelNotQuorate, hold_it, review.chair)
    fourth = AppointToPanel(review=FIRST, person="ic3", background=Side.DOCTOR)
    programme.do(fourth, PM)
    programme.do(AcceptPanel(review=FIRST), "ic3")
    hold_it = HoldReview(review=FIRST, attended=("ic0", "ic1", "ic3"), without_statements=True)
    refused(programme, PanelNotQuorate, hold_it, review.chair)  # a chair and two more, all of them doctors
    asking_more = TWELVE_MONTHS.model_copy(
        update={"thresholds": TWELVE_MONTHS.thresholds.model_copy(update={"panel_challengers": 3})}
    )
    assert not quorate(programme.engagement.but(template=asking_more), review, review.accepted)

    programme = with_challengers()
    while not programme.engagement.in_stage(Stage.RENEWAL):
        programme.wait(5)
    for person in (*DOCTORS, *MANAGERS):
        programme.do(CompleteQuestionnaire(), person)
    programme.wait(30)
    programme.do(RecordPack(survey="rediagnosis", window=1, pack="1" * 64), CLOCK)
    programme.do(WriteThemes(), FACILITATOR)
    programme.wait(60)
    assert not programme.events(RenewalAsked)
    refused(programme, NotYet, DecideRenewal(choice=NextStep.RENEW), MEDICAL, MANAGERIAL)


@pytest.mark.parametrize(
    ("doctors", "managers", "facilitator"),
    [(5, 2, True), (2, 5, True), (2, 2, True), (10, 3, True), (3, 10, True), (0, 6, True), (5, 5, False)],
)
def test_invariant_18_a_session_without_quorum_prioritises_agrees_and_adopts_nothing(
    doctors: int, managers: int, facilitator: bool
) -> None:
    programme = begun(Stage.SESSIONS)
    schedule(programme, "1A")
    programme.wait(21)
    voting = DOCTORS[:doctors] + MANAGERS[:managers]
    programme.do(RecordAttendance(session="1A", voting=voting, facilitator_present=facilitator), FACILITATOR)
    session = programme.engagement.running.sessions.all["1A"]
    assert not session.quorate
    refused(programme, NotQuorate, WriteNotes(session="1A", outputs=OUTPUTS["A"]), FACILITATOR)
    assert programme.engagement.running.sessions.priorities == ()
    drafted = DraftAction(text=text(programme, measures=()))
    programme.do(drafted, "d1")
    refused(programme, NotYet, ProposeAction(action="A1"), "d1")


def test_invariant_19_notes_count_when_both_sides_confirmed_and_dissent_is_kept() -> None:
    programme = begun(Stage.SESSIONS)
    schedule(programme, "1A")
    hold(programme, "1A")
    write(programme, "1A")
    programme.do(DisputeNotes(session="1A", version=1, text="We never said that"), "d2")
    programme.do(ConfirmNotes(session="1A", version=1), "d0")
    refused(programme, AlreadyDone, ConfirmNotes(session="1A", version=1), "d1")  # nobody else of the same side
    assert not programme.engagement.running.sessions.counted
    refused(programme, NotYet, SettleNotes(session="1A", doctors_view="So", managers_view="Not so"), FACILITATOR)
    programme.do(WriteNotes(session="1A", outputs=OUTPUTS["A"]), FACILITATOR)
    assert not programme.engagement.running.sessions.counted
    confirm(programme, "1A")
    session = programme.engagement.running.sessions.all["1A"]
    assert programme.engagement.running.sessions.counted == ("1A",)
    assert [(one.version, one.text, one.by) for one in session.dissents] == [(1, "We never said that", "d2")]
    refused(programme, AlreadyDone, WriteNotes(session="1A", outputs=OUTPUTS["A"]), FACILITATOR)


def test_invariant_20_completion_is_verified_by_people_of_both_sides_who_do_not_own_it() -> None:
    programme = delivering()
    for person in ("d1", "m1"):
        programme.do(ReportComplete(action="A1"), person)
    assert status(programme) is ActionStatus.REPORTED_COMPLETE
    seen = VerifyAction(action="A1", evidence="The rota of three weeks")
    refused(programme, OwnWork, seen, "d1", "m1")
    programme.do(seen, "d2")
    refused(programme, AlreadyDone, seen, "d3")  # two of one side are not both sides
    assert status(programme) is ActionStatus.REPORTED_COMPLETE
    refused(programme, RoleRequired, seen, PM, MANAGERIAL, FACILITATOR)
    programme.do(seen, "m2")
    assert status(programme) is ActionStatus.VERIFIED


RENEW, SUSTAIN, CLOSE = NextStep.RENEW, NextStep.SUSTAIN, NextStep.CLOSE


def asked_what_comes_next() -> Programme:
    """The questionnaire was answered again, and both sponsors are asked."""
    programme = begun(Stage.RENEWAL)
    for person in (*DOCTORS, *MANAGERS):
        programme.do(CompleteQuestionnaire(), person)
    while not programme.events(RenewalAsked):
        programme.wait(1)
        programme.do(RecordPack(survey="rediagnosis", window=1, pack="1" * 64), CLOCK)
    return programme


@pytest.mark.parametrize(
    ("rounds", "outcome"),
    [
        (((RENEW, None),), SUSTAIN),
        (((None, CLOSE),), SUSTAIN),
        (((None, None),), SUSTAIN),
        (((RENEW, CLOSE),), SUSTAIN),
        (((RENEW, CLOSE), (RENEW, CLOSE)), SUSTAIN),
        (((RENEW, CLOSE), (None, CLOSE)), SUSTAIN),
        (((RENEW, CLOSE), (CLOSE, CLOSE)), CLOSE),
        (((RENEW, RENEW),), RENEW),
    ],
)
def test_invariant_21_what_renews_or_ends_needs_both_sides(
    rounds: tuple[tuple[NextStep | None, ...], ...], outcome: NextStep
) -> None:
    programme = asked_what_comes_next()
    for number, choices in enumerate(rounds):
        if number:
            programme.do(RecordJointMeeting(attended=(MEDICAL, MANAGERIAL), summary="We met"), FACILITATOR)
        for sponsor, choice in zip((MEDICAL, MANAGERIAL), choices, strict=True):
            if choice:
                programme.do(DecideRenewal(choice=choice), sponsor)
    programme.wait(40)
    assert [event.outcome for event in programme.events(RenewalSettled)] == [outcome]


def test_invariant_21_one_side_alone_takes_no_action_back_and_closes_none() -> None:
    programme = delivering()
    programme.do(WithdrawAction(action="A1"), "d1")
    programme.wait(20)
    assert status(programme) is ActionStatus.ACTIVE
    refused(programme, AlreadyDone, WithdrawAction(action="A1"), "d1")
    programme.do(WithdrawAction(action="A1"), "m1")
    assert status(programme) is ActionStatus.WITHDRAWN


def test_invariant_21_the_compact_needs_both_signatures() -> None:
    programme = agreeing()
    propose(programme)
    agree(programme)
    programme.do(SignCompact(version=1), MEDICAL)
    programme.wait(60)
    assert not programme.engagement.in_stage(Stage.DELIVERY)
    refused(programme, AlreadyDone, SignCompact(version=1), MEDICAL)
    programme.do(SignCompact(version=1), MANAGERIAL)
    assert programme.engagement.in_stage(Stage.DELIVERY)


# tests/post/test_delivery.py::test_both_sponsors_get_one_message_in_the_same_moment holds the post to it.
def test_invariant_22_what_names_one_side_reaches_both_sponsors_in_one_message() -> None:
    programme = delivering()
    programme.wait(60)
    late = [
        (event.people, item)
        for event in programme.events(MessageIssued)
        for item in event.items
        if item.escalation and "/check-in-" in item.task and set(event.people) & {MEDICAL, MANAGERIAL}
    ]
    assert late
    assert {people for people, _ in late} == {(MEDICAL, MANAGERIAL)}
    ladders = TWELVE_MONTHS.ladders.items()
    alone = [name for name, ladder in ladders for rung in ladder.rungs if rung.to is Audience.MEDICAL_SPONSOR]
    assert alone == ["medical-approval"]  # which waits on the approver, and so on no side


# Retries and replay: tests/store/test_outbox.py::test_the_same_rung_never_waits_twice_even_if_the_core_issued_it_twice;
# hours: tests/post/test_delivery.py::test_nothing_leaves_in_the_evening_at_the_weekend_or_on_a_bank_holiday.
def test_invariant_23_messages_leave_in_sending_hours_and_each_rung_once_for_ever() -> None:
    holidays = (Holiday(on=date(2026, 4, 3), name="Good Friday"), Holiday(on=date(2026, 4, 6), name="Easter Monday"))
    programme = registered(calendar=Calendar(version="1", holidays=holidays))
    play(programme, Stage.SESSIONS)
    saturday = programme.today + timedelta(days=5 - programme.today.weekday())
    programme.advance(saturday)
    schedule(programme, "1A")  # the news of it waits for Monday
    programme.do(PauseEngagement(reason="Winter", resumes=programme.today + timedelta(days=9)), PM)
    programme.wait(120)
    away = registered()
    away.at += timedelta(days=20)  # nobody was there to send; now the latest rung speaks for those before
    away.wait(10)
    assert away.events(RungSuppressed)
    for one in (programme, away):
        sent = list(_rungs_sent(one, {holiday.on for holiday in holidays}))
        assert len(sent) > 30
        assert len(sent) == len(set(sent))

    programme = delivering()
    saturday = at_local(programme.today + timedelta(days=5 - programme.today.weekday()), time(23))
    programme.do(RaiseSafetyObjection(action="A1", reason="Tonight"), "d5", saturday)
    happened = programme.advance(saturday + timedelta(minutes=1))
    assert {event.topic for event in happened if isinstance(event, MessageIssued)} == {SAFETY}


def _rungs_sent(programme: Programme, closed: set[date]) -> Iterator[tuple[str, PersonId, str]]:
    """Every rung that was said, or held back for good; each message in sending hours."""
    for entry in programme.entries:
        event, local = entry.event, entry.at.astimezone(LONDON)
        if isinstance(event, MessageIssued):
            assert local.weekday() < 5
            assert time(8) <= local.time() < time(18)
            assert local.date() not in closed
            yield from ((one.task, person, one.rung) for one in event.items for person in event.people if one.task)
        if isinstance(event, RungSuppressed):
            yield event.task, event.person, event.rung


def test_invariant_24_a_due_date_never_moves_earlier_and_each_move_says_why() -> None:
    easter = (Holiday(on=date(2026, 1, 12), name="A day off"), Holiday(on=date(2026, 1, 13), name="Another"))
    programme = registered(calendar=Calendar(version="1", holidays=easter))
    play(programme, Stage.DIAGNOSIS)
    (promised,) = {task.due.on for task in programme.tasks(command="CompleteQuestionnaire") if task.due}
    happened = programme.do(ChangeCalendar(calendar=Calendar(version="2")), CLOCK)
    assert {task.due.on for task in programme.tasks(command="CompleteQuestionnaire") if task.due} == {promised}
    assert any(isinstance(event, DueDateKept) for event in happened)
    assert any(isinstance(event, DeadlineKept) for event in happened)
    programme.advance(promised)
    assert programme.engagement.running.diagnosis.survey("diagnosis").open  # whoever was told that day, has that day

    programme = begun(Stage.DIAGNOSIS)
    before = {task.id: task.due.on for task in programme.tasks() if task.due}
    royal = Holiday(on=programme.today + timedelta(days=7), name="A royal funeral")
    moves = [
        event
        for event in programme.do(ChangeCalendar(calendar=Calendar(version="2", holidays=(royal,))), CLOCK)
        if isinstance(event, DueDateMoved)
    ]
    after = {task.id: task.due.on for task in programme.tasks() if task.due}
    moved = {task: (was, after[task]) for task, was in before.items() if after[task] != was}
    assert moved
    assert {event.task: (event.was, event.now) for event in moves} == moved
    assert all(now > was for was, now in moved.values())
    assert all("A royal funeral does not count" in event.why for event in moves)


# The journal: tests/store/test_journal.py::test_the_database_itself_refuses_to_change_the_journal; what is rebuilt from
# it: tests/store/test_read_model.py::test_the_read_model_can_be_thrown_away.
def test_invariant_25_the_history_is_complete_and_shows_every_tampering() -> None:
    programme = begun(Stage.RENEWAL)
    stored = [RecordedEntry(**dict(entry)).model_dump_json() for entry in programme.entries]
    read = [RecordedEntry.model_validate_json(line) for line in stored]
    assert fold(Engagement(), read) == programme.engagement
    assert Engagement.model_validate_json(programme.engagement.model_dump_json()) == programme.engagement
    with pytest.raises(BrokenChain):
        fold(Engagement(), [*read[:40], *read[41:]])
    changed = next(entry for entry in read if entry.event.kind == "WillingnessStated")
    lie = changed.model_copy(update={"event": changed.event.model_copy(update={"answer": Answer.NOT_WILLING})})
    with pytest.raises(BrokenChain):
        fold(Engagement(), [lie if entry is changed else entry for entry in read])
    assert not {"name", "email", "address"} & set(Person.__slots__)  # so erasing a name removes no decision


# Payloads: tests/workflows/test_history.py::test_no_payload_holds_a_name_an_address_an_answer_or_a_candid_word; logs:
# tests/runtime/test_logs.py; traces: tests/runtime/test_telemetry.py::test_statements_are_traced_without_their_values.
def test_invariant_26_nothing_personal_and_no_candid_word_is_in_what_travels() -> None:
    for model in _models():
        personal = {"name", "first_name", "email", "e_mail", "phone", "address"} & _fields(model).keys()
        assert not personal or model in (Holiday, ProgrammeTemplate), model  # the names of days, and of a template
    assert set(Words.model_fields) == {"deposit"}
    programme = delivering()
    propose(programme, screening=CLINICAL, title=CANDID, scope=CANDID, doctor_owner="d2", manager_owner="m2")
    agree(programme, "A2")
    programme.do(RaiseSafetyObjection(action="A1", reason=f"{CANDID}: the night rota"), "d5")
    programme.do(PauseEngagement(reason=CANDID, resumes=programme.today + timedelta(days=5)), PM)
    programme.do(DecideObjection(action="A1", objection=1, goes_on=False, reason=CANDID), APPROVER)
    programme.wait(40)
    for event in (*programme.events(NoticeRaised), *programme.events(MessageIssued)):
        assert CANDID not in event.model_dump_json()
    for task in programme.tasks():
        assert CANDID not in str(asdict(task))
    with pytest.raises(Refusal) as no:
        programme.do(ChangeAction(action="A1", text=text(programme, title=CANDID * 80)), "d1")
    assert CANDID not in str(no.value)


def _models() -> Iterator[type]:
    """Everything that can stand in a command, an event or the state."""
    found: set[type] = set()
    waiting: list[Any] = [Engagement, *(kind for part in PARTS for kind in (*part.decide, *part.evolve))]
    while waiting:
        kind = waiting.pop()
        waiting += get_args(kind)
        if isinstance(kind, type) and (issubclass(kind, BaseModel) or is_dataclass(kind)) and kind not in found:
            found.add(kind)
            waiting += _fields(kind).values()
    assert Person in found
    yield from found


def _fields(kind: Any) -> dict[str, Any]:
    """The fields of a model or a plain value, and what can stand in them."""
    if is_dataclass(kind):
        return get_type_hints(kind)
    return {name: field.annotation for name, field in kind.model_fields.items()}


def test_invariant_27_figures_and_findings_are_corrected_by_a_new_entry_with_its_reason() -> None:
    programme = delivering()
    month = programme.engagement.measures.measures["M1"].points[-1]
    again = AddPoints(measure="M1", points=(NewPoint(period=month.period, value=Decimal(99)),))
    refused(programme, PointExists, again, STEWARD)
    right = CorrectPoint(measure="M1", period=month.period, value=Decimal(71), reason="Counted twice")
    refused(programme, Invalid, right.model_copy(update={"reason": " "}), STEWARD)
    programme.do(right, STEWARD)
    measure = programme.engagement.measures.measures["M1"]
    assert month in measure.readings
    assert (measure.points[-1].value, measure.points[-1].reason) == (Decimal(71), "Counted twice")

    finding = NewFinding(kind=FindingKind.CONCERN, text="Nobody asks about weekends", condition="C09")
    programme = with_findings(opened(with_challengers(), FIRST), FIRST, finding)
    chair = review_of(programme, FIRST).chair
    worded = CorrectFinding(review=FIRST, finding=f"{FIRST}-1", text="Few ask about weekends", reason="Two did")
    refused(programme, Invalid, worded.model_copy(update={"reason": ""}), chair)
    programme.do(worded, chair)
    corrected = review_of(programme, FIRST).findings[f"{FIRST}-1"]
    assert corrected.text == "Few ask about weekends"
    assert [(one.was, one.reason) for one in corrected.corrections] == [("Nobody asks about weekends", "Two did")]
    assert not [kind.__name__ for kind in commands() if kind.__name__.startswith(("Delete", "Edit", "Remove"))]


# One engagement for each trust and scope: tests/store/test_requests.py::test_one_of_twenty_launches_at_once_gets_the_
# trust_and_scope, tests/store/test_journal.py::test_the_same_trust_and_scope_are_never_open_twice.
def test_invariant_28_one_cycle_is_open_at_a_time() -> None:
    programme = begun(Stage.RENEWAL)
    with pytest.raises(AlreadyDone):
        programme.do(registration(), CLOCK)
    programme = asked_what_comes_next()
    for sponsor in (MEDICAL, MANAGERIAL):
        programme.do(DecideRenewal(choice=RENEW), sponsor)
    engagement = programme.engagement
    assert [cycle.number for cycle in engagement.past] == [1]
    assert engagement.running.number == 2
    assert {span.cycle for span in engagement.stages if span.ended is None} == {2}


def test_invariant_29_a_pause_reminds_nobody_and_passes_no_gate_and_safety_goes_on() -> None:
    programme = agreeing()
    propose(programme)
    agree(programme)
    programme.do(SignCompact(version=1), MEDICAL)
    programme.do(PauseEngagement(reason="Winter", resumes=programme.engagement.time.plus(programme.today, 25)), PM)
    refused(programme, EngagementPaused, SignCompact(version=1), MANAGERIAL)
    happened = programme.wait(20)
    assert {event.topic for event in happened if isinstance(event, MessageIssued)} <= {"pause"}
    assert not any(isinstance(event, RungSuppressed | GatePassed | StageStarted) for event in happened)
    programme.do(RaiseSafetyObjection(action="A1", reason="Tonight"), "d5")
    assert status(programme) is ActionStatus.SUSPENDED
    at_once = programme.advance(programme.at + timedelta(minutes=1))
    assert [event.topic for event in at_once if isinstance(event, MessageIssued)].count(SAFETY) == 3
    programme.do(DecideObjection(action="A1", objection=1, goes_on=True, reason="Safe"), APPROVER)
    programme.do(ResumeEngagement(), PM)
    programme.do(SignCompact(version=1), MANAGERIAL)
    assert programme.engagement.in_stage(Stage.DELIVERY)


def test_invariant_29_a_gate_that_lacks_nothing_waits_until_the_pause_is_over() -> None:
    programme = begun(Stage.DIAGNOSIS)
    given(programme, WillingnessAsked(round=2, on=programme.today))
    play_diagnosis(programme)
    for sponsor, answer in ((MEDICAL, Answer.WILLING), (MANAGERIAL, Answer.WILLING)):
        given(programme, WillingnessStated(sponsor=sponsor, answer=answer, on=programme.today))
    given(programme, WillingnessRevealed(round=2))
    programme.do(PauseEngagement(reason="Winter", resumes=programme.today + timedelta(days=20)), PM)
    assert programme.engagement.in_stage(Stage.DIAGNOSIS)
    programme.do(ResumeEngagement(), PM)
    assert programme.engagement.in_stage(Stage.EXCHANGE)


# What readers are given: tests/core/test_reading.py, "no figure is kept about a person" and its neighbours.
def test_invariant_30_nothing_ranks_people_or_trusts() -> None:
    words = ("rank", "score", "league", "best", "worst", "performance", "percentile")
    names = [field for model in _models() for field in (model.__name__, *_fields(model))]
    names += [view.value for view in View]
    assert not [name for name in names if any(word in name.lower() for word in words)]
    assert not {int, float, Decimal} & {*_fields(Person).values()}
    programme = begun(Stage.RENEWAL)
    listed = [task.id for task in programme.engagement.open_tasks]
    shuffled = programme.engagement.but(people=dict(reversed(programme.engagement.people.items())))
    assert sorted(listed) == sorted(task.id for task in shuffled.open_tasks)


def registration(**changes: Any) -> RegisterEngagement:
    """A registration that would be accepted but for these changes."""
    facts: dict[str, Any] = {
        "engagement": "engagement-2",
        "ods_code": "R1A",
        "scope": "Emergency department",
        "local_problem": "Waits",
        "dpia_reference": "DPIA-7",
        "privacy_notice": "1",
        "k": 11,
        "template": TWELVE_MONTHS,
        "calendar": Calendar(version="1"),
        "people": roster(),
    }
    return RegisterEngagement(**{**facts, **changes})
