"""`olive up`: everything on this machine, on loopback, in one folder: Temporal, database, worker, API."""

import asyncio
import logging
import os
import signal
import socket
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from temporalio.client import Client

from cli.processes import running, until_ready
from cli.restoring import restored
from cli.tokens import development_token
from runtime.embedded import EmbeddedTemporal
from runtime.logs import configure_logging
from runtime.settings import Settings, load_settings
from runtime.temporal import connect, ensure_namespace
from store.database import Database, migrate

console = Console()


def up(
    data: Annotated[Path | None, typer.Option(help="The folder that holds everything; OLIVE_DATA_DIR.")] = None,
    port: Annotated[int | None, typer.Option(help="The port of the front door; OLIVE_API_PORT, else 8000.")] = None,
) -> None:
    """Start everything on this machine and say where to look. Ctrl-C stops it; nothing is lost."""
    if data:
        os.environ["OLIVE_DATA_DIR"] = str(data)
    if port:
        os.environ["OLIVE_API_PORT"] = str(port)
    configure_logging(pretty=True, level=logging.WARNING)
    settings = load_settings()
    if _taken(settings.api_host, settings.api_port):
        raise typer.BadParameter(f"port {settings.api_port} is in use: choose another with --port")
    asyncio.run(_up(settings))


async def _up(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database_url = settings.database_url.get_secret_value()
    migrate(database_url)
    async with EmbeddedTemporal(settings.temporal_dir) as temporal:
        client = await connect(settings, address=temporal.address)
        await ensure_namespace(client)
        await _take_up_again(client, database_url)
        environment = {
            "OLIVE_DATA_DIR": str(settings.data_dir.absolute()),
            "OLIVE_TEMPORAL_ADDRESS": temporal.address,
            "OLIVE_API_PORT": str(settings.api_port),
            "OLIVE_UPDATES_IN_FLIGHT": "900",  # the embedded server takes 1,000 for each engagement
        }
        logs = settings.data_dir / "logs"
        async with running(environment, logs):
            await until_ready(settings.public_base_url, logs)
            _say(settings, temporal.ui_url, await development_token(settings))
            await stop.wait()
            console.print("\nStopping; nothing is lost.")


async def _take_up_again(client: Client, database_url: str) -> None:
    """Let engagements go on that this Temporal server does not know: of a rehearsal, or of a server that is lost."""
    database = Database(database_url)
    try:
        for engagement_id in await restored(client, database):
            console.print(f"Engagement {engagement_id} goes on from its journal.")
    finally:
        await database.close()


def _say(settings: Settings, temporal_ui: str, token: str) -> None:
    table = Table(show_header=False, box=None, pad_edge=False)
    url = settings.public_base_url
    table.add_row("Front door", f"{url}/api/v1")
    table.add_row("What it offers (OpenAPI)", f"{url}/docs")
    table.add_row("Temporal's own pages", temporal_ui)
    table.add_row("Token of a programme manager", token)
    table.add_row("E-mails", str(settings.data_dir / "mail") if settings.smtp_host is None else settings.smtp_host)
    table.add_row("A whole year in a minute", "olive rehearse")
    console.print("\n[bold]Olive Branch is up.[/bold]  Ctrl-C stops it.\n")
    console.print(table)


def _taken(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False
