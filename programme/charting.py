"""What the chart of a measure says: signals that the co-owners explain, and lines that both let begin anew.

A chart is read whenever points have come in on a measure that an action in force is judged by. What chance does not
explain is asked about once for each run of points, and each side says for itself what it knows of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from programme import spc
from programme.measure import Explanation, Measure, MeasureId, Rebase, Signal
from programme.measures import measure_of, month_of, refuse_blank, with_measure
from programme.messages import PARTICIPANTS, Command, Event, Paragraph, PersonId, Sentence, Side, Stage, Task
from programme.part import Asked, Part
from programme.refusals import AlreadyDone, Invalid, NotCoOwner, NotYet, UnknownMeasure, UnknownSignal
from programme.spc import ChartPoint

if TYPE_CHECKING:
    from programme.engagement import Engagement
    from programme.stages.action import Action


# --- commands ------------------------------------------------------------------------------------------------------


class ExplainSignal(Command):
    """Say, for one's side, what one knows of a signal: what was done, or what else happened."""

    who = PARTICIPANTS
    refusals = (UnknownMeasure, UnknownSignal, NotCoOwner, AlreadyDone, Invalid)

    kind: Literal["ExplainSignal"] = "ExplainSignal"
    measure: MeasureId
    signal: int
    explanation: Paragraph


class AskForRebase(Command):
    """Ask the co-owner of the other side to let the chart's lines begin anew from a month on."""

    who = PARTICIPANTS
    refusals = (UnknownMeasure, NotCoOwner, Invalid)

    kind: Literal["AskForRebase"] = "AskForRebase"
    measure: MeasureId
    since: date
    reason: Sentence


class AnswerRebase(Command):
    """Agree to new lines, or not, as the co-owner of the other side."""

    who = PARTICIPANTS
    refusals = (UnknownMeasure, NotYet, NotCoOwner)

    kind: Literal["AnswerRebase"] = "AnswerRebase"
    measure: MeasureId
    agree: bool


Commands = ExplainSignal | AskForRebase | AnswerRebase


# --- events --------------------------------------------------------------------------------------------------------


class ChartRead(Event):
    """The chart was read for the first ``readings`` readings."""

    kind: Literal["ChartRead"] = "ChartRead"
    measure: MeasureId
    readings: int


class SignalRaised(Event):
    """Chance does not explain this; the co-owners are asked. ``meaning``: improvement, concern or neither."""

    kind: Literal["SignalRaised"] = "SignalRaised"
    measure: MeasureId
    signal: int
    period: date
    rule: str
    heading: int
    meaning: str
    on: date


class SignalExplained(Event):
    """A side has said what it knows of a signal."""

    kind: Literal["SignalExplained"] = "SignalExplained"
    measure: MeasureId
    signal: int
    side: Side
    by: PersonId
    explanation: str
    on: date


class RebaseAsked(Event):
    """One co-owner asks for new lines."""

    kind: Literal["RebaseAsked"] = "RebaseAsked"
    measure: MeasureId
    since: date
    reason: str
    by: PersonId
    on: date


class RebaseAgreed(Event):
    """Both co-owners want new lines; the old segments stay on the chart."""

    kind: Literal["RebaseAgreed"] = "RebaseAgreed"
    measure: MeasureId
    by: PersonId
    on: date


class RebaseDeclined(Event):
    """The lines stay as they are."""

    kind: Literal["RebaseDeclined"] = "RebaseDeclined"
    measure: MeasureId
    by: PersonId
    on: date


Events = ChartRead | SignalRaised | SignalExplained | RebaseAsked | RebaseAgreed | RebaseDeclined


# --- asking about charts -------------------------------------------------------------------------------------------


def watched_by(engagement: Engagement, measure: MeasureId) -> tuple[Action, ...]:
    """The actions in force that are judged by a measure; a suspended one still watches its figures."""
    if engagement.cycle is None:
        return ()
    actions = engagement.cycle.agreement.actions.values()
    return tuple(action for action in actions if measure in action.measures and action.watches)


def _new_runs(measure: Measure, since: date) -> Iterator[Sequence[ChartPoint]]:
    """Runs of points under one rule that a reading not yet looked at belongs to, and that nobody was asked about.

    since: the month in which the first action that watches the measure came into force; earlier runs are its past.
    """
    touched = {one.period for one in measure.readings[measure.read :]}
    for (rule, heading), run in groupby(measure.chart.points, lambda point: (point.rule, point.heading)):
        points = tuple(run)
        months = {point.on for point in points}
        asked = any(one.rule == rule and one.heading == heading and one.period in months for one in measure.signals)
        if rule is not None and not asked and months & touched and points[-1].on >= since:
            yield points


# --- decide --------------------------------------------------------------------------------------------------------


def explain_signal(engagement: Engagement, command: ExplainSignal, asked: Asked) -> list[Event]:
    """Explain for one side; the other explains for itself."""
    measure = measure_of(engagement, command.measure)
    refuse_blank(command.explanation, "The explanation")
    signal = next((one for one in measure.signals if one.number == command.signal), None)
    if signal is None:
        raise UnknownSignal(command.signal)
    side = engagement.people[asked.by].side
    if side is None or not any(asked.by in action.owners for action in watched_by(engagement, measure.id)):
        raise NotCoOwner
    if side in signal.explanations:
        raise AlreadyDone("your side has explained this signal")
    return [
        SignalExplained(
            measure=measure.id,
            signal=signal.number,
            side=side,
            by=asked.by,
            explanation=command.explanation,
            on=asked.today,
        )
    ]


def ask_for_rebase(engagement: Engagement, command: AskForRebase, asked: Asked) -> list[Event]:
    """Ask for new lines. A later request takes the place of one that nobody has answered."""
    measure = measure_of(engagement, command.measure)
    refuse_blank(command.reason, "The reason")
    if not any(asked.by in action.owners for action in watched_by(engagement, measure.id)):
        raise NotCoOwner
    month = month_of(command.since)
    if not any(one.period < month for one in measure.points) or not any(one.period >= month for one in measure.points):
        raise Invalid("New lines begin between two points. Name a month with a point before it and one from it on.")
    return [RebaseAsked(measure=measure.id, since=month, reason=command.reason, by=asked.by, on=asked.today)]


def answer_rebase(engagement: Engagement, command: AnswerRebase, asked: Asked) -> list[Event]:
    """Answer, as the co-owner who shares an action with whoever asked."""
    measure = measure_of(engagement, command.measure)
    if measure.asked_rebase is None:
        raise NotYet("nobody has asked for new lines on this measure's chart")
    if asked.by not in _who_answers(engagement, measure):
        raise NotCoOwner
    answer = RebaseAgreed if command.agree else RebaseDeclined
    return [answer(measure=measure.id, by=asked.by, on=asked.today)]


def _who_answers(engagement: Engagement, measure: Measure) -> tuple[PersonId, ...]:
    asker = measure.asked_rebase.asked_by if measure.asked_rebase else ""
    shared = [action for action in watched_by(engagement, measure.id) if asker in action.owners]
    return tuple(dict.fromkeys(owner for action in shared for owner in action.owners if owner != asker))


def follows(engagement: Engagement, asked: Asked) -> list[Event]:
    """Read a chart when points have come in, and ask about what it newly says."""
    for measure in engagement.measures.measures.values():
        if measure.read < len(measure.readings) and (watching := watched_by(engagement, measure.id)):
            return [ChartRead(measure=measure.id, readings=len(measure.readings)), *_signals(measure, watching, asked)]
    return []


def _signals(measure: Measure, watching: Sequence[Action], asked: Asked) -> Iterator[Event]:
    since = month_of(min(action.activated or asked.today for action in watching))
    for number, run in enumerate(_new_runs(measure, since), len(measure.signals) + 1):
        last = run[-1]
        yield SignalRaised(
            measure=measure.id,
            signal=number,
            period=last.on,
            rule=last.rule.value if last.rule else "",
            heading=last.heading,
            meaning=spc.MEANING[last.variation] or "",
            on=asked.today,
        )


# --- evolve --------------------------------------------------------------------------------------------------------


def _chart_read(engagement: Engagement, event: ChartRead, at: datetime) -> Engagement:
    del at
    return with_measure(engagement, engagement.measures.measures[event.measure].but(read=event.readings))


def _signal_raised(engagement: Engagement, event: SignalRaised, at: datetime) -> Engagement:
    del at
    measure = engagement.measures.measures[event.measure]
    facts = event.model_dump(exclude={"kind", "measure", "signal", "on"})
    signal = Signal(number=event.signal, raised=event.on, **facts)
    return with_measure(engagement, measure.but(signals=(*measure.signals, signal)))


def _signal_explained(engagement: Engagement, event: SignalExplained, at: datetime) -> Engagement:
    del at
    measure = engagement.measures.measures[event.measure]
    explanation = Explanation(by=event.by, text=event.explanation, on=event.on)
    signals = tuple(
        one.model_copy(update={"explanations": {**one.explanations, event.side: explanation}})
        if one.number == event.signal
        else one
        for one in measure.signals
    )
    return with_measure(engagement, measure.but(signals=signals))


def _rebase_asked(engagement: Engagement, event: RebaseAsked, at: datetime) -> Engagement:
    del at
    measure = engagement.measures.measures[event.measure]
    rebase = Rebase(since=event.since, reason=event.reason, asked_by=event.by, asked=event.on)
    return with_measure(engagement, measure.but(asked_rebase=rebase))


def _rebase_agreed(engagement: Engagement, event: RebaseAgreed, at: datetime) -> Engagement:
    del at
    measure = engagement.measures.measures[event.measure]
    if measure.asked_rebase is None:
        return engagement
    rebase = measure.asked_rebase.model_copy(update={"agreed_by": event.by, "agreed": event.on})
    return with_measure(engagement, measure.but(rebases=(*measure.rebases, rebase), asked_rebase=None))


def _rebase_declined(engagement: Engagement, event: RebaseDeclined, at: datetime) -> Engagement:
    del at
    return with_measure(engagement, engagement.measures.measures[event.measure].but(asked_rebase=None))


# --- tasks ---------------------------------------------------------------------------------------------------------


def tasks(engagement: Engagement) -> Iterator[Task]:
    """Explanations of signals, each side for itself; an answer about new lines."""
    if not engagement.in_stage(Stage.DELIVERY):
        return
    for measure in engagement.measures.measures.values():
        for signal in measure.signals:
            yield from _explanations(engagement, measure, signal)
        if measure.asked_rebase:
            yield from _rebase_tasks(engagement, measure, measure.asked_rebase)


def _explanations(engagement: Engagement, measure: Measure, signal: Signal) -> Iterator[Task]:
    span = engagement.span(Stage.DELIVERY)
    if len(signal.explanations) == len(Side) or span is None or signal.raised < span.started:
        return
    owners = dict.fromkeys(owner for action in watched_by(engagement, measure.id) for owner in action.owners)
    for owner in owners:
        side = engagement.people[owner].side
        if side not in signal.explanations:
            yield Task(
                id=f"{engagement.running.number}/delivery/signal-{measure.id}-{signal.number}/{owner}",
                ladder="explain-signal",
                person=owner,
                about=measure.id,
                command="ExplainSignal",
                title=f"Explain signal {signal.number} of measure {measure.id}, for the {side}s",
                opened=signal.raised,
                due=engagement.time.due(
                    signal.raised, engagement.template.durations.signal_explanation, "the signal was seen"
                ),
                side=side,
            )


def _rebase_tasks(engagement: Engagement, measure: Measure, rebase: Rebase) -> Iterator[Task]:
    for person in _who_answers(engagement, measure):
        yield Task(
            id=f"{engagement.running.number}/delivery/rebase-{measure.id}-{rebase.since}-{rebase.asked}/{person}",
            ladder="duty",
            person=person,
            about=measure.id,
            command="AnswerRebase",
            title=f"Say whether the lines of measure {measure.id} begin anew",
            opened=rebase.asked,
            due=engagement.time.due(rebase.asked, engagement.template.durations.signal_explanation, "it was asked"),
            side=engagement.people[person].side,
        )


PART = Part(
    name="charting",
    decide={ExplainSignal: explain_signal, AskForRebase: ask_for_rebase, AnswerRebase: answer_rebase},
    evolve={
        ChartRead: _chart_read,
        SignalRaised: _signal_raised,
        SignalExplained: _signal_explained,
        RebaseAsked: _rebase_asked,
        RebaseAgreed: _rebase_agreed,
        RebaseDeclined: _rebase_declined,
    },
    tasks=tasks,
    follows=follows,
)
