"""What a cached run would keep of its beginning for as long as it is held, and needs no more.

The SDK hands a workflow its headers, its memo and the result of the run before it as parts of the message that brought
them, and a part keeps the whole message in memory, empty as it may be: the launch, unpacked, 43 KiB an engagement of 32
people. Copies of the parts let it go. And it keeps the arguments, of which a run after continue-as-new has made another
state long since: every workflow of this house takes them over in its ``__init__``, and its ``run`` is given none.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.worker import ExecuteWorkflowInput, WorkflowInboundInterceptor, WorkflowRunner
from temporalio.worker._workflow_instance import WorkflowInstance, WorkflowInstanceDetails
from temporalio.workflow import _Definition


class LettingGo(WorkflowRunner):
    """Runs workflows as another runner does, which keep nothing of the message that started them."""

    def __init__(self, runner: WorkflowRunner) -> None:
        self._runner = runner

    def prepare_workflow(self, defn: _Definition) -> None:
        """As the other runner does."""
        self._runner.prepare_workflow(defn)

    def set_worker_level_failure_exception_types(self, types: Sequence[type[BaseException]]) -> None:
        """As the other runner does."""
        self._runner.set_worker_level_failure_exception_types(types)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """A run whose details are its own."""
        info = replace(det.info, headers=_own(det.info.headers), raw_memo=_own(det.info.raw_memo))
        classes = [*det.interceptor_classes, Begin]
        before = deepcopy(det.last_completion_result)
        own = replace(det, info=info, last_completion_result=before, interceptor_classes=classes)
        return self._runner.create_instance(own)


class Begin(WorkflowInboundInterceptor):
    """Inside a run: gives it headers of its own, and nothing that it has taken over already."""

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002 - the SDK's name
        """Begin the run."""
        input.headers = _own(input.headers)
        input.args = [None for _ in input.args]
        return await super().execute_workflow(input)


def _own(parts: Mapping[str, Payload]) -> dict[str, Payload]:
    return {key: deepcopy(part) for key, part in parts.items()}
