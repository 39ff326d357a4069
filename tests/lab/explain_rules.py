"""Rules to explain, and the places at which formula and engine are compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.core.decisions.watch import a_rule
from watchdog.core.spec import Bound, BurnPair, Counters, RatioThreshold, RuleSpec, Slo
from watchdog.lab.explain.formulae import (
    Fault,
    Pair,
    Span,
    Window,
    blurred_at,
    detected,
    lasting_seconds,
    reset,
    rise_seconds,
)
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


@dataclass(slots=True)
class Agreement:
    """What was compared so far. Differences are in polling intervals, the largest of each kind."""

    cases: int = 0
    detected: int = 0
    detection_difference: float = 0.0  # from the exact moment of this phase to the poll that sees
    reset: int = 0
    outside: list[str] = field(default_factory=list)  # what the engine did otherwise

    def hold(self, case: Case) -> None:
        did = simulated(case)
        self.cases += 1
        problem = _of(case, did)
        if problem:
            self.outside.append(problem)
        elif did.breached is not None:
            self.detected += 1
            self.reset += did.healthy is not None
            apart = (did.breached - exactly(case)) / case.rule.every_seconds
            self.detection_difference = max(self.detection_difference, abs(apart))
            if not -_DUST <= apart <= 1 + _DUST:
                self.outside.append(f"{case.fault}: {apart} intervals after its exact moment")

    def __str__(self) -> str:
        return (
            f"{self.cases} faults: {self.detected} seen, at most {self.detection_difference:.3f} "
            f"intervals after the moment that the formulae tell; {self.reset} seen to end within "
            f"the told span; {self.cases - self.detected - len(self.outside)} never seen, as told; "
            f"otherwise than told: {len(self.outside)}"
        )


def exactly(case: Case) -> float:
    """Seconds to the moment after which a poll sees the fault, this phase and bucket known."""
    every = case.rule.every_seconds
    polls = round(_history(case) / every)
    # Polls are put into the middle of their share: a bucket's events began a poll before it.
    began = (polls + case.phase) * every + every

    def risen(pair: Pair, window: Window) -> float:
        rise = rise_seconds(window, pair.threshold, case.fault)
        return rise + blurred_at(window, window.counted - rise, began % window.bucket)

    return min(
        max(risen(pair, pair.long), risen(pair, pair.short))
        for pair in pairs_of(case.rule)
        if pair.sees(case.fault.ratio)
    )


def disagreement(case: Case) -> str:
    """What the engine does otherwise than the formulae say; "" where they agree."""
    return _of(case, simulated(case))


def _history(case: Case) -> float:
    shortest = min(pair.short.counted for pair in pairs_of(case.rule))
    return case.history or shortest + 3 * case.rule.every_seconds


def simulated(case: Case) -> Simulated:
    """What the engine does."""
    every, pairs = case.rule.every_seconds, pairs_of(case.rule)
    told = detected(pairs, case.fault)
    longest = max(pair.long.counted for pair in pairs)
    return simulate(
        case.rule,
        case.fault,
        history_seconds=_history(case),
        phase=case.phase,
        lasts_seconds=case.lasts,
        give_up_seconds=10 * every + max(longest, told.latest if told else 0.0, case.lasts or 0.0),
    )


def _of(case: Case, did: Simulated) -> str:
    fault, pairs = case.fault, pairs_of(case.rule)
    told = detected(pairs, fault)
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
