"""Changing with care over the real API: each change is asked, recorded, told, shown, and refused where it must be."""

from datetime import date, timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.stack import Launched, Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def engagement(stack: Stack) -> Launched:
    return await stack.launch()


async def task(engagement: Launched, beginning: str) -> dict[str, Any]:
    """The first task that the programme manager sees whose id begins so."""
    items = (await engagement.get("pm", "tasks", limit=200)).json()["items"]
    return next(one for one in items if one["task_id"].startswith(beginning))


def working_days_after(day: str, number: int) -> str:
    """A later weekday."""
    on = date.fromisoformat(day) + timedelta(days=number)
    return str(on + timedelta(days=max(0, 7 - on.weekday()) if on.weekday() >= 5 else 0))


async def test_a_task_is_given_more_time_and_says_why(engagement: Launched) -> None:
    before = await task(engagement, "people/appointment-facilitator")
    to = working_days_after(before["due"], 2)
    body = {"task": before["task_id"], "to": to, "reason": "pressure_of_work", "sentence": "Winter"}
    answer = await engagement.post("pm", "extend-due-date", body)
    assert answer.status_code == 200, answer.text
    assert {"DueDateExtended", "DueDateMoved", "NoticeRaised"} <= {one["kind"] for one in answer.json()["events"]}
    after = await task(engagement, "people/appointment-facilitator")
    assert (after["task_id"], after["due"]) == (before["task_id"], to)
    assert "the programme manager gave" in after["why"]
    assert "Winter" not in after["why"]
    (line,) = (await engagement.get("pm", "history", kind="DueDateExtended")).json()["items"]
    assert line["body"]["sentence"] == "Winter"


@pytest.mark.parametrize(
    ("who", "change", "status", "code"),
    [
        ("pm", {"to": "2039-01-04"}, 422, "ExtensionTooLong"),
        ("pm", {"to": "2020-01-06"}, 422, "Invalid"),
        ("pm", {"task": "people/enrolment/nobody"}, 404, "UnknownTask"),
        ("fay", {}, 403, "RoleRequired"),
        ("doctor0", {}, 403, "RoleRequired"),
    ],
)
async def test_more_time_is_refused_with_what_to_do_instead(
    engagement: Launched, who: str, change: dict[str, str], status: int, code: str
) -> None:
    open_task = await task(engagement, "people/appointment-facilitator")
    body = {"task": open_task["task_id"], "to": working_days_after(open_task["due"], 1), "reason": "absence", **change}
    answer = await engagement.post(who, "extend-due-date", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
