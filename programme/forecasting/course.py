"""One course of a programme on a virtual clock: from one moment at which something happens to the next.

Everything is decided by the core: what time does is its agenda, what people do is a command that it may refuse. The
course only says who asks for what, and when.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from programme.engagement import Engagement, Foreseen, errands
from programme.forecasting.days import day_for
from programme.forecasting.deeds import DEEDS
from programme.forecasting.effort import lasting, minutes
from programme.forecasting.moment import Deed, Guide, Moment
from programme.forecasting.unasked import unasked
from programme.messages import CLOCK, Command, PersonId, Role, Task, TaskId
from programme.stages.diagnosis import RecordPack
from programme.stages.meetings import HoldReview
from programme.stages.sessions import RecordAttendance
from programme.working_time import at_local, local_date

if TYPE_CHECKING:
    from programme.refusals import Refusal

ACTS_AT = time(10)  # when people do what they owe, in London
LONGEST = timedelta(days=3 * 366)  # a cycle that has not ended by then waits for something
ATTEMPTS = 5
SAFE = "safety"  # in the id of what goes on in a pause
FORESEEN_PACK = "0" * 64


@dataclass(frozen=True, slots=True)
class Given:
    """Something that is asked for at a moment, whatever the course: a pause, another calendar."""

    at: datetime
    command: Command
    by: PersonId


@dataclass
class Plan:
    """When a task is done; ``due`` as it was when that was worked out."""

    due: date | None
    on: date | None


@dataclass
class Run:
    """A course on its way. ``load``: minutes of a person on a day; ``stuck``: what was refused until nobody tried.

    ``unknown``: kinds of tasks that no deed is known of; ``not_given``: why something that was given could not be.
    """

    engagement: Engagement
    at: datetime
    guide: Guide
    given: list[Given] = field(default_factory=list)
    load: dict[PersonId, Counter[date]] = field(default_factory=lambda: defaultdict(Counter))
    stuck: dict[TaskId, Refusal | None] = field(default_factory=dict)
    not_given: list[Refusal] = field(default_factory=list)
    unknown: dict[str, Task] = field(default_factory=dict)
    _waiting: list[tuple[Task, list[Deed]]] = field(default_factory=list)
    number: int = 1
    _in_vain: dict[date, Refusal] = field(default_factory=dict)
    _plans: dict[TaskId, Plan] = field(default_factory=dict)
    _tried: Counter[TaskId] = field(default_factory=Counter)

    def to_the_end(self) -> Run:
        """Run until the cycle that is open, or that begins, has ended; or until it is clear that it does not."""
        last = self.at + LONGEST
        self.number = self.engagement.cycle.number if self.engagement.cycle else 1
        while self.at <= last:
            while self._somebody_acts():
                pass
            upcoming = None if over(self.engagement, self.number) else self._next()
            if upcoming is None:
                break
            self.at = upcoming
            self._pass_time()
        return self

    @property
    def in_vain(self) -> Refusal | None:
        """Why nobody begins any more what nobody owes; None where it was not tried in vain."""
        return list(self._in_vain.values())[-1] if len(self._in_vain) >= ATTEMPTS else None

    # --- a moment ----------------------------------------------------------------------------------------------------

    def _pass_time(self) -> None:
        for one in [one for one in self.given if one.at <= self.at]:
            self.given.remove(one)
            self.not_given += self._unfold([(one.command, one.by)]).values()
        acts = self.engagement.acts
        if acts and acts[0].at <= self.at:
            self.engagement = Foreseen(self.engagement, self.at).time().after()

    def _somebody_acts(self) -> bool:
        """Everybody whose moment it is acts, and the world outside does its errands; whether anything came of it."""
        before = self.engagement
        if over(before, self.number):
            return False
        self._unfold([deed for errand in errands(before) if (deed := _errand(errand.kind, errand.key))])
        self._begin_unasked()
        for task in self._due_now():
            self._do(task)
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            refused = self._unfold([deed for _, deeds in waiting for deed in deeds])
            self._look_again(waiting, refused)
        return self.engagement is not before

    def _begin_unasked(self) -> None:
        """What people begin of themselves; what is refused is tried again on another day, and a few times only."""
        today = local_date(self.at)
        if self._in_vain.get(today) or len(self._in_vain) >= ATTEMPTS:
            return
        if refused := self._unfold(unasked(self.engagement, self.at, self.guide)):
            self._in_vain[today] = next(iter(refused.values()))

    def _due_now(self) -> list[Task]:
        today, morning = local_date(self.at), at_local(local_date(self.at), ACTS_AT) <= self.at
        found = []
        for task in self.engagement.open_tasks:
            on = self._plan(task).on
            if on is not None and on <= today and morning and self._may_act(task, today):
                found.append(task)
        return found

    def _may_act(self, task: Task, today: date) -> bool:
        return (not self.engagement.paused or SAFE in task.id) and self.engagement.time.is_working(today)

    def _do(self, task: Task) -> None:
        deed = DEEDS.get(task.command)
        if deed is None:
            self.unknown.setdefault(task.command, task)
            self._plans[task.id].on = None
            return
        deeds = deed(Moment(self.engagement, task, self.at, self.guide))
        if deeds:
            self._tried[task.id] += 1
            self._waiting.append((task, deeds))
        else:
            self._tomorrow(task)

    def _look_again(self, waiting: Iterable[tuple[Task, list[Deed]]], refused: dict[int, Refusal]) -> None:
        """Whoever still owes what they did tries again, a few times: at once where all was allowed, else tomorrow."""
        still = {task.id for task in self.engagement.open_tasks}
        for task, deeds in waiting:
            why = next((refused[id(command)] for command, _ in deeds if id(command) in refused), None)
            if task.id not in still:
                continue
            if self._tried[task.id] >= ATTEMPTS:
                self._plans[task.id].on = None
                self.stuck[task.id] = why
            elif why:
                self._tomorrow(task)

    def _tomorrow(self, task: Task) -> None:
        on = self.engagement.time.plus(local_date(self.at), 1)
        while self.guide.is_away(task.person, on):
            on = self.engagement.time.plus(on, 1)
        self._plans[task.id].on = on

    def _unfold(self, deeds: Iterable[Deed]) -> dict[int, Refusal]:
        """Let deeds happen, one after the other; what was refused, by the identity of the command."""
        foreseen = Foreseen(self.engagement, self.at)
        for command, person in deeds:
            known = len(foreseen.refused)
            foreseen.then(command, person)
            if len(foreseen.refused) == known:
                self._takes(command, person, foreseen.engagement)
        if foreseen.events:
            self.engagement = foreseen.after()
        return {id(command): refusal for command, refusal in foreseen.refused}

    # --- what it costs -----------------------------------------------------------------------------------------------

    def _takes(self, command: Command, person: PersonId, after: Engagement) -> None:
        today = local_date(self.at)
        if person != CLOCK:
            self.load[person][today] += minutes(command.kind)
        match command:
            case RecordAttendance():
                session = after.running.sessions.all[command.session]
                for one in (*command.voting, *command.others):
                    self.load[one][session.on or today] += lasting(session.starts, session.ends)
            case HoldReview():
                if meeting := after.running.challenge.reviews[command.review].meeting:
                    for one in command.attended:
                        self.load[one][meeting.on] += lasting(meeting.starts, meeting.ends)

    # --- time --------------------------------------------------------------------------------------------------------

    def _plan(self, task: Task) -> Plan:
        due = task.due.on if task.due else None
        plan = self._plans.get(task.id)
        if plan is None:
            plan = self._plans[task.id] = Plan(due, day_for(self.engagement, task, self.guide, local_date(self.at)))
        elif plan.due != due:
            plan.due, plan.on = due, day_for(self.engagement, task, self.guide, local_date(self.at))
        return plan

    def _next(self) -> datetime | None:
        """When something happens next: by the agenda, by what is given, or because somebody means to act."""
        moments = [one.at for one in self.given]
        if self.engagement.acts:
            moments.append(self.engagement.acts[0].at)
        open_ = (task for task in self.engagement.open_tasks if not self.engagement.paused or SAFE in task.id)
        days = [on for task in open_ if (on := self._plan(task).on) is not None]
        if days:
            moments.append(self._morning(min(days)))
        moments += [max(self.at, one) for one in self._meetings()]
        return min((max(one, self.at) for one in moments), default=None)

    def _morning(self, on: date) -> datetime:
        """10am of a working day; of the next one, where that has passed and whoever means to act could not."""
        at = at_local(self.engagement.time.plus(on, 0), ACTS_AT)
        return at if at > self.at else at_local(self.engagement.time.plus(local_date(self.at), 1), ACTS_AT)

    def _meetings(self) -> Iterable[datetime]:
        """The morning of each session that must move, and the end of each review meeting."""
        cycle = self.engagement.cycle
        for session in cycle.sessions.all.values() if cycle and self.guide.not_before else ():
            if session.on and not session.held and (at := at_local(session.on, ACTS_AT)) > self.at:
                yield at
        for review in cycle.challenge.reviews.values() if cycle else ():
            if review.meeting and not review.held and review.meeting.ends > self.at:
                yield review.meeting.ends


def over(engagement: Engagement, number: int) -> bool:
    """Whether a cycle has ended."""
    return bool(engagement.ended) or (engagement.cycle is not None and engagement.cycle.number > number)


def _errand(kind: str, key: str) -> Deed | None:
    """What the world outside reports, at once."""
    if kind != "diagnosis.close":
        return None
    _, survey, window, _ = key.split("/")
    return RecordPack(survey=survey, window=int(window), pack=FORESEEN_PACK), CLOCK


def manager(engagement: Engagement) -> PersonId:
    """Who manages the programme."""
    return engagement.holder(Role.PROGRAMME_MANAGER) or ""
