"""What a template means: a programme that can run, keep its promises to people, and end.

Every rule is a function ``(template, known) -> (place, sentence)``; the sentence says what to do. What breaks an
invariant of the programme says which people it protects, so that nobody mends it by looking for a way round.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from programme.ladders import Audience
from programme.soundness import ANCHORS, LONGEST_DAYS, REVIEWS, SAFETY_LADDERS, Place, numbers
from programme.template import THRESHOLD_CEILING, THRESHOLD_FLOOR

if TYPE_CHECKING:
    from programme.ladders import Ladder
    from programme.template import ProgrammeTemplate

Nonsense = tuple[Place, str]

NEVER_ESCALATED = {
    "questionnaire": "Taking part is voluntary: nobody is told who has not answered.",
    "enrolment": "Taking part is voluntary: nobody is told who has not accepted.",
    "insight": "An insight is a gift: nobody is told who keeps it.",
}
SPEAKS_ABOUT: Mapping[Audience, frozenset[str]] = {
    Audience.MEDICAL_SPONSOR: frozenset({"medical-approval"}),
    Audience.DEPUTY_APPROVER: frozenset({"medical-approval", "safety-acknowledgement", "safety-objection"}),
    Audience.CHAIR: frozenset({"position-statement", "findings", "answer-findings", "appoint-challengers"}),
    Audience.CO_OWNERS: frozenset(
        {
            "agree-action",
            "baseline",
            "check-in",
            "duty",
            "explain-signal",
            "measure-point",
            "medical-approval",
            "safety-acknowledgement",
            "safety-objection",
            "verification",
        }
    ),
}
"""Where an audience exists, or may be told alone: a medical approval names no side, for it waits on an office."""

REQUIRED_SESSIONS = {
    "A": "it chooses the priority conditions",
    "B": "it compares the options",
    "C": "it drafts the compact, without which gate G4 never opens",
}
EXTRA_LETTERS = frozenset("DERS")  # of sessions that the programme calls by itself
CONDITIONS, WORKING_DAYS_OF_A_WEEK, HALF = 11, 5, 50
WORKING_DAYS_OF_A_MONTH = 20  # at least: 250 in a year with its holidays, rounded down


@dataclass(frozen=True)
class Known:
    """What a template may refer to: the kinds of tasks that the programme has, and questionnaires by version."""

    ladders: frozenset[str]
    questionnaires: Mapping[str, int]


def nonsense(template: ProgrammeTemplate, known: Known) -> Iterator[Nonsense]:
    """Everything about a template that makes no sense, with its place."""
    yield from _names(template, known)
    yield from _ranges(template)
    yield from _thresholds(template)
    yield from _durations(template)
    yield from _ladders(template, known)
    yield from _sessions(template)
    yield from _reviews(template)
    yield from _ends(template)


def _names(template: ProgrammeTemplate, known: Known) -> Iterator[Nonsense]:
    for name in ("name", "version", "title"):
        if not getattr(template, name).strip():
            yield (name,), f"'{name}' says nothing. People read it when they choose a template."
    version = known.questionnaires.get(template.questionnaire)
    if version is None:
        names = ", ".join(sorted(known.questionnaires))
        yield ("questionnaire",), f"There is no such questionnaire. Name one of: {names}."
    elif version != template.questionnaire_version:
        what = f"The questionnaire '{template.questionnaire}' has version {version}. Write that number."
        yield ("questionnaire_version",), what


def _ranges(template: ProgrammeTemplate) -> Iterator[Nonsense]:
    for place, value, least, most in numbers(template):
        name = next(part for part in reversed(place) if isinstance(part, str))
        if name != "k" and not least <= value <= most:
            yield place, f"'{name}' lies between {least} and {most}. Write such a number."
    if not THRESHOLD_FLOOR <= template.thresholds.k <= THRESHOLD_CEILING:
        what = (
            f"'k' lies between {THRESHOLD_FLOOR} and {THRESHOLD_CEILING}: figures of fewer people show who said what."
        )
        yield ("thresholds", "k"), what


def _thresholds(template: ProgrammeTemplate) -> Iterator[Nonsense]:
    limits = template.thresholds
    for name, (least, most) in (("priority_conditions", limits.priority_conditions), ("actions", limits.actions)):
        if least > most:
            yield ("thresholds", name), f"'{name}' counts from the fewest to the most. Write the smaller number first."
    if limits.priority_conditions[1] > CONDITIONS:
        what = f"There are {CONDITIONS} conditions. Ask for at most so many priorities."
        yield ("thresholds", "priority_conditions"), what
    if limits.quorum_percent > HALF:
        what = "Neither side can be more than half of those who vote, if the other is to be, too. Ask for at most 50."
        yield ("thresholds", "quorum_percent"), what
    if limits.quorum_each_side > limits.k:
        what = f"Only {limits.k} of a side need take part. Ask for a quorum of at most so many."
        yield ("thresholds", "quorum_each_side"), what
    if limits.recognised_pairs > limits.k * limits.pairs_each:
        yield ("thresholds", "recognised_pairs"), "There need not be so many pairs. Ask for fewer."
    if limits.panel_challengers < len(REVIEWS):
        what = "A panel has a doctor and a manager beside its chair. Ask for at least 2 challengers."
        yield ("thresholds", "panel_challengers"), what
    if limits.messages_a_week > WORKING_DAYS_OF_A_WEEK:
        what = f"Nobody gets more than one message a working day. Write at most {WORKING_DAYS_OF_A_WEEK}."
        yield ("thresholds", "messages_a_week"), what


_ORDERED = (
    ("session_gap", "session_gap_most", "no day would be late enough and early enough for the next session"),
    ("session_quorum_check", "session_invitation", "the quorum would be looked at before anybody is invited"),
    ("approval", "approval_to_sponsor", "the sponsor would hear of an approval that is not late"),
    ("objection_acknowledge", "objection_decide", "an objection would be decided before it is acknowledged"),
    ("evidence_frozen", "position_statement", "the evidence would be fixed before the statements are due"),
    ("position_statement", "panel_internal", "statements would be due before there is a panel"),
    ("position_statement", "panel_external", "statements would be due before there is a panel"),
    ("panel_to_sponsors", "panel_external", "the sponsors would hear of a panel that is not late"),
    ("pair_visits", "recognition", "a text would be marked before the visits that it speaks of"),
    ("reflection", "recognition", "a text would be marked before it is due"),
)
"""Durations of which the first is not the longer one, and what would happen otherwise."""


def _durations(template: ProgrammeTemplate) -> Iterator[Nonsense]:
    durations = template.durations
    for shorter, longer, otherwise in _ORDERED:
        if getattr(durations, shorter) > getattr(durations, longer):
            yield ("durations", shorter), f"'{shorter}' is longer than '{longer}': {otherwise}. Let it be shorter."


# --- ladders -------------------------------------------------------------------------------------------------------


def _ladders(template: ProgrammeTemplate, known: Known) -> Iterator[Nonsense]:
    for name, ladder in template.ladders.items():
        if name in known.ladders:
            yield from _ladder(name, ladder)
        else:
            near = difflib.get_close_matches(name, known.ladders, 1)
            instead = f"Did you mean '{near[0]}'?" if near else "Leave it out."
            yield ("ladders", name), f"No task has the ladder '{name}'. {instead}"
    missing = sorted(known.ladders - set(template.ladders))
    if missing and template.ladders:  # a file without any is told so as a whole
        what = f"Nobody would be reminded of what has no ladder. Copy from a shipped template: {', '.join(missing)}."
        yield ("ladders",), what


def _ladder(name: str, ladder: Ladder) -> Iterator[Nonsense]:
    seen = Counter[str]()
    for at, rung in enumerate(ladder.rungs):
        place = ("ladders", name, "rungs", at)
        seen[rung.name] += 1
        if rung.anchor not in ANCHORS or abs(rung.offset) > LONGEST_DAYS:
            yield place, f"A rung is at most {LONGEST_DAYS} working days from the opening or the due date."
        if rung.anchor == "opened" and rung.offset < 0:
            yield place, "Nobody can be told of a task before it is opened. Write 'opened+0' or later."
        if seen[rung.name] == 2:  # noqa: PLR2004 - said once, however often it stands there
            yield place, f"'{rung.name}' stands here twice, and is said once. Keep one."
        if rung.escalates and name in NEVER_ESCALATED:
            yield place, f"{NEVER_ESCALATED[name]} Leave '{rung.to}' out."
        elif rung.to in SPEAKS_ABOUT and name not in SPEAKS_ABOUT[rung.to]:
            yield place, _speaks_to_nobody(rung.to)
    if ladder.urgent and not name.startswith(SAFETY_LADDERS):
        yield ("ladders", name, "urgent"), "Only what protects patients is sent at any hour. Leave 'urgent' out."
    if not ladder.urgent and name.startswith(SAFETY_LADDERS):
        yield ("ladders", name), "What protects patients is sent at any hour. Write 'urgent: true'."
    if ladder.notice and name != "session-invitation":
        what = "Only invitations to sessions are outside the limits on messages. Leave 'notice' out."
        yield ("ladders", name, "notice"), what


def _speaks_to_nobody(to: Audience) -> str:
    if to is Audience.MEDICAL_SPONSOR:
        return "This would name one side to its own sponsor alone. Write 'both_sponsors'."
    return f"Such a task concerns no {to.value.replace('_', ' ')}, so it would speak to nobody. Write another."


# --- sessions and reviews ------------------------------------------------------------------------------------------


def _sessions(template: ProgrammeTemplate) -> Iterator[Nonsense]:
    letters = [plan.letter for plan in template.sessions]
    for at, plan in enumerate(template.sessions):
        if what := _faulty_letter(plan.letter, letters[:at]):
            yield ("sessions", at, "letter"), what
        if not plan.title.strip():
            yield ("sessions", at, "title"), "The title says nothing. People read it in their invitation."
        if not plan.agenda:
            yield ("sessions", at), "Nobody would know what is talked about. Add an agenda."
    for letter, why in REQUIRED_SESSIONS.items():
        if letters and letter not in letters:
            yield ("sessions",), f"There is no session {letter}: {why}. Add it."
    present = [letter for letter in letters if letter in REQUIRED_SESSIONS]
    if present != sorted(present):
        yield ("sessions",), "Sessions A, B and C build on each other. Let them stand in that order."


def _faulty_letter(letter: str, earlier: Sequence[str]) -> str | None:
    if len(letter) != 1 or not "A" <= letter <= "Z":
        return "A session has one capital letter, such as A. Write one."
    if letter in earlier:
        return f"Another session has the letter {letter}. Give this one its own."
    if letter in EXTRA_LETTERS:
        return f"The letter {letter} belongs to sessions that the programme calls by itself. Take another."
    return None


def _reviews(template: ProgrammeTemplate) -> Iterator[Nonsense]:
    last = template.rediagnosis_month
    for at, plan in enumerate(template.reviews):
        place = ("reviews", at)
        if plan.kind not in REVIEWS:
            yield (*place, "kind"), "A review is 'internal' or 'external'. Write one of them."
        if plan.month >= last:
            yield (*place, "month"), f"Month {last} opens the re-diagnosis. Let the review meet in an earlier month."
        elif (earliest := _earliest_month(template, plan.kind)) > plan.month:
            what = f"Its panel would be appointed before the cycle begins. Let it meet in month {earliest} or later."
            yield (*place, "month"), what
        if plan.late_month and not plan.month < plan.late_month < last:
            what = f"A review that is late moves to a month after {plan.month} and before {last}. Write such a month."
            yield (*place, "late_month"), what
        if plan.check_month > last:
            what = f"The next cycle may be as short: month {last} is its last. Write an earlier month."
            yield (*place, "check_month"), what
        if any(other.month == plan.month for other in template.reviews[:at]):
            yield (*place, "month"), f"Another review meets in month {plan.month}. Give this one its own."
    if not any(plan.kind == "external" for plan in template.reviews):
        what = (
            "No review comes from outside: without one in every cycle nothing is renewed, and the cycle never ends."
            " Add one of kind 'external'."
        )
        yield ("reviews",), what


def _earliest_month(template: ProgrammeTemplate, kind: str) -> int:
    """The first month that leaves time to appoint a panel from the beginning of the cycle on."""
    durations = template.durations
    lead = durations.panel_external if kind == "external" else durations.panel_internal
    return 1 + -(-lead // WORKING_DAYS_OF_A_MONTH)


def _ends(template: ProgrammeTemplate) -> Iterator[Nonsense]:
    """Whether there is time for everything before the re-diagnosis, if nothing goes wrong."""
    durations, sessions = template.durations, len(template.sessions)
    needed = (
        durations.questionnaire
        + durations.themes
        + durations.pair_confirmation
        + durations.recognition
        + durations.session_invitation
        + durations.session_gap * max(0, sessions - 1)
        + durations.notes
        + durations.notes_confirmation
        + durations.agreement
        + durations.compact
    )
    there_are = (template.rediagnosis_month - 1) * WORKING_DAYS_OF_A_MONTH
    if needed > there_are:
        what = (
            f"Up to the agreement people have {needed} working days, and month {template.rediagnosis_month} comes"
            f" after about {there_are}: there would be nothing to look back on. Shorten durations, or end later."
        )
        yield ("rediagnosis_month",), what
