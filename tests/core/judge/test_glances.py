"""A glance decides what the full judgement would have decided, and tells its very words later."""

from __future__ import annotations

import copy
import itertools
import pickle
from collections.abc import Callable
from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.judge.scene import OVER_5_PERCENT, availability, error_rate, instant, watched
from watchdog.core.judge.finding import Finding
from watchdog.core.judge.ratio import (
    glance_at_ratio,
    glance_at_slo,
    judge_ratio,
    judge_slo,
    windows_of,
)
from watchdog.core.spec import Bound, BurnPair, Counters, RatioThreshold, Slo
from watchdog.core.windows import Counted
from watchdog.core.words import Status, Verdict

PAIRS = (
    BurnPair(0.02, 3600.0, 300.0, 14.4),
    BurnPair(0.05, 21600.0, 1800.0, 6.0),
    BurnPair(0.1, 259200.0, 21600.0, 1.0),
)
EVENTS = st.one_of(st.integers(0, 60).map(float), st.floats(-1.0, 200.0))


@st.composite
def counted(draw: st.DrawFn) -> Counted:
    bad, total, filled = draw(EVENTS), draw(EVENTS), abs(draw(EVENTS))
    ratio = bad / (total + filled) if total > 0 else None
    return Counted(bad, total, filled, draw(st.sampled_from((0.0, 0.5, 0.998, 0.999, 1.0))), ratio)


def same(glance: Verdict, judged: Finding) -> None:
    plain = judged.verdict(instant(0), 7.0)
    assert (glance.status, glance.blind, glance.clear) == (plain.status, plain.blind, plain.clear)
    assert repr(glance) == repr(plain)


@settings(max_examples=150)
@given(st.data(), st.sampled_from((0.5, 0.9, 0.999)))
def test_a_glance_at_burn_rates_is_the_judgement(data: st.DataObject, objective: float) -> None:
    pairs, good = PAIRS[: data.draw(st.integers(1, 3))], data.draw(st.booleans())
    signal = Slo(Counters("events", "total", good), objective, 30 * 86400.0, pairs)
    windows = {seconds: data.draw(counted()) for seconds in windows_of(signal)}
    least = data.draw(st.sampled_from((0.0, 1.0, 20.0)))
    glance = glance_at_slo(signal, windows, least).verdict(instant(0), 7.0)
    same(glance, judge_slo(signal, lambda s: windows[s].reading(s), least))


@settings(max_examples=150)
@given(counted(), st.sampled_from((0.0, 1.0, 20.0)))
def test_a_glance_at_a_ratio_is_the_judgement(held: Counted, least: float) -> None:
    bounds = OVER_5_PERCENT, Bound("<", 0.5, "< 0.5"), Bound(">=", 0.0, ">= 0")
    for bound, good in itertools.product(bounds, (True, False)):
        signal = RatioThreshold(Counters("events", "total", good), 30.0, bound)
        glance = glance_at_ratio(signal, {30.0: held}, least).verdict(instant(0), 7.0)
        same(glance, judge_ratio(signal, held.reading, least))


def test_a_verdict_tells_later_what_it_saw_then() -> None:
    service = watched(availability(*PAIRS))
    early = service.run(200, ok=9, failed=1)
    told = service.run(1, ok=10)
    words = repr(told)
    service.run(500, ok=1000)
    assert early.status is Status.BREACHED
    assert early.reason.startswith("burn ")
    assert early.evidence[0].bad == 200
    assert repr(told) == words


def pickled(verdict: Verdict) -> Verdict:
    found = pickle.loads(pickle.dumps(verdict))  # noqa: S301  # our own bytes
    assert isinstance(found, Verdict)
    return found


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickled])
def test_a_verdict_that_was_not_asked_yet_is_a_verdict_like_any_other(
    copied: Callable[[Verdict], Verdict],
) -> None:
    verdict = watched(error_rate()).run(10, ok=9, failed=1)
    other = copied(verdict)
    assert other == verdict
    assert asdict(other)["reason"] == verdict.reason
    assert replace(other, reason="because").evidence == verdict.evidence
    assert hash(other) == hash(verdict)
    with pytest.raises(AttributeError, match="a verdict has no colour"):
        _ = verdict.colour  # type: ignore[attr-defined]  # that is the point
