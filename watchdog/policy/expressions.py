"""Expressions are checked when they are loaded: PromQL by its parser, JMESPath by its own.

What a threshold compares must be a value, not the result of a filter: a filter gives nothing both
in health and in absence, so `healthy` and `no data` would look the same. The comparison is ours.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jmespath
import promql_parser as promql
from jmespath.exceptions import JMESPathError

from watchdog.core.judge.presence import needs
from watchdog.core.promql import (
    Refused,
    Unsupported,
    check,
    explained,
    inner_filter,
    own_filter,
)
from watchdog.core.promql.parsing import without_raw
from watchdog.core.spec import PRESENT, Bound, JsonDocument, PrometheusApi, SourceSpec
from watchdog.policy.nodes import Place
from watchdog.policy.problem import Entry, Findings, Path
from watchdog.policy.scalars import shown
from watchdog.policy.shape import closest
from watchdog.wire import expectation

MAX_NESTING = 40
MAX_DEPTH = 100
_SETS = {"and", "or", "unless"}


@dataclass(frozen=True, slots=True)
class Spot:
    """One expression's text and place in a file."""

    entry: Entry
    path: Path
    text: str

    def place(self) -> Place:
        return self.entry.at(*self.path)

    @property
    def name(self) -> str:
        return ".".join(str(step) for step in self.path if isinstance(step, str))


def normal(text: str) -> str:
    """The expression as its parser writes it: blanks and line breaks mean nothing."""
    try:
        return str(promql.parse(without_raw(text)))
    except (ValueError, RecursionError):
        return text


def check_value(spot: Spot, bound: Bound, source: SourceSpec, findings: Findings) -> None:
    """`expr` of a threshold or integrity rule."""
    parsed = _parsed(spot, findings)
    if parsed is None:
        return
    own, inner = own_filter(parsed), inner_filter(parsed)
    if bound.op == PRESENT and not _can_be_heard(spot, findings):
        return
    if bound.op == PRESENT:
        if inner is None and not _may_vanish(parsed):
            findings.advise(
                spot.place(),
                f"{spot.name} returns something whenever there is data, so with `present` the "
                "rule is always breached",
                'Compare it, like breach_when: "> 5%".',
            )
    elif own is not None:
        findings.refuse(
            spot.place(),
            f'{spot.name} filters its own result ("{_filter_text(own)}"), so "healthy" and '
            '"no data" would look the same',
            'Remove the comparison and write it as breach_when, like breach_when: "> 5%". Or, '
            "where it is the result itself that speaks, write `breach_when: present`.",
        )
        return
    elif inner is not None:
        findings.advise(
            spot.place(),
            f'{spot.name} gives no result while nothing passes "{_filter_text(inner)}", and a rule '
            "without a result is blind",
            "Compare with `bool`, as in `x > bool 5`, or end it with `or vector(0)`; or, where it "
            "is the result itself that speaks, write `breach_when: present`.",
        )
    _check_measured(spot, parsed, source, findings)


def check_number(spot: Spot, source: SourceSpec, findings: Findings) -> None:
    """An expression whose number is shown and compared with nothing."""
    parsed = _parsed(spot, findings)
    if parsed is not None:
        _check_measured(spot, parsed, source, findings)


def _check_measured(spot: Spot, parsed: Any, source: SourceSpec, findings: Findings) -> None:
    if isinstance(parsed, promql.StringLiteral | promql.NumberLiteral | promql.MatrixSelector):
        findings.refuse(
            spot.place(), f"{spot.name} is no measured value", "Select a metric, or rate() of it."
        )
        return
    if not _selectors(parsed):
        findings.refuse(spot.place(), f"{spot.name} reads no metric", "Select one.")
        return
    _check_for(source, spot, parsed, findings)


def _can_be_heard(spot: Spot, findings: Findings) -> bool:
    """Where the result itself speaks, it must be known what each selector's silence means."""
    try:
        needs(spot.text)
    except Refused as fault:
        findings.refuse(
            spot.place(),
            f"{shown(str(fault))}: with `present` it could not be told which silence is health",
            "Split it into several rules, or record parts of it in the Prometheus.",
        )
        return False
    return True


def check_selector(spot: Spot, source: SourceSpec, findings: Findings) -> None:
    """A plain selector: a counter of an slo or a ratio, or what `up` watches."""
    parsed = _parsed(spot, findings)
    if parsed is None:
        return
    if not isinstance(parsed, promql.VectorSelector):
        findings.refuse(
            spot.place(),
            f"{spot.name} is no plain selector: {shown(spot.text)}",
            'Name the raw counter itself, like requests_total{code=~"5.."}; '
            "rates and sums over the windows are made here.",
        )
        return
    if parsed.offset is not None or parsed.at is not None:
        findings.refuse(spot.place(), f"{spot.name} is shifted in time", "Remove `offset` and `@`.")
        return
    _check_for(source, spot, parsed, findings)


def check_jmespath(spot: Spot, findings: Findings) -> bool:
    """A JMESPath that reads a value; False when it is refused."""
    try:
        _jmespath_tree(spot.text)
    except (JMESPathError, ValueError, RecursionError, PendingDeprecationWarning) as error:
        first = str(error).strip().partition("\n")[0].rstrip(":") or "nested too deeply"
        findings.refuse(
            spot.place(),
            f"{spot.name} is no JMESPath: {first}",
            "Literals stand in backticks, like enabled == `false`.",
        )
        return False
    return True


def check_expectation(spot: Spot, findings: Findings) -> None:
    """A JMESPath whose answer is true or false of a served document."""
    try:
        expectation.check_expectation(spot.text)
    except expectation.BadExpectation as bad:
        findings.refuse(spot.place(), f"{spot.name}: {bad.message}", bad.instead)


def same_expectation(one: str, other: str) -> bool:
    """Whether two JMESPath texts are the same expression, blanks aside."""
    try:
        return bool(_jmespath_tree(one) == _jmespath_tree(other))
    except (JMESPathError, ValueError, RecursionError, PendingDeprecationWarning):
        return one == other


def _jmespath_tree(text: str) -> object:
    """The parsed JMESPath. A bare word in backquotes, which is no JSON, raises its warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return jmespath.compile(text).parsed


def _parsed(spot: Spot, findings: Findings) -> Any:
    """The syntax tree, or None with the fault reported."""
    depth = deepest = 0
    for character in spot.text:  # before the parser sees it: it overflows its stack on depth
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(character, 0)
        deepest = max(deepest, depth)
    try:
        if deepest > MAX_NESTING:
            raise RecursionError  # noqa: TRY301  # one message for both ways of being too deep
        parsed = promql.parse(without_raw(spot.text))
        _nodes(parsed)
    except RecursionError:
        findings.refuse(spot.place(), f"{spot.name} is nested too deeply", "Simplify it.")
        return None
    except ValueError as error:
        what, remedy = explained(str(error))
        what = what if remedy else shown(what)
        remedy = f"{remedy[:1].upper()}{remedy[1:]}." if remedy else "Correct it."
        findings.refuse(spot.place(), f"{spot.name} is no PromQL: {what}", remedy)
        return None
    return parsed


def _nodes(parsed: Any) -> list[Any]:
    """Every node, by a walk of our own: the parser's takes cubic time on deep trees.

    Raises RecursionError for a tree deeper than any rule needs.
    """
    found: list[Any] = []
    waiting: list[tuple[Any, int]] = [(parsed, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise RecursionError
        found.append(node)
        inside = [getattr(node, name, None) for name in ("expr", "lhs", "rhs", "param")]
        inside += list(getattr(node, "args", None) or [])
        waiting += [(child, depth + 1) for child in inside if isinstance(child, promql.Expr)]
    return found


def _selectors(parsed: Any) -> list[Any]:
    nodes = _nodes(parsed)
    plain = [n for n in nodes if isinstance(n, promql.VectorSelector)]
    return plain + [n.vector_selector for n in nodes if isinstance(n, promql.MatrixSelector)]


def _filter_text(node: Any) -> str:
    """What filters, as "> 0.05", or as "absent(x)"."""
    if isinstance(node, promql.BinaryExpr):
        return f"{node.op} {shown(str(node.rhs))}"
    return shown(node.prettify())


def _may_vanish(parsed: Any) -> bool:
    """Whether the result can be empty beside live data, filters aside."""
    for node in _nodes(parsed):
        if isinstance(node, promql.BinaryExpr) and str(node.op) in _SETS:
            return True
        if isinstance(node, promql.Call) and node.func.name in {"absent", "absent_over_time"}:
            return True
    return isinstance(parsed, promql.VectorSelector)  # series that come and go: ALERTS


def _names(parsed: Any) -> Iterable[str]:
    """The metric names that are asked for by equality."""
    for selector in _selectors(parsed):
        if selector.name:
            yield selector.name
        for matcher in selector.matchers.matchers:
            if matcher.name == "__name__" and matcher.op == promql.MatchOp.Equal:
                yield matcher.value


def _check_for(source: SourceSpec, spot: Spot, parsed: Any, findings: Findings) -> None:
    """What the source behind the expression can answer."""
    if isinstance(source.how, PrometheusApi):
        return  # it knows all of PromQL
    try:
        check(spot.text)
    except Unsupported as fault:
        findings.refuse(
            spot.place(),
            f"{spot.name}: {fault.construct} is not evaluated here (in {shown(fault.found)})",
            f"{fault.instead[:1].upper()}{fault.instead[1:]}.",
        )
    except Refused as fault:
        findings.refuse(spot.place(), f"{spot.name}: {shown(str(fault))}", "Correct it.")
    if isinstance(source.how, JsonDocument):
        known = [name for name, _ in source.how.samples]
        for name in _names(parsed):
            if name not in known and name != "up":
                findings.refuse(
                    spot.place(),
                    f"the source {source.name} has no sample {shown(name)}",
                    closest(name, known),
                )
