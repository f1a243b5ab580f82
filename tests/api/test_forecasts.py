"""The forecast over HTTP: who reads it, whose load they see, and what is asked back about a move that cannot be."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from programme.messages import Role, Stage
from programme.people import Enrolment, EnrolPeople
from tests.api.recorded import Read, recorded
from tests.core.programme_driver import FACILITATOR, MEDICAL, PM, begun

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def exchanging(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Read]:
    programme = begun(Stage.EXCHANGE)
    programme.do(EnrolPeople(people=(Enrolment(person="aud", roles=(Role.AUDITOR,)),)), PM)
    async with recorded(programme, tmp_path_factory.mktemp("exchanging")) as read:
        yield read


async def test_a_forecast_stands_beside_what_was_and_says_how_the_cycle_ends(exchanging: Read) -> None:
    told = (await exchanging.get(PM, "forecast")).raise_for_status().json()
    by_stage = {one["stage"]: one for one in told["baseline"]["stages"]}
    assert by_stage["diagnosis"]["actual"] == by_stage["diagnosis"]["worst"]
    assert by_stage["exchange"]["actual"]["ends"] is None
    assert by_stage["exchange"]["pace"]["ends"] <= by_stage["exchange"]["worst"]["ends"]
    assert {one["how"] for one in told["baseline"]["courses"].values()} == {"renew", "sustain"}
    assert told["moved"] is None


async def test_moves_are_told_beside_the_baseline_with_what_they_change(exchanging: Read) -> None:
    query: dict[str, Any] = {"move": ["session-b=+10"], "absent": [f"{FACILITATOR}=2026-01-05..2026-02-27"]}
    told = (await exchanging.get(PM, "forecast", **query)).raise_for_status().json()
    assert told["moved"]["stages"] != told["baseline"]["stages"]
    joint = next(one for one in told["changes"] if one["stage"] == "sessions")
    assert joint["pace"] >= 10
    assert told["changes"][-1]["title"] == "The cycle"


async def test_the_same_question_about_the_same_version_has_the_same_answer(exchanging: Read) -> None:
    asked = [(await exchanging.get(PM, "forecast", move="session-c=+3", seed=4)).json() for _ in range(2)]
    assert asked[0] == asked[1]


async def test_everybodys_load_is_told_to_the_programme_manager_and_to_others_their_own(exchanging: Read) -> None:
    everybody = (await exchanging.get(PM, "forecast", hours=2)).json()["baseline"]
    assert len(everybody["load"]) > 20
    assert everybody["too_much"]
    for reader in (MEDICAL, FACILITATOR, "aud"):
        told = (await exchanging.get(reader, "forecast", hours=2)).raise_for_status().json()["baseline"]
        assert {one["person"] for one in (*told["load"], *told["too_much"])} <= {reader}
        assert told["too_much_in_all"] == len(everybody["too_much"])


async def test_participants_and_strangers_read_no_forecast(exchanging: Read) -> None:
    assert (await exchanging.get("d1", "forecast")).status_code == 403
    assert (await exchanging.get("stranger", "forecast")).status_code == 404


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"move": "session-b"}, "session-b=+10"),
        ({"move": "session-q=+2"}, "session-a"),
        ({"absent": "nobody=2026-03-02..2026-03-03"}, "Nobody of that id"),
        ({"pause": "2027-01-04"}, "as 2027-12-20..2028-01-04"),
        ({"add_holiday": "Easter"}, "2027-03-01"),
    ],
)
async def test_a_move_that_cannot_be_is_answered_by_how_to_ask(
    exchanging: Read, query: dict[str, Any], said: str
) -> None:
    answer = await exchanging.get(PM, "forecast", **query)
    assert (answer.status_code, answer.json()["code"]) == (422, "Invalid")
    assert said in answer.json()["detail"]


async def test_hours_out_of_bounds_do_not_fit_the_schema(exchanging: Read) -> None:
    assert (await exchanging.get(PM, "forecast", hours=0)).json()["code"] == "Unreadable"


async def test_every_stage_stands_planned_beside_actual_beside_what_was_expected_when(exchanging: Read) -> None:
    shown = (await exchanging.get("d1", "stages")).raise_for_status().json()
    by_stage = {one["stage"]: one for one in shown}
    assert [one["stage"] for one in shown][:3] == ["mandate", "diagnosis", "exchange"]
    diagnosis = by_stage["diagnosis"]
    assert diagnosis["planned"]["starts"] == diagnosis["actual"][0]["starts"]
    assert diagnosis["planned"] == {name: diagnosis["expected"][0][name] for name in ("starts", "ends")}
    assert diagnosis["expected"][-1]["ends"] == diagnosis["actual"][0]["ends"]
    assert by_stage["renewal"]["actual"] == []
    assert by_stage["renewal"]["planned"]["ends"]
    told = (await exchanging.get(PM, "forecast")).json()["baseline"]["stages"]
    assert {one["stage"]: one["planned"] for one in told if one["planned"]["starts"]} == {
        name: one["planned"] for name, one in by_stage.items() if one["planned"]["starts"]
    }
