"""What differs between two templates, in sentences: first what participants notice, then the rest.

Always of the second as against the first: "10 instead of 15 working days" is what the second brings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from programme.ladders import Audience, Rung
from programme.messages import Frozen
from programme.template import ProgrammeTemplate, SessionPlan
from programme.working_time import in_words

TIME_FOR: Mapping[str, str] = {
    "enrolment": "to say whether one takes part",
    "questionnaire": "for the questionnaire",
    "questionnaire_extension": "when the questionnaire is extended",
    "pair_visits": "for the visits of a pair",
    "reflection": "to write what it is like to be the other",
    "recognition": "to mark the partner's text",
    "correction": "to write again what the partner has corrected",
    "session_invitation": "between the invitation and a joint session",
    "session_gap": "between two joint sessions, at least",
    "session_gap_most": "between two joint sessions, at most",
    "session_again": "until a session that was not quorate is held again",
    "notes_confirmation": "to confirm the notes of a session",
    "agreement": "to agree to an action or decline it",
    "need_owner": "to take on a development need",
    "check_in_opens": "to write a monthly check-in",
    "signal_explanation": "to explain a signal on a chart",
    "verification": "to verify an action that is reported complete",
    "findings_answer": "to answer the findings of a review",
}
"""Durations that people who take part notice, and for what they have that time. The others are the programme's own."""

_NOTICED = {
    "questionnaire": "the questionnaire",
    "enrolment": "the invitation to take part",
    "pair-visit": "the visits of a pair",
    "reflection": "what one writes about the other side",
    "recognition": "the partner's text",
    "session-invitation": "a joint session",
    "confirm-notes": "the notes of a session",
    "agree-action": "an action to agree to",
    "check-in": "the monthly check-in",
    "explain-signal": "a signal on a chart",
    "touchpoint": "a touchpoint",
    "verification": "an action to verify",
    "position-statement": "a position statement",
    "answer-findings": "the findings of a review",
    "insight": "an insight for session A",
}
"""Ladders of tasks that participants have, and what they remind of."""

_THRESHOLDS = {
    "k": "figures are shown of groups of at least {} people",
    "completed_percent": "the questionnaire counts if {}% of each side have answered",
    "recognised_percent": "the exchange ends when {}% of the pairs recognise each other",
    "recognition_rounds": "a text is marked at most {} times",
    "pairs_each": "nobody is in more than {} pairs",
    "quorum_each_side": "a session needs at least {} of each side",
    "quorum_percent": "a session needs each side to be at least {}% of those who vote",
    "messages_a_week": "nobody gets more than {} messages a week, session notices excepted",
    "priority_conditions": "a session chooses {} priority conditions",
    "actions": "a cycle carries {} actions",
}


class TemplateComparison(Frozen):
    """What the template ``b`` brings that ``a`` does not: sentences that begin with what participants notice."""

    a: str
    b: str
    for_participants: tuple[str, ...]
    the_rest: tuple[str, ...]


def compare(a: ProgrammeTemplate, b: ProgrammeTemplate) -> TemplateComparison:
    """What differs."""
    noticed = (*_times(a, b), *_sessions(a, b), *_limits(a, b), *_months(a, b), *_reminders(a, b, noticed=True))
    others = (*_names(a, b), *_other_times(a, b), *_other_limits(a, b), *_reminders(a, b, noticed=False))
    return TemplateComparison(a=label(a), b=label(b), for_participants=tuple(noticed), the_rest=tuple(others))


def label(template: ProgrammeTemplate) -> str:
    """A template and its version, as lists show it."""
    return f"{template.name} {template.version}"


# --- durations and thresholds --------------------------------------------------------------------------------------


def _times(a: ProgrammeTemplate, b: ProgrammeTemplate) -> Iterator[str]:
    for name, what in TIME_FOR.items():
        was, now = getattr(a.durations, name), getattr(b.durations, name)
        if was != now:
            yield f"{'More' if now > was else 'Less'} time {what}: {now} instead of {_days(was)}."


def _other_times(a: ProgrammeTemplate, b: ProgrammeTemplate) -> Iterator[str]:
    for name, now in b.durations:
        was = getattr(a.durations, name)
        if was != now and name not in TIME_FOR:
            plain, unit = name, "working day"
            for ending, other in (("_months", "month"), ("_hours", "hour"), ("_points", "point")):
                if name.endswith(ending):
                    plain, unit = name.removesuffix(ending), other
            yield f"{_title(plain)}: {now} instead of {was} {unit}{'' if was == 1 else 's'}."


def _limits(a: ProgrammeTemplate, b: ProgrammeTemplate) -> Iterator[str]:
    for name, sentence in _THRESHOLDS.items():
        was, now = getattr(a.thresholds, name), getattr(b.thresholds, name)
        if was != now:
            said = sentence.format(f"{_number(now)} instead of {_number(was)}")
            yield f"{said[0].upper()}{said[1:]}."


def _other_limits(a: ProgrammeTemplate, b: ProgrammeTemplate) -> Iterator[str]:
    for name, now in b.thresholds:
        was = getattr(a.thresholds, name)
        if was != now and name not in _THRESHOLDS:
            yield f"{_title(name)}: {_number(now)} instead of {_number(was)}."


def _names(a: ProgrammeTemplate, b: ProgrammeTemplate) -> Iterator[str]:
    if a.title != b.title:
        yield f"It is called '{b.title}' instead of '{a.title}'."


# --- sessions, months and reviews ----------------------------------------------------------------------------------


def _sessions(a: ProgrammeTemplate, b: ProgrammeTemplate) -> Iterator[str]:
    was, now = ({plan.letter: plan for plan in one.sessions} for one in (a, b))
    for letter, plan in now.items():
        if letter not in was:
            yield f"There is a joint session {letter}, '{plan.title}', of {_hours(plan.hours)}."
        else:
            yield from _session(was[letter], plan)
    yield from (f"There is no joint session {letter}, '{was[letter].title}'." for letter in was if letter not in now)


def _session(was: SessionPlan, now: SessionPlan) -> Iterator[str]:
    if was.hours != now.hours:
        yield f"Session {now.letter} lasts {now.hours} instead of {_hours(was.hours)}."
    if was.title != now.title:
        yield f"Session {now.letter} is called '{now.title}' instead of '{was.title}'."
    added = [f"'{item}'" for item in now.agenda if item not in was.agenda]
    gone = [f"'{item}'" for item in was.agenda if item not in now.agenda]
    if added:
        yield f"Session {now.letter} talks about {in_words(added)}."
    if gone:
        yield f"Session {now.letter} no longer talks about {in_words(gone)}."


def _months(a: ProgrammeTemplate, b: ProgrammeTemplate) -> Iterator[str]:
    if a.rediagnosis_month != b.rediagnosis_month:
        yield f"The questionnaire comes again in month {b.rediagnosis_month} instead of {a.rediagnosis_month}."
    if (a.questionnaire, a.questionnaire_version) != (b.questionnaire, b.questionnaire_version):
        yield "The questionnaire asks otherwise: its figures cannot be compared with those of the cycle before."
    was, now = (_reviews(one) for one in (a, b))
    for review in dict.fromkeys([*now, *was]):
        if review not in was:
            yield f"There is a further {review}, in month {now[review]}."
        elif review not in now:
            yield f"There is no {review}."
        elif was[review] != now[review]:
            yield f"The {review} meets in month {now[review]} instead of {was[review]}."


def _reviews(template: ProgrammeTemplate) -> dict[str, int]:
    """The month of each challenge review, by what it is called."""
    counted, kinds = Counter[str](), Counter(plan.kind for plan in template.reviews)
    found = {}
    for plan in template.reviews:
        counted[plan.kind] += 1
        which = f"{_ORDINALS[counted[plan.kind] - 1]} " if kinds[plan.kind] > 1 and counted[plan.kind] > 1 else ""
        found[f"{which}{plan.kind} review"] = plan.month
    return found


_ORDINALS = ("first", "second", "third", "fourth", *(f"{number}th" for number in range(5, 50)))


# --- reminders -----------------------------------------------------------------------------------------------------


def _reminders(a: ProgrammeTemplate, b: ProgrammeTemplate, *, noticed: bool) -> Iterator[str]:
    for name in dict.fromkeys([*_NOTICED, *b.ladders, *a.ladders] if noticed else [*b.ladders, *a.ladders]):
        if (name in _NOTICED) is noticed:
            what = _NOTICED.get(name, f"'{name.replace('-', ' ')}'")
            was, now = a.ladder(name), b.ladder(name)
            yield from _changed(f"Reminders of {what}", _plain(was.rungs), _plain(now.rungs))
            yield from _changed(f"Who else hears of {what}", _escalations(was.rungs), _escalations(now.rungs))
            if (was.urgent, was.notice) != (now.urgent, now.notice):
                yield f"Messages about {what} keep to other limits."


def _changed(what: str, was: str, now: str) -> Iterator[str]:
    if was != now:
        yield f"{what}: {now}, instead of {was}."


def _plain(rungs: Iterable[Rung]) -> str:
    return _moments([rung for rung in rungs if not rung.escalates]) or "none"


def _escalations(rungs: Iterable[Rung]) -> str:
    by_whom: dict[Audience, list[Rung]] = {}
    for rung in rungs:
        if rung.escalates:
            by_whom.setdefault(rung.to, []).append(rung)
    said = [f"{_WHOM[to]} {_moments(theirs)}" for to, theirs in by_whom.items()]
    return in_words(said) if said else "nobody"


_WHOM = {
    Audience.PROGRAMME_MANAGER: "the programme manager",
    Audience.FACILITATOR: "the facilitator",
    Audience.BOTH_SPONSORS: "both sponsors together",
    Audience.DEPUTY_APPROVER: "the deputy approver",
    Audience.MEDICAL_SPONSOR: "the medical sponsor",
    Audience.CO_OWNERS: "the co-owners",
    Audience.CHAIR: "the chair of the panel",
}


def _moments(rungs: Iterable[Rung]) -> str:
    """When rungs fire: when it opens, 5 and 10 working days after it opens and on the due date."""
    days: dict[str, list[int]] = {}
    for rung in rungs:
        days.setdefault(_since(rung), []).append(abs(rung.offset))
    return in_words(
        [since if numbers == [0] else f"{_days(*numbers)} {since}" for since, numbers in days.items()] or [""]
    )


def _since(rung: Rung) -> str:
    if rung.anchor == "opened":
        return "after it opens" if rung.offset else "when it opens"
    return f"{'after' if rung.offset > 0 else 'before'} the due date" if rung.offset else "on the due date"


# --- words ---------------------------------------------------------------------------------------------------------


def _days(*numbers: int) -> str:
    return f"{in_words([str(number) for number in numbers])} working day{'' if numbers == (1,) else 's'}"


def _hours(number: int) -> str:
    return f"{number} hour{'' if number == 1 else 's'}"


def _number(value: int | tuple[int, int]) -> str:
    return f"{value[0]} to {value[1]}" if isinstance(value, tuple) else str(value)


def _title(name: str) -> str:
    words = name.replace("_", " ")
    return words[0].upper() + words[1:]
