"""Forgets what is kept for a while only: answers to repeated requests, and candid words of refused commands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import structlog

from api.errors import DATABASE_AWAY
from store import confidential, requests
from store.database import Database

EVERY_SECONDS = 3600.0
log = structlog.get_logger(component="tidying")


async def tidy(database: Database, now: datetime) -> int:
    """Forget what is old enough; how many things that were. Several processes may do it at once."""
    async with database.writing() as connection:
        return await requests.forget_old(connection, now) + await confidential.sweep(connection, now)


@asynccontextmanager
async def tidied(database: Database) -> AsyncIterator[None]:
    """Tidy now and then, for as long as the block lasts."""

    async def keep_tidying() -> None:
        while True:
            try:
                if count := await tidy(database, datetime.now(UTC)):
                    log.info("forgot what was kept for a while only", count=count)
            except DATABASE_AWAY:
                log.warning("nothing was forgotten: the database does not answer")
            await asyncio.sleep(EVERY_SECONDS)

    tidying = asyncio.create_task(keep_tidying())
    try:
        yield
    finally:
        tidying.cancel()
        with suppress(asyncio.CancelledError):
            await tidying
