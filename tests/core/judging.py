"""What a judge of the invariants looks at: a request and all that came of it, entry by entry, as plain data."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from programme.engagement import Engagement, RecordedEntry, evolve
from programme.messages import (
    Entry,
    Event,
    PersonId,
    Side,
    TaskId,
)
from programme.stages.action import Action, ActionStatus, DevelopmentNeed
from programme.stages.diagnosis import Survey
from programme.stages.mandate import Answer
from programme.stages.review import Review
from programme.stages.session import Session


@dataclass(frozen=True)
class Moment:
    """One entry, and what was true on either side of it."""

    before: Engagement
    entry: Entry
    after: Engagement

    @property
    def event(self) -> Event:
        """What happened."""
        return self.entry.event


@dataclass(frozen=True)
class Step:
    """One request and what came of it. ``recorded``: the whole journal, these entries included.

    ``promised``: the latest due date ever given to a task, by its id.
    """

    before: Engagement
    entries: Sequence[Entry]
    after: Engagement
    recorded: Sequence[Entry]
    promised: Mapping[TaskId, date] = field(default_factory=dict)

    @cached_property
    def moments(self) -> tuple[Moment, ...]:
        """The entries one by one, each read back from its JSON as the journal would give it."""
        found, engagement = [], self.before
        for entry in self.entries:
            read = RecordedEntry.model_validate_json(RecordedEntry(**dict(entry)).model_dump_json())
            after = evolve(engagement, read)
            found.append(Moment(engagement, read, after))
            engagement = after
        return tuple(found)


Checker = Callable[[Step], Iterator[str]]


def actions(engagement: Engagement) -> Iterable[Action]:
    return engagement.cycle.agreement.actions.values() if engagement.cycle else ()


def needs(engagement: Engagement) -> Iterable[DevelopmentNeed]:
    return engagement.cycle.agreement.needs.values() if engagement.cycle else ()


def reviews(engagement: Engagement) -> Iterable[Review]:
    return engagement.cycle.challenge.reviews.values() if engagement.cycle else ()


def sessions(engagement: Engagement) -> Iterable[Session]:
    return engagement.cycle.sessions.all.values() if engagement.cycle else ()


def surveys(engagement: Engagement) -> Iterable[Survey]:
    return engagement.cycle.diagnosis.surveys.values() if engagement.cycle else ()


def standing(action: Action) -> ActionStatus:
    """Where an action stands, or would stand but for an objection."""
    return action.suspended_from or action.status


def side_of(engagement: Engagement, person: PersonId) -> Side | None:
    found = engagement.people.get(person)
    return found.side if found else None


def both_willing(engagement: Engagement) -> bool:
    statements = [engagement.mandate.statements.get(one) for one in engagement.sponsors]
    willing = [one for one in statements if one and one.answer is Answer.WILLING]
    apart = engagement.template.durations.willingness_apart
    affirmed = any(one.affirms for one in willing)  # by a new sponsor, beside a statement that was in force
    return (
        len(willing) == 2
        and engagement.mandate.revealed
        and (affirmed or engagement.time.between(*sorted(one.on for one in willing)) <= apart)
    )


def action_named(engagement: Engagement, name: str) -> Action:
    return engagement.running.agreement.actions[name]


def same_cycle(step: Step) -> bool:
    before, after = step.before.cycle, step.after.cycle
    return before is not None and after is not None and before.number == after.number
