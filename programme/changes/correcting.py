"""The correction of a mistaken entry: a new entry that names the old one by its number. The old one stays as it is.

The programme manager corrects facts that somebody entered, and whoever made an entry corrects it themselves. Nobody
corrects an answer, an agreement, an approval, willingness or evidence, nor another person's words; where a command of
its own corrects something, the refusal names it. The core keeps no journal: whoever hands a correction in says, from
the journal, what the entry was (``original_of``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from programme.changes.record import Correction, Mistake, with_changes
from programme.measures import refuse_blank
from programme.messages import CLOCK, Command, Entry, Event, Frozen, Paragraph, PersonId, Role
from programme.part import Asked, Part
from programme.post import NoticeRaised
from programme.refusals import Invalid, NotCorrectable, UnknownEntry
from programme.stages.delivery import co_owners

if TYPE_CHECKING:
    from programme.engagement import Engagement

FACTS: Mapping[str, tuple[str, ...]] = {
    "VisitRecorded": ("pair",),
    "PairsConfirmed": (),
    "PairsChanged": (),
    "PairExcused": ("pair",),
    "AttendanceRecorded": ("session",),
    "ConversationRecorded": ("session",),
    "SessionCalled": ("session",),
    "SessionCancelled": ("session",),
    "TouchpointHeld": ("actions", "on"),
    "MeasureDefined": ("measure",),
    "PeopleEnrolled": (),
    "Appointed": (),
    "AppointmentEnded": (),
    "EngagementPausedUntil": (),
    "JointMeetingHeld": (),
    "ReviewHeld": ("review",),
    "PanelMemberReleased": ("review",),
    "ChairPassed": ("review",),
    "DueDateExtended": (),
    "StepSkipped": ("about",),
    "StageReturned": (),
    "NotesReopened": ("session",),
}
"""What the programme manager may correct, too, and the fields that say what it is about."""

WORDS: Mapping[str, tuple[str, ...]] = {
    "CheckedIn": ("about", "month"),
    "PdsaNoted": ("action",),
    "DifferenceRaised": ("difference",),
    "ViewNoted": ("difference",),
    "DevelopmentNeedAdded": ("need",),
    "SignalExplained": ("measure",),
    "ProgressChecked": ("review",),
    "EntryCorrected": ("about",),
}
"""What only whoever wrote it corrects."""

INSTEAD: Mapping[str, str] = {
    "PointsAdded": "Correct the point itself, with its reason (CorrectPoint)",
    "PointCorrected": "Correct the point itself once more (CorrectPoint)",
    "TargetSet": "Set the target anew (SetTarget)",
    "ActionDrafted": "Change the action (ChangeAction)",
    "ActionChanged": "Change the action (ChangeAction)",
    "ActionVersioned": "Change the action (ChangeAction)",
    "SessionScheduled": "Move the session (MoveSession)",
    "SessionMoved": "Move the session (MoveSession)",
    "NotesWritten": "Write the notes anew (WriteNotes); where they count, reopen them first (ReopenNotes)",
    "ReviewScheduled": "Give the review another date (ScheduleReview)",
    "FindingsRecorded": "Word the finding anew (CorrectFinding)",
    "FindingCorrected": "Word the finding anew (CorrectFinding)",
    "FindingAnswered": "Whoever answered takes the answer back (ReopenFinding)",
    "ActionVerified": "An action that was verified in error is reopened (ReopenAction)",
    "SideVerified": "An action that was verified in error is reopened (ReopenAction)",
}
"""What has a correction of its own."""

NOBODYS = "It is somebody's answer, agreement, approval, willingness or evidence, or it followed by itself"
ANOTHERS = "These are another person's words. Ask whoever wrote them"


class Original(Frozen):
    """What an entry was, as the journal has it. Whoever hands in a correction says it, not the person who asks."""

    entry_kind: str = ""
    by: PersonId = ""
    about: tuple[str, ...] = ()


def original_of(entry: Entry) -> Original:
    """What a correction needs to know of the entry that it names."""
    event = entry.event
    fields = FACTS.get(event.kind, WORDS.get(event.kind, ()))
    return Original(entry_kind=event.kind, by=entry.actor, about=tuple(_about(event, fields)))


def _about(event: Event, fields: tuple[str, ...]) -> Iterator[str]:
    for field in fields:
        value = getattr(event, field)
        if field == "on":
            yield touchpoint_id(value)
        elif isinstance(value, tuple):
            yield from value
        else:
            yield str(value)


def touchpoint_id(on: date) -> str:
    """By what a joint touchpoint is called in registers and corrections."""
    return f"touchpoint-{on}"


class CorrectEntry(Command):
    """Say what should have stood in an entry, as the programme manager or as whoever made it. Both are read together.

    ``original`` is what the journal says of the entry.
    """

    who = frozenset(Role) - {Role.AUDITOR}
    refusals = (UnknownEntry, NotCorrectable, Invalid)

    kind: Literal["CorrectEntry"] = "CorrectEntry"
    entry: int
    mistake: Mistake
    text: Paragraph
    original: Original = Original()


Commands = CorrectEntry


class EntryCorrected(Event):
    """An entry is corrected by this one. It stays as it was made."""

    kind: Literal["EntryCorrected"] = "EntryCorrected"
    entry: int
    entry_kind: str
    about: tuple[str, ...] = ()
    mistake: Mistake
    text: str
    by: PersonId
    on: date


Events = EntryCorrected


def correct_entry(engagement: Engagement, command: CorrectEntry, asked: Asked) -> list[Event]:
    """Take a correction, and tell whoever made the entry and whoever it concerns."""
    original = command.original
    own = original.by == asked.by
    manages = Role.PROGRAMME_MANAGER in engagement.people[asked.by].roles()
    if not (own or manages) or not original.entry_kind or not 1 <= command.entry <= engagement.sequence:
        raise UnknownEntry
    if instead := INSTEAD.get(original.entry_kind):
        raise NotCorrectable(instead)
    if original.entry_kind not in FACTS.keys() | WORDS.keys():
        raise NotCorrectable(NOBODYS)
    if original.entry_kind in WORDS and not own:
        raise NotCorrectable(ANOTHERS)
    refuse_blank(command.text, "The correction")
    corrected = EntryCorrected(
        entry=command.entry,
        entry_kind=original.entry_kind,
        about=original.about,
        mistake=command.mistake,
        text=command.text,
        by=asked.by,
        on=asked.today,
    )
    return [corrected, *_news(engagement, original, asked)]


def _news(engagement: Engagement, original: Original, asked: Asked) -> Iterator[Event]:
    concerned = (person for about in original.about for person in co_owners(engagement, about))
    people = tuple(dict.fromkeys(one for one in (original.by, *concerned) if one not in (asked.by, CLOCK)))
    known = tuple(one for one in people if one in engagement.people)
    if known:
        title = "An entry that concerns you was corrected. It stands beside what was entered first"
        yield NoticeRaised(people=known, title=title, about=next(iter(original.about), ""))


def _corrected(engagement: Engagement, event: EntryCorrected, at: datetime) -> Engagement:
    del at
    facts = event.model_dump(exclude={"kind"})
    correction = Correction(**facts, recorded=engagement.sequence + 1)
    return with_changes(engagement, corrections=(*engagement.changes.corrections, correction))


PART = Part(name="correcting", decide={CorrectEntry: correct_entry}, evolve={EntryCorrected: _corrected})
