"""What a request needs before anything is done for it: who asks, what the person holds in the engagement, and the page.

Built once in ``create_app`` and reached through the application's state; nothing here is global.
"""

import base64
import hashlib
import json
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Annotated, Generic, NamedTuple, TypeVar

from fastapi import Depends, Header, Path, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from temporalio.client import Client

from api.bodies import LARGEST_NUMBER, Bodies, printable
from api.desk import Desk
from api.errors import DATABASE_AWAY, BadCursor, NoSuchEngagement, NotSignedIn
from api.foresight import Foresight
from programme.messages import PersonId, Role
from programme.questionnaire import Questionnaire
from runtime.settings import Settings
from runtime.telemetry import Telemetry
from runtime.templates import Templates
from store import people, views
from store.database import Database
from store.people import TokenHolder

FRESH_SECONDS = 2.0  # how long a token and a membership are trusted unasked: a revoked one dies within that time
STALE_SECONDS = 600.0  # how long they may be trusted while the database is away
_REMEMBERED = 10_000
Known = TypeVar("Known")
Item = TypeVar("Item")


class Memory(Generic[Known]):
    """The last answers of the database to a question: for a moment, and for the minutes in which it does not answer."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, tuple[float, Known]] = OrderedDict()

    async def ask(self, key: Hashable, question: Callable[[], Awaitable[Known | None]]) -> Known | None:
        """What the database says, or has just said; while it is away, what it last said, if that is not long ago."""
        known = self._since(key, FRESH_SECONDS)
        if known is not None:
            return known
        try:
            answer = await question()
        except DATABASE_AWAY:
            known = self._since(key, STALE_SECONDS)
            if known is None:
                raise
            return known
        self._keep(key, answer)
        return answer

    def _since(self, key: Hashable, seconds: float) -> Known | None:
        at, known = self._known.get(key, (float("-inf"), None))
        return known if time.monotonic() - at <= seconds else None

    def _keep(self, key: Hashable, answer: Known | None) -> None:
        self._known.pop(key, None)
        if answer is not None:  # who was refused is asked for afresh
            self._known[key] = time.monotonic(), answer
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)


class Visit(NamedTuple):
    """Somebody who is signed in, before an engagement. ``roles`` None: it does not exist for this person."""

    holder: TokenHolder
    roles: tuple[str, ...] | None


@dataclass(frozen=True)
class FrontDoor:
    """Everything that the routes use, made once."""

    database: Database
    client: Client
    settings: Settings
    telemetry: Telemetry
    questionnaire: Questionnaire
    templates: Templates
    bodies: Bodies
    desk: Desk
    tokens: Memory[TokenHolder] = field(default_factory=Memory)
    visitors: Memory[Visit] = field(default_factory=Memory)
    foresight: Foresight = field(default_factory=Foresight)

    async def holder(self, token: str) -> TokenHolder | None:
        """Whose token this is."""

        async def question() -> TokenHolder | None:
            async with self.database.asking() as connection:
                return await people.person_of(connection, token)

        return await self.tokens.ask(_digest(token), question)

    async def visit(self, token: str, engagement_id: str) -> Visit | None:
        """Whose token this is, and the parts that the person holds or is offered in an engagement."""

        async def question() -> Visit | None:
            async with self.database.asking() as connection:
                found = await people.visitor_of(connection, token, engagement_id)
                return Visit(*found) if found else None

        return await self.visitors.ask((_digest(token), engagement_id), question)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def front_door(request: Request) -> FrontDoor:  # async: a plain function would go to a thread and back
    """What ``create_app`` was given."""
    door: FrontDoor = request.app.state.front_door
    return door


Door = Annotated[FrontDoor, Depends(front_door)]
_bearer = HTTPBearer(auto_error=False, description="A token that `olive token` made. It belongs to one person.")


Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def signed_in(door: Door, credentials: Credentials) -> TokenHolder:
    """Who asks. Raises NotSignedIn."""
    holder = await door.holder(credentials.credentials) if credentials else None
    if holder is None:
        raise NotSignedIn
    return holder


Caller = Annotated[TokenHolder, Depends(signed_in)]
EngagementId = Annotated[str, Path(description="The engagement.")]
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


def identified(text: str) -> str:
    """An id as we write it. What is no id names nothing: 404, not 422. Raises NoSuchEngagement."""
    if not _ID.fullmatch(text):
        raise NoSuchEngagement
    return text


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody for whom the engagement exists: a member, or an auditor of all. ``parts``: held or offered here.

    ``on_behalf_of``: for whom the person acts with this request, under a cover that was arranged.
    """

    engagement_id: str
    person_id: PersonId
    parts: frozenset[str]
    on_behalf_of: PersonId | None = None

    def holds(self, *roles: Role) -> bool:
        """Whether the person holds or is offered one of these parts."""
        return not self.parts.isdisjoint(roles)


async def visiting(door: Door, credentials: Credentials, engagement_id: EngagementId) -> Visitor:
    """Who asks, in this engagement. Somebody else's engagement does not exist.

    Raises NotSignedIn, NoSuchEngagement.
    """
    known = identified(engagement_id)
    found = await door.visit(credentials.credentials, known) if credentials else None
    if found is None:
        raise NotSignedIn
    holder, roles = found
    if roles is None and holder.role == "auditor" and await _exists(door, known):
        roles = (Role.AUDITOR.value,)
    if roles is None:
        raise NoSuchEngagement
    return Visitor(known, holder.person_id, frozenset(roles))


async def _exists(door: FrontDoor, engagement_id: str) -> bool:
    async with door.database.reading() as connection:
        return await views.exists(connection, engagement_id)


Member = Annotated[Visitor, Depends(visiting)]
OnBehalfOf = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=80,
        pattern=r"^[!-~]+$",
        description="The id of the person for whom you act under a cover that runs today; they stay accountable.",
    ),
]


async def acting(visitor: Member, on_behalf_of: OnBehalfOf = None) -> Visitor:
    """Who asks for a command, and on whose behalf; whether the hands may is for the core to say."""
    return replace(visitor, on_behalf_of=on_behalf_of) if on_behalf_of else visitor


Actor = Annotated[Visitor, Depends(acting)]


class Paging(BaseModel):
    """Where a page of a list begins, and how long it is."""

    cursor: str | None
    limit: int


async def paging(
    cursor: Annotated[str | None, Query(max_length=1000, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=views.MOST, description="How many at most.")] = views.LIMIT,
) -> Paging:
    """The page that is asked for. Raises BadCursor."""
    return Paging(cursor=checked(cursor) if cursor else None, limit=limit)


def checked(cursor: str) -> str:
    """A cursor that holds nothing that a database could choke on; whether it fits the list, the list says."""
    try:
        for value in json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))):
            if isinstance(value, str):
                printable(value)
            elif type(value) is not int or abs(value) > LARGEST_NUMBER:
                raise BadCursor
    except (ValueError, TypeError, RecursionError):
        raise BadCursor from None
    return cursor


def cursor_at(place: int) -> str:
    """A cursor that says where the next page begins, as a number."""
    return base64.urlsafe_b64encode(json.dumps([place]).encode()).decode().rstrip("=")


def place_of(cursor: str | None) -> int:
    """Where the page begins; 0 without a cursor. Raises BadCursor."""
    if cursor is None:
        return 0
    match json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))):
        case [int(place)] if place >= 0:
            return place
    raise BadCursor


Pages = Annotated[Paging, Depends(paging)]


class PageOf(BaseModel, Generic[Item]):
    """Some items, and the cursor of those after them (null: there are none)."""

    items: tuple[Item, ...]
    next: str | None = None
