"""One request of many engagements, durably: foreseen first, then asked of each, so many at a time.

What was asked and answered stands in SQL; this workflow only keeps it going. It may be killed, stopped and started at
any moment: an engagement that has answered is not asked again, and one that is asked twice knows the command's id.
"""

import asyncio

from temporalio import workflow

from workflows.ports import (
    ASKED_AT_ONCE,
    ASKING,
    FORESEEING,
    LOOKING,
    BulkReply,
    BulkRun,
    Bulks,
    Engagements,
    Request,
)
from workflows.rounds import answer_of, is_long


@workflow.defn(name="Bulk")
class BulkWorkflow:
    """A dry run, or the run after it."""

    @workflow.init
    def __init__(self, asked: BulkRun) -> None:
        """Begin, or take up where the run before left off."""
        self._asked = asked
        self._turns = asyncio.Semaphore(ASKED_AT_ONCE)
        self._stopped = self._again = False

    @workflow.signal(name="stop")
    def stop(self) -> None:
        """Ask nobody else. Whoever is being asked answers. Carries nothing, so nothing can be lost with it."""
        self._stopped = True

    @workflow.signal(name="go_on")
    def go_on(self) -> None:
        """Look once more whom to ask: sent with every start, whether or not a run is under way."""
        self._stopped, self._again = False, True

    @workflow.run
    async def run(self, asked: BulkRun) -> None:
        """Page by page, until nobody waits."""
        del asked
        page = self._foresee if self._asked.dry else self._ask_some
        self._again = False  # the signal that came with the start asks for this very run
        while await page() or self._again:
            if is_long():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(self._asked)

    async def _foresee(self) -> bool:
        """Foresee some; whether there may be more."""
        self._again = False
        number: int = await workflow.execute_activity_method(Bulks.foresee, self._asked.bulk_id, **FORESEEING)
        return number > 0

    async def _ask_some(self) -> bool:
        """Ask a page of engagements; whether there may be more."""
        self._again = False
        page = await workflow.execute_activity_method(Bulks.next_page, self._asked.bulk_id, **LOOKING)
        await asyncio.gather(*(self._ask(request) for request in page.requests))
        return bool(page.requests) and not self._stopped

    async def _ask(self, request: Request) -> None:
        """Ask one engagement, and write down what it answers; one that does not is asked again after all the others."""
        async with self._turns:
            if self._stopped:
                return
            kind = request.submission.command.kind
            reply = await answer_of(Engagements.submit, request, f"Ask for {kind}", ASKING)
            noted = BulkReply(bulk_id=self._asked.bulk_id, engagement_id=request.engagement_id, reply=reply)
            await workflow.execute_activity_method(Bulks.note, noted, **LOOKING)
