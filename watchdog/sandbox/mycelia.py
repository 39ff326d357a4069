"""What the running app is: its flags, its faults, and the traffic that follows from them.

The traffic file is written in the same step as the flag that steers it; after a death between the
two the flag decides, since the traffic is shaped by it anew at every start.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watchdog.sandbox import workload as workloads
from watchdog.sandbox.faults import FaultBook
from watchdog.sandbox.flags import REDEMPTION, Flag, FlagBook

if TYPE_CHECKING:
    from watchdog.sandbox.places import Places
    from watchdog.sandbox.workload import Workload


@dataclass(frozen=True, slots=True)
class FirstDay:
    """The traffic of the first day, and how its counters are exposed."""

    rate_per_second: float
    error_series_from_start: bool
    unrelated_series: int


@dataclass(frozen=True, slots=True)
class Wish:
    """What a PUT asks a flag to be."""

    enabled: bool
    value: int | None


class Mycelia:
    """The state of the running app: flags, faults and the traffic that follows from them."""

    def __init__(self, places: Places, first: FirstDay) -> None:
        self.places = places
        self.first = first
        self.flags = FlagBook(places.flag_ledger)
        self.faults = FaultBook(places.faults)
        redemption = self.flags.stored(REDEMPTION)
        self.workload = self._next_workload()
        self.shape_traffic(flowing=redemption is not None and redemption.enabled)

    def shape_traffic(self, **present: Any) -> None:
        """Change the traffic from this instant on, for every process that serves counters."""
        self.workload = self.workload.changed(time.monotonic(), **present)
        workloads.save(self.places.workload, self.workload)

    def start_over(self) -> None:
        """As on the first day: flags, counts, faults, traffic and counters."""
        self.flags.forget()
        self.faults.clear()
        self.workload = self._first_workload()
        workloads.save(self.places.workload, self.workload)

    def put_flag(self, name: str, wish: Wish, by: str) -> Flag:
        """Apply a wish. The traffic follows the redemption flag in the same step."""
        before = self.flags.stored(name)
        flag = self.flags.put(name, enabled=wish.enabled, value=wish.value, by=by)
        if name == REDEMPTION and before != flag:
            self.shape_traffic(flowing=flag.enabled)
        return flag

    def state(self) -> dict[str, Any]:
        """Everything at this instant, for the control port."""
        flags = (self.flags.stored(name) for name in self.flags.names())
        counts = self.workload.counts(time.monotonic())
        now = self.workload.now
        return {
            "flags": {flag.name: flag.document() for flag in flags if flag is not None},
            "faults": self.faults.documents(),
            "traffic": {
                "rate_per_second": now.rate_per_second,
                "error_ratio": now.error_ratio,
                "latency_seconds": now.latency_seconds,
                "flowing": now.flowing,
                "requests": counts.total,
                "errors": counts.bad,
            },
            "errors_began_at": self.workload.errors_began_at,
        }

    def _next_workload(self) -> Workload:
        # What was broken stays broken across a restart; only the counters begin anew.
        previous = workloads.load(self.places.workload)
        return self._first_workload() if previous is None else self._born(previous.now)

    def _first_workload(self) -> Workload:
        healthy = workloads.Segment(
            since_monotonic=0.0,
            rate_per_second=self.first.rate_per_second,
            error_ratio=0.0,
            latency_seconds=0.02,
            flowing=True,
        )
        return self._born(healthy)

    def _born(self, segment: workloads.Segment) -> Workload:
        return workloads.born_now(
            segment,
            error_series_from_start=self.first.error_series_from_start,
            unrelated_series=self.first.unrelated_series,
        )
