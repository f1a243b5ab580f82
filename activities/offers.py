"""The newest version of an engagement's template, offered to both sponsors while they decide about a next cycle."""

import hashlib
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.faults import without_details
from programme.engagement import Engagement
from programme.messages import CLOCK, Stage
from programme.stages.renewal import OfferTemplate
from programme.template import ProgrammeTemplate
from store import read_model
from store.database import Database
from store.tables import engagements
from workflows.ports import NO_ENGAGEMENT, Behind, Engagements, Offers, Renewing, Reply, Request, Submission

PAGE = 100
Newest = Callable[[str], ProgrammeTemplate | None]


class OfferActivities(Offers):
    """Holds engagements in renewal against the newest templates. ``newest``: of a name; None: it has gone."""

    def __init__(self, database: Database, engagements: Engagements, newest: Newest) -> None:
        self._database = database
        self._engagements = engagements
        self._newest = newest

    @activity.defn(name="offers.look")
    async def look(self, after: str) -> Renewing:
        """The next engagements in renewal after an id whose template has a newer version that they do not know."""
        with without_details():
            async with self._database.reading() as connection:
                ids = await _in_renewal(connection, after)
                found = [await read_model.standing(connection, engagement_id) for engagement_id in ids]
        behind = tuple(
            Behind(engagement_id=one.id, sequence=one.sequence) for one in found if one and self._news_for(one)
        )
        return Renewing(behind=behind, last=ids[-1] if len(ids) == PAGE else "")

    @activity.defn(name="offers.offer")
    async def offer(self, behind: Behind) -> Reply:
        """Offer an engagement the newest version of its template. The command's id names the version's content."""
        with without_details():
            async with self._database.reading() as connection:
                engagement = await read_model.standing(connection, behind.engagement_id)
        template = self._news_for(engagement) if engagement else None
        if template is None:
            return Reply(engagement_id=behind.engagement_id, refused=NO_ENGAGEMENT, why="Nothing is to be offered.")
        said = hashlib.sha256(template.model_dump_json().encode()).hexdigest()[:16]
        command = OfferTemplate(template=template)
        submission = Submission(command_id=f"offer-{said}-{behind.sequence}", by=CLOCK, command=command)
        return await self._engagements.submit(Request(engagement_id=behind.engagement_id, submission=submission))

    def _news_for(self, engagement: Engagement) -> ProgrammeTemplate | None:
        """What can be offered: nothing where the programme manager has offered something, or a sponsor has decided."""
        if engagement.cycle is None or engagement.ended:
            return None
        renewal = engagement.cycle.renewal
        if renewal.decisions or renewal.outcome or _is_other(renewal.offered, engagement.template.name):
            return None
        newest = self._newest(engagement.template.name)
        return newest if newest not in (engagement.template, renewal.offered) else None


def _is_other(offered: ProgrammeTemplate | None, name: str) -> bool:
    """Whether somebody has offered a template of another name, which a newer version of this one does not replace."""
    return offered is not None and offered.name != name


async def _in_renewal(connection: AsyncConnection, after: str) -> list[str]:
    column = engagements.c
    query = (
        select(column.engagement_id)
        .where(column.ended == "", column.stage == Stage.RENEWAL.value, column.engagement_id > after)
        .order_by(column.engagement_id)
        .limit(PAGE)
    )
    return list((await connection.execute(query)).scalars())
