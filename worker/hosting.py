"""The worker that hosts engagements: its workflows and activities, how much it keeps in memory, which build it is."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
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
from worker.letting_go import LettingGo
from worker.sandbox import runner
from workflows.addresses import POST_QUEUE, TASK_QUEUE
from workflows.bulk import BulkWorkflow
from workflows.calendars import CalendarsWorkflow
from workflows.engagement import EngagementWorkflow
from workflows.offers import OffersWorkflow

FAILS_ONLY_BY: list[type[BaseException]] = [Refusal]
"""A refusal ends the update that asked; anything else is a fault of ours and stops the workflow task, to be mended."""

BUILD = version("olivebranch")
"""Named, because Temporal would otherwise name the build by a digest of every loaded module: seconds at each start."""

STOPPING = timedelta(seconds=10)
"""For activities under way when a worker is asked to stop."""

CACHED = 1000 + 24
"""A thousand engagements, and room for what asks them all in turn: one too many, and each of them is replayed, which is
more than twice the work of re-planning."""


AT_ONCE = {TASK_QUEUE: 100, POST_QUEUE: 8}
"""Activities of a worker at the same time. Of rounds of delivery few: each holds the letters of one engagement and a
conversation with the mail server, and a hundred together go no faster (they were 100 KiB an engagement)."""

Activities = Mapping[str, Sequence[Callable[..., Any]]]
"""Which activities are done, by task queue."""


def activities_of(database: Database, client: Client, settings: Settings) -> Activities:
    """Everything that the workflows may ask of the world."""
    journal = JournalActivities(database)
    post = PostActivities(database, channel_of(settings.mail), settings.public_base_url)
    diagnosis = DiagnosisActivities(database, shipped_questionnaire())
    engagements = EngagementActivities(client)
    calendars = CalendarActivities(database, engagements)
    bulks = BulkActivities(database)
    offers = OfferActivities(database, engagements, Templates(settings.templates_dir).newest)
    return {
        TASK_QUEUE: [
            journal.append,
            post.deliver,  # of runs that asked for it before the post had a queue of its own
            diagnosis.close,
            engagements.submit,
            calendars.look,
            calendars.bring,
            bulks.foresee,
            bulks.next_page,
            bulks.note,
            offers.look,
            offers.offer,
        ],
        POST_QUEUE: [post.deliver],
    }


@asynccontextmanager
async def hosting(
    client: Client,
    activities: Activities,
    *,
    cached: int = CACHED,
    pinned: str | None = None,
    sandboxed: bool = False,
) -> AsyncIterator[None]:
    """Host the engagements of the client's namespace for as long as the block lasts.

    cached: workflows kept in memory; with more open ones, each step replays.
    pinned: the build as which this worker takes part in Temporal's worker versioning, where several builds run side by
    side: a run stays on its build until its checkpoint. None: there is one build at a time.
    sandboxed: in the sandbox that refuses what a workflow must not do; what is hosted has been tested in it.
    """
    build = WorkerDeploymentVersion(deployment_name=TASK_QUEUE, build_id=pinned or BUILD)
    deployment = WorkerDeploymentConfig(
        version=build,
        use_worker_versioning=pinned is not None,
        default_versioning_behavior=VersioningBehavior.PINNED if pinned else VersioningBehavior.UNSPECIFIED,
    )
    engagements = Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[EngagementWorkflow, CalendarsWorkflow, BulkWorkflow, OffersWorkflow],
        activities=activities[TASK_QUEUE],
        workflow_runner=LettingGo(runner() if sandboxed else UnsandboxedWorkflowRunner()),
        workflow_failure_exception_types=FAILS_ONLY_BY,
        max_cached_workflows=cached,
        max_concurrent_activities=AT_ONCE[TASK_QUEUE],
        # After a killed worker the first step of an engagement waits this long for it (10 s by default).
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
        graceful_shutdown_timeout=STOPPING,
        deployment_config=deployment,
    )
    workers = [engagements]
    if POST_QUEUE in activities:
        post = Worker(
            client,
            task_queue=POST_QUEUE,
            activities=activities[POST_QUEUE],
            max_concurrent_activities=AT_ONCE[POST_QUEUE],
            graceful_shutdown_timeout=STOPPING,
            deployment_config=deployment,
        )
        workers.append(post)
    async with AsyncExitStack() as running:
        for worker in workers:
            await running.enter_async_context(worker)
        try:
            yield
        finally:  # together: one after the other, they would have twice the time that a stop may take
            await asyncio.gather(*(worker.shutdown() for worker in workers))
