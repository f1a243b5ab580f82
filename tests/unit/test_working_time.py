"""Working days, sending hours and due dates that explain themselves, held against counting day by day."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.calendars import PUBLISHED_UNTIL, snapshot
from programme.working_time import (
    LONDON,
    Calendar,
    Division,
    Holiday,
    Stop,
    WorkingTime,
    at_local,
    end_of,
    local_date,
    month_after,
    uk_date,
    uk_day,
    uk_time,
)

CALENDARS = {division: snapshot(division) for division in Division}
ENGLAND = WorkingTime(CALENDARS[Division.ENGLAND_AND_WALES])
# The last Sundays of March and October, on which London's clocks change.
CLOCKS_GO_FORWARD = (date(2025, 3, 30), date(2026, 3, 29), date(2027, 3, 28), date(2028, 3, 26))
CLOCKS_GO_BACK = (date(2025, 10, 26), date(2026, 10, 25), date(2027, 10, 31), date(2028, 10, 29))

# Every weekday on which England and Wales do not work, as gov.uk/bank-holidays lists them.
ENGLISH_BANK_HOLIDAYS = {
    2025: ("01-01", "04-18", "04-21", "05-05", "05-26", "08-25", "12-25", "12-26"),
    2026: ("01-01", "04-03", "04-06", "05-04", "05-25", "08-31", "12-25", "12-28"),
    2027: ("01-01", "03-26", "03-29", "05-03", "05-31", "08-30", "12-27", "12-28"),
    2028: ("01-03", "04-14", "04-17", "05-01", "05-29", "08-28", "12-25", "12-26"),
}

days = st.dates(date(2025, 1, 1), date(2028, 12, 31))
calendars = st.lists(st.dates(date(2024, 12, 1), date(2029, 2, 1)), max_size=60).map(
    lambda found: Calendar(version="drawn", holidays=tuple(Holiday(on=day, name="Closed") for day in found))
)
stops = st.lists(st.tuples(days, st.integers(1, 40)), max_size=3).map(
    lambda found: tuple(Stop(first=first, until=first + timedelta(days=length)) for first, length in found)
)


def counted(calendar: Calendar, start: date, step: int) -> Iterator[date]:
    """The working days after a day, or before it, found by looking at each day."""
    closed = {holiday.on for holiday in calendar.holidays}
    while True:
        start += timedelta(days=step)
        if start.weekday() < 5 and start not in closed:
            yield start


# --- working days --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("year", ENGLISH_BANK_HOLIDAYS)
def test_every_bank_holiday_of_england_and_wales_is_no_working_day_and_every_other_weekday_is_one(year: int) -> None:
    listed = {date.fromisoformat(f"{year}-{day}") for day in ENGLISH_BANK_HOLIDAYS[year]}
    weekdays = (date(year, 1, 1) + timedelta(days=number) for number in range(365 + (year == 2028)))
    assert {day for day in weekdays if day.weekday() < 5 and not ENGLAND.is_working(day)} == listed


@pytest.mark.parametrize("division", Division)
def test_no_holiday_of_a_snapshot_is_a_working_day(division: Division) -> None:
    time_ = WorkingTime(CALENDARS[division])
    assert CALENDARS[division].holidays
    assert not any(time_.is_working(holiday.on) for holiday in CALENDARS[division].holidays)


@given(calendars, days, st.integers(1, 80))
def test_so_many_working_days_later_is_what_counting_each_day_finds(calendar: Calendar, start: date, many: int) -> None:
    later = counted(calendar, start, +1)
    assert WorkingTime(calendar).plus(start, many) == [next(later) for _ in range(many)][-1]


@given(calendars, days, st.integers(1, 80))
def test_so_many_working_days_before_is_what_counting_each_day_finds(
    calendar: Calendar, start: date, many: int
) -> None:
    time_ = WorkingTime(calendar)
    reached = time_.plus(start, 0)  # that day, or the next on which anybody works
    before = counted(calendar, reached, -1)
    assert time_.plus(start, -many) == [next(before) for _ in range(many)][-1]


@given(calendars, days)
def test_no_working_day_later_is_that_day_or_the_next_on_which_anybody_works(calendar: Calendar, start: date) -> None:
    assert WorkingTime(calendar).plus(start, 0) == next(counted(calendar, start - timedelta(days=1), +1))


@given(calendars, days, days)
def test_how_many_working_days_lie_between_is_what_counting_each_day_finds(
    calendar: Calendar, start: date, end: date
) -> None:
    between = 0
    for day in counted(calendar, start, +1):
        if day > end:
            break
        between += 1
    assert WorkingTime(calendar).between(start, end) == between


@given(calendars, st.dates(), st.integers(-(10**9), 10**9))
def test_arithmetic_with_days_never_runs_out_of_years(calendar: Calendar, start: date, many: int) -> None:
    reached = WorkingTime(calendar).plus(start, many)
    assert end_of(reached) > datetime(1, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("friday", "next_day"),
    [
        (date(2026, 4, 2), date(2026, 4, 7)),  # Maundy Thursday: Good Friday and Easter Monday lie between
        (date(2026, 5, 1), date(2026, 5, 5)),  # the early May bank holiday
        (date(2026, 12, 24), date(2026, 12, 29)),  # Boxing Day fell on a Saturday, and Monday stands in for it
        (date(2027, 12, 24), date(2027, 12, 29)),  # both days of Christmas fell on a weekend
    ],
)
def test_the_working_day_after_a_long_weekend(friday: date, next_day: date) -> None:
    assert ENGLAND.plus(friday, 1) == next_day


# --- due dates -----------------------------------------------------------------------------------------------------


def test_a_due_date_explains_itself() -> None:
    due = ENGLAND.due(date(2026, 3, 30), 5, "the action was proposed")
    assert due.on == date(2026, 4, 8)
    assert due.why == (
        "5 working days after the action was proposed on 30 March 2026; Good Friday and Easter Monday do not count"
    )


def test_a_due_date_of_one_day_and_one_holiday_is_written_in_the_singular() -> None:
    due = ENGLAND.due(date(2026, 5, 1), 1, "you were asked")
    assert due.why == "1 working day after you were asked on 1 May 2026; May Day does not count"


def test_a_due_date_says_for_how_long_the_clock_stood_still() -> None:
    stopped = WorkingTime(Calendar(version="1"), (Stop(first=date(2026, 1, 12), until=date(2026, 1, 19)),))
    due = stopped.due(date(2026, 1, 5), 10, "you were asked")
    assert due.on == date(2026, 1, 26)
    assert due.why.endswith("; the clock stood still for 5 working days")


def test_a_due_date_beyond_the_published_holidays_is_provisional() -> None:
    assert not ENGLAND.due(PUBLISHED_UNTIL - timedelta(days=20), 5, "you were asked").provisional
    assert ENGLAND.due(PUBLISHED_UNTIL, 1, "you were asked").provisional


@given(calendars, days, st.integers(1, 60))
def test_where_the_clock_never_stood_still_a_due_date_is_so_many_working_days_later(
    calendar: Calendar, start: date, many: int
) -> None:
    time_ = WorkingTime(calendar)
    assert time_.due(start, many, "you were asked").on == time_.plus(start, many)


@given(calendars, stops, days, st.integers(1, 60))
def test_a_stopped_clock_never_brings_a_due_date_forward_and_gives_back_what_was_lost(
    calendar: Calendar, stopped: tuple[Stop, ...], start: date, many: int
) -> None:
    time_ = WorkingTime(calendar, stopped)
    due = time_.due(start, many, "you were asked").on
    lost = time_.stopped(start, due)
    assert due >= WorkingTime(calendar).due(start, many, "you were asked").on
    assert time_.between(start, due) >= many + lost if lost else time_.between(start, due) == many


@given(calendars, st.tuples(days, st.integers(1, 30)), days, st.integers(1, 40))
def test_a_pause_after_the_start_moves_a_due_date_by_the_working_days_that_were_lost(
    calendar: Calendar, pause: tuple[date, int], start: date, many: int
) -> None:
    first, length = pause
    stop = Stop(first=first, until=first + timedelta(days=length))
    plain, stopped = WorkingTime(calendar), WorkingTime(calendar, (stop,))
    planned = plain.plus(start, many)
    moved = stopped.due(start, many, "you were asked").on
    if start < first <= planned:
        lost = plain.between(first - timedelta(days=1), stop.until - timedelta(days=1))
        assert moved == plain.plus(planned, lost) if lost else moved == planned
    elif first > planned or stop.until <= start:
        assert moved == planned


@given(calendars, days, st.integers(1, 60))
def test_a_due_date_asked_for_twice_is_the_same(calendar: Calendar, start: date, many: int) -> None:
    time_ = WorkingTime(calendar)
    first = time_.due(start, many, "you were asked")
    assert time_.due(start, many, "you were asked") == first
    assert time_.due(start, many, "it was proposed").why != first.why


def test_many_due_dates_do_not_fill_the_memory() -> None:
    time_ = WorkingTime(Calendar(version="1"))
    for number in range(9000):
        time_.due(date(2026, 1, 1), number, "you were asked")
    assert len(time_._dues) < 5000


# --- sending hours -------------------------------------------------------------------------------------------------


@given(st.datetimes(datetime(2025, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds have no zone
def test_a_message_waits_for_the_first_moment_between_8am_and_6pm_of_a_working_day(at: datetime) -> None:
    leaves = ENGLAND.next_sending(at)
    wall = leaves.astimezone(LONDON)
    assert leaves >= at
    assert ENGLAND.is_working(wall.date())
    assert time(8) <= wall.time() < time(18)
    assert leaves == at or (wall.time() == time(8) and not ENGLAND.may_send(at))
    passed_over = ENGLAND.between(local_date(at) - timedelta(days=1), wall.date() - timedelta(days=1))
    assert passed_over <= (at.astimezone(LONDON).time() >= time(18))  # no working morning goes by unused


@pytest.mark.parametrize("sunday", [*CLOCKS_GO_FORWARD, *CLOCKS_GO_BACK])
def test_around_a_change_of_the_clocks_the_morning_is_still_at_eight_in_london(sunday: date) -> None:
    friday, monday = ENGLAND.plus(sunday, -1), ENGLAND.plus(sunday, 1)
    for day in (friday, monday):
        assert ENGLAND.morning(day) == datetime.combine(day, time(8), tzinfo=ZoneInfo("Europe/London"))
    hours = (ENGLAND.morning(monday) - ENGLAND.morning(friday)) / timedelta(hours=1)
    assert hours == 24 * (monday - friday).days + (-1 if sunday in CLOCKS_GO_FORWARD else 1)
    assert ENGLAND.next_sending(at_local(sunday, time(1, 30))) == ENGLAND.morning(monday)
    assert ENGLAND.next_sending(at_local(friday, time(18))) == ENGLAND.morning(monday)


@pytest.mark.parametrize("sunday", [*CLOCKS_GO_FORWARD, *CLOCKS_GO_BACK])
def test_a_day_on_which_the_clocks_change_ends_at_midnight_in_london(sunday: date) -> None:
    length = end_of(sunday) - end_of(sunday - timedelta(days=1))
    assert length == timedelta(hours=23 if sunday in CLOCKS_GO_FORWARD else 25)
    assert local_date(end_of(sunday) - timedelta(microseconds=1)) == sunday
    assert local_date(end_of(sunday)) == sunday + timedelta(days=1)


def test_on_friday_at_one_minute_to_six_a_message_leaves_and_at_six_it_waits_for_monday() -> None:
    friday = date(2026, 1, 9)
    last, over = at_local(friday, time(17, 59)), at_local(friday, time(18))
    assert ENGLAND.next_sending(last) == last
    assert ENGLAND.next_sending(over) == at_local(date(2026, 1, 12), time(8))


# --- months and words ----------------------------------------------------------------------------------------------


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(-60, 60))
def test_some_months_later_is_the_same_day_or_the_last_of_that_month(on: date, months: int) -> None:
    later = month_after(on, months)
    assert (later.year * 12 + later.month) - (on.year * 12 + on.month) == months
    assert later.day == on.day or (later.day < on.day and (later + timedelta(days=1)).day == 1)


@pytest.mark.parametrize(
    ("on", "months", "later"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 12, 31), 1, date(2027, 1, 31)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
        (date(2026, 6, 1), 12 * 10**6, date(9998, 6, 1)),
    ],
)
def test_month_ends_and_year_ends(on: date, months: int, later: date) -> None:
    assert month_after(on, months) == later


def test_dates_and_times_are_written_as_the_nhs_writes_them() -> None:
    assert uk_date(date(2026, 3, 3)) == "3 March 2026"
    assert uk_day(date(2026, 3, 4)) == "Wednesday 4 March 2026"
    times = {(0, 0): "midnight", (8, 0): "8am", (12, 0): "midday", (17, 30): "5:30pm", (12, 5): "12:05pm"}
    for clock, words in times.items():
        assert uk_time(at_local(date(2026, 7, 1), time(*clock))) == words
