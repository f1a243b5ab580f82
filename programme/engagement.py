"""The engagement: one event-sourced aggregate, and the four functions on which everything hangs.

``decide`` says what follows from a request, ``evolve`` what is true after an event, ``agenda`` what will fall due and
why, ``tasks`` who owes what. All are pure; each part (``PARTS``) supplies its own share of each. Time is a command too:
``TimeReached`` does what the agenda says has fallen due.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SerializeAsAny, TypeAdapter

from programme import (
    chain,
    charting,
    continuity,
    cover,
    differences,
    gates,
    handover,
    holds,
    measures,
    people,
    planning,
    post,
    rota,
    telling,
)
from programme.changes import correcting, extending, reopening, returning, skipping, vacancies
from programme.changes.record import Changes, postponed
from programme.continuity import Continuity
from programme.cover import Covers
from programme.departure import Handovers
from programme.differences import Difference, DifferenceId
from programme.gates import StageSpan
from programme.ladders import Audience, RungDays
from programme.measure import Measures
from programme.messages import (
    CLOCK,
    Command,
    Due,
    Entry,
    Errand,
    Event,
    Frozen,
    PersonId,
    Role,
    Side,
    Stage,
    Task,
    TaskId,
    refuse_unrecordable,
)
from programme.part import Asked, Part
from programme.people import Person
from programme.planning import Expected
from programme.post import Earliest, Post
from programme.refusals import EngagementEnded, EngagementPaused, Invalid, NotYet, Refusal
from programme.stages import (
    agreement,
    approval,
    challenge,
    checkins,
    compact,
    delivery,
    diagnosis,
    drafting,
    exchange,
    halves,
    invitations,
    mandate,
    needs,
    notes,
    objections,
    ownership,
    renewal,
    sessions,
    verification,
    visits,
)
from programme.stages.action import Agreement
from programme.stages.delivery import Delivery
from programme.stages.diagnosis import Diagnosis
from programme.stages.mandate import Mandate
from programme.stages.pair import Exchange
from programme.stages.renewal import Renewal
from programme.stages.review import Challenge
from programme.stages.session import Sessions
from programme.template import ProgrammeTemplate, one_template
from programme.working_time import Calendar, WorkingTime, one_calendar, working_time


class TimeReached(Command):
    """Time has come to what the agenda says. Asked by the workflow's timer only."""

    kind: Literal["TimeReached"] = "TimeReached"


AnyCommand = Annotated[
    people.Commands
    | handover.Commands
    | cover.Commands
    | rota.Commands
    | continuity.Commands
    | differences.Commands
    | post.Commands
    | telling.Commands
    | mandate.Commands
    | diagnosis.Commands
    | exchange.Commands
    | visits.Commands
    | sessions.Commands
    | invitations.Commands
    | notes.Commands
    | measures.Commands
    | charting.Commands
    | drafting.Commands
    | agreement.Commands
    | approval.Commands
    | objections.Commands
    | ownership.Commands
    | halves.Commands
    | compact.Commands
    | needs.Commands
    | delivery.Commands
    | checkins.Commands
    | verification.Commands
    | challenge.Commands
    | renewal.Commands
    | extending.Commands
    | skipping.Commands
    | reopening.Commands
    | returning.Commands
    | vacancies.Commands
    | correcting.Commands
    | TimeReached,
    Field(discriminator="kind"),
]
AnyEvent = Annotated[
    people.Events
    | handover.Events
    | cover.Events
    | rota.Events
    | continuity.Events
    | differences.Events
    | post.Events
    | telling.Events
    | gates.Events
    | mandate.Events
    | diagnosis.Events
    | exchange.Events
    | visits.Events
    | sessions.Events
    | invitations.Events
    | notes.Events
    | measures.Events
    | charting.Events
    | drafting.Events
    | agreement.Events
    | approval.Events
    | objections.Events
    | ownership.Events
    | halves.Events
    | compact.Events
    | needs.Events
    | delivery.Events
    | checkins.Events
    | verification.Events
    | challenge.Events
    | renewal.Events
    | planning.Events
    | extending.Events
    | skipping.Events
    | reopening.Events
    | returning.Events
    | vacancies.Events
    | correcting.Events,
    Field(discriminator="kind"),
]
COMMANDS: TypeAdapter[Command] = TypeAdapter(AnyCommand)
EVENTS: TypeAdapter[Event] = TypeAdapter(AnyEvent)

PARTS: tuple[Part, ...] = (
    people.PART,
    handover.PART,
    cover.PART,
    rota.PART,
    continuity.PART,
    gates.PART,
    differences.PART,
    mandate.PART,
    diagnosis.PART,
    exchange.PART,
    visits.PART,
    sessions.PART,
    invitations.PART,
    notes.PART,
    measures.PART,
    charting.PART,
    drafting.PART,
    agreement.PART,
    approval.PART,
    objections.PART,
    ownership.PART,
    halves.PART,
    compact.PART,
    needs.PART,
    delivery.PART,
    checkins.PART,
    verification.PART,
    challenge.PART,
    renewal.PART,
    planning.PART,
    extending.PART,
    skipping.PART,
    reopening.PART,
    returning.PART,
    vacancies.PART,
    correcting.PART,
    telling.PART,
    post.PART,
)
_WHO = {command.__name__: command.who for part in PARTS for command in part.decide}
_DECIDE = {command: rule for part in PARTS for command, rule in part.decide.items()}
_EVOLVE = {event: rule for part in PARTS for event, rule in part.evolve.items()}
_ACT = {part.name: part.act for part in PARTS if part.act}


class Cycle(Frozen):
    """One round of stages 1 to 7, about twelve months. Each stage keeps its own part of it.

    ``sustaining``: a year with an external review and the questionnaire, and no other stage.
    """

    number: int = 1
    started: date
    sustaining: bool = False
    diagnosis: Diagnosis = Diagnosis()
    exchange: Exchange = Exchange()
    sessions: Sessions = Sessions()
    agreement: Agreement = Agreement()
    delivery: Delivery = Delivery()
    challenge: Challenge = Challenge()
    renewal: Renewal = Renewal()


class Engagement(Frozen):
    """One trust, one scope, two sponsors, for years. Everything that is decided follows from this and a request."""

    id: str = ""
    sequence: int = 0
    chained: int = 0  # the entry that ``digest`` is of; while a request unfolds, ``sequence`` runs ahead of it
    digest: str = chain.GENESIS
    ods_code: str = ""
    scope: str = ""
    local_problem: str = ""
    dpia_reference: str = ""
    privacy_notice: str = ""
    k: int = 11
    registered: date | None = None
    template: Annotated[ProgrammeTemplate, AfterValidator(one_template)] = ProgrammeTemplate()
    calendar: Annotated[Calendar, AfterValidator(one_calendar)] = Calendar(version="none")
    people: dict[PersonId, Person] = Field(default_factory=dict)
    mandate: Mandate = Mandate()
    continuity: Continuity = Continuity()
    handovers: Handovers = Handovers()
    covers: Covers = Covers()
    measures: Measures = Measures()
    differences: dict[DifferenceId, Difference] = Field(default_factory=dict)
    changes: Changes = Changes()
    post: Post = Post()
    stages: tuple[StageSpan, ...] = ()
    expected: tuple[Expected, ...] = ()  # what was expected of each cycle, and when
    cycle: Cycle | None = None
    past: tuple[Cycle, ...] = ()
    ended: str = ""  # "", "not_ready", "closed"; a sustained engagement stays open

    def but(self, **changes: Any) -> Self:
        """A copy with these fields changed. Of what was worked out, it keeps what does not depend on them."""
        copy = self.model_copy(update=changes)
        for worked_out, fields in _WORKED_OUT_FROM.items():
            if not fields.isdisjoint(changes):
                copy.__dict__.pop(worked_out, None)
        return copy

    def in_cycle(self, **changes: Any) -> Self:
        """A copy with these parts of the running cycle changed."""
        return self.but(cycle=self.running.model_copy(update=changes))

    @property
    def running(self) -> Cycle:
        """The open cycle; only asked for where one is open."""
        assert self.cycle is not None, "no cycle is open"  # noqa: S101 - a fault of ours, not a refusal
        return self.cycle

    @cached_property
    def time(self) -> WorkingTime:
        """Working-day arithmetic in this trust's calendar, with the stretches in which the clock stood still."""
        return working_time(self.calendar, self.continuity.stops)

    @cached_property
    def rung_days(self) -> RungDays:
        """When the rungs of this template's ladders fire."""
        return RungDays(self.template.ladders, self.time)

    @cached_property
    def held_parts(self) -> dict[Role, tuple[PersonId, ...]]:
        """Who holds which part now, accepted."""
        held: dict[Role, tuple[PersonId, ...]] = {}
        for person in self.people.values():
            for role in person.roles():
                held[role] = (*held.get(role, ()), person.id)
        return held

    @cached_property
    def open_tasks(self) -> tuple[Task, ...]:
        """What ``tasks`` says, worked out once."""
        if self.ended:
            return ()
        left_out = self.changes.left_out
        tasks = (task for part in PARTS for task in part.tasks(self) if task.id not in left_out)
        return tuple(self.as_promised(task) for task in tasks)

    def as_promised(self, task: Task) -> Task:
        """A task with the time that was given for it, and never due earlier than it was promised for."""
        later = postponed(task, self.changes.later, self.time)
        own = rota.when_they_work(self, holds.after_holds(self, later))
        return continuity.not_earlier(own, self.continuity.held_to)

    @cached_property
    def held_now(self) -> dict[TaskId, date]:
        """The tasks whose clock stands still until a successor takes over, and until when at the latest."""
        return holds.held_now(self) if self.handovers.departures and not self.ended else {}

    @cached_property
    def chased(self) -> tuple[Task, ...]:
        """The open tasks of which somebody is reminded."""
        return tuple(task for task in self.open_tasks if task.id not in self.held_now)

    @cached_property
    def acts(self) -> tuple[Due, ...]:
        """What will be decided when its time comes, the earliest first."""
        if self.ended:
            return ()
        held = self.continuity.held_acts
        acts = (holds.after_what_it_closes(self, due) for part in PARTS for due in part.agenda(self))
        acts = (continuity.not_sooner(due, held) for due in acts)
        return tuple(sorted((due for due in acts if self._goes_on(due)), key=_by_time))

    @cached_property
    def coming(self) -> tuple[Due, ...]:
        """What ``agenda`` says, in words. After the end: only what was not told yet, that it has ended, too."""
        sendings = (due for due in post.rungs(self, self.chased) if self._goes_on(due))
        return tuple(sorted((*self.acts, *sendings), key=_by_time))

    @cached_property
    def earliest(self) -> Earliest:
        """The first instants of ``coming``: whatever the hour, and in sending hours only."""
        if self.paused:
            sendings = [due for due in self.coming if due.sends]
            others = [due.at for due in self.coming if not due.sends]
            return Earliest(min(others, default=None), sendings[0].at if sendings else None)
        first = post.earliest(self, self.chased)
        if self.acts and (first.any_hour is None or self.acts[0].at < first.any_hour):
            return first._replace(any_hour=self.acts[0].at)
        return first

    def _goes_on(self, due: Due) -> bool:
        return not self.paused or continuity.goes_on_in_a_pause(due)

    @cached_property
    def outstanding(self) -> tuple[Errand, ...]:
        """What ``errands`` says, worked out once."""
        return () if self.ended else tuple(errand for part in PARTS for errand in part.errands(self))

    def with_cycle(self, number: int, started: date, *, sustaining: bool = False) -> Self:
        """A copy in which a new cycle runs; the one before, if any, is past.

        A part whose state has ``carried`` says by it what the new cycle takes over.
        """
        past = (*self.past, self.cycle) if self.cycle else self.past
        kept = {name: state.carried() for name, state in self.cycle or () if hasattr(state, "carried")}
        return self.but(cycle=Cycle(number=number, started=started, sustaining=sustaining, **kept), past=past)

    def in_stage(self, stage: Stage) -> bool:
        """Whether a stage of the running cycle is open. Delivery and challenge overlap."""
        return any(span.stage is stage and span.ended is None for span in self.stages)

    def span(self, stage: Stage) -> StageSpan | None:
        """The latest span of a stage, in the running cycle where it has come to it."""
        return next((span for span in reversed(self.stages) if span.stage is stage), None)

    @property
    def stage(self) -> Stage:
        """The stage in front: the latest that is open, else the last that was."""
        open_now = [span.stage for span in self.stages if span.ended is None]
        return open_now[-1] if open_now else self.stages[-1].stage if self.stages else Stage.MANDATE

    def participants(self, side: Side) -> tuple[PersonId, ...]:
        """The accepted participants of a side."""
        return self.holders(people.SIDE_ROLE[side])

    def holders(self, role: Role) -> tuple[PersonId, ...]:
        """Who holds a part now, accepted."""
        return self.held_parts.get(role, ())

    def holder(self, role: Role) -> PersonId | None:
        """Who holds a part of which there is one."""
        return next(iter(self.holders(role)), None)

    @property
    def sponsors(self) -> tuple[PersonId, ...]:
        """Both sponsors, the medical one first; always addressed together."""
        return self.holders(Role.MEDICAL_SPONSOR) + self.holders(Role.MANAGERIAL_SPONSOR)

    def who_may(self, command: str) -> frozenset[Role]:
        """The parts that may ask a command."""
        return _WHO.get(command, frozenset())

    def hands_for(self, task: Task) -> tuple[PersonId, ...]:
        """Who may do a task on behalf of whoever owes it, now."""
        return cover.covering(self, task.person) if task.command in cover.KINDS else ()

    def when_there(self, people: tuple[PersonId, ...], at: datetime) -> datetime:
        """An instant, or the morning of the next day on which one of these people works."""
        return rota.when_there(self, people, at) if self.days_off else at

    @cached_property
    def days_off(self) -> bool:
        """Whether anybody has said when they do not work."""
        return any(person.works for person in self.people.values())

    def formerly(self, task: Task) -> TaskId:
        """The id that a task had before a successor took it over; empty where nobody did."""
        return holds.before_it_passed(self, task)

    def concerned(self, about: str, audience: Audience) -> tuple[PersonId, ...]:
        """The co-owners of an action, or the chair of a review: whom a rung about it speaks to."""
        if audience is Audience.CHAIR:
            return challenge.chair(self, about)
        if audience is Audience.CO_OWNERS:
            return delivery.co_owners(self, about)
        return ()

    @property
    def paused(self) -> bool:
        """Whether the clock stands still."""
        return self.continuity.pause is not None


_STATE = frozenset(Engagement.model_fields) - {"sequence", "chained", "digest"}  # the rest is its place in the journal
_WORKED_OUT_FROM: dict[str, frozenset[str]] = {
    "time": frozenset({"calendar", "continuity"}),
    "rung_days": frozenset({"template", "calendar", "continuity"}),
    "held_parts": frozenset({"people"}),
    "days_off": frozenset({"people"}),
    **dict.fromkeys(("open_tasks", "held_now", "chased", "acts", "coming", "earliest", "outstanding"), _STATE),
}


def _by_time(due: Due) -> tuple[datetime, str]:
    return due.at, due.key


_CAN_HAPPEN_AFTER_THE_END: tuple[type[Command], ...] = (post.ReportUndeliverable,)
_MOST_TURNS = 500  # a rule that never comes to rest is a fault; how many messages leave says nothing of that


def decide(engagement: Engagement, command: Command, asked: Asked) -> list[Event]:
    """What follows from a request at this moment: the events, in order, consequences included.

    Raises:
        Refusal: why not, and what to do instead; nothing has happened.
    """
    return Outcome(engagement, asked).of(command).events


def evolve(engagement: Engagement, entry: Entry, body: bytes | None = None) -> Engagement:
    """What is true after a journal entry. ``body``: its bytes, where they are at hand.

    Raises:
        chain.BrokenChain: the entry does not follow on this engagement's last one.
    """
    chain.check_follows(engagement.sequence, engagement.digest, entry, body)
    after = _fold(engagement, entry.event, entry.at)
    return after.but(sequence=entry.sequence, chained=entry.sequence, digest=entry.digest)


def step(engagement: Engagement, command: Command, asked: Asked) -> tuple[Engagement, list[Entry]]:
    """Decide and record: the engagement after the request, and the entries for the journal.

    Raises:
        Refusal: as ``decide``.
    """
    return Outcome(engagement, asked).of(command).recorded()


def agenda(engagement: Engagement) -> list[Due]:
    """Everything that will fall due, when and why, if nobody does anything; the earliest first."""
    return list(engagement.coming)


def tasks(engagement: Engagement) -> list[Task]:
    """Who owes what by when."""
    return list(engagement.open_tasks)


def errands(engagement: Engagement) -> list[Errand]:
    """What the world outside must do now."""
    return list(engagement.outstanding)


def next_wake(engagement: Engagement, at: datetime) -> datetime | None:
    """When the workflow's one timer should fire: the earliest due, held back to sending hours where it sends."""
    any_hour, sending = engagement.earliest
    if sending and engagement.days_off:
        sends = (due for due in engagement.coming if due.sends)
        sending = min(rota.next_sending(engagement, due.people, max(due.at, at)) for due in sends)
    instants = (any_hour, engagement.time.next_sending(max(sending, at)) if sending else None)
    return min((instant for instant in instants if instant), default=None)


class Outcome:
    """The unfolding of one request: each event is folded before the next consequence is asked for."""

    def __init__(self, engagement: Engagement, asked: Asked) -> None:
        self.before = engagement
        self.engagement = engagement
        self.asked = asked
        self.events: list[Event] = []
        self.turns = 0

    def of(self, command: Command) -> Self:
        """Let a command and all its consequences happen."""
        if isinstance(command, TimeReached) and self.asked.by == CLOCK:
            self._pass_time()
            self._send()
        else:
            self._happen(self._requested(command))
            self._settle()
        self._happen(continuity.moved_due_dates(self.before, self.engagement, tasks))
        self._happen(continuity.kept_deadlines(self.before, self.engagement))
        return self

    def recorded(self) -> tuple[Engagement, list[Entry]]:
        """The engagement with its sequence and digest, and the entries that chain the events."""
        entries = chain.record(self.before.sequence, self.before.digest, self.events, self.asked)
        if not entries:
            return self.before, []
        last = entries[-1]
        return self.engagement.but(sequence=last.sequence, chained=last.sequence, digest=last.digest), entries

    def _requested(self, command: Command) -> Iterable[Event]:
        engagement, asked = self.engagement, self.asked
        refuse_unrecordable(command)
        if engagement.ended and not isinstance(command, _CAN_HAPPEN_AFTER_THE_END):
            raise EngagementEnded
        if engagement.registered and (command.who or asked.by != CLOCK):
            asked = cover.accountable(engagement, command, asked)
            people.authorise(engagement, command, asked)
            cover.refuse_joined(engagement, command, self.asked)
        if not engagement.registered and not isinstance(command, mandate.RegisterEngagement):
            raise NotYet("the engagement is not registered")
        if engagement.paused and command.who and not command.while_paused:  # what the system reports has happened
            raise EngagementPaused
        rule = _DECIDE.get(type(command))
        if rule is None:
            message = f"Nothing answers to '{command.kind}'."
            raise Invalid(message)
        return [*rule(engagement, command, asked), *cover.lent(engagement, command, self.asked)]

    def _happen(self, events: Iterable[Event]) -> None:
        for event in events:
            self.events.append(event)
            self.engagement = _fold(self.engagement, event, self.asked.at)
        self.turns += 1
        if self.turns > _MOST_TURNS:
            message = "The consequences of a request do not come to rest."
            raise RuntimeError(message)

    def _settle(self) -> None:
        """Let everything follow that follows at once, until nothing more does."""
        while not self.engagement.ended:
            following = next(
                (events for part in PARTS if (events := list(part.follows(self.engagement, self.asked)))), None
            )
            if following is None:
                return
            self._happen(following)

    def _pass_time(self) -> None:
        """Do what has fallen due, the earliest first."""
        while (due := self._ready_act()) is not None:
            _, part, what = due.key.split(":", 2)
            events = _ACT[part](self.engagement, what, self.asked)
            self._happen(events)
            self._settle()
            if not events:
                message = f"Nothing came of '{due.key}', and it is still due."
                raise RuntimeError(message)

    def _send(self) -> None:
        ready = [due for due in agenda(self.engagement) if due.at <= self.asked.at and not due.key.startswith("act:")]
        self._happen(post.issue(self.engagement, ready, tasks(self.engagement), self.asked))

    def _ready_act(self) -> Due | None:
        return next((due for due in self.engagement.acts if due.at <= self.asked.at), None)


class Foreseen(Outcome):
    """The unfolding of what several people may ask at one moment: for looking ahead, never for the record.

    Nothing is told to anybody and nothing is chained, which is most of what a step costs; what follows is asked once
    for all who do the same, and whether due dates have moved once at the end. ``refused``: what was not allowed, why.
    """

    def __init__(self, engagement: Engagement, at: datetime) -> None:
        super().__init__(engagement, Asked(CLOCK, at))
        self.refused: list[tuple[Command, Refusal]] = []
        self._kind: type[Command] | None = None

    def then(self, command: Command, by: PersonId) -> Self:
        """Let a further command and its consequences happen, or note why it may not."""
        if type(command) is not self._kind:
            self._settle()
        self._kind, self.asked, self.turns = type(command), Asked(by, self.asked.at), 0
        try:
            self._happen(self._requested(command))
        except Refusal as refusal:
            self.refused.append((command, refusal))
        return self

    def time(self) -> Self:
        """Let happen what has fallen due, but for what would only be sent."""
        self._settle()
        self.asked, self.turns = Asked(CLOCK, self.asked.at), 0
        self._pass_time()
        return self

    def after(self) -> Engagement:
        """The engagement as it would be then."""
        self._settle()
        self._happen(continuity.moved_due_dates(self.before, self.engagement, tasks))
        self._happen(continuity.kept_deadlines(self.before, self.engagement))
        return self.engagement

    def _happen(self, events: Iterable[Event]) -> None:
        super()._happen(event for event in events if not isinstance(event, post.NoticeRaised))

    def _settle(self) -> None:
        if self.events:  # what was before has settled
            super()._settle()


def _fold(engagement: Engagement, event: Event, at: datetime) -> Engagement:
    after = _EVOLVE[type(event)](engagement, event, at)
    return after.but(sequence=after.sequence + 1)


def fold(engagement: Engagement, entries: Sequence[Entry]) -> Engagement:
    """Fold several entries, in order."""
    for entry in entries:
        engagement = evolve(engagement, entry)
    return engagement


def commands() -> Iterator[type[Command]]:
    """Every command type that a person may ask, in the order of the parts."""
    return (command for command in _DECIDE if command.who)


class RecordedEntry(Entry):
    """An entry as it travels and is stored: its event is one of the closed union."""

    event: SerializeAsAny[AnyEvent]
