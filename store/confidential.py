"""Candid words and answers: what never travels in a command, and what nobody can trace once a questionnaire has closed.

While its window is open, an answer hangs on its person by one link, so that it can be changed or deleted. Closing
destroys the links and writes the answers again under fresh random ids in random order: neither key, order nor time
leads back.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import SystemRandom
from typing import Any, NamedTuple
from uuid import uuid4

import rfc8785
from sqlalchemy import ColumnElement, Table, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from programme.chain import digest_of
from programme.disclosure import AnswerSheet, Pack
from programme.engagement import Engagement
from programme.messages import PersonId, Side
from store.database import insert_unless_there
from store.tables import answer_links, answers, comments, deposits, engagements, packs

KEPT_UNCLAIMED = timedelta(days=7)  # a command whose append waits for a database may be that late
_REFERENCE = re.compile(rb'"deposit":"([^"\\]+)"')  # in canonical JSON; a text cannot hold it, its quotes are escaped


class SurveyRun(NamedTuple):
    """One run of the questionnaire: ``survey`` is diagnosis or rediagnosis. A reopened window is the same run."""

    engagement_id: str
    cycle: int
    survey: str


class SurveyOver(Exception):  # noqa: N818 - an answer, not a fault
    """The questionnaire has closed and its links are destroyed: answers can be neither put nor found."""


@dataclass(frozen=True, slots=True)
class Deposit:
    """Candid words, who wrote them, and what for."""

    deposit_id: str
    engagement_id: str
    author_id: PersonId
    purpose: str
    about: str
    text: str


@dataclass(frozen=True, slots=True)
class MyAnswers:
    """What a person answered, as long as the window is open."""

    ratings: dict[str, int | None]
    comments: dict[str, str]


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment without its writer, for the facilitator alone."""

    comment_id: str
    question: str
    text: str


# --- candid words --------------------------------------------------------------------------------------------------


async def deposit(  # noqa: PLR0913 - what a deposit is made of
    connection: AsyncConnection,
    engagement_id: str,
    author_id: PersonId,
    purpose: str,
    about: str,
    text: str,
    *,
    deposit_id: str | None = None,
) -> str:
    """Keep candid words and return their reference; an orphan until an entry in the journal names it.

    ``deposit_id``: a reference of the caller's making; what is kept under it already stays as it is.
    """
    row = {
        "deposit_id": deposit_id or _random_id(),
        "engagement_id": engagement_id,
        "author_id": author_id,
        "purpose": purpose,
        "about": about,
        "text": text,
        "claimed": False,
        "deposited_at": datetime.now(UTC),
    }
    await connection.execute(insert_unless_there(connection, deposits), row)
    return str(row["deposit_id"])


def named_in(bodies: Sequence[bytes]) -> set[str]:
    """The deposits that journal entries name, from their canonical bytes."""
    return {found.decode() for body in bodies for found in _REFERENCE.findall(body)}


async def claim(connection: AsyncConnection, engagement_id: str, named: Collection[str]) -> None:
    """Keep these deposits for good: an entry in the journal names them. ``journal.append`` calls it."""
    if named:
        these = (deposits.c.engagement_id == engagement_id) & deposits.c.deposit_id.in_(named)
        await connection.execute(update(deposits).where(these).values(claimed=True))


async def read(connection: AsyncConnection, engagement_id: str, deposit_id: str) -> Deposit | None:
    """One deposit of this engagement. Who may read it is for the caller to decide."""
    found = await read_all(connection, engagement_id, [deposit_id])
    return found.get(deposit_id)


async def read_all(connection: AsyncConnection, engagement_id: str, wanted: Collection[str]) -> dict[str, Deposit]:
    """Several deposits of this engagement, by reference."""
    columns = (deposits.c[name] for name in Deposit.__dataclass_fields__)
    these = (deposits.c.engagement_id == engagement_id) & deposits.c.deposit_id.in_(wanted)
    return {row.deposit_id: Deposit(*row) for row in await connection.execute(select(*columns).where(these))}


async def claimed(connection: AsyncConnection, engagement_id: str) -> list[Deposit]:
    """Every deposit that the journal names, the oldest first. Who may read which is for the caller to decide."""
    columns = (deposits.c[name] for name in Deposit.__dataclass_fields__)
    query = select(*columns).where(deposits.c.engagement_id == engagement_id, deposits.c.claimed)
    return [
        Deposit(*row)
        for row in await connection.execute(query.order_by(deposits.c.deposited_at, deposits.c.deposit_id))
    ]


async def sweep(connection: AsyncConnection, now: datetime) -> int:
    """Delete the orphans that nobody has claimed within ``KEPT_UNCLAIMED``; how many there were."""
    orphans = ~deposits.c.claimed & (deposits.c.deposited_at < now - KEPT_UNCLAIMED)
    return (await connection.execute(delete(deposits).where(orphans))).rowcount


# --- answers, while the window is open -----------------------------------------------------------------------------


async def put_answers(
    connection: AsyncConnection,
    run: SurveyRun,
    person: PersonId,
    side: Side,
    ratings: Mapping[str, int | None],
    comments: Mapping[str, str],
) -> None:
    """Keep a person's answers in place of earlier ones. They count only if the core takes the completion too.

    Raises:
        SurveyOver: the run has closed.
    """
    await _alone(connection, run)
    if await _over(connection, run):
        raise SurveyOver
    content = {"side": side.value, "ratings": dict(ratings), "comments": dict(comments)}
    known = await _response_of(connection, run, person)
    if known is not None:
        await connection.execute(update(answers).where(answers.c.response_id == known).values(**content))
        return
    response = _random_id()
    await connection.execute(insert(answer_links), {**run._asdict(), "person_id": person, "response_id": response})
    await connection.execute(insert(answers), {**run._asdict(), "response_id": response, **content})


async def my_answers(connection: AsyncConnection, run: SurveyRun, person: PersonId) -> MyAnswers | None:
    """What the person has answered; None where nothing is kept, and for everybody once the run has closed."""
    known = await _response_of(connection, run, person)
    if known is None:
        return None
    query = select(answers.c.ratings, answers.c.comments).where(answers.c.response_id == known)
    row = (await connection.execute(query)).one()
    return MyAnswers(ratings=row.ratings, comments=row.comments)


async def delete_answers(connection: AsyncConnection, run: SurveyRun, person: PersonId) -> bool:
    """Delete a person's answers; False where there were none, and for everybody once the run has closed."""
    await _alone(connection, run)
    known = await _response_of(connection, run, person)
    if known is None:
        return False
    await connection.execute(delete(answer_links).where(answer_links.c.response_id == known))
    await connection.execute(delete(answers).where(answers.c.response_id == known))
    return True


async def _over(connection: AsyncConnection, run: SurveyRun) -> bool:
    packed = select(packs.c.digest).where(_of(packs, run))
    this = (engagements.c.engagement_id == run.engagement_id) & (engagements.c.ended != "")
    ended = select(engagements.c.ended).where(this)
    return (await connection.execute(packed.union_all(ended))).first() is not None


async def _response_of(connection: AsyncConnection, run: SurveyRun, person: PersonId) -> str | None:
    query = select(answer_links.c.response_id).where(_of(answer_links, run), answer_links.c.person_id == person)
    return (await connection.execute(query)).scalar_one_or_none()


async def _alone(connection: AsyncConnection, run: SurveyRun) -> None:
    """Nobody else puts, deletes or closes in this run until the transaction ends.

    Without it an answer could be put, link and all, beside the close that destroys the links.
    """
    if connection.dialect.name != "sqlite":  # there, a writing transaction is alone from its beginning
        name = "answers/{}/{}/{}".format(*run)
        await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


# --- the close -----------------------------------------------------------------------------------------------------


async def close_survey(
    connection: AsyncConnection, run: SurveyRun, completed: Collection[PersonId]
) -> Sequence[AnswerSheet]:
    """Destroy the links and return the sheets, in an order that tells nothing; in one transaction with ``keep_pack``.

    Only answers of people in ``completed`` count; the others (their command was refused) are deleted.
    """
    await _alone(connection, run)
    linked = select(answer_links.c.person_id, answer_links.c.response_id).where(_of(answer_links, run))
    links = (await connection.execute(linked)).all()
    stray = [link.response_id for link in links if link.person_id not in completed]
    if stray:
        await connection.execute(delete(answers).where(answers.c.response_id.in_(stray)))
    await connection.execute(delete(answer_links).where(_of(answer_links, run)))
    await _part_comments(connection, run)
    rows = await _rewritten(connection, run)
    return [AnswerSheet(side=Side(row["side"]), ratings=row["ratings"]) for row in rows]


async def _rewritten(connection: AsyncConnection, run: SurveyRun) -> list[dict[str, Any]]:
    """The answers of a run under fresh ids, written again in an order drawn by lot."""
    found = (await connection.execute(select(answers.c.side, answers.c.ratings).where(_of(answers, run)))).all()
    rows = [
        {**run._asdict(), "response_id": _random_id(), "side": row.side, "ratings": row.ratings, "comments": {}}
        for row in _by_lot(found)
    ]
    await connection.execute(delete(answers).where(_of(answers, run)))
    if rows:
        await connection.execute(insert(answers), rows)
    return rows


async def _part_comments(connection: AsyncConnection, run: SurveyRun) -> None:
    """Take the comments from their answers: what somebody wrote would tell whose ratings they are."""
    found = (await connection.execute(select(answers.c.comments).where(_of(answers, run)))).scalars()
    written = [(question, text) for one in found for question, text in one.items() if text.strip()]
    rows = [
        {**run._asdict(), "comment_id": _random_id(), "question": question, "text": text}
        for question, text in _by_lot(written)
    ]
    if rows:
        await connection.execute(insert(comments), rows)


def abandoned(engagement: Engagement) -> set[SurveyRun]:
    """The runs that nobody will close: stopped, or overtaken by the end of the engagement or of their cycle."""
    runs = set()
    for cycle in (*engagement.past, engagement.cycle) if engagement.cycle else engagement.past:
        over = bool(engagement.ended) or cycle is not engagement.cycle
        for name, survey in cycle.diagnosis.surveys.items():
            if survey.opened and not survey.pack and (over or survey.stopped):
                runs.add(SurveyRun(engagement.id, cycle.number, name))
    return runs


async def abandon(connection: AsyncConnection, run: SurveyRun) -> None:
    """Delete the answers and comments of a run that nobody will close: no result can ever come of them."""
    await _alone(connection, run)
    for table in (answer_links, answers):
        await connection.execute(delete(table).where(_of(table, run)))


async def keep_pack(connection: AsyncConnection, run: SurveyRun, pack: Pack) -> str:
    """Store a pack and return the digest of its canonical bytes."""
    body = rfc8785.dumps(pack.model_dump(mode="json"))
    digest = digest_of(body)
    await connection.execute(insert(packs), {**run._asdict(), "pack": body.decode(), "digest": digest})
    return digest


async def pack_of(connection: AsyncConnection, run: SurveyRun) -> tuple[Pack, str] | None:
    """The pack of a run with its digest; None before it is computed. Whether it is released, the engagement says."""
    query = select(packs.c.pack, packs.c.digest).where(_of(packs, run))
    row = (await connection.execute(query)).one_or_none()
    return (Pack.model_validate_json(row.pack), row.digest) if row else None


async def comments_of(connection: AsyncConnection, run: SurveyRun) -> list[Comment]:
    """The comments of a closed run, for the facilitator alone; none before it has closed."""
    columns = comments.c.comment_id, comments.c.question, comments.c.text
    query = select(*columns).where(_of(comments, run)).order_by(comments.c.question, comments.c.comment_id)
    return [Comment(*row) for row in await connection.execute(query)]


async def remove_comment(connection: AsyncConnection, run: SurveyRun, comment_id: str) -> bool:
    """Delete a comment about somebody who can be recognised, before themes are written."""
    this = delete(comments).where(_of(comments, run), comments.c.comment_id == comment_id)
    return (await connection.execute(this)).rowcount > 0


def _of(table: Table, run: SurveyRun) -> ColumnElement[bool]:
    return (table.c.engagement_id == run.engagement_id) & (table.c.cycle == run.cycle) & (table.c.survey == run.survey)


def _random_id() -> str:
    return str(uuid4())  # random through and through: an id that counts or tells the time would order people


def _by_lot(rows: Sequence[Any]) -> list[Any]:
    return SystemRandom().sample(list(rows), len(rows))
