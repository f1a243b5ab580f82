"""Any request at all: every command, arguments that mostly exist and sometimes cannot, and whoever likes to ask.

Values are drawn by the type and the name of a field. What pydantic itself refuses never reaches the core; the front
door and the workflow read requests the same way.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from random import Random
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from programme.engagement import PARTS, Engagement, TimeReached
from programme.messages import CLOCK, Command, PersonId, Sealed, Words
from programme.template import ProgrammeTemplate
from programme.working_time import Calendar
from tests.core.programme_driver import TWELVE_MONTHS, Programme
from tests.core.sensible import say

KINDS: tuple[type[Command], ...] = (*(command for part in PARTS for command in part.decide), TimeReached)
STRANGERS = ("stranger", "", "audit' OR 1=1", CLOCK)
JUNK = ("", " ", "x" * 301, "x" * 2001, "a\x00b", "\ud800", "\u202e", "A999", "../..", "0/0/0")
NUMBERS = (-1, 0, 1, 2, 3, 4, 99, 10**16)
DECIMALS = (Decimal(0), Decimal("-3.5"), Decimal("70.123456"), Decimal("1E+30"), Decimal("0.0000000001"), Decimal(68))
CALENDAR = Calendar(version="1")


def people_of(engagement: Engagement) -> list[PersonId]:
    """Everybody, and some who take no part."""
    return [*engagement.people, *STRANGERS]


def _ids(engagement: Engagement) -> dict[str, list[str]]:
    """The ids that exist, by the name of the field that takes them."""
    cycle = engagement.cycle
    if cycle is None:
        return {}
    findings = [finding for review in cycle.challenge.reviews.values() for finding in review.findings]
    actions, measures = list(cycle.agreement.actions), list(engagement.measures.measures)
    return {
        "action": actions,
        "actions": actions,
        "replaces": [*actions, *cycle.exchange.pairs, ""],
        "measure": measures,
        "measures": measures,
        "need": list(cycle.agreement.needs),
        "session": list(cycle.sessions.all),
        "review": [*cycle.challenge.reviews, *cycle.challenge.checks],
        "finding": findings,
        "source": [*cycle.sessions.all, *findings, ""],
        "pair": list(cycle.exchange.pairs),
        "difference": list(engagement.differences),
        "about": [*actions, *cycle.agreement.needs],
        "survey": list(cycle.diagnosis.surveys),
        "task": [task.id for task in engagement.open_tasks],
    }


PERSONS = frozenset(
    {"person", "successor", "by"}
    | {"host", "guest", "author", "verifier", "suggested", "second", "line_manager", "voting", "others"}
    | {"attended", "doctor_owner", "manager_owner", "doctor_signatory", "manager_signatory", "pairs"}
)
ID_FIELDS = frozenset(
    {"action", "actions", "replaces", "measure", "measures", "need", "session", "review", "finding", "source", "pair"}
    | {"difference", "about", "survey", "pack", "engagement", "ods_code", "privacy_notice", "task"}
)
CONDITIONS = ("C01", "C03", "C09", "C10", "C11", "C12", "")


class Anything:
    """One draw: the engagement as it is, the day, and luck."""

    def __init__(self, programme: Programme, luck: Random) -> None:
        self._programme = programme
        self._engagement = programme.engagement
        self._ids = _ids(programme.engagement)
        self._luck = luck

    def command(self, kind: type[Command]) -> Command | None:
        """A request of this kind; None where it could not even be read."""
        try:
            drawn: Command = self._model(kind)
        except ValidationError:
            return None
        return drawn

    def slip(self, command: Command) -> Command | None:
        """A request with one thing in it that was not meant."""
        try:
            slipped: Command = self._slipped(command)
        except ValidationError:
            return None
        return slipped

    def _slipped(self, value: BaseModel) -> Any:
        fields = [name for name in type(value).model_fields if name != "kind"]
        if not fields:
            return value
        name = self._luck.choice(fields)
        inner = getattr(value, name)
        if isinstance(inner, BaseModel) and not isinstance(inner, Words | Sealed) and self._luck.random() < 0.8:
            return value.model_copy(update={name: self._slipped(inner)})
        return type(value).model_validate(
            {**dict(value), name: self._value(name, type(value).model_fields[name].annotation)}
        )

    def _model(self, kind: type[BaseModel]) -> Any:
        values = {}
        for name, declared in kind.model_fields.items():
            if get_origin(declared.annotation) is Literal or (not declared.is_required() and self._luck.random() < 0.3):
                continue
            values[name] = self._value(name, declared.annotation)
        return kind.model_validate(values)

    def _value(self, name: str, kind: Any) -> Any:
        origin, inner = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return self._value(name, inner[0])
        if origin in (Union, UnionType):
            return self._value(name, self._luck.choice(inner))
        if kind is NoneType:
            return None
        if origin is tuple:
            several = range(self._luck.choice((0, 1, 1, 2, 3, 4)))
            return tuple(self._value(name, inner[0]) for _ in several)
        if origin is dict:
            several = range(self._luck.choice((0, 1, 2)))
            return {self._value(name, inner[0]): self._value(name, inner[1]) for _ in several}
        return self._single(name, kind)

    def _single(self, name: str, kind: type[Any]) -> Any:
        if kind in _DRAWN:
            return _DRAWN[kind](self, name)
        if issubclass(kind, Enum):
            return self._luck.choice(list(kind))
        if issubclass(kind, BaseModel):
            return self._model(kind)
        raise AssertionError(f"nobody knows how to draw '{name}', a {kind}")

    def text(self, name: str) -> str:
        """An id where the field takes one, else free text; sometimes neither."""
        luck = self._luck
        if luck.random() < 0.04:
            return luck.choice(JUNK)
        if name in PERSONS:
            return luck.choice(list(self._engagement.people)) if luck.random() < 0.9 else luck.choice(STRANGERS)
        if name in ("conditions", "condition", "priorities"):
            return luck.choice(CONDITIONS)
        if name in ID_FIELDS:
            known = self._ids.get(name)
            return luck.choice(known) if known and luck.random() < 0.9 else luck.choice(("A1", "no-such-id"))
        return say(luck)

    def number(self, name: str) -> int:
        """Mostly a small one, such as a version."""
        del name
        return self._luck.choice(NUMBERS) if self._luck.random() < 0.2 else self._luck.choice((1, 1, 2, 3))

    def day(self, name: str) -> date:
        """Around today; sometimes long ago, or in another century."""
        del name
        if self._luck.random() < 0.05:
            return self._luck.choice((date(1, 1, 1), date(1999, 12, 31), date(2099, 12, 31), date(9999, 12, 31)))
        return self._programme.today + timedelta(days=self._luck.randint(-40, 60))

    def instant(self, name: str) -> datetime:
        """An hour of such a day, in UTC or without a zone."""
        on = self.day(name)
        zone = UTC if self._luck.random() < 0.9 else None
        return datetime(on.year, on.month, on.day, self._luck.choice((0, 9, 13, 17, 23)), tzinfo=zone)

    def decimal(self, name: str) -> Decimal:
        """A figure."""
        del name
        return self._luck.choice(DECIMALS)

    def yes(self, name: str) -> bool:
        """Yes or no."""
        del name
        return self._luck.random() < 0.5

    def words(self, name: str) -> Words:
        """Candid words, deposited or not."""
        del name
        return self._luck.choice((Words(deposit="deposit-1"), Words()))

    def template(self, name: str) -> ProgrammeTemplate:
        """The shipped one, or a version of it."""
        del name
        return TWELVE_MONTHS.model_copy(update={"version": self._luck.choice(("1", "2", "3"))})

    def calendar(self, name: str) -> Calendar:
        """The trust's own."""
        del name
        return self._engagement.calendar

    def sealed(self, name: str) -> Sealed:
        """Answers, of which nothing travels."""
        del name
        return Sealed()


_DRAWN: dict[type[Any], Callable[[Anything, str], Any]] = {
    str: Anything.text,
    bool: Anything.yes,
    int: Anything.number,
    Decimal: Anything.decimal,
    date: Anything.day,
    datetime: Anything.instant,
    Words: Anything.words,
    Sealed: Anything.sealed,
    ProgrammeTemplate: Anything.template,
    Calendar: Anything.calendar,
}


def requests_of(kinds: Sequence[type[Command]] = KINDS) -> dict[str, type[Command]]:
    """Every command by its name."""
    return {kind.__name__: kind for kind in kinds}
