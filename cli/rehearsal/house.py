"""What a rehearsal runs on: a Temporal server whose clock skips, the real worker, the real API, an empty folder.

Time flows at its usual speed while people act, and jumps when nobody has anything to do. E-mail goes into the folder.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import SecretStr
from temporalio.client import WorkflowHandle, WorkflowHistory
from temporalio.testing import WorkflowEnvironment

from cli.processes import running, until_ready
from cli.rehearsal.cast import Player
from programme.messages import PersonId, Role
from runtime.embedded import time_skipping_temporal
from runtime.settings import Settings
from store.database import Database, migrate
from store.people import TokenRole, add_people, create_token
from workflows.addresses import engagement_workflow
from workflows.ports import Standing

NAMESPACE = "default"  # the only one that the skipping server has
SKIP_SECONDS = 300.0  # for what falls due between two days on which somebody acts; it takes a second or two
SETTLED_SECONDS = 30.0  # until what time has caused is in the journal
POLL_SECONDS = 0.005


class RehearsalError(Exception):
    """The rehearsal could not begin or go on; the text says why."""


@dataclass
class House:
    """Everything that runs, and its clock."""

    temporal: WorkflowEnvironment
    settings: Settings
    url: str

    async def now(self) -> datetime:
        """The time that it is in the rehearsal."""
        return await self.temporal.get_current_time()

    async def skip_to(self, instant: datetime) -> None:
        """Let the time until then pass, with everything that falls due in it."""
        wait = instant - await self.now()
        if wait > timedelta():
            try:
                async with asyncio.timeout(SKIP_SECONDS):
                    await self.temporal.sleep(wait)
            except TimeoutError:
                logs = self.settings.data_dir / "logs"
                raise RehearsalError(f"Time does not pass: something is stuck. The logs are in {logs}.") from None

    async def settled(self, engagement_id: str) -> None:
        """Wait until everything that has happened is in the journal, so that the next read shows it."""
        async with asyncio.timeout(SETTLED_SECONDS):
            while not await self._all_recorded(engagement_id):  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(POLL_SECONDS)

    async def _all_recorded(self, engagement_id: str) -> bool:
        standing = await self.standing(engagement_id)
        return standing.recorded >= standing.sequence

    async def standing(self, engagement_id: str) -> Standing:
        """Where the running workflow stands."""
        standing: Standing = await self.workflow(engagement_id).query("standing", result_type=Standing)
        return standing

    def workflow(self, engagement_id: str) -> WorkflowHandle[object, object]:
        """The engagement's workflow, whichever run it is in."""
        return self.temporal.client.get_workflow_handle(engagement_workflow(engagement_id))

    async def tokens(self, players: Sequence[Player]) -> tuple[dict[str, str], dict[str, PersonId]]:
        """A token and the opaque id of everybody, by key; made as `olive token` makes one."""
        database = Database(self.settings.database_url.get_secret_value())
        try:
            async with database.writing() as connection:
                found = await add_people(connection, [(player.name, player.email) for player in players])
                ids = dict(zip((player.key for player in players), found, strict=True))
                made = {one.key: await create_token(connection, ids[one.key], _token_role(one)) for one in players}
        finally:
            await database.close()
        return made, ids

    async def histories(self, engagement_id: str) -> list[WorkflowHistory]:
        """What Temporal keeps of each run of the engagement, the latest first."""
        found: list[WorkflowHistory] = []
        run_id: str | None = None
        while True:
            handle = self.temporal.client.get_workflow_handle(engagement_workflow(engagement_id), run_id=run_id)
            found.append(await handle.fetch_history())
            started = found[-1].events[0].workflow_execution_started_event_attributes
            run_id = started.continued_execution_run_id
            if not run_id:
                return found

    @property
    def messages(self) -> int:
        """How many e-mails have left."""
        return sum(1 for _ in (self.settings.data_dir / "mail").glob("*.eml"))


def _token_role(player: Player) -> TokenRole:
    return "programme_manager" if Role.PROGRAMME_MANAGER in player.roles else "participant"


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    """Everything that a rehearsal needs, for as long as the block lasts.

    Raises RehearsalError: the folder holds data already.
    """
    _prepare(folder)
    async with time_skipping_temporal() as temporal:
        address = temporal.client.service_client.config.target_host
        environment = _environment(folder, address, _free_port())
        settings = _settings(folder, environment)
        migrate(settings.database_url.get_secret_value())
        logs = folder / "logs"
        async with running(environment, logs):
            url = f"http://{settings.api_host}:{settings.api_port}"
            await until_ready(url, logs)
            yield House(temporal, settings, url)


def _prepare(folder: Path) -> None:
    if (folder / "olive.sqlite3").exists():
        raise RehearsalError(f"{folder} holds data already. Name an empty folder with --data.")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def _environment(folder: Path, address: str, port: int) -> dict[str, str]:
    """What the processes are told. Of what is set for a real installation only its templates reach a rehearsal."""
    others = {name: "" for name in os.environ if name.startswith("OLIVE_") and name != "OLIVE_TEMPLATES_DIR"}
    return {
        **others,
        "OLIVE_DATA_DIR": str(folder.absolute()),
        "OLIVE_TEMPORAL_ADDRESS": address,
        "OLIVE_TEMPORAL_NAMESPACE": NAMESPACE,
        "OLIVE_API_PORT": str(port),
        "OLIVE_PUBLIC_BASE_URL": Settings().public_base_url,
    }


def _settings(folder: Path, environment: dict[str, str]) -> Settings:
    return Settings(
        environment="development",
        data_dir=folder.absolute(),
        database_url=SecretStr(""),
        temporal_address=environment["OLIVE_TEMPORAL_ADDRESS"],
        temporal_namespace=NAMESPACE,
        smtp_host=None,
        api_host="127.0.0.1",
        api_port=int(environment["OLIVE_API_PORT"]),
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
