"""One command from its start to its end, and what it took of the machine.

The kernel's own account of the process: its processor seconds hardly depend on what else the
machine does, its wall seconds do. It is limited in memory, so that a measure that needs too much
of it fails, and not the machine.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_MOST_BYTES = 8 << 30  # of address space


@dataclass(frozen=True, slots=True)
class Ran:
    """An ended command. `text` is what it printed, its errors as well where it failed."""

    wall_seconds: float
    cpu_seconds: float  # user and system, of all its threads
    peak_mebibytes: float  # resident
    status: int
    text: str

    @property
    def told(self) -> str:
        return (
            f"took {self.wall_seconds:.1f} s, {self.cpu_seconds:.1f} s of a processor, "
            f"and at most {self.peak_mebibytes:.0f} MiB"
        )


async def run(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], *, deadline_seconds: float
) -> Ran:
    """Run it in the folder; one that is not done in time is killed, and its status tells so."""
    return await asyncio.to_thread(_run, words, folder, environment, deadline_seconds)


def _run(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], deadline_seconds: float
) -> Ran:
    limited = ("prlimit", f"--as={_MOST_BYTES}", *words)
    with (folder / "printed.out").open("w+b") as out, (folder / "printed.err").open("w+b") as err:
        began = time.perf_counter()
        process = subprocess.Popen(
            limited, cwd=folder, env={**os.environ, **environment}, stdout=out, stderr=err
        )
        deadline = threading.Timer(deadline_seconds, process.kill)
        deadline.start()
        try:
            # Not `wait`: this one tells what was used, of this process alone.
            _, status, used = os.wait4(process.pid, 0)
        finally:
            deadline.cancel()
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        text = (out.read() + (err.read() if process.returncode else b"")).decode(errors="replace")
    cpu = used.ru_utime + used.ru_stime
    return Ran(seconds, cpu, used.ru_maxrss / 1024, process.returncode, text)
