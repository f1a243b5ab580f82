"""The worker that hosts engagements: its workflows and activities, how much it keeps in memory, which build it is."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from importlib.metadata import version
from typing import Any

from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig

from activities.bulk import BulkActivities
from activities.calendars import CalendarActivities
from activities.channels import channel_of
from activities.diagnosis import DiagnosisActivities
from activities.engagements import EngagementActivities
from activities.journal import JournalActivities
from activities.offers import OfferActivities
from activities.post import PostActivities
from programme.refusals import Refusal
from runtime.settings import Settings
from runtime.templates import Templates, shipped_questionnaire
from store.database import Database
from worker.sandbox import runner
from workflows.addresses import TASK_QUEUE
from workflows.bulk import BulkWorkflow
from workflows.calendars import CalendarsWorkflow
from workflows.engagement import EngagementWorkflow
from workflows.offers import OffersWorkflow

FAILS_ONLY_BY: list[type[BaseException]] = [Refusal]
"""A refusal ends the update that asked; anything else is a fault of ours and stops the workflow task, to be mended."""

BUILD = version("olivebranch")
"""Named, because Temporal would otherwise name the build by a digest of every loaded module: seconds at each start."""


CACHED = 1000 + 24
"""A thousand engagements, and room for what asks them all in turn: one too many, and each of them is replayed, which is
more than twice the work of re-planning."""


def activities_of(database: Database, client: Client, settings: Settings) -> list[Callable[..., Any]]:
    """Everything that the workflows may ask of the world."""
    journal = JournalActivities(database)
    post = PostActivities(database, channel_of(settings.mail), settings.public_base_url)
    diagnosis = DiagnosisActivities(database, shipped_questionnaire())
    engagements = EngagementActivities(client)
    calendars = CalendarActivities(database, engagements)
    bulks = BulkActivities(database)
    offers = OfferActivities(database, engagements, Templates(settings.templates_dir).newest)
    return [
        journal.append,
        post.deliver,
        diagnosis.close,
        engagements.submit,
        calendars.look,
        calendars.bring,
        bulks.foresee,
        bulks.next_page,
        bulks.note,
        offers.look,
        offers.offer,
    ]


def hosting(
    client: Client,
    activities: Sequence[Callable[..., Any]],
    *,
    cached: int = CACHED,
    concurrent: int = 100,
    pinned: str | None = None,
    sandboxed: bool = False,
) -> Worker:
    """A worker for the engagements of the client's namespace.

    cached: workflows kept in memory; with more open ones, each step replays. concurrent: activities at once.
    pinned: the build as which this worker takes part in Temporal's worker versioning, where several builds run side by
    side: a run stays on its build until its checkpoint. None: there is one build at a time.
    sandboxed: in the sandbox that refuses what a workflow must not do; what is hosted has been tested in it.
    """
    build = WorkerDeploymentVersion(deployment_name=TASK_QUEUE, build_id=pinned or BUILD)
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[EngagementWorkflow, CalendarsWorkflow, BulkWorkflow, OffersWorkflow],
        activities=activities,
        workflow_runner=runner() if sandboxed else UnsandboxedWorkflowRunner(),
        workflow_failure_exception_types=FAILS_ONLY_BY,
        max_cached_workflows=cached,
        max_concurrent_activities=concurrent,
        # After a killed worker the first step of an engagement waits this long for it (10 s by default).
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
        graceful_shutdown_timeout=timedelta(seconds=10),
        deployment_config=WorkerDeploymentConfig(
            version=build,
            use_worker_versioning=pinned is not None,
            default_versioning_behavior=VersioningBehavior.PINNED if pinned else VersioningBehavior.UNSPECIFIED,
        ),
    )
