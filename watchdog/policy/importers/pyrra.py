"""Pyrra: ServiceLevelObjective objects of `pyrra.dev/v1alpha1`.

Its four pairs of windows are scaled from 28 days to the objective's window and rounded to whole
minutes, each with its own `for`: so each becomes a rule. Beside them stand the alerts on metrics
that are absent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from watchdog.policy.importers.burn import Pair, slo
from watchdog.policy.importers.each import grouped
from watchdog.policy.importers.fields import Fields, decimal_of
from watchdog.policy.importers.numbers import percent_text
from watchdog.policy.importers.prometheus import longest_text
from watchdog.policy.importers.promql import MAX_WRITTEN
from watchdog.policy.importers.pyrra_indicators import SLOT, Indicator, indicator_of
from watchdog.policy.importers.report import Report
from watchdog.policy.importers.words import (
    Told,
    annotate,
    labels_of,
    own_severity,
    severity_of,
    words_of,
)
from watchdog.policy.importers.writing import Draft, Signal
from watchdog.policy.laws import seconds_text
from watchdog.policy.nodes import Place
from watchdog.policy.scalars import shown

VERSION = "pyrra.dev/v1alpha1"
KIND = "ServiceLevelObjective"
_PREFIX = "pyrra.dev/"
"""Labels and annotations of the object that its alerts get, without it."""


@dataclass(frozen=True, slots=True)
class _Window:
    """Parts of the objective's window: `for`, long and short are window / n, to whole minutes."""

    name: str
    severities: str  # the key in `alerting.severities`
    severity: str
    hold: int
    long: int
    short: int
    factor: int


_WINDOWS = (
    _Window("fast", "fastBurn", "critical", 28 * 24 * 30, 28 * 24, 28 * 24 * 12, 14),
    _Window("medium", "mediumBurn", "critical", 28 * 24 * 4, 28 * 4, 28 * 24 * 2, 7),
    _Window("slow", "slowBurn", "warning", 28 * 24, 28, 28 * 12, 2),
    _Window("long-term", "longTermBurn", "warning", 28 * 8, 7, 28 * 4, 1),
)


@dataclass(frozen=True, slots=True)
class _Objective:
    name: str
    target: Decimal
    window: float
    told: Told
    indicator: Indicator
    place: Place


def drafts(documents: Sequence[Fields], report: Report) -> list[Draft]:
    found = []
    for document in documents:
        found += _object(document, report)
        document.close()
    return found


def _object(document: Fields, report: Report) -> list[Draft]:
    document.take("apiVersion")
    document.take("kind")
    document.drop("status", "it is the cluster's business")
    metadata, spec = document.inside("metadata"), document.inside("spec")
    if metadata is None or spec is None:
        report.error(document.place, "there is no metadata or no spec", "Is the file whole?")
        return []
    name = metadata.needed("name") or "slo"
    told = _told(metadata, name, report)
    target, window = decimal_of(spec, "target"), spec.seconds("window")
    description = spec.text("description") or ""
    place = spec.at("description")
    told.summary = words_of(description, place, "spec.description", report) or told.summary
    spec.drop("partial_response_strategy", "a partial answer makes a rule blind")
    spec.drop("performance_over_accuracy", "windows are counted here, at no cost of accuracy")
    indicator = indicator_of(spec, report)
    alerting = spec.inside("alerting")
    spec.close()
    if target is None or window is None or indicator is None:
        if target is None and window is None:
            report.error(spec.place, "spec has no target or no window", "Add them.")
        elif window is None and target is not None:
            report.error(spec.at("window"), "spec has no window", "Add it, like 4w.")
        elif target is None:
            report.error(spec.at("target"), "spec has no target", 'Add it, like "99.9".')
        return []
    if not 0 < target < 100:
        report.error(spec.value_at("target"), f"a target of {target}", 'Write it like "99.9".')
        return []
    objective = _Objective(name, target / 100, window, told, indicator, document.place)
    return _alerts(objective, alerting, report)


def _told(metadata: Fields, name: str, report: Report) -> Told:
    told = Told()
    for key, handle in (("labels", False), ("annotations", True)):
        texts = metadata.texts(key)
        ours = {n.removeprefix(_PREFIX): v for n, v in texts.items() if n.startswith(_PREFIX)}
        path = metadata.named(key)
        if handle:
            annotate(told, ours, path, report)
        else:
            told.labels = labels_of(ours, path, report)
        for other, (place, _) in texts.items():
            if not other.startswith(_PREFIX):
                report.dropped(place, f"{path}.{other}", "Pyrra gives it to no alert either")
    namespace = metadata.text("namespace")
    if namespace:
        told.labels.setdefault("namespace", namespace[:200])
    told.labels["slo"] = name[:200]
    for key in metadata.node.entries:
        if key not in {"name", "namespace", "labels", "annotations"}:
            metadata.drop(key, "it is the cluster's business")
    return told


def _alerts(objective: _Objective, alerting: Fields | None, report: Report) -> list[Draft]:
    burns = absents = True
    names = {"burn": "ErrorBudgetBurn", "absent": "SLOMetricAbsent"}
    severities: Mapping[str, tuple[Place, str]] = {}
    if alerting is not None:
        if alerting.flag("disabled", otherwise=False):
            burns = False
        burns = alerting.flag("burnrates", otherwise=True) and burns
        absents = alerting.flag("absent", otherwise=True)
        names["burn"] = alerting.text("name") or names["burn"]
        names["absent"] = alerting.text("absentName") or names["absent"]
        severities = _severities(alerting, report)
        alerting.close()
    burning = [
        draft
        for window in (_WINDOWS if burns else ())
        if (draft := _burn(objective, window, names["burn"], severities, report)) is not None
    ]
    _group(objective.indicator, burning, report)
    found = burning
    for selector in objective.indicator.absent if absents else ():
        found.append(_absent(objective, selector, names["absent"], severities, report))
    if not found:
        report.dropped(objective.place, objective.name, "its alerts are switched off")
    return found


def _group(indicator: Indicator, drafts: Sequence[Draft], report: Report) -> None:
    """An objective of counters is one for each group, that of an expression one for all."""
    if not indicator.grouping:
        return
    place, name = indicator.place, f"{indicator.name}.grouping"
    counted = [draft for draft in drafts if draft.signal[0] == "slo"]
    each = grouped(indicator.grouping, place, name, report, by_counters=bool(counted))
    for draft in counted:
        draft.each = each
    if each and len(counted) < len(drafts):
        grouped(indicator.grouping, place, name, report, by_counters=False)


def _severities(alerting: Fields, report: Report) -> Mapping[str, tuple[Place, str]]:
    found = alerting.texts("severities")
    known = {"absent", *(window.severities for window in _WINDOWS)}
    for key, (place, _) in found.items():
        if key not in known:
            name = f"{alerting.named('severities')}.{key}"
            report.dropped(place, name, "no alert of Pyrra's has this severity")
    return found


def _severity(
    severities: Mapping[str, tuple[Place, str]], key: str, otherwise: str, report: Report
) -> str:
    if key not in severities:
        return own_severity(otherwise)
    place, text = severities[key]
    return severity_of(text, place, f"spec.alerting.severities.{key}", report)


def _minutes(window: float, parts: int) -> float:
    """Window / parts to the nearest whole minute, half a minute up."""
    exact = Decimal(window) / parts / 60
    return float(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)) * 60


def _burn(
    objective: _Objective,
    window: _Window,
    alert_name: str,
    severities: Mapping[str, tuple[Place, str]],
    report: Report,
) -> Draft | None:
    long, short = _minutes(objective.window, window.long), _minutes(objective.window, window.short)
    indicator = objective.indicator
    pair = Pair(Fraction(window.factor), long, short)
    if not 0 < short < long:
        what = f"the {window.name} pair of a window of {seconds_text(objective.window)} rounds to "
        what += f"{long:g} and {short:g} seconds"
        report.error(indicator.place, what, "Write a window of a week or longer.")
        return None
    if pair.dead(objective.target):
        what = (
            f"the pair of factor {pair.text} can never fire with a target of "
            f"{percent_text(objective.target)}: more than every event would have to be bad"
        )
        report.dropped(indicator.place, f"{objective.name} {window.name} burn", what)
        return None
    signal = _signal(objective, pair, report)
    if signal is None:
        return None
    return Draft(
        wish=f"{objective.name}-{window.name}-burn",
        of=f"Pyrra SLO {objective.name}, {window.name} burn",
        place=objective.place,
        severity=_severity(severities, window.severities, window.severity, report),
        signal=signal,
        summary=objective.told.summary,
        runbook=objective.told.runbook,
        labels=objective.told.labels | {"alertname": alert_name[:200]},
        for_seconds=_minutes(objective.window, window.hold),
    )


def _signal(objective: _Objective, pair: Pair, report: Report) -> Signal | None:
    indicator = objective.indicator
    if indicator.counters is not None:
        signal = slo(indicator.counters, objective.target, objective.window, [pair])
        if signal is not None:
            return signal
    if not indicator.ratio:
        what = f"the share of the budget of factor {pair.text} cannot be written"
        report.error(indicator.place, what, "Write the objective by hand.")
        return None
    limit = f"({float(pair.factor):g} * {float(1 - objective.target):.15g})"
    windows = (pair.short_seconds, pair.long_seconds)
    sides = [f"({indicator.ratio.replace(SLOT, seconds_text(w))}) > {limit}" for w in windows]
    signal = ("threshold", {"expr": " and ".join(sides), "breach_when": "present"})
    if longest_text(signal) > MAX_WRITTEN:
        what = f"the expression would have {longest_text(signal)} characters"
        report.error(indicator.place, what, f"{MAX_WRITTEN} are the most.")
        return None
    return signal


def _absent(
    objective: _Objective,
    selector: str,
    alert_name: str,
    severities: Mapping[str, tuple[Place, str]],
    report: Report,
) -> Draft:
    return Draft(
        wish=f"{objective.name}-absent",
        of=f"Pyrra SLO {objective.name}, absence of {shown(selector)}",
        place=objective.place,
        severity=_severity(severities, "absent", "critical", report),
        signal=("threshold", {"expr": f"absent({selector})", "breach_when": "present"}),
        summary=objective.told.summary,
        runbook=objective.told.runbook,
        labels=objective.told.labels | {"alertname": alert_name[:200]},
        for_seconds=_minutes(objective.window, _WINDOWS[0].hold),
    )
