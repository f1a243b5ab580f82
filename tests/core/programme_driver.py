"""A whole programme in memory: ask, let time pass, and come quickly to the stage that a test is about.

The driver does what the workflow does (one timer, ``TimeReached`` at each wake) and nothing else. ``begun`` brings an
engagement to the start of a stage by asking what people would ask; each stage has one function here that plays it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TypeVar

from programme import template as templates
from programme.differences import RaiseDifference
from programme.engagement import Engagement, TimeReached, next_wake, step
from programme.measure import Direction
from programme.measures import AddPoints, DefineMeasure, NewPoint
from programme.messages import CLOCK, Command, Entry, Event, PersonId, Role, Side, Stage, Task, Words
from programme.part import Asked
from programme.people import AcceptAppointment, AcceptEnrolment, Enrolment, EnrolPeople
from programme.post import MessageIssued
from programme.stages.action import Aim, Screened, Screening
from programme.stages.agreement import AgreeAction
from programme.stages.compact import SignCompact
from programme.stages.diagnosis import CompleteQuestionnaire, RecordPack, WriteThemes
from programme.stages.drafting import ActionText, DraftAction, ProposeAction
from programme.stages.exchange import ConfirmPairs
from programme.stages.findings import AnswerFinding, NewFinding, RecordFindings
from programme.stages.invitations import ScheduleSession
from programme.stages.mandate import Answer, RegisterEngagement, StateWillingness
from programme.stages.meetings import HoldReview, ScheduleReview
from programme.stages.notes import ConfirmNotes, WriteNotes
from programme.stages.pair import Pair
from programme.stages.panels import AcceptPanel, AppointToPanel
from programme.stages.review import FindingKind, Reply
from programme.stages.session import CompactDraft, DecisionLevel, Level, Option, Outputs
from programme.stages.sessions import RecordAttendance
from programme.stages.visits import MarkReflection, RecordVisit, WriteReflection
from programme.template import ProgrammeTemplate
from programme.working_time import Calendar, at_local, month_after

MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
PM, MEDICAL, MANAGERIAL, FACILITATOR = "pm", "med", "man", "fac"
APPROVER, DEPUTY, STEWARD = "app", "dep", "steward"
DOCTORS = tuple(f"d{number}" for number in range(14))
MANAGERS = tuple(f"m{number}" for number in range(14))
TWELVE_MONTHS = templates.parse(Path("programme/templates/twelve-months.yaml").read_text())
_MOST_WAKES = 20_000
E = TypeVar("E", bound=Event)


@dataclass
class Programme:
    """One engagement, the moment that has come, and everything that was recorded."""

    engagement: Engagement = field(default_factory=Engagement)
    at: datetime = MONDAY
    entries: list[Entry] = field(default_factory=list)

    @property
    def today(self) -> date:
        """The date in London."""
        return Asked(CLOCK, self.at).today

    def do(self, command: Command, by: PersonId, at: datetime | date | None = None) -> list[Event]:
        """Ask at a moment (now, if none is given), everything that falls due before it having happened."""
        if at is not None:
            self.advance(at)
        return self._step(command, by)

    def advance(self, to: datetime | date) -> list[Event]:
        """Let time pass to an instant, or to noon in London of a day."""
        instant = to if isinstance(to, datetime) else at_local(to, time(12))
        before = len(self.entries)
        for _ in range(_MOST_WAKES):
            wake = next_wake(self.engagement, self.at)
            if wake is None or wake > instant:
                self.at = max(self.at, instant)
                return [entry.event for entry in self.entries[before:]]
            self.at = max(self.at, wake)
            self._step(TimeReached(), CLOCK)
        raise AssertionError(f"Time does not come to rest at {self.at}")

    def wait(self, working_days: int) -> list[Event]:
        """Let working days pass; it is noon then."""
        return self.advance(self.engagement.time.plus(self.today, working_days))

    def _step(self, command: Command, by: PersonId) -> list[Event]:
        self.engagement, entries = step(self.engagement, command, Asked(by, self.at))
        self.entries += entries
        return [entry.event for entry in entries]

    def events(self, kind: type[E]) -> list[E]:
        """Everything of one kind that has happened."""
        return [entry.event for entry in self.entries if isinstance(entry.event, kind)]

    def tasks(self, person: PersonId | None = None, command: str | None = None) -> list[Task]:
        """Who owes what, for one person and one command, or for all."""
        return [
            task
            for task in self.engagement.open_tasks
            if person in (None, task.person) and command in (None, task.command)
        ]

    def told(self, person: PersonId) -> list[str]:
        """The titles of everything that a person was sent."""
        return [item.title for event in self.events(MessageIssued) if person in event.people for item in event.items]

    def copy(self) -> "Programme":
        """Another programme with the same past."""
        return replace(self, entries=list(self.entries))


def roster(doctors: Iterable[PersonId] = DOCTORS, managers: Iterable[PersonId] = MANAGERS) -> tuple[Enrolment, ...]:
    """Everybody: the named parts, then the two sides."""
    return (
        Enrolment(person=PM, roles=(Role.PROGRAMME_MANAGER,)),
        Enrolment(person=MEDICAL, roles=(Role.MEDICAL_SPONSOR,)),
        Enrolment(person=MANAGERIAL, roles=(Role.MANAGERIAL_SPONSOR,)),
        Enrolment(person=FACILITATOR, roles=(Role.FACILITATOR,)),
        Enrolment(person=APPROVER, roles=(Role.MEDICAL_APPROVER,), gmc_registered=True),
        Enrolment(person=DEPUTY, roles=(Role.DEPUTY_APPROVER,), gmc_registered=True),
        Enrolment(person=STEWARD, roles=(Role.MEASURE_STEWARD,)),
        *(Enrolment(person=person, side=Side.DOCTOR) for person in doctors),
        *(Enrolment(person=person, side=Side.MANAGER) for person in managers),
    )


def registered(
    people: tuple[Enrolment, ...] | None = None,
    template: ProgrammeTemplate = TWELVE_MONTHS,
    calendar: Calendar | None = None,
    at: datetime = MONDAY,
) -> Programme:
    """An engagement on the day of its registration; nobody has answered anything."""
    programme = Programme(at=at)
    command = RegisterEngagement(
        engagement="engagement-1",
        ods_code="R1A",
        scope="Emergency department",
        local_problem="People wait too long in A&E",
        dpia_reference="DPIA-7",
        privacy_notice="1",
        k=11,
        template=template,
        calendar=calendar or Calendar(version="1"),
        people=roster() if people is None else people,
    )
    programme.do(command, PM)
    return programme


def play_mandate(programme: Programme) -> None:
    """Everybody accepts, both sponsors are willing: gate G0 passes."""
    people = list(programme.engagement.people.values())
    for person in people:
        for one in person.appointments:
            if not one.accepted:
                programme.do(AcceptAppointment(role=one.role), person.id)
        if person.side:
            programme.do(AcceptEnrolment(side=person.side, privacy_notice="1"), person.id)
    for sponsor in (MEDICAL, MANAGERIAL):
        programme.do(StateWillingness(answer=Answer.WILLING), sponsor)


def play_diagnosis(programme: Programme) -> None:
    """Everybody answers, the window closes, the pack is computed and released: gate G1 passes."""
    for side in Side:
        for person in programme.engagement.participants(side):
            programme.do(CompleteQuestionnaire(), person)
    survey = "diagnosis"
    while programme.engagement.running.diagnosis.survey(survey).open:
        programme.wait(1)
    programme.do(RecordPack(survey=survey, window=1, pack="0" * 64), CLOCK)
    programme.do(WriteThemes(), FACILITATOR)


def words(text: str = "something candid") -> Words:
    """A reference to candid words, as the front door would make it from a text."""
    return Words(deposit=f"deposit of {text}")


def play_visits(programme: Programme, pair: Pair) -> None:
    """Everybody of a pair visits everybody across."""
    for guest in pair.members:
        for host in pair.across(guest):
            programme.do(RecordVisit(pair=pair.id, host=host, on=programme.today), guest)


def play_pair(programme: Programme, pair: Pair) -> None:
    """A pair visits, writes, and recognises itself both ways."""
    play_visits(programme, pair)
    for author in pair.members:
        programme.do(WriteReflection(pair=pair.id, words=words()), author)
        for partner in pair.across(author):
            programme.do(MarkReflection(pair=pair.id, author=author, recognised=True), partner)


def play_exchange(programme: Programme) -> None:
    """The pairs are confirmed as proposed, and every one of them recognises itself: gate G2 passes."""
    programme.do(ConfirmPairs(), PM)
    programme.wait(10)
    for pair in programme.engagement.running.exchange.standing:
        play_pair(programme, pair)


PRIORITIES = ("C03", "C09", "C10")
OUTPUTS = {
    "A": Outputs(summary="We saw both pictures", problem="Nobody owns the first hour", priorities=PRIORITIES),
    "B": Outputs(
        summary="Each side argued the other's case",
        options=(Option(text="Seniors at the front door", doctors_for="Safer", managers_against="Dearer"),),
        decisions=(DecisionLevel(decision="Who staffs the front door", now=Level.DIVISION, should=Level.SERVICE),),
    ),
    "C": Outputs(
        summary="We drafted what we will do",
        compact=CompactDraft(doctors_give=("We answer within a day",), managers_give=("We ask before we change",)),
    ),
}


def schedule(programme: Programme, session: str, working_days: int = 20, hour: int = 14) -> None:
    """The facilitator sets a date so many working days from now; it lasts three hours."""
    on = programme.engagement.time.plus(programme.today, working_days)
    starts = at_local(on, time(hour))
    programme.do(ScheduleSession(session=session, starts=starts, place="Seminar room 2"), FACILITATOR)


def hold(programme: Programme, session: str, doctors: int = 5, managers: int = 5) -> None:
    """Time passes until the session is over, and the facilitator says that so many of each side came."""
    ends = programme.engagement.running.sessions.all[session].ends
    assert ends is not None, "the session has no date"
    programme.advance(max(ends, programme.at))
    voting = DOCTORS[:doctors] + MANAGERS[:managers]
    programme.do(RecordAttendance(session=session, voting=voting), FACILITATOR)


def write(programme: Programme, session: str, outputs: Outputs | None = None) -> None:
    """The facilitator writes the notes: by default those that its letter asks for."""
    letter = programme.engagement.running.sessions.all[session].letter
    if letter == "A":
        programme.do(RaiseDifference(title="What counts as a safe wait", condition="C09", session=session), "d0")
    programme.do(WriteNotes(session=session, outputs=outputs or OUTPUTS[letter]), FACILITATOR)


def confirm(programme: Programme, session: str) -> None:
    """A doctor and a manager who attended confirm the notes as they are."""
    notes = programme.engagement.running.sessions.all[session].notes
    assert notes is not None, "there are no notes"
    for person in (DOCTORS[0], MANAGERS[0]):
        programme.do(ConfirmNotes(session=session, version=notes.version), person)


def play_session(programme: Programme, session: str, working_days: int = 12) -> None:
    """A session with a quorum, whose notes are written and confirmed."""
    schedule(programme, session, working_days)
    hold(programme, session)
    write(programme, session)
    confirm(programme, session)


def play_sessions(programme: Programme) -> None:
    """A, B and C with a quorum; in C the first action is proposed, on every priority: gate G3 passes."""
    play_session(programme, "1A")
    play_session(programme, "1B")
    schedule(programme, "1C", 12)
    hold(programme, "1C")
    propose_action(programme, "1C")
    write(programme, "1C")
    confirm(programme, "1C")


def propose_action(programme: Programme, source: str) -> None:
    """The first measure with its baseline, and a first action by d1 and m1 that no doctor needs to approve."""
    programme.do(DefineMeasure(title="Seen within 4 hours", unit="%", source="ED", direction=Direction.UP), STEWARD)
    month = programme.today.replace(day=1)
    points = [NewPoint(period=month_after(month, -back), value=Decimal(66 + back % 4)) for back in range(18, 0, -1)]
    programme.do(AddPoints(measure="M1", points=tuple(points)), STEWARD)
    text = ActionText(
        title="Consultants at the front door",
        scope="Emergency department",
        aim=Aim(
            sentence="Raise the share seen within 4 hours from 68% to 78%",
            from_value=Decimal(68),
            to_value=Decimal(78),
            by=programme.today + timedelta(days=180),
        ),
        conditions=PRIORITIES,
        measures=("M1",),
        doctor_owner="d1",
        manager_owner="m1",
    )
    programme.do(DraftAction(source=source, text=text), "d1")
    no = Screened.NO
    screening = Screening(changes_who_treats=no, directs_clinical_decision=no, changes_clinical_staffing=no)
    programme.do(ProposeAction(action="A1", screening=screening), "d1")


def play_agreement(programme: Programme) -> None:
    """Both co-owners agree to the first action, both sponsors sign the compact: gate G4 passes."""
    for person in ("d1", "m1"):
        programme.do(AgreeAction(action="A1", version=1), person)
    version = programme.engagement.running.agreement.compact.version
    for sponsor in (MEDICAL, MANAGERIAL):
        programme.do(SignCompact(version=version), sponsor)


def play_delivery(programme: Programme) -> None:
    """Nothing to do: the challenge reviews begin together with delivery."""
    assert programme.engagement.in_stage(Stage.CHALLENGE), "delivery began without its challenge reviews"


def play_review(programme: Programme, review: str = "1-external-1") -> None:
    """Three challengers from outside meet over frozen evidence and recommend something; both co-owners accept it."""
    panel = tuple(f"x{number}" for number in range(3))
    new = tuple(person for person in panel if person not in programme.engagement.people)
    rows = tuple(Enrolment(person=person, roles=(Role.EXTERNAL_CHALLENGER,), ods_code="RX1") for person in new)
    programme.do(EnrolPeople(people=rows), PM)
    for person in new:
        programme.do(AcceptAppointment(role=Role.EXTERNAL_CHALLENGER), person)
    while review not in programme.engagement.running.challenge.reviews:
        programme.wait(1)
    for person, background in zip(panel, (Side.DOCTOR, Side.DOCTOR, Side.MANAGER), strict=True):
        seat = AppointToPanel(review=review, person=person, background=background, chair=person == panel[0])
        programme.do(seat, PM)
        programme.do(AcceptPanel(review=review, independent=True), person)
    starts = at_local(programme.engagement.running.challenge.reviews[review].planned, time(13))
    programme.do(ScheduleReview(review=review, starts=starts), PM)
    programme.advance(starts + timedelta(hours=3))
    programme.do(HoldReview(review=review, attended=panel, without_statements=True), panel[0])
    finding = NewFinding(kind=FindingKind.RECOMMEND, text="Cover the weekend too", action="A1")
    three = {"surprised": "The weekends", "stopped_asking": "Who stays late", "disagreement": "Score and chart"}
    programme.do(RecordFindings.model_validate({"review": review, "findings": (finding,), **three}), panel[0])
    for person in ("d1", "m1"):
        programme.do(AnswerFinding(review=review, finding=f"{review}-1", reply=Reply.ACCEPT), person)


def play_challenge(programme: Programme) -> None:
    """The external review is held and answered; then the questionnaire opens again."""
    play_review(programme)
    while not programme.engagement.in_stage(Stage.RENEWAL):
        programme.wait(1)


PLAYS: dict[Stage, Callable[[Programme], None]] = {
    Stage.MANDATE: play_mandate,
    Stage.DIAGNOSIS: play_diagnosis,
    Stage.EXCHANGE: play_exchange,
    Stage.SESSIONS: play_sessions,
    Stage.AGREEMENT: play_agreement,
    Stage.DELIVERY: play_delivery,
    Stage.CHALLENGE: play_challenge,
}


@cache
def _begun(stage: Stage) -> Programme:
    order = list(Stage)
    if stage is Stage.MANDATE:
        return registered()
    before = order[order.index(stage) - 1]
    programme = _begun(before).copy()
    PLAYS[before](programme)
    assert programme.engagement.in_stage(stage), f"the {before.value} was played and {stage.value} did not begin"
    return programme


def begun(stage: Stage) -> Programme:
    """An engagement at the moment at which a stage begins, everything before it having gone well."""
    return _begun(stage).copy()


def play(programme: Programme, until: Stage) -> Programme:
    """Play stages on a programme of the test's own making until one begins."""
    for stage, played in PLAYS.items():
        if stage is until:
            break
        if programme.engagement.in_stage(stage):
            played(programme)
    return programme
