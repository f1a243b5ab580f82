import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from programme.messages import CLOCK, Role, Stage
from programme.people import Appoint, Enrolment, EnrolPeople
from tests.api.recorded import Read, recorded
from tests.core.programme_driver import FACILITATOR, MEDICAL, PM, STEWARD, begun

pytestmark = pytest.mark.asyncio(loop_scope="module")
HIDDEN = "Hidden to protect people's identity"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mandate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Read]:
    async with recorded(begun(Stage.MANDATE), tmp_path_factory.mktemp("mandate")) as read:
        yield read


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def delivering(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Read]:
    programme = begun(Stage.DELIVERY)
    programme.do(EnrolPeople(people=(Enrolment(person="aud", roles=(Role.AUDITOR,)),)), PM)
    async with recorded(programme, tmp_path_factory.mktemp("delivering")) as read:
        yield read


async def test_an_engagement_says_where_it_stands_and_what_is_missing(mandate: Read) -> None:
    shown = (await mandate.get(PM)).json()
    assert shown["progress"] == "Waiting for willingness"
    assert [span["stage"] for span in shown["stages"]] == ["mandate"]
    assert shown["gates"][0]["missing"] == [
        "both sponsors' willingness must be in force",
        "the facilitator must have accepted",
        "the medical approver must have accepted",
        "11 more doctors must have accepted",
        "11 more managers must have accepted",
    ]


async def test_a_cycle_shows_its_stages_with_their_dates_and_what_was_agreed(delivering: Read) -> None:
    shown = (await delivering.get("d0")).json()
    assert shown["progress"] in {"Delivering", "In challenge"}
    ended = [span["stage"] for span in shown["stages"] if span["ended"]]
    assert ended == ["mandate", "diagnosis", "exchange", "sessions", "agreement"]
    assert shown["problem"]
    assert len(shown["priorities"]) >= 3
    assert shown["compact"]["version"] >= 1
    assert shown["your_roles"] == ["doctor"]


async def test_what_happens_next_says_when_and_why(delivering: Read) -> None:
    dues = await delivering.items("d0", "agenda")
    assert dues
    assert [due["at"] for due in dues] == sorted(due["at"] for due in dues)
    assert all(due["what"] and due["why"] for due in dues)


async def test_what_happens_next_never_tells_who_has_not_answered(tmp_path: Path) -> None:
    programme = begun(Stage.DIAGNOSIS)
    async with recorded(programme, tmp_path) as read:
        own = await read.items("d0", "agenda")
        assert any("questionnaire" in due["what"].lower() for due in own if "Reminder" in due["what"])
        for reader in (PM, MEDICAL, FACILITATOR):
            assert not [
                due
                for due in await read.items(reader, "agenda")
                if "Reminder" in due["what"] and "quest" in due["what"]
            ]


async def test_the_inbox_holds_ones_own_tasks_the_earliest_first(delivering: Read) -> None:
    token = await delivering.token("d1")
    page = (await delivering.http.get("/api/v1/tasks", headers={"Authorization": f"Bearer {token}"})).json()
    owed = {task.id for task in delivering.programme.engagement.open_tasks if task.person == "d1"}
    assert {task["task_id"] for task in page["items"]} == owed != set()
    dates = [task["due"] for task in page["items"] if task["due"]]
    assert dates == sorted(dates)
    for task in page["items"]:
        assert task["do"].startswith("/api/v1/engagements/engagement-1/")


async def test_the_programme_manager_sees_what_waits_on_whom_and_others_only_their_own(delivering: Read) -> None:
    everybody = {task["person_id"] for task in await delivering.items(PM, "tasks", limit=3)}
    assert len(everybody) > 1
    assert {task["person_id"] for task in await delivering.items("d1", "tasks")} == {"d1"}


@pytest.mark.parametrize("register", ["actions", "sessions", "differences", "measures", "needs", "check-ins"])
async def test_registers_are_read_in_pages_that_fit_together(delivering: Read, register: str) -> None:
    whole = await delivering.items("d0", register)
    pieces = await delivering.items("d0", register, limit=1)
    assert whole == pieces
    if whole and "id" in whole[0]:
        one = (await delivering.get("d0", f"{register}/{whole[0]['id']}")).json()
        assert one == whole[0]


async def test_an_action_and_its_measure_with_its_chart_are_there_to_read(delivering: Read) -> None:
    (action,) = await delivering.items(STEWARD, "actions")
    assert (action["id"], action["status"], action["cycle"]) == ("A1", "active", 1)
    measures = {measure["id"]: measure for measure in await delivering.items(STEWARD, "measures")}
    measure = measures[action["measures"][0]]
    assert len(measure["charted"]["points"]) == len({reading["period"] for reading in measure["readings"]})
    assert measure["charted"]["summary"]


async def test_reviews_are_open_to_those_whom_the_programme_names(delivering: Read) -> None:
    assert await delivering.items(PM, "reviews") == await delivering.items(MEDICAL, "reviews")
    assert await delivering.items("d5", "reviews") == []


async def test_pairs_are_ones_own_and_lead_nobody_else_to_what_was_written(delivering: Read) -> None:
    mine = await delivering.items("d0", "pairs")
    assert mine
    assert all("d0" in pair["doctors"] for pair in mine)
    looked_after = await delivering.items(PM, "pairs")
    assert len(looked_after) > len(mine)
    assert not [
        writing["words"]["deposit"]
        for pair in looked_after
        for writing in pair["writings"].values()
        if writing["words"]["deposit"]
    ]
    assert await delivering.items(MEDICAL, "pairs") == []


async def test_history_is_filtered_and_paged_and_hides_who_answered(delivering: Read) -> None:
    entries = await delivering.items(PM, "history", limit=100)
    assert [entry["sequence"] for entry in entries] == list(range(1, len(entries) + 1))
    assert len(entries) == len(delivering.programme.entries)
    completed = [entry for entry in entries if entry["kind"] == "QuestionnaireCompleted"]
    assert {entry["actor"] for entry in completed} == {HIDDEN}
    assert {entry["body"]["person"] for entry in completed} == {HIDDEN}
    assert completed == await delivering.items(PM, "history", kind="QuestionnaireCompleted", limit=5)
    mine = await delivering.items(PM, "history", actor="d0", limit=2)
    assert mine
    assert "QuestionnaireCompleted" not in {entry["kind"] for entry in mine}
    assert {entry["actor"] for entry in mine} == {"d0"}


async def test_no_digest_lets_anybody_try_names_in_the_place_of_a_hidden_one(delivering: Read) -> None:
    said = (await delivering.get(PM, "history", limit=200)).text
    assert not [entry.digest for entry in delivering.programme.entries if entry.digest in said]


async def test_history_can_be_read_from_a_day_to_a_day(delivering: Read) -> None:
    days = [entry.at for entry in delivering.programme.entries if entry.actor != CLOCK]
    begin, end = days[len(days) // 2], days[-20]
    found = await delivering.items(PM, "history", **{"from": begin.isoformat(), "to": end.isoformat()})
    expected = [entry.sequence for entry in delivering.programme.entries if begin <= entry.at <= end]
    assert set(expected) <= {entry["sequence"] for entry in found}
    assert await delivering.items(PM, "history", **{"from": "2039-01-01T00:00:00Z"}) == []


async def test_an_engagement_can_be_read_as_it_was(delivering: Read) -> None:
    moment = next(entry.at for entry in delivering.programme.entries if entry.event.kind == "WindowOpened")
    then = await delivering.get(PM, as_of=moment.isoformat())
    assert then.json()["progress"] == "Diagnosis open"
    assert (await delivering.get(PM, as_of="2020-01-01T00:00:00Z")).status_code == 404
    assert (await delivering.get("d0", as_of=moment.isoformat())).status_code == 403


@pytest.mark.parametrize(
    ("reader", "what", "status"),
    [
        ("d0", "history", 403),
        (MEDICAL, "history", 200),
        ("aud", "history", 200),
        ("aud", "measures", 200),
        ("aud", "actions", 403),
        ("aud", "sessions", 403),
        (PM, "comments", 403),
        (MEDICAL, "comments", 403),
        (FACILITATOR, "comments", 404),  # the themes are written: the comments are gone for good
        ("d0", "people", 200),
        ("stranger", "", 404),
        ("stranger", "history", 404),
        ("stranger", "actions/A1", 404),
        ("d0", "actions/A99", 404),
        ("d0", "packs/9/diagnosis", 404),
        ("d0", "packs/1/secret", 422),
    ],
)
async def test_each_part_opens_its_own_views(delivering: Read, reader: str, what: str, status: int) -> None:
    answer = await delivering.get(reader, what)
    assert answer.status_code == status, answer.text
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"


async def test_an_auditor_of_all_reads_every_engagement_and_no_action(delivering: Read) -> None:
    history = await delivering.get("outside", "history", role="auditor", limit=1)
    assert history.status_code == 200
    assert (await delivering.get("outside", "actions", role="auditor")).status_code == 403
    token = await delivering.token("outside", "auditor")
    listed = await delivering.http.get("/api/v1/engagements", headers={"Authorization": f"Bearer {token}"})
    assert [row["engagement_id"] for row in listed.json()["items"]] == ["engagement-1"]


async def test_who_was_offered_a_part_is_told_to_the_programme_manager_alone(tmp_path: Path) -> None:
    programme = begun(Stage.MANDATE)
    programme.do(Appoint(person="d0", role=Role.MEASURE_STEWARD), PM)
    async with recorded(programme, tmp_path) as read:
        for person in ("d1", PM, MEDICAL):
            await read.token(person)
        seen = {one["person_id"]: one for one in (await read.get(PM, "people")).json()}
        assert seen["d1"]["offered"] == ["doctor"]
        told = {one["person_id"]: one for one in (await read.get(MEDICAL, "people")).json()}
        assert "d1" not in told
        assert all(one["offered"] == [] for one in told.values())


CURSORS = (
    *("x", "W10", "bnVsbA", "WzFd", "WyJhIl0", "W251bGxd", "WzFlNDAwXQ", "W3sgfV0", "WyJcdTAwMDAiXQ", "é", "W" * 900),
    *(base64.urlsafe_b64encode(text).decode() for text in (b"[99999999999999999999]", b"[-1]", b"[true]", b"[" * 300)),
)


@pytest.mark.parametrize("what", ["agenda", "actions", "history", "tasks", "words", ""])
async def test_a_cursor_of_another_list_is_refused_and_breaks_nothing(delivering: Read, what: str) -> None:
    path = f"/api/v1/engagements/engagement-1/{what}" if what else "/api/v1/engagements"
    headers = {"Authorization": f"Bearer {await delivering.token(PM)}"}
    answers = [await delivering.http.get(path, params={"cursor": one}, headers=headers) for one in CURSORS]
    assert {answer.status_code for answer in answers} <= {200, 422}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 422} <= {"BadCursor", "Unreadable"}
