"""The desk at which commands are handed in: to the engagement's workflow, and from it into the journal.

Accepted means recorded: what the workflow decided comes back with everything that the journal may not hold yet, and is
appended before anybody is told. Where no worker or no database answers in time, the outcome is *not known yet*: the
same command under the same id may be handed in again, and happens once.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog
from opentelemetry import trace
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.client import (
    Client,
    RPCTimeoutOrCancelledError,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateHandle,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.errors import DATABASE_AWAY, Refused, all_refusals
from api.recorder import Recorder
from programme.chain import BrokenChain
from runtime.telemetry import Telemetry, traceparent
from store import journal
from store.database import Database
from workflows.addresses import TASK_QUEUE, engagement_workflow
from workflows.ports import Accepted, Carried, Submission

_RUN_ENDED = "AcceptedUpdateCompletedWorkflow"  # Temporal's name for an update whose run ended before it had answered
AGAIN_AFTER = 0.05  # seconds before a full workflow is asked again; doubled each time
log = structlog.get_logger(component="desk")

Also = Callable[[AsyncConnection, "Recorded"], Awaitable[None]]
"""What else is written in the transaction that records a command."""


class RecordedEvent(BaseModel):
    """One thing that followed from a command: its place in the history, and what it is."""

    sequence: int
    kind: str


class Recorded(BaseModel):
    """A command that is in the history for good. ``sequence`` is the engagement's version after it."""

    command_id: str
    engagement_id: str
    sequence: int
    events: tuple[RecordedEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class NotKnownYet:
    """Nobody can say yet whether the command was taken. Handing it in again under the same id is safe."""

    command_id: str
    engagement_id: str
    content: str


class Gone(Exception):  # noqa: N818 - an answer of Temporal, not a fault
    """No workflow of this engagement runs."""


class _Unanswered(Exception):  # noqa: N818
    """Temporal gave no answer, or none that says whether the update was taken."""


def content_of(submission: Submission) -> str:
    """A short digest of what a command says, and on whose behalf."""
    said = f"{submission.on_behalf_of or ''}{submission.command.model_dump_json()}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def update_id(submission: Submission) -> str:
    """Temporal's name for the update. It holds the content: under one name Temporal would answer other content too."""
    return f"{submission.command_id}.{content_of(submission)}"


class Turns:
    """So many requests of one engagement at a time; the others wait in the order in which they came."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._open: dict[str, tuple[asyncio.Semaphore, int]] = {}

    @asynccontextmanager
    async def of(self, engagement_id: str) -> AsyncIterator[None]:
        """Wait for a turn, and hold it for the length of the block."""
        turn, users = self._open.get(engagement_id) or (asyncio.Semaphore(self._at_once), 0)
        self._open[engagement_id] = turn, users + 1
        try:
            async with turn:
                yield
        finally:
            turn, users = self._open.pop(engagement_id)
            if users > 1:
                self._open[engagement_id] = turn, users - 1


class Desk:
    """Takes commands, and answers once they are recorded.

    at_once: updates of one engagement in flight; Temporal refuses more than 10. patience: how long an answer may take.
    """

    def __init__(
        self, client: Client, database: Database, telemetry: Telemetry, *, at_once: int, patience: timedelta
    ) -> None:
        self._client = client
        self._recorder = Recorder(database, telemetry)
        self._telemetry = telemetry
        self._turns = Turns(at_once)
        self._patience = patience
        self._late: set[asyncio.Task[Recorded | NotKnownYet]] = set()

    async def submit(
        self, engagement_id: str, submission: Submission, also: Also | None = None, *, launch: bool = False
    ) -> Recorded | NotKnownYet:
        """Hand a command in. ``launch`` starts the engagement's workflow with it.

        Raises:
            Refused: the core says no.
            Gone: the engagement's workflow has ended or was never started.
        """
        began = time.perf_counter()
        trace.get_current_span().set_attributes({"engagement_id": engagement_id, "command": submission.command.kind})
        here = {"seen": self._recorder.seen(engagement_id), "caused_by": traceparent()}
        submission = submission.model_copy(update=here)
        ask = self._launch if launch else self._ask
        unknown = NotKnownYet(submission.command_id, engagement_id, content_of(submission))
        found = await self._found(unknown, ask(engagement_id, submission), also)
        self._telemetry.update_took(time.perf_counter() - began, command=submission.command.kind)
        return found

    async def ask_again(self, engagement_id: str, command_id: str, content: str) -> Recorded | NotKnownYet:
        """What became of a command that was handed in with this ``content_of``, without handing it in again.

        Raises:
            Refused: the core said no.
            Gone: nobody remembers such a command.
        """
        workflow = self._client.get_workflow_handle(engagement_workflow(engagement_id))
        handle: WorkflowUpdateHandle[Accepted] = workflow.get_update_handle(
            f"{command_id}.{content}", result_type=Accepted
        )
        unknown = NotKnownYet(command_id, engagement_id, content)
        return await self._found(unknown, handle.result(rpc_timeout=self._patience))

    @property
    def lag(self) -> float:
        """Seconds for which the oldest answer has waited to be recorded."""
        return self._recorder.lag

    async def close(self) -> None:
        """Wait for appends that outlasted their request."""
        await self._recorder.close()
        await asyncio.gather(*self._late, return_exceptions=True)

    # --- asking the workflow -------------------------------------------------------------------------------------

    async def _ask(self, engagement_id: str, submission: Submission) -> Accepted:
        workflow = self._client.get_workflow_handle(engagement_workflow(engagement_id))
        pause = AGAIN_AFTER
        while True:
            try:
                async with self._turns.of(engagement_id):
                    accepted: Accepted = await workflow.execute_update(
                        "submit",
                        submission,
                        id=update_id(submission),
                        result_type=Accepted,
                        rpc_timeout=self._patience,
                    )
            except RPCError as error:
                if error.status is not RPCStatusCode.RESOURCE_EXHAUSTED:
                    raise
                await asyncio.sleep(pause)  # another process keeps it busy
                pause *= 2
            else:
                return accepted

    async def _launch(self, engagement_id: str, submission: Submission) -> Accepted:
        start: WithStartWorkflowOperation[object, None] = WithStartWorkflowOperation(
            "Engagement",
            Carried(),
            id=engagement_workflow(engagement_id),
            task_queue=TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )
        accepted: Accepted = await self._client.execute_update_with_start_workflow(
            "submit",
            submission,
            start_workflow_operation=start,
            id=update_id(submission),
            result_type=Accepted,
            rpc_timeout=self._patience,
        )
        return accepted

    async def _found(
        self, unknown: NotKnownYet, answer: Awaitable[Accepted], also: Also | None = None
    ) -> Recorded | NotKnownYet:
        try:
            accepted = await self._answered(answer)
        except _Unanswered:
            return unknown
        recording = asyncio.create_task(self._record(unknown, accepted, also))
        # A request may stop waiting for the database; the append goes on, since what it holds has happened.
        self._late.add(recording)
        recording.add_done_callback(self._recorded_late)
        done, _ = await asyncio.wait({recording}, timeout=self._patience.total_seconds())
        return recording.result() if done else unknown

    def _recorded_late(self, recording: asyncio.Task[Recorded | NotKnownYet]) -> None:
        self._late.discard(recording)
        if not recording.cancelled():
            recording.exception()  # looked at: ``_record`` has logged it, and the request may have gone

    async def _answered(self, answer: Awaitable[Accepted]) -> Accepted:
        """The workflow's answer in our words.

        Raises:
            Refused, Gone: as ``submit``.
            _Unanswered: whatever it was, the command may have been taken.
        """
        try:
            # Each call has its own deadline; this one is for several of them, and leaves the last the time to end well.
            async with asyncio.timeout(self._patience.total_seconds() + 1):
                return await answer
        except WorkflowUpdateFailedError as error:
            raise self._refused(error) from None
        except WorkflowAlreadyStartedError:
            raise Gone from None  # it was launched, and has ended
        except RPCError as error:
            if error.status in {RPCStatusCode.NOT_FOUND, RPCStatusCode.ALREADY_EXISTS}:
                raise Gone from None
            raise _Unanswered from None
        except (RPCTimeoutOrCancelledError, TimeoutError):
            raise _Unanswered from None

    def _refused(self, error: WorkflowUpdateFailedError) -> Exception:
        cause = error.cause
        code = cause.type if isinstance(cause, ApplicationError) else None
        if code == _RUN_ENDED:
            return _Unanswered()
        if not isinstance(cause, ApplicationError) or code not in all_refusals():
            log.error("an update failed by a fault of ours", code=code)
            return error
        self._telemetry.refused(code)
        trace.get_current_span().set_attribute("code", code)
        return Refused(code, cause.message)

    # --- recording -----------------------------------------------------------------------------------------------

    async def _record(self, unknown: NotKnownYet, accepted: Accepted, also: Also | None) -> Recorded | NotKnownYet:
        """Append what the workflow holds and the journal may not, then say what followed from the command."""
        engagement_id = unknown.engagement_id

        async def afterwards(connection: AsyncConnection, last: int) -> Recorded | NotKnownYet:
            if last < accepted.last:  # the tail was longer than one answer holds: the workflow appends the rest
                return unknown
            recorded = Recorded(
                command_id=unknown.command_id,
                engagement_id=engagement_id,
                sequence=accepted.sequence,
                events=await self._events(connection, engagement_id, accepted),
            )
            if also is not None:
                await also(connection, recorded)
            return recorded

        try:
            return await self._recorder.record(engagement_id, accepted.tail, afterwards, accepted.causes)
        except DATABASE_AWAY:
            log.warning("accepted, not recorded yet: the database does not answer", engagement_id=engagement_id)
        except journal.JournalGap:
            log.warning("accepted, not recorded yet: earlier entries are missing", engagement_id=engagement_id)
        except (journal.JournalFork, BrokenChain):
            log.exception("two histories of one engagement: somebody must look", engagement_id=engagement_id)
            raise
        return unknown

    @staticmethod
    async def _events(connection: AsyncConnection, engagement_id: str, accepted: Accepted) -> tuple[RecordedEvent, ...]:
        """The command's own events, from the answer where it still holds them, else from the journal."""
        if accepted.last < accepted.first:
            return ()
        wanted = range(accepted.first, accepted.last + 1)
        held: dict[int, str] = {entry.sequence: entry.event.kind for entry in accepted.tail if entry.sequence in wanted}
        if len(held) < len(wanted):
            lines = await journal.entries(connection, engagement_id, after=accepted.first - 1, limit=len(wanted))
            held = {line.sequence: line.kind for line in lines}
        return tuple(RecordedEvent(sequence=sequence, kind=kind) for sequence, kind in sorted(held.items()))
