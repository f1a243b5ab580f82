"""The front door as people use it: HTTP with one's own token, and nothing else.

Every answer is kept until the engagement has moved on, so that nobody asks twice for what cannot have changed.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from cli.rehearsal.cast import Player
from programme.working_time import Calendar, Holiday

API = "/api/v1"
PATIENCE_SECONDS = 60.0
PAGE = 200
AGAIN_SECONDS = 0.2  # after a 202: nobody knows yet
ATTEMPTS = 50
Json = dict[str, Any]


class Refusal(Exception):  # noqa: N818 - an answer, not a fault
    """The programme said no. ``code`` is the refusal's name on the wire."""

    def __init__(self, who: str, what: str, problem: Json) -> None:
        self.code = str(problem.get("code", "Unreadable"))
        self.status = int(problem.get("status", 0))
        super().__init__(f"{who} asked for {what} and was refused ({self.code}): {problem.get('detail') or problem}")


@dataclass
class FrontDoor:
    """The API, with everybody's token. ``refused`` counts the refusals by their code."""

    http: httpx.AsyncClient
    tokens: Mapping[str, str]
    engagement_id: str = ""
    refused: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    _kept: dict[tuple[str, str], Any] = field(default_factory=dict)

    async def launch(self, player: Player, body: Json) -> Json:
        """Register the engagement."""
        answer = await self._send("POST", f"{API}/engagements", player, json=body)
        self.engagement_id = str(answer["engagement_id"])
        return answer

    async def ask(self, player: Player, command: str, body: Json) -> Json:
        """Send a command and return what was recorded. Raises Refusal."""
        answer = await self._send("POST", f"{self._base}/{kebab(command)}", player, json=body)
        self._kept.clear()
        return answer

    async def announce(self, player: Player, calendar: Calendar, late: Holiday) -> None:
        """Announce a day late, and wait until the programme has re-planned by it."""
        del calendar  # which follows from what was announced
        before = len(await self._replanned(player))
        await self._send("POST", f"{API}/holidays", player, json={"on": str(late.on), "name": late.name})
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(await self._replanned(player)) == before:  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(AGAIN_SECONDS)

    async def _replanned(self, player: Player) -> list[Json]:
        """How often the calendar has changed, as it is known now."""
        self._kept.clear()
        return await self.all_of(player, "history", kind="CalendarChanged")

    async def engagement(self, player: Player) -> Json:
        """The engagement as the person sees it."""
        return await self._read(player, self._base)

    async def all_of(self, player: Player, what: str, **query: str) -> list[Json]:
        """A whole list of the engagement: agenda, actions, sessions, measures, reviews, pairs, history."""
        return await self._pages(player, f"{self._base}/{what}", **query)

    async def inboxes(self, players: Sequence[Player]) -> list[list[Json]]:
        """Everybody's own tasks, read at once."""
        return await asyncio.gather(*(self._pages(player, f"{API}/tasks") for player in players))

    def moved_on(self) -> None:
        """Forget what was read: time has passed."""
        self._kept.clear()

    @property
    def _base(self) -> str:
        return f"{API}/engagements/{self.engagement_id}"

    async def _pages(self, player: Player, path: str, **query: str) -> list[Json]:
        found: list[Json] = []
        cursor: str | None = None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = await self._read(player, path, **query, limit=str(PAGE), **more)
            found += page["items"]
            cursor = page.get("next")
            if cursor is None:
                return found

    async def _read(self, player: Player, path: str, **query: str) -> Json:
        key = player.key, f"{path}?{query}"
        if key not in self._kept:
            self._kept[key] = await self._send("GET", path, player, params=query)
        kept: Json = self._kept[key]
        return kept

    async def _send(self, method: str, path: str, player: Player, **more: Any) -> Json:
        headers = {"Authorization": f"Bearer {self.tokens[player.key]}"}
        if method == "POST":
            self.asked += 1
        answer = await self.http.request(method, path, headers=headers, **more)
        for _ in range(ATTEMPTS):
            if answer.status_code not in {httpx.codes.ACCEPTED, httpx.codes.SERVICE_UNAVAILABLE}:
                break
            if answer.status_code == httpx.codes.ACCEPTED:
                headers["Idempotency-Key"] = answer.json()["idempotency_key"]
            await asyncio.sleep(AGAIN_SECONDS)
            answer = await self.http.request(method, path, headers=headers, **more)
        said: Json = answer.json()
        if answer.is_success:
            return said
        refusal = Refusal(player.key, f"{method} {path}", said)
        self.refused[refusal.code] += 1
        raise refusal


def kebab(command: str) -> str:
    """The name of a command in a path."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", command).lower()
