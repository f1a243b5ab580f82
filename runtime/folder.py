"""What the embedded Temporal server leaves in its folder, for who looks for it: its ports, and the lock that it holds.

Apart from ``runtime/embedded.py``, whose libraries cost each process that starts 140 ms.
"""

import fcntl
import json
from pathlib import Path
from typing import IO

LOOPBACK = "127.0.0.1"
PORTS_FILE, LOCK_FILE = "ports.json", "server.lock"


def address_in(folder: Path) -> str | None:
    """Where the server of a folder listens, as `host:port`; None while none runs there.

    A copy of a folder has the ports of the first one, whose server may run: only who holds this folder's lock counts.
    """
    lock = folder / LOCK_FILE
    if not lock.exists():
        return None
    with lock.open("a+", encoding="ascii") as held:
        if is_free(held):
            return None
    ports = json.loads((folder / PORTS_FILE).read_text(encoding="utf-8"))
    return f"{LOOPBACK}:{ports['server']}"


def is_free(lock: IO[str]) -> bool:
    """Take a lock that nobody holds, until its file is closed; False where somebody holds it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
