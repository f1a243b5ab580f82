"""An e-mail and what caused it: the front door, the workflow and the post are real, and each of them is traced."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api.desk import Desk, Recorded
from programme.stages.mandate import Answer, StateWillingness
from runtime.telemetry import AllowListed, Telemetry
from tests.post.hosted import registration, skipping
from tests.post.trust import Trust, email
from workflows.addresses import engagement_workflow
from workflows.engagement import EngagementWorkflow
from workflows.ports import Submission

PATIENCE = timedelta(seconds=30)


def trace_of(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.trace_id)


class Watched:
    """Everything traced, and what was."""

    def __init__(self) -> None:
        self._exported, provider = InMemorySpanExporter(), TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(AllowListed(self._exported)))
        self.telemetry = Telemetry(provider, NoOpMeterProvider())

    def linked(self, activity: str) -> list[set[int]]:
        """The traces to which each run of an activity so far is linked."""
        spans = [span for span in self._exported.get_finished_spans() if span.name == f"RunActivity:{activity}"]
        return [{link.context.trace_id for link in span.links} for span in spans]

    def request(self, name: str) -> int:
        """The trace of a request."""
        (span,) = [span for span in self._exported.get_finished_spans() if span.name == name]
        return trace_of(span)


@pytest.fixture
def watched() -> Iterator[Watched]:
    made = Watched()
    yield made
    made.telemetry.shutdown()


async def test_an_e_mail_is_linked_to_the_requests_of_which_it_is_a_consequence(
    unregistered: Trust, watched: Watched
) -> None:
    trust, telemetry = unregistered, watched.telemetry
    async with skipping(trust, telemetry.interceptors()) as environment:
        desk = Desk(environment.client, trust.database, telemetry, at_once=10, patience=PATIENCE)
        with telemetry.moment("launch"):
            launched = await desk.submit(trust.engagement_id, registration(trust), launch=True)
        assert isinstance(launched, Recorded)
        await environment.sleep(timedelta(days=4))
        appended, delivered = watched.linked("journal.append"), watched.linked("post.deliver")
        for person, name in (("med", "first sponsor"), ("man", "second sponsor")):
            command = StateWillingness(answer=Answer.NOT_YET)
            with telemetry.moment(name):
                asked = Submission(command_id=name, by=trust.ids[person], command=command)
                assert isinstance(await desk.submit(trust.engagement_id, asked), Recorded)
        await environment.sleep(timedelta(days=4))
        await desk.close()
    assert any(watched.request("launch") in traces for traces in appended)
    assert any(watched.request("launch") in traces for traces in delivered)
    # Both sponsors are told once the second has answered, at the next hour at which messages leave.
    later = watched.linked("post.deliver")[len(delivered) :]
    assert any(watched.request("second sponsor") in traces for traces in later)
    assert email("med") in trust.server.reached


async def test_a_reminder_of_a_later_run_is_linked_to_the_request_of_an_earlier_one(
    unregistered: Trust, watched: Watched
) -> None:
    trust, telemetry = unregistered, watched.telemetry
    async with skipping(trust, telemetry.interceptors()) as environment:
        desk = Desk(environment.client, trust.database, telemetry, at_once=10, patience=PATIENCE)
        with telemetry.moment("launch"):
            await desk.submit(trust.engagement_id, registration(trust), launch=True)
        await environment.sleep(timedelta(days=4))
        delivered = watched.linked("post.deliver")
        handle = environment.client.get_workflow_handle(engagement_workflow(trust.engagement_id))
        first = (await handle.describe()).run_id
        await handle.signal(EngagementWorkflow.checkpoint)
        await environment.sleep(timedelta(days=14))
        assert (await handle.describe()).run_id != first
        await desk.close()
    reminders = watched.linked("post.deliver")[len(delivered) :]
    assert reminders
    assert all(watched.request("launch") in traces for traces in reminders)
