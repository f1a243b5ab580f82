"""Invariants 16 to 22, judged: challenge, quorum, verification, and what takes both sides."""

from collections import Counter
from collections.abc import Iterator

from programme.changes.reopening import NotesReopened
from programme.engagement import Engagement
from programme.gates import StageStarted
from programme.messages import (
    APPROVERS,
    PARTICIPANTS,
    SPONSORS,
    PersonId,
    Side,
    Stage,
)
from programme.post import MessageIssued, NoticeRaised
from programme.stages.action import IN_FORCE, ActionStatus, Joint, NeedStatus
from programme.stages.drafting import ActionProposed
from programme.stages.findings import FindingsRecorded
from programme.stages.halves import ActionClosed, ActionWithdrawn
from programme.stages.meetings import ReviewHeld
from programme.stages.panels import ChairPassed, PanelAccepted, PanelMemberAppointed
from programme.stages.renewal import EngagementClosed, NextStep, RenewalAsked, RenewalSettled
from programme.stages.sessions import AttendanceRecorded
from programme.stages.verification import SideVerified
from tests.core.judging import (
    Step,
    action_named,
    actions,
    needs,
    reviews,
    same_cycle,
    sessions,
    side_of,
    standing,
)

VERIFIED = frozenset({ActionStatus.VERIFIED, ActionStatus.SUSTAINED})


def nobody_challenges_their_own(step: Step) -> Iterator[str]:
    """16. No owner, approver, signatory, sponsor or line manager challenges; external means another ODS code."""
    for moment in step.moments:
        event = moment.event
        sitting: tuple[PersonId, ...] = ()
        if isinstance(event, PanelMemberAppointed | PanelAccepted | ChairPassed):
            sitting = (event.person,)
        elif isinstance(event, ReviewHeld):
            sitting = event.attended
        elif isinstance(event, FindingsRecorded):
            sitting = (moment.before.running.challenge.reviews[event.review].chair,)
        for person in sitting:
            for why in _conflicts(moment.after, person):
                yield f"{event.kind} with somebody who {why}"
        if isinstance(event, ReviewHeld | FindingsRecorded):
            review = moment.before.running.challenge.reviews[event.review]
            code = moment.before.people[review.chair].ods_code.strip().upper()
            if review.external and code in ("", moment.before.ods_code):
                yield f"{review.id} is external and chaired from this trust"


def _conflicts(engagement: Engagement, person: PersonId) -> Iterator[str]:
    held = engagement.people[person]
    if held.roles() & (PARTICIPANTS | SPONSORS | APPROVERS):
        yield "takes part, sponsors or approves"
    for action in actions(engagement):
        if standing(action) not in IN_FORCE | {ActionStatus.CLOSED}:
            continue
        acted = {*action.owners, *(one.by for one in action.agreements.values())}
        if person in acted or (action.approval and action.approval.by == person):
            yield "owns, signed or approved"
        managers = {engagement.people[owner].line_manager for owner in action.owners}
        if person in managers or held.line_manager in action.owners:
            yield "manages an owner, or answers to one"


def panels_have_both_sides_and_no_renewal_without_an_external_review(step: Step) -> Iterator[str]:
    """17. A panel has a doctor and a manager; an external review is held and answered before renewal."""
    for moment in step.moments:
        event = moment.event
        if isinstance(event, ReviewHeld):
            review = moment.before.running.challenge.reviews[event.review]
            others = [one for one in event.attended if one != review.chair]
            backgrounds = {review.panel[one].background for one in others}
            accepted = all(review.panel[one].accepted for one in event.attended)
            if review.chair not in event.attended or len(others) < 2 or backgrounds != set(Side) or not accepted:
                yield f"{review.id} was held without a chair, a doctor and a manager who accepted"
        if isinstance(event, RenewalAsked | RenewalSettled):
            external = [one for one in reviews(moment.before) if one.external and one.held and one.answered]
            if not external:
                yield f"{event.kind} without an external review that was held and answered"


def only_quorate_sessions_agree(step: Step) -> Iterator[str]:
    """18. Only quorate sessions can prioritise, agree or adopt."""
    for session in sessions(step.after):
        if (session.notes or session.counts_from) and not session.quorate:
            yield f"{session.id} was not quorate and has notes"
    for moment in step.moments:
        event = moment.event
        if isinstance(event, AttendanceRecorded) and event.quorate:
            sides = Counter(side_of(moment.before, person) for person in set(event.voting))
            few = any(sides[side] < 3 or 100 * sides[side] < 40 * sides.total() for side in Side)
            if few or sides.keys() - set(Side) or not event.facilitator_present:
                yield f"{event.session} was called quorate and was not"
        last = any(one.letter == "C" and one.quorate for one in sessions(moment.before))
        if isinstance(event, ActionProposed) and moment.before.in_stage(Stage.SESSIONS) and not last:
            yield f"{event.action} was proposed before the last session had its quorum"


def notes_count_when_both_sides_confirmed_and_dissent_stays(step: Step) -> Iterator[str]:
    """19. Notes count only when confirmed from both sides; dissent is kept, never overwritten."""
    for session in sessions(step.after):
        notes = session.notes
        if session.counts_from and notes:
            confirmed = {side: one for side, one in notes.confirmed.items() if one in session.voting}
            both = [side_of(step.after, one) for one in confirmed.values()]
            views = {side for side, view in notes.views.items() if view.strip()}
            if set(both) != set(Side) and views != set(Side):
                yield f"the notes of {session.id} count without both sides"
    after = {session.id: session for session in sessions(step.after)}
    for was in sessions(step.before) if same_cycle(step) else ():
        now = after[was.id]
        if now.dissents[: len(was.dissents)] != was.dissents:
            yield f"dissent about the notes of {was.id} was overwritten"
        reopened = any(isinstance(one.event, NotesReopened) and one.event.session == was.id for one in step.entries)
        if was.counts_from and not reopened and (now.notes, now.counts_from) != (was.notes, was.counts_from):
            yield f"the notes of {was.id} changed after they counted"
    for name, difference in step.before.differences.items():
        kept = step.after.differences.get(name)
        if kept is None or kept.views[: len(difference.views)] != difference.views or kept.title != difference.title:
            yield f"difference {name} was overwritten"


def completion_is_verified_by_others_from_both_sides(step: Step) -> Iterator[str]:
    """20. Completion is verified by people who are not its owners, from both sides; by their own hands or others'."""
    for entry in step.entries:
        if (
            isinstance(entry.event, SideVerified)
            and entry.actor in action_named(step.before, entry.event.action).owners
        ):
            yield f"an owner's hands verified {entry.event.action}"
    for action in actions(step.after):
        if standing(action) in VERIFIED:
            found = {side: one.by for side, one in action.verifications.items()}
            sides = {side_of(step.after, person) for person in found.values()}
            if set(found) != set(Side) or sides != set(Side) or set(found.values()) & set(action.owners):
                yield f"{action.id} is {action.status.value} without somebody else of each side"
    for need in needs(step.after):
        confirmed = {one.by for one in need.confirmations.values()}
        if need.status is NeedStatus.MET and (len(confirmed) < 2 or need.owner in confirmed):
            yield f"{need.id} is met without somebody else of each side"


def what_ends_or_binds_needs_both_sides(step: Step) -> Iterator[str]:
    """21. Renewal, sustain, close, compact and withdrawal need both sides."""
    for moment in step.moments:
        event = moment.event
        if isinstance(event, RenewalSettled):
            yield from _settled_alone(moment.before, event)
        if isinstance(event, EngagementClosed):
            outcome = moment.before.running.renewal.outcome
            if outcome is not NextStep.CLOSE:
                yield "the engagement closed and nobody decided it"
        if isinstance(event, ActionWithdrawn | ActionClosed):
            what = Joint.WITHDRAW if isinstance(event, ActionWithdrawn) else Joint.CLOSE
            if set(action_named(moment.before, event.action).joint.get(what, {})) != set(Side):
                yield f"{event.kind} of {event.action} by one side"
        delivers = isinstance(event, StageStarted) and event.stage is Stage.DELIVERY
        if delivers and moment.before.running.agreement.compact.signatures.keys() < set(moment.before.sponsors):
            yield "delivery began without both signatures under the compact"


def _settled_alone(engagement: Engagement, event: RenewalSettled) -> Iterator[str]:
    decisions = engagement.running.renewal.decisions
    choices = [decisions[one].choice for one in engagement.sponsors if one in decisions]
    if event.by_time and event.outcome is not NextStep.SUSTAIN:
        yield f"silence led to {event.outcome.value}"
    if not event.by_time and choices != [event.outcome] * 2:
        yield f"{event.outcome.value} without both sponsors"


def _apart(engagement: Engagement, notice: NoticeRaised, told: MessageIssued) -> bool:
    """Whether news for several reaches only some of those who have not gone."""
    return bool(set(notice.people) - set(told.people) - engagement.handovers.departures.keys())


def escalations_that_name_a_side_reach_both_sponsors_together(step: Step) -> Iterator[str]:
    """22. Escalations naming one side reach both sponsors together."""
    for moment in step.moments:
        event = moment.event
        if not isinstance(event, MessageIssued):
            continue
        both = set(moment.before.sponsors)
        for item in event.items:
            harms = "safety" in item.task  # is told at once to whoever is there, and later to who comes
            if item.rung.endswith(" both_sponsors") and set(event.people) != both and not harms:
                yield f"{item.task} was escalated to one sponsor"
            if item.rung.endswith(" medical_sponsor") and set(event.people) != both:
                sides = [task.side for task in moment.before.open_tasks if task.id == item.task]
                if sides != [None]:
                    yield f"{item.task} names a side and was escalated to one sponsor"
            if item.notice:
                notice = step.recorded[item.notice - 1].event
                if isinstance(notice, NoticeRaised) and notice.together and _apart(moment.before, notice, event):
                    yield f"notice {item.notice} was told apart and not together"
