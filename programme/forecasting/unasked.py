"""What nobody owes and without which nothing comes: actions drafted in the last session, and sessions that must move.

A forecast foresees three actions, one for each of the first priorities, each with two owners; all but the best course
has one of them approved by a doctor.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from programme.forecasting.beginning import LEVEL, SAID
from programme.forecasting.meeting import SESSION_AT, called
from programme.forecasting.moment import Course, Deeds, Guide
from programme.measure import Direction, Measure, MeasureKind
from programme.measures import AddPoints, DefineMeasure, NewPoint
from programme.messages import PersonId, Role, Side, Stage
from programme.stages.action import Action, ActionStatus, Aim, Screened, Screening
from programme.stages.drafting import ActionText, ChangeAction, DraftAction, ProposeAction
from programme.stages.invitations import MoveSession, window
from programme.stages.session import Purpose, Session
from programme.stages.sessions import session_before, sessions
from programme.working_time import at_local, local_date, month_after

if TYPE_CHECKING:
    from programme.engagement import Engagement

ACTIONS = 3  # how many a forecast foresees
AIMED_MONTHS = 8
STEP = Decimal(10)  # from where the measure stands to what an action aims at


def unasked(engagement: Engagement, at: datetime, guide: Guide) -> Deeds:
    """What people begin of themselves at this moment."""
    if engagement.cycle is None or engagement.paused:
        return []
    return [*_actions(engagement, at, guide), *_moves(engagement, at, guide)]


# --- actions ---------------------------------------------------------------------------------------------------------


def _actions(engagement: Engagement, at: datetime, guide: Guide) -> Deeds:
    """Propose what there is, or draft and propose; only where the next gate waits for it."""
    agreement = engagement.running.agreement
    aimed = [one for one in engagement.measures.measures.values() if _can_be_aimed_at(one)]
    if agreement.in_force() or any(one.undecided for one in agreement.actions.values()):
        return []
    if not _last_session_has_met(engagement) or not all(engagement.participants(side) for side in Side):
        return []
    if not aimed:
        return _measured(engagement, at)
    drafts = [one for one in agreement.actions.values() if one.status is ActionStatus.DRAFT]
    if drafts:
        return [deed for one in drafts for deed in _proposed(engagement, at, guide, one, aimed[0])]
    return _drafted(engagement, at, guide, aimed[0])


def _measured(engagement: Engagement, at: datetime) -> Deeds:
    """A steward defines a measure at which an action can aim, where all that are there only balance; once."""
    steward, measures = engagement.holder(Role.MEASURE_STEWARD), engagement.measures
    if steward is None or not measures.measures or not all(one.has_baseline for one in measures.measures.values()):
        return []  # nobody could, or somebody is asked for a measure or its baseline anyway
    this_month = local_date(at).replace(day=1)
    points = tuple(NewPoint(period=month_after(this_month, -back), value=LEVEL) for back in range(12, 0, -1))
    defined = DefineMeasure(title=SAID, source=SAID, direction=Direction.UP)
    return [(defined, steward), (AddPoints(measure=f"M{measures.defined + 1}", points=points), steward)]


def _can_be_aimed_at(measure: Measure) -> bool:
    aims = measure.purpose is not MeasureKind.BALANCING and measure.direction is not Direction.NEUTRAL
    return aims and measure.has_baseline


def _last_session_has_met(engagement: Engagement) -> bool:
    """Whether the last joint session was quorate; once there was a proposal, the notes of the one about it count."""
    if engagement.in_stage(Stage.SESSIONS):
        plans = engagement.template.sessions
        return not plans or any(one.quorate and one.letter == plans[-1].letter for one in sessions(engagement))
    again = [one for one in sessions(engagement) if one.purpose is Purpose.AGREEMENT]
    return engagement.in_stage(Stage.AGREEMENT) and all(one.counts_from for one in again if not _replaced(one, again))


def _replaced(session: Session, among: list[Session]) -> bool:
    return bool(session.held) and not session.quorate and session is not among[-1]


def _drafted(engagement: Engagement, at: datetime, guide: Guide, measure: Measure) -> Deeds:
    conditions = (engagement.running.sessions.priorities or _in_notes(engagement))[:ACTIONS]
    number, deeds = engagement.running.agreement.drafted, list[tuple[DraftAction | ProposeAction, PersonId]]()
    for place, condition in enumerate(conditions, 1):
        text = _text(engagement, at, guide, measure, condition, place)
        deeds.append((DraftAction(text=text), text.doctor_owner))
        screening = _screening(guide, marked=place == 1)
        deeds.append((ProposeAction(action=f"A{number + place}", screening=screening), text.doctor_owner))
    return list(deeds)


def _in_notes(engagement: Engagement) -> tuple[str, ...]:
    found = (one.notes.outputs.priorities for one in sessions(engagement) if one.notes)
    return next((one for one in found if one), ("C01",))


def _proposed(engagement: Engagement, at: datetime, guide: Guide, action: Action, measure: Measure) -> Deeds:
    """Complete a draft and propose it."""
    place = list(engagement.running.agreement.actions).index(action.id) + 1
    fresh = _text(engagement, at, guide, measure, (action.conditions or ("C01",))[0], place)
    people = engagement.participants(Side.DOCTOR) + engagement.participants(Side.MANAGER)
    kept = {
        name: value
        for name, value in action.model_dump(
            include={"title", "scope", "conditions", "doctor_owner", "manager_owner"}
        ).items()
        if value and (name in {"title", "scope", "conditions"} or value in people)
    }
    text = fresh.model_copy(update=kept)
    screening = _screening(guide, marked=place == 1)
    return [
        (ChangeAction(action=action.id, text=text), text.doctor_owner),
        (ProposeAction(action=action.id, screening=screening), text.doctor_owner),
    ]


def _text(
    engagement: Engagement, at: datetime, guide: Guide, measure: Measure, condition: str, place: int
) -> ActionText:
    level = measure.points[-1].value
    to_value = level + STEP if measure.direction is Direction.UP else level - STEP
    aim = Aim(sentence=SAID, from_value=level, to_value=to_value, by=month_after(local_date(at), AIMED_MONTHS))
    owners = {f"{side.value}_owner": _owner(engagement, guide, side, place) for side in Side}
    return ActionText(title=SAID, scope=SAID, aim=aim, conditions=(condition,), measures=(measure.id,), **owners)


def _owner(engagement: Engagement, guide: Guide, side: Side, place: int) -> PersonId:
    """The co-owner of the first, second or third action: another for each, as far as there are people."""
    people = engagement.participants(side)
    first = people.index(guide.one(people, "owner", side.value))
    return people[(first + place) % len(people)]


def _screening(guide: Guide, *, marked: bool) -> Screening:
    answer = Screened.YES if marked and guide.course is not Course.BEST else Screened.NO
    return Screening(
        changes_who_treats=answer, directs_clinical_decision=Screened.NO, changes_clinical_staffing=Screened.NO
    )


# --- sessions that must not come before a day ------------------------------------------------------------------------


def _moves(engagement: Engagement, at: datetime, guide: Guide) -> Iterator[tuple[MoveSession, PersonId]]:
    """On its day at the latest, a session moves towards the day before which it may not take place."""
    facilitator, today = engagement.holder(Role.FACILITATOR), local_date(at)
    for session in sessions(engagement):
        wanted = guide.not_before.get(called(session))
        if wanted is None or facilitator is None or session.on is None or session.held or session.over:
            continue
        before = session_before(engagement, session)
        if before and before.on is None:
            continue  # it took place without quorum: this one moves when it has another date
        earliest, latest = window(engagement, session, today)
        on = engagement.time.plus(max(min(wanted, latest or wanted), earliest or today), 0)
        if session.on < on and session.starts and at < session.starts:
            yield MoveSession(session=session.id, starts=at_local(on, SESSION_AT), reason=SAID), facilitator
