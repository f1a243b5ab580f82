"""The short form of tests/chaos/test_process_kills.py."""

from pathlib import Path

import pytest

from tests.chaos.killing import survive


@pytest.mark.parametrize("which", ["worker", "api", "temporal"])
async def test_an_acknowledged_step_survives_a_killed_process(which: str, tmp_path: Path) -> None:
    await survive(tmp_path, which, kills=1, engagements=1)
