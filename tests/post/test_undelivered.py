"""What becomes of a message that nobody could be given: the real workflow, the real post, a server that refuses."""

from datetime import timedelta

from programme.working_time import WorkingTime
from tests.post.hosted import CALENDAR, hosted
from tests.post.trust import Trust, email


async def test_who_cannot_be_reached_becomes_a_task_of_the_programme_manager_and_blocks_nobody(
    unregistered: Trust,
) -> None:
    trust, ids = unregistered, unregistered.ids
    trust.server.refusing[email("med")] = "550"
    async with hosted(trust) as environment:
        await environment.sleep(timedelta(days=10))
        engagement = await trust.standing()
    assert {person for one in engagement.post.undelivered for person in one.people} == {ids["med"]}
    titles = [task.title for task in engagement.open_tasks if task.person == ids["pm"]]
    assert "Reach somebody whom our e-mail could not reach" in titles
    assert email("man") in trust.server.reached
    assert email("med") not in trust.server.reached
    assert len({message["Message-ID"] for message in trust.server.took}) == len(trust.server.took)


async def test_once_a_message_is_given_up_the_post_goes_on_by_itself(unregistered: Trust) -> None:
    trust = unregistered
    trust.server.refusing[email("pm")] = "550"  # the first message of a programme is the manager's own
    async with hosted(trust) as environment:
        now = await environment.get_current_time()
        await environment.sleep(WorkingTime(CALENDAR).next_sending(now) - now + timedelta(hours=1))
        assert (await trust.standing()).post.undelivered
        assert await trust.left() == []
