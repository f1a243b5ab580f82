"""Whatever is sent, the answer is no fault of ours: schemathesis, from the schema that the API itself gives.

People who hold the part send it, so that it reaches the core. A value that stalled a workflow task, or that the journal
could not write, would show as an answer that is not known, or as an engagement that moves no more.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.schemas import APIOperation

from programme.messages import Role
from tests.stack import Launched, Stack, bearer

pytestmark = pytest.mark.asyncio(loop_scope="session")
Example = Case[Any]
Operation = APIOperation[Any, Any, Any, Any]
EXAMPLES = 3  # of each operation, good and bad ones
AT_ONCE = 4
HOLDERS = {
    Role.PROGRAMME_MANAGER: "pm",
    Role.MEDICAL_SPONSOR: "mel",
    Role.MANAGERIAL_SPONSOR: "max",
    Role.FACILITATOR: "fay",
    Role.MEDICAL_APPROVER: "abe",
    Role.DOCTOR: "doctor0",
    Role.MANAGER: "manager0",
}
ANSWERED = {200, 201, 204, 400, 401, 403, 404, 405, 409, 412, 413, 415, 422}
ASKS_A_WORKER = "/api/v1/holidays/replanning"  # no row says how far a round is, and a worker may be busy


def cases(operation: Operation, mode: GenerationMode, engagement: Launched) -> list[Example]:
    """Examples of what may be sent, or of what may not."""
    found: list[Example] = []

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        phases=(Phase.explicit, Phase.generate),
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def collect(case: Example) -> None:
        if "engagement_id" in case.path_parameters:
            case.path_parameters["engagement_id"] = engagement.id
        if mode is GenerationMode.POSITIVE:
            case.headers.pop("if-match", None)  # a version that never was would keep everything else from the core
        found.append(case)

    collect()
    return found


def operations(schema: Any) -> Iterator[Operation]:
    """Everything that the schema offers, health aside: that is not asked of anybody."""
    for result in schema.get_all_operations():
        operation = result.ok()
        if not operation.path.endswith("z"):
            yield operation


def whoever_may(operation: Operation) -> str:
    """Somebody whom the core would listen to."""
    roles = operation.definition.raw.get("x-who", [Role.PROGRAMME_MANAGER.value])
    return next((HOLDERS[Role(role)] for role in roles if Role(role) in HOLDERS), "pm")


async def send(stack: Stack, case: Example, token: str) -> httpx.Response:
    """Send a case as it stands, as somebody."""
    sent = case.as_transport_kwargs(base_url="http://olive.test")
    own = {name: value for name, value in (sent.pop("headers", None) or {}).items() if name.lower() != "authorization"}
    sent = {name: value for name, value in sent.items() if name in {"method", "url", "params", "json", "data", "files"}}
    if isinstance(sent.get("data"), bytes):
        sent["content"] = sent.pop("data")
    return await stack.http.request(**sent, headers={**own, **bearer(token)}, timeout=60)


async def test_nothing_that_is_sent_is_answered_by_a_fault_of_ours(stack: Stack) -> None:
    engagement = await stack.launch()
    await engagement.begin_diagnosis()
    schema = schemathesis.openapi.from_dict(stack.app.openapi())
    turns = asyncio.Semaphore(AT_ONCE)
    wrong: list[str] = []

    async def try_out(case: Example, who: str) -> None:
        async with turns:
            try:
                answer = await send(stack, case, engagement.tokens[who])
            except (UnicodeError, httpx.InvalidURL, httpx.LocalProtocolError, ValueError):
                return  # a client would not send it either
        kind = answer.headers.get("content-type", "")
        documented = case.operation.definition.raw["responses"]
        fits = answer.status_code < 400 or kind == "application/problem+json"
        if (
            answer.status_code not in ANSWERED
            or not fits
            or (answer.status_code < 300 and str(answer.status_code) not in documented)
        ):
            wrong.append(f"{case.method} {case.path} {case.body!r} -> {answer.status_code} {answer.text[:300]}")

    for operation in operations(schema):
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            found = await asyncio.to_thread(cases, operation, mode, engagement)  # the worker shares this loop
            await asyncio.gather(*(try_out(case, whoever_may(operation)) for case in found))
    assert not wrong, "\n".join(wrong[:20])
    still = await engagement.post("doctor11", "withdraw-answers")
    assert still.status_code in {200, 409}, "the engagement moves no more"
