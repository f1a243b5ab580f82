"""The year: on each day on which somebody acts, everybody whose turn it is acts; then time passes to the next such day.

Nothing here knows what a stage is. People look into their inboxes, do what they owe when it is like them to do it, and
begin what the plot has them begin. Time does the rest.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Protocol

from cli.rehearsal.acts import ACTS
from cli.rehearsal.cast import Pace, Player
from cli.rehearsal.front_door import Json, Refusal
from cli.rehearsal.house import RehearsalError
from cli.rehearsal.plot import PLOT, Turn
from cli.rehearsal.scene import Ask, Duty, Scene
from programme.messages import SPONSORS, Role, Stage
from programme.working_time import at_local, local_date

ACTS_AT = time(10)  # in London
JOINS = "AcceptEnrolment"  # whoever joins late finds a questionnaire waiting
EXPIRES = frozenset({"AgreeAction", "AnswerInvitation", "CompleteQuestionnaire", JOINS})
"""What cannot be done any more after its date: who is late does it on the day."""
VOLUNTARY = frozenset({"CompleteQuestionnaire", JOINS, "StateWillingness"})
"""What nobody else is told of: each sees it in their own inbox alone."""
NEAR_ITS_DATE = frozenset(
    {"CheckIn", "DecideObjection", "GivePositionStatement", "RecordTouchpoint", "RecordVisit", "WriteReflection"}
)
"""What nobody does on the day on which it is asked for: it is done in the days before its date."""
ATTEMPTS = 5
LONGEST_YEARS = 3
LAST_POST = timedelta(hours=1)  # after the ending, for the messages that it brought
_SILENT_FROM = Pace.SILENT, Pace.DECLINES
Told = Callable[[Json, date], Awaitable[None]]


class Clock(Protocol):
    """The time of the rehearsal."""

    async def now(self) -> datetime:
        """The time that it is."""

    async def skip_to(self, instant: datetime) -> None:
        """Let the time until then pass."""


@dataclass
class Plan:
    """When somebody means to do what they owe."""

    who: Player
    duty: Duty
    on: date


@dataclass
class Year:
    """One rehearsal. ``plans`` and ``tried`` go by task: when it is meant to be done, and how often that was tried."""

    scene: Scene
    clock: Clock
    settled: Callable[[], Awaitable[None]]
    told: Told
    plans: dict[str, Plan] = field(default_factory=dict)
    tried: Counter[str] = field(default_factory=Counter)
    _seen: int = -1
    _asked: tuple[bool, str | None, str | None] | None = None
    _turns: list[Turn] = field(default_factory=lambda: list(PLOT))

    async def play(self) -> Json:
        """Play until the programme has come to an ending; returns the engagement as it stands then."""
        last = self.scene.now + timedelta(days=366 * LONGEST_YEARS)
        while True:
            if not (await self._look())["paused_until"]:
                await self._play_turns()
            while await self._somebody_acts():
                pass
            engagement = await self._look()
            if _over(engagement):
                return engagement
            upcoming = await self._next_moment()
            if upcoming > last:
                raise RehearsalError(f"The programme has come to no ending by {local_date(last)}.")
            await self._pass_time(upcoming)

    # --- a day -------------------------------------------------------------------------------------------------------

    async def _look(self) -> Json:
        """Read the engagement; where it has moved on, see who has something to do."""
        engagement = await self.scene.door.engagement(self.scene.manager)
        if engagement["sequence"] != self._seen:
            self._seen = engagement["sequence"]
            await self._see_what_waits()
            await self._open_inboxes(self._who_looks(engagement))
            await self.told(engagement, self.scene.today)
        return engagement

    async def _see_what_waits(self) -> None:
        """What waits on whom, as the programme manager sees it: all but what is voluntary."""
        waiting = {row["task_id"]: row for row in await self.scene.door.all_of(self.scene.manager, "tasks")}
        for gone in [
            one for one, plan in self.plans.items() if plan.duty.command not in VOLUNTARY and one not in waiting
        ]:
            del self.plans[gone]
        for row in waiting.values():
            self._plan(self.scene.who(row["person_id"]), Duty.of(row))

    def _who_looks(self, engagement: Json) -> Sequence[Player]:
        """Who opens an inbox for what is voluntary: sponsors while they are asked, both sides when they are."""
        form = engagement["questionnaire"] or {}
        asked = engagement["stage"] == Stage.MANDATE, form.get("survey"), form.get("opened")
        if asked == self._asked:
            return [player for player in self.scene.cast.players if asked[0] and SPONSORS.intersection(player.roles)]
        self._asked = asked
        return self.scene.cast.players

    async def _open_inboxes(self, players: Sequence[Player]) -> None:
        for player, inbox in zip(players, await self.scene.door.inboxes(players), strict=True):
            duties = {duty.id: duty for duty in map(Duty.of, inbox)}
            for gone in [one for one, plan in self.plans.items() if plan.who is player and one not in duties]:
                del self.plans[gone]
            for duty in duties.values():
                self._plan(player, duty)

    def _plan(self, player: Player, duty: Duty) -> None:
        """Plan a duty, once: a moved date changes nothing about when it is like somebody to act."""
        if known := self.plans.get(duty.id):
            known.duty = duty
        elif self.tried[duty.id]:
            self.plans[duty.id] = Plan(player, duty, self.scene.time.plus(self.scene.today, 1))
        else:
            self.plans[duty.id] = Plan(player, duty, self._day_for(player, duty))

    def _day_for(self, player: Player, duty: Duty) -> date:
        scene = self.scene
        about = "" if duty.about in scene.ids.values() else duty.about  # ids of people are others in each rehearsal
        chance = scene.cast.chance("day", player.key, duty.command, about, duty.opened)
        opened = scene.time.plus(max(duty.opened, scene.today), 0)
        joining = duty.command == JOINS
        if player.pace in _SILENT_FROM and not joining:
            return date.max
        if player.pace is Pace.LATE and duty.due:
            expires = duty.command in EXPIRES
            late = duty.due if expires else scene.time.plus(duty.due, chance.randint(1, 4))
            return max(scene.time.plus(late, 0) if not expires else late, opened)
        if duty.command in NEAR_ITS_DATE and duty.due:
            return max(scene.time.plus(duty.due, -chance.randint(0, 4)), opened)
        days = chance.randint(0, 2) if player.pace is Pace.PROMPT else chance.randint(1, 5)
        on = scene.time.plus(opened, days) if days else opened
        return min(on, max(duty.due, opened)) if duty.due else on

    async def _somebody_acts(self) -> bool:
        """Everybody whose day it is acts once; whether anybody did."""
        if (await self._look())["paused_until"]:
            return False
        acted = False
        for plan in sorted(self.plans.values(), key=self._place):
            if plan.on <= self.scene.today and self.plans.get(plan.duty.id) is plan:
                acted = await self._act(plan) or acted
        return acted

    def _place(self, plan: Plan) -> tuple[int, tuple[Any, ...]]:
        return self.scene.cast.players.index(plan.who), _order(plan.duty)

    async def _play_turns(self) -> None:
        """Let happen what the plot has ready this morning."""
        for turn in list(self._turns):
            asks = await turn.asks(self.scene)
            if asks is not None:
                self._turns.remove(turn)
                await self._send(asks)

    async def _act(self, plan: Plan) -> bool:
        """Do what is owed. What somebody else has done meanwhile is not done again."""
        act = ACTS.get(plan.duty.command)
        if act is None:
            raise RehearsalError(f"Nobody in the rehearsal knows how to do '{plan.duty.command}'.")
        await self._open_inboxes((plan.who,))
        if plan.duty.id not in self.plans:
            return False
        plan.on = self.scene.time.plus(self.scene.today, 1)
        asks = await act(self.scene, plan.who, plan.duty)
        if not asks:
            return False
        self.tried[plan.duty.id] += 1
        if self.tried[plan.duty.id] > ATTEMPTS:
            raise RehearsalError(f"'{plan.duty.title}' ({plan.duty.id}) was done {ATTEMPTS} times and is still owed.")
        del self.plans[plan.duty.id]  # if it is still owed, the next look finds it again
        accepted = await self._send(asks)
        if plan.duty.command == JOINS:
            await self._open_inboxes((plan.who,))
        return accepted

    async def _send(self, asks: list[Ask]) -> bool:
        """Send commands in order. A refusal is part of the story: the front door counts it, and it ends nothing."""
        accepted = False
        for ask in asks:
            with suppress(Refusal):
                await self.scene.door.ask(ask.by, ask.command, ask.body)
                accepted = True
        return accepted

    # --- time --------------------------------------------------------------------------------------------------------

    async def _next_moment(self) -> datetime:
        """The next morning on which anybody means to act, or something has happened by itself."""
        paused = (await self.scene.door.engagement(self.scene.manager))["paused_until"]
        days = [plan.on for plan in self.plans.values() if plan.on < date.max and not paused]
        # Whoever is hardly ever written to sees in the agenda what time does, and few reminders.
        agenda = await self.scene.door.all_of(self.scene.cast.having(Role.DATA_PROTECTION_CONTACT), "agenda")
        happens = [datetime.fromisoformat(line["at"]) for line in agenda]
        moments = [self._morning(max(day, self.scene.today)) for day in days] + [self._after(at) for at in happens]
        if not moments:
            raise RehearsalError("Nothing is planned, and nobody owes anything.")
        return min(moments)

    def _morning(self, on: date) -> datetime:
        """10am of a day, or of the next working day; never the moment that has come."""
        scene = self.scene
        at = at_local(scene.time.plus(on, 0), ACTS_AT)
        return at if at > scene.now else at_local(scene.time.plus(max(on, scene.today), 1), ACTS_AT)

    def _after(self, at: datetime) -> datetime:
        morning = self._morning(local_date(at))
        return morning if morning > at else self._morning(local_date(at) + timedelta(days=1))

    async def _pass_time(self, until: datetime) -> None:
        await self.clock.skip_to(until)
        await self.settled()
        self.scene.now = await self.clock.now()
        self.scene.door.moved_on()


def _order(duty: Duty) -> tuple[date, str, str]:
    return duty.due or date.max, duty.command, duty.about


def _over(engagement: Json) -> bool:
    """Whether the programme has ended, sustains, or has begun another cycle."""
    return bool(engagement["ended"]) or engagement["cycle"] > 1 or engagement["progress"] == "Sustaining"
