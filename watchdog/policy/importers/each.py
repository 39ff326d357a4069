"""Alerts that others raise once for each series. The one place that says what becomes of them.

Here a rule has one episode, whichever of its series breaches. Once rules have `each: [labels]`,
this is where importers begin to write it.
"""

from __future__ import annotations

from collections.abc import Iterable

from watchdog.policy.importers.report import Report
from watchdog.policy.tree import Place

_REMEDY = "To tell them apart, write a rule for each, with a selector of that one."


def several_series(place: Place, name: str, report: Report) -> None:
    """An expression that may return several series."""
    what = (
        "it may return several series, and each would be an alert of its own; here any of them is "
        "the rule's one breach, and `for` counts while any of them breaches"
    )
    report.changed(place, name, what, _REMEDY)


def grouped(labels: Iterable[str], place: Place, name: str, report: Report) -> None:
    """An objective that holds for each group by itself."""
    what = (
        f"one objective for each {' and '.join(labels)}; here it is one of all of them together, "
        "in which a large group hides a small one"
    )
    report.changed(place, name, what, _REMEDY)
