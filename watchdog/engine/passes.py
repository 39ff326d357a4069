"""Evaluation passes on the record: each is drafted, judged by the core, and appended at once."""

from __future__ import annotations

from collections.abc import Callable

from watchdog.core.book import CONTINUES_WITHIN_SECONDS
from watchdog.core.draft import Draft
from watchdog.core.entries import Slept
from watchdog.core.evaluation import Evaluation
from watchdog.core.samples import Reading
from watchdog.core.spec import Policy
from watchdog.core.words import Instant
from watchdog.engine.recorder import Recorder


class Passes:
    """Runs passes, one at a time by construction: nothing in one awaits."""

    def __init__(self, recorder: Recorder, evaluation: Evaluation) -> None:
        self._recorder = recorder
        self._evaluation = evaluation
        self.completed: Instant | None = None
        self.looked: Callable[[], None] = lambda: None  # after each
        self.watching_since: Instant | None = None  # without a gap that is too long to go on from
        self._unseen = 0.0  # seconds of a gap that is not on the record yet
        self.count = 0
        self.seconds = 0.0  # the longest since it was last read

    @property
    def failures(self) -> dict[str, str]:
        """What each rule's evaluation raised, where the last one did."""
        return self._evaluation.failures

    def on_reading(self, reading: Reading, policy: Policy) -> None:
        """Samples arrived: judge the rules that read them, now."""
        if not self._evaluation.reads(reading.source):
            return
        draft = self._begin()
        self._evaluation.on_reading(reading, policy, draft)
        self._complete(draft)

    def on_tick(self, policy: Policy) -> None:
        """Time passed: stale samples, expiries, quiet times."""
        draft = self._begin()
        self._evaluation.on_tick(policy, draft)
        self._complete(draft)

    def _begin(self) -> Draft:
        """A breach that is found after a long gap began unseen: it is already burning.

        Who stood still beyond its lease cannot say so before it leads again, and says it first.
        """
        draft = self._recorder.draft()
        gap = draft.now.steady - self.completed.steady if self.completed is not None else 0.0
        if gap > CONTINUES_WITHIN_SECONDS or self.watching_since is None:
            self.watching_since = draft.now
        if gap > CONTINUES_WITHIN_SECONDS:
            self._unseen = max(gap, self._unseen)
        if self._unseen and draft.decides:
            draft.add(Slept(self._unseen))
            self._unseen = 0.0
        return draft

    def watched_seconds(self, now: Instant) -> float:
        """For how long it was judged without a gap that is too long, up to now."""
        since, done = self.watching_since, self.completed
        if since is None or done is None:
            return 0.0
        waited = now.steady - done.steady
        return 0.0 if waited > CONTINUES_WITHIN_SECONDS else now.steady - since.steady

    def others_watched(self) -> None:
        """Another led since: for how long nobody watched is said as we take over."""
        self._unseen = 0.0

    def _complete(self, draft: Draft) -> None:
        self._recorder.commit(draft)
        self.completed = self._recorder.clock.now()
        self.seconds = max(self.seconds, self.completed.steady - draft.now.steady)
        self.count += 1
        self.looked()
