"""`olive holiday`: announce a day on which trusts do not work, or take it back; `olive holidays` lists them."""

from datetime import date
from typing import Annotated
from uuid import uuid4

import typer

from cli.remote import Json, Remote, RemoteError
from programme.working_time import Division, uk_day

app = typer.Typer(help="Announce a bank holiday or a closure late, or take it back: running programmes re-plan.")


@app.command()
def add(
    on: Annotated[str, typer.Argument(metavar="DATE", help="The day, as 2027-06-03.")],
    *,
    name: Annotated[str, typer.Option(help="What it is called: it stands in the reason of each due date it moves.")],
    division: Annotated[Division | None, typer.Option(help="Only for the trusts of one holiday division.")] = None,
    trust: Annotated[str | None, typer.Option(help="Only for one trust, by its ODS code.")] = None,
    engagement: Annotated[str | None, typer.Option(help="Only for one engagement, by its id.")] = None,
    preview: Annotated[bool, typer.Option(help="Only say what it would do.")] = False,
) -> None:
    """Announce a day. Without division, trust or engagement it counts for everybody."""
    body = {"on": _day(on), "name": name, "division": division and division.value, "trust": trust}
    query = {"preview": "true"} if preview else {}
    with Remote.from_environment() as remote:
        said = remote.send("/holidays", uuid4().hex, json=body | {"engagement": engagement}, params=query)
    _print(said)


@app.command()
def withdraw(announcement: Annotated[str, typer.Argument(help="Its id, as `olive holidays` shows it.")]) -> None:
    """Take an announced day back. No due date moves earlier for it."""
    with Remote.from_environment() as remote:
        _print(remote.send(f"/holidays/{announcement}/withdraw", uuid4().hex))


def holidays(
    engagement: Annotated[str | None, typer.Option(help="With the closures of this engagement.")] = None,
) -> None:
    """The days that were announced, and those that were taken back."""
    query = {"engagement": engagement} if engagement else {}
    with Remote.from_environment() as remote:
        for day in remote.read("/holidays", **query):
            back = "  (taken back)" if day["withdrawn_at"] else ""
            whose = f"{day['reach']} {day['whose']}".strip()
            print(f"{uk_day(date.fromisoformat(day['on'])):<28}{day['name']}{back}")
            print(f"{'':28}{whose}  {day['announcement_id']}")


def _print(said: Json) -> None:
    print(said["says"])
    if said["replanning"]:
        print("Re-planning has begun. How far it is: GET /api/v1/holidays/replanning")
    elif said["announcement_id"]:
        print("Re-planning begins with the next morning's look, because Temporal does not answer now.")
    else:
        print("Nothing was kept: this was a preview.")


def _day(written: str) -> str:
    try:
        return date.fromisoformat(written).isoformat()
    except ValueError:
        raise RemoteError(f"'{written}' is no date. Write it as 2027-06-03.") from None
