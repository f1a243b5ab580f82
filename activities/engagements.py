"""Hands commands in to running engagements on behalf of another workflow, which cannot ask them itself."""

import hashlib
from typing import NoReturn

from temporalio import activity
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.faults import without_details
from programme import refusals
from programme.refusals import Refusal
from workflows.addresses import engagement_workflow
from workflows.ports import NO_ENGAGEMENT, Accepted, Engagements, Reply, Request

_RUN_ENDED = "AcceptedUpdateCompletedWorkflow"  # Temporal's name for an update whose run ended before it had answered
_EVERYTHING = 2**53  # as ``seen``: the answer carries no tail, because the engagement's own recorder appends it


class EngagementActivities(Engagements):
    """Asks the workflows of engagements through a client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn(name="engagements.submit")
    async def submit(self, request: Request) -> Reply:
        """Hand a command in. Whatever is no clear answer is a fault, and is tried again under the same command id."""
        with without_details(ApplicationError):
            try:
                accepted = await self._ask(request)
            except WorkflowUpdateFailedError as error:
                return _refused(request.engagement_id, error.cause)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                return Reply(
                    engagement_id=request.engagement_id, refused=NO_ENGAGEMENT, why="It does not run any more."
                )
        return Reply(engagement_id=request.engagement_id, first=accepted.first, last=accepted.last)

    async def _ask(self, request: Request) -> Accepted:
        submission = request.submission.model_copy(update={"seen": _EVERYTHING})
        said = hashlib.sha256(submission.command.model_dump_json().encode()).hexdigest()[:16]
        accepted: Accepted = await self._client.get_workflow_handle(
            engagement_workflow(request.engagement_id)
        ).execute_update(
            "submit",
            submission,
            id=f"{submission.command_id}.{said}",  # Temporal would answer other content under one name
            result_type=Accepted,
        )
        return accepted


def _refused(engagement_id: str, cause: BaseException | None) -> Reply:
    """The refusal as an answer; a fault of ours, or a run that ended meanwhile, is raised."""
    code = cause.type if isinstance(cause, ApplicationError) else None
    if code is None or code == _RUN_ENDED or not _is_refusal(code):
        _fail(code or "unknown")
    return Reply(
        engagement_id=engagement_id, refused=code, why=cause.message if isinstance(cause, ApplicationError) else ""
    )


def _is_refusal(code: str) -> bool:
    kind = getattr(refusals, code, None)
    return isinstance(kind, type) and issubclass(kind, Refusal)


def _fail(code: str) -> NoReturn:
    raise ApplicationError(f"the engagement did not answer: {code}", type=code)
