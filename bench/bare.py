"""What the front door is measured beside: a minimal workflow's update behind the same kind of endpoint.

`python bench/bare.py worker ADDRESS NAMESPACE` and `python bench/bare.py api ADDRESS NAMESPACE PORT`.
"""

import asyncio
import gc
import sys
from datetime import timedelta

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from temporalio import workflow
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

QUEUE = "bare"


class Step(BaseModel):
    """One step of somebody."""

    command_id: str
    by: str
    side: str
    privacy_notice: str


class Done(BaseModel):
    """Its place in the order of steps."""

    sequence: int


@workflow.defn(name="Bare")
class BareWorkflow:
    """Counts steps, refuses a doubled one, and does nothing else."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._seen: set[str] = set()

    @workflow.update(name="submit")
    def submit(self, step: Step) -> Done:
        """Count."""
        self._seen.add(step.command_id)
        return Done(sequence=len(self._seen))

    @submit.validator
    def _validate(self, step: Step) -> None:
        if step.command_id in self._seen:
            raise ValueError("seen")

    @workflow.run
    async def run(self) -> None:
        """Stay open."""
        await workflow.sleep(timedelta(days=365))


async def _client(address: str, namespace: str) -> Client:
    return await Client.connect(address, namespace=namespace, data_converter=pydantic_data_converter)


async def _work(address: str, namespace: str) -> None:
    client = await _client(address, namespace)
    async with Worker(client, task_queue=QUEUE, workflows=[BareWorkflow], workflow_runner=UnsandboxedWorkflowRunner()):
        await asyncio.Event().wait()


async def _serve(address: str, namespace: str, port: int) -> None:
    client = await _client(address, namespace)
    app = FastAPI()

    @app.post("/steps/{workflow_id}")
    async def step(workflow_id: str, body: Step) -> Done:
        handle = client.get_workflow_handle(workflow_id)
        return await handle.execute_update(BareWorkflow.submit, body, id=body.command_id)

    await uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning")).serve()


if __name__ == "__main__":
    what, address, namespace, *rest = sys.argv[1:]
    try:
        asyncio.run(_work(address, namespace) if what == "worker" else _serve(address, namespace, int(rest[0])))
    except KeyboardInterrupt:
        pass
    finally:
        gc.collect()
