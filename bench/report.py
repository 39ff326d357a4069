"""What a measure is: a line of JSON that can be checked, with the conditions it was made under."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

_DIGITS = 4


def progress(text: str) -> None:
    """For the person who waits; never on stdout."""
    print(text, file=sys.stderr, flush=True)


def percentile(values: Sequence[float], percent: float) -> float:
    """By linear interpolation between the two nearest of the sorted values."""
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=1000, method="inclusive")[round(percent * 10) - 1]


def p50(values: Sequence[float]) -> float:
    return percentile(values, 50)


def spread(values: Sequence[float]) -> dict[str, float]:
    """The numbers that are told of a set of runs."""
    return {
        "p50": p50(values),
        "p95": percentile(values, 95),
        "min": min(values),
        "max": max(values),
    }


def machine() -> dict[str, Any]:
    """Where it was measured, and how busy that was: other people's work counts in the numbers."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "load_1m_5m_15m": os.getloadavg(),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


@dataclass(frozen=True, slots=True)
class Measure:
    """One line. `ratio` is ours / peer; both are null where there is no peer."""

    name: str
    ours: float
    peer: float | None
    unit: str
    runs: int
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        return None if self.peer is None else self.ours / self.peer

    def line(self) -> str:
        document = {
            "name": self.name,
            "ours": self.ours,
            "peer": self.peer,
            "ratio": self.ratio,
            "unit": self.unit,
            "runs": self.runs,
            **self.more,
            "machine": machine(),
        }
        return json.dumps(_rounded(document), allow_nan=False)


def _rounded(value: Any) -> Any:
    """Numbers to significant digits; a benchmark has no more of them."""
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    return value
