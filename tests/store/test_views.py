import asyncio
import base64
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from programme.messages import Side, Stage
from programme.people import AcceptEnrolment
from store import outbox, views
from store.database import Database, migrate
from store.views import BadCursor, Item, Page
from tests.core.programme_driver import DOCTORS, FACILITATOR, MANAGERS, MEDICAL, MONDAY, PM, Programme, begun
from tests.databases import sqlite
from tests.store.trust import answering, keep, record, registered, travelled

NAMES = [f"engagement-{number}" for number in range(7)]


@pytest.fixture(scope="module")
def year() -> Programme:
    return begun(Stage.RENEWAL)


async def all_pages(page: Callable[[str | None], Awaitable[Page[Item]]]) -> list[Item]:
    """Every row, page after page."""
    found: list[Item] = []
    cursor: str | None = None
    while True:
        got = await page(cursor)
        found += got.items
        cursor = got.next
        if cursor is None:
            return found


async def test_people_see_the_engagements_in_which_they_take_part_and_no_other(database: Database) -> None:
    await asyncio.gather(*(keep(database, registered(name)) for name in NAMES))
    async with database.reading() as connection:
        mine = await all_pages(lambda cursor: views.engagements(connection, PM, cursor=cursor, limit=3))
        strangers = await views.engagements(connection, "stranger")
        role = await views.roles_in(connection, NAMES[0], MEDICAL)
        offered = await views.roles_in(connection, NAMES[0], FACILITATOR)
        nobody = await views.roles_in(connection, NAMES[0], "stranger")
        elsewhere = await views.roles_in(connection, "engagement-99", PM)
    assert [row.engagement_id for row in mine] == NAMES
    assert {row.roles for row in mine} == {("programme_manager",)}
    assert {(row.stage, row.progress, row.ended) for row in mine} == {("mandate", "Waiting for willingness", "")}
    assert strangers == Page(())
    assert (role, offered) == (("medical_sponsor",), ("facilitator",))
    assert (nobody, elsewhere) == (None, None)


async def test_an_inbox_holds_what_one_person_owes_everywhere_the_earliest_first(database: Database) -> None:
    programmes = [registered(name, at=MONDAY + timedelta(days=3 - number % 3)) for number, name in enumerate(NAMES)]
    for programme in programmes:
        await keep(database, programme)
    async with database.reading() as connection:
        mine = await all_pages(lambda cursor: views.inbox(connection, DOCTORS[0], cursor=cursor, limit=2))
        whole = await views.inbox(connection, DOCTORS[0])
    assert tuple(mine) == whole.items
    assert [row.due for row in mine] == sorted(row.due for row in mine if row.due)
    assert {row.engagement_id for row in mine} == set(NAMES)
    owed = {(task.id, task.due and task.due.on) for task in programmes[0].tasks(DOCTORS[0])}
    assert {(row.task_id, row.due) for row in mine if row.engagement_id == NAMES[0]} == owed


async def test_a_task_leaves_the_inbox_when_it_is_done(database: Database) -> None:
    programme = registered()
    await keep(database, programme)
    known = len(programme.entries)
    programme.do(AcceptEnrolment(side=Side.DOCTOR, privacy_notice="1"), DOCTORS[0])
    await record(database, "engagement-1", travelled(programme.entries[known:]))
    async with database.reading() as connection:
        assert await views.inbox(connection, DOCTORS[0]) == Page(())
        assert len((await views.inbox(connection, DOCTORS[1])).items) == 1


async def test_everything_owed_in_an_engagement_is_listed_once(database: Database) -> None:
    programme = answering()
    await keep(database, programme)
    async with database.reading() as connection:
        found = await all_pages(lambda cursor: views.tasks(connection, "engagement-1", cursor=cursor, limit=4))
    assert sorted(row.task_id for row in found) == sorted(task.id for task in programme.engagement.open_tasks)


async def test_a_row_that_comes_or_goes_between_two_pages_hides_no_other(database: Database) -> None:
    for name in (NAMES[1], NAMES[3], NAMES[5]):
        await keep(database, registered(name))
    async with database.reading() as connection:
        first = await views.engagements(connection, PM, limit=2)
    await keep(database, registered(NAMES[0]))
    await keep(database, registered(NAMES[4]))
    async with database.reading() as connection:
        second = await views.engagements(connection, PM, cursor=first.next, limit=2)
    assert [row.engagement_id for row in (*first.items, *second.items)] == [NAMES[1], NAMES[3], NAMES[4], NAMES[5]]


async def test_history_is_read_page_by_page(database: Database) -> None:
    programme = answering()
    await keep(database, programme)
    async with database.reading() as connection:
        lines = await all_pages(lambda cursor: views.history(connection, "engagement-1", cursor=cursor, limit=7))
        accepted = await views.history(connection, "engagement-1", kind="EnrolmentAccepted", actor=MANAGERS[0])
    assert [line.digest for line in lines] == [entry.digest for entry in programme.entries]
    assert len(accepted.items) == 1


async def test_a_year_is_in_its_registers(database: Database, year: Programme) -> None:
    await keep(database, year)
    engagement = year.engagement
    cycle = engagement.running
    async with database.reading() as connection:
        actions = (await views.actions(connection, "engagement-1")).items
        sessions = (await views.sessions(connection, "engagement-1")).items
        reviews = (await views.reviews(connection, "engagement-1")).items
        measures = (await views.measures(connection, "engagement-1")).items
        active = (await views.actions(connection, "engagement-1", state="active")).items
    assert {(row.action_id, row.state, row.title) for row in actions} == {
        (one.id, one.status.value, one.title) for one in cycle.agreement.actions.values()
    }
    assert {row.action_id for row in active} == {
        one.id for one in cycle.agreement.actions.values() if one.status.value == "active"
    }
    assert [row.session_id for row in sessions] == sorted(cycle.sessions.all)
    assert {row.state for row in sessions if row.letter in "ABC"} == {"counts"}
    assert {(row.review_id, row.external) for row in reviews} == {
        (one.id, one.external) for one in cycle.challenge.reviews.values()
    }
    assert "answered" in {row.state for row in reviews if row.external}
    assert {row.measure_id for row in measures} == set(engagement.measures.measures)
    for row in measures:
        points = engagement.measures.measures[row.measure_id].points
        assert [(point.period, point.value) for point in row.points] == [(one.period, one.value) for one in points]


async def test_a_cursor_of_another_list_is_refused(database: Database) -> None:
    await keep(database, answering())
    async with database.reading() as connection:
        cursor = (await views.tasks(connection, "engagement-1", limit=1)).next
        for wrong in ("", "x", "!!!", "bnVsbA", "WzEsMl0", cursor):
            if wrong:
                with pytest.raises(BadCursor):
                    await views.engagements(connection, PM, cursor=wrong)


async def test_a_page_is_never_longer_than_the_most(database: Database) -> None:
    await keep(database, answering())
    async with database.reading() as connection:
        found = await views.history(connection, "engagement-1", limit=10_000_000)
        one = await views.history(connection, "engagement-1", limit=-5)
    assert len(found.items) <= views.MOST
    assert len(one.items) == 1


async def test_the_figures_tell_what_is_open_late_and_waiting(database: Database) -> None:
    mandate, open_ = registered("engagement-1"), answering("engagement-2")
    mandate.advance(MONDAY + timedelta(hours=4))
    await keep(database, mandate)
    await keep(database, open_)
    later = date(2027, 1, 1)
    async with database.reading() as connection:
        early, late = [await views.counts(connection, day) for day in (MONDAY.date(), later)]
    assert early.open_by_stage == {"mandate": 1, "diagnosis": 1}
    assert (early.overdue_tasks, late.overdue_tasks) == (
        0,
        sum(task.due is not None for one in (mandate, open_) for task in one.engagement.open_tasks),
    )
    assert early.journal_entries == len(mandate.entries) + len(open_.entries)
    assert early.outbox_oldest is not None
    async with database.writing() as connection:
        for name in ("engagement-1", "engagement-2"):
            for message in await outbox.due(connection, name, MONDAY + timedelta(days=99)):
                await outbox.mark_sent(connection, name, message.message, MONDAY)
    async with database.reading() as connection:
        done = await views.counts(connection, later)
    assert (done.outbox_waiting, done.outbox_oldest) == (0, None)


async def test_a_person_finds_an_inbox_without_looking_at_everybody_elses_tasks(tmp_path: Path) -> None:
    url = sqlite(tmp_path)
    migrate(url)
    database = Database(url)
    asked: list[tuple[str, Any]] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *said: asked.append((said[2], said[3])))
    async with database.reading() as connection:
        await views.inbox(connection, DOCTORS[0])
        await views.inbox(connection, DOCTORS[0], cursor=base64.urlsafe_b64encode(b'["2026-01-05","e","t"]').decode())
        for statement, values in [one for one in asked if "FROM tasks" in one[0]]:
            plan = (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)).all()
            assert [row.detail for row in plan if row.detail.startswith("SEARCH tasks")]
            assert not [row.detail for row in plan if row.detail.startswith("SCAN tasks")]
    await database.close()
