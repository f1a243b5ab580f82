"""What a run was started with must not keep the whole message in memory that brought it."""

from dataclasses import fields
from typing import Any

import pytest
from temporalio.api.common.v1 import Memo, Payload, Payloads
from temporalio.bridge.proto.workflow_activation import InitializeWorkflow
from temporalio.worker import ExecuteWorkflowInput, UnsandboxedWorkflowRunner, WorkflowInboundInterceptor
from temporalio.worker._workflow_instance import WorkflowInstance, WorkflowInstanceDetails
from temporalio.workflow import Info

from worker.letting_go import Begin, LettingGo
from workflows.ports import Carried


class Run(WorkflowInboundInterceptor):
    """The workflow's own run, which keeps what it was given."""

    def __init__(self) -> None:
        self.given: ExecuteWorkflowInput | None = None  # without a next one to call

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002 - the SDK's name
        self.given = input


@pytest.mark.parametrize("headers", [{}, {"_tracer-data": Payload(data=b"{}")}])
async def test_a_run_is_given_headers_of_its_own_and_no_arguments(
    headers: dict[str, Payload],
) -> None:
    message = InitializeWorkflow(workflow_type="Engagement", headers=headers)
    given = ExecuteWorkflowInput(type=object, run_fn=run_nothing, args=[Carried()], headers=message.headers)
    run = Run()
    await Begin(run).execute_workflow(given)
    assert run.given is given
    message.Clear()
    assert type(given.headers) is dict
    assert given.headers == headers
    assert given.args == [None]


def nothing(kind: type[Any]) -> dict[str, Any]:
    return dict.fromkeys(one.name for one in fields(kind))


class Kept(UnsandboxedWorkflowRunner):
    """A runner that shows which details it was given."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        self.given = det
        return None  # type: ignore[return-value]  # nobody runs it


def test_what_the_run_before_left_comes_to_the_run_apart_too() -> None:
    header, memo = {"_tracer-data": Payload(data=b"{}")}, Memo(fields={"note": Payload(data=b"1")})
    before = Payloads(payloads=[Payload(data=b"7")])
    message = InitializeWorkflow(last_completion_result=before, headers=header, memo=memo)
    info = Info(**nothing(Info) | {"headers": dict(message.headers), "raw_memo": dict(message.memo.fields)})
    given = {"info": info, "last_completion_result": message.last_completion_result, "interceptor_classes": [Run]}
    details = WorkflowInstanceDetails(**nothing(WorkflowInstanceDetails) | given)
    runner = Kept()
    LettingGo(runner).create_instance(details)
    message.Clear()
    assert [one.data for one in runner.given.last_completion_result.payloads] == [b"7"]
    assert list(runner.given.interceptor_classes) == [Run, Begin]
    for own, part in ((runner.given.info.headers, header), (runner.given.info.raw_memo, memo.fields)):
        assert own == part
    for was, own in ((info.headers, runner.given.info.headers), (info.raw_memo, runner.given.info.raw_memo)):
        assert all(own[key] is not payload for key, payload in was.items())


async def run_nothing() -> None:
    """A workflow without anything to do."""
