"""A whole year of time, by chance: pauses, calendars and clocks. No due date moves unseen, and none moves earlier."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.calendars import snapshot
from programme.continuity import (
    ChangeCalendar,
    DeadlineKept,
    DueDateKept,
    DueDateMoved,
    ExtendPause,
    OpenWindow,
    PauseEngagement,
    QuestionnaireKeptOpen,
    ResumeEngagement,
)
from programme.messages import CLOCK, Command, Due, Event, PersonId, Stage, Task, TaskId
from programme.refusals import Refusal
from programme.stages.exchange import ConfirmPairs
from programme.stages.findings import NewFinding
from programme.stages.mandate import Answer, StateWillingness
from programme.stages.objections import RaiseSafetyObjection
from programme.stages.review import FindingKind
from programme.working_time import LONDON, Calendar, Division, Holiday, Stop, WorkingTime, at_local, end_of, local_date
from tests.core import agreed
from tests.core.given import dated, delivering, found, held, opened
from tests.core.programme_driver import DOCTORS, MANAGERIAL, MANAGERS, MEDICAL, PM, Programme, begun

ANY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
FIRST, LAST = date(2025, 1, 1), date(2028, 12, 31)
DAY = timedelta(days=1)


def a_review_is_dated() -> Programme:
    return dated(opened(delivering(), "1-internal-1"), "1-internal-1")


def a_review_was_held() -> Programme:
    return held(opened(delivering(), "1-internal-1"), "1-internal-1")


def findings_wait() -> Programme:
    finding = NewFinding(kind=FindingKind.RECOMMEND, text="Cover the weekend too", action="A1")
    return found(opened(delivering(), "1-internal-1"), "1-internal-1", finding)


def an_objection_stands() -> Programme:
    programme = agreed.delivering()
    programme.do(RaiseSafetyObjection(action="A1", reason="Nobody is there at night"), "d5")
    return programme


def a_sponsor_is_not_ready() -> Programme:
    programme = begun(Stage.MANDATE)
    for sponsor, answer in ((MEDICAL, Answer.WILLING), (MANAGERIAL, Answer.NOT_YET)):
        programme.do(StateWillingness(answer=answer), sponsor)
    return programme


def pairs_exchange() -> Programme:
    programme = begun(Stage.EXCHANGE)
    pairs = tuple(zip(DOCTORS, MANAGERS, strict=True))
    programme.do(ConfirmPairs(pairs=pairs), PM)
    return programme


MOMENTS: dict[str, Callable[[], Programme]] = {
    **{stage.value: partial(begun, stage) for stage in Stage},
    "delivering": delivering,
    "a review is dated": a_review_is_dated,
    "a review was held": a_review_was_held,
    "findings wait": findings_wait,
    "an objection stands": an_objection_stands,
    "a sponsor is not ready": a_sponsor_is_not_ready,
    "pairs exchange": pairs_exchange,
}


@cache
def _moment(name: str) -> Programme:
    return MOMENTS[name]()


def moment(name: str) -> Programme:
    """A programme at some moment of its year."""
    return _moment(name).copy()


moments = st.sampled_from(sorted(MOMENTS))


# --- what a date hangs on --------------------------------------------------------------------------------------------


def stays(task: Task) -> bool:
    """What no pause moves: what protects patients, and what hangs on a session's date that people have agreed on."""
    return "safety" in task.id or task.ladder == "session-invitation"


def at_most(task: Task) -> bool:
    """What prepares a meeting moves with a pause, but never beyond the meeting."""
    return task.ladder == "position-statement"


def rhythm(due: Due) -> bool:
    """What follows the calendar month, or a session's date: it waits for the end of a pause, and is not moved by it."""
    return due.key.startswith(("act:delivery:month/", "act:checkins:open/", "act:invitations:", "act:sessions:"))


def on(due: Due) -> date:
    """The day to which an act belongs: midnight at the end of a day is that day's."""
    return local_date(due.at - timedelta(microseconds=1)) if due.promised else local_date(due.at)


def open_dates(programme: Programme) -> dict[TaskId, Task]:
    """The tasks that are due today or later."""
    return {task.id: task for task in programme.tasks() if task.due and task.due.on >= programme.today}


def moves(events: list[Event]) -> dict[TaskId, DueDateMoved]:
    return {event.task: event for event in events if isinstance(event, DueDateMoved)}


# --- a pause ---------------------------------------------------------------------------------------------------------


@ANY
@given(name=moments, waited=st.integers(0, 24), working_days=st.integers(1, 29), halfway=st.integers(0, 29))
def test_a_pause_of_some_working_days_moves_every_open_due_date_by_as_many(
    name: str, waited: int, working_days: int, halfway: int
) -> None:
    programme = moment(name)
    programme.wait(waited)
    if programme.engagement.ended:
        return
    before = open_dates(programme)
    acts = {due.key: due for due in programme.engagement.acts}
    plus, since = programme.engagement.time.plus, programme.today
    lost_from = plus(since, 0)  # a weekend at its beginning costs nothing
    resumes = plus(lost_from, working_days)
    first = plus(lost_from, min(halfway, working_days)) if 0 < halfway < working_days else resumes
    pausing = PauseEngagement(reason="Winter", resumes=first, window=OpenWindow.EXTEND)
    programme.do(pausing, PM)
    if first < resumes:
        programme.do(ExtendPause(reason="It goes on", resumes=resumes), PM)
    programme.advance(at_local(resumes, time(0)) - timedelta(seconds=1))
    events = programme.advance(at_local(resumes, time(0)))
    told, plus = moves(events), programme.engagement.time.plus
    now = {task.id: task for task in programme.tasks() if task.due}
    for task_id, task in before.items():
        later = now.get(task_id)
        if later is None or task.due is None or later.due is None:
            continue
        if stays(task):
            assert later.due.on == task.due.on, task_id
        elif at_most(task):
            meeting = programme.engagement.running.challenge.reviews[task.about].meeting
            assert meeting
            assert later.due.on == min(plus(task.due.on, working_days), plus(meeting.on, -2)), task_id
        else:
            assert later.due.on == plus(task.due.on, working_days), task_id
            assert (told[task_id].was, told[task_id].now) == (task.due.on, later.due.on)
            assert "the clock stood still for" in told[task_id].why
    for due in programme.engagement.acts:
        if due.key in acts and not rhythm(due) and "freeze/" not in due.key and "safety" not in due.key:
            assert on(due) == plus(on(acts[due.key]), working_days), due.key
        assert due.at >= at_local(resumes, time(0)) or due.at >= acts.get(due.key, due).at


@ANY
@given(name=moments, waited=st.integers(0, 24), working_days=st.integers(1, 29))
def test_in_a_pause_nothing_is_sent_and_no_due_date_moves_before_it_ends(
    name: str, waited: int, working_days: int
) -> None:
    programme = moment(name)
    programme.wait(waited)
    if programme.engagement.ended:
        return
    resumes = programme.engagement.time.plus(programme.today, working_days)
    programme.do(PauseEngagement(reason="Winter", resumes=resumes, window=OpenWindow.EXTEND), PM)
    before = open_dates(programme)
    events = programme.advance(at_local(resumes, time(0)) - timedelta(seconds=1))
    topics = {getattr(event, "topic", "") for event in events if event.kind == "MessageIssued"}
    assert topics <= {"pause", "safety"}
    assert not moves(events)
    assert not any(isinstance(event, QuestionnaireKeptOpen) or event.kind == "GatePassed" for event in events)
    after = {task.id: task for task in programme.tasks()}
    assert all(after[task].due == one.due for task, one in before.items() if task in after)


# --- whatever happens ------------------------------------------------------------------------------------------------


def pausing(programme: Programme, number: int) -> tuple[Command, PersonId]:
    resumes = programme.today + timedelta(days=number)
    return PauseEngagement(reason="Winter", resumes=resumes, window=OpenWindow.EXTEND), PM


def extending(programme: Programme, number: int) -> tuple[Command, PersonId]:
    return ExtendPause(reason="Snow", resumes=programme.today + timedelta(days=number)), PM


def resuming(programme: Programme, number: int) -> tuple[Command, PersonId]:
    del programme, number
    return ResumeEngagement(), PM


def announcing(programme: Programme, number: int) -> tuple[Command, PersonId]:
    calendar, day = programme.engagement.calendar, programme.today + timedelta(days=number)
    days = {one.on: one for one in (*calendar.holidays, Holiday(on=day, name="A late holiday"))}
    return changed(programme, days), CLOCK


def withdrawing(programme: Programme, number: int) -> tuple[Command, PersonId]:
    days = programme.engagement.calendar.holidays
    kept = {one.on: one for place, one in enumerate(days) if place % 3 != number % 3}
    return changed(programme, kept), CLOCK


def changed(programme: Programme, days: dict[date, Holiday]) -> ChangeCalendar:
    calendar = programme.engagement.calendar
    holidays = tuple(days[day] for day in sorted(days))
    return ChangeCalendar(
        calendar=calendar.model_copy(update={"holidays": holidays, "version": f"{calendar.version}+"})
    )


turns = st.lists(
    st.tuples(st.sampled_from([pausing, extending, resuming, announcing, withdrawing, None]), st.integers(0, 40)),
    min_size=1,
    max_size=8,
)


@ANY
@given(name=moments, happening=turns)
def test_no_due_date_moves_earlier_and_none_moves_without_its_event(
    name: str, happening: list[tuple[Callable[[Programme, int], tuple[Command, PersonId]] | None, int]]
) -> None:
    programme = moment(name)
    for what, number in happening:
        before = {task.id: task.due for task in programme.tasks() if task.due}
        acts = {due.key: due for due in programme.engagement.acts if due.promised}
        already = len(programme.entries)
        try:
            if what is None:
                programme.wait(number % 7)
            else:
                programme.do(*what(programme, number))
        except Refusal:
            continue
        events = [entry.event for entry in programme.entries[already:]]
        told = moves(events)
        kept = {event.task for event in events if isinstance(event, DueDateKept)}
        held = {event.deadline for event in events if isinstance(event, DeadlineKept)}
        for task in programme.tasks():
            was = before.get(task.id)
            if was is None or task.due is None:
                continue
            assert task.due.on >= was.on, (task.id, what)
            assert task.due.on == was.on or task.id in told, (task.id, what)
        for due in programme.engagement.acts:
            if due.key in acts and due.promised:
                assert due.at >= acts[due.key].at, (due.key, what)
        assert kept <= {task.id for task in programme.tasks()} | before.keys()
        assert held <= {due.key for due in programme.engagement.acts}


# --- every bank holiday and every change of the clocks, 2025 to 2028 -------------------------------------------------


def clock_changes() -> list[date]:
    """The days of 2025 to 2028 on which a day in London has not 24 hours."""
    days = (FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1))
    return [day for day in days if end_of(day) - at_local(day, time(0)) != timedelta(days=1)]


def bank_holidays(division: Division) -> list[date]:
    return [one.on for one in snapshot(division).holidays if FIRST <= one.on <= LAST]


def weekdays(division: Division) -> list[date]:
    """Those that fall on a Monday to Friday, the substitute days among them."""
    return [day for day in bank_holidays(division) if day.weekday() < 5]


EVENTFUL = [(division, day) for division in Division for day in (*bank_holidays(division), *clock_changes())]
eventful = st.sampled_from(EVENTFUL)


def test_there_are_eight_changes_of_the_clocks_and_the_bank_holidays_that_the_government_lists() -> None:
    assert len(clock_changes()) == 8
    assert {day.year for day in clock_changes()} == {2025, 2026, 2027, 2028}
    each_year = {
        division: [sum(day.year == year for day in weekdays(division)) for year in (2025, 2026, 2027, 2028)]
        for division in Division
    }
    assert each_year[Division.ENGLAND_AND_WALES] == [8, 8, 8, 8]
    assert min(each_year[Division.SCOTLAND]) >= 9
    assert min(each_year[Division.NORTHERN_IRELAND]) >= 10


@pytest.mark.parametrize("division", list(Division))
def test_no_due_date_falls_on_a_bank_holiday_and_each_counts_the_working_days_before_it(division: Division) -> None:
    calendar = snapshot(division)
    working = WorkingTime(calendar)
    closed = {one.on for one in calendar.holidays}
    for day in (*bank_holidays(division), *clock_changes()):
        for back in range(12):
            start = day - timedelta(days=back)
            for number in (1, 2, 5, 10):
                due = working.due(start, number, "you were asked").on
                between = [start + timedelta(days=one) for one in range(1, (due - start).days + 1)]
                assert sum(one.weekday() < 5 and one not in closed for one in between) == number
                assert due.weekday() < 5
                assert due not in closed


@pytest.mark.parametrize("division", list(Division))
def test_a_bank_holiday_that_pushed_a_due_date_is_named_in_its_reason(division: Division) -> None:
    working = WorkingTime(snapshot(division))
    names = {one.on: one.name for one in snapshot(division).holidays}
    for day in bank_holidays(division):
        if day.weekday() < 5:
            due = working.due(day - DAY, 3, "you were asked")
            assert names[day] in due.why
            assert "not count" in due.why


@pytest.mark.parametrize("day", clock_changes(), ids=str)
def test_a_due_date_is_met_until_a_minute_before_midnight_also_when_the_clocks_change(day: date) -> None:
    last_minute = datetime.combine(day, time(23, 59), tzinfo=LONDON).astimezone(UTC)
    assert last_minute < end_of(day)
    assert end_of(day) - last_minute == timedelta(minutes=1)
    assert local_date(end_of(day) - timedelta(microseconds=1)) == day
    assert local_date(end_of(day)) == day + DAY


@ANY
@given(where=eventful, shift=st.integers(-4, 4), minute=st.integers(0, 24 * 60 - 1))
def test_nothing_leaves_outside_eight_to_six_on_a_working_day(
    where: tuple[Division, date], shift: int, minute: int
) -> None:
    division, day = where[0], where[1] + timedelta(days=shift)
    working = WorkingTime(snapshot(division))
    at = at_local(day, time(0)) + timedelta(minutes=minute)
    wall = at.astimezone(LONDON)
    allowed = working.is_working(wall.date()) and 8 <= wall.hour < 18
    assert working.may_send(at) is allowed
    leaves = working.next_sending(at)
    assert working.may_send(leaves)
    assert leaves == at if allowed else leaves > at
    if not allowed:
        assert leaves.astimezone(LONDON).time() == time(8)
        skipped = [at + timedelta(minutes=30 * step) for step in range(int((leaves - at) / timedelta(minutes=30)))]
        assert not any(working.may_send(one) for one in skipped)


@pytest.mark.parametrize(("division", "day"), EVENTFUL, ids=str)
def test_the_post_of_a_day_goes_out_at_eight_in_london_on_that_or_the_next_working_day(
    division: Division, day: date
) -> None:
    working = WorkingTime(snapshot(division))
    for one in (day - DAY, day, day + DAY):
        morning = working.morning(one).astimezone(LONDON)
        assert (morning.hour, morning.minute) == (8, 0)
        assert morning.date() >= one
        assert working.is_working(morning.date())
        assert not any(working.is_working(one + number * DAY) for number in range((morning.date() - one).days))


@ANY
@given(where=eventful, back=st.integers(0, 10), working_days=st.integers(1, 15), paused=st.integers(1, 20))
def test_a_pause_over_a_bank_holiday_or_a_change_of_the_clocks_still_moves_by_working_days(
    where: tuple[Division, date], back: int, working_days: int, paused: int
) -> None:
    division, day = where
    calendar: Calendar = snapshot(division)
    plain = WorkingTime(calendar)
    start = day - timedelta(days=back)
    since = plain.plus(start, 0)
    stopped = WorkingTime(calendar, (Stop(first=since, until=plain.plus(since, paused)),))
    promised = plain.due(start, working_days, "you were asked").on
    if promised >= since:
        assert stopped.due(start, working_days, "you were asked").on == plain.plus(promised, paused)
