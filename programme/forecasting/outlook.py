"""A forecast: when each stage and the cycle end at best, at today's pace and at worst; the load of people; what-if.

Pure: the same engagement, moment, seed and moves give the same answer. Nothing is changed by asking.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from programme.continuity import ChangeCalendar, PauseEngagement
from programme.forecasting.course import ACTS_AT, Given, Run, manager, over
from programme.forecasting.load import Load, loads, overloaded
from programme.forecasting.meeting import called as session_called
from programme.forecasting.moment import STAND_IN, Course, Guide
from programme.forecasting.moves import Halt, Moves, refuse_impossible
from programme.forecasting.pace import measured
from programme.forecasting.presumed import presumed
from programme.forecasting.reviewing import called as review_called
from programme.gates import TITLES
from programme.messages import CLOCK, Frozen, PersonId, Role, Stage
from programme.missing import missing
from programme.planning import plan_of
from programme.refusals import EngagementEnded, Invalid
from programme.working_time import Holiday, at_local, local_date

if TYPE_CHECKING:
    from programme.engagement import Engagement

HOURS = 12  # in a fortnight, above which somebody has too much beside a full-time post; our own default
SAID_AS = "What-if"


class Dates(Frozen):
    """When something begins and ends; None: it does not, as far as can be seen."""

    starts: date | None = None
    ends: date | None = None


class StageOutlook(Frozen):
    """A stage of the cycle: as it was planned when the cycle began, as it was, and as it will be in each course."""

    stage: Stage
    title: str
    cycle: int
    planned: Dates
    actual: Dates
    best: Dates
    pace: Dates
    worst: Dates


class CourseOutlook(Frozen):
    """How a course ends, and when; ``waits_for``: what is missing where it does not end."""

    ends: date | None
    how: str
    waits_for: tuple[str, ...] = ()


class Outlook(Frozen):
    """One forecast. ``load``: at today's pace, of everybody who owes a step; ``too_much``: whom it is too much for.

    too_much_in_all: how many those are, for readers to whom nobody's load is shown.
    """

    cycle: int
    stages: tuple[StageOutlook, ...]
    courses: dict[Course, CourseOutlook]
    load: tuple[Load, ...]
    too_much: tuple[Load, ...]
    too_much_in_all: int
    presumes: tuple[str, ...]


class StageChange(Frozen):
    """By how many working days the moves delay a stage's end, in each course; None where one of the two has no end."""

    stage: Stage | None  # None: the cycle
    title: str
    best: int | None
    pace: int | None
    worst: int | None


class Forecast(Frozen):
    """The forecast as things are; with moves, the same with them beside it, and what they change."""

    on: date
    seed: int
    hours: int
    baseline: Outlook
    moved: Outlook | None = None
    changes: tuple[StageChange, ...] = ()


def forecast(
    engagement: Engagement, at: datetime, moves: Moves | None = None, *, seed: int = 1, hours: int = HOURS
) -> Forecast:
    """The forecast of an engagement at a moment.

    hours: in a fortnight, above which somebody has too much.

    Raises:
        EngagementEnded: there is nothing to look forward to.
        Invalid: the moves cannot come about here.
    """
    if engagement.ended:
        raise EngagementEnded
    moves = moves or Moves()
    refuse_impossible(engagement, moves, at)
    start = presumed(engagement)
    pace = measured(engagement)
    guides = {course: Guide(course=course, pace=pace, seed=seed) for course in Course}
    runs = {course: Run(start, at, guide).to_the_end() for course, guide in guides.items()}
    baseline = _outlook(engagement, runs, at, hours)
    if not moves:
        return Forecast(on=local_date(at), seed=seed, hours=hours, baseline=baseline)
    shifted = {
        course: Run(start, at, _moved(guides[course], run, moves), _given(start, at, moves)).to_the_end()
        for course, run in runs.items()
    }
    for run in shifted.values():
        for refusal in run.not_given:
            raise Invalid(str(refusal))
    moved = _outlook(engagement, shifted, at, hours)
    changes = tuple(_changes(engagement, baseline, moved))
    return Forecast(on=local_date(at), seed=seed, hours=hours, baseline=baseline, moved=moved, changes=changes)


def as_seen(found: Forecast, engagement: Engagement, reader: PersonId) -> Forecast:
    """A forecast as somebody may read it: what people are asked for is told to the programme manager, and to each."""
    if reader in engagement.holders(Role.PROGRAMME_MANAGER):
        return found
    outlooks = {"baseline": _own_load(found.baseline, reader), "moved": found.moved and _own_load(found.moved, reader)}
    return found.model_copy(update=outlooks)


def _own_load(outlook: Outlook, reader: PersonId) -> Outlook:
    own = {name: tuple(one for one in getattr(outlook, name) if one.person == reader) for name in ("load", "too_much")}
    return outlook.model_copy(update=own)


# --- the moves -------------------------------------------------------------------------------------------------------


def _moved(guide: Guide, baseline: Run, moves: Moves) -> Guide:
    """The guide of a course with its moves: so many working days after the day that the course had without them."""
    days = _days(baseline.engagement, baseline.number)
    time = baseline.engagement.time
    not_before = {one.what: time.plus(days[one.what], one.days) for one in moves.moves if one.what in days}
    away: dict[str, list[tuple[date, date]]] = {}
    for absence in moves.absences:
        away.setdefault(absence.person, []).append((absence.first, absence.last))
    return replace(guide, not_before=not_before, away=away)


def _days(engagement: Engagement, number: int) -> Mapping[str, date]:
    """When each session and review of a cycle took place, by what a move calls it; the last date where it moved."""
    days: dict[str, date] = {}
    for cycle in (*engagement.past, engagement.cycle):
        if cycle is None or cycle.number != number:
            continue
        for session in cycle.sessions.all.values():
            if session.on:
                days.setdefault(session_called(session), session.on)
        days |= {review_called(one.id): one.meeting.on for one in cycle.challenge.reviews.values() if one.meeting}
    return days


def _given(engagement: Engagement, at: datetime, moves: Moves) -> list[Given]:
    """What is asked for whatever people do: pauses on their first morning, another calendar at once."""
    who = manager(engagement)
    given = [Given(max(at, at_local(one.first, ACTS_AT)), _pause(one), who) for one in moves.pauses]
    if moves.holidays:
        calendar = engagement.calendar
        known = {one.on for one in calendar.holidays}
        further = tuple(Holiday(on=day, name=SAID_AS) for day in moves.holidays if day not in known)
        days = tuple(sorted((*calendar.holidays, *further), key=lambda one: one.on))
        changed = calendar.model_copy(update={"version": f"{calendar.version}+", "holidays": days})
        given.append(Given(at, ChangeCalendar(calendar=changed), CLOCK))
    return given


def _pause(halt: Halt) -> PauseEngagement:
    """A pause that keeps an open questionnaire open for as long as it lasts."""
    return PauseEngagement.model_validate({"reason": SAID_AS, "resumes": halt.resumes, "window": "extend"})


# --- the answer ------------------------------------------------------------------------------------------------------


def _outlook(engagement: Engagement, runs: Mapping[Course, Run], at: datetime, hours: int) -> Outlook:
    pace = runs[Course.PACE]
    found = loads(pace, local_date(at))
    too_much = overloaded(found, hours)
    return Outlook(
        cycle=pace.number,
        stages=tuple(_stages(engagement, runs)),
        courses=_courses(runs),
        load=found,
        too_much=too_much,
        too_much_in_all=len(too_much),
        presumes=tuple(_presumes(engagement, runs)),
    )


def _stages(engagement: Engagement, runs: Mapping[Course, Run]) -> list[StageOutlook]:
    number = runs[Course.PACE].number
    wanted = [stage for stage in Stage if stage is not Stage.MANDATE or number == 1]
    if engagement.cycle and engagement.cycle.sustaining:
        wanted = [Stage.CHALLENGE, Stage.RENEWAL]
    return [
        StageOutlook(
            stage=stage,
            title=TITLES[stage],
            cycle=0 if stage is Stage.MANDATE else number,
            planned=_planned(engagement, stage, number),
            actual=_dates(engagement, stage, number),
            **_bounds([_dates(runs[course].engagement, stage, number) for course in Course]),
        )
        for stage in wanted
    ]


def _bounds(courses: list[Dates]) -> dict[str, Dates]:
    """The dates at best, at pace and at worst: no course may make a stage earlier than best, or later than worst.

    What is done later may spare a detour, as a pair that is excused in time spares another one.
    """
    pace = courses[1]
    best = Dates(starts=_earliest(one.starts for one in courses), ends=_earliest(one.ends for one in courses))
    worst = Dates(starts=_latest(one.starts for one in courses), ends=_latest(one.ends for one in courses))
    return {Course.BEST.value: best, Course.PACE.value: pace, Course.WORST.value: worst}


def _earliest(days: Iterable[date | None]) -> date | None:
    return min((day for day in days if day), default=None)


def _latest(days: Iterable[date | None]) -> date | None:
    """The latest; None where one of them never comes."""
    known = list(days)
    return None if None in known else max(day for day in known if day)


def _planned(engagement: Engagement, stage: Stage, number: int) -> Dates:
    plan = plan_of(engagement, number)
    found = plan.of(stage) if plan else None
    return Dates(starts=found.starts, ends=found.ends) if found else Dates()


def _dates(engagement: Engagement, stage: Stage, number: int) -> Dates:
    spans = [one for one in engagement.stages if one.stage is stage and one.cycle in (number, 0)]
    if not spans:
        return Dates()
    return Dates(starts=spans[0].started, ends=spans[-1].ended)


def _courses(runs: Mapping[Course, Run]) -> dict[Course, CourseOutlook]:
    """How each course ends. The best is the one that ends first, the worst the one that ends last or not at all."""
    told = {course: _course(run) for course, run in runs.items()}
    in_order = sorted(told.values(), key=lambda one: one.ends or date.max)  # stable: the named course wins a tie
    latest = max(reversed(told.values()), key=lambda one: one.ends or date.max)
    return {Course.BEST: in_order[0], Course.PACE: told[Course.PACE], Course.WORST: latest}


def _course(run: Run) -> CourseOutlook:
    after = run.engagement
    if not over(after, run.number):
        return CourseOutlook(ends=None, how="waits", waits_for=tuple(_waits_for(run)))
    how = after.ended or ("sustain" if after.cycle and after.cycle.sustaining else "renew")
    return CourseOutlook(ends=local_date(run.at), how=how)


def _waits_for(run: Run) -> list[str]:
    """What a course that does not end lacks: at its gates, in tasks that nobody can do, in what was refused."""
    found = [lack for lacks in missing(run.engagement).values() for lack in lacks]
    found += [f"somebody must do what no forecast foresees: {task.title}" for task in run.unknown.values()]
    found += [f"somebody must begin it anew: {run.in_vain}"] if run.in_vain else []
    titles = {task.id: task.title for task in run.engagement.open_tasks}
    found += [
        f"{titles[task]}: {refusal}" if refusal else titles[task]
        for task, refusal in run.stuck.items()
        if task in titles
    ]
    return list(dict.fromkeys(found)) or ["nothing is planned, and nobody owes anything"]


def _presumes(engagement: Engagement, runs: Mapping[Course, Run]) -> list[str]:
    """What a forecast takes for granted here, in sentences."""
    said = []
    after = runs[Course.PACE].engagement
    new = [person for person in after.people.values() if person.id.startswith(STAND_IN)]
    for role in sorted({one.role for person in new for one in person.appointments}):
        number = sum(1 for person in new if any(one.role is role for one in person.appointments))
        what = role.value.replace("_", " ")
        said.append(f"{number} {what}{'s' if number > 1 else ''} still to be found will be found in time")
    measured_of = runs[Course.PACE].guide.pace.measured
    if measured_of:
        said.append(f"people go on as they did in the {measured_of} steps that were measured")
    else:
        share = runs[Course.PACE].guide.pace.share
        said.append(f"nothing was measured yet: people take {share}% of the time that they are given")
    if engagement.cycle is None or not engagement.cycle.agreement.in_force():
        said.append("three actions are agreed, and all but the best course has one of them approved by a doctor")
    said.append("both sponsors are willing and renew; what they have said unseen is not looked at")
    return said


def _changes(engagement: Engagement, baseline: Outlook, moved: Outlook) -> list[StageChange]:
    found = []
    for before, after in zip(baseline.stages, moved.stages, strict=True):
        days = {course.value: _later(engagement, getattr(before, course), getattr(after, course)) for course in Course}
        found.append(StageChange(stage=before.stage, title=before.title, **days))
    ends = {
        course.value: _working_days(engagement, baseline.courses[course].ends, moved.courses[course].ends)
        for course in Course
    }
    return [*found, StageChange(stage=None, title="The cycle", **ends)]


def _later(engagement: Engagement, before: Dates, after: Dates) -> int | None:
    return _working_days(engagement, before.ends, after.ends)


def _working_days(engagement: Engagement, before: date | None, after: date | None) -> int | None:
    if before is None or after is None:
        return None
    between = engagement.time.between
    return between(before, after) if after >= before else -between(after, before)
