import asyncio
import sqlite3
import time
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.stack import Launched, Stack, app_of, bearer, http_of, token_of, workerless

pytestmark = pytest.mark.asyncio(loop_scope="session")
TAKING_PART = {"side": "doctor", "privacy_notice": "1"}


@pytest_asyncio.fixture(loop_scope="session")
async def engagement(stack: Stack) -> Launched:
    return await stack.launch()


async def kinds(engagement: Launched) -> list[str]:
    found = await engagement.get("pm", "history", limit=200)
    return [entry["kind"] for entry in found.json()["items"]]


async def test_what_is_accepted_can_be_read_at_once(engagement: Launched) -> None:
    answer = await engagement.post("doctor0", "accept-enrolment", TAKING_PART)
    assert answer.status_code == 200
    assert [event["kind"] for event in answer.json()["events"]] == ["EnrolmentAccepted"]
    found = await engagement.get("doctor0")
    assert found.headers["etag"] == answer.headers["etag"]
    assert found.json()["sides"]["doctor"]["taking_part"] == 1


async def test_a_person_may_do_only_what_the_own_part_allows(engagement: Launched) -> None:
    answer = await engagement.post("doctor0", "pause-engagement", {"reason": "x", "resumes": "2030-01-01"})
    assert answer.status_code == 403
    assert answer.json()["code"] == "RoleRequired"
    assert answer.headers["content-type"] == "application/problem+json"


async def test_somebody_elses_engagement_does_not_exist(stack: Stack, engagement: Launched) -> None:
    _, stranger = await token_of(stack.database, "Sam", "sam@other.nhs.uk", "programme_manager")
    headers = bearer(stranger)
    answers = [
        await stack.http.get(engagement.path, headers=headers),
        await stack.http.get(f"{engagement.path}/history", headers=headers),
        await stack.http.post(f"{engagement.path}/resume-engagement", json={}, headers=headers),
        await stack.http.get("/api/v1/engagements/00000000-0000-0000-0000-000000000000", headers=headers),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    listed = await stack.http.get("/api/v1/engagements", headers=headers)
    assert listed.json()["items"] == []


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer nonsense", "Basic b2xpdmU6b2xpdmU=", "Bearer é"])
async def test_without_a_valid_token_nothing_is_said(stack: Stack, engagement: Launched, header: str | None) -> None:
    headers = httpx.Headers({"Authorization": header} if header else {}, encoding="latin-1")
    answer = await stack.http.get(engagement.path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_whoever_has_not_seen_the_last_change_is_told_so(engagement: Launched) -> None:
    seen = (await engagement.get("doctor0")).headers["etag"]
    first = await engagement.post("doctor0", "accept-enrolment", TAKING_PART, If_Match=seen)
    assert first.status_code == 200
    late = await engagement.post("doctor1", "accept-enrolment", TAKING_PART, If_Match=seen)
    assert late.status_code == 412
    assert late.json()["code"] == "MovedOn"
    now = await engagement.post("doctor1", "accept-enrolment", TAKING_PART, If_Match=first.headers["etag"])
    assert now.status_code == 200


@pytest.mark.parametrize("version", ['"x"', 'W/"1"', "1", '"1", "2"', '"99999999999999999999"'])
async def test_a_version_that_never_was_matches_nothing(engagement: Launched, version: str) -> None:
    answer = await engagement.post("doctor0", "accept-enrolment", TAKING_PART, If_Match=version)
    assert answer.status_code == 412


async def test_the_same_command_twenty_times_at_once_has_one_effect(engagement: Launched) -> None:
    answers = await asyncio.gather(
        *(engagement.post("doctor0", "accept-enrolment", TAKING_PART, Idempotency_Key="yes") for _ in range(20))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({str(answer.json()["events"]) for answer in answers}) == 1
    assert (await kinds(engagement)).count("EnrolmentAccepted") == 1


async def test_twenty_people_at_once_are_all_recorded_once(engagement: Launched) -> None:
    answers = await asyncio.gather(
        *(engagement.post(f"doctor{n}", "accept-enrolment", TAKING_PART) for n in range(12)),
        *(
            engagement.post(f"manager{n}", "accept-enrolment", {"side": "manager", "privacy_notice": "1"})
            for n in range(12)
        ),
    )
    assert {answer.status_code for answer in answers} == {200}
    sequences = [event["sequence"] for answer in answers for event in answer.json()["events"]]
    assert len(sequences) == len(set(sequences)) == 24
    assert (await kinds(engagement)).count("EnrolmentAccepted") == 24


async def test_the_same_key_and_request_have_the_same_answer_from_every_process(
    stack: Stack, engagement: Launched
) -> None:
    first = await engagement.post("doctor0", "accept-enrolment", TAKING_PART, Idempotency_Key="k")
    async with http_of(app_of(stack.database, stack.client, stack.settings)) as other:
        headers = bearer(engagement.tokens["doctor0"], Idempotency_Key="k")
        path = f"{engagement.path}/accept-enrolment"
        again = await other.post(path, json=TAKING_PART, headers=headers)
        changed = await other.post(path, json=TAKING_PART | {"privacy_notice": "2"}, headers=headers)
        elsewhere = await other.post(f"{engagement.path}/decline-enrolment", json={}, headers=headers)
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["etag"] == first.headers["etag"]
    assert [answer.status_code for answer in (changed, elsewhere)] == [422, 422]
    assert {answer.json()["code"] for answer in (changed, elsewhere)} == {"KeyReused"}


async def test_a_key_that_was_used_for_two_requests_at_once_keeps_the_answer_of_one(stack: Stack) -> None:
    both = [await stack.launch(), await stack.launch()]
    answers = await asyncio.gather(
        *(one.post("doctor0", "accept-enrolment", TAKING_PART, Idempotency_Key="two") for one in both)
    )
    again = [await one.post("doctor0", "accept-enrolment", TAKING_PART, Idempotency_Key="two") for one in both]
    assert sorted(answer.status_code for answer in again) == [200, 422]
    for first, second in zip(answers, again, strict=True):
        if second.status_code == 200:
            assert second.json() == first.json()


async def test_a_refusal_is_repeated_under_its_key_and_counted_once(engagement: Launched) -> None:
    wrong = {"side": "manager", "privacy_notice": "1"}
    first = await engagement.post("doctor0", "accept-enrolment", wrong, Idempotency_Key="no")
    again = await engagement.post("doctor0", "accept-enrolment", wrong, Idempotency_Key="no")
    assert first.status_code == again.status_code == 403
    assert first.json() == again.json()
    assert first.json()["code"] == "WrongSide"


async def test_the_same_key_of_somebody_else_is_another_key(engagement: Launched) -> None:
    first = await engagement.post("doctor0", "accept-enrolment", TAKING_PART, Idempotency_Key="mine")
    second = await engagement.post("doctor1", "accept-enrolment", TAKING_PART, Idempotency_Key="mine")
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json()["events"] != second.json()["events"]


async def test_candid_words_stay_out_of_the_history_and_reach_whom_they_are_for(engagement: Launched) -> None:
    secret = "I once slept in the linen cupboard"
    answer = await engagement.post(
        "fay", "accept-appointment", {"role": "facilitator", "interests": secret}, Idempotency_Key="declared"
    )
    assert answer.status_code == 200
    assert secret not in (await engagement.get("pm", "history", limit=200)).text
    to_manager = (await engagement.get("pm", "words")).json()["items"]
    assert [words["text"] for words in to_manager] == [secret]
    one = await engagement.get("pm", f"words/{to_manager[0]['deposit_id']}")
    assert one.json()["text"] == secret
    await engagement.post("doctor0", "accept-enrolment", TAKING_PART)
    assert (await engagement.get("doctor0", "words")).json()["items"] == []
    assert (await engagement.get("doctor0", f"words/{to_manager[0]['deposit_id']}")).status_code == 404


async def test_candid_words_sent_again_under_their_key_are_deposited_once(engagement: Launched) -> None:
    body = {"role": "facilitator", "interests": "none to speak of"}
    for _ in range(2):
        answer = await engagement.post("fay", "accept-appointment", body, Idempotency_Key="twice")
        assert answer.status_code == 200
    assert len((await engagement.get("pm", "words")).json()["items"]) == 1


async def test_further_people_are_enrolled_by_name_and_faulty_rows_are_named(
    stack: Stack, engagement: Launched
) -> None:
    row = {
        "name": "Nia New",
        "email": "nia@example.nhs.uk",
        "side": "doctor",
        "line_manager": "manager0@example.nhs.uk",
    }
    faulty = await engagement.post("pm", "enrol-people", {"people": [row, row | {"side": "nurse"}]})
    assert faulty.status_code == 422
    assert {fault["line"] for fault in faulty.json()["faults"]} == {2}
    refused = await engagement.post("doctor0", "enrol-people", {"people": [row]})
    assert refused.json()["code"] == "RoleRequired"
    for _ in range(2):
        taken = await engagement.post("pm", "enrol-people", {"people": [row]}, Idempotency_Key="nia")
        assert taken.status_code == 200, taken.text
    again = await engagement.post("pm", "enrol-people", {"people": [row]})
    assert again.json()["code"] == "AlreadyEnrolled"
    _, token = await token_of(stack.database, "Nia New", "nia@example.nhs.uk")
    found = await stack.http.get(engagement.path, headers=bearer(token))
    assert found.json()["your_roles"] == ["doctor"]


# --- bad days ------------------------------------------------------------------------------------------------------


async def test_without_a_worker_the_answer_is_not_known_yet_and_asking_again_completes_it(
    stack: Stack, engagement: Launched
) -> None:
    hasty = stack.settings.model_copy(update={"answer_within_seconds": 0.5})
    async with http_of(app_of(stack.database, await workerless(stack), hasty)) as cut_off:
        headers = bearer(engagement.tokens["doctor0"])
        path = f"{engagement.path}/accept-enrolment"
        gone = await cut_off.post(path, json=TAKING_PART, headers=headers)
    assert gone.status_code == 503  # that Temporal does not know the engagement at all
    assert gone.json()["code"] == "EngineAway"
    assert "retry-after" in gone.headers
    answer = await engagement.post("doctor0", "accept-enrolment", TAKING_PART)
    assert answer.status_code == 200


async def test_with_the_database_locked_the_answer_is_202_and_nothing_is_lost(
    stack: Stack, engagement: Launched
) -> None:
    hasty = stack.settings.model_copy(update={"answer_within_seconds": 1.0})
    app = app_of(stack.database, stack.client, hasty)
    headers = bearer(engagement.tokens["doctor0"])
    path = Path(stack.settings.data_dir) / "olive.sqlite3"
    lock = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
    await asyncio.to_thread(lock.execute, "BEGIN IMMEDIATE")  # the worker in this process may be writing
    try:
        async with http_of(app) as http:
            began = time.monotonic()
            answer = await http.post(f"{engagement.path}/accept-enrolment", json=TAKING_PART, headers=headers)
            assert answer.status_code == 202, answer.text
            assert time.monotonic() - began < 10
            ask = answer.headers["location"]
            assert ask == answer.json()["ask"]
            still = await http.get(ask, headers=headers)
            assert still.status_code == 202
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    known = await stack.http.get(ask, headers=headers)
    assert known.status_code == 200, known.text
    assert [event["kind"] for event in known.json()["events"]] == ["EnrolmentAccepted"]
    resent = await engagement.post(
        "doctor0", "accept-enrolment", TAKING_PART, Idempotency_Key=answer.json()["idempotency_key"]
    )
    assert resent.status_code == 200
    assert (await kinds(engagement)).count("EnrolmentAccepted") == 1
    await app.state.front_door.desk.close()


async def test_a_command_that_never_arrived_is_not_found_when_asked_for(engagement: Launched) -> None:
    answer = await engagement.get("doctor0", "commands/never-sent")
    assert answer.status_code == 404
    assert answer.json()["code"] == "NoSuchCommand"


# --- the questionnaire ---------------------------------------------------------------------------------------------


def answers(stack: Stack, rating: int = 3) -> dict[str, object]:
    ratings = dict.fromkeys(stack.app.state.front_door.questionnaire.keys, rating)
    return {"answers": {"ratings": ratings, "comments": ["nothing", "more time"]}}


async def test_answers_can_be_read_changed_and_deleted_while_the_questionnaire_is_open(
    stack: Stack, engagement: Launched
) -> None:
    await engagement.begin_diagnosis()
    assert (await engagement.get("doctor0", "answers")).status_code == 404
    sent = await engagement.post("doctor0", "complete-questionnaire", answers(stack), Idempotency_Key="a")
    assert [event["kind"] for event in sent.json()["events"]] == ["QuestionnaireCompleted"]
    assert (await engagement.get("doctor0", "answers")).json()["ratings"]["C01a"] == 3
    again = await engagement.post("doctor0", "complete-questionnaire", answers(stack, 5), Idempotency_Key="b")
    assert (again.status_code, again.json()["events"]) == (200, [])
    mine = (await engagement.get("doctor0", "answers")).json()
    assert (mine["ratings"]["C01a"], mine["comments"]) == (5, ["nothing", "more time"])
    for other in ("pm", "mel", "fay", "doctor1"):
        assert (await engagement.get(other, "answers")).status_code == 404
    deleted = await stack.http.delete(f"{engagement.path}/answers", headers=bearer(engagement.tokens["doctor0"]))
    assert [event["kind"] for event in deleted.json()["events"]] == ["AnswersWithdrawn"]
    assert (await engagement.get("doctor0", "answers")).status_code == 404


async def test_nobody_learns_who_has_answered(stack: Stack, engagement: Launched) -> None:
    await engagement.begin_diagnosis()
    await engagement.post("doctor0", "complete-questionnaire", answers(stack), Idempotency_Key="a")
    person, _ = await token_of(stack.database, "doctor 0", "doctor0@example.nhs.uk")
    for reader in ("pm", "mel", "fay"):
        completed = (await engagement.get(reader, "history", kind="QuestionnaireCompleted")).json()["items"]
        assert [entry["actor"] for entry in completed] == ["Hidden to protect people's identity"]
        assert person not in str(completed)
        searched = await engagement.get(reader, "history", kind="QuestionnaireCompleted", actor=person)
        assert searched.json()["items"] == []
        found = (await engagement.get(reader)).json()["questionnaire"]
        assert found["turnout"]["doctor"] == {"invited": 12, "completed": None}
        assert "questionnaire" not in (await engagement.get(reader, "tasks")).text.lower()
    assert "CompleteQuestionnaire" in (await engagement.get("doctor1", "tasks")).text


async def test_nothing_that_leads_from_answers_to_a_person_is_remembered(stack: Stack, engagement: Launched) -> None:
    await engagement.begin_diagnosis()
    await engagement.post("doctor0", "complete-questionnaire", answers(stack), Idempotency_Key="remember-me")
    file = sqlite3.connect(Path(stack.settings.data_dir) / "olive.sqlite3")
    rows = file.execute("SELECT count(*) FROM idempotency WHERE key = 'remember-me'").fetchone()
    file.close()
    assert rows == (0,)
