"""Histories of a whole rehearsed year, stored by an earlier build, replayed by this one.

Recorded with `olive rehearse --doctors 12 --managers 12 --histories tests/workflows/histories`. A change that breaks a
replay needs a new build of the worker and the `checkpoint` signal; the histories are never edited.
"""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import (
    ContinueAsNewInput,
    Interceptor,
    Replayer,
    UnsandboxedWorkflowRunner,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from runtime.payloads import CONVERTER
from worker.hosting import FAILS_ONLY_BY
from worker.sandbox import runner
from workflows.engagement import EngagementWorkflow
from workflows.ports import Carried

STORED = sorted((Path(__file__).parent / "histories").glob("*.json.gz"))
REPLAYER: dict[str, Any] = {
    "workflows": [EngagementWorkflow],
    "data_converter": CONVERTER,
    "workflow_failure_exception_types": FAILS_ONLY_BY,
}


def history_in(path: Path) -> WorkflowHistory:
    """The history that a file holds."""
    stored = json.loads(gzip.decompress(path.read_bytes()))
    return WorkflowHistory.from_json(stored["id"], stored["history"])


async def _handed_on(history: WorkflowHistory) -> Carried | None:
    last = history.events[-1].workflow_execution_continued_as_new_event_attributes
    if not last.input.payloads:
        return None
    (carried,) = await CONVERTER.decode(last.input.payloads, [Carried])
    assert isinstance(carried, Carried)
    return carried


class Watching(Interceptor):
    """Sees what a run hands on to the next one."""

    carried: Carried | None = None

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:  # noqa: A002
        del input
        watching = self

        class Outbound(WorkflowOutboundInterceptor):
            def continue_as_new(self, input: ContinueAsNewInput) -> Any:  # noqa: A002
                (watching.carried,) = input.args
                self.next.continue_as_new(input)

        class Inbound(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(Outbound(outbound))

        return Inbound


def test_a_whole_year_is_stored() -> None:
    assert len(STORED) > 3


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.name)
async def test_a_stored_history_replays(path: Path) -> None:
    await Replayer(**REPLAYER, workflow_runner=runner()).replay_workflow(history_in(path))


@pytest.mark.parametrize("path", STORED[:-1], ids=lambda path: path.name)
async def test_a_replay_comes_to_the_same_state(path: Path) -> None:
    # A replay compares what a run asked of the world, not what it had become: that is compared here.
    history, watching = history_in(path), Watching()
    replayer = Replayer(**REPLAYER, workflow_runner=UnsandboxedWorkflowRunner(), interceptors=[watching])
    await replayer.replay_workflow(history)
    stored = await _handed_on(history)
    assert stored is not None
    assert watching.carried is not None
    assert (watching.carried.engagement.sequence, watching.carried.engagement.digest) == (
        stored.engagement.sequence,
        stored.engagement.digest,
    )
    assert watching.carried == stored
