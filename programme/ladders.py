"""Reminder and escalation ladders: what is said to whom, how many working days from the opening or the due date.

A ladder is data of the template. A rung is written ``due-3``, ``opened+5``, ``due+5 both_sponsors``; it re-reads its
task when it fires, so a completed task is never chased, and it fires at most once for ever.
"""

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from programme.messages import Frozen, Task
from programme.working_time import WorkingTime


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

    def planned(self, task: Task, time: WorkingTime) -> date | None:
        """The day on which the rung fires; None where it hangs on a due date that the task does not have."""
        if self.anchor == "opened":
            return time.shifted(task.opened, time.plus(task.opened, self.offset))
        return time.plus(task.due.on, self.offset) if task.due else None


_WRITTEN = re.compile(r"(opened|due)([+-]\d{1,3})(?: (\w+))?")


def _read(written: Any) -> Any:
    if not isinstance(written, str):
        return written
    match = _WRITTEN.fullmatch(written)
    if not match:
        message = f"'{written}' is no rung. Write for example 'due-3' or 'due+5 both_sponsors'."
        raise ValueError(message)
    return Rung(anchor=match[1], offset=int(match[2]), to=Audience(match[3] or "holder"))


WrittenRung = Annotated[Rung, BeforeValidator(_read), PlainSerializer(lambda rung: rung.name, return_type=str)]


class Ladder(Frozen):
    """The rungs of one kind of task. ``urgent`` leaves at once at any hour: a patient-safety objection, nothing else.

    ``notice`` marks session notices, which are outside the daily and weekly limits on messages.
    """

    rungs: tuple[WrittenRung, ...] = ()
    urgent: bool = False
    notice: bool = False
