"""Stage 6: who may challenge, what the panel reads, what it finds, and what both sides answer."""

from datetime import UTC, datetime, time, timedelta

import pytest

from programme.engagement import Engagement, fold
from programme.gates import GatePassed
from programme.messages import Event, PersonId, Role, Side
from programme.people import Appointed, Enrolment, PeopleEnrolled
from programme.post import MessageIssued, NoticeRaised
from programme.refusals import (
    AlreadyDone,
    ConflictOfInterest,
    EvidenceIsFrozen,
    FindingNotTied,
    Invalid,
    NotComplacent,
    NotHeldByYou,
    NotYet,
    PanelNotQuorate,
    RoleRequired,
    RoleTaken,
    StatementsMissing,
    Unknown,
    UnknownPerson,
)
from programme.stages.action import ActionStatus
from programme.stages.agreement import ActionActivated, ActionAgreed
from programme.stages.approval import ActionApproved
from programme.stages.challenge import ReportOpened, ReviewAnswered, ReviewMoved
from programme.stages.evidence import EvidenceFrozen
from programme.stages.findings import AnswerFinding, CorrectFinding, NewFinding, RecordFindings
from programme.stages.halves import ActionWithdrawn
from programme.stages.mandate import Answer, CycleStarted, StateWillingness, WillingnessAsked
from programme.stages.meetings import GivePositionStatement, HoldReview, ScheduleReview
from programme.stages.panels import AcceptPanel, AppointToPanel, DeclinePanel, PassChair, ReleaseFromPanel
from programme.stages.progress_checks import RecordProgressCheck
from programme.stages.review import Conflict, FindingKind, Reply, answerers, speaks_for
from tests.core.given import (
    ACTION,
    DOCTOR,
    EXTERNAL,
    INTERNAL,
    MANAGER,
    active_action,
    dated,
    delivering,
    found,
    given,
    held,
    nothing_agreed,
    opened,
    panel,
    review_of,
)
from tests.core.programme_driver import (
    FACILITATOR,
    MANAGERIAL,
    MEDICAL,
    PM,
    Programme,
)

FIRST, SECOND, OUTSIDE = "1-internal-1", "1-internal-2", "1-external-1"
CHAIR = INTERNAL[0]
RECOMMEND = NewFinding(kind=FindingKind.RECOMMEND, text="Cover the weekend too", action=ACTION)
CONCERN = NewFinding(kind=FindingKind.CONCERN, text="Nobody asks the night shift", condition="C05")
COMMEND = NewFinding(kind=FindingKind.COMMEND, text="Both sides read the same chart", action=ACTION)
THREE = {
    "surprised": "The weekend figures",
    "stopped_asking": "Who stays late",
    "disagreement": "The score rose and the chart did not",
}


def findings(*found: NewFinding, **changes: str) -> RecordFindings:
    """What the chair of the first review writes, the three questions answered."""
    command = RecordFindings.model_validate({"review": FIRST, **THREE, **changes})
    return command.model_copy(update={"findings": found})


def answer(
    programme: Programme, review: str, number: int, reply: Reply = Reply.ACCEPT, reason: str = ""
) -> list[Event]:
    """Both co-owners answer a finding alike."""
    command = AnswerFinding(review=review, finding=f"{review}-{number}", reply=reply, reason=reason)
    return programme.do(command, DOCTOR) + programme.do(command, MANAGER)


# --- when ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("review", "working_days"), [(FIRST, 40), (SECOND, 40), (OUTSIDE, 60)])
def test_a_panel_is_asked_for_forty_or_sixty_working_days_before_its_review(review: str, working_days: int) -> None:
    programme = opened(delivering(), review)
    found = review_of(programme, review)
    assert programme.engagement.time.between(found.opened, found.planned) == working_days


def test_reviews_meet_in_the_months_that_the_template_plans() -> None:
    programme = opened(delivering(), OUTSIDE)
    started = programme.engagement.running.started
    months = [
        (one.planned.year - started.year) * 12 + one.planned.month - started.month + 1
        for one in programme.engagement.running.challenge.reviews.values()
    ]
    assert months == [4, 8, 10]


def test_the_first_internal_review_moves_to_month_six_when_nothing_is_agreed_yet() -> None:
    programme = opened(nothing_agreed(), FIRST)
    moved = programme.events(ReviewMoved)
    assert [(one.review, one.month) for one in moved] == [(FIRST, 6)]
    assert review_of(programme, FIRST).planned == moved[0].planned


def test_what_happens_next_shows_each_review_with_its_reason() -> None:
    coming = {due.key: due for due in delivering().engagement.coming}
    assert "60 working days before the external review" in coming[f"act:challenge:open/{OUTSIDE}"].why


def test_both_sponsors_hear_together_of_a_panel_that_is_missing_thirty_days_before() -> None:
    programme = opened(delivering(), FIRST)
    task = next(one for one in programme.tasks(PM, "AppointToPanel"))
    assert task.due
    assert programme.engagement.time.between(task.due.on, review_of(programme, FIRST).planned) == 30
    programme.advance(task.due.on)
    together = [one for one in programme.events(MessageIssued) if one.people == (MEDICAL, MANAGERIAL)]
    assert any(item.task == task.id for one in together for item in one.items)


# --- who -----------------------------------------------------------------------------------------------------------


def appoint(review: str, person: PersonId, background: Side = Side.DOCTOR, *, chair: bool = False) -> AppointToPanel:
    return AppointToPanel(review=review, person=person, background=background, chair=chair)


def enrolled(programme: Programme, row: Enrolment) -> Programme:
    """A person as a change of parts might have made them, past what an appointment would refuse."""
    return given(programme, PeopleEnrolled(people=(row,), on=programme.today))


CHALLENGER = Role.INTERNAL_CHALLENGER
CONFLICTED = {
    Conflict.NO_CHALLENGER: Enrolment(person="p"),
    Conflict.PARTICIPANT: Enrolment(person="p", side=Side.DOCTOR, roles=(CHALLENGER,)),
    Conflict.SPONSOR: Enrolment(person="p", roles=(CHALLENGER, Role.MEDICAL_SPONSOR)),
    Conflict.APPROVER: Enrolment(person="p", roles=(CHALLENGER, Role.MEDICAL_APPROVER)),
}


@pytest.mark.parametrize("conflict", CONFLICTED)
def test_nobody_in_conflict_is_appointed_to_a_panel(conflict: Conflict) -> None:
    programme = enrolled(opened(delivering(), FIRST), CONFLICTED[conflict])
    with pytest.raises(ConflictOfInterest, match=conflict.value):
        programme.do(appoint(FIRST, "p"), PM)


@pytest.mark.parametrize("above", [True, False])
def test_nobody_challenges_an_owner_whom_they_manage_or_report_to(above: bool) -> None:
    programme = opened(delivering(), FIRST)
    enrolled(programme, Enrolment(person="p", roles=(CHALLENGER,), line_manager=None if above else DOCTOR))
    enrolled(programme, Enrolment(person="m1", side=Side.MANAGER, line_manager="p" if above else None))
    with pytest.raises(ConflictOfInterest, match=Conflict.LINE.value):
        programme.do(appoint(FIRST, "p"), PM)


@pytest.mark.parametrize("conflict", [Conflict.OWNER, Conflict.SIGNATORY, Conflict.APPROVER])
def test_nobody_challenges_what_they_own_signed_or_approved(conflict: Conflict) -> None:
    programme = opened(delivering(), FIRST)
    today, person = programme.today, INTERNAL[1]
    active = ActionActivated(action=ACTION, version=1, on=today)
    done: dict[Conflict, tuple[Event, ...]] = {
        Conflict.OWNER: active_action(today, "A2", doctor=person),
        Conflict.SIGNATORY: (ActionAgreed(action=ACTION, version=1, side=Side.DOCTOR, by=person, on=today), active),
        Conflict.APPROVER: (ActionApproved(action=ACTION, version=1, by=person, on=today), active),
    }
    given(programme, *done[conflict])
    with pytest.raises(ConflictOfInterest, match=conflict.value):
        programme.do(appoint(FIRST, person), PM)


def test_a_conflict_that_arises_later_stops_the_next_act() -> None:
    programme = dated(opened(delivering(), FIRST), FIRST)
    meeting = review_of(programme, FIRST).meeting
    assert meeting
    programme.advance(meeting.starts)
    enrolled(programme, Enrolment(person=DOCTOR, side=Side.DOCTOR, line_manager=INTERNAL[1]))
    command = HoldReview(review=FIRST, attended=INTERNAL[:3], without_statements=True)
    with pytest.raises(ConflictOfInterest):
        programme.do(command, CHAIR)


def test_a_chair_in_conflict_records_no_findings() -> None:
    programme = held(opened(delivering(), FIRST), FIRST)
    enrolled(programme, Enrolment(person=DOCTOR, side=Side.DOCTOR, line_manager=CHAIR))
    with pytest.raises(ConflictOfInterest):
        programme.do(findings(CONCERN), CHAIR)


def test_an_external_review_is_chaired_from_outside_the_trust() -> None:
    programme = opened(delivering(), OUTSIDE)
    with pytest.raises(ConflictOfInterest):
        programme.do(appoint(OUTSIDE, INTERNAL[0], chair=True), PM)


@pytest.mark.parametrize("code", ["R1A", "r1a", ""])
def test_a_challenger_from_outside_has_another_ods_code(code: str) -> None:
    programme = opened(delivering(), OUTSIDE)
    enrolled(programme, Enrolment(person="p", roles=(Role.EXTERNAL_CHALLENGER,), ods_code=code))
    with pytest.raises(ConflictOfInterest):
        programme.do(appoint(OUTSIDE, "p", chair=True), PM)


def test_a_challenger_from_outside_declares_two_years_without_employment_or_contract() -> None:
    programme = opened(delivering(), OUTSIDE)
    programme.do(appoint(OUTSIDE, EXTERNAL[0], chair=True), PM)
    with pytest.raises(ConflictOfInterest):
        programme.do(AcceptPanel(review=OUTSIDE), EXTERNAL[0])
    programme.do(AcceptPanel(review=OUTSIDE, independent=True), EXTERNAL[0])


def test_a_review_has_one_chair() -> None:
    programme = opened(delivering(), FIRST)
    programme.do(appoint(FIRST, INTERNAL[0], chair=True), PM)
    with pytest.raises(RoleTaken):
        programme.do(appoint(FIRST, INTERNAL[1], chair=True), PM)
    with pytest.raises(AlreadyDone):
        programme.do(appoint(FIRST, INTERNAL[0]), PM)


@pytest.mark.parametrize("person", [FACILITATOR, MEDICAL, DOCTOR, CHAIR])
def test_only_the_programme_manager_appoints_a_panel(person: PersonId) -> None:
    programme = opened(delivering(), FIRST)
    with pytest.raises(RoleRequired):
        programme.do(appoint(FIRST, INTERNAL[1]), person)


def test_nobody_accepts_a_seat_that_was_not_offered() -> None:
    programme = opened(delivering(), FIRST)
    with pytest.raises(Unknown):
        programme.do(AcceptPanel(review=FIRST), INTERNAL[1])


def test_a_seat_is_offered_in_a_review_of_this_cycle_to_somebody_enrolled_and_accepted_once() -> None:
    programme = opened(delivering(), FIRST)
    with pytest.raises(Unknown):
        programme.do(appoint("1-internal-9", INTERNAL[0]), PM)
    with pytest.raises(UnknownPerson):
        programme.do(appoint(FIRST, "nobody"), PM)
    programme.do(appoint(FIRST, INTERNAL[0]), PM)
    programme.do(AcceptPanel(review=FIRST), INTERNAL[0])
    with pytest.raises(AlreadyDone):
        programme.do(AcceptPanel(review=FIRST), INTERNAL[0])


def test_whoever_declines_or_is_released_leaves_the_panel_and_the_task_comes_back() -> None:
    programme = panel(opened(delivering(), FIRST), FIRST)
    assert not programme.tasks(PM, "AppointToPanel")
    programme.do(DeclinePanel(review=FIRST), INTERNAL[2])
    assert programme.tasks(PM, "AppointToPanel")
    programme.do(appoint(FIRST, INTERNAL[3], Side.MANAGER), PM)
    programme.do(AcceptPanel(review=FIRST), INTERNAL[3])
    assert not programme.tasks(PM, "AppointToPanel")
    programme.do(ReleaseFromPanel(review=FIRST, person=CHAIR, reason="A new post"), PM)
    assert review_of(programme, FIRST).chair == ""
    assert programme.tasks(PM, "AppointToPanel")


def test_a_released_challenger_hears_that_the_meeting_is_off_for_them() -> None:
    programme = dated(opened(delivering(), FIRST), FIRST)
    events = programme.do(ReleaseFromPanel(review=FIRST, person=INTERNAL[1], reason="A new post"), PM)
    entry = next(one.invitation for one in events if isinstance(one, NoticeRaised))
    assert entry
    assert entry.cancelled


def test_the_chair_passes_with_a_reason_to_somebody_who_was_at_the_meeting() -> None:
    programme = dated(opened(delivering(), FIRST), FIRST)
    programme.do(appoint(FIRST, INTERNAL[3]), PM)
    programme.do(AcceptPanel(review=FIRST), INTERNAL[3])
    meeting = review_of(programme, FIRST).meeting
    assert meeting
    programme.advance(meeting.starts)
    programme.do(HoldReview(review=FIRST, attended=INTERNAL[:3], without_statements=True), CHAIR)
    with pytest.raises(Invalid):
        programme.do(PassChair(review=FIRST, person=INTERNAL[3], reason="A new post"), PM)
    with pytest.raises(Invalid):
        programme.do(PassChair(review=FIRST, person=INTERNAL[1], reason=" "), PM)
    with pytest.raises(AlreadyDone):
        programme.do(PassChair(review=FIRST, person=CHAIR, reason="A new post"), PM)
    programme.do(PassChair(review=FIRST, person=INTERNAL[1], reason="A new post"), PM)
    assert programme.tasks(INTERNAL[1], "RecordFindings")


def test_the_chair_can_pass_until_both_sides_have_answered() -> None:
    programme = found(opened(delivering(), FIRST), FIRST, RECOMMEND)
    programme.do(PassChair(review=FIRST, person=INTERNAL[1], reason="A new post"), PM)
    programme.do(CorrectFinding(review=FIRST, finding=f"{FIRST}-1", text="Sundays", reason="A slip"), INTERNAL[1])
    answer(programme, FIRST, 1)
    with pytest.raises(AlreadyDone):
        programme.do(PassChair(review=FIRST, person=INTERNAL[2], reason="A new post"), PM)


def test_the_chair_of_an_external_review_never_passes_to_somebody_of_the_trust() -> None:
    programme = panel(opened(delivering(), OUTSIDE), OUTSIDE)
    programme.do(appoint(OUTSIDE, INTERNAL[0]), PM)
    programme.do(AcceptPanel(review=OUTSIDE), INTERNAL[0])
    with pytest.raises(ConflictOfInterest):
        programme.do(PassChair(review=OUTSIDE, person=INTERNAL[0], reason="A new post"), PM)


# --- the meeting ---------------------------------------------------------------------------------------------------


def meets(programme: Programme, working_days: int) -> datetime:
    day = programme.engagement.time.plus(programme.today, working_days)
    return datetime.combine(day, time(13), tzinfo=UTC)


def test_a_review_gets_its_date_once_a_chair_a_doctor_and_a_manager_have_accepted() -> None:
    programme = opened(delivering(), FIRST)
    programme.do(appoint(FIRST, INTERNAL[0], chair=True), PM)
    programme.do(AcceptPanel(review=FIRST), INTERNAL[0])
    for person in INTERNAL[1:3]:
        programme.do(appoint(FIRST, person, Side.DOCTOR), PM)
        programme.do(AcceptPanel(review=FIRST), person)
    with pytest.raises(NotYet):
        programme.do(ScheduleReview(review=FIRST, starts=meets(programme, 25)), PM)
    programme.do(appoint(FIRST, INTERNAL[3], Side.MANAGER), PM)
    programme.do(AcceptPanel(review=FIRST), INTERNAL[3])
    programme.do(ScheduleReview(review=FIRST, starts=meets(programme, 25)), PM)


def test_a_review_is_dated_in_time_for_the_position_statements_and_on_a_working_day() -> None:
    programme = panel(opened(delivering(), FIRST), FIRST)
    saturday = meets(programme, 25)
    saturday += timedelta(days=5 - saturday.weekday())
    for starts, hours in ((meets(programme, 15), 3), (saturday, 3), (meets(programme, 25), 9)):
        with pytest.raises(Invalid):
            programme.do(ScheduleReview(review=FIRST, starts=starts, hours=hours), PM)
    programme.do(ScheduleReview(review=FIRST, starts=meets(programme, 16)), CHAIR)


def test_a_meeting_that_was_held_is_not_moved() -> None:
    programme = held(opened(delivering(), FIRST), FIRST)
    with pytest.raises(AlreadyDone):
        programme.do(ScheduleReview(review=FIRST, starts=meets(programme, 25)), PM)


def test_only_the_programme_manager_and_the_chair_set_the_date() -> None:
    programme = panel(opened(delivering(), FIRST), FIRST)
    with pytest.raises(NotHeldByYou):
        programme.do(ScheduleReview(review=FIRST, starts=meets(programme, 25)), INTERNAL[1])


def test_panel_and_co_owners_of_both_sides_get_a_calendar_entry_that_moves_with_the_meeting() -> None:
    programme = dated(opened(delivering(), FIRST), FIRST)
    first = next(one for one in reversed(programme.events(NoticeRaised)) if one.invitation)
    assert set(first.people) == {*INTERNAL[:3], DOCTOR, MANAGER}
    events = programme.do(ScheduleReview(review=FIRST, starts=meets(programme, 40)), PM)
    second = next(one for one in events if isinstance(one, NoticeRaised))
    assert first.invitation
    assert second.invitation
    assert second.invitation.uid == first.invitation.uid
    assert second.invitation.revision == first.invitation.revision + 1


def test_co_owners_of_both_sides_give_their_position_once_before_the_evidence_is_frozen() -> None:
    programme = opened(delivering(), FIRST)
    with pytest.raises(NotYet):
        programme.do(GivePositionStatement(review=FIRST, text="It works"), DOCTOR)
    dated(programme, FIRST)
    assert {task.side for task in programme.tasks(command="GivePositionStatement")} == set(Side)
    with pytest.raises(NotHeldByYou):
        programme.do(GivePositionStatement(review=FIRST, text="It works"), "d5")
    programme.do(GivePositionStatement(review=FIRST, text="It works"), DOCTOR)
    with pytest.raises(AlreadyDone):
        programme.do(GivePositionStatement(review=FIRST, text="It works well"), DOCTOR)
    assert [task.person for task in programme.tasks(command="GivePositionStatement")] == [MANAGER]
    meeting = review_of(programme, FIRST).meeting
    assert meeting
    programme.advance(programme.engagement.time.plus(meeting.on, -10))
    with pytest.raises(EvidenceIsFrozen):
        programme.do(GivePositionStatement(review=FIRST, text="Late"), MANAGER)


def test_the_chair_hears_of_a_position_statement_that_is_late() -> None:
    programme = dated(opened(delivering(), FIRST), FIRST)
    task = next(iter(programme.tasks(DOCTOR, "GivePositionStatement")))
    assert task.due
    programme.advance(programme.engagement.time.plus(task.due.on, 2))
    assert task.title in programme.told(CHAIR)


def frozen(programme: Programme, review: str) -> EvidenceFrozen:
    meeting = review_of(programme, review).meeting
    assert meeting
    programme.advance(programme.engagement.time.plus(meeting.on, -10))
    return next(one for one in programme.events(EvidenceFrozen) if one.review == review)


def test_frozen_evidence_names_an_entry_of_the_journal_and_can_be_folded_again() -> None:
    programme = dated(opened(delivering(), FIRST), FIRST)
    event = frozen(programme, FIRST)
    assert programme.engagement.time.between(event.on, review_of(programme, FIRST).planned) == 10
    past = fold(Engagement(), programme.entries[: event.sequence])
    assert past.digest == event.digest
    assert event.actions == (ACTION,)
    assert past.running.agreement.actions[ACTION].status is ActionStatus.ACTIVE


def test_frozen_evidence_counts_what_is_overdue_and_never_who_has_not_answered() -> None:
    programme = dated(opened(delivering(), FIRST), FIRST)
    today = programme.today
    given(
        programme,
        PeopleEnrolled(people=(Enrolment(person="late", side=Side.DOCTOR),), on=today),
        Appointed(person="d9", role=Role.FACILITATOR, on=today),
    )
    meeting = review_of(programme, FIRST).meeting
    assert meeting
    programme.do(ScheduleReview(review=FIRST, starts=meeting.starts + timedelta(days=28)), PM)
    overdue = frozen(programme, FIRST).overdue
    assert overdue["appointment"] == 1
    assert not {"questionnaire", "enrolment", "willingness"} & set(overdue)


def test_a_review_is_held_by_its_chair_with_a_quorum_on_its_day() -> None:
    programme = dated(opened(delivering(), FIRST), FIRST)
    meeting = review_of(programme, FIRST).meeting
    assert meeting
    command = HoldReview(review=FIRST, attended=INTERNAL[:3], without_statements=True)
    with pytest.raises(NotYet):
        programme.do(command, CHAIR)
    programme.advance(meeting.starts)
    with pytest.raises(NotHeldByYou):
        programme.do(command, INTERNAL[1])
    for present in (INTERNAL[1:3], INTERNAL[:2], (INTERNAL[0], INTERNAL[2])):
        with pytest.raises(PanelNotQuorate):
            programme.do(HoldReview(review=FIRST, attended=present, without_statements=True), CHAIR)
    with pytest.raises(Unknown):
        programme.do(HoldReview(review=FIRST, attended=(*INTERNAL[:3], "d5"), without_statements=True), CHAIR)
    programme.do(appoint(FIRST, INTERNAL[3]), PM)
    with pytest.raises(Unknown):
        programme.do(HoldReview(review=FIRST, attended=INTERNAL, without_statements=True), CHAIR)
    programme.do(command, CHAIR)
    with pytest.raises(AlreadyDone):
        programme.do(command, CHAIR)


def test_a_panel_needs_both_a_doctor_and_a_manager_beside_its_chair() -> None:
    programme = dated(opened(delivering(), FIRST), FIRST)
    programme.do(appoint(FIRST, INTERNAL[3], Side.DOCTOR), PM)
    programme.do(AcceptPanel(review=FIRST), INTERNAL[3])
    meeting = review_of(programme, FIRST).meeting
    assert meeting
    programme.advance(meeting.starts)
    doctors = (INTERNAL[0], INTERNAL[1], INTERNAL[3])
    with pytest.raises(PanelNotQuorate):
        programme.do(HoldReview(review=FIRST, attended=doctors, without_statements=True), CHAIR)


def test_the_chair_goes_on_without_a_position_statement_only_by_saying_so() -> None:
    programme = dated(opened(delivering(), FIRST), FIRST)
    programme.do(GivePositionStatement(review=FIRST, text="It works"), DOCTOR)
    meeting = review_of(programme, FIRST).meeting
    assert meeting
    programme.advance(meeting.starts)
    with pytest.raises(StatementsMissing):
        programme.do(HoldReview(review=FIRST, attended=INTERNAL[:3]), CHAIR)
    programme.do(HoldReview(review=FIRST, attended=INTERNAL[:3], without_statements=True), CHAIR)
    assert review_of(programme, FIRST).without == (Side.MANAGER,)


def test_nothing_is_challenged_before_something_is_agreed() -> None:
    programme = dated(opened(nothing_agreed(), FIRST), FIRST)
    meeting = review_of(programme, FIRST).meeting
    assert meeting
    programme.advance(meeting.starts)
    with pytest.raises(NotYet):
        programme.do(HoldReview(review=FIRST, attended=INTERNAL[:3]), CHAIR)


# --- findings ------------------------------------------------------------------------------------------------------


def test_findings_come_after_the_meeting_from_its_chair() -> None:
    programme = dated(opened(delivering(), FIRST), FIRST)
    command = findings(CONCERN)
    with pytest.raises(NotYet):
        programme.do(command, CHAIR)
    meeting = review_of(programme, FIRST).meeting
    assert meeting
    programme.advance(meeting.starts)
    programme.do(HoldReview(review=FIRST, attended=INTERNAL[:3], without_statements=True), CHAIR)
    with pytest.raises(NotHeldByYou):
        programme.do(command, INTERNAL[1])
    task = next(iter(programme.tasks(CHAIR, "RecordFindings")))
    assert task.due
    assert programme.engagement.time.between(programme.today, task.due.on) == 10
    programme.do(command, CHAIR)
    with pytest.raises(AlreadyDone):
        programme.do(command, CHAIR)


@pytest.mark.parametrize(
    "tied", [{}, {"action": "A9"}, {"condition": "C12"}, {"action": ACTION, "condition": "C01"}], ids=str
)
def test_each_finding_is_tied_to_one_action_or_one_condition(tied: dict[str, str]) -> None:
    programme = held(opened(delivering(), FIRST), FIRST)
    one = NewFinding(kind=FindingKind.CONCERN, text="Something", **tied)
    with pytest.raises(FindingNotTied):
        programme.do(findings(one), CHAIR)


@pytest.mark.parametrize("question", THREE)
def test_the_chair_answers_three_questions_against_complacency(question: str) -> None:
    programme = held(opened(delivering(), FIRST), FIRST)
    with pytest.raises(Invalid):
        programme.do(findings(CONCERN, **{question: " "}), CHAIR)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"reason": "All was well"},
        {"second": INTERNAL[1]},
        {"reason": "All was well", "second": CHAIR},
        {"reason": "All was well", "second": INTERNAL[3]},
    ],
    ids=str,
)
def test_praise_alone_needs_a_written_reason_and_a_second_challenger(said: dict[str, str]) -> None:
    programme = held(opened(delivering(), FIRST), FIRST)
    with pytest.raises(NotComplacent):
        programme.do(findings(COMMEND, **said), CHAIR)
    whole = {"reason": "All was well", "second": INTERNAL[1]}
    programme.do(findings(COMMEND, **whole), CHAIR)


def test_a_corrected_finding_keeps_its_first_wording_and_is_answered_anew() -> None:
    programme = found(opened(delivering(), FIRST), FIRST, CONCERN, RECOMMEND)
    programme.do(AnswerFinding(review=FIRST, finding=f"{FIRST}-2", reply=Reply.ACCEPT), DOCTOR)
    command = CorrectFinding(review=FIRST, finding=f"{FIRST}-2", text="Cover Sundays too", reason="A slip")
    with pytest.raises(Invalid):
        programme.do(command.model_copy(update={"reason": " "}), CHAIR)
    with pytest.raises(NotHeldByYou):
        programme.do(command, INTERNAL[1])
    programme.do(command, CHAIR)
    finding = review_of(programme, FIRST).findings[f"{FIRST}-2"]
    assert (finding.text, finding.corrections[0].was) == ("Cover Sundays too", "Cover the weekend too")
    assert not finding.answers
    answer(programme, FIRST, 2)
    with pytest.raises(AlreadyDone):
        programme.do(command, CHAIR)


def test_a_finding_has_words_and_belongs_to_its_review() -> None:
    programme = held(opened(delivering(), FIRST), FIRST)
    with pytest.raises(Invalid):
        programme.do(findings(CONCERN.model_copy(update={"text": " "})), CHAIR)
    programme.do(findings(CONCERN), CHAIR)
    with pytest.raises(Unknown):
        programme.do(AnswerFinding(review=FIRST, finding=f"{FIRST}-9", reply=Reply.ACCEPT), MEDICAL)


# --- answers -------------------------------------------------------------------------------------------------------


def test_each_side_answers_once_and_says_why_it_does_not_accept() -> None:
    programme = found(opened(delivering(), FIRST), FIRST, RECOMMEND)
    command = AnswerFinding(review=FIRST, finding=f"{FIRST}-1", reply=Reply.REJECT)
    for reply in (Reply.REJECT, Reply.PARTLY):
        with pytest.raises(Invalid):
            programme.do(command.model_copy(update={"reply": reply}), DOCTOR)
    programme.do(command.model_copy(update={"reason": "It would empty the wards"}), DOCTOR)
    with pytest.raises(AlreadyDone):
        programme.do(command.model_copy(update={"reason": "Again"}), DOCTOR)
    for person in ("d5", MEDICAL):
        with pytest.raises(NotHeldByYou):
            programme.do(command.model_copy(update={"reason": "No"}), person)


def test_a_finding_about_a_condition_that_no_action_works_on_is_answered_by_the_sponsors() -> None:
    programme = found(opened(delivering(), FIRST), FIRST, CONCERN)
    command = AnswerFinding(review=FIRST, finding=f"{FIRST}-1", reply=Reply.ACCEPT)
    with pytest.raises(NotHeldByYou):
        programme.do(command, DOCTOR)
    programme.do(command, MEDICAL)
    programme.do(command, MANAGERIAL)
    assert set(review_of(programme, FIRST).findings[f"{FIRST}-1"].answers) == set(Side)


def test_a_finding_is_answered_by_those_whose_action_it_is_tied_to() -> None:
    programme = found(opened(delivering(), FIRST), FIRST, RECOMMEND, CONCERN.model_copy(update={"condition": "C10"}))
    tied, about = review_of(programme, FIRST).findings.values()
    draft = active_action(programme.today, "A2", doctor="d5", manager="m5", condition="C10")[0]
    given(programme, draft)  # a draft is nobody's work yet
    assert answerers(programme.engagement, about, Side.DOCTOR) == (MEDICAL,)
    given(programme, *active_action(programme.today, "A2", doctor="d5", manager="m5", condition="C10")[1:])
    assert answerers(programme.engagement, about, Side.DOCTOR) == ("d5",)
    given(programme, ActionWithdrawn(action=ACTION, on=programme.today))  # what became of it since changes nothing
    assert answerers(programme.engagement, tied, Side.MANAGER) == (MANAGER,)


def test_nobody_answers_a_finding_for_both_sides() -> None:
    programme = opened(delivering(), FIRST)
    for role in (Role.MEDICAL_SPONSOR, Role.MANAGERIAL_SPONSOR):
        given(programme, Appointed(person="d5", role=role, on=programme.today))
    found(programme, FIRST, CONCERN)
    finding = review_of(programme, FIRST).findings[f"{FIRST}-1"]
    assert (
        speaks_for(programme.engagement, finding, "d5") is Side.DOCTOR
    )  # on the doctors' side, whatever part they hold
    given(programme, PeopleEnrolled(people=(Enrolment(person="both"),), on=programme.today))
    for role in (Role.MEDICAL_SPONSOR, Role.MANAGERIAL_SPONSOR):
        given(programme, Appointed(person="both", role=role, on=programme.today))
    assert speaks_for(programme.engagement, finding, "both") is None


def test_an_accepted_recommendation_becomes_a_draft_action_once_both_sides_have_said_so() -> None:
    programme = found(opened(delivering(), FIRST), FIRST, RECOMMEND)
    command = AnswerFinding(review=FIRST, finding=f"{FIRST}-1", reply=Reply.ACCEPT)
    programme.do(command, DOCTOR)
    assert set(programme.engagement.running.agreement.actions) == {ACTION}
    programme.do(command.model_copy(update={"reply": Reply.PARTLY, "reason": "Saturdays first"}), MANAGER)
    draft = programme.engagement.running.agreement.actions["A2"]
    assert (draft.status, draft.source, draft.title) == (ActionStatus.DRAFT, f"{FIRST}-1", "Cover the weekend too")


@pytest.mark.parametrize(("finding", "reply"), [(RECOMMEND, Reply.REJECT), (COMMEND, Reply.ACCEPT)], ids=str)
def test_what_is_rejected_or_only_praised_drafts_nothing(finding: NewFinding, reply: Reply) -> None:
    concern = CONCERN.model_copy(update={"condition": "C09"})
    programme = found(opened(delivering(), FIRST), FIRST, finding, concern)
    answer(programme, FIRST, 1, reply, "There is no room for it")
    answer(programme, FIRST, 2)
    assert set(programme.engagement.running.agreement.actions) == {ACTION}


def test_gate_six_passes_for_a_review_once_both_sides_have_answered_everything() -> None:
    programme = found(opened(delivering(), FIRST), FIRST, RECOMMEND, COMMEND)
    assert not [one for one in answer(programme, FIRST, 1) if isinstance(one, GatePassed)]
    events = answer(programme, FIRST, 2)
    assert [one.gate for one in events if isinstance(one, GatePassed)] == ["G6"]
    assert review_of(programme, FIRST).answered == programme.today
    assert not programme.tasks(command="AnswerFinding")


def test_both_sponsors_hear_together_of_an_answer_that_is_late() -> None:
    programme = found(opened(delivering(), FIRST), FIRST, RECOMMEND)
    task = next(iter(programme.tasks(DOCTOR, "AnswerFinding")))
    assert task.due
    assert programme.engagement.time.between(programme.today, task.due.on) == 20
    programme.do(AnswerFinding(review=FIRST, finding=f"{FIRST}-1", reply=Reply.ACCEPT), MANAGER)
    programme.advance(programme.engagement.time.plus(task.due.on, 6))
    told = [one for one in programme.events(MessageIssued) if any(item.task == task.id for item in one.items)]
    assert {one.people for one in told if MEDICAL in one.people or MANAGERIAL in one.people} == {(MEDICAL, MANAGERIAL)}


def test_no_gate_of_a_review_passes_while_a_sponsors_willingness_is_not_in_force() -> None:
    programme = found(opened(delivering(), FIRST), FIRST, RECOMMEND)
    given(programme, WillingnessAsked(round=2, on=programme.today))
    answer(programme, FIRST, 1)
    assert not programme.events(ReviewAnswered)
    for sponsor in (MEDICAL, MANAGERIAL):
        programme.do(StateWillingness(answer=Answer.WILLING), sponsor)
    assert programme.events(ReviewAnswered)


# --- what the outside sees -----------------------------------------------------------------------------------------


def test_the_external_report_opens_to_everybody_when_it_is_answered() -> None:
    programme = found(opened(delivering(), OUTSIDE), OUTSIDE, RECOMMEND)
    assert not programme.events(ReportOpened)
    answer(programme, OUTSIDE, 1)
    assert [one.review for one in programme.events(ReportOpened)] == [OUTSIDE]
    programme.wait(8)
    assert any("external review is open" in title for title in programme.told("d7"))


def test_the_external_report_opens_after_sixty_working_days_answered_or_not() -> None:
    programme = found(opened(delivering(), OUTSIDE), OUTSIDE, RECOMMEND)
    on = review_of(programme, OUTSIDE).found
    assert on
    programme.wait(60)
    assert not programme.events(ReportOpened)
    programme.wait(1)
    assert programme.events(ReportOpened)
    answer(programme, OUTSIDE, 1)
    assert len(programme.events(ReportOpened)) == 1


def test_an_internal_report_stays_with_those_whom_it_concerns() -> None:
    programme = found(opened(delivering(), FIRST), FIRST, RECOMMEND)
    answer(programme, FIRST, 1)
    programme.wait(70)
    assert not programme.events(ReportOpened)


def test_the_external_panel_learns_of_findings_that_nobody_has_answered() -> None:
    programme = found(opened(delivering(), SECOND), SECOND, RECOMMEND)
    event = frozen(dated(opened(programme, OUTSIDE), OUTSIDE), OUTSIDE)
    assert event.late_answers == ()  # 15 working days late at the earliest
    meeting = review_of(programme, OUTSIDE).meeting
    assert meeting
    late = found(opened(delivering(), SECOND), SECOND, RECOMMEND)
    late.wait(30)
    panel(opened(late, OUTSIDE), OUTSIDE)
    late.do(ScheduleReview(review=OUTSIDE, starts=meets(late, 30)), PM)
    assert frozen(late, OUTSIDE).late_answers == (SECOND,)


def test_somebody_from_outside_says_in_the_next_cycle_what_became_of_the_recommendations() -> None:
    programme = found(opened(delivering(), OUTSIDE), OUTSIDE, RECOMMEND)
    answer(programme, OUTSIDE, 1)
    given(programme, CycleStarted(number=2, on=programme.today))
    started = programme.today
    command = RecordProgressCheck(review=OUTSIDE, text="Half of it is done")
    with pytest.raises(Unknown):
        programme.do(command, EXTERNAL[0])
    while not programme.tasks(EXTERNAL[1], "RecordProgressCheck"):
        programme.wait(1)
    months = (programme.today.year - started.year) * 12 + programme.today.month - started.month
    assert months == 7  # the eighth month of the cycle has begun
    programme.do(command, EXTERNAL[0])
    assert not programme.tasks(command="RecordProgressCheck")
    with pytest.raises(AlreadyDone):
        programme.do(command, EXTERNAL[1])


def test_a_review_can_be_rebuilt_from_its_history() -> None:
    programme = found(opened(delivering(), OUTSIDE), OUTSIDE, RECOMMEND, CONCERN)
    answer(programme, OUTSIDE, 1)
    assert fold(Engagement(), programme.entries) == programme.engagement
