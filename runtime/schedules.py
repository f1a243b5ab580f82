"""What Temporal starts by itself: each morning somebody looks whether every engagement goes by the newest calendar.

And what is started at once, because a day was announced.
"""

from datetime import timedelta

import structlog
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from programme.working_time import LONDON
from workflows.addresses import CALENDARS, CALENDARS_DAILY, TASK_QUEUE
from workflows.ports import Replanning

HOUR = 5  # before anybody reads what is due; in London, whatever the season
CATCHING_UP = timedelta(days=1)  # a round that was missed while Temporal was away is made up for
ANSWER_WITHIN = timedelta(seconds=10)

log = structlog.get_logger(component="schedules")


def _daily() -> Schedule:
    action = ScheduleActionStartWorkflow("Calendars", Replanning(), id=CALENDARS_DAILY, task_queue=TASK_QUEUE)
    mornings = ScheduleCalendarSpec(hour=[ScheduleRange(HOUR)], comment="Bring the newest calendars")
    return Schedule(
        action=action,
        spec=ScheduleSpec(calendars=[mornings], time_zone_name=str(LONDON)),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCHING_UP),
    )


async def look_daily(client: Client) -> None:
    """Make the schedule, or bring it up to this build; the same twice changes nothing.

    Where the server knows no schedules (the one that skips time) or this account may make none, it goes on without:
    an announcement starts a round of its own.
    """
    try:
        await _make_or_update(client)
    except RPCError as error:
        if error.status not in (
            RPCStatusCode.UNIMPLEMENTED,
            RPCStatusCode.PERMISSION_DENIED,
            RPCStatusCode.UNAUTHENTICATED,
        ):
            raise
        log.warning("no daily look at the calendars: this server or account makes no schedules")


async def _make_or_update(client: Client) -> None:
    try:
        await client.create_schedule(CALENDARS_DAILY, _daily())
    except ScheduleAlreadyRunningError:

        def newer(found: ScheduleUpdateInput) -> ScheduleUpdate:
            schedule = _daily()
            schedule.state = found.description.schedule.state  # an operator may have paused it
            return ScheduleUpdate(schedule=schedule)

        await client.get_schedule_handle(CALENDARS_DAILY).update(newer)


async def look_now(client: Client) -> bool:
    """Start a round, or let the one that runs be followed by another; False where Temporal does not answer."""
    try:
        await client.start_workflow(
            "Calendars",
            Replanning(),
            id=CALENDARS,
            task_queue=TASK_QUEUE,
            start_signal="announced",
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            rpc_timeout=ANSWER_WITHIN,
        )
    except (RPCError, TimeoutError):
        log.warning("Temporal does not answer: the next morning's look brings what was announced")
        return False
    return True
