"""Launching and looking from a terminal, against the real front door on a real port."""

import asyncio
import csv
import io
import re
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
import uvicorn
from typer.testing import CliRunner, Result

from activities.calendars import snapshot
from cli.main import app
from cli.remote import RemoteError
from programme.working_time import Division
from tests.stack import Stack, token_of

pytestmark = pytest.mark.asyncio(loop_scope="session")
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
NOWHERE = "http://127.0.0.1:9"  # the port of the discard service: nobody answers there


@dataclass(frozen=True)
class Terminal:
    """Somebody at a terminal."""

    url: str
    token: str
    folder: Path

    async def olive(self, *arguments: str | Path) -> Result:
        """Run a command, beside the server's own loop."""
        environment = {"OLIVE_URL": self.url, "OLIVE_TOKEN": self.token, "OLIVE_DATA_DIR": str(self.folder)}
        words = [str(one) for one in arguments]
        return await asyncio.to_thread(lambda: CliRunner().invoke(app, words, env=environment))

    async def refused(self, *arguments: str | Path) -> str:
        """What a command says that cannot be done."""
        result = await self.olive(*arguments)
        assert isinstance(result.exception, RemoteError), result.output
        return str(result.exception)

    def engagement(self, **changes: str) -> Path:
        """The shipped example, of a scope of its own."""
        scope = changes.get("scope", f"Emergency department {secrets.token_hex(4)}")
        content = (EXAMPLES / "engagement.yaml").read_text(encoding="utf-8")
        path = self.folder / f"{secrets.token_hex(4)}.yaml"
        path.write_text(re.sub(r"^scope: .*$", f"scope: {scope}", content, flags=re.MULTILINE), encoding="utf-8")
        return path


@asynccontextmanager
async def listening(stack: Stack) -> AsyncIterator[str]:
    """The front door on a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(stack.app, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"  # connections wait from the beginning
        server.should_exit = True
        await serving


@pytest_asyncio.fixture(loop_scope="session")
async def terminal(stack: Stack, tmp_path: Path) -> AsyncIterator[Terminal]:
    """A programme manager at a terminal."""
    async with listening(stack) as url:
        yield Terminal(url, await stack.manager(), tmp_path)


def keep(path: Path, content: str) -> None:
    """Write a file."""
    path.write_text(content, encoding="ascii")


def launched(result: Result) -> str:
    """The id of what was launched."""
    assert result.exit_code == 0, result.output or result.exception
    found = re.search(r"Launched: (\S+)", result.output)
    assert found, result.output
    return found[1]


async def test_the_shipped_example_can_be_launched_and_looked_at(terminal: Terminal) -> None:
    about = terminal.engagement(scope="Emergency department, as shipped")
    engagement = launched(await terminal.olive("launch", about, "--people", EXAMPLES / "roster.csv"))
    standing = (await terminal.olive("status")).output
    assert engagement in standing
    assert "Waiting for willingness" in standing
    coming = (await terminal.olive("agenda", engagement)).output
    assert "still missing: both sponsors' willingness must be in force" in coming
    assert len((await terminal.olive("agenda", engagement, "--most", "1")).output.splitlines()) < len(
        coming.splitlines()
    )
    happened = (await terminal.olive("history", engagement)).output
    assert [line.split()[0] for line in happened.splitlines()] == [
        str(n + 1) for n in range(len(happened.splitlines()))
    ]
    (registered,) = (await terminal.olive("history", engagement, "--kind", "EngagementRegistered")).output.splitlines()
    assert registered in happened


async def test_every_faulty_row_is_named_and_nothing_is_loaded(terminal: Terminal) -> None:
    with (EXAMPLES / "roster.csv").open(encoding="utf-8", newline="") as roster:
        rows = list(csv.reader(roster))
    rows[3][1] = "nobody"
    rows[5][2] = "king"
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    faulty = terminal.folder / "faulty.csv"
    faulty.write_text(written.getvalue(), encoding="utf-8")
    about = terminal.engagement()
    said = await terminal.refused("launch", about, "--people", faulty)
    assert re.findall(r"line (\d+):", said) == ["4", "6"]
    launched(await terminal.olive("launch", about, "--people", EXAMPLES / "roster.csv"))


async def test_the_same_trust_and_scope_is_not_opened_twice(terminal: Terminal) -> None:
    about = terminal.engagement()
    launched(await terminal.olive("launch", about, "--people", EXAMPLES / "roster.csv"))
    assert "open already" in await terminal.refused("launch", about, "--people", EXAMPLES / "roster.csv")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("scope: [Emergency\nods_code: R1A", "line 2: this is not YAML"),
        ("- a list", "one 'name: value' a line"),
        ("\x00", "this is not YAML"),
        ("scope: Emergency department", "engagement.ods_code: Field required"),
        ("ods_code: R1A\nking: Arthur", "engagement.king"),
        ("ods_code: R1A\nk: many", "engagement.k: "),
    ],
)
async def test_a_file_that_is_no_engagement_says_where_it_is_wrong(terminal: Terminal, content: str, said: str) -> None:
    wrong = terminal.folder / "wrong.yaml"
    wrong.write_text(content, encoding="utf-8")
    assert said in await terminal.refused("launch", wrong, "--people", EXAMPLES / "roster.csv")


async def test_a_file_that_is_not_there_is_named(terminal: Terminal) -> None:
    said = await terminal.refused("launch", terminal.folder / "none.yaml", "--people", EXAMPLES / "roster.csv")
    assert "none.yaml cannot be read" in said


async def test_a_stranger_sees_nothing_and_is_told_so(terminal: Terminal, stack: Stack) -> None:
    engagement = await stack.launch()
    stranger = Terminal(terminal.url, "olive_nobody", terminal.folder)
    assert "olive token" in await stranger.refused("status")
    _, elsewhere = await token_of(stack.database, "Sam Stranger", "sam.stranger@example.nhs.uk")
    someone = Terminal(terminal.url, elsewhere, terminal.folder)
    assert "no engagement with this id" in await someone.refused("agenda", engagement.id)


async def test_an_auditor_reads_the_history_without_names(terminal: Terminal, stack: Stack) -> None:
    auditing = {"name": "Ada Auditor", "email": "ada@example.nhs.uk", "roles": "auditor"}
    engagement = await stack.launch([*_rows(), auditing])
    auditor = Terminal(terminal.url, engagement.tokens["ada"], terminal.folder)
    happened = (await auditor.olive("history", engagement.id)).output
    assert "EngagementRegistered" in happened
    assert "Parveen" not in happened
    assert "Parveen" in (await terminal.olive("history", engagement.id)).output


def _rows() -> list[dict[str, str]]:
    return [
        {"name": "Mel Medical", "email": "mel@example.nhs.uk", "roles": "medical_sponsor"},
        {"name": "Max Managerial", "email": "max@example.nhs.uk", "roles": "managerial_sponsor"},
    ]


async def test_a_front_door_that_does_not_answer_is_named(terminal: Terminal) -> None:
    said = await Terminal(NOWHERE, terminal.token, terminal.folder).refused("status")
    assert NOWHERE in said
    assert "olive up" in said


async def test_the_token_of_a_development_stack_is_found_in_its_folder(terminal: Terminal) -> None:
    keep(terminal.folder / "token", terminal.token)
    assert (await Terminal(terminal.url, "", terminal.folder).olive("status")).exit_code == 0


async def test_without_any_token_one_is_asked_for(terminal: Terminal) -> None:
    assert "OLIVE_TOKEN" in await Terminal(terminal.url, "", terminal.folder).refused("status")


def next_monday() -> date:
    """A Monday to come that is no bank holiday anywhere."""
    closed = {one.on for division in Division for one in snapshot(division).holidays}
    day = datetime.now(UTC).date() + timedelta(days=7)
    while day.weekday() or day in closed:
        day += timedelta(days=1)
    return day


async def test_a_late_holiday_is_previewed_announced_listed_and_taken_back(terminal: Terminal) -> None:
    day = next_monday()
    said = ("holiday", "add", str(day), "--name", "A day of mourning", "--trust", "RXP")
    previewed = (await terminal.olive(*said, "--preview")).output
    assert "does not count as a working day for 0 running programmes" in previewed
    assert "Nothing was kept" in previewed
    assert "trust RXP" not in (await terminal.olive("holidays")).output
    assert "Re-planning has begun" in (await terminal.olive(*said)).output
    listed = (await terminal.olive("holidays")).output
    found = re.search(r"trust RXP {2}(\S+)", listed)
    assert found, listed
    assert "no due date moves earlier" in (await terminal.olive("holiday", "withdraw", found[1])).output
    assert "(taken back)" in (await terminal.olive("holidays")).output
    assert await terminal.refused("holiday", "add", "tomorrow", "--name", "Snow") == (
        "'tomorrow' is no date. Write it as 2027-06-03."
    )
