"""The history as each reader may see it, and the candid words that a reader may read."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from api.bodies import Moment, Text
from api.dependencies import Door, Member, PageOf, Pages, cursor_at, place_of
from api.describing import problems
from api.errors import BadCursor, NoSuchEngagement, NotForYou, NothingHere
from api.seeing import Seen, seen, whole
from programme.changes.record import Correction
from programme.messages import PersonId
from programme.reading import Shown, View, may_read_words, visible
from store import confidential
from store.confidential import Deposit
from store.entries import BATCH, StoredEntry, entries, first_after

router = APIRouter(tags=["history"])


class EntryShown(BaseModel):
    """A line of the history. ``hidden`` names what was taken out of it, for you or for everybody.

    Digests are not told: whoever has the digest of a line could try every name in the place of the one taken out.
    """

    sequence: int
    at: datetime
    actor: PersonId
    on_behalf_of: PersonId | None
    kind: str
    body: dict[str, Any]
    hidden: tuple[str, ...]
    corrections: tuple[Correction, ...] = Field(default=(), description="What was entered later to correct this line.")


class WordsShown(BaseModel):
    """Candid words that you may read: your own, or written for you."""

    deposit_id: str
    author: PersonId
    purpose: str = Field(description="The command and its field.")
    about: str
    text: str


Name = Annotated[Text | None, Query(max_length=80)]


@router.get("/history", responses=problems(NoSuchEngagement, NotForYou, BadCursor))
async def read_history(  # noqa: PLR0913, PLR0917 - the filters of the history
    door: Door,
    visitor: Member,
    pages: Pages,
    kind: Name = None,
    actor: Name = None,
    since: Annotated[Moment | None, Query(alias="from", description="Not before this instant.")] = None,
    until: Annotated[Moment | None, Query(alias="to", description="Not after this instant.")] = None,
) -> PageOf[EntryShown]:
    """What happened, the oldest first. Filters see what you see: what is hidden from you cannot be searched for."""
    found = await seen(door, visitor, View.HISTORY)
    after = place_of(pages.cursor)
    async with door.database.reading() as connection:
        if since is not None:
            first = await first_after(connection, visitor.engagement_id, since - timedelta(microseconds=1))
            if first is None:
                return PageOf(items=())
            after = max(after, first - 1)
        lines = _lines(connection, found, after, until, kind, actor)
        items = [line async for line in _first(lines, pages.limit + 1)]
    kept = items[: pages.limit]
    return PageOf(items=tuple(kept), next=cursor_at(kept[-1].sequence) if len(items) > len(kept) else None)


async def _lines(
    connection: AsyncConnection, found: Seen, after: int, until: datetime | None, kind: str | None, actor: str | None
) -> AsyncIterator[EntryShown]:
    """The lines that pass the filters *as this reader sees them*: a hidden actor is found under no name."""
    while batch := await entries(
        connection, found.engagement.id, after=after, until=until, kind=kind, actor=actor, limit=BATCH
    ):
        for line in batch:
            shown = _shown(found, line)
            if shown is not None and actor in {None, shown.actor}:
                yield shown
        after = batch[-1].sequence


def _shown(found: Seen, line: StoredEntry) -> EntryShown | None:
    shown: Shown | None = visible(found.engagement, line.entry, found.reader)
    if shown is None:
        return None
    corrections = tuple(one for one in found.engagement.changes.corrections if one.entry == shown.sequence)
    facts = {name: getattr(shown, name) for name in EntryShown.model_fields if name != "corrections"}
    return EntryShown(**facts, corrections=corrections)


async def _first(lines: AsyncIterator[EntryShown], number: int) -> AsyncIterator[EntryShown]:
    async for line in lines:
        yield line
        number -= 1
        if number == 0:
            return


# --- candid words --------------------------------------------------------------------------------------------------


@router.get("/words", responses=problems(NoSuchEngagement, BadCursor))
async def list_words(door: Door, visitor: Member, pages: Pages, about: Name = None) -> PageOf[WordsShown]:
    """The candid words that you may read, the oldest first: your own, and what was written for you."""
    found = await whole(door, visitor)
    async with door.database.reading() as connection:
        deposits = await confidential.claimed(connection, visitor.engagement_id)
    mine = [one for one in deposits if about in {None, one.about} and _may_read(found, one)]
    begin = place_of(pages.cursor)
    end = begin + pages.limit
    return PageOf(items=tuple(_words(one) for one in mine[begin:end]), next=cursor_at(end) if end < len(mine) else None)


@router.get("/words/{deposit_id}", responses=problems(NoSuchEngagement, NothingHere))
async def read_words(door: Door, visitor: Member, deposit_id: Annotated[Text, Path(max_length=80)]) -> WordsShown:
    """One deposit of candid words. What you may not read does not exist for you."""
    found = await whole(door, visitor)
    async with door.database.reading() as connection:
        deposit = await confidential.read(connection, visitor.engagement_id, deposit_id)
    if deposit is None or not _may_read(found, deposit):
        raise NothingHere
    return _words(deposit)


def _may_read(found: Seen, deposit: Deposit) -> bool:
    return may_read_words(found.engagement, deposit.purpose, deposit.author_id, deposit.about, found.reader)


def _words(deposit: Deposit) -> WordsShown:
    return WordsShown(
        deposit_id=deposit.deposit_id,
        author=deposit.author_id,
        purpose=deposit.purpose,
        about=deposit.about,
        text=deposit.text,
    )
