"""A workflow hands commands in to running engagements: once each, and a no is an answer."""

from datetime import date
from uuid import uuid4

import pytest
from temporalio.testing import ActivityEnvironment

from activities.engagements import EngagementActivities
from programme.continuity import ChangeCalendar
from programme.engagement import AnyCommand
from programme.messages import CLOCK
from programme.working_time import Calendar, Division, Holiday
from tests.workflows.hosted import House
from workflows.ports import NO_ENGAGEMENT, Reply, Request, Submission

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def hand_in(house: House, engagement_id: str, command: AnyCommand, command_id: str) -> Reply:
    submission = Submission(command_id=command_id, by=CLOCK, command=command)
    activity = EngagementActivities(house.client).submit
    reply: Reply = await ActivityEnvironment().run(
        activity, Request(engagement_id=engagement_id, submission=submission)
    )
    return reply


def another(division: Division = Division.ENGLAND_AND_WALES) -> ChangeCalendar:
    holidays = (Holiday(on=date(2030, 6, 3), name="A day off"),)
    return ChangeCalendar(calendar=Calendar(version="another", division=division, holidays=holidays))


async def test_a_command_that_is_handed_in_twice_happens_once_and_is_answered_twice(house: House) -> None:
    async with house.worker():
        hosted = await house.launched()
        command_id = uuid4().hex
        first = await hand_in(house, hosted.id, another(), command_id)
        again = await hand_in(house, hosted.id, another(), command_id)
        assert first == again
        assert first.events >= 1
        assert not first.refused
        await house.record.reaches(hosted.id, first.last)
        await hosted.settled()
        changed = [one.sequence for one in house.record.entries[hosted.id] if one.event.kind == "CalendarChanged"]
        assert changed == [first.first]


async def test_a_refusal_is_an_answer_with_its_name_and_its_sentence(house: House) -> None:
    async with house.worker():
        hosted = await house.launched()
        reply = await hand_in(house, hosted.id, another(Division.SCOTLAND), uuid4().hex)
    assert (reply.refused, reply.events) == ("Invalid", 0)
    assert "another holiday division" in reply.why


async def test_an_engagement_that_does_not_run_is_an_answer_too(house: House) -> None:
    async with house.worker():
        reply = await hand_in(house, uuid4().hex, another(), uuid4().hex)
    assert reply.refused == NO_ENGAGEMENT
