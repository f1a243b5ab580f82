"""Offers the newest version of its template to every engagement that decides about a next cycle: each morning.

The running cycle keeps its own. Whoever knows the newest already is not asked, so this may be stopped at any moment.
"""

import asyncio

from temporalio import workflow

from workflows.ports import BROUGHT_AT_ONCE, LOOKING, SUBMITTING, Behind, Offering, Offers
from workflows.rounds import answer_of, is_long


@workflow.defn(name="Offers")
class OffersWorkflow:
    """One round over all engagements in renewal."""

    @workflow.init
    def __init__(self, progress: Offering) -> None:
        """Take up where the run before left off, or begin."""
        self._progress = progress
        self._turns = asyncio.Semaphore(BROUGHT_AT_ONCE)

    @workflow.run
    async def run(self, progress: Offering) -> Offering:
        """Page by page."""
        del progress
        while True:
            page = await workflow.execute_activity_method(Offers.look, self._progress.after, **LOOKING)
            await asyncio.gather(*(self._offer(behind) for behind in page.behind))
            self._progress = self._progress.model_copy(update={"after": page.last})
            if not page.last:
                return self._progress
            if is_long():
                workflow.continue_as_new(self._progress)

    async def _offer(self, behind: Behind) -> None:
        async with self._turns:
            reply = await answer_of(Offers.offer, behind, "Offer the newest template", SUBMITTING)
        if reply is None:
            self._count(failed=1)
        else:
            self._count(offered=int(bool(reply.events)))

    def _count(self, offered: int = 0, failed: int = 0) -> None:
        changes = {"offered": self._progress.offered + offered, "failed": self._progress.failed + failed}
        self._progress = self._progress.model_copy(update=changes)
