"""Lets a process without a port say that it is alive: `python -m runtime.heartbeat` asks the worker beside it.

A worker that hangs still holds its connection, so whoever watches it from outside sees nothing. What cannot lie
is the event loop: as long as it turns, it touches a file.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from runtime.settings import load_settings

BEAT_SECONDS = 5.0
DEAD_SECONDS = 60.0  # A workflow task may keep the processor for seconds; nothing sound keeps it for a minute.
NAME = "worker.alive"


@asynccontextmanager
async def heartbeat(folder: Path) -> AsyncIterator[None]:
    """Touch a file in `folder` every five seconds for as long as the block lasts; afterwards the file is gone."""
    path = folder / NAME
    _touch(path)
    beating = asyncio.create_task(_beat(path), name="heartbeat")
    try:
        yield
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating
        path.unlink(missing_ok=True)


async def _beat(path: Path) -> None:
    while True:
        _touch(path)
        await asyncio.sleep(BEAT_SECONDS)


def _touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch()


def alive(folder: Path, *, now: float) -> bool:
    """Whether the process that uses `folder` touched its file within the last minute; `now` in seconds since 1970."""
    try:
        return now - (folder / NAME).stat().st_mtime < DEAD_SECONDS
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(0 if alive(load_settings().data_dir, now=time.time()) else 1)
