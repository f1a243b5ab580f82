"""An activity's place in what is traced: a moment of its own, linked to the requests of which it is a consequence."""

from collections.abc import Iterable

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()


def linked_to(causes: Iterable[str]) -> None:
    """Link the activity that runs to other moments, each a W3C ``traceparent``; nothing while nobody traces."""
    span = trace.get_current_span()
    for context in map(context_of, sorted(set(causes)) if span.is_recording() else ()):
        if context.is_valid:
            span.add_link(context)


def context_of(cause: str) -> trace.SpanContext:
    """The moment that a ``traceparent`` names; an invalid one where it names none."""
    return trace.get_current_span(_PROPAGATOR.extract({"traceparent": cause})).get_span_context()
