"""Lints of what rules select, told from the text alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from watchdog.core.channels import EventSignal
from watchdog.core.probes import Probed
from watchdog.core.promql import Refused, Selector, outline
from watchdog.core.spec import Kind, RatioThreshold, RuleSpec, Slo
from watchdog.policy.lint.finding import Hit, Level, Lint
from watchdog.policy.lint.ground import Ground
from watchdog.policy.problem import Path

_PATTERN = re.compile(r"\.[*+]|\d\.\.$|\][.*+{]|\[\d-\d\]|\w\|\w|\)[*+?]|\\[dwsDWS.]|^\^.*\$$")
"""What texts hardly ever hold and patterns nearly always: `5..`, `.*`, `a|b`, `[45]..`."""


def written(rule: RuleSpec) -> Iterator[tuple[Path, str]]:
    """Every expression of metrics that a rule asks for, and where it is written."""
    signal = rule.signal
    if isinstance(signal, Probed | EventSignal):
        return  # it reads no metrics
    if isinstance(signal, Slo | RatioThreshold):
        yield (rule.kind, "good" if signal.counters.good else "bad"), signal.counters.events
        yield (rule.kind, "total"), signal.counters.total
    else:
        yield (rule.kind, "up" if rule.kind == Kind.LIVENESS else "expr"), signal.expr
    if rule.impact is not None:
        yield ("impact", "increase" if rule.impact.grows else "value"), rule.impact.expr


def selectors(text: str) -> Iterator[Selector]:
    """Those of an expression, without ranges and offsets."""
    try:
        for selector in outline(text).selectors:
            yield Selector.parse(selector)
    except Refused:
        return  # a provider's own dialect: what it means is not known here


def _pattern_as_text(ground: Ground) -> Iterator[Hit]:
    for rule in ground.policy.rules.values():
        for path, text in written(rule):
            for one in (m for selector in selectors(text) for m in selector.matchers):
                if one.operator in {"=", "!="} and _PATTERN.search(one.value):
                    meant = "=~" if one.operator == "=" else "!~"
                    yield Hit(
                        ground.at(rule, *path),
                        f'{one.label}{one.operator}"{one.value}" compares letter by letter, and '
                        "the value looks like a regular expression",
                        f'Did you mean {one.label}{meant}"{one.value}"?',
                    )


LINTS = (
    Lint(
        "pattern-as-text",
        Level.WARNING,
        "A regular expression behind `=` or `!=`",
        "No series has that text for a value: bad events are never counted, and the rule never "
        "fires.",
        _pattern_as_text,
    ),
)
