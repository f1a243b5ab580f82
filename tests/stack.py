"""The whole product in one process, for tests: Temporal's development server, a worker, the database and the API.

Everything is real; only the mail goes into a folder. Each test launches an engagement of its own.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from temporalio.client import Client
from temporalio.service import RPCError

from api.app import create_app
from runtime.embedded import EmbeddedTemporal
from runtime.settings import Settings
from runtime.telemetry import configure
from runtime.templates import shipped_questionnaire
from runtime.temporal import connect, ensure_namespace, prepare_namespace
from store import people
from store.database import Database, migrate
from store.people import TokenRole
from worker.hosting import activities_of, hosting

QUESTIONNAIRE = shipped_questionnaire()
MANAGER = ("Parveen Mann", "parveen.mann@example.nhs.uk")


def app_of(database: Database, client: Client, settings: Settings) -> FastAPI:
    """An API process over this database and this Temporal."""
    return create_app(
        database=database,
        client=client,
        settings=settings,
        telemetry=configure("test"),
        questionnaire=QUESTIONNAIRE,
    )


def http_of(app: FastAPI) -> httpx.AsyncClient:
    """A client that speaks to an application without a network."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://olive.test", timeout=60)


async def token_of(database: Database, name: str, email: str, role: TokenRole = "participant") -> tuple[str, str]:
    """A person's id and a new token."""
    async with database.writing() as connection:
        (person,) = await people.add_people(connection, [(name, email)])
        return person, await people.create_token(connection, person, role)


async def workerless(stack: "Stack") -> Client:
    """A client of a namespace in which nobody works."""
    client = await connect(
        stack.settings.model_copy(update={"temporal_namespace": "nobody-works-here"}), address=stack.temporal.address
    )
    await ensure_namespace(client)
    await _usable(client)
    return client


async def _usable(client: Client) -> None:
    """Wait until the server knows a namespace everywhere: it is made at once, and used a moment later."""
    async with asyncio.timeout(60):
        while True:
            try:
                await client.get_workflow_handle("nobody").describe()
            except RPCError as error:
                if "amespace" not in error.message:
                    return
            await asyncio.sleep(0.05)


def bearer(token: str, **headers: str) -> dict[str, str]:
    """The headers of a signed-in request."""
    return {"Authorization": f"Bearer {token}"} | {name.replace("_", "-"): value for name, value in headers.items()}


def rows(doctors: int = 12, managers: int = 12) -> list[dict[str, str]]:
    """A roster of everybody whom an engagement needs, the programme manager aside."""
    named = [
        {"name": "Mel Medical", "email": "mel@example.nhs.uk", "roles": "medical_sponsor"},
        {"name": "Max Managerial", "email": "max@example.nhs.uk", "roles": "managerial_sponsor"},
        {"name": "Fay Facilitator", "email": "fay@example.nhs.uk", "roles": "facilitator"},
        {"name": "Abe Approver", "email": "abe@example.nhs.uk", "roles": "medical_approver", "gmc_registered": "yes"},
    ]
    for side, number in (("doctor", doctors), ("manager", managers)):
        named += (
            {"name": f"{side} {place}", "email": f"{side}{place}@example.nhs.uk", "side": side}
            for place in range(number)
        )
    return named


def launch_body(**changes: Any) -> dict[str, Any]:
    """A launch that nothing is wrong with, of a scope that no other test has."""
    return {
        "ods_code": "R1A",
        "scope": f"Emergency department {secrets.token_hex(6)}",
        "local_problem": "People wait too long in A&E",
        "dpia_reference": "DPIA-7",
        "people": rows(),
    } | changes


@dataclass
class Launched:
    """An engagement that runs, and the tokens of its people by e-mail address before the @."""

    stack: "Stack"
    id: str
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Where it is."""
        return f"/api/v1/engagements/{self.id}"

    async def post(self, who: str, command: str, body: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        """Ask for a command."""
        return await self.stack.http.post(
            f"{self.path}/{command}", json=body or {}, headers=bearer(self.tokens[who], **headers)
        )

    async def get(self, who: str, what: str = "", **query: Any) -> httpx.Response:
        """Read."""
        path = f"{self.path}/{what}" if what else self.path
        return await self.stack.http.get(path, params=query, headers=bearer(self.tokens[who]))

    async def begin_diagnosis(self) -> None:
        """Everybody accepts and both sponsors are willing: the questionnaire opens."""
        for who, role in (("fay", "facilitator"), ("abe", "medical_approver")):
            (await self.post(who, "accept-appointment", {"role": role})).raise_for_status()
        for who in self.tokens:
            if who.startswith(("doctor", "manager")):
                body = {"side": who.rstrip("0123456789"), "privacy_notice": "1"}
                (await self.post(who, "accept-enrolment", body)).raise_for_status()
        for who in ("mel", "max"):
            (await self.post(who, "state-willingness", {"answer": "willing"})).raise_for_status()


@dataclass
class Stack:
    """The product, running. ``settings`` as those of a developer's machine, only less patient."""

    temporal: EmbeddedTemporal
    client: Client
    database: Database
    settings: Settings
    app: FastAPI
    http: httpx.AsyncClient

    async def manager(self) -> str:
        """The token of a programme manager."""
        return (await token_of(self.database, *MANAGER, "programme_manager"))[1]

    async def launch(self, people: Iterable[dict[str, str]] | None = None, **changes: Any) -> Launched:
        """Launch an engagement and give everybody a token."""
        body = launch_body(**changes) | ({"people": list(people)} if people is not None else {})
        token = await self.manager()
        answer = await self.http.post("/api/v1/engagements", json=body, headers=bearer(token))
        assert answer.status_code == 201, answer.text
        tokens = {"pm": token}
        for row in body["people"]:
            key = row["email"].partition("@")[0]
            tokens[key] = (await token_of(self.database, row["name"], row["email"]))[1]
        return Launched(self, answer.json()["engagement_id"], tokens)


async def _ready(http: httpx.AsyncClient) -> None:
    """Wait until the worker has asked Temporal for work for the first time."""
    async with asyncio.timeout(30):
        while (await http.get("/readyz")).status_code != httpx.codes.OK:  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(0.05)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Stack]:
    """The product, for as long as the block lasts."""
    settings = Settings(data_dir=folder, answer_within_seconds=10)
    url = settings.database_url.get_secret_value()
    migrate(url)
    database = Database(url)
    async with EmbeddedTemporal(folder / "temporal") as temporal:
        client = await connect(settings, address=temporal.address)
        await prepare_namespace(client)
        app = app_of(database, client, settings)
        async with hosting(client, activities_of(database, client, settings)), http_of(app) as http:
            await _ready(http)
            yield Stack(temporal, client, database, settings, app, http)
            await app.state.front_door.desk.close()
    await database.close()
