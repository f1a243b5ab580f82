"""Answers to the questionnaire: they go from the request into the confidential store, and nowhere else.

Not into a command, not into a digest of one, not into what is remembered of a request: nothing that outlives the close
of the questionnaire may lead from an answer to a person.
"""

from typing import NamedTuple

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from api.dependencies import Door, FrontDoor, Member, Visitor
from api.describing import problems
from api.errors import NoSuchEngagement, NothingHere
from programme.engagement import Engagement
from programme.messages import Side
from programme.stages import diagnosis
from store import confidential, read_model
from store.confidential import SurveyOver, SurveyRun


class OpenQuestionnaire(NamedTuple):
    """The run that takes answers now, and the side for which this person answers."""

    run: SurveyRun
    side: Side


class AnswersSent(BaseModel):
    """What you answered. It can be read, changed and deleted until the questionnaire closes, and by nobody else."""

    survey: str
    ratings: dict[str, int | None]
    comments: tuple[str, ...]


def open_for(engagement: Engagement | None, visitor: Visitor) -> OpenQuestionnaire | None:
    """The questionnaire that this person can answer now."""
    found = diagnosis.current(engagement) if engagement else None
    if engagement is None or found is None or not found[1].open:
        return None
    person = engagement.people.get(visitor.person_id)
    if person is None or person.side is None:
        return None
    return OpenQuestionnaire(SurveyRun(engagement.id, engagement.running.number, found[0]), person.side)


async def keep(door: FrontDoor, visitor: Visitor, answers: BaseModel) -> None:
    """Keep somebody's answers in place of earlier ones. Where none are taken, the core will say so."""
    sent = answers.model_dump()
    comments = {str(number): text for number, text in enumerate(sent["comments"], start=1) if text.strip()}
    async with door.database.writing() as connection:
        found = open_for(await read_model.standing(connection, visitor.engagement_id), visitor)
        if found is None:
            return
        try:
            await confidential.put_answers(
                connection, found.run, visitor.person_id, found.side, sent["ratings"], comments
            )
        except SurveyOver:
            return


async def delete(connection: AsyncConnection, visitor: Visitor) -> None:
    """Delete somebody's answers, if the questionnaire still knows whose they are."""
    found = open_for(await read_model.standing(connection, visitor.engagement_id), visitor)
    if found is not None:
        await confidential.delete_answers(connection, found.run, visitor.person_id)


router = APIRouter(tags=["answers"])


@router.get("/answers", responses=problems(NoSuchEngagement, NothingHere))
async def read_answers(door: Door, visitor: Member) -> AnswersSent:
    """Your own answers, while the questionnaire is open. Afterwards nobody can find them any more."""
    async with door.database.reading() as connection:
        found = open_for(await read_model.standing(connection, visitor.engagement_id), visitor)
        kept = await confidential.my_answers(connection, found.run, visitor.person_id) if found else None
    if found is None or kept is None:
        raise NothingHere
    comments = tuple(kept.comments.get(str(number + 1), "") for number in range(_asked(door)))
    return AnswersSent(survey=found.run.survey, ratings=kept.ratings, comments=comments)


def _asked(door: FrontDoor) -> int:
    return len(door.questionnaire.free_text_optional)
