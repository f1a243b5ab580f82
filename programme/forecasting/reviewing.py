"""What people do to challenge what was achieved, and to decide what comes next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time

from programme.forecasting.beginning import SAID, WORDS, stand_in
from programme.forecasting.moment import Deeds, Moment
from programme.messages import CHALLENGERS, PersonId, Role, Side
from programme.people import AcceptAppointment, EnrolPeople
from programme.stages.action import CONDITIONS
from programme.stages.findings import AnswerFinding, NewFinding, RecordFindings
from programme.stages.meetings import GivePositionStatement, HoldReview, ScheduleReview
from programme.stages.panels import AcceptPanel, AppointToPanel
from programme.stages.progress_checks import RecordProgressCheck
from programme.stages.renewal import DecideRenewal, NextStep, RecordJointMeeting
from programme.stages.review import FindingKind, Reply, Review, conflict
from programme.stages.review_plan import agreed
from programme.working_time import at_local

REVIEW_AT = time(13)
SEATS = 3  # a chair, a doctor and a manager


def called(review: str) -> str:
    """What a move calls a review: review-external-1; its cycle is the running one."""
    return f"review-{review.partition('-')[2]}"


def _review(moment: Moment) -> Review:
    return moment.engagement.running.challenge.reviews[moment.task.about]


# --- the panel -------------------------------------------------------------------------------------------------------


def appoint_panel(moment: Moment) -> Deeds:
    """Ask a chair, a doctor and a manager; whoever is missing among the challengers is still to be found."""
    review, who = _review(moment), moment.task.person
    if len(review.panel) >= SEATS:
        return []  # they were asked
    free = _free(moment, review)
    seats = list(_seats(moment, review, free))
    needed = SEATS - len(review.panel)
    if len(seats) >= needed:
        return [(seat, who) for seat in seats[:needed]]
    role = Role.EXTERNAL_CHALLENGER if review.external else Role.INTERNAL_CHALLENGER
    known = sum(one.startswith("stand-in-") for one in moment.engagement.people)
    rows = tuple(stand_in(moment, role, known + number) for number in range(1, needed - len(seats) + 1))
    return [
        (EnrolPeople(people=rows), who),
        *((AcceptAppointment(role=role, interests=WORDS), row.person) for row in rows),
    ]


def _free(moment: Moment, review: Review) -> list[PersonId]:
    """Who may sit on it, those from outside first where one of them has to chair."""
    engagement = moment.engagement
    found = [
        person.id
        for person in engagement.people.values()
        if person.roles() & CHALLENGERS
        and person.id not in review.panel
        and not conflict(engagement, review, person.id)
    ]
    outside = [one for one in found if Role.EXTERNAL_CHALLENGER in engagement.people[one].roles()]
    inside = [one for one in found if one not in outside]
    return [*outside, *inside] if review.external else [*inside, *outside]


def _seats(moment: Moment, review: Review, free: list[PersonId]) -> Iterator[AppointToPanel]:
    """The seats that are not taken: the chair's, and one for each background."""
    people = iter(free)
    if not review.chair:
        chair = next(people, None)
        outside = chair is not None and Role.EXTERNAL_CHALLENGER in moment.engagement.people[chair].roles()
        if chair is None or (review.external and not outside):
            return
        yield AppointToPanel(review=review.id, person=chair, background=Side.DOCTOR, chair=True)
    taken = {one.background for one in review.panel.values() if one.person != review.chair}
    for side in Side:
        person = None if side in taken else next(people, None)
        if person is not None:
            yield AppointToPanel(review=review.id, person=person, background=side)


def accept_panel(moment: Moment) -> Deeds:
    """Sit on the panel; whoever does not hold the part yet takes it first."""
    return [(AcceptPanel(review=moment.task.about, independent=True, interests=WORDS), moment.task.person)]


# --- the meeting -----------------------------------------------------------------------------------------------------


def schedule_review(moment: Moment) -> Deeds:
    """The planned day, or the first that leaves time for position statements; never before anything is agreed."""
    if not agreed(moment.engagement):
        return []
    starts = at_local(review_day(moment, _review(moment)), REVIEW_AT)
    return [(ScheduleReview(review=moment.task.about, starts=starts, place=SAID), moment.task.person)]


def review_day(moment: Moment, review: Review) -> date:
    """The day of a review meeting, not before a move lets it be."""
    ahead = moment.engagement.template.durations.position_statement + 1
    wanted = max(moment.engagement.time.plus(moment.today, ahead), review.planned)
    return moment.working_day(max(wanted, moment.guide.not_before.get(called(review.id), wanted)), *review.panel)


def give_position(moment: Moment) -> Deeds:
    """Say how one sees what one owns."""
    return [(GivePositionStatement(review=moment.task.about, text=SAID), moment.task.person)]


def hold_review(moment: Moment) -> Deeds:
    """Everybody of the panel was there, once the meeting is over."""
    review = _review(moment)
    if review.meeting is None or moment.at < review.meeting.ends:
        return []
    return [(HoldReview(review=review.id, attended=review.accepted, without_statements=True), moment.task.person)]


def record_findings(moment: Moment) -> Deeds:
    """One concern, tied to a condition."""
    finding = NewFinding(kind=FindingKind.CONCERN, text=SAID, condition=min(CONDITIONS))
    found = RecordFindings(
        review=moment.task.about, findings=(finding,), surprised=SAID, stopped_asking=SAID, disagreement=SAID
    )
    return [(found, moment.task.person)]


def answer_findings(moment: Moment) -> Deeds:
    """Accept whatever one's side has not answered."""
    side = Side(moment.task.id.split("/")[-2].rpartition("-")[2])
    return [
        (AnswerFinding(review=moment.task.about, finding=one.id, reply=Reply.ACCEPT), moment.task.person)
        for one in _review(moment).findings.values()
        if side not in one.answers
    ]


def progress_check(moment: Moment) -> Deeds:
    """Say what became of last year's recommendations."""
    return [(RecordProgressCheck(review=moment.task.about, text=SAID), moment.task.person)]


# --- renewal ---------------------------------------------------------------------------------------------------------


def decide_renewal(moment: Moment) -> Deeds:
    """Renew."""
    return [(DecideRenewal(choice=NextStep.RENEW), moment.task.person)]


def record_joint_meeting(moment: Moment) -> Deeds:
    """Both sponsors meet with the facilitator, when both are there."""
    sponsors = moment.engagement.sponsors
    if any(moment.guide.is_away(one, moment.today) for one in sponsors):
        return []
    return [(RecordJointMeeting(attended=(*sponsors, moment.task.person), summary=SAID), moment.task.person)]
