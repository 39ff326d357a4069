"""The simulated world: one time, one source of chance, one list of what happens when.

Everything that is not the watchdog happens as an event of this world: a person orders something, a
request that was under way takes effect, a disk fills up. Whatever depends on chance draws from
`chance`, so that one seed gives one trace.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter, deque
from collections.abc import Callable
from random import Random

EPOCH = 1_790_000_000.0
"""The true wall time at which every world begins."""

KEPT_LINES = 400


class Killed(SystemExit):
    """SIGKILL: nothing of the process runs any further. asyncio lets this kind through."""


class Over(SystemExit):
    """The world's time has come to its end."""


class World:
    """Time in true seconds since the beginning; `now` only grows."""

    def __init__(self, seed: int, *, loud: bool = False) -> None:
        self.seed = seed
        self.chance = Random(seed)  # noqa: S311  # it must be the same again
        self.now = 0.0
        self.calm = False  # no new faults any more: what must come about has to come about now
        self.counts: Counter[str] = Counter()
        self.violations: list[str] = []
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)
        self.first: tuple[str, ...] = ()  # the lines up to the first violation
        self._loud = loud
        self._hash = hashlib.sha256()
        self._events: list[tuple[float, int, str, Callable[[], None]]] = []
        self._number = 0

    # -- what happens ------------------------------------------------------------------------------

    def after(self, seconds: float, what: str, do: Callable[[], None]) -> None:
        """`do` happens so many seconds from now; `what` stands in the trace, if it is not empty."""
        self._number += 1
        heapq.heappush(self._events, (self.now + seconds, self._number, what, do))

    @property
    def next_at(self) -> float:
        return self._events[0][0] if self._events else float("inf")

    def step(self) -> None:
        """The next event happens."""
        at, _, what, do = heapq.heappop(self._events)
        self.now = max(self.now, at)
        if what:
            self.tell(what)
        do()

    def pass_until(self, at: float) -> None:
        """Time goes on without the watchdog: it is down, suspended or stopped."""
        while self.next_at <= at:
            self.step()
        self.now = max(self.now, at)

    # -- chance ------------------------------------------------------------------------------------

    def happens(self, share: float) -> bool:
        """A fault: drawn only while faults still happen."""
        return not self.calm and self.chance.random() < share

    def fault(self, what: str, share: float = 1.0, *, whose: str = "") -> bool:
        """The same, counted and told."""
        if not self.happens(share):
            return False
        self.counts["faults"] += 1
        self.counts[f"fault: {what}"] += 1
        self.tell(f"FAULT {whose}: {what}" if whose else f"FAULT {what}")
        return True

    # -- what is told ------------------------------------------------------------------------------

    def tell(self, what: str) -> None:
        """One line of the trace."""
        line = f"{self.now:12.4f}  {what}"
        self._hash.update(line.encode() + b"\n")
        self.lines.append(line)
        if self._loud:
            print(line, flush=True)  # noqa: T201  # asked for with --trace

    def violated(self, law: str, how: str) -> None:
        """A property does not hold."""
        self.tell(f"VIOLATION {law}: {how}")
        self.violations.append(f"{law}: {how}")
        self.first = self.first or tuple(self.lines)

    @property
    def trace(self) -> str:
        """Names everything that happened, in its order."""
        return self._hash.hexdigest()
