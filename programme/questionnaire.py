"""The diagnosis questionnaire: eleven conditions, three statements each, and a guess of what the other side would say.

The text is versioned data (``programme/templates/questionnaire.yaml``); a changed wording is a new version and breaks
the trend line. A question's key is its condition and a letter: C01a, C01b, C01c, and C01g for the guess.
"""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple, Self

import yaml
from pydantic import field_validator

from programme.messages import Frozen, Side

LOWEST, HIGHEST = 1, 5  # a rating; None is "I do not know"
FREE_TEXT_LIMIT = 500  # characters of an optional comment

Letter = Literal["a", "b", "c"]
LETTERS: tuple[Letter, ...] = ("a", "b", "c")
_SIDE_WORDS = {Side.DOCTOR: "doctors", Side.MANAGER: "managers"}


class Statement(NamedTuple):
    """One question as one side reads it."""

    key: str
    text: str


class Condition(Frozen):
    """One of the eleven conditions.

    ``anchor`` is the statement that the guess paraphrases; ``reverse`` lists the statements scored 6 - x.
    """

    id: str
    title: str
    statements: dict[Letter, str]
    guess: str
    reverse: tuple[Letter, ...] = ()
    anchor: Letter = "a"

    @field_validator("statements")
    @classmethod
    def _three(cls, statements: dict[Letter, str]) -> dict[Letter, str]:
        if set(statements) != set(LETTERS):
            raise ValueError("a condition has exactly the statements a, b and c")
        return statements

    def key(self, letter: Letter) -> str:
        """The key of a statement."""
        return f"{self.id}{letter}"

    @property
    def guess_key(self) -> str:
        """The key of the guess of what the other side would say to the anchor."""
        return f"{self.id}g"

    @property
    def keys(self) -> tuple[str, ...]:
        """Its four questions, in the order in which they are asked."""
        return (*(self.key(letter) for letter in LETTERS), self.guess_key)

    def score(self, key: str, rating: int) -> int:
        """A rating as it counts: 5 is always the good end. A guess of a reversed anchor turns with its anchor."""
        letter = self.anchor if key == self.guess_key else key.removeprefix(self.id)
        return LOWEST + HIGHEST - rating if letter in self.reverse else rating


class Questionnaire(Frozen):
    """A version of the questionnaire. ``guess_begins`` starts the sentence of which ``guess`` is the rest."""

    version: int
    conditions: tuple[Condition, ...]
    guess_begins: str = "What I think"
    free_text_optional: tuple[str, ...] = ()

    @classmethod
    def from_yaml(cls, text: str) -> Self:
        """Read a questionnaire from its YAML text.

        Raises:
            pydantic.ValidationError: it is not a questionnaire.
            yaml.YAMLError: it is not YAML.
        """
        return cls.model_validate(yaml.safe_load(text))

    @property
    def keys(self) -> tuple[str, ...]:
        """Every question that is rated, in order: four for each condition."""
        return tuple(key for condition in self.conditions for key in condition.keys)

    def statements_for(self, side: Side) -> Iterator[Statement]:
        """Every question in order, in the words for one side."""
        for condition in self.conditions:
            for letter in LETTERS:
                yield Statement(condition.key(letter), _addressed(condition.statements[letter], side))
            yield Statement(condition.guess_key, _addressed(f"{self.guess_begins} {condition.guess}", side))

    def misfits(self, ratings: Mapping[str, int | None]) -> tuple[str, ...]:
        """The keys that are missing, unknown or rated outside 1 to 5; empty when all fit. Never the ratings."""
        expected = set(self.keys)
        strange = [key for key, rating in ratings.items() if key not in expected or not _on_scale(rating)]
        return tuple(sorted({*strange, *(expected - ratings.keys())}))


def _addressed(text: str, side: Side) -> str:
    return text.replace("{other}", _SIDE_WORDS[side.other]).replace("{own}", _SIDE_WORDS[side])


def _on_scale(rating: int | None) -> bool:
    return rating is None or LOWEST <= rating <= HIGHEST
