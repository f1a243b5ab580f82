"""Diagnosis packs after their release, and the comments that the facilitator turns into themes."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from api.bodies import Text
from api.dependencies import Door, Member
from api.describing import problems
from api.errors import NoSuchEngagement, NotForYou, NothingHere
from api.seeing import Seen, seen
from programme.disclosure import Comparison, Pack, compare
from programme.reading import View
from programme.stages.diagnosis import DIAGNOSIS, REDIAGNOSIS, Survey, Theme
from store import confidential
from store.confidential import SurveyRun
from web.registers import cycles

router = APIRouter(tags=["packs"])
SurveyName = Annotated[str, Path(pattern=f"^({DIAGNOSIS}|{REDIAGNOSIS})$")]
CycleNumber = Annotated[int, Path(ge=1, le=1000)]


class PackListed(BaseModel):
    """A pack that is released: both sponsors and both sides saw it from that moment on."""

    cycle: int
    survey: str
    released: date


class PackShown(PackListed):
    """A diagnosis pack, with the facilitator's themes. What could tell who said what is absent."""

    digest: str
    pack: Pack
    themes: tuple[Theme, ...]


class CommentShown(BaseModel):
    """A comment without its writer."""

    comment_id: str
    question: str
    text: str


def _released(found: Seen) -> dict[tuple[int, str], Survey]:
    return {
        (cycle.number, name): survey
        for cycle in cycles(found.engagement)
        for name, survey in cycle.diagnosis.surveys.items()
        # A carried survey is the one before it, which stands under its own cycle.
        if survey.released is not None and not survey.carried
    }


@router.get("/packs", responses=problems(NoSuchEngagement, NotForYou))
async def list_packs(door: Door, visitor: Member) -> tuple[PackListed, ...]:
    """The packs that are released. Before that moment none exists for anybody."""
    found = await seen(door, visitor, View.PACK)
    return tuple(
        PackListed(cycle=number, survey=name, released=survey.released)
        for (number, name), survey in _released(found).items()
        if survey.released
    )


@router.get("/packs/{cycle}/{survey}", responses=problems(NoSuchEngagement, NotForYou, NothingHere))
async def read_pack(door: Door, visitor: Member, cycle: CycleNumber, survey: SurveyName) -> PackShown:
    """One pack, after its release."""
    found = await seen(door, visitor, View.PACK)
    run = _released(found).get((cycle, survey))
    if run is None or run.released is None:
        raise NothingHere
    pack, digest = await _pack(door, found, cycle, survey)
    return PackShown(cycle=cycle, survey=survey, released=run.released, digest=digest, pack=pack, themes=run.themes)


@router.get("/packs/{cycle}/{survey}/since/{earlier}/{earlier_survey}", responses=problems(NoSuchEngagement, NotForYou))
async def compare_packs(
    door: Door,
    visitor: Member,
    cycle: CycleNumber,
    survey: SurveyName,
    earlier: CycleNumber,
    earlier_survey: SurveyName,
) -> Comparison:
    """What may be shown of the change between two released packs."""
    found = await seen(door, visitor, View.PACK)
    if not {(cycle, survey), (earlier, earlier_survey)} <= _released(found).keys():
        raise NothingHere
    before, _ = await _pack(door, found, earlier, earlier_survey)
    after, _ = await _pack(door, found, cycle, survey)
    return compare(before, after)


async def _pack(door: Door, found: Seen, cycle: int, survey: str) -> tuple[Pack, str]:
    async with door.database.reading() as connection:
        kept = await confidential.pack_of(connection, SurveyRun(found.engagement.id, cycle, survey))
    if kept is None:
        raise NothingHere
    return kept


# --- comments ------------------------------------------------------------------------------------------------------


def _run(found: Seen) -> SurveyRun:
    """The questionnaire whose comments wait for themes: closed, and not yet themed."""
    for cycle in cycles(found.engagement):
        for name, survey in cycle.diagnosis.surveys.items():
            if survey.closed and not survey.themed and survey.released is None:
                return SurveyRun(found.engagement.id, cycle.number, name)
    raise NothingHere


@router.get("/comments", responses=problems(NoSuchEngagement, NotForYou, NothingHere))
async def read_comments(door: Door, visitor: Member) -> tuple[CommentShown, ...]:
    """The comments of a questionnaire that has closed, without their writers; for the facilitator, until the themes."""
    found = await seen(door, visitor, View.COMMENTS)
    async with door.database.reading() as connection:
        comments = await confidential.comments_of(connection, _run(found))
    return tuple(CommentShown(comment_id=one.comment_id, question=one.question, text=one.text) for one in comments)


@router.delete("/comments/{comment_id}", status_code=204, responses=problems(NoSuchEngagement, NotForYou, NothingHere))
async def remove_comment(door: Door, visitor: Member, comment_id: Annotated[Text, Path(max_length=80)]) -> None:
    """Delete a comment about somebody who can be recognised, before the themes are written."""
    found = await seen(door, visitor, View.COMMENTS)
    async with door.database.writing() as connection:
        if not await confidential.remove_comment(connection, _run(found), comment_id):
            raise NothingHere
