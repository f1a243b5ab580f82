import re
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from temporalio.client import Client

from api.app import HEADERS
from api.commands import EVERY_COMMAND, kebab
from api.errors import status_of
from programme.engagement import commands
from programme.messages import Command, Role
from programme.post import Item, MessageIssued
from runtime.settings import Settings
from store.database import Database, migrate
from tests.stack import Stack, app_of, bearer, http_of, token_of
from web.presenters import Programme, letter

pytestmark = pytest.mark.asyncio(loop_scope="module")
COMMANDS = list(commands())
SERVED = "/api/v1/engagements/{engagement_id}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FastAPI]:
    """An API without Temporal."""
    folder = tmp_path_factory.mktemp("app")
    settings = Settings(data_dir=folder, largest_request=10_000, public_base_url="https://olive.example.nhs.uk")
    migrate(settings.database_url.get_secret_value())
    database = Database(settings.database_url.get_secret_value())
    yield app_of(database, await Client.connect("127.0.0.1:9", lazy=True), settings)
    await database.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with http_of(app) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def token(app: FastAPI) -> str:
    return (await token_of(app.state.front_door.database, "Pat", "pat@example.nhs.uk", "programme_manager"))[1]


# --- what OpenAPI says ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
async def test_openapi_says_of_each_command_who_may_ask_and_how_it_may_be_refused(
    app: FastAPI, command: type[Command]
) -> None:
    operation = app.openapi()["paths"][f"{SERVED}/{kebab(command.__name__)}"]["post"]
    assert operation["operationId"] == command.__name__
    assert operation["x-who"] == sorted(command.who)
    assert str(command.__doc__).splitlines()[0] in operation["description"]
    assert command.who == frozenset(Role) or next(iter(command.who)).value.replace("_", " ") in operation["description"]
    for refusal in (*EVERY_COMMAND, *command.refusals):
        answer = operation["responses"][str(status_of(refusal))]
        assert refusal.__name__ in answer["content"]["application/problem+json"]["examples"]
    assert operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].startswith("#/components/")


async def test_no_command_of_the_system_can_be_asked_over_http(app: FastAPI) -> None:
    paths = {path.removeprefix(f"{SERVED}/") for path, methods in app.openapi()["paths"].items() if "post" in methods}
    of_no_engagement = {path for path in paths if path.startswith("/")}
    assert {kebab(command.__name__) for command in COMMANDS} == paths - of_no_engagement
    assert of_no_engagement == {
        "/api/v1/bulk",
        "/api/v1/bulk/{bulk_id}/start",
        "/api/v1/bulk/{bulk_id}/stop",
        "/api/v1/engagements",
        "/api/v1/holidays",
        "/api/v1/holidays/{announcement_id}/withdraw",
    }
    assert not paths & {"time-reached", "record-pack", "report-undeliverable", "change-calendar", "register-engagement"}


async def test_every_reference_of_the_schema_leads_somewhere(app: FastAPI) -> None:
    schema = app.openapi()

    def references(part: Any) -> list[str]:
        if isinstance(part, dict):
            own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
            return own + [found for value in part.values() for found in references(value)]
        return [found for value in part for found in references(value)] if isinstance(part, list) else []

    known = {f"#/components/schemas/{name}" for name in schema["components"]["schemas"]}
    assert set(references(schema)) <= known


async def test_the_reference_page_lists_every_path_and_fetches_nothing(http: httpx.AsyncClient, app: FastAPI) -> None:
    page = await http.get("/docs")
    assert page.status_code == 200
    assert all(path in page.text for path in app.openapi()["paths"])
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_the_type_of_a_problem_leads_to_its_explanation(http: httpx.AsyncClient) -> None:
    problem = (await http.get("/api/v1/tasks")).json()
    explained = (await http.get(problem["type"])).json()
    assert (explained["code"], explained["status"]) == ("NotSignedIn", 401)
    assert (await http.get("/problems/NoSuchThing")).status_code == 404


@pytest.mark.parametrize("item", [Item(title="Do it", task="1/x/p1", rung="due"), Item(title="News", notice=7)])
async def test_whoever_follows_the_link_of_an_e_mail_is_told_what_to_do(http: httpx.AsyncClient, item: Item) -> None:
    message = MessageIssued(people=("p1",), items=(item,), on=date(2026, 3, 4))
    programme = Programme("0199-no-such-engagement", "Emergency department", frozenset(), str(http.base_url))
    link = letter(message, programme, name="Priya Nair", today=message.on).link
    page = await http.get(link)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.text == (await http.get("/")).text  # the same for everybody: it tells nothing of any engagement
    assert (await http.get(re.findall(r'href="([^"]+)"', page.text)[0])).status_code == 200
    assert "<script" not in page.text


# --- what every answer carries -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/tasks", "/nowhere", "/openapi.json"])
async def test_every_answer_carries_the_security_headers(http: httpx.AsyncClient, path: str) -> None:
    headers = (await http.get(path)).headers
    assert {name: headers[name] for name in HEADERS} == HEADERS
    assert headers["strict-transport-security"].startswith("max-age=")
    assert "server" not in headers


async def test_a_body_that_is_too_large_is_refused_however_it_is_sent(http: httpx.AsyncClient, token: str) -> None:
    large = b'{"people": "' + b"x" * 20_000 + b'"}'

    async def chunks() -> AsyncIterator[bytes]:
        for begin in range(0, len(large), 1000):
            yield large[begin : begin + 1000]

    for content in (large, chunks()):
        headers = bearer(token) | {"content-type": "application/json"}
        answer = await http.post("/api/v1/engagements", content=content, headers=headers)
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "body", [b"[" * 9000, b'{"k": ' + b"9" * 9000 + b"}", b'{"scope": "\\ud800"}', b"\xff\xfe", b"null"]
)
async def test_json_that_is_made_to_hurt_is_refused(http: httpx.AsyncClient, token: str, body: bytes) -> None:
    for path in ("/api/v1/engagements", "/api/v1/engagements/x/appoint"):
        answer = await http.post(path, content=body, headers=bearer(token) | {"content-type": "application/json"})
        assert 400 <= answer.status_code < 500, answer.text


# --- health --------------------------------------------------------------------------------------------------------


async def test_a_process_without_temporal_lives_and_is_not_ready(http: httpx.AsyncClient) -> None:
    assert (await http.get("/healthz")).status_code == 200
    ready = await http.get("/readyz")
    assert ready.status_code == 503
    assert ready.json() == {"ready": False, "database": True, "temporal": False, "workers": False}


async def test_a_database_that_was_not_migrated_is_not_ready(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    database = Database(settings.database_url.get_secret_value())
    async with http_of(app_of(database, await Client.connect("127.0.0.1:9", lazy=True), settings)) as http:
        assert (await http.get("/readyz")).json()["database"] is False
    await database.close()


@pytest.mark.asyncio(loop_scope="session")
async def test_with_everything_there_it_is_ready(stack: Stack) -> None:
    ready = await stack.http.get("/readyz")
    assert (ready.status_code, ready.json()["workers"]) == (200, True)
