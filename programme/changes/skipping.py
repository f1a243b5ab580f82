"""Leaving a step out: where the programme allows it, with a reason, openly, and counted nowhere as done.

Whatever a gate, an invariant or somebody's protection hangs on is never left out, and the refusal names it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from programme.changes.looking_after import role_of, task_in_care
from programme.changes.record import Skipped, SkipReason, Step, duty_of, with_changes
from programme.messages import Command, Event, PersonId, Role, Sentence, Task, TaskId
from programme.part import Asked, Part
from programme.post import NoticeRaised
from programme.refusals import Invalid, NotSkippable, UnknownTask
from programme.stages.exchange import FURTHER
from programme.stages.visits import with_exchange, with_pair
from programme.working_time import uk_date

if TYPE_CHECKING:
    from programme.engagement import Engagement

STEPS: Mapping[str, Step] = {
    "OfferInsight": Step.INSIGHT,
    "ShareInsight": Step.SHARING,
    "RecordVisit": Step.VISIT,
    "CheckIn": Step.CHECK_IN,
    "RecordTouchpoint": Step.TOUCHPOINT,
    "GivePositionStatement": Step.POSITION,
}
"""What may be left out, by the command that would do it."""

CONSEQUENCES: Mapping[Step, str] = {
    Step.INSIGHT: "Session A goes without it",
    Step.SHARING: "The insight stays in the pair",
    Step.VISIT: "What is written afterwards rests on one visit",
    Step.CHECK_IN: "The month stays without a line of either side, and the next review reads so",
    Step.TOUCHPOINT: "The next one is asked for in its time; a long while without any is still told to both sponsors",
    Step.POSITION: "The panel goes on without it, and says so",
    Step.FURTHER_PAIRS: "The exchange ends with the pairs that there are",
}
FOR_BOTH = frozenset({Step.CHECK_IN, Step.TOUCHPOINT})
"""What is left out for both sides or for neither."""
OF_A_PAIR = frozenset({Step.INSIGHT, Step.SHARING})
"""What stays in a pair: no review is told of it."""

_LOOKED_AT = "the rule that people of both sides who do not own it look at it"
_CLINICAL = "the safety of patients"
NEEDED: Mapping[str, str] = {
    "AcceptAppointment": "gate G0",
    "Appoint": "gate G0",
    "ChooseAfterShortfall": "gate G1",
    "WriteThemes": "gate G1",
    "ConfirmPairs": "gate G2",
    "RePair": "gate G2",
    "WriteReflection": "gate G2",
    "MarkReflection": "gate G2",
    "ScheduleSession": "gate G3",
    "MoveSession": "gate G3",
    "RecordAttendance": "gate G3",
    "WriteNotes": "gate G3",
    "ConfirmNotes": "gate G3",
    "SettleNotes": "gate G3",
    "DefineMeasure": "gate G4",
    "AddPoints": "gate G4, and every chart after it,",
    "AgreeAction": "gate G4",
    "SignCompact": "gate G4",
    "OwnDevelopmentNeed": "gate G4",
    "ApproveAction": _CLINICAL,
    "AcknowledgeObjection": _CLINICAL,
    "DecideObjection": _CLINICAL,
    "VerifyAction": _LOOKED_AT,
    "ConfirmNeedMet": _LOOKED_AT,
    "ExplainSignal": "the rule that a signal is explained by the co-owners",
    "AppointToPanel": "gate G6",
    "AcceptPanel": "gate G6",
    "ScheduleReview": "gate G6",
    "HoldReview": "gate G6",
    "RecordFindings": "gate G6",
    "AnswerFinding": "gate G6",
    "RecordProgressCheck": "what was promised after the external review",
    "DecideRenewal": "the rule that both sponsors decide what comes next",
    "RecordJointMeeting": "the rule that both sponsors decide what comes next",
}
"""What hangs on a step, by the command that does it. On every other step hangs the programme itself."""


class SkipStep(Command):
    """Leave out, with a reason, a step that the programme can do without. ``task``: the id of its task.

    An insight, the second visit of a pair, the check-ins of a month, a joint touchpoint, a position statement. It
    never counts as done, and the next review reads that it was left out.
    """

    who = frozenset({Role.PROGRAMME_MANAGER, Role.FACILITATOR})
    refusals = (UnknownTask, NotSkippable, Invalid)

    kind: Literal["SkipStep"] = "SkipStep"
    task: TaskId
    reason: SkipReason
    sentence: Sentence


Commands = SkipStep


class StepSkipped(Event):
    """A step was left out. ``person``: whose step it was, where it was one person's."""

    kind: Literal["StepSkipped"] = "StepSkipped"
    step: Step
    about: str
    tasks: tuple[TaskId, ...]
    person: PersonId = ""
    due: date | None = None
    reason: SkipReason
    sentence: str
    cycle: int
    on: date


Events = StepSkipped


# --- asking about what was left out ----------------------------------------------------------------------------------


def left_out_in_words(engagement: Engagement) -> tuple[str, ...]:
    """What was left out in the running cycle, for a review: what, when and why, without anybody's name."""
    return tuple(
        f"{one.step.words} {one.about}, left out on {uk_date(one.on)}: {one.reason.value.replace('_', ' ')}"
        for one in engagement.changes.skipped
        if one.cycle == engagement.running.number and one.step not in OF_A_PAIR
    )


# --- decide ----------------------------------------------------------------------------------------------------------


def skip_step(engagement: Engagement, command: SkipStep, asked: Asked) -> list[Event]:
    """Leave a step out, and say so to whoever it concerns."""
    task = task_in_care(engagement, command.task, role_of(engagement, asked))
    step = Step.FURTHER_PAIRS if task.about == FURTHER else STEPS.get(task.command)
    if step is None:
        raise NotSkippable(NEEDED.get(task.command, "the programme itself"))
    if step is Step.VISIT and not engagement.running.exchange.pairs[task.about].visits:
        raise NotSkippable("gate G2, as long as the two have not met once,")
    if not command.sentence.strip():
        raise Invalid("Say in a sentence why the step is left out: the history and the next review keep it.")
    alike = [one for one in engagement.open_tasks if duty_of(one.id) == duty_of(task.id)]
    left_out = alike if step in FOR_BOTH else [task]
    skipped = StepSkipped(
        step=step,
        about=task.about,
        tasks=tuple(one.id for one in left_out),
        person="" if step in FOR_BOTH else task.person,
        due=task.due.on if task.due else None,
        reason=command.reason,
        sentence=command.sentence.strip(),
        cycle=engagement.running.number,
        on=asked.today,
    )
    return [skipped, *_told(engagement, step, left_out)]


def _told(engagement: Engagement, step: Step, left_out: list[Task]) -> Iterator[Event]:
    people = [one.person for one in left_out]
    if step is Step.POSITION:
        people += engagement.running.challenge.reviews[left_out[0].about].panel
    title = f"Left out: {left_out[0].title}. {CONSEQUENCES[step]}"
    yield NoticeRaised(people=tuple(dict.fromkeys(people)), title=title, about=left_out[0].about)


# --- evolve ----------------------------------------------------------------------------------------------------------


def _skipped(engagement: Engagement, event: StepSkipped, at: datetime) -> Engagement:
    del at
    one = Skipped(**event.model_dump(exclude={"kind", "person"}))
    after = with_changes(engagement, skipped=(*engagement.changes.skipped, one))
    if event.step is Step.FURTHER_PAIRS:
        return with_exchange(after, before_return=0)
    if event.step is not Step.VISIT:
        return after
    left_out = after.running.exchange.pairs[event.about].left_out
    return with_pair(after, event.about, left_out={**left_out, event.person: event.on})


PART = Part(name="skipping", decide={SkipStep: skip_step}, evolve={StepSkipped: _skipped})
