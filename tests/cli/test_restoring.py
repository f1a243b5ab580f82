"""An engagement outlives its Temporal server: the journal is enough to go on from."""

import shutil
from pathlib import Path

import pytest

from cli.keeping import verified
from cli.restoring import restored
from tests.stack import Launched, Stack, running
from workflows.addresses import engagement_workflow


async def differences(stack: Stack, engagement_id: str) -> list[str]:
    """What `olive verify` finds about one engagement."""
    settings = stack.settings.model_copy(update={"temporal_address": stack.temporal.address})
    return (await verified(settings))[engagement_id]


async def launched(folder: Path) -> tuple[str, dict[str, str]]:
    """An engagement on a server that is lost afterwards: its id, and its people's tokens."""
    async with running(folder) as stack:
        engagement = await stack.launch()
        (await engagement.post("mel", "state-willingness", {"answer": "willing"})).raise_for_status()
    shutil.rmtree(folder / "temporal")
    return engagement.id, engagement.tokens


async def test_an_engagement_goes_on_after_its_temporal_server_is_lost(tmp_path: Path) -> None:
    engagement_id, tokens = await launched(tmp_path)
    async with running(tmp_path) as stack:
        engagement = Launched(stack, engagement_id, tokens)
        before = (await engagement.get("pm")).json()["sequence"]
        assert await differences(stack, engagement_id) == ["workflow: none is known to Temporal"]
        assert (await engagement.post("max", "state-willingness", {"answer": "willing"})).status_code == 503

        assert await restored(stack.client, stack.database) == [engagement_id]
        answer = await engagement.post("max", "state-willingness", {"answer": "willing"})
        assert answer.status_code == 200, answer.text
        assert "WillingnessRevealed" in {event["kind"] for event in answer.json()["events"]}
        assert (await engagement.get("pm")).json()["sequence"] > before
        assert await differences(stack, engagement_id) == []


@pytest.mark.asyncio(loop_scope="session")
async def test_what_temporal_knows_is_left_alone(stack: Stack) -> None:
    engagement = await stack.launch()
    runs = stack.client.get_workflow_handle(engagement_workflow(engagement.id))
    before = (await runs.describe()).run_id
    await restored(stack.client, stack.database)
    assert await restored(stack.client, stack.database) == []
    assert (await runs.describe()).run_id == before


@pytest.mark.asyncio(loop_scope="session")
async def test_a_run_that_was_terminated_is_taken_up_again(stack: Stack) -> None:
    engagement = await stack.launch()
    await stack.client.get_workflow_handle(engagement_workflow(engagement.id)).terminate("by mistake")
    assert engagement.id in await restored(stack.client, stack.database)
    answer = await engagement.post("mel", "state-willingness", {"answer": "willing"})
    assert answer.status_code == 200, answer.text
    assert await differences(stack, engagement.id) == []
