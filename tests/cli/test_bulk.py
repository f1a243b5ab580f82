"""`olive bulk`: what a programme manager reads at a terminal before and after asking many engagements."""

import re
import secrets
import string
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from programme.working_time import uk_date
from tests.cli.test_terminal import Terminal, listening
from tests.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")
RESUMES = (datetime.now(UTC) + timedelta(days=14)).date()


@pytest_asyncio.fixture(loop_scope="session")
async def terminal(stack: Stack, tmp_path: Path) -> AsyncIterator[Terminal]:
    async with listening(stack) as url:
        yield Terminal(url, await stack.manager(), tmp_path)


def trust() -> str:
    letters, digits = string.ascii_uppercase, string.digits
    return "".join(secrets.choice(kind) for kind in (letters, digits, letters, digits, letters))


async def test_a_whole_trust_is_paused_after_its_dry_run_was_read(stack: Stack, terminal: Terminal) -> None:
    code = trust()
    engagements = [await stack.launch(ods_code=code) for _ in range(2)]
    said = await terminal.olive(
        "bulk", "pause", "--trust", code, "--reason", "Winter pressure", "--resumes", str(RESUMES)
    )
    assert said.exit_code == 0, said.output
    assert "pause, foreseen: 2 waiting" in said.output
    assert f"2 people are told: Paused until {uk_date(RESUMES)}" in said.output
    assert re.search(r"tasks? due on .* would be due on ", said.output)
    assert all(one.id in said.output for one in engagements)
    assert [(await one.get("pm")).json()["paused_until"] for one in engagements] == [None, None]
    found = re.search(r"olive bulk run (\S+)", said.output)
    assert found
    done = await terminal.olive("bulk", "run", found[1])
    assert "pause, finished: 2 done" in done.output
    assert (await terminal.olive("bulk", "show", found[1])).output == done.output
    assert "not under way" in await terminal.refused("bulk", "stop", found[1])


async def test_what_is_refused_says_why_and_nothing_is_left_to_run(stack: Stack, terminal: Terminal) -> None:
    engagement = await stack.launch(ods_code=trust())
    said = await terminal.olive("bulk", "resume", "--engagement", engagement.id)
    assert "NotPaused: This engagement is not paused." in said.output
    assert "olive bulk run" not in said.output


async def test_with_run_it_is_carried_out_at_once(stack: Stack, terminal: Terminal) -> None:
    engagement = await stack.launch(ods_code=trust())
    when = ("--reason", "Snow", "--resumes", str(RESUMES))
    said = await terminal.olive("bulk", "pause", "--engagement", engagement.id, *when, "--run")
    assert "pause, finished: 1 done" in said.output
    again = await terminal.olive("bulk", "resume", "--engagement", engagement.id, "--run")
    assert "resume, finished: 1 done" in again.output


async def test_whoever_chooses_nothing_is_asked_to_choose(terminal: Terminal) -> None:
    assert "--trust" in await terminal.refused("bulk", "calendar")
    assert "no such template" in await terminal.refused("bulk", "offer", "none", "--trust", "R1A")
