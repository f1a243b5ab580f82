"""What a year leaves in Temporal's history: few events, one timer, ids only."""

import asyncio
import base64
import json
import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowHistory

from programme.continuity import OpenWindow, PauseEngagement, ResumeEngagement
from programme.engagement import COMMANDS, AnyCommand
from programme.stages.diagnosis import CompleteQuestionnaire, ExtendWindow
from tests.workflows.hosted import (
    DOCTORS,
    FACILITATOR,
    MANAGERS,
    MEDICAL,
    PM,
    SOON,
    WAKE,
    Hosted,
    House,
)
from workflows.addresses import SEARCH_ATTRIBUTES

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def timers(hosted: Hosted, summary: str) -> int:
    """How many timers with such a summary were started in the present run."""
    started = await hosted.events(EventType.EVENT_TYPE_TIMER_STARTED)
    return sum(json.loads(event.user_metadata.summary.data).startswith(summary) for event in started)


@pytest.mark.usefixtures("soon")
async def test_thirty_completed_questionnaires_replace_no_timer(house: House) -> None:
    async with house.worker():
        hosted = await house.in_diagnosis()
        for person in (*DOCTORS, *MANAGERS)[:30]:
            await hosted.ask(CompleteQuestionnaire(), person)
        await hosted.settled()
        assert await timers(hosted, WAKE) == 1


@pytest.mark.usefixtures("soon")
async def test_the_timer_is_replaced_when_the_earliest_instant_changes(house: House) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=2)
    async with house.worker():
        hosted = await house.in_diagnosis()
        await hosted.settled()
        pausing = PauseEngagement(reason="Winter pressure", resumes=tomorrow, window=OpenWindow.EXTEND)
        await hosted.ask(pausing, PM)
        await hosted.ask(ResumeEngagement(), PM)
        await hosted.settled()
        assert await timers(hosted, WAKE) == 3


async def test_a_burst_costs_at_most_seven_history_events_a_step(house: House) -> None:
    people = (*DOCTORS, *MANAGERS)
    async with house.worker():
        hosted = await house.in_diagnosis()
        await hosted.standing()
        before = len(await hosted.events())
        await asyncio.gather(*(hosted.ask(CompleteQuestionnaire(), person) for person in people))
        await hosted.settled()
        cost = (len(await hosted.events()) - before) / len(people)
        print(f"\nhistory events a step, {len(people)} at once: {cost:.1f}")  # noqa: T201 - a measure to look at
        assert await timers(hosted, SOON) <= 1
    assert cost <= 7


# --- privacy -------------------------------------------------------------------------------------------------------


NAMES = {"d0": "Dr Ada Quillfeather", "med": "Professor Orla Brambleby", "fac": "Tamsin Oakenshaw"}
ADDRESSES = {person: f"{name.split()[-1].lower()}@trust.example" for person, name in NAMES.items()}
CANDID = "My consultant never listens to me"


def typed(kind: str, **fields: Any) -> AnyCommand:
    """A command as somebody's request would be read, with more in it than may travel."""
    command: AnyCommand = COMMANDS.validate_python({"kind": kind, **fields})  # type: ignore[assignment]
    return command


def texts(history: WorkflowHistory) -> Iterator[str]:
    """Everything that can be read in a history: every string, and every payload decoded."""
    waiting: list[Any] = [history.to_json_dict()]
    while waiting:
        match waiting.pop():
            case dict() as found:
                waiting += [*found.keys(), *found.values()]
            case list() as found:
                waiting += found
            case str() as text:
                yield text
                yield _decoded(text)


def _decoded(text: str) -> str:
    try:
        data = base64.b64decode(text, validate=True)
        with suppress(zlib.error):  # a large one, which stands there compressed
            data = Payload.FromString(zlib.decompress(data)).data
        return data.decode()
    except ValueError:
        return ""


async def test_no_payload_holds_a_name_an_address_an_answer_or_a_candid_word(house: House) -> None:
    answers = {"C01a": 5, "C09d": 1, "comment": CANDID}
    async with house.worker():
        hosted = await house.in_diagnosis()
        by = {"name": NAMES["d0"], "email": ADDRESSES["d0"]}
        await hosted.ask(typed("CompleteQuestionnaire", answers=answers, **by), "d0")
        words = {"deposit": "w-1", "text": CANDID, "name": NAMES["med"]}
        assert await hosted.refusal(typed("StateWillingness", answer="willing", need=words), MEDICAL) == "NotAskedNow"
        await hosted.renewed()
        await hosted.ask(typed("WithdrawAnswers", reason=CANDID), "d0")
        await hosted.settled()
        read = "\n".join(text for run in await hosted.runs() for text in texts(run))
    assert "QuestionnaireCompleted" in read  # payloads are really read
    assert '"person":"d0"' in read
    assert '"local_problem"' in read  # the state that a run hands on, too
    for personal in (*NAMES.values(), *ADDRESSES.values(), CANDID, "C09d", "comment"):
        assert personal not in read, personal


@pytest.mark.usefixtures("soon")
async def test_what_temporals_own_page_shows_is_by_part_and_tells_nothing_of_answers(house: House) -> None:
    async with house.worker():
        hosted = await house.launched()
        details = await current_details(hosted)
        assert "Stage: Mandate" in details
        assert "16 doctor" in details
        diagnosed = await house.in_diagnosis()
        opened = await current_details(diagnosed)
        await diagnosed.ask(CompleteQuestionnaire(), "d0")
        assert await current_details(diagnosed) == opened
        assert "Next: The questionnaire closes" in opened
        for engagement in (hosted, diagnosed):
            shown = await current_details(engagement)
            described = await engagement.handle.describe()
            attributes = {pair.key.name: pair.value for pair in described.typed_search_attributes}
            ours = {name: value for name, value in attributes.items() if name.startswith("Olive")}  # not Temporal's own
            assert set(ours) == set(SEARCH_ATTRIBUTES)
            everything = shown + str(ours) + str(await described.memo())
            for said in (*DOCTORS[1:], *MANAGERS, FACILITATOR, MEDICAL, "R1A", "Emergency", "wait too long"):
                assert said not in everything.replace("facilitator", "").replace("medical", ""), said


@pytest.mark.usefixtures("soon")
async def test_the_attributes_follow_the_stage_though_no_timer_changes(house: House) -> None:
    async with house.worker():
        hosted = await house.in_diagnosis()
        await hosted.ask(ExtendWindow(), PM)
        described = await hosted.handle.describe()
        attributes = {pair.key.name: pair.value for pair in described.typed_search_attributes}
        assert attributes["OliveStage"] == "diagnosis"
        assert attributes["OlivePaused"] is False


async def current_details(hosted: Hosted) -> str:
    """What Temporal's own page shows about an engagement."""
    metadata: WorkflowMetadata = await hosted.handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return metadata.current_details
