"""`olive forecast`: when a running engagement ends, or a template with a roster; and what if something moves."""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any

import typer

from activities.calendars import snapshot
from cli import forecast_table
from cli.rehearsal import report
from cli.rehearsal.at_once import play
from cli.rehearsal.cast import FEWEST, MOST, Cast, cast
from cli.remote import Remote, RemoteError
from programme.engagement import Engagement, step
from programme.forecasting.moves import Moves, written
from programme.forecasting.outlook import HOURS, forecast
from programme.messages import CLOCK, PersonId
from programme.part import Asked
from programme.refusals import Refusal
from programme.stages.mandate import RegisterEngagement
from programme.working_time import Division, at_local, local_date
from runtime.roster import Launcher, Roster, read_csv
from runtime.settings import load_settings
from runtime.templates import Templates

MORNING = time(9)
TRUST = "Z9Z9Z"  # invented: a template is forecast for no trust in particular
SAID = "A forecast"


def forecast_(  # noqa: PLR0913, PLR0917 - the options of a command
    engagement: Annotated[str, typer.Argument(help="The id of a running engagement, as `olive status` shows it.")] = "",
    template: Annotated[str, typer.Option(help="In place of an engagement: a template.")] = "",
    roster: Annotated[Path | None, typer.Option(help="With --template: who takes part, as CSV.")] = None,
    start: Annotated[str, typer.Option(help="With --template: the day of the launch, as 2027-01-04.")] = "",
    k: Annotated[int, typer.Option(help="With --template: the smallest group whose figures are shown.")] = 11,
    division: Annotated[Division, typer.Option(help="With --template: whose bank holidays count.")] = (
        Division.ENGLAND_AND_WALES
    ),
    move: Annotated[list[str] | None, typer.Option(help="Working days later: session-b=+10.")] = None,
    absent: Annotated[list[str] | None, typer.Option(help="PERSON=2027-03-01..2027-03-19; an id or e-mail.")] = None,
    pause: Annotated[list[str] | None, typer.Option(help="2027-12-20..2028-01-04: the second day resumes.")] = None,
    add_holiday: Annotated[list[str] | None, typer.Option(help="A further bank holiday or closure.")] = None,
    hours: Annotated[int, typer.Option(min=1, max=80, help="In a fortnight, above which it is too much.")] = HOURS,
    seed: Annotated[int, typer.Option(min=1, help="Chooses between people where it is open who does something.")] = 1,
    doctors: Annotated[int, typer.Option(min=FEWEST, max=MOST, help="With --rehearsal: how many are invited.")] = 16,
    managers: Annotated[int, typer.Option(min=FEWEST, max=MOST, help="With --rehearsal: how many are invited.")] = 16,
    *,
    rehearsal: Annotated[bool, typer.Option(help="The year that `olive rehearse --seed` plays, without it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """When each stage and the cycle end: at best, at today's pace, at worst; and what moves would change."""
    if rehearsal:
        _rehearsal(template or "twelve-months", cast(seed, doctors, managers), _day(start), division, as_json=as_json)
        return
    asked = {"move": move or [], "absent": absent or [], "pause": pause or [], "add_holiday": add_holiday or []}
    if bool(engagement) == bool(template):
        raise typer.BadParameter("name an engagement, or --template with --roster and --start")
    if engagement:
        found, names = _running(engagement, asked, hours, seed)
    else:
        found, names = _template(template, _file(roster), _day(start), k, division, asked, hours, seed)
    if as_json:
        print(json.dumps(found, sort_keys=True))
    else:
        forecast_table.show(found, names)


# --- a running engagement, over HTTP ---------------------------------------------------------------------------------


def _running(
    engagement: str, asked: dict[str, list[str]], hours: int, seed: int
) -> tuple[dict[str, Any], dict[str, str]]:
    with Remote.from_environment() as remote:
        people = _people(remote, engagement)
        absent = [_with_id(one, {row.get("email", ""): row["person_id"] for row in people}) for one in asked["absent"]]
        query: dict[str, Any] = {**asked, "absent": absent, "hours": hours, "seed": seed}
        found = remote.read(f"/engagements/{engagement}/forecast", **query)
    return found, {row["person_id"]: row["name"] for row in people}


def _people(remote: Remote, engagement: str) -> list[dict[str, Any]]:
    """Who is behind an id; an auditor reads ids alone."""
    try:
        people: list[dict[str, Any]] = remote.read(f"/engagements/{engagement}/people")
    except RemoteError:
        return []
    return people


def _with_id(absence: str, ids: dict[str, PersonId]) -> str:
    person, mark, stretch = absence.partition("=")
    return f"{ids.get(person, person)}{mark}{stretch}"


# --- the year of a rehearsal, here ------------------------------------------------------------------------------------


def _rehearsal(template: str, cast_: Cast, start: date, division: Division, *, as_json: bool) -> None:
    """Every event of a rehearsal with this cast, from the core alone."""
    played = play(cast_, Templates(load_settings().templates_dir).named(template), start, division)
    stages = report.stages(played.engagement)
    if not as_json:
        forecast_table.show_rehearsal(stages, report.ending(played.engagement), len(played.entries))
        return
    happened = [[entry.event.kind, str(local_date(entry.at))] for entry in played.entries]
    told = {"ended": report.ending(played.engagement), "stages": stages, "seed": cast_.seed, "happened": happened}
    print(json.dumps(told | {"requests": played.requests, "refused": played.refused}, sort_keys=True))


# --- a template with a roster, here ----------------------------------------------------------------------------------


def _template(  # noqa: PLR0913, PLR0917 - what stands on the command line
    name: str,
    roster: Path,
    start: date,
    k: int,
    division: Division,
    asked: dict[str, list[str]],
    hours: int,
    seed: int,
) -> tuple[dict[str, Any], dict[str, str]]:
    """The forecast of a template for the people of a roster; in it, people go by the e-mail address of their line."""
    people = _rows(roster)
    at = at_local(start, MORNING)
    command = RegisterEngagement(
        engagement="forecast",
        ods_code=TRUST,
        scope=SAID,
        local_problem=SAID,
        dpia_reference=SAID,
        privacy_notice="1",
        k=k,
        template=Templates(load_settings().templates_dir).named(name),
        calendar=snapshot(division),
        people=people.enrolments([row.email for row in people.rows]),
    )
    try:
        engagement, _ = step(Engagement(), command, Asked(CLOCK, at))
        found = forecast(engagement, at, _moves(asked), seed=seed, hours=hours)
    except Refusal as refusal:
        raise RemoteError(str(refusal)) from None
    return found.model_dump(mode="json"), {row.email: row.name for row in people.rows}


def _moves(asked: dict[str, list[str]]) -> Moves:
    return written(asked["move"], asked["absent"], asked["pause"], asked["add_holiday"])


def _rows(path: Path) -> Roster:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RemoteError(f"{path} cannot be read: {error.strerror}.") from None
    found = read_csv(content, Launcher("Programme manager", "programme-manager@example.org"), ods_code=TRUST)
    if found.faults:
        raise RemoteError("\n".join(_faults(found)))
    return found


def _faults(roster: Roster) -> Iterable[str]:
    yield "The roster has faults:"
    for fault in roster.faults:
        yield f"  line {fault.line}: {fault.what}"


def _file(path: Path | None) -> Path:
    if path is None:
        raise typer.BadParameter("name the file with the people", param_hint="--roster")
    return path


def _day(text: str) -> date:
    if not text:
        return local_date(datetime.now(UTC))
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("write the day as 2027-01-04", param_hint="--start") from None
