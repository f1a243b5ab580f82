"""What the programme manager tells everybody who takes part: a sentence on the record; the post says that it is there.

That there is news leaves with each person's next message, so the limits on messages and the sending hours hold for it,
too. The sentence itself is read behind the one link: nobody can promise that it names no one. Both sides are told the
same. Whoever waits for an address or a link in an e-mail is easily deceived, so a text with one of its own is refused.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from programme.messages import Command, Event, PersonId, Role, Sentence, Side
from programme.part import Asked, Part
from programme.post import NoticeRaised
from programme.refusals import Invalid, NotYet

if TYPE_CHECKING:
    from programme.engagement import Engagement

ABOUT = "participants"
TITLE = "Your programme manager has news for both sides"
_ADDRESS = re.compile(r"@|://|\bwww\.", re.IGNORECASE)


class TellParticipants(Command):
    """Tell both sides something in a sentence, on the record. Each person's next message says so."""

    who = frozenset({Role.PROGRAMME_MANAGER})
    refusals = (NotYet, Invalid)

    kind: Literal["TellParticipants"] = "TellParticipants"
    text: Sentence


Commands = TellParticipants


class ParticipantsTold(Event):
    """Both sides were told something by the programme manager."""

    kind: Literal["ParticipantsTold"] = "ParticipantsTold"
    text: str
    by: PersonId


Events = ParticipantsTold


def tell_participants(engagement: Engagement, command: TellParticipants, asked: Asked) -> list[Event]:
    """Raise the news for everybody who takes part."""
    text = " ".join(command.text.split())
    if not text:
        message = "Write in a sentence what both sides should know."
        raise Invalid(message)
    if _ADDRESS.search(text):
        message = "Write neither an address nor a link: every message has one link, to the reader's tasks."
        raise Invalid(message)
    people = tuple(person for side in Side for person in engagement.participants(side))
    if not people:
        what = "nobody takes part so far"
        raise NotYet(what)
    return [ParticipantsTold(text=text, by=asked.by), NoticeRaised(people=people, title=TITLE, about=ABOUT)]


def _told(engagement: Engagement, event: ParticipantsTold, at: datetime) -> Engagement:
    del event, at
    return engagement


PART = Part(name="telling", decide={TellParticipants: tell_participants}, evolve={ParticipantsTold: _told})
