"""What a template may say. It is checked when an engagement takes it up: months later nobody could mend it.

These are the bounds within which the programme works at all, and the invariants that no trust may set aside; whether a
programme is a good one is for the trust to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from programme.refusals import Invalid

Place = tuple[str | int, ...]  # where a value stands in a template: ("reviews", 2, "month")

if TYPE_CHECKING:
    from programme.ladders import Ladder
    from programme.template import ProgrammeTemplate

LONGEST_DAYS, LONGEST_MONTHS, MOST = 260, 36, 100  # working days of a year; months; people, percent, rounds, points
HOURS = 24
LONGEST_UNDELIVERED = 720  # hours: a month
ANCHORS = frozenset({"opened", "due"})
REVIEWS = frozenset({"internal", "external"})
VOLUNTARY_LADDER, SAFETY_LADDERS = "questionnaire", "safety"


def refuse_unsound(template: ProgrammeTemplate) -> None:
    """Refuse a template under which the programme could not run, or would break a promise.

    Raises:
        Invalid: names the first fault.
    """
    for fault in faults(template):
        raise Invalid(fault)


def faults(template: ProgrammeTemplate) -> Iterator[str]:
    """Everything that is wrong with a template, each in a sentence that names the value."""
    yield from _out_of_range(template)
    for name, ladder in template.ladders.items():
        yield from _ladder_faults(name, ladder)
    letters = Counter(plan.letter for plan in template.sessions)
    if any(len(letter) != 1 or not letter.isalnum() or number > 1 for letter, number in letters.items()):
        yield "Each session of the template needs a letter of its own."
    if any(plan.kind not in REVIEWS for plan in template.reviews):
        yield "A review of the template is internal or external."


def _out_of_range(template: ProgrammeTemplate) -> Iterator[str]:
    for place, value, least, most in numbers(template):
        if not least <= value <= most:
            name = next(part for part in reversed(place) if isinstance(part, str))
            yield f"'{name}' of the template lies between {least} and {most}."


def numbers(template: ProgrammeTemplate) -> Iterator[tuple[Place, int, int, int]]:
    """Every number of a template: where it stands, its value, and its bounds."""
    for name, value in template.durations:
        place = ("durations", name)
        if name == "undelivered_hours":
            yield place, value, 1, LONGEST_UNDELIVERED
        elif name.endswith("_months"):
            yield place, value, 1, LONGEST_MONTHS
        else:
            yield place, value, 1, LONGEST_DAYS
    for name, value in template.thresholds:
        if isinstance(value, tuple):
            yield from ((("thresholds", name, at), number, 1, MOST) for at, number in enumerate(value))
        else:
            yield ("thresholds", name), value, 1, MOST
    yield ("rediagnosis_month",), template.rediagnosis_month, 1, LONGEST_MONTHS
    for at, session in enumerate(template.sessions):
        yield ("sessions", at, "hours"), session.hours, 1, HOURS
    for at, review in enumerate(template.reviews):
        yield ("reviews", at, "month"), review.month, 1, LONGEST_MONTHS
        yield ("reviews", at, "late_month"), review.late_month, 0, LONGEST_MONTHS
        yield ("reviews", at, "check_month"), review.check_month, 0, LONGEST_MONTHS


def _ladder_faults(name: str, ladder: Ladder) -> Iterator[str]:
    if any(rung.anchor not in ANCHORS or abs(rung.offset) > LONGEST_DAYS for rung in ladder.rungs):
        yield f"A rung of a ladder of the template hangs on 'opened' or 'due', at most {LONGEST_DAYS} working days off."
    if name == VOLUNTARY_LADDER and any(rung.escalates for rung in ladder.rungs):
        yield "Taking part is voluntary: no template may escalate that somebody has not answered the questionnaire."
    if ladder.urgent and not name.startswith(SAFETY_LADDERS):
        yield "Only what protects patients may be sent at any hour."
