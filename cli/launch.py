"""`olive launch`: an engagement from a YAML file and its people from a CSV file, all or nothing."""

import json
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer
import yaml

from cli.remote import API, Remote, RemoteError


def launch(
    engagement: Annotated[Path, typer.Argument(help="What it is about: see docs/examples/engagement.yaml.")],
    people: Annotated[Path, typer.Option(help="Who takes part, as CSV: see docs/examples/roster.csv.")],
) -> None:
    """Register an engagement and enrol its people. One faulty row, and nothing is loaded: each is named."""
    about, roster = _about(engagement), _read(people)
    with Remote.from_environment() as remote:
        recorded = remote.send(
            "/engagements",
            uuid4().hex,
            data={"engagement": json.dumps(about)},
            files={"roster": (people.name, roster, "text/csv")},
        )
    print(f"Launched: {recorded['engagement_id']}")
    print(f"Everybody is asked now. Look at it with: olive agenda {recorded['engagement_id']}")
    print(f"Its address: {API}/engagements/{recorded['engagement_id']}")


def _about(path: Path) -> dict[str, Any]:
    """The YAML of an engagement. Raises RemoteError, naming the line that is no YAML."""
    try:
        # Every value stays a word, as it was written: YAML would make true of a key "on", and 1 of a version "1".
        content = yaml.load(_read(path), Loader=yaml.BaseLoader)  # noqa: S506 - builds nothing but words and lists
    except yaml.MarkedYAMLError as error:
        where = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise RemoteError(f"{path}{where}: this is not YAML. Check its indentation and quotes.") from None
    except yaml.YAMLError:
        raise RemoteError(f"{path}: this is not YAML.") from None
    if not isinstance(content, dict):
        raise RemoteError(f"{path}: write one 'name: value' a line, as in docs/examples/engagement.yaml.")
    return content


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RemoteError(f"{path} cannot be read: {error.strerror}.") from None
