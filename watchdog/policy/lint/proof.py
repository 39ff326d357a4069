"""Lints of proof: rules that may lead to an action and that no test speaks of."""

from __future__ import annotations

from collections.abc import Iterator

from watchdog.core.alerting import alert_name
from watchdog.policy.lint.finding import Hit, Level, Lint
from watchdog.policy.lint.ground import Ground


def _untested(ground: Ground) -> Iterator[Hit]:
    if ground.tested is None:
        return
    for rule in ground.policy.rules.values():
        names = {rule.name, alert_name(rule)}
        if rule.playbook is not None and names.isdisjoint(ground.tested):
            yield Hit(
                ground.rules[rule.name].key,
                f"no unit test speaks of {rule.name}, which may lead to {rule.playbook}",
                f"Write {rule.owner}/{rule.name}.test.yaml and run: slo-watchdog test FILE.",
            )


LINTS = (
    Lint(
        "rule-without-a-test",
        Level.WARNING,
        "A rule that may act has no unit test",
        "What nobody has seen fire, or stay quiet, is not known to do either.",
        _untested,
    ),
)
