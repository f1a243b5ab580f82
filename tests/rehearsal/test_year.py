"""A whole year, every role acting over HTTP on the real worker, API and Temporal: twice at once, from one seed."""

import asyncio
import json
import os
import sqlite3
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cli.rehearsal.at_once import played
from cli.rehearsal.cast import cast
from cli.rehearsal.report import stages
from programme.working_time import Division
from runtime.templates import Templates

SIZE = ("--doctors", "8", "--managers", "10")  # one of the managers never answers
PATIENCE = 600.0  # seconds; it takes one when nothing else runs
STAGES = {"mandate", "diagnosis", "exchange", "sessions", "agreement", "delivery", "challenge", "renewal"}


async def olive(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `olive` with these arguments."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env={name: value for name, value in os.environ.items() if not name.startswith(("OLIVE_", "TEMPORAL_"))},
    )
    async with asyncio.timeout(PATIENCE):
        said, faults = await process.communicate()
    return process.returncode or 0, said.decode(), faults.decode()


async def rehearsed(folder: Path) -> dict[str, Any]:
    """What `olive rehearse --json` prints: one object and nothing else."""
    code, said, faults = await olive("rehearse", "--json", *SIZE, "--data", str(folder))
    assert code == 0, faults
    report: dict[str, Any] = json.loads(said)
    return report


def journal(folder: Path) -> list[tuple[str, str, dict[str, Any]]]:
    """What happened: kind, day and event, in order."""
    connection = sqlite3.connect(folder / "olive.sqlite3")
    try:
        lines = connection.execute("SELECT kind, at, body FROM journal ORDER BY sequence").fetchall()
    finally:
        connection.close()
    return [(kind, at[:10], json.loads(body)["event"]) for kind, at, body in lines]


async def test_the_same_seed_rehearses_the_same_whole_year(tmp_path: Path) -> None:
    folders = tmp_path / "one", tmp_path / "other"
    report, again = await asyncio.gather(*map(rehearsed, folders))
    happened = journal(folders[0])
    assert [line[:2] for line in happened] == [line[:2] for line in journal(folders[1])]
    assert [report[name] for name in ("stages", "events")] == [again[name] for name in ("stages", "events")]
    await the_core_alone_agrees(report, happened)
    its_ending_is_real(report, happened, folders[0])
    its_story_is_told(happened)


async def the_core_alone_agrees(report: dict[str, Any], happened: list[tuple[str, str, dict[str, Any]]]) -> None:
    """What ran on Temporal over HTTP is, event by event and day by day, what the core foresees for the same people."""
    start = date.fromisoformat(report["stages"][0]["started"])
    template = Templates().named("twelve-months")
    foreseen = await played(cast(report["seed"], 8, 10), template, start, Division.ENGLAND_AND_WALES)
    assert [(entry.event.kind, str(entry.at)[:10]) for entry in foreseen.entries] == [line[:2] for line in happened]
    assert stages(foreseen.engagement) == report["stages"]


def its_ending_is_real(report: dict[str, Any], happened: list[tuple[str, str, dict[str, Any]]], folder: Path) -> None:
    """Every stage was gone through, every message left, and journal, fold and workflow are level."""
    assert report["ended"] == "renewed"
    assert report["verified"], report["differences"]
    assert {span["stage"] for span in report["stages"]} == STAGES
    assert all(span["started"] <= span["ended"] for span in report["stages"])
    assert report["events"] == len(happened)
    issued = sum(1 for kind, _, _ in happened if kind == "MessageIssued")
    assert report["messages"] == issued == len(list((folder / "mail").iterdir()))
    assert report["runs"] > 1
    assert report["history_events"] > report["runs"] * 1000 * 0.9
    assert report["refusals"] == sum(report["refused"].values()) > 0


def its_story_is_told(happened: list[tuple[str, str, dict[str, Any]]]) -> None:
    """Somebody is silent, one objects, something is declined, a session fails; winter, a late holiday, a leaver."""
    kinds = {kind for kind, _, _ in happened}
    assert {"SafetyObjectionRaised", "ActionDeclined", "ActionApproved", "ActionVerified", "PairExcused"} <= kinds
    assert {"AnswersWithdrawn", "ConversationRecorded", "EngagementPausedUntil", "EngagementResumed"} <= kinds
    assert {"CalendarChanged", "HandoverNoted", "HandoverAccepted", "PersonLeft", "OwnershipAccepted"} <= kinds
    assert any("The day of mourning" in event["why"] for kind, _, event in happened if kind == "DueDateMoved")
    assert {event["quorate"] for kind, _, event in happened if kind == "AttendanceRecorded"} == {True, False}
    assert {event["recognised"] for kind, _, event in happened if kind == "ReflectionMarked"} == {True, False}
    assert "improvement" in {event["meaning"] for kind, _, event in happened if kind == "SignalRaised"}
    drafts = [event["source"] for kind, _, event in happened if kind == "ActionDrafted"]
    assert any("internal" in source for source in drafts), "a recommendation becomes a draft action"


def everything_in(folder: Path) -> list[Path]:
    """What a folder holds."""
    return list(folder.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--doctors", "7"), "doctors"),
        (("--start", "2020-01-06"), "ahead"),
        (("--start", "Monday"), "2027-01-04"),
        (("--template", "nobody-wrote-it"), "no such template"),
    ],
)
async def test_a_rehearsal_that_cannot_be_says_why(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    code, output, faults = await olive("rehearse", "--data", str(tmp_path / "data"), *arguments)
    assert code != 0
    assert said in faults
    assert not output


async def test_a_folder_that_holds_data_is_left_as_it_is(tmp_path: Path) -> None:
    kept = tmp_path / "olive.sqlite3"
    kept.write_bytes(b"somebody's year")
    code, _, faults = await olive("rehearse", "--data", str(tmp_path))
    assert code == 1
    assert "holds data already" in faults
    assert everything_in(tmp_path) == [kept]
    assert kept.read_bytes() == b"somebody's year"
