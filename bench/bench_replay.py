"""How long a worker needs to take up an engagement that it does not hold: replaying the runs of a rehearsed year."""

import time

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from tests.workflows.test_replay import REPLAYER, STORED, history_in
from worker.sandbox import runner


async def bench_replay() -> None:
    """Each stored run, the longest first (wanted: the longest under 2 s)."""
    histories = sorted((history_in(path) for path in STORED), key=lambda history: -len(history.events))
    await _seconds(histories[-1])  # the first replay of a process also imports
    for history in histories[:3]:
        print(f"\n{len(history.events)} events: {await _seconds(history):.2f} s")


async def _seconds(history: WorkflowHistory) -> float:
    replayer = Replayer(**REPLAYER, workflow_runner=runner())
    began = time.perf_counter()
    await replayer.replay_workflow(history)
    return time.perf_counter() - began
