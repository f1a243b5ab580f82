"""Programmes in which people agree and deliver: one measure, one action, both sides."""

from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from programme.gates import StageEnded, StageStarted
from programme.measure import Direction, Measure
from programme.measures import AddPoints, DefineMeasure, NewPoint
from programme.messages import Event, PersonId, Stage
from programme.stages.action import Action, ActionStatus, Aim, Screened, Screening
from programme.stages.agreement import AgreeAction
from programme.stages.compact import CompactWritten, SignCompact
from programme.stages.drafting import ActionText, DraftAction, ProposeAction
from programme.working_time import month_after
from tests.core.given import given
from tests.core.programme_driver import MANAGERIAL, MEDICAL, STEWARD, Programme, begun

DOCTOR, MANAGER = "d1", "m1"  # the co-owners, and so the signatories
BASELINE = ("67", "69", "68", "66", "70", "68", "67", "69", "68", "70", "66", "68", "69", "67", "68", "68", "70", "66")
CLEAR = Screening(
    changes_who_treats=Screened.NO, directs_clinical_decision=Screened.NO, changes_clinical_staffing=Screened.NO
)
CLINICAL = CLEAR.model_copy(update={"changes_who_treats": Screened.YES})


def last_months(today: date, count: int) -> list[date]:
    """The first days of the last months that have ended, the earliest first."""
    return [month_after(today.replace(day=1), -back) for back in range(count, 0, -1)]


def add_points(programme: Programme, values: tuple[str, ...], measure: str = "M1") -> list[Event]:
    """Enter the latest months, one value each."""
    months = last_months(programme.today, len(values))
    points = tuple(NewPoint(period=month, value=Decimal(value)) for month, value in zip(months, values, strict=True))
    return programme.do(AddPoints(measure=measure, points=points), STEWARD)


def define(programme: Programme, direction: Direction = Direction.UP, **fields: Any) -> None:
    """Define the next measure."""
    facts = {"title": "Seen within 4 hours", "unit": "%", "source": "ED dashboard", **fields}
    programme.do(DefineMeasure(direction=direction, **facts), STEWARD)


@cache
def _agreeing() -> Programme:
    programme = begun(Stage.SESSIONS)
    define(programme)
    add_points(programme, BASELINE)
    ended = programme.today
    return given(
        programme,
        StageEnded(stage=Stage.SESSIONS, cycle=1, on=ended),
        StageStarted(stage=Stage.AGREEMENT, cycle=1, on=ended),
        CompactWritten(version=1, doctors_give=("Time",), managers_give=("Staff",), on=ended),
    )


def agreeing() -> Programme:
    """The joint sessions are over; M1 has its baseline, the compact waits for signatures, and nothing is drafted."""
    return _agreeing().copy()


def text(programme: Programme, **changes: Any) -> ActionText:
    """What a complete action says."""
    aim = Aim(
        sentence="Raise the share seen within 4 hours from 68% to 78%",
        from_value=Decimal(68),
        to_value=Decimal(78),
        by=programme.today + timedelta(days=180),
    )
    complete = ActionText(
        title="Consultants at the front door",
        scope="Emergency department, 8am to 10pm",
        aim=aim,
        conditions=("C09",),
        measures=("M1",),
        doctor_owner=DOCTOR,
        manager_owner=MANAGER,
    )
    return complete.model_copy(update=changes)


def draft(programme: Programme, **changes: Any) -> Action:
    """Draft the next action."""
    programme.do(DraftAction(text=text(programme, **changes)), DOCTOR)
    return list(programme.engagement.running.agreement.actions.values())[-1]


def propose(programme: Programme, screening: Screening = CLEAR, by: PersonId = DOCTOR, **changes: Any) -> Action:
    """Draft the next action and propose it."""
    drafted = draft(programme, **changes)
    programme.do(ProposeAction(action=drafted.id, screening=screening), by)
    return action(programme, drafted.id)


def agree(programme: Programme, name: str = "A1") -> None:
    """Both sides agree to the version that is proposed."""
    for side in ("doctor", "manager"):
        now = action(programme, name)
        named: PersonId = getattr(now, f"{side}_signatory") or getattr(now, f"{side}_owner")
        programme.do(AgreeAction(action=name, version=now.version), named)


def action(programme: Programme, name: str = "A1") -> Action:
    """An action as it stands."""
    return programme.engagement.running.agreement.actions[name]


def status(programme: Programme, name: str = "A1") -> ActionStatus:
    """Where an action stands."""
    return action(programme, name).status


def measure(programme: Programme, name: str = "M1") -> Measure:
    """A measure as it stands."""
    return programme.engagement.measures.measures[name]


@cache
def _delivering() -> Programme:
    programme = agreeing()
    for sponsor in (MEDICAL, MANAGERIAL):
        programme.do(SignCompact(version=1), sponsor)
    propose(programme)
    agree(programme)
    assert programme.engagement.in_stage(Stage.DELIVERY), "everything was agreed and delivery did not begin"
    return programme


def delivering() -> Programme:
    """A1 is active, without a clinical mark, and delivery has begun."""
    return _delivering().copy()
