"""Stage 7, Re-diagnosis and renewal: the same questions again, a last joint session, and what both sponsors decide.

Renew, sustain or close takes both, each unseen until both have decided. Where they differ, or one is silent, they meet
once with the facilitator; if they still do not agree, the engagement sustains: silence neither ends nor extends it by
one side's will. A year of sustaining is a cycle with an external review and this stage, and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from programme.gates import TITLES, StageEnded, StageStarted, common_lacks
from programme.messages import (
    SPONSORS,
    Command,
    Due,
    DueDate,
    Event,
    Frozen,
    Paragraph,
    PersonId,
    Role,
    Side,
    Stage,
    Task,
)
from programme.part import Asked, Part
from programme.post import NoticeRaised
from programme.refusals import AlreadyDone, Invalid, NotYet, SponsorsAbsent
from programme.soundness import refuse_unsound
from programme.stages import challenge, review_plan
from programme.stages.diagnosis import DIAGNOSIS, REDIAGNOSIS, Survey, WindowOpened
from programme.stages.mandate import CycleStarted
from programme.stages.session import Purpose
from programme.stages.sessions import call_session
from programme.template import ProgrammeTemplate
from programme.working_time import at_local, end_of

if TYPE_CHECKING:
    from programme.engagement import Engagement

ROUNDS = 2  # once apart, and once more after the joint meeting


class NextStep(StrEnum):
    """What comes after a cycle."""

    RENEW = "renew"
    SUSTAIN = "sustain"
    CLOSE = "close"


class Decision(Frozen):
    """What a sponsor wants, and whether under the newest template; ``entry`` is its place in the journal."""

    choice: NextStep
    newest_template: bool = False
    entry: int
    on: date


class Comparison(Frozen):
    """The two packs that are compared, by their digests: this cycle's diagnosis and its re-diagnosis."""

    earlier: str
    later: str
    on: date


class Renewal(Frozen):
    """How a cycle ends. ``asked``: None while nobody is asked; ``shown``: entries of decisions that are revealed."""

    comparison: Comparison | None = None
    session_called: date | None = None
    offered: ProgrammeTemplate | None = None
    round: int = 0
    asked: date | None = None
    decisions: dict[PersonId, Decision] = Field(default_factory=dict)
    shown: tuple[int, ...] = ()
    meeting_asked: date | None = None
    met: date | None = None
    outcome: NextStep | None = None


# --- commands ------------------------------------------------------------------------------------------------------


class OfferTemplate(Command):
    """The newest template of the programme. Brought by the system; a running cycle keeps its own."""

    refusals = (Invalid,)

    kind: Literal["OfferTemplate"] = "OfferTemplate"
    template: ProgrammeTemplate


class SuggestTemplate(Command):
    """Offer both sponsors a template for the next cycle, by its name; the running cycle keeps its own."""

    who = frozenset({Role.PROGRAMME_MANAGER})
    refusals = (NotYet, AlreadyDone, Invalid)

    kind: Literal["SuggestTemplate"] = "SuggestTemplate"
    template: ProgrammeTemplate


class DecideRenewal(Command):
    """Say what should come next, unseen by the other sponsor until both have.

    ``newest_template``: a renewed cycle runs under the newest template if both sponsors say so, else under this one.
    """

    who = SPONSORS
    refusals = (NotYet, AlreadyDone, Invalid)

    kind: Literal["DecideRenewal"] = "DecideRenewal"
    choice: NextStep
    newest_template: bool = False


class RecordJointMeeting(Command):
    """Both sponsors have met with the facilitator about what comes next; each then decides once more."""

    who = frozenset({Role.FACILITATOR})
    refusals = (NotYet, AlreadyDone, SponsorsAbsent, Invalid)

    kind: Literal["RecordJointMeeting"] = "RecordJointMeeting"
    attended: tuple[PersonId, ...]
    summary: Paragraph


Commands = OfferTemplate | SuggestTemplate | DecideRenewal | RecordJointMeeting


# --- events --------------------------------------------------------------------------------------------------------


class TemplateOffered(Event):
    """A newer template exists: a next cycle may run under it."""

    kind: Literal["TemplateOffered"] = "TemplateOffered"
    template: ProgrammeTemplate
    on: date


class CyclesCompared(Event):
    """The diagnosis and the re-diagnosis of a cycle can be read side by side."""

    kind: Literal["CyclesCompared"] = "CyclesCompared"
    earlier: str
    later: str
    on: date


class LearningSessionAsked(Event):
    """The last joint session of the cycle was asked for."""

    kind: Literal["LearningSessionAsked"] = "LearningSessionAsked"
    on: date


class RenewalAsked(Event):
    """Both sponsors are asked what comes next."""

    kind: Literal["RenewalAsked"] = "RenewalAsked"
    round: int
    on: date


class RenewalDecided(Event):
    """A sponsor has decided. Nobody reads the decision before both are in."""

    kind: Literal["RenewalDecided"] = "RenewalDecided"
    sponsor: PersonId
    choice: NextStep
    newest_template: bool
    on: date


class RenewalRevealed(Event):
    """Both decisions are in and are shown to both sponsors at the same moment."""

    kind: Literal["RenewalRevealed"] = "RenewalRevealed"
    round: int


class JointMeetingAsked(Event):
    """The sponsors differ, or one was silent: they meet once with the facilitator."""

    kind: Literal["JointMeetingAsked"] = "JointMeetingAsked"
    on: date


class JointMeetingHeld(Event):
    """Both sponsors and the facilitator met."""

    kind: Literal["JointMeetingHeld"] = "JointMeetingHeld"
    attended: tuple[PersonId, ...]
    summary: str
    on: date


class RenewalSettled(Event):
    """What comes next. ``by_time``: the sponsors did not agree in time, so the engagement sustains."""

    kind: Literal["RenewalSettled"] = "RenewalSettled"
    outcome: NextStep
    by_time: bool
    on: date


class DiagnosisCarriedOver(Event):
    """The re-diagnosis of the cycle before is the diagnosis of this one: the same people have just answered."""

    kind: Literal["DiagnosisCarriedOver"] = "DiagnosisCarriedOver"
    pack: str
    on: date


class EngagementClosed(Event):
    """Both sponsors have ended the engagement; retention runs from here. The figures are the close-out report's."""

    kind: Literal["EngagementClosed"] = "EngagementClosed"
    on: date
    retention_from: date
    cycles: int
    actions: dict[str, int]
    reviews: int
    findings: dict[str, int]
    differences: int


Events = (
    TemplateOffered
    | CyclesCompared
    | LearningSessionAsked
    | RenewalAsked
    | RenewalDecided
    | RenewalRevealed
    | JointMeetingAsked
    | JointMeetingHeld
    | RenewalSettled
    | DiagnosisCarriedOver
    | EngagementClosed
)


# --- where the stage stands ----------------------------------------------------------------------------------------


def rediagnosis(engagement: Engagement) -> Survey:
    """The questionnaire of this stage."""
    return engagement.running.diagnosis.survey(REDIAGNOSIS)


def opening_lacks(engagement: Engagement) -> list[str]:
    """What is missing before the stage may open in its month."""
    missing = common_lacks(engagement)
    if not review_plan.agreed(engagement):
        missing.append("both sides must have agreed on an action (gate G4)")
    return missing


def lacks(engagement: Engagement) -> list[str]:
    """What is missing before the sponsors are asked; the last joint session apart, which is waited for only so long."""
    missing = [*opening_lacks(engagement), *challenge.lacks(engagement)]
    survey = rediagnosis(engagement)
    if not survey.released and not survey.stopped:
        missing.append("the re-diagnosis must be released")
    return missing


def session_waited_for(engagement: Engagement) -> DueDate | None:
    """Until when the last joint session is waited for; None where its notes count, or where none was asked for."""
    called = engagement.running.renewal.session_called
    held = any(one.purpose is Purpose.LEARNING and one.counts_from for one in engagement.running.sessions.all.values())
    if held or called is None:
        return None
    days = engagement.template.durations.renewal_session
    return engagement.time.due(called, days, "the last joint session was asked for")


def in_turn(engagement: Engagement) -> tuple[PersonId, ...]:
    """The sponsors who have not decided yet, while they are asked."""
    renewal = engagement.running.renewal
    return tuple(one for one in engagement.sponsors if one not in renewal.decisions) if renewal.asked else ()


# --- decide --------------------------------------------------------------------------------------------------------


def offer_template(engagement: Engagement, command: OfferTemplate, asked: Asked) -> list[Event]:
    """Note a newer template; the running cycle stays on its own. Said twice, or too late, it is no news."""
    refuse_unsound(command.template)
    renewal = engagement.cycle.renewal if engagement.cycle else None
    known = renewal is None or command.template in (engagement.template, renewal.offered)
    too_late = renewal is not None and bool(renewal.decisions or renewal.outcome)  # a sponsor has relied on it
    return [] if known or too_late else _offer(engagement, command.template, asked.today)


def suggest_template(engagement: Engagement, command: SuggestTemplate, asked: Asked) -> list[Event]:
    """Offer another template for the next cycle; it takes the place of what was offered before."""
    refuse_unsound(command.template)
    if engagement.cycle is None:
        what = "the first cycle has not begun"
        raise NotYet(what)
    if engagement.cycle.renewal.decisions:
        what = "a sponsor has decided about the next cycle, knowing what was offered"
        raise NotYet(what)
    if command.template == engagement.template:
        what = "the running cycle is under this version of the template"
        raise AlreadyDone(what)
    if command.template == engagement.cycle.renewal.offered:
        what = "this version of the template is offered"
        raise AlreadyDone(what)
    return _offer(engagement, command.template, asked.today)


def _offer(engagement: Engagement, template: ProgrammeTemplate, today: date) -> list[Event]:
    title = "Another programme template is there for a next cycle. Look at what differs before you decide"
    return [
        TemplateOffered(template=template, on=today),
        NoticeRaised(people=engagement.sponsors, title=title, about="renewal", together=True),
    ]


def decide_renewal(engagement: Engagement, command: DecideRenewal, asked: Asked) -> list[Event]:
    """Take one sponsor's decision."""
    renewal = engagement.running.renewal if engagement.cycle else Renewal()
    if renewal.asked is None:
        missing = lacks(engagement) if engagement.cycle else ["no cycle has begun"]
        raise NotYet("; ".join(missing) or "the sponsors are not asked now")
    if asked.by in renewal.decisions:
        raise AlreadyDone("you have decided in this round")
    if command.newest_template and renewal.offered is None:
        message = "There is no newer template than the present one. Decide without it."
        raise Invalid(message)
    facts = command.model_dump(exclude={"kind"})
    return [RenewalDecided(sponsor=asked.by, **facts, on=asked.today)]


def record_joint_meeting(engagement: Engagement, command: RecordJointMeeting, asked: Asked) -> list[Event]:
    """The meeting took place, with both sponsors there; both are asked once more."""
    renewal = engagement.running.renewal if engagement.cycle else Renewal()
    if renewal.met:
        raise AlreadyDone("there is one joint meeting, and it is recorded")
    if renewal.meeting_asked is None:
        raise NotYet("the sponsors have not decided differently")
    if len(engagement.sponsors) < len(Side) or not set(engagement.sponsors) <= set(command.attended):
        raise SponsorsAbsent
    summary = command.summary.strip()
    if not summary:
        message = "Write in a few sentences what was said at the joint meeting."
        raise Invalid(message)
    return [
        JointMeetingHeld(attended=command.attended, summary=summary, on=asked.today),
        *_ask(engagement, ROUNDS, asked),
    ]


def _ask(engagement: Engagement, round_: int, asked: Asked) -> list[Event]:
    title = "You are asked what comes next: renew, sustain or close"
    return [
        RenewalAsked(round=round_, on=asked.today),
        NoticeRaised(people=engagement.sponsors, title=title, about="renewal", together=True),
    ]


# --- what follows --------------------------------------------------------------------------------------------------


def follows(engagement: Engagement, asked: Asked) -> list[Event]:
    """Compare, call the last session, ask both sponsors, and do what they both decide."""
    if engagement.cycle is None or not engagement.in_stage(Stage.RENEWAL):
        return []
    renewal, survey = engagement.cycle.renewal, rediagnosis(engagement)
    earlier = engagement.cycle.diagnosis.survey(DIAGNOSIS)
    if survey.released and earlier.pack and renewal.comparison is None:
        return [CyclesCompared(earlier=earlier.pack, later=survey.pack, on=asked.today)]
    over = survey.released or survey.stopped
    if over and renewal.session_called is None and not engagement.cycle.sustaining:
        title, why = "What did we learn", "The re-diagnosis is over"
        return [
            LearningSessionAsked(on=asked.today),
            *call_session(engagement, Purpose.LEARNING, title, asked.today, why),
        ]
    if renewal.round == 0 and not lacks(engagement) and not _still_waiting(engagement, asked):
        return _ask(engagement, 1, asked)
    if renewal.asked and not in_turn(engagement) and not common_lacks(engagement):
        return _both_in(engagement, renewal, asked)
    return []


def _still_waiting(engagement: Engagement, asked: Asked) -> bool:
    due = session_waited_for(engagement)
    return due is not None and asked.today <= due.on


def _both_in(engagement: Engagement, renewal: Renewal, asked: Asked) -> list[Event]:
    decisions = [renewal.decisions[sponsor] for sponsor in engagement.sponsors]
    title = "Both decisions about what comes next are in. You can read them now"
    revealed = [
        RenewalRevealed(round=renewal.round),
        NoticeRaised(people=engagement.sponsors, title=title, about="renewal", together=True),
    ]
    choices = {one.choice for one in decisions}
    if len(choices) == 1:
        newest = all(one.newest_template for one in decisions)
        return [*revealed, *_settled(engagement, choices.pop(), asked, newest=newest)]
    return [*revealed, *_differ(engagement, renewal, asked)]


def _differ(engagement: Engagement, renewal: Renewal, asked: Asked) -> list[Event]:
    """Once: a joint meeting. Twice: sustain, because neither side ends or extends the engagement alone."""
    if renewal.round >= ROUNDS:
        return _settled(engagement, NextStep.SUSTAIN, asked, by_time=True)
    people = (*engagement.sponsors, *engagement.holders(Role.FACILITATOR))
    title = "Both sponsors and the facilitator meet about what comes next"
    return [
        JointMeetingAsked(on=asked.today),
        NoticeRaised(people=people, title=title, about="renewal", together=True),
    ]


def _settled(
    engagement: Engagement, outcome: NextStep, asked: Asked, *, by_time: bool = False, newest: bool = False
) -> list[Event]:
    """End the cycle, and begin what comes next."""
    number, today = engagement.running.number, asked.today
    open_now = [span.stage for span in engagement.stages if span.ended is None]
    ended = [
        RenewalSettled(outcome=outcome, by_time=by_time, on=today),
        *(StageEnded(stage=stage, cycle=number, on=today) for stage in open_now),
    ]
    if outcome is NextStep.CLOSE:
        return [
            *ended,
            _news(engagement, "The programme has ended by decision of both sponsors"),
            _closed(engagement, today),
        ]
    offered = engagement.running.renewal.offered if newest else None
    return [*ended, *_next_cycle(engagement, outcome, offered, today)]


def _next_cycle(
    engagement: Engagement, outcome: NextStep, offered: ProgrammeTemplate | None, today: date
) -> Iterator[Event]:
    sustaining = outcome is NextStep.SUSTAIN
    first = Stage.CHALLENGE if sustaining else Stage.DIAGNOSIS
    number = engagement.running.number + 1
    yield CycleStarted(number=number, on=today, template=offered, sustaining=sustaining)
    if serves_as_diagnosis(engagement, offered or engagement.template):
        yield DiagnosisCarriedOver(pack=rediagnosis(engagement).pack, on=today)
    yield StageStarted(stage=first, cycle=number, on=today)
    title = "The programme is sustained for a year" if sustaining else f"The next cycle begins: {TITLES[first]}"
    yield _news(engagement, title)


def serves_as_diagnosis(engagement: Engagement, template: ProgrammeTemplate) -> bool:
    """Whether the re-diagnosis just made is the next cycle's diagnosis: released, by the questionnaire that it uses."""
    present = engagement.template
    same = (template.questionnaire, template.questionnaire_version) == (
        present.questionnaire,
        present.questionnaire_version,
    )
    return same and rediagnosis(engagement).released is not None


def _news(engagement: Engagement, title: str) -> NoticeRaised:
    people = tuple(person.id for person in engagement.people.values() if person.roles() - {Role.AUDITOR})
    return NoticeRaised(people=people, title=title, about="renewal")


def _closed(engagement: Engagement, today: date) -> EngagementClosed:
    """The figures of the close-out report. They count; they compare nobody."""
    cycles = [*engagement.past, engagement.running]
    actions = {action.id: action for cycle in cycles for action in cycle.agreement.actions.values()}
    reviews = [review for cycle in cycles for review in cycle.challenge.reviews.values()]
    kinds = Counter(finding.kind.value for review in reviews for finding in review.findings.values())
    return EngagementClosed(
        on=today,
        retention_from=today,
        cycles=len(cycles),
        actions=dict(sorted(Counter(one.status.value for one in actions.values()).items())),
        reviews=sum(1 for review in reviews if review.held),
        findings=dict(sorted(kinds.items())),
        differences=len(engagement.differences),
    )


# --- evolve --------------------------------------------------------------------------------------------------------


def _offered(engagement: Engagement, event: TemplateOffered, at: datetime) -> Engagement:
    del at
    return _with(engagement, offered=event.template)


def _compared(engagement: Engagement, event: CyclesCompared, at: datetime) -> Engagement:
    del at
    return _with(engagement, comparison=Comparison(earlier=event.earlier, later=event.later, on=event.on))


def _session_asked(engagement: Engagement, event: LearningSessionAsked, at: datetime) -> Engagement:
    del at
    return _with(engagement, session_called=event.on)


def _asked(engagement: Engagement, event: RenewalAsked, at: datetime) -> Engagement:
    del at
    return _with(engagement, round=event.round, asked=event.on, decisions={})


def _decided(engagement: Engagement, event: RenewalDecided, at: datetime) -> Engagement:
    del at
    entry = engagement.sequence + 1
    decision = Decision(choice=event.choice, newest_template=event.newest_template, entry=entry, on=event.on)
    return _with(engagement, decisions={**engagement.running.renewal.decisions, event.sponsor: decision})


def _revealed(engagement: Engagement, event: RenewalRevealed, at: datetime) -> Engagement:
    del event, at
    renewal = engagement.running.renewal
    return _with(engagement, asked=None, shown=(*renewal.shown, *(one.entry for one in renewal.decisions.values())))


def _meeting_asked(engagement: Engagement, event: JointMeetingAsked, at: datetime) -> Engagement:
    del at
    return _with(engagement, asked=None, meeting_asked=event.on)


def _met(engagement: Engagement, event: JointMeetingHeld, at: datetime) -> Engagement:
    del at
    return _with(engagement, met=event.on)


def _outcome(engagement: Engagement, event: RenewalSettled, at: datetime) -> Engagement:
    del at
    return _with(engagement, asked=None, outcome=event.outcome)


def _carried_over(engagement: Engagement, event: DiagnosisCarriedOver, at: datetime) -> Engagement:
    del event, at
    survey = engagement.past[-1].diagnosis.survey(REDIAGNOSIS).model_copy(update={"carried": True})
    diagnosis = engagement.running.diagnosis
    return engagement.in_cycle(diagnosis=diagnosis.model_copy(update={"surveys": {DIAGNOSIS: survey}}))


def _ended(engagement: Engagement, event: EngagementClosed, at: datetime) -> Engagement:
    del event, at
    return engagement.but(ended="closed")


def _with(engagement: Engagement, **changes: object) -> Engagement:
    return engagement.in_cycle(renewal=engagement.running.renewal.model_copy(update=changes))


# --- agenda and tasks ----------------------------------------------------------------------------------------------


def agenda(engagement: Engagement) -> Iterator[Due]:
    """The month in which the stage opens; until when the session, the decisions and the meeting are waited for."""
    if engagement.cycle is None or opening_lacks(engagement):
        return
    if not engagement.in_stage(Stage.RENEWAL):
        month = engagement.template.rediagnosis_month
        at = at_local(review_plan.month_begins(engagement, month), time(0))
        why = f"Month {month} of the cycle"
        yield Due(at=at, key="act:renewal:open", what="The same questionnaire opens again", why=why)
        return
    renewal, durations, due_in = engagement.cycle.renewal, engagement.template.durations, engagement.time.due
    if renewal.round == 0 and not lacks(engagement) and (due := session_waited_for(engagement)):
        what = "Both sponsors are asked what comes next"
        yield Due(at=end_of(due.on), key="act:renewal:ask", what=what, why=due.why, promised=True)
    if renewal.asked:
        due = due_in(renewal.asked, durations.renewal_decision, "both sponsors were asked")
        what = "Without both decisions, the sponsors meet" if renewal.round < ROUNDS else WITHOUT_AGREEMENT
        key, closes = f"act:renewal:silence/{renewal.round}", ("renewal", "renewal")
        yield Due(at=end_of(due.on), key=key, what=what, why=due.why, promised=True, closes=closes)
    if renewal.meeting_asked and not renewal.met:
        due = meeting_due(engagement, renewal.meeting_asked)
        yield Due(at=end_of(due.on), key="act:renewal:unmet", what=WITHOUT_AGREEMENT, why=due.why, promised=True)


WITHOUT_AGREEMENT = "Without agreement of both sponsors, the programme is sustained"


def meeting_due(engagement: Engagement, asked: date) -> DueDate:
    """Until when the joint meeting is waited for."""
    return engagement.time.due(asked, engagement.template.durations.renewal_meeting, "the sponsors were asked to meet")


def act(engagement: Engagement, what: str, asked: Asked) -> list[Event]:
    """Open the stage, ask the sponsors, or draw the consequence of silence."""
    match what:
        case "open":
            return _opened(engagement, asked)
        case "ask":
            return _ask(engagement, 1, asked)
        case "unmet":
            return _settled(engagement, NextStep.SUSTAIN, asked, by_time=True)
        case _:
            return _differ(engagement, engagement.running.renewal, asked)


def _opened(engagement: Engagement, asked: Asked) -> list[Event]:
    number = engagement.running.number
    return [
        StageStarted(stage=Stage.RENEWAL, cycle=number, on=asked.today),
        WindowOpened(survey=REDIAGNOSIS, on=asked.today),
        _news(engagement, f"The programme has come to: {TITLES[Stage.RENEWAL]}"),
    ]


def tasks(engagement: Engagement) -> Iterator[Task]:
    """The sponsors' decisions, and the facilitator's joint meeting."""
    if engagement.cycle is None:
        return
    renewal, durations = engagement.cycle.renewal, engagement.template.durations
    prefix = f"{engagement.cycle.number}/{Stage.RENEWAL.value}"
    for sponsor in in_turn(engagement):
        assert renewal.asked  # noqa: S101 - nobody is in turn unless asked
        yield Task(
            id=f"{prefix}/decision-{renewal.round}/{sponsor}",
            ladder="renewal",
            person=sponsor,
            about="renewal",
            command="DecideRenewal",
            title="Decide what comes next: renew, sustain or close",
            opened=renewal.asked,
            due=engagement.time.due(renewal.asked, durations.renewal_decision, "you were asked"),
        )
    if renewal.meeting_asked and not renewal.met and renewal.outcome is None:
        for facilitator in engagement.holders(Role.FACILITATOR):
            yield Task(
                id=f"{prefix}/meeting/{facilitator}",
                ladder="duty",
                person=facilitator,
                about="renewal",
                command="RecordJointMeeting",
                title="Bring both sponsors together about what comes next",
                opened=renewal.meeting_asked,
                due=meeting_due(engagement, renewal.meeting_asked),
            )


PART = Part(
    name="renewal",
    decide={
        OfferTemplate: offer_template,
        SuggestTemplate: suggest_template,
        DecideRenewal: decide_renewal,
        RecordJointMeeting: record_joint_meeting,
    },
    evolve={
        TemplateOffered: _offered,
        CyclesCompared: _compared,
        LearningSessionAsked: _session_asked,
        RenewalAsked: _asked,
        RenewalDecided: _decided,
        RenewalRevealed: _revealed,
        JointMeetingAsked: _meeting_asked,
        JointMeetingHeld: _met,
        RenewalSettled: _outcome,
        DiagnosisCarriedOver: _carried_over,
        EngagementClosed: _ended,
    },
    agenda=agenda,
    act=act,
    tasks=tasks,
    follows=follows,
)
