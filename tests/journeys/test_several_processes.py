"""Grown up, several processes serve one programme: two front doors and two workers on one Temporal and one database."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx
from temporalio.api.enums.v1 import EventType

from bench.grounds import Engagement, Ground, client_for, free_port, ground
from cli.keeping import Witnesses
from cli.processes import Kept, running, until_ready
from programme.messages import PersonId
from store import journal, people
from store.journal import StoredEntry
from workflows.addresses import engagement_workflow

TWENTY = 20
AT_ONCE = 4  # people who act in the same moment
PATIENCE = 60.0  # seconds for one step, kills and restarts included


@asynccontextmanager
async def beside(place: Ground, folder: Path) -> AsyncIterator[tuple[str, Kept, Kept]]:
    """A second worker and a second API; yields where that API is."""
    port = free_port()
    environment = {
        "OLIVE_DATA_DIR": str(folder),
        "OLIVE_TEMPORAL_ADDRESS": place.temporal.address,
        "OLIVE_API_PORT": str(port),
    }
    async with running(environment, folder / "more-logs") as (worker, api):
        url = f"http://127.0.0.1:{port}"
        await until_ready(url, folder / "more-logs")
        yield url, worker, api


@dataclass
class Turns:
    """Twenty people who act through both front doors in turn, and what they were told."""

    urls: list[str]
    kills: dict[int, Callable[[], int]]  # after so many were answered, this process ends
    answered: dict[str, list[tuple[int, str]]] = field(
        default_factory=dict
    )  # e-mail -> sequence and kind of each event
    by_door: dict[str, int] = field(default_factory=dict)

    async def act(self, engagement: Engagement, email: str, doors: "count[int]") -> None:
        """Ask under one key, at the next door whenever one does not answer, until it is recorded."""
        path, body, token = engagement.accept(email)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": email}
        while email not in self.answered:
            url = self.urls[next(doors) % len(self.urls)]
            async with client_for(url) as http:
                try:
                    answer = await http.post(path, json=body, headers=headers)
                except httpx.HTTPError:
                    continue
            if answer.status_code == httpx.codes.OK:
                self._told(email, url, answer)
            else:
                assert answer.status_code in {httpx.codes.ACCEPTED, httpx.codes.SERVICE_UNAVAILABLE}, answer.text

    def _told(self, email: str, url: str, answer: httpx.Response) -> None:
        self.answered[email] = [(event["sequence"], event["kind"]) for event in answer.json()["events"]]
        self.by_door[url] = self.by_door.get(url, 0) + 1
        if victim := self.kills.pop(len(self.answered), None):
            os.kill(victim(), signal.SIGKILL)

    async def all(self, engagement: Engagement, emails: list[str]) -> None:
        """Everybody, so many at once."""
        waiting, doors = list(emails), count()

        async def one_after_the_other() -> None:
            while waiting:
                async with asyncio.timeout(PATIENCE):
                    await self.act(engagement, waiting.pop(), doors)

        await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))


async def hosts(place: Ground, engagement: Engagement) -> list[int]:
    """The processes that have hosted the engagement, by number, the latest last."""
    history = await place.client.get_workflow_handle(engagement_workflow(engagement.id)).fetch_history()
    begun = [event for event in history.events if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED]
    identities = [event.workflow_task_started_event_attributes.identity for event in begun]
    # A task that timed out with its worker is written down as begun by nobody.
    return [int(identity.partition("@")[0]) for identity in identities if identity]


async def persons(place: Ground, engagement: Engagement, emails: list[str]) -> dict[str, PersonId]:
    """Whose e-mail is whose."""
    async with place.database.reading() as connection:
        holders = {email: await people.person_of(connection, engagement.tokens[email]) for email in emails}
    return {email: holder.person_id for email, holder in holders.items() if holder}


async def recorded(place: Ground, engagement: Engagement) -> dict[int, StoredEntry]:
    """The journal, by place."""
    async with place.database.reading() as connection:
        entries = await journal.entries(connection, engagement.id, limit=1000)
    return {entry.sequence: entry for entry in entries}


async def test_what_people_were_told_at_two_doors_stands_once_in_the_journal_though_processes_die(
    tmp_path: Path,
) -> None:
    async with ground(tmp_path) as place, beside(place, tmp_path) as (url, other_worker, other_api):
        async with client_for(place.url) as http:
            engagement = await place.launch(http, 0)
        emails = [email for email in engagement.tokens if email.startswith(("doctor-", "manager-"))][:TWENTY]
        (holding, *_) = await hosts(place, engagement)
        assert holding in {place.worker.pid, other_worker.pid}
        turns = Turns([place.url, url], {7: lambda: holding, 13: lambda: other_api.pid or 0})
        await turns.all(engagement, emails)

        assert not turns.kills
        assert min(turns.by_door.values()) > 0
        assert set(turns.by_door) == {place.url, url}
        assert len(set(await hosts(place, engagement))) > 1

        whose, entries = await persons(place, engagement, emails), await recorded(place, engagement)
        told = {place: (whose[email], kind) for email, events in turns.answered.items() for place, kind in events}
        accepted = {place: entry for place, entry in entries.items() if entry.kind == "EnrolmentAccepted"}
        assert told == {place: (entry.actor_id, entry.kind) for place, entry in accepted.items()}
        assert sorted(entry.actor_id for entry in accepted.values()) == sorted(whose.values())
        async with asyncio.timeout(PATIENCE):
            assert await Witnesses(place.database, place.client, engagement.id).differences() == []
