"""Programmes with a given past: events that somebody recorded, for tests of what comes after them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache

from programme import chain, planning
from programme.engagement import evolve
from programme.gates import StageEnded, StageStarted
from programme.messages import CLOCK, Event, PersonId, Role, Side, Stage
from programme.part import Asked
from programme.people import AcceptAppointment, Enrolment, EnrolPeople
from programme.stages.action import Aim, Screened, Screening
from programme.stages.agreement import ActionActivated, ActionAgreed
from programme.stages.drafting import ActionDrafted, ActionProposed, ActionText
from programme.stages.findings import NewFinding, RecordFindings
from programme.stages.meetings import HoldReview, ScheduleReview
from programme.stages.panels import AcceptPanel, AppointToPanel
from programme.stages.review import Review, ReviewKind
from tests.core.programme_driver import PM, Programme, begun

ACTION = "A1"
DOCTOR, MANAGER = "d1", "m1"  # the co-owners of the one action
INTERNAL = ("ic0", "ic1", "ic2", "ic3")
EXTERNAL = ("x0", "x1", "x2")
CHALLENGERS = (
    *(Enrolment(person=person, roles=(Role.INTERNAL_CHALLENGER,)) for person in INTERNAL),
    *(Enrolment(person=person, roles=(Role.EXTERNAL_CHALLENGER,), ods_code="RX1") for person in EXTERNAL),
)
NO = Screened.NO


def given(programme: Programme, *events: Event) -> Programme:
    """The programme after these events, as if people and time had brought them about at this moment."""
    asked = Asked(CLOCK, programme.at)
    _recorded(programme, events, asked)
    _recorded(programme, planning.follows(programme.engagement, asked), asked)  # as they would have followed
    return programme


def _recorded(programme: Programme, events: Sequence[Event], asked: Asked) -> None:
    engagement = programme.engagement
    for entry in chain.record(engagement.sequence, engagement.digest, events, asked):
        programme.engagement = evolve(programme.engagement, entry)
        programme.entries.append(entry)


def active_action(
    on: date, action: str = ACTION, doctor: PersonId = DOCTOR, manager: PersonId = MANAGER, condition: str = "C09"
) -> tuple[Event, ...]:
    """An action that both sides have agreed on."""
    text = ActionText(
        title="Consultants at the front door",
        aim=Aim(
            sentence="More people seen in time", from_value=Decimal(68), to_value=Decimal(78), by=date(2026, 12, 1)
        ),
        conditions=(condition,),
        doctor_owner=doctor,
        manager_owner=manager,
    )
    screening = Screening(changes_who_treats=NO, directs_clinical_decision=NO, changes_clinical_staffing=NO)
    return (
        ActionDrafted(action=action, text=text, on=on),
        ActionProposed(action=action, version=1, proposer=doctor, screening=screening, marked=False, on=on),
        ActionAgreed(action=action, version=1, side=Side.DOCTOR, by=doctor, on=on),
        ActionAgreed(action=action, version=1, side=Side.MANAGER, by=manager, on=on),
        ActionActivated(action=action, version=1, on=on),
    )


@cache
def _with_challengers() -> Programme:
    programme = begun(Stage.EXCHANGE)
    programme.do(EnrolPeople(people=CHALLENGERS), PM)
    for row in CHALLENGERS:
        programme.do(AcceptAppointment(role=row.roles[0]), row.person)
    return given(programme, StageEnded(stage=Stage.EXCHANGE, cycle=1, on=programme.today))


def nothing_agreed() -> Programme:
    """The first cycle in its first month, challengers enrolled, and nothing agreed yet."""
    return _with_challengers().copy()


def delivering() -> Programme:
    """The same with one active action: delivery has begun, early in the first cycle."""
    programme = nothing_agreed()
    today = programme.today
    return given(programme, StageStarted(stage=Stage.DELIVERY, cycle=1, on=today), *active_action(today))


def review_of(programme: Programme, review: str) -> Review:
    """A review of the running cycle."""
    return programme.engagement.running.challenge.reviews[review]


def opened(programme: Programme, review: str) -> Programme:
    """Time passes until the panel of a review is asked for."""
    for _ in range(400):
        if review in programme.engagement.running.challenge.reviews:
            return programme
        programme.wait(1)
    raise AssertionError(f"the panel of {review} is never asked for")


def panel(programme: Programme, review: str) -> Programme:
    """A chair, a doctor and a manager are appointed and accept."""
    people = EXTERNAL if review_of(programme, review).kind is ReviewKind.EXTERNAL else INTERNAL[:3]
    for person, background in zip(people, (Side.DOCTOR, Side.DOCTOR, Side.MANAGER), strict=True):
        chair = person == people[0]
        programme.do(AppointToPanel(review=review, person=person, background=background, chair=chair), PM)
        programme.do(AcceptPanel(review=review, independent=True), person)
    return programme


def dated(programme: Programme, review: str) -> Programme:
    """The panel is complete and the meeting has a date, for which the review was planned or three weeks ahead."""
    panel(programme, review)
    earliest = programme.engagement.time.plus(programme.today, 21)
    day = max(review_of(programme, review).planned, earliest)
    starts = datetime.combine(day, time(13), tzinfo=UTC)
    programme.do(ScheduleReview(review=review, starts=starts, place="Room 1"), PM)
    return programme


def held(programme: Programme, review: str) -> Programme:
    """The panel has met."""
    found = review_of(dated(programme, review), review)
    assert found.meeting
    programme.advance(found.meeting.starts + timedelta(hours=4))
    programme.do(HoldReview(review=review, attended=tuple(found.panel), without_statements=True), found.chair)
    return programme


def found(programme: Programme, review: str, *findings: NewFinding) -> Programme:
    """The panel has met and its chair has recorded findings."""
    held(programme, review)
    command = RecordFindings(
        review=review,
        findings=findings,
        surprised="The weekend figures",
        stopped_asking="Who stays late",
        disagreement="The score rose and the chart did not",
        reason="" if findings else "Everything was looked at twice",
        second="" if findings else review_of(programme, review).attended[1],
    )
    programme.do(command, review_of(programme, review).chair)
    return programme
