"""Engagements that the core's driver has played, recorded in a database and read through the API, without Temporal."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import insert
from temporalio.client import Client

from programme.engagement import RecordedEntry
from runtime.payloads import CONVERTER
from runtime.settings import Settings
from store import journal, people, tables
from store.database import Database, migrate
from store.people import TokenRole
from tests.core.programme_driver import Programme
from tests.stack import app_of, bearer, http_of


@dataclass
class Read:
    """A recorded engagement, and whoever reads it."""

    database: Database
    http: httpx.AsyncClient
    programme: Programme
    _tokens: dict[tuple[str, TokenRole], str] = field(default_factory=dict)

    async def token(self, person: str, role: TokenRole = "participant") -> str:
        """A token of somebody, in the programme or not."""
        if (person, role) not in self._tokens:
            self._tokens[person, role] = await self._new_token(person, role)
        return self._tokens[person, role]

    async def _new_token(self, person: str, role: TokenRole) -> str:
        async with self.database.writing() as connection:
            if await people.address(connection, person) is None:
                row = {"person_id": person, "name": person, "email": f"{person}@example.nhs.uk"}
                await connection.execute(insert(tables.people), row | {"email_key": row["email"]})
            return await people.create_token(connection, person, role)

    async def get(
        self, person: str, what: str = "", *, role: TokenRole = "participant", **query: Any
    ) -> httpx.Response:
        """Read as somebody."""
        path = "/api/v1/engagements/engagement-1" + (f"/{what}" if what else "")
        return await self.http.get(path, params=query, headers=bearer(await self.token(person, role)))

    async def items(self, person: str, what: str, **query: Any) -> list[Any]:
        """Every item of a list, page by page."""
        found: list[Any] = []
        while True:
            page = (await self.get(person, what, **query)).raise_for_status().json()
            found += page["items"]
            if page["next"] is None:
                return found
            query["cursor"] = page["next"]


@asynccontextmanager
async def recorded(programme: Programme, folder: Path) -> AsyncIterator[Read]:
    """A programme in a database of its own."""
    settings = Settings(data_dir=folder)
    url = settings.database_url.get_secret_value()
    migrate(url)
    database = Database(url)
    entries = [RecordedEntry(**entry.__dict__) for entry in programme.entries]
    async with database.writing() as connection:
        await journal.append(connection, programme.engagement.id, entries)
    nowhere = await Client.connect("127.0.0.1:9", lazy=True, data_converter=CONVERTER)
    async with http_of(app_of(database, nowhere, settings)) as http:
        yield Read(database, http, programme)
    await database.close()
