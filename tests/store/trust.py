"""A trust for tests of the store: what the workflow would hand over, made by the core itself."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from programme.engagement import Engagement, RecordedEntry, fold, step
from programme.messages import Command, Entry, PersonId, Side
from programme.part import Asked
from programme.stages.mandate import RegisterEngagement
from programme.working_time import Calendar
from store import journal
from store.database import Database
from tests.core.programme_driver import MONDAY, PM, TWELVE_MONTHS, Programme, roster


def travelled(entries: Iterable[Entry]) -> list[RecordedEntry]:
    """Entries as they come out of Temporal: written down and read again."""
    return [RecordedEntry.model_validate_json(RecordedEntry(**dict(entry)).model_dump_json()) for entry in entries]


def another(name: str, ods_code: str = "R1A", scope: str = "", at: datetime = MONDAY) -> Programme:
    """A newly registered engagement with an id and a scope of its own."""
    programme = Programme(at=at)
    programme.do(
        RegisterEngagement(
            engagement=name,
            ods_code=ods_code,
            scope=scope or f"Scope of {name}",
            local_problem="People wait too long",
            dpia_reference="DPIA-7",
            privacy_notice="1",
            k=8,
            template=TWELVE_MONTHS,
            calendar=Calendar(version="1"),
            people=roster(),
        ),
        PM,
    )
    return programme


def asked_otherwise(engagement: Engagement, command: Command, by: PersonId, at: datetime) -> list[RecordedEntry]:
    """What another history would say after the same past."""
    return travelled(step(engagement, command, Asked(by, at))[1])


async def recorded(database: Database, entries: Sequence[RecordedEntry]) -> int:
    """Append in a transaction of its own."""
    async with database.writing() as connection:
        return await journal.append(connection, engagement_of(entries), entries)


def engagement_of(entries: Sequence[RecordedEntry]) -> str:
    """The engagement to which a whole history belongs."""
    return fold(Engagement(), entries).id


def answers_of(side: Side, *, rating: int = 3) -> dict[str, int | None]:
    """Forty-four ratings."""
    del side
    letters = ("a", "b", "c", "g")
    return {f"C{condition:02d}{letter}": rating for condition in range(1, 12) for letter in letters}
