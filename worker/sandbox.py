"""What a workflow may import, in one place.

The core is passed through the sandbox whole: it is pure, so nothing is gained by loading it again for each engagement
(2 ms instead of hundreds), and passed in part it would exist twice. Any other import from a workflow is an error.

It is where workflows are tested and stored histories replayed. What a worker hosts has been through that; the sandbox
itself would cost it 90 KiB an engagement and a seventh of its processor time (docs/decisions).
"""

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy

OUR_OWN = ("programme", "workflows.ports", "workflows.addresses", "workflows.rounds")
PASSED_THROUGH = (*OUR_OWN, "pydantic", "pydantic_core", "rfc8785", "yaml")

RESTRICTIONS = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH).with_import_notification_policy(
    SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
)


def runner() -> SandboxedWorkflowRunner:
    """The sandbox in which workflows are tested, and stored histories replayed."""
    return SandboxedWorkflowRunner(restrictions=RESTRICTIONS)
