"""Programme templates: what there is, what one of them says, what two of them mean for people, and what is offered."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.bodies import Strict, Text, Unfolded
from api.commands import IdempotencyKey, IfMatch, asking_of, hand_in
from api.dependencies import Caller, Door, FrontDoor, Member
from api.describing import problems
from api.errors import NoSuchEngagement, NoSuchTemplate, NotForYou
from api.seeing import whole
from programme.messages import SPONSORS, PersonId, Role
from programme.stages.renewal import NextStep, SuggestTemplate
from programme.template import ProgrammeTemplate
from programme.template_comparison import TemplateComparison, compare
from runtime.templates import TemplateError

router = APIRouter(tags=["templates"])
of_one = APIRouter(tags=["renewal"])
Name = Annotated[Text, Field(max_length=80)]


class TemplateListed(BaseModel):
    """A template that a launch may name."""

    name: str
    version: str
    title: str
    months: int = Field(description="The month of a cycle in which the questionnaire comes again.")
    sessions: int
    reviews: int


class TemplateOffer(BaseModel):
    """What both sponsors are offered for the next cycle, and what would differ from the running one."""

    name: str
    version: str
    title: str
    differences: TemplateComparison


class RenewalShown(BaseModel):
    """What comes next, as far as this reader may know it before both sponsors have decided."""

    asked: date | None = Field(description="Since when both sponsors are asked; null while they are not.")
    round: int
    decided: tuple[PersonId, ...] = Field(description="Whoever has decided in this round; what, nobody reads yet.")
    offered: TemplateOffer | None
    outcome: NextStep | None


class TemplateToOffer(Strict):
    """A template by its name."""

    template: Name


def named(door: FrontDoor, name: str) -> ProgrammeTemplate:
    """The newest template of a name. Raises NoSuchTemplate."""
    try:
        return door.templates.named(name)
    except TemplateError as error:
        raise NoSuchTemplate(str(error)) from None


@router.get("/templates", responses=problems())
async def list_templates(door: Door, caller: Caller) -> tuple[TemplateListed, ...]:
    """The templates that a launch may name. One that has a fault is left out; `olive template check` names it."""
    del caller
    found = []
    for name in door.templates.names():
        try:
            found.append(_listed(door.templates.named(name)))
        except TemplateError:
            continue
    return tuple(found)


def _listed(template: ProgrammeTemplate) -> TemplateListed:
    return TemplateListed(
        name=template.name,
        version=template.version,
        title=template.title,
        months=template.rediagnosis_month,
        sessions=len(template.sessions),
        reviews=len(template.reviews),
    )


@router.get("/templates/compare", responses=problems(NoSuchTemplate))
async def compare_templates(
    door: Door,
    caller: Caller,
    a: Annotated[str, Query(max_length=80, description="A template by its name.")],
    b: Annotated[str, Query(max_length=80, description="Another one: what it brings is said as against the first.")],
) -> TemplateComparison:
    """What differs between two templates, in sentences: for participants first."""
    del caller
    return compare(named(door, a), named(door, b))


@router.get("/templates/{name}", responses=problems(NoSuchTemplate))
async def read_template(door: Door, caller: Caller, name: str) -> ProgrammeTemplate:
    """Everything that a template says."""
    del caller
    return named(door, name)


@of_one.get("/renewal", responses=problems(NoSuchEngagement, NotForYou))
async def read_renewal(door: Door, visitor: Member) -> RenewalShown:
    """Where the decision about what comes next stands, and what differs in the template that is offered for it."""
    found = await whole(door, visitor)
    held = found.engagement.people[found.reader].roles() if found.reader in found.engagement.people else frozenset()
    if not held & (SPONSORS | {Role.PROGRAMME_MANAGER, Role.FACILITATOR, Role.AUDITOR}):
        raise NotForYou("the sponsors, the programme manager, the facilitator and auditors")
    if found.engagement.cycle is None:
        return RenewalShown(asked=None, round=0, decided=(), offered=None, outcome=None)
    renewal = found.engagement.cycle.renewal
    return RenewalShown(
        asked=renewal.asked,
        round=renewal.round,
        decided=tuple(renewal.decisions) if renewal.asked else (),
        offered=_offer(found.engagement.template, renewal.offered) if renewal.offered else None,
        outcome=renewal.outcome,
    )


def _offer(running: ProgrammeTemplate, offered: ProgrammeTemplate) -> TemplateOffer:
    names = {name: getattr(offered, name) for name in ("name", "version", "title")}
    return TemplateOffer(**names, differences=compare(running, offered))


async def suggest_template(
    door: Door,
    visitor: Member,
    body: TemplateToOffer,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Offer the newest template of a name."""
    command = SuggestTemplate(template=named(door, body.template))
    return await hand_in(door, asking_of(Unfolded(command, {}), visitor, if_match, idempotency_key))
