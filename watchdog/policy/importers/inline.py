"""Recording rules put in the place of the series that they record.

A recorded series is its expression, as it was at the rule's last evaluation. It is put in where
that is exact but for this delay: static labels are matched here, other matchers and an `offset`
are handed down to the selectors inside where the labels reach them. Where that cannot be, the
recorded series itself stays in the expression, and the report says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import promql_parser as parser

from watchdog.core.promql import ParseFault
from watchdog.core.promql.parsing import quoted
from watchdog.core.promql.regex import Pattern
from watchdog.core.promql.selector import exact_name
from watchdog.policy.importers.promql import (
    MAX_WRITTEN,
    bare_text,
    nodes,
    offset_text,
    selectors,
    tree_of,
    written,
)
from watchdog.policy.importers.shape import is_scalar
from watchdog.policy.nodes import Place

_OPERATORS = {
    str(parser.MatchOp.Equal): "=",
    str(parser.MatchOp.NotEqual): "!=",
    str(parser.MatchOp.Re): "=~",
    str(parser.MatchOp.NotRe): "!~",
}
_GROUPED = frozenset({"sum", "min", "max", "avg", "count", "group", "stddev", "stdvar", "quantile"})
_NEVER_PUSHED = frozenset({"absent", "absent_over_time", "scalar", "vector", "time", "info"})
_TIMES = frozenset({"time", "timestamp", "minute", "hour", "month", "year", "day_of_month"}) | {
    "day_of_week", "day_of_year", "days_in_month"
}  # fmt: skip

Matcher = tuple[str, str, str]  # label, operator, value


@dataclass(frozen=True, slots=True)
class Recording:
    """`record: name` with its expression and the labels that it sets."""

    name: str
    tree: Any
    labels: Mapping[str, str]
    place: Place


@dataclass(slots=True)
class Inlined:
    """An expression with its recording rules put in. `kept` is (name, why) of what could not be."""

    tree: Any
    used: list[Recording] = field(default_factory=list)
    kept: list[tuple[str, str]] = field(default_factory=list)


class _CannotPush(Exception):  # an answer, not an error: the recorded series stays
    pass


class _Circle(_CannotPush):
    """Nothing of a rule that records from itself is put in: one turn of it is another value."""


class Recordings:
    """All recording rules of one import, by the name that they record."""

    def __init__(self, rules: Sequence[Recording]) -> None:
        self._by_name: dict[str, list[Recording]] = {}
        for rule in rules:
            self._by_name.setdefault(rule.name, []).append(rule)

    def inline(self, tree: Any) -> Inlined:
        """Raises ParseFault where what comes out is more than a rule can hold."""
        done = Inlined(tree)
        if not any(exact_name(node) in self._by_name for node in selectors(tree)):
            return done
        text = self._text(tree, done, ())
        done.tree = tree_of(text)
        return done

    def _text(self, tree: Any, done: Inlined, under: tuple[str, ...]) -> str:
        def replace(node: Any) -> str | None:
            ranged = isinstance(node, parser.MatrixSelector)
            selector = node.vector_selector if ranged else node
            name = exact_name(selector)
            if name is None or name not in self._by_name:
                return None
            try:
                text = self._recorded(name, selector, done, under)
            except _CannotPush as why:
                if under and isinstance(why, _Circle):
                    raise
                if (name, str(why)) not in done.kept:
                    done.kept.append((name, str(why)))
                return None
            if not ranged:
                return text
            return f"{text}[{parser.display_duration(node.range)}:]"

        text = written(tree, replace)
        if len(text) > 4 * MAX_WRITTEN:  # and so it does not grow beyond measure on its way
            raise ParseFault(f"with its recording rules it has {len(text)} characters")
        return text

    def _recorded(self, name: str, selector: Any, done: Inlined, under: tuple[str, ...]) -> str:
        if name in under:
            raise _Circle("it is recorded from itself")
        if selector.matchers.or_matchers:
            raise _CannotPush("its matchers hold `or`")
        if selector.at is not None:
            raise _CannotPush("it is asked for at a fixed time (`@`)")
        asked = [m for m in _matchers(selector) if m[0] != "__name__"]
        arms = []
        for rule in self._by_name[name]:
            left = _without_static(asked, rule.labels)
            if left is None:
                continue  # its labels say that it is not meant
            inner = tree_of(self._text(rule.tree, done, (*under, name)))
            text = _pushed(inner, left, selector.offset)
            for label, value in sorted(rule.labels.items()):
                text = f'label_replace({text}, "{label}", {quoted(_literal(value))}, "", "")'
            arms.append(text)
            if rule not in done.used:
                done.used.append(rule)
        if not arms:
            raise _CannotPush("none of the rules that record it has these labels")
        return f"({' or '.join(arms)})"


def _literal(value: str) -> str:
    return value.replace("$", "$$")


def _matchers(selector: Any) -> Iterator[Matcher]:
    for matcher in selector.matchers.matchers:
        yield matcher.name, _OPERATORS[str(matcher.op)], matcher.value


def _accepts(matcher: Matcher, value: str) -> bool:
    _, operator, wanted = matcher
    if operator in {"=", "!="}:
        return (value == wanted) is (operator == "=")
    try:
        return Pattern(wanted).matches(value) is (operator == "=~")
    except ValueError as fault:
        raise _CannotPush(f"its matcher {wanted} is not understood here") from fault


def _without_static(asked: list[Matcher], labels: Mapping[str, str]) -> list[Matcher] | None:
    """The matchers that the static labels do not settle; None where they rule the series out."""
    left = []
    for matcher in asked:
        if matcher[0] not in labels:
            left.append(matcher)
        elif not _accepts(matcher, labels[matcher[0]]):
            return None
    return left


def _pushed(tree: Any, matchers: list[Matcher], offset: timedelta | None) -> str:
    """The expression for series of these labels only, at that earlier time."""
    asked = [m for m in matchers if not _settled(tree, m)]
    if asked and not _reaches(tree, frozenset(label for label, _, _ in asked)):
        labels = ", ".join(sorted({label for label, _, _ in asked}))
        raise _CannotPush(f"a matcher of {labels} cannot be handed down into its expression")
    if offset:
        if any(isinstance(n, parser.Call) and n.func.name in _TIMES for n in nodes(tree)):
            raise _CannotPush(
                "it is asked for with an offset, and its expression asks for the time"
            )
        if any(getattr(n, "at", None) is not None for n in nodes(tree)):
            raise _CannotPush("it is asked for with an offset, and its expression has a fixed time")

    def replace(node: Any) -> str | None:
        ranged = isinstance(node, parser.MatrixSelector)
        return _narrowed(node, node.vector_selector if ranged else node, asked, offset)

    text = written(tree, replace)
    if offset and any(isinstance(n, parser.SubqueryExpr) for n in nodes(tree)):
        raise _CannotPush("it is asked for with an offset, and its expression has a subquery")
    return f"({text})" if isinstance(tree, parser.BinaryExpr) else text


def _narrowed(node: Any, selector: Any, asked: list[Matcher], offset: timedelta | None) -> str:
    if selector.matchers.or_matchers:
        raise _CannotPush("its expression has matchers with `or`")
    name = selector.name
    conditions = [f"{_label(lb)}{op}{quoted(value)}" for lb, op, value in _matchers(selector)]
    conditions += [f"{_label(lb)}{op}{quoted(value)}" for lb, op, value in asked]
    text = (name or "") + (f"{{{','.join(dict.fromkeys(conditions))}}}" if conditions else "")
    if isinstance(node, parser.MatrixSelector):
        text += f"[{parser.display_duration(node.range)}]"
    if selector.at is not None:
        text += f" {selector.at}"
    total = (selector.offset or timedelta(0)) + (offset or timedelta(0))
    return text + offset_text(total)


def _label(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else quoted(name)


def _settled(tree: Any, matcher: Matcher) -> bool:
    """Whether the result never has the label, and the matcher accepts that."""
    return _never_has(tree, matcher[0]) and _accepts(matcher, "")


def _never_has(node: Any, label: str) -> bool:
    match node:
        case parser.ParenExpr() | parser.UnaryExpr():
            return _never_has(node.expr, label)
        case parser.AggregateExpr() if str(node.op) in _GROUPED:
            modifier = node.modifier
            by = modifier is None or modifier.type == parser.AggModifierType.By
            return (label not in (modifier.labels if modifier else [])) == by
        case parser.BinaryExpr():
            sides = [side for side in (node.lhs, node.rhs) if not is_scalar(side)]
            return all(_never_has(side, label) for side in sides)
        case _:
            return is_scalar(node)


def _reaches(node: Any, labels: frozenset[str]) -> bool:  # noqa: PLR0911  # a return a kind of node
    """Whether asking only for series of these labels inside is asking for them outside."""
    match node:
        case parser.VectorSelector() | parser.MatrixSelector():
            return True
        case parser.ParenExpr() | parser.UnaryExpr() | parser.SubqueryExpr():
            return _reaches(node.expr, labels)
        case parser.AggregateExpr():
            if str(node.op) not in _GROUPED or node.modifier is None:
                return False
            by = node.modifier.type == parser.AggModifierType.By
            named = labels & frozenset(node.modifier.labels)
            kept = named == labels if by else not named
            return kept and _reaches(node.expr, labels)
        case parser.Call():
            return _reaches_call(node, labels)
        case parser.BinaryExpr():
            return _reaches_both(node, labels)
        case _:
            return is_scalar(node)


def _reaches_call(node: Any, labels: frozenset[str]) -> bool:
    name = node.func.name
    if name in _NEVER_PUSHED:
        return is_scalar(node) and not selectors(node)
    if name.startswith("label_") and bare_text(node.args[1]) in labels:
        return False
    if name.startswith("histogram_") and "le" in labels:
        return False
    vectors = [a for a in node.args if not isinstance(a, parser.StringLiteral) and selectors(a)]
    return all(_reaches(argument, labels) for argument in vectors)


def _reaches_both(node: Any, labels: frozenset[str]) -> bool:
    sides = [side for side in (node.lhs, node.rhs) if selectors(side)]
    if len(sides) == 2:
        matching = None if node.modifier is None else node.modifier.matching
        if matching is not None:
            on = matching.type == parser.LabelModifierType.Include
            named = labels & frozenset(matching.labels)
            if (named != labels) if on else named:
                return False
    return all(_reaches(side, labels) for side in sides)
