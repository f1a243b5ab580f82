"""What people do without being asked: draft, propose, object, change their minds, bring news, look back."""

from collections.abc import Callable
from datetime import time, timedelta
from decimal import Decimal
from random import Random

from programme.changes.correcting import FACTS, WORDS, CorrectEntry, original_of
from programme.changes.extending import ExtendDueDate
from programme.changes.record import LaterReason, Mistake, SkipReason
from programme.changes.reopening import ReopenAction, ReopenFinding, ReopenNotes
from programme.changes.returning import ReturnToStage
from programme.changes.skipping import STEPS, SkipStep
from programme.changes.vacancies import EndAppointment
from programme.charting import AskForRebase
from programme.engagement import Engagement, errands
from programme.measures import CorrectPoint, SetTarget
from programme.messages import CLOCK, PersonId, Role, Side, Stage
from programme.people import Appoint, Enrolment, EnrolPeople
from programme.post import MessageIssued, ReportUndeliverable
from programme.stages.action import IN_FORCE, UNDECIDED, Action, ActionStatus, Aim, NeedStatus, Screened, Screening
from programme.stages.approval import LiftClinicalMark
from programme.stages.delivery import AddPdsaNote
from programme.stages.diagnosis import ExtendWindow, RecordPack, WithdrawAnswers
from programme.stages.drafting import ActionText, ChangeAction, DraftAction, ProposeAction
from programme.stages.findings import CorrectFinding
from programme.stages.halves import CloseAction, WithdrawAction
from programme.stages.invitations import CancelSession, MoveSession
from programme.stages.needs import AddDevelopmentNeed, DropDevelopmentNeed, ReopenNeed, ReportNeedMet
from programme.stages.notes import RecordConversation
from programme.stages.objections import RaiseSafetyObjection
from programme.stages.panels import PassChair, ReleaseFromPanel
from programme.stages.renewal import OfferTemplate, SuggestTemplate
from programme.stages.sessions import CallSession
from programme.stages.verification import ReportComplete
from programme.telling import TellParticipants
from programme.working_time import at_local
from tests.core.goers import LEAVING
from tests.core.programme_driver import FACILITATOR, PM, PRIORITIES, TWELVE_MONTHS, Programme
from tests.core.sensible import Deeds, say

Volunteering = Callable[[Programme, Random], Deeds]
LONGER = TWELVE_MONTHS.model_copy(update={"version": "2", "title": "Twelve months, with more time"})


def _participant(engagement: Engagement, luck: Random, side: Side | None = None) -> PersonId:
    people = engagement.participants(side or luck.choice(list(Side)))
    return luck.choice(people) if people else "nobody"


def _actions(engagement: Engagement, *statuses: ActionStatus) -> list[Action]:
    actions = engagement.cycle.agreement.actions.values() if engagement.cycle else ()
    return [action for action in actions if not statuses or action.status in statuses]


def _screening(luck: Random) -> Screening:
    answers = luck.choice(((Screened.NO,), tuple(Screened)))
    three = [luck.choice(answers) for _ in range(3)]
    return Screening(
        changes_who_treats=three[0], directs_clinical_decision=three[1], changes_clinical_staffing=three[2]
    )


def text_of(programme: Programme, luck: Random) -> ActionText:
    """A complete action about a measure that has a direction and a baseline, if there is one."""
    engagement = programme.engagement
    measures = list(engagement.measures.measures.values())
    aimed = luck.choice(measures) if measures else None
    down = aimed is not None and aimed.direction.value == "down"
    priorities = (engagement.cycle.sessions.priorities if engagement.cycle else ()) or PRIORITIES
    return ActionText(
        title=say(luck),
        scope=say(luck),
        aim=Aim(
            sentence=say(luck),
            from_value=Decimal(68),
            to_value=Decimal(58 if down else 78),
            by=programme.today + timedelta(days=luck.choice((90, 180, 300))),
        ),
        conditions=tuple(luck.sample(priorities, luck.randint(1, min(3, len(priorities))))),
        measures=(aimed.id,) if aimed else (),
        doctor_owner=_participant(engagement, luck, Side.DOCTOR),
        manager_owner=_participant(engagement, luck, Side.MANAGER),
        doctor_signatory=_participant(engagement, luck, Side.DOCTOR) if luck.random() < 0.2 else "",
    )


def draft(programme: Programme, luck: Random) -> Deeds:
    """An idea for an action, perhaps in place of another."""
    others = ["", *(one.id for one in _actions(programme.engagement, *IN_FORCE))]
    text = text_of(programme, luck).model_copy(update={"replaces": luck.choice(others)})
    return [(DraftAction(text=text), _participant(programme.engagement, luck))]


def propose(programme: Programme, luck: Random) -> Deeds:
    """Every draft goes before both sides; what it lacked is filled in."""
    deeds: Deeds = []
    for action in _actions(programme.engagement, ActionStatus.DRAFT):
        proposer = _participant(programme.engagement, luck)
        complete_text = text_of(programme, luck).model_copy(update={"replaces": action.replaces})
        deeds.append((ChangeAction(action=action.id, text=complete_text), proposer))
        deeds.append((ProposeAction(action=action.id, screening=_screening(luck)), proposer))
    return deeds


def change(programme: Programme, luck: Random) -> Deeds:
    """A co-owner words an action anew, or only moves its date."""
    deeds: Deeds = []
    for action in _actions(programme.engagement, ActionStatus.ACTIVE, *UNDECIDED)[:1]:
        same = ActionText.model_validate(action.model_dump(include=set(ActionText.model_fields)))
        other = text_of(programme, luck).model_copy(
            update={one: getattr(same, one) for one in ("doctor_signatory", "manager_signatory")}
        )
        if same.aim and luck.random() < 0.6:
            by = same.aim.by + timedelta(days=luck.choice((3, 14, 60)))
            other = same.model_copy(update={"aim": same.aim.model_copy(update={"by": by})})
        screening = _screening(luck) if luck.random() < 0.3 else None
        deeds.append((ChangeAction(action=action.id, text=other, screening=screening), luck.choice(action.owners)))
    return deeds


def object_for_safety(programme: Programme, luck: Random) -> Deeds:
    """A doctor stops something that is proposed or under way."""
    objectionable = _actions(programme.engagement, *UNDECIDED, *IN_FORCE, ActionStatus.SUSPENDED)
    doctor = _participant(programme.engagement, luck, Side.DOCTOR)
    return [(RaiseSafetyObjection(action=one.id, reason=say(luck)), doctor) for one in objectionable[:1]]


def complete(programme: Programme, luck: Random) -> Deeds:
    """Both co-owners report an action complete, and name who looks."""
    deeds: Deeds = []
    for action in _actions(programme.engagement, ActionStatus.ACTIVE)[:1]:
        for side in Side:
            looks = _participant(programme.engagement, luck, side)
            deeds.append((ReportComplete(action=action.id, verifier=looks), action.owner(side)))
    return deeds


def end(programme: Programme, luck: Random) -> Deeds:
    """A co-owner would withdraw an action, or close it where it is verified."""
    deeds: Deeds = []
    for action in _actions(programme.engagement)[:2]:
        if action.owners:
            command = luck.choice((WithdrawAction, CloseAction))
            deeds.append((command(action=action.id), luck.choice(action.owners)))
    return deeds


def lift(programme: Programme, luck: Random) -> Deeds:
    """The approver says that an action needs no approval."""
    marked = [one for one in _actions(programme.engagement, *UNDECIDED) if one.marked]
    approver = programme.engagement.holder(Role.MEDICAL_APPROVER) or "nobody"
    return [(LiftClinicalMark(action=one.id, reason=say(luck)), approver) for one in marked[:1]]


def learn(programme: Programme, luck: Random) -> Deeds:
    """Development needs are named, reported met, reopened, given up."""
    engagement = programme.engagement
    side = luck.choice((*Side, None))
    suggested = _participant(engagement, luck, side) if side and luck.random() < 0.5 else ""
    named = AddDevelopmentNeed(need=say(luck), side=side, conditions=("C05",), suggested=suggested)
    deeds: Deeds = [(named, _participant(engagement, luck))]
    for need in engagement.cycle.agreement.needs.values() if engagement.cycle else ():
        if need.status is NeedStatus.OWNED:
            deeds.append((ReportNeedMet(need=need.id), need.owner))
        elif luck.random() < 0.4:
            command = ReopenNeed(need=need.id, reason=say(luck))
            deeds.append((command, _participant(engagement, luck)))
        else:
            deeds += [(DropDevelopmentNeed(need=need.id), _participant(engagement, luck, one)) for one in Side]
    return deeds


def figures(programme: Programme, luck: Random) -> Deeds:
    """A steward corrects a point and sets a target; an owner wants new lines."""
    deeds: Deeds = []
    for measure in programme.engagement.measures.measures.values():
        if measure.points:
            month, value = luck.choice(measure.points).period, Decimal(50 + luck.randrange(40))
            corrected = CorrectPoint(measure=measure.id, period=month, value=value, reason=say(luck))
            deeds.append((corrected, measure.steward))
            deeds.append((SetTarget(measure=measure.id, since=month, value=value), measure.steward))
            middle = measure.points[len(measure.points) // 2].period
            for action in _actions(programme.engagement, ActionStatus.ACTIVE)[:1]:
                asked = AskForRebase(measure=measure.id, since=middle, reason=say(luck))
                deeds.append((asked, luck.choice(action.owners)))
    return deeds


def try_out(programme: Programme, luck: Random) -> Deeds:
    """A note of a small test."""
    active = _actions(programme.engagement, ActionStatus.ACTIVE)
    return [(AddPdsaNote(action=one.id, plan=say(luck)), luck.choice(one.owners)) for one in active[:1]]


def second_thoughts(programme: Programme, luck: Random) -> Deeds:
    """Answers are withdrawn, windows extended, sessions called."""
    engagement = programme.engagement
    deeds: Deeds = [
        (WithdrawAnswers(), _participant(engagement, luck)),
        (ExtendWindow(), PM),
        (CallSession(why=say(luck)), FACILITATOR),
    ]
    for session in engagement.cycle.sessions.all.values() if engagement.cycle else ():
        if session.held and not session.quorate:
            deeds.append((RecordConversation(session=session.id, text=say(luck)), FACILITATOR))
    return [luck.choice(deeds)]


def other_dates(programme: Programme, luck: Random) -> Deeds:
    """A joint session moves, or is called off for now."""
    engagement = programme.engagement
    deeds: Deeds = []
    for session in engagement.cycle.sessions.all.values() if engagement.cycle else ():
        if session.on and session.held is None:
            day = max(session.on, programme.today) + timedelta(days=luck.choice((7, 14)))
            starts = at_local(engagement.time.plus(day, 0), time(14))
            deeds.append((MoveSession(session=session.id, starts=starts, reason=say(luck)), FACILITATOR))
            deeds.append((CancelSession(session=session.id, reason=say(luck)), FACILITATOR))
    return [luck.choice(deeds)] if deeds else []


def panel_changes(programme: Programme, luck: Random) -> Deeds:
    """The chair passes, a challenger is released, a finding is worded anew."""
    deeds: Deeds = []
    for review in programme.engagement.cycle.challenge.reviews.values() if programme.engagement.cycle else ():
        for person in review.panel:
            deeds.append((PassChair(review=review.id, person=person, reason=say(luck)), PM))
            deeds.append((ReleaseFromPanel(review=review.id, person=person, reason=say(luck)), PM))
        for finding in review.findings if not review.answered else ():
            worded = CorrectFinding(review=review.id, finding=finding, text=say(luck), reason=say(luck))
            deeds += [(worded, review.chair or "nobody")] * 3
    return [luck.choice(deeds)] if deeds else []


def more_time(programme: Programme, luck: Random) -> Deeds:
    """Somebody who looks after the programme gives a duty some working days more."""
    dated = [task for task in programme.engagement.open_tasks if task.due]
    if not dated:
        return []
    task = luck.choice(dated)
    latest = max([programme.today, *([task.due.on] if task.due else [])])
    to = programme.engagement.time.plus(latest, luck.choice((1, 2, 4, 7)))
    longer = ExtendDueDate(task=task.id, to=to, reason=luck.choice(list(LaterReason)), sentence=say(luck))
    return [(longer, luck.choice((PM, PM, FACILITATOR)))]


def leave_out(programme: Programme, luck: Random) -> Deeds:
    """A step that the programme can do without is left out, or one that it cannot."""
    tasks = [one for one in programme.engagement.open_tasks if one.command in STEPS or luck.random() < 0.02]
    if not tasks:
        return []
    skipped = SkipStep(task=luck.choice(tasks).id, reason=luck.choice(list(SkipReason)), sentence=say(luck))
    return [(skipped, luck.choice((PM, PM, FACILITATOR)))]


def go_back(programme: Programme, luck: Random) -> Deeds:
    """A stage, verified actions, answers and notes are opened again."""
    engagement = programme.engagement
    deeds: Deeds = [
        (ReturnToStage(stage=stage, reason=say(luck)), luck.choice((PM, FACILITATOR)))
        for stage in (Stage.EXCHANGE, Stage.SESSIONS)
    ]
    done = _actions(engagement, ActionStatus.VERIFIED, ActionStatus.SUSTAINED)
    deeds += [(ReopenAction(action=one.id, reason=say(luck)), FACILITATOR) for one in done]
    if engagement.cycle is None:
        return deeds
    for review in engagement.cycle.challenge.reviews.values():
        for finding in review.findings.values():
            for given in finding.answers.values():
                deeds.append((ReopenFinding(review=review.id, finding=finding.id, reason=say(luck)), given.by))
    counted = [one for one in engagement.cycle.sessions.all.values() if one.counts_from]
    deeds += [(ReopenNotes(session=one.id, reason=say(luck)), FACILITATOR) for one in counted[-1:]]
    return [luck.choice(deeds)]


def correct(programme: Programme, luck: Random) -> Deeds:
    """Somebody finds that a late entry is mistaken."""
    late = programme.entries[-400:]
    entry = luck.choice([one for one in late if one.event.kind in {*FACTS, *WORDS}] or late)
    people = list(programme.engagement.people)
    wrong = CorrectEntry(
        entry=entry.sequence, mistake=luck.choice(list(Mistake)), text=say(luck), original=original_of(entry)
    )
    return [(wrong, luck.choice([PM, entry.actor, luck.choice(people)]))]


def end_appointments(programme: Programme, luck: Random) -> Deeds:
    """A part is given to somebody else, seldom."""
    if luck.random() < 0.6:
        return []
    held = [(one.id, part.role) for one in programme.engagement.people.values() for part in one.appointments]
    person, role = luck.choice(held) if held else ("nobody", Role.AUDITOR)
    ended = EndAppointment(person=person, role=role, reason=say(luck))
    return [(ended, PM), (Appoint(person=person, role=role, gmc_registered=True), PM)]


def newcomers(programme: Programme, luck: Random) -> Deeds:
    """Somebody joins a side late; they are asked whether they take part."""
    number = len(programme.engagement.people)
    side = luck.choice(list(Side))
    row = Enrolment(person=f"late{number}", side=side, line_manager=luck.choice(("d1", "m1", None)))
    return [(EnrolPeople(people=(row,)), PM)]


def system(programme: Programme, luck: Random) -> Deeds:
    """What the world outside reports: packs, undelivered messages, newer templates."""
    deeds: Deeds = []
    for errand in errands(programme.engagement):
        _, survey, window, _ = errand.key.split("/")
        deeds.append((RecordPack(survey=survey, window=int(window), pack=f"{luck.getrandbits(256):064x}"), CLOCK))
    issued = [one for one in programme.entries[-50:] if isinstance(one.event, MessageIssued)]
    if issued and luck.random() < 0.1:
        last = issued[-1]
        people = last.event.people if isinstance(last.event, MessageIssued) else ()
        deeds.append((ReportUndeliverable(message=last.sequence, people=people), CLOCK))
    if luck.random() < 0.05:
        deeds.append((OfferTemplate(template=LONGER), CLOCK))
    return deeds


def outlook(programme: Programme, luck: Random) -> Deeds:
    """The programme manager tells both sides something, or offers another template for the next cycle."""
    del programme
    if luck.random() < 0.5:
        return [(TellParticipants(text="The next session meets in the library"), PM)]
    return [(SuggestTemplate(template=LONGER.model_copy(update={"version": luck.choice("3456")})), PM)]


VOLUNTEERS: tuple[Volunteering, ...] = (
    draft,
    propose,
    change,
    object_for_safety,
    complete,
    end,
    lift,
    learn,
    figures,
    try_out,
    second_thoughts,
    other_dates,
    panel_changes,
    more_time,
    leave_out,
    go_back,
    correct,
    end_appointments,
    newcomers,
    outlook,
    *LEAVING,
)
