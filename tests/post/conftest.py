"""A trust with its mail server, for every test of the post that asks for one."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from activities.accounts import SmtpAccount
from activities.channels import channel_of
from activities.post import PostActivities
from programme.engagement import Engagement, RecordedEntry, step
from programme.part import Asked
from programme.working_time import Calendar, Holiday
from store import journal, people
from store.database import Database, migrate
from tests.post.trust import EASTER_MONDAY, ID, NAMES, SENDER, URL, MailServer, Trust, email, registered


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'olive.sqlite3'}"
    migrate(url)
    opened = Database(url)
    yield opened
    await opened.close()


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    started = MailServer()
    await started.start()
    yield started
    await started.stop()


@pytest.fixture
async def unregistered(database: Database, server: MailServer) -> Trust:
    """People, a mail server and the post, before there is an engagement."""
    async with database.writing() as connection:
        ids = await people.add_people(connection, [(name, email(person)) for person, name in NAMES.items()])
    account = SmtpAccount(host="127.0.0.1", port=server.port, sender=SENDER, starttls=False)
    post = PostActivities(database, channel_of(account), URL)
    return Trust(database, server, dict(zip(NAMES, ids, strict=True)), post)


@pytest.fixture
async def trust(unregistered: Trust) -> Trust:
    """An engagement whose people can be written to."""
    calendar = Calendar(version="test", holidays=(Holiday(on=EASTER_MONDAY, name="Easter Monday"),))
    asked = Asked(unregistered.ids["pm"], datetime(2026, 1, 5, 9, tzinfo=UTC))
    _, entries = step(Engagement(), registered(unregistered.ids, calendar), asked)
    async with unregistered.database.writing() as connection:
        await journal.append(connection, ID, [RecordedEntry(**entry.__dict__) for entry in entries])
    return unregistered
