"""An activity's place in what is traced: a moment of its own, linked to the requests of which it is a consequence."""

from collections.abc import Iterable

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()


def linked_to(causes: Iterable[str]) -> None:
    """Link the activity that runs to other moments, each a W3C ``traceparent``; nothing while nobody traces."""
    span = trace.get_current_span()
    if span.is_recording():
        for context in contexts_of(sorted(set(causes))):
            span.add_link(context)


def contexts_of(causes: Iterable[str]) -> list[trace.SpanContext]:
    """The moments that these ``traceparent`` name; what names none is left out."""
    found = (trace.get_current_span(_PROPAGATOR.extract({"traceparent": cause})) for cause in causes)
    return [context for context in (span.get_span_context() for span in found) if context.is_valid]
