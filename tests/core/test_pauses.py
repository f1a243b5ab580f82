"""The stopped clock: what is said about an open questionnaire, how long a pause may last, and what lies in it."""

from datetime import date, timedelta

import pytest

from programme.continuity import (
    EngagementPausedUntil,
    EngagementResumed,
    ExtendPause,
    OpenWindow,
    PauseEngagement,
    PauseExtended,
    QuestionnaireKeptOpen,
    ResumeEngagement,
)
from programme.gates import GatePassed
from programme.messages import Event, Stage
from programme.post import MessageIssued, RungSuppressed
from programme.refusals import (
    DecisionAwaited,
    EngagementPaused,
    Invalid,
    NotPaused,
    PauseTooLong,
    RoleRequired,
    WindowIsOpen,
)
from programme.stages.diagnosis import CompleteQuestionnaire, QuestionnaireClosed
from programme.stages.mandate import Answer, StateWillingness
from programme.stages.meetings import ScheduleReview
from programme.working_time import Calendar, Holiday, Stop, WorkingTime, at_local
from tests.core.given import INTERNAL, dated, delivering, review_of
from tests.core.programme_driver import (
    FACILITATOR,
    MANAGERIAL,
    MEDICAL,
    PM,
    Programme,
    begun,
    play_exchange,
    registered,
)

LIMIT = 30
REVIEW = "1-internal-1"


def after(programme: Programme, working_days: int) -> date:
    """The day so many working days from now."""
    return programme.engagement.time.plus(programme.today, working_days)


def pause(programme: Programme, working_days: int, window: OpenWindow | None = None) -> list[Event]:
    command = PauseEngagement(reason="Winter pressure", resumes=after(programme, working_days), window=window)
    return programme.do(command, PM)


def until(programme: Programme, day: date) -> list[Event]:
    return programme.do(ExtendPause(reason="It goes on", resumes=day), PM)


def kinds(events: list[Event]) -> list[str]:
    return [event.kind for event in events]


# --- an open questionnaire -----------------------------------------------------------------------------------------


def test_whoever_pauses_while_a_questionnaire_is_open_says_what_becomes_of_it() -> None:
    programme = begun(Stage.DIAGNOSIS)
    with pytest.raises(WindowIsOpen, match="'close' to close it now, or 'extend'"):
        pause(programme, 5)
    assert not programme.engagement.paused


def test_where_no_questionnaire_is_open_nothing_has_to_be_said() -> None:
    programme = begun(Stage.EXCHANGE)
    assert not any(isinstance(event, QuestionnaireClosed) for event in pause(programme, 5, OpenWindow.CLOSE))
    assert programme.engagement.paused


def test_a_questionnaire_that_is_closed_before_a_pause_goes_the_way_of_one_that_ran_out() -> None:
    programme = begun(Stage.DIAGNOSIS)
    (closed,) = [event for event in pause(programme, 5, OpenWindow.CLOSE) if isinstance(event, QuestionnaireClosed)]
    assert closed.short
    assert [task.command for task in programme.tasks(FACILITATOR)] == ["ChooseAfterShortfall"]
    assert programme.tasks("d0", "CompleteQuestionnaire") == []


def test_a_questionnaire_that_enough_have_answered_is_closed_for_good() -> None:
    programme = begun(Stage.DIAGNOSIS)
    for number in range(11):
        for side in "dm":
            programme.do(CompleteQuestionnaire(), f"{side}{number}")
    (closed,) = [event for event in pause(programme, 5, OpenWindow.CLOSE) if isinstance(event, QuestionnaireClosed)]
    assert not closed.short
    assert [errand.kind for errand in programme.engagement.outstanding] == ["diagnosis.close"]


def test_a_questionnaire_that_is_kept_open_closes_later_by_what_was_lost_and_an_event_says_so() -> None:
    programme = begun(Stage.DIAGNOSIS)
    (task,) = programme.tasks("d0", "CompleteQuestionnaire")
    assert task.due
    pause(programme, 8, OpenWindow.EXTEND)
    (kept,) = [event for event in programme.wait(8) if isinstance(event, QuestionnaireKeptOpen)]
    assert kept.working_days == 8
    assert kept.closes == programme.engagement.time.plus(task.due.on, 8)
    (now,) = programme.tasks("d0", "CompleteQuestionnaire")
    assert now.due
    assert now.due.on == kept.closes
    (closing,) = [due for due in programme.engagement.acts if due.key == "act:diagnosis:close/diagnosis"]
    assert closing.at == at_local(kept.closes + timedelta(days=1), programme.at.replace(hour=0, minute=0).time())


def test_a_pause_that_cost_no_working_day_lengthens_no_questionnaire() -> None:
    programme = begun(Stage.DIAGNOSIS)
    pause(programme, 8, OpenWindow.EXTEND)
    assert "QuestionnaireKeptOpen" not in kinds(programme.do(ResumeEngagement(), PM))


# --- how long --------------------------------------------------------------------------------------------------------


def test_a_pause_is_extended_up_to_the_limit_counted_from_its_first_day() -> None:
    programme = begun(Stage.EXCHANGE)
    first = programme.today
    pause(programme, 10)
    programme.wait(5)
    with pytest.raises(PauseTooLong, match="30 working days in all"):
        until(programme, programme.engagement.time.plus(first, LIMIT + 1))
    assert kinds(until(programme, programme.engagement.time.plus(first, LIMIT))) == ["PauseExtended", "NoticeRaised"]
    programme.advance(programme.engagement.time.plus(first, LIMIT - 1))
    assert programme.engagement.paused
    programme.wait(1)
    assert programme.engagement.continuity.pause is None
    (stop,) = programme.engagement.continuity.stops
    assert programme.engagement.time.stopped(stop.first, stop.until) == LIMIT


def test_what_is_extended_keeps_its_first_day_and_moves_due_dates_by_all_that_was_lost() -> None:
    programme = begun(Stage.EXCHANGE)
    before = {task.id: task.due.on for task in programme.tasks() if task.due and task.due.on >= programme.today}
    pause(programme, 4)
    programme.wait(3)
    until(programme, after(programme, 6))
    programme.wait(6)
    now = {task.id: task.due.on for task in programme.tasks() if task.due}
    assert before
    assert {task: now[task] for task in before} == {
        task: programme.engagement.time.plus(on, 9) for task, on in before.items()
    }


@pytest.mark.parametrize("days", [0, -1])
def test_a_pause_is_extended_to_a_later_day_only(days: int) -> None:
    programme = begun(Stage.EXCHANGE)
    pause(programme, 5)
    assert programme.engagement.continuity.pause
    with pytest.raises(Invalid, match="To resume earlier, resume"):
        until(programme, programme.engagement.continuity.pause.resumes + timedelta(days=days))


def test_an_extension_needs_a_pause_a_reason_and_the_programme_manager() -> None:
    programme = begun(Stage.EXCHANGE)
    with pytest.raises(NotPaused):
        until(programme, after(programme, 5))
    pause(programme, 5)
    with pytest.raises(Invalid, match="Say why"):
        programme.do(ExtendPause(reason=" ", resumes=after(programme, 9)), PM)
    with pytest.raises(RoleRequired):
        programme.do(ExtendPause(reason="Flu", resumes=after(programme, 9)), MEDICAL)


def test_both_sponsors_hear_together_of_an_extension_and_of_an_early_end() -> None:
    programme = begun(Stage.EXCHANGE)
    pause(programme, 5)
    until(programme, after(programme, 9))
    programme.wait(1)
    programme.do(ResumeEngagement(), MANAGERIAL)
    programme.wait(1)
    told = [event for event in programme.events(MessageIssued) if event.topic == "pause"]
    assert {event.people for event in told} == {(MEDICAL, MANAGERIAL)}
    titles = [item.title for event in told for item in event.items]
    assert len(titles) == 3
    assert any(title.startswith("The programme has resumed earlier") for title in titles)


def test_a_pause_of_thirty_working_days_over_a_bank_holiday_reaches_a_day_further() -> None:
    programme = registered()
    holiday = Holiday(on=programme.today + timedelta(days=7), name="A day of mourning")
    programme = registered(calendar=programme.engagement.calendar.model_copy(update={"holidays": (holiday,)}))
    pause(programme, LIMIT)
    (paused,) = programme.events(EngagementPausedUntil)
    assert paused.resumes == date(2026, 2, 17)  # six weeks of Mondays to Fridays, and the day after


# --- the longest pause ---------------------------------------------------------------------------------------------


def longest() -> Programme:
    """The exchange, recognised by all but for its last step, after the longest pause."""
    programme = begun(Stage.EXCHANGE)
    pause(programme, LIMIT)
    programme.wait(LIMIT)
    return programme


def test_both_sponsors_are_told_together_that_they_decide_after_the_longest_pause() -> None:
    programme = begun(Stage.EXCHANGE)
    pause(programme, LIMIT)
    programme.wait(1)
    (told,) = [event for event in programme.events(MessageIssued) if event.topic == "pause"]
    assert told.people == (MEDICAL, MANAGERIAL)
    assert "both sponsors then say whether they are willing" in told.items[0].title
    programme.wait(LIMIT)
    asked = [task.person for task in programme.tasks(command="StateWillingness")]
    assert asked == [MEDICAL, MANAGERIAL]


def test_after_the_longest_pause_no_gate_passes_until_both_sponsors_are_willing_again() -> None:
    programme = longest()
    passed = len(programme.events(GatePassed))
    play_exchange(programme)
    assert len(programme.events(GatePassed)) == passed
    for sponsor in (MEDICAL, MANAGERIAL):
        programme.do(StateWillingness(answer=Answer.WILLING), sponsor)
    assert len(programme.events(GatePassed)) == passed + 1


def test_there_is_no_further_pause_before_that_decision() -> None:
    programme = longest()
    with pytest.raises(DecisionAwaited):
        pause(programme, 1)
    for sponsor in (MEDICAL, MANAGERIAL):
        programme.do(StateWillingness(answer=Answer.WILLING), sponsor)
    pause(programme, 1)
    assert programme.engagement.paused


def test_a_shorter_pause_asks_no_sponsor_for_anything() -> None:
    programme = begun(Stage.EXCHANGE)
    pause(programme, LIMIT - 1)
    programme.wait(LIMIT)
    assert programme.tasks(command="StateWillingness") == []


# --- what lies in a pause ------------------------------------------------------------------------------------------


def with_a_review() -> Programme:
    """An internal review that has a date, some days before it."""
    programme = delivering()
    while REVIEW not in programme.engagement.running.challenge.reviews:
        programme.wait(1)
    return dated(programme, REVIEW)


def test_a_review_that_lies_in_a_pause_is_called_off_at_once_and_gets_another_date() -> None:
    programme = with_a_review()
    meeting = review_of(programme, REVIEW).meeting
    assert meeting
    programme.advance(programme.engagement.time.plus(meeting.on, -4))
    pause(programme, 5)
    programme.wait(1)
    news = [event for event in programme.events(MessageIssued) if event.invitation and event.invitation.cancelled]
    assert {person for event in news for person in event.people} == {*INTERNAL[:3], "d1", "m1"}
    assert {event.invitation.revision for event in news if event.invitation} == {meeting.revision + 1}
    assert review_of(programme, REVIEW).meeting is None
    (task,) = programme.tasks(PM, "ScheduleReview")
    programme.wait(6)
    starts = at_local(after(programme, 20), meeting.starts.time())
    programme.do(ScheduleReview(review=REVIEW, starts=starts), PM)
    again = review_of(programme, REVIEW).meeting
    assert again
    assert again.revision == meeting.revision + 2
    assert programme.tasks(PM, "ScheduleReview") == []
    assert task.id.endswith(f"date-{REVIEW}-1/{PM}")


def test_a_pause_that_ends_before_a_review_leaves_it_and_one_that_is_extended_over_it_does_not() -> None:
    programme = with_a_review()
    meeting = review_of(programme, REVIEW).meeting
    assert meeting
    programme.advance(programme.engagement.time.plus(meeting.on, -8))
    pause(programme, 5)
    assert review_of(programme, REVIEW).meeting == meeting
    until(programme, after(programme, 9))
    assert review_of(programme, REVIEW).meeting is None


def test_what_prepares_a_review_moves_with_a_pause_but_never_beyond_the_review() -> None:
    programme = with_a_review()
    meeting = review_of(programme, REVIEW).meeting
    (statement,) = programme.tasks("d1", "GivePositionStatement")
    assert meeting
    assert statement.due
    plus = programme.engagement.time.plus
    programme.advance(plus(statement.due.on, -1))
    pause(programme, 3)
    programme.wait(3)
    (moved,) = programme.tasks("d1", "GivePositionStatement")
    assert moved.due
    assert moved.due.on == plus(statement.due.on, 3)
    assert moved.due.why.endswith("the clock stood still for 3 working days")
    pause(programme, 11)
    programme.wait(11)
    (moved,) = programme.tasks("d1", "GivePositionStatement")
    assert moved.due
    assert moved.due.on == plus(meeting.on, -2)
    (freezing,) = [due for due in programme.engagement.acts if due.key == f"act:challenge:freeze/{REVIEW}"]
    assert freezing.at > programme.at


def test_who_was_late_before_a_pause_is_not_later_for_it() -> None:
    programme = delivering()
    while not programme.tasks("d1", "CheckIn"):
        programme.wait(1)
    (task,) = programme.tasks("d1", "CheckIn")
    assert task.due
    programme.advance(programme.engagement.time.plus(task.due.on, 3))
    pause(programme, 15)
    programme.wait(16)
    fired = programme.engagement.post.fired[task.id]
    held_back = [event.rung for event in programme.events(RungSuppressed) if event.task == task.id]
    assert not any("sponsors" in rung for rung in (*fired, *held_back))
    programme.wait(7)
    assert any("both_sponsors" in rung for rung in programme.engagement.post.fired[task.id])


def test_in_a_pause_nothing_is_asked_of_anybody_but_how_it_ends() -> None:
    programme = begun(Stage.EXCHANGE)
    pause(programme, 5)
    with pytest.raises(EngagementPaused):
        pause(programme, 9)
    assert any(isinstance(event, PauseExtended) for event in until(programme, after(programme, 9)))
    assert any(isinstance(event, EngagementResumed) for event in programme.do(ResumeEngagement(), MEDICAL))


def test_the_two_statements_of_willingness_may_lie_further_apart_by_a_pause_between_them() -> None:
    programme = registered()
    programme.do(StateWillingness(answer=Answer.WILLING), MEDICAL)
    programme.wait(20)
    pause(programme, 15)
    programme.wait(20)
    programme.do(StateWillingness(answer=Answer.WILLING), MANAGERIAL)
    assert programme.engagement.mandate.both_willing(programme.engagement.sponsors)


def test_the_working_days_of_a_pause_make_nothing_later_than_it_is() -> None:
    day = date(2026, 3, 2)
    stopped = WorkingTime(Calendar(version="1"), (Stop(first=date(2026, 3, 4), until=date(2026, 3, 11)),))
    assert [stopped.elapsed(day, date(2026, 3, on)) for on in (2, 3, 4, 10, 11, 12)] == [0, 1, 1, 1, 2, 3]
