"""The page about expressions, written from the tables that evaluate them.

`python -m watchdog.policy.promql_reference > docs/promql.md` writes it; a test says when it is
old. What a table has and this page does not know, or the other way round, is a KeyError.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

from watchdog.core.promql import check
from watchdog.core.promql.aggregations import AGGREGATIONS
from watchdog.core.promql.arithmetic import ARITHMETIC, COMPARISONS
from watchdog.core.promql.calls import CALLS
from watchdog.core.promql.matching import SETS
from watchdog.core.promql.parsing import MAX_CHARACTERS, MAX_OPERATORS
from watchdog.core.promql.ranges import RANGE_FUNCTIONS, WHATEVER_IS_THERE

Texts = Mapping[str, tuple[str, str]]
"""Construct -> (an example, what it gives)."""

_INTRO = f"""\
# Expressions on scraped and JSON sources

<!-- Written from the code: `python -m watchdog.policy.promql_reference > docs/promql.md`. -->

On a `prometheus` source all of PromQL may be used. Expressions on `scrape` and `json` sources are \
evaluated by the daemon itself, in the part of PromQL that stands on this page, with the meaning \
that Prometheus 3 gives it. Anything else is refused by name when the rules are loaded; nothing is \
approximated. Types are checked then too. At most {MAX_CHARACTERS} characters and {MAX_OPERATORS} \
operators and parentheses.
"""

_SELECTORS: Texts = {
    "instant selector": ("x", "the newest sample of each series, at most 5 minutes old"),
    "`=` `!=`": (
        'x{code="500", method!="GET"}',
        "a label is, or is not; missing is the same as empty",
    ),
    "`=~` `!~`": (
        'x{code=~"5..|429"}',
        "a label's whole value matches, as RE2 has it, or does not",
    ),
    "no name": ('{__name__=~"http_.*", job="a"}', "series of any name"),
    "range": ("rate(x[5m])", "the samples of the last 5 minutes, inside a function of ranges"),
    "`offset`": ("x - x offset 1h", "as it was an hour ago; not negative"),
}

_ARITHMETIC: Texts = {
    "+": ("x + 1", "sum"),
    "-": ("x - y", "difference; before a vector or number, its negative"),
    "*": ("x * 2", "product"),
    "/": ("x / y", "quotient: by 0 infinite, 0 / 0 NaN"),
    "%": ("x % 60", "remainder, with the sign of the left side"),
    "^": ("x ^ 2", "power; binds to the right"),
}
_COMPARISONS: Texts = {
    "==": ("x == 1", "equal; NaN equals nothing"),
    "!=": ("x != 1", "not equal"),
    ">": ("count(x > 5) or vector(0)", "more: lets through what is, and drops the rest"),
    "<": ("x < bool 5", "less; with `bool`: 1 where it is, 0 where not"),
    ">=": ("sum(x >= bool 5)", "at least"),
    "<=": ("time() <= bool 5", "at most; two numbers are compared with `bool` only"),
}
_SETS: Texts = {
    "and": ("x and on (job) y == 1", "the left elements that have a match on the right"),
    "or": ("x or y", "all left elements, and the right ones that have no match there"),
    "unless": ("x unless on (job) y", "the left elements that have no match on the right"),
}
_MATCHING: Texts = {
    "(nothing)": ("x / y", "elements belong together whose labels are all equal, names aside"),
    "`on`": ("x / on (code) y", "whose these labels are equal"),
    "`ignoring`": ("x / ignoring (method) y", "whose other labels are equal"),
    "`group_left`": (
        "x * on (instance) group_left (version) build_info",
        "several on the left may belong to one on the right, and take these labels from it",
    ),
    "`group_right`": ("a * on (instance) group_right () b", "the same, with the sides swapped"),
}
_AGGREGATIONS: Texts = {
    "sum": ("sum by (code) (x)", "the sum, with Neumaier's compensation"),
    "avg": ("avg(x)", "the mean"),
    "min": ("min without (instance) (x)", "the smallest value that is not NaN"),
    "max": ("max(x)", "the largest value that is not NaN"),
    "count": ("count by (code) (x)", "how many elements"),
    "group": ("group by (code) (x)", "1 for each group"),
    "quantile": ("quantile(0.9, x)", "the value that this share of the elements does not exceed"),
}
_CALLS: Texts = {
    "rate": ("rate(x_total[5m])", "increase per second of a counter, resets counted, extrapolated"),
    "increase": ("increase(x_total[5m])", "increase of a counter over the whole range"),
    "irate": ("irate(x_total[1m])", "increase per second between the last two samples"),
    "delta": ("delta(x[5m])", "change of a gauge over the whole range, extrapolated"),
    "deriv": ("deriv(x[10m])", "slope per second, by least squares"),
    "resets": ("resets(x_total[1h])", "how often the value fell"),
    "changes": ("changes(x[1h])", "how often the value became another"),
    "avg_over_time": ("avg_over_time(x[5m])", "mean of the samples"),
    "min_over_time": ("min_over_time(x[5m])", "smallest sample"),
    "max_over_time": ("max_over_time(x[5m])", "largest sample"),
    "sum_over_time": ("sum_over_time(x[5m])", "sum of the samples"),
    "count_over_time": ("count_over_time(x[5m])", "number of samples"),
    "last_over_time": ("last_over_time(x[1h])", "last sample, however old; the name stays"),
    "present_over_time": ("present_over_time(x[1h])", "1 where there is a sample"),
    "quantile_over_time": ("quantile_over_time(0.9, x[5m])", "quantile of the samples"),
    "absent": ('absent(x{job="a"})', "1 where nothing is there, else nothing"),
    "absent_over_time": ("absent_over_time(x[10m])", "1 where no sample lies in the range"),
    "abs": ("abs(x)", "without its sign"),
    "ceil": ("ceil(x)", "rounded up"),
    "floor": ("floor(x)", "rounded down"),
    "round": ("round(x, 0.5)", "rounded to the nearest multiple (of 1), halves upwards"),
    "clamp": ("clamp(x, 0, 1)", "kept between both; nothing where the second is below the first"),
    "clamp_min": ("clamp_min(x, 0)", "at least"),
    "clamp_max": ("clamp_max(x, 1)", "at most"),
    "time": ("time() - x", "seconds since the epoch, of the evaluation"),
    "timestamp": ("time() - timestamp(x)", "when a selector's samples were taken"),
    "vector": ("vector(1)", "a number as a vector of one element without labels"),
    "scalar": ("x / scalar(y)", "the number of a vector of one element, else NaN"),
    "histogram_quantile": (
        "histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m])))",
        "from classic buckets, interpolated; a bucket without a number for `le` is an error",
    ),
}

_MEANING = """
## What it means

* A range is open on the left: `x[1m]` at 12:01:00 has no sample of 12:00:00. So is the look-back \
of 5 minutes.
* A series that is missing from an answered poll, or any series after a failed one, is gone at \
once, as with Prometheus' staleness markers. Ranges still hold its samples.
* A match that is ambiguous, or a result with the same labels twice, makes the rule blind with the \
reason. So does a comparison that would have dropped the second match.
* The share of a quantile that is written as a number lies between 0 and 1.

## What makes a rule blind

* A selector that matches nothing, unless its silence is asked for: below `absent`, and behind an \
`unless` that stands inside no aggregation. Or unless an `or` puts something measured in its \
place, where either side is one number: `sum(errors) or 0 * sum(requests)`, or `or on ()`. \
`sum(errors) or vector(0)` is blind without errors: that 0 would be there without any service. \
The same holds of a Prometheus, as far as its answer can tell: a side that filters may have said \
nothing, and stands in for nobody.
* No result. A comparison inside that lets nothing through gives none: compare with `bool`, or end \
with `or vector(0)`, or write `breach_when: present`.
* Old samples. An answer is as old as that selector's newest sample whose newest sample is oldest. \
`offset` makes nothing older. An absence is as old as the last poll that found nothing; absences \
that nobody looked for are blind.
* A range that begins before the source was watched, or before the rules wanted its name: after a \
start there are few samples in it, and a low rate would be ours. A tenth of the range may be \
missing. {exempt} need no whole range.
* NaN anywhere in the result, infinities unless the rule allows them, samples ahead of our clock.

## What is refused

Subqueries (`x[1h:1m]`), `@`, `fill`, `or` between label matchers, `atan2`, `topk`, `bottomk`, \
`count_values`, `stddev`, `stdvar`, `limitk`, `limit_ratio`, native histograms, functions of \
labels and of the calendar, and every function that is not listed here. Ask a Prometheus for \
these: `source: prometheus`.
"""


def reference() -> str:
    """The whole page."""
    parts = [_INTRO, _table("Selectors", "selector", _SELECTORS.items())]
    parts.append(_known("Arithmetic", "operator", _ARITHMETIC, ARITHMETIC))
    parts.append(_known("Comparisons", "operator", _COMPARISONS, COMPARISONS))
    parts.append(_known("Sets", "operator", _SETS, SETS))
    parts.append(_table("Matching of two vectors", "modifier", _MATCHING.items()))
    parts.append(
        _known(
            "Aggregations, with `by` or `without`",
            "aggregation",
            _AGGREGATIONS,
            (*AGGREGATIONS, "quantile"),
        )
    )
    of_ranges = (*RANGE_FUNCTIONS, "quantile_over_time", "absent_over_time")
    ranged = {name: text for name, text in _CALLS.items() if name in of_ranges}
    others = {name: text for name, text in _CALLS.items() if name not in of_ranges}
    parts.append(_known("Functions of ranges", "function", ranged, of_ranges))
    rest = [name for name in CALLS if name not in of_ranges]
    parts.append(_known("Other functions", "function", others, rest))
    exempt = ", ".join(f"`{name}`" for name in sorted(WHATEVER_IS_THERE))
    return "".join(parts) + _MEANING.format(exempt=exempt)


def _known(title: str, head: str, texts: Texts, evaluated: Iterable[str]) -> str:
    rows = {name: texts[name] for name in evaluated}
    if unknown := texts.keys() - rows.keys():
        raise KeyError(f"described and not evaluated: {sorted(unknown)}")
    return _table(title, head, [(f"`{name}`", text) for name, text in rows.items()])


def _table(title: str, head: str, rows: Iterable[tuple[str, tuple[str, str]]]) -> str:
    lines = ["", f"## {title}", "", f"| {head} | for example | gives |", "|---|---|---|"]
    for name, (example, text) in rows:
        check(example)  # an example that is refused is none
        lines.append(f"| {name} | `{_cell(example)}` | {_cell(text)} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(reference())
