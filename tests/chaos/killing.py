"""Steps of many people while processes are killed: what was acknowledged must be there, once, and level."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx

from bench.grounds import DOCTORS, MANAGERS, Engagement, Ground, client_for, ground
from cli.keeping import Witnesses
from store import journal

ASKERS = 12
PATIENCE = 60.0  # seconds for one step, kills and restarts included


async def _acknowledged(http: httpx.AsyncClient, engagement: Engagement, email: str) -> None:
    """Ask with one key until the answer is that it is recorded: what a careful caller does."""
    path, body, token = engagement.accept(email)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": email}
    while True:
        try:
            answer = await http.post(path, json=body, headers=headers)
        except httpx.HTTPError:
            continue
        if answer.status_code == httpx.codes.OK:
            return
        assert answer.status_code in {httpx.codes.ACCEPTED, httpx.codes.SERVICE_UNAVAILABLE}, answer.text


async def _load(place: Ground, engagements: list[Engagement], killed: Callable[[], int | None], kills: int) -> None:
    waiting = [(one, email) for one in engagements for email in one.tokens if email.startswith(("doctor-", "manager-"))]
    every = max(1, len(waiting) // (kills + 1))
    done = 0

    async def ask() -> None:
        nonlocal done
        async with client_for(place.url) as http:
            while waiting:
                async with asyncio.timeout(PATIENCE):
                    await _acknowledged(http, *waiting.pop())
                done += 1
                if done % every == 0 and (pid := killed()) is not None:
                    os.kill(pid, signal.SIGKILL)

    await asyncio.gather(*(ask() for _ in range(ASKERS)))


async def _said(place: Ground, engagement: Engagement) -> Counter[str]:
    async with place.database.reading() as connection:
        entries = await journal.entries(connection, engagement.id, limit=1000, kind="EnrolmentAccepted")
    return Counter(entry.actor_id for entry in entries)


async def survive(folder: Path, which: str, *, kills: int, engagements: int) -> None:
    """Launch, let everybody accept while one process is killed again and again, and hold the three witnesses level."""
    async with ground(folder) as place:
        async with client_for(place.url) as http:
            launched = [await place.launch(http, number) for number in range(engagements)]
        victims: dict[str, Callable[[], int | None]] = {
            "worker": lambda: place.worker.pid,
            "api": lambda: place.api.pid,
            "temporal": lambda: place.temporal.pid,
        }
        await _load(place, launched, victims[which], kills)
        for engagement in launched:
            said = await _said(place, engagement)
            assert len(said) == DOCTORS + MANAGERS
            assert set(said.values()) == {1}
            async with asyncio.timeout(PATIENCE):
                assert await Witnesses(place.database, place.client, engagement.id).differences() == []
