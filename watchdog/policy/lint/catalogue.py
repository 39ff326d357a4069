"""Every lint that needs the files alone."""

from __future__ import annotations

from collections.abc import Iterator

from watchdog.policy.lint import (
    channels,
    drills,
    each,
    people,
    proof,
    reach,
    selecting,
    status_pages,
    values,
    windows,
)
from watchdog.policy.lint.finding import Finding, Lint
from watchdog.policy.lint.ground import Ground

LINTS: tuple[Lint, ...] = (
    *windows.LINTS,
    *values.LINTS,
    *selecting.LINTS,
    *reach.LINTS,
    *channels.LINTS,
    *each.LINTS,
    *proof.LINTS,
    *people.LINTS,
    *drills.LINTS,
    *status_pages.LINTS,
)


def lint(ground: Ground) -> Iterator[Finding]:
    """Every finding of every one of them."""
    for one in LINTS:
        if one.judges_absence and not ground.whole:
            continue
        yield from (one.finding(hit) for hit in one.look(ground))
