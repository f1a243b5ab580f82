"""Requests as a hostile or broken client would send them: every field of every command, filled with anything."""

import types
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel

Json = Any

_PEOPLE = ("pm", "med", "man", "fac", "app", "d0", "d1", "m0", "m1")
_THINGS = ("1A", "1B", "1C", "A1", "A2", "M1", "P1", "P2", "D1", "N1", "1-internal-1", "1-external-1", "C01", "C09")
_IDS = (*_PEOPLE, *_THINGS)
_TEXTS = ("", " ", "x" * 301, "x" * 2001, "nul\x00", "\u202e", "=1+1", "<script>", "a\r\nBcc: b", "\ud800", "é" * 300)
_NUMBERS = (0, 1, -1, 3, 2**31, 2**53, -(2**53), 10**30)
_DATES = (date.min, date.max, date(2026, 1, 5), date(2026, 2, 27), date(2026, 6, 1), date(1999, 1, 1))
_TIMES = (
    "2026-03-02T10:00:00Z",
    "2026-06-02T10:00:00+01:00",
    "2026-03-02T10:00:00",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
)
_DECIMALS = ("0", "-1", "68.5", "NaN", "Infinity", "1E+999999", "1E-30", "123456789012345678")

texts = st.sampled_from(_IDS) | st.sampled_from(_IDS) | st.sampled_from(_TEXTS) | st.text(max_size=20)
numbers = st.sampled_from(_NUMBERS) | st.integers(0, 50)
anything = st.recursive(
    st.none() | st.booleans() | numbers | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


Plain = Mapping[Any, st.SearchStrategy[Json]]


def requests(model: type[BaseModel], plain: Plain | None = None) -> st.SearchStrategy[dict[str, Json]]:
    """Requests of one kind whose fields have the right type and any content; some fields are left out.

    ``plain``: what to fill fields of a plain type with, instead of anything.
    """
    required: dict[str, st.SearchStrategy[Json]] = {}
    optional: dict[str, st.SearchStrategy[Json]] = {}
    for name, field in model.model_fields.items():
        strategy = _values(field.annotation, {**_PLAIN, **(plain or {})})
        (required if field.is_required() or name == "kind" else optional)[name] = strategy
    return st.fixed_dictionaries(required, optional=optional)


def malformed(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Json]]:
    """Requests of one kind with anything at all in their fields, and fields that nobody knows."""
    names = st.sampled_from([*model.model_fields, "unknown"])
    return st.dictionaries(names, anything).map(lambda found: {**found, "kind": model.__name__})


def _values(annotation: Any, plain: Plain) -> st.SearchStrategy[Json]:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return st.one_of(*(_values(one, plain) for one in inner))
    if origin in (tuple, dict, Mapping):
        return _several(origin, inner, plain)
    if origin is Annotated:
        return _values(inner[0], plain)
    return st.just(inner[0]) if origin is Literal else _single(annotation, plain)


def _several(origin: Any, inner: tuple[Any, ...], plain: Plain) -> st.SearchStrategy[Json]:
    if origin is not tuple:
        return st.dictionaries(texts, _values(inner[1], plain), max_size=3)
    if inner[-1] is Ellipsis:
        return st.lists(_values(inner[0], plain), max_size=3)
    return st.tuples(*(_values(one, plain) for one in inner)).map(list)


def _single(annotation: Any, plain: Plain) -> st.SearchStrategy[Json]:
    if annotation in plain:
        return plain[annotation]
    if issubclass(annotation, Enum):
        return st.sampled_from([member.value for member in annotation])
    if issubclass(annotation, BaseModel):
        return requests(annotation, plain)
    message = f"no strategy for {annotation}"
    raise TypeError(message)


_PLAIN: dict[Any, st.SearchStrategy[Json]] = {
    type(None): st.none(),
    str: texts,
    bool: st.booleans(),
    int: numbers,
    float: st.floats() | numbers,
    date: (st.sampled_from(_DATES) | st.dates(date(2025, 1, 1), date(2030, 1, 1))).map(str),
    datetime: st.sampled_from(_TIMES)
    | st.dates(date(2026, 1, 1), date(2027, 1, 1)).map(lambda day: f"{day}T{day.day % 24:02d}:30:00Z"),
    Decimal: st.sampled_from(_DECIMALS),
}
