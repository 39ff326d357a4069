"""Which silent selectors of an expression are stood in for by another side of an `or`.

For answers that come from elsewhere, where only what each selector matched is known. The law is
that of our own evaluation (`plan.py`): of `sum(errors) or 0 * sum(requests)` one side is enough if
it is measured, of `sum(errors) or vector(0)` it is not, since that zero would be there without any
service. Where it cannot be told from outside whether a side spoke, it did not.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import promql_parser as parser

from watchdog.core.promql.outline import inner_filter
from watchdog.core.promql.parsing import parsed
from watchdog.core.promql.plan import falls_back

_MAY_BE_EMPTY = frozenset({"and", "unless"})


def stood_in(text: str, silent: frozenset[str]) -> frozenset[str]:
    """Those of `silent`, selectors as the parser writes them, that nobody misses.

    Raises ParseFault.
    """
    tree = _tree(text)
    return silent & frozenset(_shown(tree)) - _missed(tree, silent, inside=False)


@lru_cache(maxsize=1024)
def _tree(text: str) -> Any:
    return parsed(text)


def _missed(node: Any, silent: frozenset[str], *, inside: bool) -> frozenset[str]:
    """The silent selectors below that something is missed of; `inside` another `or`."""
    is_or = isinstance(node, parser.BinaryExpr) and str(node.op) == "or"
    below = [_missed(one, silent, inside=inside or is_or) for one in _children(node)]
    if is_or and falls_back(node):
        left, right = below
        if left and not right and _speaks(node.rhs, inside=inside):
            left = frozenset()
        elif right and not left and _speaks(node.lhs, inside=inside):
            right = frozenset()
        below = [left, right]
    return frozenset(_own(node)).intersection(silent).union(*below)


def _speaks(side: Any, *, inside: bool) -> bool:
    """Whether it gives something that samples stand behind, as long as none of it is silent.

    A range may hold too few samples and give nothing: that shows, unless yet another side hides it.
    """
    if not any(_shown(side)) or inner_filter(side) is not None:
        return False
    return not any(
        (isinstance(node, parser.MatrixSelector | parser.SubqueryExpr) and inside)
        or (isinstance(node, parser.BinaryExpr) and str(node.op) in _MAY_BE_EMPTY)
        for node in _nodes(side)
    )


def _own(node: Any) -> Iterator[str]:
    if isinstance(node, parser.VectorSelector):
        yield node.prettify()
    elif isinstance(node, parser.MatrixSelector):
        yield node.vector_selector.prettify()


def _shown(node: Any) -> Iterator[str]:
    for one in _nodes(node):
        yield from _own(one)


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in _children(node):
        yield from _nodes(child)


def _children(node: Any) -> Iterator[Any]:
    inner = [getattr(node, name, None) for name in ("expr", "lhs", "rhs", "param")]
    inner += list(getattr(node, "args", None) or ())
    return (child for child in inner if isinstance(child, parser.Expr))
