"""Programmes of chance: any request by anybody at any time, and after each step all thirty invariants.

People mostly do what they owe, so that programmes come through their stages into further cycles; in between somebody
asks for anything at all, time passes by minutes or months, the worker is away, the programme pauses, holidays are
announced and withdrawn, and sponsors are asked again whether they are willing. The short form here is the same every
time; ``make soak`` runs some tens of thousands of steps that nobody has seen before.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from programme import chain
from programme.continuity import ChangeCalendar, ExtendPause, OpenWindow, PauseEngagement, ResumeEngagement
from programme.cover import covering
from programme.engagement import PARTS, Engagement, TimeReached, decide, evolve, fold, next_wake, step
from programme.messages import CLOCK, Command, PersonId, Role, Side, Stage, TaskId
from programme.part import Asked
from programme.people import AcceptAppointment, Enrolment, EnrolPeople
from programme.refusals import (
    CannotCover,
    EngagementEnded,
    EngagementPaused,
    ForbiddenCombination,
    NotCoverable,
    NotCovering,
    Refusal,
    RoleRequired,
    TooLong,
    Unrecordable,
)
from programme.stages.mandate import WillingnessAsked
from programme.working_time import Holiday
from tests.core.anything import KINDS, STRANGERS, Anything
from tests.core.invariants import Watch
from tests.core.judged_candour import CANDID
from tests.core.programme_driver import PM, Programme, begun
from tests.core.sensible import SENSIBLE
from tests.core.volunteers import VOLUNTEERS, Volunteering, system

EVERY_COMMAND = (RoleRequired, ForbiddenCombination, EngagementEnded, EngagementPaused, TooLong, Unrecordable)
HANDS = (CannotCover, NotCovering, NotCoverable)  # said of whoever acts on somebody's behalf, whatever is asked
NEWCOMERS = (
    *(Enrolment(person=f"ic{number}", roles=(Role.INTERNAL_CHALLENGER,)) for number in range(4)),
    *(Enrolment(person=f"x{number}", roles=(Role.EXTERNAL_CHALLENGER,), ods_code="RX1") for number in range(4)),
    Enrolment(person="ic8", roles=(Role.INTERNAL_CHALLENGER,), line_manager="d1"),
    Enrolment(person="x8", roles=(Role.EXTERNAL_CHALLENGER,), ods_code="R1A"),
    Enrolment(person="aud", roles=(Role.AUDITOR,)),
    Enrolment(person="dpc", roles=(Role.DATA_PROTECTION_CONTACT,)),
    Enrolment(person="st2", roles=(Role.MEASURE_STEWARD,), side=Side.MANAGER),
)
PASSES = (
    timedelta(minutes=7),
    timedelta(hours=5),
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=8),
    timedelta(days=20),
    timedelta(days=70),
)
UNUSUAL = ("pause", "longer", "resume", "holidays", "sponsor", "away")
SLIPS, WITHDRAWN = 0.12, 0.4
USUAL = (5, 5, 8, 6, 3, 1, 1)
"""How often in a long run: a good month, a duty done, an idea, anything at all, time, a surprise, a question."""
MOST_WAKES = 3_000
LUCK = st.integers(0, 2**24 - 1)
DONE: Counter[tuple[str, str]] = Counter()  # what was asked, and what came of it: for the report of a long run
HAPPENED: Counter[str] = Counter()


class ProgrammeOfChance(RuleBasedStateMachine):
    """One engagement, and whatever happens to it."""

    def __init__(self) -> None:
        super().__init__()
        self.programme = Programme()
        self.watch = Watch()
        self.turns = 0

    @initialize(stage=st.sampled_from(Stage))
    def begin(self, stage: Stage) -> None:
        """A programme at the beginning of a stage, and people who come to it later."""
        self.programme = begun(stage)
        self.watch = Watch(recorded=list(self.programme.entries))
        self.ask(EnrolPeople(people=NEWCOMERS), PM)
        for row in NEWCOMERS:
            for role in row.roles:
                self.ask(AcceptAppointment(role=role), row.person)

    def chance(self, luck: int) -> Random:
        """A source of chance that hypothesis can repeat: one number instead of a hundred draws.

        Hypothesis likes to draw one number again and again; with the turn in it, that is not the same luck each time.
        """
        self.turns += 1
        return Random(f"{luck}/{self.turns}")  # noqa: S311 - nothing here is a secret

    # --- what everything goes through ------------------------------------------------------------------------------

    def ask(self, command: Command, by: PersonId, on_behalf_of: PersonId | None = None) -> None:
        """One step: a refusal that the command names, or entries with which everything is well."""
        before, asked = self.programme.engagement, Asked(by, self.programme.at, on_behalf_of)
        try:
            after, entries = step(before, command, asked)
        except Refusal as refusal:
            if on_behalf_of is None or not isinstance(refusal, HANDS):
                self.refused(command, refusal)
            return
        DONE[command.kind, "done" if entries else "nothing new"] += 1
        HAPPENED.update(entry.event.kind for entry in entries)
        self.programme.engagement = after
        self.programme.entries += entries
        assert self.watch.see(before, entries, after) == []

    def refused(self, command: Command, refusal: Refusal) -> None:
        """A no that the command names, and that repeats nothing that anybody wrote."""
        DONE[command.kind, refusal.code] += 1
        assert type(refusal) in (*EVERY_COMMAND, *command.refusals), f"{command.kind} is refused: {refusal!r}"
        assert CANDID not in str(refusal), f"{command.kind}: a refusal repeats what somebody wrote"

    def pass_time(self, span: timedelta) -> None:
        """The workflow's one timer, as often as it fires."""
        until = self.programme.at + span
        for _ in range(MOST_WAKES):
            wake = next_wake(self.programme.engagement, self.programme.at)
            if wake is None or wake > until:
                self.programme.at = until
                return
            self.programme.at = max(self.programme.at, wake)
            self.ask(TimeReached(), CLOCK)
        raise AssertionError(f"time does not come to rest at {self.programme.at}")

    # --- what happens ----------------------------------------------------------------------------------------------

    def do(self, command: Command, by: PersonId, chance: Random) -> None:
        """A sensible request; now and then somebody slips first, somebody else asks, or it is sent twice."""
        luck = chance.random()
        if luck < SLIPS and (slipped := Anything(self.programme, chance).slip(command)):
            self.ask(slipped, by)
        elif luck < 2 * SLIPS:
            self.ask(command, chance.choice([*self.programme.engagement.people, *STRANGERS]))
        for hands in covering(self.programme.engagement, by):
            self.ask(command, hands, by)
        self.ask(command, by)
        if luck > 1 - SLIPS:
            self.ask(command, by)

    def do_tasks(self, names: Sequence[TaskId], chance: Random) -> None:
        """Do tasks, as far as each is still open when its turn comes."""
        for command, person in system(self.programme, chance):
            self.ask(command, person)
        for name in names:
            task = next((one for one in self.programme.engagement.open_tasks if one.id == name), None)
            for command, person in SENSIBLE[task.command](self.programme, task, chance) if task else ():
                self.do(command, person, chance)

    @rule(luck=LUCK, most=st.sampled_from((1, 4, 40)))
    def people_do_what_they_owe(self, luck: int, most: int) -> None:
        """Tasks of one kind are done, by one person or by all of them."""
        chance, open_tasks = self.chance(luck), self.programme.engagement.open_tasks
        kinds = sorted({task.command for task in open_tasks})
        kind = chance.choice(kinds) if kinds else ""
        self.do_tasks([task.id for task in open_tasks if task.command == kind][:most], chance)

    @rule(luck=LUCK)
    def everybody_does_everything_once(self, luck: int) -> None:
        """A busy week: nobody leaves anything undone."""
        self.do_tasks([task.id for task in self.programme.engagement.open_tasks], self.chance(luck))

    @rule(luck=LUCK, volunteer=st.sampled_from(VOLUNTEERS))
    def somebody_does_something_unasked(self, luck: int, volunteer: Volunteering) -> None:
        """Ideas, objections, second thoughts."""
        chance = self.chance(luck)
        for command, person in volunteer(self.programme, chance):
            self.do(command, person, chance)

    @rule(luck=LUCK, kind=st.sampled_from(KINDS))
    def anybody_asks_for_anything(self, luck: int, kind: type[Command]) -> None:
        """Some requests of a kind; most of them by somebody whose part allows it."""
        chance = self.chance(luck)
        for _ in range(4):
            command = Anything(self.programme, chance).command(kind)
            allowed = [person.id for person in self.programme.engagement.people.values() if person.roles() & kind.who]
            if not allowed or chance.random() < SLIPS:
                allowed = [*self.programme.engagement.people, *STRANGERS]
            if command:
                self.ask(command, chance.choice(allowed))

    @rule(span=st.sampled_from(PASSES))
    def time_passes(self, span: timedelta) -> None:
        """Everything that falls due happens, and afterwards nothing is left that should have happened."""
        self.pass_time(span)
        wake = next_wake(self.programme.engagement, self.programme.at)
        assert wake is None or wake > self.programme.at
        late = [due.key for due in self.programme.engagement.acts if due.at <= self.programme.at]
        assert late == []

    @rule(luck=LUCK, span=st.sampled_from(PASSES))
    def a_month_goes_as_it_should(self, luck: int, span: timedelta) -> None:
        """Time passes, and everybody does what has come up."""
        self.pass_time(span)
        self.everybody_does_everything_once(luck)

    @rule(luck=LUCK, span=st.sampled_from(PASSES[:-1]), unusual=st.sampled_from(UNUSUAL))
    def something_unusual_happens(self, luck: int, span: timedelta, unusual: str) -> None:
        """A pause, a later or an early end of it, another calendar, a sponsor who leaves, a worker that is away."""
        chance = self.chance(luck)
        match unusual:
            case "pause":
                resumes = self.programme.today + timedelta(days=chance.randint(1, 45))
                window = chance.choice((OpenWindow.CLOSE, OpenWindow.EXTEND, None))
                self.do(PauseEngagement(reason=f"{CANDID} pressure", resumes=resumes, window=window), PM, chance)
            case "longer":
                resumes = self.programme.today + timedelta(days=chance.randint(1, 45))
                self.do(ExtendPause(reason=f"{CANDID} weeks", resumes=resumes), PM, chance)
            case "resume":
                self.do(ResumeEngagement(), PM, chance)
            case "holidays":
                self.holidays_change(chance)
            case "sponsor":
                self.sponsors_are_asked_again()
            case _:
                self.programme.at += span  # the worker is away: the next request comes before any timer has fired

    def holidays_change(self, chance: Random) -> None:
        """A bank holiday is announced late, or those that lie ahead are withdrawn."""
        calendar, today = self.programme.engagement.calendar, self.programme.today
        on = today + timedelta(days=chance.randint(-3, 60))
        ahead = [holiday for holiday in calendar.holidays if holiday.on > today and chance.random() < WITHDRAWN]
        holidays = tuple(holiday for holiday in calendar.holidays if holiday not in ahead and holiday.on != on)
        if not ahead:
            holidays = (*holidays, Holiday(on=on, name="a late bank holiday"))
        version = str(int(calendar.version) + 1)
        self.ask(ChangeCalendar(calendar=calendar.model_copy(update={"holidays": holidays, "version": version})), CLOCK)

    def sponsors_are_asked_again(self) -> None:
        """As when a sponsor leaves: no stage may begin until both are willing again."""
        before = self.programme.engagement
        if before.ended:
            return
        asked = WillingnessAsked(round=before.mandate.round + 1, on=self.programme.today)
        entries = chain.record(before.sequence, before.digest, [asked], Asked(CLOCK, self.programme.at))
        for entry in entries:
            self.programme.engagement = evolve(self.programme.engagement, entry)
        self.programme.entries += entries
        assert self.watch.see(before, entries, self.programme.engagement) == []

    @rule(luck=LUCK, kind=st.sampled_from(KINDS))
    def a_question_changes_nothing(self, luck: int, kind: type[Command]) -> None:
        """The same question has the same answer, and leaves what it was asked of as it was."""
        chance, engagement = self.chance(luck), self.programme.engagement
        command, was = Anything(self.programme, chance).command(kind), engagement.model_dump_json()
        person = chance.choice(sorted(engagement.people))
        if command:
            asked = Asked(person, self.programme.at)
            first, second = (_answer(engagement, command, asked) for _ in range(2))
            assert first == second
        assert engagement.model_dump_json() == was

    def teardown(self) -> None:
        """What was recorded, from the first line on, is all that is true."""
        assert fold(Engagement(), self.programme.entries) == self.programme.engagement


class ProgrammeOfLongChance(ProgrammeOfChance):
    """The same, in which chance alone says what comes next: hypothesis keeps to few kinds of rules in each example."""

    def play(self, seed: int, turns: int) -> None:
        """A programme from any stage on, for years; the same seed plays the same one."""
        chance = self.chance(seed)
        self.begin(chance.choice(list(Stage)))
        for _ in range(turns):
            if not self.programme.engagement.ended:
                self.turn(chance)
        self.teardown()

    def turn(self, chance: Random) -> None:
        """One turn of any kind."""
        luck, kind = chance.getrandbits(24), chance.choice(KINDS)
        match chance.choices(range(len(USUAL)), USUAL)[0]:
            case 0:
                self.a_month_goes_as_it_should(luck, chance.choice(PASSES))
            case 1:
                self.people_do_what_they_owe(luck, chance.choice((1, 4, 40)))
            case 2:
                self.somebody_does_something_unasked(luck, chance.choice(VOLUNTEERS))
            case 3:
                self.anybody_asks_for_anything(luck, kind)
            case 4:
                self.time_passes(chance.choice(PASSES[:-1]))
            case 5:
                self.something_unusual_happens(luck, chance.choice(PASSES[:-1]), chance.choice(UNUSUAL))
            case _:
                self.a_question_changes_nothing(luck, kind)


def _answer(engagement: Engagement, command: Command, asked: Asked) -> object:
    try:
        return decide(engagement, command, asked)
    except Refusal as refusal:
        return refusal.code


SOAKING = "OLIVE_SOAK" in os.environ
SHORT = settings(
    max_examples=12,
    stateful_step_count=50,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
LONG = settings(SHORT, max_examples=40, stateful_step_count=100, derandomize=False, print_blob=True)


class TestProgrammesOfChance(ProgrammeOfChance.TestCase):  # type: ignore[misc,valid-type]
    settings = LONG if SOAKING else SHORT


PROGRAMMES, TURNS = (100, 150) if SOAKING else (3, 40)


@settings(SHORT, max_examples=PROGRAMMES, derandomize=not SOAKING, phases=(Phase.explicit, Phase.generate))
@given(seed=st.integers(0, 2**32 - 1))
def test_no_invariant_breaks_in_years_of_chance(seed: int) -> None:
    """Whole programmes, in which anybody may do anything at any time."""
    ProgrammeOfLongChance().play(seed, TURNS)


@pytest.fixture(scope="module", autouse=True)
def _told() -> Iterator[None]:
    """After a long run: how far it came, and what it never saw."""
    yield
    if SOAKING:
        sys.stdout.write(f"\n{report()}\n")


def report() -> str:
    """Steps in figures, and the events, requests and refusals that never came about."""
    asked = Counter(kind for (kind, _), times in DONE.items() for _ in range(times))
    done = {kind for kind, outcome in DONE if outcome == "done"}
    never_done = [kind.__name__ for kind in KINDS if kind.__name__ not in done]
    never = [
        f"{kind.__name__}: {refusal.__name__}"
        for kind in KINDS
        for refusal in kind.refusals
        if (kind.__name__, refusal.__name__) not in DONE
    ]
    unseen = [event.__name__ for part in PARTS for event in part.evolve if event.__name__ not in HAPPENED]
    return (
        f"{asked.total():,} steps, {HAPPENED.total():,} events; no invariant was broken.\n"
        f"Events that never happened: {', '.join(unseen) or 'none'}.\n"
        f"Requests that were never accepted: {', '.join(never_done) or 'none'}.\n"
        f"Refusals that were never met: {', '.join(never) or 'none'}."
    )
