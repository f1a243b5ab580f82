"""Requests of many engagements: what would come of each, whom to ask next, and what was answered.

The core checks the person's part in every engagement, in the dry run and again when it is asked. An engagement in which
the person takes no part is as if it did not exist.
"""

import asyncio
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.calendars import snapshot
from activities.faults import without_details
from programme.continuity import ChangeCalendar
from programme.engagement import COMMANDS, Engagement
from programme.foreseeing import DryRun, Prospect, foresee, refuse_unless_managing
from programme.messages import CLOCK, Command
from programme.part import Asked
from programme.refusals import Refusal
from store import bulk, holidays, read_model, views
from store.bulk import Answer, Bulk, Outcome, State
from store.database import Database
from workflows.ports import NO_ENGAGEMENT, BulkPage, BulkReply, Bulks, Request, Submission

FORESEEN_AT_ONCE, PAGE = 20, 50
RECORDED_SECONDS, LOOK_AGAIN_SECONDS = 20.0, 0.2
UNKNOWN = "There is no engagement with this id in which you take part."
_STATES = {Prospect.ACCEPTED: Answer.WAITING, Prospect.UNCHANGED: Answer.UNCHANGED, Prospect.REFUSED: Answer.REFUSED}


class BulkActivities(Bulks):
    """Foresees on the read model, and keeps what is answered."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name="bulk.foresee")
    async def foresee(self, bulk_id: str) -> int:
        """Foresee what would come of the next few; returns how many those were (0: all have been foreseen)."""
        with without_details():
            async with self._database.reading() as connection:
                asked = await _asked(connection, bulk_id)
                ids = await bulk.pending(connection, bulk_id, Answer.UNSEEN, FORESEEN_AT_ONCE)
                outcomes = [await _foreseen(connection, asked, engagement_id) for engagement_id in ids]
            async with self._database.writing() as connection:
                for outcome in outcomes:
                    await bulk.note(connection, bulk_id, outcome)
                if not ids:
                    await bulk.move(connection, bulk_id, [State.FORESEEING], State.FORESEEN, datetime.now(UTC))
        return len(ids)

    @activity.defn(name="bulk.next")
    async def next_page(self, bulk_id: str) -> BulkPage:
        """The next that wait; where nobody does, and all that was done is recorded, the request is finished."""
        with without_details():
            async with self._database.reading() as connection:
                asked = await _asked(connection, bulk_id)
                if asked.state is not State.RUNNING:
                    return BulkPage()
                ids = await bulk.pending(connection, bulk_id, Answer.WAITING, PAGE)
                wanted = [await _wanted(connection, asked, engagement_id) for engagement_id in ids]
            if not ids:
                await self._until_recorded(bulk_id)
            async with self._database.writing() as connection:
                for outcome in wanted:
                    if isinstance(outcome, Outcome):
                        await bulk.note(connection, bulk_id, outcome)
                if not ids:
                    await bulk.move(connection, bulk_id, [State.RUNNING], State.FINISHED, datetime.now(UTC))
        requests = tuple(one for one in wanted if isinstance(one, Request))
        return BulkPage(requests=requests) if requests or not ids else await self.next_page(bulk_id)

    async def _until_recorded(self, bulk_id: str) -> None:
        """Wait until whoever reads sees what was done: the engagements record it a moment later."""
        async with asyncio.timeout(RECORDED_SECONDS):  # after which this is tried again
            while True:
                async with self._database.reading() as connection:
                    if not await bulk.unrecorded(connection, bulk_id):
                        return
                await asyncio.sleep(LOOK_AGAIN_SECONDS)

    @activity.defn(name="bulk.note")
    async def note(self, reply: BulkReply) -> None:
        """Write down an answer, once."""
        with without_details():
            async with self._database.writing() as connection:
                await bulk.note(connection, reply.bulk_id, _outcome(reply))


async def _asked(connection: AsyncConnection, bulk_id: str) -> Bulk:
    found = await bulk.asked(connection, bulk_id)
    if found is None:
        message = "No such request is kept."
        raise LookupError(message)
    return found


def _outcome(noted: BulkReply) -> Outcome:
    """An answer as it is kept. An engagement that has ended meanwhile has refused."""
    reply = noted.reply
    if reply is None:
        return Outcome(noted.engagement_id, Answer.WAITING)
    if reply.refused:
        code = "EngagementEnded" if reply.refused == NO_ENGAGEMENT else reply.refused
        return Outcome(noted.engagement_id, Answer.REFUSED, code, reply.why)
    state = Answer.DONE if reply.events else Answer.UNCHANGED
    return Outcome(noted.engagement_id, state, entries=reply.events, last=reply.last if reply.events else 0)


async def _wanted(connection: AsyncConnection, asked: Bulk, engagement_id: str) -> Request | Outcome:
    """What is handed in to an engagement; or, where the person may not ask it any more, what is to be noted."""
    engagement = await read_model.standing(connection, engagement_id)
    if engagement is None:
        return Outcome(engagement_id, Answer.REFUSED, "NoSuchEngagement", UNKNOWN)
    try:
        by, command = await _command(connection, asked, engagement)
    except Refusal as refusal:
        return Outcome(engagement_id, Answer.REFUSED, refusal.code, str(refusal))
    # Two calendars are two commands: a newer one may come between a stop and a start.
    version = command.calendar.version if isinstance(command, ChangeCalendar) else ""
    command_id = str(uuid5(UUID(asked.bulk_id), f"{engagement_id} {version}"))
    submission = Submission(command_id=command_id, by=by, command=cast("Any", command))
    return Request(engagement_id=engagement_id, submission=submission)


async def _foreseen(connection: AsyncConnection, asked: Bulk, engagement_id: str) -> Outcome:
    """What would come of a request in one engagement now."""
    known = await views.roles_in(connection, engagement_id, asked.person_id) is not None
    engagement = await read_model.standing(connection, engagement_id) if known else None
    if engagement is None:
        found = DryRun(prospect=Prospect.REFUSED, code="NoSuchEngagement", why=UNKNOWN)
    else:
        try:
            by, command = await _command(connection, asked, engagement)
        except Refusal as refusal:
            found = DryRun(prospect=Prospect.REFUSED, code=refusal.code, why=str(refusal))
        else:
            found = foresee(engagement, command, Asked(by=by, at=datetime.now(UTC)))
    state = _STATES[found.prospect]
    return Outcome(engagement_id, state, found.code, found.why, foreseen=found.model_dump(mode="json"))


async def _command(connection: AsyncConnection, asked: Bulk, engagement: Engagement) -> tuple[str, Command]:
    """Who asks an engagement for what. The newest calendar is each trust's own, and brought by the system.

    Raises RoleRequired, ForbiddenCombination: the person may not have a calendar brought.
    """
    if asked.command is not None:
        return asked.person_id, COMMANDS.validate_python(asked.command)
    refuse_unless_managing(engagement, asked.person_id)
    whose = engagement.calendar.division, engagement.ods_code
    days = await holidays.standing(connection, *whose, [engagement.id])
    closed = holidays.counting(days, *whose, engagement.id)
    return CLOCK, ChangeCalendar(calendar=snapshot(whose[0], closed))
