"""Invariant 30 where people read: no list is ordered or filtered by how anybody performs; nobody is ranked.

Every GET of the API is asked, over two programmes that differ in nothing but how well things go; every statement that
reaches the database meanwhile says by what it orders.
"""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import event

from programme.measures import CorrectPoint
from programme.stages.checkins import CheckIn
from programme.stages.delivery import Progress
from tests.api.recorded import Read, recorded
from tests.core.agreed import agree, delivering, propose
from tests.core.programme_driver import PM, STEWARD, Programme

pytestmark = pytest.mark.asyncio(loop_scope="module")
BY_TIME_OR_ID = frozenset(
    {"sequence", "engagement_id", "task_id", "falls", "deposit_id", "deposited_at", "bulk_id", "comment_id"}
)
"""Columns by which a list may be ordered: when something was or is, and its id."""
PERFORMANCE = re.compile(r"progress|score|rank|late|overdue|performance|best|worst|value|sort|order|status|state")
PLACE: dict[str, str] = {"item_id": "A1", "cycle": "1", "survey": "diagnosis", "earlier": "1"}


def two_actions(well: str, badly: str) -> Programme:
    """Two actions of other people, one of which goes well and one badly."""
    programme = delivering()
    propose(programme, doctor_owner="d2", manager_owner="m2")
    agree(programme, "A2")
    while len(programme.tasks(command="CheckIn")) < 4:
        programme.wait(1)
    owners = {"A1": ("d1", "m1"), "A2": ("d2", "m2")}
    for action, progress in ((well, Progress.ON_TRACK), (badly, Progress.STUCK)):
        for owner in owners[action]:
            programme.do(CheckIn(about=action, progress=progress, line="As it is"), owner)
    month = programme.engagement.measures.measures["M1"].points[-1].period
    figure = Decimal(90) if well == "A1" else Decimal(10)
    programme.do(CorrectPoint(measure="M1", period=month, value=figure, reason="Counted anew"), STEWARD)
    return programme


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Read, Read]]:
    async with (
        recorded(two_actions("A1", "A2"), tmp_path_factory.mktemp("one")) as one,
        recorded(two_actions("A2", "A1"), tmp_path_factory.mktemp("other")) as other,
    ):
        yield one, other


async def lists(read: Read) -> list[tuple[str, dict[str, Any]]]:
    """Every GET of the API under an engagement and beside it, with its description."""
    paths = (await read.http.get("/openapi.json")).json()["paths"]
    return [(path, methods["get"]) for path, methods in sorted(paths.items()) if "get" in methods]


def place(path: str, read: Read) -> str:
    """The path with something in each of its places."""
    filled = path.replace("{engagement_id}", read.programme.engagement.id)
    return re.sub(r"\{(\w+)\}", lambda match: PLACE.get(match[1].removesuffix("_survey"), "x"), filled)


@contextmanager
def ordered_by(read: Read) -> Iterator[set[str]]:
    """The columns by which statements order, while it lasts."""
    found: set[str] = set()

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        for clause in re.findall(r"ORDER BY (.*?)(?:\s+LIMIT|\)|$)", " ".join(statement.split()), re.IGNORECASE):
            found.update(part.split(".")[-1].split()[0].strip('"') for part in clause.split(","))

    engine = read.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def test_no_parameter_of_any_list_sorts_or_filters_by_performance(both: tuple[Read, Read]) -> None:
    asked = {(path, one["name"]) for path, get in await lists(both[0]) for one in get.get("parameters", ())}
    assert {(path, name) for path, name in asked if PERFORMANCE.search(name)} == set()
    assert len({path for path, _ in asked}) > 15


async def test_every_statement_orders_by_time_or_by_id(both: tuple[Read, Read]) -> None:
    read = both[0]
    with ordered_by(read) as columns:
        for person in (PM, "d1"):
            headers = {"Authorization": f"Bearer {await read.token(person)}"}
            for path, _ in await lists(read):
                if path.endswith("/commands/{key}"):
                    continue  # asks a running workflow, and no list
                answer = await read.http.get(place(path, read), headers=headers)
                assert answer.status_code in {200, 403, 404, 422, 503}, (path, answer.text)
    assert columns
    assert columns <= BY_TIME_OR_ID


async def test_how_well_things_go_changes_no_order_of_any_list(both: tuple[Read, Read]) -> None:
    compared = 0
    for path, get in await lists(both[0]):
        if "{engagement_id}" not in path or not any(one["name"] == "cursor" for one in get.get("parameters", ())):
            continue
        what = path.partition("{engagement_id}/")[2]
        if "{" in what or what in {"history", "agenda"}:
            continue  # what happened and what comes next stand in the order of time, which is tested with them
        one, other = [[_id(item) for item in await read.items(PM, what)] for read in both]
        assert one == other, what
        compared += len(one) > 1
    assert compared >= 4


def _id(item: dict[str, Any]) -> str:
    names = ("id", "task_id", "person_id", "deposit_id", "month", "on", "stage")
    return next((str(item[name]) for name in names if name in item), "")


async def test_people_stand_in_the_order_of_the_roster(both: tuple[Read, Read]) -> None:
    for read in both:
        await read.token(PM)
        shown = [one["person_id"] for one in (await read.get(PM, "people")).json()]
        known = [person for person in read.programme.engagement.people if person in shown]
        assert shown == known
