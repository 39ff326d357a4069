"""Alerts that others raise once for each series. The one place that says what becomes of them.

Where the expression itself says by which labels its series differ, the rule is told apart by them
(`each`), and each label set is a rule of its own, as it is an alert of its own there. Where it does
not, any of the series is the rule's one breach.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import promql_parser as parser

from watchdog.policy.importers.promql import bare
from watchdog.policy.importers.report import Report
from watchdog.policy.importers.shape import is_scalar
from watchdog.policy.nodes import Place

LIMIT = 100
"""What an imported rule takes: others have no limit, and a rule of ours must have one."""

_MOST_LABELS = 5
_LABEL = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{0,99}\Z", re.ASCII)
_REMEDY = "To tell them apart, write a rule for each, with a selector of that one."
_KEEP_SERIES = frozenset({"topk", "bottomk", "limitk", "limit_ratio", "count_values"})
_AT_MOST = (
    f"At most {LIMIT} are watched (`limit`), and a series that lacks one of the labels makes the "
    "rule blind."
)
_SAME_LABELS = frozenset(
    {"abs", "ceil", "clamp", "clamp_max", "clamp_min", "exp", "floor", "ln", "log2", "log10"}
    | {"round", "sgn", "sqrt"}
)


def series_labels(node: Any) -> tuple[str, ...]:
    """The labels by which the series of a result differ; none where the expression tells nothing.

    Nothing is known of labels that come from selectors: only of those that something kept.
    """
    found = _labels(bare(node))
    usable = found is not None and len(found) <= _MOST_LABELS and all(map(_LABEL.match, found))
    return found if found and usable else ()


def _labels(node: Any) -> tuple[str, ...] | None:
    match node:
        case parser.ParenExpr() | parser.UnaryExpr():
            return _labels(node.expr)
        case parser.AggregateExpr():
            modifier = node.modifier
            if modifier is None or str(node.op) in _KEEP_SERIES:
                return None
            by = modifier.type == parser.AggModifierType.By
            return tuple(dict.fromkeys(modifier.labels)) if by else None
        case parser.Call():
            return _called(node)
        case parser.BinaryExpr():
            return _combined(node)
        case _:
            return None


def _called(node: Any) -> tuple[str, ...] | None:
    name = node.func.name
    if name in _SAME_LABELS:
        return _labels(node.args[0])
    if name == "histogram_quantile":
        inner = _labels(node.args[1])
        return None if inner is None else tuple(label for label in inner if label != "le")
    return None


def _combined(node: Any) -> tuple[str, ...] | None:
    if is_scalar(node.lhs):
        return _labels(node.rhs)
    left, right = _labels(node.lhs), _labels(node.rhs)
    if is_scalar(node.rhs) or str(node.op) in {"and", "unless"}:
        return left
    same = left is not None and right is not None and set(left) == set(right)
    plain = node.modifier is None or node.modifier.matching is None
    return left if same and plain else None


def several_series(
    labels: tuple[str, ...], place: Place, name: str, report: Report
) -> tuple[str, ...]:
    """Of an expression that may return several series: what `each` is to be, if anything."""
    if labels:
        report.changed(
            place,
            name,
            f"each {' and '.join(labels)} is a rule of its own, as it was an alert of its own: "
            f"`each: [{', '.join(labels)}]`",
            _AT_MOST,
        )
        return labels
    what = (
        "it may return several series, and each would be an alert of its own; here any of them is "
        "the rule's one breach, and `for` counts while any of them breaches"
    )
    report.changed(place, name, what, _REMEDY)
    return ()


def grouped(
    labels: Iterable[str], place: Place, name: str, report: Report, *, by_counters: bool
) -> tuple[str, ...]:
    """Of an objective that holds for each group by itself: what `each` is to be."""
    labels = tuple(dict.fromkeys(labels))
    if by_counters and len(labels) <= _MOST_LABELS and all(map(_LABEL.match, labels)):
        report.changed(
            place,
            name,
            f"one objective for each {' and '.join(labels)}: `each: [{', '.join(labels)}]`",
            _AT_MOST,
        )
        return labels
    what = (
        f"one objective for each {' and '.join(labels)}; here it is one of all of them together, "
        "in which a large group hides a small one"
    )
    report.changed(place, name, what, _REMEDY)
    return ()
