import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from runtime.embedded import time_skipping_temporal
from runtime.telemetry import AllowListed, Figures, Telemetry, TelemetryError, configure, traceparent

NAME = "Dr Amara Whitfield"
SECRET = NAME.encode()


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_TRACES_EXPORTER",
        "OTEL_METRICS_EXPORTER",
        "OTEL_SDK_DISABLED",
        "OTEL_SERVICE_NAME",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def exported() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def telemetry(exported: InMemorySpanExporter) -> Iterator[Telemetry]:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(AllowListed(exported)))
    telemetry = Telemetry(provider, NoOpMeterProvider())
    yield telemetry
    telemetry.shutdown()


@pytest.fixture
def collector() -> Iterator[tuple[str, dict[str, bytes]]]:
    """A server that receives what an exporter sends: its address, and the bodies by path."""
    received: dict[str, bytes] = {}

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received[self.path] = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()
    thread.join()
    server.server_close()


def named(exported: InMemorySpanExporter, name: str) -> ReadableSpan:
    (span,) = [span for span in exported.get_finished_spans() if span.name == name]
    return span


def trace_of(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.trace_id)


def links_of(span: ReadableSpan) -> set[int]:
    return {link.context.trace_id for link in span.links}


# --- off by default -------------------------------------------------------------------------------------------------


def test_nothing_is_reported_when_nobody_asked() -> None:
    telemetry = configure("api")
    assert not telemetry.tracing
    assert not telemetry.interceptors()
    with telemetry.moment("anything"):
        assert traceparent() is None
    telemetry.refused("NotASignatory")
    telemetry.update_took(0.1, command="agree")
    telemetry.observe(Figures)
    telemetry.shutdown()


def test_one_variable_switches_all_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert not configure("api").tracing


def test_each_signal_can_be_declined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    assert not configure("api").tracing


@pytest.mark.parametrize(
    ("variable", "value"), [("OTEL_TRACES_EXPORTER", "jaeger"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]
)
def test_what_is_not_installed_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv(variable, value)
    with pytest.raises(TelemetryError, match=variable):
        configure("api")


def test_a_collector_receives_traces_and_metrics(
    monkeypatch: pytest.MonkeyPatch, collector: tuple[str, dict[str, bytes]]
) -> None:
    address, received = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    telemetry = configure("olive-api")
    with contextlib.suppress(ValueError), telemetry.moment("submit") as span:
        span.set_attributes({"engagement_id": "engagement-1", "person": NAME})
        raise ValueError(NAME)
    telemetry.refused("NotASignatory")
    telemetry.shutdown()
    assert b"engagement-1" in received["/v1/traces"]
    assert b"olive-api" in received["/v1/traces"]
    assert b"ValueError" in received["/v1/traces"]
    assert SECRET not in received["/v1/traces"]
    assert b"NotASignatory" in received["/v1/metrics"]


# --- what leaves the process ----------------------------------------------------------------------------------------


async def test_statements_are_traced_without_their_values(telemetry: Telemetry, exported: InMemorySpanExporter) -> None:
    engine = create_async_engine("sqlite+aiosqlite://")
    telemetry.instrument(engine)
    async with engine.connect() as connection:
        found = await connection.scalar(text("SELECT :name"), {"name": NAME})
    await engine.dispose()
    assert found == NAME
    statements = [str(span.to_json()) for span in exported.get_finished_spans()]
    assert any("SELECT ?" in statement for statement in statements)
    assert not any(NAME in statement for statement in statements)


# --- moments, linked ------------------------------------------------------------------------------------------------


def test_a_moment_is_its_own_trace_linked_to_its_cause(telemetry: Telemetry, exported: InMemorySpanExporter) -> None:
    with telemetry.moment("request"):
        cause = traceparent()
        assert cause is not None
        with telemetry.moment("e-mail", caused_by=[cause, "nonsense"]):
            pass
    request, email = named(exported, "request"), named(exported, "e-mail")
    assert email.parent is None
    assert trace_of(email) != trace_of(request)
    assert links_of(email) == {trace_of(request)}


@activity.defn(name="journal.append")
async def append() -> None:
    assert trace.get_current_span().is_recording()


@workflow.defn(name="Year")
class Year:
    def __init__(self) -> None:
        self.done = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.done)
        await workflow.execute_activity(append, start_to_close_timeout=timedelta(seconds=10))

    @workflow.update
    def submit(self) -> None:
        self.done = True


@pytest.fixture
async def environment() -> AsyncIterator[WorkflowEnvironment]:
    async with time_skipping_temporal() as environment:
        yield environment


async def test_a_year_is_many_linked_traces(
    telemetry: Telemetry, exported: InMemorySpanExporter, environment: WorkflowEnvironment
) -> None:
    config: Any = environment.client.config()
    client = Client(**{**config, "interceptors": telemetry.interceptors()})
    worker = Worker(
        client,
        task_queue="year",
        workflows=[Year],
        activities=[append],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with asyncio.timeout(30), worker:
        with telemetry.moment("launch"):
            handle = await client.start_workflow(Year.run, id="engagement-1", task_queue="year")
        with telemetry.moment("request"):
            await handle.execute_update(Year.submit)
        await handle.result()
    launch, request = named(exported, "launch"), named(exported, "request")
    update, activity_run = named(exported, "HandleUpdate:submit"), named(exported, "RunActivity:journal.append")
    assert trace_of(update) == trace_of(request)
    assert trace_of(launch) in links_of(update)
    assert trace_of(activity_run) not in {trace_of(launch), trace_of(request)}
    assert trace_of(launch) in links_of(named(exported, "StartActivity:journal.append"))


# --- figures --------------------------------------------------------------------------------------------------------


def test_figures_reach_whoever_reads_metrics() -> None:
    reader = InMemoryMetricReader()
    telemetry = Telemetry(trace.NoOpTracerProvider(), MeterProvider([reader]))
    telemetry.observe(
        lambda: Figures(
            open_engagements={"mandate": 2, "delivery": 5},
            overdue_tasks=3,
            journal_lag_seconds=1.5,
            outbox_age_seconds=60.0,
        )
    )
    telemetry.refused("NotASignatory")
    telemetry.update_took(0.25, command="agree_action")
    assert _points(reader) == {
        ("olive.engagements.open", "delivery"): 5,
        ("olive.engagements.open", "mandate"): 2,
        ("olive.journal.lag", ""): 1.5,
        ("olive.outbox.age", ""): 60.0,
        ("olive.refusals", "NotASignatory"): 1,
        ("olive.tasks.overdue", ""): 3,
        ("olive.update.duration", "agree_action"): 0.25,
    }
    telemetry.shutdown()


def _points(reader: InMemoryMetricReader) -> dict[tuple[str, str], float]:
    data: Any = reader.get_metrics_data()
    return {
        (metric.name, "".join(map(str, point.attributes.values()))): getattr(point, "value", None) or point.sum
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
    }
