"""Rules to explain, and the places at which formula and engine are compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.core.decisions.watch import a_rule
from watchdog.core.spec import Bound, BurnPair, Counters, RatioThreshold, RuleSpec, Slo
from watchdog.lab.explain.formulae import Fault, Span, detected, lasting_seconds, reset
from watchdog.lab.explain.simulated import Simulated, simulate
from watchdog.lab.explain.subject import pairs_of

MONTH = 30 * 86_400.0
BOOK = ((0.02, 3600.0, 300.0), (0.05, 21_600.0, 1800.0), (0.1, 259_200.0, 21_600.0))
"""The pairs of the SRE Workbook: (budget, long, short)."""

OBJECTIVES = (0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999)
RATIOS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_DUST = 1e-6


def an_slo(
    objective: float,
    every: float,
    pairs: tuple[tuple[float, float, float], ...] = BOOK[:2],
    for_seconds: float = 0.0,
) -> RuleSpec:
    """Those of the pairs that can fire at all."""
    made = tuple(BurnPair(b, long, short, b * MONTH / long) for b, long, short in pairs)
    possible = tuple(p for p in made if p.factor * (1 - objective) < 1)
    return a_rule(
        kind="slo",
        signal=Slo(Counters("bad", "all"), objective, MONTH, possible),
        every_seconds=every,
        stale_after_seconds=2 * every,
        for_seconds=for_seconds,
    )


def a_ratio(over: float, limit: float, every: float, for_seconds: float, op: str = ">") -> RuleSpec:
    signal = RatioThreshold(Counters("bad", "all"), over, Bound(op, limit, f"{op} {limit}"))
    return a_rule(
        signal=signal,
        every_seconds=every,
        stale_after_seconds=2 * every,
        for_seconds=for_seconds,
    )


def near(rule: RuleSpec) -> Iterator[float]:
    """Error ratios that a window sees only when it is all but full of them."""
    for pair in pairs_of(rule):
        yield from (r for r in (pair.threshold * 1.003, pair.threshold * 1.02) if r <= 1)


@dataclass(frozen=True, slots=True)
class Case:
    """A fault met by a rule. `history`: seconds of good times seen before it."""

    rule: RuleSpec
    fault: Fault
    phase: float = 0.5
    history: float = 0.0
    lasts: float | None = None


def disagreement(case: Case) -> str:
    """What the engine does otherwise than the formulae say; "" where they agree."""
    rule, fault = case.rule, case.fault
    every, pairs = rule.every_seconds, pairs_of(rule)
    told = detected(pairs, fault)
    longest = max(pair.long.counted for pair in pairs)
    history = case.history or min(pair.short.counted for pair in pairs) + 3 * every
    did = simulate(
        rule,
        fault,
        history_seconds=history,
        phase=case.phase,
        lasts_seconds=case.lasts,
        give_up_seconds=10 * every + max(longest, told.latest if told else 0.0, case.lasts or 0.0),
    )
    if told is None:
        return "" if did.breached is None else f"{fault}: never told, seen after {did.breached}"
    problem = _of_detection(case, told, did)
    if problem or case.lasts is None or did.lasted is None:
        return problem
    back = reset(pairs, fault, did.fault or 0.0)
    if back is None or did.healthy is None or not _inside(did.healthy, back):
        return f"{fault}: told back after {back}, was after {did.healthy}"
    return ""


def _of_detection(case: Case, told: Span, did: Simulated) -> str:
    lasting = lasting_seconds(case.rule.for_seconds, case.rule.every_seconds)
    if did.breached is None or did.lasted is None or not _inside(did.breached, told):
        return f"{case.fault}: told {told}, seen after {did.breached}"
    if abs(did.lasted - did.breached - lasting) > _DUST:
        return f"{case.fault}: `for` adds {lasting} as told, {did.lasted - did.breached} by clock"
    return ""


def _inside(seconds: float, span: Span) -> bool:
    return span.earliest - _DUST <= seconds <= span.latest + _DUST
