"""A due date explains itself in one sentence: in the tasks, in what happens next, and in the letters."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from activities.calendars import PUBLISHED_UNTIL, snapshot
from programme.continuity import ChangeCalendar, DueDateMoved
from programme.messages import CLOCK, Stage
from programme.post import MessageIssued
from programme.stages.action import Aim, Screened, Screening
from programme.stages.drafting import ActionText, DraftAction, ProposeAction
from programme.working_time import Calendar, Division, Holiday, WorkingTime
from tests.core.programme_driver import MONDAY, PRIORITIES, Programme, begun, play, registered
from web.presenters import due_sentences

EASTER = (Holiday(on=date(2026, 3, 6), name="Good Friday"), Holiday(on=date(2026, 3, 9), name="Easter Monday"))
SENTENCE = "10 working days after the action was proposed on 3 March 2026; Good Friday and Easter Monday do not count"


def proposed(on: date) -> Programme:
    """A programme in which a further action is proposed on a day, shortly after its sessions have ended."""
    until_then = begun(Stage.AGREEMENT).today - MONDAY.date() + timedelta(days=1)
    start = datetime.combine(on - until_then, MONDAY.time(), UTC)
    programme = play(registered(at=start), Stage.AGREEMENT)
    programme.advance(on)
    text = ActionText(
        title="A nurse in charge of the corridor",
        scope="Emergency department",
        aim=Aim(sentence="From 68% to 70%", from_value=Decimal(68), to_value=Decimal(70), by=on + timedelta(days=99)),
        conditions=PRIORITIES[:1],
        measures=("M1",),
        doctor_owner="d2",
        manager_owner="m2",
    )
    programme.do(DraftAction(source="1C", text=text), "d2")
    no = Screened.NO
    screening = Screening(changes_who_treats=no, directs_clinical_decision=no, changes_clinical_staffing=no)
    programme.do(ProposeAction(action="A2", screening=screening), "d2")
    return programme


def test_the_bank_holidays_that_do_not_count_are_named_wherever_the_date_is_told() -> None:
    programme = proposed(date(2026, 3, 3))
    calendar = Calendar(version="an early Easter", holidays=EASTER)
    events = programme.do(ChangeCalendar(calendar=calendar), CLOCK)
    (task,) = programme.tasks("m2", "AgreeAction")
    assert task.due
    assert task.due.why == SENTENCE
    assert SENTENCE in {event.why for event in events if isinstance(event, DueDateMoved) and event.task == task.id}
    assert SENTENCE in {due.why for due in programme.engagement.acts if due.key.startswith("act:agreement:expire/A2")}
    programme.wait(5)
    items = [item for event in programme.events(MessageIssued) for item in event.items if item.task == task.id]
    assert items
    assert f"Why this date: {SENTENCE}." in due_sentences(items[-1], programme.today)


def test_the_real_easter_of_2026_is_named_too() -> None:
    due = WorkingTime(snapshot(Division.ENGLAND_AND_WALES)).due(date(2026, 3, 24), 10, "the action was proposed")
    assert due.on == date(2026, 4, 9)
    assert due.why == SENTENCE.replace("3 March", "24 March")


def test_a_date_beyond_the_published_holidays_says_that_it_is_provisional_and_until_when_they_are_published() -> None:
    time = WorkingTime(snapshot(Division.SCOTLAND))
    due = time.due(PUBLISHED_UNTIL - timedelta(days=7), 10, "you were asked")
    assert due.provisional
    assert due.why.endswith("; provisional: bank holidays are published until 31 December 2028")
    assert "provisional" not in time.due(PUBLISHED_UNTIL - timedelta(days=40), 10, "you were asked").why


def test_a_provisional_date_says_so_in_tasks_and_in_what_happens_next() -> None:
    programme = registered(calendar=Calendar(version="1", published_until=date(2026, 1, 10)))
    whys = [task.due.why for task in programme.tasks() if task.due]
    assert whys
    assert all(why.endswith("provisional: bank holidays are published until 10 January 2026") for why in whys)


@pytest.mark.parametrize("stage", [Stage.DIAGNOSIS, Stage.EXCHANGE, Stage.SESSIONS, Stage.AGREEMENT])
def test_every_due_date_has_a_reason_that_is_one_sentence_without_a_full_stop(stage: Stage) -> None:
    programme = begun(stage)
    whys = [task.due.why for task in programme.tasks() if task.due] + [due.why for due in programme.engagement.acts]
    assert whys
    assert all(why and not why.endswith(".") and ". " not in why for why in whys)
