"""Dated cover: somebody does for a few days what another person owes, and the other stays accountable.

The rules are asked as if the accountable person had come; beside them, the hands that act must be of the same side,
join no forbidden combination, and stand on one side only of what needs two different people. What is personal or
candid is nobody else's to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from programme import people
from programme.changes.extending import ExtendDueDate
from programme.charting import AnswerRebase, AskForRebase, ExplainSignal
from programme.continuity import ExtendPause, PauseEngagement, ResumeEngagement
from programme.handover import NameSuccessor, RecordDeparture, WithdrawDeparture
from programme.measures import AddPoints, CorrectPoint, DefineMeasure, SetTarget
from programme.messages import (
    APPROVERS,
    CHALLENGERS,
    PARTICIPANTS,
    Command,
    Due,
    Event,
    Frozen,
    PersonId,
    Role,
    Side,
)
from programme.part import Asked, Part
from programme.people import Appoint, EnrolPeople, refuse_clash
from programme.post import NoticeRaised, SettleUndelivered
from programme.refusals import (
    AlreadyDone,
    CannotCover,
    ForbiddenCombination,
    Invalid,
    NotCoverable,
    NotCovering,
    NotHeldByYou,
    UnknownPerson,
)
from programme.stages.action import Action, actions_of
from programme.stages.agreement import AgreeAction, DeclineAction
from programme.stages.approval import ApproveAction, LiftClinicalMark, RefuseAction
from programme.stages.checkins import CheckIn
from programme.stages.delivery import AddPdsaNote, RecordTouchpoint
from programme.stages.diagnosis import ChooseAfterShortfall, ExtendWindow
from programme.stages.drafting import ChangeAction, DraftAction, ProposeAction
from programme.stages.exchange import ConfirmPairs, ExcusePair, RePair
from programme.stages.findings import AnswerFinding
from programme.stages.halves import CloseAction, WithdrawAction
from programme.stages.invitations import CancelSession, MoveSession, ScheduleSession
from programme.stages.meetings import ScheduleReview
from programme.stages.needs import (
    AddDevelopmentNeed,
    ConfirmNeedMet,
    DropDevelopmentNeed,
    ReopenNeed,
    ReportNeedMet,
)
from programme.stages.notes import RecordConversation, SettleNotes, WriteNotes
from programme.stages.objections import AcknowledgeObjection, DecideObjection
from programme.stages.panels import AppointToPanel, PassChair, ReleaseFromPanel
from programme.stages.renewal import RecordJointMeeting, SuggestTemplate
from programme.stages.sessions import CallSession, RecordAttendance
from programme.stages.verification import RefuseVerification, ReportComplete, VerifyAction
from programme.telling import TellParticipants
from programme.working_time import at_local, end_of, uk_date

if TYPE_CHECKING:
    from programme.engagement import Engagement


class Stake(StrEnum):
    """What somebody has to do with an action or a development need."""

    OWNS = "owns"
    PROPOSED = "proposed"
    DECIDES = "decides"
    VERIFIES = "verifies"


APART = frozenset(
    {
        frozenset({Stake.OWNS, Stake.DECIDES}),
        frozenset({Stake.PROPOSED, Stake.DECIDES}),
        frozenset({Stake.OWNS, Stake.VERIFIES}),
    }
)
"""Stakes that nobody may join in one action: neither in person, nor with the hands lent to somebody else."""

COVERABLE: Mapping[type[Command], Stake | None] = {
    **dict.fromkeys((EnrolPeople, Appoint, RecordDeparture, WithdrawDeparture, NameSuccessor)),
    **dict.fromkeys((PauseEngagement, ExtendPause, ResumeEngagement, ExtendWindow, ExtendDueDate, TellParticipants)),
    **dict.fromkeys((ConfirmPairs, RePair, ExcusePair, SettleUndelivered, SuggestTemplate)),
    **dict.fromkeys((AppointToPanel, ReleaseFromPanel, PassChair, ScheduleReview)),
    **dict.fromkeys((CallSession, ScheduleSession, MoveSession, CancelSession, RecordAttendance, RecordJointMeeting)),
    **dict.fromkeys((RecordConversation, WriteNotes, SettleNotes, ChooseAfterShortfall)),
    **dict.fromkeys((DefineMeasure, AddPoints, CorrectPoint, SetTarget)),
    **dict.fromkeys((DraftAction, AddDevelopmentNeed, DropDevelopmentNeed, RecordTouchpoint, AnswerFinding)),
    **dict.fromkeys((ExplainSignal, AskForRebase, AnswerRebase)),
    **dict.fromkeys((ChangeAction, AgreeAction, DeclineAction, WithdrawAction, CloseAction, AddPdsaNote), Stake.OWNS),
    **dict.fromkeys((CheckIn, ReportComplete, ReportNeedMet), Stake.OWNS),
    ProposeAction: Stake.PROPOSED,
    **dict.fromkeys((ApproveAction, RefuseAction, LiftClinicalMark), Stake.DECIDES),
    **dict.fromkeys((AcknowledgeObjection, DecideObjection), Stake.DECIDES),
    **dict.fromkeys((VerifyAction, RefuseVerification, ConfirmNeedMet, ReopenNeed), Stake.VERIFIES),
}
"""What may be done on behalf of somebody else, and the stake that it gives the hands that do it.

Everything else is the person's own: answers, willingness, signatures and renewal (what a person stands for), what is
accepted or declined, what is seen, written and recognised in a pair, what is declared, confirmed by who attended, or
read in confidence; and a patient-safety objection, which any doctor raises in the own name.
"""

NOT_COVERED = CHALLENGERS | {Role.AUDITOR}  # they declared their interests, or only read


class Cover(Frozen):
    """``by`` acts on behalf of ``person`` from the first day to the last. ``on``: it runs now."""

    number: int
    person: PersonId
    by: PersonId
    first: date
    last: date
    on: bool = False
    over: bool = False


class Covers(Frozen):
    """Who covers for whom. ``lent``: by action or need, the stakes of those who lent their hands to somebody."""

    all: dict[int, Cover] = Field(default_factory=dict)
    lent: dict[str, dict[PersonId, tuple[Stake, ...]]] = Field(default_factory=dict)


# --- commands and events ---------------------------------------------------------------------------------------------


class ArrangeCover(Command):
    """Let somebody act on your behalf for some days; the programme manager arranges it for others."""

    who = frozenset(Role)
    refusals = (UnknownPerson, NotHeldByYou, CannotCover, AlreadyDone, Invalid)

    kind: Literal["ArrangeCover"] = "ArrangeCover"
    person: PersonId
    by: PersonId
    first: date
    last: date


class EndCover(Command):
    """End a cover before its last day: the person, whoever covers, or the programme manager."""

    who = frozenset(Role)
    refusals = (NotHeldByYou, AlreadyDone)

    kind: Literal["EndCover"] = "EndCover"
    cover: int


Commands = ArrangeCover | EndCover


class CoverArranged(Event):
    """Somebody will act on behalf of somebody else."""

    kind: Literal["CoverArranged"] = "CoverArranged"
    cover: int
    person: PersonId
    by: PersonId
    first: date
    last: date


class CoverBegan(Event):
    """From now on somebody acts on behalf of somebody else."""

    kind: Literal["CoverBegan"] = "CoverBegan"
    cover: int


class CoverEnded(Event):
    """Nobody acts on that person's behalf any more."""

    kind: Literal["CoverEnded"] = "CoverEnded"
    cover: int


class HandsLent(Event):
    """Somebody acted on behalf of somebody who stays accountable: what needs two people needs another than these."""

    kind: Literal["HandsLent"] = "HandsLent"
    about: str
    hands: PersonId
    accountable: PersonId
    stake: Stake


Events = CoverArranged | CoverBegan | CoverEnded | HandsLent


# --- asking about cover ----------------------------------------------------------------------------------------------


def covers_now(engagement: Engagement) -> Iterator[Cover]:
    """The covers that run, of people who are both there."""
    for one in engagement.covers.all.values():
        if one.on and not one.over and not (engagement.people[one.by].gone or engagement.people[one.person].gone):
            yield one


def covering(engagement: Engagement, person: PersonId) -> tuple[PersonId, ...]:
    """Who acts on behalf of a person now."""
    return tuple(one.by for one in covers_now(engagement) if one.person == person)


def covered_by(engagement: Engagement, hands: PersonId) -> frozenset[PersonId]:
    """On whose behalf a person acts now."""
    return frozenset(one.person for one in covers_now(engagement) if one.by == hands)


KINDS = frozenset(command.__name__ for command in COVERABLE)


def sides_of(engagement: Engagement, person: PersonId) -> frozenset[Side]:
    """The sides for which a person speaks: as a participant, as its sponsor; an approver is a doctor."""
    found = engagement.people[person]
    held = found.roles()
    sides = {side for side, role in people.SIDE_ROLE.items() if role in held}
    sides |= {side for side, role in people.SIDE_SPONSOR.items() if role in held}
    return frozenset(sides | ({Side.DOCTOR} if held & APPROVERS else set()))


def refuse_hands(engagement: Engagement, person: PersonId, hands: PersonId, also: frozenset[PersonId]) -> None:
    """Refuse hands that may not act for a person, beside their own parts and those of whom they cover ``also``.

    Raises:
        CannotCover: gone, of another side, not taking part, or not registered where that is asked for.
        ForbiddenCombination: names the two parts.
    """
    covered, helper = engagement.people[person].roles(), engagement.people[hands]
    if helper.gone or person == hands:
        raise CannotCover("somebody else who is there")
    if not covered - NOT_COVERED:
        raise CannotCover("nobody: a challenger or auditor acts in person, or not at all")
    everybody = {person, hands, *also}
    refuse_clash(frozenset(role for one in everybody for role in engagement.people[one].roles()))
    if len(frozenset(side for one in everybody for side in sides_of(engagement, one))) > 1:
        raise CannotCover("somebody of the same side")
    if covered & PARTICIPANTS and not covered & PARTICIPANTS <= helper.roles():
        raise CannotCover("somebody who takes part on the same side")
    if covered & APPROVERS and (not helper.gmc_registered or helper.side is Side.MANAGER):
        raise CannotCover("a GMC-registered doctor")


# --- acting on behalf ------------------------------------------------------------------------------------------------


def accountable(engagement: Engagement, command: Command, asked: Asked) -> Asked:
    """As whom the rules are asked: whoever stays accountable, if the hands may act for them today.

    Raises:
        NotCovering: nobody arranged that these hands act for that person today.
        NotCoverable: this is done in person, or not at all.
        CannotCover, ForbiddenCombination: as ``refuse_hands``; people move after cover was arranged.
    """
    person = asked.on_behalf_of
    if person is None:
        return asked
    runs = (
        one.person == person and one.by == asked.by and not one.over and one.first <= asked.today <= one.last
        for one in engagement.covers.all.values()
    )
    if not any(runs):
        raise NotCovering
    if type(command) not in COVERABLE:
        raise NotCoverable
    refuse_hands(engagement, person, asked.by, covered_by(engagement, asked.by))
    return Asked(by=person, at=asked.at)


def refuse_joined(engagement: Engagement, command: Command, asked: Asked) -> None:
    """Refuse hands, own or lent, that would join two stakes in one action which are held apart.

    Raises:
        ForbiddenCombination: names the two.
    """
    stake, about = COVERABLE.get(type(command)), about_of(command)
    if stake is None or (asked.on_behalf_of is None and asked.by not in engagement.covers.lent.get(about, {})):
        return  # what people do for themselves, the rules of each command hold apart
    stakes = {stake, *stakes_in(engagement, about, asked.by)}
    for pair in APART:
        if pair <= stakes:
            first, second = sorted(_WORDS[one] for one in pair)
            raise ForbiddenCombination(first, second)


_WORDS = {
    Stake.OWNS: "one who acts for its co-owner",
    Stake.PROPOSED: "one who proposed it",
    Stake.DECIDES: "the medical approver of an action",
    Stake.VERIFIES: "one who confirms it",
}


def about_of(command: Command) -> str:
    """The action or development need that a command is about; empty where it is about neither."""
    found = (getattr(command, name, "") for name in ("action", "need", "about"))
    return next((one for one in found if isinstance(one, str) and one), "")


def stakes_in(engagement: Engagement, about: str, person: PersonId) -> Iterator[Stake]:
    """What a person has to do with an action or need, in person or with the hands lent to others."""
    yield from engagement.covers.lent.get(about, {}).get(person, ())
    yield from (stake for one in actions_of(engagement) if one.id == about for stake in _in_person(one, person))
    needs = engagement.cycle.agreement.needs if engagement.cycle else {}
    if about in needs and needs[about].owner == person:
        yield Stake.OWNS


def _in_person(action: Action, person: PersonId) -> Iterator[Stake]:
    if person in action.owners:
        yield Stake.OWNS
    if person == action.proposer:
        yield Stake.PROPOSED
    if action.approval and action.approval.by == person:
        yield Stake.DECIDES
    if any(one.by == person for one in action.verifications.values()):
        yield Stake.VERIFIES


def lent(engagement: Engagement, command: Command, asked: Asked) -> list[Event]:
    """What is remembered of hands that were lent, for what needs two different people later."""
    stake, about = COVERABLE.get(type(command)), about_of(command)
    if asked.on_behalf_of is None or stake is None or not about:
        return []
    if stake in engagement.covers.lent.get(about, {}).get(asked.by, ()):
        return []
    return [HandsLent(about=about, hands=asked.by, accountable=asked.on_behalf_of, stake=stake)]


# --- decide ----------------------------------------------------------------------------------------------------------


def arrange_cover(engagement: Engagement, command: ArrangeCover, asked: Asked) -> list[Event]:
    """Arrange cover, and tell whoever covers. It begins at once where its first day has come."""
    for person in (command.person, command.by):
        if person not in engagement.people:
            raise UnknownPerson(person)
    _refuse_others(engagement, asked, (command.person,))
    if not asked.today <= command.last or command.last < command.first:
        message = "Name a first day and a last one that is not before it, nor before today."
        raise Invalid(message)
    meanwhile = [one for one in engagement.covers.all.values() if _overlaps(one, command)]
    if any(one.person == command.person for one in meanwhile):
        raise AlreadyDone("somebody covers for this person in these days; end that cover first")
    also = frozenset(one.person for one in meanwhile if one.by == command.by)
    refuse_hands(engagement, command.person, command.by, also)
    number = len(engagement.covers.all) + 1
    facts = command.model_dump(exclude={"kind"})
    title = f"You act on behalf of somebody from {uk_date(command.first)} to {uk_date(command.last)}"
    return [
        CoverArranged(cover=number, **facts),
        *([CoverBegan(cover=number)] if command.first <= asked.today else []),
        NoticeRaised(people=(command.by,), title=f"{title}: your tasks show what waits", about=f"cover-{number}"),
    ]


def _overlaps(cover: Cover, command: ArrangeCover) -> bool:
    return not cover.over and cover.first <= command.last and command.first <= cover.last


def _refuse_others(engagement: Engagement, asked: Asked, concerned: tuple[PersonId, ...]) -> None:
    """Let those arrange or end cover whom it concerns, and the programme manager."""
    manages = Role.PROGRAMME_MANAGER in engagement.people[asked.by].roles()
    if not manages and asked.by not in concerned:
        raise NotHeldByYou("This cover")


def end_cover(engagement: Engagement, command: EndCover, asked: Asked) -> list[Event]:
    """End a cover early."""
    found = engagement.covers.all.get(command.cover)
    if found is None or found.over:
        raise AlreadyDone("no cover of this number runs or is to come")
    _refuse_others(engagement, asked, (found.person, found.by))
    return [CoverEnded(cover=found.number)]


# --- evolve ----------------------------------------------------------------------------------------------------------


def _arranged(engagement: Engagement, event: CoverArranged, at: datetime) -> Engagement:
    del at
    facts = event.model_dump(exclude={"kind", "cover"})
    return _keep(engagement, Cover(number=event.cover, **facts))


def _began(engagement: Engagement, event: CoverBegan, at: datetime) -> Engagement:
    del at
    return _keep(engagement, engagement.covers.all[event.cover].model_copy(update={"on": True}))


def _ended(engagement: Engagement, event: CoverEnded, at: datetime) -> Engagement:
    del at
    return _keep(engagement, engagement.covers.all[event.cover].model_copy(update={"on": False, "over": True}))


def _keep(engagement: Engagement, cover: Cover) -> Engagement:
    every = {**engagement.covers.all, cover.number: cover}
    return engagement.but(covers=engagement.covers.model_copy(update={"all": every}))


def _lent(engagement: Engagement, event: HandsLent, at: datetime) -> Engagement:
    del at
    about = engagement.covers.lent.get(event.about, {})
    stakes = {**about, event.hands: (*about.get(event.hands, ()), event.stake)}
    every = {**engagement.covers.lent, event.about: stakes}
    return engagement.but(covers=engagement.covers.model_copy(update={"lent": every}))


# --- agenda ----------------------------------------------------------------------------------------------------------


def agenda(engagement: Engagement) -> Iterator[Due]:
    """The first and the last day of each cover."""
    for one in engagement.covers.all.values():
        if one.over:
            continue
        if one.on:
            what, at, deed = "Cover for somebody ends", end_of(one.last), "end"
        else:
            what, at, deed = "Cover for somebody begins", at_local(one.first, time(0)), "begin"
        why = f"Cover was arranged from {uk_date(one.first)} to {uk_date(one.last)}"
        yield Due(at=at, key=f"act:cover:{deed}/{one.number}", what=what, why=why)


def act(engagement: Engagement, what: str, asked: Asked) -> list[Event]:
    """Begin or end a cover; one that a pause outlasted begins no more."""
    deed, _, number = what.partition("/")
    found = engagement.covers.all[int(number)]
    begins = deed == "begin" and asked.today <= found.last
    return [CoverBegan(cover=found.number) if begins else CoverEnded(cover=found.number)]


PART = Part(
    name="cover",
    decide={ArrangeCover: arrange_cover, EndCover: end_cover},
    evolve={CoverArranged: _arranged, CoverBegan: _began, CoverEnded: _ended, HandsLent: _lent},
    agenda=agenda,
    act=act,
)
