"""What was: samples of the past, from a metrics system or a file, as the readings of a daemon."""

from watchdog.lab.history.feed import Feed
from watchdog.lab.history.openmetrics import read_openmetrics
from watchdog.lab.history.tracks import Bad, Held, History, Span, Track

__all__ = ["Bad", "Feed", "Held", "History", "Span", "Track", "read_openmetrics"]
