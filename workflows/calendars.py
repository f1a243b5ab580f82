"""Brings the newest calendar to every running engagement: each morning, and at once when a day is announced.

The engagements re-plan themselves, each as one update of its own; this workflow only asks them, so many at a time. It
may be stopped and started at any moment: who goes by the newest calendar already is not asked.
"""

import asyncio

from temporalio import workflow

from workflows.ports import BROUGHT_AT_ONCE, LOOKING, SUBMITTING, Behind, Calendars, Replanning
from workflows.rounds import answer_of, is_long


@workflow.defn(name="Calendars")
class CalendarsWorkflow:
    """One round over all open engagements, and a further one for what is announced meanwhile."""

    @workflow.init
    def __init__(self, progress: Replanning) -> None:
        """Take up where the run before left off, or begin."""
        self._progress = progress
        self._turns = asyncio.Semaphore(BROUGHT_AT_ONCE)

    @workflow.signal(name="announced")
    def announced(self) -> None:
        """Something was announced: look at everybody once more. Carries nothing, so nothing can be lost with it."""
        self._note(again=True)

    @workflow.query(name="progress")
    def progress(self) -> Replanning:
        """How far it has come."""
        return self._progress

    @workflow.run
    async def run(self, progress: Replanning) -> Replanning:
        """Page by page, until everybody was looked at after the last announcement."""
        del progress
        if not self._progress.after:
            self._note(again=False)  # the signal that came with the start asks for this very round
        while await self._page() or self._progress.again:
            if not self._progress.after:
                self._note(again=False)
            if is_long():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(self._progress)
        return self._progress

    async def _page(self) -> bool:
        """Look at some engagements and bring their calendars; whether there are more."""
        looked = await workflow.execute_activity_method(Calendars.look, self._progress.after, **LOOKING)
        self._note(looked_at=self._progress.looked_at + looked.number)
        await asyncio.gather(*(self._bring(behind) for behind in looked.behind))
        self._note(after=looked.last, rounds=self._progress.rounds + (not looked.last))
        return bool(looked.last)

    async def _bring(self, behind: Behind) -> None:
        async with self._turns:
            reply = await answer_of(Calendars.bring, behind, "Bring the newest calendar", SUBMITTING)
        if reply is None:
            self._note(failed=self._progress.failed + 1)
        elif reply.refused:
            self._note(refused=self._progress.refused + 1)
        elif reply.events:
            self._note(changed=self._progress.changed + 1, events=self._progress.events + reply.events)

    def _note(self, **changes: object) -> None:
        self._progress = self._progress.model_copy(update=changes)
