"""Counter windows: running sums over time, whose cost does not grow with the window."""

from watchdog.core.windows.tally import (
    WHOLE,
    Counted,
    Observation,
    Tally,
    bucket_seconds,
    period_bucket_seconds,
    position,
)

__all__ = [
    "WHOLE",
    "Counted",
    "Observation",
    "Tally",
    "bucket_seconds",
    "period_bucket_seconds",
    "position",
]
