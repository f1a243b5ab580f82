"""What a reader may see of an engagement, as far as they may see it. Who may, the core says (``programme.reading``)."""

from dataclasses import dataclass
from datetime import date

from api.dependencies import FrontDoor, Visitor
from api.describing import who_in_words
from api.errors import NoSuchEngagement, NotForYou
from programme.engagement import Engagement
from programme.messages import PersonId, Role
from programme.people import Appointment, Person
from programme.reading import READERS, View, sight
from store import read_model, snapshots


@dataclass(frozen=True, slots=True)
class Seen:
    """An engagement as one reader sees it."""

    engagement: Engagement
    reader: PersonId


async def whole(door: FrontDoor, visitor: Visitor) -> Seen:
    """The engagement as it stands, for whoever takes part or audits; what of it is shown is the caller's to say."""
    async with door.database.reading() as connection:
        engagement = await read_model.standing(connection, visitor.engagement_id)
    if engagement is None:
        raise NoSuchEngagement
    return Seen(_with_auditor(engagement, visitor), visitor.person_id)


async def seen(door: FrontDoor, visitor: Visitor, view: View) -> Seen:
    """The engagement for one view: as it stands, or, for a challenger, as it stood when the evidence was frozen.

    Raises NotForYou where the view is closed to this reader.
    """
    found = await whole(door, visitor)
    reach = sight(found.engagement, view, visitor.person_id)
    if reach is None:
        raise NotForYou(who_in_words(READERS[view]))
    if reach.until is None or reach.until >= found.engagement.sequence:
        return found
    async with door.database.reading() as connection:
        frozen = await snapshots.refolded(connection, visitor.engagement_id, before=reach.until + 1)
    return Seen(frozen, visitor.person_id)


def _with_auditor(engagement: Engagement, visitor: Visitor) -> Engagement:
    """The engagement as it would read to an auditor who is enrolled in it, for an auditor of all who is not."""
    if visitor.person_id in engagement.people or Role.AUDITOR.value not in visitor.parts:
        return engagement
    since = engagement.registered or date.min
    guest = Person(id=visitor.person_id, appointments=(Appointment(role=Role.AUDITOR, since=since, accepted=since),))
    return engagement.but(people={**engagement.people, guest.id: guest})
