"""Structured logs in which a name, an answer or a comment cannot appear, because only listed fields pass.

A log line says what happened (a fixed sentence), to which engagement (an opaque id), and how long it took. Texts
of exceptions are reduced to the type: they quote what people typed. Libraries write their own lines; of those
only the sentence's template and the place in the code are kept, never the values in it.
"""

import logging
import re
import sys
import time
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

FIELDS = frozenset(
    {
        "attempt",
        "code",  # of a refusal: its class name
        "command",  # its kind, never its content
        "component",
        "count",
        "duration_ms",
        "engagement_id",
        "error",  # the type's name
        "event",
        "level",
        "port",
        "sequence",
        "source",  # module and line of a library's own log line
        "span_id",
        "stage",
        "status",  # of an HTTP answer or a process
        "timestamp",
        "trace_id",
        "where",  # module and line that raised
    }
)
LONGEST = 200  # Characters of a value. Ids, codes and fixed sentences are shorter; a text that slipped in is not.
REPEAT_SECONDS = 600.0  # An unreachable collector is worth a line every ten minutes, not one every five seconds.
NATIVE = "temporalio.core"
"""The logger to which the native half of Temporal's client speaks: at each retry, while its server is away."""
_VALUE = re.compile(r"[\d:='\"`{(\[<]")

_PLUMBING = frozenset({"_record", "_from_structlog"})  # structlog's own, taken off before a line is written


def configure_logging(*, pretty: bool = False, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send every log line of this process, ours and those of libraries, to `stream` (standard error).

    One JSON object a line; `pretty` is for a person at a terminal. Both show the same fields.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_trace,
        name_error,
        allow_listed,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    renderer: Processor = structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer()
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[library_line, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.addFilter(keep_template)
    handler.addFilter(SeldomRepeated("opentelemetry", NATIVE))
    logging.basicConfig(handlers=[handler], level=level, force=True)


def allow_listed(_logger: WrappedLogger, _method: str, event: EventDict) -> Mapping[str, Any]:
    """Only listed fields, only plain values, and those cut to a length that holds no paragraph."""
    return {name: _plain(value) if name in FIELDS else value for name, value in event.items() if _may_pass(name, value)}


def _may_pass(name: str, value: object) -> bool:
    return name in _PLUMBING or (name in FIELDS and isinstance(value, str | int | float | bool | None))


def _plain(value: object) -> object:
    return value[:LONGEST] if isinstance(value, str) else value


def name_error(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The type of the exception and the line that raised it, in place of its text."""
    error = _error(event.pop("exc_info", None))
    if error is not None:
        event["error"] = type(error).__name__
        event["where"] = _innermost(error.__traceback__)
    return event


def _error(exc_info: object) -> BaseException | None:
    """The exception that a caller handed over in one of the ways in which `logging` allows it."""
    match exc_info:
        case BaseException() as error:
            return error
        case (_, BaseException() as inner, _):
            return inner
        case None | False | (None, None, None):
            return None
    return sys.exc_info()[1]


def _innermost(trace_back: TracebackType | None) -> str | None:
    if trace_back is None:
        return None
    while trace_back.tb_next is not None:
        trace_back = trace_back.tb_next
    return f"{trace_back.tb_frame.f_globals.get('__name__', '?')}:{trace_back.tb_lineno}"


def add_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The ids under which a trace viewer shows what else happened in this moment."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
        event["span_id"] = trace.format_span_id(context.span_id)
    return event


def library_line(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A library's line without its values: the template where it has one, and always the place in its code."""
    record: logging.LogRecord = event["_record"]
    event["event"] = getattr(record, "template", None) or "library log line"
    event["component"] = record.name
    event["source"] = f"{record.module}:{record.lineno}"
    event["exc_info"] = record.exc_info
    return event


def keep_template(record: logging.LogRecord) -> bool:
    """Note a library's sentence before its values are put in. Lets every line pass."""
    # Without arguments the sentence may have been put together beforehand, values and all.
    record.template = record.msg if record.args and isinstance(record.msg, str) else None
    if record.name.startswith(NATIVE):  # its sentences are fixed up to the first value, which it sets off like this
        record.template = _VALUE.split(str(record.msg), maxsplit=1)[0].strip()
    return True


class SeldomRepeated(logging.Filter):
    """Lets each line of these libraries' code speak once in ten minutes."""

    def __init__(self, *libraries: str) -> None:
        super().__init__()
        self._libraries = libraries
        self._last: MutableMapping[tuple[str, int, int, str | None], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        if not record.name.startswith(self._libraries):
            return True
        said = getattr(record, "template", None)  # the native half knows no lines
        place, now = (record.name, record.levelno, record.lineno, said), time.monotonic()
        if now - self._last.get(place, -REPEAT_SECONDS) < REPEAT_SECONDS:
            return False
        self._last[place] = now
        return True
