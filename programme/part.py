"""What each part of the core supplies: its share of decide, evolve, agenda and tasks, in one shape.

``engagement.py`` composes the parts. A part is a file: the eight stages, and what runs through all of them (people,
measures, continuity, post).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from programme.working_time import local_date

if TYPE_CHECKING:
    from programme.engagement import Engagement
    from programme.messages import Command, Due, Errand, Event, PersonId, Task


@dataclass(frozen=True)
class Asked:
    """Who asks, for whom, and when: all that a decision may know of the world outside the engagement."""

    by: PersonId
    at: datetime
    on_behalf_of: PersonId | None = None

    @cached_property
    def today(self) -> date:
        """The date in London."""
        return local_date(self.at)


def _nothing(*_: object) -> tuple[()]:
    return ()


Decides = Mapping["type[Command]", Callable[["Engagement", Any, Asked], "list[Event]"]]
Evolves = Mapping["type[Event]", Callable[["Engagement", Any, datetime], "Engagement"]]


@dataclass(frozen=True)
class Part:
    """One part of the core.

    decide: for each command type, ``(engagement, command, asked) -> events``; raises a Refusal.
    evolve: for each event type, ``(engagement, event, at) -> engagement``; never fails.
    agenda: everything of this part that will fall due (acts only: reminders come from the ladders).
    act: ``(engagement, what, asked) -> events`` for a Due with key ``act:<name>:<what>``; must change the agenda.
    tasks: who owes what by when.
    errands: what the world outside must do, such as computing a pack from answers that the core never sees.
    follows: ``(engagement, asked) -> events`` that follow at once from what is now true (a gate passes, a version is
        agreed); must return nothing once its events are folded.
    name: the part's name in keys.
    """

    name: str
    decide: Decides = field(default_factory=dict)
    evolve: Evolves = field(default_factory=dict)
    agenda: Callable[[Engagement], Iterable[Due]] = _nothing
    act: Callable[[Engagement, str, Asked], list[Event]] | None = None
    tasks: Callable[[Engagement], Iterable[Task]] = _nothing
    errands: Callable[[Engagement], Iterable[Errand]] = _nothing
    follows: Callable[[Engagement, Asked], Iterable[Event]] = _nothing
