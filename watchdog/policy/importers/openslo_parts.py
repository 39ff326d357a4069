"""The parts of an OpenSLO SLO: its indicator, and the conditions of its alert policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import promql_parser as parser

from watchdog.policy.importers.fields import Fields, decimal_of
from watchdog.policy.importers.prometheus import tree_at
from watchdog.policy.importers.promql import bare, written
from watchdog.policy.importers.report import Report
from watchdog.policy.importers.words import severity_of, words_of
from watchdog.policy.nodes import Place
from watchdog.policy.scalars import shown


@dataclass(slots=True)
class Book:
    """The documents by kind and name."""

    objects: dict[tuple[str, str], Fields]
    used: set[tuple[str, str]]
    report: Report

    def find(self, kind: str, name: str, place: Place) -> Fields | None:
        """A copy that reports its own unread fields once only."""
        found = self.objects.get((kind, name))
        if found is None:
            what = f"there is no {kind} {shown(name)} in these files"
            self.report.error(place, what, "Give the file that holds it, too.")
        self.used.add((kind, name))
        return found


@dataclass(frozen=True, slots=True)
class Sli:
    """Two counters, or a value that is compared (a threshold, a ratio that is stored)."""

    place: Place
    name: str
    counters: Mapping[str, object] | None = None
    value: Any = None
    stored: str = ""  # of a stored ratio: "success" or "failure"


@dataclass(frozen=True, slots=True)
class Condition:
    severity: str
    place: Place
    name: str
    threshold: Decimal
    lookback: float
    after: float | None
    summary: str


def shorthand(text: str | None) -> float | None:
    """`12h`, `4w`: a number and a letter; months, quarters and years have no fixed length."""
    if text is None or not text[:-1].isdecimal() or len(text) > 10:
        return None
    sizes = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
    return None if text[-1] not in sizes else float(int(text[:-1]) * sizes[text[-1]]) or None


# -- indicators ------------------------------------------------------------------------------------


def indicator_of(spec: Fields, book: Book) -> Sli | None:
    report = book.report
    reference = spec.text("indicatorRef")
    holder = spec.inside("indicator")
    if reference is not None:
        found = book.find("SLI", reference, spec.value_at("indicatorRef"))
        inner = None if found is None else found.inside("spec")
    elif holder is not None:
        inner = holder.inside("spec")
        holder.drop("metadata", "what is written in its place needs no name")
        holder.close()
    else:
        report.error(spec.place, f"{spec.path} has neither indicator nor indicatorRef", "Add one.")
        return None
    if inner is None:
        if holder is not None:
            report.error(holder.place, f"{holder.path} has no spec", "Add it.")
        return None
    inner.drop("description", "the SLO has its own")
    ratio, threshold = inner.inside("ratioMetric"), inner.inside("thresholdMetric")
    inner.close()
    if ratio is not None:
        return _ratio(ratio, report)
    if threshold is not None:
        value = _query(threshold, report)
        return None if value is None else Sli(threshold.place, threshold.path, value=value)
    report.error(inner.place, f"{inner.path} has no metric", "Add ratioMetric or thresholdMetric.")
    return None


def _ratio(ratio: Fields, report: Report) -> Sli | None:
    raw = ratio.inside("raw")
    if raw is not None:
        kind = ratio.text("rawType") or ""
        ratio.take("counter")
        ratio.close()
        value = _query(raw, report)
        if kind not in {"success", "failure"}:
            report.error(ratio.place, "a raw ratio needs `rawType`", "Write success or failure.")
            return None
        return None if value is None else Sli(raw.place, raw.path, value=value, stored=kind)
    counter = ratio.flag("counter", otherwise=False)
    word = "good" if "good" in ratio else "bad"
    events, total = ratio.inside(word), ratio.inside("total")
    ratio.close()
    if events is None or total is None or {"good", "bad"} <= set(ratio.node.entries):
        what = f"{ratio.path} needs `total` and exactly one of `good` and `bad`"
        report.error(ratio.place, what, "Add what is missing.")
        return None
    if not counter:
        what = f"{ratio.path} is no counter (`counter: true`)"
        report.error(
            ratio.place, what, "What a ratio of gauges means over a window is not defined."
        )
        return None
    texts = {word: _counter(events, report), "total": _counter(total, report)}
    if any(text is None for text in texts.values()):
        return None
    return Sli(ratio.place, ratio.path, counters=texts)


def _query(metric: Fields, report: Report) -> Any:
    """The PromQL of a metric source."""
    source = metric.inside("metricSource")
    metric.close()
    inner = None if source is None else source.inside("spec")
    if source is None or inner is None:
        report.error(metric.place, f"{metric.path} has no metricSource.spec", "Add it.")
        return None
    kind = source.text("type")
    reference = source.text("metricSourceRef")
    source.close()
    if kind is not None and kind.lower() not in {"prometheus", "thanos", "mimir", "cortex"}:
        what = f"a metric source of type {shown(kind)}"
        report.error(source.value_at("type"), what, "Only Prometheus can be asked here.")
        return None
    if kind is None:
        what = f"the source {shown(reference or '')} is taken for a Prometheus"
        report.changed(source.place, source.path, what)
    text = inner.needed("query")
    place = inner.value_at("query")
    inner.close()
    return None if text is None else tree_at(text, place, report)


def _counter(metric: Fields, report: Report) -> str | None:
    """The raw counter: a selector, or the sum of one."""
    tree = _query(metric, report)
    if tree is None:
        return None
    node = bare(tree)
    if isinstance(node, parser.AggregateExpr) and str(node.op) == "sum":
        node = bare(node.expr)
    plain = isinstance(node, parser.VectorSelector) and not node.offset and node.at is None
    if not plain or node.matchers.or_matchers:
        what = f"{metric.path} is no counter that can be read: {shown(written(tree))}"
        remedy = "`counter: true` wants a raw counter, like sum(requests_total{code='500'})."
        report.error(metric.place, what, remedy)
        return None
    return written(node)


# -- alerts ----------------------------------------------------------------------------------------


def conditions(spec: Fields, book: Book) -> list[Condition]:
    found = []
    for policy in spec.each("alertPolicies"):
        holder: Fields | None = policy
        inline = "alertPolicyRef" not in policy
        reference = policy.text("alertPolicyRef")
        if reference is not None:
            holder = book.find("AlertPolicy", reference, policy.value_at("alertPolicyRef"))
        found += [] if holder is None else _policy(holder, book, inline=inline)
    return found


def _policy(holder: Fields, book: Book, *, inline: bool) -> list[Condition]:
    report = book.report
    _check_kind(holder, "AlertPolicy")
    if inline:
        holder.drop("metadata", "what is written in its place needs no name")
    spec = holder.inside("spec") if "spec" in holder else holder
    if spec is None:
        return []
    spec.drop("description", "a rule has the words of its SLO or its condition")
    breaching = spec.flag("alertWhenBreaching", otherwise=True)
    if spec.flag("alertWhenNoData", otherwise=False):
        what = "no data makes a rule blind; people are told after `on_blind: {page_after}`"
        report.changed(spec.at("alertWhenNoData"), spec.named("alertWhenNoData"), what)
    if spec.flag("alertWhenResolved", otherwise=False):
        what = "recovery is always recorded"
        report.changed(spec.at("alertWhenResolved"), spec.named("alertWhenResolved"), what)
    spec.drop("notificationTargets", "no rule says who is told: docs/installation.md")
    found = []
    for condition in spec.each("conditions"):
        inner: Fields | None = condition
        reference = condition.text("conditionRef")
        if reference is not None:
            inner = book.find("AlertCondition", reference, condition.value_at("conditionRef"))
        inline = "conditionRef" not in condition
        one_of = None if inner is None else _condition(inner, report, inline=inline)
        found += [] if one_of is None else [one_of]
    if spec is not holder:
        spec.close()
    if not breaching:
        report.dropped(spec.place, spec.path, "it does not alert on a breach")
        return []
    return found


def _check_kind(holder: Fields, kind: str) -> None:
    """What is written in a place may say what it is, and must be that."""
    holder.take("apiVersion")
    found = holder.text("kind")
    if found not in {None, kind}:
        holder.report.error(holder.value_at("kind"), f"a {shown(found)} here", f"It is a {kind}.")


def _condition(holder: Fields, report: Report, *, inline: bool) -> Condition | None:
    _check_kind(holder, "AlertCondition")
    metadata = holder.inside("metadata")
    name = (metadata.text("name") if metadata is not None else None) or "burn"
    if metadata is not None and inline:
        metadata.close()
    spec = holder.inside("spec") if "spec" in holder else holder
    if spec is None:
        return None
    severity, place = spec.text("severity"), spec.value_at("severity")
    description = spec.text("description") or ""
    summary = words_of(description, spec.at("description"), spec.named("description"), report)
    inner = spec.inside("condition")
    if spec is not holder:
        spec.close()
    if inner is None:
        report.error(spec.place, f"the alert condition {shown(name)} has no condition", "Add it.")
        return None
    kind = inner.text("kind") or "burnrate"
    threshold, after = decimal_of(inner, "threshold"), inner.text("alertAfter")
    operator = inner.text("op")
    lookback = shorthand(inner.text("lookbackWindow"))
    inner.close()
    if kind.lower() != "burnrate":
        what = f"a condition of kind {shown(kind)}"
        report.error(inner.value_at("kind"), what, "Only burnrate is known here.")
        return None
    if operator not in {None, "gt", "gte"}:
        remedy = "It would alert while little burns. A burn is too high: write gt or gte."
        report.error(inner.value_at("op"), f"op {shown(operator)}", remedy)
        return None
    if operator == "gte":
        what = "a burn of exactly the threshold alerted; here a burn breaches above it"
        report.changed(inner.value_at("op"), f"{shown(name)}.op", what)
    if threshold is None or threshold <= 0 or lookback is None:
        what = f"the alert condition {shown(name)} needs threshold and lookbackWindow"
        report.error(inner.place, what, "Write them like threshold: 2, lookbackWindow: 1h.")
        return None
    hold = None if after is None else shorthand(after)
    if after is not None and hold is None and after not in {"0m", "0h", "0s", "0"}:
        report.error(inner.value_at("alertAfter"), f"alertAfter: {shown(after)}", "Write 5m.")
    path = f"{shown(name)}.severity"
    ours = severity_of(severity, place, path, report)
    return Condition(ours, inner.place, name, threshold, lookback, hold, summary)
