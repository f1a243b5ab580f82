"""The one workflow: it hosts the core for an engagement, waits, and never forgets. It decides nothing itself.

Updates are synchronous and change only memory; four loops do the waiting: the clock, the recorder, the post and the
errands. An event counts as recorded only when the journal has confirmed it.
"""

import asyncio
import hashlib
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate
from temporalio.workflow import ActivityCancellationType, ContinueAsNewVersioningBehavior

from programme.engagement import Engagement, RecordedEntry, TimeReached, agenda, errands, next_wake, step
from programme.gates import TITLES
from programme.messages import CLOCK, Command, Entry, Errand
from programme.part import Asked
from programme.post import MessageIssued, ReportUndeliverable
from programme.refusals import CommandReused, MovedOn
from programme.stages.diagnosis import RecordPack
from programme.working_time import uk_date
from workflows import addresses
from workflows.ports import (
    APPEND_AFTER,
    APPENDING,
    CLOSING,
    POSTING,
    REMEMBERED_LIMIT,
    RUN_EVENTS,
    SPIN_GUARD,
    TAIL_LIMIT,
    Accepted,
    Batch,
    Carried,
    Close,
    Journal,
    Post,
    Questionnaires,
    Remembered,
    Standing,
    Submission,
)

_STAGE = SearchAttributeKey.for_keyword(addresses.STAGE)
_PAUSED = SearchAttributeKey.for_bool(addresses.PAUSED)
_NEXT_DUE = SearchAttributeKey.for_datetime(addresses.NEXT_DUE)


def _digest(submission: Submission) -> str:
    return hashlib.sha256(
        f"{submission.by} {submission.on_behalf_of} {submission.command.model_dump_json()}".encode()
    ).hexdigest()


@workflow.defn(name="Engagement")
class EngagementWorkflow:
    """One engagement, for years."""

    @workflow.init
    def __init__(self, carried: Carried) -> None:
        """Take up where the run before left off, or begin."""
        self._engagement = carried.engagement
        self._unrecorded: list[RecordedEntry] = list(carried.unrecorded)
        self._recorded = carried.recorded
        self._remembered = dict(carried.remembered)
        self._issued, self._posted = carried.issued, carried.posted
        self._checkpoint = False
        self._closing = False
        self._at_once = bool(carried.unrecorded)
        self._shown: tuple[object, ...] = ()
        self._considered: tuple[Submission, Engagement, tuple[Engagement, list[Entry]]] | None = None

    # --- messages in ---------------------------------------------------------------------------------------------

    @workflow.update(name="submit")
    def submit(self, submission: Submission) -> Accepted:
        """Decide, evolve, remember, answer. Never waits: what must wait is done by the loops."""
        seen = self._remembered.get(submission.command_id)
        if seen is not None:
            self._refuse_other_content(submission, seen)
            return self._answer(seen)
        entries = self._take(self._outcome(submission))
        first = self._engagement.sequence - len(entries) + 1
        remembered = Remembered(digest=_digest(submission), first=first, last=self._engagement.sequence)
        self._remembered[submission.command_id] = remembered
        if len(self._remembered) > REMEMBERED_LIMIT:
            self._remembered.pop(next(iter(self._remembered)))
        return self._answer(remembered)

    @submit.validator
    def _validate(self, submission: Submission) -> None:
        """Refuse before anything is written to Temporal's history."""
        seen = self._remembered.get(submission.command_id)
        if seen is not None:
            self._refuse_other_content(submission, seen)
            return
        if submission.expected is not None and submission.expected != self._engagement.sequence:
            raise MovedOn
        self._considered = (submission, self._engagement, self._decided(submission))

    @workflow.signal(name="checkpoint")
    def checkpoint(self) -> None:
        """Continue as new soon: sent after each release, so that long runs move to the new build."""
        self._checkpoint = True

    @workflow.query(name="standing")
    def standing(self) -> Standing:
        """Where this run stands."""
        return Standing(sequence=self._engagement.sequence, digest=self._engagement.digest, recorded=self._recorded)

    # --- deciding ------------------------------------------------------------------------------------------------

    def _outcome(self, submission: Submission) -> tuple[Engagement, list[Entry]]:
        """What the validator has just worked out, where it has (it does not run on replay); else decide now."""
        considered, self._considered = self._considered, None
        if considered and considered[0] == submission and considered[1] is self._engagement:
            return considered[2]
        return self._decided(submission)

    def _decided(self, submission: Submission) -> tuple[Engagement, list[Entry]]:
        asked = Asked(by=submission.by, at=workflow.now(), on_behalf_of=submission.on_behalf_of)
        return step(self._engagement, submission.command, asked)

    def _let(self, command: Command) -> list[Entry]:
        """Let the system's own command happen; its events go to the journal at once."""
        entries = self._take(step(self._engagement, command, Asked(by=CLOCK, at=workflow.now())))
        self._at_once = self._at_once or bool(entries)
        return entries

    def _take(self, outcome: tuple[Engagement, list[Entry]]) -> list[Entry]:
        self._engagement, entries = outcome
        self._unrecorded += (RecordedEntry.model_construct(**entry.__dict__) for entry in entries)
        self._issued = max(
            (entry.sequence for entry in entries if isinstance(entry.event, MessageIssued)), default=self._issued
        )
        return entries

    @staticmethod
    def _refuse_other_content(submission: Submission, seen: Remembered) -> None:
        if seen.digest != _digest(submission):
            raise CommandReused

    def _answer(self, remembered: Remembered) -> Accepted:
        return Accepted(
            sequence=self._engagement.sequence,
            digest=self._engagement.digest,
            first=remembered.first,
            last=remembered.last,
            tail=tuple(self._unrecorded[:TAIL_LIMIT]),
        )

    # --- the run -------------------------------------------------------------------------------------------------

    @workflow.run
    async def run(self, carried: Carried) -> None:
        """Keep the four loops going until it is time to continue as new, or all is done and said."""
        del carried
        loops = [
            asyncio.create_task(loop()) for loop in (self._keep_time, self._record, self._deliver, self._run_errands)
        ]
        await workflow.wait_condition(lambda: self._must_renew() or self._over() or any(loop.done() for loop in loops))
        for loop in loops:
            if loop.done():
                loop.result()  # a loop never ends by itself: a fault in it must stop the workflow task, loudly
        self._closing = True
        loops[2].cancel()  # the post may be waiting for a mail server for days; the next run takes it up
        await asyncio.gather(*loops, return_exceptions=True)
        await (
            self._append()
        )  # before the run ends or continues: a far timer must not stand between an event and the record
        if self._over():
            return
        workflow.continue_as_new(
            self._carried(), initial_versioning_behavior=ContinueAsNewVersioningBehavior.AUTO_UPGRADE
        )

    def _must_renew(self) -> bool:
        info = workflow.info()
        return self._checkpoint or info.is_continue_as_new_suggested() or info.get_current_history_length() > RUN_EVENTS

    def _over(self) -> bool:
        return bool(self._engagement.ended) and not self._unrecorded and not self._post_waits()

    def _carried(self) -> Carried:
        return Carried(
            engagement=self._engagement,
            unrecorded=tuple(self._unrecorded),
            recorded=self._recorded,
            remembered=self._remembered,
            issued=self._issued,
            posted=self._posted,
        )

    async def _keep_time(self) -> None:
        """One timer, for what falls due next; replaced only when the earliest instant changes."""
        while True:
            if self._closing:
                return
            wake = self._wake()
            self._show(wake)
            if wake is None:
                await workflow.wait_condition(lambda: self._closing or self._wake() is not None)
                continue
            if await self._reached(wake) and not self._let(TimeReached()):
                await self._guard()

    async def _reached(self, wake: datetime) -> bool:
        """Wait for an instant; False if it is no longer the one to wait for."""
        wait = max(wake - workflow.now(), timedelta())
        if not wait:
            return True
        try:
            summary = f"Wake on {uk_date(wake.date())}"
            await workflow.wait_condition(
                lambda: self._closing or self._wake() != wake, timeout=wait, timeout_summary=summary
            )
        except TimeoutError:
            return True
        return False

    async def _guard(self) -> None:
        """Nothing came of a wake-up: wait a little rather than spin."""
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._closing, timeout=SPIN_GUARD)

    def _wake(self) -> datetime | None:
        return next_wake(self._engagement, workflow.now())

    async def _record(self) -> None:
        """Append what is unrecorded, a moment later and for ever: the caller has usually done so already."""
        while True:
            await workflow.wait_condition(lambda: bool(self._unrecorded) or self._closing)
            if self._closing:
                return
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: self._at_once or self._closing, timeout=APPEND_AFTER, timeout_summary="Append soon"
                )
            self._at_once = False
            await self._append()

    async def _append(self) -> None:
        """Append the tail, and drop what the journal confirms."""
        if not self._unrecorded:
            return
        batch = Batch(engagement_id=self._engagement.id, entries=tuple(self._unrecorded[:TAIL_LIMIT]))
        self._recorded = await workflow.execute_activity_method(Journal.append, batch, **APPENDING)
        self._unrecorded = [entry for entry in self._unrecorded if entry.sequence > self._recorded]
        self._at_once = self._at_once or bool(self._unrecorded and len(batch.entries) == TAIL_LIMIT)

    async def _deliver(self) -> None:
        """Hand what is recorded to the post."""
        while True:
            await workflow.wait_condition(lambda: self._closing or (self._post_waits() and not self._unrecorded))
            if self._closing:
                return
            issued = self._issued
            delivery = await workflow.execute_activity_method(
                Post.deliver,
                self._engagement.id,
                cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
                **POSTING,
            )
            if not delivery.given_up:  # else the post waits for them to be in the journal, and goes on with the rest
                self._posted = issued
            for lost in delivery.given_up:
                self._let(ReportUndeliverable(message=lost.message, people=lost.people))

    def _post_waits(self) -> bool:
        return self._issued > self._posted

    async def _run_errands(self) -> None:
        """Let the world do what the programme needs of it, one errand at a time."""
        while True:
            await workflow.wait_condition(
                lambda: self._closing or (not self._unrecorded and bool(errands(self._engagement)))
            )
            if self._closing:
                return
            await self._run_errand(errands(self._engagement)[0])

    async def _run_errand(self, errand: Errand) -> None:
        _, survey, window, _ = errand.key.split("/")
        close = Close(engagement_id=self._engagement.id, key=errand.key)
        pack = await workflow.execute_activity_method(Questionnaires.close, close, **CLOSING)
        self._let(RecordPack(survey=survey, window=int(window), pack=pack))

    # --- what Temporal's own page shows --------------------------------------------------------------------------

    def _show(self, wake: datetime | None) -> None:
        engagement = self._engagement
        coming = next(iter(agenda(engagement)), None)
        next_line = (
            f"Next: {uk_date(coming.at.date())}, {coming.key.split(':', 1)[0]}" if coming else "Nothing is planned"
        )
        workflow.set_current_details(
            f"Stage: {TITLES[engagement.stage]}\n\n{next_line}\n\nOpen tasks: {len(engagement.open_tasks)}"
        )
        shown = (engagement.stage, engagement.paused, wake.date() if wake else None)
        if shown == self._shown or not engagement.registered:
            return
        self._shown = shown
        attributes: list[SearchAttributeUpdate[Any]] = [
            _STAGE.value_set(engagement.stage.value),
            _PAUSED.value_set(engagement.paused),
        ]
        attributes.append(_NEXT_DUE.value_set(wake) if wake else _NEXT_DUE.value_unset())
        workflow.upsert_search_attributes(attributes)
