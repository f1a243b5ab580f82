"""The stopped clock and the changed calendar: whatever moves a date says so, and no date moves earlier."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from programme.continuity import (
    CalendarChanged,
    ChangeCalendar,
    DeadlineKept,
    DueDateKept,
    DueDateMoved,
    EngagementResumed,
    OpenWindow,
    PauseEngagement,
    ResumeEngagement,
)
from programme.messages import CLOCK, Event, Stage, TaskId
from programme.post import MessageIssued
from programme.refusals import EngagementPaused, Invalid, NotPaused, PauseTooLong, RoleRequired
from programme.stages.diagnosis import CompleteQuestionnaire, RecordPack
from programme.stages.objections import RaiseSafetyObjection
from programme.working_time import Calendar, Division, Holiday, at_local
from tests.core.agreed import delivering
from tests.core.programme_driver import MANAGERIAL, MEDICAL, PM, Programme, begun, play, registered

ANY = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
STAGES = st.sampled_from([Stage.MANDATE, Stage.DIAGNOSIS, Stage.EXCHANGE, Stage.SESSIONS, Stage.AGREEMENT])


def due_dates(programme: Programme) -> dict[TaskId, date]:
    return {task.id: task.due.on for task in programme.tasks() if task.due}


def reasons(programme: Programme) -> dict[TaskId, str]:
    return {task.id: task.due.why for task in programme.tasks() if task.due}


def pause(programme: Programme, working_days: int) -> date:
    """Pause for so many working days from tomorrow's working day on; the day of resuming."""
    resumes = programme.engagement.time.plus(programme.today, working_days)
    programme.do(PauseEngagement(reason="Winter pressure", resumes=resumes, window=OpenWindow.EXTEND), PM)
    return resumes


def with_holidays(*days: date, version: str = "2") -> ChangeCalendar:
    return ChangeCalendar(
        calendar=Calendar(version=version, holidays=tuple(Holiday(on=day, name=f"Day {day}") for day in days))
    )


def moved(events: list[Event]) -> dict[TaskId, tuple[date, date]]:
    return {event.task: (event.was, event.now) for event in events if isinstance(event, DueDateMoved)}


# --- a pause -------------------------------------------------------------------------------------------------------


@ANY
@given(stage=STAGES, working_days=st.integers(1, 30), waited=st.integers(0, 4))
def test_a_pause_moves_every_due_date_by_the_working_days_that_were_lost(
    stage: Stage, working_days: int, waited: int
) -> None:
    programme = begun(stage)
    programme.wait(waited)
    before = due_dates(programme)
    pause(programme, working_days)
    events = programme.wait(working_days)
    assert not programme.engagement.paused
    told, after, plus = moved(events), due_dates(programme), programme.engagement.time.plus
    began = programme.engagement.continuity.stops[0].first
    still_due = {task for task, on in before.items() if on >= began and task in after}
    assert still_due
    for task in still_due:
        assert told[task] == (before[task], plus(before[task], working_days)), task
        assert after[task] == told[task][1]


def test_a_moved_due_date_says_for_how_long_the_clock_stood_still() -> None:
    programme = begun(Stage.DIAGNOSIS)
    pause(programme, 7)
    programme.wait(7)
    assert all("the clock stood still for 7 working days" in why for why in reasons(programme).values())


def test_a_second_pause_adds_to_the_first() -> None:
    programme = begun(Stage.DIAGNOSIS)
    (promised,) = {on for task, on in due_dates(programme).items() if "questionnaire" in task}
    for working_days in (3, 4):
        pause(programme, working_days)
        programme.wait(working_days)
        programme.wait(1)
    (now,) = {on for task, on in due_dates(programme).items() if "questionnaire" in task}
    assert now == programme.engagement.time.plus(promised, 7)


def test_a_pause_that_ends_early_moves_by_what_was_really_lost() -> None:
    programme = begun(Stage.DIAGNOSIS)
    before = due_dates(programme)
    pause(programme, 20)
    programme.wait(2)
    events = programme.do(ResumeEngagement(), MEDICAL)
    plus = programme.engagement.time.plus
    assert moved(events) == {task: (on, plus(on, 2)) for task, on in before.items()}


def test_a_pause_that_ends_on_its_first_day_moves_nothing() -> None:
    programme = begun(Stage.DIAGNOSIS)
    pause(programme, 5)
    assert moved(programme.do(ResumeEngagement(), PM)) == {}


def test_a_pause_over_a_weekend_costs_no_working_day() -> None:
    programme = begun(Stage.DIAGNOSIS)
    saturday = programme.today + timedelta(days=5 - programme.today.weekday())
    programme.advance(saturday)
    resumes = saturday + timedelta(days=2)
    programme.do(PauseEngagement(reason="A move", resumes=resumes, window=OpenWindow.EXTEND), PM)
    events = programme.advance(saturday + timedelta(days=2))
    assert any(isinstance(event, EngagementResumed) for event in events)
    assert moved(events) == {}


def test_a_pause_ends_at_midnight_of_its_day_and_reminders_go_on_where_they_stopped() -> None:
    programme = begun(Stage.DIAGNOSIS)
    opened = programme.today
    pause(programme, 10)
    programme.wait(40)
    (resumed,) = [entry.at for entry in programme.entries if isinstance(entry.event, EngagementResumed)]
    assert resumed == at_local(programme.engagement.continuity.stops[0].until, time(0))
    reminded = [
        event.on
        for event in programme.events(MessageIssued)
        if event.people == ("d0",) and any("questionnaire" in item.task for item in event.items)
    ]
    plus = programme.engagement.time.plus
    assert reminded == [plus(opened, day + 10) for day in (5, 10, 13)]


def test_both_sponsors_are_told_of_a_pause_in_one_message() -> None:
    programme = begun(Stage.DIAGNOSIS)
    pause(programme, 5)
    programme.advance(programme.at + timedelta(minutes=1))
    (told,) = [event for event in programme.events(MessageIssued) if event.topic == "pause"]
    assert told.people == (MEDICAL, MANAGERIAL)


def test_what_is_asked_in_a_pause_is_refused_and_what_the_system_reports_is_heard() -> None:
    programme = begun(Stage.DIAGNOSIS)
    for person in (*(f"d{number}" for number in range(11)), *(f"m{number}" for number in range(11))):
        programme.do(CompleteQuestionnaire(), person)
    while programme.engagement.running.diagnosis.survey("diagnosis").open:
        programme.wait(1)
    pause(programme, 5)
    with pytest.raises(EngagementPaused):
        programme.do(CompleteQuestionnaire(), "d12")
    assert programme.do(RecordPack(survey="diagnosis", window=1, pack="0" * 64), CLOCK)


def test_a_pause_does_not_move_what_protects_patients() -> None:
    programme = delivering()
    programme.do(RaiseSafetyObjection(action="A1", reason="Nobody is there at night"), "d5")
    before = {task: on for task, on in due_dates(programme).items() if "safety" in task}
    assert before
    pause(programme, 1)
    programme.wait(1)
    after = due_dates(programme)
    assert {task: after[task] for task in before if task in after} == before


@pytest.mark.parametrize(
    ("reason", "days", "refused"),
    [
        ("", 5, Invalid),
        ("  ", 5, Invalid),
        ("Strike", 0, Invalid),
        ("Strike", -3, Invalid),
        ("Strike", 70, PauseTooLong),
    ],
    ids=["no reason", "a blank reason", "today", "the past", "more than thirty working days"],
)
def test_a_pause_needs_a_reason_and_a_day_not_too_far_away(reason: str, days: int, refused: type[Exception]) -> None:
    programme = begun(Stage.DIAGNOSIS)
    with pytest.raises(refused):
        programme.do(PauseEngagement(reason=reason, resumes=programme.today + timedelta(days=days)), PM)


def test_nobody_resumes_what_is_not_paused_and_no_participant_pauses() -> None:
    programme = begun(Stage.DIAGNOSIS)
    with pytest.raises(NotPaused):
        programme.do(ResumeEngagement(), PM)
    with pytest.raises(RoleRequired):
        programme.do(PauseEngagement(reason="Tired", resumes=programme.today + timedelta(days=2)), "d0")


# --- a changed calendar --------------------------------------------------------------------------------------------


@ANY
@given(stage=STAGES, after_days=st.lists(st.integers(1, 40), min_size=1, max_size=5, unique=True))
def test_a_holiday_announced_late_moves_due_dates_later_and_each_move_is_told(
    stage: Stage, after_days: list[int]
) -> None:
    programme = begun(stage)
    before = due_dates(programme)
    days = sorted(programme.today + timedelta(days=day) for day in after_days)
    events = programme.do(with_holidays(*days), CLOCK)
    after = due_dates(programme)
    changed = {task: (on, after[task]) for task, on in before.items() if after[task] != on}
    assert moved(events) == changed
    assert all(now > was for was, now in changed.values())
    weekdays = [f"Day {day}" for day in days if day.weekday() < 5]
    for event in events:
        if isinstance(event, DueDateMoved):
            assert any(day in event.why for day in weekdays)


@ANY
@given(stage=STAGES, days=st.lists(st.integers(1, 40), min_size=1, max_size=6, unique=True), kept=st.integers(0, 6))
def test_a_holiday_that_is_taken_back_moves_no_due_date_earlier(stage: Stage, days: list[int], kept: int) -> None:
    start = date(2026, 1, 5)
    holidays = [start + timedelta(days=day) for day in days]
    programme = play(registered(calendar=with_holidays(*holidays, version="1").calendar), stage)
    before, acts = due_dates(programme), {due.key: due.at for due in programme.engagement.acts if due.promised}
    events = programme.do(with_holidays(*holidays[:kept]), CLOCK)
    after = due_dates(programme)
    assert all(after[task] >= on for task, on in before.items())
    held = {event.task for event in events if isinstance(event, DueDateKept)}
    assert all("does not move earlier" in reasons(programme)[task] for task in held)
    later: dict[str, datetime] = {due.key: due.at for due in programme.engagement.acts}
    assert all(later[key] >= at for key, at in acts.items() if key in later)
    kept_acts = {event.deadline for event in events if isinstance(event, DeadlineKept)}
    assert kept_acts <= acts.keys()


def test_a_due_date_that_is_held_moves_on_when_it_really_becomes_later() -> None:
    start = date(2026, 1, 5)
    near, far = start + timedelta(days=7), start + timedelta(days=9)
    programme = play(registered(calendar=with_holidays(near, version="1").calendar), Stage.DIAGNOSIS)
    promised = due_dates(programme)
    programme.do(with_holidays(version="2"), CLOCK)
    assert due_dates(programme) == promised
    assert moved(programme.do(with_holidays(near, version="3"), CLOCK)) == {}
    events = programme.do(with_holidays(near, far, version="4"), CLOCK)
    questionnaires = {task: dates for task, dates in moved(events).items() if "questionnaire" in task}
    plus = programme.engagement.time.plus
    assert questionnaires
    assert all(now == plus(was, 1) for was, now in questionnaires.values())


def test_the_same_calendar_again_is_no_news_and_that_of_another_division_is_refused() -> None:
    programme = begun(Stage.DIAGNOSIS)
    assert programme.do(ChangeCalendar(calendar=programme.engagement.calendar), CLOCK) == []
    with pytest.raises(Invalid):
        programme.do(ChangeCalendar(calendar=Calendar(version="2", division=Division.SCOTLAND)), CLOCK)
    assert programme.events(CalendarChanged) == []
