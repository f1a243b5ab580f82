"""What was changed with care: longer dates, steps left out, returns, corrections. State only; nothing here is undone.

The rules stand in the parts beside it: extending, skipping, reopening, returning, correcting, vacancies.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import Field

from programme.messages import Frozen, Paragraph, PersonId, Role, Sentence, Stage, Task, TaskId
from programme.working_time import WorkingTime, uk_date

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.engagement import Engagement

DutyId = str
"""What several people are asked alike: the id of a task without its person."""


class LaterReason(StrEnum):
    """Why a due date is moved. It is told with the date, so it says nothing about anybody's health or life."""

    ABSENCE = "absence"
    PRESSURE_OF_WORK = "pressure_of_work"
    NO_COMMON_DATE = "no_common_date"
    MISSING_INFORMATION = "missing_information"
    TECHNICAL_FAULT = "technical_fault"
    OTHER = "other"

    @property
    def words(self) -> str:
        """In a sentence."""
        return "another reason" if self is LaterReason.OTHER else self.value.replace("_", " ")


class SkipReason(StrEnum):
    """Why a step is left out."""

    ABSENCE = "absence"
    PRESSURE_OF_WORK = "pressure_of_work"
    NO_COMMON_DATE = "no_common_date"
    NOTHING_TO_ADD = "nothing_to_add"
    DONE_ELSEWHERE = "done_elsewhere"
    OTHER = "other"


class Later(Frozen):
    """So many working days more for a duty, given by whom, when and why."""

    working_days: int
    by: Role
    reason: LaterReason
    sentence: Sentence = ""
    on: date


class Step(StrEnum):
    """A step that the programme allows to leave out."""

    INSIGHT = "insight"
    SHARING = "sharing"  # of an insight
    VISIT = "visit"  # the second of a pair
    CHECK_IN = "check_in"
    TOUCHPOINT = "touchpoint"
    POSITION = "position"
    FURTHER_PAIRS = "further_pairs"  # for which the programme came back to the exchange

    @property
    def words(self) -> str:
        """In a sentence."""
        return {
            Step.CHECK_IN: "check-in",
            Step.POSITION: "position statement",
            Step.FURTHER_PAIRS: "forming of further pairs",
            Step.SHARING: "sharing of an insight",
        }.get(self, self.value)


class Skipped(Frozen):
    """A step that was left out. ``tasks``: what is not asked any more; ``due``: when it would have been due."""

    step: Step
    about: str
    tasks: tuple[TaskId, ...]
    due: date | None = None
    reason: SkipReason
    sentence: Sentence
    on: date
    cycle: int


class Return(Frozen):
    """A return to an earlier stage of the running cycle."""

    left: Stage
    to: Stage
    cycle: int
    reason: Sentence
    on: date


class Mistake(StrEnum):
    """What is wrong with an entry."""

    WRONG_DATE = "wrong_date"
    WRONG_PERSON = "wrong_person"
    WRONG_WORDS = "wrong_words"
    WRONG_FIGURE = "wrong_figure"
    ENTERED_TWICE = "entered_twice"
    DID_NOT_HAPPEN = "did_not_happen"
    SOMETHING_MISSING = "something_missing"


class Correction(Frozen):
    """What should have stood in an entry. The entry stays as it was made; both are read together."""

    entry: int
    entry_kind: str
    about: tuple[str, ...] = ()
    mistake: Mistake
    text: Paragraph
    by: PersonId
    on: date
    recorded: int = 0  # the entry by which it was corrected


class Changes(Frozen):
    """Everything that was changed with care since the engagement began. ``vacant``: since when a part is open again."""

    later: dict[DutyId, tuple[Later, ...]] = Field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()
    returns: tuple[Return, ...] = ()
    corrections: tuple[Correction, ...] = ()
    vacant: dict[Role, date] = Field(default_factory=dict)

    @property
    def left_out(self) -> frozenset[TaskId]:
        """The tasks that are not asked any more."""
        return frozenset(task for one in self.skipped for task in one.tasks)

    def of_step(self, step: Step, about: str) -> Iterator[Skipped]:
        """What was left out of a kind of step about something."""
        return (one for one in self.skipped if (one.step, one.about) == (step, about))

    def corrections_of(self, about: str) -> tuple[Correction, ...]:
        """What was corrected about an action, a measure, a session, a touchpoint or another thing, in order."""
        return tuple(one for one in self.corrections if about in one.about)


def duty_of(task: TaskId) -> DutyId:
    """What somebody is asked, and others with them."""
    return task.rpartition("/")[0]


def given(later: tuple[Later, ...]) -> int:
    """How many working days more were given in all."""
    return sum(one.working_days for one in later)


def postponed(task: Task, later: dict[DutyId, tuple[Later, ...]], time: WorkingTime) -> Task:
    """The task with its due date as it was moved later; whatever else moves the date moves it further."""
    moves = later.get(duty_of(task.id), ())
    if not moves or task.due is None:
        return task
    on = time.shifted(task.due.on, time.plus(task.due.on, given(moves)))
    return replace(task, due=time.later(task.due, on, "; ".join(_in_words(one) for one in moves)))


def _in_words(one: Later) -> str:
    who, number = one.by.value.replace("_", " "), one.working_days
    days = "1 working day" if number == 1 else f"{number} working days"
    return f"the {who} gave {days} more on {uk_date(one.on)} ({one.reason.words})"


def with_changes(engagement: Engagement, **changes: object) -> Engagement:
    """The engagement with these fields of its changes changed."""
    return engagement.but(changes=engagement.changes.model_copy(update=changes))
