"""Whatever happens in whatever order, the numbers of the procedure can be believed.

The world is that of `test_safety.py`: metrics, outcomes, people, stepping clocks and deaths are
drawn at random. Here it is asked what was measured meanwhile.
"""

from __future__ import annotations

from itertools import chain, pairwise

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from tests.core.decisions.test_safety import RULES, TRUTHS, Safety
from watchdog.core import entries as e
from watchdog.core.book import Book
from watchdog.core.impact import Cost
from watchdog.core.measured import Service
from watchdog.core.measures import Measures
from watchdog.core.spans import Spans, seconds_in
from watchdog.core.words import Direction, Truth
from watchdog.engine.retention import fold, snapshot


class Measured(Safety):
    """With events that tell of recovery, and trouble that costs something."""

    @rule(name=st.sampled_from(RULES), recovered=TRUTHS)
    def events_after_the_effect_say(self, name: str, recovered: Truth) -> None:
        self.watch.seen[name].recovered = recovered

    @rule(name=st.sampled_from(RULES), failed=st.floats(0.0, 1000.0))
    def it_costs(self, name: str, failed: float) -> None:
        self.watch.seen[name].cost = Cost(failed)

    @property
    def measures(self) -> Measures:
        return self.watch.book.measures

    @invariant()
    def spans_are_sorted_apart_and_of_the_past(self) -> None:
        if not hasattr(self, "watch"):
            return
        kept = self.measures
        now = self.watch.now.steady
        for spans in every_spans(kept):
            assert all(begin < end for begin, end in spans.kept)
            assert all(one[1] < other[0] for one, other in pairwise(spans.kept))
            assert not spans.kept or spans.kept[-1][1] <= now

    @invariant()
    def no_number_is_negative_or_longer_than_what_it_is_of(self) -> None:
        if not hasattr(self, "watch"):
            return
        now = self.watch.now
        for one in self.measures.episodes.values():
            lived = (one.ended or now).steady - one.began.steady
            assert 0.0 <= one.downtime(now) <= lived
            for end in (one.contained, one.recovered):
                assert end is None or 0.0 <= end.steady - one.began.steady <= lived
            assert one.service is not Service.RECOVERED or one.recovered is not None
            assert (one.failing_since is None) or one.ended is None
            assert all((act.seconds or 0.0) >= 0.0 for act in one.acts)

    @invariant()
    def what_overlaps_counts_once(self) -> None:
        if not hasattr(self, "watch"):
            return
        kept, now = self.measures, self.watch.now.steady
        together = seconds_in(chain.from_iterable(s.kept for s in every_spans(kept)), 0.0, now)
        first = min((one.began.steady for one in kept.episodes.values()), default=now)
        assert 0.0 <= together <= now - first

    @invariant()
    def a_target_is_set_as_long_as_somebody_claims_it(self) -> None:
        if hasattr(self, "watch"):
            assert self.measures.paused_since.keys() == self.watch.book.claims.keys()

    @invariant()
    def every_rollback_is_one_that_was_journalled(self) -> None:
        if not hasattr(self, "watch"):
            return
        ended = [x for x in self.watch.of(e.IntentEnded) if isinstance(x, e.IntentEnded)]
        real = {e.Outcome.DONE, e.Outcome.FAILED, e.Outcome.UNKNOWN}
        found = [x for x in ended if x.direction is Direction.DO and x.outcome in real]
        assert [one.action for one in self.measures.rollbacks] == [one.action for one in found]

    def teardown(self) -> None:
        """What is folded anew, or taken up from a snapshot, is what was measured as it happened."""
        super().teardown()
        if hasattr(self, "watch"):
            assert self.watch.refolded().measures == self.measures
            assert read_back(self.watch.book).measures == self.measures


def every_spans(kept: Measures) -> list[Spans]:
    return [*kept.services.values(), *kept.targets.values(), *kept.paused.values()]


class Pruned:
    """A journal of which nothing is left but the snapshot."""

    def __init__(self, book: Book) -> None:
        self._snapshot = snapshot(book)

    def base(self) -> tuple[int, str, bytes]:
        return 7, "", self._snapshot

    def read(self, after: int) -> list[e.Recorded]:
        assert after == 7
        return []


def read_back(book: Book) -> Book:
    found, _ = fold(Pruned(book))  # type: ignore[arg-type]  # of a journal only these two are asked
    return found


TestMeasured = Measured.TestCase
TestMeasured.settings = settings(
    max_examples=20,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
