"""What a process remembers of the engagements that it folded last.

A digest says everything about an engagement's past, so what was folded under it needs no check against the database.
"""

from collections import OrderedDict
from typing import TypeVar

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from programme.engagement import Engagement

OPTION = "olive_folds"  # where a connection finds the memory of its database
_SHARED = 16  # templates and calendars that many engagements have in common
Value = TypeVar("Value", bound=BaseModel)


class Folds:
    """The engagements that were folded last, the least recently used dropped first; each takes about 0.1 to 0.2 MB."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._folded: OrderedDict[str, Engagement] = OrderedDict()
        self._common: list[BaseModel] = []

    def recall(self, engagement_id: str, sequence: int, digest: str) -> Engagement | None:
        """What was folded last, up to this entry. Not what is ahead of it: then its transaction was undone."""
        found = self._folded.get(engagement_id)
        if found is None or found.sequence > sequence:
            return None
        if found.sequence == sequence and found.digest != digest:
            return None
        self._folded.move_to_end(engagement_id)
        return found

    def keep(self, engagement_id: str, engagement: Engagement) -> None:
        """Remember an engagement in place of what was remembered of it."""
        self._folded[engagement_id] = engagement
        self._folded.move_to_end(engagement_id)
        if len(self._folded) > self._limit:
            self._folded.popitem(last=False)

    def sharing(self, engagement: Engagement) -> Engagement:
        """The same engagement, its template and calendar shared with those that have equal ones."""
        template, calendar = self._one(engagement.template), self._one(engagement.calendar)
        return engagement.but(template=template, calendar=calendar)

    def _one(self, value: Value) -> Value:
        for known in self._common:
            if type(known) is type(value) and known == value:
                return known
        self._common = [value, *self._common[: _SHARED - 1]]
        return value


def folds_of(connection: AsyncConnection) -> Folds:
    """The memory of the database to which a connection leads."""
    found: Folds = connection.sync_engine.get_execution_options()[OPTION]
    return found
