"""What a rehearsal has to say: where the programme stands while it runs, and afterwards what happened."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TypedDict

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from cli.rehearsal.front_door import Json
from programme.gates import TITLES
from programme.messages import Stage
from programme.working_time import uk_date

MONTH_DAYS = 30.5


class Span(TypedDict):
    """A stage, and its first and last day."""

    stage: str
    cycle: int
    started: str
    ended: str | None


@dataclass(frozen=True)
class Report:
    """One rehearsal in figures. ``history_events`` is the sum over all ``runs`` of the workflow.

    ended: renewed, sustaining, closed or not_ready. stages: each with its first and last day, None where it goes on.
    refusals: how many requests were refused; ``refused`` counts them by their reason.
    """

    engagement_id: str
    ended: str
    stages: list[Span]
    events: int
    messages: int
    refusals: int
    refused: dict[str, int]
    requests: int
    history_events: int
    runs: int
    seconds: float
    verified: bool
    differences: list[str]
    seed: int
    data: str


def stages(engagement: Json) -> list[Span]:
    """The stages that the rehearsed cycle went through; what the next one has begun is not part of the story."""
    return [
        Span(stage=span["stage"], cycle=span["cycle"], started=span["started"], ended=span["ended"])
        for span in engagement["stages"]
        if span["cycle"] <= 1
    ]


def ending(engagement: Json) -> str:
    """How the programme came out."""
    if engagement["ended"]:
        return str(engagement["ended"])
    return "sustaining" if engagement["progress"] == "Sustaining" else "renewed"


class Narrator:
    """A progress bar that says where the programme stands and which day it is; silent where nobody watches."""

    def __init__(self, start: date, months: int, progress: Progress | None) -> None:
        self._start = start
        self._days = round(months * MONTH_DAYS)
        self._progress = progress
        self._task = progress.add_task("Waiting", total=self._days, day="") if progress else None

    async def tell(self, engagement: Json, today: date) -> None:
        """Move the bar."""
        if self._progress is not None and self._task is not None:
            days = (today - self._start).days
            self._progress.update(
                self._task, completed=min(days, self._days), description=engagement["progress"], day=uk_date(today)
            )


@contextmanager
def narrating(start: date, months: int, *, silent: bool) -> Iterator[Narrator]:
    """A narrator, on standard error so that standard output holds the report alone."""
    if silent:
        yield Narrator(start, months, None)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<24}"),
        BarColumn(),
        TextColumn("{task.fields[day]:>17}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield Narrator(start, months, progress)


def print_json(report: Report) -> None:
    """One object, and nothing else."""
    sys.stdout.write(json.dumps(asdict(report)) + "\n")


def print_table(report: Report, data: Path) -> None:
    """The same for people."""
    console = Console(highlight=False)
    table = Table("Stage", "From", "To", box=None, pad_edge=False)
    for span in report.stages:
        ended = _day(span["ended"]) if span["ended"] else "goes on"
        table.add_row(TITLES[Stage(span["stage"])], _day(span["started"]), ended)
    console.print(f"\n[bold]The programme came out as: {report.ended.replace('_', ' ')}[/bold]\n")
    console.print(table)
    refused = ", ".join(f"{name} {number}" for name, number in sorted(report.refused.items())) or "none"
    console.print(f"\nEvents {report.events}, messages sent {report.messages}, requests {report.requests}")
    console.print(f"Refusals met: {refused}")
    console.print(
        f"Temporal: {report.history_events} history events in {report.runs} runs; {report.seconds:.1f} seconds"
    )
    agree = "agree" if report.verified else "DO NOT agree: " + "; ".join(report.differences)
    console.print(f"Journal, read model and running workflow {agree}.")
    console.print(f"\nLook at it:  olive up --data {data}\nIts e-mails: {data / 'mail'}\n")


def _day(written: str) -> str:
    return uk_date(date.fromisoformat(written))
