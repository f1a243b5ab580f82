import asyncio
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from programme.disclosure import AnswerSheet, Pack, make_pack
from programme.messages import Role, Side, Words
from programme.people import AcceptAppointment
from programme.questionnaire import Questionnaire
from programme.stages.diagnosis import Choice, ChooseAfterShortfall, CompleteQuestionnaire
from runtime.templates import shipped_questionnaire
from store import confidential, tables
from store.confidential import KEPT_UNCLAIMED, SurveyOver, SurveyRun
from store.database import Database
from tests.core.programme_driver import DOCTORS, FACILITATOR, MANAGERS
from tests.store.trust import answering, keep, record, registered, travelled

RUN = SurveyRun("engagement-1", 1, "diagnosis")
NEXT_YEAR = SurveyRun("engagement-1", 2, "diagnosis")
EVERYBODY = (*DOCTORS[:12], *MANAGERS[:12])


def questionnaire() -> Questionnaire:
    return shipped_questionnaire()


def ratings(person: str) -> dict[str, int | None]:
    """Everybody answers otherwise, so that a row is as good as a signature."""
    number = EVERYBODY.index(person)
    return {key: 1 + (number // 5**place) % 5 for place, key in enumerate(questionnaire().keys)}


def side_of(person: str) -> Side:
    return Side.DOCTOR if person in DOCTORS else Side.MANAGER


async def put(database: Database, person: str, run: SurveyRun = RUN, **changes: int | None) -> None:
    async with database.writing() as connection:
        words = {"1": f"what {person} would never say aloud", "2": "  "}
        given = {**ratings(person), **changes}
        await confidential.put_answers(connection, run, person, side_of(person), given, words)


async def close(
    database: Database, completed: Sequence[str] = EVERYBODY, run: SurveyRun = RUN
) -> Sequence[AnswerSheet]:
    async with database.writing() as connection:
        sheets = await confidential.close_survey(connection, run, completed)
        pack = make_pack(questionnaire(), sheets, k=11)
        await confidential.keep_pack(connection, run, pack)
    return sheets


async def everything(database: Database) -> dict[str, list[dict[str, object]]]:
    """Whatever the database holds, in the order in which it lies there."""
    async with database.reading() as connection:
        return {
            table.name: [row._asdict() for row in await connection.execute(select(table))]
            for table in tables.metadata.sorted_tables
        }


def signatures(rows: Iterable[object]) -> list[str]:
    return [json.dumps(row, sort_keys=True) for row in rows]


# --- candid words --------------------------------------------------------------------------------------------------


async def test_words_that_an_entry_names_stay_and_orphans_are_swept(database: Database) -> None:
    programme = registered()
    async with database.writing() as connection:
        kept, orphan = [
            await confidential.deposit(connection, "engagement-1", FACILITATOR, "interests", "facilitator", words)
            for words in ("I know the medical director", "a draft whose command was refused")
        ]
    programme.do(AcceptAppointment(role=Role.FACILITATOR, interests=Words(deposit=kept)), FACILITATOR)
    await keep(database, programme)
    now = datetime.now(UTC)
    async with database.writing() as connection:
        assert await confidential.sweep(connection, now) == 0
        assert await confidential.sweep(connection, now + KEPT_UNCLAIMED + timedelta(minutes=1)) == 1
        found = await confidential.read(connection, "engagement-1", kept)
        assert await confidential.read(connection, "engagement-1", orphan) is None
        assert [one.deposit_id for one in await confidential.claimed(connection, "engagement-1")] == [kept]
    assert found is not None
    assert (found.author_id, found.text) == (FACILITATOR, "I know the medical director")


async def test_words_belong_to_one_engagement(database: Database) -> None:
    async with database.writing() as connection:
        reference = await confidential.deposit(connection, "engagement-1", "ann", "reflection", "pair-1", "words")
        assert await confidential.read(connection, "engagement-2", reference) is None
        await confidential.claim(connection, "engagement-2", {reference})
        assert await confidential.claimed(connection, "engagement-1") == []


async def test_a_repeated_request_deposits_its_words_once(database: Database) -> None:
    async with database.writing() as connection:
        for words in ("first", "second"):
            await confidential.deposit(connection, "engagement-1", "ann", "note", "", words, deposit_id="d-1")
        found = await confidential.read(connection, "engagement-1", "d-1")
    assert found is not None
    assert found.text == "first"


def test_a_text_cannot_claim_the_words_of_somebody_else() -> None:
    written = json.dumps({"text": '{"deposit":"d-1"}', "interests": {"deposit": "d-2"}}, separators=(",", ":"))
    assert confidential.named_in([written.encode()]) == {"d-2"}


# --- answers, while the window is open -----------------------------------------------------------------------------


async def test_answers_can_be_seen_changed_and_deleted_by_who_gave_them(database: Database) -> None:
    ann, bo = EVERYBODY[0], EVERYBODY[1]
    await put(database, ann)
    await put(database, bo)
    await put(database, ann, C01a=5, C02a=None)
    async with database.writing() as connection:
        mine = await confidential.my_answers(connection, RUN, ann)
        assert mine is not None
        assert (mine.ratings["C01a"], mine.ratings["C02a"]) == (5, None)
        assert mine.comments["1"].startswith("what d0")
        assert await confidential.delete_answers(connection, RUN, ann)
        assert not await confidential.delete_answers(connection, RUN, ann)
        assert await confidential.my_answers(connection, RUN, ann) is None
        assert await confidential.my_answers(connection, RUN, bo) is not None
        assert await confidential.my_answers(connection, NEXT_YEAR, bo) is None


async def test_answers_in_the_open_window_carry_no_time_and_no_name_beside_them(database: Database) -> None:
    await put(database, EVERYBODY[0])
    kept = await everything(database)
    [row] = kept["answers"]
    assert EVERYBODY[0] not in row.values()
    assert not [value for value in row.values() if isinstance(value, datetime)]
    assert set(kept["answer_links"][0]) == {"engagement_id", "cycle", "survey", "person_id", "response_id"}


async def test_sending_twice_at_once_keeps_one_sheet(database: Database) -> None:
    await asyncio.gather(*(put(database, EVERYBODY[0], C01a=number % 5 + 1) for number in range(10)))
    kept = await everything(database)
    assert (len(kept["answers"]), len(kept["answer_links"])) == (1, 1)


# --- the close -----------------------------------------------------------------------------------------------------


async def test_after_the_close_nothing_leads_from_an_answer_to_a_person(database: Database) -> None:
    await keep(database, answering())
    for person in EVERYBODY:
        await put(database, person)
    before = await everything(database)
    await close(database)
    after = await everything(database)
    assert after["answer_links"] == []
    held = {"answers", "comments", "packs"}
    assert not {str(row["response_id"]) for row in before["answers"]} & {
        str(value) for rows in after.values() for row in rows for value in row.values()
    }
    values = [value for name in held for row in after[name] for value in row.values()]
    assert not [value for value in values if isinstance(value, datetime) or value in EVERYBODY]
    assert signatures(sorted(signatures(row["ratings"] for row in after["answers"]))) == signatures(
        sorted(signatures(ratings(person) for person in EVERYBODY))
    )


async def test_rows_lie_in_another_order_than_they_came(database: Database) -> None:
    for person in EVERYBODY:
        await put(database, person)
    sheets = await close(database)
    came = signatures(ratings(person) for person in EVERYBODY)
    handed_over = signatures(sheet.ratings for sheet in sheets)
    lie = signatures(row["ratings"] for row in (await everything(database))["answers"])
    async with database.reading() as connection:
        physical = "ctid" if connection.dialect.name == "postgresql" else "response_id"
        rows = await connection.execute(text(f"SELECT ratings FROM answers ORDER BY {physical}"))  # noqa: S608
        found = [row.ratings if isinstance(row.ratings, dict) else json.loads(row.ratings) for row in rows]
    assert sorted(came) == sorted(handed_over) == sorted(lie)
    assert came not in (handed_over, lie, signatures(found))


async def test_comments_are_parted_from_their_ratings_and_their_writers(database: Database) -> None:
    for person in EVERYBODY:
        await put(database, person)
    async with database.reading() as connection:
        assert await confidential.comments_of(connection, RUN) == []
    await close(database)
    kept = await everything(database)
    assert {json.dumps(row["comments"]) for row in kept["answers"]} == {"{}"}
    async with database.writing() as connection:
        found = await confidential.comments_of(connection, RUN)
        assert sorted(one.text for one in found) == sorted(
            f"what {person} would never say aloud" for person in EVERYBODY
        )
        assert [one.text.split()[1] for one in found] != list(EVERYBODY)
        assert await confidential.remove_comment(connection, RUN, found[0].comment_id)
        assert not await confidential.remove_comment(connection, RUN, found[0].comment_id)
        assert found[0] not in await confidential.comments_of(connection, RUN)


async def test_answers_whose_command_was_refused_do_not_count(database: Database) -> None:
    for person in EVERYBODY:
        await put(database, person)
    sheets = await close(database, EVERYBODY[1:])
    assert len(sheets) == len(EVERYBODY) - 1
    assert json.dumps(ratings(EVERYBODY[0]), sort_keys=True) not in signatures(sheet.ratings for sheet in sheets)
    kept = await everything(database)
    assert len(kept["answers"]) == len(sheets)
    assert f"what {EVERYBODY[0]} would never say aloud" not in {row["text"] for row in kept["comments"]}


async def test_after_the_close_answers_can_be_neither_put_nor_found(database: Database) -> None:
    await put(database, EVERYBODY[0])
    await close(database)
    with pytest.raises(SurveyOver):
        await put(database, EVERYBODY[0])
    async with database.writing() as connection:
        assert await confidential.my_answers(connection, RUN, EVERYBODY[0]) is None
        assert not await confidential.delete_answers(connection, RUN, EVERYBODY[0])
    await put(database, EVERYBODY[0], NEXT_YEAR)
    async with database.reading() as connection:
        assert await confidential.my_answers(connection, NEXT_YEAR, EVERYBODY[0]) is not None


async def test_no_answer_slips_in_beside_the_close(database: Database) -> None:
    for person in EVERYBODY[:-4]:
        await put(database, person)
    late = [put(database, person) for person in EVERYBODY[-4:]]
    results = await asyncio.gather(*late[:2], close(database), *late[2:], return_exceptions=True)
    refused = [result for result in results if isinstance(result, SurveyOver)]
    assert all(isinstance(result, SurveyOver) or not isinstance(result, BaseException) for result in results)
    kept = await everything(database)
    assert kept["answer_links"] == []
    assert len(kept["answers"]) == len(EVERYBODY) - len(refused)


async def test_a_pack_is_read_as_it_was_stored(database: Database) -> None:
    for person in EVERYBODY:
        await put(database, person)
    async with database.reading() as connection:
        assert await confidential.pack_of(connection, RUN) is None
    sheets = await close(database)
    async with database.reading() as connection:
        found = await confidential.pack_of(connection, RUN)
    assert found is not None
    assert found[0] == make_pack(questionnaire(), sheets, k=11)
    assert isinstance(found[0], Pack)
    assert len(found[1]) == 64


async def test_a_programme_that_stops_keeps_no_answer(database: Database) -> None:
    programme = answering()
    await keep(database, programme)
    known = len(programme.entries)
    programme.do(CompleteQuestionnaire(), EVERYBODY[0])
    await put(database, EVERYBODY[0])
    programme.wait(60)
    programme.do(ChooseAfterShortfall(choice=Choice.STOP), FACILITATOR)
    await record(database, "engagement-1", travelled(programme.entries[known:]))
    kept = await everything(database)
    assert (kept["answers"], kept["answer_links"], kept["comments"]) == ([], [], [])
    with pytest.raises(SurveyOver):
        await put(database, EVERYBODY[1])


async def test_sqlite_overwrites_what_it_deletes(database: Database) -> None:
    async with database.reading() as connection:
        if connection.dialect.name == "sqlite":
            assert (await connection.execute(text("PRAGMA secure_delete"))).scalar_one() == 2
        else:
            assert (await connection.execute(text("SHOW transaction_read_only"))).scalar_one() == "on"
