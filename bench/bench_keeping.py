"""What keeping engagements costs: replaying the longest run of a rehearsed year, and the worker's memory for each."""

import json
import subprocess
import sys
from pathlib import Path

from bench.grounds import burst, client_for, ground, step_of

OPEN = 200


async def bench_memory(tmp_path: Path) -> None:
    """Resident memory of the worker before and after 200 engagements of 32 people that it keeps in its cache."""
    async with ground(tmp_path) as place, client_for(place.url) as http:
        first = await place.launch(http, 0)
        await burst(http, [step_of(first, email) for email in first.tokens if email.startswith("doctor-")])
        before = _resident(place.worker.pid)
        engagements = [await place.launch(http, number) for number in range(1, OPEN + 1)]
        for each in engagements:
            people = [email for email in each.tokens if email.startswith(("doctor-", "manager-"))]
            await burst(http, [step_of(each, email) for email in people[:4]])
        after = _resident(place.worker.pid)
    print(f"\nworker memory: {(after - before) / OPEN:.0f} KiB an open engagement (wanted under 200), {OPEN} of them")


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
