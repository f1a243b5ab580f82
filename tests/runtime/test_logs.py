import ast
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider

from runtime.logs import LONGEST, NATIVE, configure_logging

ROOT = Path(__file__).parents[2]
PACKAGES = ("activities", "api", "cli", "runtime", "store", "web", "worker", "workflows")
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
NAME = "Dr Amara Whitfield"


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging(stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(output: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.getvalue().splitlines()]


def fail(error: Exception) -> None:
    raise error


def test_listed_fields_are_written(output: io.StringIO) -> None:
    structlog.get_logger(component="journal").info("appended", engagement_id="engagement-1", sequence=7)
    (line,) = lines(output)
    assert line.pop("timestamp")
    assert line == {
        "component": "journal",
        "engagement_id": "engagement-1",
        "event": "appended",
        "level": "info",
        "sequence": 7,
    }


def test_every_other_field_is_dropped(output: io.StringIO) -> None:
    structlog.get_logger().info("enrolled", name=NAME, email="a@example.org", comment="they never listen")
    assert NAME not in output.getvalue()
    assert set(lines(output)[0]) == {"event", "level", "timestamp"}


def test_a_listed_field_holds_no_structure_and_no_paragraph(output: io.StringIO) -> None:
    structlog.get_logger().info("odd", stage={"name": NAME}, code="x" * 1000)
    (line,) = lines(output)
    assert "stage" not in line
    assert line["code"] == "x" * LONGEST


def test_context_variables_pass_the_same_list(output: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(engagement_id="engagement-1", person=NAME):
        structlog.get_logger().info("asked")
    (line,) = lines(output)
    assert line["engagement_id"] == "engagement-1"
    assert "person" not in line


def test_an_exception_leaves_its_type_and_place_only(output: io.StringIO) -> None:
    try:
        fail(ValueError(NAME))
    except ValueError:
        structlog.get_logger().exception("failed")
    (line,) = lines(output)
    assert line["error"] == "ValueError"
    assert str(line["where"]).partition(":")[0].endswith("test_logs")
    assert NAME not in output.getvalue()


def test_an_exception_may_be_handed_over_as_a_value(output: io.StringIO) -> None:
    structlog.get_logger().error("failed", exc_info=LookupError(NAME))
    assert lines(output)[0]["error"] == "LookupError"
    assert NAME not in output.getvalue()


def test_a_library_keeps_its_template_and_loses_its_values(output: io.StringIO) -> None:
    logging.getLogger("uvicorn.access").info("%s asked for %s", "198.51.100.7", f"/people?name={NAME}")
    (line,) = lines(output)
    assert line["event"] == "%s asked for %s"
    assert line["component"] == "uvicorn.access"
    assert str(line["source"]).startswith("test_logs:")


def test_a_library_line_without_arguments_may_hold_anything_and_is_dropped(output: io.StringIO) -> None:
    try:
        fail(KeyError(NAME))
    except KeyError:
        logging.getLogger("some.library").exception(f"could not find {NAME}")  # noqa: G004 - as libraries do
    (line,) = lines(output)
    assert line["event"] == "library log line"
    assert line["error"] == "KeyError"
    assert NAME not in output.getvalue()


def test_who_cannot_be_reached_is_not_repeated(output: io.StringIO) -> None:
    for _ in range(5):
        logging.getLogger("opentelemetry.exporter").error("Failed to export %s", "traces")
        logging.getLogger("uvicorn.error").error("Another %s", "thing")
        native("gRPC call poll retried 5 times", "retry")
    events = [line["event"] for line in lines(output)]
    assert events.count("Failed to export %s") == 1
    assert events.count("gRPC call poll retried") == 1
    assert events.count("Another %s") == 5


def native(message: str, target: str, level: int = logging.WARNING) -> None:
    """As the SDK hands on a line of its native half: the sentence with its values in it, no arguments, no line."""
    logger = logging.getLogger(NATIVE)
    name = f"{NATIVE}-sdk_core::{target}"
    logger.handle(logger.makeRecord(name, level, "(sdk-core)", 0, message, (), None, "(sdk-core)"))


def test_the_native_half_keeps_its_sentence_up_to_the_first_value(output: io.StringIO) -> None:
    native(f"Failing workflow task: {NAME} said so", "worker")
    native("Failing workflow task: something else", "worker", logging.ERROR)
    native("Error while polling", "worker")
    found = [(line["event"], line["level"]) for line in lines(output)]
    expected = [
        ("Failing workflow task", "warning"),
        ("Failing workflow task", "error"),
        ("Error while polling", "warning"),
    ]
    assert found == expected
    assert all(str(line["component"]).endswith("sdk_core::worker") for line in lines(output))
    assert NAME not in output.getvalue()


def test_a_line_leads_to_its_trace(output: io.StringIO) -> None:
    with TracerProvider().get_tracer("test").start_as_current_span("request") as span:
        structlog.get_logger().info("asked")
    assert lines(output)[0]["trace_id"] == f"{span.get_span_context().trace_id:032x}"


def test_a_person_at_a_terminal_sees_the_same_fields() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        configure_logging(pretty=True, stream=stream)
        structlog.get_logger().info("enrolled", name=NAME, stage="mandate")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()
    assert "mandate" in stream.getvalue()
    assert NAME not in stream.getvalue()


@pytest.mark.parametrize("package", PACKAGES)
def test_what_happened_is_always_a_fixed_sentence(package: str) -> None:
    composed = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in (ROOT / package).rglob("*.py")
        for call in log_calls(ast.parse(path.read_text(encoding="utf-8")))
        if not isinstance(call.args[0], ast.Constant)
    ]
    assert not composed, "values belong into listed fields, never into the sentence"


def log_calls(module: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="log" | "logger"), attr=level), args=[_, *_]) if (
                level in LEVELS
            ):
                yield node
