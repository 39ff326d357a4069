"""Lints of status pages: components that would show nothing of what they are named after."""

from __future__ import annotations

from collections.abc import Iterator

from watchdog.policy.lint.finding import Hit, Level, Lint
from watchdog.policy.lint.ground import Ground
from watchdog.policy.scalars import shown
from watchdog.policy.shape import closest


def _of_no_rule(ground: Ground) -> Iterator[Hit]:
    rules = ground.policy.rules
    for entry, path, rule in ground.pages.named("rules"):
        if rule not in rules:
            yield Hit(
                entry.at(*path),
                f"the status page {entry.name} follows the rule {shown(rule)}, which is not there",
                closest(rule, rules),
            )


LINTS = (
    Lint(
        "status-page-of-no-rule",
        Level.ERROR,
        "A status page that follows a rule which does not exist",
        "The page shows that all is well, whatever happens. The load only advises of it, since a "
        "rule is its owner's to remove.",
        _of_no_rule,
        judges_absence=True,
    ),
)
