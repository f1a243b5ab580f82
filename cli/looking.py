"""Looking at engagements from a terminal: what there is, what happens next, what has happened."""

from datetime import datetime
from typing import Annotated

import typer

from cli.remote import Remote, RemoteError
from programme.gates import TITLES
from programme.messages import Stage
from programme.working_time import local_date, uk_date, uk_time

Engagement = Annotated[str, typer.Argument(help="The engagement's id, as `olive status` shows it.")]


def status(*, everything: Annotated[bool, typer.Option("--all", help="Those that have ended, too.")] = False) -> None:
    """Your engagements: where each stands, what is late, and when something happens next."""
    with Remote.from_environment() as remote:
        for row in remote.pages("/engagements", open_only="false" if everything else "true"):
            one = remote.read(f"/engagements/{row['engagement_id']}")
            print(f"{row['scope']} ({row['ods_code']})  {row['engagement_id']}")
            coming = f"; next on {_moment(row['next_due'])}" if row["next_due"] else ""
            print(f"  {one['progress']}; {one['open_tasks']} tasks open, {one['overdue_tasks']} overdue{coming}")


def agenda(
    engagement: Engagement,
    most: Annotated[int, typer.Option(help="How many lines at most.", min=1)] = 40,
) -> None:
    """What happens next if nobody does anything, when, and why; and what is still missing at the next gate."""
    with Remote.from_environment() as remote:
        one = remote.read(f"/engagements/{engagement}")
        for gate in one["gates"]:
            print(TITLES[Stage(gate["stage"])])
            for lack in gate["missing"]:
                print(f"  still missing: {lack}")
        for due in remote.pages(f"/engagements/{engagement}/agenda", most=most):
            print(f"{_moment(due['at']):>25}  {due['what']}")
            if due["why"] != due["what"]:
                print(f"{'':27}{due['why']}")


def history(
    engagement: Engagement,
    kind: Annotated[str, typer.Option(help="Only one kind of event, such as ActionAgreed.")] = "",
    most: Annotated[int, typer.Option(help="How many lines at most, the oldest first.", min=1)] = 1000,
) -> None:
    """What has happened, as far as your part lets you see it."""
    query = {"kind": kind} if kind else {}
    with Remote.from_environment() as remote:
        names = _names(remote, engagement)
        for entry in remote.pages(f"/engagements/{engagement}/history", most=most, **query):
            actor = names.get(entry["actor"], entry["actor"])
            print(f"{entry['sequence']:>6}  {_moment(entry['at']):>25}  {entry['kind']}  {actor}")


def _names(remote: Remote, engagement: str) -> dict[str, str]:
    """Who is behind an id; an auditor reads ids alone."""
    try:
        people = remote.read(f"/engagements/{engagement}/people")
    except RemoteError:
        return {}
    return {one["person_id"]: one["name"] for one in people}


def _moment(written: str) -> str:
    at = datetime.fromisoformat(written)
    return f"{uk_date(local_date(at))} {uk_time(at)}"
