"""Candid words and answers: what never travels in a command, and what nobody can trace once a questionnaire has closed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from programme.disclosure import AnswerSheet, Pack
from programme.messages import PersonId, Side

KEPT_UNCLAIMED = timedelta(days=7)  # a command whose append waits for a database may be that late


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


async def deposit(  # noqa: PLR0913
    connection: AsyncConnection, engagement_id: str, author_id: PersonId, purpose: str, about: str, text: str
) -> str:
    """Keep candid words and return their reference; an orphan until an entry in the journal names it."""
    raise NotImplementedError


async def claim(connection: AsyncConnection, engagement_id: str, deposits: Collection[str]) -> None:
    """Keep these deposits for good: an entry in the journal names them. ``journal.append`` calls it."""
    raise NotImplementedError


async def read(connection: AsyncConnection, engagement_id: str, deposit_id: str) -> Deposit | None:
    """One deposit of this engagement. Who may read it is for the caller to decide."""
    raise NotImplementedError


async def sweep(connection: AsyncConnection) -> int:
    """Delete the orphans that nobody has claimed within ``KEPT_UNCLAIMED``; how many there were."""
    raise NotImplementedError


async def put_answers(  # noqa: PLR0913
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
    raise NotImplementedError


async def my_answers(connection: AsyncConnection, run: SurveyRun, person: PersonId) -> MyAnswers | None:
    """What the person has answered; None where nothing is kept, and for everybody once the run has closed."""
    raise NotImplementedError


async def delete_answers(connection: AsyncConnection, run: SurveyRun, person: PersonId) -> bool:
    """Delete a person's answers; False where there were none, and for everybody once the run has closed."""
    raise NotImplementedError


async def close_survey(
    connection: AsyncConnection, run: SurveyRun, completed: Collection[PersonId]
) -> Sequence[AnswerSheet]:
    """Destroy the links and return the sheets, in an order that tells nothing; in one transaction with ``keep_pack``.

    Only answers of people in ``completed`` count; the others (their command was refused) are deleted.
    """
    raise NotImplementedError


async def keep_pack(connection: AsyncConnection, run: SurveyRun, pack: Pack) -> str:
    """Store a pack and return the digest of its canonical bytes."""
    raise NotImplementedError


async def pack_of(connection: AsyncConnection, run: SurveyRun) -> tuple[Pack, str] | None:
    """The pack of a run with its digest; None before it is computed."""
    raise NotImplementedError


async def comments_of(connection: AsyncConnection, run: SurveyRun) -> list[Comment]:
    """The comments of a closed run, for the facilitator alone; none before it has closed."""
    raise NotImplementedError


async def remove_comment(connection: AsyncConnection, run: SurveyRun, comment_id: str) -> bool:
    """Delete a comment about somebody who can be recognised, before themes are written."""
    raise NotImplementedError
