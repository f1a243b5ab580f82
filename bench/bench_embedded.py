"""How long the embedded server keeps a person waiting: at its start, and after it was killed."""

import os
import signal
import time
from pathlib import Path

from runtime.embedded import EmbeddedTemporal
from runtime.settings import Settings
from runtime.temporal import connect


async def bench_start_and_recovery(tmp_path: Path) -> None:
    """Print the seconds until the server answers: empty folder, existing folder, after `kill -9`."""
    began = time.perf_counter()
    async with EmbeddedTemporal(tmp_path):
        print(f"\nempty folder:    {time.perf_counter() - began:.2f} s")
    began = time.perf_counter()
    async with EmbeddedTemporal(tmp_path) as server:
        print(f"existing folder: {time.perf_counter() - began:.2f} s")
        client = await connect(Settings(data_dir=tmp_path), address=server.address)
        began = time.perf_counter()
        os.kill(server.pid, signal.SIGKILL)
        assert (await client.count_workflows()).count == 0
        print(f"after kill -9:   {time.perf_counter() - began:.2f} s")
