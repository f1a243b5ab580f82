"""A forecast as tables on a terminal."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from rich.console import Console
from rich.table import Table

from programme.gates import TITLES
from programme.messages import Stage
from programme.working_time import uk_date

COURSES = {"best": "At best", "pace": "At today's pace", "worst": "At worst"}
HOUR = 60
Json = dict[str, Any]


def show(found: Json, names: Mapping[str, str]) -> None:
    """Print a forecast: its stages, how it ends, what moves change, and who has how much to do."""
    console = Console(soft_wrap=True)
    told = found["moved"] or found["baseline"]
    console.print(f"Forecast of {uk_date(date.fromisoformat(found['on']))}, cycle {told['cycle']}")
    console.print(_stages(told, found["changes"]))
    for course, title in COURSES.items():
        console.print(f"{title}: {_end(told['courses'][course])}")
    for course, title in COURSES.items():
        for lack in told["courses"][course]["waits_for"]:
            console.print(f"  {title.lower()} it waits: {lack}")
    console.print(_load(told["load"], found["hours"], names) if told["load"] else "")
    _overload(console, found, names)
    console.print("It is presumed that:")
    for one in told["presumes"]:
        console.print(f"  {one}")


def show_rehearsal(stages: Sequence[Mapping[str, Any]], ending: str, events: int) -> None:
    """Print the stages of a year that was played at once."""
    table = Table("Stage", "From", "To", box=None, pad_edge=False)
    for span in stages:
        table.add_row(TITLES[Stage(span["stage"])], _short(span["started"]), _short(span["ended"]))
    console = Console()
    console.print(table)
    console.print(f"{events} events; the programme comes out as: {ending.replace('_', ' ')}")


def _end(course: Json) -> str:
    if course["ends"] is None:
        return "the cycle does not end"
    return f"the cycle ends on {uk_date(date.fromisoformat(course['ends']))} ({course['how'].replace('_', ' ')})"


def _stages(told: Json, changes: Sequence[Json]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("Stage")
    planned = any(row["planned"]["starts"] for row in told["stages"])
    for title in (
        *(("Planned",) if planned else ()),
        "Actual",
        *COURSES.values(),
        *(("Working days later",) if changes else ()),
    ):
        table.add_column(title)
    by_stage = {row["stage"]: row for row in changes}
    for row in told["stages"]:
        cells = [row["title"], *([_span(row["planned"])] if planned else []), _span(row["actual"])]
        cells += [_span(row[course]) for course in COURSES]
        table.add_row(*cells, *([_later(by_stage[row["stage"]])] if changes else []))
    if changes:
        table.add_row("The cycle", *([""] if planned else []), "", "", "", "", _later(by_stage[None]))
    return table


def _span(dates: Json | None) -> str:
    """From 4 Jan 27 to 9 Feb 27, one below the other: five of them stand side by side on a terminal of 80 columns."""
    if not dates or not dates["starts"]:
        return ""
    return f"{_short(dates['starts'])}\nto {_short(dates['ends']) if dates['ends'] else '...'}"


def _short(day: str) -> str:
    return f"{date.fromisoformat(day):%d %b %y}".lstrip("0")


def _later(change: Json) -> str:
    return ", ".join("-" if change[course] is None else f"{change[course]:+d}" for course in COURSES)


def _load(load: Sequence[Json], hours: int, names: Mapping[str, str]) -> Table:
    """The most that anybody of a part has; and, by name, only whoever has too much."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("Who", "Most in 14 days", "from"):
        table.add_column(title, no_wrap=True)
    by_part: dict[str, Json] = {}
    for row in load:
        part = ", ".join(role.replace("_", " ") for role in row["roles"]) or "others"
        if part not in by_part or row["fullest"]["minutes"] > by_part[part]["minutes"]:
            by_part[part] = row["fullest"]
    for part, fullest in sorted(by_part.items()):
        table.add_row(f"each {part}", f"up to {_hours(fullest['minutes'])} hours", _short(fullest["starts"]))
    for row in load:
        if row["fullest"]["minutes"] > hours * HOUR:
            who, fullest = names.get(row["person"], row["person"]), row["fullest"]
            table.add_row(who, f"{_hours(fullest['minutes'])} hours", _short(fullest["starts"]))
    return table


def _hours(minutes: int) -> str:
    return f"{minutes / HOUR:.1f}"


def _overload(console: Console, found: Json, names: Mapping[str, str]) -> None:
    told = found["moved"] or found["baseline"]
    number, hours = told["too_much_in_all"], found["hours"]
    console.print(f"{number} of those who owe a step have more than {hours} hours in some fortnight.")
    if found["moved"]:
        before, after = (set(_people(one["too_much"])) for one in (found["baseline"], found["moved"]))
        for person in sorted(after - before):
            console.print(f"  with the moves, too: {names.get(person, person)}")
        for person in sorted(before - after):
            console.print(f"  with the moves no more: {names.get(person, person)}")


def _people(load: Iterable[Json]) -> Iterable[str]:
    return (row["person"] for row in load)
