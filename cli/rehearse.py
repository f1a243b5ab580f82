"""`olive rehearse`: a whole programme with every role acting, on the real API, worker and Temporal, in a minute."""

import asyncio
import gzip
import itertools
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from temporalio.client import WorkflowHistory

from activities.calendars import snapshot
from cli.keeping import verified
from cli.rehearsal import report
from cli.rehearsal.cast import FEWEST, MOST, Cast, cast
from cli.rehearsal.front_door import PATIENCE_SECONDS, FrontDoor, Json
from cli.rehearsal.house import House, house
from cli.rehearsal.opening import opening
from cli.rehearsal.report import Report
from cli.rehearsal.scene import Scene
from cli.rehearsal.year import ACTS_AT, LAST_POST, Year
from programme.messages import Role
from programme.working_time import Division, WorkingTime, at_local, local_date
from runtime.settings import Settings
from runtime.templates import Templates, shipped_questionnaire

DEFAULT_FOLDER = Path("olive-rehearsal")
_CLIENT: dict[str, Any] = {"timeout": PATIENCE_SECONDS, "limits": httpx.Limits(max_connections=16)}


def rehearse(  # noqa: PLR0913, PLR0917 - the options of a command
    template: Annotated[str, typer.Option(help="The programme template to rehearse.")] = "twelve-months",
    doctors: Annotated[int, typer.Option(min=FEWEST, max=MOST, help="How many doctors are invited.")] = 16,
    managers: Annotated[int, typer.Option(min=FEWEST, max=MOST, help="How many managers are invited.")] = 16,
    seed: Annotated[int, typer.Option(min=1, help="The same seed rehearses the same year.")] = 1,
    data: Annotated[Path | None, typer.Option(help="An empty folder for everything that comes of it.")] = None,
    start: Annotated[
        str, typer.Option(help="The first day, as 2027-01-04. Default: the next January's first Monday.")
    ] = "",
    division: Annotated[Division, typer.Option(help="Whose bank holidays count.")] = Division.ENGLAND_AND_WALES,
    histories: Annotated[Path | None, typer.Option(help="Keep what Temporal wrote in this folder.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Rehearse a whole programme: every role acts over HTTP, on real Temporal with a skipping clock."""
    _forget_other_servers()
    folder = data or _fresh(DEFAULT_FOLDER)
    wanted = Wanted(template, cast(seed, doctors, managers), folder, _day(start), division, histories)
    outcome = asyncio.run(_rehearse(wanted, silent=as_json))
    if as_json:
        report.print_json(outcome)
    else:
        report.print_table(outcome, folder)
    if not outcome.verified:
        raise typer.Exit(1)


@dataclass(frozen=True)
class Wanted:
    """What is rehearsed, with whom, where, and from which day on (None: the default)."""

    template: str
    cast: Cast
    folder: Path
    start: date | None
    division: Division
    histories: Path | None = None


async def _rehearse(wanted: Wanted, *, silent: bool) -> Report:
    began = time.perf_counter()
    template = Templates(Settings().templates_dir).named(wanted.template)
    async with house(wanted.folder) as stage, httpx.AsyncClient(base_url=stage.url, **_CLIENT) as http:
        start = wanted.start or _next_january(await stage.now())
        await stage.skip_to(at_local(start, ACTS_AT))
        tokens, ids = await stage.tokens(wanted.cast.players)
        door = FrontDoor(http, tokens)
        calendar = WorkingTime(snapshot(wanted.division))
        scene = Scene(wanted.cast, door, ids, shipped_questionnaire(), calendar, template, await stage.now())
        await door.launch(scene.manager, opening(wanted.cast, wanted.template, wanted.division))
        months = template.rediagnosis_month + 2  # with the mandate before the cycle, and the decisions at its end
        with report.narrating(start, months, silent=silent) as narrator:
            year = Year(scene, stage, partial(stage.settled, door.engagement_id), narrator.tell)
            engagement = await year.play()
        return await _reported(wanted, stage, door, engagement, began)


async def _reported(wanted: Wanted, stage: House, door: FrontDoor, engagement: Json, began: float) -> Report:
    """Let the last messages leave, hold the three witnesses against each other, and count."""
    await stage.skip_to(await stage.now() + LAST_POST)
    await stage.settled(door.engagement_id)
    differences = (await verified(stage.settings)).get(door.engagement_id, ["the store does not know the engagement"])
    histories = await stage.histories(door.engagement_id)
    if wanted.histories:
        _keep(histories, wanted.histories)
    door.moved_on()
    ended = await door.engagement(wanted.cast.having(Role.PROGRAMME_MANAGER))
    return Report(
        engagement_id=door.engagement_id,
        ended=report.ending(engagement),
        stages=report.stages(engagement),
        events=ended["sequence"],
        messages=stage.messages,
        refusals=door.refused.total(),
        refused=dict(door.refused),
        requests=door.asked,
        history_events=sum(len(history.events) for history in histories),
        runs=len(histories),
        seconds=round(time.perf_counter() - began, 2),
        verified=not differences,
        differences=differences,
        seed=wanted.cast.seed,
        data=str(wanted.folder),
    )


def _keep(histories: Sequence[WorkflowHistory], folder: Path) -> None:
    """Store each run's history, the first run first, for the tests that replay them with a later build."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, history in enumerate(reversed(histories), 1):
        text = json.dumps({"id": history.workflow_id, "history": history.to_json_dict()}, sort_keys=True)
        (folder / f"run-{number:02d}.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


def _next_january(now: datetime) -> date:
    """The first Monday of the January after this moment."""
    first = date(local_date(now).year + 1, 1, 1)
    return first + timedelta(days=-first.weekday() % 7)


def _forget_other_servers() -> None:
    """What somebody has set for Temporal is meant for another server than the one of a rehearsal."""
    for name in [one for one in os.environ if one.startswith("TEMPORAL_")]:
        del os.environ[name]


def _day(written: str) -> date | None:
    """The day that --start names; time only moves forward, so it must lie ahead."""
    if not written:
        return None
    try:
        day = date.fromisoformat(written)
    except ValueError:
        raise typer.BadParameter("write the day as 2027-01-04", param_hint="--start") from None
    if day <= local_date(datetime.now(UTC)):
        raise typer.BadParameter("name a day that lies ahead", param_hint="--start")
    return day


def _fresh(folder: Path) -> Path:
    """The folder, or the next of its name that does not exist yet."""
    numbered = (folder.with_name(f"{folder.name}-{number}") for number in itertools.count(2))
    return next(one for one in itertools.chain((folder,), numbered) if not one.exists())
