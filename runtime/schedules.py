"""What Temporal starts by itself each morning, and what is started at once because a day was announced.

Somebody looks whether every engagement goes by the newest calendar, and whether those that decide about a next cycle
know the newest version of their template.
"""

from datetime import timedelta
from typing import NamedTuple

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

from programme.messages import Frozen
from programme.working_time import LONDON
from workflows.addresses import CALENDARS, CALENDARS_DAILY, OFFERS_DAILY, TASK_QUEUE
from workflows.ports import Offering, Replanning

HOUR = 5  # before anybody reads what is due; in London, whatever the season
CATCHING_UP = timedelta(days=1)  # a round that was missed while Temporal was away is made up for
ANSWER_WITHIN = timedelta(seconds=10)

log = structlog.get_logger(component="schedules")


class _Round(NamedTuple):
    """What begins each morning: a workflow, what it is given, and what for."""

    workflow: str
    given: Frozen
    what: str


_ROUNDS = {
    CALENDARS_DAILY: _Round("Calendars", Replanning(), "Bring the newest calendars"),
    OFFERS_DAILY: _Round("Offers", Offering(), "Offer the newest templates to those who decide about a next cycle"),
}


def _daily(name: str) -> Schedule:
    workflow, given, what = _ROUNDS[name]
    action = ScheduleActionStartWorkflow(workflow, given, id=name, task_queue=TASK_QUEUE)
    mornings = ScheduleCalendarSpec(hour=[ScheduleRange(HOUR)], comment=what)
    return Schedule(
        action=action,
        spec=ScheduleSpec(calendars=[mornings], time_zone_name=str(LONDON)),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCHING_UP),
    )


async def look_daily(client: Client) -> None:
    """Make the schedules, or bring them up to this build; the same twice changes nothing.

    Where the server knows no schedules (the one that skips time) or this account may make none, it goes on without:
    an announcement starts a round of its own.
    """
    try:
        for name in _ROUNDS:
            await _make_or_update(client, name)
    except RPCError as error:
        if error.status not in (
            RPCStatusCode.UNIMPLEMENTED,
            RPCStatusCode.PERMISSION_DENIED,
            RPCStatusCode.UNAUTHENTICATED,
        ):
            raise
        log.warning("no daily look at the calendars: this server or account makes no schedules")


async def _make_or_update(client: Client, name: str) -> None:
    try:
        await client.create_schedule(name, _daily(name))
    except ScheduleAlreadyRunningError:

        def newer(found: ScheduleUpdateInput) -> ScheduleUpdate:
            schedule = _daily(name)
            schedule.state = found.description.schedule.state  # an operator may have paused it
            return ScheduleUpdate(schedule=schedule)

        await client.get_schedule_handle(name).update(newer)


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
