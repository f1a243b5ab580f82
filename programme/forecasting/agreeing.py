"""What people do with actions, development needs and measures: agree, approve, deliver, verify."""

from __future__ import annotations

from collections.abc import Callable

from programme.charting import AnswerRebase, ExplainSignal
from programme.forecasting.beginning import SAID
from programme.forecasting.moment import Deeds, Moment
from programme.messages import Command, Side
from programme.stages.action import Action
from programme.stages.agreement import AgreeAction
from programme.stages.approval import ApproveAction
from programme.stages.checkins import CheckIn
from programme.stages.compact import SignCompact
from programme.stages.delivery import Progress, RecordTouchpoint
from programme.stages.halves import CloseAction, WithdrawAction
from programme.stages.needs import ConfirmNeedMet, OwnDevelopmentNeed
from programme.stages.objections import AcknowledgeObjection, DecideObjection
from programme.stages.verification import ReportComplete, VerifyAction


def _action(moment: Moment) -> Action:
    return moment.engagement.running.agreement.actions[moment.task.about]


def agree_action(moment: Moment) -> Deeds:
    """Agree to the version that is out."""
    return [(AgreeAction(action=moment.task.about, version=_action(moment).version), moment.task.person)]


def approve_action(moment: Moment) -> Deeds:
    """Approve the version that both sides agreed."""
    return [(ApproveAction(action=moment.task.about, version=_action(moment).version), moment.task.person)]


def sign_compact(moment: Moment) -> Deeds:
    """Sign the version that is out."""
    version = moment.engagement.running.agreement.compact.version
    return [(SignCompact(version=version), moment.task.person)]


def acknowledge_objection(moment: Moment) -> Deeds:
    """Take up every objection to the action."""
    return [
        (AcknowledgeObjection(action=moment.task.about, objection=one.number), moment.task.person)
        for one in _action(moment).open_objections
        if one.acknowledged is None
    ]


def decide_objection(moment: Moment) -> Deeds:
    """Let the action go on."""
    return [
        (DecideObjection(action=moment.task.about, objection=one.number, goes_on=True, reason=SAID), moment.task.person)
        for one in _action(moment).open_objections
    ]


def half(command: Callable[[str], Command]) -> Callable[[Moment], Deeds]:
    """Give one's half of what takes both co-owners."""

    def deed(moment: Moment) -> Deeds:
        return [(command(moment.task.about), moment.task.person)]

    return deed


withdraw_action = half(lambda action: WithdrawAction(action=action))
close_action = half(lambda action: CloseAction(action=action))
report_complete = half(lambda action: ReportComplete(action=action))


def verify_action(moment: Moment) -> Deeds:
    """Find it done; where nobody was named, the facilitator asks somebody who does not own it."""
    action = _action(moment)
    side = Side(moment.task.id.split("/")[1].split("-")[2])
    others = [one for one in moment.present(side) if one not in action.owners]
    looks = moment.task.person if moment.task.person in others else next(iter(others), None)
    return [(VerifyAction(action=action.id, evidence=SAID), looks)] if looks else []


def own_need(moment: Moment) -> Deeds:
    """Own a development need, or find somebody of its side who does."""
    need = moment.engagement.running.agreement.needs[moment.task.about]
    people = [one for side in Side if need.side in (None, side) for one in moment.present(side)]
    if not people:
        return []
    owner = moment.task.person if moment.task.person in people else moment.guide.one(people, "need", need.id)
    return [(OwnDevelopmentNeed(need=need.id), owner)]


def confirm_need(moment: Moment) -> Deeds:
    """Somebody of each side who does not own it confirms that it is met."""
    need = moment.engagement.running.agreement.needs[moment.task.about]
    free = [
        [one for one in moment.present(side) if one != need.owner] for side in Side if side not in need.confirmations
    ]
    return [(ConfirmNeedMet(need=need.id, evidence=SAID), people[0]) for people in free if people]


# --- delivery --------------------------------------------------------------------------------------------------------


def check_in(moment: Moment) -> Deeds:
    """On track."""
    return [(CheckIn(about=moment.task.about, progress=Progress.ON_TRACK, line=SAID), moment.task.person)]


def record_touchpoint(moment: Moment) -> Deeds:
    """Both co-owners and a sponsor meet."""
    action = _action(moment)
    sponsors = [one for one in moment.engagement.sponsors if not moment.guide.is_away(one, moment.today)]
    if not sponsors or any(moment.guide.is_away(owner, moment.today) for owner in action.owners):
        return []
    attended = (*action.owners, moment.guide.one(sponsors, "touchpoint", action.id))
    return [(RecordTouchpoint(on=moment.today, actions=(action.id,), attended=attended), moment.task.person)]


def explain_signal(moment: Moment) -> Deeds:
    """Say what one knows of it."""
    number = int(moment.task.id.split("/")[-2].rpartition("-")[2])
    return [(ExplainSignal(measure=moment.task.about, signal=number, explanation=SAID), moment.task.person)]


def answer_rebase(moment: Moment) -> Deeds:
    """Agree to new lines."""
    return [(AnswerRebase(measure=moment.task.about, agree=True), moment.task.person)]
