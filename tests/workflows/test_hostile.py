"""Whatever is handed in, by whomever, is accepted or refused: nothing stops an engagement for everybody else."""

import json
from contextlib import suppress
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from programme import refusals
from programme.engagement import (
    COMMANDS,
    AnyCommand,
    Engagement,
    agenda,
    errands,
)
from programme.ladders import Audience
from programme.messages import CLOCK, Command, Event, PersonId, Stage
from programme.refusals import Refusal
from programme.stages.diagnosis import CompleteQuestionnaire
from programme.stages.mandate import RegisterEngagement
from programme.template import Durations, ProgrammeTemplate, ReviewPlan, Thresholds
from programme.waiting import waits_on
from programme.working_time import Calendar
from tests.core.programme_driver import PLAYS, PM, TWELVE_MONTHS, Programme, begun, roster
from tests.workflows.hosted import Hosted, House
from tests.workflows.hostile import anything, malformed, requests
from workflows.ports import Accepted

KINDS: tuple[type[Command], ...] = get_args(get_args(AnyCommand)[0])
REACHED = [later for played, later in pairwise(Stage) if played in PLAYS]
NAMES = {name for name, found in vars(refusals).items() if isinstance(found, type) and issubclass(found, Refusal)}
SOUND = {  # what a template or calendar may hold, though no sensible one would
    int: st.integers(1, 40) | st.sampled_from([1, 36, 100, 260]),
    str: st.sampled_from(["internal", "external", "Closed"]),
    date: st.dates(date(2025, 12, 1), date(2027, 6, 1)).map(str),
}
LADDERS = st.dictionaries(
    st.sampled_from(sorted(TWELVE_MONTHS.ladders)),
    st.fixed_dictionaries(
        {
            "rungs": st.lists(
                st.builds(
                    "{}{:+d}{}".format,
                    st.sampled_from(["opened", "due"]),
                    st.integers(-260, 260) | st.integers(-5, 5),
                    st.sampled_from(["", *(f" {audience}" for audience in Audience)]),
                ),
                max_size=4,
            ),
            "notice": st.booleans(),
        }
    ),
)
TEMPLATES = st.fixed_dictionaries(
    {
        "durations": requests(Durations, SOUND),
        "thresholds": requests(Thresholds, SOUND),
        "ladders": LADDERS,
        "sessions": st.permutations([plan.model_dump() for plan in TWELVE_MONTHS.sessions]),
        "reviews": st.lists(requests(ReviewPlan, SOUND), max_size=3),
        "rediagnosis_month": st.integers(1, 36),
    }
)
UNREADABLE = "cannot be read"

people = st.sampled_from(["pm", "med", "man", "fac", "app", "dep", "steward", "d0", "d1", "m0", "m1", "nobody", ""])
asks = st.tuples(st.sampled_from(KINDS).flatmap(requests), people, st.booleans(), st.integers(0, 30))


def entitled(engagement: Engagement, command: Command, by: PersonId) -> PersonId:
    """Somebody who may ask: time for the system's own commands, the first with a part for the others."""
    able = [person.id for person in engagement.people.values() if person.intended() & command.who]
    return able[len(by) % len(able)] if able else by if command.who else CLOCK


def let_pass(programme: Programme, days: int) -> None:
    """Let some days go by, and do what falls due."""
    programme.advance(programme.at + timedelta(days=days))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(stage=st.sampled_from([Stage.MANDATE, *REACHED]), asked=st.lists(asks, min_size=1, max_size=8))
def test_any_request_at_any_time_is_accepted_or_refused_and_what_follows_is_always_known(
    stage: Stage, asked: list[tuple[dict[str, Any], PersonId, bool, int]]
) -> None:
    programme = begun(stage)
    for raw, by, may, days in asked:
        let_pass(programme, days)
        with suppress(ValidationError, Refusal):
            command = COMMANDS.validate_python(raw)
            programme.do(command, entitled(programme.engagement, command, by) if may else by)
        agenda(programme.engagement)
        errands(programme.engagement)
        waits_on(programme.engagement)
    let_pass(programme, 20)


def registration(template: ProgrammeTemplate, calendar: Calendar) -> RegisterEngagement:
    """The driver's registration, with another template and calendar."""
    return RegisterEngagement(
        engagement="engagement-1",
        ods_code="R1A",
        scope="Emergency department",
        local_problem="People wait too long in A&E",
        dpia_reference="DPIA-7",
        privacy_notice="1",
        k=11,
        template=template,
        calendar=calendar,
        people=roster(),
    )


class Fault(BaseException):
    """Something that is neither an answer nor a refusal; no test can mistake it for its own mistake."""


class Watched(Programme):
    """A programme in which nothing but a refusal may stop a step."""

    def _step(self, command: Command, by: PersonId) -> list[Event]:
        try:
            return super()._step(command, by)
        except Refusal:
            raise
        except Exception as error:
            raise Fault(command) from error


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(template=TEMPLATES | requests(ProgrammeTemplate), calendar=requests(Calendar, SOUND))
def test_an_engagement_with_any_template_and_calendar_is_refused_or_lives_its_year(
    template: dict[str, Any], calendar: dict[str, Any]
) -> None:
    programme = Watched()
    try:
        wanted = ProgrammeTemplate.model_validate(template)
        programme.do(registration(wanted, Calendar.model_validate(calendar)), PM)
    except (ValidationError, Refusal):
        return
    for stage in list(Stage)[
        : list(Stage).index(Stage.DELIVERY)
    ]:  # from there on, the plays wait for what may not come
        if programme.engagement.in_stage(stage):
            with suppress(Refusal, AssertionError, LookupError, StopIteration):  # these plays expect another template
                PLAYS[stage](programme)
    let_pass(programme, 400)


async def answered(hosted: Hosted, raw: bytes) -> str:
    """What comes of an update with these bytes."""
    payload = Payload(metadata={"encoding": b"json/plain"}, data=raw)
    try:
        await hosted.handle.execute_update("submit", RawValue(payload), result_type=Accepted)
    except WorkflowUpdateFailedError as error:
        if isinstance(error.cause, ApplicationError) and error.cause.type in NAMES:
            return error.cause.type
        if "Failed decoding arguments" in str(error.cause):
            return UNREADABLE
        raise
    return "accepted"


@pytest.mark.asyncio(loop_scope="session")
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    raws=st.lists(
        st.sampled_from(KINDS).flatmap(lambda kind: requests(kind) | malformed(kind)) | anything,
        min_size=20,
        max_size=20,
    )
)
async def test_no_request_stops_the_workflow(house: House, raws: list[Any]) -> None:
    async with house.worker():
        hosted = await house.in_diagnosis()
        for number, raw in enumerate(raws):
            submission = {"command_id": f"{number}", "by": ("d0", "pm", "fac")[number % 3], "command": raw}
            await answered(hosted, json.dumps(submission).encode())
        for raw in (b"", b"null", b"{}", b"[", b'{"command_id": 1}', b"\xff"):
            assert await answered(hosted, raw) == UNREADABLE
        await hosted.ask(CompleteQuestionnaire(), "d9")
        assert not await hosted.events(EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)
