"""Within a pair: visits both ways, "What it is like to be you", whether the partner recognises it, and insights.

What people write is candid: it never comes here, only that it was written, and what the partner said of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from programme.messages import PARTICIPANTS, Command, DueDate, Event, PersonId, Stage, Task, TaskId, Words
from programme.part import Asked, Part
from programme.post import NoticeRaised
from programme.refusals import AlreadyDone, Invalid, NotYet, NotYourPair, PairClosed, UnknownPair
from programme.stages.pair import Exchange, Insight, Mark, Pair, PairId, Visit, Writing

if TYPE_CHECKING:
    from programme.engagement import Engagement

WORDS_LIMIT = 300  # words of a reflection
PROMPTS = ("What you are held to account for", "What you cannot control", "What I had wrong")


# --- commands --------------------------------------------------------------------------------------------------------


class RecordVisit(Command):
    """Note a visit within one's pair. Without ``guest`` it was oneself who visited."""

    who = PARTICIPANTS
    refusals = (UnknownPair, NotYourPair, PairClosed, AlreadyDone, Invalid, NotYet)

    kind: Literal["RecordVisit"] = "RecordVisit"
    pair: PairId
    host: PersonId
    guest: PersonId = ""
    on: date
    half_days: int = 1


class WriteReflection(Command):
    """Write "What it is like to be you" about the people one has visited, or write it again after a correction."""

    who = PARTICIPANTS
    refusals = (UnknownPair, NotYourPair, PairClosed, AlreadyDone, Invalid, NotYet)

    kind: Literal["WriteReflection"] = "WriteReflection"
    pair: PairId
    words: Words


class MarkReflection(Command):
    """Say "Yes, that is recognisable" of a text about oneself, or correct it."""

    who = PARTICIPANTS
    refusals = (UnknownPair, NotYourPair, PairClosed, AlreadyDone, Invalid, NotYet)

    kind: Literal["MarkReflection"] = "MarkReflection"
    pair: PairId
    author: PersonId
    round: int = 1
    recognised: bool
    correction: Words = Words()


class OfferInsight(Command):
    """Offer one insight for session A, or replace it. It stays in the pair unless everybody in it ticks "share"."""

    who = PARTICIPANTS
    refusals = (UnknownPair, NotYourPair, PairClosed, Invalid, NotYet)

    kind: Literal["OfferInsight"] = "OfferInsight"
    pair: PairId
    words: Words
    share: bool = False


class ShareInsight(Command):
    """Tick or untick "share" on an insight of one's pair."""

    who = PARTICIPANTS
    refusals = (UnknownPair, NotYourPair, PairClosed, NotYet)

    kind: Literal["ShareInsight"] = "ShareInsight"
    pair: PairId
    author: PersonId
    share: bool = True


Commands = RecordVisit | WriteReflection | MarkReflection | OfferInsight | ShareInsight


# --- events ----------------------------------------------------------------------------------------------------------


class VisitRecorded(Event):
    """Somebody spent half a day or more with a partner."""

    kind: Literal["VisitRecorded"] = "VisitRecorded"
    pair: PairId
    guest: PersonId
    host: PersonId
    visited: date
    half_days: int
    on: date


class ReflectionWritten(Event):
    """Somebody wrote what it is like to be the partner."""

    kind: Literal["ReflectionWritten"] = "ReflectionWritten"
    pair: PairId
    author: PersonId
    round: int
    words: Words
    on: date


class ReflectionMarked(Event):
    """The partner recognised the text, or corrected it."""

    kind: Literal["ReflectionMarked"] = "ReflectionMarked"
    pair: PairId
    author: PersonId
    person: PersonId
    round: int
    recognised: bool
    correction: Words = Words()
    on: date


class InsightOffered(Event):
    """Somebody has an insight for session A."""

    kind: Literal["InsightOffered"] = "InsightOffered"
    pair: PairId
    author: PersonId
    words: Words


class InsightTicked(Event):
    """A member of the pair says whether an insight may leave it."""

    kind: Literal["InsightTicked"] = "InsightTicked"
    pair: PairId
    author: PersonId
    person: PersonId
    share: bool


Events = VisitRecorded | ReflectionWritten | ReflectionMarked | InsightOffered | InsightTicked


# --- asking about a pair ---------------------------------------------------------------------------------------------


def shared_insights(engagement: Engagement) -> tuple[Words, ...]:
    """What session A may see: insights on which everybody of their pair ticked "share"."""
    return tuple(
        insight.words
        for pair in engagement.running.exchange.standing
        for insight in pair.insights.values()
        if all(insight.ticks.get(person) for person in pair.members)
    )


def unrecognised(engagement: Engagement, pair: Pair) -> bool:
    """Whether a text was corrected in the last round: the pair cannot come to recognition any more."""
    rounds = engagement.template.thresholds.recognition_rounds
    return any(writing.corrected and writing.round >= rounds for writing in pair.writings.values())


def exchange_now(engagement: Engagement) -> Exchange:
    """The exchange, while its stage is open.

    Raises:
        NotYet: it is not.
    """
    if not engagement.in_stage(Stage.EXCHANGE):
        what = "pairs work during the perspective exchange only"
        raise NotYet(what)
    return engagement.running.exchange


def standing_pair(exchange: Exchange, pair: PairId) -> Pair:
    """A pair that no other has replaced.

    Raises:
        UnknownPair: there never was one of this id.
        PairClosed: another has taken its place.
    """
    found = exchange.pairs.get(pair)
    if found is None:
        raise UnknownPair(pair)
    if found.replaced:
        raise PairClosed
    return found


def refuse_settled(pair: Pair) -> None:
    """Refuse to undo what a pair has come to."""
    if pair.recognised:
        raise AlreadyDone("this pair has recognised each other")


# --- decide ----------------------------------------------------------------------------------------------------------


def _own(engagement: Engagement, pair: PairId, person: PersonId) -> Pair:
    """A pair that is at work, and in which the person is."""
    found = standing_pair(exchange_now(engagement), pair)
    if person not in found.members:
        raise NotYourPair
    if found.excused:
        raise PairClosed
    return found


def record_visit(engagement: Engagement, command: RecordVisit, asked: Asked) -> list[Event]:
    """Note a visit: either of the two may note either way."""
    pair = _own(engagement, command.pair, asked.by)
    guest = command.guest or asked.by
    if guest not in pair.members or command.host not in pair.across(guest) or asked.by not in (guest, command.host):
        raise NotYourPair
    if command.host not in pair.hosts_left(guest):
        raise AlreadyDone("this visit is noted, or was left out")
    if not pair.formed <= command.on <= asked.today:
        message = "Give the day of the visit: not before the pair was formed, and not after today."
        raise Invalid(message)
    if command.half_days < 1:
        message = "A visit lasts at least half a day."
        raise Invalid(message)
    return [
        VisitRecorded(
            pair=pair.id,
            guest=guest,
            host=command.host,
            visited=command.on,
            half_days=command.half_days,
            on=asked.today,
        )
    ]


def write_reflection(engagement: Engagement, command: WriteReflection, asked: Asked) -> list[Event]:
    """Write, or write again what was corrected, as often as there are rounds."""
    pair = _own(engagement, command.pair, asked.by)
    if pair.hosts_left(asked.by):
        what = "visit your partner first, and note the visit"
        raise NotYet(what)
    if not command.words.deposit:
        message = "Write what it is like to be your partner."
        raise Invalid(message)
    earlier = pair.writings.get(asked.by)
    if earlier and not earlier.corrected:
        raise AlreadyDone("your text is with your partner")
    if earlier and earlier.round >= engagement.template.thresholds.recognition_rounds:
        raise AlreadyDone("every round was used; the facilitator helps you on")
    number = earlier.round + 1 if earlier else 1
    return [ReflectionWritten(pair=pair.id, author=asked.by, round=number, words=command.words, on=asked.today)]


def mark_reflection(engagement: Engagement, command: MarkReflection, asked: Asked) -> list[Event]:
    """Recognise oneself, or correct; only the people whom the text is about can."""
    pair = _own(engagement, command.pair, asked.by)
    if command.author not in pair.across(asked.by):
        raise NotYourPair
    writing = pair.writings.get(command.author)
    if writing is None or writing.round != command.round:
        what = "this round of the text is not before you; open it again"
        raise NotYet(what)
    if asked.by in writing.marks:
        raise AlreadyDone("you have marked this round of the text")
    if not command.recognised and not command.correction.deposit:
        message = "Say what it is like instead: a correction needs your words."
        raise Invalid(message)
    marked = ReflectionMarked(
        pair=pair.id,
        author=command.author,
        person=asked.by,
        round=writing.round,
        recognised=command.recognised,
        correction=Words() if command.recognised else command.correction,
        on=asked.today,
    )
    if not command.recognised:
        return [marked]  # the author's task says the rest
    title = "What you wrote for the perspective exchange was recognised"
    return [marked, NoticeRaised(people=(command.author,), title=title, about=pair.id)]


def offer_insight(engagement: Engagement, command: OfferInsight, asked: Asked) -> list[Event]:
    """Offer or replace an insight; ticks on an earlier one are void."""
    pair = _before_session_a(engagement, command.pair, asked.by)
    if not command.words.deposit:
        message = "Write the insight that you would bring to session A."
        raise Invalid(message)
    offered = InsightOffered(pair=pair.id, author=asked.by, words=command.words)
    if not command.share:
        return [offered]
    return [offered, InsightTicked(pair=pair.id, author=asked.by, person=asked.by, share=True)]


def share_insight(engagement: Engagement, command: ShareInsight, asked: Asked) -> list[Event]:
    """Tick or untick; the insight leaves the pair only while everybody in it has ticked."""
    pair = _before_session_a(engagement, command.pair, asked.by)
    insight = pair.insights.get(command.author)
    if insight is None:
        what = "no insight was offered"
        raise NotYet(what)
    if insight.ticks.get(asked.by) is command.share:
        return []
    return [InsightTicked(pair=pair.id, author=command.author, person=asked.by, share=command.share)]


def _before_session_a(engagement: Engagement, pair: PairId, person: PersonId) -> Pair:
    """One's pair, while an insight can still reach session A."""
    held = engagement.cycle and any(session.held for session in engagement.cycle.sessions.all.values())
    open_now = engagement.in_stage(Stage.EXCHANGE) or engagement.in_stage(Stage.SESSIONS)
    if engagement.cycle is None or not open_now or held:
        what = "insights are for session A, from the exchange until it is held"
        raise NotYet(what)
    found = standing_pair(engagement.cycle.exchange, pair)
    if person not in found.members:
        raise NotYourPair
    return found


# --- evolve ----------------------------------------------------------------------------------------------------------


def _visited(engagement: Engagement, event: VisitRecorded, at: datetime) -> Engagement:
    del at
    visit = Visit(guest=event.guest, host=event.host, on=event.visited, half_days=event.half_days, noted=event.on)
    return with_pair(engagement, event.pair, visits=(*engagement.running.exchange.pairs[event.pair].visits, visit))


def _written(engagement: Engagement, event: ReflectionWritten, at: datetime) -> Engagement:
    del at
    writing = Writing(words=event.words, round=event.round, on=event.on)
    writings = engagement.running.exchange.pairs[event.pair].writings
    return with_pair(engagement, event.pair, writings={**writings, event.author: writing})


def _marked(engagement: Engagement, event: ReflectionMarked, at: datetime) -> Engagement:
    del at
    writings = engagement.running.exchange.pairs[event.pair].writings
    writing = writings[event.author]
    mark = Mark(recognised=event.recognised, correction=event.correction, on=event.on)
    marked = writing.model_copy(update={"marks": {**writing.marks, event.person: mark}})
    return with_pair(engagement, event.pair, writings={**writings, event.author: marked})


def _offered(engagement: Engagement, event: InsightOffered, at: datetime) -> Engagement:
    del at
    insights = engagement.running.exchange.pairs[event.pair].insights
    return with_pair(engagement, event.pair, insights={**insights, event.author: Insight(words=event.words)})


def _ticked(engagement: Engagement, event: InsightTicked, at: datetime) -> Engagement:
    del at
    insights = engagement.running.exchange.pairs[event.pair].insights
    insight = insights[event.author]
    ticked = insight.model_copy(update={"ticks": {**insight.ticks, event.person: event.share}})
    return with_pair(engagement, event.pair, insights={**insights, event.author: ticked})


def with_exchange(engagement: Engagement, **changes: object) -> Engagement:
    """A copy in which the exchange is changed."""
    return engagement.in_cycle(exchange=engagement.running.exchange.model_copy(update=changes))


def with_pair(engagement: Engagement, pair: PairId, **changes: object) -> Engagement:
    """A copy in which a pair is changed."""
    pairs = engagement.running.exchange.pairs
    return with_exchange(engagement, pairs={**pairs, pair: pairs[pair].model_copy(update=changes)})


# --- tasks -----------------------------------------------------------------------------------------------------------


def tasks(engagement: Engagement) -> Iterator[Task]:
    """Visits, texts, marks, and insights if people like."""
    if engagement.in_stage(Stage.EXCHANGE):
        for pair in engagement.running.exchange.standing:
            if pair.open:
                yield from _of_pair(engagement, pair)
            if not pair.excused:
                yield from _insights(engagement, pair)


def task_id(engagement: Engagement, what: str, person: PersonId) -> TaskId:
    """The id of a task of this stage."""
    return f"{engagement.running.number}/{Stage.EXCHANGE.value}/{what}/{person}"


def last_due(engagement: Engagement, pair: Pair) -> date:
    """When the last of what an open pair owes for its next milestone is due."""
    owed = [engagement.as_promised(task) for task in _of_pair(engagement, pair) if task.due]
    visits = [task for task in owed if task.command == "RecordVisit"]
    return max(task.due.on for task in visits or owed if task.due)


def _of_pair(engagement: Engagement, pair: Pair) -> Iterator[Task]:
    for person in pair.members:
        if pair.hosts_left(person):
            yield _visit(engagement, pair, person)
        elif task := _reflection(engagement, pair, person):
            yield task
        for author in pair.across(person):
            writing = pair.writings.get(author)
            if writing and person not in writing.marks:
                yield _recognition(engagement, pair, writing, author, person)


def _visit(engagement: Engagement, pair: Pair, person: PersonId) -> Task:
    return Task(
        id=task_id(engagement, f"visit-{pair.id}", person),
        ladder="pair-visit",
        person=person,
        about=pair.id,
        command="RecordVisit",
        title="Spend half a day or more in your partner's shoes",
        opened=pair.formed,
        due=engagement.time.due(pair.formed, engagement.template.durations.pair_visits, "your pair was formed"),
    )


def _reflection(engagement: Engagement, pair: Pair, person: PersonId) -> Task | None:
    """To write after the visits, or again after a correction while there is a round left."""
    durations, writing = engagement.template.durations, pair.writings.get(person)
    if writing is None:
        noted = [visit.noted for visit in pair.visits if visit.guest == person]
        since = pair.left_out.get(person) or max(noted)
        title = "Write what it is like to be your partner (300 words at most)"
        reason = "your visit was left out" if person in pair.left_out else "you noted your visit"
    elif writing.corrected and writing.round < engagement.template.thresholds.recognition_rounds:
        since = writing.corrected
        title, reason = "Your partner has corrected what you wrote. Write it again", "it was corrected"
    else:
        return None
    return Task(
        id=task_id(engagement, f"reflection-{pair.id}-{writing.round + 1 if writing else 1}", person),
        ladder="reflection",
        person=person,
        about=pair.id,
        command="WriteReflection",
        title=title,
        opened=since,
        due=_later(engagement, pair, durations.reflection, since, reason),
    )


def _recognition(engagement: Engagement, pair: Pair, writing: Writing, author: PersonId, person: PersonId) -> Task:
    due = _later(engagement, pair, engagement.template.durations.recognition, writing.on, "your partner wrote it")
    return Task(
        id=task_id(engagement, f"recognition-{pair.id}-{author}-{writing.round}", person),
        ladder="recognition",
        person=person,
        about=pair.id,
        command="MarkReflection",
        title="Say whether you recognise yourself in what your partner wrote",
        opened=writing.on,
        due=due,
    )


def _later(engagement: Engagement, pair: Pair, days: int, since: date, reason: str) -> DueDate:
    """The date that the stage foresees; for who comes late, some days from what was waited for."""
    foreseen = engagement.time.due(pair.formed, days, "your pair was formed")
    at_least = engagement.time.due(since, engagement.template.durations.correction, reason)
    return max(foreseen, at_least, key=lambda due: due.on)


def _insights(engagement: Engagement, pair: Pair) -> Iterator[Task]:
    """Voluntary, so without a date and without reminders."""
    for person in pair.members:
        visits = [visit.noted for visit in pair.visits if visit.guest == person]
        if visits and person not in pair.insights:
            yield Task(
                id=task_id(engagement, f"insight-{pair.id}", person),
                ladder="insight",
                person=person,
                about=pair.id,
                command="OfferInsight",
                title="Offer one insight for session A, if you like",
                opened=max(visits),
            )
        for author, insight in pair.insights.items():
            if person not in insight.ticks:
                yield Task(
                    id=task_id(engagement, f"share-{pair.id}-{author}", person),
                    ladder="insight",
                    person=person,
                    about=pair.id,
                    command="ShareInsight",
                    title="Say whether an insight may leave your pair",
                    opened=pair.formed,
                )


PART = Part(
    name="visits",
    decide={
        RecordVisit: record_visit,
        WriteReflection: write_reflection,
        MarkReflection: mark_reflection,
        OfferInsight: offer_insight,
        ShareInsight: share_insight,
    },
    evolve={
        VisitRecorded: _visited,
        ReflectionWritten: _written,
        ReflectionMarked: _marked,
        InsightOffered: _offered,
        InsightTicked: _ticked,
    },
    tasks=tasks,
)
