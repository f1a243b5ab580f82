import asyncio
import hashlib

import pytest
from sqlalchemy import select

from store import people, tables
from store.database import Database
from store.people import Address, TokenHolder


async def test_people_keep_their_id_however_their_address_is_written(database: Database) -> None:
    async with database.writing() as connection:
        first = await people.add_people(
            connection, [("Ann Ward", "Ann.Ward@trust.example"), ("Bo", "bo@trust.example")]
        )
        again = await people.add_people(
            connection, [("A. Ward", " ann.ward@TRUST.example "), ("Cy", "cy@trust.example")]
        )
        twice = await people.add_people(connection, [("Dee", "dee@trust.example"), ("Dee", "DEE@trust.example")])
    assert again[0] == first[0]
    assert len({*first, *again}) == 3
    assert twice[0] == twice[1]
    async with database.reading() as connection:
        assert await people.address(connection, first[0]) == Address("Ann Ward", "Ann.Ward@trust.example")
        assert await people.address(connection, "nobody") is None
        assert set(await people.addresses(connection, [*first, "nobody"])) == set(first)
        assert await people.person_with(connection, "BO@trust.example") == first[1]


async def test_two_rosters_at_once_make_one_person(database: Database) -> None:
    async def add() -> list[str]:
        async with database.writing() as connection:
            return await people.add_people(connection, [(f"P{n}", f"p{n}@trust.example") for n in range(20)])

    one, other = await asyncio.gather(add(), add())
    assert one == other


@pytest.mark.parametrize("named", [("Eve\r\nBcc: all@trust.example", "eve@trust.example"), ("Eve", "eve@x.example\n")])
async def test_nobody_writes_a_mail_header_with_a_name(database: Database, named: tuple[str, str]) -> None:
    async with database.writing() as connection:
        with pytest.raises(ValueError, match="single line"):
            await people.add_people(connection, [named])


async def test_a_token_tells_whose_it_is_until_it_is_revoked(database: Database) -> None:
    async with database.writing() as connection:
        [person] = await people.add_people(connection, [("Ann", "ann@trust.example")])
        token = await people.create_token(connection, person, "participant")
        other = await people.create_token(connection, person, "programme_manager")
    async with database.reading() as connection:
        assert await people.person_of(connection, token) == TokenHolder(person, "participant")
        assert await people.person_of(connection, token + "x") is None
        assert await people.visitor_of(connection, token + "x", "engagement-1") is None
        assert await people.visitor_of(connection, token, "engagement-1") == (TokenHolder(person, "participant"), None)
        kept = list((await connection.execute(select(tables.tokens.c.digest))).scalars())
    assert token not in kept
    assert hashlib.sha256(token.encode()).hexdigest() in kept
    async with database.writing() as connection:
        assert await people.revoke(connection, token)
        assert not await people.revoke(connection, token)
        assert await people.person_of(connection, token) is None
        assert await people.person_of(connection, other) == TokenHolder(person, "programme_manager")
        assert await people.revoke_all(connection, person) == 1
        assert await people.person_of(connection, other) is None
