"""Forecasts of whatever state a programme can come to: each ends, or says what it waits for, and changes nothing."""

from contextlib import suppress
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from programme.forecasting.moment import Course
from programme.forecasting.moves import Moves, written
from programme.forecasting.outlook import Forecast, forecast
from programme.messages import Stage
from programme.people import AcceptAppointment, EnrolPeople
from programme.refusals import Invalid, Refusal
from tests.core.programme_driver import PM, Programme, begun
from tests.core.sensible import SENSIBLE, Deeds
from tests.core.test_stateful import NEWCOMERS
from tests.core.volunteers import VOLUNTEERS, system

TURNS = 16
OFTEN = settings(
    max_examples=4, deadline=None, derandomize=True, phases=(Phase.generate,), suppress_health_check=list(HealthCheck)
)


def wandered(stage: Stage, luck: int) -> Programme:
    """A programme from the beginning of a stage on, in which people do what they owe and what comes to their minds."""
    programme, chance = begun(stage), Random(luck)  # noqa: S311 - nothing here is a secret
    ask(programme, [(EnrolPeople(people=NEWCOMERS), PM)])
    ask(programme, [(AcceptAppointment(role=role), row.person) for row in NEWCOMERS for role in row.roles])
    for _ in range(chance.randrange(TURNS)):
        if programme.engagement.ended:
            break
        programme.wait(chance.choice((0, 1, 3, 8)))
        ask(programme, system(programme, chance))
        for task in chance.sample(programme.engagement.open_tasks, min(6, len(programme.engagement.open_tasks))):
            with suppress(KeyError, IndexError):  # what the task was about may be gone meanwhile
                ask(programme, SENSIBLE[task.command](programme, task, chance))
        with suppress(KeyError, IndexError):
            ask(programme, chance.choice(VOLUNTEERS)(programme, chance))
    return programme


def ask(programme: Programme, deeds: Deeds) -> None:
    for command, person in deeds:
        with suppress(Refusal):
            programme.do(command, person)


def foreseen(programme: Programme, moves: Moves | None = None) -> Forecast:
    before = programme.engagement.model_dump_json()
    found = forecast(programme.engagement, programme.at, moves)
    assert programme.engagement.model_dump_json() == before
    return found


def said_about_its_end(found: Forecast) -> None:
    for course in found.baseline.courses.values():
        assert (course.ends is None) == bool(course.waits_for)


def in_order(found: Forecast) -> None:
    """At best no later than at today's pace, and that no later than at worst, wherever all three come to it."""
    for one in found.baseline.stages:
        for named in ("starts", "ends"):
            days = [getattr(getattr(one, course), named) for course in Course]
            if all(days):
                assert days == sorted(days), (one.stage, named)
    ends = [found.baseline.courses[course].ends for course in Course]
    known = [day for day in ends if day]
    if len(known) == len(ends):
        assert known == sorted(known)


@pytest.mark.parametrize("stage", [Stage.MANDATE, Stage.EXCHANGE, Stage.SESSIONS, Stage.DELIVERY, Stage.RENEWAL])
@OFTEN
@given(luck=st.integers(0, 2**24 - 1))
def test_whatever_has_happened_a_forecast_ends_or_says_what_it_waits_for(stage: Stage, luck: int) -> None:
    programme = wandered(stage, luck)
    if not programme.engagement.ended:
        found = foreseen(programme)
        said_about_its_end(found)
        in_order(found)


@pytest.mark.parametrize("stage", [Stage.DIAGNOSIS, Stage.SESSIONS])
@OFTEN
@given(luck=st.integers(0, 2**24 - 1), days=st.integers(1, 60))
def test_whatever_has_happened_a_later_session_b_brings_nothing_forward(stage: Stage, luck: int, days: int) -> None:
    programme = wandered(stage, luck)
    if programme.engagement.ended:
        return
    with suppress(Invalid):  # it was held
        for change in foreseen(programme, written([f"session-b=+{days}"])).changes:
            for later in (change.best, change.pace, change.worst):
                assert later is None or later >= 0, change
