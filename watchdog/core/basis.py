"""What a verdict stands on, as a decision stores it, so that it can be judged again.

The windows stand in the verdict itself. Beside them are kept what the rule asks of them (its text
may change) and, for a rule that judges numbers as they stand, the elements that it was given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType

from watchdog.core.channels import EventSignal
from watchdog.core.probes import Probed
from watchdog.core.samples import Point
from watchdog.core.spec import Liveness, RatioThreshold, RuleSpec, Slo, ValueThreshold

MOST_POINTS = 1000
"""More elements than this are not kept: a decision is a row and no data base."""

SIGNALS: Mapping[str, type] = MappingProxyType(
    {
        kind.__name__: kind
        for kind in (Slo, RatioThreshold, ValueThreshold, Liveness, Probed, EventSignal)
    }
)


def basis_of(rule: RuleSpec, points: tuple[Point, ...]) -> dict[str, object]:
    """Plain data for `Decided.basis`; without points where there are too many to keep."""
    kept = len(points) <= MOST_POINTS
    return {
        "is": type(rule.signal).__name__,
        "signal": asdict(rule.signal),
        "minimum_events": rule.minimum_events,
        "points": [[list(map(list, p.labels)), p.value] for p in points] if kept else None,
    }
