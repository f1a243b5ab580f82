"""Who is paired with whom: doctors with managers, outside each other's line of management, the same way every time.

A greedy choice can leave the last two people with only their own boss; the augmenting paths of bipartite matching
(Kuhn, "The Hungarian method", 1955) find a partner for everybody for whom there is one.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from programme.messages import PersonId

Lines = Mapping[PersonId, PersonId | None]
"""The line manager of each person, where there is one."""

Place = TypeVar("Place")


def above(person: PersonId, lines: Lines) -> frozenset[PersonId]:
    """Everybody to whom a person answers, directly or through others."""
    found: set[PersonId] = set()
    boss = lines.get(person)
    while boss is not None and boss not in found:  # a roster may hold a circle
        found.add(boss)
        boss = lines.get(boss)
    return frozenset(found)


def in_one_line(one: PersonId, other: PersonId, lines: Lines) -> bool:
    """Whether one of two people answers to the other."""
    return one in above(other, lines) or other in above(one, lines)


def propose(
    doctors: Sequence[PersonId], managers: Sequence[PersonId], lines: Lines, most: int
) -> tuple[tuple[PersonId, ...], ...]:
    """Pairs of a doctor and a manager; who is left over makes a trio; nobody is in more than ``most`` pairs.

    People whose every counterpart stands in their own line are in no pair.
    """
    pairs: list[tuple[PersonId, ...]] = []
    sides = sorted((sorted(doctors), sorted(managers)), key=len)
    for taken in range(most):
        for alone_side, across in (sides, sides[::-1]):
            counts = _counts(pairs)
            alone = [person for person in alone_side if person not in counts]
            hosts = [person for person in across if counts.get(person, 0) == taken]
            pairs += _matched(alone, hosts, lambda person, host: not in_one_line(person, host, lines))
        _make_trios(pairs, sides, lines)
    return tuple(tuple(sorted(pair, key=lambda person: (person in managers, person))) for pair in pairs)


def _make_trios(pairs: list[tuple[PersonId, ...]], sides: Sequence[Sequence[PersonId]], lines: Lines) -> None:
    for side in sides:
        alone = [person for person in side if person not in _counts(pairs)]
        twos = [pair for pair in pairs if len(pair) == 2]  # noqa: PLR2004
        for *pair, third in _matched(
            alone, twos, lambda person, pair: not any(in_one_line(person, one, lines) for one in pair)
        ):
            pairs[pairs.index(tuple(pair))] = (*pair, third)


def _counts(pairs: Sequence[tuple[PersonId, ...]]) -> dict[PersonId, int]:
    counts: dict[PersonId, int] = {}
    for pair in pairs:
        for person in pair:
            counts[person] = counts.get(person, 0) + 1
    return counts


def _matched(
    alone: Sequence[PersonId], places: Sequence[Place], fits: Callable[[PersonId, Place], bool]
) -> list[tuple[PersonId, ...]]:
    """As many people as possible, each at a place of their own; a place is a person or a pair."""
    holder: dict[int, PersonId] = {}

    def seat(person: PersonId, seen: set[int]) -> bool:
        fitting = [number for number, place in enumerate(places) if number not in seen and fits(person, place)]
        free = [number for number in fitting if number not in holder]
        if free:
            holder[free[0]] = person
            return True
        for number in fitting:  # nobody gives up a place unless another is found for them
            if number not in seen:
                seen.add(number)
                if seat(holder[number], seen):
                    holder[number] = person
                    return True
        return False

    for person in alone:
        seat(person, set())
    found = []
    for number, person in sorted(holder.items()):
        place = places[number]
        found.append((*place, person) if isinstance(place, tuple) else (str(place), person))
    return found
