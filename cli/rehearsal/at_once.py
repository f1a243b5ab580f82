"""A rehearsal on the core alone: the same people, the same year, no server."""

import asyncio
from dataclasses import dataclass
from datetime import date

from activities.calendars import snapshot
from cli.rehearsal.cast import Cast
from cli.rehearsal.core_door import CoreDoor
from cli.rehearsal.front_door import Json
from cli.rehearsal.opening import opening
from cli.rehearsal.scene import Scene
from cli.rehearsal.year import ACTS_AT, LAST_POST, Year
from programme.messages import Entry
from programme.template import ProgrammeTemplate
from programme.working_time import Division, WorkingTime, at_local
from runtime.templates import shipped_questionnaire


@dataclass(frozen=True)
class Played:
    """A year that was played: how the engagement stands, and everything that happened."""

    engagement: Json
    entries: tuple[Entry, ...]
    requests: int
    refused: dict[str, int]


def play(cast: Cast, template: ProgrammeTemplate, start: date, division: Division) -> Played:
    """Play a whole programme with a cast from a day on. The same cast and day: the same year, event by event."""
    return asyncio.run(played(cast, template, start, division))


async def played(cast: Cast, template: ProgrammeTemplate, start: date, division: Division) -> Played:
    """The same, for whoever has an event loop."""
    last = len(cast.players)
    # The people store makes its ids from the last to the first, and pairs are proposed in the order of ids.
    ids = {player.key: f"person-{last - place:03d}" for place, player in enumerate(cast.players)}
    calendar = snapshot(division)
    door = CoreDoor(ids, template, calendar, at_local(start, ACTS_AT))
    scene = Scene(cast, door, ids, shipped_questionnaire(), WorkingTime(calendar), template, door.at)
    await door.launch(scene.manager, opening(cast, template.name, division))
    engagement = await Year(scene, door, door.settled, _quiet).play()
    await door.skip_to(door.at + LAST_POST)
    return Played(engagement, tuple(door.entries), door.asked, dict(door.refused))


async def _quiet(engagement: Json, today: date) -> None:
    """Nobody watches a year that takes seconds."""
    del engagement, today
