"""Actions on paper: drafted from a session or a recommendation, changed, and proposed with a clinical screening.

Nothing vague is proposed: an aim in figures with a date, a measure with a direction and a baseline, two owners.
A material change makes a new version and voids whatever was said of the one before.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from programme.measure import Direction, Measure, MeasureKind
from programme.measures import measure_of, refuse_blank, refuse_value
from programme.messages import PARTICIPANTS, Command, Event, Frozen, PersonId, Role, Sentence, Side, Stage
from programme.part import Asked, Part
from programme.refusals import (
    ActionElsewhere,
    ActionIncomplete,
    Invalid,
    NotCoOwner,
    NotYet,
    TooManyActions,
    UnknownAction,
    UnknownMeasure,
    UnknownPerson,
    WrongSide,
)
from programme.stages.action import (
    CONDITIONS,
    OVER,
    UNDECIDED,
    Action,
    ActionId,
    ActionStatus,
    Aim,
    Screening,
    action_of,
    agreeing_since,
    changed,
)
from programme.stages.sessions import sessions
from programme.working_time import in_words

if TYPE_CHECKING:
    from programme.engagement import Engagement

MOST_CONDITIONS = 3
CHANGEABLE = UNDECIDED | {ActionStatus.DRAFT, ActionStatus.ACTIVE}
UNSIGNED: dict[str, object] = {
    "agreements": {},
    "approval": None,
    "approval_asked": None,
    "joint": {},
    "taken_over": {},
}


class ActionText(Frozen):
    """Everything of an action that people write or choose.

    A side's signatory is its co-owner where nobody else is named.
    """

    title: Sentence = ""
    scope: Sentence = ""
    replaces: ActionId = ""
    aim: Aim | None = None
    conditions: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    doctor_owner: PersonId = ""
    manager_owner: PersonId = ""
    doctor_signatory: PersonId = ""
    manager_signatory: PersonId = ""


# --- commands --------------------------------------------------------------------------------------------------------


class DraftAction(Command):
    """Write down an idea for an action, as far as it is known.

    ``source``: the session or recommendation it came from.
    """

    who = PARTICIPANTS | {Role.FACILITATOR}
    refusals = (NotYet, TooManyActions, UnknownMeasure, UnknownAction, UnknownPerson, WrongSide, Invalid)

    kind: Literal["DraftAction"] = "DraftAction"
    source: str = ""
    text: ActionText


class ProposeAction(Command):
    """Propose a complete draft to both sides, answering the three questions of the clinical screening."""

    who = PARTICIPANTS
    refusals = (UnknownAction, ActionElsewhere, ActionIncomplete, NotYet)

    kind: Literal["ProposeAction"] = "ProposeAction"
    action: ActionId
    screening: Screening = Screening()


class ChangeAction(Command):
    """Say how the whole action should read now. What is material makes a new version, which both sides agree anew."""

    who = PARTICIPANTS | {Role.FACILITATOR}
    refusals = (
        UnknownAction,
        ActionElsewhere,
        ActionIncomplete,
        NotCoOwner,
        UnknownMeasure,
        UnknownPerson,
        WrongSide,
        Invalid,
    )

    kind: Literal["ChangeAction"] = "ChangeAction"
    action: ActionId
    text: ActionText
    screening: Screening | None = None


Commands = DraftAction | ProposeAction | ChangeAction


# --- events ----------------------------------------------------------------------------------------------------------


class ActionDrafted(Event):
    """There is a draft of an action."""

    kind: Literal["ActionDrafted"] = "ActionDrafted"
    action: ActionId
    source: str = ""
    text: ActionText
    on: date


class ActionProposed(Event):
    """A complete action is before both sides. ``marked``: it needs medical approval before it can be active."""

    kind: Literal["ActionProposed"] = "ActionProposed"
    action: ActionId
    version: int
    proposer: PersonId
    screening: Screening
    marked: bool
    on: date


class ActionChanged(Event):
    """An action reads otherwise, in a way that leaves what was agreed as it is."""

    kind: Literal["ActionChanged"] = "ActionChanged"
    action: ActionId
    text: ActionText
    by: PersonId
    on: date


class ActionVersioned(Event):
    """An action was changed materially: earlier agreements and approval are void, and both sides are asked anew."""

    kind: Literal["ActionVersioned"] = "ActionVersioned"
    action: ActionId
    version: int
    text: ActionText
    screening: Screening
    marked: bool
    by: PersonId
    on: date


Events = ActionDrafted | ActionProposed | ActionChanged | ActionVersioned


# --- what a proposal needs -------------------------------------------------------------------------------------------


def lacks_of(engagement: Engagement, action: Action, today: date) -> list[str]:
    """What an action still lacks before anybody may be asked to agree, as the end of a sentence.

    Of 120 published improvement projects 27% had a specific aim: an aim without figures, a measure, its direction, its
    baseline and a date is not proposed here (programme.md, invariant 9).
    """
    lacks = [] if action.title.strip() else ["a title"]
    if not 1 <= len(action.conditions) <= MOST_CONDITIONS:
        lacks.append(f"1 to {MOST_CONDITIONS} conditions")
    lacks += [
        f"a {side.value} who takes part as co-owner"
        for side in Side
        if action.owner(side) not in engagement.participants(side)
    ]
    return lacks + _lacks_of_aim(engagement, action, today)


def _lacks_of_aim(engagement: Engagement, action: Action, today: date) -> list[str]:
    aimed = [measure for measure in measures_of(engagement, action) if measure.purpose is not MeasureKind.BALANCING]
    lacks = []
    if action.aim is None or not action.aim.sentence.strip():
        lacks.append("an aim from a figure to a figure")
    elif action.aim.by <= today:
        lacks.append("a date that lies ahead")
    if not aimed:
        lacks.append("an outcome or process measure")
    for measure in aimed:
        if measure.direction is Direction.NEUTRAL:
            lacks.append(f"a direction of measure {measure.id}")
        if not measure.has_baseline:
            lacks.append(f"a baseline of measure {measure.id}")
    if action.aim and aimed and not _aims_the_better_way(action.aim, aimed[0]):
        lacks.append(f"an aim in the direction in which measure {aimed[0].id} is better")
    return lacks


def _aims_the_better_way(aim: Aim, measure: Measure) -> bool:
    match measure.direction:
        case Direction.UP:
            return aim.to_value > aim.from_value
        case Direction.DOWN:
            return aim.to_value < aim.from_value
        case Direction.NEUTRAL:
            return True  # said by the lack of a direction


def measures_of(engagement: Engagement, action: Action) -> list[Measure]:
    """The measures by which an action is judged; its aim speaks of the first."""
    return [measure_of(engagement, measure) for measure in action.measures]


def material(engagement: Engagement, action: Action, text: ActionText) -> bool:
    """Whether a change needs everybody's yes anew: aim, measure, owner of a side, scope, or a date moved far.

    Dates are held against the one that was promised when the version began.
    """
    fields = ("title", "scope", "replaces", "measures", "doctor_owner", "manager_owner")
    if any(getattr(action, field) != getattr(text, field) for field in fields):
        return True
    if action.aim is None or text.aim is None or action.promised is None:
        return action.aim != text.aim
    if action.aim.model_copy(update={"by": text.aim.by}) != text.aim:
        return True
    first, last = sorted((action.promised, text.aim.by))
    return engagement.time.between(first, last) > engagement.template.durations.material_change_of_dates


# --- decide ----------------------------------------------------------------------------------------------------------


def _refuse_faulty(engagement: Engagement, text: ActionText) -> None:
    """Refuse what can never stand in an action, complete or not."""
    if len(set(text.conditions)) != len(text.conditions) or not CONDITIONS.issuperset(text.conditions):
        raise Invalid("Name conditions as C01 to C11, each once.")
    if len(text.conditions) > MOST_CONDITIONS:
        raise Invalid(f"Link an action to at most {MOST_CONDITIONS} conditions: the ones that it works on.")
    if len(set(text.measures)) != len(text.measures):
        raise Invalid("Name each measure once.")
    for measure in text.measures:
        measure_of(engagement, measure)
    if text.aim:
        refuse_value(text.aim.from_value)
        refuse_value(text.aim.to_value)
    if text.replaces:
        action_of(engagement, text.replaces)
    _refuse_people(engagement, text)


def _refuse_people(engagement: Engagement, text: ActionText) -> None:
    for side, person in (
        (Side.DOCTOR, text.doctor_owner),
        (Side.DOCTOR, text.doctor_signatory),
        (Side.MANAGER, text.manager_owner),
        (Side.MANAGER, text.manager_signatory),
    ):
        if person and person not in engagement.people:
            raise UnknownPerson(person)
        if person and person not in engagement.participants(side):
            raise WrongSide


def draft_action(engagement: Engagement, command: DraftAction, asked: Asked) -> list[Event]:
    """Write a draft: from the joint sessions on, and again from what a review recommends."""
    if engagement.cycle is None or engagement.span(Stage.SESSIONS) is None:
        raise NotYet("actions are drafted in the joint sessions, and from then on")
    settled = OVER | {ActionStatus.SUSTAINED}
    live = sum(1 for action in engagement.running.agreement.actions.values() if action.status not in settled)
    if live >= engagement.template.thresholds.actions[1]:
        raise TooManyActions(engagement.template.thresholds.actions[1])
    refuse_blank(command.text.title, "The title")
    _refuse_faulty(engagement, command.text)
    return [drafted(engagement, command.text, command.source, asked.today)]


def drafted(engagement: Engagement, text: ActionText, source: str, on: date) -> ActionDrafted:
    """The event of a further draft, for other parts too: what a review recommends begins here."""
    return ActionDrafted(action=f"A{engagement.running.agreement.drafted + 1}", source=source, text=text, on=on)


def propose_action(engagement: Engagement, command: ProposeAction, asked: Asked) -> list[Event]:
    """Put a complete draft before both sides. In the sessions' own stage the last of them must have had its quorum."""
    action = action_of(engagement, command.action, frozenset({ActionStatus.DRAFT}))
    if agreeing_since(engagement) is None and not _last_session_quorate(engagement):
        raise NotYet("actions are proposed once the last joint session was held with a quorum")
    refuse_incomplete(engagement, action, asked)
    return [
        ActionProposed(
            action=action.id,
            version=action.version,
            proposer=asked.by,
            screening=command.screening,
            marked=action.marked or not command.screening.clear,
            on=asked.today,
        )
    ]


def _last_session_quorate(engagement: Engagement) -> bool:
    plans = engagement.template.sessions
    return not plans or any(one.quorate for one in sessions(engagement) if one.letter == plans[-1].letter)


def refuse_incomplete(engagement: Engagement, action: Action, asked: Asked) -> None:
    """Refuse an action about which nobody can be asked to agree.

    Raises:
        ActionIncomplete: says what it lacks.
    """
    if lacks := lacks_of(engagement, action, asked.today):
        raise ActionIncomplete(in_words(lacks))


def change_action(engagement: Engagement, command: ChangeAction, asked: Asked) -> list[Event]:
    """Let an action read otherwise. A draft is changed freely; later, by those whose action it is."""
    action = action_of(engagement, command.action, CHANGEABLE)
    _refuse_faulty(engagement, command.text)
    refuse_blank(command.text.title, "The title")
    if action.status is ActionStatus.DRAFT:
        return [ActionChanged(action=action.id, text=command.text, by=asked.by, on=asked.today)]
    if asked.by not in {*action.owners, action.proposer}:
        raise NotCoOwner
    _refuse_choosing_for_the_other_side(engagement, action, command.text, asked)
    refuse_incomplete(engagement, action.model_copy(update=dict(command.text)), asked)
    screening = command.screening or action.screening or Screening()
    marks = not screening.clear and not action.marked and command.screening is not None
    if not marks and not material(engagement, action, command.text):
        return [ActionChanged(action=action.id, text=command.text, by=asked.by, on=asked.today)]
    return [
        ActionVersioned(
            action=action.id,
            version=action.version + 1,
            text=command.text,
            screening=screening,
            marked=action.marked or not screening.clear,
            by=asked.by,
            on=asked.today,
        )
    ]


def _refuse_choosing_for_the_other_side(engagement: Engagement, action: Action, text: ActionText, asked: Asked) -> None:
    """Whoever signs for a side is not replaced by the other side because the answer would suit it better."""
    own = engagement.people[asked.by].side
    if own is not Side.DOCTOR and text.doctor_signatory != action.doctor_signatory:
        raise WrongSide
    if own is not Side.MANAGER and text.manager_signatory != action.manager_signatory:
        raise WrongSide


# --- evolve ----------------------------------------------------------------------------------------------------------


def _drafted(engagement: Engagement, event: ActionDrafted, at: datetime) -> Engagement:
    del at
    action = Action(id=event.action, source=event.source, drafted=event.on, **dict(event.text))
    agreement = engagement.running.agreement.with_action(action)
    return engagement.in_cycle(agreement=agreement.model_copy(update={"drafted": agreement.drafted + 1}))


def _proposed(engagement: Engagement, event: ActionProposed, at: datetime) -> Engagement:
    del at
    action = engagement.running.agreement.actions[event.action]
    return changed(
        engagement,
        event.action,
        status=ActionStatus.PROPOSED,
        proposer=event.proposer,
        proposed=event.on,
        promised=action.aim.by if action.aim else None,
        screening=event.screening,
        marked=event.marked,
        **UNSIGNED,
    )


def _changed(engagement: Engagement, event: ActionChanged, at: datetime) -> Engagement:
    del at
    return changed(engagement, event.action, **dict(event.text))


def _versioned(engagement: Engagement, event: ActionVersioned, at: datetime) -> Engagement:
    del at
    return changed(
        engagement,
        event.action,
        **dict(event.text),
        status=ActionStatus.PROPOSED,
        version=event.version,
        proposer=event.by,
        proposed=event.on,
        promised=event.text.aim.by if event.text.aim else None,
        screening=event.screening,
        marked=event.marked,
        **UNSIGNED,
    )


PART = Part(
    name="drafting",
    decide={DraftAction: draft_action, ProposeAction: propose_action, ChangeAction: change_action},
    evolve={
        ActionDrafted: _drafted,
        ActionProposed: _proposed,
        ActionChanged: _changed,
        ActionVersioned: _versioned,
    },
)
