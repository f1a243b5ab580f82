"""What somebody who acts can see: the day, who is who, and what the front door shows that person."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, NamedTuple

from activities.calendars import snapshot
from cli.rehearsal.cast import Cast, Player
from cli.rehearsal.door import Door
from cli.rehearsal.front_door import Json
from programme.messages import PersonId, Role, Side, Stage
from programme.questionnaire import Questionnaire
from programme.template import ProgrammeTemplate
from programme.working_time import Holiday, WorkingTime, at_local, local_date


class Ask(NamedTuple):
    """A command that somebody sends."""

    by: Player
    command: str
    body: Json


def only(who: Player, command: str, **body: Any) -> list[Ask]:
    """One command alone."""
    return [Ask(who, command, body)]


def at(on: date, clock: time) -> str:
    """A time in London as the API takes it."""
    return at_local(on, clock).isoformat()


@dataclass(frozen=True, slots=True)
class Duty:
    """A line of somebody's inbox."""

    id: str
    about: str
    command: str
    title: str
    opened: date
    due: date | None

    @classmethod
    def of(cls, row: Json) -> "Duty":
        """A line as the API writes it."""
        due = date.fromisoformat(row["due"]) if row.get("due") else None
        opened = date.fromisoformat(row["opened"])
        return cls(row["task_id"], row["about"], row["command"], row["title"], opened, due)


@dataclass
class Scene:
    """The stage on which one moment is played.

    ``told`` remembers which turns of the plot have happened, and when; ``gone`` who leaves, by key.
    """

    cast: Cast
    door: Door
    ids: dict[str, PersonId]
    form: Questionnaire
    time: WorkingTime
    template: ProgrammeTemplate
    now: datetime
    told: dict[str, date] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    def months(self, in_a_year: int) -> int:
        """As large a part of this template's cycle as so many months are of the usual one; at least a month."""
        return max(1, in_a_year * self.template.rediagnosis_month // ProgrammeTemplate().rediagnosis_month)

    @property
    def today(self) -> date:
        """The day in London."""
        return local_date(self.now)

    def id_of(self, player: Player) -> PersonId:
        """The opaque id of somebody."""
        return self.ids[player.key]

    def ids_of(self, players: Iterable[Player]) -> list[PersonId]:
        """The opaque ids of several people."""
        return [self.ids[player.key] for player in players]

    def who(self, person: PersonId) -> Player:
        """Whose opaque id this is."""
        return next(player for player in self.cast.players if self.ids[player.key] == person)

    @property
    def manager(self) -> Player:
        """The programme manager, who sees what is nobody's secret."""
        return self.cast.having(Role.PROGRAMME_MANAGER)

    @property
    def facilitator(self) -> Player:
        """The facilitator."""
        return self.cast.having(Role.FACILITATOR)

    def active(self, side: Side) -> tuple[Player, ...]:
        """The participants of a side on whom one can count, and who stay."""
        return tuple(player for player in self.cast.active(side) if player.key not in self.gone)

    def owner(self, side: Side, place: int) -> Player:
        """The co-owner of an action: one of those on whom one can count, another for each place."""
        reliable = self.active(side)
        return reliable[place % len(reliable)]

    def happened(self, turn: str) -> bool:
        """Whether something has happened in this story."""
        return turn in self.told

    def first_time(self, turn: str) -> bool:
        """Whether something happens now for the first time; from then on it has happened."""
        first = turn not in self.told
        self.told.setdefault(turn, self.today)
        return first

    @staticmethod
    def day(written: str) -> date:
        """A day as the API writes it."""
        return date.fromisoformat(written)

    async def announce(self, on: date, name: str) -> None:
        """A bank holiday that nobody knew of when the year was planned: from now on everybody goes by it."""
        late = Holiday(on=on, name=name)
        calendar = snapshot(self.time.calendar.division, [late])
        await self.door.announce(self.manager, calendar, late)
        self.time = WorkingTime(calendar)

    # --- what the front door shows somebody --------------------------------------------------------------------------

    async def delivers(self) -> bool:
        """Whether both sides have agreed on something, which is delivered now."""
        engagement = await self.door.engagement(self.manager)
        return any(span["stage"] == Stage.DELIVERY for span in engagement["stages"])

    async def actions(self, who: Player) -> list[Json]:
        """Every action."""
        return await self._contents(who, "actions")

    async def action(self, who: Player, action: str) -> Json:
        """One action."""
        return await self._named(who, "actions", action)

    async def titled(self, wanted: Json) -> Json | None:
        """The latest action with the title of one of the script's."""
        found = [one for one in await self.actions(self.manager) if one["title"] == wanted["title"]]
        return found[-1] if found else None

    async def sessions(self, who: Player) -> list[Json]:
        """Every joint session, in the order in which they were called."""
        return await self._contents(who, "sessions")

    async def session(self, who: Player, session: str) -> Json:
        """One joint session."""
        return await self._named(who, "sessions", session)

    async def measure(self, who: Player, measure: str) -> Json:
        """One measure, with its points and signals."""
        return await self._named(who, "measures", measure)

    async def review(self, who: Player, review: str) -> Json:
        """One challenge review."""
        return await self._named(who, "reviews", review)

    async def pairs(self, who: Player) -> list[Json]:
        """The pairs of the perspective exchange that the person may see."""
        return await self._contents(who, "pairs")

    async def pair(self, who: Player, pair: str) -> Json:
        """One pair."""
        return await self._named(who, "pairs", pair)

    async def needs(self, who: Player) -> list[Json]:
        """Every development need."""
        return await self._contents(who, "needs")

    async def _named(self, who: Player, what: str, name: str) -> Json:
        return next(one for one in await self._contents(who, what) if one["id"] == name)

    async def _contents(self, who: Player, what: str) -> list[Json]:
        return [row.get("content", row) for row in await self.door.all_of(who, what)]
