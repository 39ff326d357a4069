"""What a Sloth SLO counts: two queries, or a ratio that is stored, over `{{.window}}`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from watchdog.policy.importers.each import several_series
from watchdog.policy.importers.fields import Fields
from watchdog.policy.importers.prometheus import tree_at
from watchdog.policy.importers.promql import written
from watchdog.policy.importers.ratios import Counted, counted
from watchdog.policy.importers.report import Report
from watchdog.policy.importers.shape import one
from watchdog.policy.nodes import Place
from watchdog.policy.scalars import shown

SLOT = "<window>"
"""Where the window stands in an indicator's ratio."""

_WINDOW = re.compile(r"\{\{-?\s*\.window\s*-?\}\}")
_OTHER_NAMES = {
    "error_query": "errorQuery",
    "total_query": "totalQuery",
    "error_ratio_query": "errorRatioQuery",
    "page_alert": "pageAlert",
    "ticket_alert": "ticketAlert",
}
"""A field of the file, and its name in the object."""


@dataclass(slots=True)
class Sli:
    """The counters, or the error ratio as an expression of the window."""

    place: Place
    name: str
    counted: Counted | None = None
    ratio: str = ""  # with SLOT in it


def indicator_of(entry: Fields, report: Report) -> Sli | None:
    sli = entry.inside("sli")
    if sli is None:
        report.error(entry.place, f"{entry.path} has no `sli`", "Add it.")
        return None
    events, raw, plugin = sli.inside("events"), sli.inside("raw"), sli.inside("plugin")
    found = None
    if plugin is not None:
        identity = plugin.text("id") or "?"
        what = f"the SLI of {entry.path} is made by the plugin {shown(identity)}, which is code"
        remedy = "Let Sloth generate the rules (`sloth generate`), and import those."
        report.error(plugin.place, what, remedy)
    elif events is not None:
        found = _events(events, report)
        events.close()
    elif raw is not None:
        found = _raw(raw, report)
        raw.close()
    else:
        report.error(sli.place, f"{sli.path} has neither events nor raw", "Add one.")
    sli.close()
    return found


def _events(events: Fields, report: Report) -> Sli | None:
    bad = _query(events, "error_query", report)
    total = _query(events, "total_query", report)
    if bad is None or total is None:
        return None
    (bad_text, bad_tree), (total_text, total_tree) = bad, total
    place, name = events.place, events.path
    found = counted(bad_tree, total_tree)
    if found is not None:
        return Sli(place, name, counted=found)
    several = one(bad_tree) is None or one(total_tree) is None
    if several:
        several_series((), place, name, report)
    return Sli(place, name, ratio=f"({bad_text}) / ({total_text})")


def _raw(raw: Fields, report: Report) -> Sli | None:
    query = _query(raw, "error_ratio_query", report)
    if query is None:
        return None
    text, tree = query
    if one(tree) is None:
        several_series((), raw.place, raw.path, report)
    return Sli(raw.place, raw.path, ratio=text)


def _query(fields: Fields, key: str, report: Report) -> tuple[str, object] | None:
    """The query on one line with SLOT in it, and its tree for some window."""
    key = either(fields, key)
    text = fields.needed(key)
    if text is None:
        return None
    place = fields.value_at(key)
    if not _WINDOW.search(text):
        what = f"{fields.named(key)} does not use {{{{.window}}}}"
        report.error(place, what, "Sloth refuses it as well: a window must stand in the query.")
        return None
    sample = _free_window(text)
    tree = tree_at(_WINDOW.sub(sample, text), place, report)
    if tree is None:
        return None
    return written(tree).replace(sample, SLOT), tree


def _free_window(text: str) -> str:
    """A window that does not stand in the query by itself."""
    return next(f"2h11m{n}s" for n in range(1, 60) if f"2h11m{n}s" not in text)


def either(fields: Fields, key: str) -> str:
    other = _OTHER_NAMES[key]
    return key if key in fields else other if other in fields else key
