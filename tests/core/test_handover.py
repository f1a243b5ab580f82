"""Handing over: what somebody leaves open passes to a successor of the same side, and the past stays as it was."""

from datetime import timedelta

import pytest

from programme.departure import Departure
from programme.handover import (
    AcceptHandover,
    DeclineHandover,
    NameSuccessor,
    RecordDeparture,
)
from programme.messages import PersonId, Role, Side
from programme.refusals import NoHandover, NotASuccessor
from programme.stages.action import ActionStatus
from programme.stages.ownership import AcceptOwnership, ReturnedToAgreement
from tests.core.agreed import DOCTOR, MANAGER, action, delivering, status
from tests.core.programme_driver import MEDICAL, PM, Programme

SUCCESSOR = "d2"


def departs(programme: Programme, person: PersonId = DOCTOR, days: int = 0, returns: int | None = None) -> Departure:
    """The programme manager records that somebody goes, in so many working days."""
    last_day = programme.engagement.time.plus(programme.today, days)
    back = last_day + timedelta(days=returns) if returns else None
    programme.do(RecordDeparture(person=person, last_day=last_day, returns=back), PM)
    return programme.engagement.handovers.departures[person]


def hands_over(
    programme: Programme, person: PersonId = DOCTOR, role: Role = Role.DOCTOR, successor: PersonId = SUCCESSOR
) -> None:
    """A successor is named and takes over."""
    programme.do(NameSuccessor(person=person, role=role, successor=successor), PM)
    programme.do(AcceptHandover(person=person, role=role), successor)


def test_a_successor_takes_over_an_action_and_what_was_agreed_stays_agreed() -> None:
    programme = delivering()
    departs(programme, days=5)
    hands_over(programme)
    now = action(programme)
    assert (now.doctor_owner, now.manager_owner) == (SUCCESSOR, MANAGER)
    assert now.status is ActionStatus.ACTIVE
    assert now.agreements[Side.DOCTOR].by == DOCTOR
    assert now.agreed_by_both


def test_a_new_co_owner_accepts_the_action_or_it_returns_to_agreement() -> None:
    accepting, silent = delivering(), delivering()
    for programme in (accepting, silent):
        departs(programme)
        hands_over(programme)
    (task,) = accepting.tasks(SUCCESSOR, "AcceptOwnership")
    assert task.due
    assert task.due.on == accepting.engagement.time.plus(accepting.today, 10)
    accepting.do(AcceptOwnership(action="A1"), SUCCESSOR)
    accepting.wait(11)
    assert status(accepting) is ActionStatus.ACTIVE
    version = action(silent).version
    silent.wait(10)
    assert status(silent) is ActionStatus.ACTIVE
    silent.wait(1)
    assert silent.events(ReturnedToAgreement)
    assert (status(silent), action(silent).version) == (ActionStatus.PROPOSED, version + 1)
    assert not action(silent).agreements
    assert {task.person for task in silent.tasks(command="AgreeAction")} == {SUCCESSOR, MANAGER}


@pytest.mark.parametrize(
    ("successor", "refusal"),
    [("m2", NotASuccessor), (MEDICAL, NotASuccessor), (DOCTOR, NotASuccessor), ("d3", NotASuccessor)],
)
def test_a_successor_takes_part_on_the_same_side_and_stays(successor: PersonId, refusal: type[Exception]) -> None:
    programme = delivering()
    departs(programme, "d3", days=4)
    departs(programme, days=5)
    with pytest.raises(refusal):
        programme.do(NameSuccessor(person=DOCTOR, role=Role.DOCTOR, successor=successor), PM)


def test_only_whoever_was_named_takes_over_and_may_decline() -> None:
    programme = delivering()
    departs(programme)
    programme.do(NameSuccessor(person=DOCTOR, role=Role.DOCTOR, successor=SUCCESSOR), PM)
    with pytest.raises(NoHandover):
        programme.do(AcceptHandover(person=DOCTOR, role=Role.DOCTOR), "d4")
    programme.do(DeclineHandover(person=DOCTOR, role=Role.DOCTOR), SUCCESSOR)
    with pytest.raises(NoHandover):
        programme.do(AcceptHandover(person=DOCTOR, role=Role.DOCTOR), SUCCESSOR)
    assert action(programme).doctor_owner == DOCTOR
    assert programme.tasks(PM, "NameSuccessor")
