"""What a person waits for a page when there is much: 1,000 engagements and 200,000 entries beside 10 engagements."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
from temporalio.client import Client

from api.app import create_app
from programme import chain
from programme.engagement import RecordedEntry
from programme.messages import Role, Side
from programme.part import Asked
from programme.people import Enrolment
from runtime.settings import Settings
from runtime.telemetry import configure
from runtime.templates import shipped_questionnaire
from store import journal, people
from store.database import Database, migrate
from tests.core.programme_driver import Programme, play_mandate, registered

FEW, MANY = 10, 1000
EACH_SIDE = 16
READS = 1500
WARM = 100
ID = "engagement-1"


def _pattern() -> tuple[Programme, list[str]]:
    """One engagement in its diagnosis, with placeholders for the people of the two sides."""
    named = [f"placeholder-{side.value}-{n:02d}" for side in Side for n in range(EACH_SIDE)]
    rows = [
        Enrolment(person="pm", roles=(Role.PROGRAMME_MANAGER,)),
        Enrolment(person="med", roles=(Role.MEDICAL_SPONSOR,)),
        Enrolment(person="man", roles=(Role.MANAGERIAL_SPONSOR,)),
        Enrolment(person="fac", roles=(Role.FACILITATOR,)),
        Enrolment(person="app", roles=(Role.MEDICAL_APPROVER,), gmc_registered=True),
        *(Enrolment(person=name, side=Side(name.split("-")[1])) for name in named),
    ]
    programme = registered(people=tuple(rows))
    play_mandate(programme)
    programme.wait(14)
    return programme, named


@dataclass
class Filled:
    """A database with so many engagements, and what its readers carry."""

    database: Database
    entries: int
    readers: list[tuple[str, str]]  # engagement id, token of a participant


async def _fill(folder: Path, count: int) -> Filled:
    url = f"sqlite+aiosqlite:///{folder / f'{count}.sqlite3'}"
    migrate(url)
    database = Database(url)
    programme, named = _pattern()
    texts = [RecordedEntry(**dict(entry)).model_dump_json() for entry in programme.entries]
    filled = Filled(database, count * len(texts), [])
    for number in range(count):
        engagement_id = f"engagement-{number:05d}"
        async with database.writing() as connection:
            ids = await people.add_people(connection, [(name, f"{name}-{number}@example.org") for name in named])
            if number % (count // FEW) == 0:
                token = await people.create_token(connection, ids[0], "participant")
                filled.readers.append((engagement_id, token))
            await journal.append(
                connection, engagement_id, _as(texts, engagement_id, dict(zip(named, ids, strict=True)))
            )
    return filled


def _as(texts: Sequence[str], engagement_id: str, names: dict[str, str]) -> list[RecordedEntry]:
    """The pattern's entries for another engagement and other people, chained anew."""
    digest, entries = chain.GENESIS, []
    for text in texts:
        own = text.replace(ID, engagement_id).replace("Emergency department", f"Service {engagement_id}")
        for placeholder, person in names.items():
            own = own.replace(placeholder, person)
        entry = RecordedEntry.model_validate_json(own)
        asked = Asked(by=entry.actor, at=entry.at)
        (chained,) = chain.record(entry.sequence - 1, digest, [entry.event], asked)
        digest = chained.digest
        entries.append(RecordedEntry(**dict(chained)))
    return entries


async def _reads(filled: Filled, path: str) -> list[float]:
    """Seconds of each read, the readers in turn."""
    client = await Client.connect("127.0.0.1:1", lazy=True)
    app = create_app(
        database=filled.database,
        client=client,
        settings=Settings(),
        telemetry=configure("bench"),
        questionnaire=shipped_questionnaire(),
    )
    seconds = []
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bench") as http:
        for number in range(READS + WARM):
            engagement_id, token = filled.readers[number % len(filled.readers)]
            began = time.perf_counter()
            answer = await http.get(path.format(id=engagement_id), headers={"Authorization": f"Bearer {token}"})
            seconds.append(time.perf_counter() - began)
            assert answer.status_code == httpx.codes.OK, answer.text
    return seconds[WARM:]


def _p99(seconds: Sequence[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)]


async def bench_reads(tmp_path: Path) -> None:
    """The inbox, an engagement and its history, few beside many, in turns."""
    few, many = await _fill(tmp_path, FEW), await _fill(tmp_path, MANY)
    print(f"\n{FEW} engagements with {few.entries} entries, {MANY} with {many.entries}")
    for path in ("/api/v1/tasks", "/api/v1/engagements/{id}", "/api/v1/engagements/{id}/history"):
        ratios = []
        for _ in range(3):
            small, large = await _reads(few, path), await _reads(many, path)
            ratios.append(_p99(large) / _p99(small))
            print(f"{path}: p99 {_p99(large) * 1000:.1f} ms beside {_p99(small) * 1000:.1f}")
        print(f"{path}: ratio {statistics.median(ratios):.2f} (wanted at most 1.5)")
    await few.database.close()
    await many.database.close()
