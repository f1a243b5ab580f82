"""The processes of `olive up` and of a rehearsal: a worker and an API beside a Temporal server, one process group.

Each is `python -m worker` or `python -m api`, as in production; a process that dies is started again, and none outlives
whoever started it.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import structlog

STOP_SECONDS = 15.0
READY_SECONDS = 60.0
POLL_SECONDS = 0.1
AGAIN_SECONDS = 0.5  # before a process that died is started again

log = structlog.get_logger(component="up")


class ProcessError(Exception):
    """A process of the stack did not come up; the text says which and where its log is."""


class Kept:
    """A process that is kept running until it is asked to stop."""

    def __init__(self, module: str, environment: Mapping[str, str], log_file: Path) -> None:
        self._module = module
        self._environment = {**os.environ, **environment}
        self._log_file = log_file
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The process id that it has now; another one after it died and was started again."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start it, and keep it running."""
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Ask it to stop, and end it if it does not."""
        self._stopping = True
        if self._keeper:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _spawn(self) -> None:
        # The leash ends it with us, whatever ends us; its own session keeps a Ctrl-C at the terminal for us alone.
        command = [sys.executable, "-m", "runtime.leash", str(os.getpid()), sys.executable, "-m", self._module]
        with self._log_file.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *command, env=self._environment, stdout=output, stderr=output, process_group=0
            )

    async def _keep(self) -> None:
        while not self._stopping and self._process is not None:
            await self._process.wait()
            log.warning("a process ended and is started again", component=self._module)
            await asyncio.sleep(AGAIN_SECONDS)
            await self._spawn()


@asynccontextmanager
async def running(environment: Mapping[str, str], folder: Path) -> AsyncIterator[tuple[Kept, Kept]]:
    """A worker and an API for as long as the block lasts; logs go to ``folder``."""
    _make(folder)
    worker = Kept("worker", environment, folder / "worker.log")
    api = Kept("api", environment, folder / "api.log")
    try:
        await worker.start()
        await api.start()
        yield worker, api
    finally:
        await asyncio.gather(api.stop(), worker.stop())


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


async def until_ready(url: str, folder: Path) -> None:
    """Wait until the API says that database, Temporal and a worker are there.

    Raises ProcessError after a minute.
    """
    async with httpx.AsyncClient(timeout=5.0) as client:
        deadline = asyncio.get_running_loop().time() + READY_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            with suppress(httpx.HTTPError):
                if (await client.get(f"{url}/readyz")).status_code == httpx.codes.OK:
                    return
            await asyncio.sleep(POLL_SECONDS)
    raise ProcessError(f"the programme did not come up within {READY_SECONDS:.0f} seconds: see the logs in {folder}")
