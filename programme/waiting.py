"""What waits on whom, by part and never by name: for whoever looks after the engine, not for people who take part."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from programme.people import wording

if TYPE_CHECKING:
    from programme.engagement import Engagement
    from programme.messages import Role, Task

VOLUNTARY = frozenset({"CompleteQuestionnaire"})  # how many have answered is told by nobody until k have


def waits_on(engagement: Engagement) -> list[str]:
    """How many tasks wait on which part: ``2 doctor``, ``1 facilitator``, in the order of the parts' names."""
    counted = Counter(
        part for task in engagement.open_tasks if task.command not in VOLUNTARY if (part := _part(engagement, task))
    )
    return [f"{number} {part}" for part, number in sorted(counted.items())]


def _part(engagement: Engagement, task: Task) -> str:
    """The part in which somebody owes a task, held or offered; the first by name where there are several."""
    person = engagement.people.get(task.person)
    return _first_named(person.intended()) if person else ""


@lru_cache(maxsize=256)
def _first_named(parts: frozenset[Role]) -> str:
    return min((wording(part) for part in parts), default="")
