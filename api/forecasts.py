"""The forecast of an engagement: when it ends at best, at today's pace and at worst, and what moves would change."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from api.dependencies import Door, Member
from api.describing import problems
from api.errors import NoSuchEngagement, NotForYou
from api.seeing import seen
from programme.forecasting.moves import MOST, written
from programme.forecasting.outlook import HOURS, Forecast, as_seen
from programme.reading import View
from programme.refusals import EngagementEnded, Invalid
from programme.working_time import local_date

MOST_HOURS = 80

of_one = APIRouter(tags=["engagements"])


@of_one.get("/forecast", responses=problems(NoSuchEngagement, NotForYou, EngagementEnded, Invalid))
async def read_forecast(  # noqa: PLR0913, PLR0917 - one parameter for each of the query's
    door: Door,
    visitor: Member,
    move: Annotated[tuple[str, ...], Query(max_length=MOST, description="Working days later: `session-b=+10`.")] = (),
    absent: Annotated[
        tuple[str, ...], Query(max_length=MOST, description="`PERSON=2027-03-01..2027-03-19`, by opaque id.")
    ] = (),
    pause: Annotated[
        tuple[str, ...],
        Query(max_length=MOST, description="`2027-12-20..2028-01-04`: the second day is the one that resumes."),
    ] = (),
    add_holiday: Annotated[
        tuple[str, ...], Query(max_length=MOST, description="A further day on which the trust does not work.")
    ] = (),
    hours: Annotated[int, Query(ge=1, le=MOST_HOURS, description="In a fortnight; above it is too much.")] = HOURS,
    seed: Annotated[int, Query(ge=1, le=1_000_000, description="Who does what is open follows from it.")] = 1,
) -> Forecast:
    """When each stage and the cycle end: at best, at the pace kept so far, at worst; with moves, what they change.

    Where the programme would wait for ever, it says for what. What people are asked for is shown to the programme
    manager, and of each person to that person; nobody's pace is shown to anybody.
    """
    found = await seen(door, visitor, View.FORECAST)
    moves = written(move, absent, pause, add_holiday)
    today = local_date(datetime.now(UTC))
    told = await door.foresight.ask(found.engagement, today, moves, seed=seed, hours=hours)
    return as_seen(told, found.engagement, found.reader)
