"""The front door from a terminal: an address, a token, and every no as a sentence."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import httpx

from runtime.settings import load_settings

API = "/api/v1"
SECONDS = 60.0
AGAIN_SECONDS = 1.0  # after a 202: nobody knows yet whether it was taken
PAGE = 200
Json = dict[str, Any]


class RemoteError(Exception):
    """The front door could not be reached, or said no; the text says what to do."""


class Remote:
    """A front door, and somebody's token. Use it as ``with Remote.from_environment() as remote``."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=SECONDS)

    @classmethod
    def from_environment(cls) -> Self:
        """OLIVE_URL and OLIVE_TOKEN; without them the stack that `olive up` runs in the present folder.

        Raises RemoteError: no token is known.
        """
        settings = load_settings()
        token, kept = os.environ.get("OLIVE_TOKEN", ""), settings.data_dir / "token"
        if not token and settings.is_development and kept.is_file():
            token = kept.read_text(encoding="ascii").strip()
        if not token:
            raise RemoteError("No token is known: set OLIVE_TOKEN to what `olive token` printed.")
        return cls(os.environ.get("OLIVE_URL") or settings.public_base_url, token)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def read(self, path: str, **query: Any) -> Any:
        """What stands at a path of the API. Raises RemoteError."""
        return self._answer("GET", path, params=query).json()

    def pages(self, path: str, *, most: int | None = None, **query: str) -> Iterator[Json]:
        """The items of a list, at most so many, page by page. Raises RemoteError."""
        cursor: str | None = ""
        while cursor is not None and (most is None or most > 0):
            size = str(PAGE if most is None else min(PAGE, most))
            page = self.read(path, **query, limit=size, **({"cursor": cursor} if cursor else {}))
            yield from page["items"]
            most = most and most - len(page["items"])
            cursor = page["next"]

    def send(self, path: str, key: str, **content: Any) -> Json:
        """Send something under a key that makes it happen once, until somebody knows that it did.

        Raises RemoteError.
        """
        while True:
            answer = self._answer("POST", path, headers={"Idempotency-Key": key}, **content)
            if answer.status_code != httpx.codes.ACCEPTED:
                said: Json = answer.json()
                return said
            time.sleep(AGAIN_SECONDS)

    def begin(self, path: str, **content: Any) -> Json:
        """Ask for something that then goes on by itself; what is known of it at once. Raises RemoteError."""
        said: Json = self._answer("POST", path, **content).json()
        return said

    def _answer(self, method: str, path: str, **content: Any) -> httpx.Response:
        with _in_words(self._http.base_url):
            answer = self._http.request(method, f"{API}{path}", **content)
        if answer.is_error:
            raise RemoteError("\n".join(_said(answer)))
        return answer


@contextmanager
def _in_words(url: httpx.URL) -> Iterator[None]:
    try:
        yield
    except httpx.HTTPError as error:
        message = f"Nobody answers at {url} ({type(error).__name__}). Start `olive up`, or set OLIVE_URL."
        raise RemoteError(message) from None


def _said(answer: httpx.Response) -> Iterator[str]:
    """A problem in lines: what to do, then each fault by its place."""
    try:
        problem = answer.json()
    except ValueError:
        yield f"The front door answered {answer.status_code}, and not in words of ours."
        return
    yield problem.get("detail") or problem.get("title") or f"The front door answered {answer.status_code}."
    for fault in problem.get("faults", ()):
        yield f"  line {fault['line']}: {fault['what']}"
    for error in problem.get("errors", ()):
        yield f"  {error['where']}: {error['what']}"
