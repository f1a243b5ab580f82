"""Changing with care: never by editing the past, always with notice, refused where a gate or invariant forbids it."""

from datetime import date, timedelta
from random import Random

import hypothesis
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from programme.changes.extending import DueDateExtended, ExtendDueDate
from programme.changes.record import LaterReason, SkipReason, Step
from programme.changes.skipping import SkipStep, StepSkipped, left_out_in_words
from programme.continuity import DueDateMoved, PauseEngagement
from programme.engagement import TimeReached, next_wake, step
from programme.messages import CLOCK, Command, Event, Side, Stage, Task
from programme.part import Asked
from programme.post import MessageIssued
from programme.refusals import (
    ExtensionTooLong,
    Invalid,
    NotExtendable,
    NotSkippable,
    Refusal,
    RoleRequired,
    StatementsMissing,
    UnknownTask,
)
from programme.stages.agreement import ActionExpired
from programme.stages.delivery import DriftFlagged
from programme.stages.evidence import LeftOutShown
from programme.stages.exchange import ConfirmPairs
from programme.stages.meetings import HoldReview
from programme.stages.objections import RaiseSafetyObjection
from programme.stages.review import missing_statements
from programme.stages.visits import RecordVisit, WriteReflection
from tests.core import given
from tests.core.agreed import agree, agreeing, delivering, propose, status
from tests.core.invariants import Watch
from tests.core.programme_driver import FACILITATOR, PM, Programme, begun, words
from tests.core.volunteers import end_appointments, go_back, leave_out, more_time

PRESSURE = LaterReason.PRESSURE_OF_WORK


def owed(programme: Programme, command: str, person: str | None = None) -> Task:
    """The first open task that a command completes."""
    return programme.tasks(person, command)[0]


def due(programme: Programme, task: Task) -> date:
    (now,) = [one.due.on for one in programme.tasks() if one.id == task.id and one.due]
    return now


def extend(programme: Programme, task: Task, working_days: int, by: str = PM, **fields: object) -> list[Event]:
    assert task.due
    to = programme.engagement.time.plus(max(due(programme, task), programme.today), working_days)
    facts = {"task": task.id, "to": to, "reason": PRESSURE, **fields}
    return programme.do(ExtendDueDate.model_validate(facts), by)


# --- more time -------------------------------------------------------------------------------------------------------


def test_a_due_date_moves_later_for_everybody_of_whom_the_same_is_asked() -> None:
    programme = begun(Stage.AGREEMENT)
    doctor, manager = owed(programme, "AgreeAction", "d1"), owed(programme, "AgreeAction", "m1")
    assert doctor.due
    events = extend(programme, doctor, 4)
    later = programme.engagement.time.plus(doctor.due.on, 4)
    moved = [event for event in events if isinstance(event, DueDateMoved)]
    assert {(event.task, event.was, event.now) for event in moved} == {
        (task.id, doctor.due.on, later) for task in (doctor, manager)
    }
    assert [(due(programme, task)) for task in (doctor, manager)] == [later, later]


def test_a_moved_due_date_says_who_gave_the_time_and_why_and_no_more_than_that() -> None:
    programme = begun(Stage.AGREEMENT)
    task = owed(programme, "AgreeAction")
    events = extend(programme, task, 3, sentence="Two of us have flu")
    now = owed(programme, "AgreeAction")
    assert now.due
    assert task.due
    assert now.due.why.startswith(task.due.why)
    assert "the programme manager gave 3 working days more on" in now.due.why
    assert "(pressure of work)" in now.due.why
    assert "flu" not in now.due.why
    assert [event.sentence for event in events if isinstance(event, DueDateExtended)] == ["Two of us have flu"]


def test_those_who_get_more_time_are_told() -> None:
    programme = begun(Stage.AGREEMENT)
    extend(programme, owed(programme, "AgreeAction"), 3)
    programme.wait(2)
    for person in ("d1", "m1"):
        assert any("More time, until" in title for title in programme.told(person))
    assert not any("More time" in title for title in programme.told("d2"))


def test_what_closes_a_task_waits_for_the_later_date() -> None:
    programme = agreeing()
    propose(programme)
    task = owed(programme, "AgreeAction", "d1")
    assert task.due
    extend(programme, task, 5)
    programme.advance(programme.engagement.time.plus(task.due.on, 5))
    assert programme.events(ActionExpired) == []
    agree(programme)
    other = agreeing()
    propose(other)
    extend(other, owed(other, "AgreeAction", "d1"), 5)
    other.advance(other.engagement.time.plus(task.due.on, 6))
    assert len(other.events(ActionExpired)) == 1
    assert status(other).value == "draft"


def test_a_pause_moves_a_date_that_was_extended_too() -> None:
    programme = begun(Stage.AGREEMENT)
    task = owed(programme, "AgreeAction", "d1")
    assert task.due
    extend(programme, task, 5)
    programme.advance(programme.engagement.time.plus(task.due.on, 2))
    before = due(programme, task)
    programme.do(PauseEngagement(reason="Snow", resumes=programme.engagement.time.plus(programme.today, 3)), PM)
    programme.wait(3)
    assert due(programme, task) == programme.engagement.time.plus(before, 3)


def test_the_days_given_to_one_duty_have_a_limit_in_all() -> None:
    programme = begun(Stage.AGREEMENT)
    task = owed(programme, "AgreeAction", "d1")
    extend(programme, task, 6)
    with pytest.raises(ExtensionTooLong, match="at most 10 working days more in all; 4 of them are left"):
        extend(programme, owed(programme, "AgreeAction", "m1"), 5)
    extend(programme, task, 4)
    with pytest.raises(ExtensionTooLong):
        extend(programme, task, 1)


@pytest.mark.parametrize("days", [0, -1, -20])
def test_a_due_date_is_never_extended_to_an_earlier_day_or_the_same(days: int) -> None:
    programme = begun(Stage.AGREEMENT)
    task = owed(programme, "AgreeAction")
    assert task.due
    to = task.due.on + timedelta(days=days)
    with pytest.raises(Invalid, match="never moves earlier"):
        programme.do(ExtendDueDate(task=task.id, to=to, reason=PRESSURE), PM)


def test_a_due_date_moves_to_a_working_day() -> None:
    programme = begun(Stage.AGREEMENT)
    task = owed(programme, "AgreeAction")
    assert task.due
    saturday = task.due.on + timedelta(days=5 - task.due.on.weekday() or 7)
    with pytest.raises(Invalid, match="working day"):
        programme.do(ExtendDueDate(task=task.id, to=saturday, reason=PRESSURE), PM)


def test_what_is_overdue_is_given_time_from_today_on() -> None:
    programme = begun(Stage.EXCHANGE)
    task = owed(programme, "ConfirmPairs")
    assert task.due
    programme.advance(programme.engagement.time.plus(task.due.on, 3))
    yesterday = programme.engagement.time.plus(programme.today, -1)
    with pytest.raises(Invalid):
        programme.do(ExtendDueDate(task=task.id, to=yesterday, reason=PRESSURE), PM)
    extend(programme, task, 1)
    assert due(programme, task) > programme.today


def test_what_protects_patients_is_not_extended() -> None:
    programme = delivering()
    programme.do(RaiseSafetyObjection(action="A1", reason="Nobody is there at night"), "d5")
    for command in ("AcknowledgeObjection", "DecideObjection"):
        with pytest.raises(NotExtendable, match="protects patients"):
            extend(programme, owed(programme, command), 1)


def test_what_has_a_rule_of_its_own_is_not_extended() -> None:
    programme = begun(Stage.RENEWAL)
    with pytest.raises(UnknownTask):
        extend(programme, owed(programme, "CompleteQuestionnaire"), 1)


def test_a_refusal_tells_nobody_who_has_not_answered() -> None:
    programme = begun(Stage.DIAGNOSIS)
    refusals = []
    for task in (owed(programme, "CompleteQuestionnaire").id, "1/diagnosis/questionnaire-1/nobody", "no-such-task"):
        with pytest.raises(UnknownTask) as refused:
            programme.do(ExtendDueDate(task=task, to=programme.today + timedelta(days=40), reason=PRESSURE), PM)
        refusals.append(str(refused.value))
    assert len(set(refusals)) == 1


def test_another_reason_is_said_in_a_sentence() -> None:
    programme = begun(Stage.AGREEMENT)
    task = owed(programme, "AgreeAction")
    with pytest.raises(Invalid, match="what the reason is"):
        extend(programme, task, 1, reason=LaterReason.OTHER, sentence="  ")
    extend(programme, task, 1, reason=LaterReason.OTHER, sentence="The building is closed")


def test_the_facilitator_gives_time_in_the_exchange_and_for_joint_sessions_only() -> None:
    programme = begun(Stage.AGREEMENT)
    with pytest.raises(UnknownTask):
        extend(programme, owed(programme, "AgreeAction"), 1, by=FACILITATOR)
    sessions = begun(Stage.SESSIONS)
    task = owed(sessions, "ScheduleSession")
    extend(sessions, task, 2, by=FACILITATOR)
    now = owed(sessions, "ScheduleSession").due
    assert now
    assert "the facilitator gave 2 working days more" in now.why
    with pytest.raises(RoleRequired):
        extend(sessions, task, 1, by="d1")


# --- steps that are left out -----------------------------------------------------------------------------------------


def skip(programme: Programme, task: Task, by: str = PM, sentence: str = "The ward is short of people") -> list[Event]:
    return programme.do(SkipStep(task=task.id, reason=SkipReason.PRESSURE_OF_WORK, sentence=sentence), by)


def checking_in() -> Programme:
    """Delivery runs, and the first check-ins are open."""
    programme = delivering()
    while not programme.tasks(command="CheckIn"):
        programme.wait(1)
    return programme


def visiting() -> Programme:
    """The pairs are formed, and nobody has visited anybody."""
    programme = begun(Stage.EXCHANGE)
    programme.do(ConfirmPairs(), PM)
    return programme


def test_the_check_ins_of_a_month_are_left_out_for_both_sides_and_count_as_nothing() -> None:
    programme = checking_in()
    (about,) = {task.about for task in programme.tasks(command="CheckIn")}
    skip(programme, owed(programme, "CheckIn", "d1"))
    assert programme.tasks(command="CheckIn") == []
    assert programme.engagement.running.delivery.check_ins[-1].lines[about] == {}
    programme.wait(2)
    for person in ("d1", "m1"):
        assert any(title.startswith("Left out: Check in on A1") for title in programme.told(person))


def test_a_month_that_was_left_out_is_not_chased() -> None:
    programme = checking_in()
    ids = {task.id for task in programme.tasks(command="CheckIn")}
    skip(programme, owed(programme, "CheckIn", "d1"))
    asked = len(programme.entries)
    programme.wait(15)
    told = [entry.event for entry in programme.entries[asked:] if isinstance(entry.event, MessageIssued)]
    assert [item.task for event in told for item in event.items if item.task in ids] == []


def test_a_touchpoint_that_was_left_out_is_asked_for_again_in_its_time_and_drift_is_still_seen() -> None:
    programme = delivering()
    first = owed(programme, "RecordTouchpoint", "d1")
    skip(programme, first)
    again = owed(programme, "RecordTouchpoint", "d1")
    assert again.id != first.id
    assert first.due
    assert again.due
    assert again.due.on >= first.due.on
    programme.wait(programme.engagement.template.durations.drift + 1)
    assert len(programme.events(DriftFlagged)) == 1


def test_the_second_visit_of_a_pair_is_left_out_and_the_pair_goes_on() -> None:
    programme = visiting()
    pair = next(iter(programme.engagement.running.exchange.standing))
    doctor, manager = pair.members[0], pair.members[-1]
    with pytest.raises(NotSkippable, match="gate G2"):
        skip(programme, owed(programme, "RecordVisit", doctor))
    programme.do(RecordVisit(pair=pair.id, host=manager, on=programme.today), doctor)
    (task,) = [one for one in programme.tasks(manager, "RecordVisit") if one.about == pair.id]
    skip(programme, task, by=FACILITATOR)
    assert [one for one in programme.tasks(manager, "RecordVisit") if one.about == pair.id] == []
    programme.do(WriteReflection(pair=pair.id, words=words()), manager)
    assert [one.guest for one in programme.engagement.running.exchange.pairs[pair.id].visits] == [doctor]


def test_an_insight_is_left_out_and_no_review_is_told_of_it() -> None:
    programme = visiting()
    pair = next(iter(programme.engagement.running.exchange.standing))
    programme.do(RecordVisit(pair=pair.id, host=pair.managers[0], on=programme.today), pair.doctors[0])
    skip(programme, owed(programme, "OfferInsight", pair.doctors[0]))
    assert [one for one in programme.tasks(pair.doctors[0], "OfferInsight") if one.about == pair.id] == []
    assert left_out_in_words(programme.engagement) == ()


def test_a_position_statement_is_left_out_and_the_chair_still_says_that_it_is_missing() -> None:
    programme = given.dated(given.opened(given.delivering(), "1-internal-1"), "1-internal-1")
    skip(programme, owed(programme, "GivePositionStatement", "d1"))
    assert programme.tasks("d1", "GivePositionStatement") == []
    meeting = given.review_of(programme, "1-internal-1").meeting
    assert meeting
    programme.advance(meeting.ends)
    review = given.review_of(programme, "1-internal-1")
    assert Side.DOCTOR in missing_statements(programme.engagement, review)
    assert review.evidence
    (line,) = review.evidence.left_out
    assert line.startswith("position statement 1-internal-1, left out on")
    with pytest.raises(StatementsMissing):
        programme.do(HoldReview(review=review.id, attended=tuple(review.panel)), review.chair)


def test_evidence_of_a_cycle_in_which_nothing_was_left_out_names_nothing() -> None:
    programme = given.dated(given.opened(given.delivering(), "1-internal-1"), "1-internal-1")
    meeting = given.review_of(programme, "1-internal-1").meeting
    assert meeting
    programme.advance(meeting.ends)
    assert programme.events(LeftOutShown) == []


@pytest.mark.parametrize(
    ("stage", "command", "gate"),
    [
        (Stage.MANDATE, "AcceptAppointment", "gate G0"),
        (Stage.EXCHANGE, "ConfirmPairs", "gate G2"),
        (Stage.SESSIONS, "ScheduleSession", "gate G3"),
        (Stage.AGREEMENT, "AgreeAction", "gate G4"),
        (Stage.AGREEMENT, "SignCompact", "gate G4"),
    ],
)
def test_a_step_on_which_a_gate_hangs_is_not_left_out_and_the_refusal_names_it(
    stage: Stage, command: str, gate: str
) -> None:
    programme = begun(stage)
    with pytest.raises(NotSkippable, match=gate):
        skip(programme, owed(programme, command))


def test_nobody_learns_from_a_refusal_to_skip_who_has_not_answered() -> None:
    programme = begun(Stage.DIAGNOSIS)
    for task in (owed(programme, "CompleteQuestionnaire").id, "1/diagnosis/questionnaire-1/nobody"):
        with pytest.raises(UnknownTask):
            programme.do(SkipStep(task=task, reason=SkipReason.OTHER, sentence="No"), PM)


def test_leaving_out_takes_a_sentence_and_the_programme_managers_or_facilitators_part() -> None:
    programme = checking_in()
    task = owed(programme, "CheckIn")
    with pytest.raises(Invalid, match="Say in a sentence"):
        skip(programme, task, sentence=" ")
    with pytest.raises(UnknownTask):
        skip(programme, task, by=FACILITATOR)
    with pytest.raises(RoleRequired):
        skip(programme, task, by="d1")


def test_what_was_left_out_stays_in_the_history() -> None:
    programme = checking_in()
    skip(programme, owed(programme, "CheckIn"))
    (event,) = programme.events(StepSkipped)
    assert (event.step, event.about, event.sentence) == (Step.CHECK_IN, "A1", "The ward is short of people")


# --- all of it together ----------------------------------------------------------------------------------------------


@settings(max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@hypothesis.given(seed=st.integers(0, 2**24 - 1), stage=st.sampled_from(list(Stage)[1:]))
def test_no_due_date_moves_earlier_or_without_its_event_whatever_is_changed(seed: int, stage: Stage) -> None:
    chance, programme, watch = Random(seed), begun(stage), Watch()  # noqa: S311 - nothing here is a secret
    watch.recorded += programme.entries
    for _ in range(14):
        changes = chance.choice((more_time, more_time, leave_out, go_back, end_appointments))(programme, chance)
        resumes = programme.engagement.time.plus(programme.today, chance.randint(1, 6))
        pause: tuple[Command, str] = (PauseEngagement(reason="Snow", resumes=resumes), PM)
        for command, person in (*changes, *([pause] if chance.random() < 0.2 else ())):
            watched(programme, watch, command, person)
        for _ in range(chance.randint(0, 4)):
            if wake := next_wake(programme.engagement, programme.at):
                programme.at = max(programme.at, wake)
                watched(programme, watch, TimeReached(), CLOCK)


def watched(programme: Programme, watch: Watch, command: Command, person: str) -> None:
    """Ask, and hold what came of it against every promise that was made before."""
    before = programme.engagement
    try:
        after, entries = step(before, command, Asked(person, programme.at))
    except Refusal:
        return
    programme.engagement = after
    programme.entries += entries
    assert [fault for fault in watch.see(before, entries, after) if fault.startswith("invariant 24")] == []
