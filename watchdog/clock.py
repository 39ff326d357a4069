"""The two clocks of a running process: wall time, and a steady one that goes on over restarts.

The steady clock is the kernel's boot-time clock (it counts suspended time and never steps) plus
an offset chosen at the start so that it goes on from where the last process left it: after a
restart of the process by exactly the time between, after a reboot by the wall clock's, which is
never taken to have gone back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from watchdog.core.words import Instant

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Left:
    """What the process before this one left: its newest instant, its boot, and the offset then."""

    at: Instant
    boot: str


@dataclass(frozen=True, slots=True)
class Kernel:
    """Which boot this is, and its clocks: seconds since the epoch, and since the boot."""

    boot: str
    wall: Callable[[], float]
    since_boot: Callable[[], float]


class SystemClock:
    """`ports.Clock` on this machine, or on the one whose kernel is given."""

    def __init__(self, kernel: Kernel | None = None) -> None:
        self._kernel = kernel or Kernel(boot_name(), time.time, _since_boot)
        self.boot = self._kernel.boot
        self._offset = 0.0

    def go_on_from(self, left: Left) -> None:
        """Set the offset, once, before anything is timed."""
        raw = self._kernel.since_boot()
        if self.boot and left.boot.startswith(f"{self.boot}@"):
            self._offset = float(left.boot.rpartition("@")[2])
        else:
            gone = max(0.0, self._kernel.wall() - left.at.wall)
            self._offset = left.at.steady + gone - raw
        # Whatever was said of boots, time does not go back.
        self._offset = max(self._offset, left.at.steady - raw)

    def shift(self, seconds: float) -> None:
        """Set the steady clock by what others who share the record count."""
        self._offset += seconds

    @property
    def name(self) -> str:
        """The boot and the offset, for `Left.boot` of the next process."""
        return f"{self.boot}@{self._offset!r}"

    def now(self) -> Instant:
        return Instant(self._kernel.wall(), self._kernel.since_boot() + self._offset)


def boot_name() -> str:
    """The kernel's boot id; empty where the sandbox hides it, which counts as another boot."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _since_boot() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
