"""An e-mail and what caused it: the front door, the workflow and the post are real, and each of them is traced."""

from datetime import timedelta

from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api.desk import Desk, Recorded
from programme.stages.mandate import Answer, StateWillingness
from runtime.telemetry import AllowListed, Telemetry
from tests.post.hosted import registration, skipping
from tests.post.trust import Trust, email
from workflows.ports import Submission

PATIENCE = timedelta(seconds=30)


def trace_of(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.trace_id)


async def test_an_e_mail_is_linked_to_the_requests_of_which_it_is_a_consequence(unregistered: Trust) -> None:
    trust, exported, provider = unregistered, InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(AllowListed(exported)))
    telemetry = Telemetry(provider, NoOpMeterProvider())

    def linked(activity: str) -> list[set[int]]:
        """The traces to which each run of an activity so far is linked."""
        spans = [span for span in exported.get_finished_spans() if span.name == f"RunActivity:{activity}"]
        return [{link.context.trace_id for link in span.links} for span in spans]

    def request(name: str) -> int:
        (span,) = [span for span in exported.get_finished_spans() if span.name == name]
        return trace_of(span)

    async with skipping(trust, telemetry.interceptors()) as environment:
        desk = Desk(environment.client, trust.database, telemetry, at_once=10, patience=PATIENCE)
        with telemetry.moment("launch"):
            launched = await desk.submit(trust.engagement_id, registration(trust), launch=True)
        assert isinstance(launched, Recorded)
        await environment.sleep(timedelta(days=4))
        appended, delivered = linked("journal.append"), linked("post.deliver")
        for person, name in (("med", "first sponsor"), ("man", "second sponsor")):
            command = StateWillingness(answer=Answer.NOT_YET)
            with telemetry.moment(name):
                asked = Submission(command_id=name, by=trust.ids[person], command=command)
                assert isinstance(await desk.submit(trust.engagement_id, asked), Recorded)
        await environment.sleep(timedelta(days=4))
        await desk.close()
    telemetry.shutdown()
    assert any(request("launch") in traces for traces in appended)
    assert any(request("launch") in traces for traces in delivered)
    # Both sponsors are told once the second has answered, at the next hour at which messages leave.
    assert any(request("second sponsor") in traces for traces in linked("post.deliver")[len(delivered) :])
    assert email("med") in trust.server.reached
