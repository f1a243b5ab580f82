import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

from runtime.heartbeat import DEAD_SECONDS, NAME, alive, heartbeat

ROOT = Path(__file__).parents[2]


def asked(folder: Path) -> int:
    environment = os.environ | {"OLIVE_DATA_DIR": str(folder)}
    return subprocess.run(
        [sys.executable, "-m", "runtime.heartbeat"], cwd=ROOT, env=environment, check=False
    ).returncode


async def test_a_worker_is_alive_while_it_runs_and_not_afterwards(tmp_path: Path) -> None:
    async with heartbeat(tmp_path):
        assert await asyncio.to_thread(asked, tmp_path) == 0
    assert await asyncio.to_thread(asked, tmp_path) == 1


def test_a_worker_that_hangs_is_not_alive(tmp_path: Path) -> None:
    (tmp_path / NAME).touch()
    assert alive(tmp_path, now=time.time())
    assert not alive(tmp_path, now=time.time() + DEAD_SECONDS)
