import pytest
from sqlalchemy.exc import OperationalError

from api import dependencies
from api.dependencies import Memory


class Database:
    """Answers, or is away."""

    def __init__(self) -> None:
        self.answer: str | None = "Pat"
        self.away = False
        self.asked = 0

    async def __call__(self) -> str | None:
        self.asked += 1
        if self.away:
            raise OperationalError("SELECT", {}, Exception())
        return self.answer


async def test_whoever_was_known_is_known_while_the_database_is_away() -> None:
    memory, database = Memory[str](), Database()
    assert await memory.ask("token", database) == "Pat"
    database.away = True
    assert await memory.ask("token", database) == "Pat"


async def test_whoever_was_not_known_is_not_let_in_while_the_database_is_away() -> None:
    memory, database = Memory[str](), Database()
    database.away = True
    with pytest.raises(OperationalError):
        await memory.ask("token", database)


async def test_a_revoked_token_is_not_trusted_once_the_database_has_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dependencies, "FRESH_SECONDS", -1.0)
    memory, database = Memory[str](), Database()
    await memory.ask("token", database)
    database.answer = None
    assert await memory.ask("token", database) is None
    database.away = True
    with pytest.raises(OperationalError):
        await memory.ask("token", database)


async def test_nobody_is_trusted_for_long_without_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dependencies, "STALE_SECONDS", -1.0)
    monkeypatch.setattr(dependencies, "FRESH_SECONDS", -1.0)
    memory, database = Memory[str](), Database()
    await memory.ask("token", database)
    database.away = True
    with pytest.raises(OperationalError):
        await memory.ask("token", database)


async def test_the_same_question_in_one_moment_is_asked_once() -> None:
    memory, database = Memory[str](), Database()
    for _ in range(3):
        await memory.ask("token", database)
    assert database.asked == 1
