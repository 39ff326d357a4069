"""Law 10 for verdicts: what a decision stored is judged again the same, and forgery shows."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.core.judge.scene import instant, rule
from watchdog.core import entries as e
from watchdog.core.basis import MOST_POINTS, basis_of
from watchdog.core.judge.ratio import judge_ratio, judge_slo
from watchdog.core.judge.stored import judge_stored
from watchdog.core.judge.value import judge_liveness, judge_value
from watchdog.core.replay import StrangeInputs, replayed, verdict_differs, verdict_kept
from watchdog.core.samples import Answer, Point
from watchdog.core.spec import (
    PRESENT,
    Bound,
    BurnPair,
    Counters,
    Liveness,
    RatioThreshold,
    RuleSpec,
    Slo,
    ValueThreshold,
)
from watchdog.core.words import Status, Verdict, WindowReading, World
from watchdog.store.codec import decode, encode

COUNTERS = Counters("bad_total", "all_total")
RATIO = RatioThreshold(COUNTERS, 30.0, Bound(">", 0.05, "> 5%"))
PAIRS = (BurnPair(0.02, 3600.0, 300.0, 14.4), BurnPair(0.05, 21_600.0, 300.0, 6.0))
SLO = Slo(COUNTERS, 0.999, 2_592_000.0, PAIRS)
DOWN = tuple(Point((("instance", f"app-{n}"),), float(n > 1)) for n in range(4))
Signal = Slo | RatioThreshold | ValueThreshold | Liveness
GIVEN = (Point((), 0.1 + 0.2),)


def window(seconds: float, bad: float = 1 / 3, total: float = 3.7) -> WindowReading:
    return WindowReading(seconds, bad, total, 0.1, 0.9, bad / (total + 0.1))


def burnt(spec: RuleSpec, verdict: Verdict, points: tuple[Point, ...] = ()) -> e.Decided:
    """A decision on that verdict, as the journal gives it back. It is about no playbook."""
    decided = e.Decided(
        decision="D1",
        episode="E1",
        rule=spec.name,
        action="",
        rung=0,
        world=World.LIVE,
        ruling=e.Ruling.REFUSED,
        reason="mode: no playbook: verdicts only",
        gates=(),
        policy_sha256="p",
        rule_sha256="r",
        verdict=verdict,
        basis=basis_of(spec, points),
    )
    back = decode(encode(decided))
    assert isinstance(back, e.Decided)
    return back


def decided_on(signal: Signal, points: tuple[Point, ...] = ()) -> e.Decided:
    spec = replace(rule(RATIO), signal=signal, minimum_events=2.0)
    match signal:
        case Slo():
            found = judge_slo(signal, window, 2.0)
        case RatioThreshold():
            found = judge_ratio(signal, window, 2.0)
        case Liveness():
            found = judge_liveness(signal, Answer(points))
        case _:
            found = judge_stored(signal, 0.0, (), points)
            if signal.bound.op != PRESENT:
                assert found == judge_value(signal, Answer(points))
    assert found.status is Status.BREACHED
    return burnt(spec, found.verdict(instant(0), instant(0).wall), points)


KINDS = {
    "ratio": decided_on(RATIO),
    "slo": decided_on(SLO),
    "value": decided_on(ValueThreshold("x", Bound(">", 0.3, "> 0.3")), GIVEN),
    "presence": decided_on(ValueThreshold("x > 0.2", Bound(PRESENT, 0.0, PRESENT)), GIVEN),
    "liveness": decided_on(Liveness('up{job="app"}'), DOWN),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_verdict_is_judged_again_the_same_from_what_was_stored(kind: str) -> None:
    assert verdict_kept(KINDS[kind]) == ""
    assert replayed(KINDS[kind]) == ()


@pytest.mark.parametrize("kind", ["ratio", "slo"])
@pytest.mark.parametrize("field", ["bad", "total", "filled", "coverage", "burn", "ratio"])
def test_a_forged_window_shows(kind: str, field: str) -> None:
    decided = KINDS[kind]
    assert decided.verdict is not None
    first, *others = decided.verdict.evidence
    was = getattr(first, field)
    forged = replace(first, **{field: 0.0 if was is None else was * 0.9})
    verdict = replace(decided.verdict, evidence=(forged, *others))
    differs = verdict_differs(replace(decided, verdict=verdict))
    if field == "coverage":  # what was seen of it changes nothing of a breach
        assert differs == ()
    else:
        assert any(one.startswith("verdict, evidence: ") for one in differs)


@pytest.mark.parametrize("field", ["reason", "value", "bound"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_forged_word_shows(kind: str, field: str) -> None:
    decided = KINDS[kind]
    assert decided.verdict is not None
    other: Any = {field: 17.5 if field == "value" else "so"}
    verdict = replace(decided.verdict, **other)
    (differs,) = replayed(replace(decided, verdict=verdict))
    assert differs.startswith(f"verdict, {field}: recorded ")


def test_a_forged_element_or_bound_shows() -> None:
    decided = KINDS["value"]
    tampered = json.loads(json.dumps(decided.basis))
    tampered["points"] = [[[], 0.29]]
    assert "now 'healthy'" in replayed(replace(decided, basis=tampered))[0]
    tampered = json.loads(json.dumps(decided.basis))
    tampered["signal"]["bound"]["limit"] = 7.0
    assert "now 'healthy'" in replayed(replace(decided, basis=tampered))[0]


def test_what_was_not_stored_is_said_and_never_called_the_same() -> None:
    old = replace(KINDS["value"], basis={})
    assert "was not stored" in verdict_kept(old)
    many = replace(KINDS["liveness"], basis=basis_of(rule(RATIO), DOWN * MOST_POINTS))
    assert "more than 1000 series" in verdict_kept(many)
    newer = replace(KINDS["value"], basis={**KINDS["value"].basis, "is": "Oracle"})
    assert verdict_kept(newer) == "what it rests on is not stored"


def test_a_basis_of_another_program_is_named() -> None:
    decided = KINDS["slo"]
    signal = {**KINDS["ratio"].basis, "is": "Slo"}
    with pytest.raises(StrangeInputs, match=r"basis\.signal"):
        replayed(replace(decided, basis=signal))
    assert decided.verdict is not None
    alone = replace(decided.verdict, evidence=decided.verdict.evidence[:1])
    with pytest.raises(StrangeInputs, match="window of"):
        replayed(replace(decided, verdict=alone))
