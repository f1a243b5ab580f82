"""The figures of a dashboard, read from the database now and then. The exporter's thread gets the last ones read."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import structlog
from opentelemetry import metrics

from api.errors import DATABASE_AWAY
from programme.working_time import local_date
from runtime.telemetry import Figures, Telemetry
from store import views
from store.database import Database

READ_SECONDS = 30.0  # shorter than OpenTelemetry's own interval of a minute
log = structlog.get_logger(component="figures")


async def read_figures(database: Database, lag: float) -> Figures:
    """How things stand. ``lag``: seconds that the oldest answer has waited to be recorded."""
    now = datetime.now(UTC)
    async with database.reading() as connection:
        counts = await views.counts(connection, local_date(now))
    oldest = counts.outbox_oldest
    return Figures(
        open_engagements=counts.open_by_stage,
        overdue_tasks=counts.overdue_tasks,
        journal_lag_seconds=lag,
        outbox_age_seconds=max(0.0, (now - oldest).total_seconds()) if oldest else 0.0,
    )


@asynccontextmanager
async def reported(telemetry: Telemetry, database: Database, lag: Callable[[], float]) -> AsyncIterator[None]:
    """Report figures for as long as the block lasts, if anybody receives them."""
    if isinstance(telemetry.meter_provider, metrics.NoOpMeterProvider):
        yield
        return
    latest = Figures()

    async def keep_reading() -> None:
        nonlocal latest
        while True:
            try:
                latest = await read_figures(database, lag())
            except DATABASE_AWAY:
                log.warning("no figures: the database does not answer")
            await asyncio.sleep(READ_SECONDS)

    telemetry.observe(lambda: latest)
    reading = asyncio.create_task(keep_reading())
    try:
        yield
    finally:
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
