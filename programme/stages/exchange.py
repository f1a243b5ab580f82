"""Stage 2, Perspective exchange: pairs across the table, formed, helped on when they stall, and gate G2.

A pair that stalls never holds up the rest for good: the facilitator forms another, or excuses it with a reason. What
happens within a pair stands in ``visits.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from programme import pairing
from programme.gates import common_lacks, passed
from programme.messages import Command, Due, Event, PersonId, Role, Side, Stage, Task
from programme.part import Asked, Part
from programme.people import Person
from programme.post import NoticeRaised
from programme.refusals import (
    AlreadyDone,
    InOneLine,
    Invalid,
    LeftOut,
    NotYet,
    PairClosed,
    PairNotMixed,
    TooManyPairs,
    UnknownPair,
)
from programme.stages.pair import TRIO, Exchange, ExcuseReason, Group, Milestone, Pair, PairId, Pairs
from programme.stages.visits import (
    exchange_now,
    last_due,
    refuse_settled,
    standing_pair,
    task_id,
    unrecognised,
    with_exchange,
    with_pair,
)
from programme.working_time import end_of

if TYPE_CHECKING:
    from programme.engagement import Engagement


FURTHER = "further"  # what the facilitator's task is about, when the programme came back for more pairs


# --- commands --------------------------------------------------------------------------------------------------------


class ConfirmPairs(Command):
    """Put the pairs in force: as proposed where none are given, else these."""

    who = frozenset({Role.PROGRAMME_MANAGER})
    refusals = (NotYet, AlreadyDone, PairNotMixed, InOneLine, TooManyPairs, LeftOut)

    kind: Literal["ConfirmPairs"] = "ConfirmPairs"
    pairs: Pairs = ()


class RePair(Command):
    """Form further pairs, in place of those that cannot go on or for people who came later."""

    who = frozenset({Role.FACILITATOR, Role.PROGRAMME_MANAGER})
    refusals = (NotYet, UnknownPair, PairClosed, AlreadyDone, PairNotMixed, InOneLine, TooManyPairs, Invalid)

    kind: Literal["RePair"] = "RePair"
    replaces: tuple[PairId, ...] = ()
    pairs: Pairs


class ExcusePair(Command):
    """Excuse a pair from finishing, with a reason from the list."""

    who = frozenset({Role.FACILITATOR, Role.PROGRAMME_MANAGER})
    refusals = (NotYet, UnknownPair, PairClosed, AlreadyDone)

    kind: Literal["ExcusePair"] = "ExcusePair"
    pair: PairId
    reason: ExcuseReason


Commands = ConfirmPairs | RePair | ExcusePair


# --- events ----------------------------------------------------------------------------------------------------------


class PairsProposed(Event):
    """The system proposes pairs; the programme manager confirms or changes them."""

    kind: Literal["PairsProposed"] = "PairsProposed"
    pairs: tuple[Group, ...]
    on: date


class PairsConfirmed(Event):
    """These pairs exchange places."""

    kind: Literal["PairsConfirmed"] = "PairsConfirmed"
    pairs: tuple[Group, ...]
    on: date


class PairsChanged(Event):
    """Further pairs, in place of some that could not go on."""

    kind: Literal["PairsChanged"] = "PairsChanged"
    replaced: tuple[PairId, ...]
    pairs: tuple[Group, ...]
    on: date


class PairExcused(Event):
    """A pair need not finish."""

    kind: Literal["PairExcused"] = "PairExcused"
    pair: PairId
    reason: ExcuseReason
    on: date


class PairStalled(Event):
    """A pair is behind; the facilitator is asked to form another, or to excuse it."""

    kind: Literal["PairStalled"] = "PairStalled"
    pair: PairId
    milestone: Milestone
    on: date


Events = PairsProposed | PairsConfirmed | PairsChanged | PairExcused | PairStalled


# --- forming pairs ---------------------------------------------------------------------------------------------------


def _lines(engagement: Engagement) -> pairing.Lines:
    return {person.id: person.line_manager for person in engagement.people.values()}


def groups_of(engagement: Engagement, pairs: Sequence[Sequence[PersonId]]) -> tuple[Group, ...]:
    """Pairs with ids and sides. Ids count on over all cycles, because candid words are kept under them."""
    groups = []
    before = sum(len(cycle.exchange.pairs) for cycle in (*engagement.past, engagement.running))
    for number, members in enumerate(pairs, start=before + 1):
        sides: dict[Side, list[PersonId]] = {side: [] for side in Side}
        for person in members:
            if side := engagement.people[person].side:
                sides[side].append(person)
        doctors, managers = (tuple(sorted(sides[side])) for side in (Side.DOCTOR, Side.MANAGER))
        groups.append(Group(id=f"P{number}", doctors=doctors, managers=managers))
    return tuple(groups)


def _refuse_impossible(engagement: Engagement, pairs: Pairs, busy: Sequence[Pair]) -> None:
    """Refuse pairs that lack a side, stand in one line, or ask too much of somebody."""
    lines, most = _lines(engagement), engagement.template.thresholds.pairs_each
    for pair in pairs:
        people = [engagement.people.get(person) for person in pair]
        sides = {person.side for person in people if person}
        if not all(person and person.takes_part for person in people) or len(sides) < len(Side):
            raise PairNotMixed
        if len(set(pair)) != len(pair) or len(pair) > TRIO:
            raise PairNotMixed
        for one, other in combinations(sorted(pair), 2):
            if pairing.in_one_line(one, other, lines):
                raise InOneLine(one, other)
    everybody = [person for pair in pairs for person in pair]
    everybody += [person for pair in busy for person in pair.members]
    for person in sorted(set(everybody)):
        if everybody.count(person) > most:
            raise TooManyPairs(person, most)


def confirm_pairs(engagement: Engagement, command: ConfirmPairs, asked: Asked) -> list[Event]:
    """Put the proposal, or what the programme manager made of it, in force."""
    exchange = exchange_now(engagement)
    if exchange.confirmed:
        raise AlreadyDone("the pairs are confirmed; change single ones instead")
    pairs = command.pairs or tuple(group.doctors + group.managers for group in exchange.proposed)
    _refuse_impossible(engagement, pairs, ())
    paired = {person for pair in pairs for person in pair}
    for group in exchange.proposed:
        for person in group.doctors + group.managers:
            if person not in paired and engagement.people[person].takes_part:
                raise LeftOut(person)
    return [PairsConfirmed(pairs=groups_of(engagement, pairs), on=asked.today)]


def re_pair(engagement: Engagement, command: RePair, asked: Asked) -> list[Event]:
    """Form further pairs; those they replace are off the count."""
    exchange = exchange_now(engagement)
    if exchange.confirmed is None:
        what = "the pairs have to be confirmed first"
        raise NotYet(what)
    if not command.pairs or len(set(command.pairs)) < len(set(command.replaces)):
        message = "Form a new pair for each that you replace. To let a pair go without another, excuse it."
        raise Invalid(message)
    for replaced in command.replaces:
        refuse_settled(standing_pair(exchange, replaced))
    busy = [pair for pair in exchange.standing if pair.id not in command.replaces and (pair.open or pair.recognised)]
    _refuse_impossible(engagement, command.pairs, busy)
    groups = groups_of(engagement, command.pairs)
    events: list[Event] = [PairsChanged(replaced=command.replaces, pairs=groups, on=asked.today)]
    formed = [frozenset(pair) for pair in command.pairs]
    parted = (exchange.pairs[pair].members for pair in command.replaces)
    if told := tuple(sorted({person for pair in parted if frozenset(pair) not in formed for person in pair})):
        events.append(NoticeRaised(people=told, title="Your pair for the perspective exchange was changed"))
    return events


def excuse_pair(engagement: Engagement, command: ExcusePair, asked: Asked) -> list[Event]:
    """Let a pair go, with a reason."""
    pair = standing_pair(exchange_now(engagement), command.pair)
    if pair.excused:
        raise PairClosed
    refuse_settled(pair)
    title = "You need not finish your perspective exchange"
    return [
        PairExcused(pair=pair.id, reason=command.reason, on=asked.today),
        NoticeRaised(people=pair.members, title=title, about=pair.id),
    ]


# --- gate G2 ---------------------------------------------------------------------------------------------------------


def follows(engagement: Engagement, asked: Asked) -> list[Event]:
    """Propose pairs when the stage opens; pass gate G2 when nothing is lacking."""
    if not engagement.in_stage(Stage.EXCHANGE):
        return []
    if engagement.running.exchange.proposed_on is None:
        doctors, managers = (engagement.participants(side) for side in (Side.DOCTOR, Side.MANAGER))
        pairs = pairing.propose(doctors, managers, _lines(engagement), engagement.template.thresholds.pairs_each)
        return [PairsProposed(pairs=groups_of(engagement, pairs), on=asked.today)]
    if not lacks(engagement):
        return passed(engagement, "G2", Stage.EXCHANGE, (Stage.SESSIONS,), asked.today)
    return []


def lacks(engagement: Engagement) -> list[str]:
    """Gate G2: what is still missing."""
    missing = common_lacks(engagement)
    exchange = engagement.running.exchange
    if exchange.confirmed is None:
        return [*missing, "the pairs must be confirmed"]
    if unsettled := sum(1 for pair in exchange.standing if pair.open):
        pairs = "1 pair" if unsettled == 1 else f"{unsettled} pairs"
        missing.append(f"{pairs} must be recognised both ways, changed or excused")
    if _further_needed(exchange):
        missing.append("at least 1 further pair must be formed, as the programme came back to the exchange for it")
    return missing + _too_few(engagement)


def _further_needed(exchange: Exchange) -> bool:
    """Whether the programme came back for further pairs, and none was formed yet."""
    return 0 < exchange.before_return >= len(exchange.pairs)


def _too_few(engagement: Engagement) -> list[str]:
    exchange, thresholds = engagement.running.exchange, engagement.template.thresholds
    recognised, missing = sum(1 for pair in exchange.standing if pair.recognised), []
    if recognised < thresholds.recognised_pairs:
        missing.append(f"at least {thresholds.recognised_pairs} pairs must be recognised both ways")
    if 100 * recognised < thresholds.recognised_percent * len(exchange.standing):
        missing.append(f"at least {thresholds.recognised_percent}% of the pairs must be recognised both ways")
    return missing


# --- evolve ----------------------------------------------------------------------------------------------------------


def _proposed(engagement: Engagement, event: PairsProposed, at: datetime) -> Engagement:
    del at
    return with_exchange(engagement, proposed=event.pairs, proposed_on=event.on)


def _pairs(groups: Sequence[Group], on: date) -> dict[PairId, Pair]:
    return {one.id: Pair(id=one.id, doctors=one.doctors, managers=one.managers, formed=on) for one in groups}


def _confirmed(engagement: Engagement, event: PairsConfirmed, at: datetime) -> Engagement:
    del at
    return with_exchange(engagement, confirmed=event.on, pairs=_pairs(event.pairs, event.on))


def _changed(engagement: Engagement, event: PairsChanged, at: datetime) -> Engagement:
    del at
    before = engagement.running.exchange.pairs
    gone = {pair: before[pair].model_copy(update={"replaced": True}) for pair in event.replaced}
    return with_exchange(engagement, pairs={**before, **gone, **_pairs(event.pairs, event.on)})


def _excused(engagement: Engagement, event: PairExcused, at: datetime) -> Engagement:
    del at
    return with_pair(engagement, event.pair, excused=event.reason, excused_on=event.on)


def _stalled(engagement: Engagement, event: PairStalled, at: datetime) -> Engagement:
    del at
    stalled = engagement.running.exchange.pairs[event.pair].stalled
    return with_pair(engagement, event.pair, stalled={**stalled, event.milestone: event.on})


# --- agenda and tasks ------------------------------------------------------------------------------------------------


def agenda(engagement: Engagement) -> Iterator[Due]:
    """When the facilitator steps in for a pair that is behind."""
    if not engagement.in_stage(Stage.EXCHANGE):
        return
    for pair in engagement.running.exchange.standing:
        if pair.open and pair.milestone not in pair.stalled and not unrecognised(engagement, pair):
            was_due, stalled = last_due(engagement, pair), engagement.template.durations.pair_stalled
            on = engagement.time.shifted(was_due, engagement.time.plus(was_due, stalled))
            what = f"The facilitator is asked to help pair {pair.id} on"
            why = "So many working days after what the pair owed was due"
            closes = ("pair-visit" if pair.milestone is Milestone.VISITS else "recognition", pair.id)
            key = f"act:exchange:stalled/{pair.id}"
            yield Due(at=end_of(on), key=key, what=what, why=why, promised=True, closes=closes)


def act(engagement: Engagement, what: str, asked: Asked) -> list[Event]:
    """Note that a pair is behind."""
    pair = engagement.running.exchange.pairs[what.partition("/")[2]]
    return [PairStalled(pair=pair.id, milestone=pair.milestone, on=asked.today)]


def tasks(engagement: Engagement) -> Iterator[Task]:
    """Pairs for the programme manager to confirm, and for the facilitator to help on."""
    if not engagement.in_stage(Stage.EXCHANGE):
        return
    exchange = engagement.running.exchange
    if exchange.proposed_on and exchange.confirmed is None:
        yield from _to_confirm(engagement, exchange.proposed_on)
    yield from _of_facilitator(engagement, exchange)


def _to_confirm(engagement: Engagement, since: date) -> Iterator[Task]:
    for manager in engagement.holders(Role.PROGRAMME_MANAGER):
        yield Task(
            id=task_id(engagement, "pairs", manager),
            ladder="confirm-pairs",
            person=manager,
            about="pairs",
            command="ConfirmPairs",
            title="Confirm the pairs for the perspective exchange",
            opened=since,
            due=engagement.time.due(since, engagement.template.durations.pair_confirmation, "the pairs were proposed"),
        )


def _of_facilitator(engagement: Engagement, exchange: Exchange) -> Iterator[Task]:
    for facilitator in engagement.holders(Role.FACILITATOR):
        for pair in exchange.standing:
            if not pair.open:
                continue
            if unrecognised(engagement, pair):
                title = f"Pair {pair.id} does not recognise each other after both rounds: form another, or excuse it"
                yield _settle(engagement, f"{pair.id}-unrecognised", facilitator, title, pair.settled_on)
            elif left := min((one.left for one in _gone(engagement, pair) if one.left), default=None):
                title = f"Somebody of pair {pair.id} has left: form another, or excuse it"
                yield _settle(engagement, f"{pair.id}-left", facilitator, title, left)
            elif since := pair.stalled.get(pair.milestone):
                title = f"Pair {pair.id} is behind: form another, or excuse it"
                yield _settle(engagement, f"{pair.id}-{pair.milestone.value}", facilitator, title, since)
        if _further_needed(exchange) and (span := engagement.span(Stage.EXCHANGE)):
            title = "Form further pairs for the perspective exchange: the programme came back for them"
            yield _settle(engagement, f"{FURTHER}-{exchange.before_return}", facilitator, title, span.started)
        if exchange.confirmed and not any(pair.open for pair in exchange.standing) and _too_few(engagement):
            since = max((pair.settled_on for pair in exchange.standing), default=exchange.confirmed)
            title = "Too few pairs recognise each other: form further pairs in place of excused ones"
            yield _settle(engagement, f"few-{len(exchange.pairs)}", facilitator, title, since)


def _gone(engagement: Engagement, pair: Pair) -> list[Person]:
    return [engagement.people[person] for person in pair.members if engagement.people[person].gone]


def _settle(engagement: Engagement, what: str, facilitator: PersonId, title: str, since: date) -> Task:
    return Task(
        id=task_id(engagement, f"settle-{what}", facilitator),
        ladder="settle-pair",
        person=facilitator,
        about=what.partition("-")[0],
        command="RePair",
        title=title,
        opened=since,
        due=engagement.time.due(since, engagement.template.durations.pair_settling, "this came up"),
    )


PART = Part(
    name="exchange",
    decide={ConfirmPairs: confirm_pairs, RePair: re_pair, ExcusePair: excuse_pair},
    evolve={
        PairsProposed: _proposed,
        PairsConfirmed: _confirmed,
        PairsChanged: _changed,
        PairExcused: _excused,
        PairStalled: _stalled,
    },
    agenda=agenda,
    act=act,
    tasks=tasks,
    follows=follows,
)
