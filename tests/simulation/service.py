"""The watched service: its troubles, the numbers it shows, and what each rollback does to them.

A trouble is cured by one remedy alone, or by time; the ladder has to find out which. What the
sources delivered is kept here as the truth that the watchdog's own clocks are held against.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.simulation.machine import Held
from tests.simulation.world import EPOCH, World
from watchdog.core.samples import Answer, Failure, Fault, Point, Reading
from watchdog.core.spec import SourceSpec
from watchdog.core.words import Blind, Instant

BAD, GOOD = 0.4, 0.001
KEPT_DELIVERIES = 3000


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one poll gave the watchdog. `value` None: nothing that could be judged."""

    at: float  # true time at which it was asked for
    sampled_at: float
    value: float | None
    came_at: float  # true time at which it was there


Delivery = dict[str, deque[Delivered]]
"""By expression, all that a daemon was given."""


@dataclass(slots=True)
class Service:
    """`paused` and `live` are read from the targets; the troubles are this file's own."""

    world: World
    troubles: dict[str, float] = field(default_factory=dict)  # what it is -> until when
    flags_off: set[str] = field(default_factory=set)
    served: str = "build-0"
    bad_builds: set[str] = field(default_factory=set)
    delivered: Delivery = field(default_factory=dict)

    def suffers(self, trouble: str) -> bool:
        return self.troubles.get(trouble, -1.0) > self.world.now

    def errors(self) -> float:
        traffic = self.suffers("traffic") and "a" not in self.flags_off
        build = self.served in self.bad_builds
        bad = traffic or build or self.suffers("system") or self.suffers("passing")
        return BAD if bad else GOOD

    def latency(self) -> float:
        return BAD if self.suffers("traffic") and "a" not in self.flags_off else GOOD

    def peg(self) -> float:
        return BAD if self.suffers("peg") and "b" not in self.flags_off else GOOD

    def canary(self) -> float:
        return BAD if self.suffers("canary") else GOOD

    def value(self, expr: str) -> float:
        return {
            "errors": self.errors,
            "latency": self.latency,
            "peg": self.peg,
            "canary": self.canary,
        }[expr]()

    def document(self) -> dict[str, object]:
        return {
            "buildSha": self.served,
            "errors": self.errors(),
            "peg": self.peg(),
            "system": "down" if self.suffers("system") else "up",
        }


LAG_SECONDS = 60.0


class SimSource:
    """`ports.MetricSource`: answers, lags, lies by NaN, vanishes, hangs."""

    def __init__(
        self,
        spec: SourceSpec,
        service: Service,
        faults: SourceFaults,
        life: Held,
        kept: Delivery | None = None,
    ) -> None:
        self.name = spec.name
        self._every = spec.every_seconds
        self._service = service
        self._faults = faults
        self._life = life
        self._kept = service.delivered if kept is None else kept

    async def poll(self, at: Instant, wanted: Sequence[str]) -> Reading:
        self._life.point()
        world, asked_at = self._service.world, self._service.world.now
        kind = self._faults.now(self.name)
        if kind == "hangs":
            await asyncio.sleep(3600.0)
        await asyncio.sleep(0.02 + 0.05 * world.chance.random())
        self._life.alive()
        if kind == "fails":
            failure = Failure(Fault.PROVIDER, Blind.UNREACHABLE, "connection refused")
            self._keep(wanted, asked_at, asked_at, None)
            return Reading(self.name, at, world.now - asked_at, failure=failure)
        sampled = asked_at - (LAG_SECONDS if kind == "lags" else 0.0)
        if kind == "freezes":
            sampled = self._faults.since[self.name]
        answers = {}
        for expr in wanted:
            value = math.nan if kind == "nan" else self._service.value(expr)
            points = () if kind == "vanishes" else (Point((), value, EPOCH + sampled),)
            missing = (expr,) if kind == "vanishes" else ()
            newest = None if kind == "vanishes" else EPOCH + sampled
            answers[expr] = Answer(points, newest, missing)
            # By the clock that they have there: a wrong one may make what lags look new.
            old = at.wall - (EPOCH + sampled) > LAG_SECONDS / 2
            judged = None if kind in {"nan", "vanishes"} or (kind == "lags" and old) else value
            self._keep((expr,), asked_at, sampled, judged)
        return Reading(self.name, at, world.now - asked_at, answers=answers)

    def _keep(self, wanted: Sequence[str], at: float, sampled: float, value: float | None) -> None:
        for expr in wanted:
            kept = self._kept.setdefault(expr, deque(maxlen=KEPT_DELIVERIES))
            kept.append(Delivered(at, sampled, value, self._service.world.now))

    async def aclose(self) -> None: ...


KINDS = ("hangs", "fails", "lags", "freezes", "nan", "vanishes")


@dataclass(slots=True)
class SourceFaults:
    """What is wrong with each source, and until when."""

    world: World
    until: dict[str, float] = field(default_factory=dict)
    kind: dict[str, str] = field(default_factory=dict)
    since: dict[str, float] = field(default_factory=dict)
    hidden_until: dict[str, float] = field(default_factory=dict)

    def begin(self, source: str) -> None:
        kind = self.world.chance.choice(KINDS)
        if self.world.fault(f"source {source} {kind}"):
            self.kind[source] = kind
            self.since[source] = self.world.now
            self.until[source] = self.world.now + self.world.chance.choice((3.0, 10.0, 40.0, 120.0))

    def hide(self, source: str, seconds: float = float("inf")) -> None:
        """It cannot be reached, whatever else befalls it."""
        self.kind[source], self.since[source] = "fails", self.world.now
        self.hidden_until[source] = self.world.now + seconds

    def now(self, source: str) -> str:
        if self.hidden_until.get(source, -1.0) > self.world.now:
            return "fails"
        wrong = self.until.get(source, -1.0) > self.world.now and not self.world.calm
        return self.kind[source] if wrong else ""
