from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from api.bodies import WORDS_LIMIT, Bodies, unfold
from programme.engagement import commands
from programme.messages import Command, Frozen, Paragraph, Sealed, Sentence, Side, Words
from programme.people import AcceptEnrolment
from runtime.templates import shipped_questionnaire

QUESTIONNAIRE = shipped_questionnaire()


class Line(Frozen):
    text: Sentence
    said: Words = Words()
    number: int = 0


class Everything(Command):
    kind: Literal["Everything"] = "Everything"
    reason: Paragraph = ""
    code: str = ""
    thoughts: Words
    lines: tuple[Line, ...] = ()
    by_side: dict[Side, Line] = Field(default_factory=dict)
    amount: Decimal | None = None
    on: date | None = None
    starts: datetime | None = None
    sure: bool = False


class Answering(Command):
    kind: Literal["Answering"] = "Answering"
    answers: Sealed = Sealed()


def body_of(command: type[Command]) -> type[BaseModel]:
    return Bodies(QUESTIONNAIRE).body_of(command)


def ratings(value: int | None = 3) -> dict[str, int | None]:
    return dict.fromkeys(QUESTIONNAIRE.keys, value)


@pytest.mark.parametrize("command", list(commands()), ids=lambda command: command.__name__)
def test_every_command_that_a_person_may_ask_has_a_body_and_a_schema(command: type[Command]) -> None:
    schema = body_of(command).model_json_schema()
    assert set(schema.get("properties", {})) == set(command.model_fields) - {"kind"}
    assert schema["additionalProperties"] is False


def test_a_body_is_asked_for_everything_that_its_command_needs() -> None:
    assert body_of(AcceptEnrolment).model_json_schema()["required"] == ["side", "privacy_notice"]


def test_limits_that_the_core_enforces_are_written_in_the_schema() -> None:
    schema = body_of(Everything).model_json_schema()
    lengths = {name: field.get("maxLength") for name, field in schema["properties"].items()}
    assert lengths["reason"] == 2000
    assert lengths["code"] == 300
    assert lengths["thoughts"] == WORDS_LIMIT
    assert schema["$defs"]["Line"]["properties"]["text"]["maxLength"] == 300


def test_candid_words_become_references_wherever_they_stand_and_their_text_stays_behind() -> None:
    body = body_of(Everything).model_validate(
        {
            "thoughts": "first",
            "lines": [{"text": "on record", "said": "second"}, {"text": "on record too"}],
            "by_side": {"doctor": {"text": "x", "said": "third"}},
            "amount": "1.5",
            "on": "2026-03-03",
            "starts": "2026-03-03T10:00:00+00:00",
        }
    )
    command, deposits = unfold(Everything, body, lambda place: f"deposit-{place}")
    assert isinstance(command, Everything)
    assert {name: tuple(words) for name, words in deposits.items()} == {
        "deposit-0": ("thoughts", "first"),
        "deposit-1": ("said", "second"),
        "deposit-2": ("said", "third"),
    }
    assert command.thoughts == Words(deposit="deposit-0")
    assert [line.said.deposit for line in command.lines] == ["deposit-1", ""]
    assert command.by_side[Side.DOCTOR].said.deposit == "deposit-2"
    assert command.lines[0].text == "on record"
    assert command.amount == Decimal("1.5")
    assert not any(words.text in command.model_dump_json() for words in deposits.values())


def test_answers_never_become_part_of_a_command() -> None:
    body = body_of(Answering).model_validate({"answers": {"ratings": ratings(4), "comments": ["candid"]}})
    command, deposits = unfold(Answering, body, str)
    assert command == Answering()
    assert deposits == {}


@pytest.mark.parametrize(
    "answers",
    [
        {"ratings": ratings(0)},
        {"ratings": ratings(6)},
        {"ratings": ratings() | {"C01a": True}},
        {"ratings": ratings() | {"C01a": "3"}},
        {"ratings": ratings() | {"C99a": 3}},
        {"ratings": {"C01a": 3}},
        {"ratings": ratings(), "comments": ["a", "b", "c"]},
        {"ratings": ratings(), "comments": ["x" * 501]},
        {},
    ],
)
def test_answers_that_do_not_fit_the_questionnaire_are_refused(answers: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        body_of(Answering).model_validate({"answers": answers})


def test_not_knowing_is_an_answer_to_any_question() -> None:
    body_of(Answering).model_validate({"answers": {"ratings": ratings(None)}})


@pytest.mark.parametrize(
    "change",
    [
        {"thoughts": "x" * (WORDS_LIMIT + 1)},
        {"thoughts": "a\x00b"},
        {"reason": "\ud800"},
        {"code": "\x1b[31m"},
        {"unheard_of": 1},
        {"lines": [{"text": "x", "unheard_of": 1}]},
        {"lines": [{"text": "x", "number": 10**30}]},
        {"lines": [{"text": "x"}] * 501},
        {"amount": "NaN"},
        {"amount": "Infinity"},
        {"amount": "1e400"},
        {"amount": "0.00000001"},
        {"on": "9999-12-31"},
        {"on": "0001-01-01"},
        {"starts": "2026-03-03T10:00:00"},
        {"starts": "9999-12-31T23:59:59+00:00"},
        {"kind": "TimeReached"},
    ],
)
def test_what_the_core_the_journal_or_the_database_could_not_hold_is_refused_at_the_door(
    change: dict[str, Any],
) -> None:
    with pytest.raises(ValidationError):
        body_of(Everything).model_validate({"thoughts": "x"} | change)
