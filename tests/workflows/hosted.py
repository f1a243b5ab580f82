"""Engagements on a real Temporal server, with the world around them in memory, which can be told to fail.

The journal, the post and the questionnaires here only subclass the ports; the real ones are tested with their store.
"""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import uuid4

from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHandle, WorkflowHistory, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from programme import template as templates
from programme.engagement import AnyCommand, Engagement, RecordedEntry, TimeReached, fold, next_wake, step
from programme.messages import CLOCK, Entry, PersonId, Role, Side
from programme.part import Asked
from programme.people import AcceptAppointment, AcceptEnrolment, Enrolment
from programme.post import MessageIssued, MessageUndelivered
from programme.stages.mandate import Answer, RegisterEngagement, StateWillingness
from programme.template import ProgrammeTemplate
from programme.working_time import Calendar, Holiday
from worker.hosting import Activities, hosting
from workflows.addresses import POST_QUEUE, TASK_QUEUE, engagement_workflow
from workflows.engagement import EngagementWorkflow
from workflows.ports import (
    Accepted,
    Batch,
    Carried,
    Close,
    Delivery,
    GivenUp,
    Journal,
    Post,
    Questionnaires,
    Reached,
    Standing,
    Submission,
)

SECONDS = 60.0  # nobody waits this long unless something is broken
PM, SECOND_PM, MEDICAL, MANAGERIAL, FACILITATOR, APPROVER = "pm", "pm2", "med", "man", "fac", "app"
DOCTORS = tuple(f"d{number}" for number in range(16))
MANAGERS = tuple(f"m{number}" for number in range(16))
SHUT_DAYS = 120

BUSY = (  # what a run's history ends with while something is going on
    EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
)
WAKE, SOON = "Wake on", "Append soon"  # how the summaries of the workflow's timers begin


class AwayError(Exception):
    """The world outside does not answer."""


class ForkError(Exception):
    """The journal was given another entry at a place that is taken, or one that leaves a gap."""


@dataclass
class Mishaps:
    """Which calls fail: a share before they do anything, a share after. The same calls fail in every run."""

    before: float = 0.0
    after: float = 0.0
    away: bool = False  # every call fails, until somebody comes back
    for_good: bool = False  # every call fails, and asks not to be tried again
    seed: int = 0
    struck: Counter[str] = field(default_factory=Counter)

    def strike_before(self, call: int) -> None:
        """Fail if it is this call's turn, before it has done anything."""
        self._strike("before", self.before, call)

    def strike_after(self, call: int) -> None:
        """Fail if it is this call's turn, though it has done everything."""
        self._strike("after", self.after, call)

    def _strike(self, when: str, share: float, call: int) -> None:
        drawn = random.Random(f"{self.seed} {when} {call}").random()  # noqa: S311 - a repeatable choice, no secret
        if self.for_good or self.away or drawn < share:
            self.struck[when] += 1
            raise ApplicationError(when, non_retryable=True) if self.for_good else AwayError(when)


class _Told:
    """Something that changes, and that others wait for. ``at_work``: how many of its calls are under way."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self.at_work = self.most_at_work = 0

    @contextmanager
    def working(self) -> Iterator[None]:
        """A call, for as long as the block lasts."""
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        self.changed()
        try:
            yield
        finally:
            self.at_work -= 1
            self.changed()

    def changed(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, predicate: Callable[[], bool]) -> None:
        """Wait until something holds; it is looked at whenever anything has changed."""
        async with asyncio.timeout(SECONDS):
            while not predicate():
                await self._changed.wait()


class Record(Journal, _Told):
    """The journal: every entry once and in order, whoever brings it."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[str, list[RecordedEntry]] = {}
        self.mishaps = Mishaps()
        self.appends = 0

    @activity.defn(name="journal.append")
    async def append(self, batch: Batch) -> int:
        self.appends += 1
        call = self.appends
        self.mishaps.strike_before(call)
        if batch.reached is not None:
            self._agree(batch.engagement_id, batch.reached)
        last = self.keep(batch.engagement_id, batch.entries)
        self.mishaps.strike_after(call)
        return last

    def keep(self, engagement_id: str, entries: Sequence[RecordedEntry]) -> int:
        """Take entries, each once; returns the last sequence. What the front door does, too."""
        kept = self.entries.setdefault(engagement_id, [])
        for entry in entries:
            if entry.sequence <= len(kept):
                if kept[entry.sequence - 1] != entry:
                    raise ForkError(entry.sequence)
            elif entry.sequence == len(kept) + 1:
                kept.append(entry)
            else:
                raise ForkError(entry.sequence)
        self.changed()
        return len(kept)

    def _agree(self, engagement_id: str, reached: Reached) -> None:
        kept = self.entries.get(engagement_id, ())
        if reached.sequence <= len(kept) and kept[reached.sequence - 1].digest != reached.digest:
            raise ForkError(reached.sequence)

    def last(self, engagement_id: str) -> int:
        """The last sequence of an engagement."""
        return len(self.entries.get(engagement_id, ()))

    async def reaches(self, engagement_id: str, sequence: int) -> None:
        """Wait until an entry is in the journal."""
        await self.until(lambda: self.last(engagement_id) >= sequence)

    def folded(self, engagement_id: str) -> Engagement:
        """What the journal says about an engagement; every digest is checked on the way."""
        return fold(Engagement(), self.entries[engagement_id])


class Letters(Post, _Told):
    """The post: what the journal says was issued leaves once, unless its reader cannot be reached."""

    def __init__(self, record: Record) -> None:
        super().__init__()
        self._record = record
        self.mishaps = Mishaps()
        self.unreachable: set[PersonId] = set()
        self.delivered: dict[str, list[int]] = {}
        self.attempts = 0

    @activity.defn(name="post.deliver")
    async def deliver(self, engagement_id: str) -> Delivery:
        self.attempts += 1
        self.changed()
        self.mishaps.strike_before(self.attempts)
        delivered = self.delivered.setdefault(engagement_id, [])
        lost = []
        for message, readers in self._waiting(engagement_id):
            hopeless = tuple(person for person in readers if person in self.unreachable)
            if hopeless:
                lost.append(GivenUp(message=message, people=hopeless))
            elif message not in delivered:
                delivered.append(message)
        self.changed()
        return Delivery(given_up=tuple(lost))

    def _waiting(self, engagement_id: str) -> Iterator[tuple[int, tuple[PersonId, ...]]]:
        entries = self._record.entries[engagement_id]
        given_up = {
            (entry.event.message, person)
            for entry in entries
            if isinstance(entry.event, MessageUndelivered)
            for person in entry.event.people
        }
        for entry in entries:
            if isinstance(entry.event, MessageIssued):
                readers = tuple(one for one in entry.event.people if (entry.sequence, one) not in given_up)
                if readers and entry.sequence not in self.delivered[engagement_id]:
                    yield entry.sequence, readers


class Packs(Questionnaires, _Told):
    """The confidential store: a pack for each closed window."""

    def __init__(self) -> None:
        super().__init__()
        self.closed: list[str] = []
        self.attempts = 0
        self.mishaps = Mishaps()

    @activity.defn(name="diagnosis.close")
    async def close(self, close: Close) -> str:
        self.attempts += 1
        self.mishaps.strike_before(self.attempts)
        self.closed.append(close.key)
        self.changed()
        return hashlib.sha256(close.key.encode()).hexdigest()


# --- engagements ---------------------------------------------------------------------------------------------------


@cache
def shipped() -> ProgrammeTemplate:
    """The twelve-month template."""
    return templates.parse(Path("programme/templates/twelve-months.yaml").read_text(encoding="utf-8"))


def shut(today: date) -> Calendar:
    """A trust that is closed for months: nothing falls due and nothing is sent while a test runs, at any hour."""
    days = tuple(Holiday(on=today + timedelta(days=day), name="Closed") for day in range(-2, SHUT_DAYS))
    return Calendar(version="shut", holidays=days)


def roster() -> tuple[Enrolment, ...]:
    """The named parts, two programme managers among them, and 16 people of each side."""
    return (
        Enrolment(person=PM, roles=(Role.PROGRAMME_MANAGER,)),
        Enrolment(person=SECOND_PM, roles=(Role.PROGRAMME_MANAGER,)),
        Enrolment(person=MEDICAL, roles=(Role.MEDICAL_SPONSOR,)),
        Enrolment(person=MANAGERIAL, roles=(Role.MANAGERIAL_SPONSOR,)),
        Enrolment(person=FACILITATOR, roles=(Role.FACILITATOR,)),
        Enrolment(person=APPROVER, roles=(Role.MEDICAL_APPROVER,), gmc_registered=True),
        *(Enrolment(person=person, side=Side.DOCTOR) for person in DOCTORS),
        *(Enrolment(person=person, side=Side.MANAGER) for person in MANAGERS),
    )


def registration(
    engagement_id: str, calendar: Calendar, template: ProgrammeTemplate | None = None
) -> RegisterEngagement:
    """The command that begins an engagement."""
    return RegisterEngagement(
        engagement=engagement_id,
        ods_code="R1A",
        scope="Emergency department",
        local_problem="People wait too long in A&E",
        dpia_reference="DPIA-7",
        privacy_notice="1",
        k=11,
        template=template or shipped(),
        calendar=calendar,
        people=roster(),
    )


def to_the_diagnosis() -> Iterator[tuple[AnyCommand, PersonId]]:
    """What people ask until gate G0 passes and the questionnaire is open."""
    yield AcceptAppointment(role=Role.FACILITATOR), FACILITATOR
    yield AcceptAppointment(role=Role.MEDICAL_APPROVER), APPROVER
    for person in DOCTORS:
        yield AcceptEnrolment(side=Side.DOCTOR, privacy_notice="1"), person
    for person in MANAGERS:
        yield AcceptEnrolment(side=Side.MANAGER, privacy_notice="1"), person
    yield StateWillingness(answer=Answer.WILLING), MEDICAL
    yield StateWillingness(answer=Answer.WILLING), MANAGERIAL


def in_diagnosis(engagement_id: str, calendar: Calendar, at: datetime) -> tuple[Engagement, list[Entry]]:
    """An engagement whose questionnaire has just opened, everything due by then done, and its entries."""
    engagement, entries = Engagement(), list[Entry]()
    for command, by in ((registration(engagement_id, calendar), PM), *to_the_diagnosis()):
        engagement, more = step(engagement, command, Asked(by, at))
        entries += more
    while (wake := next_wake(engagement, at)) is not None and wake <= at:
        engagement, more = step(engagement, TimeReached(), Asked(CLOCK, at))
        entries += more
    return engagement, entries


@dataclass
class Hosted:
    """One engagement on the server."""

    id: str
    handle: WorkflowHandle[EngagementWorkflow, None]
    record: Record

    def submission(
        self, command: AnyCommand, by: PersonId, *, command_id: str | None = None, expected: int | None = None
    ) -> Submission:
        return Submission(command_id=command_id or uuid4().hex, by=by, expected=expected, command=command)

    async def ask(
        self, command: AnyCommand, by: PersonId, *, command_id: str | None = None, expected: int | None = None
    ) -> Accepted:
        """Hand a command in, and wait for what it leads to.

        A run that is left just then answers that it is not ready: as a front door does, the same command is handed in
        again under the same id.
        """
        submission = self.submission(command, by, command_id=command_id, expected=expected)
        while True:
            try:
                return await self.handle.execute_update(EngagementWorkflow.submit, submission)
            except RPCError as error:
                if error.status is not RPCStatusCode.FAILED_PRECONDITION:
                    raise

    async def refusal(
        self, command: AnyCommand, by: PersonId, *, command_id: str | None = None, expected: int | None = None
    ) -> str:
        """The name under which a command is refused."""
        outcome = await self.outcome(command, by, command_id=command_id, expected=expected)
        assert isinstance(outcome, str), outcome
        return outcome

    async def outcome(
        self, command: AnyCommand, by: PersonId, *, command_id: str | None = None, expected: int | None = None
    ) -> Accepted | str:
        """What a command leads to, or the name under which it is refused."""
        try:
            return await self.ask(command, by, command_id=command_id, expected=expected)
        except WorkflowUpdateFailedError as error:
            return error.cause.type if isinstance(error.cause, ApplicationError) and error.cause.type else repr(error)

    async def standing(self) -> Standing:
        """Where the running workflow stands."""
        return await self.handle.query(EngagementWorkflow.standing)

    async def settled(self) -> Engagement:
        """The engagement as the journal knows it, once the workflow knows that everything is in the journal."""
        async with asyncio.timeout(SECONDS):
            while (standing := await self.standing()).recorded < standing.sequence:
                await self.record.reaches(self.id, standing.sequence)
        await until(self._is_at_rest)
        return self.record.folded(self.id)

    async def _is_at_rest(self) -> bool:
        return (await self.events())[-1].event_type not in BUSY

    async def run_id(self) -> str:
        """The present run."""
        return (await self.events())[0].workflow_execution_started_event_attributes.original_execution_run_id

    async def renewed(self) -> None:
        """Ask for a checkpoint, and wait for the run that follows on it."""
        before = await self.run_id()
        await self.handle.signal(EngagementWorkflow.checkpoint)

        async def has_moved() -> bool:
            return await self.run_id() != before

        await until(has_moved)

    async def history(self, run: str | None = None) -> WorkflowHistory:
        """Temporal's history of the present run, or of another."""
        return await self.handle._client.get_workflow_handle(self.handle.id, run_id=run).fetch_history()

    async def events(self, *kinds: "EventType.ValueType") -> list[HistoryEvent]:
        """The events of the present run, of these kinds or of any."""
        history = await self.history()
        return [event for event in history.events if not kinds or event.event_type in kinds]

    async def runs(self) -> list[WorkflowHistory]:
        """The histories of all runs, the first one first."""
        found = [await self.history(self.handle.first_execution_run_id)]
        while (
            following := found[-1].events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
        ):
            found.append(await self.history(following))
        return found


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Ask the server until something holds."""
    async with asyncio.timeout(SECONDS):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.01)


@dataclass
class House:
    """A server, a worker on it, and the world around the worker."""

    client: Client
    record: Record = field(default_factory=Record)
    letters: Letters = field(init=False)
    packs: Packs = field(default_factory=Packs)
    _begun: list[Hosted] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.letters = Letters(self.record)

    def worker(self, *, cached: int = 1000, pinned: str | None = None) -> AbstractAsyncContextManager[None]:
        """A worker for everything that this house has begun."""
        activities: Activities = {
            TASK_QUEUE: [self.record.append, self.packs.close],
            POST_QUEUE: [self.letters.deliver],
        }
        return hosting(self.client, activities, cached=cached, pinned=pinned, sandboxed=True)

    async def start(self, carried: Carried, engagement_id: str) -> Hosted:
        """Start an engagement's workflow with what a run before it would have carried."""
        handle = await self.client.start_workflow(
            EngagementWorkflow.run, carried, id=engagement_workflow(engagement_id), task_queue=TASK_QUEUE
        )
        self._begun.append(Hosted(engagement_id, handle, self.record))
        return self._begun[-1]

    async def unregistered(self) -> Hosted:
        """A workflow that nobody has told anything yet."""
        return await self.start(Carried(), uuid4().hex)

    async def launched(self, calendar: Calendar | None = None) -> Hosted:
        """An engagement that has just been registered."""
        hosted = await self.unregistered()
        await hosted.ask(registration(hosted.id, calendar or shut(datetime.now(UTC).date())), PM)
        return hosted

    async def in_diagnosis(self, calendar: Calendar | None = None, at: datetime | None = None) -> Hosted:
        """An engagement whose questionnaire has just opened, its past already in the journal."""
        at = at or datetime.now(UTC)
        engagement_id = uuid4().hex
        engagement, entries = in_diagnosis(engagement_id, calendar or shut(at.date()), at)
        self.record.keep(engagement_id, [RecordedEntry(**entry.__dict__) for entry in entries])
        issued = max((entry.sequence for entry in entries if isinstance(entry.event, MessageIssued)), default=0)
        carried = Carried(engagement=engagement, recorded=engagement.sequence, issued=issued)
        return await self.start(carried, engagement_id)

    async def clear(self) -> None:
        """End what still runs, so that the next worker on this server is not given it."""
        for hosted in self._begun:
            with suppress(RPCError):  # it has ended by itself
                await hosted.handle.terminate("the test is over")
