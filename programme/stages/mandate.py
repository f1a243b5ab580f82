"""Stage 0, Mandate: an engagement is registered, both sponsors say whether they are willing, people are enrolled.

Nothing starts without the willingness of both sides, stated unseen by each other; "not ready" is an honest ending.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import date, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from programme.gates import StageStarted, common_lacks, passed
from programme.messages import SPONSORS, Command, Due, Event, Frozen, PersonId, Role, Sentence, Side, Stage, Task, Words
from programme.part import Asked, Part
from programme.people import Enrolment, PeopleEnrolled, refuse_enrolments
from programme.post import NoticeRaised
from programme.refusals import (
    AlreadyDone,
    AlreadyEnrolled,
    ForbiddenCombination,
    Invalid,
    InvalidOdsCode,
    NotAskedNow,
    NotRegistered,
    RoleTaken,
    ThresholdOutOfRange,
)
from programme.soundness import refuse_unsound
from programme.template import THRESHOLD_CEILING, THRESHOLD_FLOOR, ProgrammeTemplate, one_template
from programme.working_time import Calendar, at_local, local_date, month_after, one_calendar

if TYPE_CHECKING:
    from programme.engagement import Engagement

ODS_CODE = re.compile(r"[RT][A-Z0-9]{2}|[A-Z]\d[A-Z]\d[A-Z]")
"""A trust's code: three characters from R or T on, or (since 1 October 2020) letter-digit-letter-digit-letter."""


class Answer(StrEnum):
    """What a sponsor says about willingness."""

    WILLING = "willing"
    NOT_YET = "not_yet"
    NOT_WILLING = "not_willing"


class Statement(Frozen):
    """One sponsor's statement in the running round; ``entry`` is its place in the journal."""

    answer: Answer
    on: date
    entry: int = 0
    affirms: bool = False  # by a new sponsor, while the other's statement has stayed in force


class Mandate(Frozen):
    """Willingness. ``round`` counts from 1; ``asked`` is None until the question comes again."""

    round: int = 0
    asked: date | None = None
    ask_again: date | None = None
    postponed: date | None = None  # when that date was set
    statements: dict[PersonId, Statement] = Field(default_factory=dict)
    revealed: bool = False
    shown: tuple[int, ...] = ()  # the entries of all statements that were ever revealed
    refused_rounds: int = 0
    affirming: PersonId = ""  # a new sponsor, of whom alone a statement is asked

    def both_willing(self, sponsors: tuple[PersonId, ...]) -> bool:
        """Whether both sponsors' willingness is in force."""
        in_force = [self.statements.get(sponsor) for sponsor in sponsors]
        return len(sponsors) == 2 and self.revealed and all(one and one.answer is Answer.WILLING for one in in_force)  # noqa: PLR2004


# --- commands and events -------------------------------------------------------------------------------------------


class RegisterEngagement(Command):
    """Register an engagement with its people. The front door sends it once, with the template and calendar in force."""

    refusals = (
        AlreadyDone,
        InvalidOdsCode,
        ThresholdOutOfRange,
        AlreadyEnrolled,
        ForbiddenCombination,
        RoleTaken,
        NotRegistered,
        Invalid,
    )

    kind: Literal["RegisterEngagement"] = "RegisterEngagement"
    engagement: str
    ods_code: str
    scope: Sentence
    local_problem: Sentence
    dpia_reference: Sentence
    privacy_notice: str
    k: int
    template: ProgrammeTemplate
    calendar: Calendar
    people: tuple[Enrolment, ...]


class StateWillingness(Command):
    """Say whether one is willing, what one can give and what one needs; unseen by the other sponsor until both have."""

    who = SPONSORS
    refusals = (NotAskedNow,)

    kind: Literal["StateWillingness"] = "StateWillingness"
    answer: Answer
    can_give: Words = Words()
    need: Words = Words()


Commands = RegisterEngagement | StateWillingness


class EngagementRegistered(Event):
    """An engagement exists."""

    kind: Literal["EngagementRegistered"] = "EngagementRegistered"
    engagement: str
    ods_code: str
    scope: str
    local_problem: str
    dpia_reference: str
    privacy_notice: str
    k: int
    template: ProgrammeTemplate
    calendar: Calendar
    on: date


class WillingnessAsked(Event):
    """Both sponsors are asked."""

    kind: Literal["WillingnessAsked"] = "WillingnessAsked"
    round: int
    on: date


class WillingnessStated(Event):
    """A sponsor has answered. Nobody reads the answer before both are in."""

    kind: Literal["WillingnessStated"] = "WillingnessStated"
    sponsor: PersonId
    answer: Answer
    can_give: Words = Words()
    need: Words = Words()
    on: date


class WillingnessRevealed(Event):
    """Both statements are in and are shown to both sponsors at the same moment."""

    kind: Literal["WillingnessRevealed"] = "WillingnessRevealed"
    round: int


class WillingnessPostponed(Event):
    """At least one sponsor is not willing now; both are asked again."""

    kind: Literal["WillingnessPostponed"] = "WillingnessPostponed"
    refused: bool
    ask_again: date


class WillingnessLapsed(Event):
    """A statement lies too long before the other; its sponsor is asked again."""

    kind: Literal["WillingnessLapsed"] = "WillingnessLapsed"
    sponsor: PersonId
    on: date


class AffirmationAsked(Event):
    """There is another sponsor, who is asked for a statement of their own; the other sponsor's stays in force."""

    kind: Literal["AffirmationAsked"] = "AffirmationAsked"
    sponsor: PersonId
    was: PersonId
    on: date


class NotReady(Event):
    """The trust is not ready: an honest ending."""

    kind: Literal["NotReady"] = "NotReady"
    on: date


class CycleStarted(Event):
    """A cycle began, under this template (None: as before). ``sustaining``: a year of stages 6 and 7 only."""

    kind: Literal["CycleStarted"] = "CycleStarted"
    number: int
    on: date
    template: ProgrammeTemplate | None = None
    sustaining: bool = False


Events = (
    EngagementRegistered
    | WillingnessAsked
    | WillingnessStated
    | WillingnessRevealed
    | WillingnessPostponed
    | WillingnessLapsed
    | AffirmationAsked
    | NotReady
    | CycleStarted
)


# --- decide --------------------------------------------------------------------------------------------------------


def register(engagement: Engagement, command: RegisterEngagement, asked: Asked) -> list[Event]:
    """Register the engagement, enrol its people, ask both sponsors."""
    if engagement.registered:
        raise AlreadyDone("the engagement is registered")
    ods_code = command.ods_code.strip().upper()
    if not ODS_CODE.fullmatch(ods_code):
        raise InvalidOdsCode
    if not THRESHOLD_FLOOR <= command.k <= THRESHOLD_CEILING:
        raise ThresholdOutOfRange(THRESHOLD_FLOOR, THRESHOLD_CEILING)
    _refuse_blank(command)
    refuse_unsound(command.template)
    refuse_enrolments(engagement, command.people)
    for role in (*sorted(SPONSORS), Role.PROGRAMME_MANAGER):
        if not any(role in row.roles for row in command.people):
            message = f"The roster names no {role.value.replace('_', ' ')}. Add the role to one person's row."
            raise Invalid(message)
    facts = command.model_dump(exclude={"kind", "people", "ods_code", "template", "calendar"})
    return [
        EngagementRegistered(
            **facts, ods_code=ods_code, template=command.template, calendar=command.calendar, on=asked.today
        ),
        StageStarted(stage=Stage.MANDATE, cycle=0, on=asked.today),
        PeopleEnrolled(people=command.people, on=asked.today),
        WillingnessAsked(round=1, on=asked.today),
    ]


def _refuse_blank(command: RegisterEngagement) -> None:
    for field in ("scope", "local_problem", "dpia_reference", "privacy_notice"):
        if not getattr(command, field).strip():
            message = f"'{field}' is empty. An engagement needs it before anybody is asked."
            raise Invalid(message)


def state_willingness(engagement: Engagement, command: StateWillingness, asked: Asked) -> list[Event]:
    """Take one sponsor's statement."""
    mandate = engagement.mandate
    if mandate.asked is None or asked.by in mandate.statements:
        raise NotAskedNow
    return [
        WillingnessStated(
            sponsor=asked.by, answer=command.answer, can_give=command.can_give, need=command.need, on=asked.today
        )
    ]


def follows(engagement: Engagement, asked: Asked) -> list[Event]:
    """Reveal once both are in; start the first cycle once gate G0 lacks nothing."""
    mandate = engagement.mandate
    if (
        engagement.registered
        and not mandate.revealed
        and len(engagement.sponsors) == len(Side)
        and all(sponsor in mandate.statements for sponsor in engagement.sponsors)
    ):
        return _both_in(engagement, asked)
    if engagement.cycle is None and engagement.in_stage(Stage.MANDATE) and not lacks(engagement):
        return [
            CycleStarted(number=1, on=asked.today),
            *passed(engagement, "G0", Stage.MANDATE, (Stage.DIAGNOSIS,), asked.today),
        ]
    return []


def _both_in(engagement: Engagement, asked: Asked) -> list[Event]:
    mandate, durations = engagement.mandate, engagement.template.durations
    first, second = sorted((mandate.statements[sponsor].on, sponsor) for sponsor in engagement.sponsors)
    apart = engagement.time.elapsed(first[0], second[0])
    if apart > durations.willingness_apart and not any(one.affirms for one in mandate.statements.values()):
        return [WillingnessLapsed(sponsor=first[1], on=asked.today)]
    answers = {mandate.statements[sponsor].answer for sponsor in engagement.sponsors}
    title = "Both statements of willingness are in. You can read them now"
    revealed = [
        WillingnessRevealed(round=mandate.round),
        NoticeRaised(people=engagement.sponsors, title=title, together=True),
    ]
    if answers == {Answer.WILLING}:
        return revealed
    refused = Answer.NOT_WILLING in answers
    if (
        refused
        and mandate.refused_rounds + 1 >= engagement.template.thresholds.willing_rounds
        and engagement.cycle is None
    ):
        return [*revealed, NotReady(on=asked.today)]
    again = engagement.time.plus(month_after(asked.today, durations.willingness_again_months), 0)
    return [*revealed, WillingnessPostponed(refused=refused, ask_again=again)]


def lacks(engagement: Engagement) -> list[str]:
    """Gate G0: what is still missing, as sentences."""
    missing = common_lacks(engagement)
    missing += [
        f"the {role.value.replace('_', ' ')} must have accepted"
        for role in (Role.FACILITATOR, Role.MEDICAL_APPROVER)
        if engagement.holder(role) is None
    ]
    for side in Side:
        if (short := engagement.k - len(engagement.participants(side))) > 0:
            missing.append(f"{short} more {side.value}{'s' if short > 1 else ''} must have accepted")
    return missing


def to_invite(k: int, above_percent: int) -> int:
    """How many to invite of each side, so that k remain: a quarter more (k = 11: 14)."""
    return math.ceil(k * (100 + above_percent) / 100)


# --- evolve --------------------------------------------------------------------------------------------------------


def _registered(engagement: Engagement, event: EngagementRegistered, at: datetime) -> Engagement:
    del at
    return engagement.but(
        id=event.engagement,
        ods_code=event.ods_code,
        scope=event.scope,
        local_problem=event.local_problem,
        dpia_reference=event.dpia_reference,
        privacy_notice=event.privacy_notice,
        k=event.k,
        template=one_template(event.template),
        calendar=one_calendar(event.calendar),
        registered=event.on,
    )


def _asked(engagement: Engagement, event: WillingnessAsked, at: datetime) -> Engagement:
    del at
    fresh: dict[str, object] = {"statements": {}, "revealed": False, "affirming": ""}
    return _with(engagement, round=event.round, asked=event.on, ask_again=None, **fresh)


def _stated(engagement: Engagement, event: WillingnessStated, at: datetime) -> Engagement:
    del at
    affirms = engagement.mandate.affirming == event.sponsor
    statement = Statement(answer=event.answer, on=event.on, entry=engagement.sequence + 1, affirms=affirms)
    return _with(engagement, statements={**engagement.mandate.statements, event.sponsor: statement})


def _revealed(engagement: Engagement, event: WillingnessRevealed, at: datetime) -> Engagement:
    del event, at
    mandate = engagement.mandate
    shown = (*mandate.shown, *(one.entry for one in mandate.statements.values() if one.entry not in mandate.shown))
    return _with(engagement, revealed=True, asked=None, shown=shown, affirming="")


def _postponed(engagement: Engagement, event: WillingnessPostponed, at: datetime) -> Engagement:
    refused = engagement.mandate.refused_rounds + 1 if event.refused else 0
    return _with(engagement, ask_again=event.ask_again, postponed=local_date(at), refused_rounds=refused)


def _lapsed(engagement: Engagement, event: WillingnessLapsed, at: datetime) -> Engagement:
    del at
    kept = {sponsor: one for sponsor, one in engagement.mandate.statements.items() if sponsor != event.sponsor}
    return _with(engagement, statements=kept, asked=event.on)


def _affirmation_asked(engagement: Engagement, event: AffirmationAsked, at: datetime) -> Engagement:
    del at
    kept = {sponsor: one for sponsor, one in engagement.mandate.statements.items() if sponsor != event.was}
    return _with(engagement, statements=kept, asked=event.on, revealed=False, affirming=event.sponsor)


def _not_ready(engagement: Engagement, event: NotReady, at: datetime) -> Engagement:
    del event, at
    return engagement.but(ended="not_ready")


def _cycle_started(engagement: Engagement, event: CycleStarted, at: datetime) -> Engagement:
    del at
    after = engagement.with_cycle(event.number, event.on, sustaining=event.sustaining)
    return after.but(template=one_template(event.template)) if event.template else after


def _with(engagement: Engagement, **changes: object) -> Engagement:
    return engagement.but(mandate=engagement.mandate.model_copy(update=changes))


# --- agenda and tasks ----------------------------------------------------------------------------------------------


def agenda(engagement: Engagement) -> Iterator[Due]:
    """The next time that the sponsors are asked."""
    if again := engagement.mandate.ask_again:
        again = engagement.time.shifted(engagement.mandate.postponed or again, again)
        why = "A sponsor was not willing yet; the question comes again"
        yield Due(at=at_local(again, time(0)), key="act:mandate:ask", what="Both sponsors are asked again", why=why)


def act(engagement: Engagement, what: str, asked: Asked) -> list[Event]:
    """Ask both sponsors again."""
    del what
    return [WillingnessAsked(round=engagement.mandate.round + 1, on=asked.today)]


def tasks(engagement: Engagement) -> Iterator[Task]:
    """Willingness of each sponsor; the appointments that are missing, for the programme manager."""
    mandate = engagement.mandate
    if mandate.asked:
        for sponsor in engagement.sponsors:
            if sponsor not in mandate.statements:
                yield Task(
                    id=f"0/mandate/willingness-{mandate.round}-{mandate.asked}/{sponsor}",
                    ladder="willingness",
                    person=sponsor,
                    about="willingness",
                    command="StateWillingness",
                    title="Say whether you are willing",
                    opened=mandate.asked,
                    due=engagement.time.due(mandate.asked, engagement.template.durations.willingness, "you were asked"),
                )
    if engagement.registered:
        yield from _missing_appointments(engagement, engagement.registered)


def _missing_appointments(engagement: Engagement, registered: date) -> Iterator[Task]:
    """A part that became open again, after an appointment was declined or had ended, is a duty of its own."""
    offered = {role for person in engagement.people.values() for role in person.intended()}
    offered |= {role for one in engagement.handovers.departures.values() for role in one.handovers}  # asked for there
    for role in (Role.FACILITATOR, Role.MEDICAL_APPROVER, Role.DEPUTY_APPROVER, Role.DATA_PROTECTION_CONTACT):
        if role not in offered:
            vacant = engagement.changes.vacant.get(role)
            since, why = (vacant, "the part became open") if vacant else (registered, "the engagement was registered")
            for manager in engagement.holders(Role.PROGRAMME_MANAGER):
                yield Task(
                    id=f"0/mandate/appoint-{role.value}{f'-{vacant}' if vacant else ''}/{manager}",
                    ladder="duty",
                    person=manager,
                    about=role.value,
                    command="Appoint",
                    title=f"Appoint a {role.value.replace('_', ' ')}",
                    opened=since,
                    due=engagement.time.due(since, engagement.template.durations.appointment, why),
                )


PART = Part(
    name="mandate",
    decide={RegisterEngagement: register, StateWillingness: state_willingness},
    evolve={
        EngagementRegistered: _registered,
        WillingnessAsked: _asked,
        WillingnessStated: _stated,
        WillingnessRevealed: _revealed,
        WillingnessPostponed: _postponed,
        WillingnessLapsed: _lapsed,
        AffirmationAsked: _affirmation_asked,
        NotReady: _not_ready,
        CycleStarted: _cycle_started,
    },
    agenda=agenda,
    act=act,
    tasks=tasks,
    follows=follows,
)
