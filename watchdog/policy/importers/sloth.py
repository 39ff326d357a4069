"""Sloth: `version: prometheus/v1` files, PrometheusServiceLevel objects, and alert windows.

Each SLO has two alerts, page and ticket, of two pairs of windows each. An SLI of two counters
becomes an slo rule for each alert; any other SLI stays the expression that Sloth would record,
compared in the same windows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from watchdog.policy.importers.burn import DAY, Pair, slo
from watchdog.policy.importers.fields import Fields, decimal_of
from watchdog.policy.importers.numbers import percent_text
from watchdog.policy.importers.prometheus import longest_text
from watchdog.policy.importers.promql import MAX_WRITTEN
from watchdog.policy.importers.report import Report
from watchdog.policy.importers.sloth_indicators import SLOT, Sli, either, indicator_of
from watchdog.policy.importers.words import (
    Texts,
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

VERSION = "sloth.slok.dev/v1"
KIND = "PrometheusServiceLevel"
WINDOWS_KIND = "AlertWindows"
WORDS = frozenset({"prometheus/v1", "alertWindows/v1"})
"""What stands under `version` of files that are no objects."""

_PERIOD = 30 * DAY
_SEVERITY = {"page": "critical", "ticket": "warning"}


@dataclass(frozen=True, slots=True)
class _Windows:
    """For `page` and `ticket`, the pairs (share of the budget, long, short)."""

    period: float
    pairs: Mapping[str, tuple[tuple[Fraction, float, float], ...]]

    def of(self, alert: str) -> list[Pair]:
        period = Fraction(self.period)
        return [
            Pair(share * period / Fraction(long), long, short)
            for share, long, short in self.pairs[alert]
        ]


_HOUR = 3600.0
_DEFAULT_PAIRS = {
    "page": (
        (Fraction(2, 100), _HOUR, 300.0),
        (Fraction(5, 100), 6 * _HOUR, 1800.0),
    ),
    "ticket": (
        (Fraction(10, 100), DAY, 2 * _HOUR),
        (Fraction(10, 100), 3 * DAY, 6 * _HOUR),
    ),
}
"""Sloth's own, for periods of 28 and of 30 days."""


@dataclass(frozen=True, slots=True)
class _Objective:
    name: str
    service: str
    target: Decimal
    sli: Sli
    labels: Texts
    summary: str
    described: Place


def drafts(documents: Sequence[Fields], report: Report) -> list[Draft]:
    """`documents` are spec files, PrometheusServiceLevel and AlertWindows objects."""
    specs: list[Fields] = []
    windows: list[_Windows] = []
    for document in documents:
        if _is_windows(document):
            found = _windows(document, report)
            windows += [] if found is None else [found]
        else:
            specs.append(document)
    if len(windows) > 1:
        report.error(documents[0].place, "several alert windows in one import", "Give one of them.")
    chosen = windows[0] if windows else _Windows(_PERIOD, _DEFAULT_PAIRS)
    if not specs and not report.errors:
        report.error(documents[0].place, "alert windows and no SLO", "Give the SLO's file, too.")
    result = []
    for document in specs:
        result += _spec(document, chosen, report, assumed=not windows)
    return result


def _is_windows(document: Fields) -> bool:
    return "alertWindows/v1" in {document.text("version"), "-"} or (
        document.text("kind") == WINDOWS_KIND
    )


def _windows(document: Fields, report: Report) -> _Windows | None:
    document.take("apiVersion")
    document.drop("metadata", "it is the cluster's business")
    holder = document.inside("spec") if "spec" in document else document
    if holder is None:
        return None
    period = holder.seconds("sloPeriod")
    pairs: dict[str, tuple[tuple[Fraction, float, float], ...]] = {}
    for alert in ("page", "ticket"):
        found = []
        both = holder.inside(alert)
        for speed in ("quick", "slow"):
            window = None if both is None else both.inside(speed)
            if window is None:
                report.error(holder.at(alert), f"there is no {alert}.{speed}", "Add it.")
                continue
            share = decimal_of(window, "errorBudgetPercent")
            long, short = window.seconds("longWindow"), window.seconds("shortWindow")
            window.close()
            if share is None or long is None or short is None or share <= 0:
                what = f"{alert}.{speed} needs errorBudgetPercent, longWindow and shortWindow"
                report.error(window.place, what, "Add what is missing.")
                continue
            found.append((Fraction(share) / 100, long, short))
        if both is not None:
            both.close()
        pairs[alert] = tuple(found)
    holder.close()
    if holder is not document:
        document.close()
    if period is None:
        report.error(holder.at("sloPeriod"), "there is no sloPeriod", "Add it, like 30d.")
        return None
    return _Windows(period, pairs)


def _spec(document: Fields, windows: _Windows, report: Report, *, assumed: bool) -> list[Draft]:
    document.take("apiVersion")
    document.take("version")
    document.drop("metadata", "it is the cluster's business")
    document.drop("status", "it is the cluster's business")
    holder = document.inside("spec") if "spec" in document else document
    if holder is None:
        return []
    service = holder.needed("service") or "service"
    shared = holder.texts("labels")
    if assumed:
        what = f"the file names no period; it is {seconds_text(_PERIOD)}, Sloth's default"
        remedy = "If Sloth runs with another, give its alert windows as a file of the same import."
        report.changed(document.place, "period", what, remedy)
    result = []
    for entry in holder.each("slos"):
        result += _slo(entry, service, shared, windows, report)
    if holder is not document:
        holder.close()
    document.close()
    return result


def _slo(
    entry: Fields, service: str, shared: Texts, windows: _Windows, report: Report
) -> list[Draft]:
    name = entry.needed("name") or "slo"
    entry.path = shown(name)
    description, described = entry.text("description") or "", entry.at("description")
    target = decimal_of(entry, "objective")
    labels = {**shared, **entry.texts("labels")}
    entry.drop("infoLabels", "they are Sloth's own metric's")
    entry.drop("info_labels", "they are Sloth's own metric's")
    entry.drop("interval", "a rule is judged whenever samples of its source arrive")
    entry.drop("plugins", "what a plugin does to the rules is not known here")
    sli = indicator_of(entry, report)
    alerting = entry.inside("alerting")
    if target is None or sli is None:
        if target is None and not entry.text("objective"):
            report.error(entry.place, f"{name} has no objective", "Add it, like 99.9.")
        return []
    if not 0 < target < 100:
        report.error(entry.value_at("objective"), f"an objective of {target}", "Write 99.9.")
        return []
    summary = words_of(description, described, entry.named("description"), report)
    objective = _Objective(name, service, target / 100, sli, labels, summary, described)
    result = []
    if alerting is None:
        report.changed(entry.place, name, "it has no `alerting`; it has both alerts all the same")
        alerting = Fields(entry.node, entry.path, Report())
    for kind in ("page", "ticket"):
        draft = _alert(kind, objective, alerting, windows, report)
        if draft is not None:
            result.append(draft)
    if alerting.report is report:
        alerting.close()
    return result


def _alert(
    kind: str, objective: _Objective, alerting: Fields, windows: _Windows, report: Report
) -> Draft | None:
    wish = f"{objective.service}-{objective.name}-{kind}"
    alert_name = alerting.text("name") or ""
    alerting.take("labels")
    alerting.take("annotations")
    alert = alerting.inside(either(alerting, f"{kind}_alert"))
    labels = {**objective.labels, **alerting.texts("labels")}
    annotations = dict(alerting.texts("annotations"))
    if alert is not None:
        disabled = alert.flag("disable", otherwise=False)
        labels |= alert.texts("labels")
        annotations |= alert.texts("annotations")
        alert.close()
        if disabled:
            return None
    signal = _signal(objective, windows.of(kind), windows.period, report)
    if signal is None:
        return None
    path = alerting.named("labels")
    told = Told(severity=own_severity(_SEVERITY[kind]))
    if "severity" in labels:
        place, severity = labels["severity"]
        told.severity = severity_of(severity, place, f"{path}.severity", report)
    told.summary = objective.summary
    told.labels = labels_of(labels, path, report)
    told.labels |= {"sloth_service": objective.service, "sloth_slo": objective.name}
    if alert_name:
        told.labels.setdefault("alertname", alert_name)
    annotate(told, annotations, alerting.named("annotations"), report)
    if objective.summary and told.summary != objective.summary:
        what = "the alert's own summary goes before it"
        report.dropped(objective.described, f"{objective.name}.description", what)
    return Draft(
        wish=wish,
        of=f"Sloth SLO {objective.name}, {kind} alert",
        place=alerting.place,
        severity=told.severity,
        signal=signal,
        summary=told.summary,
        runbook=told.runbook,
        labels={name: text for name, text in told.labels.items() if len(text) <= 200},
    )


def _signal(
    objective: _Objective, pairs: list[Pair], period: float, report: Report
) -> Signal | None:
    sli = objective.sli
    live = []
    for pair in pairs:
        if pair.dead(objective.target):
            what = (
                f"the pair of factor {pair.text} can never fire with an objective of "
                f"{percent_text(objective.target)}: more than every event would have to be bad"
            )
            report.dropped(sli.place, sli.name, what)
        else:
            live.append(pair)
    if not live:
        return None
    signal: Signal | None = None
    if sli.counted is not None:
        signal = slo(sli.counted.written, objective.target, period, live)
    if signal is None:
        signal = ("threshold", {"expr": _burning(objective, live), "breach_when": "present"})
        what = "it is no slo of two counters here: the windows are compared as expressions"
        report.changed(sli.place, sli.name, what)
        if longest_text(signal) > MAX_WRITTEN:
            what = f"{sli.name} would have {longest_text(signal)} characters here"
            report.error(sli.place, what, f"{MAX_WRITTEN} are the most: record the ratio.")
            return None
    return signal


def _burning(objective: _Objective, pairs: list[Pair]) -> str:
    """The alert as it is, with the recorded ratios put in."""
    budget = f"{float(1 - objective.target):.15g}"
    arms = []
    for pair in pairs:
        factor = f"{float(pair.factor):.15g}"
        windows = (seconds_text(w) for w in (pair.short_seconds, pair.long_seconds))
        sides = [
            f"({objective.sli.ratio.replace(SLOT, window)}) > ({factor} * {budget})"
            for window in windows
        ]
        arms.append(" and ".join(sides))
    return " or ".join(f"({arm})" for arm in arms) if len(arms) > 1 else arms[0]
