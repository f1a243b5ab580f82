"""Tasks: one's own in every engagement, and what waits in one of them."""

from datetime import date

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.commands import kebab
from api.dependencies import Caller, Door, Member, PageOf, Pages, cursor_at, place_of
from api.describing import problems
from api.errors import BadCursor, NoSuchEngagement
from api.seeing import whole
from programme.cover import KINDS as COVERED
from programme.cover import covered_by
from programme.engagement import Engagement
from programme.messages import PersonId, Side, Task
from programme.reading import tasks_for
from store import views

router = APIRouter(tags=["tasks"])
of_one = APIRouter(tags=["tasks"])


class TaskShown(BaseModel):
    """Something that one person owes. ``why`` explains the due date; ``do`` is the path of the command that does it."""

    engagement_id: str
    task_id: str
    person_id: PersonId
    title: str
    about: str
    command: str
    do: str = Field(description="POST here.")
    opened: date
    due: date | None
    why: str
    provisional: bool = Field(description="The due date lies beyond the published bank holidays.")
    side: Side | None
    on_behalf_of: bool = Field(description="Not yours: you cover for `person_id`. Send that id as `On-Behalf-Of`.")


def _path(engagement_id: str, command: str) -> str:
    return f"/api/v1/engagements/{engagement_id}/{kebab(command)}"


@router.get("/tasks", responses=problems(BadCursor))
async def list_my_tasks(door: Door, caller: Caller, pages: Pages) -> PageOf[TaskShown]:
    """What you owe, or may do on somebody's behalf now, in all engagements; the earliest due first."""
    async with door.database.reading() as connection:
        page = await views.inbox(connection, caller.person_id, cursor=pages.cursor, limit=pages.limit)
    return PageOf(items=tuple(_of_row(row, caller.person_id) for row in page.items), next=page.next)


def _of_row(row: views.TaskRow, reader: PersonId) -> TaskShown:
    fields = {name: getattr(row, name) for name in TaskShown.model_fields if name not in ("do", "on_behalf_of")}
    return TaskShown(**fields, do=_path(row.engagement_id, row.command), on_behalf_of=row.person_id != reader)


@of_one.get("/tasks", responses=problems(NoSuchEngagement, BadCursor))
async def list_tasks(door: Door, visitor: Member, pages: Pages) -> PageOf[TaskShown]:
    """Your tasks here, and what you cover; for the programme manager what waits on whom, save what is voluntary."""
    found = await whole(door, visitor)
    tasks = sorted(tasks_for(found.engagement, found.reader), key=lambda task: (_falls(task), task.id))
    begin = place_of(pages.cursor)
    end = begin + pages.limit
    shown = tuple(of_task(found.engagement, task, found.reader) for task in tasks[begin:end])
    return PageOf(items=shown, next=cursor_at(end) if end < len(tasks) else None)


def _falls(task: Task) -> date:
    return task.due.on if task.due else date.max


def of_task(engagement: Engagement, task: Task, reader: PersonId) -> TaskShown:
    """A task as it is shown to somebody."""
    covered = task.command in COVERED and task.person in covered_by(engagement, reader)
    return TaskShown(
        engagement_id=engagement.id,
        task_id=task.id,
        person_id=task.person,
        title=task.title,
        about=task.about,
        command=task.command,
        do=_path(engagement.id, task.command),
        opened=task.opened,
        due=task.due.on if task.due else None,
        why=task.due.why if task.due else "",
        provisional=task.due is not None and task.due.provisional,
        side=task.side,
        on_behalf_of=covered,
    )
