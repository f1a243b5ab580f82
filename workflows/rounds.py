"""What workflows share that go round many engagements, and the one that hosts an engagement: when a run has grown long.

A round goes on where one of many does not answer; only the end of the round itself stops it.
"""

from collections.abc import Callable
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from workflows import ports
from workflows.ports import Reply


def is_long() -> bool:
    """Whether this run has so many events that it should continue as new."""
    info = workflow.info()
    return info.is_continue_as_new_suggested() or info.get_current_history_length() > ports.RUN_EVENTS


async def answer_of(port: Callable[..., Any], argument: object, summary: str, options: dict[str, Any]) -> Reply | None:
    """What an engagement answers that is asked through a port; None where it has not answered in the time it had."""
    try:
        reply: Reply = await workflow.execute_activity_method(port, argument, summary=summary, **options)
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        return None
    return reply
