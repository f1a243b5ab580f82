"""People come and go, through the front door: a leaver whose part passes on, and who may read what of it."""

import pytest
import pytest_asyncio

from tests.stack import Launched, Stack, bearer, rows

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


async def test_somebody_acts_on_behalf_of_somebody_who_stays_accountable(engagement: Launched) -> None:
    known = await ids(engagement)
    fay, sue = known["Fay Facilitator"], known["Sue Steward"]
    today = (await engagement.get("pm")).json()["registered"]
    call = {"why": "Two things are open"}
    early = await engagement.post("sue", "call-session", call, On_Behalf_Of=fay)
    assert (early.status_code, early.json()["code"]) == (403, "NotCovering")
    cover = {"person": fay, "by": sue, "first": today, "last": "2035-01-01"}
    across = await engagement.post("pm", "arrange-cover", cover | {"by": known["doctor 0"]})
    assert (across.status_code, across.json()["code"]) == (403, "ForbiddenCombination")
    (await engagement.post("fay", "arrange-cover", cover)).raise_for_status()
    assert [one["runs"] for one in (await engagement.get("sue", "covers")).json()] == [True]
    assert (await engagement.get("doctor0", "covers")).json() == []

    own = await engagement.post("sue", "state-willingness", {"answer": "willing"}, On_Behalf_Of=fay)
    assert (own.status_code, own.json()["code"]) == (403, "NotCoverable")
    assert (await engagement.post("sue", "call-session", call)).status_code == 403
    refused = await engagement.post("sue", "call-session", call, On_Behalf_Of=fay)
    assert refused.json()["code"] in {"NotYet", "RoleRequired"}, "the rules are asked as if she had come"


async def test_an_inbox_shows_what_somebody_covers_and_the_history_who_did_it(stack: Stack) -> None:
    deputy = {"name": "Pam Deputy", "email": "pam@example.nhs.uk", "roles": "measure_steward"}
    engagement = await stack.launch([*rows(), deputy])
    known = await ids(engagement)
    boss = known["Parveen Mann"]
    today = (await engagement.get("pm")).json()["registered"]
    cover = {"person": boss, "by": known["Pam Deputy"], "first": today, "last": "2035-01-01"}
    (await engagement.post("pm", "arrange-cover", cover)).raise_for_status()
    for where in (f"/api/v1/engagements/{engagement.id}/tasks", "/api/v1/tasks"):
        items = (await stack.http.get(where, headers=bearer(engagement.tokens["pam"]))).json()["items"]
        covered = [one for one in items if one["on_behalf_of"]]
        assert {one["person_id"] for one in covered} == {boss}
        assert "Appoint" in {one["command"] for one in covered}
    appoint = {"person": known["Pam Deputy"], "role": "deputy_approver", "gmc_registered": True}
    answer = await engagement.post("pam", "appoint", appoint, On_Behalf_Of=boss, Idempotency_Key="once")
    assert answer.status_code == 200, answer.text
    again = await engagement.post("pam", "appoint", appoint, On_Behalf_Of=boss, Idempotency_Key="once")
    assert again.json() == answer.json()
    other = await engagement.post("pam", "appoint", appoint, Idempotency_Key="once")
    assert other.json()["code"] == "KeyReused"
    (line,) = [
        one
        for one in (await engagement.get("pm", "history", limit=200)).json()["items"]
        if one["kind"] == "Appointed" and one["body"]["role"] == "deputy_approver"
    ]
    assert (line["actor"], line["on_behalf_of"]) == (known["Pam Deputy"], boss)


async def test_days_off_are_set_and_read_by_the_person_alone(engagement: Launched) -> None:
    leave = {"first": "2035-08-01", "last": "2035-08-14"}
    said = {"off": ["friday"], "away": [leave]}
    (await engagement.post("doctor0", "set-working-pattern", said)).raise_for_status()
    assert (await engagement.get("doctor0", "working-pattern")).json() == said
    assert (await engagement.get("pm", "working-pattern")).json() == {"off": [], "away": []}
    assert leave["last"] not in (await engagement.get("pm", "history", limit=200)).text
    everything = ["friday", "monday", "tuesday", "wednesday", "thursday"]
    assert (await engagement.post("doctor0", "set-working-pattern", {"off": everything})).status_code == 422
