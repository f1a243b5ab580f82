"""What differs between two templates is said in sentences, and nothing that differs is left out."""

from typing import Any

import pytest
import yaml

from programme.template import Durations, ProgrammeTemplate, Thresholds
from programme.template_comparison import TIME_FOR, compare
from runtime.templates import Templates

TWELVE, SIX = (Templates().named(name) for name in ("twelve-months", "six-months"))


def but(**changes: Any) -> ProgrammeTemplate:
    """Twelve months with other values, as a file would say them."""
    return ProgrammeTemplate.model_validate({**TWELVE.model_dump(mode="json"), **changes})


def brings(**changes: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What such a change means for participants, and what besides."""
    found = compare(TWELVE, but(**changes))
    return found.for_participants, found.the_rest


def test_the_same_template_differs_in_nothing() -> None:
    found = compare(TWELVE, TWELVE)
    assert (found.for_participants, found.the_rest) == ((), ())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"durations": {"questionnaire": 20}}, "More time for the questionnaire: 20 instead of 15 working days."),
        ({"durations": {"questionnaire": 1}}, "Less time for the questionnaire: 1 instead of 15 working days."),
        ({"thresholds": {"quorum_each_side": 4}}, "A session needs at least 4 instead of 3 of each side."),
        (
            {"thresholds": {"priority_conditions": [2, 3]}},
            "A session chooses 2 to 3 instead of 3 to 4 priority conditions.",
        ),
        ({"rediagnosis_month": 12}, "The questionnaire comes again in month 12 instead of 11."),
        (
            {"questionnaire_version": 2},
            "The questionnaire asks otherwise: its figures cannot be compared with those of the cycle before.",
        ),
        (
            {"reviews": [{"kind": "external", "month": 9}]},
            "The external review meets in month 9 instead of 10.",
        ),
        ({"reviews": [{"kind": "external", "month": 10}]}, "There is no second internal review."),
        (
            {"ladders": {**TWELVE.model_dump(mode="json")["ladders"], "questionnaire": {"rungs": ["opened+5"]}}},
            "Reminders of the questionnaire: 5 working days after it opens,"  # noqa: ISC004 - one sentence
            " instead of 5, 10 and 13 working days after it opens.",
        ),
        (
            {"ladders": {**TWELVE.model_dump(mode="json")["ladders"], "verification": {"rungs": ["due+1"]}}},
            "Who else hears of an action to verify: nobody,"  # noqa: ISC004 - one sentence
            " instead of the programme manager 5 working days after the due date.",
        ),
    ],
)
def test_what_participants_notice_comes_first_and_in_their_words(changes: dict[str, Any], says: str) -> None:
    assert says in brings(**changes)[0]


def test_sessions_that_come_go_or_last_otherwise_are_named() -> None:
    plans = TWELVE.model_dump(mode="json")["sessions"]
    other = [{**plans[0], "hours": 1, "title": "Begin", "agenda": [*plans[0]["agenda"][1:], "Tea"]}, plans[1]]
    assert brings(sessions=[*other, {"letter": "F", "title": "More", "hours": 1}])[0] == (
        "Session A lasts 1 instead of 3 hours.",
        "Session A is called 'Begin' instead of 'Make sense together'.",
        "Session A talks about 'Tea'.",
        "Session A no longer talks about 'The compact of conduct'.",
        "There is a joint session F, 'More', of 1 hour.",
        "There is no joint session C, 'Agree action'.",
    )


@pytest.mark.parametrize("name", Durations.model_fields)
def test_every_duration_that_differs_is_said_once(name: str) -> None:
    now = getattr(TWELVE.durations, name) + 1
    noticed, others = brings(durations={name: now})
    assert len(noticed) + len(others) == 1
    assert bool(noticed) is (name in TIME_FOR)
    assert str(now) in "".join(noticed + others)


@pytest.mark.parametrize("name", Thresholds.model_fields)
def test_every_threshold_that_differs_is_said_once(name: str) -> None:
    was = getattr(TWELVE.thresholds, name)
    noticed, others = brings(thresholds={name: [was[0] + 1, was[1] + 1] if isinstance(was, tuple) else was + 1})
    assert len(noticed) + len(others) == 1


@pytest.mark.parametrize("name", sorted(TWELVE.ladders))
def test_every_ladder_that_differs_is_said(name: str) -> None:
    ladders = TWELVE.model_dump(mode="json")["ladders"]
    noticed, others = brings(ladders={**ladders, name: {**ladders[name], "rungs": ["opened+42"]}})
    assert "42 working days" in "".join(noticed + others)


def test_the_comparison_says_which_two_and_what_the_second_brings() -> None:
    found = compare(TWELVE, SIX)
    assert (found.a, found.b) == ("twelve-months 1", "six-months 1")
    assert "Less time for the questionnaire: 10 instead of 15 working days." in found.for_participants
    assert "More time for the questionnaire: 15 instead of 10 working days." in compare(SIX, TWELVE).for_participants


def test_what_is_written_differently_and_means_the_same_differs_in_nothing() -> None:
    again = ProgrammeTemplate.model_validate(yaml.safe_load(yaml.safe_dump(TWELVE.model_dump(mode="json"))))
    assert compare(TWELVE, again) == compare(TWELVE, TWELVE)
