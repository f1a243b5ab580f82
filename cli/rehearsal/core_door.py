"""A second door to a rehearsal: the same reads and commands, answered by the core alone in this process.

No server, no database and no waiting: a year in seconds. It is the forecast of the rehearsal's own people, and the
witness that what runs on Temporal decides nothing that the core does not.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cli.rehearsal.cast import Player
from cli.rehearsal.front_door import Json, Refusal
from programme import refusals
from programme.continuity import ChangeCalendar
from programme.engagement import COMMANDS, Engagement, TimeReached, errands, next_wake, step
from programme.messages import CLOCK, Command, Entry, PersonId, Task, Words
from programme.part import Asked
from programme.people import Enrolment
from programme.reading import agenda_for, may_see, tasks_for
from programme.stages.diagnosis import QuestionnaireCompleted, RecordPack
from programme.stages.mandate import RegisterEngagement
from programme.template import ProgrammeTemplate
from programme.working_time import Calendar, Holiday, local_date
from runtime.roster import Launcher, check
from web.engagements import questionnaire, shown
from web.registers import REGISTERS, latest, shown_as

ENGAGEMENT = "engagement-rehearsed"
PACK = "0" * 64  # what a pack says depends on answers, and no date does
MOST_WAKES = 20_000  # between two moments at which somebody acts


@dataclass
class CoreDoor:
    """The engagement, the moment, and what was recorded. ``ids`` sort as real ones do."""

    ids: Mapping[str, PersonId]
    template: ProgrammeTemplate
    calendar: Calendar
    at: datetime
    engagement_id: str = ENGAGEMENT
    entries: list[Entry] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    _engagement: Engagement = field(default_factory=Engagement)
    _shown: Mapping[str, Any] = field(default_factory=lambda: {one.path: shown_as(one.model) for one in REGISTERS})

    # --- what people ask ---------------------------------------------------------------------------------------------

    async def launch(self, player: Player, body: Json) -> Json:
        """Register the engagement, its roster read as the front door reads it."""
        launcher = Launcher(player.name, player.email)
        roster = check(list(enumerate(body["people"], 1)), launcher, ods_code=body["ods_code"])
        by_email = {row["email"]: person for row, person in zip(body["people"], self.ids.values(), strict=True)}
        facts = {name: value for name, value in body.items() if name not in {"people", "template", "division"}}
        people: tuple[Enrolment, ...] = roster.enrolments([by_email[row.email] for row in roster.rows])
        command = RegisterEngagement(
            engagement=self.engagement_id, template=self.template, calendar=self.calendar, people=people, **facts
        )
        self._take(command, self.ids[player.key])
        return {"engagement_id": self.engagement_id}

    async def ask(self, player: Player, command: str, body: Json) -> Json:
        """Take a command. Raises Refusal."""
        self.asked += 1
        content = {name: value for name, value in body.items() if name != "answers"} | {"kind": command}
        try:
            self._take(COMMANDS.validate_python(self._with_deposits(command, content)), self.ids[player.key])
        except refusals.Refusal as refusal:
            self.refused[refusal.code] += 1
            raise Refusal(player.key, command, {"code": refusal.code, "detail": str(refusal)}) from None
        return {"sequence": self._engagement.sequence}

    async def announce(self, player: Player, calendar: Calendar, late: Holiday) -> None:
        """Go by the calendar that a day announced late makes."""
        del player, late
        self.asked += 1
        self._take(ChangeCalendar(calendar=calendar), CLOCK)

    @staticmethod
    def _with_deposits(command: str, content: Json) -> Json:
        """Candid words become references, as the front door makes them by depositing what was said."""
        fields = _BY_NAME[command].model_fields
        return {
            name: Words(deposit="said" if value else "") if fields[name].annotation is Words else value
            for name, value in content.items()
        }

    def _take(self, command: Command, by: PersonId) -> None:
        self._step(command, by)
        self._come_to(self.at)

    def _step(self, command: Command, by: PersonId) -> None:
        self._engagement, entries = step(self._engagement, command, Asked(by, self.at))
        self.entries += entries

    # --- what people see ---------------------------------------------------------------------------------------------

    async def engagement(self, player: Player) -> Json:
        """The engagement as the person sees it."""
        today, person = local_date(self.at), self._engagement.people.get(self.ids[player.key])
        parts = tuple(sorted(person.intended())) if person else ()
        answering = questionnaire(self._engagement, self._answered_today())
        return shown(self._engagement, parts, answering, today).model_dump(mode="json")

    def _answered_today(self) -> set[PersonId]:
        today, found = local_date(self.at), set[PersonId]()
        for entry in reversed(self.entries):
            if local_date(entry.at) < today:
                break
            if isinstance(entry.event, QuestionnaireCompleted):
                found.add(entry.event.person)
        return found

    async def all_of(self, player: Player, what: str, **query: str) -> list[Json]:
        """A whole list of the engagement."""
        del query
        reader = self.ids[player.key]
        if what == "tasks":
            return [_task(task) for task in tasks_for(self._engagement, reader)]
        if what == "agenda":
            return [{"at": due.at.isoformat()} for due in agenda_for(self._engagement, reader)]
        register = next(one for one in REGISTERS if one.path == what)
        if register.view and not may_see(self._engagement, register.view, reader):
            raise Refusal(player.key, what, {"code": "NotForYou"})
        items = latest(register.items(self._engagement, reader), self._shown[what])
        return [item.model_dump(mode="json", exclude={"charted"}) for item in items.values()]

    async def inboxes(self, players: Sequence[Player]) -> list[list[Json]]:
        """Everybody's own tasks."""
        own: dict[PersonId, list[Json]] = {self.ids[player.key]: [] for player in players}
        for task in self._engagement.open_tasks:
            if task.person in own:
                own[task.person].append(_task(task))
        return [own[self.ids[player.key]] for player in players]

    def moved_on(self) -> None:
        """Nothing is kept."""

    # --- time --------------------------------------------------------------------------------------------------------

    async def now(self) -> datetime:
        """The time that it is."""
        return self.at

    async def skip_to(self, instant: datetime) -> None:
        """Let the time until then pass, with everything that falls due in it."""
        self._come_to(instant)

    async def settled(self) -> None:
        """Nothing is on its way."""

    def _come_to(self, instant: datetime) -> None:
        """What the workflow does: errands at once, and one wake after the other."""
        for _ in range(MOST_WAKES):
            for errand in errands(self._engagement):
                _, survey, window, _ = errand.key.split("/")
                self._step(RecordPack(survey=survey, window=int(window), pack=PACK), CLOCK)
            wake = next_wake(self._engagement, self.at)
            if wake is None or wake > instant:
                self.at = max(self.at, instant)
                return
            self.at = max(self.at, wake)
            self._step(TimeReached(), CLOCK)
        message = f"Time does not come to rest at {self.at}."
        raise RuntimeError(message)


def _task(task: Task) -> Json:
    return {
        "task_id": task.id,
        "person_id": task.person,
        "about": task.about,
        "command": task.command,
        "title": task.title,
        "opened": task.opened.isoformat(),
        "due": task.due.on.isoformat() if task.due else None,
    }


_BY_NAME: Mapping[str, type[Command]] = {
    one.__name__: one for one in Command.__subclasses__() if one.__module__.startswith("programme")
}
