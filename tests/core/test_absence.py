"""Days off: a personal date falls on a day of work, and news waits for one; what is common to all does not move."""

from datetime import date, timedelta

import pytest

from programme.continuity import DueDateKept, DueDateMoved
from programme.engagement import next_wake
from programme.messages import PersonId, Stage
from programme.people import Away, Weekday
from programme.post import MessageIssued
from programme.refusals import Invalid
from programme.rota import SetWorkingPattern, WorkingPatternSet
from programme.stages.agreement import ActionExpired, AgreeAction
from programme.stages.objections import RaiseSafetyObjection
from tests.core.agreed import DOCTOR, MANAGER, agreeing, delivering, propose
from tests.core.programme_driver import APPROVER, Programme, begun


def due_of(programme: Programme, person: PersonId, command: str) -> date:
    """When a person's one task of a kind is due."""
    (task,) = programme.tasks(person, command)
    assert task.due
    return task.due.on


def off(programme: Programme, person: PersonId, *days: Weekday) -> None:
    """A person says on which weekdays they do not work."""
    programme.do(SetWorkingPattern(off=days), person)


def weekday(on: date) -> Weekday:
    """The name of a weekday."""
    return list(Weekday)[on.weekday()]


def leave(first: date, days: int) -> SetWorkingPattern:
    """So many days of leave."""
    return SetWorkingPattern(away=(Away(first=first, last=first + timedelta(days=days - 1)),))


def test_a_due_date_on_a_day_off_moves_to_the_next_day_on_which_the_person_works() -> None:
    programme = agreeing()
    propose(programme)
    promised = due_of(programme, DOCTOR, "AgreeAction")
    off(programme, DOCTOR, weekday(promised))
    assert due_of(programme, DOCTOR, "AgreeAction") == programme.engagement.time.plus(promised, 1)
    assert due_of(programme, MANAGER, "AgreeAction") == promised
    (event,) = programme.events(DueDateMoved)
    assert (event.was, event.now) == (promised, programme.engagement.time.plus(promised, 1))
    assert "is a day off" in event.why
    programme.advance(event.now)
    assert not programme.events(ActionExpired)
    programme.do(AgreeAction(action="A1", version=1), DOCTOR)


def test_a_day_off_that_is_taken_back_brings_no_date_forward() -> None:
    programme = agreeing()
    propose(programme)
    off(programme, DOCTOR, weekday(due_of(programme, DOCTOR, "AgreeAction")))
    later = due_of(programme, DOCTOR, "AgreeAction")
    programme.do(SetWorkingPattern(), DOCTOR)
    assert due_of(programme, DOCTOR, "AgreeAction") == later
    assert programme.events(DueDateKept)


def test_what_is_common_to_everybody_waits_for_nobody() -> None:
    programme = begun(Stage.DIAGNOSIS)
    window = due_of(programme, DOCTOR, "CompleteQuestionnaire")
    programme.do(leave(window - timedelta(days=3), 10), DOCTOR)
    assert due_of(programme, DOCTOR, "CompleteQuestionnaire") == window


def test_messages_wait_for_a_day_on_which_the_person_works() -> None:
    programme = delivering()
    programme.do(leave(programme.today + timedelta(days=1), 25), DOCTOR)
    before = len(programme.entries)
    programme.advance(programme.today + timedelta(days=50))
    leave_ = programme.engagement.people[DOCTOR].works.away[0]
    sent = [one.event for one in programme.entries[before:] if isinstance(one.event, MessageIssued)]
    days = [event.on for event in sent if DOCTOR in event.people]
    assert days
    assert not [on for on in days if leave_.first <= on <= leave_.last]


def test_news_that_the_engine_was_late_with_does_not_leave_on_a_day_off() -> None:
    programme = delivering()
    programme.do(leave(programme.today, 20), DOCTOR)
    wake = next_wake(programme.engagement, programme.at)
    assert wake
    programme.at += timedelta(days=5)  # the worker was away
    programme.advance(programme.today + timedelta(days=2))
    assert not [
        event for event in programme.events(MessageIssued) if DOCTOR in event.people and event.on == programme.today
    ]


def test_patient_safety_waits_for_nobodys_leave() -> None:
    programme = delivering()
    programme.do(leave(programme.today, 20), APPROVER)
    programme.do(RaiseSafetyObjection(action="A1", reason="Nights are not covered"), "d4")
    programme.advance(programme.at + timedelta(minutes=1))
    assert any(event.topic == "safety" and APPROVER in event.people for event in programme.events(MessageIssued))


def test_days_off_leave_some_days_to_work_on() -> None:
    programme = delivering()
    with pytest.raises(Invalid):
        off(programme, DOCTOR, *Weekday)
    with pytest.raises(Invalid):
        programme.do(leave(programme.today, 40), DOCTOR)
    with pytest.raises(Invalid):
        programme.do(leave(programme.today, -2), DOCTOR)
    off(programme, DOCTOR, Weekday.FRIDAY, Weekday.MONDAY)
    off(programme, DOCTOR, Weekday.MONDAY, Weekday.FRIDAY)
    assert len(programme.events(WorkingPatternSet)) == 1
