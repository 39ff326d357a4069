"""The selectors inside PromQL expressions: which names are wanted, and as of which time.

A selector with `offset` or `@`, or inside a subquery that has one, looks at another time than
the query's. Its freshness is judged at that time, so it is kept apart from its text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import promql_parser as promql

from watchdog.core.promql.parsing import without_raw

_OPERATORS = (
    (promql.MatchOp.Equal, "="),
    (promql.MatchOp.NotEqual, "!="),
    (promql.MatchOp.Re, "=~"),
    (promql.MatchOp.NotRe, "!~"),
)


@dataclass(frozen=True, slots=True)
class Selector:
    """One vector selector without its time modifiers; a range selector's instant part.

    It looks `ago_seconds` before `fixed_at` (`@`, seconds since the epoch), or before the
    query's own time where that is None. `shown` is as written, for people.
    """

    text: str
    name: str | None  # None: no exact name, so any metric may match
    shown: str
    ago_seconds: float = 0.0
    fixed_at: float | None = None

    def looks_at(self, query_at: float) -> float:
        return (query_at if self.fixed_at is None else self.fixed_at) - self.ago_seconds


@dataclass(frozen=True, slots=True)
class Parsed:
    selectors: tuple[Selector, ...]
    plain: bool  # nothing but one selector that looks at the query's own time


@lru_cache(maxsize=4096)
def parsed(expression: str) -> Parsed:
    """Raises ValueError with the parser's text."""
    root = promql.parse(without_raw(expression))
    inner = root
    while isinstance(inner, promql.ParenExpr):
        inner = inner.expr
    plain = isinstance(inner, promql.VectorSelector) and not (inner.offset or inner.at)
    return Parsed(tuple(dict.fromkeys(_walk(root, 0.0, None))), plain)


def names_in(expressions: Iterable[str]) -> frozenset[str] | None:
    """The metric names that occur; None where a selector without an exact name wants them all."""
    names = {
        selector.name for expression in expressions for selector in parsed(expression).selectors
    }
    exact = frozenset(name for name in names if name is not None)
    return exact if len(exact) == len(names) else None


def _walk(node: object, ago_seconds: float, fixed_at: float | None) -> Iterator[Selector]:
    match node:
        case promql.VectorSelector():
            yield _selector(node, ago_seconds, fixed_at)
        case promql.MatrixSelector():
            yield _selector(node.vector_selector, ago_seconds, fixed_at)
        case promql.SubqueryExpr():
            yield from _walk(node.expr, *_moved(node, ago_seconds, fixed_at))
        case promql.BinaryExpr():
            yield from _walk(node.lhs, ago_seconds, fixed_at)
            yield from _walk(node.rhs, ago_seconds, fixed_at)
        case promql.Call():
            for argument in node.args:
                yield from _walk(argument, ago_seconds, fixed_at)
        case promql.AggregateExpr():
            yield from _walk(node.expr, ago_seconds, fixed_at)
            yield from _walk(node.param, ago_seconds, fixed_at)
        case promql.ParenExpr() | promql.UnaryExpr():
            yield from _walk(node.expr, ago_seconds, fixed_at)


def _moved(
    node: promql.VectorSelector | promql.SubqueryExpr, ago_seconds: float, fixed_at: float | None
) -> tuple[float, float | None]:
    """Where `node` looks, inside something that already looks elsewhere. `@` starts anew."""
    own_seconds = node.offset.total_seconds() if node.offset else 0.0
    if node.at is None:
        return ago_seconds + own_seconds, fixed_at
    # start() and end() are the query's own time, since all queries here are instant ones.
    return own_seconds, node.at.at.timestamp() if node.at.at else None


def _selector(node: promql.VectorSelector, ago_seconds: float, fixed_at: float | None) -> Selector:
    shown = node.prettify()
    ago_seconds, fixed_at = _moved(node, ago_seconds, fixed_at)
    name = node.name
    for matcher in node.matchers.matchers:
        if matcher.name == "__name__" and matcher.op == promql.MatchOp.Equal:
            name = matcher.value
    return Selector(_text(node), name, shown, ago_seconds, fixed_at)


def _text(node: promql.VectorSelector) -> str:
    """The selector without its time modifiers. The parser's own str() escapes nothing."""
    groups = node.matchers.or_matchers or [node.matchers.matchers]
    inner = " or ".join(",".join(_matcher(each) for each in group) for group in groups)
    return f"{node.name or ''}{{{inner}}}"


def _matcher(matcher: promql.Matcher) -> str:
    # These operators compare but have no hash.
    operator = next(text for op, text in _OPERATORS if op == matcher.op)
    value = matcher.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{matcher.name}{operator}"{value}"'
