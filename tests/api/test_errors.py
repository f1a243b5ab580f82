from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, Field
from sqlalchemy.exc import OperationalError

from api.errors import STATUS, all_refusals, handle_errors, status_of
from programme.refusals import (
    EngagementPaused,
    MovedOn,
    NotAllowed,
    Refusal,
    RoleRequired,
    ThresholdOutOfRange,
    UnknownPerson,
)

SECRET = "what I never told anybody"


class Comment(BaseModel):
    text: str = Field(max_length=3)
    sure: bool = False


def application() -> FastAPI:
    app = FastAPI()
    handle_errors(app)

    @app.post("/comments")
    async def comment(comment: Comment) -> None:
        raise RuntimeError(f"cannot store {comment.text} {SECRET}")

    @app.get("/refused")
    async def refused() -> None:
        raise RoleRequired("a facilitator")

    @app.get("/away")
    async def away() -> None:
        raise OperationalError(f"SELECT '{SECRET}'", {}, Exception(SECRET))

    return app


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def test_a_refusal_is_a_problem_with_type_title_status_detail_and_code(http: httpx.AsyncClient) -> None:
    answer = await http.get("/refused")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "/problems/RoleRequired",
        "title": "The person holds none of the roles that may do this.",
        "status": 403,
        "detail": "Only a facilitator may do this. Ask the programme manager who holds that part.",
        "code": "RoleRequired",
    }


async def test_a_fault_of_ours_says_nothing_about_its_cause(http: httpx.AsyncClient) -> None:
    answer = await http.post("/comments", json={"text": "abc"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert SECRET not in answer.text
    assert "abc" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        {"text": SECRET},
        {"text": "abc", "sure": SECRET},
        {"text": [SECRET]},
        {SECRET: 1},
        [SECRET],
    ],
)
async def test_what_does_not_fit_the_schema_is_named_and_never_repeated(
    http: httpx.AsyncClient, body: dict[str, object]
) -> None:
    answer = await http.post("/comments", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert SECRET not in answer.text
    assert answer.json()["errors"][0]["where"].startswith("body")


async def test_broken_json_is_not_repeated_either(http: httpx.AsyncClient) -> None:
    answer = await http.post("/comments", content=f'{{"text": {SECRET}', headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert SECRET not in answer.text


async def test_a_database_that_is_away_is_said_so_with_the_time_to_ask_again(http: httpx.AsyncClient) -> None:
    answer = await http.get("/away")
    assert answer.status_code == 503
    assert answer.json()["code"] == "DatabaseAway"
    assert int(answer.headers["retry-after"]) > 0
    assert SECRET not in answer.text


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("DELETE", "/comments", 405)])
async def test_what_the_framework_refuses_is_a_problem_too(
    http: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await http.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


@pytest.mark.parametrize(
    ("refusal", "status"),
    [(RoleRequired, 403), (UnknownPerson, 404), (ThresholdOutOfRange, 422), (EngagementPaused, 409), (MovedOn, 412)],
)
def test_each_family_has_its_status_and_a_lost_race_its_own(refusal: type[Refusal], status: int) -> None:
    assert status_of(refusal) == status


def test_every_refusal_of_the_core_has_a_status_and_a_title() -> None:
    found = all_refusals()
    assert "MovedOn" in found
    assert NotAllowed in STATUS
    assert all(400 <= status_of(kind) < 500 and kind.__doc__ for kind in found.values())
