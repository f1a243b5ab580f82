"""What the people of a rehearsal need of a door, whoever answers it: real HTTP, or the core alone."""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from cli.rehearsal.cast import Player
from cli.rehearsal.front_door import Json
from programme.working_time import Calendar, Holiday


class Door(Protocol):
    """Everything that people ask and read. ``refused`` counts the refusals by their code."""

    engagement_id: str
    refused: Counter[str]
    asked: int

    async def launch(self, player: Player, body: Json) -> Json:
        """Register the engagement."""

    async def ask(self, player: Player, command: str, body: Json) -> Json:
        """Send a command and return what was recorded. Raises front_door.Refusal."""

    async def announce(self, player: Player, calendar: Calendar, late: Holiday) -> None:
        """Announce a day late, and wait until the programme has re-planned. ``calendar``: what it goes by then."""

    async def engagement(self, player: Player) -> Json:
        """The engagement as the person sees it."""

    async def all_of(self, player: Player, what: str, **query: str) -> list[Json]:
        """A whole list of the engagement."""

    async def inboxes(self, players: Sequence[Player]) -> list[list[Json]]:
        """Everybody's own tasks."""

    def moved_on(self) -> None:
        """Forget what was read: time has passed."""
