"""Reminder and escalation ladders: what is said to whom, how many working days from the opening or the due date.

A ladder is data of the template. A rung is written ``due-3``, ``opened+5``, ``due+5 both_sponsors``; it re-reads its
task when it fires, so a completed task is never chased, and it fires at most once for ever.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, PlainSerializer

from programme.messages import Frozen, Task
from programme.working_time import SENDING_STARTS, WorkingTime, at_local

_DAYS_KEPT = 512  # ladders, openings and due dates: more than an engagement has open at once


class Audience(StrEnum):
    """To whom a rung speaks. Sponsors are addressed together: no escalation names one side to one sponsor alone."""

    HOLDER = "holder"
    PROGRAMME_MANAGER = "programme_manager"
    FACILITATOR = "facilitator"
    BOTH_SPONSORS = "both_sponsors"
    DEPUTY_APPROVER = "deputy_approver"
    MEDICAL_SPONSOR = "medical_sponsor"
    CO_OWNERS = "co_owners"
    CHAIR = "chair"


class Rung(Frozen):
    """One step of a ladder: ``anchor``, ``offset`` in working days; ``to`` anybody but the holder is an escalation."""

    anchor: str  # "opened" or "due"
    offset: int
    to: Audience = Audience.HOLDER

    @property
    def name(self) -> str:
        """How the rung is written, and its identity within a ladder."""
        written = f"{self.anchor}{self.offset:+d}"
        return written if self.to is Audience.HOLDER else f"{written} {self.to.value}"

    @property
    def escalates(self) -> bool:
        """Whether it speaks to somebody else than the person who owes the task."""
        return self.to is not Audience.HOLDER


_AUDIENCES = tuple(one.value for one in Audience)
_WRITTEN = re.compile(r"(opened|due)([+-]\d{1,3})(?: (\w+))?")


def _read(written: Any) -> Any:
    if not isinstance(written, str):
        return written
    match = _WRITTEN.fullmatch(written)
    if not match:
        message = f"'{written}' is no rung. Write for example 'due-3' or 'due+5 both_sponsors'."
        raise ValueError(message)
    to = match[3] or Audience.HOLDER.value
    if to not in _AUDIENCES:
        message = f"'{to}' is nobody to whom a rung can speak. Write one of: {', '.join(_AUDIENCES)}."
        raise ValueError(message)
    return Rung(anchor=match[1], offset=int(match[2]), to=Audience(to))


WrittenRung = Annotated[Rung, BeforeValidator(_read), PlainSerializer(lambda rung: rung.name, return_type=str)]


class Ladder(Frozen):
    """The rungs of one kind of task. ``urgent`` leaves at once at any hour: a patient-safety objection, nothing else.

    ``notice`` marks session notices, which are outside the daily and weekly limits on messages.
    """

    rungs: tuple[WrittenRung, ...] = ()
    urgent: bool = False
    notice: bool = False


class Planned(NamedTuple):
    """A rung of a task, the day on which it fires, and the instant at which it leaves if nothing holds it up."""

    rung: Rung
    name: str
    on: date
    at: datetime


@dataclass(frozen=True)
class RungDays:
    """When the rungs of tasks fire: worked out once for each ladder, opening and due date, which many tasks share."""

    ladders: Mapping[str, Ladder]
    time: WorkingTime
    _known: dict[tuple[str, date, date | None], tuple[Planned, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def of(self, task: Task) -> tuple[Planned, ...]:
        """The rungs of a task, the earliest first. One that hangs on a due date is left out where there is none."""
        asked = (task.ladder, task.opened, task.due.on if task.due else None)
        known = self._known.get(asked)
        if known is None:
            if len(self._known) >= _DAYS_KEPT:
                self._known.clear()
            known = self._known[asked] = tuple(sorted(self._planned(*asked), key=lambda planned: planned.at))
        return known

    def _planned(self, name: str, opened: date, due: date | None) -> Iterator[Planned]:
        ladder = self.ladders.get(name, Ladder())
        for rung in ladder.rungs:
            anchor = opened if rung.anchor == "opened" else due
            if anchor is not None:
                on, at = self._at_once(rung, anchor) if ladder.urgent else self._in_sending_hours(rung, anchor)
                yield Planned(rung, rung.name, on, at)

    def _at_once(self, rung: Rung, anchor: date) -> tuple[date, datetime]:
        """That very day, or some working days later: what protects patients waits for no pause."""
        on = self.time.plus(anchor, rung.offset) if rung.offset else anchor
        return on, at_local(on, SENDING_STARTS if rung.offset else time(0))

    def _in_sending_hours(self, rung: Rung, anchor: date) -> tuple[date, datetime]:
        on = self.time.plus(anchor, rung.offset)
        if rung.anchor == "opened" or rung.offset > 0:  # a due date itself has been moved by a pause already
            on = self.time.shifted(anchor, on)
        return on, self.time.morning(on)
