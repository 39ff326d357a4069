"""Counter windows: running sums over time, whose cost does not grow with the window."""

from watchdog.core.windows.tally import WHOLE, Observation, Tally, bucket_seconds, position

__all__ = ["WHOLE", "Observation", "Tally", "bucket_seconds", "position"]
