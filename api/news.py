"""What the programme manager has told everybody who takes part: an e-mail only says that there is something to read."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from api.dependencies import Door, Member
from api.describing import problems
from api.errors import NoSuchEngagement, NotForYou
from api.seeing import seen
from programme.reading import View
from programme.telling import ParticipantsTold
from store.entries import entries

MOST = 1000
of_one = APIRouter(tags=["telling"])


class NewsShown(BaseModel):
    """A sentence for both sides."""

    at: datetime
    text: str


@of_one.get("/news", responses=problems(NoSuchEngagement, NotForYou))
async def read_news(door: Door, visitor: Member) -> tuple[NewsShown, ...]:
    """What both sides were told, the latest first."""
    await seen(door, visitor, View.AGENDA)
    async with door.database.reading() as connection:
        lines = await entries(connection, visitor.engagement_id, kind=ParticipantsTold.__name__, limit=MOST)
    told = [(line.at, line.entry.event) for line in lines]
    return tuple(
        NewsShown(at=at, text=event.text) for at, event in reversed(told) if isinstance(event, ParticipantsTold)
    )
