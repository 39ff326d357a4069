"""What of the measures lies within the last 30 and 90 days."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.core.decisions.watch import an_action
from watchdog.core.measures import Ended, Measures, Proof, Rollback
from watchdog.core.periods import (
    DAY,
    feature_stretches,
    in_time_ratio,
    proof_of,
    rollbacks_within,
    target_stretches,
    together,
    within,
)
from watchdog.core.spans import KEPT_SECONDS, MOST, Spans, merged
from watchdog.core.words import Instant

NOW = Instant(1_790_000_000.0, 200 * DAY)
FLAG = "flag:x"


def ago(days: float) -> float:
    return NOW.steady - days * DAY


def test_a_stretch_counts_as_far_as_it_lies_in_the_period() -> None:
    measures = Measures(paused={FLAG: Spans([(ago(31), ago(29)), (ago(2), ago(1))])})
    found = feature_stretches(measures, NOW)
    assert within(found, NOW, 30 * DAY) == {FLAG: 2 * DAY}
    assert within(found, NOW, 90 * DAY) == {FLAG: 3 * DAY}


def test_what_goes_on_ends_now_and_changes_no_measure() -> None:
    measures = Measures(paused_since={FLAG: ago(1)}, targets={FLAG: Spans([(ago(1.5), ago(0.5))])})
    features, targets = feature_stretches(measures, NOW), target_stretches(measures, NOW)
    assert within(features, NOW, 30 * DAY) == {FLAG: DAY}
    assert within(targets, NOW, 30 * DAY) == {FLAG: 1.5 * DAY}, "the overlap counts once"
    assert together((features, targets), NOW, 30 * DAY) == 1.5 * DAY
    assert measures.paused == {}
    assert measures.targets[FLAG].kept == [(ago(1.5), ago(0.5))]


def test_what_came_in_any_order_is_joined_and_what_is_old_is_let_go() -> None:
    spans = Spans()
    for begin, end in ((10.0, 20.0), (0.0, 5.0), (4.0, 11.0), (30.0, 30.0), (40.0, 39.0)):
        spans.add(begin, end)
    assert spans.kept == [(0.0, 20.0)]
    spans.add(KEPT_SECONDS + 20.0, KEPT_SECONDS + 21.0)
    assert spans.kept == [(KEPT_SECONDS + 20.0, KEPT_SECONDS + 21.0)]
    for second in range(MOST + 5):
        spans.add(KEPT_SECONDS + 100.0 + 2 * second, KEPT_SECONDS + 101.0 + 2 * second)
    assert len(spans.kept) == MOST
    assert merged([]) == []


def test_rollbacks_are_counted_by_action_rule_and_end() -> None:
    def one(days: float, ended: Ended) -> Rollback:
        return Rollback(Instant(0.0, ago(days)), "pause", "errors", ended, None)

    measures = Measures(rollbacks=[one(80, Ended.LATE), one(3, Ended.LATE), one(1, Ended.IN_TIME)])
    assert rollbacks_within(measures, NOW, 30 * DAY) == {
        ("pause", "errors", Ended.LATE): 1,
        ("pause", "errors", Ended.IN_TIME): 1,
    }
    assert rollbacks_within(measures, NOW, 90 * DAY)["pause", "errors", Ended.LATE] == 2


@pytest.mark.parametrize(
    ("ends", "ratio"),
    [
        ({}, None),
        ({Ended.UNTIMED: 3}, None),
        ({Ended.IN_TIME: 3, Ended.UNTIMED: 3}, 1.0),
        ({Ended.IN_TIME: 1, Ended.LATE: 1, Ended.FAILED: 1, Ended.UNKNOWN: 1}, 0.25),
    ],
)
def test_what_failed_or_cannot_be_told_was_not_done_in_time(
    ends: dict[Ended, int], ratio: float | None
) -> None:
    assert in_time_ratio(Counter(ends)) == ratio


@pytest.mark.parametrize(("proven", "counts"), [("now", True), ("", True), ("before", False)])
def test_a_proof_of_another_text_proves_nothing_of_this_one(proven: str, *, counts: bool) -> None:
    proof = Proof(NOW, "rollback", "I1", 1.0, proven)
    measures = Measures(proofs={"pause": proof})
    assert proof_of(measures, an_action(sha256="now")) == (proof if counts else None)
    assert proof_of(measures, an_action("other")) is None
