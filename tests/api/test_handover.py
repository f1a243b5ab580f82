"""People come and go, through the front door: a leaver whose part passes on, and who may read what of it."""

import pytest
import pytest_asyncio

from tests.stack import Launched, Stack, rows

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def engagement(stack: Stack) -> Launched:
    steward = {"name": "Sue Steward", "email": "sue@example.nhs.uk", "roles": "measure_steward"}
    launched = await stack.launch([*rows(), steward])
    await launched.begin_diagnosis()
    return launched


async def ids(engagement: Launched) -> dict[str, str]:
    """Everybody's id, by name."""
    return {one["name"]: one["person_id"] for one in (await engagement.get("pm", "people")).json()}


async def test_a_facilitator_leaves_and_a_successor_takes_over(engagement: Launched) -> None:
    known = await ids(engagement)
    leaver, successor = known["Fay Facilitator"], known["Sue Steward"]
    registered = (await engagement.get("pm")).json()["registered"]
    leaves = {"person": leaver, "last_day": registered}
    assert (await engagement.post("sue", "record-departure", leaves)).status_code == 403
    (await engagement.post("pm", "record-departure", leaves)).raise_for_status()
    note = "Two of the doctors only come when I call them"
    (await engagement.post("fay", "write-handover-note", {"note": note})).raise_for_status()

    (departure,) = (await engagement.get("pm", "departures")).json()
    assert [(part["role"], part["open"]) for part in departure["parts"]] == [
        ("facilitator", [{"kind": "part", "about": "facilitator"}])
    ]
    assert (await engagement.get("sue", "departures")).json() == []

    named = {"person": leaver, "role": "facilitator", "successor": successor}
    (await engagement.post("pm", "name-successor", named)).raise_for_status()
    (task,) = [
        one for one in (await engagement.get("sue", "tasks")).json()["items"] if one["command"] == "AcceptHandover"
    ]
    assert task["due"] == (await engagement.get("sue", "departures")).json()[0]["parts"][0]["due"]
    words = (await engagement.get("sue", "words")).json()["items"]
    assert [one["text"] for one in words if one["purpose"] == "WriteHandoverNote.note"] == [note]
    assert note not in (await engagement.get("doctor0", "words")).text

    accepts = {"person": leaver, "role": "facilitator", "interests": "None"}
    refused = await engagement.post("doctor0", "accept-handover", accepts)
    assert (refused.status_code, refused.json()["code"]) == (404, "NoHandover")
    (await engagement.post("sue", "accept-handover", accepts)).raise_for_status()
    roles = {one["name"]: one["roles"] for one in (await engagement.get("pm", "people")).json()}
    assert "facilitator" in roles["Sue Steward"]
    assert "facilitator" not in roles.get("Fay Facilitator", [])
    assert note not in (await engagement.get("pm", "history", limit=200)).text
