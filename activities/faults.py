"""What of a fault may travel to Temporal, whose histories cannot be edited: its kind, never its text.

A database says in its errors which row it refused, and a parser what it could not read: names, answers, candid words.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from temporalio.exceptions import ApplicationError


@contextmanager
def without_details(*plain: type[Exception]) -> Iterator[None]:
    """Let only the kind of a fault out, except of these ``plain`` ones, whose texts hold numbers alone."""
    try:
        yield
    except plain:
        raise
    except Exception as fault:  # noqa: BLE001 - whatever it is, its text stays here
        kind = type(fault).__name__
        # Chained to nothing: Temporal would record the cause, text and all.
        raise ApplicationError(f"{kind}; the worker's log says where", type=kind) from None
