"""Become another program that the kernel kills when the thread that started it ends.

    python -IS die_with_parent.py PARENT_PID PROGRAM ARGUMENT...

Nothing of a sandbox outlives the test that started it, however that test ends, even by SIGKILL.
The pid stays the same across the exec, so the starter owns exactly the process it asked for. The
kernel watches the starting *thread*: start from one that lives as long as the process is needed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Bind to the parent, then exec. Ends at once when the parent is gone already."""
    parent, *command = sys.argv[1:]
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(parent):  # it died before the kernel was told
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
