from datetime import date

import pytest

from activities.calendars import PUBLISHED_UNTIL, snapshot
from programme.working_time import Division, Holiday, WorkingTime

EARLY_MAY = date(2026, 5, 4)
SECOND_OF_JANUARY = date(2026, 1, 2)
BATTLE_OF_THE_BOYNE = date(2026, 7, 13)  # the 12th is a Sunday


@pytest.mark.parametrize(
    ("division", "day", "works"),
    [
        (Division.ENGLAND_AND_WALES, EARLY_MAY, False),
        (Division.SCOTLAND, EARLY_MAY, False),
        (Division.ENGLAND_AND_WALES, SECOND_OF_JANUARY, True),
        (Division.SCOTLAND, SECOND_OF_JANUARY, False),
        (Division.NORTHERN_IRELAND, BATTLE_OF_THE_BOYNE, False),
        (Division.ENGLAND_AND_WALES, BATTLE_OF_THE_BOYNE, True),
        (Division.ENGLAND_AND_WALES, date(2026, 12, 28), False),  # Boxing Day fell on a Saturday
    ],
)
def test_each_division_keeps_its_own_days(division: Division, day: date, works: bool) -> None:
    assert WorkingTime(snapshot(division)).is_working(day) is works


def test_a_closure_of_the_trust_does_not_count_as_a_working_day_and_is_named_in_the_reason() -> None:
    closed = Holiday(on=date(2026, 3, 3), name="Move of the emergency department")
    due = WorkingTime(snapshot(Division.ENGLAND_AND_WALES, [closed])).due(date(2026, 3, 2), 1, "you were asked")
    assert due.on == date(2026, 3, 4)
    assert "Move of the emergency department does not count" in due.why


def test_the_same_days_have_the_same_version_and_other_days_another() -> None:
    closed = Holiday(on=date(2026, 3, 3), name="Closed")
    plain = snapshot(Division.SCOTLAND)
    assert snapshot(Division.SCOTLAND).version == plain.version
    assert snapshot(Division.SCOTLAND, [closed]).version != plain.version
    assert snapshot(Division.ENGLAND_AND_WALES).version != plain.version


def test_a_due_date_beyond_the_published_holidays_is_marked_provisional() -> None:
    time = WorkingTime(snapshot(Division.ENGLAND_AND_WALES))
    assert not time.due(date(2028, 12, 1), 5, "you were asked").provisional
    assert time.due(PUBLISHED_UNTIL, 5, "you were asked").provisional
