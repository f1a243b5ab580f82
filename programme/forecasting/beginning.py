"""What people do to begin: take their parts, answer the questionnaire, exchange places."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

from programme import pairing
from programme.forecasting.moment import STAND_IN, Deeds, Moment
from programme.measure import Direction
from programme.measures import AddPoints, DefineMeasure, NewPoint
from programme.messages import APPROVERS, PersonId, Role, Side, Words
from programme.people import AcceptAppointment, AcceptEnrolment, Enrolment, EnrolPeople
from programme.post import SettleUndelivered
from programme.stages.diagnosis import Choice, ChooseAfterShortfall, CompleteQuestionnaire, WriteThemes
from programme.stages.exchange import ConfirmPairs, ExcusePair, RePair
from programme.stages.mandate import Answer, StateWillingness
from programme.stages.pair import ExcuseReason
from programme.stages.visits import MarkReflection, OfferInsight, RecordVisit, ShareInsight, WriteReflection
from programme.working_time import month_after

SAID = "As foreseen"
WORDS = Words(deposit="foreseen")
ELSEWHERE = ("Y9Y9Y", "Z9Z9Z")  # invented: whoever comes from outside comes from a trust other than this one
LEVEL = Decimal(68)  # of every foreseen point: a forecast foresees no signal


# --- mandate ---------------------------------------------------------------------------------------------------------


def accept_enrolment(moment: Moment) -> Deeds:
    """Join one's side."""
    person = moment.engagement.people[moment.task.person]
    notice = moment.engagement.privacy_notice
    return [(AcceptEnrolment(side=person.side, privacy_notice=notice), person.id)] if person.side else []


def accept_appointment(moment: Moment) -> Deeds:
    """Take the part that was offered."""
    return [(AcceptAppointment(role=Role(moment.task.about), interests=WORDS), moment.task.person)]


def appoint(moment: Moment) -> Deeds:
    """Find somebody new for the part that nobody has."""
    known = {role.value: role for role in Role}
    approving = moment.task.about in (moment.engagement.cycle.agreement.actions if moment.engagement.cycle else ())
    role = Role.DEPUTY_APPROVER if approving else known.get(moment.task.about, Role.EXTERNAL_CHALLENGER)
    return [(EnrolPeople(people=(stand_in(moment, role, 1),)), moment.task.person)]


def stand_in(moment: Moment, role: Role, number: int) -> Enrolment:
    """Somebody who is still to be found, in a part."""
    outside = next(code for code in ELSEWHERE if code != moment.engagement.ods_code)
    return Enrolment(
        person=f"{STAND_IN}-{role.value}-{number}",
        roles=(role,),
        gmc_registered=role in APPROVERS,
        ods_code=outside if role is Role.EXTERNAL_CHALLENGER else "",
    )


def state_willingness(moment: Moment) -> Deeds:
    """Be willing."""
    return [(StateWillingness(answer=Answer.WILLING), moment.task.person)]


def define_measure(moment: Moment) -> Deeds:
    """Choose a first measure."""
    return [(DefineMeasure(title=SAID, source=SAID, direction=Direction.UP), moment.task.person)]


def add_points(moment: Moment) -> Deeds:
    """Enter every month that has ended, a year back."""
    measure = moment.engagement.measures.measures[moment.task.about]
    known = {one.period for one in measure.readings}
    this_month = moment.today.replace(day=1)
    months = [month for back in range(12, 0, -1) if (month := month_after(this_month, -back)) not in known]
    level = measure.points[-1].value if measure.points else LEVEL
    points = tuple(NewPoint(period=month, value=level) for month in months)
    return [(AddPoints(measure=measure.id, points=points), moment.task.person)] if points else []


def settle_undelivered(moment: Moment) -> Deeds:
    """Reach somebody in another way."""
    return [(SettleUndelivered(message=int(moment.task.about)), moment.task.person)]


# --- diagnosis -------------------------------------------------------------------------------------------------------


def complete_questionnaire(moment: Moment) -> Deeds:
    """Answer."""
    return [(CompleteQuestionnaire(), moment.task.person)]


def choose_after_shortfall(moment: Moment) -> Deeds:
    """Ask again, once; after that be content with what both sides say together, if it is enough."""
    survey = moment.engagement.running.diagnosis.survey(moment.task.about)
    enough = len(survey.completed) >= 2 * moment.engagement.k
    choice = Choice.REOPEN if survey.window == 1 else Choice.COMBINED if enough else Choice.STOP
    return [(ChooseAfterShortfall(choice=choice), moment.task.person)]


def write_themes(moment: Moment) -> Deeds:
    """Write the themes."""
    return [(WriteThemes(), moment.task.person)]


# --- perspective exchange --------------------------------------------------------------------------------------------


def confirm_pairs(moment: Moment) -> Deeds:
    """Confirm what is proposed."""
    return [(ConfirmPairs(), moment.task.person)]


def record_visit(moment: Moment) -> Deeds:
    """Half a day with each partner who was not visited yet."""
    pair, guest = moment.engagement.running.exchange.pairs[moment.task.about], moment.task.person
    return [(RecordVisit(pair=pair.id, host=host, on=moment.today), guest) for host in pair.hosts_left(guest)]


def write_reflection(moment: Moment) -> Deeds:
    """Write what it is like."""
    return [(WriteReflection(pair=moment.task.about, words=WORDS), moment.task.person)]


def mark_reflection(moment: Moment) -> Deeds:
    """Recognise oneself in whatever waits."""
    pair, person = moment.engagement.running.exchange.pairs[moment.task.about], moment.task.person
    return [
        (MarkReflection(pair=pair.id, author=author, round=writing.round, recognised=True), person)
        for author in pair.across(person)
        if (writing := pair.writings.get(author)) and person not in writing.marks
    ]


def offer_insight(moment: Moment) -> Deeds:
    """Offer one, to be shared."""
    return [(OfferInsight(pair=moment.task.about, words=WORDS, share=True), moment.task.person)]


def share_insight(moment: Moment) -> Deeds:
    """Let every insight leave the pair."""
    pair, person = moment.engagement.running.exchange.pairs[moment.task.about], moment.task.person
    return [
        (ShareInsight(pair=pair.id, author=author), person)
        for author, insight in pair.insights.items()
        if person not in insight.ticks
    ]


def settle_pair(moment: Moment) -> Deeds:
    """Excuse a pair that does not come to an end; form another where too few are left."""
    if moment.task.about != "few":
        return [(ExcusePair(pair=moment.task.about, reason=ExcuseReason.NO_COMMON_TIME), moment.task.person)]
    free = _free_pair(moment)
    replaced = [pair.id for pair in moment.engagement.running.exchange.standing if pair.excused][:1]
    return [(RePair(replaces=tuple(replaced), pairs=(free,)), moment.task.person)] if free else []


def _free_pair(moment: Moment) -> tuple[PersonId, PersonId] | None:
    """A doctor and a manager outside each other's line who have room for a further pair."""
    engagement = moment.engagement
    lines = {person.id: person.line_manager for person in engagement.people.values()}
    pairs = [pair for pair in engagement.running.exchange.standing if not pair.excused]
    sides = [
        [one for one in engagement.participants(side) if sum(one in pair.members for pair in pairs) < _most(moment)]
        for side in (Side.DOCTOR, Side.MANAGER)
    ]
    return next(((one, other) for one, other in product(*sides) if not pairing.in_one_line(one, other, lines)), None)


def _most(moment: Moment) -> int:
    return moment.engagement.template.thresholds.pairs_each
