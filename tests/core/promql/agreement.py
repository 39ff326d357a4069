"""Whether our evaluator and a real Prometheus say the same: values, label sets, and refusals."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.core.promql.asking import Asked
from watchdog.core.promql import check, evaluate
from watchdog.core.promql.faults import EvaluationFault
from watchdog.core.promql.vector import Moment
from watchdog.core.samples import Labels, labels_of
from watchdog.core.series import SeriesStore
from watchdog.core.words import Blind

Found = dict[tuple[str, Labels], list[float]]
"""Values by metric name ("" without one) and labels."""


@dataclass
class Agreement:
    """One store and one server with the same samples in both, and a count of what was compared."""

    store: SeriesStore = field(repr=False)
    server: Asked = field(repr=False)
    expressions: int = 0
    elements: int = 0
    empty: int = 0
    refused: int = 0
    stricter: int = 0
    odd_values: Counter[str] = field(default_factory=Counter)

    def hold(self, expression: str, at: float, *, asked: str = "", asked_at: float = 0.0) -> None:
        """Both give the same at `at`. `asked`: what to ask the server instead."""
        real = self._real(asked or expression, asked_at or at)
        ours, reason = self._ours(expression, at)
        self.expressions += 1
        if ours is None and real is not None and reason.startswith("multiple matches"):
            # 2.42 looks for ambiguity only among what a comparison lets through; 3 looks at all.
            assert any(sign in expression for sign in ("==", "!=", "<", ">")), expression
            self.stricter += 1
            return
        if real is None or ours is None:
            assert ours == real, f"one refuses, the other does not: {reason}"
            self.refused += 1
            return
        assert ours.keys() == real.keys(), expression
        self.empty += not real
        for series, values in real.items():
            pairs = zip(sorted(ours[series], key=_order), sorted(values, key=_order), strict=True)
            for mine, its in pairs:
                assert _same(mine, its), (expression, series, ours[series], values)
                self.elements += 1
                if not math.isfinite(its):
                    self.odd_values[str(its)] += 1

    def _real(self, expression: str, at: float) -> Found | None:
        data = self.server.query(expression, at)
        if data is None:
            return None
        if data["resultType"] == "scalar":
            return {("", ()): [float(data["result"][1])]}
        found: Found = defaultdict(list)
        for element in data["result"]:
            metric = element["metric"]
            key = (metric.get("__name__", ""), labels_of(metric))
            found[key].append(float(element["value"][1]))
        return found

    def _ours(self, expression: str, at: float) -> tuple[Found | None, str]:
        """With names, which an Answer no longer has; and the Answer must say the same."""
        checked = check(expression)
        answer = evaluate(checked, self.store, at)
        try:
            value = checked.run(Moment(self.store, float(at)))
        except EvaluationFault as fault:
            assert answer.failure is not None
            assert answer.failure.blind is Blind.QUERY_ERROR
            return None, str(fault)
        assert answer.failure is None, answer.failure
        found: Found = defaultdict(list)
        if isinstance(value, float):
            found["", ()].append(value)
        else:
            for element in value:
                found[element.name or "", element.labels].append(element.value)
        told = sorted((point.labels, repr(point.value)) for point in answer.points)
        seen = [(labels, repr(v)) for (_, labels), values in found.items() for v in values]
        assert told == sorted(seen), "the answer is not what was evaluated"
        return found, ""


def sum_of(several: Iterable[Agreement]) -> Agreement:
    """What was compared in all of them, as one."""
    counted = list(several)
    total = Agreement(counted[0].store, counted[0].server)
    for each in counted:
        total.expressions += each.expressions
        total.elements += each.elements
        total.empty += each.empty
        total.refused += each.refused
        total.stricter += each.stricter
        total.odd_values.update(each.odd_values)
    return total


def _order(value: float) -> tuple[bool, float]:
    return (True, 0.0) if math.isnan(value) else (False, value)


def _same(ours: float, real: float) -> bool:
    if math.isnan(real):
        return math.isnan(ours)
    return math.isclose(ours, real, rel_tol=1e-9, abs_tol=1e-9)
