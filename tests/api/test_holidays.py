"""A day announced late, from the front door to the due dates of every running programme."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from activities.calendars import snapshot
from programme.working_time import Division
from store import read_model
from tests.stack import Launched, Stack, bearer, token_of

pytestmark = pytest.mark.asyncio(loop_scope="session")
HOLIDAYS = "/api/v1/holidays"


def working_day(days: int = 10) -> date:
    """A day at least so many days ahead on which everybody works."""
    closed = {one.on for division in Division for one in snapshot(division).holidays}
    day = datetime.now(UTC).date() + timedelta(days=days)
    while day.weekday() >= 5 or day in closed:
        day += timedelta(days=1)
    return day


async def announce(stack: Stack, token: str, **day: Any) -> httpx.Response:
    body = {"on": str(working_day()), "name": "A day of mourning"} | day
    return await stack.http.post(HOLIDAYS, json=body, headers=bearer(token))


async def recorded(launched: Launched, kind: str, number: int = 1) -> list[dict[str, Any]]:
    """The events of a kind, once re-planning has brought so many into the journal."""
    async with asyncio.timeout(30):
        while True:
            found = (await launched.get("pm", "history", kind=kind, limit=200)).json()["items"]
            if len(found) >= number:
                return list(found)
            await asyncio.sleep(0.1)


async def moved(launched: Launched) -> list[dict[str, Any]]:
    """The due dates that have moved."""
    return await recorded(launched, "DueDateMoved")


async def test_a_day_announced_for_a_trust_moves_its_due_dates_and_each_says_why(stack: Stack) -> None:
    launched, other = await stack.launch(ods_code="RR8"), await stack.launch()
    before = (await launched.get("pm", "tasks", limit=200)).json()["items"]
    answer = await announce(stack, launched.tokens["pm"], trust="rr8")
    assert answer.status_code == 201, answer.text
    said = answer.json()
    assert said["engagements"] == 1
    assert said["replanning"] is True
    assert "does not count as a working day for 1 running programme:" in said["says"]
    assert await moved(launched)
    after = {task["task_id"]: task for task in (await launched.get("pm", "tasks", limit=200)).json()["items"]}
    late = [task for task in before if task["due"] >= str(working_day())]
    assert late
    for task in late:
        assert after[task["task_id"]]["due"] > task["due"]
        assert "A day of mourning does not count" in after[task["task_id"]]["why"]
    assert (await other.get("pm", "history", kind="CalendarChanged")).json()["items"] == []


async def test_a_launch_after_the_announcement_goes_by_it_and_is_not_asked_again(stack: Stack) -> None:
    closure = {"on": str(working_day(26)), "name": "Move of the department"}
    await announce(stack, await stack.manager(), trust="RWA", on=str(working_day(10)))
    launched = await stack.launch(ods_code="RWA", closures=[closure])
    await announce(stack, launched.tokens["pm"], engagement=launched.id, on=str(working_day(18)))
    await moved(launched)
    assert len(await recorded(launched, "CalendarChanged")) == 1
    async with stack.database.reading() as connection:
        engagement = await read_model.standing(connection, launched.id)
    assert engagement
    days = {day.on: day.name for day in engagement.calendar.holidays}
    assert [days.get(working_day(ahead)) for ahead in (10, 18, 26)] == [
        "A day of mourning",
        "A day of mourning",
        "Move of the department",
    ]


async def test_a_preview_says_what_would_happen_and_keeps_nothing(stack: Stack) -> None:
    launched = await stack.launch(ods_code="RXF")
    body = {"on": str(working_day()), "name": "Snow", "trust": "RXF"}
    answer = await stack.http.post(HOLIDAYS, json=body, params={"preview": True}, headers=bearer(launched.tokens["pm"]))
    assert (answer.json()["announcement_id"], answer.json()["engagements"]) == (None, 1)
    listed = (await stack.http.get(HOLIDAYS, headers=bearer(launched.tokens["pm"]))).json()
    assert "RXF" not in {one["whose"] for one in listed}


async def test_a_day_is_taken_back_by_a_further_row_and_no_due_date_moves_earlier(stack: Stack) -> None:
    launched = await stack.launch(ods_code="RGP")
    token = launched.tokens["pm"]
    announcement = (await announce(stack, token, trust="RGP")).json()["announcement_id"]
    await moved(launched)
    promised = {task["task_id"]: task["due"] for task in (await launched.get("pm", "tasks", limit=200)).json()["items"]}
    answer = await stack.http.post(f"{HOLIDAYS}/{announcement}/withdraw", headers=bearer(token))
    assert answer.status_code == 200, answer.text
    await recorded(launched, "CalendarChanged", 2)
    now = {task["task_id"]: task["due"] for task in (await launched.get("pm", "tasks", limit=200)).json()["items"]}
    assert now == promised
    (listed,) = [one for one in (await stack.http.get(HOLIDAYS, headers=bearer(token))).json() if one["whose"] == "RGP"]
    assert listed["withdrawn_at"]
    assert (await stack.http.post(f"{HOLIDAYS}/{announcement}/withdraw", headers=bearer(token))).status_code == 404


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"on": "2026-01-03"}, 422, "NotAWorkingDay"),
        ({"on": "2030-06-01"}, 422, "NotAWorkingDay"),
        ({"on": "2030-12-25"}, 409, "AnnouncedAlready"),
        ({"trust": "Leeds"}, 422, "InvalidOdsCode"),
        ({"engagement": "nobody's"}, 404, "NothingHere"),
        ({"engagement": "11111111-1111-7111-8111-111111111111"}, 404, "NothingHere"),
        ({"trust": "RR8", "division": "scotland"}, 422, "Unreadable"),
        ({"name": ""}, 422, "Unreadable"),
    ],
    ids=["passed", "a Saturday", "Christmas", "no ODS code", "no id", "not theirs", "two reaches", "no name"],
)
async def test_what_cannot_be_announced_says_why(stack: Stack, changes: dict[str, str], status: int, code: str) -> None:
    answer = await announce(stack, await stack.manager(), **changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def test_the_same_day_is_announced_once_for_the_same_trust(stack: Stack) -> None:
    token = await stack.manager()
    assert (await announce(stack, token, trust="RTH")).status_code == 201
    assert (await announce(stack, token, trust="RTH")).json()["code"] == "AnnouncedAlready"
    assert (await announce(stack, token, trust="RTK")).status_code == 201


async def test_participants_announce_nothing_and_read_nothing(stack: Stack) -> None:
    _, token = await token_of(stack.database, "Dee Doctor", "dee.doctor@example.nhs.uk")
    assert (await announce(stack, token)).json()["code"] == "NotForYou"
    assert (await stack.http.get(HOLIDAYS, headers=bearer(token))).status_code == 403
    assert (await stack.http.post(f"{HOLIDAYS}/1/withdraw", headers=bearer(token))).status_code == 403
    assert (await stack.http.get(f"{HOLIDAYS}/replanning", headers=bearer(token))).status_code == 403


async def test_progress_tells_how_many_programmes_go_by_the_new_calendar(stack: Stack) -> None:
    launched = await stack.launch(ods_code="RJ1")
    await announce(stack, launched.tokens["pm"], trust="RJ1")
    await moved(launched)
    async with asyncio.timeout(30):
        while True:
            found = (await stack.http.get(f"{HOLIDAYS}/replanning", headers=bearer(launched.tokens["pm"]))).json()
            if found["changed"] and not found["after"]:
                break
            await asyncio.sleep(0.1)
    assert found["failed"] == 0
    assert found["looked_at"] >= 1
