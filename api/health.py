"""Whether this process lives, and whether it can serve: database, Temporal, and a worker that takes work."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Response
from opentelemetry.instrumentation.utils import suppress_instrumentation
from pydantic import BaseModel
from temporalio.api.enums.v1 import TaskQueueType, WorkerStatus
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, ListWorkersRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from api.dependencies import Door
from runtime.temporal import HEARTBEAT
from workflows.addresses import TASK_QUEUE

CHECK_SECONDS = 3.0
POLLED_WITHIN = timedelta(seconds=90)  # a worker asks at least once a minute
SILENT_AFTER = 4 * HEARTBEAT  # the clocks of two machines differ a little
router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The process answers."""

    status: str = "ok"


class Readiness(BaseModel):
    """What this process needs to serve, and whether it is there."""

    ready: bool
    database: bool
    temporal: bool
    workers: bool


@router.get("/healthz")
async def healthz() -> Health:
    """Whether the process lives. Says nothing about what it needs."""
    return Health()


@router.get("/readyz", responses={503: {"model": Readiness, "description": "Something that it needs is away."}})
async def readyz(door: Door, response: Response) -> Readiness:
    """Whether requests can be served: the database is migrated, Temporal answers, a worker polls."""
    with suppress_instrumentation():  # what api/app.py leaves out is the request's own span alone
        database, temporal, workers = await asyncio.gather(
            _in_time(door.database.healthy()), _in_time(_answers(door.client)), _in_time(_worked(door.client))
        )
    ready = database and temporal and workers
    response.status_code = 200 if ready else 503
    return Readiness(ready=ready, database=database, temporal=temporal, workers=workers)


async def _in_time(check: Awaitable[bool]) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check
    except (TimeoutError, RPCError, RuntimeError, OSError):
        return False


async def _answers(client: Client) -> bool:
    return await client.service_client.check_health(timeout=timedelta(seconds=CHECK_SECONDS))


async def _worked(client: Client) -> bool:
    """Whether somebody has lately asked Temporal for the work of engagements, and has not fallen silent since."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=TASK_QUEUE),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    try:
        found = await client.workflow_service.describe_task_queue(request)
    except RPCError as error:
        if error.status is RPCStatusCode.UNIMPLEMENTED:  # the time-skipping server of a rehearsal cannot say
            return True
        raise
    since = datetime.now(UTC) - POLLED_WITHIN
    asking = {poller.identity for poller in found.pollers if poller.last_access_time.ToDatetime(UTC) >= since}
    return bool(asking - await _silent(client))


async def _silent(client: Client) -> set[str]:
    """The workers whose heart has stopped: a killed one would count as asking for as long as its last question."""
    try:
        found = await client.workflow_service.list_workers(ListWorkersRequest(namespace=client.namespace))
    except RPCError as error:
        if error.status is RPCStatusCode.UNIMPLEMENTED:  # an older server: then only the questions count
            return set()
        raise
    since = datetime.now(UTC) - SILENT_AFTER
    beats = [one.worker_heartbeat for one in found.workers_info if one.worker_heartbeat.task_queue == TASK_QUEUE]
    alive = {
        beat.worker_identity
        for beat in beats
        if beat.status == WorkerStatus.WORKER_STATUS_RUNNING and beat.heartbeat_time.ToDatetime(UTC) >= since
    }
    return {beat.worker_identity for beat in beats} - alive
