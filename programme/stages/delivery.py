"""Stage 5, Delivery: a measure point every month, joint touchpoints, notes of small tests, and an eye on quiet drift.

Delivery is started by gate G4 and does not end by a gate of its own: re-diagnosis and renewal ends it. The monthly
check-in stands in ``checkins.py``, what a chart says in ``charting.py``, completion in ``verification.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from programme.changes.record import Step
from programme.charting import watched_by
from programme.measure import MeasureId
from programme.measures import next_month, refuse_blank
from programme.messages import (
    PARTICIPANTS,
    SPONSORS,
    Command,
    Due,
    DueDate,
    Event,
    Frozen,
    Paragraph,
    PersonId,
    Role,
    Sentence,
    Side,
    Stage,
    Task,
)
from programme.part import Asked, Part
from programme.post import NoticeRaised
from programme.refusals import (
    ActionElsewhere,
    Invalid,
    NotCoOwner,
    NotYet,
    TouchpointIncomplete,
    UnknownAction,
    UnknownPerson,
)
from programme.stages.action import (
    IN_FORCE,
    Action,
    ActionId,
    ActionStatus,
    PdsaNote,
    action_of,
    actions_of,
    changed,
    owned_side,
)
from programme.stages.sessions import deferred
from programme.working_time import at_local, end_of, in_words, uk_date

if TYPE_CHECKING:
    from programme.engagement import Engagement


class Progress(StrEnum):
    """What a co-owner says of an action this month."""

    ON_TRACK = "on_track"
    NEEDS_HELP = "needs_help"
    STUCK = "stuck"


class CheckInLine(Frozen):
    """One side's line in a monthly check-in."""

    by: PersonId
    progress: Progress
    line: Sentence
    learned: Sentence = ""
    on: date


class CheckInRound(Frozen):
    """The check-ins of one month (``month`` is its first day), due ``working_days`` after they opened.

    ``lines`` holds each action and development need that was asked about; a side that has said nothing is missing.
    """

    month: date
    opened: date
    working_days: int
    lines: dict[str, dict[Side, CheckInLine]] = Field(default_factory=dict)


class PointsAsked(Frozen):
    """The measures whose point for a month that has ended is asked for."""

    month: date
    measures: tuple[str, ...]
    on: date


class Touchpoint(Frozen):
    """A joint touchpoint: both co-owners of these actions, and a sponsor."""

    on: date
    actions: tuple[ActionId, ...]
    attended: tuple[PersonId, ...]
    summary: Paragraph = ""


class Delivery(Frozen):
    """What happened month by month. ``drift``: the days on which quiet drift was flagged, for the next review.

    ``sponsors_changed``: those on which there was another sponsor; from the second of a cycle on that is drift, too.

    ``stuck``: the month of the check-in at which an action last was stuck twice in a row.
    """

    check_ins: tuple[CheckInRound, ...] = ()
    points: tuple[PointsAsked, ...] = ()
    touchpoints: tuple[Touchpoint, ...] = ()
    drift: tuple[date, ...] = ()
    sponsors_changed: tuple[date, ...] = ()
    stuck: dict[str, date] = Field(default_factory=dict)


# --- commands --------------------------------------------------------------------------------------------------------


class RecordTouchpoint(Command):
    """Record a joint touchpoint: which actions were talked about, and who was there."""

    who = PARTICIPANTS | SPONSORS | {Role.FACILITATOR}
    refusals = (NotYet, UnknownAction, UnknownPerson, ActionElsewhere, TouchpointIncomplete, Invalid)

    kind: Literal["RecordTouchpoint"] = "RecordTouchpoint"
    on: date
    actions: tuple[ActionId, ...]
    attended: tuple[PersonId, ...]
    summary: Paragraph = ""


class AddPdsaNote(Command):
    """Note a small test of an action: what was planned, done, studied and decided. Nobody has to."""

    who = PARTICIPANTS
    refusals = (UnknownAction, ActionElsewhere, NotCoOwner, Invalid)

    kind: Literal["AddPdsaNote"] = "AddPdsaNote"
    action: ActionId
    plan: Sentence
    do: Sentence = ""
    study: Sentence = ""
    act: Sentence = ""


Commands = RecordTouchpoint | AddPdsaNote


# --- events ----------------------------------------------------------------------------------------------------------


class MonthEnded(Event):
    """A month has ended; its points are asked for on these measures."""

    kind: Literal["MonthEnded"] = "MonthEnded"
    month: date
    measures: tuple[MeasureId, ...]
    on: date


class TouchpointHeld(Event):
    """Both co-owners of these actions and a sponsor met."""

    kind: Literal["TouchpointHeld"] = "TouchpointHeld"
    on: date
    actions: tuple[ActionId, ...]
    attended: tuple[PersonId, ...]
    summary: str = ""


class DriftFlagged(Event):
    """For a long time no joint touchpoint took place. Both sponsors are told, and the next review reads it."""

    kind: Literal["DriftFlagged"] = "DriftFlagged"
    since: date
    on: date


class PdsaNoted(Event):
    """A small test was noted."""

    kind: Literal["PdsaNoted"] = "PdsaNoted"
    action: ActionId
    by: PersonId
    plan: str
    do: str = ""
    study: str = ""
    act: str = ""
    on: date


Events = MonthEnded | TouchpointHeld | DriftFlagged | PdsaNoted


# --- asking about delivery -------------------------------------------------------------------------------------------


def delivering_since(engagement: Engagement) -> date | None:
    """Since when delivery runs; None where it does not."""
    span = engagement.span(Stage.DELIVERY)
    return span.started if span and span.ended is None else None


def co_owners(engagement: Engagement, about: str) -> tuple[PersonId, ...]:
    """Whom it concerns: the co-owners of an action, or of what a measure judges, or the owner of a development need."""
    if engagement.cycle is None:
        return ()
    agreement = engagement.cycle.agreement
    if about in agreement.actions:
        return agreement.actions[about].owners
    if about in agreement.needs:
        owner = agreement.needs[about].owner
        return (owner,) if owner else ()
    return tuple(dict.fromkeys(owner for action in watched_by(engagement, about) for owner in action.owners))


def points_missing(engagement: Engagement) -> Iterator[tuple[MeasureId, date, DueDate]]:
    """The points that were asked for and have not come: measure, month, and by when they were due."""
    if engagement.cycle is None:
        return
    for asked_for in engagement.cycle.delivery.points:
        last_day = next_month(asked_for.month) - timedelta(days=1)
        due = engagement.time.due(last_day, engagement.template.durations.measure_point, "the month ended")
        for measure in asked_for.measures:
            if not any(one.period == asked_for.month for one in engagement.measures.measures[measure].readings):
                yield measure, asked_for.month, due


def data_late(engagement: Engagement, measure: MeasureId, on: date) -> bool:
    """Whether a measure's chart must say "data late"."""
    late = engagement.template.durations.measure_point_late
    return any(
        missing == measure and engagement.time.elapsed(due.on, on) >= late
        for missing, _, due in points_missing(engagement)
    )


def touchpoint_due(engagement: Engagement, action: Action) -> tuple[date, DueDate] | None:
    """Since when, and by when, an action's next joint touchpoint is due; None where none is."""
    started = delivering_since(engagement)
    if started is None or action.status is not ActionStatus.ACTIVE or action.activated is None:
        return None
    held = [one.on for one in engagement.running.delivery.touchpoints if action.id in one.actions]
    left_out = [one.on for one in engagement.changes.of_step(Step.TOUCHPOINT, action.id)]
    again = [action.reopened] if action.reopened else []
    since = max([started, action.activated, *held, *left_out, *again])
    what = "delivery of the action began"
    if since in left_out:
        what = "it was left out"
    elif since in held:
        what = "the last one"
    return since, engagement.time.months_after(since, engagement.template.durations.touchpoint_months, what)


def flagged(engagement: Engagement) -> tuple[date, ...]:
    """The days on which something of this cycle was quiet drift: no touchpoint for long, or sponsors changed again."""
    delivery = engagement.running.delivery
    return tuple(sorted({*delivery.drift, *delivery.sponsors_changed[1:]}))


def drift_due(engagement: Engagement) -> tuple[date, DueDate] | None:
    """Since when no joint touchpoint took place, and when that is called drift; None where nothing is delivered."""
    started = delivering_since(engagement)
    if started is None:
        return None
    delivery = engagement.running.delivery
    since = max([started, *(one.on for one in delivery.touchpoints), *delivery.drift])
    what = "delivery began" if since == started else "the last joint touchpoint, or flag,"
    return since, engagement.time.due(since, engagement.template.durations.drift, what)


# --- decide ----------------------------------------------------------------------------------------------------------


def record_touchpoint(engagement: Engagement, command: RecordTouchpoint, asked: Asked) -> list[Event]:
    """Take note of a touchpoint, and offer again what the joint sessions left for later."""
    started = delivering_since(engagement)
    if started is None:
        raise NotYet("joint touchpoints begin with delivery")
    if not started <= command.on <= asked.today:
        raise Invalid(f"Name a day from {uk_date(started)} to today.")
    for person in command.attended:
        if person not in engagement.people:
            raise UnknownPerson(person)
    if not command.actions:
        raise Invalid("Name at least one action that was talked about.")
    for action in command.actions:
        owners = action_of(engagement, action, IN_FORCE).owners
        if not set(owners) <= set(command.attended):
            raise TouchpointIncomplete
    if not set(engagement.sponsors) & set(command.attended):
        raise TouchpointIncomplete
    held = TouchpointHeld(on=command.on, actions=command.actions, attended=command.attended, summary=command.summary)
    return [held, *_offered_again(engagement, command.attended)]


def _offered_again(engagement: Engagement, people: tuple[PersonId, ...]) -> Iterator[Event]:
    if waiting := deferred(engagement):
        title = f"Left for later: {in_words(waiting)}. Take it up with an action, or leave it"
        yield NoticeRaised(people=people, title=title, about="deferrals")


def add_pdsa_note(engagement: Engagement, command: AddPdsaNote, asked: Asked) -> list[Event]:
    """Note a small test, as a co-owner."""
    action = action_of(engagement, command.action, IN_FORCE)
    owned_side(engagement, action, asked.by)
    refuse_blank(command.plan, "The plan")
    facts = command.model_dump(exclude={"kind", "action"})
    return [PdsaNoted(action=action.id, by=asked.by, on=asked.today, **facts)]


# --- evolve ----------------------------------------------------------------------------------------------------------


def with_delivery(engagement: Engagement, **changes: object) -> Engagement:
    """The engagement with these fields of its delivery changed."""
    return engagement.in_cycle(delivery=engagement.running.delivery.model_copy(update=changes))


def _month_ended(engagement: Engagement, event: MonthEnded, at: datetime) -> Engagement:
    del at
    asked_for = PointsAsked(month=event.month, measures=event.measures, on=event.on)
    return with_delivery(engagement, points=(*engagement.running.delivery.points, asked_for))


def _touchpoint_held(engagement: Engagement, event: TouchpointHeld, at: datetime) -> Engagement:
    del at
    held = Touchpoint(on=event.on, actions=event.actions, attended=event.attended, summary=event.summary)
    return with_delivery(engagement, touchpoints=(*engagement.running.delivery.touchpoints, held))


def _drift_flagged(engagement: Engagement, event: DriftFlagged, at: datetime) -> Engagement:
    del at
    return with_delivery(engagement, drift=(*engagement.running.delivery.drift, event.on))


def _pdsa_noted(engagement: Engagement, event: PdsaNoted, at: datetime) -> Engagement:
    del at
    notes = engagement.running.agreement.actions[event.action].notes
    note = PdsaNote(**event.model_dump(exclude={"kind", "action"}))
    return changed(engagement, event.action, notes=(*notes, note))


# --- agenda and tasks ------------------------------------------------------------------------------------------------


def agenda(engagement: Engagement) -> Iterator[Due]:
    """The end of each month; the day on which silence is called drift."""
    started = delivering_since(engagement)
    if started is None:
        return
    points = engagement.running.delivery.points
    month = next_month(points[-1].month) if points else started.replace(day=1)
    yield Due(
        at=at_local(next_month(month), time(0)),
        key=f"act:delivery:month/{month}",
        what=f"The points of {month:%B %Y} are asked for",
        why=f"{month:%B %Y} ends",
    )
    if drift := drift_due(engagement):
        what = "Both sponsors and the next review are told that no joint touchpoint took place"
        yield Due(at=end_of(drift[1].on), key="act:delivery:drift", what=what, why=drift[1].why, promised=True)


def act(engagement: Engagement, what: str, asked: Asked) -> list[Event]:
    """Ask for the month's points; flag drift to both sponsors at once."""
    deed, _, month = what.partition("/")
    if deed == "month":
        watched = (measure for action in actions_of(engagement) if action.watches for measure in action.measures)
        measures = tuple(sorted(set(watched)))
        return [MonthEnded(month=date.fromisoformat(month), measures=measures, on=asked.today)]
    drift = drift_due(engagement)
    since = drift[0] if drift else asked.today
    days = engagement.template.durations.drift
    title = f"No joint touchpoint for {days} working days"
    return [
        DriftFlagged(since=since, on=asked.today),
        NoticeRaised(people=engagement.sponsors, title=title, about="touchpoints", together=True),
    ]


def tasks(engagement: Engagement) -> Iterator[Task]:
    """Points for the stewards; the next joint touchpoint for the co-owners of each action."""
    if delivering_since(engagement) is None:
        return
    for measure, month, due in points_missing(engagement):
        yield from _points(engagement, measure, month, due)
    for action in actions_of(engagement):
        if found := touchpoint_due(engagement, action):
            left_out = sum(1 for _ in engagement.changes.of_step(Step.TOUCHPOINT, action.id))
            again = f"-after-{left_out}" if left_out else ""  # asked anew, even on the day on which it was left out
            for side in Side:
                owner = action.owner(side)
                yield Task(
                    id=f"{engagement.running.number}/delivery/touchpoint-{action.id}-{found[0]}{again}/{owner}",
                    ladder="touchpoint",
                    person=owner,
                    about=action.id,
                    command="RecordTouchpoint",
                    title=f"Hold the joint touchpoint about action {action.id}, for the {side.value}s",
                    opened=found[0],
                    due=found[1],
                )


def _points(engagement: Engagement, measure: MeasureId, month: date, due: DueDate) -> Iterator[Task]:
    """For whoever defined the measure; for every steward where that person is none any more."""
    stewards = engagement.holders(Role.MEASURE_STEWARD)
    steward = engagement.measures.measures[measure].steward
    for person in (steward,) if steward in stewards else stewards:
        yield Task(
            id=f"{engagement.running.number}/delivery/point-{measure}-{month:%Y-%m}/{person}",
            ladder="measure-point",
            person=person,
            about=measure,
            command="AddPoints",
            title=f"Enter the {month:%B %Y} point of measure {measure}",
            opened=next_month(month),
            due=due,
        )


PART = Part(
    name="delivery",
    decide={RecordTouchpoint: record_touchpoint, AddPdsaNote: add_pdsa_note},
    evolve={
        MonthEnded: _month_ended,
        TouchpointHeld: _touchpoint_held,
        DriftFlagged: _drift_flagged,
        PdsaNoted: _pdsa_noted,
    },
    agenda=agenda,
    act=act,
    tasks=tasks,
)
