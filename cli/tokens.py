"""Tokens for people, and the one that `olive up` shows a developer."""

from runtime.settings import Settings
from store.database import Database
from store.people import TokenRole, add_people, create_token, person_of

DEVELOPER = ("Programme Manager", "programme.manager@example.org")


async def make_token(database_url: str, name: str, email: str, role: TokenRole) -> str:
    """A new token of a person, who is added where nobody has that address. It is shown once: only its digest stays."""
    database = Database(database_url)
    try:
        async with database.writing() as connection:
            (person,) = await add_people(connection, [(name, email)])
            return await create_token(connection, person, role)
    finally:
        await database.close()


async def development_token(settings: Settings) -> str:
    """The token of a development stack, kept in its folder for its owner's eyes so that links go on working."""
    path = settings.data_dir / "token"
    url = settings.database_url.get_secret_value()
    kept = path.read_text(encoding="ascii").strip() if path.exists() else ""
    if kept and await _still_good(url, kept):
        return kept
    token = await make_token(url, *DEVELOPER, "programme_manager")
    path.touch(mode=0o600)
    path.write_text(token, encoding="ascii")
    return token


async def _still_good(url: str, token: str) -> bool:
    database = Database(url)
    try:
        async with database.reading() as connection:
            return await person_of(connection, token) is not None
    finally:
        await database.close()
