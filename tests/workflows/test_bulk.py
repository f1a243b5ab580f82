"""Requests of many engagements on real Temporal: each asked once, so many at a time, whatever stops in between."""

import asyncio
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError

from programme.telling import TellParticipants
from tests.workflows.hosted import SECONDS, _Told
from worker.hosting import Activities, hosting
from workflows import ports
from workflows.addresses import TASK_QUEUE, bulk_workflow
from workflows.bulk import BulkWorkflow
from workflows.ports import ASKED_AT_ONCE, BulkPage, BulkReply, BulkRun, Bulks, Engagements, Reply, Request, Submission

pytestmark = pytest.mark.asyncio(loop_scope="session")
PAGE = 15


class Kept(Bulks, _Told):
    """The request as it is kept, in memory: who waits, who has answered, whether it runs."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.bulk_id = str(uuid4())
        self.unseen = [f"e-{place:03}" for place in range(number)]
        self.waiting: list[str] = list(self.unseen)
        self.answers: dict[str, Reply] = {}
        self.running = True
        self.finished = 0
        self.looks = 0
        self.gate = asyncio.Event()
        self.gate.set()

    @activity.defn(name="bulk.foresee")
    async def foresee(self, bulk_id: str) -> int:
        assert bulk_id == self.bulk_id
        these, self.unseen = self.unseen[:PAGE], self.unseen[PAGE:]
        return len(these)

    @activity.defn(name="bulk.next")
    async def next_page(self, bulk_id: str) -> BulkPage:
        assert bulk_id == self.bulk_id
        found = BulkPage(requests=tuple(map(self._request, self.waiting[:PAGE]))) if self.running else BulkPage()
        self.finished += not self.waiting
        self.looks += 1
        self.changed()
        await self.gate.wait()  # what was found may be out of date when it is heard
        return found

    def _request(self, engagement: str) -> Request:
        command = TellParticipants(text="The library is closed")
        submission = Submission(command_id=f"{self.bulk_id} {engagement}", by="pm", command=command)
        return Request(engagement_id=engagement, submission=submission)

    @activity.defn(name="bulk.note")
    async def note(self, reply: BulkReply) -> None:
        if reply.engagement_id in self.waiting:
            self.waiting.remove(reply.engagement_id)
            if reply.reply is None:
                self.waiting.append(reply.engagement_id)
            else:
                self.answers[reply.engagement_id] = reply.reply
        self.changed()


class Asked(Engagements, _Told):
    """Engagements that answer when they are let; each does what it is asked once for each command id."""

    def __init__(self) -> None:
        super().__init__()
        self.done: Counter[str] = Counter()
        self.known: set[str] = set()
        self.silent: Counter[str] = Counter()
        self.gate = asyncio.Event()
        self.gate.set()

    @activity.defn(name="engagements.submit")
    async def submit(self, request: Request) -> Reply:
        with self.working():
            await self.gate.wait()
        if self.silent[request.engagement_id]:
            self.silent[request.engagement_id] -= 1
            raise ApplicationError("no answer", non_retryable=True)
        if request.submission.command_id not in self.known:
            self.known.add(request.submission.command_id)
            self.done[request.engagement_id] += 1
        self.changed()
        return Reply(engagement_id=request.engagement_id, first=3, last=4)


def worker(client: Client, kept: Kept, asked: Asked) -> Any:
    done: Activities = {TASK_QUEUE: [kept.foresee, kept.next_page, kept.note, asked.submit]}
    return hosting(client, done, sandboxed=True)


async def begin(client: Client, kept: Kept, *, dry: bool = False) -> WorkflowHandle[BulkWorkflow, None]:
    """As the front door does it, whether it begins or goes on."""
    return await client.start_workflow(
        BulkWorkflow.run,
        BulkRun(bulk_id=kept.bulk_id, dry=dry),
        id=bulk_workflow(kept.bulk_id, dry=dry),
        task_queue=TASK_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal="go_on",
    )


async def ended(handle: WorkflowHandle[Any, Any]) -> None:
    async with asyncio.timeout(SECONDS):
        await handle.result()


async def test_everybody_is_asked_once_and_never_too_many_at_a_time(client: Client) -> None:
    kept, asked = Kept(40), Asked()
    async with worker(client, kept, asked):
        await ended(await begin(client, kept))
    assert len(kept.answers) == 40
    assert set(asked.done.values()) == {1}
    assert asked.most_at_work <= ASKED_AT_ONCE
    assert kept.finished


async def test_a_dry_run_asks_nobody(client: Client) -> None:
    kept, asked = Kept(40), Asked()
    async with worker(client, kept, asked):
        await ended(await begin(client, kept, dry=True))
    assert not kept.unseen
    assert not asked.done


async def test_who_does_not_answer_is_asked_again_after_the_others(client: Client) -> None:
    kept, asked = Kept(20), Asked()
    asked.silent["e-000"] = 2
    async with worker(client, kept, asked):
        await ended(await begin(client, kept))
    assert list(kept.answers)[-1] == "e-000"
    assert asked.done["e-000"] == 1
    assert len(kept.answers) == 20


async def test_stopped_in_the_middle_it_asks_nobody_else_and_goes_on_where_it_was(client: Client) -> None:
    kept, asked = Kept(30), Asked()
    asked.gate.clear()
    async with worker(client, kept, asked):
        handle = await begin(client, kept)
        await asked.until(lambda: asked.at_work == ASKED_AT_ONCE)
        kept.running = False
        await handle.signal(BulkWorkflow.stop)
        asked.gate.set()
        await ended(handle)
        answered = len(kept.answers)
        assert answered == ASKED_AT_ONCE, "those that were being asked, and nobody else"
        kept.running = True
        await ended(await begin(client, kept))
    assert len(kept.answers) == 30
    assert set(asked.done.values()) == {1}


async def test_stopped_and_started_at_once_nobody_is_left_out(client: Client) -> None:
    kept, asked = Kept(30), Asked()
    asked.gate.clear()
    async with worker(client, kept, asked):
        handle = await begin(client, kept)
        await asked.until(lambda: asked.at_work == ASKED_AT_ONCE)
        await handle.signal(BulkWorkflow.stop)
        await begin(client, kept)
        asked.gate.set()
        async with asyncio.timeout(SECONDS):
            await kept.until(lambda: len(kept.answers) == 30)
        await ended(client.get_workflow_handle(handle.id))
    assert set(asked.done.values()) == {1}


async def test_a_start_that_comes_while_a_stopped_run_ends_is_not_lost(client: Client) -> None:
    kept, asked = Kept(5), Asked()
    kept.running = False
    kept.gate.clear()
    async with worker(client, kept, asked):
        handle = await begin(client, kept)
        await kept.until(lambda: kept.looks == 1)  # it has found nobody to ask, and does not know it yet
        kept.running = True
        again = await begin(client, kept)
        assert again.result_run_id == handle.result_run_id, "there is one run, and it goes on"
        kept.gate.set()
        await ended(client.get_workflow_handle(handle.id))
    assert len(kept.answers) == 5
    assert set(asked.done.values()) == {1}


async def test_a_worker_that_is_replaced_in_the_middle_changes_nothing(client: Client) -> None:
    kept, asked = Kept(30), Asked()
    asked.gate.clear()
    first = asyncio.create_task(_work(client, kept, asked))
    handle = await begin(client, kept)
    await asked.until(lambda: asked.at_work == ASKED_AT_ONCE)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    asked.gate.set()
    async with worker(client, kept, asked):
        await ended(handle)
    assert len(kept.answers) == 30
    assert set(asked.done.values()) == {1}


async def _work(client: Client, kept: Kept, asked: Asked) -> None:
    async with worker(client, kept, asked):
        await asyncio.Event().wait()


async def test_thousands_fit_because_it_continues_as_new(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "RUN_EVENTS", 100)
    kept, asked = Kept(60), Asked()
    async with worker(client, kept, asked):
        handle = await begin(client, kept)
        await ended(handle)
        first = client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
        history = await first.fetch_history()
    assert len(kept.answers) == 60
    assert set(asked.done.values()) == {1}
    assert history.events[-1].HasField("workflow_execution_continued_as_new_event_attributes")
    assert len(history.events) < 400
