"""The difference log: what the two sides do not see alike, kept as an asset. Nothing in it is deleted or overwritten.

It belongs to the engagement, not to a cycle: differences carry over.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from programme.messages import PARTICIPANTS, Command, Event, Frozen, Paragraph, PersonId, Role, Sentence, Side
from programme.part import Asked, Part
from programme.refusals import Invalid, NotYet, UnknownCondition, UnknownDifference, UnknownSession, WrongSide
from programme.stages.action import CONDITIONS

if TYPE_CHECKING:
    from programme.engagement import Engagement

DifferenceId = str


class SideView(Frozen):
    """How a side sees it, as one of its people wrote on a day."""

    side: Side
    text: Paragraph
    by: PersonId
    on: date


class Difference(Frozen):
    """One difference. ``condition`` and ``session``: what it is about and where it came up, where that is known."""

    id: DifferenceId
    title: Sentence
    condition: str = ""
    session: str = ""
    by: PersonId = ""
    raised: date
    views: tuple[SideView, ...] = ()

    def of(self, side: Side) -> tuple[SideView, ...]:
        """What a side has written, in order."""
        return tuple(view for view in self.views if view.side is side)


# --- commands and events -------------------------------------------------------------------------------------------


class RaiseDifference(Command):
    """Put a difference on the log; ``view`` is how one's own side sees it. ``session``: where it came up."""

    who = PARTICIPANTS | {Role.FACILITATOR}
    refusals = (NotYet, Invalid, UnknownCondition, UnknownSession, WrongSide)

    kind: Literal["RaiseDifference"] = "RaiseDifference"
    title: Sentence
    condition: str = ""
    session: str = ""
    view: Paragraph = ""


class NoteView(Command):
    """Add how a side sees a difference. Participants speak for their side; the facilitator says for which."""

    who = PARTICIPANTS | {Role.FACILITATOR}
    refusals = (UnknownDifference, WrongSide, Invalid)

    kind: Literal["NoteView"] = "NoteView"
    difference: DifferenceId
    text: Paragraph
    side: Side | None = None


Commands = RaiseDifference | NoteView


class DifferenceRaised(Event):
    """A difference is on the log, for as long as the engagement lives."""

    kind: Literal["DifferenceRaised"] = "DifferenceRaised"
    difference: DifferenceId
    title: str
    condition: str = ""
    session: str = ""
    person: PersonId
    on: date


class ViewNoted(Event):
    """How a side sees a difference was added; what was there stays."""

    kind: Literal["ViewNoted"] = "ViewNoted"
    difference: DifferenceId
    side: Side
    text: str
    person: PersonId
    on: date


Events = DifferenceRaised | ViewNoted


# --- decide and evolve ---------------------------------------------------------------------------------------------


def raise_difference(engagement: Engagement, command: RaiseDifference, asked: Asked) -> list[Event]:
    """Put a difference on the log, at any time of a cycle."""
    if engagement.cycle is None:
        what = "differences are logged from the diagnosis on"
        raise NotYet(what)
    if not command.title.strip():
        message = "Say in a sentence what is seen differently."
        raise Invalid(message)
    if command.condition and command.condition not in CONDITIONS:
        raise UnknownCondition(command.condition)
    if command.session and command.session not in engagement.cycle.sessions.all:
        raise UnknownSession(command.session)
    name = f"D{len(engagement.differences) + 1}"
    events: list[Event] = [
        DifferenceRaised(
            difference=name,
            title=command.title,
            condition=command.condition,
            session=command.session,
            person=asked.by,
            on=asked.today,
        )
    ]
    if command.view.strip():
        side = _speaks_for(engagement, asked.by, None)
        events.append(ViewNoted(difference=name, side=side, text=command.view, person=asked.by, on=asked.today))
    return events


def note_view(engagement: Engagement, command: NoteView, asked: Asked) -> list[Event]:
    """Add a view of one side."""
    if command.difference not in engagement.differences:
        raise UnknownDifference(command.difference)
    if not command.text.strip():
        message = "Say how your side sees it."
        raise Invalid(message)
    side = _speaks_for(engagement, asked.by, command.side)
    return [ViewNoted(difference=command.difference, side=side, text=command.text, person=asked.by, on=asked.today)]


def _speaks_for(engagement: Engagement, person: PersonId, named: Side | None) -> Side:
    """The side whose view this is: a participant's own, and none else; the facilitator must name it."""
    own = engagement.people[person].side
    if own and named not in (None, own):
        raise WrongSide
    side = own or named
    if side is None:
        message = "Say whose view this is: 'doctor' or 'manager'."
        raise Invalid(message)
    return side


def _raised(engagement: Engagement, event: DifferenceRaised, at: datetime) -> Engagement:
    del at
    difference = Difference(
        id=event.difference,
        title=event.title,
        condition=event.condition,
        session=event.session,
        by=event.person,
        raised=event.on,
    )
    return engagement.but(differences={**engagement.differences, event.difference: difference})


def _noted(engagement: Engagement, event: ViewNoted, at: datetime) -> Engagement:
    del at
    difference = engagement.differences[event.difference]
    view = SideView(side=event.side, text=event.text, by=event.person, on=event.on)
    longer = difference.model_copy(update={"views": (*difference.views, view)})
    return engagement.but(differences={**engagement.differences, difference.id: longer})


PART = Part(
    name="differences",
    decide={RaiseDifference: raise_difference, NoteView: note_view},
    evolve={DifferenceRaised: _raised, ViewNoted: _noted},
)
