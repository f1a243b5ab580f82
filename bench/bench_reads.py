"""What a person waits for a page when there is much: 1,000 engagements and 200,000 entries beside 10 engagements."""

import re
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
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
READERS = 100  # engagements that are read, at most, each by its facilitator
READS = 600
ROUNDS = 3
TOGETHER = 25  # engagements in one transaction: the commit is not what is measured here
ID = "engagement-1"
FACILITATOR = "fac"


def _pattern() -> tuple[Programme, list[str]]:
    """One engagement in its diagnosis, with placeholders for the facilitator and the people of the two sides."""
    named = [f"placeholder-{side.value}-{n:02d}" for side in Side for n in range(EACH_SIDE)]
    rows = [
        Enrolment(person="pm", roles=(Role.PROGRAMME_MANAGER,)),
        Enrolment(person="med", roles=(Role.MEDICAL_SPONSOR,)),
        Enrolment(person="man", roles=(Role.MANAGERIAL_SPONSOR,)),
        Enrolment(person=FACILITATOR, roles=(Role.FACILITATOR,)),
        Enrolment(person="app", roles=(Role.MEDICAL_APPROVER,), gmc_registered=True),
        *(Enrolment(person=name, side=Side(name.split("-")[1])) for name in named),
    ]
    programme = registered(people=tuple(rows))
    play_mandate(programme)
    programme.wait(14)
    return programme, [FACILITATOR, *named]


@dataclass
class Filled:
    """A database with so many engagements, and what those who read them carry."""

    database: Database
    entries: int
    readers: list[tuple[str, str]]  # engagement id, token of its facilitator


async def _fill(folder: Path, count: int) -> Filled:
    url = f"sqlite+aiosqlite:///{folder / f'{count}.sqlite3'}"
    migrate(url)
    database = Database(url)
    programme, named = _pattern()
    texts = [RecordedEntry(**dict(entry)).model_dump_json() for entry in programme.entries]
    filled = Filled(database, count * len(texts), [])
    for first in range(0, count, TOGETHER):
        async with database.writing() as connection:
            for number in range(first, min(first + TOGETHER, count)):
                engagement_id = f"engagement-{number:05d}"
                ids = await people.add_people(connection, [(name, f"{name}-{number}@example.org") for name in named])
                if number % max(1, count // READERS) == 0:
                    filled.readers.append((engagement_id, await people.create_token(connection, ids[0], "participant")))
                entries = _as(texts, engagement_id, dict(zip(named, ids, strict=True)))
                await journal.append(connection, engagement_id, entries)
    return filled


def _as(texts: Sequence[str], engagement_id: str, names: dict[str, str]) -> list[RecordedEntry]:
    """The pattern's entries for another engagement and other people, chained anew."""
    own = {**names, ID: engagement_id, "Emergency department": f"Service {engagement_id}"}
    words = re.compile(r"\b(" + "|".join(map(re.escape, own)) + r")\b")
    digest, entries = chain.GENESIS, []
    for text in texts:
        entry = RecordedEntry.model_validate_json(words.sub(lambda found: own[found[1]], text))
        (chained,) = chain.record(entry.sequence - 1, digest, [entry.event], Asked(by=entry.actor, at=entry.at))
        digest = chained.digest
        entries.append(RecordedEntry(**dict(chained)))
    return entries


@asynccontextmanager
async def _door(filled: Filled) -> AsyncIterator[httpx.AsyncClient]:
    """The front door of a database, without the network."""
    app = create_app(
        database=filled.database,
        client=await Client.connect("127.0.0.1:1", lazy=True),
        settings=Settings(),
        telemetry=configure("bench"),
        questionnaire=shipped_questionnaire(),
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bench") as http:
        yield http


async def _seconds(http: httpx.AsyncClient, filled: Filled, path: str, number: int) -> float:
    """One read by the next reader in turn."""
    engagement_id, token = filled.readers[number % len(filled.readers)]
    began = time.perf_counter()
    answer = await http.get(path.format(id=engagement_id), headers={"Authorization": f"Bearer {token}"})
    took = time.perf_counter() - began
    assert answer.status_code == httpx.codes.OK, answer.text
    return took


def _p99(seconds: Sequence[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)]


async def _compare(few: Filled, many: Filled, path: str) -> float:
    """The p99 of many beside that of few, read in turns, so that whatever else this machine does meets both."""
    async with _door(few) as one, _door(many) as other:
        small, large = list[float](), list[float]()
        for number in range(len(many.readers) + READS):
            small.append(await _seconds(one, few, path, number))
            large.append(await _seconds(other, many, path, number))
    first = large[: len(many.readers)]  # nobody has read these engagements yet: they are folded from their snapshots
    small, large = small[len(first) :], large[len(first) :]
    print(
        f"{path}: p99 {_p99(large) * 1000:.1f} ms beside {_p99(small) * 1000:.1f};"
        f" median {statistics.median(large) * 1000:.1f} beside {statistics.median(small) * 1000:.1f};"
        f" first reads {statistics.median(first) * 1000:.1f}"
    )
    return _p99(large) / _p99(small)


async def bench_reads(tmp_path: Path) -> None:
    """The inbox, an engagement and its history: few beside many, in turns."""
    began = time.perf_counter()
    few, many = await _fill(tmp_path, FEW), await _fill(tmp_path, MANY)
    print(f"\n{FEW} engagements with {few.entries} entries, {MANY} with {many.entries}", end="")
    print(f"; filled in {time.perf_counter() - began:.0f} s")
    for path in ("/api/v1/tasks", "/api/v1/engagements/{id}", "/api/v1/engagements/{id}/history"):
        ratios = [await _compare(few, many, path) for _ in range(ROUNDS)]
        print(f"{path}: ratio {statistics.median(ratios):.2f} (wanted at most 1.5)")
    await few.database.close()
    await many.database.close()
