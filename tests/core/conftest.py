"""Programmes at the start of a stage, for every test of the core. The driver is ``programme_driver.py``."""

from collections.abc import Callable

import pytest

from programme.messages import Stage
from tests.core.programme_driver import Programme, begun


@pytest.fixture
def start() -> Callable[[Stage], Programme]:
    """``start(Stage.EXCHANGE)``: an engagement at the moment at which that stage begins."""
    return begun
