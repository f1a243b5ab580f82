"""The round that brings new calendars: everybody once, so many at a time, and again for what is announced meanwhile."""

import asyncio
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.exceptions import ApplicationError

from runtime.schedules import HOUR, look_daily
from tests.workflows.hosted import SECONDS, _Told, until
from worker.hosting import hosting
from workflows.addresses import CALENDARS_DAILY, TASK_QUEUE
from workflows.calendars import CalendarsWorkflow
from workflows.ports import BROUGHT_AT_ONCE, NO_ENGAGEMENT, Behind, Calendars, Looked, Replanning, Reply

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Almanac(Calendars, _Told):
    """Engagements that are behind, until they are asked; and what some of them answer."""

    def __init__(self, engagements: Iterable[str], page: int = 10) -> None:
        super().__init__()
        self.known = sorted(engagements)
        self.behind = set(self.known)
        self.page = page
        self.refusing: set[str] = set()
        self.silent: set[str] = set()
        self.asked: list[str] = []
        self.open_gate = asyncio.Event()
        self.open_gate.set()
        self.at_work = self.most_at_work = 0

    @activity.defn(name="calendars.look")
    async def look(self, after: str) -> Looked:
        rest = [one for one in self.known if one > after][: self.page]
        behind = tuple(Behind(engagement_id=one, sequence=1) for one in rest if one in self.behind)
        return Looked(number=len(rest), behind=behind, last=rest[-1] if len(rest) == self.page else "")

    @activity.defn(name="calendars.bring")
    async def bring(self, behind: Behind) -> Reply:
        self.asked.append(behind.engagement_id)
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        self.changed()
        try:
            await self.open_gate.wait()
        finally:
            self.at_work -= 1
        if behind.engagement_id in self.silent:
            raise ApplicationError("no answer", non_retryable=True)
        if behind.engagement_id in self.refusing:
            return Reply(engagement_id=behind.engagement_id, refused=NO_ENGAGEMENT)
        self.behind.discard(behind.engagement_id)
        return Reply(engagement_id=behind.engagement_id, first=2, last=4)


def named(number: int) -> list[str]:
    return [f"e-{place:03}" for place in range(number)]


async def begin(client: Client) -> WorkflowHandle[CalendarsWorkflow, Replanning]:
    return await client.start_workflow(
        CalendarsWorkflow.run, Replanning(), id=f"calendars-{uuid4().hex}", task_queue=TASK_QUEUE
    )


def worker(client: Client, almanac: Almanac) -> Any:
    return hosting(client, {TASK_QUEUE: [almanac.look, almanac.bring]}, sandboxed=True)


async def test_everybody_who_is_behind_is_asked_once_and_progress_counts_them(client: Client) -> None:
    almanac = Almanac(named(35))
    almanac.behind -= set(named(35)[::7])
    almanac.refusing, almanac.silent = {"e-001"}, {"e-002", "e-003"}
    async with worker(client, almanac):
        handle = await begin(client)
        progress = await asyncio.wait_for(handle.result(), SECONDS)
        assert await handle.query(CalendarsWorkflow.progress) == progress
    assert sorted(almanac.asked) == [one for one in named(35) if one not in named(35)[::7]]
    assert progress == Replanning(looked_at=35, changed=27, refused=1, failed=2, events=81, rounds=1)


async def test_no_more_are_asked_at_a_time_than_leave_the_worker_free_for_people(client: Client) -> None:
    almanac = Almanac(named(50), page=50)
    almanac.open_gate.clear()
    async with worker(client, almanac):
        handle = await begin(client)
        await almanac.until(lambda: almanac.at_work == BROUGHT_AT_ONCE)
        almanac.open_gate.set()
        await asyncio.wait_for(handle.result(), SECONDS)
    assert almanac.most_at_work == BROUGHT_AT_ONCE
    assert not almanac.behind


async def test_what_is_announced_meanwhile_is_brought_by_a_further_round(client: Client) -> None:
    almanac = Almanac(named(5))
    almanac.open_gate.clear()
    async with worker(client, almanac):
        handle = await begin(client)
        await almanac.until(lambda: almanac.at_work > 0)
        await handle.signal(CalendarsWorkflow.announced)
        almanac.open_gate.set()
        progress = await asyncio.wait_for(handle.result(), SECONDS)
    assert (progress.rounds, progress.looked_at, progress.changed) == (2, 10, 5)


async def test_many_engagements_take_several_runs_and_nobody_is_left_out(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.ports.RUN_EVENTS", 60)
    almanac = Almanac(named(60))
    async with worker(client, almanac):
        handle = await begin(client)
        progress = await asyncio.wait_for(handle.result(), SECONDS)
    assert sorted(almanac.asked) == named(60)
    assert (progress.looked_at, progress.changed, progress.rounds) == (60, 60, 1)
    assert (await handle.describe()).run_id != handle.first_execution_run_id


async def test_the_daily_look_is_scheduled_once_and_stays_paused_where_an_operator_paused_it(client: Client) -> None:
    await look_daily(client)
    schedule = client.get_schedule_handle(CALENDARS_DAILY)
    await schedule.pause(note="maintenance")
    await look_daily(client)
    found = (await schedule.describe()).schedule
    assert found.state.paused
    assert found.spec.calendars[0].hour[0].start == HOUR
    assert found.spec.time_zone_name == "Europe/London"


async def test_the_schedule_starts_a_round(client: Client) -> None:
    almanac = Almanac(named(3))
    async with worker(client, almanac):
        await look_daily(client)
        await client.get_schedule_handle(CALENDARS_DAILY).trigger()

        async def all_asked() -> bool:
            return not almanac.behind

        await until(all_asked)
    assert sorted(almanac.asked) == named(3)
