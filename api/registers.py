"""The registers over HTTP: for each, its list and one item of it. What stands in them is said in ``web.registers``."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel

from api.dependencies import Door, FrontDoor, Member, PageOf, Pages, Visitor, cursor_at, place_of
from api.describing import problems
from api.errors import BadCursor, NoSuchEngagement, NotForYou, NothingHere
from api.seeing import Seen, seen, whole
from web.registers import REGISTERS, Register, latest, shown_as


async def _read(door: FrontDoor, visitor: Visitor, register: Register, shown: type[BaseModel]) -> dict[str, BaseModel]:
    at: Seen = await (seen(door, visitor, register.view) if register.view else whole(door, visitor))
    return latest(register.items(at.engagement, at.reader), shown, at.engagement.changes)


def register_router() -> APIRouter:
    """Two routes for each register: the list, and one item."""
    router = APIRouter(tags=["registers"])
    for register in REGISTERS:
        shown = shown_as(register.model)
        name = register.path.replace("-", "_")
        common: dict[str, Any] = {"methods": ["GET"], "responses": problems(NoSuchEngagement, NotForYou, BadCursor)}
        router.add_api_route(
            f"/{register.path}",
            _list(register, shown),
            name=f"list_{name}",
            description=register.about,
            response_model=PageOf[shown],  # type: ignore[valid-type]
            **common,
        )
        router.add_api_route(
            f"/{register.path}/{{item_id}}",
            _one(register, shown),
            name=f"read_{name}",
            description=f"{register.about} One of them, by its id.",
            response_model=shown,
            methods=["GET"],
            responses=problems(NoSuchEngagement, NotForYou, NothingHere),
        )
    return router


def _list(register: Register, shown: type[BaseModel]) -> Callable[..., Any]:
    async def endpoint(door: Door, visitor: Member, pages: Pages) -> PageOf[Any]:
        items = tuple((await _read(door, visitor, register, shown)).values())
        begin = place_of(pages.cursor)
        end = begin + pages.limit
        return PageOf(items=items[begin:end], next=cursor_at(end) if end < len(items) else None)

    return endpoint


def _one(register: Register, shown: type[BaseModel]) -> Callable[..., Any]:
    async def endpoint(door: Door, visitor: Member, item_id: Annotated[str, Path(max_length=300)]) -> BaseModel:
        found = (await _read(door, visitor, register, shown)).get(item_id)
        if found is None:
            raise NothingHere
        return found

    return endpoint
