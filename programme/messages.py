"""The frozen base types: what is asked (Command), what happened (Event), what falls due (Due), what is owed (Task).

Wire models stay lax, because an update stored for years must still load; strictness lives in ``decide``. A limit that
a field carries (``Sentence``, ``Paragraph``) is shown in OpenAPI and enforced by ``decide``, declared in one place.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from programme.refusals import Refusal, TooLong, Unrecordable

PersonId = str
TaskId = str

CLOCK: PersonId = "clock"  # the actor of everything that time alone decides


class Frozen(BaseModel):
    """A value: compared by content, never changed, and lax towards fields that a newer build has added."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def limited(characters: int) -> object:
    """A string field that says its limit in the schema; ``refuse_unrecordable`` enforces it."""
    return Field(json_schema_extra={"maxLength": characters})


Sentence = Annotated[str, limited(300)]
Paragraph = Annotated[str, limited(2000)]


class Words(Frozen):
    """Candid words: kept in the confidential store; only the reference travels.

    The front door takes text, deposits it for ``audience`` and passes the reference on (``traps``: histories cannot
    be edited, so nothing personal may enter them).
    """

    deposit: str = ""


class Sealed(Frozen):
    """Answers: the front door keeps them; not even a reference travels, so that nothing ties them to a person later."""


class Side(StrEnum):
    """The two sides. Everyone who takes part belongs to exactly one for a whole cycle."""

    DOCTOR = "doctor"
    MANAGER = "manager"

    @property
    def other(self) -> "Side":
        """The side across the table."""
        return Side.MANAGER if self is Side.DOCTOR else Side.DOCTOR


class Role(StrEnum):
    """A part that a person holds in one engagement."""

    PROGRAMME_MANAGER = "programme_manager"
    MEDICAL_SPONSOR = "medical_sponsor"
    MANAGERIAL_SPONSOR = "managerial_sponsor"
    FACILITATOR = "facilitator"
    MEDICAL_APPROVER = "medical_approver"
    DEPUTY_APPROVER = "deputy_approver"
    DOCTOR = "doctor"
    MANAGER = "manager"
    MEASURE_STEWARD = "measure_steward"
    INTERNAL_CHALLENGER = "internal_challenger"
    EXTERNAL_CHALLENGER = "external_challenger"
    AUDITOR = "auditor"
    DATA_PROTECTION_CONTACT = "data_protection_contact"


SPONSORS = frozenset({Role.MEDICAL_SPONSOR, Role.MANAGERIAL_SPONSOR})
PARTICIPANTS = frozenset({Role.DOCTOR, Role.MANAGER})
APPROVERS = frozenset({Role.MEDICAL_APPROVER, Role.DEPUTY_APPROVER})
CHALLENGERS = frozenset({Role.INTERNAL_CHALLENGER, Role.EXTERNAL_CHALLENGER})


class Stage(StrEnum):
    """The eight stages, in order."""

    MANDATE = "mandate"
    DIAGNOSIS = "diagnosis"
    EXCHANGE = "exchange"
    SESSIONS = "sessions"
    AGREEMENT = "agreement"
    DELIVERY = "delivery"
    CHALLENGE = "challenge"
    RENEWAL = "renewal"


class Command(Frozen):
    """A request to an engagement. Each concrete command carries a literal ``kind``: its class name.

    ``who`` names the roles that may ask; an empty set means that no person may (only time or the system asks).
    ``refusals`` names the reasons for which it may be refused, beyond those that every command shares. Both are data:
    the core enforces ``who``, OpenAPI prints both.
    """

    who: ClassVar[frozenset[Role]] = frozenset()
    refusals: ClassVar[tuple[type[Refusal], ...]] = ()
    while_paused: ClassVar[bool] = False  # only what protects patients, and what ends the pause
    whoever: ClassVar[bool] = False  # open to anybody enrolled: who may ask hangs on what they were asked themselves

    kind: str


class Event(Frozen):
    """A fact. Each concrete event carries a literal ``kind``: its class name.

    ``by_day`` events keep the day, never the time: order and time would tie a person to an answer.
    """

    by_day: ClassVar[bool] = False

    kind: str


class Entry(Frozen):
    """One line of the journal: an event, its place, and the digest that chains it to the line before."""

    sequence: int
    at: datetime
    actor: PersonId
    on_behalf_of: PersonId | None = None
    event: Event
    previous_digest: str
    digest: str


@dataclass(frozen=True, slots=True)
class DueDate:
    """A date that explains itself: ``why`` is one sentence without a full stop."""

    on: date
    why: str
    provisional: bool = False  # beyond the published bank holidays


@dataclass(frozen=True, slots=True)
class Task:
    """Something that one person owes. ``id`` is stable for the life of the task and tells nothing of any answer.

    ``ladder`` names the reminder ladder; ``about`` is the id of what it concerns (an action, a session, a review).
    ``clock`` False: nobody is reminded and nothing is late (a duty that merely stands open).
    """

    id: TaskId
    ladder: str
    person: PersonId
    about: str
    command: str  # the kind of the command that completes it
    title: str
    opened: date
    due: DueDate | None = None
    side: Side | None = None  # set where being late would name a side


@dataclass(frozen=True, slots=True)
class Due:
    """Something that will happen at ``at`` if nobody does anything.

    ``key`` says what to do: ``act:<stage>:<what>`` asks that stage; ``rung:<task>:<rung>`` and ``notice:<id>`` send.
    ``sends`` marks what needs sending hours. ``why`` is a sentence for the page "what happens next". ``promised``:
    people were told that they have until then, so no change of the calendar brings it forward. ``closes``: the ladder
    of the tasks that it closes and what they are about; it comes after the due date of each of them, whoever's it is.
    """

    at: datetime
    key: str
    what: str
    why: str
    sends: bool = False
    people: tuple[PersonId, ...] = ()
    promised: bool = False
    closes: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Errand:
    """Something that the world outside must do for the programme, once: ``kind`` names the activity, ``key`` what for.

    An errand stays open until its result comes back as a command and the state no longer asks for it.
    """

    kind: str
    key: str


def refuse_unrecordable(command: Command) -> None:
    """Refuse a command whose words are longer than the schema says, or that holds what no journal can keep.

    Raises:
        TooLong: names the first field that is too long, and its limit in characters.
        Unrecordable: names the first other one, and says what could stand there.
    """
    for where, value, limit in _values(command, "", IDENTIFIER_LIMIT):
        if isinstance(value, str) and len(value) > limit:
            raise TooLong(where, limit)
        if (instead := _instead_of(value)) is not None:
            raise Unrecordable(where, instead)


def _values(value: object, where: str, limit: int) -> Iterator[tuple[str, object, int]]:
    """Every single value of a command, the field in which it stands, and the limit of a text there."""
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            extra = field.json_schema_extra
            declared = extra.get("maxLength") if isinstance(extra, dict) else None
            own = declared if isinstance(declared, int) else IDENTIFIER_LIMIT
            yield from _values(getattr(value, name), f"{where}.{name}" if where else name, own)
    elif isinstance(value, tuple | list):
        for place, inner in enumerate(value):
            yield from _values(inner, f"{where}.{place}", LISTED_LIMIT)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield where, key, IDENTIFIER_LIMIT
            yield from _values(inner, where, LISTED_LIMIT)
    else:
        yield where, value, limit


def _instead_of(value: object) -> str | None:
    """What could stand in place of a value that cannot be recorded; None for one that can."""
    match value:
        case str() if _CONTROL.search(value):
            return "a text without control characters"
        case datetime() if value.tzinfo is None:
            return "a time with its zone, such as 2026-03-04T09:00:00Z"
        case date() if not FIRST_YEAR <= value.year <= LAST_YEAR:
            return f"a date between {FIRST_YEAR} and {LAST_YEAR}"
        case int() | float() | Decimal() if not _countable(value):
            return f"a number of at most {DIGITS} digits"
    return None


def _countable(value: float | Decimal) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite() and len(value.as_tuple().digits) <= DIGITS and -DIGITS <= value.adjusted() < DIGITS
    return bool(-LARGEST <= value <= LARGEST)  # which is false for what is not a number


IDENTIFIER_LIMIT = 300  # a string without a declared limit is an id, a code or a short name
LISTED_LIMIT = 2000  # a sentence in a list, such as one option of a session
FIRST_YEAR, LAST_YEAR = 2000, 2099  # no programme reaches further, and arithmetic with dates never runs out of years
DIGITS = 15
LARGEST = 10**DIGITS - 1  # canonical JSON carries no larger whole number
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")  # but tab and line breaks
