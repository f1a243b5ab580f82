"""Nothing is left over and nothing is missing: commands, events, refusals, ladders, candid words, acts."""

import ast
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, get_args

import pytest

from programme.engagement import PARTS, AnyCommand, AnyEvent
from programme.messages import Command, Stage
from programme.part import Part
from programme.refusals import (
    ActionElsewhere,
    EngagementEnded,
    EngagementPaused,
    ForbiddenCombination,
    Refusal,
    RoleRequired,
    TooLong,
    UnknownMeasure,
    UnknownPerson,
    Unrecordable,
)
from tests.core.programme_driver import TWELVE_MONTHS, begun

EVERY_COMMAND = {RoleRequired, ForbiddenCombination, EngagementEnded, EngagementPaused, TooLong, Unrecordable}
DECIDED = {command: rule for part in PARTS for command, rule in part.decide.items()}
FOLDED = {event for part in PARTS for event in part.evolve}
OUT_OF_REACH: dict[str, set[type[Refusal]]] = {
    "DraftAction": {ActionElsewhere},  # an action that is replaced may stand anywhere
    "ProposeAction": {UnknownMeasure},  # the measures of an action exist
    "AgreeAction": {UnknownMeasure},
    "ApproveAction": {UnknownMeasure},
    "AcknowledgeObjection": {ActionElsewhere},  # an objection is decided wherever its action stands
    "DecideObjection": {ActionElsewhere},
    "OwnDevelopmentNeed": {UnknownPerson},  # whoever asks takes part
}
"""What a rule shares with others that can raise it, and cannot raise itself."""


def members(union: object) -> set[type[Any]]:
    return set(get_args(get_args(union)[0]))


def test_every_command_is_decided_by_one_part_and_every_event_folded() -> None:
    assert {kind.__name__ for kind in members(AnyCommand)} == {kind.__name__ for kind in DECIDED} | {"TimeReached"}
    assert members(AnyEvent) == FOLDED
    assert len(DECIDED) == sum(len(part.decide) for part in PARTS)
    assert len(FOLDED) == sum(len(part.evolve) for part in PARTS)
    for kind in (*DECIDED, *FOLDED):
        assert kind.model_fields["kind"].default == kind.__name__


def test_a_part_that_plans_can_act() -> None:
    silent = Part(name="silent")
    planning = {part.name for part in PARTS if part.agenda is not silent.agenda}
    assert planning == {part.name for part in PARTS if part.act}
    assert len({part.name for part in PARTS}) == len(PARTS)


# --- refusals --------------------------------------------------------------------------------------------------------


def names_in(code: CodeType) -> Iterator[str]:
    """Every global and attribute that a function speaks of, its inner functions included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)


def raised_by(rule: FunctionType, seen: set[FunctionType]) -> set[type[Refusal]]:
    """Every refusal that a rule speaks of, and every function of ours that it calls."""
    if rule in seen:
        return set()
    seen.add(rule)
    names, found = set(names_in(rule.__code__)), set[type[Refusal]]()
    for name in names:
        known = rule.__globals__.get(name)
        inside = [getattr(known, one, None) for one in names] if isinstance(known, ModuleType) else [known]
        for one in (*inside, *(known.values() if isinstance(known, dict) else ())):
            if isinstance(one, type) and issubclass(one, Refusal):
                found.add(one)
            elif isinstance(one, FunctionType) and one.__module__.startswith("programme"):
                found |= raised_by(one, seen)
    return found


@pytest.mark.parametrize("command", DECIDED, ids=lambda command: command.__name__)
def test_a_command_names_every_refusal_that_it_may_meet_and_no_other(command: type[Command]) -> None:
    rule = DECIDED[command]
    assert isinstance(rule, FunctionType)
    met = raised_by(rule, set())
    assert set(command.refusals) <= met
    assert met - set(command.refusals) - EVERY_COMMAND == OUT_OF_REACH.get(command.__name__, set())


# --- ladders ---------------------------------------------------------------------------------------------------------


def named_ladders() -> set[str]:
    """Every ladder that a task of the core names."""
    found = set()
    for file in Path("programme").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "ladder":
                found |= {one.value for one in ast.walk(node.value) if isinstance(one, ast.Constant)}
    return {one for one in found if isinstance(one, str)}


def test_every_ladder_that_a_task_names_is_in_the_template_and_every_other_is_not() -> None:
    assert named_ladders() == set(TWELVE_MONTHS.ladders)


def test_every_task_of_a_year_finds_its_ladder() -> None:
    for stage in Stage:
        for task in begun(stage).engagement.open_tasks:
            assert task.ladder in TWELVE_MONTHS.ladders, task.id
