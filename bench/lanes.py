"""A lane: one sandbox, broken again and again, and what its own counters and ledger say of it.

All instants are of the system's monotonic clock, which the sandbox notes beside each change and
computes its counters from; no process that is measured is asked for the time.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from itertools import count

from watchdog.sandbox.flags import REDEMPTION
from watchdog.sandbox.handle import Sandbox
from watchdog.sandbox.workload import Counts, Workload

WINDOW_SECONDS = 10.0
SHARE = 0.05
FAILING = 0.5
_STEP_SECONDS = 0.001
_TICK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Run:
    """One fault and its end."""

    began: float
    true_at: float  # when the rule became true on the exporter's own counters
    off_at: float
    by: str

    @property
    def fault_to_off(self) -> float:
        return self.off_at - self.began

    @property
    def remaining(self) -> float:
        """What it took after the rule was true: what a watcher can answer for."""
        return self.off_at - self.true_at


@dataclass(slots=True)
class Lane:
    """One sandbox and its runs so far. Each of the flags is switched off by a watcher of its own.

    Traffic stops with the redemption flag; that makes the rule no less true for those that watch
    for another flag's sake, since good events stop as well as bad ones.
    """

    name: str
    sandbox: Sandbox
    flags: tuple[str, ...] = (REDEMPTION,)
    runs: list[Run] = field(default_factory=list)

    async def season(self) -> None:
        """Some failures before the first run: a counter that stands at zero is a special case."""
        await self.sandbox.set_traffic(error_ratio=FAILING)
        await asyncio.sleep(0.2)
        await self.sandbox.mend_redemption()

    async def fault(self, at: float) -> None:
        """Half of the requests fail from about `at` on."""
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        await self.sandbox.break_redemption(FAILING)

    async def paused(self, deadline_seconds: float) -> None:
        """Wait until the flags are off, seldom asking: the ledger knows when they were."""
        async with asyncio.timeout(deadline_seconds):
            for flag in self.flags:
                while self.sandbox.is_enabled(flag):  # noqa: ASYNC110  # another process changes it
                    await asyncio.sleep(_TICK_SECONDS)
        workload = self.sandbox.workload
        began_epoch = workload.errors_began_at
        if began_epoch is None:
            raise RuntimeError(f"{self.name}: paused although nothing failed")
        began = workload.monotonic(began_epoch)
        true = true_at(workload, began)
        for flag in self.flags:
            change = self.sandbox.changes(flag)[-1]
            if change.monotonic < began:
                raise RuntimeError(f"{self.name}: {flag} was off before anything failed")
            self.runs.append(Run(began, true, change.monotonic, change.by))


def true_at(workload: Workload, began: float) -> float:
    """The first instant t, to a millisecond, at which on the exporter's own counters

    (bad(t) - bad(t - 10 s)) / (total(t) - total(t - 10 s)) > 5 %

    Raises RuntimeError when it never is.
    """
    for step in count():
        at = began + step * _STEP_SECONDS
        if _breached(workload.counts(at), workload.counts(at - WINDOW_SECONDS)):
            return at
        if at > began + WINDOW_SECONDS:
            raise RuntimeError("the fault never made the rule true")
    raise AssertionError


def _breached(now: Counts, before: Counts) -> bool:
    total = now.total - before.total
    return total > 0 and (now.bad - before.bad) / total > SHARE


def phases(number: int, interval_seconds: float) -> list[float]:
    """`number` random phases within one interval, one from each of as many equal parts, shuffled.

    Every watcher polls at a fixed phase, so this spreads the faults evenly over the time that it
    has to wait, whatever its phase is; pure chance would need many more runs for the same median.
    """
    chance = random.SystemRandom()
    spread = [(part + chance.random()) / number * interval_seconds for part in range(number)]
    chance.shuffle(spread)
    return spread
