"""What is worked out once and kept is what would be worked out anew, and the next wake-up misses nothing."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from programme.continuity import PauseEngagement, ResumeEngagement
from programme.engagement import Engagement, agenda, next_wake
from programme.messages import Stage
from programme.post import NoticeRaised
from programme.refusals import Refusal
from programme.stages.diagnosis import CompleteQuestionnaire, WithdrawAnswers
from tests.core.given import given as recorded
from tests.core.programme_driver import DOCTORS, MANAGERS, PLAYS, PM, Programme, begun

STAGES = [Stage.MANDATE, *(later for played, later in pairwise(Stage) if played in PLAYS)]
KEPT = ("time", "rung_days", "held_parts", "open_tasks", "acts", "coming", "earliest", "outstanding")

waits = st.integers(0, 24 * 25).map(lambda hours: timedelta(hours=hours))
people = st.sampled_from([*DOCTORS[:4], *MANAGERS[:4]])
asks = st.sampled_from(["answer", "withdraw", "pause", "resume", "news", "nothing"])


def ask(programme: Programme, what: str, person: str) -> None:
    """Something that people may ask at any time; refused, if it is not the moment. Or news for some of them."""
    commands: dict[str, tuple[Any, str]] = {
        "answer": (CompleteQuestionnaire(), person),
        "withdraw": (WithdrawAnswers(), person),
        "pause": (PauseEngagement(reason="Winter", resumes=programme.today + timedelta(days=9)), PM),
        "resume": (ResumeEngagement(), PM),
    }
    if what == "news":
        recorded(programme, NoticeRaised(people=(*DOCTORS[:3], person), title="News"))
    if what in commands:
        programme.do(*commands[what])


def seen_one_by_one(engagement: Engagement, at: datetime) -> datetime | None:
    """The next wake-up, found by looking at everything that is coming."""
    sending = engagement.time.next_sending
    instants = (sending(max(due.at, at)) if due.sends else due.at for due in agenda(engagement))
    return min(instants, default=None)


def as_read(engagement: Engagement) -> Engagement:
    """The same engagement with nothing worked out yet."""
    return Engagement.model_validate_json(engagement.model_dump_json())


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(stage=st.sampled_from(STAGES), steps=st.lists(st.tuples(waits, asks, people), max_size=5))
def test_what_is_kept_is_what_would_be_worked_out_anew(stage: Stage, steps: list[tuple[timedelta, str, str]]) -> None:
    programme = begun(stage)
    for wait, what, person in steps:
        programme.advance(programme.at + wait)
        try:
            ask(programme, what, person)
        except Refusal:
            continue
    kept, fresh = programme.engagement, as_read(programme.engagement)
    assert kept == fresh
    for name in KEPT:
        assert getattr(kept, name) == getattr(fresh, name), name


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(stage=st.sampled_from(STAGES), steps=st.lists(st.tuples(waits, asks, people), max_size=5), late=waits)
def test_the_next_wake_up_is_the_earliest_of_all_that_is_coming(
    stage: Stage, steps: list[tuple[timedelta, str, str]], late: timedelta
) -> None:
    programme = begun(stage)
    for wait, what, person in steps:
        programme.advance(programme.at + wait)
        try:
            ask(programme, what, person)
        except Refusal:
            continue
        for at in (programme.at, programme.at + late):  # as after a night in which no worker was up
            assert next_wake(programme.engagement, at) == seen_one_by_one(programme.engagement, at)


@pytest.mark.parametrize("stage", STAGES)
def test_a_step_that_changes_nothing_of_the_calendar_keeps_its_arithmetic(stage: Stage) -> None:
    engagement = begun(stage).engagement
    time, days = engagement.time, engagement.rung_days
    changed = engagement.but(people=dict(engagement.people), sequence=engagement.sequence + 1)
    assert changed.time is time
    assert changed.rung_days is days
    another = changed.but(calendar=changed.calendar.model_copy(update={"version": "another"}))
    assert another.time is not time
    assert another.rung_days is not days


def test_a_new_place_in_the_journal_changes_nothing_of_what_comes() -> None:
    engagement = begun(Stage.DIAGNOSIS).engagement
    tasks, earliest = engagement.open_tasks, engagement.earliest
    moved = engagement.but(sequence=engagement.sequence + 1, digest="f" * 64)
    assert moved.open_tasks is tasks
    assert moved.earliest is earliest
