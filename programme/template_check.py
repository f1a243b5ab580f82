"""Is a file a template? Every fault with its line and column, in words that say what to do.

A file is held to more than a stored template: a history written years ago must still load (``template``), and an
engagement refuses only what it could not run under (``soundness``). What a file may say beyond that stands in
``template_sense``; here its shape is held, and the places of all faults are found.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from programme.ladders import Ladder
from programme.marked_yaml import Fault, Marked, Path, read
from programme.template import Durations, ProgrammeTemplate, ReviewPlan, SessionPlan, Thresholds
from programme.template_sense import Known, nonsense

NEEDED = ("name", "version", "title", "sessions", "reviews", "ladders")
"""Other parts may be left out, and are then those of twelve months; of these, nobody could mean the default."""

_SHAPES: Mapping[str, type[BaseModel]] = {
    "durations": Durations,
    "thresholds": Thresholds,
    "sessions": SessionPlan,
    "reviews": ReviewPlan,
    "ladders": Ladder,
}
_LINES = "is a list of names and values. Write one 'name: value' a line below it"
_LIST = "is a list. Write one '- ' a line below it, or [a, b]"
_WANTED = {
    "string_type": "is a text. Put it in quotes if it looks like a number or a date",
    "int_type": "is a whole number. Write one, without quotes",
    "int_from_float": "is a whole number. Write one",
    "bool_type": "is true or false. Write one of them, without quotes",
    "dict_type": _LINES,
    "model_type": _LINES,
    "model_attributes_type": _LINES,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "too_long": "is too long a list. Leave out what is too much",
}
_ITEM = 2  # as long is the place of an item of a list: ("reviews", 2)
_TURNS = 6  # what is taken out can only take with it what holds it


@dataclass(frozen=True)
class Checked:
    """What came of a check: the template, where the file has no fault."""

    template: ProgrammeTemplate | None
    faults: tuple[Fault, ...]


def check(text: str, known: Known, stem: str | None = None) -> Checked:
    """Read a template and name every fault of it, the first line first. ``stem``: the file's name without its end."""
    marked = read(text)
    faults = set(marked.faults)
    if not isinstance(marked.content, dict):
        faults.add(marked.at((), "A template begins with 'name: ', as templates/twelve-months.yaml does."))
        return Checked(None, tuple(sorted(faults)))
    faults.update(_strangers(marked))
    faults.update(
        marked.at((), f"'{name}' is missing. Add it: copy it from a shipped template, then change it.")
        for name in NEEDED
        if name not in marked.content
    )
    shaped = _shaped(marked)
    faults.update(shaped.faults)
    faults.update(
        marked.at(_original(path, shaped.origins), what)
        for path, what in nonsense(shaped.template, known)
        if path not in shaped.incomplete  # else it would say that what has a fault is not there
    )
    template = shaped.template
    if stem and template.name != stem and "name" in marked.content:
        faults.add(marked.at(("name",), f"The file is called '{stem}'. Name the template so, too, or rename the file."))
    return Checked(None if faults else template, tuple(sorted(faults)))


# --- shape ---------------------------------------------------------------------------------------------------------


def _strangers(marked: Marked) -> Iterator[Fault]:
    """Names that mean nothing to a template, each with the one that may have been meant."""
    for path in marked.keys:
        names = _names_at(path[:-1])
        if names is not None and path[-1] not in names:
            near = difflib.get_close_matches(str(path[-1]), names, 1)
            instead = f"Did you mean '{near[0]}'?" if near else f"Write one of: {', '.join(names)}."
            yield marked.at(path, f"No template has '{path[-1]}' here. {instead}", key=True)


def _names_at(path: Path) -> list[str] | None:
    """The names that may stand within a part of a template; None where any may, or none."""
    match path:
        case ():
            return list(ProgrammeTemplate.model_fields)
        case ("durations" | "thresholds" as part,) | ("sessions" | "reviews" | "ladders" as part, _):
            return list(_SHAPES[part].model_fields)
    return None


class _Shaped(NamedTuple):
    """A template without what has no right shape: where each of its values stood in the file, and what had none.

    ``incomplete``: the lists from which an item is gone.
    """

    template: ProgrammeTemplate
    origins: dict[Path, Path]
    faults: list[Fault]
    incomplete: set[Path]


def _shaped(marked: Marked) -> _Shaped:
    """The template in a file, as far as it has the right shape.

    What is taken out leaves its default, or takes with it what cannot be without it: the rest is then held for sense.
    """
    faults: list[Fault] = []
    wrong: set[Path] = set()
    origins: dict[Path, Path] = {}
    for turn in range(_TURNS):
        origins = {}
        content = _without(marked.content, wrong, (), (), origins)
        try:
            # As JSON, where strictness allows lists for tuples, but never "15" for 15.
            written = json.dumps(content, default=lambda value: {"": str(value)})
            template = ProgrammeTemplate.model_validate_json(written, strict=True)
            return _Shaped(
                template,
                origins,
                faults,
                {path[:1] for path in wrong if len(path) <= _ITEM and path[:1] != ("ladders",)},
            )
        except ValidationError as error:
            for fault in error.errors(include_url=False, include_input=False):
                path, missing = _original(fault["loc"], origins), fault["type"] == "missing"
                if turn == 0:
                    faults.append(marked.at(path, _said(fault["type"], fault["msg"], path)))
                wrong.add(path[:-1] if missing else path)
    return _Shaped(ProgrammeTemplate(), origins, faults, {("sessions",), ("reviews",), ("ladders",)})


def _without(value: Any, wrong: set[Path], path: Path, now: Path, origins: dict[Path, Path]) -> Any:
    """A value without its wrong parts. ``origins``: for each place that is left, where it stood in the file."""
    origins[now] = path
    match value:
        case dict():
            kept = ((name, inner) for name, inner in value.items() if (*path, name) not in wrong)
            left = {name: _without(inner, wrong, (*path, name), (*now, name), origins) for name, inner in kept}
            # A ladder that has no shape is there nevertheless.
            return {name: left.get(name, {}) for name in value} if path == ("ladders",) else left
        case list():
            kept_places = [place for place in range(len(value)) if (*path, place) not in wrong]
            return [
                _without(value[place], wrong, (*path, place), (*now, at), origins)
                for at, place in enumerate(kept_places)
            ]
    return value


def _original(path: Path, origins: Mapping[Path, Path]) -> Path:
    """Where something stood in the file; of what is not in it, the nearest that is, and the rest of the way."""
    for end in range(len(path), -1, -1):
        if path[:end] in origins:
            return (*origins[path[:end]], *path[end:])
    return path


def _said(kind: str, message: str, path: Path) -> str:
    name = next((f"'{part}'" for part in reversed(path) if isinstance(part, str)), "this")
    if kind == "missing":
        return f"{name} is missing. Add it."
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    wanted = _WANTED.get(kind)
    return f"{name} {wanted}." if wanted else f"{name}: {message}."
