"""What a Pyrra objective counts: two metrics, a latency bucket, a native histogram, a gauge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import promql_parser as parser

from watchdog.core.promql.selector import exact_name
from watchdog.policy.importers.fields import Fields
from watchdog.policy.importers.prometheus import tree_at
from watchdog.policy.importers.promql import bare, written
from watchdog.policy.importers.report import Report
from watchdog.policy.nodes import Place
from watchdog.policy.scalars import shown

SLOT = "<window>"
"""Where the window stands in an indicator's ratio."""


@dataclass(slots=True)
class Indicator:
    """Counters, or the error ratio as an expression of a window."""

    place: Place
    name: str
    counters: dict[str, object] | None = None
    ratio: str = ""  # with WINDOW in it
    grouping: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()  # selectors that an alert watches for absence


def indicator_of(spec: Fields, report: Report) -> Indicator | None:
    holder = spec.inside("indicator")
    if holder is None:
        report.error(spec.place, "there is no spec.indicator", "Add it.")
        return None
    readers = {
        "ratio": _ratio,
        "latency": _latency,
        "latencyNative": _native,
        "bool_gauge": _gauge,
    }
    given = [key for key in readers if key in holder]
    if len(given) != 1:
        what = f"spec.indicator has {' and '.join(given) or 'none of ' + ', '.join(readers)}"
        report.error(holder.place, what, "Keep exactly one.")
        return None
    fields = holder.inside(given[0])
    holder.close()
    if fields is None:
        return None
    grouping = tuple(node.text for node in fields.items("grouping"))
    found = readers[given[0]](fields, report)
    fields.close()
    if found is not None:
        found.grouping = grouping
    return found


def _metric(fields: Fields, key: str, report: Report) -> Any:
    """The selector in `KEY: {metric: ...}`."""
    inner = fields.inside(key)
    if inner is None:
        report.error(fields.place, f"there is no {fields.named(key)}", "Add it.")
        return None
    found = _selector(inner, report)
    inner.close()
    return found


def _selector(fields: Fields, report: Report) -> Any:
    text = fields.needed("metric")
    if text is None:
        return None
    place = fields.value_at("metric")
    tree = tree_at(text, place, report)
    if tree is None:
        return None
    node = bare(tree)
    plain = isinstance(node, parser.VectorSelector) and not node.offset and node.at is None
    if not plain or node.matchers.or_matchers:
        what = f"{fields.named('metric')} is no plain selector: {shown(text)}"
        report.error(place, what, "Pyrra takes a metric with its label matchers.")
        return None
    return node


def _ratio(fields: Fields, report: Report) -> Indicator | None:
    found = Indicator(fields.place, fields.path)
    if "success" in fields:
        what = "a ratio with `success`"
        report.error(fields.at("success"), what, "Only errors and total are known here.")
        return None
    errors, total = _metric(fields, "errors", report), _metric(fields, "total", report)
    if errors is None or total is None:
        return None
    found.counters = {"bad": written(errors), "total": written(total)}
    found.absent = (written(total),)
    if exact_name(errors) != exact_name(total):
        found.absent += (written(errors),)
    return found if _differ(errors, total, fields, report) else None


def _latency(fields: Fields, report: Report) -> Indicator | None:
    success, total = _metric(fields, "success", report), _metric(fields, "total", report)
    if success is None or total is None or not _differ(success, total, fields, report):
        return None
    return Indicator(
        fields.place,
        fields.path,
        counters={"good": written(success), "total": written(total)},
        absent=(written(total), written(success)),
    )


def _differ(one: Any, other: Any, fields: Fields, report: Report) -> bool:
    if written(one) != written(other):
        return True
    report.error(fields.place, f"{fields.path} counts the same twice", "Select the bad ones only.")
    return False


def _native(fields: Fields, report: Report) -> Indicator | None:
    total = _metric(fields, "total", report)
    seconds = fields.seconds("latency")
    if total is None or seconds is None:
        if total is not None:
            report.error(fields.place, f"{fields.path} has no latency", "Add it, like 200ms.")
        return None
    rate = f"sum(rate({written(total)}[{SLOT}]))"
    found = Indicator(fields.place, fields.path)
    found.ratio = f"1 - histogram_fraction(0, {seconds:.15g}, {rate})"
    what = "native histograms are no counters here: the windows are compared as expressions"
    report.changed(fields.place, fields.path, what, "They need a Prometheus that answers them.")
    return found


def _gauge(fields: Fields, report: Report) -> Indicator | None:
    node = _selector(fields, report)
    if node is None:
        return None
    text = written(node)
    count, good = (f"sum({f}_over_time({text}[{SLOT}]))" for f in ("count", "sum"))
    found = Indicator(fields.place, fields.path, absent=(text,))
    found.ratio = f"({count} - {good}) / {count}"
    what = "a gauge is no counter: the windows are compared as expressions"
    report.changed(fields.place, fields.path, what)
    return found
