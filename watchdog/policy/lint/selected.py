"""Lints of what rules select, by what their sources say that there is."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from watchdog.policy.lint.asked import Live, LiveLint, Seen, Wanted
from watchdog.policy.lint.finding import Hit, Level
from watchdog.policy.lint.ground import Ground
from watchdog.policy.nodes import Place

MOST_VALUES = 5
"""Of a label, so many values are named."""


def explained(ground: Ground, live: Live) -> set[Place]:
    """Where something is selected that is not there: why a rule sees nothing is said by that."""
    looks = (_unknown_metric, _unknown_label, _nothing_selected)
    return {hit.place for look in looks for hit in look(ground, live)}


def _unknown_metric(ground: Ground, live: Live) -> Iterator[Hit]:
    for one in live.wanted:
        seen = live.seen[ground.policy.rules[one.rule].source]
        names = seen.names
        if names is not None and one.name not in names:
            near = difflib.get_close_matches(one.name, names, n=1, cutoff=0.6) if seen.whole else []
            yield Hit(
                ground.rules[one.rule].at(*one.path),
                f"{ground.policy.rules[one.rule].source} shows no {one.name}",
                f"Did you mean {near[0]}?" if near else "Is it counted only once it happens?",
            )


def _unknown_label(ground: Ground, live: Live) -> Iterator[Hit]:
    for one in live.wanted:
        seen = live.seen[ground.policy.rules[one.rule].source]
        known = seen.labels.get(one.name)
        for label in one.labels if known is not None else ():
            if label not in (known or ()):
                yield Hit(
                    ground.rules[one.rule].at(*one.path),
                    f"no series of {one.name} has a label {label}",
                    f"It has: {', '.join(sorted(known or ())) or 'no labels'}."
                    if seen.whole
                    else "Correct the label's name.",
                )


def _nothing_selected(ground: Ground, live: Live) -> Iterator[Hit]:
    """Where every label is known. What waits for nothing to be there is meant so."""
    for one in live.wanted:
        source = ground.policy.rules[one.rule].source
        seen = live.seen[source]
        known = seen.labels.get(one.name, frozenset())
        if one.selector in seen.unmatched and not one.may_be_none and known >= set(one.labels):
            yield Hit(
                ground.rules[one.rule].at(*one.path),
                f"{source} shows {one.name}, and no series of it is {one.selector}",
                f"{_there_is(one, seen)}Is it counted only once it happens? Else correct the "
                "value.",
            )


def _there_is(one: Wanted, seen: Seen) -> str:
    """The values that its labels have, so that the right one is seen beside the wrong."""
    found = ((label, seen.values.get((one.name, label), ())) for label in one.labels)
    said = (f"{label} is {', '.join(values[:MOST_VALUES])}" for label, values in found if values)
    return "".join(f"There {text}. " for text in said)


LINTS = (
    LiveLint(
        "unknown-metric",
        Level.WARNING,
        "The source has no such metric",
        "The rule is blind, or its `impact` unknown, until it appears; a misspelt name never does.",
        _unknown_metric,
    ),
    LiveLint(
        "unknown-label",
        Level.WARNING,
        "No series of the metric has such a label",
        "A matcher on it selects nothing, so bad events are never counted.",
        _unknown_label,
    ),
    LiveLint(
        "nothing-selected",
        Level.WARNING,
        "The metric is there, and a selector of it matches no series",
        "A misspelt value, or `=` for `=~`: what it should count is never counted.",
        _nothing_selected,
    ),
)
