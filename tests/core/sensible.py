"""What somebody sensible does about each open task, so that programmes of chance really come to their stages.

Each entry of ``SENSIBLE`` takes the programme, the task and a source of luck, and says who asks for what. What people
do unasked stands in ``volunteers.py``. None promises success: a refusal is an answer like any other.
"""

from collections.abc import Callable
from datetime import time, timedelta
from decimal import Decimal
from random import Random

from programme.charting import AnswerRebase, ExplainSignal
from programme.differences import RaiseDifference
from programme.engagement import Engagement
from programme.measure import Direction, MeasureKind
from programme.measures import AddPoints, DefineMeasure, NewPoint
from programme.messages import APPROVERS, Command, PersonId, Role, Side, Task
from programme.people import AcceptAppointment, AcceptEnrolment, Appoint, DeclineAppointment, DeclineEnrolment
from programme.post import SettleUndelivered
from programme.stages.action import Action, ActionStatus
from programme.stages.agreement import AgreeAction, DeclineAction
from programme.stages.approval import ApproveAction, LiftClinicalMark, RefuseAction
from programme.stages.checkins import CheckIn
from programme.stages.compact import SignCompact
from programme.stages.delivery import Progress, RecordTouchpoint
from programme.stages.diagnosis import Choice, ChooseAfterShortfall, CompleteQuestionnaire, WriteThemes
from programme.stages.exchange import ConfirmPairs, ExcusePair, RePair
from programme.stages.findings import AnswerFinding, NewFinding, RecordFindings
from programme.stages.halves import CloseAction, WithdrawAction
from programme.stages.invitations import AnswerInvitation, MoveSession, ScheduleSession
from programme.stages.mandate import Answer, StateWillingness
from programme.stages.meetings import GivePositionStatement, HoldReview, ScheduleReview
from programme.stages.needs import (
    ConfirmNeedMet,
    OwnDevelopmentNeed,
)
from programme.stages.notes import ConfirmNotes, DisputeNotes, SettleNotes, WriteNotes
from programme.stages.objections import AcknowledgeObjection, DecideObjection
from programme.stages.pair import ExcuseReason
from programme.stages.panels import AcceptPanel, AppointToPanel
from programme.stages.progress_checks import RecordProgressCheck
from programme.stages.renewal import DecideRenewal, NextStep, RecordJointMeeting
from programme.stages.review import FindingKind, Reply, Review
from programme.stages.session import Deferral, Outputs, Session
from programme.stages.sessions import RecordAttendance
from programme.stages.verification import RefuseVerification, ReportComplete, VerifyAction
from programme.stages.visits import MarkReflection, OfferInsight, RecordVisit, ShareInsight, WriteReflection
from programme.working_time import at_local, month_after
from tests.core.goers import GOING
from tests.core.judged_candour import CANDID
from tests.core.programme_driver import OUTPUTS, PM, PRIORITIES, Programme, words

Deed = tuple[Command, PersonId]
Deeds = list[Deed]

DEFERRED_FOR = timedelta(days=60)


def say(luck: Random) -> str:
    """Free text, recognisable wherever it should not turn up."""
    return f"{CANDID} {luck.choice(('says so', 'would rather wait', 'saw it too', 'knows why'))} {luck.randrange(100)}"


def _likely(luck: Random, percent: int) -> bool:
    return luck.randrange(100) < percent


def _hour(luck: Random) -> time:
    return time(luck.choice((9, 14)))


def _one(luck: Random, people: tuple[PersonId, ...]) -> PersonId:
    return luck.choice(people) if people else "nobody"


def _action(engagement: Engagement, name: str) -> Action:
    return engagement.running.agreement.actions[name]


def _session(engagement: Engagement, name: str) -> Session:
    return engagement.running.sessions.all[name]


def _review(engagement: Engagement, name: str) -> Review:
    return engagement.running.challenge.reviews[name]


def _middle(task: Task) -> list[str]:
    """What a task is about, as its id says it: signal-M1-2."""
    return task.id.split("/")[-2].split("-")


# --- mandate, diagnosis ----------------------------------------------------------------------------------------------


def _enrolment(programme: Programme, task: Task, luck: Random) -> Deeds:
    side = programme.engagement.people[task.person].side
    if side is None or _likely(luck, 4):
        return [(DeclineEnrolment(), task.person)]
    return [(AcceptEnrolment(side=side, privacy_notice="1"), task.person)]


def _appointment(programme: Programme, task: Task, luck: Random) -> Deeds:
    del programme
    if _likely(luck, 3):
        return [(DeclineAppointment(role=Role(task.about)), task.person)]
    return [(AcceptAppointment(role=Role(task.about), interests=words()), task.person)]


def _willingness(programme: Programme, task: Task, luck: Random) -> Deeds:
    del programme
    answer = Answer.WILLING if _likely(luck, 85) else luck.choice(list(Answer))
    return [(StateWillingness(answer=answer, can_give=words()), task.person)]


def _appoint(programme: Programme, task: Task, luck: Random) -> Deeds:
    roles = [role for role in Role if role.value == task.about] or [*APPROVERS, Role.EXTERNAL_CHALLENGER]
    free = [person.id for person in programme.engagement.people.values() if not person.intended()]
    person = luck.choice(free or list(programme.engagement.people))
    return [(Appoint(person=person, role=luck.choice(sorted(roles)), gmc_registered=True), task.person)]


def _define(programme: Programme, task: Task, luck: Random) -> Deeds:
    del programme
    direction = luck.choice((Direction.UP, Direction.UP, Direction.DOWN))
    kind = MeasureKind.OUTCOME if _likely(luck, 80) else MeasureKind.BALANCING
    return [(DefineMeasure(title=say(luck), source=say(luck), direction=direction, purpose=kind), task.person)]


def _points(programme: Programme, task: Task, luck: Random) -> Deeds:
    this_month = programme.today.replace(day=1)
    known = {one.period for one in programme.engagement.measures.measures[task.about].readings}
    months = [month for back in range(1, 19) if (month := month_after(this_month, -back)) not in known]
    level = luck.choice((60, 68, 68, 80))
    points = tuple(NewPoint(period=month, value=Decimal(level + luck.randrange(4))) for month in months)
    return [(AddPoints(measure=task.about, points=points), task.person)]


def _questionnaire(programme: Programme, task: Task, luck: Random) -> Deeds:
    del programme, luck
    return [(CompleteQuestionnaire(), task.person)]


def _shortfall(programme: Programme, task: Task, luck: Random) -> Deeds:
    del programme
    choice = Choice.STOP if _likely(luck, 5) else luck.choice((Choice.COMBINED, Choice.REOPEN))
    return [(ChooseAfterShortfall(choice=choice), task.person)]


def _themes(programme: Programme, task: Task, luck: Random) -> Deeds:
    del programme, luck
    return [(WriteThemes(), task.person)]


# --- exchange --------------------------------------------------------------------------------------------------------


def _pairs(programme: Programme, task: Task, luck: Random) -> Deeds:
    del programme, luck
    return [(ConfirmPairs(), task.person)]


def _visit(programme: Programme, task: Task, luck: Random) -> Deeds:
    pair = programme.engagement.running.exchange.pairs[task.about]
    host = luck.choice(pair.hosts_left(task.person))
    noting = task.person if _likely(luck, 70) else host
    return [(RecordVisit(pair=pair.id, host=host, guest=task.person, on=programme.today), noting)]


def _reflection(programme: Programme, task: Task, luck: Random) -> Deeds:
    del programme, luck
    return [(WriteReflection(pair=task.about, words=words()), task.person)]


def _recognition(programme: Programme, task: Task, luck: Random) -> Deeds:
    pair = programme.engagement.running.exchange.pairs[task.about]
    author = luck.choice([one for one in pair.across(task.person) if one in pair.writings])
    round_ = pair.writings[author].round
    recognised = _likely(luck, 93)
    mark = MarkReflection(pair=pair.id, author=author, round=round_, recognised=recognised, correction=words())
    return [(mark, task.person)]


def _insight(programme: Programme, task: Task, luck: Random) -> Deeds:
    del programme
    return [(OfferInsight(pair=task.about, words=words(), share=_likely(luck, 50)), task.person)]


def _share(programme: Programme, task: Task, luck: Random) -> Deeds:
    insights = programme.engagement.running.exchange.pairs[task.about].insights
    return [(ShareInsight(pair=task.about, author=luck.choice(sorted(insights))), task.person)]


def _re_pair(programme: Programme, task: Task, luck: Random) -> Deeds:
    pair = programme.engagement.running.exchange.pairs.get(task.about)
    if pair and _likely(luck, 40):
        return [(ExcusePair(pair=pair.id, reason=luck.choice(list(ExcuseReason))), task.person)]
    doctor, manager = (_one(luck, programme.engagement.participants(side)) for side in Side)
    pairs = (pair.members,) if pair else ((doctor, manager),)
    return [(RePair(replaces=(pair.id,) if pair else (), pairs=pairs), task.person)]


# --- joint sessions --------------------------------------------------------------------------------------------------


def _date(programme: Programme, task: Task, luck: Random) -> Deeds:
    engagement, sessions = programme.engagement, programme.engagement.running.sessions.all.values()
    letter = _session(engagement, task.about).letter
    earlier = [one.on for one in sessions if one.on and one.letter < letter]
    first = max([engagement.time.plus(programme.today, 2), *(engagement.time.plus(one, 10) for one in earlier)])
    on = engagement.time.plus(first, luck.choice((0, 1, 5)))
    starts = at_local(on, _hour(luck))
    if task.command == "MoveSession":
        return [(MoveSession(session=task.about, starts=starts, reason=say(luck)), task.person)]
    return [(ScheduleSession(session=task.about, starts=starts, place=say(luck)), task.person)]


def _attendance(programme: Programme, task: Task, luck: Random) -> Deeds:
    doctors, managers = (programme.engagement.participants(side) for side in Side)
    few = 2 if _likely(luck, 15) else luck.choice((3, 4, 5))
    voting = (*doctors[: luck.choice((3, 4))], *managers[:few])
    return [(RecordAttendance(session=task.about, voting=voting), task.person)]


def _invitation(programme: Programme, task: Task, luck: Random) -> Deeds:
    del programme
    return [(AnswerInvitation(session=task.about, comes=_likely(luck, 85)), task.person)]


def _notes(programme: Programme, task: Task, luck: Random) -> Deeds:
    session = _session(programme.engagement, task.about)
    outputs = OUTPUTS.get(session.letter, Outputs(summary=say(luck), learned=say(luck)))
    deeds: Deeds = []
    if session.letter == "A":
        deeds = [(RaiseDifference(title=say(luck), condition="C09", session=session.id), session.voting[0])]
    if session.letter == "C" and programme.engagement.running.sessions.priorities:
        priorities = programme.engagement.running.sessions.priorities
        left = [one for one in priorities if _likely(luck, 30) or not in_work(programme.engagement, one)]
        until = programme.today + DEFERRED_FOR
        deferrals = tuple(Deferral(condition=one, until=until, reason=say(luck)) for one in left)
        outputs = outputs.model_copy(update={"deferrals": deferrals})
    return [*deeds, (WriteNotes(session=session.id, outputs=outputs), task.person)]


def in_work(engagement: Engagement, condition: str) -> bool:
    """Whether an action that is before both sides takes care of a condition."""
    actions = engagement.running.agreement.actions.values()
    return any(condition in one.conditions for one in actions if one.status is not ActionStatus.DRAFT)


def _settle(programme: Programme, task: Task, luck: Random) -> Deeds:
    del programme
    return [(SettleNotes(session=task.about, doctors_view=say(luck), managers_view=say(luck)), task.person)]


def _confirm(programme: Programme, task: Task, luck: Random) -> Deeds:
    notes = _session(programme.engagement, task.about).notes
    version = notes.version if notes else 1
    if _likely(luck, 10):
        return [(DisputeNotes(session=task.about, version=version, text=say(luck)), task.person)]
    return [(ConfirmNotes(session=task.about, version=version), task.person)]


# --- agreement, delivery ---------------------------------------------------------------------------------------------


def _agree(programme: Programme, task: Task, luck: Random) -> Deeds:
    version = _action(programme.engagement, task.about).version
    if _likely(luck, 12):
        return [(DeclineAction(action=task.about, version=version, reason=say(luck)), task.person)]
    return [(AgreeAction(action=task.about, version=version), task.person)]


def _sign(programme: Programme, task: Task, luck: Random) -> Deeds:
    del luck
    return [(SignCompact(version=programme.engagement.running.agreement.compact.version), task.person)]


def _approve(programme: Programme, task: Task, luck: Random) -> Deeds:
    version = _action(programme.engagement, task.about).version
    deeds: Deeds = [
        (ApproveAction(action=task.about, version=version), task.person),
        (RefuseAction(action=task.about, version=version, reason=say(luck)), task.person),
        (LiftClinicalMark(action=task.about, reason=say(luck)), task.person),
    ]
    return luck.choices(deeds, (7, 2, 1))


def _acknowledge(programme: Programme, task: Task, luck: Random) -> Deeds:
    del programme, luck
    return [(AcknowledgeObjection(action=task.about, objection=int(_middle(task)[-1])), task.person)]


def _decide_objection(programme: Programme, task: Task, luck: Random) -> Deeds:
    del programme
    number, goes_on = int(_middle(task)[-1]), _likely(luck, 65)
    decided = DecideObjection(action=task.about, objection=number, goes_on=goes_on, reason=say(luck))
    return [(decided, task.person)]


def _check_in(programme: Programme, task: Task, luck: Random) -> Deeds:
    del programme
    progress = luck.choices(list(Progress), (4, 2, 4))[0]
    return [(CheckIn(about=task.about, progress=progress, line=say(luck)), task.person)]


def _touchpoint(programme: Programme, task: Task, luck: Random) -> Deeds:
    actions = [one for one in programme.engagement.running.agreement.in_force() if _likely(luck, 80)]
    sponsor = luck.choice(programme.engagement.sponsors or (PM,))
    attended = {sponsor, *(owner for one in actions for owner in one.owners)}
    held = RecordTouchpoint(
        on=programme.today, actions=tuple(one.id for one in actions), attended=tuple(sorted(attended))
    )
    return [(held, task.person)]


def _explain(programme: Programme, task: Task, luck: Random) -> Deeds:
    del programme
    return [(ExplainSignal(measure=task.about, signal=int(_middle(task)[-1]), explanation=say(luck)), task.person)]


def _rebase(programme: Programme, task: Task, luck: Random) -> Deeds:
    del programme
    return [(AnswerRebase(measure=task.about, agree=_likely(luck, 60)), task.person)]


def _verify(programme: Programme, task: Task, luck: Random) -> Deeds:
    side = Side(_middle(task)[2])
    owners = _action(programme.engagement, task.about).owners
    others = tuple(one for one in programme.engagement.participants(side) if one not in owners)
    person = task.person if task.person in others else _one(luck, others)
    if _likely(luck, 15):
        return [(RefuseVerification(action=task.about, reason=say(luck)), person)]
    return [(VerifyAction(action=task.about, evidence=say(luck)), person)]


def _half(command: type[WithdrawAction] | type[CloseAction] | type[ReportComplete]) -> "Doing":
    def deed(programme: Programme, task: Task, luck: Random) -> Deeds:
        del programme, luck
        return [(command(action=task.about), task.person)]

    return deed


def _own_need(programme: Programme, task: Task, luck: Random) -> Deeds:
    need = programme.engagement.running.agreement.needs[task.about]
    people = programme.engagement.participants(need.side or luck.choice(list(Side)))
    owner = task.person if task.person in people else _one(luck, people)
    return [(OwnDevelopmentNeed(need=task.about), owner)]


def _confirm_need(programme: Programme, task: Task, luck: Random) -> Deeds:
    people = [_one(luck, programme.engagement.participants(side)) for side in Side]
    return [(ConfirmNeedMet(need=task.about, evidence=say(luck)), person) for person in people]


# --- challenge, renewal ----------------------------------------------------------------------------------------------


def _panel(programme: Programme, task: Task, luck: Random) -> Deeds:
    engagement, review = programme.engagement, _review(programme.engagement, task.about)
    role = Role.EXTERNAL_CHALLENGER if review.external else Role.INTERNAL_CHALLENGER
    free = [person for person in engagement.holders(role) if person not in review.panel]
    luck.shuffle(free)
    deeds: Deeds = []
    for number, person in enumerate(free[:4]):
        background = Side.MANAGER if number % 2 else Side.DOCTOR
        chair = not review.chair and number == 0
        deeds.append((AppointToPanel(review=review.id, person=person, background=background, chair=chair), PM))
    return deeds


def _seat(programme: Programme, task: Task, luck: Random) -> Deeds:
    del programme, luck
    return [(AcceptPanel(review=task.about, independent=True, interests=words()), task.person)]


def _review_date(programme: Programme, task: Task, luck: Random) -> Deeds:
    on = programme.engagement.time.plus(programme.today, luck.choice((17, 20, 30)))
    starts = at_local(on, _hour(luck))
    return [(ScheduleReview(review=task.about, starts=starts, place=say(luck)), task.person)]


def _position(programme: Programme, task: Task, luck: Random) -> Deeds:
    del programme
    return [(GivePositionStatement(review=task.about, text=say(luck)), task.person)]


def _hold(programme: Programme, task: Task, luck: Random) -> Deeds:
    review = _review(programme.engagement, task.about)
    without = _likely(luck, 80)
    return [(HoldReview(review=review.id, attended=review.accepted, without_statements=without), task.person)]


def _findings(programme: Programme, task: Task, luck: Random) -> Deeds:
    review = _review(programme.engagement, task.about)
    about = list(review.evidence.actions) if review.evidence else []
    findings = tuple(
        NewFinding(kind=luck.choice(list(FindingKind)), text=say(luck), action=luck.choice(about))
        if about and _likely(luck, 60)
        else NewFinding(kind=luck.choice(list(FindingKind)), text=say(luck), condition=luck.choice(PRIORITIES))
        for _ in range(luck.randrange(4))
    )
    second = luck.choice(review.attended)
    facts = {"surprised": say(luck), "stopped_asking": say(luck), "disagreement": say(luck), "reason": say(luck)}
    found = RecordFindings.model_validate({"review": review.id, "findings": findings, "second": second, **facts})
    return [(found, task.person)]


def _answers(programme: Programme, task: Task, luck: Random) -> Deeds:
    review = _review(programme.engagement, task.about)
    reply = luck.choices(list(Reply), (6, 2, 2))[0]
    return [
        (AnswerFinding(review=review.id, finding=one.id, reply=reply, reason=say(luck)), task.person)
        for one in review.findings.values()
    ]


def _progress_check(programme: Programme, task: Task, luck: Random) -> Deeds:
    del programme
    return [(RecordProgressCheck(review=task.about, text=say(luck)), task.person)]


def _renewal(programme: Programme, task: Task, luck: Random) -> Deeds:
    choice = luck.choices(list(NextStep), (80, 12, 8))[0]
    newest = programme.engagement.running.renewal.offered is not None
    return [(DecideRenewal(choice=choice, newest_template=newest and _likely(luck, 50)), task.person)]


def _meeting(programme: Programme, task: Task, luck: Random) -> Deeds:
    attended = (*programme.engagement.sponsors, task.person)
    return [(RecordJointMeeting(attended=attended, summary=say(luck)), task.person)]


def _reached(programme: Programme, task: Task, luck: Random) -> Deeds:
    del programme, luck
    return [(SettleUndelivered(message=int(task.about)), task.person)]


Doing = Callable[[Programme, Task, Random], Deeds]

SENSIBLE: dict[str, Doing] = {
    "AcceptEnrolment": _enrolment,
    "AcceptAppointment": _appointment,
    "StateWillingness": _willingness,
    "Appoint": _appoint,
    "DefineMeasure": _define,
    "AddPoints": _points,
    "CompleteQuestionnaire": _questionnaire,
    "ChooseAfterShortfall": _shortfall,
    "WriteThemes": _themes,
    "ConfirmPairs": _pairs,
    "RecordVisit": _visit,
    "WriteReflection": _reflection,
    "MarkReflection": _recognition,
    "OfferInsight": _insight,
    "ShareInsight": _share,
    "RePair": _re_pair,
    "ScheduleSession": _date,
    "MoveSession": _date,
    "RecordAttendance": _attendance,
    "AnswerInvitation": _invitation,
    "WriteNotes": _notes,
    "SettleNotes": _settle,
    "ConfirmNotes": _confirm,
    "AgreeAction": _agree,
    "SignCompact": _sign,
    "ApproveAction": _approve,
    "AcknowledgeObjection": _acknowledge,
    "DecideObjection": _decide_objection,
    "CheckIn": _check_in,
    "RecordTouchpoint": _touchpoint,
    "ExplainSignal": _explain,
    "AnswerRebase": _rebase,
    "VerifyAction": _verify,
    "WithdrawAction": _half(WithdrawAction),
    "ReportComplete": _half(ReportComplete),
    "CloseAction": _half(CloseAction),
    "OwnDevelopmentNeed": _own_need,
    "ConfirmNeedMet": _confirm_need,
    "AppointToPanel": _panel,
    "AcceptPanel": _seat,
    "ScheduleReview": _review_date,
    "GivePositionStatement": _position,
    "HoldReview": _hold,
    "RecordFindings": _findings,
    "AnswerFinding": _answers,
    "RecordProgressCheck": _progress_check,
    "DecideRenewal": _renewal,
    "RecordJointMeeting": _meeting,
    "SettleUndelivered": _reached,
    **GOING,
}
