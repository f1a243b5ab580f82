"""Corrections of mistaken entries. What an entry was is said by the front door, from the journal."""

from fastapi import Response
from pydantic import Field

from api.bodies import Strict, Text, Unfolded
from api.commands import IdempotencyKey, IfMatch, asking_of, hand_in
from api.dependencies import Door, FrontDoor, Member, Visitor
from programme.changes.correcting import CorrectEntry, Original, original_of
from programme.changes.record import Mistake
from store.entries import entries

LAST = 1_000_000_000  # no journal comes near


class EntryToCorrect(Strict):
    """Which entry of the history is mistaken, in what way, and what should have stood there."""

    entry: int = Field(ge=1, le=LAST, description="The `sequence` of the entry.")
    mistake: Mistake
    text: Text = Field(min_length=1, max_length=2000)


async def correct_entry(
    door: Door,
    visitor: Member,
    body: EntryToCorrect,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Look the entry up, and hand the correction in."""
    original = await _original(door, visitor, body.entry)
    command = CorrectEntry(entry=body.entry, mistake=body.mistake, text=body.text, original=original)
    return await hand_in(door, asking_of(Unfolded(command, {}), visitor, if_match, idempotency_key))


async def _original(door: FrontDoor, visitor: Visitor, entry: int) -> Original:
    """What the journal says of an entry; nothing where there is none, which the core refuses."""
    async with door.database.reading() as connection:
        lines = await entries(connection, visitor.engagement_id, after=entry - 1, limit=1)
    return original_of(lines[0].entry) if lines and lines[0].sequence == entry else Original()
