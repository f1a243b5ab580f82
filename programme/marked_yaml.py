"""YAML whose every value knows its line: what a person reads who has to mend a file.

Keys are texts as they are written. A file with one key twice, which a loader takes without a word, is at fault here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]  # from the top of the file: ("reviews", 2, "month")
MOST_VALUES = 20_000  # a few aliases of aliases could stand for millions


@dataclass(frozen=True, order=True)
class Fault:
    """What is wrong at a place of a file, counted from 1, in a sentence that says what to do."""

    line: int
    column: int
    what: str


@dataclass
class Marked:
    """The content of a file, and where each key and each value stands. ``faults``: of the YAML itself."""

    content: Any = None
    keys: dict[Path, yaml.Mark] = field(default_factory=dict)
    values: dict[Path, yaml.Mark] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def at(self, path: Path, what: str, *, key: bool = False) -> Fault:
        """A fault at a value (``key``: at its name); where there is no such value, at what should hold it."""
        while path:
            if (key and path in self.keys) or path in self.values:
                return _fault((self.keys if key and path in self.keys else self.values)[path], what)
            path, key = path[:-1], True
        return Fault(1, 1, what)


class _TooMuchError(Exception):
    """More values than any template has."""


def read(text: str) -> Marked:
    """The content of a YAML text with its places. Never raises: what cannot be read is a fault."""
    reading = _Reading()
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = f"This is not YAML: {error.problem or error.context}. Check indentation, colons and quotes here."
        reading.marked.faults.append(_fault(mark, what))
        return reading.marked
    except yaml.YAMLError:
        reading.marked.faults.append(Fault(1, 1, "This holds characters that YAML does not allow. Save it as UTF-8."))
        return reading.marked
    try:
        reading.marked.content = reading.value(root, ()) if root is not None else None
    except (_TooMuchError, RecursionError):
        reading.marked.faults.append(Fault(1, 1, "This is far larger than any template. Do without its aliases."))
        reading.marked.content = None
    return reading.marked


def _fault(mark: yaml.Mark | None, what: str) -> Fault:
    return Fault(mark.line + 1, mark.column + 1, what) if mark else Fault(1, 1, what)


class _Reading:
    """One reading of a file: the values that were built so far, and their marks."""

    def __init__(self) -> None:
        self.marked = Marked()
        self._loader = yaml.SafeLoader("")
        self._within: set[int] = set()

    def value(self, node: yaml.Node, path: Path) -> Any:
        """What a node stands for; None where it stands for nothing, which is then a fault."""
        self.marked.values[path] = node.start_mark
        if len(self.marked.values) > MOST_VALUES:
            raise _TooMuchError
        if id(node) in self._within:
            return self._none(node, "This alias stands for what it stands in. Write it out.")
        self._within.add(id(node))
        try:
            match node:
                case yaml.MappingNode():
                    return self._mapping(node, path)
                case yaml.SequenceNode():
                    return [self.value(one, (*path, place)) for place, one in enumerate(node.value)]
                case _:
                    return self._scalar(node)
        finally:
            self._within.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    self._none(key, "This name stands here twice, and only the last would count. Keep one.")
                seen.add(key.value)
        try:
            self._loader.flatten_mapping(node)  # "<<" takes over the values of another mapping
        except yaml.MarkedYAMLError as error:
            self.marked.faults.append(_fault(error.problem_mark, "'<<' takes over a mapping; name one with '*'."))
        found = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._none(key, "A name is a word. Write 'name: value'.")
                continue
            self.marked.keys[*path, key.value] = key.start_mark
            found[key.value] = self.value(value, (*path, key.value))
            if not isinstance(value, yaml.ScalarNode):  # of which one looks for the name, not for its first line
                self.marked.values[*path, key.value] = key.start_mark
        return found

    def _scalar(self, node: yaml.Node) -> Any:
        try:
            return self._loader.construct_object(node)
        except (yaml.YAMLError, ValueError, OverflowError):
            return self._none(node, "This value cannot be read. Put it in quotes if it is a text.")

    def _none(self, node: yaml.Node, what: str) -> None:
        self.marked.faults.append(_fault(node.start_mark, what))
