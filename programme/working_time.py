"""Working days, sending hours, and due dates that explain themselves.

A working day is Monday to Friday less the bank holidays and closures of the trust's calendar. A due date is a *date* in
Europe/London, met if done by 11:59pm. Instants are UTC. Nothing here reads a clock: a ``Calendar`` is a dated snapshot.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from programme.messages import DueDate, Frozen

LONDON = ZoneInfo("Europe/London")
SENDING_STARTS = time(8)  # NHS Notify sends 8am to 6pm on weekdays; we keep to working days
SENDING_ENDS = time(18)
_MONTHS, _MIDDAY, _SATURDAY = 12, 12, 5
_WEEK, _WEEKDAYS = 7, 5
_LATEST = date(9998, 12, 31)  # of any date that is worked out: the day after it still exists
_DUES_KEPT = 4096  # due dates and their sentences: more than the engagements of a calendar have open at once


class Division(StrEnum):
    """The three bank-holiday divisions of the United Kingdom."""

    ENGLAND_AND_WALES = "england-and-wales"
    SCOTLAND = "scotland"
    NORTHERN_IRELAND = "northern-ireland"


class Holiday(Frozen):
    """A day on which the trust does not work, and what it is called."""

    on: date
    name: str


class Calendar(Frozen):
    """A snapshot of the days on which a trust does not work. ``published_until``: later dates are provisional."""

    version: str
    division: Division = Division.ENGLAND_AND_WALES
    holidays: tuple[Holiday, ...] = ()
    published_until: date = date(2028, 12, 31)


def one_calendar(calendar: Calendar) -> Calendar:
    """The one copy of a calendar in this process, however many trusts of a division go by it."""
    return _shared(calendar.model_dump_json())


@lru_cache(maxsize=64)
def _shared(text: str) -> Calendar:
    return Calendar.model_validate_json(text)


class Stop(Frozen):
    """A stretch in which the clock stood still: from ``first`` up to but not including ``until``."""

    first: date
    until: date
    why: str = ""


def local_date(at: datetime) -> date:
    """The date in London at an instant."""
    return at.astimezone(LONDON).date()


def at_local(on: date, clock: time) -> datetime:
    """The UTC instant of a wall-clock time in London (the first of the two in October's doubled hour)."""
    return datetime.combine(on, clock, tzinfo=LONDON).astimezone(UTC)


@lru_cache(maxsize=4096)
def uk_date(on: date) -> str:
    """A date in words, as the NHS style writes it: 3 March 2026."""
    return f"{on.day} {on:%B %Y}"


def uk_day(on: date) -> str:
    """A date with its weekday: Wednesday 4 March 2026."""
    return f"{on:%A} {uk_date(on)}"


def uk_time(at: datetime) -> str:
    """A time in words: 5pm, 5:30pm, midday, midnight."""
    local = at.astimezone(LONDON)
    if (local.hour, local.minute) in ((0, 0), (12, 0)):
        return "midday" if local.hour else "midnight"
    hour = local.hour % 12 or 12
    minutes = f":{local.minute:02d}" if local.minute else ""
    return f"{hour}{minutes}{'am' if local.hour < _MIDDAY else 'pm'}"


def in_words(items: Sequence[str]) -> str:
    """A list in a sentence: a, b and c."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def counted(working_days: int) -> str:
    """A number of working days in words: 1 working day, 2 working days."""
    return f"{working_days} working day{'' if working_days == 1 else 's'}"


def end_of(on: date) -> datetime:
    """The first instant at which a due date has passed: midnight after it, in London."""
    return at_local(on + timedelta(days=1), time(0))


def month_after(on: date, months: int) -> date:
    """The same day some months later, or the last day of that month where there is no such day."""
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    year = min(max(year, 1), _LATEST.year)
    following = date(year + (month == _MONTHS - 1), (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=on.day - 1), following - timedelta(days=1))


@dataclass(frozen=True)
class WorkingTime:
    """Arithmetic in working days over one calendar, with the stretches in which the clock stood still."""

    calendar: Calendar
    stops: tuple[Stop, ...] = ()
    _dues: dict[tuple[date, int, str], DueDate] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def _closed(self) -> tuple[int, ...]:
        """The weekdays on which the trust does not work, as ordinals, in order."""
        closed = {holiday.on.toordinal() for holiday in self.calendar.holidays if holiday.on.weekday() < _SATURDAY}
        return tuple(sorted(closed))

    def _until(self, ordinal: int) -> int:
        """How many working days there are up to and including a day, counted from year 1 (ordinal 1 was a Monday)."""
        weeks, days = divmod(ordinal, _WEEK)
        return _WEEKDAYS * weeks + min(days, _WEEKDAYS) - bisect_right(self._closed, ordinal)

    def _numbered(self, number: int) -> date:
        """The working day with this number in that count."""
        passed = 0
        while True:
            weeks, days = divmod(number + passed - 1, _WEEKDAYS)
            ordinal = _WEEK * weeks + days + 1
            closed = bisect_right(self._closed, ordinal)
            if closed == passed:
                return date.fromordinal(min(max(ordinal, 1), _LATEST.toordinal()))
            passed = closed

    def is_working(self, on: date) -> bool:
        """Whether the trust works on that day."""
        closed, ordinal = self._closed, on.toordinal()
        place = bisect_left(closed, ordinal)
        return on.weekday() < _SATURDAY and not (place < len(closed) and closed[place] == ordinal)

    def plus(self, start: date, working_days: int) -> date:
        """The day that many working days after ``start`` (before, if negative); 0: that day or the next working one."""
        ordinal = start.toordinal()
        passed = self._until(ordinal) if working_days > 0 else self._until(ordinal - 1) + 1
        return self._numbered(passed + working_days)

    def between(self, start: date, end: date) -> int:
        """How many working days lie after ``start`` up to and including ``end`` (0 if ``end`` is not later)."""
        return max(0, self._until(end.toordinal()) - self._until(start.toordinal()))

    def stopped(self, start: date, end: date) -> int:
        """How many working days between two dates fell into a stop."""
        total = 0
        for stop in self.stops:
            first, until = max(stop.first, start), min(stop.until, end + timedelta(days=1))
            if first < until:
                total += self.between(first - timedelta(days=1), until - timedelta(days=1))
        return total

    def elapsed(self, start: date, end: date) -> int:
        """How many working days have passed after ``start`` up to and including ``end`` while the clock ran."""
        return self.between(start, end) - self.stopped(start + timedelta(days=1), end)

    def due(self, start: date, working_days: int, since: str) -> DueDate:
        """The due date that many working days after ``start``, stops added, and the sentence that explains it.

        ``since`` continues the sentence: "the action was proposed". Many tasks share one date, so it is kept.
        """
        if (kept := self._dues.get((start, working_days, since))) is not None:
            return kept
        if len(self._dues) >= _DUES_KEPT:
            self._dues.clear()
        on = self.shifted(start, self.plus(start, working_days))
        due = self.dated(on, self._because(start, on, working_days, since))
        self._dues[start, working_days, since] = due
        return due

    def shifted(self, start: date, planned: date) -> date:
        """A planned date moved later by the working days for which the clock stood still since ``start``."""
        on, counted = planned, 0
        while (stopped := self.stopped(start, on)) > counted:  # a longer wait may reach into a further stop
            on, counted = self.plus(on, stopped - counted), stopped
        return on

    def ahead(self, called: date, meeting: date, working_days: int, of: str, *, at_least: int = 0) -> DueDate:
        """The date so many working days before a meeting that was called on a day, stops since then added.

        A meeting stays where people have agreed to meet, so at least ``at_least`` working days are left before it.
        ``of`` continues the sentence: "the review".
        """
        planned = self.plus(meeting, -working_days)
        on = max(planned, min(self.shifted(called, planned), self.plus(meeting, -at_least)))
        why = f"{counted(working_days)} before {of} on {uk_date(meeting)}"
        if on > planned:
            why += f"; the clock stood still for {counted(self.stopped(called, on))}"
        return self.dated(on, why)

    def months_after(self, start: date, months: int, since: str) -> DueDate:
        """The first working day some months after ``start``, stops added, and the sentence that explains it."""
        on = self.shifted(start, self.plus(month_after(start, months), 0))
        why = f"{months} month{'' if months == 1 else 's'} after {since} on {uk_date(start)}{self._still(start, on)}"
        return self.dated(on, why)

    def dated(self, on: date, why: str) -> DueDate:
        """A due date with its reason; beyond the published bank holidays it says that it is provisional, and why."""
        published = self.calendar.published_until
        if on <= published:
            return DueDate(on, why)
        why += f"; provisional: bank holidays are published until {uk_date(published)}"
        return DueDate(on, why, provisional=True)

    def later(self, due: DueDate, on: date, because: str) -> DueDate:
        """A due date that was moved, with the further reason."""
        why = f"{due.why}; {because}"
        return replace(due, on=on, why=why) if due.provisional else self.dated(on, why)

    def _still(self, start: date, on: date) -> str:
        paused = self.stopped(start, on)
        return f"; the clock stood still for {counted(paused)}" if paused else ""

    def _because(self, start: date, on: date, working_days: int, since: str) -> str:
        sentence = f"{counted(working_days)} after {since} on {uk_date(start)}"
        skipped = [
            holiday.name
            for holiday in self.calendar.holidays
            if start < holiday.on <= on and holiday.on.weekday() < _SATURDAY
        ]
        if skipped:
            sentence += f"; {in_words(skipped)} {'does' if len(skipped) == 1 else 'do'} not count"
        return sentence + self._still(start, on)

    def morning(self, on: date) -> datetime:
        """When the post of a day goes out: 8am on that day, or on the next working day."""
        return at_local(self.plus(on, 0), SENDING_STARTS)

    def may_send(self, at: datetime) -> bool:
        """Whether a message may leave now: 8am to 6pm on a working day."""
        wall = at.astimezone(LONDON)
        return SENDING_STARTS <= wall.time() < SENDING_ENDS and self.is_working(wall.date())

    def next_sending(self, at: datetime) -> datetime:
        """The first instant from ``at`` on at which a message may leave."""
        if self.may_send(at):
            return at
        today = local_date(at)
        later = at.astimezone(LONDON).time() >= SENDING_ENDS
        return self.morning(today + timedelta(days=1) if later else today)


@lru_cache(maxsize=64)
def working_time(calendar: Calendar, stops: tuple[Stop, ...]) -> WorkingTime:
    """The one copy of this arithmetic in this process, with the due dates that it has worked out."""
    return WorkingTime(calendar, stops)
