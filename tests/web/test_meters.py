"""Counting: what each entry adds, and what a source that breaks its promises adds."""

from watchdog.core.words import Instant

NOW = Instant(1_700_000_000.0, 100.0)
