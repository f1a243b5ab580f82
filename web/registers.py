"""The registers of an engagement: actions, needs, sessions, differences, measures, reviews, pairs, check-ins.

Each is read from the folded engagement, so that nothing is said here that the core does not say. An item that is
carried over into the next cycle stands once, as it is now.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field, create_model

from programme import spc
from programme.changes.correcting import touchpoint_id
from programme.changes.record import Changes, Correction
from programme.differences import Difference
from programme.engagement import Cycle, Engagement
from programme.measure import Measure
from programme.messages import PersonId, Role, Words
from programme.reading import View, may_read_review
from programme.stages.action import Action, DevelopmentNeed
from programme.stages.delivery import CheckInRound, Touchpoint
from programme.stages.pair import Insight, Mark, Pair, Writing
from programme.stages.review import Review
from programme.stages.session import Session

Items = Iterator[tuple[str, int, BaseModel]]
"""Id, cycle (0: of the whole engagement), and what it is."""

_NONE = Changes()
_SEES_ALL_PAIRS = frozenset({Role.PROGRAMME_MANAGER, Role.FACILITATOR})


@dataclass(frozen=True)
class Register:
    """A list that people read: where, what stands in it, and who reads it (None: everybody, but only their own)."""

    path: str
    model: type[BaseModel]
    view: View | None
    items: Callable[[Engagement, PersonId], Items]
    about: str


def cycles(engagement: Engagement) -> tuple[Cycle, ...]:
    """Every cycle, the running one last."""
    return (*engagement.past, engagement.cycle) if engagement.cycle else engagement.past


def _of_cycles(of: Callable[[Cycle], dict[str, Any]]) -> Callable[[Engagement, PersonId], Items]:
    def items(engagement: Engagement, reader: PersonId) -> Items:
        del reader
        for cycle in cycles(engagement):
            for name, item in of(cycle).items():
                yield name, cycle.number, item

    return items


def _check_ins(engagement: Engagement, reader: PersonId) -> Items:
    del reader
    for cycle in cycles(engagement):
        for one in cycle.delivery.check_ins:
            yield one.month.isoformat(), cycle.number, one


def _touchpoints(engagement: Engagement, reader: PersonId) -> Items:
    """By their day; a second one on a day has its number behind it."""
    del reader
    for cycle in cycles(engagement):
        days: list[str] = []
        for one in cycle.delivery.touchpoints:
            days.append(touchpoint_id(one.on))
            number = days.count(days[-1])
            yield days[-1] + (f"-{number}" if number > 1 else ""), cycle.number, one


def _differences(engagement: Engagement, reader: PersonId) -> Items:
    del reader
    return ((name, 0, one) for name, one in engagement.differences.items())


class MeasureShown(Measure):
    """A measure with its chart: the points in force beside the lines of their segment, and what the rules say."""

    charted: spc.Chart


def _measures(engagement: Engagement, reader: PersonId) -> Items:
    del reader
    for name, one in engagement.measures.measures.items():
        yield name, 0, MeasureShown.model_construct(**_fields(one), charted=one.chart)


def _reviews(engagement: Engagement, reader: PersonId) -> Items:
    for cycle in cycles(engagement):
        for name, one in cycle.challenge.reviews.items():
            if may_read_review(engagement, one, reader):
                yield name, cycle.number, one


def _pairs(engagement: Engagement, reader: PersonId) -> Items:
    """One's own pairs; for those who look after them all, without a way to what was written in them."""
    person = engagement.people.get(reader)
    all_of_them = bool(person and person.roles() & _SEES_ALL_PAIRS)
    for cycle in cycles(engagement):
        for name, pair in cycle.exchange.pairs.items():
            if reader in pair.members:
                yield name, cycle.number, pair
            elif all_of_them:
                yield name, cycle.number, _from_outside(pair)


def _from_outside(pair: Pair) -> Pair:
    writings = {author: _unreferenced(writing) for author, writing in pair.writings.items()}
    insights = {author: Insight(words=Words(), ticks=one.ticks) for author, one in pair.insights.items()}
    return pair.model_copy(update={"writings": writings, "insights": insights})


def _unreferenced(writing: Writing) -> Writing:
    marks = {person: Mark(recognised=mark.recognised, on=mark.on) for person, mark in writing.marks.items()}
    return writing.model_copy(update={"words": Words(), "marks": marks})


def _fields(item: BaseModel) -> dict[str, Any]:
    return {name: getattr(item, name) for name in type(item).model_fields}


REGISTERS = (
    Register("actions", Action, View.ACTIONS, _of_cycles(lambda cycle: cycle.agreement.actions), "Actions."),
    Register("needs", DevelopmentNeed, View.ACTIONS, _of_cycles(lambda cycle: cycle.agreement.needs), "Needs."),
    Register("check-ins", CheckInRound, View.ACTIONS, _check_ins, "Monthly check-ins."),
    Register("touchpoints", Touchpoint, View.ACTIONS, _touchpoints, "Joint touchpoints."),
    Register("sessions", Session, View.SESSIONS, _of_cycles(lambda cycle: cycle.sessions.all), "Joint sessions."),
    Register("differences", Difference, View.SESSIONS, _differences, "The difference log."),
    Register("measures", MeasureShown, View.MEASURES, _measures, "Measures with their points, charts and signals."),
    Register("reviews", Review, None, _reviews, "The challenge reviews that are open to you."),
    Register("pairs", Pair, None, _pairs, "Your pairs; for the programme manager and the facilitator, all of them."),
)


# --- as it is shown --------------------------------------------------------------------------------------------------


def shown_as(model: type[BaseModel]) -> type[BaseModel]:
    """What is said of an item: all that it is, and the cycle in which it stands now."""
    cycle: Any = (int, Field(description="The cycle in which it stands now; 0: it belongs to the whole engagement."))
    corrections: Any = (tuple[Correction, ...], Field(default=(), description="What was corrected about it later."))
    return create_model(
        f"{model.__name__}InCycle", __base__=model, __doc__=model.__doc__, cycle=cycle, corrections=corrections
    )


def latest(items: Items, shown: type[BaseModel], changes: Changes = _NONE) -> dict[str, BaseModel]:
    """Every item once, as it is now, in the order in which they came."""
    found: dict[str, BaseModel] = {}
    for name, cycle, item in items:
        found[name] = shown.model_construct(**_fields(item), cycle=cycle, corrections=changes.corrections_of(name))
    return found
