"""What people read, in words: between the facts of the core and the templates.

A letter is made from one issued message alone, so what the message does not hold (answers, comments, anybody's name
but the reader's) can not slip in. Dates are in words, as the NHS style writes them.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from programme.post import DIGEST, SAFETY, Invitation, Item, MessageIssued
from programme.working_time import local_date, uk_date, uk_day, uk_time

SERVICE = "Olive Branch"
BOTH = 2  # readers
MOST_IN_A_SUBJECT = 69  # characters: with its name the header stays one line
HOW_TO_STOP = (
    "Reminders stop by themselves once a task is done. To change when they reach you, or to stop them, "
    "ask your programme manager."
)
HOW_DATA_IS_USED = (
    "We use your name and e-mail address only to write to you about this programme, as its privacy notice says. "
    "We do not track whether you open this message or its link, and we never ask for personal details by e-mail."
)

_NOUNS = {
    "acknowledge": "acknowledgement",
    "agree": "answer",
    "approve": "decision",
    "check-in": "check-in",
    "confirm": "confirmation",
    "decide": "decision",
    "decision": "decision",
    "point": "data point",
    "signal": "explanation",
    "touchpoint": "touchpoint",
    "verify": "verification",
    "willingness": "statement",
}
"""How the third part of a task's id begins, and what the task brings forth. Any other task is called a task."""


_SPEAKS_TO_THE_HOLDER = re.compile(r"\byour?\b")  # "15 working days after you were asked" is untrue of anybody else


@dataclass(frozen=True, slots=True)
class Line:
    """One thing in a letter: what it is, and sentences about its date."""

    title: str
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """Lines of one sort under a heading; a letter with a single sort needs no heading."""

    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Appointment:
    """When and where people meet, in words."""

    title: str
    when: str
    where: str
    calendar: str


@dataclass(frozen=True, slots=True)
class Letter:
    """One message in words: the most important first, one link, then what it rests on."""

    subject: str
    greeting: str
    opening: tuple[str, ...]
    appointment: Appointment | None
    sections: tuple[Section, ...]
    link_text: str
    link: str
    closing: tuple[str, ...]
    about: tuple[str, ...]
    service: str = SERVICE


@dataclass(frozen=True, slots=True)
class Programme:
    """What a letter may say of the engagement that it comes from. ``url`` has no closing slash."""

    engagement_id: str
    scope: str
    sponsors: frozenset[str]
    url: str


def letter(message: MessageIssued, programme: Programme, *, name: str, today: date) -> Letter:
    """The letter of a message.

    name: the reader's; not used where several read the same message, so that nobody's name travels to another.
    today: the day in London on which it is sent, which may be later than the day on which it was issued.
    """
    own = [item for item in message.items if item.task and not item.escalation]
    others = [item for item in message.items if item.task and item.escalation]
    news = [item for item in message.items if not item.task]
    return Letter(
        subject=_subject(message),
        greeting=_greeting(message, programme, name),
        opening=_opening(message, own, others),
        appointment=appointment(message.invitation) if message.invitation else None,
        sections=_sections(own, others, news, message.invitation, today),
        link_text=_link_text(own),
        link=f"{programme.url}/tasks" if own else f"{programme.url}/engagements/{programme.engagement_id}",
        closing=_closing(own),
        about=_about(programme),
    )


def appointment(invitation: Invitation) -> Appointment:
    """A joint session as a reader needs it: what, when, where, and what has become of it."""
    first, last = local_date(invitation.starts), local_date(invitation.ends)
    until = uk_time(invitation.ends) if first == last else f"{uk_time(invitation.ends)} on {uk_day(last)}"
    return Appointment(
        title=invitation.title,
        when=f"{uk_day(first)}, {uk_time(invitation.starts)} to {until}",
        where=invitation.place,
        calendar=_calendar_words(invitation),
    )


def due_sentences(item: Item, today: date) -> tuple[str, ...]:
    """When something was or is due, and why then. Facts, no blame: nobody is said to be late."""
    if item.due is None:
        return ()
    noun = _noun(item)
    if item.due < today:
        when = f"This {noun} was due on {uk_date(item.due)}."
    elif item.due == today:
        when = f"This {noun} is due today, {uk_day(item.due)}."
    elif item.escalation:
        when = f"This {noun} is due by {uk_day(item.due)}."
    else:
        when = f"Please do this by {uk_day(item.due)}."
    if not item.why or (item.escalation and _SPEAKS_TO_THE_HOLDER.search(item.why)):
        return (when,)
    return when, f"Why this date: {item.why}."


def _noun(item: Item) -> str:
    _, _, what = item.task.partition("/")[2].partition("/")
    return next((noun for start, noun in _NOUNS.items() if what.startswith(start)), "task")


def _calendar_words(invitation: Invitation) -> str:
    if invitation.cancelled:
        return "The calendar file in this message takes it out of your calendar."
    if invitation.revision:
        return "The calendar file in this message brings your calendar up to date."
    return "The calendar file in this message puts it into your calendar."


def _subject(message: MessageIssued) -> str:
    if message.topic == SAFETY:
        return f"{SERVICE}: patient safety, please read now"
    first, *more = message.items
    if not more and first.escalation:
        when = f", due on {uk_date(first.due)}" if first.due else ""
        return f"{SERVICE}: not yet done{when}"
    if not more:
        return _short(f"{SERVICE}: {first.title.partition('. ')[0]}")
    if any(item.task for item in message.items):
        return f"{SERVICE}: {len(message.items)} things to look at"
    return f"{SERVICE}: {len(message.items)} pieces of news"


def _short(subject: str) -> str:
    if len(subject) <= MOST_IN_A_SUBJECT:
        return subject
    whole_words = subject[: MOST_IN_A_SUBJECT - 1].rpartition(" ")[0]
    return f"{whole_words.rstrip(',:;')}\N{HORIZONTAL ELLIPSIS}"


def _greeting(message: MessageIssued, programme: Programme, name: str) -> str:
    if len(message.people) == 1:
        return f"Dear {' '.join(name.split()) or 'colleague'}"
    return "Dear both sponsors" if programme.sponsors.issuperset(message.people) else "Dear colleagues"


def _opening(message: MessageIssued, own: Sequence[Item], others: Sequence[Item]) -> tuple[str, ...]:
    sentences = []
    if message.topic == SAFETY:
        sentences.append("This is about the safety of patients, so it reaches you at once, at any hour.")
    if own:
        sentences.append("1 task waits for you." if len(own) == 1 else f"{len(own)} tasks wait for you.")
    if others:
        what = "1 task in the programme" if len(others) == 1 else f"{len(others)} tasks in the programme"
        sentences.append(f"You are told about {what}, so that help can be offered.")
    if len(message.people) > 1:
        who = "Both" if len(message.people) == BOTH else "All"
        sentences.append(f"{who} of you receive this message at the same time.")
    if message.invitation:
        sentences += [f"{item.title}." for item in message.items if not item.task]
    elif not own and not others and message.topic == DIGEST:
        sentences.append("There is news of the programme.")
    return tuple(sentences)


def _sections(
    own: Iterable[Item],
    others: Iterable[Item],
    news: Iterable[Item],
    invitation: Invitation | None,
    today: date,
) -> tuple[Section, ...]:
    sorts = {
        "Your tasks": sorted(own, key=lambda item: item.due or date.max),
        "In the programme": sorted(others, key=lambda item: item.due or date.max),
        "News": () if invitation else list(news),  # the news of an appointment stands above it
    }
    return tuple(
        Section(heading, tuple(Line(_title(item), due_sentences(item, today)) for item in items))
        for heading, items in sorts.items()
        if items
    )


def _title(item: Item) -> str:
    # A task is named as its holder reads it; to anybody else those words are a quotation.
    return (
        f"Not yet done: \N{LEFT DOUBLE QUOTATION MARK}{item.title}\N{RIGHT DOUBLE QUOTATION MARK}"
        if item.escalation
        else item.title
    )


def _link_text(own: Sequence[Item]) -> str:
    return "Open your task list:" if own else "See more:"


def _closing(own: Sequence[Item]) -> tuple[str, ...]:
    if not own:
        return ()
    return ("If you have done this since, you need do nothing more.",)


def _about(programme: Programme) -> tuple[str, ...]:
    scope = " ".join(programme.scope.split())
    return (
        f"This message is about the programme for: {scope}." if scope else "This message is about your programme.",
        HOW_TO_STOP,
        HOW_DATA_IS_USED,
    )
