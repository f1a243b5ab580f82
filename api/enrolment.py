"""The command EnrolPeople as people ask it: with names and addresses in place of ids.

The same checks as at a launch: every faulty row is named, and one fault loads nothing. Nobody is added to the people
store before the core has said that the enrolment can stand.
"""

from dataclasses import asdict
from datetime import UTC, datetime

from fastapi import Response
from pydantic import Field

from api.bodies import Strict, Unfolded
from api.commands import IdempotencyKey, IfMatch, asking_of, hand_in
from api.dependencies import Actor, Door, FrontDoor, Visitor
from api.errors import FaultyRoster, NoSuchEngagement
from api.roster import RosterRow
from programme.engagement import Engagement, decide
from programme.messages import PersonId
from programme.part import Asked
from programme.people import EnrolPeople
from runtime.roster import MOST_PEOPLE, check_more, key_of
from store import people, read_model, requests


class MorePeople(Strict):
    """People to add, as lines of a roster."""

    people: tuple[RosterRow, ...] = Field(min_length=1, max_length=MOST_PEOPLE)


async def enrol_people(
    door: Door,
    visitor: Actor,
    body: MorePeople,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Check the rows, then the enrolment; only then give new people an id, and hand the command in."""
    lines = [(place, row.model_dump()) for place, row in enumerate(body.people, start=1)]
    engagement = await _standing(door, visitor)
    taking_part = await _taking_part(door, engagement)
    roster = check_more(lines, taking_part, ods_code=engagement.ods_code)
    if roster.faults:
        raise FaultyRoster([asdict(fault) for fault in roster.faults])
    placeholders = [taking_part.get(key_of(row.email), row.email) for row in roster.rows]
    wanted = EnrolPeople(people=roster.enrolments(placeholders, taking_part))
    if not await _asked_before(door, visitor, idempotency_key):
        decide(engagement, wanted, Asked(visitor.person_id, datetime.now(UTC), visitor.on_behalf_of))
    async with door.database.writing() as connection:
        ids = await people.add_people(connection, roster.named)
    command = EnrolPeople(people=roster.enrolments(ids, taking_part))
    return await hand_in(door, asking_of(Unfolded(command, {}), visitor, if_match, idempotency_key))


async def _asked_before(door: FrontDoor, visitor: Visitor, idempotency_key: str | None) -> bool:
    """Whether this key has an answer already; what it asked for may have happened, and would be refused now."""
    if idempotency_key is None:
        return False
    async with door.database.reading() as connection:
        return await requests.remembered(connection, visitor.person_id, idempotency_key) is not None


async def _standing(door: FrontDoor, visitor: Visitor) -> Engagement:
    async with door.database.reading() as connection:
        engagement = await read_model.standing(connection, visitor.engagement_id)
    if engagement is None:
        raise NoSuchEngagement
    return engagement


async def _taking_part(door: FrontDoor, engagement: Engagement) -> dict[str, PersonId]:
    """The ids of everybody in the engagement, by e-mail address."""
    async with door.database.reading() as connection:
        known = await people.addresses(connection, list(engagement.people))
    return {key_of(address.email): person for person, address in known.items()}
