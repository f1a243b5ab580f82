"""What a request may hold, derived from the commands of the core, so that the two cannot drift apart.

A body is its command without `kind`, with three differences:

- Candid words (`Words`) are sent as text. They are deposited in the confidential store; only a reference travels on.
- Answers (`Sealed`) are sent as ratings and comments, and do not travel at all.
- It is strict where the core is lax: no field that the command does not have, no number, date or character that the
  core, the journal or the database could not hold. The core is replayed for years and must load what it once took.
"""

import re
import types
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    create_model,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from programme.messages import IDENTIFIER_LIMIT, Command, Sealed, Words
from programme.questionnaire import FREE_TEXT_LIMIT, HIGHEST, LOWEST, Questionnaire

WORDS_LIMIT = 5000  # characters of candid words: three hundred words and room for a difficult year
LONGEST_LIST = 500
LARGEST_NUMBER = 1_000_000_000  # far above any count here, far below what canonical JSON cannot write
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2040, 12, 31)  # the working-day index ends a little later
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Candid(str):
    """Text on its way to the confidential store. A class of its own, so that it cannot be taken for other text."""

    __slots__ = ()


class Strict(BaseModel):
    """A body: a field that it does not have is a mistake worth naming, not something to lose."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Deposit(NamedTuple):
    """Candid words: the field they came in, and the text."""

    field: str
    text: str


def printable(text: str) -> str:
    """Text that the journal and both databases can hold: no control characters, no half of a character."""
    if _UNPRINTABLE.search(text):
        raise ValueError("Take out the control characters")
    return text


Text = Annotated[str, AfterValidator(printable)]
"""A string of the outside world."""
WordsText = Annotated[
    str,
    AfterValidator(printable),
    AfterValidator(Candid),
    Field(max_length=WORDS_LIMIT, description="Kept in confidence; never part of the history."),
]
Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(FIRST_DAY.year, 1, 1, tzinfo=UTC), le=datetime(LAST_DAY.year, 12, 31, tzinfo=UTC)),
]
"""An instant with its time zone, within the years that the programme can reckon with."""
_AMOUNT = LARGEST_NUMBER * 1000
_TAKEN: dict[type, Any] = {
    str: Text,
    int: Annotated[int, Field(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)],
    Decimal: Annotated[Decimal, Field(ge=-_AMOUNT, le=_AMOUNT, decimal_places=6)],
    date: Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)],
    datetime: Moment,
    Words: WordsText,
}


def answers_model(questionnaire: Questionnaire) -> type[BaseModel]:
    """The answers to a questionnaire: every rating must be there, 1 to 5 or null for "I do not know"."""
    rating = Annotated[StrictInt, Field(ge=LOWEST, le=HIGHEST)] | None
    fields: dict[str, Any] = {
        key: (rating, Field(description=f"{condition.title}. 1 to 5, or null for 'I do not know'."))
        for condition in questionnaire.conditions
        for key in condition.keys
    }
    ratings = create_model("Ratings", __base__=Strict, __doc__="A rating for every question.", **fields)
    comment = Annotated[str, AfterValidator(printable), Field(max_length=FREE_TEXT_LIMIT)]
    return create_model(
        "Answers",
        __base__=Strict,
        __doc__="Answers to the questionnaire. Nobody ever reads them beside your name.",
        ratings=(ratings, ...),
        comments=(
            tuple[comment, ...],
            Field(
                default=(),
                max_length=len(questionnaire.free_text_optional),
                description=f"Optional; do not name anyone. {' / '.join(questionnaire.free_text_optional)}",
            ),
        ),
    )


class Bodies:
    """The body of each command, for one questionnaire."""

    def __init__(self, questionnaire: Questionnaire) -> None:
        self._answers = answers_model(questionnaire)
        self._made: dict[type[BaseModel], type[BaseModel]] = {}

    def body_of(self, command: type[Command]) -> type[BaseModel]:
        """What a person sends to ask for this command."""
        return self._strict(command, without="kind")

    def _strict(self, model: type[BaseModel], without: str = "") -> type[BaseModel]:
        if model not in self._made:
            fields = {name: self._field(info) for name, info in model.model_fields.items() if name != without}
            self._made[model] = create_model(
                model.__name__,
                __base__=Strict,
                __doc__=model.__doc__,
                **fields,  # type: ignore[call-overload]
            )
        return self._made[model]

    def _field(self, info: FieldInfo) -> tuple[Any, FieldInfo]:
        """The type that is taken and how the field is described: as in the core, with its limit written out."""
        annotation = self._taken(info.annotation)
        description = Field(
            default=self._default(info),
            validate_default=True,  # so that a default takes the same form as what is sent
            description=info.description,
            json_schema_extra=_limit(info),
        )
        for one in info.metadata:
            annotation = Annotated[annotation, one]
        return annotation, description

    def _default(self, info: FieldInfo) -> Any:
        default = info.get_default(call_default_factory=True)
        if default is PydanticUndefined or isinstance(default, Sealed):
            return PydanticUndefined
        if isinstance(default, Words):
            return ""
        if isinstance(default, BaseModel):
            return default.model_dump()
        return default

    def _taken(self, annotation: Any) -> Any:
        """The type of the outside world for a type of the core."""
        origin = get_origin(annotation)
        if origin is Annotated:
            inner, *about = get_args(annotation)
            return Annotated[(self._taken(inner), *about)]
        if origin in {Union, types.UnionType}:
            return Union[tuple(self._taken(one) for one in get_args(annotation))]  # noqa: UP007 - made at run time
        if origin is tuple:
            items: Any = self._taken(_item(annotation))
            return Annotated[tuple[items, ...], Field(max_length=LONGEST_LIST)]
        if origin is dict:
            key: Any
            value: Any
            key, value = map(self._taken, get_args(annotation))
            return Annotated[dict[key, value], Field(max_length=LONGEST_LIST)]
        return annotation if origin is Literal else self._taken_plain(annotation)

    def _taken_plain(self, annotation: Any) -> Any:
        if annotation is Sealed:
            return self._answers
        if annotation in _TAKEN:
            return _TAKEN[annotation]
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return self._strict(annotation)
        if annotation in {bool, None, type(None)} or (isinstance(annotation, type) and issubclass(annotation, Enum)):
            return annotation
        raise TypeError(f"The front door does not know how to take {annotation!r}")


def _item(annotation: Any) -> Any:
    item, *rest = get_args(annotation)
    if rest != [...] and set(rest) != {item}:  # a pair of one kind is a list, too; its length is for the core to say
        raise TypeError(f"The front door takes lists of one kind only, not {annotation!r}")
    return item


def _limit(info: FieldInfo) -> dict[str, Any] | None:
    """The limit of a text as the core enforces it."""
    if isinstance(info.json_schema_extra, dict):
        return dict(info.json_schema_extra)
    return {"maxLength": IDENTIFIER_LIMIT} if info.annotation is str else None


class Unfolded(NamedTuple):
    """A command, and the candid words to be deposited before it is submitted: reference -> words."""

    command: Command
    deposits: dict[str, Deposit]


def unfold(command: type[Command], body: BaseModel, reference: Callable[[int], str]) -> Unfolded:
    """The command that a body asks for. ``reference`` names the deposit of the nth candid words, counted from 0."""
    deposits: dict[str, Deposit] = {}

    def plain(value: Any, name: str) -> Any:
        if isinstance(value, Candid):
            if not value:
                return Words()
            made = reference(len(deposits))
            deposits[made] = Deposit(name, str(value))
            return Words(deposit=made)
        if isinstance(value, BaseModel):
            return {inner: plain(getattr(value, inner), inner) for inner in type(value).model_fields}
        if isinstance(value, tuple):
            return tuple(plain(one, name) for one in value)
        if isinstance(value, dict):
            return {key: plain(one, name) for key, one in value.items()}
        return value

    sealed = {name for name, info in command.model_fields.items() if info.annotation is Sealed}
    fields = {name: plain(getattr(body, name), name) for name in type(body).model_fields if name not in sealed}
    return Unfolded(command.model_validate(fields), deposits)
