"""A mail server that takes the connection and never says a word keeps nothing but mail waiting."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from temporalio import activity

from programme.engagement import RecordedEntry
from programme.stages.diagnosis import CompleteQuestionnaire
from tests.workflows.hosted import DOCTORS, Hosted, House, Letters, in_diagnosis, shut
from worker.hosting import AT_ONCE
from workflows.addresses import POST_QUEUE
from workflows.ports import Carried, Delivery

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("soon")]


class Silent(Letters):
    """Each round of delivery waits for the mail server to answer."""

    def __init__(self, house: House) -> None:
        super().__init__(house.record)
        self.answers = asyncio.Event()

    @activity.defn(name="post.deliver")
    async def deliver(self, engagement_id: str) -> Delivery:
        with self.working():
            await self.answers.wait()
            return await super().deliver(engagement_id)


async def with_mail(house: House) -> Hosted:
    """An engagement of which something waits for the post."""
    now, engagement_id = datetime.now(UTC), uuid4().hex
    engagement, entries = in_diagnosis(engagement_id, shut(now.date()), now)
    house.record.keep(engagement_id, [RecordedEntry(**entry.__dict__) for entry in entries])
    return await house.start(Carried(engagement=engagement, recorded=engagement.sequence, issued=1), engagement_id)


async def test_while_the_mail_server_is_silent_everything_else_goes_on(house: House) -> None:
    house.letters = letters = Silent(house)
    limit = AT_ONCE[POST_QUEUE]
    async with house.worker():
        hosts = [await with_mail(house) for _ in range(limit + 2)]
        await letters.until(lambda: letters.at_work == limit)
        for hosted in hosts:
            accepted = await hosted.ask(CompleteQuestionnaire(), DOCTORS[0])
            await house.record.reaches(hosted.id, accepted.last)
        assert (letters.at_work, letters.most_at_work) == (limit, limit)
        letters.answers.set()
        for hosted in hosts:
            await hosted.settled()
    assert sorted(letters.delivered) == sorted(hosted.id for hosted in hosts)
