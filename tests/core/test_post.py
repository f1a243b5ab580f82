"""What is said to whom and how often: reminders, escalations and news become messages, few and in sending hours."""

from datetime import date, time, timedelta
from typing import Any

import pytest

from programme.engagement import next_wake
from programme.ladders import Ladder, RungDays
from programme.messages import CLOCK, Entry, PersonId, Stage, Task
from programme.post import (
    SESSION,
    Invitation,
    MessageIssued,
    MessageUndelivered,
    NoticeRaised,
    ReportUndeliverable,
    RungSuppressed,
    SettleUndelivered,
)
from programme.refusals import RoleRequired, Unknown
from programme.stages.diagnosis import CompleteQuestionnaire
from programme.stages.mandate import Answer, StateWillingness
from programme.working_time import Calendar, Holiday, Stop, WorkingTime, at_local
from tests.core.given import given
from tests.core.programme_driver import (
    APPROVER,
    FACILITATOR,
    MANAGERIAL,
    MEDICAL,
    PM,
    TWELVE_MONTHS,
    Programme,
    begun,
    play,
    play_mandate,
    registered,
)

LOST = ReportUndeliverable(message=7, people=(MEDICAL,))


def digests(programme: Programme, person: str) -> list[MessageIssued]:
    return [one for one in programme.events(MessageIssued) if person in one.people and one.topic == "digest"]


def is_message(entry: Entry) -> bool:
    return isinstance(entry.event, MessageIssued)


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


# --- how often -----------------------------------------------------------------------------------------------------


def with_ladder(**ladders: Any) -> Programme:
    """A programme at the start of the diagnosis, some of whose ladders are others."""
    changed = {name: Ladder.model_validate(ladder) for name, ladder in ladders.items()}
    template = TWELVE_MONTHS.model_copy(update={"ladders": {**TWELVE_MONTHS.ladders, **changed}})
    return play(registered(template=template), Stage.DIAGNOSIS)


def reminded(programme: Programme, person: PersonId, task: str) -> list[tuple[date, str]]:
    """When somebody was reminded or told of a task, and by which rung."""
    return [
        (event.on, item.rung)
        for event in programme.events(MessageIssued)
        if person in event.people
        for item in event.items
        if task in item.task
    ]


def held_back(programme: Programme, person: PersonId) -> list[tuple[str, str]]:
    """The reminders that somebody was not sent, and why."""
    return [(event.rung, event.why) for event in programme.events(RungSuppressed) if event.person == person]


def test_a_person_is_reminded_three_times_a_week_at_most_and_what_is_held_back_says_why() -> None:
    programme = with_ladder(questionnaire={"rungs": [f"opened+{day}" for day in range(1, 6)]})
    opened = programme.today  # a Monday, on which everybody hears that the diagnosis has begun
    programme.wait(6)
    days = [opened + timedelta(days=day) for day in (1, 2, 7)]
    assert reminded(programme, "d0", "questionnaire") == list(
        zip(days, ("opened+1", "opened+2", "opened+5"), strict=True)
    )
    full = "the person has had this week's messages"
    assert held_back(programme, "d0") == [("opened+3", full), ("opened+4", full)]


def test_mondays_message_still_counts_on_friday() -> None:
    programme = with_ladder(questionnaire={"rungs": ["opened+1", "opened+3", "opened+4"]})
    programme.wait(5)
    assert [rung for _, rung in reminded(programme, "d0", "questionnaire")] == ["opened+1", "opened+3"]
    assert [rung for rung, _ in held_back(programme, "d0")] == ["opened+4"]


def test_a_reminder_waits_for_tomorrow_where_somebody_has_had_a_message_today() -> None:
    programme = begun(Stage.EXCHANGE)
    programme.wait(2)
    given(programme, NoticeRaised(people=(PM,), title="News"))
    programme.advance(programme.at + timedelta(minutes=5))
    assert programme.told(PM)[-1] == "News"
    programme.do(LOST, CLOCK)
    assert programme.advance(programme.at + timedelta(hours=5)) == []
    programme.wait(1)
    assert reminded(programme, PM, "undelivered") == [(programme.today, "opened+0")]


def test_an_escalation_is_not_held_back_by_the_weeks_messages() -> None:
    programme = with_ladder(duty={"rungs": ["opened+1 facilitator"]})
    for day in range(3):
        given(programme, NoticeRaised(people=(FACILITATOR,), title=f"News {day}"))
        programme.wait(1)
    given(programme, MessageUndelivered(message=7, people=(MEDICAL,), on=programme.today))
    programme.wait(1)
    (escalated,) = reminded(programme, FACILITATOR, "undelivered")
    assert escalated == (programme.today, "opened+1 facilitator")


def test_nobody_has_a_second_message_on_one_day_and_nothing_is_lost_by_it() -> None:
    programme = begun(Stage.EXCHANGE)
    programme.wait(1)
    before = len(digests(programme, MEDICAL))
    for number in range(3):
        given(programme, NoticeRaised(people=(MEDICAL,), title=f"News {number}"))
        programme.advance(programme.at + timedelta(minutes=5))
    programme.wait(1)
    told = digests(programme, MEDICAL)[before:]
    assert [[item.title for item in message.items] for message in told] == [["News 0"], ["News 1", "News 2"]]
    assert len({message.on for message in told}) == len(told)


def test_news_for_several_reaches_each_as_soon_as_that_person_may_have_a_message() -> None:
    programme = begun(Stage.EXCHANGE)
    programme.wait(2)
    given(programme, NoticeRaised(people=(MEDICAL,), title="First"))
    programme.advance(programme.at + timedelta(minutes=5))
    today = programme.today
    given(programme, NoticeRaised(people=(MEDICAL, APPROVER), title="Second"))
    programme.wait(1)
    told = {
        person: [event.on for event in digests(programme, person) if "Second" in [item.title for item in event.items]]
        for person in (MEDICAL, APPROVER)
    }
    assert told == {APPROVER: [today], MEDICAL: [programme.today]}


def test_news_of_a_session_is_told_at_once_to_who_has_had_a_message_today() -> None:
    programme = begun(Stage.EXCHANGE)
    programme.wait(1)
    for title, topic in (("Plain", "digest"), ("The date of session A", SESSION)):
        given(programme, NoticeRaised(people=(MEDICAL,), title=title, topic=topic))
        programme.advance(programme.at + timedelta(minutes=5))
        assert programme.told(MEDICAL)[-1] == title


def test_two_calendar_entries_never_share_a_message() -> None:
    programme = begun(Stage.EXCHANGE)
    programme.wait(1)
    before = len(programme.events(MessageIssued))
    for letter in "AB":
        entry = Invitation(uid=letter, title=f"Session {letter}", starts=programme.at, ends=programme.at)
        news = NoticeRaised(people=(MEDICAL,), title=f"Session {letter}", topic=SESSION, invitation=entry)
        given(programme, news)
    programme.advance(programme.at + timedelta(minutes=5))
    sent = programme.events(MessageIssued)[before:]
    assert [event.invitation.uid for event in sent if event.invitation] == ["A", "B"]


# --- to whom -------------------------------------------------------------------------------------------------------


def test_both_sponsors_are_told_in_one_message_and_not_apart() -> None:
    programme = with_ladder(duty={"rungs": ["due+0 both_sponsors"]})
    given(programme, MessageUndelivered(message=7, people=("d0",), on=programme.today))
    programme.wait(3)
    told = [event for event in programme.events(MessageIssued) if any("undelivered" in it.task for it in event.items)]
    assert [event.people for event in told] == [(MEDICAL, MANAGERIAL)]


def test_a_message_to_both_sponsors_waits_until_both_may_have_one() -> None:
    programme = begun(Stage.EXCHANGE)
    programme.wait(1)
    given(programme, NoticeRaised(people=(MEDICAL,), title="For one"))
    programme.advance(programme.at + timedelta(minutes=5))
    given(programme, NoticeRaised(people=(MEDICAL, MANAGERIAL), title="For both", together=True))
    programme.advance(programme.at + timedelta(minutes=5))
    assert "For both" not in programme.told(MANAGERIAL)
    programme.wait(1)
    (event,) = [event for event in programme.events(MessageIssued) if "For both" in str(event.items)]
    assert event.people == (MEDICAL, MANAGERIAL)


def test_what_is_done_is_never_reminded_of_though_its_reminder_was_due_overnight() -> None:
    programme = begun(Stage.DIAGNOSIS)
    morning = programme.engagement.time.morning(programme.engagement.time.plus(programme.today, 5))
    programme.advance(morning - timedelta(seconds=1))
    programme.do(CompleteQuestionnaire(), "d0")
    programme.advance(morning)
    assert reminded(programme, "d0", "questionnaire") == []
    assert reminded(programme, "d1", "questionnaire") == [(programme.today, "opened+5")]


# --- after a silence -----------------------------------------------------------------------------------------------


def test_after_a_silence_only_the_latest_rung_is_sent_and_the_earlier_ones_say_why_not() -> None:
    programme = begun(Stage.DIAGNOSIS)
    programme.at = programme.engagement.time.morning(programme.engagement.time.plus(programme.today, 11))
    programme.advance(programme.at)  # no worker was up for eleven working days
    assert reminded(programme, "d0", "questionnaire") == [(programme.today, "opened+10")]
    assert held_back(programme, "d0") == [("opened+5", "a later rung goes out with the same message")]
    programme.wait(4)
    assert [rung for _, rung in reminded(programme, "d0", "questionnaire")] == ["opened+10", "opened+13"]


def test_what_came_due_on_a_saturday_leaves_on_monday_at_eight() -> None:
    programme = begun(Stage.EXCHANGE)
    programme.wait(3)
    saturday = programme.today + timedelta(days=5 - programme.today.weekday())
    programme.advance(at_local(saturday, time(10)))
    given(programme, NoticeRaised(people=(MEDICAL,), title="Found on Saturday"))
    programme.advance(saturday + timedelta(days=3))
    (sent,) = [entry.at for entry in programme.entries if "Found on Saturday" in str(entry.event) and is_message(entry)]
    assert sent == at_local(saturday + timedelta(days=2), time(8))


@pytest.mark.parametrize("opened", [date(2026, 1, 10), date(2026, 12, 25)], ids=["a Saturday", "Christmas Day"])
def test_what_protects_patients_is_said_that_very_day_and_waits_for_no_pause(opened: date) -> None:
    ladders = {"safety": Ladder.model_validate({"rungs": ["opened+0", "opened+1"], "urgent": True})}
    calendar = Calendar(version="1", holidays=(Holiday(on=date(2026, 12, 25), name="Christmas Day"),))
    stopped = WorkingTime(calendar, (Stop(first=opened, until=opened + timedelta(days=20)),))
    task = Task(
        id="1/safety/A1-1/app",
        ladder="safety",
        person=APPROVER,
        about="A1",
        command="DecideObjection",
        title="Decide",
        opened=opened,
    )
    instants = [planned.at for planned in RungDays(ladders, stopped).of(task)]
    assert instants == [at_local(opened, time(0)), at_local(stopped.plus(opened, 1), time(8))]


def test_a_rung_that_was_sent_is_not_sent_again_when_the_stage_of_its_task_ends() -> None:
    programme = registered()  # nobody has been named as data protection contact
    programme.wait(1)
    (task,) = [task for task in programme.tasks(PM, "Appoint") if "data_protection" in task.id]
    before = reminded(programme, PM, task.id)
    assert before
    play_mandate(programme)
    assert programme.engagement.in_stage(Stage.DIAGNOSIS)
    programme.wait(30)
    after = [rung for _, rung in reminded(programme, PM, task.id)]
    assert len(after) == len(set(after))
    assert task.id in {task.id for task in programme.tasks(PM)}


def test_when_an_engagement_has_ended_everybody_is_still_told_so() -> None:
    programme = registered()
    for _ in range(2):
        for sponsor in (MEDICAL, MANAGERIAL):
            programme.do(StateWillingness(answer=Answer.NOT_WILLING), sponsor)
        if not programme.engagement.ended:
            programme.wait(70)
    assert programme.engagement.ended == "not_ready"
    programme.wait(2)
    assert not programme.engagement.post.notices
    assert next_wake(programme.engagement, programme.at) is None
