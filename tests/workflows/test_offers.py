"""Whoever decides about a next cycle is offered the newest version of the template, once, and in time."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio import activity
from temporalio.client import Client

from activities.offers import OfferActivities
from programme.engagement import RecordedEntry
from programme.messages import CLOCK, Stage
from programme.refusals import Refusal
from programme.stages.renewal import DecideRenewal, NextStep, OfferTemplate, SuggestTemplate
from programme.template import ProgrammeTemplate
from runtime.schedules import look_daily
from store import journal
from store.database import Database, migrate
from tests.core.programme_driver import MEDICAL, PM, TWELVE_MONTHS, Programme, begun
from tests.core.test_renewal import sponsors_asked
from worker.hosting import hosting
from workflows.addresses import OFFERS_DAILY, TASK_QUEUE
from workflows.offers import OffersWorkflow
from workflows.ports import Engagements, Offering, Reply, Request

pytestmark = pytest.mark.asyncio(loop_scope="session")
SECOND: ProgrammeTemplate = TWELVE_MONTHS.model_copy(update={"version": "2"})


class Hosted(Engagements):
    """The engagements, each decided by the core and recorded at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.programmes: dict[str, Programme] = {}

    async def host(self, programme: Programme) -> None:
        self.programmes[programme.engagement.id] = programme
        await self.record(programme)

    async def record(self, programme: Programme) -> None:
        entries = [RecordedEntry(**entry.__dict__) for entry in programme.entries]
        async with self._database.writing() as connection:
            await journal.append(connection, programme.engagement.id, entries)

    @activity.defn(name="engagements.submit")
    async def submit(self, request: Request) -> Reply:
        programme = self.programmes[request.engagement_id]
        before = programme.engagement.sequence
        try:
            programme.do(request.submission.command, request.submission.by)
        except Refusal as refusal:
            return Reply(engagement_id=request.engagement_id, refused=refusal.code)
        await self.record(programme)
        return Reply(engagement_id=request.engagement_id, first=before + 1, last=programme.engagement.sequence)


@pytest_asyncio.fixture(loop_scope="session")
async def hosted(tmp_path: Path) -> AsyncIterator[Hosted]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'olive.sqlite3'}"
    migrate(url)
    database = Database(url)
    yield Hosted(database)
    await database.close()


async def offered(client: Client, hosted: Hosted, newest: ProgrammeTemplate | None = SECOND) -> Offering:
    """One morning's round."""
    offers = OfferActivities(hosted._database, hosted, lambda _: newest)
    async with hosting(client, {TASK_QUEUE: [offers.look, offers.offer, hosted.submit]}):
        result: Offering = await client.execute_workflow(
            OffersWorkflow.run, Offering(), id=f"offers-{uuid4().hex}", task_queue=TASK_QUEUE
        )
    return result


def offer_of(programme: Programme) -> Any:
    return programme.engagement.running.renewal.offered


async def test_both_sponsors_are_offered_the_newest_version_once(client: Client, hosted: Hosted) -> None:
    programme = sponsors_asked()
    await hosted.host(programme)
    assert (await offered(client, hosted)).offered == 1
    assert offer_of(programme) == SECOND
    assert programme.engagement.template == TWELVE_MONTHS, "the running cycle keeps its own"
    assert (await offered(client, hosted)).offered == 0
    third = SECOND.model_copy(update={"version": "3"})
    assert (await offered(client, hosted, third)).offered == 1
    assert offer_of(programme) == third


@pytest.mark.parametrize("newest", [TWELVE_MONTHS, None])
async def test_where_nothing_is_newer_nothing_is_offered(
    client: Client, hosted: Hosted, newest: ProgrammeTemplate | None
) -> None:
    await hosted.host(sponsors_asked())
    assert await offered(client, hosted, newest) == Offering()


async def test_nobody_is_asked_before_the_year_ends(client: Client, hosted: Hosted) -> None:
    await hosted.host(begun(Stage.DELIVERY))
    assert await offered(client, hosted) == Offering()


async def test_what_the_programme_manager_has_offered_stays(client: Client, hosted: Hosted) -> None:
    programme = sponsors_asked()
    shorter = TWELVE_MONTHS.model_copy(update={"name": "shorter"})
    programme.do(SuggestTemplate(template=shorter), PM)
    await hosted.host(programme)
    assert await offered(client, hosted) == Offering()
    assert offer_of(programme) == shorter


async def test_a_sponsor_who_has_decided_finds_nothing_else_on_the_table(client: Client, hosted: Hosted) -> None:
    programme = sponsors_asked()
    programme.do(OfferTemplate(template=SECOND), CLOCK)
    programme.do(DecideRenewal(choice=NextStep.RENEW, newest_template=True), MEDICAL)
    await hosted.host(programme)
    assert await offered(client, hosted, SECOND.model_copy(update={"version": "3"})) == Offering()
    assert offer_of(programme) == SECOND


async def test_the_round_is_scheduled_for_each_morning(client: Client) -> None:
    await look_daily(client)
    found = (await client.get_schedule_handle(OFFERS_DAILY).describe()).schedule
    assert found.spec.time_zone_name == "Europe/London"
