import asyncio
from typing import Any

import httpx
import pytest

from tests.stack import MANAGER, Stack, app_of, bearer, http_of, launch_body, rows, token_of, workerless

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def send(stack: Stack, body: dict[str, Any], **headers: str) -> httpx.Response:
    return await stack.http.post("/api/v1/engagements", json=body, headers=bearer(await stack.manager(), **headers))


async def test_a_launch_is_recorded_before_it_is_answered(stack: Stack) -> None:
    answer = await send(stack, launch_body())
    assert answer.status_code == 201, answer.text
    assert [event["kind"] for event in answer.json()["events"]][:3] == [
        "EngagementRegistered",
        "StageStarted",
        "PeopleEnrolled",
    ]
    found = await stack.http.get(answer.headers["location"], headers=bearer(await stack.manager()))
    assert found.status_code == 200
    assert answer.headers["etag"] == f'"{answer.json()["sequence"]}"'
    assert found.json()["sequence"] >= answer.json()["sequence"]  # in sending hours the first messages leave at once
    assert found.headers["etag"] == f'"{found.json()["sequence"]}"'
    assert found.json()["progress"] == "Waiting for willingness"
    assert found.json()["your_roles"] == ["programme_manager"]


async def test_a_form_with_a_csv_file_launches_the_same(stack: Stack) -> None:
    columns = ("name", "email", "side", "roles", "gmc_registered")
    lines = [",".join(columns), *(",".join(row.get(column, "") for column in columns) for row in rows())]
    engagement = httpx.Response(200, json=launch_body()).json()
    del engagement["people"]
    answer = await stack.http.post(
        "/api/v1/engagements",
        files={
            "engagement": ("engagement.json", httpx.Request("POST", "http://x", json=engagement).content),
            "roster": ("roster.csv", "\r\n".join(lines).encode()),
        },
        headers=bearer(await stack.manager()),
    )
    assert answer.status_code == 201, answer.text


async def test_every_faulty_row_is_named_and_nothing_is_loaded(stack: Stack) -> None:
    people = [*rows(), {"name": "", "email": "nobody", "side": "nurse"}]
    body = launch_body(people=people)
    answer = await send(stack, body)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "FaultyRoster"
    assert {fault["line"] for fault in problem["faults"]} == {len(people)}
    assert len(problem["faults"]) >= 3
    assert (await send(stack, body | {"people": rows()})).status_code == 201


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ods_code": "LEEDS"}, "InvalidOdsCode"),
        ({"k": 7}, "ThresholdOutOfRange"),
        ({"k": 31}, "ThresholdOutOfRange"),
        ({"template": "no-such"}, "NoSuchTemplate"),
        ({"template": "../../etc/passwd"}, "NoSuchTemplate"),
        ({"scope": "  "}, "Invalid"),
        ({"division": "france"}, "Unreadable"),
        ({"unheard_of": 1}, "Unreadable"),
        ({"scope": "x" * 301}, "Unreadable"),
    ],
)
async def test_a_launch_that_cannot_stand_is_refused_before_anything_is_kept(
    stack: Stack, change: dict[str, Any], code: str
) -> None:
    answer = await send(stack, launch_body(**change))
    assert answer.status_code == 422
    assert answer.json()["code"] == code


async def test_the_same_trust_and_scope_is_open_once_and_named_only_to_its_own_people(stack: Stack) -> None:
    launched = await stack.launch()
    scope = (await launched.get("pm")).json()["scope"]
    again = await send(stack, launch_body(scope=f"  {scope.upper()} ", ods_code="r1a"))
    assert again.status_code == 409
    assert again.json()["code"] == "AlreadyOpen"
    assert again.json()["engagement_id"] == launched.id
    _, stranger = await token_of(stack.database, "Sam", "sam@other.nhs.uk", "programme_manager")
    unseen = await stack.http.post("/api/v1/engagements", json=launch_body(scope=scope), headers=bearer(stranger))
    assert unseen.status_code == 409
    assert launched.id not in unseen.text


@pytest.mark.parametrize("role", ["participant", "auditor"])
async def test_only_a_programme_managers_token_launches(stack: Stack, role: Any) -> None:
    _, token = await token_of(stack.database, *MANAGER, role)
    answer = await stack.http.post("/api/v1/engagements", json=launch_body(), headers=bearer(token))
    assert answer.status_code == 403
    assert answer.json()["code"] == "NotForYou"


async def test_the_same_key_and_request_launch_once_also_when_sent_at_once(stack: Stack) -> None:
    body = launch_body()
    key = f"once-{body['scope'][-8:]}"
    answers = await asyncio.gather(*(send(stack, body, Idempotency_Key=key) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len({answer.headers["location"] for answer in answers}) == 1


async def test_the_same_key_with_another_request_is_refused(stack: Stack) -> None:
    body = launch_body()
    key = f"key-{body['scope'][-8:]}"
    assert (await send(stack, body, Idempotency_Key=key)).status_code == 201
    other = await send(stack, body | {"local_problem": "Another"}, Idempotency_Key=key)
    assert other.status_code == 422
    assert other.json()["code"] == "KeyReused"


async def test_a_launch_that_broke_off_is_completed_by_the_same_key_and_by_nothing_else(stack: Stack) -> None:
    body = launch_body()
    manager = await stack.manager()
    key = f"broken-{body['scope'][-8:]}"
    nowhere = await workerless(stack)
    hasty = stack.settings.model_copy(update={"answer_within_seconds": 0.5})
    async with http_of(app_of(stack.database, nowhere, hasty)) as dying:
        broken = await dying.post("/api/v1/engagements", json=body, headers=bearer(manager, Idempotency_Key=key))
    assert broken.status_code == 202
    assert broken.json()["idempotency_key"] == key
    elsewhere = await send(stack, body, Idempotency_Key=f"other-{key}")
    assert elsewhere.status_code == 409
    completed = await send(stack, body, Idempotency_Key=key)
    assert completed.status_code == 201, completed.text
    assert completed.json()["engagement_id"] == broken.json()["engagement_id"]
