"""The driver itself: a programme that it brings to a stage is one that people could have brought there."""

from collections.abc import Callable

import pytest

from programme.engagement import Engagement, fold
from programme.messages import Stage
from tests.core.programme_driver import PLAYS, Programme

REACHED = (Stage.MANDATE, *(list(Stage)[list(Stage).index(played) + 1] for played in PLAYS))


@pytest.mark.parametrize("stage", REACHED)
def test_a_programme_brought_to_a_stage_can_be_rebuilt_from_its_history(
    start: Callable[[Stage], Programme], stage: Stage
) -> None:
    programme = start(stage)
    assert programme.engagement.in_stage(stage)
    assert fold(Engagement(), programme.entries) == programme.engagement
