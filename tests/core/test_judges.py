"""The judges themselves: each of the thirty sees what it is there to see.

What no rule of the core would let happen is recorded here by hand, as if a rule were gone. Two judges look at what no
record can change: who may read comments (11), and the order of what comes next (30).
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import groupby

import pytest

from programme import chain
from programme.continuity import EngagementPausedUntil
from programme.engagement import Engagement, evolve, fold
from programme.gates import GatePassed, StageStarted
from programme.measure import Reading
from programme.messages import CLOCK, Event, PersonId, Role, Side, Stage
from programme.part import Asked
from programme.people import Appointment
from programme.post import Item, MessageIssued, NoticeRaised
from programme.stages.action import ActionStatus, Assent, Objection
from programme.stages.agreement import ActionAgreed
from programme.stages.approval import ClinicalMarkLifted
from programme.stages.diagnosis import PackReleased, QuestionnaireCompleted
from programme.stages.drafting import ActionChanged
from programme.stages.mandate import CycleStarted, WillingnessAsked
from programme.stages.meetings import ReviewHeld
from programme.stages.renewal import NextStep, RenewalAsked, RenewalSettled
from programme.stages.session import Notes, Outputs
from tests.core import agreed
from tests.core.given import dated, delivering, given, opened
from tests.core.invariants import INVARIANTS, Watch
from tests.core.judged_candour import CANDID
from tests.core.judging import Step
from tests.core.programme_driver import MEDICAL, PM, Programme, begun, hold, schedule, write

Case = Callable[[], Step]
NOON = datetime(2026, 6, 3, 12, tzinfo=UTC)  # a Wednesday
NIGHT = datetime(2026, 6, 3, 23, tzinfo=UTC)


def recorded(programme: Programme, *events: Event, by: PersonId = CLOCK, at: datetime | None = None) -> Step:
    """A step in which these events were recorded, whatever the rules say."""
    before = after = programme.engagement
    entries = chain.record(before.sequence, before.digest, events, Asked(by, at or programme.at))
    for entry in entries:
        after = evolve(after, entry)
    return Step(before, entries, after, [*programme.entries, *entries])


def turned(programme: Programme, after: Engagement) -> Step:
    """A step after which the state is another, though nothing was recorded."""
    return Step(programme.engagement, [], after, programme.entries)


def changed(name: str = "A1", **changes: object) -> Step:
    """An active action that reads otherwise all of a sudden."""
    programme = agreed.delivering()
    agreement = programme.engagement.running.agreement
    other = agreement.actions[name].model_copy(update=changes)
    return turned(programme, programme.engagement.in_cycle(agreement=agreement.with_action(other)))


def message(programme: Programme, *items: Item, people: tuple[PersonId, ...], at: datetime = NOON) -> Step:
    """A message that left."""
    return recorded(programme, MessageIssued(people=people, items=items, on=at.date()), at=at)


def unwilling() -> Step:
    programme = given(begun(Stage.EXCHANGE), WillingnessAsked(round=2, on=date(2026, 2, 1)))
    return recorded(programme, StageStarted(stage=Stage.SESSIONS, cycle=1, on=date(2026, 2, 2)))


def of_both_sides() -> Step:
    yes = Assent(by="d1", version=1, on=date(2026, 4, 1))
    return changed(agreements=dict.fromkeys(Side, yes))


def re_worded() -> Step:
    programme = agreed.delivering()
    text = agreed.text(programme, scope="The whole trust")
    return recorded(programme, ActionChanged(action="A1", text=text, by="d1", on=programme.today), by="d1")


def told_below_k() -> Step:
    programme = begun(Stage.DIAGNOSIS)
    return turned(programme, programme.engagement.but(k=3))


def commented() -> Step:
    programme = begun(Stage.DIAGNOSIS)
    return recorded(programme, PackReleased(survey="diagnosis", on=programme.today))


def with_its_hour() -> Step:
    programme = begun(Stage.DIAGNOSIS)
    step = recorded(programme, QuestionnaireCompleted(survey="diagnosis", person="d3"), by="d3")
    late = [entry.model_copy(update={"at": NOON}) for entry in step.entries]
    return Step(step.before, late, step.after, [*programme.entries, *late])


def tattled() -> Step:
    item = Item(title="Answer", task="1/diagnosis/questionnaire-1/d3", rung="opened+5")
    return message(begun(Stage.DIAGNOSIS), item, people=(PM,))


def holding(person: PersonId, role: Role) -> Step:
    """Somebody holds a part beside their own."""
    programme = begun(Stage.DIAGNOSIS)
    was = programme.engagement.people[person]
    held = Appointment(role=role, since=programme.today, accepted=programme.today)
    now = was.but(appointments=(*was.appointments, held))
    return turned(programme, programme.engagement.but(people={**programme.engagement.people, person: now}))


def held_by(*attended: PersonId) -> Step:
    programme = dated(opened(delivering(), "1-internal-1"), "1-internal-1")
    return recorded(programme, ReviewHeld(review="1-internal-1", attended=attended, without=(), on=programme.today))


def challenged_by_an_owner() -> Step:
    programme = dated(opened(delivering(), "1-internal-1"), "1-internal-1")
    was = programme.engagement.people["ic1"]
    moved = was.but(line_manager="d1")
    programme.engagement = programme.engagement.but(people={**programme.engagement.people, "ic1": moved})
    held = ReviewHeld(review="1-internal-1", attended=("ic0", "ic1", "ic2"), without=(), on=programme.today)
    return recorded(programme, held)


def agreed_without_quorum() -> Step:
    programme = begun(Stage.SESSIONS)
    schedule(programme, "1A")
    hold(programme, "1A", 5, 2)
    notes = Notes(version=1, written=programme.today, outputs=Outputs(summary="We agreed"))
    session = programme.engagement.running.sessions.all["1A"].model_copy(update={"notes": notes})
    sessions = programme.engagement.running.sessions.with_session(session)
    return turned(programme, programme.engagement.in_cycle(sessions=sessions))


def counted_for_one_side() -> Step:
    programme = begun(Stage.SESSIONS)
    schedule(programme, "1A")
    hold(programme, "1A")
    write(programme, "1A")
    session = programme.engagement.running.sessions.all["1A"].model_copy(update={"counts_from": programme.today})
    sessions = programme.engagement.running.sessions.with_session(session)
    return turned(programme, programme.engagement.in_cycle(sessions=sessions))


def settled_alone() -> Step:
    programme = begun(Stage.RENEWAL)
    return recorded(programme, RenewalSettled(outcome=NextStep.CLOSE, by_time=False, on=programme.today))


def escalated_to_one() -> Step:
    item = Item(title="Check in", task="1/delivery/check-in-A1/d1", rung="due+10 both_sponsors", escalation=True)
    return message(agreed.delivering(), item, people=(MEDICAL,))


def said_twice() -> Step:
    programme, item = agreed.delivering(), Item(title="Check in", task="1/delivery/check-in-A1/d1", rung="due+0")
    said = MessageIssued(people=("d1",), items=(item,), on=NOON.date())
    return recorded(given(programme, said), said, at=NOON + timedelta(days=1))


def promised_later() -> Step:
    programme = begun(Stage.DIAGNOSIS)
    task = programme.tasks(command="CompleteQuestionnaire")[0]
    assert task.due
    late = {task.id: task.due.on + timedelta(days=1)}
    return Step(programme.engagement, [], programme.engagement, programme.entries, late)


def moved_in_silence() -> Step:
    programme = begun(Stage.DIAGNOSIS)
    durations = programme.engagement.template.durations.model_copy(update={"questionnaire": 30})
    template = programme.engagement.template.model_copy(update={"durations": durations})
    return turned(programme, programme.engagement.but(template=template))


def edited() -> Step:
    programme = agreed.delivering()
    measure = programme.engagement.measures.measures["M1"]
    first: Reading = measure.readings[0].model_copy(update={"value": Decimal(99)})
    other = measure.but(readings=(first, *measure.readings[1:]))
    held = programme.engagement.measures.model_copy(update={"measures": {"M1": other}})
    return turned(programme, programme.engagement.but(measures=held))


def two_cycles() -> Step:
    programme = begun(Stage.DELIVERY)
    return recorded(programme, CycleStarted(number=2, on=programme.today))


def in_a_pause(event: Event) -> Step:
    programme = agreed.delivering()
    resumes = programme.today + timedelta(days=9)
    given(programme, EngagementPausedUntil(reason="Winter", since=programme.today, resumes=resumes))
    return recorded(programme, event, at=NOON)


TODAY = date(2026, 4, 1)
OBJECTED = Objection(number=1, by="d5", reason="Nights", raised=TODAY)
YES = ActionAgreed(action="A1", version=1, side=Side.DOCTOR, by="d1", on=TODAY)
LIFTED = ClinicalMarkLifted(action="A1", version=1, by="m1", reason="So", on=TODAY)
CASES: list[tuple[int, Case]] = [
    (1, unwilling),
    (2, of_both_sides),
    (2, lambda: changed(manager_owner="d1")),
    (3, lambda: changed(agreements={})),
    (3, lambda: changed(version=2)),
    (4, lambda: recorded(agreed.delivering(), YES)),
    (5, lambda: changed(marked=True)),
    (5, lambda: changed(screening=None)),
    (6, lambda: recorded(agreed.delivering(), LIFTED, by="m1")),
    (7, lambda: changed(objections=(OBJECTED,))),
    (7, lambda: changed(status=ActionStatus.SUSPENDED, suspended_from=ActionStatus.ACTIVE)),
    (8, re_worded),
    (9, lambda: changed(conditions=())),
    (9, lambda: changed(measures=())),
    (9, lambda: changed(doctor_owner="")),
    (10, told_below_k),
    (12, commented),
    (13, with_its_hour),
    (14, tattled),
    (15, lambda: holding("d3", Role.FACILITATOR)),
    (16, challenged_by_an_owner),
    (17, lambda: held_by("ic0", "ic1")),
    (17, lambda: recorded(begun(Stage.SESSIONS), RenewalAsked(round=1, on=TODAY))),
    (18, agreed_without_quorum),
    (19, counted_for_one_side),
    (20, lambda: changed(status=ActionStatus.VERIFIED)),
    (21, settled_alone),
    (22, escalated_to_one),
    (23, lambda: message(agreed.delivering(), Item(title="Hello"), people=("d1",), at=NIGHT)),
    (23, said_twice),
    (24, promised_later),
    (24, moved_in_silence),
    (25, lambda: changed(title="Another")),
    (26, lambda: recorded(begun(Stage.DIAGNOSIS), NoticeRaised(people=("d1",), title=f"{CANDID} said so"))),
    (27, edited),
    (28, two_cycles),
    (29, lambda: in_a_pause(GatePassed(gate="G4"))),
    (29, lambda: in_a_pause(MessageIssued(people=("d1",), items=(Item(title="News"),), on=NOON.date()))),
]


@pytest.mark.parametrize(("number", "case"), CASES)
def test_each_judge_sees_what_it_is_there_to_see(number: int, case: Case) -> None:
    assert list(INVARIANTS[number - 1](case()))


def test_no_judge_finds_fault_with_a_year_that_goes_well() -> None:
    watch, engagement = Watch(), Engagement()
    for _, step in groupby(begun(Stage.RENEWAL).entries, lambda entry: (entry.at, entry.actor)):
        entries = list(step)
        after = fold(engagement, entries)
        assert watch.see(engagement, entries, after) == []
        engagement = after
