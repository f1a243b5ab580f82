from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import func, select

from api.app import create_app
from api.figures import read_figures, reported
from api.tidying import tidy
from programme.messages import Stage
from runtime.temporal import connect
from store import tables
from store.database import Database
from tests.api.recorded import recorded
from tests.core.programme_driver import begun
from tests.stack import QUESTIONNAIRE, Stack, bearer, http_of
from tests.watched import Watched

pytestmark = pytest.mark.asyncio(loop_scope="session")
SECRET = "what I never told anybody"


@pytest_asyncio.fixture(loop_scope="session")
async def watched() -> AsyncIterator[Watched]:
    made = Watched()
    yield made
    made.telemetry.shutdown()


async def test_a_trace_leads_from_the_request_through_the_update_to_the_append(stack: Stack, watched: Watched) -> None:
    engagement = await stack.launch()
    client = await connect(
        stack.settings, interceptors=watched.telemetry.interceptors(), address=stack.temporal.address
    )
    database = Database(stack.settings.database_url.get_secret_value())
    watched.telemetry.instrument(database.engine)
    app = create_app(
        database=database,
        client=client,
        settings=stack.settings,
        telemetry=watched.telemetry,
        questionnaire=QUESTIONNAIRE,
    )
    async with http_of(app) as http:
        path = f"{engagement.path}/accept-appointment"
        body = {"role": "facilitator", "interests": SECRET}
        headers = bearer(engagement.tokens["fay"])
        assert (await http.post(path, json=body, headers=headers)).status_code == 200
        assert (await http.post(path, json=body, headers=headers)).status_code == 404
    await database.close()
    spans = watched.spans.get_finished_spans()
    request = next(span for span in spans if (span.attributes or {}).get("http.response.status_code") == 200)
    trace_id = request.context.trace_id if request.context else 0
    names = {span.name for span in spans if span.context and span.context.trace_id == trace_id}
    assert any("accept-appointment" in name for name in names), names
    assert any("submit" in name for name in names), names
    assert any("INSERT" in name for name in names), names
    assert (request.attributes or {})["engagement_id"] == engagement.id
    assert (request.attributes or {})["command"] == "AcceptAppointment"
    assert SECRET not in "".join(span.to_json() for span in spans)
    figures = watched.metrics()
    assert ({"code": "NoAppointment"}, 1) in figures["olive.refusals"]
    assert {attributes["command"] for attributes, _ in figures["olive.update.duration"]} == {"AcceptAppointment"}


async def test_what_asks_every_few_seconds_whether_all_is_well_leaves_no_trace(stack: Stack, watched: Watched) -> None:
    database = Database(stack.settings.database_url.get_secret_value())
    watched.telemetry.instrument(database.engine)
    app = create_app(
        database=database,
        client=await connect(stack.settings, address=stack.temporal.address),
        settings=stack.settings,
        telemetry=watched.telemetry,
        questionnaire=QUESTIONNAIRE,
    )
    async with http_of(app) as http:
        assert [(await http.get(path)).status_code for path in ("/healthz", "/readyz")] == [200, 200]
        assert watched.moments() == []
        await http.get("/openapi.json")
        assert watched.moments() == ["GET /openapi.json"]
    await database.close()


async def test_figures_of_the_whole_product_are_reported(tmp_path: Path, watched: Watched) -> None:
    async with recorded(begun(Stage.DELIVERY), tmp_path) as read:
        figures = await read_figures(read.database, 1.5)
        assert sum(figures.open_engagements.values()) == 1
        assert figures.journal_lag_seconds == 1.5
        async with reported(watched.telemetry, read.database, lambda: 0.0):
            assert "olive.tasks.overdue" in watched.metrics()


async def test_without_anybody_who_receives_them_no_figures_are_read(tmp_path: Path, stack: Stack) -> None:
    nobody = Database(f"sqlite+aiosqlite:///{tmp_path / 'none.sqlite3'}")
    async with reported(stack.app.state.front_door.telemetry, nobody, lambda: 0.0):
        assert not (tmp_path / "none.sqlite3").exists()
    await nobody.close()


async def test_what_is_kept_for_a_while_only_is_forgotten(stack: Stack) -> None:
    engagement = await stack.launch()
    body = {"role": "medical_approver", "interests": SECRET}
    refused = await engagement.post("fay", "accept-appointment", body, Idempotency_Key="refused-for-good")
    assert refused.status_code == 404
    async with stack.database.reading() as connection:
        kept = await connection.scalar(
            select(func.count()).select_from(tables.deposits).where(~tables.deposits.c.claimed)
        )
    assert kept
    assert await tidy(stack.database, datetime.now(UTC)) == 0
    assert await tidy(stack.database, datetime.now(UTC) + timedelta(days=31)) >= 2
    async with stack.database.reading() as connection:
        rows = select(func.count()).select_from(tables.deposits).where(~tables.deposits.c.claimed)
        assert await connection.scalar(rows) == 0
