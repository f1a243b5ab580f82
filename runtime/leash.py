"""Starts another program that cannot outlive whoever started it: `python -m runtime.leash PARENT PROGRAM ...`.

The kernel is asked to end this process with its parent, then the program takes this process's place; the
request survives that. A hook between fork and exec would do the same, and can deadlock where threads run.
Where the kernel has no such request (it is Linux's), `runtime.embedded` ends an orphan at its next start.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def run(parent: int, program: list[str]) -> None:
    """Become `program`, bound to the life of the process `parent`. Returns only if that has ended already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have ended before the request was made: then nobody would ever send the signal.
    if os.getppid() == parent:
        os.execv(program[0], program)  # noqa: S606 - the caller's own program, no shell


if __name__ == "__main__":
    run(int(sys.argv[1]), sys.argv[2:])
