"""A trust for tests of the store: what the workflow would hand over, made by the core itself."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from programme.engagement import Engagement, RecordedEntry, step
from programme.messages import Command, Entry, PersonId
from programme.part import Asked
from programme.stages.mandate import RegisterEngagement
from programme.working_time import Calendar
from store import journal
from store.database import Database
from tests.core.programme_driver import MONDAY, PM, TWELVE_MONTHS, Programme, play_mandate, roster


def travelled(entries: Iterable[Entry]) -> list[RecordedEntry]:
    """Entries as they come out of Temporal: written down and read again."""
    return [RecordedEntry.model_validate_json(RecordedEntry(**dict(entry)).model_dump_json()) for entry in entries]


def registered(name: str = "engagement-1", scope: str = "", at: datetime = MONDAY) -> Programme:
    """A newly registered engagement with an id and a scope of its own."""
    programme = Programme(at=at)
    programme.do(
        RegisterEngagement(
            engagement=name,
            ods_code="R1A",
            scope=scope or f"Scope of {name}",
            local_problem="People wait too long",
            dpia_reference="DPIA-7",
            privacy_notice="1",
            k=11,
            template=TWELVE_MONTHS,
            calendar=Calendar(version="1"),
            people=roster(),
        ),
        PM,
    )
    return programme


def answering(name: str = "engagement-1") -> Programme:
    """An engagement in which the questionnaire is open."""
    programme = registered(name)
    play_mandate(programme)
    return programme


def otherwise(engagement: Engagement, command: Command, by: PersonId, at: datetime) -> list[RecordedEntry]:
    """What another history would say after the same past."""
    return travelled(step(engagement, command, Asked(by, at))[1])


async def record(database: Database, name: str, entries: Sequence[RecordedEntry]) -> int:
    """Append in a transaction of its own."""
    async with database.writing() as connection:
        return await journal.append(connection, name, entries)


async def keep(database: Database, programme: Programme) -> list[RecordedEntry]:
    """Record everything that has happened to a programme."""
    entries = travelled(programme.entries)
    await record(database, programme.engagement.id, entries)
    return entries
