"""The ground on which both are measured: one Temporal server, our worker and API, and bare ones beside them."""

import asyncio
import os
import random
import socket
import statistics
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from temporalio.client import Client

from bench.bare import QUEUE, BareWorkflow
from cli.processes import Kept, running, until_ready
from runtime.embedded import EmbeddedTemporal
from runtime.settings import Settings
from runtime.temporal import connect, ensure_namespace
from store import outbox, people
from store.database import Database, migrate
from workflows.addresses import engagement_workflow

CLIENTS = 32
DOCTORS = MANAGERS = 16
Job = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Engagement:
    """One engagement, and the tokens of its participants by e-mail address."""

    id: str
    tokens: dict[str, str] = field(default_factory=dict)

    def accept(self, email: str) -> tuple[str, dict[str, Any], str]:
        """The path, body and token with which somebody takes part."""
        side = email.partition("-")[0]
        body = {"side": side, "privacy_notice": "1"}
        return f"/api/v1/engagements/{self.id}/accept-enrolment", body, self.tokens[email]


@dataclass
class Ground:
    """Everything that runs, and how to ask it."""

    client: Client
    database: Database
    url: str
    pm: str
    temporal: EmbeddedTemporal
    worker: Kept
    api: Kept

    async def launch(self, http: httpx.AsyncClient, place: int) -> Engagement:
        """An engagement with 16 of each side, everybody with a token."""
        rows = [
            {"name": "Mel", "email": f"mel-{place}@example.org", "roles": "medical_sponsor"},
            {"name": "Max", "email": f"max-{place}@example.org", "roles": "managerial_sponsor"},
            {"name": "Fay", "email": f"fay-{place}@example.org", "roles": "facilitator"},
            {"name": "Abe", "email": f"abe-{place}@example.org", "roles": "medical_approver", "gmc_registered": "yes"},
        ]
        for side, count in (("doctor", DOCTORS), ("manager", MANAGERS)):
            rows += (
                {"name": f"{side} {n}", "email": f"{side}-{n}-{place}@example.org", "side": side} for n in range(count)
            )
        body = {
            "ods_code": "R1A",
            "scope": f"Service {place} {uuid.uuid4().hex[:8]}",
            "local_problem": "People wait too long in A&E",
            "dpia_reference": "DPIA-7",
            "people": rows,
        }
        answer = await http.post("/api/v1/engagements", json=body, headers={"Authorization": f"Bearer {self.pm}"})
        assert answer.status_code == httpx.codes.CREATED, answer.text
        engagement = Engagement(answer.json()["engagement_id"])
        async with self.database.writing() as connection:
            emails = [(row["name"], row["email"]) for row in rows]
            ids = await people.add_people(connection, emails)
            for (_, email), person in zip(emails, ids, strict=True):
                engagement.tokens[email] = await people.create_token(connection, person, "participant")
        return engagement

    async def rests(self) -> None:
        """Wait until the post has nothing left to send: launches write to everybody, in sending hours."""
        while True:
            async with self.database.reading() as connection:
                if not await outbox.waiting(connection, datetime.now(UTC)):
                    return
            await asyncio.sleep(1)

    async def history_length(self, engagement: Engagement) -> int:
        """How many events the running workflow's history holds."""
        found = await self.client.get_workflow_handle(engagement_workflow(engagement.id)).describe()
        return found.history_length


@asynccontextmanager
async def ground(folder: Path) -> AsyncIterator[Ground]:
    """Everything, started for real, for as long as the block lasts."""
    settings = Settings(data_dir=folder)
    url = settings.database_url.get_secret_value()
    migrate(url)
    database = Database(url)
    async with database.writing() as connection:
        (manager,) = await people.add_people(connection, [("Pat", "pat@example.org")])
        pm = await people.create_token(connection, manager, "programme_manager")
    port = free_port()
    async with EmbeddedTemporal(folder / "temporal") as temporal:
        client = await connect(settings, address=temporal.address)
        await ensure_namespace(client)
        environment = {
            "OLIVE_DATA_DIR": str(folder),
            "OLIVE_TEMPORAL_ADDRESS": temporal.address,
            "OLIVE_API_PORT": str(port),
            "OLIVE_UPDATES_IN_FLIGHT": "900",
        }
        async with running(environment, folder / "logs") as (worker, api):
            url = f"http://127.0.0.1:{port}"
            await until_ready(url, folder / "logs")
            yield Ground(client, database, url, pm, temporal, worker, api)
    await database.close()


@asynccontextmanager
async def bare_beside(place: Ground) -> AsyncIterator[str]:
    """The bare worker and API on the same Temporal server; yields where the API is."""
    port = free_port()
    leash = [sys.executable, "-m", "runtime.leash", str(os.getpid()), sys.executable, "bench/bare.py"]
    where = [place.temporal.address, place.client.namespace]
    own = {**os.environ, "PYTHONPATH": "."}
    beside = [
        await asyncio.create_subprocess_exec(*leash, "worker", *where, env=own),
        await asyncio.create_subprocess_exec(*leash, "api", *where, str(port), env=own),
    ]
    try:
        await _listening(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        for process in beside:
            process.terminate()
            await process.wait()


async def _listening(url: str) -> None:
    async with httpx.AsyncClient() as http:
        while True:
            with suppress(httpx.HTTPError):
                await http.get(f"{url}/docs")
                return
            await asyncio.sleep(0.1)


async def bare_workflows(client: Client, count: int) -> list[str]:
    """As many minimal workflows as there are engagements."""
    ids = [f"bare-{uuid.uuid4().hex}" for _ in range(count)]
    await asyncio.gather(*(client.start_workflow(BareWorkflow.run, id=id_, task_queue=QUEUE) for id_ in ids))
    return ids


@dataclass(frozen=True)
class Timing:
    """How a burst went: steps a second, and the median and slowest seconds of one."""

    steps: int
    seconds: float
    each: Sequence[float]

    @property
    def rate(self) -> float:
        """Steps a second."""
        return self.steps / self.seconds

    @property
    def p50(self) -> float:
        """The median step, in seconds."""
        return statistics.median(self.each)

    @property
    def p99(self) -> float:
        """The slowest but one in a hundred, in seconds."""
        return sorted(self.each)[int(len(self.each) * 0.99)]


async def burst(http: httpx.AsyncClient, jobs: Sequence[Job], clients: int = CLIENTS) -> Timing:
    """Do all jobs with so many clients, each taking the next job when its last is answered."""
    waiting = list(jobs)
    random.Random(7).shuffle(waiting)  # noqa: S311 - an order, not a secret
    each: list[float] = []

    async def one() -> None:
        while waiting:
            job = waiting.pop()
            began = time.perf_counter()
            answer = await job(http)
            each.append(time.perf_counter() - began)
            assert answer.status_code == httpx.codes.OK, answer.text

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(clients)))
    return Timing(len(each), time.perf_counter() - began, each)


def step_of(engagement: Engagement, email: str) -> Job:
    """A participant accepts."""
    path, body, token = engagement.accept(email)
    return lambda http: http.post(path, json=body, headers={"Authorization": f"Bearer {token}"})


def bare_step_of(workflow_id: str, email: str) -> Job:
    """The same person does a bare step."""
    body = {"command_id": str(uuid.uuid4()), "by": email, "side": email.partition("-")[0], "privacy_notice": "1"}
    return lambda http: http.post(f"/steps/{workflow_id}", json=body)


def client_for(url: str) -> httpx.AsyncClient:
    """A client with a connection for each of the callers."""
    limits = httpx.Limits(max_connections=CLIENTS, max_keepalive_connections=CLIENTS)
    return httpx.AsyncClient(base_url=url, timeout=60, limits=limits)
