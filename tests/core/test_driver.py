"""The driver itself: a programme that it brings to a stage is one that people could have brought there."""

from collections.abc import Callable

import pytest

from programme.engagement import Engagement, fold
from programme.messages import Stage
from programme.post import MessageIssued
from tests.core.programme_driver import PLAYS, Programme, registered, roster

REACHED = (Stage.MANDATE, *(list(Stage)[list(Stage).index(played) + 1] for played in PLAYS))


@pytest.mark.parametrize("stage", REACHED)
def test_a_programme_brought_to_a_stage_can_be_rebuilt_from_its_history(
    start: Callable[[Stage], Programme], stage: Stage
) -> None:
    programme = start(stage)
    assert programme.engagement.in_stage(stage)
    assert fold(Engagement(), programme.entries) == programme.engagement


def test_a_whole_hospital_is_written_to_in_one_morning() -> None:
    doctors, managers = (tuple(f"{side}{number}" for number in range(300)) for side in ("doctor", "manager"))
    programme = registered(people=roster(doctors, managers))
    programme.wait(1)
    assert {person for event in programme.events(MessageIssued) for person in event.people} >= {*doctors, *managers}
