"""A process of which everything is reported, and what was."""

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from runtime.telemetry import AllowListed, Telemetry


class Watched:
    """Its telemetry, and what that has received."""

    def __init__(self) -> None:
        self.spans = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(AllowListed(self.spans)))
        self.telemetry = Telemetry(provider, MeterProvider([self.reader]))

    def moments(self) -> list[str]:
        """The names of all spans so far. Without "connect", which the worker in this process makes, too."""
        return [one.name for one in self.spans.get_finished_spans() if one.name != "connect"]

    def metrics(self) -> dict[str, list[tuple[dict[str, object], object]]]:
        """Every figure by name, with its attributes."""
        data = self.reader.get_metrics_data()
        assert data is not None
        found: dict[str, list[tuple[dict[str, object], object]]] = {}
        for one in data.resource_metrics[0].scope_metrics:
            for metric in one.metrics:
                for point in metric.data.data_points:
                    value = getattr(point, "value", None)
                    found.setdefault(metric.name, []).append((dict(point.attributes or {}), value))
        return found

    def linked(self, activity: str) -> list[set[int]]:
        """The traces to which each run of an activity so far is linked."""
        spans = [span for span in self.spans.get_finished_spans() if span.name == f"RunActivity:{activity}"]
        return [{link.context.trace_id for link in span.links} for span in spans]

    def request(self, name: str) -> int:
        """The trace of a request."""
        (span,) = [span for span in self.spans.get_finished_spans() if span.name == name]
        assert span.context is not None
        return int(span.context.trace_id)
