"""The rules of an OpenSLO SLO: one for each objective and alert condition."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from watchdog.policy.importers.burn import DAY, Pair, slo
from watchdog.policy.importers.each import several_series
from watchdog.policy.importers.numbers import decimal_text, percent_text
from watchdog.policy.importers.openslo_parts import Condition, Sli
from watchdog.policy.importers.promql import written
from watchdog.policy.importers.report import Report
from watchdog.policy.importers.shape import MIRRORED, may_vanish, one
from watchdog.policy.importers.words import OTHERWISE
from watchdog.policy.importers.writing import Draft, Duration, Signal
from watchdog.policy.laws import seconds_text
from watchdog.policy.nodes import Place

_WORKBOOK = ((2, 3600, 300), (5, 21_600, 1800))
"""Per cent of the budget, long and short window, seconds."""


@dataclass(frozen=True, slots=True)
class Objective:
    name: str
    target: Decimal
    breaches: str  # the operator, where a value is compared
    value: Decimal | None
    place: Place


def rules(
    objective: Objective,
    sli: Sli,
    conditions: list[Condition],
    period: float | None,
    report: Report,
) -> list[Draft]:
    if sli.counters is None and not sli.stored:
        return _threshold(objective, sli, conditions, report)
    if not conditions:
        return _without_policy(objective, sli, period, report)
    found = []
    for condition in conditions:
        signal = _burning(objective, sli, condition, report)
        if signal is None:
            continue
        end = objective.name or percent_text(objective.target) or ""
        found.append(
            Draft(
                wish=f"{end}-{condition.name}",
                of=f", objective {percent_text(objective.target)}, {condition.name}",
                place=condition.place,
                severity=condition.severity,
                signal=signal,
                summary=condition.summary,
                for_seconds=condition.after,
            )
        )
    return found


def _burning(objective: Objective, sli: Sli, condition: Condition, report: Report) -> Signal | None:
    """A burn above the threshold over one window is an error ratio above threshold x budget."""
    limit = condition.threshold * (1 - objective.target)
    text = percent_text(limit)
    if limit >= 1 or text is None:
        what = (
            f"a burn of {condition.threshold} with a target of {percent_text(objective.target)} "
            "can never be: more than every event would have to be bad"
        )
        report.dropped(condition.place, condition.name, what)
        return None
    if sli.counters is not None:
        over = {"over": Duration(condition.lookback)}
        return ("threshold", {**sli.counters, **over, "breach_when": f"> {text}"})
    what = f"a stored ratio is read as it is, not over {seconds_text(condition.lookback)}"
    report.changed(condition.place, f"{condition.name}.lookbackWindow", what)
    return _stored(sli, limit, report)


def _stored(sli: Sli, limit: Decimal, report: Report) -> Signal | None:
    """A ratio that somebody else computed, against the share of errors that is too much."""
    good = sli.stored == "success"
    bound = decimal_text(1 - limit if good else limit)
    value = _one_value(sli, "<" if good else ">", report)
    if bound is None or value is None:
        return None
    return ("threshold", {"expr": value, "breach_when": f"{'<' if good else '>'} {bound}"})


def _one_value(sli: Sli, operator: str, report: Report) -> str | None:
    if may_vanish(sli.value):
        what = f"{sli.name} filters its own result, so health and no data would look the same"
        report.error(sli.place, what, "Take the comparison out of the query.")
        return None
    text = written(sli.value)
    if one(sli.value) is not None:
        return text
    several_series((), sli.place, sli.name, report)
    return f"{'max' if operator.startswith('>') else 'min'}({text})"


def _threshold(
    objective: Objective, sli: Sli, conditions: list[Condition], report: Report
) -> list[Draft]:
    value = objective.value
    if value is None:
        return []
    operator, limit = objective.breaches, decimal_text(abs(value))
    expr = _one_value(sli, operator, report)
    if expr is None or limit is None:
        if limit is None:
            report.error(objective.place, f"the value {value} cannot be written", "Change it.")
        return []
    if value < 0:
        expr, operator = f"-({expr})", MIRRORED[operator]
    for condition in conditions:
        what = "a burn rate of a thresholdMetric counts slices of time, which are not counted here"
        report.dropped(condition.place, condition.name, what, "`alertAfter` is the rule's `for`.")
    first = conditions[0] if conditions else None
    severity = first.severity if first else OTHERWISE
    return [
        Draft(
            wish=objective.name or "threshold",
            of=f", {objective.breaches} {value}",
            place=objective.place,
            severity=severity,
            signal=("threshold", {"expr": expr, "breach_when": f"{operator} {limit}"}),
            for_seconds=first.after if first else None,
        )
    ]


def _without_policy(
    objective: Objective, sli: Sli, period: float | None, report: Report
) -> list[Draft]:
    """An objective that nobody is alerted of gets the SRE workbook's windows, to begin with."""
    name = f"objective {percent_text(objective.target)}"
    span = period or 30 * DAY
    share = Fraction(span)
    pairs = [
        Pair(Fraction(budget, 100) * share / long, float(long), float(short))
        for budget, long, short in _WORKBOOK
    ]
    live = [pair for pair in pairs if pair.factor >= 1 and not pair.dead(objective.target)]
    signal = None
    if sli.counters is not None and live:
        signal = slo(dict(sli.counters), objective.target, span, live)
    if signal is None:
        remedy = "Add one to the file, or write the rule by hand."
        report.dropped(objective.place, name, "no alert policy says when to alert", remedy)
        return []
    what = (
        "no alert policy says when to alert; the rule has the pairs of windows of the SRE workbook "
        f"over {seconds_text(span)}" + ("" if period else ", since no fixed period is named")
    )
    report.changed(objective.place, name, what, "Choose your own `burn` and `severity`.")
    return [
        Draft(
            wish=objective.name or percent_text(objective.target) or "burn",
            of=f", {name}",
            place=objective.place,
            severity=OTHERWISE,
            signal=signal,
        )
    ]
