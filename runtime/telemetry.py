"""Traces and metrics by OpenTelemetry: off unless its standard OTEL_* variables ask for them.

An engagement lasts for years, so no trace lasts as long as it does. A trace is one moment: a request with its
update, its append and its queries; one activity with its e-mail. What caused a later moment is linked, not enclosed.

What leaves the process is listed here, as in `runtime.logs`: span attributes by name, exceptions by type only.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter, SpanExportResult
from opentelemetry.trace import Status
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.contrib.opentelemetry._interceptor import _CompletedWorkflowSpanParams

from activities.moments import contexts_of

SPAN_ATTRIBUTES = frozenset(
    {
        "code",
        "command",
        "count",
        "db.operation.name",
        "db.query.text",  # with placeholders: the instrumentation never sees the values
        "db.statement",
        "db.system",
        "db.system.name",
        "engagement_id",
        "error.type",
        "exception.type",
        "http.request.method",
        "http.response.status_code",
        "http.route",  # the pattern; a path or a query string may hold what somebody typed
        "sequence",
        "stage",
        "temporalActivityID",
        "temporalRunID",
        "temporalUpdateID",
        "temporalWorkflowID",
    }
)
SCOPE = "olivebranch"
Exporter = TypeVar("Exporter")
_PROPAGATOR = TraceContextTextMapPropagator()


class TelemetryError(Exception):
    """An OTEL_* variable asks for something that this product does not bring; the text names it."""


@dataclass(frozen=True)
class Figures:
    """The state of the whole product in one moment, as a dashboard wants it."""

    open_engagements: Mapping[str, int] = field(default_factory=dict)
    """How many, by stage."""
    overdue_tasks: int = 0
    journal_lag_seconds: float = 0.0
    """Age of the oldest event that is decided and not yet in the journal."""
    outbox_age_seconds: float = 0.0
    """Age of the oldest e-mail that waits to be sent."""


class Telemetry:
    """What a process reports about itself. Made once at its entry point; with no-op providers it costs nothing."""

    def __init__(self, tracer_provider: trace.TracerProvider, meter_provider: metrics.MeterProvider) -> None:
        self.tracer_provider = tracer_provider
        self.meter_provider = meter_provider
        self._tracer = tracer_provider.get_tracer(SCOPE)
        self._meter = meter_provider.get_meter(SCOPE)
        self._refusals = self._meter.create_counter(
            "olive.refusals", unit="{refusal}", description="Requests refused, by the code of the refusal"
        )
        self._updates = self._meter.create_histogram(
            "olive.update.duration", unit="s", description="From the request to its recorded answer, by command"
        )

    @property
    def tracing(self) -> bool:
        """Whether anybody receives traces."""
        return not isinstance(self.tracer_provider, trace.NoOpTracerProvider)

    def interceptors(self) -> Sequence[TracingInterceptor]:
        """What a Temporal client needs so that traces cross it; a worker takes them from its client."""
        return [MomentTracing(self._tracer)] if self.tracing else []

    def instrument(self, engine: AsyncEngine) -> None:
        """Make each statement of the engine a span: its text with placeholders, never its parameters."""
        if self.tracing:
            SQLAlchemyInstrumentor().instrument(
                engine=engine.sync_engine,
                tracer_provider=self.tracer_provider,
                meter_provider=self.meter_provider,
                # It was not yet told about SQLAlchemy 2.1 and would do nothing, with one log line.
                skip_dep_check=True,
            )

    @contextmanager
    def moment(self, name: str, *, caused_by: Iterable[str] = ()) -> Iterator[trace.Span]:
        """A new trace for what happens now, linked to the moments that caused it.

        `caused_by` holds values of `traceparent()`, kept beside what they caused (a row of the outbox, say).
        """
        links = [trace.Link(context) for context in contexts_of(caused_by)]
        with self._tracer.start_as_current_span(name, context=Context(), links=links) as span:
            yield span

    def refused(self, code: str) -> None:
        """Count a refusal; `code` is its class name."""
        self._refusals.add(1, {"code": code})

    def update_took(self, seconds: float, *, command: str) -> None:
        """Record how long a person waited for an answer; `command` is its kind."""
        self._updates.record(seconds, {"command": command})

    def observe(self, read: Callable[[], Figures]) -> None:
        """Report what `read` returns whenever figures are exported.

        It is called on the exporter's own thread and must answer at once: hand over a snapshot, not a query.
        """

        def by_stage(_: CallbackOptions) -> list[Observation]:
            return [Observation(count, {"stage": stage}) for stage, count in read().open_engagements.items()]

        gauge = self._meter.create_observable_gauge
        gauge("olive.engagements.open", [by_stage], unit="{engagement}", description="Open engagements, by stage")
        gauge("olive.tasks.overdue", [_one(lambda: read().overdue_tasks)], unit="{task}", description="Overdue tasks")
        gauge("olive.journal.lag", [_one(lambda: read().journal_lag_seconds)], unit="s")
        gauge("olive.outbox.age", [_one(lambda: read().outbox_age_seconds)], unit="s")

    def shutdown(self) -> None:
        """Send what is still waiting and stop the exporters' threads."""
        for provider in (self.tracer_provider, self.meter_provider):
            if isinstance(provider, TracerProvider | MeterProvider):
                provider.shutdown()
        if SQLAlchemyInstrumentor().is_instrumented_by_opentelemetry:
            SQLAlchemyInstrumentor().uninstrument()


def configure(service_name: str) -> Telemetry:
    """What the standard variables ask for; nothing where they ask for nothing.

    OTEL_EXPORTER_OTLP_ENDPOINT (or that of one signal) switches on, OTEL_TRACES_EXPORTER and OTEL_METRICS_EXPORTER
    choose `otlp`, `console` or `none`, OTEL_SDK_DISABLED=true switches all off; sampling, batching, headers and
    resource attributes are read by OpenTelemetry itself, and OTEL_SERVICE_NAME wins over `service_name`.

    Raises TelemetryError.
    """
    resource = Resource.create({} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: service_name})
    return Telemetry(_tracer_provider(resource), _meter_provider(resource))


def traceparent() -> str | None:
    """The present moment as a W3C `traceparent`, to be kept beside what it causes; None while nobody traces."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent")


class MomentTracing(TracingInterceptor):
    """Temporal's tracing, cut into moments.

    As it comes, all spans of a workflow belong to the trace in which it was started: one trace for all the years
    of an engagement, and an update's span stands there instead of in its request. Here an update's span is a child
    of its request and everything that `run` does begins a trace of its own; both link to the engagement's first.
    """

    def _completed_workflow_span(self, params: _CompletedWorkflowSpanParams) -> dict[str, str | list[str]] | None:
        moment = replace(
            params,
            context=params.link_context or {},
            link_context=params.context,
            parent_missing=False,
        )
        return super()._completed_workflow_span(moment)


class AllowListed(SpanExporter):
    """Hands on spans with listed attributes only, and with the types of exceptions instead of their texts."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send the spans on."""
        return self._exporter.export([_cleaned(span) for span in spans])

    def shutdown(self) -> None:
        """Stop."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send now what waits; False if that took longer than `timeout_millis`."""
        return self._exporter.force_flush(timeout_millis)


def _cleaned(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_listed(span.attributes),
        events=[Event(event.name, _listed(event.attributes), event.timestamp) for event in span.events],
        links=[trace.Link(link.context) for link in span.links],
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _listed(attributes: Attributes) -> Attributes:
    return {name: value for name, value in (attributes or {}).items() if name in SPAN_ATTRIBUTES}


def _one(read: Callable[[], float]) -> Callable[[CallbackOptions], list[Observation]]:
    return lambda _: [Observation(read())]


def _tracer_provider(resource: Resource) -> trace.TracerProvider:
    exporters: dict[str, Callable[[], SpanExporter]] = {"otlp": OTLPSpanExporter, "console": ConsoleSpanExporter}
    wanted = _wanted("TRACES", exporters)
    if wanted is None:
        return trace.NoOpTracerProvider()
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(AllowListed(wanted())))
    return provider


def _meter_provider(resource: Resource) -> metrics.MeterProvider:
    exporters: dict[str, Callable[[], MetricExporter]] = {"otlp": OTLPMetricExporter, "console": ConsoleMetricExporter}
    wanted = _wanted("METRICS", exporters)
    if wanted is None:
        return metrics.NoOpMeterProvider()
    return MeterProvider([PeriodicExportingMetricReader(wanted())], resource=resource)


def _wanted(signal: str, exporters: Mapping[str, Exporter]) -> Exporter | None:
    """The exporter that the environment names for a signal, None where it asks for none."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    variable = f"OTEL_{signal}_EXPORTER"
    endpoint = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    name = os.environ.get(variable) or ("otlp" if endpoint else "none")
    if name == "none":
        return None
    if name not in exporters:
        raise TelemetryError(f"{variable} must be one of {', '.join(exporters)}, none; it is {name}")
    if name == "otlp":
        _check_protocol(signal)
    return exporters[name]


def _check_protocol(signal: str) -> None:
    for variable in (f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        protocol = os.environ.get(variable) or "http/protobuf"
        if protocol != "http/protobuf":
            raise TelemetryError(f"{variable} must be http/protobuf (port 4318), which is what is installed")
