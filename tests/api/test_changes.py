"""Changing with care over the real API: each change is asked, recorded, told, shown, and refused where it must be."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from programme.changes.correcting import CorrectEntry, original_of
from programme.changes.record import Mistake
from programme.stages.delivery import RecordTouchpoint
from tests.api.recorded import recorded
from tests.core.agreed import delivering
from tests.core.programme_driver import MEDICAL, PM
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


async def test_a_step_with_a_gate_behind_it_is_not_left_out(engagement: Launched) -> None:
    open_task = await task(engagement, "people/appointment-facilitator")
    body = {"task": open_task["task_id"], "reason": "absence", "sentence": "On leave"}
    answer = await engagement.post("pm", "skip-step", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "NotSkippable")
    assert "gate G0" in answer.json()["detail"]


async def test_a_part_is_taken_back_and_given_to_somebody_else(engagement: Launched) -> None:
    people = {one["name"]: one["person_id"] for one in (await engagement.get("pm", "people")).json()}
    fay = people["Fay Facilitator"]
    body = {"person": fay, "role": "facilitator", "reason": "A new post"}
    answer = await engagement.post("pm", "end-appointment", body)
    assert answer.status_code == 200, answer.text
    duty = await task(engagement, "0/mandate/appoint-facilitator")
    assert duty["do"].endswith("/appoint")
    again = await engagement.post("pm", "appoint", {"person": fay, "role": "facilitator"})
    assert again.status_code == 200, again.text
    refused = await engagement.post("pm", "end-appointment", body | {"role": "medical_sponsor"})
    assert (refused.status_code, refused.json()["code"]) == (422, "Invalid")


async def test_a_correction_stands_beside_the_entry_that_it_corrects(engagement: Launched) -> None:
    (entry,) = (await engagement.get("pm", "history", kind="PeopleEnrolled")).json()["items"]
    body = {"entry": entry["sequence"], "mistake": "wrong_person", "text": "doctor 3 is in another scope"}
    answer = await engagement.post("pm", "correct-entry", body)
    assert answer.status_code == 200, answer.text
    after = (await engagement.get("pm", "history", kind="PeopleEnrolled")).json()["items"][0]
    assert after["body"] == entry["body"]
    (correction,) = after["corrections"]
    assert (correction["text"], correction["entry"]) == (body["text"], entry["sequence"])
    (line,) = (await engagement.get("mel", "history", kind="EntryCorrected")).json()["items"]
    assert (line["sequence"], line["body"]["entry_kind"]) == (correction["recorded"], "PeopleEnrolled")


@pytest.mark.parametrize(
    ("who", "kind", "status", "code"),
    [
        ("pm", "EngagementRegistered", 409, "NotCorrectable"),
        ("doctor0", "PeopleEnrolled", 403, "RoleRequired"),
        ("mel", "PeopleEnrolled", 404, "UnknownEntry"),
        ("pm", "", 404, "UnknownEntry"),
    ],
)
async def test_an_entry_is_corrected_by_those_who_may_and_where_nothing_else_does(
    engagement: Launched, who: str, kind: str, status: int, code: str
) -> None:
    found = (await engagement.get("pm", "history", kind=kind)).json()["items"] if kind else []
    number = found[0]["sequence"] if found else 999_999
    body = {"entry": number, "mistake": "wrong_words", "text": "It was otherwise"}
    answer = await engagement.post(who, "correct-entry", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def test_nobody_says_themselves_what_an_entry_was(engagement: Launched) -> None:
    body = {"entry": 2, "mistake": "wrong_words", "text": "x", "original": {"entry_kind": "TouchpointHeld"}}
    assert (await engagement.post("pm", "correct-entry", body)).status_code == 422


async def test_one_does_not_return_from_where_one_has_not_come_nor_reopen_what_is_not_there(
    engagement: Launched,
) -> None:
    answers = [
        await engagement.post("pm", "return-to-stage", {"stage": "exchange", "reason": "More pairs"}),
        await engagement.post("pm", "return-to-stage", {"stage": "diagnosis", "reason": "Once more"}),
    ]
    assert [answer.json()["code"] for answer in answers] == ["NotYet", "CannotReturn"]
    (await engagement.post("fay", "accept-appointment", {"role": "facilitator"})).raise_for_status()
    answers = [
        await engagement.post("fay", "reopen-action", {"action": "A1", "reason": "In error"}),
        await engagement.post("fay", "reopen-notes", {"session": "1A", "reason": "In error"}),
        await engagement.post("mel", "reopen-finding", {"review": "1-internal-1", "finding": "1", "reason": "No"}),
    ]
    assert [(one.status_code, one.json()["code"]) for one in answers] == [
        (404, "UnknownAction"),
        (404, "UnknownSession"),
        (404, "Unknown"),
    ]


async def test_corrections_and_touchpoints_are_read_beside_what_they_are_about(tmp_path: Path) -> None:
    programme = delivering()
    programme.do(RecordTouchpoint(on=programme.today, actions=("A1",), attended=("d1", "m1", MEDICAL)), "d1")
    entry = programme.entries[-1]
    wrong = CorrectEntry(
        entry=entry.sequence, mistake=Mistake.WRONG_DATE, text="The day before", original=original_of(entry)
    )
    programme.do(wrong, PM)
    async with recorded(programme, tmp_path) as read:
        (action,) = await read.items("d1", "actions")
        (touchpoint,) = await read.items("d1", "touchpoints")
        (measure,) = await read.items("d1", "measures")
        assert [one["text"] for one in action["corrections"]] == ["The day before"]
        assert touchpoint["corrections"] == action["corrections"]
        assert touchpoint["on"] == str(programme.today)
        assert measure["corrections"] == []
        assert (await read.get("d1", f"touchpoints/touchpoint-{programme.today}")).json() == touchpoint
