from pathlib import Path

import pytest

from tests.chaos.killing import survive

pytestmark = pytest.mark.chaos


@pytest.mark.parametrize("which", ["worker", "api", "temporal"])
async def test_every_acknowledged_step_is_there_once_after_many_kills(which: str, tmp_path: Path) -> None:
    await survive(tmp_path, which, kills=8, engagements=6)
