"""What keeping engagements costs: replaying the longest run of a rehearsed year, and the worker's memory for each."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import httpx

from bench.grounds import Ground, burst, client_for, ground, step_of
from workflows.ports import APPEND_AFTER

FIRST, OPEN = 40, 200


async def bench_memory(tmp_path: Path) -> None:
    """Resident memory of the worker for each engagement of 32 people in its cache, beyond the first ones.

    The first fill what every worker has: pools, threads, the folds that it remembers. What is counted has rested: its
    entries are recorded, so that no tail is held any more.
    """
    async with ground(tmp_path) as place, client_for(place.url) as http:
        await _opened(place, http, range(FIRST))
        before = _resident(place.worker.pid)
        await _opened(place, http, range(FIRST, FIRST + OPEN))
        after = _resident(place.worker.pid)
    each = (after - before) / OPEN
    print(f"\nworker memory: {each:.0f} KiB an open engagement (wanted under 200), {OPEN} after {FIRST}")


async def _opened(place: Ground, http: httpx.AsyncClient, numbers: Iterable[int]) -> None:
    """Launch engagements in which four people accept, and wait until they rest."""
    for number in numbers:
        each = await place.launch(http, number)
        people = [email for email in each.tokens if email.startswith(("doctor-", "manager-"))]
        await burst(http, [step_of(each, email) for email in people[:4]])
    await place.rests()
    await asyncio.sleep(2 * APPEND_AFTER.total_seconds())


def _resident(pid: int | None) -> int:
    """KiB of a process that are in memory."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("the worker is gone")


def bench_rehearsal(tmp_path: Path) -> None:
    """A year of 16 doctors and 16 managers, every role over HTTP (wanted under 60 s)."""
    olive = Path(sys.executable).with_name("olive")
    command = [str(olive), "rehearse", "--doctors", "16", "--managers", "16", "--data", str(tmp_path), "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own program
    year = json.loads(done.stdout)
    print(f"\nrehearsal: {year['seconds']:.1f} s, {year['events']} events, {year['runs']} runs, {year['ended']}")
    assert year["verified"]
