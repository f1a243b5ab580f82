"""Who may read what, as data; and the history as each reader may see it.

Candour rests on this: nobody reads who answered, nobody reads one sponsor's statement before the other's, candid words
have the readers that their purpose names. The programme manager never reads an answer or a comment. Lists stand in the
order of time or of ids, and nothing here ranks a person or a trust.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from programme.cover import KINDS as COVERED
from programme.cover import Cover, covered_by
from programme.departure import Departure, Handover, open_departures, own_sponsors
from programme.disclosure import HIDDEN
from programme.messages import (
    APPROVERS,
    CHALLENGERS,
    PARTICIPANTS,
    SPONSORS,
    Command,
    Due,
    Entry,
    PersonId,
    Role,
    Side,
    Task,
)
from programme.progress import progress
from programme.stages.evidence import VOLUNTARY_LADDERS
from programme.stages.pair import Pair
from programme.stages.review import Review, answerers

if TYPE_CHECKING:
    from programme.engagement import Cycle, Engagement

__all__ = [
    "READERS",
    "Shown",
    "Sight",
    "View",
    "agenda_for",
    "covers_for",
    "departures_for",
    "may_read_pack",
    "may_read_review",
    "may_read_words",
    "may_see",
    "progress",
    "purpose_of",
    "sight",
    "tasks_for",
    "visible",
]


COMMENT = "comment"  # the purpose of a comment in the questionnaire, which no command carries


class View(StrEnum):
    """What can be looked at in one engagement."""

    PROGRESS = "progress"
    AGENDA = "agenda"
    TASKS = "tasks"  # one's own
    WAITING = "waiting"  # what waits on whom
    ACTIONS = "actions"
    SESSIONS = "sessions"
    MEASURES = "measures"
    REVIEWS = "reviews"
    PACK = "pack"
    HISTORY = "history"
    FORECAST = "forecast"
    COMMENTS = "comments"


_RUNNING_IT = SPONSORS | APPROVERS | {Role.PROGRAMME_MANAGER, Role.FACILITATOR}
_INSIDE = _RUNNING_IT | PARTICIPANTS | {Role.MEASURE_STEWARD}

READERS: Mapping[View, frozenset[Role]] = {
    View.PROGRESS: frozenset(Role),
    View.TASKS: frozenset(Role),
    View.AGENDA: _INSIDE | {Role.DATA_PROTECTION_CONTACT},
    View.WAITING: frozenset({Role.PROGRAMME_MANAGER}),
    View.ACTIONS: _INSIDE | CHALLENGERS,
    View.SESSIONS: _INSIDE | CHALLENGERS,
    View.MEASURES: _INSIDE | CHALLENGERS | {Role.AUDITOR},
    View.REVIEWS: _INSIDE | CHALLENGERS,
    View.PACK: _INSIDE | CHALLENGERS | {Role.AUDITOR},
    View.HISTORY: SPONSORS | {Role.PROGRAMME_MANAGER, Role.FACILITATOR, Role.AUDITOR, Role.DATA_PROTECTION_CONTACT},
    View.FORECAST: SPONSORS | {Role.PROGRAMME_MANAGER, Role.FACILITATOR, Role.AUDITOR},
    View.COMMENTS: frozenset({Role.FACILITATOR}),
}
"""Which parts open which view. A challenger sees as far as the evidence of the own review reaches (``sight``)."""

_AS_FROZEN = frozenset({View.ACTIONS, View.SESSIONS, View.MEASURES, View.PACK})


@dataclass(frozen=True, slots=True)
class Sight:
    """How far a reader sees: up to this entry of the journal; None: up to now."""

    until: int | None = None


def sight(engagement: Engagement, view: View, reader: PersonId) -> Sight | None:
    """How far somebody may look at a view, or None where the view is closed to them."""
    person = engagement.people.get(reader)
    roles = (person.roles() if person else frozenset()) & READERS[view]
    if not roles:
        return None
    if roles <= CHALLENGERS and view in _AS_FROZEN:
        frozen = [one.evidence.sequence for one in _panels(engagement, reader) if one.evidence]
        return Sight(until=max(frozen)) if frozen else None
    return Sight()


def may_see(engagement: Engagement, view: View, reader: PersonId) -> bool:
    """Whether a view is open to somebody, at least as frozen."""
    return sight(engagement, view, reader) is not None


def _cycles(engagement: Engagement) -> tuple[Cycle, ...]:
    return (*engagement.past, engagement.cycle) if engagement.cycle else engagement.past


def _panels(engagement: Engagement, person: PersonId) -> Iterator[Review]:
    """The reviews on whose panel somebody sits."""
    for cycle in _cycles(engagement):
        yield from (review for review in cycle.challenge.reviews.values() if person in review.accepted)


# --- reviews and packs ---------------------------------------------------------------------------------------------


def may_read_review(engagement: Engagement, review: Review, reader: PersonId) -> bool:
    """Its panel, sponsors and programme manager; who must answer, once there are findings; all, once it is open."""
    person = engagement.people.get(reader)
    roles = person.roles() if person else frozenset()
    if reader in review.accepted or roles & (SPONSORS | {Role.PROGRAMME_MANAGER}):
        return True
    if review.report_opened and roles & READERS[View.REVIEWS] - CHALLENGERS:
        return True
    findings = review.findings.values()
    asked = (one for finding in findings for side in Side for one in answerers(engagement, finding, side))
    return reader in review.statements or reader in asked


def may_read_pack(engagement: Engagement, survey: str, reader: PersonId) -> bool:
    """Nobody before its release, then everybody at the same moment."""
    released = engagement.cycle is not None and engagement.cycle.diagnosis.survey(survey).released is not None
    return released and may_see(engagement, View.PACK, reader)


# --- tasks and what happens next -----------------------------------------------------------------------------------


def tasks_for(engagement: Engagement, reader: PersonId) -> list[Task]:
    """One's own, and what one may do on somebody's behalf now; for the programme manager what waits on whom, too.

    What is voluntary is nobody else's business.
    """
    waiting = may_see(engagement, View.WAITING, reader)
    covered = covered_by(engagement, reader)
    return [
        task
        for task in engagement.open_tasks
        if task.person == reader
        or (task.person in covered and task.command in COVERED)
        or (waiting and task.ladder not in VOLUNTARY_LADDERS)
    ]


def agenda_for(engagement: Engagement, reader: PersonId) -> list[Due]:
    """What happens next: what time does, for everybody; reminders and news, for those whom they reach."""
    if not may_see(engagement, View.AGENDA, reader):
        return []
    return [due for due in engagement.coming if due.key.startswith("act:") or reader in due.people]


# --- who goes --------------------------------------------------------------------------------------------------------


def departures_for(engagement: Engagement, reader: PersonId) -> list[Departure]:
    """All of them for the programme manager; one's own, and those in which one takes over or names somebody."""
    person = engagement.people.get(reader)
    if person is None:
        return []
    everybody = Role.PROGRAMME_MANAGER in person.roles()
    return [
        one
        for one in open_departures(engagement)
        if everybody
        or reader == one.person
        or any(_has_a_say(engagement, part, reader) for part in one.handovers.values())
    ]


def _has_a_say(engagement: Engagement, part: Handover, reader: PersonId) -> bool:
    sponsors = reader in engagement.sponsors and reader in own_sponsors(engagement, part.role)
    return reader == part.successor or sponsors


def covers_for(engagement: Engagement, reader: PersonId) -> list[Cover]:
    """The covers that run or are to come: all for the programme manager, else those in which one is one of the two."""
    everybody = reader in engagement.holders(Role.PROGRAMME_MANAGER)
    return [
        one for one in engagement.covers.all.values() if not one.over and (everybody or reader in (one.person, one.by))
    ]


# --- the history ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """A line of the history as one reader sees it. ``hidden`` names what was taken out; ``digest`` is of the whole."""

    sequence: int
    at: datetime
    actor: PersonId
    on_behalf_of: PersonId | None
    kind: str
    body: dict[str, Any]
    hidden: tuple[str, ...]
    previous_digest: str
    digest: str


def visible(engagement: Engagement, entry: Entry, reader: PersonId) -> Shown | None:
    """An entry as somebody may read it: masked where it must be, None where the history is closed to them."""
    if not may_see(engagement, View.HISTORY, reader):
        return None
    body = _without_words(entry.event.model_dump(mode="json"))
    masks = MASKS.get(entry.event.kind)
    hidden = masks(engagement, entry, reader, body) if masks else ()
    for field in hidden:
        if field in body:
            body[field] = _blank(body[field])
    private = "actor" in hidden
    return Shown(
        sequence=entry.sequence,
        at=entry.at,
        actor=HIDDEN if private else entry.actor,
        on_behalf_of=None if private else entry.on_behalf_of,
        kind=entry.event.kind,
        body=body,
        hidden=hidden,
        previous_digest=entry.previous_digest,
        digest=entry.digest,
    )


def _blank(value: Any) -> Any:
    """What stands where something was taken out: of the same shape, so that a page need not know."""
    if isinstance(value, list):
        return []
    return False if isinstance(value, bool) else HIDDEN


def _without_words(value: Any) -> Any:
    """The body without references to candid words: the history leads nobody to them."""
    if isinstance(value, dict):
        if set(value) == {"deposit"}:
            return {"deposit": ""}
        return {key: _without_words(inner) for key, inner in value.items()}
    return [_without_words(inner) for inner in value] if isinstance(value, list) else value


Mask = Callable[["Engagement", Entry, PersonId, dict[str, Any]], tuple[str, ...]]


def _always(*fields: str) -> Mask:
    """Hidden from everybody, for ever."""

    def mask(engagement: Engagement, entry: Entry, reader: PersonId, body: dict[str, Any]) -> tuple[str, ...]:
        del engagement, entry, reader, body
        return fields

    return mask


def _willingness(engagement: Engagement, entry: Entry, reader: PersonId, body: dict[str, Any]) -> tuple[str, ...]:
    """Hidden until both statements are in; a sponsor reads their own."""
    open_ = entry.sequence in engagement.mandate.shown or reader == body["sponsor"]
    return () if open_ else ("answer",)


def _decision(engagement: Engagement, entry: Entry, reader: PersonId, body: dict[str, Any]) -> tuple[str, ...]:
    """Hidden until both decisions are in; a sponsor reads their own."""
    open_ = any(entry.sequence in one.renewal.shown for one in _cycles(engagement)) or reader == body["sponsor"]
    return () if open_ else ("choice", "newest_template")


VOLUNTARY_TASKS = ("/questionnaire-", "people/enrolment/")  # in ids of tasks that are nobody else's business


def _days_off(engagement: Engagement, entry: Entry, reader: PersonId, body: dict[str, Any]) -> tuple[str, ...]:
    """Part-time days and leave are the person's own business."""
    del engagement, entry
    return () if reader == body["person"] else ("off", "away")


def _is_voluntary(task: str) -> bool:
    return any(mark in task for mark in VOLUNTARY_TASKS)


def _about_a_task(engagement: Engagement, entry: Entry, reader: PersonId, body: dict[str, Any]) -> tuple[str, ...]:
    """Who is reminded to answer would tell who has not: non-response is never shown by name."""
    del engagement, entry, reader
    return ("task", "person") if _is_voluntary(body["task"]) else ()


def _message(engagement: Engagement, entry: Entry, reader: PersonId, body: dict[str, Any]) -> tuple[str, ...]:
    """A message keeps its other lines; if it had none, its addressee is taken out too."""
    del engagement, entry, reader
    body["items"] = kept = [item for item in body["items"] if not _is_voluntary(item["task"])]
    return () if kept else ("people", "items")


MASKS: Mapping[str, Mask] = {
    "QuestionnaireCompleted": _always("actor", "person"),
    "AnswersWithdrawn": _always("actor", "person"),
    "EnrolmentDeclined": _always("actor", "person"),
    "WillingnessStated": _willingness,
    "RenewalDecided": _decision,
    "WorkingPatternSet": _days_off,
    "RungSuppressed": _about_a_task,
    "DueDateMoved": _about_a_task,
    "DueDateKept": _about_a_task,
    "MessageIssued": _message,
    "MessageUndelivered": _always("message"),  # else the number leads to a message whose addressee is taken out
    "UndeliveredSettled": _always("message"),
}
"""What is taken out of an event before anybody reads it, by its kind."""


# --- candid words --------------------------------------------------------------------------------------------------

WordsRule = Callable[["Engagement", PersonId, str, PersonId], bool]
ABOUT = ("pair", "review", "session", "action")  # fields of a command that say what its candid words are about


def purpose_of(command: Command, field: str) -> tuple[str, str]:
    """What candid words of a command's field are deposited for: their purpose, and the id of what they are about."""
    about = next((getattr(command, name) for name in ABOUT if hasattr(command, name)), "")
    return f"{command.kind}.{field}", about


def may_read_words(engagement: Engagement, purpose: str, author: PersonId, about: str, reader: PersonId) -> bool:
    """Whether somebody may read candid words: whoever wrote them, and whom their purpose names. No rule, no reader."""
    if reader not in engagement.people:
        return False
    if reader == author:
        return True
    rule = WORDS.get(purpose)
    return rule is not None and rule(engagement, author, about, reader)


def _holding(*roles: Role) -> WordsRule:
    """Whoever holds one of these parts now."""

    def rule(engagement: Engagement, author: PersonId, about: str, reader: PersonId) -> bool:
        del author, about
        return bool(engagement.people[reader].roles() & set(roles))

    return rule


def _statement(engagement: Engagement, author: PersonId, about: str, reader: PersonId) -> bool:
    """Both sponsors, once both statements of the running round are in."""
    del about
    mandate = engagement.mandate
    return mandate.revealed and author in mandate.statements and reader in engagement.sponsors


def _pair(engagement: Engagement, pair: str) -> Pair | None:
    return next((one for cycle in _cycles(engagement) if (one := cycle.exchange.pairs.get(pair))), None)


def _within_the_pair(engagement: Engagement, author: PersonId, about: str, reader: PersonId) -> bool:
    """Those who exchange places with whoever wrote it, and nobody else: no sponsor, no programme manager."""
    pair = _pair(engagement, about)
    return pair is not None and author in pair.members and reader in pair.members


def _insight(engagement: Engagement, author: PersonId, about: str, reader: PersonId) -> bool:
    """The pair; both sides and the facilitator, once everybody in the pair has ticked "share"."""
    if _within_the_pair(engagement, author, about, reader):
        return True
    pair = _pair(engagement, about)
    insight = pair.insights.get(author) if pair else None
    if pair is None or insight is None or not all(insight.ticks.get(person) for person in pair.members):
        return False
    return bool(engagement.people[reader].roles() & (PARTICIPANTS | {Role.FACILITATOR}))


def _successor(engagement: Engagement, author: PersonId, about: str, reader: PersonId) -> bool:
    """Whoever takes over from the author, once asked to, and the programme manager."""
    del about
    departure = engagement.handovers.departures.get(author)
    asked = {one.successor for one in departure.handovers.values()} if departure else set[PersonId]()
    return reader in asked or Role.PROGRAMME_MANAGER in engagement.people[reader].roles()


WORDS: Mapping[str, WordsRule] = {
    "AcceptAppointment.interests": _holding(Role.PROGRAMME_MANAGER, *SPONSORS),
    "AcceptPanel.interests": _holding(Role.PROGRAMME_MANAGER, *SPONSORS),
    "AcceptHandover.interests": _holding(Role.PROGRAMME_MANAGER, *SPONSORS),
    "StateWillingness.can_give": _statement,
    "StateWillingness.need": _statement,
    "WriteReflection.words": _within_the_pair,
    "MarkReflection.correction": _within_the_pair,
    "OfferInsight.words": _insight,
    "WriteHandoverNote.note": _successor,
    COMMENT: _holding(Role.FACILITATOR),
}
"""Who reads candid words beside their author, by the command and field that they came in (``purpose_of``)."""
