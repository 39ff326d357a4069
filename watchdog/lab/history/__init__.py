"""What was: samples of the past, from a metrics system or a file, as the readings of a daemon."""

from watchdog.lab.history.cache import Cache
from watchdog.lab.history.feed import Feed
from watchdog.lab.history.openmetrics import read_openmetrics
from watchdog.lab.history.prometheus import PrometheusHistory
from watchdog.lab.history.tracks import Bad, Held, History, Span, Track

__all__ = [
    "Bad",
    "Cache",
    "Feed",
    "Held",
    "History",
    "PrometheusHistory",
    "Span",
    "Track",
    "read_openmetrics",
]
