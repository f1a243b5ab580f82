"""Whatever the programme asks of people, somebody in a rehearsal knows how to do it."""

import ast
from collections.abc import Iterator
from pathlib import Path

from cli.rehearsal.acts import ACTS
from programme.engagement import commands

PROGRAMME = Path(__file__).parents[2] / "programme"
BEYOND = {"AnswerRebase", "Appoint"}
"""Asked only where the story has not gone: nobody asks for new lines of a chart, and the roster names every part."""


def asked() -> Iterator[str]:
    """Every command that a task of the core names, wherever it is written."""
    kinds = {command.__name__ for command in commands()}
    for file in PROGRAMME.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id.endswith(("Task", "_task", "_other_half"))
            ):
                yield from (one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and one.value in kinds)


def test_every_kind_of_task_has_an_act() -> None:
    assert set(asked()) - set(ACTS) <= BEYOND
    assert len(set(asked())) > 40


def test_every_act_does_a_command_that_exists() -> None:
    assert set(ACTS) <= {command.__name__ for command in commands()}
