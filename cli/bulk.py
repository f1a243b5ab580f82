"""`olive bulk`: one request of many engagements. First what would come of it, then that."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Annotated

import typer

from cli.remote import Json, Remote, RemoteError
from programme.working_time import uk_date

POLL_SECONDS = 0.5
app = typer.Typer(help="Ask something of many engagements: a dry run first, then exactly that.")

Trust = Annotated[str, typer.Option(help="All of a trust, by its ODS code.")]
Stage = Annotated[str, typer.Option(help="All that stand in this stage, such as delivery.")]
Named = Annotated[list[str] | None, typer.Option("--engagement", help="One engagement; may be said several times.")]
RunNow = Annotated[bool, typer.Option("--run", help="Carry it out at once, after the dry run.")]


@app.command()
def pause(  # noqa: PLR0913 - the options of a command
    reason: Annotated[str, typer.Option(help="Why; both sponsors of each read it.")],
    resumes: Annotated[str, typer.Option(help="The day on which it goes on, as 2027-01-04.")],
    trust: Trust = "",
    stage: Stage = "",
    engagement: Named = None,
    window: Annotated[
        str, typer.Option(help="A questionnaire that is open is closed or extended: 'close' or 'extend'.")
    ] = "",
    *,
    run: RunNow = False,
) -> None:
    """Pause engagements until a day: a whole trust in a winter peak, for example."""
    details = {"reason": reason, "resumes": resumes, **({"window": window} if window else {})}
    _ask(_chosen(trust, stage, engagement) | {"pause": details}, run=run)


@app.command()
def resume(trust: Trust = "", stage: Stage = "", engagement: Named = None, *, run: RunNow = False) -> None:
    """Let paused engagements go on before their day."""
    _ask(_chosen(trust, stage, engagement) | {"resume": {}}, run=run)


@app.command()
def tell(
    text: Annotated[str, typer.Argument(help="One sentence, on the record, without names and links.")],
    trust: Trust = "",
    stage: Stage = "",
    engagement: Named = None,
    *,
    run: RunNow = False,
) -> None:
    """Tell everybody who takes part something; their next message says that it is there."""
    _ask(_chosen(trust, stage, engagement) | {"tell_participants": {"text": text}}, run=run)


@app.command()
def offer(
    template: Annotated[str, typer.Argument(help="The template, by its name.")],
    trust: Trust = "",
    stage: Stage = "",
    engagement: Named = None,
    *,
    run: RunNow = False,
) -> None:
    """Offer both sponsors a template for the next cycle."""
    _ask(_chosen(trust, stage, engagement) | {"offer_template": {"template": template}}, run=run)


@app.command()
def calendar(trust: Trust = "", stage: Stage = "", engagement: Named = None, *, run: RunNow = False) -> None:
    """Bring the newest bank holidays and closures."""
    _ask(_chosen(trust, stage, engagement) | {"change_calendar": {}}, run=run)


@app.command("run")
def run_(bulk: Annotated[str, typer.Argument(help="The dry run that you have read.")]) -> None:
    """Carry out exactly what a dry run has said, and print what came of it."""
    with Remote.from_environment() as remote:
        _carry_out(remote, bulk)


@app.command()
def show(bulk: Annotated[str, typer.Argument(help="The request.")]) -> None:
    """How far a request has come, and what came of it in each engagement."""
    with Remote.from_environment() as remote:
        _print(remote, bulk)


@app.command()
def stop(bulk: Annotated[str, typer.Argument(help="The request.")]) -> None:
    """Ask no further engagement."""
    with Remote.from_environment() as remote:
        remote.begin(f"/bulk/{bulk}/stop")
        print(f"Stopped. To go on: olive bulk start {bulk}")


@app.command()
def start(bulk: Annotated[str, typer.Argument(help="The request.")]) -> None:
    """Go on where it was stopped."""
    with Remote.from_environment() as remote:
        remote.begin(f"/bulk/{bulk}/start")
        _until(remote, bulk, "finished", "stopped", "foreseen")
        _print(remote, bulk)


def _chosen(trust: str, stage: str, engagement: list[str] | None) -> Json:
    """Which engagements, as the front door takes it. Raises RemoteError."""
    if not (trust or stage or engagement):
        raise RemoteError("Say which engagements: --trust, --stage or --engagement.")
    named: Json = {"engagements": engagement} if engagement else {}
    return named | ({"trust": trust} if trust else {}) | ({"stage": stage} if stage else {})


def _ask(wanted: Json, *, run: bool) -> None:
    with Remote.from_environment() as remote:
        bulk = remote.begin("/bulk", json={"dry_run": True, **wanted})["bulk_id"]
        _until(remote, bulk, "foreseen")
        waiting = _print(remote, bulk)
        if run and waiting:
            _carry_out(remote, bulk)
        elif waiting:
            print(f"\nNothing was changed. To do exactly this:  olive bulk run {bulk}")


def _carry_out(remote: Remote, bulk: str) -> None:
    remote.begin("/bulk", json={"run": bulk})
    _until(remote, bulk, "finished", "stopped")
    _print(remote, bulk)


def _until(remote: Remote, bulk: str, *states: str) -> None:
    while remote.read(f"/bulk/{bulk}", limit="1")["state"] not in states:
        time.sleep(POLL_SECONDS)


def _print(remote: Remote, bulk: str) -> int:
    """Print a request; how many engagements wait to be asked."""
    found = remote.read(f"/bulk/{bulk}", limit="1")
    counts = ", ".join(f"{number} {state}" for state, number in found["counts"].items())
    print(f"{found['operation'].replace('_', ' ')}, {found['state']}: {counts}  ({bulk})")
    for item in remote.pages(f"/bulk/{bulk}"):
        for line in _lines(item):
            print(line)
    return int(found["counts"].get("waiting", 0))


def _lines(item: Json) -> Iterator[str]:
    about = f"{item['scope']} ({item['ods_code']})" if item["scope"] else "not yours, or none"
    yield f"{item['state']:>10}  {about}  {item['engagement_id']}"
    if item["state"] == "refused":
        yield f"{'':12}{item['code']}: {item['why']}"
    elif item["state"] == "waiting" and item["foreseen"]:
        yield from (f"{'':12}{line}" for line in _foreseen(item["foreseen"]))


def _foreseen(foreseen: Json) -> Iterator[str]:
    for news in foreseen["news"]:
        yield f"{foreseen['told']} people are told: {news}"
    days: Counter[tuple[str, str]] = Counter()
    for one in foreseen["moved"]:
        days[one["was"], one["now"]] += one["tasks"]
    for (was, now), tasks in sorted(days.items()):
        yield f"{tasks} task{'' if tasks == 1 else 's'} due on {_day(was)} would be due on {_day(now)}"


def _day(written: str) -> str:
    return uk_date(date.fromisoformat(written))
