"""Keeping the record: migrate, make a token, fold everything again, hold journal, fold and running workflow level."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Literal

import typer
from rich.console import Console
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from cli.tokens import make_token
from programme.chain import BrokenChain
from programme.engagement import Engagement, evolve
from runtime.settings import Settings, load_settings
from runtime.temporal import connect
from store import database as storage
from store import journal, read_model, views
from workflows.addresses import engagement_workflow
from workflows.ports import Standing

console = Console()
PAGE = 500


class KeepingError(Exception):
    """Something in the record is not as it should be; the text says what."""


def migrate() -> None:
    """Bring the database to the tables that this version expects."""
    storage.migrate(load_settings().database_url.get_secret_value())
    console.print("The database is up to date.")


def token(
    email: Annotated[str, typer.Argument(help="The person's e-mail address.")],
    name: Annotated[str, typer.Option(help="The person's name, if the person is new.")] = "",
    role: Annotated[
        Literal["programme_manager", "auditor", "participant"], typer.Option(help="What the token may do.")
    ] = "participant",
) -> None:
    """Make a bearer token for a person. It is shown once; only its digest is kept."""
    url = load_settings().database_url.get_secret_value()
    console.print(asyncio.run(make_token(url, name or email.partition("@")[0], email, role)))


def rebuild() -> None:
    """Fold every journal again, write the read model anew, and report what differed."""
    found = asyncio.run(_rebuild(load_settings()))
    _report(found, "Every read model was what its journal says.")


def verify() -> None:
    """Hold journal, fold and running workflow of every engagement against each other."""
    found = asyncio.run(verified(load_settings()))
    _report(found, "Journal, read model and running workflows agree.")


def _report(found: dict[str, list[str]], all_well: str) -> None:
    for engagement_id, differences in found.items():
        for difference in differences:
            console.print(f"{engagement_id}: {difference}")
    count = sum(map(len, found.values()))
    if count:
        raise KeepingError(f"{count} difference{'' if count == 1 else 's'} in {len(found)} engagements.")
    console.print(f"{all_well} ({len(found)} engagements)")


async def _rebuild(settings: Settings) -> dict[str, list[str]]:
    database = storage.Database(settings.database_url.get_secret_value())
    try:
        async with database.reading() as connection:
            every = await views.engagement_ids(connection)
        found = {}
        for engagement_id in every:
            async with database.writing() as connection:
                found[engagement_id] = await read_model.rebuild(connection, engagement_id)
        return found
    finally:
        await database.close()


async def verified(settings: Settings) -> dict[str, list[str]]:
    """For every engagement, what differs between its journal, its fold and its running workflow."""
    client = await connect(settings)
    database = storage.Database(settings.database_url.get_secret_value())
    try:
        async with database.reading() as connection:
            every = await views.engagement_ids(connection)
        return {
            engagement_id: await Witnesses(database, client, engagement_id).differences() for engagement_id in every
        }
    finally:
        await database.close()


@dataclass(frozen=True)
class Witnesses:
    """The three witnesses of one engagement."""

    database: storage.Database
    client: Client
    engagement_id: str

    async def differences(self) -> list[str]:
        """What differs; nothing where the three agree.

        The workflow is asked first: what it has decided since may not be in the journal yet, never the reverse.
        """
        running = await self._running()
        try:
            fold = await self._fold()
        except BrokenChain as broken:
            return [f"journal: {broken}"]
        async with self.database.reading() as connection:
            kept = await read_model.standing(connection, self.engagement_id)
        found = [] if kept == fold else ["read model: it is not what the journal says; run `olive rebuild`"]
        if running is None:
            # A run that ended long ago is no longer kept by Temporal; an open engagement always has one.
            return found if fold.ended else [*found, "workflow: none is known to Temporal"]
        if running.recorded > fold.sequence:
            found.append(
                f"journal: the workflow knows {running.recorded} entries as recorded, {fold.sequence} are here"
            )
        if running.sequence == fold.sequence and running.digest != fold.digest:
            found.append(f"workflow: its digest at entry {running.sequence} is not the journal's")
        if running.sequence < fold.sequence:
            found.append(f"workflow: it stands at entry {running.sequence}, the journal at {fold.sequence}")
        return found

    async def _running(self) -> Standing | None:
        handle = self.client.get_workflow_handle(engagement_workflow(self.engagement_id))
        try:
            standing: Standing = await handle.query("standing", result_type=Standing)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        return standing

    async def _fold(self) -> Engagement:
        engagement, after = Engagement(), 0
        while True:
            async with self.database.reading() as connection:
                page = await journal.entries(connection, self.engagement_id, after=after, limit=PAGE)
            for stored in page:
                engagement = evolve(engagement, stored.entry)
            if len(page) < PAGE:
                return engagement
            after = page[-1].sequence
