"""One request of many engagements, over HTTP on the whole product: first what would come of it, then that."""

import asyncio
import secrets
import string
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from store import bulk as kept
from store.tables import bulks
from tests.stack import Launched, Stack, bearer, rows, token_of
from workflows.addresses import bulk_workflow

pytestmark = pytest.mark.asyncio(loop_scope="session")
API = "/api/v1"
OTHER_PM = {"name": "Olga Other", "email": "olga@example.nhs.uk", "roles": "programme_manager"}
RESUMES = str(date.today() + timedelta(days=14))  # noqa: DTZ011 - any day ahead
PAUSE = {"pause": {"reason": "Winter pressure", "resumes": RESUMES}}


def trust() -> str:
    """The code of a trust that no other test has."""
    letters, digits = string.ascii_uppercase, string.digits
    return "".join(secrets.choice(kind) for kind in (letters, digits, letters, digits, letters))


class Asker:
    """Somebody who asks something of many engagements."""

    def __init__(self, stack: Stack, token: str) -> None:
        self.stack, self.token = stack, token

    async def post(self, path: str = "", body: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        return await self.stack.http.post(f"{API}/bulk{path}", json=body or {}, headers=bearer(self.token, **headers))

    async def get(self, path: str = "", **query: Any) -> httpx.Response:
        return await self.stack.http.get(f"{API}/bulk{path}", params=query, headers=bearer(self.token))

    async def until(self, bulk_id: str, *states: str) -> dict[str, Any]:
        """The request, once it stands in one of these states."""
        async with asyncio.timeout(60):
            while True:
                found: dict[str, Any] = (await self.get(f"/{bulk_id}")).raise_for_status().json()
                if found["state"] in states:
                    return found
                await asyncio.sleep(0.05)

    async def foreseen(self, **body: Any) -> dict[str, Any]:
        """The result of a dry run."""
        taken = await self.post(body={"dry_run": True, **body})
        assert taken.status_code == 202, taken.text
        return await self.until(taken.json()["bulk_id"], "foreseen")

    async def carried_out(self, bulk_id: str) -> dict[str, Any]:
        """What came of a dry run that is carried out."""
        taken = await self.post(body={"run": bulk_id})
        assert taken.status_code == 202, taken.text
        return await self.until(bulk_id, "finished")


async def manager_of(stack: Stack) -> Asker:
    return Asker(stack, await stack.manager())


async def paused(engagement: Launched) -> str | None:
    """Until when an engagement is paused, once all that was asked of it is recorded."""
    found: str | None = (await engagement.get("pm")).json()["paused_until"]
    return found


async def recorded(engagement: Launched, kind: str) -> list[Any]:
    """The entries of a kind in an engagement's history, once there is one."""
    async with asyncio.timeout(60):
        while True:
            page = (await engagement.get("pm", "history", kind=kind, limit=200)).json()
            if page["items"]:
                return list(page["items"])
            await asyncio.sleep(0.1)


async def test_a_whole_trust_pauses_as_it_was_foreseen(stack: Stack) -> None:
    code = trust()
    engagements = [await stack.launch(ods_code=code) for _ in range(3)]
    asker = await manager_of(stack)
    dry = await asker.foreseen(trust=code.lower(), **PAUSE)
    assert dry["counts"] == {"waiting": 3}
    assert {item["engagement_id"] for item in dry["items"]} == {one.id for one in engagements}
    for item in dry["items"]:
        assert item["foreseen"]["prospect"] == "accepted"
        assert item["foreseen"]["told"] == 2, "both sponsors"
        moved = item["foreseen"]["moved"]
        assert moved
        assert all(one["was"] < one["now"] for one in moved)
        assert not [one for one in moved if "take part" in one["title"]], "nobody is told who has not accepted"
    assert [await paused(one) for one in engagements] == [None, None, None]
    done = await asker.carried_out(dry["bulk_id"])
    assert done["counts"] == {"done": 3}
    assert all(item["entries"] >= 2 for item in done["items"])
    for one in engagements:
        assert len(await recorded(one, "EngagementPausedUntil")) == 1
        assert await paused(one) == RESUMES


async def test_what_is_carried_out_twice_happens_once(stack: Stack) -> None:
    code = trust()
    engagement = await stack.launch(ods_code=code)
    asker = await manager_of(stack)
    dry = await asker.foreseen(engagements=[engagement.id], **PAUSE)
    answers = await asyncio.gather(*(asker.post(body={"run": dry["bulk_id"]}) for _ in range(3)))
    assert {answer.status_code for answer in answers} == {202}
    await asker.until(dry["bulk_id"], "finished")
    assert (await asker.post(body={"run": dry["bulk_id"]})).json()["state"] == "finished"
    assert len(await recorded(engagement, "EngagementPausedUntil")) == 1


async def test_what_would_be_refused_is_said_and_not_asked(stack: Stack) -> None:
    code = trust()
    quiet, busy = [await stack.launch(ods_code=code) for _ in range(2)]
    (await quiet.post("pm", "pause-engagement", PAUSE["pause"])).raise_for_status()
    asker = await manager_of(stack)
    dry = await asker.foreseen(trust=code, tell_participants={"text": "The library is closed"})
    by_id = {item["engagement_id"]: item for item in dry["items"]}
    assert (by_id[quiet.id]["state"], by_id[quiet.id]["code"]) == ("refused", "EngagementPaused")
    assert (by_id[busy.id]["state"], by_id[busy.id]["code"]) == ("refused", "NotYet")
    assert "nobody takes part" in by_id[busy.id]["why"]
    assert (await asker.carried_out(dry["bulk_id"]))["counts"] == {"refused": 2}
    resumed = await asker.foreseen(trust=code, resume={})
    assert resumed["counts"] == {"waiting": 1, "refused": 1}
    assert (await asker.carried_out(resumed["bulk_id"]))["counts"] == {"done": 1, "refused": 1}
    assert len(await recorded(quiet, "EngagementResumed")) == 1


async def test_both_sides_are_told_the_same_in_many_engagements(stack: Stack) -> None:
    code = trust()
    engagements = [await stack.launch(ods_code=code) for _ in range(2)]
    for one in engagements:
        await one.begin_diagnosis()
    asker = await manager_of(stack)
    dry = await asker.foreseen(trust=code, stage="diagnosis", tell_participants={"text": "The library is closed"})
    assert [item["foreseen"]["told"] for item in dry["items"]] == [24, 24]
    assert [item["foreseen"]["news"] for item in dry["items"]] == [
        ["Your programme manager has news for both sides"]
    ] * 2
    assert (await asker.carried_out(dry["bulk_id"]))["counts"] == {"done": 2}
    for one in engagements:
        (told,) = await recorded(one, "ParticipantsTold")
        assert told["body"]["text"] == "The library is closed"


async def test_another_template_is_offered_and_what_nobody_may_have_twice_is_refused(stack: Stack) -> None:
    engagement = await stack.launch(ods_code=trust())
    asker = await manager_of(stack)
    early = await asker.foreseen(engagements=[engagement.id], offer_template={"template": "six-months"})
    assert [item["code"] for item in early["items"]] == ["NotYet"]
    await engagement.begin_diagnosis()
    dry = await asker.foreseen(engagements=[engagement.id], offer_template={"template": "six-months"})
    assert (await asker.carried_out(dry["bulk_id"]))["counts"] == {"done": 1}
    await recorded(engagement, "TemplateOffered")
    assert (await engagement.get("mel", "renewal")).json()["offered"]["name"] == "six-months"
    again = await asker.foreseen(engagements=[engagement.id], offer_template={"template": "six-months"})
    assert [item["code"] for item in again["items"]] == ["AlreadyDone"]


async def test_a_calendar_that_is_the_newest_leaves_everything_unchanged(stack: Stack) -> None:
    engagement = await stack.launch(ods_code=trust())
    asker = await manager_of(stack)
    dry = await asker.foreseen(engagements=[engagement.id], change_calendar={})
    assert dry["counts"] == {"unchanged": 1}
    _, token = await token_of(stack.database, "doctor 0", "doctor0@example.nhs.uk")
    refused = await Asker(stack, token).foreseen(engagements=[engagement.id], change_calendar={})
    assert [item["code"] for item in refused["items"]] == ["RoleRequired"]


async def test_only_what_is_ones_own_exists(stack: Stack) -> None:
    code = trust()
    mine = await stack.launch(ods_code=code, people=[*rows(), OTHER_PM])
    theirs = await stack.launch(ods_code=code)
    _, token = await token_of(stack.database, OTHER_PM["name"], OTHER_PM["email"], "programme_manager")
    olga = Asker(stack, token)
    assert [one["engagement_id"] for one in (await olga.foreseen(trust=code, **PAUSE))["items"]] == [mine.id]
    dry = await olga.foreseen(engagements=[theirs.id, "no-such", mine.id], **PAUSE)
    assert [(one["code"], one["scope"]) for one in dry["items"][:2]] == [("NoSuchEngagement", None)] * 2
    assert (await olga.carried_out(dry["bulk_id"]))["counts"] == {"refused": 2, "done": 1}
    assert await paused(theirs) is None
    asker = await manager_of(stack)
    for path in ("", "/stop", "/start"):
        ask = asker.get if not path else asker.post
        refused = await ask(f"/{dry['bulk_id']}{path}")
        assert (refused.status_code, refused.json()["code"]) == (404, "NoSuchBulk")
    assert (await asker.post(body={"run": dry["bulk_id"]})).status_code == 404
    assert dry["bulk_id"] not in {one["bulk_id"] for one in (await asker.get()).json()}
    assert dry["bulk_id"] in {one["bulk_id"] for one in (await olga.get()).json()}


async def test_whoever_takes_part_but_does_not_manage_is_refused_by_the_programme(stack: Stack) -> None:
    engagement = await stack.launch(ods_code=trust())
    sponsor = Asker(stack, engagement.tokens["mel"])
    dry = await sponsor.foreseen(engagements=[engagement.id], **PAUSE)
    assert [(item["state"], item["code"]) for item in dry["items"]] == [("refused", "RoleRequired")]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({**PAUSE, "trust": "R1A"}, 409, "DryRunFirst"),
        ({"dry_run": True, "trust": "R1A"}, 422, "Invalid"),
        ({"dry_run": True, "trust": "R1A", **PAUSE, "resume": {}}, 422, "Invalid"),
        ({"dry_run": True, **PAUSE}, 422, "Invalid"),
        ({"dry_run": True, "trust": "R1A", "engagements": ["a"], **PAUSE}, 422, "Invalid"),
        ({"dry_run": True, "trust": "Z0Z0Z", **PAUSE}, 422, "Invalid"),
        ({"dry_run": True, "trust": "R1A", "offer_template": {"template": "none"}}, 422, "NoSuchTemplate"),
        ({"dry_run": True, "trust": "R1A", "pause": {"reason": "x", "resumes": "soon"}}, 422, "Unreadable"),
        ({"run": "no-such"}, 404, "NoSuchBulk"),
    ],
)
async def test_a_request_that_cannot_be_says_why(stack: Stack, body: dict[str, Any], status: int, code: str) -> None:
    await stack.launch()
    answer = await (await manager_of(stack)).post(body=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def test_without_a_token_nothing_is_asked(stack: Stack) -> None:
    assert (await stack.http.post(f"{API}/bulk", json={"dry_run": True, "trust": "R1A", **PAUSE})).status_code == 401


async def test_one_key_asks_once(stack: Stack) -> None:
    engagement = await stack.launch(ods_code=trust())
    asker, key = await manager_of(stack), secrets.token_hex(8)
    body = {"dry_run": True, "engagements": [engagement.id], **PAUSE}
    first, again = [await asker.post(body=body, Idempotency_Key=key) for _ in range(2)]
    assert first.json()["bulk_id"] == again.json()["bulk_id"]
    other = await asker.post(body={**body, "pause": {**PAUSE["pause"], "reason": "Snow"}}, Idempotency_Key=key)
    assert (other.status_code, other.json()["code"]) == (422, "KeyReused")


async def test_an_old_dry_run_is_not_carried_out(stack: Stack) -> None:
    engagement = await stack.launch(ods_code=trust())
    asker = await manager_of(stack)
    dry = await asker.foreseen(engagements=[engagement.id], **PAUSE)
    async with stack.database.writing() as connection:
        long_ago = bulks.update().where(bulks.c.bulk_id == dry["bulk_id"])
        found = await kept.asked(connection, dry["bulk_id"])
        assert found
        await connection.execute(long_ago.values(asked_at=found.asked_at - timedelta(hours=25)))
    answer = await asker.post(body={"run": dry["bulk_id"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "DryRunTooOld")


async def test_it_is_stopped_and_started_again_only_while_it_is_under_way(stack: Stack) -> None:
    engagement = await stack.launch(ods_code=trust())
    asker = await manager_of(stack)
    dry = await asker.foreseen(engagements=[engagement.id], **PAUSE)
    path = f"/{dry['bulk_id']}"
    for what in ("stop", "start"):
        answer = await asker.post(f"{path}/{what}")
        assert (answer.status_code, answer.json()["code"]) == (409, "NotUnderWay")
    async with stack.database.writing() as connection:  # as a stop leaves it, before anybody was asked
        states = [kept.State.FORESEEN], kept.State.RUNNING
        found = await kept.asked(connection, dry["bulk_id"])
        assert found
        assert await kept.move(connection, dry["bulk_id"], *states, found.asked_at)
    assert (await asker.post(f"{path}/stop")).json()["state"] == "stopped"
    assert (await asker.post(body={"run": dry["bulk_id"]})).json()["state"] == "stopped"
    assert await paused(engagement) is None
    assert (await asker.post(f"{path}/start")).json()["state"] == "running"
    assert (await asker.until(dry["bulk_id"], "finished"))["counts"] == {"done": 1}
    assert (await asker.post(f"{path}/stop")).json()["code"] == "NotUnderWay"


async def test_no_name_and_no_address_is_in_what_temporal_keeps(stack: Stack) -> None:
    engagement = await stack.launch(ods_code=trust())
    asker = await manager_of(stack)
    dry = await asker.foreseen(engagements=[engagement.id], **PAUSE)
    await asker.carried_out(dry["bulk_id"])
    for dry_run in (True, False):
        said = await _history(stack.client, bulk_workflow(dry["bulk_id"], dry=dry_run))
        assert dry["bulk_id"] in said
        assert not [row["name"] for row in rows() if row["name"] in said or row["email"] in said]


async def _history(client: Client, workflow_id: str) -> str:
    return (await client.get_workflow_handle(workflow_id).fetch_history()).to_json()


async def test_pages_of_a_long_request_fit_together(stack: Stack) -> None:
    asker = await manager_of(stack)
    ids = [f"no-such-{number}" for number in range(7)]
    dry = await asker.foreseen(engagements=[*ids, ids[0]], **PAUSE)
    seen, cursor = [], None
    while True:
        query = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = (await asker.get(f"/{dry['bulk_id']}", **query)).json()
        seen += [item["engagement_id"] for item in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert seen == ids
