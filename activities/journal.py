"""Record what the workflow has decided: each entry once, however often and by whomever it is brought."""

import structlog
from temporalio import activity

from activities.faults import without_details
from activities.moments import linked_to
from programme.chain import BrokenChain
from store import journal
from store.database import Database
from workflows.ports import Batch, Journal

log = structlog.get_logger(component="journal")


class JournalActivities(Journal):
    """The record."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name="journal.append")
    async def append(self, batch: Batch) -> int:
        """Append entries and fold the read model; returns the last sequence in the journal.

        Usually the front door has done it already, which a reader sees without waiting for the turn to write. Without
        entries, only how far the journal has come is told, and whether it agrees up to there.

        Raises:
            JournalGap: the journal lacks entries that the workflow has dropped (an older copy of the database).
            JournalFork, BrokenChain: two histories of one engagement. Somebody must look; it is tried for ever.
        """
        linked_to(cause for causes in batch.causes.values() for cause in causes)
        with without_details(journal.JournalGap, journal.JournalFork, BrokenChain):
            async with self._database.reading() as connection:
                if batch.reached is not None:
                    entry = batch.reached
                    return await journal.reached(connection, batch.engagement_id, entry.sequence, entry.digest)
                last = await journal.recorded(connection, batch.engagement_id, batch.entries)
            if last is None:
                last = await self._append(batch)
        return last

    async def _append(self, batch: Batch) -> int:
        try:
            async with self._database.writing() as connection:
                return await journal.append(connection, batch.engagement_id, batch.entries, batch.causes)
        except (journal.JournalGap, journal.JournalFork, BrokenChain) as alarm:
            code = type(alarm).__name__
            log.critical("nothing was appended: somebody must look", engagement_id=batch.engagement_id, code=code)
            raise
