"""`python -m worker`: the composition root of the worker. Ends cleanly on SIGTERM or Ctrl-C."""

import asyncio
import gc
import signal
import sys

import structlog

from runtime.heartbeat import heartbeat
from runtime.logs import configure_logging
from runtime.schedules import look_daily
from runtime.settings import Settings, SettingsError, load_settings
from runtime.telemetry import Telemetry, configure
from runtime.temporal import connect_patiently, prepare_namespace
from store.database import Database
from worker.hosting import activities_of, hosting

REMEMBERED_FOLDS = 32

log = structlog.get_logger(component="worker")


async def serve(settings: Settings, telemetry: Telemetry, stop: asyncio.Event) -> None:
    """Host engagements until ``stop`` is set."""
    client = await connect_patiently(settings, interceptors=telemetry.interceptors())
    await prepare_namespace(client)
    await look_daily(client)
    # The workflow holds the engagements here; a fold is made again only for what time has decided.
    database = Database(settings.database_url.get_secret_value(), remembered=REMEMBERED_FOLDS)
    telemetry.instrument(database.engine)
    activities = activities_of(database, client, settings)
    try:
        async with heartbeat(settings.data_dir), hosting(client, activities):
            log.info("ready")
            await stop.wait()
    finally:
        await database.close()
        log.info("stopped")


async def main(settings: Settings) -> None:
    """Serve until a signal asks to stop."""
    telemetry = configure("olive-worker")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await serve(settings, telemetry, stop)
    finally:
        telemetry.shutdown()


if __name__ == "__main__":
    configure_logging(pretty=sys.stderr.isatty())
    try:
        asyncio.run(main(load_settings()))
    except SettingsError as error:
        sys.exit(str(error))
    finally:
        gc.collect()  # the client's native half must go before the interpreter does (sdk-python #300)
