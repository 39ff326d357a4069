"""Which daemons share the store, as far as could be told when it answered last.

Laws
* Who was not heard of for a lease is gone. That counts only while the store could be asked: one
  that did not answer has told us of nobody, so nobody is taken for gone before it was asked again.
* When it is back, each that was there has a lease's time to be heard of. Else whoever is first to
  reach it would find nobody: every host without its daemon, and none that knows less.
* Who has left in order is gone at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from watchdog.ports import Clock, Presence

SILENT_SECONDS = 1.5
"""More than lies between two meetings: meanwhile the others could not be heard of either."""


class Who:
    """Of one process. `lease_seconds` is how long somebody is there who was heard of."""

    def __init__(self, clock: Clock, lease_seconds: float) -> None:
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._there: tuple[Presence, ...] = ()
        self._met_at: float | None = None
        self._kept: frozenset[str] = frozenset()  # by name: there before the store was silent
        self._kept_until = 0.0

    @property
    def is_known(self) -> bool:
        """Whether the store was asked at all."""
        return self._met_at is not None

    def met(self, there: Sequence[Presence]) -> None:
        """It has answered: all who ever said that they are there, and when they said it last."""
        now = self._clock.now().steady
        if self._met_at is not None and now - self._met_at > SILENT_SECONDS:
            self._kept = frozenset(one.name for one in self._there if self._is_fresh(one))
            self._kept_until = now + self._lease_seconds
        self._there, self._met_at = tuple(there), now

    def heard_of(self) -> tuple[Presence, ...]:
        """Within a lease by now, as people are shown it."""
        return tuple(one for one in self._aged() if self._is_fresh(one))

    def counted(self) -> tuple[Presence, ...]:
        """Whom to reckon with: nobody is gone of whom that cannot be told."""
        now = self._clock.now().steady
        kept = self._kept if now < self._kept_until else frozenset[str]()
        return tuple(one for one in self._there if self._is_fresh(one) or one.name in kept)

    def _aged(self) -> tuple[Presence, ...]:
        gone = self._clock.now().steady - (self._met_at or 0.0)
        return tuple(replace(one, seconds_ago=one.seconds_ago + gone) for one in self._there)

    def _is_fresh(self, one: Presence) -> bool:
        return one.seconds_ago < self._lease_seconds
