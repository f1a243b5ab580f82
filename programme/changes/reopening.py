"""Opening again what was taken for done too early: a verified action, a side's answer to a finding, notes that count.

What was given stays in the history, nobody's word is changed by anybody else, and nothing is reopened behind a gate
that has passed. Development needs are reopened where they stand (``needs.py``), the questionnaire by choice of the
facilitator.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from programme.measures import refuse_blank
from programme.messages import PARTICIPANTS, SPONSORS, Command, Event, Paragraph, PersonId, Role, Side, Stage
from programme.part import Asked, Part
from programme.post import NoticeRaised
from programme.refusals import (
    ActionElsewhere,
    AlreadyDone,
    Invalid,
    NotHeldByYou,
    NotYet,
    Unknown,
    UnknownAction,
    UnknownSession,
)
from programme.stages.action import ActionId, ActionStatus, Joint, action_of
from programme.stages.action import changed as action_changed
from programme.stages.review import Finding, FindingId, FindingKind, ReviewId, TakenBack, answerers, speaks_for
from programme.stages.reviewing import finding_of, review_of, with_finding
from programme.stages.session import Purpose, Reopened, SessionId
from programme.stages.sessions import changed, find

if TYPE_CHECKING:
    from programme.engagement import Engagement

VERIFIED = frozenset({ActionStatus.VERIFIED, ActionStatus.SUSTAINED})
OPEN_DURING: Mapping[Purpose, Stage] = {
    Purpose.PLANNED: Stage.SESSIONS,
    Purpose.AGREEMENT: Stage.AGREEMENT,
    Purpose.LEARNING: Stage.RENEWAL,
}
"""The stage before whose gate the notes of a session can be reopened; those of other sessions open no gate."""


# --- commands --------------------------------------------------------------------------------------------------------


class ReopenAction(Command):
    """Say, with a reason, that an action was verified in error. It is active again, until it is verified anew."""

    who = PARTICIPANTS | {Role.FACILITATOR}
    refusals = (UnknownAction, ActionElsewhere, Invalid)

    kind: Literal["ReopenAction"] = "ReopenAction"
    action: ActionId
    reason: Paragraph


class ReopenFinding(Command):
    """Take back one's side's answer to a finding, with a reason. The side answers anew.

    Only once, and only while the review is not answered (gate G6).
    """

    who = PARTICIPANTS | SPONSORS
    refusals = (Unknown, NotHeldByYou, NotYet, AlreadyDone, Invalid)

    kind: Literal["ReopenFinding"] = "ReopenFinding"
    review: ReviewId
    finding: FindingId
    reason: Paragraph


class ReopenNotes(Command):
    """Reopen, with a reason, notes that count, before the gate of their stage.

    They count again once both sides have confirmed them, as they are or written anew.
    """

    who = frozenset({Role.FACILITATOR})
    refusals = (UnknownSession, NotYet, AlreadyDone, Invalid)

    kind: Literal["ReopenNotes"] = "ReopenNotes"
    session: SessionId
    reason: Paragraph


Commands = ReopenAction | ReopenFinding | ReopenNotes


# --- events ----------------------------------------------------------------------------------------------------------


class ActionReopened(Event):
    """A verified action is active again."""

    kind: Literal["ActionReopened"] = "ActionReopened"
    action: ActionId
    by: PersonId
    reason: str
    on: date


class FindingReopened(Event):
    """A side took its answer to a finding back, and answers anew."""

    kind: Literal["FindingReopened"] = "FindingReopened"
    review: ReviewId
    finding: FindingId
    side: Side
    by: PersonId
    reason: str
    on: date


class NotesReopened(Event):
    """Notes that counted do so no more: they are before both sides again, under a version of their own."""

    kind: Literal["NotesReopened"] = "NotesReopened"
    session: SessionId
    version: int
    reason: str
    on: date


Events = ActionReopened | FindingReopened | NotesReopened


# --- decide ----------------------------------------------------------------------------------------------------------


def reopen_action(engagement: Engagement, command: ReopenAction, asked: Asked) -> list[Event]:
    """Make a verified action active again; both co-owners, and who verified it, are told."""
    action = action_of(engagement, command.action, VERIFIED)
    refuse_blank(command.reason, "The reason")
    people = (*action.owners, *(one.by for one in action.verifications.values()))
    title = f"Action {action.id} was verified in error. It is active again"
    return [
        ActionReopened(action=action.id, by=asked.by, reason=command.reason, on=asked.today),
        NoticeRaised(people=tuple(dict.fromkeys(people)), title=title, about=action.id),
    ]


def reopen_finding(engagement: Engagement, command: ReopenFinding, asked: Asked) -> list[Event]:
    """Take an answer back, once, before gate G6 of the review has passed and before anything came of it."""
    review = review_of(engagement, command.review)
    finding = finding_of(review, command.finding)
    side = speaks_for(engagement, finding, asked.by)
    if side is None:
        raise NotHeldByYou("Answering this finding")
    if side not in finding.answers:
        raise NotYet("your side has not answered this finding")
    if review.answered:
        raise AlreadyDone("both sides have answered this review (gate G6)")
    if finding.kind is FindingKind.RECOMMEND and finding.accepted:
        raise AlreadyDone("both sides have accepted, and an action was drafted; decline or withdraw that instead")
    if any(one.side is side for one in finding.taken_back):
        raise AlreadyDone("your side has taken back an answer to this finding")
    refuse_blank(command.reason, "The reason")
    reopened = FindingReopened(
        review=review.id, finding=finding.id, side=side, by=asked.by, reason=command.reason, on=asked.today
    )
    return [reopened, _told_of_finding(engagement, review.id, review.chair, finding)]


def _told_of_finding(engagement: Engagement, review: ReviewId, chair: PersonId, finding: Finding) -> NoticeRaised:
    people = [one for side in Side for one in answerers(engagement, finding, side)]
    told = tuple(dict.fromkeys(one for one in (*people, chair) if one))
    title = "An answer to a finding of a challenge review was taken back, and will be given anew"
    return NoticeRaised(people=told, title=title, about=review)


def reopen_notes(engagement: Engagement, command: ReopenNotes, asked: Asked) -> list[Event]:
    """Put notes that count before both sides again; everybody who attended is told."""
    session = find(engagement, command.session)
    if session.counts_from is None or session.notes is None:
        raise NotYet("the notes do not count; write them anew")
    stage = OPEN_DURING.get(session.purpose)
    decided = stage is Stage.RENEWAL and engagement.running.renewal.round > 0
    if stage is None or not engagement.in_stage(stage) or decided:
        raise AlreadyDone("what rested on these notes was decided; what has changed belongs in the next session")
    refuse_blank(command.reason, "The reason")
    title = f"The notes of {session.name} are open again. Confirm them, or say what is wrong"
    people = tuple(dict.fromkeys((*session.voting, *engagement.sponsors)))
    return [
        NotesReopened(session=session.id, version=session.notes.version + 1, reason=command.reason, on=asked.today),
        NoticeRaised(people=people, title=title, about=session.id),
    ]


# --- evolve ----------------------------------------------------------------------------------------------------------


def _action_reopened(engagement: Engagement, event: ActionReopened, at: datetime) -> Engagement:
    del at
    joint = engagement.running.agreement.actions[event.action].joint
    kept = {what: given for what, given in joint.items() if what is Joint.WITHDRAW}
    return action_changed(
        engagement,
        event.action,
        status=ActionStatus.ACTIVE,
        reported=None,
        verified=None,
        verifications={},
        joint=kept,
        reopened=event.on,
        reason=event.reason,
    )


def _finding_reopened(engagement: Engagement, event: FindingReopened, at: datetime) -> Engagement:
    del at
    finding = engagement.running.challenge.reviews[event.review].findings[event.finding]
    taken = TakenBack(side=event.side, answer=finding.answers[event.side], reason=event.reason, on=event.on)
    answers = {side: one for side, one in finding.answers.items() if side is not event.side}
    changes = {"answers": answers, "taken_back": (*finding.taken_back, taken)}
    return with_finding(engagement, event.review, finding.model_copy(update=changes))


def _notes_reopened(engagement: Engagement, event: NotesReopened, at: datetime) -> Engagement:
    """The same words under a new version; what they deferred waits again, and what they settled is settled no more."""
    del at
    running = engagement.running.sessions
    session = running.all[event.session]
    if session.notes is None:
        return engagement
    fresh = {"version": event.version, "written": event.on, "confirmed": {}, "late": None, "views": {}}
    again = Reopened(version=session.notes.version, reason=event.reason, on=event.on)
    after = changed(
        engagement,
        event.session,
        notes=session.notes.model_copy(update=fresh),
        counts_from=None,
        reopened=(*session.reopened, again),
    )
    theirs = {one.condition: one for one in session.notes.outputs.deferrals}
    deferrals = {
        name: one
        for name, one in running.deferrals.items()
        if name not in theirs or (one.until, one.reason) != (theirs[name].until, theirs[name].reason)
    }
    counted = tuple(one for one in running.counted if one != event.session)
    sessions = after.running.sessions.model_copy(update={"counted": counted, "deferrals": deferrals})
    return after.in_cycle(sessions=sessions)


PART = Part(
    name="reopening",
    decide={ReopenAction: reopen_action, ReopenFinding: reopen_finding, ReopenNotes: reopen_notes},
    evolve={ActionReopened: _action_reopened, FindingReopened: _finding_reopened, NotesReopened: _notes_reopened},
)
