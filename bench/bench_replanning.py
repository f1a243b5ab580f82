"""Re-planning 1,000 running engagements after a new holiday, beside one update each on as many bare workflows."""

import asyncio
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select
from temporalio.client import Client

from activities.calendars import snapshot
from bench.bare import BareWorkflow, Step
from bench.grounds import DOCTORS, MANAGERS, Ground, bare_beside, bare_workflows, client_for, ground
from programme.working_time import Division
from store.tables import engagements, journal
from workflows.ports import BROUGHT_AT_ONCE

ENGAGEMENTS = 1000
AT_ONCE = 16  # launches, and starts of bare workflows: before anything is measured
ROUNDS = 3
LOOK_AGAIN = 0.2  # seconds
SATURDAY = 5
PATIENCE = 900


async def _each(jobs: Sequence[Callable[[], Awaitable[object]]], at_once: int) -> None:
    """Do all jobs, so many at a time."""
    waiting = list(jobs)

    async def one() -> None:
        while waiting:
            await waiting.pop()()

    await asyncio.gather(*(one() for _ in range(at_once)))


def _body(place: int) -> dict[str, Any]:
    """A launch. The same people take part everywhere: whose tasks they are does not matter here."""
    people = [
        {"name": "Mel", "email": "mel@example.org", "roles": "medical_sponsor"},
        {"name": "Max", "email": "max@example.org", "roles": "managerial_sponsor"},
        {"name": "Fay", "email": "fay@example.org", "roles": "facilitator"},
        {"name": "Abe", "email": "abe@example.org", "roles": "medical_approver", "gmc_registered": "yes"},
    ]
    for side, count in (("doctor", DOCTORS), ("manager", MANAGERS)):
        people += ({"name": side, "email": f"{side}-{n}@example.org", "side": side} for n in range(count))
    return {
        "ods_code": "R1A",
        "scope": f"Service {place}",
        "local_problem": "People wait too long in A&E",
        "dpia_reference": "DPIA-7",
        "people": people,
    }


async def _launched(place: Ground, http: httpx.AsyncClient) -> None:
    headers = {"Authorization": f"Bearer {place.pm}"}

    def launching(number: int) -> Callable[[], Awaitable[object]]:
        async def launch() -> None:
            answer = await http.post("/api/v1/engagements", json=_body(number), headers=headers)
            assert answer.status_code == httpx.codes.CREATED, answer.text

        return launch

    began = time.perf_counter()
    await _each([launching(number) for number in range(ENGAGEMENTS)], AT_ONCE)
    print(f"\n{ENGAGEMENTS} engagements launched in {time.perf_counter() - began:.0f} s")


async def _bare_updates(client: Client, workflows: Sequence[str]) -> float:
    """Seconds for one update of each, as many at a time as engagements are asked."""

    def updating(workflow_id: str) -> Callable[[], Awaitable[object]]:
        step = Step(command_id=uuid.uuid4().hex, by="clock", side="", privacy_notice="")
        handle = client.get_workflow_handle(workflow_id)
        return lambda: handle.execute_update(BareWorkflow.submit, step, id=step.command_id)

    began = time.perf_counter()
    await _each([updating(one) for one in workflows], BROUGHT_AT_ONCE)
    return time.perf_counter() - began


def _days(number: int) -> list[date]:
    """Working days of the next weeks, on which something is due by then."""
    closed = {one.on for one in snapshot(Division.ENGLAND_AND_WALES).holidays}
    ahead = (datetime.now(UTC).date() + timedelta(days=one) for one in range(2, 60))
    return [day for day in ahead if day.weekday() < SATURDAY and day not in closed][:number]


async def _replanned(place: Ground, http: httpx.AsyncClient, on: date) -> tuple[float, float]:
    """Seconds from the announcement until every engagement has answered, and until the lists say so, too."""
    headers = {"Authorization": f"Bearer {place.pm}"}
    before = await _by_calendar(place)
    began = time.perf_counter()
    body = {"on": str(on), "name": "A late holiday", "division": "england-and-wales"}
    answer = await http.post("/api/v1/holidays", json=body, headers=headers)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    assert answer.json()["engagements"] == ENGAGEMENTS
    answered = None
    async with asyncio.timeout(PATIENCE):
        while True:
            await asyncio.sleep(LOOK_AGAIN)
            if answered is None:
                found = (await http.get("/api/v1/holidays/replanning", headers=headers)).json()
                if found["changed"] == ENGAGEMENTS:
                    answered = time.perf_counter() - began
            now = await _by_calendar(place)
            if answered is not None and len(now) == 1 and now.keys() != before.keys():
                return answered, time.perf_counter() - began


async def _by_calendar(place: Ground) -> dict[str, int]:
    """How many engagements go by which calendar, as the lists know it."""
    query = select(engagements.c.calendar, func.count()).group_by(engagements.c.calendar)
    async with place.database.reading() as connection:
        return {row[0]: row[1] for row in await connection.execute(query)}


async def _moved(place: Ground) -> int:
    query = select(func.count()).select_from(journal).where(journal.c.kind == "DueDateMoved")
    async with place.database.reading() as connection:
        return int((await connection.execute(query)).scalar_one())


async def bench_replanning(tmp_path: Path) -> None:
    """Both in turn, on one server: a holiday for everybody, and one bare update each."""
    async with ground(tmp_path) as place, bare_beside(place), client_for(place.url) as http:
        await _launched(place, http)
        workflows: list[str] = []
        while len(workflows) < ENGAGEMENTS:
            workflows += await bare_workflows(place.client, AT_ONCE)
        await _bare_updates(place.client, workflows)  # a first one each: their worker has them in memory then
        ratios = []
        for day in _days(ROUNDS):
            bare = await _bare_updates(place.client, workflows[:ENGAGEMENTS])
            before = await _moved(place)
            answered, recorded = await _replanned(place, http, day)
            ratios.append(answered / bare)
            print(
                f"\n{ENGAGEMENTS} engagements re-planned in {answered:.1f} s, in the lists after {recorded:.1f} s,"
                f" {await _moved(place) - before} due dates moved; as many bare updates in {bare:.1f} s"
            )
        print(f"re-planning beside one bare update each: {statistics.median(ratios):.1f} times")
