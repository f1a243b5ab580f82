"""Templates over HTTP: what there is, what two of them mean for people, and what sponsors see before they decide."""

from pathlib import Path

import pytest

from programme.messages import CLOCK, Stage
from programme.stages.renewal import OfferTemplate
from runtime.templates import Templates
from tests.api.recorded import recorded
from tests.core.programme_driver import FACILITATOR, MEDICAL, PM, begun
from tests.stack import bearer

SIX = Templates().named("six-months")
API = "/api/v1"


async def test_a_programme_manager_reads_and_compares_the_templates_before_choosing_one(tmp_path: Path) -> None:
    async with recorded(begun(Stage.MANDATE), tmp_path) as read:
        headers = bearer(await read.token(PM))
        listed = (await read.http.get(f"{API}/templates", headers=headers)).json()
        assert [(one["name"], one["months"], one["reviews"]) for one in listed] == [
            ("six-months", 6, 2),
            ("twelve-months", 11, 3),
        ]
        one = (await read.http.get(f"{API}/templates/six-months", headers=headers)).json()
        assert one["durations"]["questionnaire"] == 10
        assert one["ladders"]["questionnaire"]["rungs"] == ["opened+3", "opened+6", "opened+9"]
        query = {"a": "twelve-months", "b": "six-months"}
        found = (await read.http.get(f"{API}/templates/compare", params=query, headers=headers)).json()
        assert found["a"] == "twelve-months 1"
        assert "Less time for the questionnaire: 10 instead of 15 working days." in found["for_participants"]
        for path in ("templates/no-such", "templates/compare?a=six-months&b=../secret"):
            refused = await read.http.get(f"{API}/{path}", headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (422, "NoSuchTemplate")
        assert (await read.http.get(f"{API}/templates")).status_code == 401


async def test_what_differs_in_an_offered_template_is_there_before_the_sponsors_decide(tmp_path: Path) -> None:
    programme = begun(Stage.DELIVERY)
    programme.do(OfferTemplate(template=SIX), CLOCK)
    async with recorded(programme, tmp_path) as read:
        shown = (await read.get(MEDICAL, "renewal")).json()
        assert (shown["asked"], shown["offered"]["name"], shown["offered"]["version"]) == (None, "six-months", "1")
        differs = shown["offered"]["differences"]
        assert differs["b"] == "six-months 1"
        assert any("month 6 instead of 11" in sentence for sentence in differs["for_participants"])
        assert (await read.get(FACILITATOR, "renewal")).json() == shown
        refused = await read.get("d0", "renewal")
        assert (refused.status_code, refused.json()["code"]) == (403, "NotForYou")


async def test_before_anything_is_offered_the_renewal_says_so(tmp_path: Path) -> None:
    async with recorded(begun(Stage.MANDATE), tmp_path) as read:
        assert (await read.get(PM, "renewal")).json() == {
            "asked": None,
            "round": 0,
            "decided": [],
            "offered": None,
            "outcome": None,
        }


@pytest.mark.parametrize("name", ["", "no-such"])
async def test_only_a_template_that_exists_can_be_offered(tmp_path: Path, name: str) -> None:
    async with recorded(begun(Stage.DELIVERY), tmp_path) as read:
        path = f"{API}/engagements/{read.programme.engagement.id}/suggest-template"
        refused = await read.http.post(path, json={"template": name}, headers=bearer(await read.token(PM)))
        assert (refused.status_code, refused.json()["code"]) == (422, "NoSuchTemplate")
