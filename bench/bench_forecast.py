"""What a forecast costs: a year for 60 people in three courses, the same with moves, and a rehearsed year at once."""

import time
from collections.abc import Callable
from datetime import date
from functools import partial

from activities.calendars import snapshot
from cli.rehearsal.at_once import play
from cli.rehearsal.cast import cast
from programme.forecasting.course import Run
from programme.forecasting.moment import Course, Guide
from programme.forecasting.moves import written
from programme.forecasting.outlook import forecast
from programme.messages import Stage
from programme.planning import expected
from programme.working_time import Division
from runtime.templates import Templates
from tests.core.programme_driver import Programme, begun, registered, roster

SIDE = 30
TIMES = 5


def sixty() -> Programme:
    """A programme with 30 of each side on the day of its launch, with England's bank holidays."""
    doctors, managers = (tuple(f"{side}{number:02d}" for number in range(SIDE)) for side in ("d", "m"))
    return registered(people=roster(doctors, managers), calendar=snapshot(Division.ENGLAND_AND_WALES))


def seconds(work: Callable[[], object], times: int = TIMES) -> float:
    """The best of several runs, in seconds of processor time: others run on this machine, too."""
    best = float("inf")
    for _ in range(times):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best


def bench_a_year_for_sixty_people() -> None:
    """Wanted: under a second."""
    programme = sixty()
    for course in Course:
        spent = seconds(partial(_to_the_end, programme, course))
        print(f"\n{course.value:>6}: {spent:.2f} s", end="")
    print(f"\nforecast, three courses: {seconds(lambda: forecast(programme.engagement, programme.at)):.2f} s")
    moves = written(["session-b=+10"])
    print(f"with a move beside it:   {seconds(lambda: forecast(programme.engagement, programme.at, moves)):.2f} s")


def _to_the_end(programme: Programme, course: Course) -> Run:
    return Run(programme.engagement, programme.at, Guide(course)).to_the_end()


def bench_what_is_kept_at_each_turn_of_a_stage() -> None:
    """Wanted: under 50 ms, because it stands between a request and its answer."""
    programme = begun(Stage.RENEWAL)
    spent = seconds(lambda: expected(programme.engagement, programme.today), times=100)
    print(f"\nexpected dates of a cycle: {1000 * spent:.3f} ms")


def bench_a_rehearsed_year_at_once() -> None:
    """The year that `olive rehearse` plays in a minute, on the core alone."""
    template = Templates().named("twelve-months")
    spent = seconds(lambda: play(cast(1, 16, 16), template, date(2027, 1, 4), Division.ENGLAND_AND_WALES), times=1)
    print(f"\na rehearsed year, 16 + 16 people: {spent:.1f} s")
