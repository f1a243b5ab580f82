"""Temporal on this machine alone: the development server for `olive up`, the time-skipping server for rehearsals.

Both come as wheels, so nothing is downloaded when the product starts. Both listen on loopback only.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import structlog
from temporalio.service import ConnectConfig, ServiceClient
from temporalio.testing import WorkflowEnvironment

from runtime.folder import LOCK_FILE, LOOPBACK, PORTS_FILE, is_free
from runtime.payloads import CONVERTER
from runtime.settings import TEMPORAL_NAMESPACE

START_SECONDS = 30.0  # It takes 0.3 s; a busy machine takes longer, a broken server never answers.
STOP_SECONDS = 10.0
POLL_SECONDS = 0.05
ORPHAN_SECONDS = 10.0
RESTART_SECONDS = (0.1, 5.0)  # First and longest wait before a server that ended by itself is started again.
# Below the ranges from which Linux and macOS take the port of an outgoing connection, so that a port which was
# free last week is still free today and links to Temporal's pages keep working.
PORTS = range(20_000, 30_000)

# One update in flight a person: twenty finishing in the same moment met the server's limit of 10, and
# it then refused workflow tasks (91 steps a second; 323 with this).
DYNAMIC_CONFIG = ("history.maxInFlightUpdates=1000",)
# An acknowledged step must survive a power cut (synchronous=2), and readers must not stop writers (WAL).
SQLITE_PRAGMAS = ("journal_mode=wal", "synchronous=2")
OTEL = "OTEL_"  # what ours are told to report; the server reads it too, and ends over an exporter that it lacks

log = structlog.get_logger(component="temporal")


class EmbeddedTemporalError(Exception):
    """The embedded server could not be found or started, or its folder is in use; the text says which."""


def find_program(name: str) -> str:
    """Path of a program that one of our wheels installed, also when the environment is not activated.

    Raises EmbeddedTemporalError.
    """
    beside_python = str(Path(sys.executable).parent)
    found = shutil.which(name, path=beside_python) or shutil.which(name)
    if found is None:
        raise EmbeddedTemporalError(f"the program {name} is not installed: run `make run`, which installs it")
    return found


class EmbeddedTemporal:
    """A Temporal development server for as long as the block lasts, all its data in one folder.

    A server that ends by itself (out of memory, `kill -9`) is started again on the same ports with the same
    file; clients reconnect. It ends with this process, however that ends (on Linux: with the thread that entered
    the block, so enter it on the main one). `address` is `host:port`; `ui_url` opens
    Temporal's own pages. Both stay the same for a folder.

    Entering raises EmbeddedTemporalError: no program, another process uses the folder, or no answer.
    """

    def __init__(self, folder: Path, *, namespace: str = TEMPORAL_NAMESPACE) -> None:
        self._folder = folder
        self._namespace = namespace
        self._port = self._ui_port = 0
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._claim: IO[str] | None = None

    @property
    def address(self) -> str:
        """Where clients connect, as `host:port`."""
        return f"{LOOPBACK}:{self._port}"

    @property
    def ui_url(self) -> str:
        """Temporal's own pages about the engagements of this folder."""
        return f"http://{LOOPBACK}:{self._ui_port}/namespaces/{self._namespace}"

    @property
    def pid(self) -> int:
        """Process id of the server that runs now; another one after it was started again."""
        if self._process is None:
            raise EmbeddedTemporalError("the embedded Temporal server is not running")
        return self._process.pid

    async def __aenter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._claim = _claim(self._folder / "owner.lock")
        try:
            await _end_orphan(self._folder / LOCK_FILE)
            await self._start_on_free_ports()
        except BaseException:
            await self._stop()
            raise
        self._keeper = asyncio.create_task(self._keep_running(), name="embedded-temporal")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._keeper is not None:
                self._keeper.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await self._keeper
        finally:
            await self._stop()

    async def _start_on_free_ports(self) -> None:
        stored = self._folder / PORTS_FILE
        self._port, self._ui_port = _ports(stored)
        stored.write_text(json.dumps({"server": self._port, "ui": self._ui_port}), encoding="utf-8")
        await self._start()

    async def _start(self) -> None:
        """Start the server and wait until it answers. Raises EmbeddedTemporalError with the end of its log."""
        log_path = self._folder / "server.log"
        if log_path.exists():
            log_path.replace(self._folder / "server.previous.log")
        lock = (self._folder / LOCK_FILE).open("a+", encoding="ascii")
        with log_path.open("wb") as output, lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # nobody has it for longer than `folder.address_in` looks
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "runtime.leash", str(os.getpid()), *self._command()),
                cwd=Path(__file__).parent.parent,
                env={name: value for name, value in os.environ.items() if not name.startswith(OTEL)},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # The server inherits the lock: whoever finds it taken knows that the process in it is alive.
                pass_fds=(lock.fileno(),),
                # Its own group, so that Ctrl-C reaches us first and the worker may still finish what it does.
                start_new_session=True,
            )
            lock.truncate(0)
            lock.write(str(self._process.pid))
        await self._wait_until_ready(self._process, log_path)

    def _command(self) -> list[str]:
        command = [find_program("temporal"), "server", "start-dev", "--ip", LOOPBACK, "--port", str(self._port)]
        # What a person set for Temporal's command line is meant for another server.
        command += ["--disable-config-env", "--disable-config-file"]
        command += ["--ui-port", str(self._ui_port), "--ui-disable-news-fetch", "--namespace", self._namespace]
        command += ["--db-filename", str((self._folder / "temporal.sqlite3").absolute()), "--log-level", "warn"]
        for pragma in SQLITE_PRAGMAS:
            command += ["--sqlite-pragma", pragma]
        for value in DYNAMIC_CONFIG:
            command += ["--dynamic-config-value", value]
        return command

    async def _wait_until_ready(self, process: asyncio.subprocess.Process, log_path: Path) -> None:
        try:
            async with asyncio.timeout(START_SECONDS):
                while process.returncode is None:
                    if await _answers(self.address):
                        return
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            reason = f"did not answer within {START_SECONDS:.0f} s"
        else:
            reason = f"ended with status {process.returncode}"
        raise EmbeddedTemporalError(f"the embedded Temporal server {reason}; the end of its log:\n{_end_of(log_path)}")

    async def _keep_running(self) -> None:
        wait, longest = RESTART_SECONDS
        while self._process is not None:
            await self._process.wait()
            log.warning("temporal server ended and is started again")
            try:
                await self._start()
                wait = RESTART_SECONDS[0]
            except (EmbeddedTemporalError, OSError):
                log.exception("temporal server does not start")
                await self._end_process()
                await asyncio.sleep(wait)
                wait = min(wait * 2, longest)

    async def _stop(self) -> None:
        await self._end_process()
        self._process = None
        if self._claim is not None:
            self._claim.close()
            self._claim = None

    async def _end_process(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


@contextlib.asynccontextmanager
async def time_skipping_temporal() -> AsyncIterator[WorkflowEnvironment]:
    """A test server whose clock jumps over waiting, for as long as the block lasts.

    Its clock is one for all who use it, and it lists, counts and schedules nothing. It keeps nothing either, so if
    this process is killed outright the server that stays behind holds no file and no data of anybody.
    """
    environment = await WorkflowEnvironment.start_time_skipping(
        data_converter=CONVERTER,
        test_server_existing_path=find_program("temporal-test-server"),
    )
    async with environment:
        yield environment


def _claim(path: Path) -> IO[str]:
    """Take the folder for this process until the file is closed. Raises EmbeddedTemporalError if it is taken."""
    claim = path.open("a+", encoding="ascii")
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        claim.close()
        raise EmbeddedTemporalError(
            f"another process already runs Temporal in {path.parent}: stop it, or choose another OLIVE_DATA_DIR"
        ) from None
    return claim


async def _end_orphan(path: Path) -> None:
    """End a server whose parent was killed before it could: two servers must never share a file."""
    with path.open("a+", encoding="ascii") as lock:
        deadline = asyncio.get_running_loop().time() + ORPHAN_SECONDS
        while not is_free(lock):
            lock.seek(0)
            pid = lock.read().strip()
            # The lock is inherited, so as long as it is taken the number belongs to the server, not to a stranger.
            if pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            if asyncio.get_running_loop().time() > deadline:
                raise EmbeddedTemporalError(f"an earlier Temporal server (process {pid}) uses {path.parent}: end it")
            await asyncio.sleep(POLL_SECONDS)
        lock.truncate(0)


def _ports(stored: Path) -> tuple[int, int]:
    """The ports of last time, or new ones where somebody else listens there now."""
    before = json.loads(stored.read_text(encoding="utf-8")) if stored.exists() else {}
    server = _usable(before.get("server"), other_than=None)
    return server, _usable(before.get("ui"), other_than=server)


def _usable(preferred: int | None, *, other_than: int | None) -> int:
    candidate = preferred or secrets.choice(PORTS)
    while candidate == other_than or not _can_bind(candidate):
        candidate = secrets.choice(PORTS)
    return candidate


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _end_of(log_path: Path) -> str:
    return "\n".join(log_path.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])


async def _answers(address: str) -> bool:
    config = ConnectConfig(target_host=address, tls=False)
    try:
        service = await ServiceClient.connect(config)
        return bool(await service.check_health())
    except RuntimeError:
        return False
