"""`python -m api`: the composition root of the API. Ends cleanly on SIGTERM or Ctrl-C."""

import asyncio
import gc
import sys

import structlog
import uvicorn

from api.app import create_app
from runtime.logs import configure_logging
from runtime.settings import Settings, SettingsError, load_settings
from runtime.telemetry import Telemetry, configure
from runtime.templates import shipped_questionnaire
from runtime.temporal import connect_patiently
from store.database import Database

YOUNG_OBJECTS = 20_000  # before they are looked at; with Python's own 700, that took about 7% of what a step costs here
GRACE_SECONDS = 10  # for requests that are under way when the process is asked to stop
log = structlog.get_logger(component="api")


async def serve(settings: Settings, telemetry: Telemetry) -> None:
    """Serve until a signal asks to stop."""
    client = await connect_patiently(settings, interceptors=telemetry.interceptors())
    database = Database(settings.database_url.get_secret_value())
    telemetry.instrument(database.engine)
    app = create_app(
        database=database,
        client=client,
        settings=settings,
        telemetry=telemetry,
        questionnaire=shipped_questionnaire(),
    )
    gc.collect()
    gc.freeze()  # routes and schemas stay for the life of the process: no collection needs to go through them
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)
    config = uvicorn.Config(
        app,
        host=settings.api_host,
        port=settings.api_port,
        log_config=None,  # lines go where ours go, with the same fields
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    try:
        await uvicorn.Server(config).serve()
    finally:
        await database.close()
        log.info("stopped")


async def main(settings: Settings) -> None:
    """Serve, and report what is still to be reported."""
    telemetry = configure("olive-api")
    try:
        await serve(settings, telemetry)
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
