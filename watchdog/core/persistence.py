"""How long a rule has been breached, and how long it has been quiet: `for` and `keep_firing`.

The law (DESIGN section 4): `for` adds up gaps of at most two intervals between valid breached
samples. Blindness adds nothing and takes nothing away, unless it lasts longer than `for` itself:
then counting starts again. Only HEALTHY sets it back otherwise.

`at` is the time of the verdict's samples (`Verdict.at`), so passing one verdict twice adds
nothing. Both clocks are plain numbers on the steady clock and survive a restart as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.core.words import Instant, Status

_ROUNDING_SECONDS = 1e-6  # what adding up gaps may lose
_JITTER = 0.1  # of an interval: one missed poll makes two intervals and a few milliseconds


def longest_gap_seconds(every_seconds: float) -> float:
    """The longest time between two samples that still counts as watched without a break."""
    return every_seconds * (2 + _JITTER)


@dataclass(frozen=True, slots=True)
class BreachClock:
    """Times are on the steady clock. `held_seconds` is what is compared with `for`."""

    held_seconds: float = 0.0
    breached_at: float | None = None  # the newest valid breached sample
    blind_at: float | None = None  # when the present blindness began

    def advance(
        self, status: Status, at: Instant, *, every_seconds: float, for_seconds: float
    ) -> BreachClock:
        """The clock after one more verdict."""
        if status is Status.HEALTHY:
            return _NOT_BREACHED
        if self.breached_at is None:
            return BreachClock(0.0, at.steady) if status is Status.BREACHED else self
        if status is Status.BLIND:
            # Where nobody looked, by a restart or a suspend, it is blind since nobody looked.
            unwatched = self.breached_at + longest_gap_seconds(every_seconds)
            began = min(at.steady, unwatched) if self.blind_at is None else self.blind_at
            return BreachClock(self.held_seconds, self.breached_at, began)
        gap = at.steady - self.breached_at
        if gap < 0:
            return self  # an older sample than one already counted
        if self.blind_at is None and gap <= longest_gap_seconds(every_seconds):
            return BreachClock(self.held_seconds + gap, at.steady)
        # A gap without any verdict (suspended, not running) is blindness as well.
        unseen = gap if self.blind_at is None else at.steady - self.blind_at
        return BreachClock(0.0 if unseen > for_seconds else self.held_seconds, at.steady)

    def reached(self, for_seconds: float) -> bool:
        """Breached for at least `for`. The first breached sample reaches a `for` of zero."""
        return self.breached_at is not None and self.held_seconds + _ROUNDING_SECONDS >= for_seconds

    def numbers(self) -> tuple[float, float | None, float | None]:
        """To store; `BreachClock(*numbers)` is the same clock again."""
        return self.held_seconds, self.breached_at, self.blind_at


_NOT_BREACHED = BreachClock()


@dataclass(frozen=True, slots=True)
class QuietClock:
    """How long a rule has been healthy without a break, seen by samples and not only by time.

    Anything else than HEALTHY, also blindness, sets it back; so does a gap of more than two
    intervals, which starts it at the newest healthy sample.
    """

    quiet_seconds: float = 0.0
    healthy_at: float | None = None  # the newest healthy sample, on the steady clock

    def advance(self, status: Status, at: Instant, *, every_seconds: float) -> QuietClock:
        """The clock after one more verdict."""
        if status is not Status.HEALTHY:
            return QuietClock()
        if self.healthy_at is None:
            return QuietClock(0.0, at.steady)
        gap = at.steady - self.healthy_at
        if gap < 0:
            return self
        kept = gap <= longest_gap_seconds(every_seconds)
        return QuietClock(self.quiet_seconds + gap if kept else 0.0, at.steady)

    def reached(self, keep_firing_seconds: float) -> bool:
        """Quiet for at least so long. The first healthy sample reaches zero."""
        quiet = self.quiet_seconds + _ROUNDING_SECONDS
        return self.healthy_at is not None and quiet >= keep_firing_seconds

    def numbers(self) -> tuple[float, float | None]:
        """To store; `QuietClock(*numbers)` is the same clock again."""
        return self.quiet_seconds, self.healthy_at
