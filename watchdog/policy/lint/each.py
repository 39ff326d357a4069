"""Lints of rules with `each`: can a member have one value?"""

from __future__ import annotations

from collections.abc import Iterator

from watchdog.core.promql import ParseFault
from watchdog.core.promql.kept import sums_up
from watchdog.core.spec import PRESENT, Policy, RuleSpec, ValueThreshold
from watchdog.policy.lint.finding import Hit, Level, Lint
from watchdog.policy.lint.ground import Ground


def _families(policy: Policy) -> Iterator[RuleSpec]:
    return (rule for rule in policy.rules.values() if rule.each)


def _several_in_one(ground: Ground) -> Iterator[Hit]:
    for rule in _families(ground.policy):
        signal = rule.signal
        if not isinstance(signal, ValueThreshold) or signal.bound.op == PRESENT:
            continue
        try:
            alone = sums_up(signal.expr, rule.each)
        except ParseFault:
            continue  # a provider's own dialect: what it means is not known here
        if not alone:
            labels = ", ".join(rule.each)
            yield Hit(
                ground.at(rule, rule.kind, "expr"),
                f"{rule.name} tells apart by {labels}, and its expression may give several series "
                "of one",
                f"Aggregate it, as in max by ({labels}) (...).",
            )


LINTS = (
    Lint(
        "each-of-several-series",
        Level.WARNING,
        "A member with several series",
        "A rule with `each` wants one value of each label set; of several the member is blind.",
        _several_in_one,
    ),
)
