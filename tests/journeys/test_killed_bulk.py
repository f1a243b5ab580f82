"""A request of many engagements whose worker is killed in the middle: each engagement does it once, and all do."""

import asyncio
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from bench.grounds import Ground, client_for, ground
from cli.keeping import Witnesses
from store import journal

ENGAGEMENTS = 24
PATIENCE = 120.0


async def _until(http: httpx.AsyncClient, path: str, *states: str, done: int = 0) -> dict[str, Any]:
    """The request, once it stands in one of these states or so many engagements have answered."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found: dict[str, Any] = (await http.get(path)).raise_for_status().json()
            if found["state"] in states or (done and found["counts"].get("done", 0) >= done):
                return found
            await asyncio.sleep(0.02)


async def _pauses(place: Ground, engagement_id: str) -> int:
    """How often an engagement has paused, once it has."""
    async with asyncio.timeout(PATIENCE):
        while True:
            async with place.database.reading() as connection:
                found = await journal.entries(connection, engagement_id, limit=50, kind="EngagementPausedUntil")
            if found:
                return len(found)
            await asyncio.sleep(0.1)


async def test_a_worker_killed_in_the_middle_of_a_bulk_request_changes_nothing(tmp_path: Path) -> None:
    resumes = (datetime.now(UTC) + timedelta(days=10)).date()
    async with ground(tmp_path) as place, client_for(place.url) as http:
        launched = [await place.launch(http, number) for number in range(ENGAGEMENTS)]
        http.headers["Authorization"] = f"Bearer {place.pm}"
        wanted = {"dry_run": True, "trust": "R1A", "pause": {"reason": "Snow", "resumes": str(resumes)}}
        taken = (await http.post("/api/v1/bulk", json=wanted)).raise_for_status()
        path = taken.headers["location"]
        assert (await _until(http, path, "foreseen"))["counts"] == {"waiting": ENGAGEMENTS}
        (await http.post("/api/v1/bulk", json={"run": taken.json()["bulk_id"]})).raise_for_status()
        cut = await _until(http, path, "finished", done=3)
        assert cut["state"] == "running", "it was killed in the middle"
        pid = place.worker.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        ended = await _until(http, path, "finished")
        assert ended["counts"] == {"done": ENGAGEMENTS}
        assert [await _pauses(place, one.id) for one in launched] == [1] * ENGAGEMENTS
        for one in launched:
            async with asyncio.timeout(PATIENCE):
                assert await Witnesses(place.database, place.client, one.id).differences() == []
