"""Development needs: what people must learn to work well together, owned by somebody and tracked like an action."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from programme.measures import refuse_blank
from programme.messages import PARTICIPANTS, Command, Event, Paragraph, PersonId, Role, Sentence, Side, Stage, Task
from programme.part import Asked, Part
from programme.post import NoticeRaised
from programme.refusals import (
    ActionElsewhere,
    AlreadyDone,
    Invalid,
    NotHeldByYou,
    NotYet,
    OwnWork,
    UnknownNeed,
    UnknownPerson,
    WrongSide,
)
from programme.stages.action import CONDITIONS, DevelopmentNeed, NeedStatus, Verification

if TYPE_CHECKING:
    from programme.engagement import Engagement

OPEN, OWNED, REPORTED = NeedStatus.OPEN, NeedStatus.OWNED, NeedStatus.REPORTED_MET


# --- commands ------------------------------------------------------------------------------------------------------


class AddDevelopmentNeed(Command):
    """Write down what somebody must learn. ``side``: whose need; ``suggested``: who is asked first to own it."""

    who = PARTICIPANTS | {Role.FACILITATOR}
    refusals = (NotYet, UnknownPerson, WrongSide, Invalid)

    kind: Literal["AddDevelopmentNeed"] = "AddDevelopmentNeed"
    need: Sentence
    side: Side | None = None
    conditions: tuple[str, ...] = ()
    source: str = ""
    by: date | None = None
    suggested: PersonId = ""


class OwnDevelopmentNeed(Command):
    """See to it that a development need is met."""

    who = PARTICIPANTS
    refusals = (UnknownNeed, ActionElsewhere, WrongSide)

    kind: Literal["OwnDevelopmentNeed"] = "OwnDevelopmentNeed"
    need: str


class ReportNeedMet(Command):
    """Report, as its owner, that a development need is met."""

    who = PARTICIPANTS
    refusals = (UnknownNeed, ActionElsewhere, NotHeldByYou)

    kind: Literal["ReportNeedMet"] = "ReportNeedMet"
    need: str


class ConfirmNeedMet(Command):
    """Confirm for one's side, with evidence, that a development need is met; its owner cannot."""

    who = PARTICIPANTS
    refusals = (UnknownNeed, ActionElsewhere, OwnWork, AlreadyDone, Invalid)

    kind: Literal["ConfirmNeedMet"] = "ConfirmNeedMet"
    need: str
    evidence: Paragraph


class ReopenNeed(Command):
    """Say, with a reason, that a development need which was reported met is not."""

    who = PARTICIPANTS
    refusals = (UnknownNeed, ActionElsewhere, OwnWork, Invalid)

    kind: Literal["ReopenNeed"] = "ReopenNeed"
    need: str
    reason: Paragraph


class DropDevelopmentNeed(Command):
    """Give up a development need. It is dropped once somebody of the other side has said the same."""

    who = PARTICIPANTS
    refusals = (UnknownNeed, ActionElsewhere, AlreadyDone)

    kind: Literal["DropDevelopmentNeed"] = "DropDevelopmentNeed"
    need: str


Commands = AddDevelopmentNeed | OwnDevelopmentNeed | ReportNeedMet | ConfirmNeedMet | ReopenNeed | DropDevelopmentNeed


# --- events --------------------------------------------------------------------------------------------------------


class DevelopmentNeedAdded(Event):
    """There is a development need that nobody owns yet."""

    kind: Literal["DevelopmentNeedAdded"] = "DevelopmentNeedAdded"
    need: str
    text: str
    side: Side | None = None
    conditions: tuple[str, ...] = ()
    source: str = ""
    due: date | None = None
    suggested: PersonId = ""
    by: PersonId
    on: date


class DevelopmentNeedOwned(Event):
    """Somebody sees to it."""

    kind: Literal["DevelopmentNeedOwned"] = "DevelopmentNeedOwned"
    need: str
    by: PersonId
    on: date


class NeedReportedMet(Event):
    """Its owner says that it is met."""

    kind: Literal["NeedReportedMet"] = "NeedReportedMet"
    need: str
    by: PersonId
    on: date


class NeedConfirmed(Event):
    """Somebody of a side who does not own it confirmed that it is met."""

    kind: Literal["NeedConfirmed"] = "NeedConfirmed"
    need: str
    side: Side
    by: PersonId
    evidence: str
    on: date


class NeedReopened(Event):
    """Somebody who does not own it found that it is not met."""

    kind: Literal["NeedReopened"] = "NeedReopened"
    need: str
    by: PersonId
    reason: str
    on: date


class NeedDropAsked(Event):
    """One side would give it up; with the other side's word it is dropped."""

    kind: Literal["NeedDropAsked"] = "NeedDropAsked"
    need: str
    side: Side
    by: PersonId
    on: date


class NeedHandedOver(Event):
    """Somebody else of the same side owns it, or is asked to."""

    kind: Literal["NeedHandedOver"] = "NeedHandedOver"
    need: str
    was: PersonId
    now: PersonId
    on: date


Events = (
    DevelopmentNeedAdded
    | DevelopmentNeedOwned
    | NeedReportedMet
    | NeedConfirmed
    | NeedReopened
    | NeedDropAsked
    | NeedHandedOver
)


# --- decide --------------------------------------------------------------------------------------------------------


def need_of(engagement: Engagement, need: str, among: frozenset[NeedStatus]) -> DevelopmentNeed:
    """A development need of the running cycle, that stands where something may be done with it.

    Raises:
        UnknownNeed: there is none with this id.
        ActionElsewhere: its status is not among those.
    """
    found = engagement.cycle.agreement.needs.get(need) if engagement.cycle else None
    if found is None:
        raise UnknownNeed(need)
    if found.status not in among:
        raise ActionElsewhere(found.status.value)
    return found


def add_development_need(engagement: Engagement, command: AddDevelopmentNeed, asked: Asked) -> list[Event]:
    """Add a need: from the joint sessions on."""
    if engagement.cycle is None or engagement.span(Stage.SESSIONS) is None:
        raise NotYet("development needs are named in the joint sessions, and from then on")
    refuse_blank(command.need, "The need")
    if not CONDITIONS.issuperset(command.conditions):
        raise Invalid("Name conditions as C01 to C11.")
    if command.suggested:
        _refuse_stranger(engagement, command.suggested, command.side)
    return [
        DevelopmentNeedAdded(
            need=f"N{engagement.running.agreement.needed + 1}",
            text=command.need,
            side=command.side,
            conditions=command.conditions,
            source=command.source,
            due=command.by,
            suggested=command.suggested,
            by=asked.by,
            on=asked.today,
        )
    ]


def _refuse_stranger(engagement: Engagement, person: PersonId, side: Side | None) -> None:
    found = engagement.people.get(person)
    if found is None or not found.takes_part:
        raise UnknownPerson(person)
    if side not in (None, found.side):
        raise WrongSide


def own_development_need(engagement: Engagement, command: OwnDevelopmentNeed, asked: Asked) -> list[Event]:
    """Own a need; one of a side is owned by somebody of that side."""
    need = need_of(engagement, command.need, frozenset({OPEN}))
    _refuse_stranger(engagement, asked.by, need.side)
    return [DevelopmentNeedOwned(need=need.id, by=asked.by, on=asked.today)]


def report_need_met(engagement: Engagement, command: ReportNeedMet, asked: Asked) -> list[Event]:
    """Report a need met, and ask the facilitator to find people who confirm it."""
    need = need_of(engagement, command.need, frozenset({OWNED}))
    if need.owner != asked.by:
        raise NotHeldByYou("This development need")
    return [NeedReportedMet(need=need.id, by=asked.by, on=asked.today)]


def confirm_need_met(engagement: Engagement, command: ConfirmNeedMet, asked: Asked) -> list[Event]:
    """Confirm for one side; both sides' confirmations complete it."""
    need = need_of(engagement, command.need, frozenset({REPORTED}))
    refuse_blank(command.evidence, "The evidence")
    if need.owner == asked.by:
        raise OwnWork
    side = _side(engagement, asked)
    if side in need.confirmations:
        raise AlreadyDone("your side has confirmed it")
    return [NeedConfirmed(need=need.id, side=side, by=asked.by, evidence=command.evidence, on=asked.today)]


def reopen_need(engagement: Engagement, command: ReopenNeed, asked: Asked) -> list[Event]:
    """Send a need back to its owner."""
    need = need_of(engagement, command.need, frozenset({REPORTED}))
    refuse_blank(command.reason, "The reason")
    if need.owner == asked.by:
        raise OwnWork
    title = f"Development need {need.id} was found not to be met yet"
    return [
        NeedReopened(need=need.id, by=asked.by, reason=command.reason, on=asked.today),
        NoticeRaised(people=(need.owner,), title=title, about=need.id),
    ]


def drop_development_need(engagement: Engagement, command: DropDevelopmentNeed, asked: Asked) -> list[Event]:
    """Give one side's word to drop a need."""
    need = need_of(engagement, command.need, frozenset({OPEN, OWNED}))
    side = _side(engagement, asked)
    if side in need.dropped_by:
        raise AlreadyDone("your side has said so; the other side has not yet")
    return [NeedDropAsked(need=need.id, side=side, by=asked.by, on=asked.today)]


def _side(engagement: Engagement, asked: Asked) -> Side:
    side = engagement.people[asked.by].side
    assert side is not None, "participants have a side"  # noqa: S101 - ``who`` lets only participants ask
    return side


# --- evolve --------------------------------------------------------------------------------------------------------


def _added(engagement: Engagement, event: DevelopmentNeedAdded, at: datetime) -> Engagement:
    del at
    need = DevelopmentNeed(
        id=event.need,
        need=event.text,
        conditions=event.conditions,
        side=event.side,
        source=event.source,
        by=event.due,
        suggested=event.suggested,
        added=event.on,
        added_by=event.by,
    )
    agreement = engagement.running.agreement.with_need(need)
    return engagement.in_cycle(agreement=agreement.model_copy(update={"needed": agreement.needed + 1}))


def _owned(engagement: Engagement, event: DevelopmentNeedOwned, at: datetime) -> Engagement:
    del at
    return _changed(engagement, event.need, owner=event.by, owned=event.on, status=OWNED, dropped_by={})


def _reported(engagement: Engagement, event: NeedReportedMet, at: datetime) -> Engagement:
    del at
    return _changed(engagement, event.need, status=REPORTED, reported=event.on, confirmations={}, dropped_by={})


def _confirmed(engagement: Engagement, event: NeedConfirmed, at: datetime) -> Engagement:
    del at
    found = Verification(by=event.by, evidence=event.evidence, on=event.on)
    confirmations = {**engagement.running.agreement.needs[event.need].confirmations, event.side: found}
    met = {"status": NeedStatus.MET, "ended": event.on} if len(confirmations) == len(Side) else {}
    return _changed(engagement, event.need, confirmations=confirmations, **met)


def _reopened(engagement: Engagement, event: NeedReopened, at: datetime) -> Engagement:
    del at
    return _changed(engagement, event.need, status=OWNED, confirmations={})


def _drop_asked(engagement: Engagement, event: NeedDropAsked, at: datetime) -> Engagement:
    del at
    dropped_by = {**engagement.running.agreement.needs[event.need].dropped_by, event.side: event.by}
    dropped = {"status": NeedStatus.DROPPED, "ended": event.on} if len(dropped_by) == len(Side) else {}
    return _changed(engagement, event.need, dropped_by=dropped_by, **dropped)


def _handed_over(engagement: Engagement, event: NeedHandedOver, at: datetime) -> Engagement:
    del at
    need = engagement.running.agreement.needs[event.need]
    field = "owner" if need.owner == event.was else "suggested"
    return _changed(engagement, event.need, **{field: event.now})


def _changed(engagement: Engagement, need: str, **changes: object) -> Engagement:
    agreement = engagement.running.agreement
    return engagement.in_cycle(agreement=agreement.with_need(agreement.needs[need].model_copy(update=changes)))


# --- tasks ---------------------------------------------------------------------------------------------------------


def tasks(engagement: Engagement) -> Iterator[Task]:
    """An owner for each need; people of both sides who confirm one that was reported met."""
    if engagement.cycle is None or engagement.in_stage(Stage.SESSIONS):
        return
    durations = engagement.template.durations
    for need in engagement.cycle.agreement.needs.values():
        if need.status is OPEN:
            yield from _needs_owner(engagement, need)
        if need.status is REPORTED and need.reported:
            for facilitator in engagement.holders(Role.FACILITATOR):
                yield Task(
                    id=f"needs/confirm-{need.id}-{need.reported}/{facilitator}",
                    ladder="verification",
                    person=facilitator,
                    about=need.id,
                    command="ConfirmNeedMet",
                    title=f"Ask a doctor and a manager whether development need {need.id} is met",
                    opened=need.reported,
                    due=engagement.time.due(need.reported, durations.verification, "it was reported met"),
                )


def _needs_owner(engagement: Engagement, need: DevelopmentNeed) -> Iterator[Task]:
    span = engagement.span(Stage.SESSIONS)
    since = max(need.added, span.ended) if span and span.ended else need.added
    for person in (need.suggested,) if need.suggested else engagement.holders(Role.FACILITATOR):
        yield Task(
            id=f"needs/owner-{need.id}-{since}/{person}",
            ladder="duty",
            person=person,
            about=need.id,
            command="OwnDevelopmentNeed",
            title=f"Own development need {need.id}"
            if need.suggested
            else f"Find an owner of development need {need.id}",
            opened=since,
            due=engagement.time.due(since, engagement.template.durations.need_owner, "it was named"),
        )


PART = Part(
    name="needs",
    decide={
        AddDevelopmentNeed: add_development_need,
        OwnDevelopmentNeed: own_development_need,
        ReportNeedMet: report_need_met,
        ConfirmNeedMet: confirm_need_met,
        ReopenNeed: reopen_need,
        DropDevelopmentNeed: drop_development_need,
    },
    evolve={
        DevelopmentNeedAdded: _added,
        DevelopmentNeedOwned: _owned,
        NeedReportedMet: _reported,
        NeedConfirmed: _confirmed,
        NeedReopened: _reopened,
        NeedDropAsked: _drop_asked,
        NeedHandedOver: _handed_over,
    },
    tasks=tasks,
)
