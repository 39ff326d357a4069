"""Which of the platform's sources a rule names."""

from __future__ import annotations

from watchdog.core.spec import PrometheusApi, SourceSpec
from watchdog.policy.platform import Platform
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.rule_models import RuleShape
from watchdog.policy.shape import closest


def source_named(
    entry: Entry, shape: RuleShape, platform: Platform, findings: Findings
) -> SourceSpec | None:
    """The rule's source; `liveness: {up: SOURCE}` names it by itself."""
    up = shape.liveness.up if shape.liveness is not None else None
    if shape.source is None and up is not None:
        found = platform.sources.get(up)
        if found is None:
            findings.refuse(
                entry.at("liveness", "up"),
                f"there is no source {up}",
                f"{closest(up, platform.sources)} A selector needs `source:` beside it.",
            )
        elif isinstance(found.how, PrometheusApi):
            findings.refuse(
                entry.at("liveness", "up"),
                f"{up} is a Prometheus, which knows the `up` of many targets",
                f"Write `source: {up}` and a selector, like {{up: 'up{{job=\"x\"}}'}}.",
            )
            return None
        return found
    if shape.source is None:
        findings.refuse(
            entry.key,
            f"{entry.name} has no `source`",
            closest("", platform.sources).replace("Known are", "Name one of"),
        )
        return None
    found = platform.sources.get(shape.source)
    if found is None:
        findings.refuse(
            entry.at("source"),
            f"there is no source {shape.source}",
            closest(shape.source, platform.sources),
        )
    return found
