"""What is said to whom and how often: the week's messages, and messages that could not be delivered."""

from datetime import timedelta

import pytest

from programme.messages import CLOCK, Stage
from programme.post import MessageIssued, MessageUndelivered, NoticeRaised, ReportUndeliverable, SettleUndelivered
from programme.refusals import RoleRequired, Unknown
from tests.core.given import given
from tests.core.programme_driver import FACILITATOR, MANAGERIAL, MEDICAL, PM, Programme, begun

LOST = ReportUndeliverable(message=7, people=(MEDICAL,))


def digests(programme: Programme, person: str) -> list[MessageIssued]:
    return [one for one in programme.events(MessageIssued) if person in one.people and one.topic == "digest"]


def test_news_that_would_be_the_fourth_message_of_a_week_waits_for_monday() -> None:
    programme = begun(Stage.SESSIONS)
    programme.wait(5)  # past what the new stage has to say
    programme.advance(programme.today + timedelta(days=7 - programme.today.weekday()))  # noon of a Monday
    before = len(digests(programme, MEDICAL))

    def news(title: str, *others: str) -> None:
        given(programme, NoticeRaised(people=(MEDICAL, *others), title=title, together=True))

    for day in range(2):
        news(f"News {day}", MANAGERIAL)
        programme.wait(1)
    news("News 2", MANAGERIAL, FACILITATOR)  # on Wednesday there is news in two envelopes:
    news("News 3", MANAGERIAL)  # one leaves at once, the other would on Thursday
    programme.wait(4)
    told = [(one.on.weekday(), one.items[0].title) for one in digests(programme, MEDICAL)[before:]]
    assert told == [(0, "News 0"), (1, "News 1"), (2, "News 2"), (0, "News 3")]


def test_a_message_that_was_lost_is_a_task_until_the_people_are_reached() -> None:
    programme = begun(Stage.EXCHANGE)
    programme.do(LOST, CLOCK)
    assert programme.do(LOST, CLOCK) == []  # said twice, it is heard once
    assert [task.person for task in programme.tasks(command="SettleUndelivered")] == [PM]
    with pytest.raises(RoleRequired):
        programme.do(SettleUndelivered(message=7), MEDICAL)
    programme.do(SettleUndelivered(message=7), PM)
    assert not programme.tasks(command="SettleUndelivered")
    with pytest.raises(Unknown):
        programme.do(SettleUndelivered(message=7), PM)


def test_a_report_that_is_repeated_after_the_people_were_reached_is_no_news() -> None:
    programme = begun(Stage.EXCHANGE)
    programme.do(LOST, CLOCK)
    programme.do(SettleUndelivered(message=7), PM)
    assert programme.do(LOST, CLOCK) == []
    programme.wait(2)
    (news,) = programme.do(ReportUndeliverable(message=7, people=(MEDICAL, MANAGERIAL)), CLOCK)
    assert isinstance(news, MessageUndelivered)
    assert news.people == (MANAGERIAL,)
    (task,) = programme.tasks(command="SettleUndelivered")
    assert task.opened == programme.today  # a duty of its own, with days of its own
