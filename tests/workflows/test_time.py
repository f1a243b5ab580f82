"""Time, the post and errands on a skipping clock: what is due happens by itself, once, and at the right hour."""

from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime, time, timedelta

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.testing import WorkflowEnvironment

from programme.continuity import OpenWindow, PauseEngagement
from programme.engagement import Engagement
from programme.messages import PersonId
from programme.post import MessageIssued
from programme.stages.diagnosis import CompleteQuestionnaire, PackComputed
from programme.stages.mandate import Answer, StateWillingness
from programme.working_time import LONDON, Calendar, WorkingTime, at_local, local_date
from tests.workflows.hosted import DOCTORS, MANAGERIAL, MANAGERS, MEDICAL, PM, Hosted, House, Mishaps
from workflows import ports
from workflows.engagement import EngagementWorkflow

pytestmark = pytest.mark.asyncio(loop_scope="session")

WEEKDAYS = Calendar(version="weekdays")
SENDING_HOUR = time(8)


class Years:
    """An engagement that begins on a Monday at nine, and a clock that only this test moves."""

    def __init__(self, house: House, environment: WorkflowEnvironment) -> None:
        self.house = house
        self._environment = environment

    async def now(self) -> datetime:
        return await self._environment.get_current_time()

    async def today(self) -> date:
        return local_date(await self.now())

    async def wait(self, **length: int) -> None:
        await self._environment.sleep(timedelta(**length))

    async def next_monday(self) -> datetime:
        """Let time pass to nine o'clock on the next Monday."""
        today = await self.today()
        monday = at_local(today + timedelta(days=7 - today.weekday()), time(9))
        await self._environment.sleep(monday - await self.now())
        return await self.now()

    async def in_diagnosis(self) -> Hosted:
        return await self.house.in_diagnosis(WEEKDAYS, await self.next_monday())

    async def settled(self, hosted: Hosted) -> Engagement:
        """The engagement as the journal knows it, when it knows everything."""
        await self.wait(minutes=1)
        return await hosted.settled()

    def sent(self, hosted: Hosted, person: PersonId, task: str) -> Iterator[datetime]:
        """When somebody was written to about a kind of task: London time, to the second."""
        for entry in self.house.record.entries[hosted.id]:
            event = entry.event
            if (
                isinstance(event, MessageIssued)
                and person in event.people
                and any(task in it.task for it in event.items)
            ):
                yield entry.at.astimezone(LONDON).replace(microsecond=0)


@pytest_asyncio.fixture(loop_scope="session")
async def years(skipping: WorkflowEnvironment) -> AsyncIterator[Years]:
    """An empty world on a skipping server."""
    built = House(skipping.client)
    yield Years(built, skipping)
    await built.clear()


async def test_reminders_leave_at_eight_on_working_days_and_stop_when_it_is_done(years: Years) -> None:
    async with years.house.worker():
        hosted = await years.in_diagnosis()
        opened = await years.today()
        await years.wait(days=7, hours=1)
        await hosted.ask(CompleteQuestionnaire(), "d0")
        await years.wait(days=30)
        await years.settled(hosted)
    day = WorkingTime(WEEKDAYS).plus
    expected = [datetime.combine(day(opened, after), SENDING_HOUR, LONDON) for after in (5, 10, 13)]
    assert list(years.sent(hosted, "d1", "questionnaire")) == expected
    assert list(years.sent(hosted, "d0", "questionnaire")) == expected[:1]


async def test_what_the_post_could_not_deliver_for_hours_leaves_later_once(years: Years) -> None:
    years.house.letters.mishaps = Mishaps(away=True)
    async with years.house.worker():
        hosted = await years.in_diagnosis()
        await years.wait(hours=6)
        assert years.house.letters.attempts > 3
        assert not years.house.letters.delivered.get(hosted.id)
        years.house.letters.mishaps = Mishaps()
        await years.wait(hours=1)
        await years.settled(hosted)
        entries = years.house.record.entries[hosted.id]
        issued = [entry.sequence for entry in entries if isinstance(entry.event, MessageIssued)]
        assert issued
        assert years.house.letters.delivered[hosted.id] == issued


async def test_a_checkpoint_while_the_mail_server_is_away_hands_on_the_post(years: Years) -> None:
    years.house.letters.mishaps = Mishaps(away=True)
    async with years.house.worker():
        hosted = await years.in_diagnosis()
        await years.wait(hours=1)
        left = await hosted.run_id()
        await hosted.handle.signal(EngagementWorkflow.checkpoint)
        await years.wait(minutes=1)
        assert await hosted.run_id() != left
        assert not years.house.letters.delivered.get(hosted.id)
        years.house.letters.mishaps = Mishaps()
        await years.wait(hours=1)
        await years.settled(hosted)
    assert years.house.letters.delivered[hosted.id]


async def test_post_that_is_given_up_becomes_a_task_and_the_rest_is_delivered(years: Years) -> None:
    years.house.letters.unreachable = {"d3"}
    async with years.house.worker():
        hosted = await years.in_diagnosis()
        await years.wait(days=1)
        engagement = await years.settled(hosted)
        await years.wait(hours=1)
    tasks = [task for task in engagement.open_tasks if task.command == "SettleUndelivered"]
    assert {task.person for task in tasks} == {PM, "pm2"}
    lost = {one.message for one in engagement.post.undelivered if one.people == ("d3",)}
    entries = years.house.record.entries[hosted.id]
    issued = {entry.sequence for entry in entries if isinstance(entry.event, MessageIssued)}
    assert lost
    assert issued - lost <= set(years.house.letters.delivered[hosted.id])


async def test_an_errand_is_run_once_and_its_result_is_recorded(years: Years) -> None:
    async with years.house.worker():
        hosted = await years.in_diagnosis()
        for person in (*DOCTORS[:12], *MANAGERS[:12]):
            await hosted.ask(CompleteQuestionnaire(), person)
        years.house.packs.mishaps = Mishaps(away=True)
        await years.wait(days=25)
        assert years.house.packs.attempts > 3
        years.house.packs.mishaps = Mishaps()
        await years.wait(days=1)
        await years.settled(hosted)
    assert years.house.packs.closed == ["1/diagnosis/1/full"]
    entries = years.house.record.entries[hosted.id]
    assert [entry.event.survey for entry in entries if isinstance(entry.event, PackComputed)] == ["diagnosis"]


async def test_what_an_errand_brought_is_recorded_though_the_programme_has_paused_meanwhile(years: Years) -> None:
    async with years.house.worker():
        hosted = await years.in_diagnosis()
        for person in (*DOCTORS[:12], *MANAGERS[:12]):
            await hosted.ask(CompleteQuestionnaire(), person)
        years.house.packs.mishaps = Mishaps(away=True)
        await years.wait(days=22)
        await hosted.ask(PauseEngagement(reason="Strike", resumes=await years.today() + timedelta(days=7)), PM)
        years.house.packs.mishaps = Mishaps()
        await years.wait(hours=1)
        engagement = await years.settled(hosted)
    assert engagement.paused
    assert engagement.running.diagnosis.survey("diagnosis").pack


async def test_a_paused_engagement_answers_reminds_nobody_and_resumes_by_itself(years: Years) -> None:
    async with years.house.worker():
        hosted = await years.in_diagnosis()
        opened = await years.today()
        await years.wait(days=1)
        resumes = opened + timedelta(days=14)
        await hosted.ask(PauseEngagement(reason="Winter pressure", resumes=resumes, window=OpenWindow.EXTEND), PM)
        await years.wait(days=10)
        assert await hosted.refusal(CompleteQuestionnaire(), "d0") == "EngagementPaused"
        assert (await years.settled(hosted)).sequence == (await hosted.standing()).sequence
        assert not list(years.sent(hosted, "d1", "questionnaire"))
        await years.wait(days=30)
        await hosted.ask(CompleteQuestionnaire(), "d0")
        await years.settled(hosted)
    day = WorkingTime(WEEKDAYS).plus
    first = datetime.combine(day(opened, 5 + 9), SENDING_HOUR, LONDON)  # nine working days were lost
    assert next(years.sent(hosted, "d1", "questionnaire")) == first


async def test_a_run_ends_only_when_everything_is_recorded_and_everybody_has_been_told(years: Years) -> None:
    async with years.house.worker():
        hosted = await years.house.launched(WEEKDAYS)
        await years.next_monday()
        for sponsor in (MEDICAL, MANAGERIAL):
            await hosted.ask(StateWillingness(answer=Answer.NOT_WILLING), sponsor)
        await years.wait(days=100)
        await years.next_monday()
        years.house.record.mishaps = years.house.letters.mishaps = Mishaps(away=True)
        for sponsor in (MEDICAL, MANAGERIAL):
            await hosted.ask(StateWillingness(answer=Answer.NOT_WILLING), sponsor)
        await years.wait(hours=2)
        assert await hosted.refusal(CompleteQuestionnaire(), "d0") == "EngagementEnded"
        sequence = (await hosted.standing()).sequence
        years.house.record.mishaps = years.house.letters.mishaps = Mishaps()
        await years.wait(days=5)
        last = (await hosted.events())[-1].event_type
    assert last == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED
    engagement = years.house.record.folded(hosted.id)
    assert engagement.ended == "not_ready"
    assert engagement.sequence >= sequence
    assert not engagement.post.notices
    entries = years.house.record.entries[hosted.id]
    issued = [entry.sequence for entry in entries if isinstance(entry.event, MessageIssued)]
    assert years.house.letters.delivered[hosted.id] == issued


async def test_what_fails_for_good_is_tried_again_and_stops_nothing_else(years: Years) -> None:
    years.house.record.mishaps = years.house.letters.mishaps = Mishaps(for_good=True)
    async with years.house.worker():
        hosted = await years.in_diagnosis()
        answer = await hosted.ask(CompleteQuestionnaire(), "d0")
        await years.wait(hours=1)
        assert years.house.record.last(hosted.id) < answer.sequence
        assert await hosted.refusal(CompleteQuestionnaire(), "nobody") == "RoleRequired"
        years.house.record.mishaps = years.house.letters.mishaps = Mishaps()
        await years.wait(minutes=5)
        await years.settled(hosted)
    assert years.house.record.last(hosted.id) >= answer.sequence
    assert years.house.letters.delivered[hosted.id]


async def test_a_year_in_which_nobody_does_anything_costs_few_events(years: Years) -> None:
    async with years.house.worker():
        hosted = await years.in_diagnosis()
        await years.wait(days=365)
        await years.settled(hosted)
        runs = await hosted.runs()
    summaries = "\n".join(str(event.user_metadata.summary.data) for run in runs for event in run.events)
    assert "Look again soon" not in summaries
    assert sum(len(run.events) for run in runs) < ports.RUN_EVENTS
