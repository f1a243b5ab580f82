"""The one workflow: it hosts the core for an engagement, waits, and never forgets. It decides nothing itself.

Updates are synchronous and change only memory; four loops do the waiting: the clock, the recorder, the post and the
errands. An event counts as recorded only when the journal has confirmed it.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate
from temporalio.exceptions import ActivityError, is_cancelled_exception
from temporalio.workflow import ActivityCancellationType, ContinueAsNewVersioningBehavior

from programme.engagement import Engagement, RecordedEntry, TimeReached, errands, next_wake, step
from programme.gates import TITLES
from programme.messages import CLOCK, Command, Entry, TaskId
from programme.part import Asked
from programme.post import MessageIssued, ReportUndeliverable
from programme.refusals import CommandReused, MovedOn, Refusal
from programme.stages.diagnosis import RecordPack
from programme.waiting import waits_on
from programme.working_time import local_date, uk_date
from workflows import addresses
from workflows.ports import (
    APPEND_AFTER,
    APPEND_AT,
    APPENDING,
    APPENDING_LAST,
    CLOSING,
    COMING_TO_REST,
    POSTING,
    REMEMBERED_LIMIT,
    SPIN_GUARD,
    TAIL_LIMIT,
    UNREGISTERED,
    Accepted,
    Batch,
    Carried,
    Causes,
    Close,
    Journal,
    Post,
    Questionnaires,
    Reached,
    Remembered,
    Standing,
    Submission,
)
from workflows.rounds import is_long

_STAGE = SearchAttributeKey.for_keyword(addresses.STAGE)
_PAUSED = SearchAttributeKey.for_bool(addresses.PAUSED)
_NEXT_DUE = SearchAttributeKey.for_datetime(addresses.NEXT_DUE)

_Outcome = tuple[Engagement, list[Entry]]


def _digest(submission: Submission) -> str:
    return hashlib.sha256(
        f"{submission.by} {submission.on_behalf_of} {submission.command.model_dump_json()}".encode()
    ).hexdigest()


def _subject(task: TaskId, notice: int) -> str:
    """What an item of a message is about: a task, or news."""
    return task or str(notice)


def _subjects(engagement: Engagement) -> set[str]:
    """Everything that people will still be told of."""
    tasks = {_subject(task.id, 0) for task in engagement.open_tasks}
    return tasks | {_subject("", notice.id) for notice in engagement.post.notices}


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
        self._asked_for = dict(carried.asked_for)
        self._causes: Causes = {}
        self._checkpoint = self._leaving = False
        self._under_way = 0
        self._at_once = bool(carried.unrecorded)
        self._own = carried.unrecorded[-1].sequence if carried.unrecorded else 0
        self._shown: tuple[object, ...] = ()
        self._planned: tuple[Engagement, datetime | None] | None = None
        self._considered: tuple[Submission, Engagement, _Outcome] | None = None

    # --- messages in ---------------------------------------------------------------------------------------------

    @workflow.update(name="submit")
    def submit(self, submission: Submission) -> Accepted:
        """Decide, evolve, remember, answer. Never waits: what must wait is done by the loops."""
        seen = self._remembered.get(submission.command_id)
        if seen is not None:
            self._refuse_other_content(submission, seen)
            return self._answer(seen, submission.seen)
        entries = self._take(self._outcome(submission), submission.caused_by)
        first = self._engagement.sequence - len(entries) + 1
        remembered = Remembered(digest=_digest(submission), first=first, last=self._engagement.sequence)
        self._remembered[submission.command_id] = remembered
        if len(self._remembered) > REMEMBERED_LIMIT:
            self._remembered.pop(next(iter(self._remembered)))
        return self._answer(remembered, submission.seen)

    @submit.validator
    def _validate(self, submission: Submission) -> None:
        """Refuse before anything is written to Temporal's history."""
        self._considered = None
        seen = self._remembered.get(submission.command_id)
        if seen is not None:
            self._refuse_other_content(submission, seen)
            return
        if submission.expected is not None and submission.expected != self._engagement.sequence:
            raise MovedOn
        outcome = self._decided(submission)
        # All that the loops will ask of the new state: a fault of ours must show here, where it stops nobody else.
        next_wake(outcome[0], workflow.now())
        errands(outcome[0])
        waits_on(outcome[0])
        self._considered = submission, self._engagement, outcome

    @workflow.signal(name="checkpoint")
    def checkpoint(self) -> None:
        """Continue as new soon: sent after each release, so that long runs move to the new build."""
        self._checkpoint = True

    @workflow.query(name="standing")
    def standing(self) -> Standing:
        """Where this run stands."""
        return Standing(sequence=self._engagement.sequence, digest=self._engagement.digest, recorded=self._recorded)

    # --- deciding ------------------------------------------------------------------------------------------------

    def _outcome(self, submission: Submission) -> _Outcome:
        """What the validator has just worked out, where it has (it does not run on replay); else decide now."""
        considered, self._considered = self._considered, None
        if considered and considered[0] == submission and considered[1] is self._engagement:
            return considered[2]
        return self._decided(submission)

    def _decided(self, submission: Submission) -> _Outcome:
        asked = Asked(by=submission.by, at=workflow.now(), on_behalf_of=submission.on_behalf_of)
        return step(self._engagement, submission.command, asked)

    def _let(self, command: Command) -> list[Entry]:
        """Let the system's own command happen; its events go to the journal at once.

        Nothing comes of one that is refused: the programme has moved on meanwhile, or will ask for it again.
        """
        try:
            outcome = step(self._engagement, command, Asked(by=CLOCK, at=workflow.now()))
        except Refusal as refusal:
            workflow.logger.warning("%s was refused: %s", command.kind, refusal.code)
            return []
        entries = self._take(outcome)
        self._at_once = self._at_once or bool(entries)
        self._own = self._engagement.sequence if entries else self._own
        return entries

    def _take(self, outcome: _Outcome, cause: str | None = None) -> list[Entry]:
        before = self._engagement
        self._engagement, entries = outcome
        self._unrecorded += (RecordedEntry.model_construct(**entry.__dict__) for entry in entries)
        if cause:
            self._link(before, cause)
        for entry in entries:
            if isinstance(entry.event, MessageIssued):
                self._issued = entry.sequence
                causes = (self._asked_for.get(_subject(item.task, item.notice)) for item in entry.event.items)
                if known := {one for one in causes if one}:
                    self._causes[entry.sequence] = tuple(sorted(known))
        if entries:
            self._show()
        return entries

    def _link(self, before: Engagement, cause: str) -> None:
        """Remember which request opened a task or raised news, for the e-mails that will tell of it."""
        now = _subjects(self._engagement)
        still = {subject: request for subject, request in self._asked_for.items() if subject in now}
        self._asked_for = still | dict.fromkeys(sorted(now - _subjects(before)), cause)

    @staticmethod
    def _refuse_other_content(submission: Submission, seen: Remembered) -> None:
        if seen.digest != _digest(submission):
            raise CommandReused

    def _answer(self, remembered: Remembered, seen: int) -> Accepted:
        unrecorded = (entry for entry in self._unrecorded if entry.sequence > seen)
        return Accepted(
            causes=self._causes,
            sequence=self._engagement.sequence,
            digest=self._engagement.digest,
            first=remembered.first,
            last=remembered.last,
            tail=tuple(islice(unrecorded, TAIL_LIMIT)),
        )

    # --- the run -------------------------------------------------------------------------------------------------

    @workflow.run
    async def run(self, carried: Carried) -> None:
        """Keep the four loops going until it is time to continue as new, or all is done and said."""
        del carried
        if not await self._begun():
            return
        self._show()
        clock = asyncio.create_task(self._keep_time())
        others = [asyncio.create_task(loop()) for loop in (self._record, self._deliver, self._run_errands)]
        await workflow.wait_condition(
            lambda: self._must_renew() or self._over() or any(loop.done() for loop in (clock, *others))
        )
        for loop in (clock, *others):
            if loop.done():  # a loop never ends by itself: a fault in it must stop the workflow task, loudly
                message = "A loop of the engagement has ended."
                raise RuntimeError(message) from loop.exception()
        self._leaving = True
        await self._come_to_rest()
        await self._stop(*others)  # they may be waiting for the world outside; time goes on meanwhile
        await self._stop(clock)
        if self._over():
            return
        await self._append_before_leaving()
        workflow.continue_as_new(
            self._carried(), initial_versioning_behavior=ContinueAsNewVersioningBehavior.AUTO_UPGRADE
        )

    async def _begun(self) -> bool:
        """Whether there is an engagement; the update that registers it comes before this run's first step."""
        if not self._engagement.registered:
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: self._engagement.registered is not None,
                    timeout=UNREGISTERED,
                    timeout_summary="End unless an engagement is registered",
                )
        return self._engagement.registered is not None

    def _must_renew(self) -> bool:
        return self._checkpoint or is_long()

    def _over(self) -> bool:
        """Whether the engagement has ended, everything is recorded, and everybody has been told."""
        said = not self._post_waits() and self._wake() is None
        return bool(self._engagement.ended) and not self._unrecorded and said

    @staticmethod
    async def _stop(*loops: "asyncio.Task[None]") -> None:
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)

    async def _come_to_rest(self) -> None:
        """Let what is under way come to its end, for a moment.

        Measured: the skipping server never recovers from the cancellation of an activity that is just completing.
        """
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: not self._under_way, timeout=COMING_TO_REST, timeout_summary="Let what is under way end"
            )

    async def _append_before_leaving(self) -> None:
        """Leave the next run a short tail; where the journal does not answer, it takes over what there is."""
        with suppress(ActivityError):
            await self._append(APPENDING_LAST)

    def _carried(self) -> Carried:
        return Carried(
            engagement=self._engagement,
            unrecorded=tuple(self._unrecorded),
            recorded=self._recorded,
            remembered=self._remembered,
            issued=self._issued,
            posted=self._posted,
            asked_for=self._asked_for,
        )

    # --- the clock -----------------------------------------------------------------------------------------------

    async def _keep_time(self) -> None:
        """One timer, for what falls due next; replaced only when the earliest instant changes."""
        while True:
            wake = self._wake()
            if wake is None:
                await workflow.wait_condition(lambda: self._wake() is not None)
            elif await self._reached(wake) and not self._let(TimeReached()):
                self._planned = None  # what could not be sent at that hour is planned for another
                await self._pause()

    async def _reached(self, wake: datetime) -> bool:
        """Wait for an instant; False if it is no longer the one to wait for."""
        wait = wake - workflow.now()
        if wait <= timedelta():
            return True
        try:
            summary = f"Wake on {uk_date(local_date(wake))}"
            await workflow.wait_condition(lambda: self._wake() != wake, timeout=wait, timeout_summary=summary)
        except TimeoutError:
            return True
        return False

    def _wake(self) -> datetime | None:
        """When something falls due next, worked out once for each state."""
        if self._planned is None or self._planned[0] is not self._engagement:
            self._planned = self._engagement, next_wake(self._engagement, workflow.now())
        return self._planned[1]

    async def _pause(self) -> None:
        """Nothing came of an attempt: wait a little rather than spin."""
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._leaving, timeout=SPIN_GUARD, timeout_summary="Look again soon")

    # --- the world outside ---------------------------------------------------------------------------------------

    async def _record(self) -> None:
        """Append what is unrecorded, a moment later and for ever: the caller has usually done so already."""
        while not self._leaving:
            await workflow.wait_condition(lambda: bool(self._unrecorded))
            if not self._is_urgent():
                with suppress(TimeoutError):
                    await workflow.wait_condition(self._is_urgent, timeout=APPEND_AFTER, timeout_summary="Append soon")
            self._at_once = False
            await self._for_ever(self._append)

    def _is_urgent(self) -> bool:
        """Whether the tail must be appended now: time or the world caused some of it, or it has become long."""
        return self._at_once or len(self._unrecorded) >= APPEND_AT

    async def _append(self, options: dict[str, Any] = APPENDING) -> None:
        """Append the tail, and drop what the journal confirms.

        What people asked for, the front door has usually appended. So the journal is asked first how far it has come:
        the entries stand in this history already, and need not stand in it twice.
        """
        tail = self._unrecorded[:TAIL_LIMIT]
        if not tail:
            return
        if self._own < tail[0].sequence:  # nothing of it came of time or of the world outside
            reached = Reached(sequence=tail[-1].sequence, digest=tail[-1].digest)
            asking = Batch(engagement_id=self._engagement.id, reached=reached)
            self._confirm(await self._ask(Journal.append, asking, options))
            if self._recorded >= reached.sequence:
                return
            tail = self._unrecorded[:TAIL_LIMIT]
        batch = Batch(engagement_id=self._engagement.id, entries=tuple(tail), causes=self._causes)
        self._confirm(await self._ask(Journal.append, batch, options))

    def _confirm(self, recorded: int) -> None:
        """Drop what the journal holds."""
        self._recorded = max(self._recorded, recorded)
        self._unrecorded = [entry for entry in self._unrecorded if entry.sequence > self._recorded]
        self._causes = {sequence: cause for sequence, cause in self._causes.items() if sequence > self._recorded}

    async def _until_recorded(self, sequence: int) -> None:
        await workflow.wait_condition(lambda: self._recorded >= sequence)

    async def _deliver(self) -> None:
        """Hand to the post what is recorded."""
        while not self._leaving:
            await workflow.wait_condition(self._post_waits)
            await self._until_recorded(self._issued)
            await self._for_ever(self._deliver_once)

    async def _deliver_once(self) -> None:
        issued = self._issued
        delivery = await self._ask(Post.deliver, self._engagement.id, POSTING)
        if not delivery.given_up:
            self._posted = issued
            return
        reported = [self._let(ReportUndeliverable(message=one.message, people=one.people)) for one in delivery.given_up]
        self._issued = self._engagement.sequence  # the post goes on with the rest once these are in the journal
        if not any(reported):
            await self._pause()

    def _post_waits(self) -> bool:
        return self._issued > self._posted

    async def _run_errands(self) -> None:
        """Let the world do what the programme needs of it, one errand at a time, once its cause is recorded."""
        while not self._leaving:
            await workflow.wait_condition(lambda: bool(errands(self._engagement)))
            await self._until_recorded(self._engagement.sequence)
            await self._for_ever(self._run_errand)

    async def _run_errand(self) -> None:
        for errand in errands(self._engagement)[:1]:
            _, survey, window, _ = errand.key.split("/")
            close = Close(engagement_id=self._engagement.id, key=errand.key)
            pack = await self._ask(Questionnaires.close, close, CLOSING)
            if not self._let(RecordPack(survey=survey, window=int(window), pack=pack)):
                await self._pause()

    async def _for_ever(self, attempt: Callable[[], Awaitable[None]]) -> None:
        """Attempt something until it is done. What its port does not retry is looked at again a little later."""
        while True:
            try:
                return await attempt()
            except ActivityError as error:
                if self._leaving or is_cancelled_exception(error):
                    raise
                workflow.logger.critical("%s failed for good, and is tried again", error.activity_type)
                await self._pause()

    async def _ask(self, port: Callable[..., Any], argument: object, options: dict[str, Any]) -> Any:
        """Have a port's activity done. One that is cancelled is waited for, so that two attempts never overlap."""
        self._under_way += 1
        try:
            return await workflow.execute_activity_method(
                port, argument, cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED, **options
            )
        finally:
            self._under_way -= 1

    # --- what Temporal's own page shows --------------------------------------------------------------------------

    def _show(self) -> None:
        """Stage, what comes next, and what waits on which part. Nothing personal, and no count of answers."""
        engagement, wake = self._engagement, self._wake()
        lines = [f"Stage: {TITLES[engagement.stage]}{' (paused)' if engagement.paused else ''}"]
        lines += [f"Next: {act.what}, {uk_date(local_date(act.at))}" for act in engagement.acts[:1]]
        lines += [f"Waits on: {', '.join(waiting)}" for waiting in (waits_on(engagement),) if waiting]
        workflow.set_current_details("\n\n".join(lines))
        shown = (engagement.stage, engagement.paused, wake and wake.date())
        if shown == self._shown:
            return
        self._shown = shown
        attributes: list[SearchAttributeUpdate[Any]] = [
            _STAGE.value_set(engagement.stage.value),
            _PAUSED.value_set(engagement.paused),
            _NEXT_DUE.value_set(wake) if wake else _NEXT_DUE.value_unset(),
        ]
        workflow.upsert_search_attributes(attributes)
