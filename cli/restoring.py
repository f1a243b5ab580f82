"""Taking engagements up again where Temporal has lost them: the journal is enough to go on from.

The running workflow and the journal are two witnesses of one chain. Where the first is gone (a server whose disk died,
a rehearsal shown on another server), the fold of the second is where a new run begins. What was accepted had been
recorded, so nothing that anybody was told is missing.
"""

import asyncio

from rich.console import Console
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from programme.engagement import Engagement
from runtime.settings import load_settings
from runtime.temporal import connect
from store import read_model, views
from store.database import Database
from workflows.addresses import TASK_QUEUE, engagement_workflow
from workflows.engagement import EngagementWorkflow
from workflows.ports import Carried

console = Console()


def restore() -> None:
    """Start again, from the journal, every open engagement that Temporal does not know."""
    found = asyncio.run(_restore())
    for engagement_id in found:
        console.print(f"{engagement_id}: goes on from its journal")
    if not found:
        console.print("Temporal knows every open engagement.")


async def _restore() -> list[str]:
    settings = load_settings()
    database = Database(settings.database_url.get_secret_value())
    try:
        return await restored(await connect(settings), database)
    finally:
        await database.close()


async def restored(client: Client, database: Database) -> list[str]:
    """Start the workflow of every open engagement that has none; returns their ids. The same twice changes nothing."""
    async with database.reading() as connection:
        every = await views.engagement_ids(connection)
    missing = [engagement_id for engagement_id in every if not await _runs(client, engagement_id)]
    begun = []
    for engagement_id in missing:
        async with database.reading() as connection:
            engagement = await read_model.standing(connection, engagement_id)
        if engagement is not None and not engagement.ended:
            await _begin(client, engagement)
            begun.append(engagement_id)
    return begun


async def _runs(client: Client, engagement_id: str) -> bool:
    """Whether a workflow of this engagement is running. A run that was terminated or failed counts as lost."""
    try:
        found = await client.get_workflow_handle(engagement_workflow(engagement_id)).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return found.status is WorkflowExecutionStatus.RUNNING


async def _begin(client: Client, engagement: Engagement) -> None:
    # The post is asked once: what the lost run had issued and not delivered still waits in the outbox.
    sequence = engagement.sequence
    carried = Carried(engagement=engagement, recorded=sequence, issued=sequence, posted=0)
    await client.start_workflow(
        EngagementWorkflow.run,
        carried,
        id=engagement_workflow(engagement.id),
        task_queue=TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
