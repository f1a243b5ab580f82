"""Stage 3, Joint sessions: dates, invitations, quorum, notes, differences, deferrals, and gate G3."""

from contextlib import suppress
from datetime import date, datetime, time, timedelta
from itertools import combinations, product

import pytest

from programme.continuity import DueDateMoved, PauseEngagement
from programme.differences import NoteView, RaiseDifference
from programme.engagement import Engagement, agenda, fold
from programme.gates import GatePassed
from programme.messages import Role, Side, Stage
from programme.people import AcceptEnrolment, Enrolment, EnrolPeople
from programme.post import SESSION, Invitation, MessageIssued, NoticeRaised
from programme.refusals import (
    AlreadyDone,
    DidNotAttend,
    Invalid,
    NotesChanged,
    NotQuorate,
    NotYet,
    OutputMissing,
    RoleRequired,
    SessionTooLate,
    SessionTooSoon,
    UnknownCondition,
    UnknownDifference,
    UnknownPerson,
    UnknownSession,
    WrongSide,
)
from programme.stages import sessions
from programme.stages.action import Action, ActionStatus, Agreement, Compact
from programme.stages.invitations import (
    AnswerInvitation,
    CancelSession,
    MoveSession,
    QuorumChecked,
    ScheduleSession,
)
from programme.stages.mandate import Mandate
from programme.stages.notes import (
    ConditionDeferred,
    ConfirmNotes,
    DeferralRanOut,
    DisputeNotes,
    NotesAdopted,
    NotesUnconfirmed,
    RecordConversation,
    SettleNotes,
    WriteNotes,
)
from programme.stages.session import CompactDraft, DecisionLevel, Deferral, Level, Option, Outputs, Purpose, Session
from programme.stages.sessions import (
    CallSession,
    RecordAttendance,
    SessionCalled,
    attended,
    call_session,
    deferred,
    quorate,
    quorum_of,
    shown_compact,
)
from programme.working_time import at_local
from tests.core.programme_driver import (
    DOCTORS,
    FACILITATOR,
    MANAGERIAL,
    MANAGERS,
    MEDICAL,
    OUTPUTS,
    PM,
    PRIORITIES,
    Programme,
    begun,
    confirm,
    hold,
    play_session,
    schedule,
    write,
)


def session(programme: Programme, name: str = "1A") -> Session:
    return programme.engagement.running.sessions.all[name]


def dated() -> Programme:
    """Session A has a date, 20 working days ahead, at 2pm."""
    programme = begun(Stage.SESSIONS)
    schedule(programme, "1A")
    return programme


def held(doctors: int = 5, managers: int = 5) -> Programme:
    """Session A was held with so many of each side."""
    programme = dated()
    hold(programme, "1A", doctors, managers)
    return programme


def written() -> Programme:
    """The notes of session A are out."""
    programme = held()
    write(programme, "1A")
    return programme


def all_held() -> Programme:
    """Sessions A, B and C were quorate, and their notes count."""
    programme = begun(Stage.SESSIONS)
    for name in ("1A", "1B", "1C"):
        play_session(programme, name)
    return programme


def at_two(programme: Programme, working_days: int) -> datetime:
    return at_local(programme.engagement.time.plus(programme.today, working_days), time(14))


def invitations(programme: Programme) -> list[Invitation]:
    return [event.invitation for event in programme.events(NoticeRaised) if event.invitation]


def with_action(programme: Programme, *conditions: str, status: ActionStatus = ActionStatus.PROPOSED) -> None:
    """An action stands in the agreement, however it came there; something small happens next."""
    action = Action(id="1-1", drafted=programme.today, status=status, conditions=conditions)
    programme.engagement = programme.engagement.in_cycle(agreement=Agreement(actions={action.id: action}))
    programme.do(RaiseDifference(title="Something else"), FACILITATOR)


# --- calling and dates ---------------------------------------------------------------------------------------------


def test_the_sessions_of_the_template_are_called_when_the_stage_begins() -> None:
    programme = begun(Stage.SESSIONS)
    assert [event.session for event in programme.events(SessionCalled)] == ["1A", "1B", "1C"]
    assert [task.about for task in programme.tasks(FACILITATOR, "ScheduleSession")] == ["1A"]


def test_the_next_session_can_be_dated_once_the_one_before_has_a_date() -> None:
    programme = begun(Stage.SESSIONS)
    with pytest.raises(NotYet):
        schedule(programme, "1B", 30)
    programme.wait(4)
    schedule(programme, "1A")
    task = programme.tasks(FACILITATOR, "ScheduleSession")[0]
    assert (task.about, task.opened) == ("1B", programme.today)
    schedule(programme, "1B", 30)


def test_sessions_lie_ten_to_fifteen_working_days_apart() -> None:
    programme = dated()
    with pytest.raises(SessionTooSoon):
        schedule(programme, "1B", 29)
    with pytest.raises(SessionTooLate):
        schedule(programme, "1B", 36)
    schedule(programme, "1B", 35)


def test_a_gap_that_can_no_longer_be_kept_does_not_end_the_programme() -> None:
    programme = held()
    programme.wait(16)
    schedule(programme, "1B", 15)


@pytest.mark.parametrize("by", [PM, FACILITATOR])
def test_the_facilitator_and_the_programme_manager_set_dates_and_nobody_else(by: str) -> None:
    programme = begun(Stage.SESSIONS)
    command = ScheduleSession(session="1A", starts=at_two(programme, 20))
    for person in ("d0", "m0", MEDICAL):
        with pytest.raises(RoleRequired):
            programme.do(command, person)
    programme.do(command, by)
    assert session(programme).ends == at_two(programme, 20) + timedelta(hours=3)


def test_a_date_has_to_be_one_on_which_people_can_meet() -> None:
    programme = begun(Stage.SESSIONS)
    starts = at_two(programme, 20)
    saturday = starts + timedelta(days=5 - starts.weekday())
    wrong: tuple[tuple[datetime, datetime | None], ...] = (
        (starts.replace(tzinfo=None), None),
        (starts, starts),
        (starts, starts + timedelta(days=1)),
        (programme.at - timedelta(minutes=1), None),
        (saturday, None),
    )
    for begins, ends in wrong:
        with pytest.raises(Invalid):
            programme.do(ScheduleSession(session="1A", starts=begins, ends=ends), FACILITATOR)
    with pytest.raises(UnknownSession):
        programme.do(ScheduleSession(session="1Z", starts=starts), FACILITATOR)


def test_a_session_has_one_date_until_it_is_moved() -> None:
    programme = dated()
    with pytest.raises(AlreadyDone):
        schedule(programme, "1A", 25)
    with pytest.raises(NotYet):
        programme.do(MoveSession(session="1B", starts=at_two(programme, 30), reason="Rota"), FACILITATOR)
    with pytest.raises(Invalid):
        programme.do(MoveSession(session="1A", starts=at_two(programme, 25), reason=" "), FACILITATOR)
    programme.do(MoveSession(session="1A", starts=at_two(programme, 25), reason="Rota"), FACILITATOR)
    assert session(programme).starts == at_two(programme, 25)


def test_everybody_gets_a_calendar_entry_that_follows_the_session() -> None:
    programme = dated()
    programme.do(MoveSession(session="1A", starts=at_two(programme, 25), reason="Rota"), PM)
    programme.do(CancelSession(session="1A", reason="Norovirus"), PM)
    schedule(programme, "1A", 22)
    entries = invitations(programme)
    assert {entry.uid for entry in entries} == {"engagement-1-session-1A"}
    assert [(entry.revision, entry.cancelled) for entry in entries] == [(0, False), (1, False), (2, True), (3, False)]
    news = [event for event in programme.events(NoticeRaised) if event.invitation]
    assert {event.people for event in news} == {(*DOCTORS, *MANAGERS, FACILITATOR)}
    assert {event.topic for event in news} == {SESSION}
    assert not any("Norovirus" in event.title or "Rota" in event.title for event in news)


def test_the_calendar_entry_travels_with_the_message_about_its_own_date() -> None:
    programme = dated()
    programme.do(MoveSession(session="1A", starts=at_two(programme, 25), reason="Rota"), PM)
    programme.wait(1)
    sent = [event.invitation for event in programme.events(MessageIssued) if "d0" in event.people and event.invitation]
    assert [entry.revision for entry in sent] == [0, 1]
    assert [entry.starts for entry in sent] == [entry.starts for entry in invitations(programme)]


def test_a_cancelled_session_is_still_needed() -> None:
    programme = dated()
    with pytest.raises(Invalid):
        programme.do(CancelSession(session="1A", reason=""), FACILITATOR)
    programme.do(CancelSession(session="1A", reason="Norovirus"), FACILITATOR)
    assert [task.about for task in programme.tasks(FACILITATOR, "ScheduleSession")] == ["1A"]
    assert not programme.tasks("d0", "AnswerInvitation")
    with pytest.raises(NotYet):
        programme.do(CancelSession(session="1A", reason="Twice"), FACILITATOR)


def test_a_session_too_near_to_one_that_moved_has_to_move_too() -> None:
    programme = dated()
    schedule(programme, "1B", 30)
    assert not programme.tasks(FACILITATOR, "MoveSession")
    programme.do(MoveSession(session="1A", starts=at_two(programme, 24), reason="Rota"), FACILITATOR)
    assert [task.about for task in programme.tasks(FACILITATOR, "MoveSession")] == ["1B"]
    programme.do(MoveSession(session="1B", starts=at_two(programme, 34), reason="A has moved"), FACILITATOR)
    assert not programme.tasks(FACILITATOR, "MoveSession")


# --- invitations ---------------------------------------------------------------------------------------------------


def test_both_sides_are_asked_whether_they_come() -> None:
    programme = dated()
    assert {task.person for task in programme.tasks(command="AnswerInvitation")} == {*DOCTORS, *MANAGERS}
    programme.do(AnswerInvitation(session="1A", comes=True), "d0")
    programme.do(AnswerInvitation(session="1A", comes=False), "m0")
    assert not programme.tasks("d0", "AnswerInvitation")
    assert not programme.tasks("m0", "AnswerInvitation")
    assert programme.do(AnswerInvitation(session="1A", comes=True), "d0") == []
    programme.do(AnswerInvitation(session="1A", comes=False), "d0")
    assert session(programme).replies == {"d0": False, "m0": False}
    with pytest.raises(RoleRequired):
        programme.do(AnswerInvitation(session="1A", comes=True), FACILITATOR)


def test_answers_to_a_date_that_has_moved_are_asked_for_again() -> None:
    programme = dated()
    before = programme.tasks("d0", "AnswerInvitation")[0].id
    programme.do(AnswerInvitation(session="1A", comes=True), "d0")
    programme.do(MoveSession(session="1A", starts=at_two(programme, 25), reason="Rota"), PM)
    assert session(programme).replies == {}
    assert programme.tasks("d0", "AnswerInvitation")[0].id != before


def test_nobody_answers_a_session_that_has_no_date_or_has_begun() -> None:
    programme = dated()
    with pytest.raises(NotYet):
        programme.do(AnswerInvitation(session="1B", comes=True), "d0")
    starts = session(programme).starts
    assert starts is not None
    with pytest.raises(AlreadyDone):
        programme.do(AnswerInvitation(session="1A", comes=True), "d0", at=starts)


def test_once_a_session_has_been_nobody_is_asked_or_invited_any_more() -> None:
    programme = dated()
    starts = session(programme).starts
    assert starts is not None
    programme.advance(starts)
    early = programme.copy()
    early.do(RecordAttendance(session="1A", voting=DOCTORS[:5] + MANAGERS[:5]), FACILITATOR)
    assert not early.tasks(command="AnswerInvitation")
    programme.wait(1)
    assert not programme.tasks(command="AnswerInvitation")
    before = invitations(programme)
    programme.do(EnrolPeople(people=(Enrolment(person="d99", side=Side.DOCTOR),)), PM)
    programme.do(AcceptEnrolment(side=Side.DOCTOR, privacy_notice="1"), "d99")
    assert invitations(programme) == before


def test_an_invitation_is_repeated_five_days_and_one_day_before() -> None:
    programme = begun(Stage.SESSIONS)
    schedule(programme, "1A", 25)
    on = session(programme).on
    assert on is not None
    programme.advance(on)
    title = "Say whether you come to Joint session A, Make sense together"
    days = [
        event.on
        for event in programme.events(MessageIssued)
        if "d0" in event.people and title in [item.title for item in event.items]
    ]
    plus = programme.engagement.time.plus
    assert days == [plus(on, -20), plus(on, -5), plus(on, -1)]


def accept(programme: Programme, doctors: int, managers: int) -> None:
    for person in DOCTORS[:doctors] + MANAGERS[:managers]:
        programme.do(AnswerInvitation(session="1A", comes=True), person)


@pytest.mark.parametrize(
    ("doctors", "managers", "expected"), [(3, 3, True), (2, 5, False), (3, 5, False), (0, 0, False)]
)
def test_five_days_before_the_facilitator_hears_if_too_few_accepted(
    doctors: int, managers: int, expected: bool
) -> None:
    programme = dated()
    accept(programme, doctors, managers)
    on = session(programme).on
    assert on is not None
    programme.advance(programme.engagement.time.plus(on, -5))
    assert [event.expected for event in programme.events(QuorumChecked)] == [expected]
    title = "Joint session A, Make sense together: too few have said that they come to be a quorum"
    assert (title in programme.told(FACILITATOR)) is not expected


def test_those_who_decline_are_not_counted_towards_the_quorum() -> None:
    programme = dated()
    accept(programme, 3, 3)
    programme.do(AnswerInvitation(session="1A", comes=False), "d2")
    programme.wait(15)
    assert [event.expected for event in programme.events(QuorumChecked)] == [False]


def test_a_session_announced_late_is_looked_at_the_day_before() -> None:
    programme = begun(Stage.SESSIONS)
    schedule(programme, "1A", 4)
    programme.wait(2)
    assert not programme.events(QuorumChecked)
    programme.wait(1)
    assert len(programme.events(QuorumChecked)) == 1


def test_who_joins_after_the_announcement_is_invited_too() -> None:
    programme = dated()
    programme.do(EnrolPeople(people=(Enrolment(person="d99", side=Side.DOCTOR),)), PM)
    programme.do(AcceptEnrolment(side=Side.DOCTOR, privacy_notice="1"), "d99")
    late = programme.events(NoticeRaised)[-1]
    assert late.people == ("d99",)
    assert late.invitation == invitations(programme)[0]
    programme.do(CancelSession(session="1A", reason="Norovirus"), PM)
    assert "d99" in programme.events(NoticeRaised)[-1].people


# --- quorum --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("doctors", "managers", "quorum"),
    [
        (3, 3, True),
        (2, 3, False),
        (3, 2, False),
        (6, 4, True),
        (4, 6, True),
        (7, 4, False),
        (4, 7, False),
        (9, 6, True),
    ],
)
def test_a_quorum_is_three_of_each_side_and_neither_side_under_forty_per_cent(
    doctors: int, managers: int, quorum: bool
) -> None:
    programme = held(doctors, managers)
    assert session(programme).quorate is quorum
    assert quorate(programme.engagement, "1A") is quorum


def test_without_the_facilitator_there_is_no_quorum() -> None:
    programme = dated()
    programme.wait(21)
    voting = DOCTORS[:5] + MANAGERS[:5]
    programme.do(RecordAttendance(session="1A", voting=voting, facilitator_present=False), FACILITATOR)
    assert not quorate(programme.engagement, "1A")


def test_while_there_is_no_facilitator_nothing_can_be_agreed() -> None:
    programme = dated()
    programme.wait(21)
    people = programme.engagement.people
    left = people[FACILITATOR].but(appointments=())
    programme.engagement = programme.engagement.but(people={**people, FACILITATOR: left})
    assert programme.engagement.holder(Role.FACILITATOR) is None
    for person in (FACILITATOR, PM, "d0", MEDICAL):
        with pytest.raises(RoleRequired):
            programme.do(RecordAttendance(session="1A", voting=DOCTORS[:5] + MANAGERS[:5]), person)
    assert not quorate(programme.engagement, "1A")


def test_people_without_a_vote_make_no_quorum() -> None:
    programme = dated()
    programme.wait(21)
    for voting, others in (((MEDICAL, *DOCTORS[:3], *MANAGERS[:3]), ()), (("d0", "d0"), ()), (("d0",), ("d0",))):
        with pytest.raises(Invalid):
            programme.do(RecordAttendance(session="1A", voting=voting, others=others), FACILITATOR)
    with pytest.raises(UnknownPerson):
        programme.do(RecordAttendance(session="1A", voting=("nobody",)), FACILITATOR)
    programme.do(
        RecordAttendance(session="1A", voting=DOCTORS[:2] + MANAGERS[:2], others=("d5", "m5", MEDICAL)), FACILITATOR
    )
    assert not quorate(programme.engagement, "1A")
    assert attended(session(programme), "d0")
    assert not attended(session(programme), "d5")


def test_nobody_attends_a_session_that_has_not_begun() -> None:
    programme = dated()
    with pytest.raises(NotYet):
        programme.do(RecordAttendance(session="1A", voting=DOCTORS[:5] + MANAGERS[:5]), FACILITATOR)
    hold(programme, "1A")
    with pytest.raises(AlreadyDone):
        programme.do(RecordAttendance(session="1A", voting=DOCTORS[:5] + MANAGERS[:5]), FACILITATOR)


def test_the_facilitator_is_asked_who_came_when_the_session_is_over() -> None:
    programme = dated()
    starts, ends = session(programme).starts, session(programme).ends
    assert starts is not None
    assert ends is not None
    programme.advance(starts)
    assert not programme.tasks(FACILITATOR, "RecordAttendance")
    programme.advance(ends)
    assert [task.about for task in programme.tasks(FACILITATOR, "RecordAttendance")] == ["1A"]
    programme.wait(6)
    assert "Say who attended Joint session A, Make sense together" in programme.told(PM)


def test_a_session_that_did_not_take_place_can_be_moved_afterwards() -> None:
    programme = dated()
    programme.wait(21)
    programme.do(MoveSession(session="1A", starts=at_two(programme, 5), reason="Nobody came"), FACILITATOR)
    assert not programme.tasks(FACILITATOR, "RecordAttendance")
    assert any(due.key == "act:sessions:over/1A" for due in agenda(programme.engagement))


def test_without_a_quorum_a_new_date_follows_within_fifteen_working_days() -> None:
    programme = held(doctors=2)
    again = session(programme, "1A2")
    assert (again.letter, again.purpose) == ("A", Purpose.PLANNED)
    assert [task.about for task in programme.tasks(FACILITATOR, "ScheduleSession")] == ["1A2"]
    with pytest.raises(SessionTooLate):
        schedule(programme, "1A2", 16)
    schedule(programme, "1A2", 15)
    hold(programme, "1A2")
    assert quorate(programme.engagement, "1A2")


def test_the_next_session_waits_for_a_quorum_of_the_one_before() -> None:
    programme = dated()
    schedule(programme, "1B", 30)
    hold(programme, "1A", doctors=2)
    programme.advance(at_two(programme, 11))
    with pytest.raises(NotYet):
        programme.do(RecordAttendance(session="1B", voting=DOCTORS[:5] + MANAGERS[:5]), FACILITATOR)
    play_session(programme, "1A2", 1)
    programme.do(MoveSession(session="1B", starts=at_two(programme, 10), reason="A was held again"), FACILITATOR)
    hold(programme, "1B")
    assert quorate(programme.engagement, "1B")


# --- only a quorate session agrees ---------------------------------------------------------------------------------


def test_a_session_without_quorum_agrees_nothing_but_its_conversation_is_kept() -> None:
    programme = held(doctors=2)
    programme.do(RaiseDifference(title="What counts as safe", session="1A"), "d0")
    with pytest.raises(NotQuorate):
        programme.do(WriteNotes(session="1A", outputs=OUTPUTS["A"]), FACILITATOR)
    with pytest.raises(Invalid):
        programme.do(RecordConversation(session="1A", text=" "), FACILITATOR)
    programme.do(RecordConversation(session="1A", text="We talked about the first hour"), FACILITATOR)
    assert session(programme).conversation == "We talked about the first hour"
    assert programme.engagement.running.sessions.priorities == ()
    assert not programme.tasks(FACILITATOR, "WriteNotes")


def test_a_quorate_session_has_notes_rather_than_a_conversation() -> None:
    programme = held()
    with pytest.raises(Invalid):
        programme.do(RecordConversation(session="1A", text="We talked"), FACILITATOR)
    with pytest.raises(NotYet):
        programme.do(RecordConversation(session="1B", text="We talked"), FACILITATOR)


def test_there_are_no_notes_of_a_session_before_it_is_held() -> None:
    with pytest.raises(NotYet):
        dated().do(WriteNotes(session="1A", outputs=OUTPUTS["A"]), FACILITATOR)


def refused(programme: Programme, name: str, outputs: Outputs, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        programme.do(WriteNotes(session=name, outputs=outputs), FACILITATOR)


def test_session_a_brings_a_problem_priorities_and_a_difference() -> None:
    programme, full = held(), OUTPUTS["A"]
    programme.do(RaiseDifference(title="What came up elsewhere"), FACILITATOR)
    programme.do(RaiseDifference(title="What came up elsewhere", session="1B"), FACILITATOR)
    refused(programme, "1A", full, OutputMissing)  # no difference on the log is from this session
    programme.do(RaiseDifference(title="What counts as safe", session="1A"), FACILITATOR)
    for missing in ("summary", "problem"):
        refused(programme, "1A", full.model_copy(update={missing: " "}), OutputMissing)
    refused(programme, "1A", full.model_copy(update={"priorities": ()}), OutputMissing)
    refused(programme, "1A", full.model_copy(update={"priorities": ("C01", "C02", "C12")}), UnknownCondition)
    for count in (("C01", "C02"), ("C01", "C02", "C03", "C04", "C05"), ("C01", "C01", "C02")):
        refused(programme, "1A", full.model_copy(update={"priorities": count}), Invalid)
    programme.do(WriteNotes(session="1A", outputs=full), FACILITATOR)


def test_session_b_brings_options_from_both_sides_and_who_decides() -> None:
    programme, full = held(), OUTPUTS["B"]
    write(programme, "1A")
    confirm(programme, "1A")
    schedule(programme, "1B", 12)
    hold(programme, "1B")
    for missing in ("options", "decisions"):
        refused(programme, "1B", full.model_copy(update={missing: ()}), OutputMissing)
    for option in (
        Option(text="", doctors_for="x", managers_for="x"),
        Option(text="x", doctors_for="x"),
        Option(text="x", managers_for="x"),
    ):
        refused(programme, "1B", full.model_copy(update={"options": (option,)}), Invalid)
    nameless = DecisionLevel(decision="", now=Level.WARD, should=Level.WARD)
    refused(programme, "1B", full.model_copy(update={"decisions": (nameless,)}), Invalid)
    write(programme, "1B")
    confirm(programme, "1B")
    assert programme.engagement.running.sessions.decisions == full.decisions
    assert programme.engagement.running.sessions.options == full.options


def draft_of(programme: Programme) -> CompactDraft | None:
    return programme.engagement.running.sessions.compact


def test_session_c_brings_a_compact_in_which_each_side_gives() -> None:
    programme = begun(Stage.SESSIONS)
    play_session(programme, "1A")
    play_session(programme, "1B")
    schedule(programme, "1C", 12)
    hold(programme, "1C")
    refused(programme, "1C", Outputs(summary="Nothing"), OutputMissing)
    refused(programme, "1C", Outputs(summary="x", compact=CompactDraft(doctors_give=("All",))), Invalid)
    refused(programme, "1C", Outputs(summary="x", compact=CompactDraft(managers_give=("All",))), Invalid)
    write(programme, "1C")
    assert draft_of(programme) is None
    confirm(programme, "1C")
    draft = draft_of(programme)
    assert draft is not None
    assert draft.gets(Side.DOCTOR) == draft.gives(Side.MANAGER) == ("We ask before we change",)


# --- notes count when both sides confirm ---------------------------------------------------------------------------


def test_notes_are_due_in_two_working_days_and_confirmed_in_five() -> None:
    programme = held()
    plus, today = programme.engagement.time.plus, programme.today
    due = programme.tasks(FACILITATOR, "WriteNotes")[0].due
    assert due is not None
    assert due.on == plus(today, 2)
    write(programme, "1A")
    dues = {task.due.on for task in programme.tasks(command="ConfirmNotes") if task.due}
    assert dues == {plus(today, 5)}
    assert {task.person for task in programme.tasks(command="ConfirmNotes")} == {*DOCTORS[:5], *MANAGERS[:5]}


def test_who_attended_and_has_left_is_not_asked_to_confirm() -> None:
    programme = written()
    people = programme.engagement.people
    left = people["d0"].but(accepted=None)
    programme.engagement = programme.engagement.but(people={**people, "d0": left})
    assert not programme.tasks("d0", "ConfirmNotes")
    assert programme.tasks("d1", "ConfirmNotes")


@pytest.mark.parametrize("people", [(), ("d0",), ("m0",), ("d0", "d1"), ("m0", "m1")])
def test_notes_that_one_side_has_not_confirmed_count_for_nothing(people: tuple[str, ...]) -> None:
    programme = written()
    for person in people:
        if not programme.tasks(person, "ConfirmNotes"):
            with pytest.raises(AlreadyDone):
                programme.do(ConfirmNotes(session="1A", version=1), person)
            continue
        programme.do(ConfirmNotes(session="1A", version=1), person)
    programme.wait(30)
    assert session(programme).counts_from is None
    assert programme.engagement.running.sessions.priorities == ()


def test_notes_count_once_a_doctor_and_a_manager_who_attended_have_confirmed() -> None:
    programme = written()
    programme.do(ConfirmNotes(session="1A", version=1), "d4")
    assert not [task for task in programme.tasks(command="ConfirmNotes") if task.side is Side.DOCTOR]
    programme.do(ConfirmNotes(session="1A", version=1), "m4")
    assert len(programme.events(NotesAdopted)) == 1
    assert programme.engagement.running.sessions.priorities == PRIORITIES
    assert programme.engagement.running.sessions.problem == "Nobody owns the first hour"
    assert not programme.tasks(command="ConfirmNotes")
    programme.wait(10)
    assert not programme.events(NotesUnconfirmed)
    with pytest.raises(AlreadyDone):
        programme.do(WriteNotes(session="1A", outputs=OUTPUTS["A"]), FACILITATOR)


def test_who_did_not_attend_neither_confirms_nor_disputes() -> None:
    programme = written()
    for person in ("d9", "m9"):
        with pytest.raises(DidNotAttend):
            programme.do(ConfirmNotes(session="1A", version=1), person)
        with pytest.raises(DidNotAttend):
            programme.do(DisputeNotes(session="1A", version=1, text="No"), person)
    for person in (FACILITATOR, PM, MEDICAL):
        with pytest.raises(RoleRequired):
            programme.do(ConfirmNotes(session="1A", version=1), person)


def test_notes_that_are_not_out_are_not_confirmed() -> None:
    with pytest.raises(NotYet):
        held().do(ConfirmNotes(session="1A", version=1), "d0")


def test_a_new_version_of_the_notes_is_confirmed_anew() -> None:
    programme = written()
    programme.do(ConfirmNotes(session="1A", version=1), "d0")
    programme.do(WriteNotes(session="1A", outputs=OUTPUTS["A"].model_copy(update={"problem": "Other"})), FACILITATOR)
    with pytest.raises(NotesChanged):
        programme.do(ConfirmNotes(session="1A", version=1), "m0")
    programme.do(ConfirmNotes(session="1A", version=2), "m0")
    assert session(programme).counts_from is None
    programme.do(ConfirmNotes(session="1A", version=2), "d0")
    assert programme.engagement.running.sessions.problem == "Other"


def test_dissent_is_kept_whatever_becomes_of_the_notes() -> None:
    programme = written()
    with pytest.raises(Invalid):
        programme.do(DisputeNotes(session="1A", version=1, text=" "), "m1")
    programme.do(DisputeNotes(session="1A", version=1, text="We never said that"), "m1")
    programme.do(WriteNotes(session="1A", outputs=OUTPUTS["A"]), FACILITATOR)
    programme.do(DisputeNotes(session="1A", version=2, text="Nor that"), "m1")
    confirm(programme, "1A")
    kept = [(one.side, one.version, one.text) for one in session(programme).dissents]
    assert kept == [(Side.MANAGER, 1, "We never said that"), (Side.MANAGER, 2, "Nor that")]


def test_the_facilitator_hears_of_a_dispute_without_its_words() -> None:
    programme = written()
    programme.do(DisputeNotes(session="1A", version=1, text="We never said that"), "m1")
    programme.wait(1)
    titles = programme.told(FACILITATOR)
    assert any("disputed" in title for title in titles)
    assert not any("never said" in title for title in titles)


def test_the_facilitator_settles_only_after_five_working_days_and_with_both_views() -> None:
    programme = written()
    settle = SettleNotes(session="1A", doctors_view="As written", managers_view="Not the last point")
    with pytest.raises(NotYet):
        programme.do(settle, FACILITATOR)
    programme.do(ConfirmNotes(session="1A", version=1), "d0")
    programme.do(DisputeNotes(session="1A", version=1, text="Not the last point"), "m0")
    programme.wait(5)
    assert not programme.tasks(FACILITATOR, "SettleNotes")
    programme.wait(1)
    assert [task.about for task in programme.tasks(FACILITATOR, "SettleNotes")] == ["1A"]
    for views in ({"doctors_view": ""}, {"managers_view": " "}):
        with pytest.raises(Invalid):
            programme.do(settle.model_copy(update=views), FACILITATOR)
    programme.do(settle, FACILITATOR)
    notes = session(programme).notes
    assert notes is not None
    assert notes.views == {Side.DOCTOR: "As written", Side.MANAGER: "Not the last point"}
    assert [one.text for one in session(programme).dissents] == ["Not the last point"]
    assert programme.engagement.running.sessions.priorities == PRIORITIES
    with pytest.raises(AlreadyDone):
        programme.do(settle, FACILITATOR)
    with pytest.raises(AlreadyDone):
        programme.do(ConfirmNotes(session="1A", version=1), "m0")


def test_nobody_but_the_facilitator_settles_notes() -> None:
    programme = written()
    programme.wait(6)
    for person in ("d0", "m0", PM, MEDICAL, MANAGERIAL):
        with pytest.raises(RoleRequired):
            programme.do(SettleNotes(session="1A", doctors_view="x", managers_view="x"), person)


def test_somebody_may_still_confirm_after_the_five_days() -> None:
    programme = written()
    programme.do(ConfirmNotes(session="1A", version=1), "d0")
    programme.wait(8)
    programme.do(ConfirmNotes(session="1A", version=1), "m0")
    assert programme.engagement.running.sessions.priorities == PRIORITIES
    assert not programme.tasks(FACILITATOR, "SettleNotes")


# --- differences ---------------------------------------------------------------------------------------------------


def test_differences_are_kept_with_the_views_of_both_sides() -> None:
    programme = begun(Stage.SESSIONS)
    programme.do(RaiseDifference(title="What counts as safe", condition="C09", view="Seen by a senior"), "d0")
    programme.do(NoteView(difference="D1", text="Seen within four hours"), "m0")
    programme.do(NoteView(difference="D1", text="Both, by now", side=Side.DOCTOR), FACILITATOR)
    log = programme.engagement.differences["D1"]
    assert [view.text for view in log.of(Side.DOCTOR)] == ["Seen by a senior", "Both, by now"]
    assert [view.text for view in log.of(Side.MANAGER)] == ["Seen within four hours"]


def test_nobody_notes_the_view_of_the_other_side() -> None:
    programme = begun(Stage.SESSIONS)
    programme.do(RaiseDifference(title="What counts as safe"), "d0")
    with pytest.raises(WrongSide):
        programme.do(NoteView(difference="D1", text="They are wrong", side=Side.MANAGER), "d0")
    for command in (
        NoteView(difference="D1", text="Whose?"),
        NoteView(difference="D1", text=" ", side=Side.DOCTOR),
        RaiseDifference(title="Another", view="Whose?"),
        RaiseDifference(title=" "),
    ):
        with pytest.raises(Invalid):
            programme.do(command, FACILITATOR)
    for person in (PM, MEDICAL):
        with pytest.raises(RoleRequired):
            programme.do(NoteView(difference="D1", text="x", side=Side.DOCTOR), person)


def test_a_difference_is_about_something_that_exists() -> None:
    programme = begun(Stage.SESSIONS)
    with pytest.raises(UnknownCondition):
        programme.do(RaiseDifference(title="x", condition="C12"), "d0")
    with pytest.raises(UnknownSession):
        programme.do(RaiseDifference(title="x", session="1Z"), "d0")
    with pytest.raises(UnknownDifference):
        programme.do(NoteView(difference="D9", text="x"), "d0")


def test_the_log_begins_with_the_first_cycle() -> None:
    programme = begun(Stage.MANDATE)
    programme.do(AcceptEnrolment(side=Side.DOCTOR, privacy_notice="1"), "d0")
    with pytest.raises(NotYet):
        programme.do(RaiseDifference(title="x"), "d0")


def test_differences_outlive_the_cycle_in_which_they_came_up() -> None:
    programme = begun(Stage.SESSIONS)
    programme.do(RaiseDifference(title="What counts as safe"), "d0")
    after = programme.engagement.with_cycle(2, date(2027, 1, 5))
    assert after.differences == programme.engagement.differences


# --- deferrals -----------------------------------------------------------------------------------------------------


def deferring(until: date, condition: str = "C03", reason: str = "After the new rota") -> Outputs:
    deferral = Deferral(condition=condition, until=until, reason=reason)
    return OUTPUTS["A"].model_copy(update={"deferrals": (deferral,)})


def test_a_priority_is_deferred_until_a_date_and_for_a_reason() -> None:
    programme = held()
    programme.do(RaiseDifference(title="What counts as safe", session="1A"), "d0")
    later = programme.today + timedelta(days=60)
    for outputs, refusal in (
        (deferring(later, reason=" "), Invalid),
        (deferring(programme.today), Invalid),
        (deferring(later, condition="C01"), Invalid),
        (deferring(later, condition="C99"), UnknownCondition),
    ):
        refused(programme, "1A", outputs, refusal)
    write(programme, "1A", deferring(later))
    assert not programme.events(ConditionDeferred)
    confirm(programme, "1A")
    assert sessions.uncovered(programme.engagement) == ("C09", "C10")


def test_a_deferral_runs_out_and_the_condition_waits_again() -> None:
    programme = held()
    until = programme.today + timedelta(days=20)
    write(programme, "1A", deferring(until))
    confirm(programme, "1A")
    programme.advance(until)
    assert [event.condition for event in programme.events(DeferralRanOut)] == ["C03"]
    assert sessions.uncovered(programme.engagement) == PRIORITIES
    assert programme.engagement.running.sessions.deferrals["C03"].ran_out
    assert deferred(programme.engagement) == ("C03",)


def test_what_was_left_for_later_is_offered_until_an_action_takes_it_up() -> None:
    programme = held()
    write(programme, "1A", deferring(programme.today + timedelta(days=20)))
    confirm(programme, "1A")
    assert deferred(programme.engagement) == ("C03",)
    with_action(programme, "C03")
    assert deferred(programme.engagement) == ()


# --- gate G3 -------------------------------------------------------------------------------------------------------


def test_the_gate_asks_for_three_sessions_an_action_and_every_priority_taken_up() -> None:
    programme = begun(Stage.SESSIONS)
    assert sessions.lacks(programme.engagement) == [
        "session A must be held with a quorum",
        "session B must be held with a quorum",
        "session C must be held with a quorum",
        "at least 1 action must be proposed",
    ]
    programme = all_held()
    assert sessions.lacks(programme.engagement) == [
        "at least 1 action must be proposed",
        *(f"{condition} must have an action, or a deferral with a date" for condition in PRIORITIES),
    ]
    with_action(programme, *PRIORITIES)
    assert programme.engagement.in_stage(Stage.AGREEMENT)
    assert not programme.engagement.in_stage(Stage.SESSIONS)
    assert programme.events(GatePassed)[-1].gate == "G3"


@pytest.mark.parametrize("status", [ActionStatus.DRAFT, ActionStatus.DECLINED, ActionStatus.WITHDRAWN])
def test_an_action_that_is_not_before_both_sides_opens_no_gate(status: ActionStatus) -> None:
    programme = all_held()
    with_action(programme, *PRIORITIES, status=status)
    assert programme.engagement.in_stage(Stage.SESSIONS)


def test_a_priority_without_action_or_deferral_keeps_the_gate_shut() -> None:
    programme = all_held()
    with_action(programme, "C03", "C09")
    assert sessions.lacks(programme.engagement) == ["C10 must have an action, or a deferral with a date"]


def test_a_deferral_made_in_an_extra_session_opens_the_gate() -> None:
    programme = all_held()
    with_action(programme, "C03", "C09")
    programme.do(CallSession(why="C10 fits none of the actions"), FACILITATOR)
    schedule(programme, "1E", 10)
    hold(programme, "1E")
    until = programme.today + timedelta(days=90)
    outputs = Outputs(summary="We wait", deferrals=(Deferral(condition="C10", until=until, reason="New building"),))
    write(programme, "1E", outputs)
    assert programme.engagement.in_stage(Stage.SESSIONS)
    confirm(programme, "1E")
    assert programme.engagement.in_stage(Stage.AGREEMENT)


def test_unconfirmed_notes_keep_the_gate_shut() -> None:
    programme = begun(Stage.SESSIONS)
    play_session(programme, "1A")
    play_session(programme, "1B")
    schedule(programme, "1C", 12)
    hold(programme, "1C")
    write(programme, "1C")
    with_action(programme, *PRIORITIES)
    assert sessions.lacks(programme.engagement) == ["the notes of session C must be confirmed from both sides"]
    confirm(programme, "1C")
    assert programme.engagement.in_stage(Stage.AGREEMENT)


def test_the_gate_stays_shut_while_a_sponsor_is_not_willing() -> None:
    programme = all_held()
    programme.engagement = programme.engagement.but(mandate=Mandate())
    with_action(programme, *PRIORITIES)
    assert sessions.lacks(programme.engagement) == ["both sponsors' willingness must be in force"]
    assert programme.engagement.in_stage(Stage.SESSIONS)


# --- extra sessions ------------------------------------------------------------------------------------------------


def called(programme: Programme, purpose: Purpose, within: int | None = None) -> None:
    """Another stage calls a session."""
    events = call_session(
        programme.engagement, purpose, "Something to settle", programme.today, "Because", within=within
    )
    engagement = programme.engagement
    for event in events:
        engagement = sessions.PART.evolve[type(event)](engagement, event, programme.at)
    programme.engagement = engagement


def test_a_session_of_one_purpose_is_called_once_until_it_is_held() -> None:
    programme = all_held()
    called(programme, Purpose.STUCK)
    assert call_session(programme.engagement, Purpose.STUCK, "x", programme.today, "y") == []
    schedule(programme, "1S", 3)
    hold(programme, "1S")
    called(programme, Purpose.STUCK)
    assert {name for name in programme.engagement.running.sessions.all if "S" in name} == {"1S", "1S2"}


@pytest.mark.parametrize(
    ("purpose", "name"),
    [(Purpose.AGREEMENT, "1C2"), (Purpose.STUCK, "1S"), (Purpose.LEARNING, "1D"), (Purpose.RENEWAL, "1R")],
)
def test_extra_sessions_follow_the_same_rules(purpose: Purpose, name: str) -> None:
    programme = all_held()
    called(programme, purpose, within=15)
    assert programme.tasks(FACILITATOR, "ScheduleSession")[0].about == name
    with pytest.raises(SessionTooLate):
        schedule(programme, name, 16)
    schedule(programme, name, 3)
    hold(programme, name, doctors=1)
    assert not quorate(programme.engagement, name)
    with pytest.raises(NotQuorate):
        programme.do(WriteNotes(session=name, outputs=Outputs(summary="x", learned="y")), FACILITATOR)
    again = list(programme.engagement.running.sessions.all.values())[-1]
    assert (again.purpose, again.within) == (purpose, 15)


def test_an_extra_session_c_does_not_stand_in_for_the_planned_one() -> None:
    programme = begun(Stage.SESSIONS)
    play_session(programme, "1A")
    play_session(programme, "1B")
    called(programme, Purpose.AGREEMENT)
    schedule(programme, "1C2", 3)
    hold(programme, "1C2")
    write(programme, "1C2", Outputs(summary="x"))
    confirm(programme, "1C2")
    assert "session C must be held with a quorum" in sessions.lacks(programme.engagement)


def test_the_session_that_looks_back_says_what_was_learned_and_has_the_sponsors_there() -> None:
    programme = all_held()
    called(programme, Purpose.LEARNING)
    schedule(programme, "1D", 3)
    assert {MEDICAL, MANAGERIAL} <= set(programme.events(NoticeRaised)[-1].people)
    hold(programme, "1D")
    refused(programme, "1D", Outputs(summary="We met"), OutputMissing)
    write(programme, "1D", Outputs(summary="We met", learned="To ask first"))
    confirm(programme, "1D")
    assert programme.engagement.running.sessions.learned == "To ask first"


def test_an_extra_session_is_called_with_a_reason_and_not_before_the_others() -> None:
    programme = begun(Stage.SESSIONS)
    with pytest.raises(Invalid):
        programme.do(CallSession(why=" "), FACILITATOR)
    with pytest.raises(RoleRequired):
        programme.do(CallSession(why="Because"), "d0")
    with pytest.raises(NotYet):
        begun(Stage.EXCHANGE).do(CallSession(why="Because"), FACILITATOR)


def test_reminders_of_an_extra_session_are_not_sent_again_when_the_stage_ends() -> None:
    """Invariant 23: the same reminder at most once, although a stage's reminders are forgotten at its end."""
    programme = all_held()
    programme.do(CallSession(why="Because"), FACILITATOR)
    schedule(programme, "1E", 20)
    programme.wait(1)
    with_action(programme, *PRIORITIES)
    programme.wait(20)
    sent = [
        (item.task, item.rung, person)
        for event in programme.events(MessageIssued)
        for item in event.items
        for person in event.people
        if item.task
    ]
    assert len(sent) == len(set(sent))


def test_the_compact_is_shown_once_both_sponsors_have_signed_it() -> None:
    programme = all_held()
    for signed, shown in (((), False), ((MEDICAL,), False), ((MEDICAL, MANAGERIAL), True)):
        compact = Compact(version=1, signatures=dict.fromkeys(signed, programme.today))
        programme.engagement = programme.engagement.in_cycle(agreement=Agreement(compact=compact))
        assert (shown_compact(programme.engagement) is not None) is shown


# --- what runs through everything ----------------------------------------------------------------------------------


def test_a_pause_moves_what_is_due_and_says_why() -> None:
    programme = written()
    before = programme.tasks("d0", "ConfirmNotes")[0].due
    assert before is not None
    resumes = programme.engagement.time.plus(programme.today, 10)
    programme.do(PauseEngagement(reason="A winter peak", resumes=resumes), PM)
    programme.advance(resumes)
    after = programme.tasks("d0", "ConfirmNotes")[0].due
    assert after is not None
    assert after.on == programme.engagement.time.plus(before.on, 10)
    assert any("confirm-1-1A" in event.task for event in programme.events(DueDateMoved))


def test_a_session_that_lies_in_a_pause_is_called_off_at_once() -> None:
    programme = dated()
    schedule(programme, "1B", 34)
    on = session(programme).on
    assert on is not None
    programme.advance(programme.engagement.time.plus(on, -10))
    programme.do(PauseEngagement(reason="A winter peak", resumes=on + timedelta(days=1)), PM)
    programme.wait(1)
    title = "Joint session A, Make sense together is cancelled"
    for person in ("d0", "m0", FACILITATOR):
        assert any(told.startswith(title) for told in programme.told(person))
    assert session(programme).starts is None
    assert session(programme, "1B").starts is not None
    programme.advance(on + timedelta(days=4))
    assert "1A" in [task.about for task in programme.tasks(FACILITATOR, "ScheduleSession")]


def test_a_session_on_the_day_on_which_the_programme_goes_on_takes_place() -> None:
    programme = dated()
    on = session(programme).on
    assert on is not None
    programme.advance(programme.engagement.time.plus(on, -10))
    programme.do(PauseEngagement(reason="A winter peak", resumes=on), PM)
    assert session(programme).on == on


@pytest.mark.parametrize("recorded", [True, False])
def test_a_pause_calls_off_no_session_that_took_place_that_day(recorded: bool) -> None:
    programme = dated()
    ends = session(programme).ends
    assert ends is not None
    programme.advance(ends)
    if recorded:
        hold(programme, "1A")
    programme.do(PauseEngagement(reason="A winter peak", resumes=programme.today + timedelta(days=7)), PM)
    assert session(programme).ends == ends


def test_reminders_and_notices_leave_in_sending_hours_only() -> None:
    programme = all_held()
    programme.wait(10)
    times = [entry.at for entry in programme.entries if isinstance(entry.event, MessageIssued)]
    assert times
    assert all(programme.engagement.time.may_send(at) for at in times)


def test_a_year_of_sessions_can_be_rebuilt_from_its_history() -> None:
    programme = all_held()
    programme.do(CallSession(why="Because"), FACILITATOR)
    assert fold(Engagement(), programme.entries) == programme.engagement


def test_only_two_people_of_different_sides_who_attended_make_notes_count() -> None:
    """Invariant 19, over every pair of people who could try."""
    start = written()
    attending = {"d0": Side.DOCTOR, "d1": Side.DOCTOR, "m0": Side.MANAGER, "m1": Side.MANAGER}
    for pair in combinations((*attending, "d9", "m9", FACILITATOR, PM, MEDICAL), 2):
        programme = start.copy()
        for person in pair:
            with suppress(DidNotAttend, RoleRequired, AlreadyDone):
                programme.do(ConfirmNotes(session="1A", version=1), person)
        both = {attending.get(person) for person in pair} == set(Side)
        assert (session(programme).counts_from is not None) is both


def test_a_quorum_means_the_same_for_every_number_of_people() -> None:
    """Invariant 18: at least 3 of each side, and at least 2 in 5 of those who vote."""
    engagement = begun(Stage.SESSIONS).engagement
    for doctors, managers in product(range(15), range(15)):
        fewer, more = sorted((doctors, managers))
        expected = fewer >= 3 and 5 * fewer >= 2 * (fewer + more)
        assert quorum_of(engagement, DOCTORS[:doctors] + MANAGERS[:managers]) is expected
