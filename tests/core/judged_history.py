"""Invariants 23 to 30 but 26, judged: messages, due dates, history, cycles, pauses."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta

from programme.continuity import CalendarChanged, DueDateMoved, EngagementResumed
from programme.engagement import Cycle, Engagement
from programme.gates import GatePassed, StageStarted
from programme.measures import PointCorrected
from programme.messages import (
    Entry,
    Event,
    PersonId,
    TaskId,
)
from programme.post import MessageIssued, RungSuppressed
from programme.stages.mandate import CycleStarted
from programme.stages.renewal import NextStep
from programme.working_time import at_local, local_date
from tests.core.judging import (
    Step,
    reviews,
    same_cycle,
)


def messages_leave_in_sending_hours_and_each_rung_once(step: Step) -> Iterator[str]:
    """23. No message outside 8am-6pm on a working day but an objection; each (task, person, rung) at most once."""
    new = {entry.sequence for entry in step.entries}
    said: Counter[tuple[TaskId, PersonId, str]] = Counter()
    fresh = set()
    if not any(isinstance(entry.event, MessageIssued | RungSuppressed) for entry in step.entries):
        return
    for entry in step.recorded:
        rungs = list(_rungs(entry.event))
        said.update(rungs)
        if entry.sequence in new:
            fresh.update(rungs)
    for rung in sorted(fresh):
        if said[rung] > 1:
            yield f"{rung} fired {said[rung]} times"
    for moment in step.moments:
        event = moment.event
        if isinstance(event, MessageIssued) and event.topic != "safety":
            if not _sending_hours(moment.before, moment.entry.at):
                yield f"a message left at {moment.entry.at}"
            if not any(moment.before.people[one].works.on(event.on) for one in event.people):
                yield f"a message left for {event.people} on a day off"
            yield from _too_many(moment.before, step.recorded[: moment.entry.sequence - 1], event)


def _rungs(event: Event) -> Iterator[tuple[TaskId, PersonId, str]]:
    if isinstance(event, MessageIssued):
        yield from ((item.task, person, item.rung) for item in event.items if item.task for person in event.people)
    elif isinstance(event, RungSuppressed):
        yield event.task, event.person, event.rung


def _sending_hours(engagement: Engagement, at: datetime) -> bool:
    holidays = {holiday.on for holiday in engagement.calendar.holidays}
    on = local_date(at)
    starts, ends = at_local(on, time(8)), at_local(on, time(18))
    return starts <= at < ends and on.weekday() < 5 and on not in holidays


def _too_many(engagement: Engagement, earlier: Sequence[Entry], event: MessageIssued) -> Iterator[str]:
    """One digest a person a day; of reminders and news three a week, while an escalation is never held back."""
    if event.topic != "digest":
        return
    monday = event.on - timedelta(days=event.on.weekday())
    for person in event.people:
        sent = []
        for entry in reversed(earlier):
            if local_date(entry.at) < monday - timedelta(days=1):
                break
            told = entry.event
            if isinstance(told, MessageIssued) and told.topic == "digest" and person in told.people:
                sent.append(told.on)
        if event.on in sent:
            yield f"{person} had a second message on {event.on}"
        urgent = any(item.escalation for item in event.items)
        if not urgent and sum(on >= monday for on in sent) >= engagement.template.thresholds.messages_a_week:
            yield f"{person} had more than a week's messages by {event.on}"


def due_dates_never_move_earlier_nor_unexplained(step: Step) -> Iterator[str]:
    """24. A due date never moves earlier, nor moves at all without an event saying why."""
    was = {task.id: task.due.on for task in step.before.open_tasks if task.due}
    moved = {one.event.task: one.event for one in step.entries if isinstance(one.event, DueDateMoved)}
    for task in step.after.open_tasks:
        if task.due is None:
            continue
        if (promised := step.promised.get(task.id)) and task.due.on < promised:
            yield f"{task.id} was due on {promised} and is due on {task.due.on}"
        if task.id in was and task.due.on != was[task.id]:
            event = moved.get(task.id)
            if event is None or (event.was, event.now) != (was[task.id], task.due.on) or not event.why.strip():
                yield f"{task.id} moved to {task.due.on} and no event says why"
    yield from _brought_forward(step)


def _brought_forward(step: Step) -> Iterator[str]:
    """What a passed due date brings about must not come before the date that people were told."""
    was = {due.key: due.at for due in step.before.acts if due.promised}
    if any(isinstance(entry.event, CalendarChanged | EngagementResumed) for entry in step.entries):
        for due in step.after.acts:
            if due.promised and due.key in was and due.at < was[due.key]:
                yield f"{due.key} comes at {due.at} and was to come at {was[due.key]}"


def the_history_rebuilds_the_state(step: Step) -> Iterator[str]:
    """25. State can be rebuilt from the history, through JSON and back; nothing is taken out of it."""
    rebuilt = step.moments[-1].after if step.moments else step.before
    if rebuilt != step.after:
        yield "folding what was recorded gives another state"
    if Engagement.model_validate_json(step.after.model_dump_json()) != step.after:
        yield "the state does not survive storage"
    if [one.sequence for one in step.recorded[-len(step.entries) - 1 :]] != list(
        range(max(step.after.sequence - len(step.entries), 1), step.after.sequence + 1)
    ):
        yield "the history has a gap"


def figures_and_findings_are_corrected_never_edited(step: Step) -> Iterator[str]:
    """27. Data points and reviews are corrected by a new entry with reason, never edited."""
    for name, measure in step.before.measures.measures.items():
        now = step.after.measures.measures.get(name)
        if now is None or now.readings[: len(measure.readings)] != measure.readings:
            yield f"readings of {name} were edited"
    for entry in step.entries:
        if isinstance(entry.event, PointCorrected) and not entry.event.reason.strip():
            yield "a point was corrected without a reason"
    yield from _edited_reviews(step)
    if step.after.past[: len(step.before.past)] != step.before.past:
        yield "a past cycle was edited"


def _edited_reviews(step: Step) -> Iterator[str]:
    after = {review.id: review for review in reviews(step.after)}
    for review in reviews(step.before) if same_cycle(step) else ():
        for name, finding in review.findings.items():
            kept = after[review.id].findings.get(name)
            if kept is None:
                yield f"finding {name} was deleted"
            elif kept.text != finding.text and not (
                kept.corrections[:-1] == finding.corrections
                and kept.corrections[-1].was == finding.text
                and kept.corrections[-1].reason.strip()
            ):
                yield f"finding {name} was edited"
        if review.evidence and after[review.id].evidence != review.evidence:
            yield f"the evidence of {review.id} was edited"


def one_cycle_at_a_time(step: Step) -> Iterator[str]:
    """28. Only one cycle of an engagement is open at a time."""
    cycles: list[Cycle] = [*step.after.past, *([step.after.cycle] if step.after.cycle else [])]
    if [one.number for one in cycles] != list(range(1, len(cycles) + 1)):
        yield f"cycles {[one.number for one in cycles]}"
    if any(one.renewal.outcome in (None, NextStep.CLOSE) for one in step.after.past):
        yield "a cycle is past and was not decided"
    running = step.after.cycle.number if step.after.cycle else 0
    for span in step.after.stages:
        if span.ended is None and span.cycle != running:
            yield f"{span.stage.value} of cycle {span.cycle} is open in cycle {running}"
    open_now = Counter(span.stage for span in step.after.stages if span.ended is None)
    if any(count > 1 for count in open_now.values()):
        yield "a stage is open twice"


def a_pause_reminds_nobody_and_passes_no_gate(step: Step) -> Iterator[str]:
    """29. A paused engagement sends no reminders and passes no gates."""
    for moment in step.moments:
        event = moment.event
        if moment.before.continuity.pause is None:
            continue
        if isinstance(event, GatePassed | StageStarted | CycleStarted):
            yield f"{event.kind} during a pause"
        if isinstance(event, MessageIssued) and event.topic not in ("pause", "safety"):
            yield f"a message of topic '{event.topic}' left during a pause"
        if isinstance(event, MessageIssued | RungSuppressed):
            tasks = [event.task] if isinstance(event, RungSuppressed) else [item.task for item in event.items]
            if any(task and "safety" not in task for task in tasks):
                yield "a rung fired during a pause"


def nothing_ranks_people_or_trusts(step: Step) -> Iterator[str]:
    """30. The core's share: lists stand in the order of time and of ids, so that no place in one says anything."""
    if list(step.after.coming) != sorted(step.after.coming, key=lambda due: (due.at, due.key)):
        yield "what comes next is not in the order of time"
