"""PromQL in and out: parsed within bounds, and written again on one line, parts replaced.

The parser's nodes have no positions and cannot be built by hand, so an expression is changed by
writing it anew with other texts in the place of some selectors. Nothing is written that does not
parse to what was meant: `written` of a tree, parsed, is that tree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import promql_parser as parser

from watchdog.core.promql import ParseFault
from watchdog.core.promql.parsing import parsed, quoted
from watchdog.policy.scalars import shown

MAX_DEPTH = 60
MAX_WRITTEN = 2000
"""What our own rules may hold; a longer expression cannot be imported."""

Replace = Callable[[Any], "str | None"]
"""For a selector (instant, or a range with its selector): another text, or None to keep it."""

_STRINGS = re.compile(r"""#[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`""", re.DOTALL)
_PLAIN_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z", re.ASCII)


def tree_of(text: str) -> Any:
    """The parser's tree. Raises ParseFault."""
    depth = deepest = 0
    for character in _STRINGS.sub('""', text):  # the parser overflows its stack on depth
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(character, 0)
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise ParseFault("the expression is nested too deeply")
    tree = parsed(text)
    if _deeper_than(tree, MAX_DEPTH):
        raise ParseFault("the expression is nested too deeply")
    return tree


def children(node: Any) -> Iterator[Any]:
    """The expressions directly inside."""
    for name in ("expr", "lhs", "rhs", "param", "vector_selector"):
        inner = getattr(node, name, None)
        if isinstance(inner, parser.Expr):
            yield inner
    yield from getattr(node, "args", None) or []


def nodes(tree: Any) -> Iterator[Any]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(children(node))


def selectors(tree: Any) -> list[Any]:
    return [node for node in nodes(tree) if isinstance(node, parser.VectorSelector)]


def _deeper_than(tree: Any, most: int) -> bool:
    waiting = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > most:
            return True
        waiting.extend((child, depth + 1) for child in children(node))
    return False


def bare(node: Any) -> Any:
    """Without the parentheses around it."""
    while isinstance(node, parser.ParenExpr):
        node = node.expr
    return node


def bare_text(node: Any) -> str:
    """A string's text; empty for what is none."""
    node = bare(node)
    return str(node.val) if isinstance(node, parser.StringLiteral) else ""


def written(node: Any, replace: Replace | None = None) -> str:
    """The expression on one line. `{{`, which our rule files take for a variable, is escaped."""
    return _write(node, replace).replace("{{", "\\x7b{")


def _write(node: Any, replace: Replace | None) -> str:  # noqa: PLR0911  # a return a kind of node
    match node:
        case parser.VectorSelector() | parser.MatrixSelector():
            other = replace(node) if replace is not None else None
            return _line(node) if other is None else other
        case parser.ParenExpr():
            inner = _write(node.expr, replace)
            return inner if _wrapped(inner) else f"({inner})"
        case parser.UnaryExpr():
            return f"-{_write(node.expr, replace)}"
        case parser.SubqueryExpr():
            return f"{_write(node.expr, replace)}{_subquery(node)}"
        case parser.Call():
            arguments = ", ".join(_write(argument, replace) for argument in node.args)
            return f"{node.func.name}({arguments})"
        case parser.AggregateExpr():
            parameter = "" if node.param is None else f"{_write(node.param, replace)}, "
            grouping = "" if node.modifier is None else _grouping(node.modifier)
            return f"{node.op}{grouping}({parameter}{_write(node.expr, replace)})"
        case parser.BinaryExpr():
            left, right = _write(node.lhs, replace), _write(node.rhs, replace)
            return f"{left} {node.op}{matching_text(node.modifier)} {right}"
        case _:
            return _line(node)


def _line(node: Any) -> str:
    """A leaf as the parser writes it; strings in it hold no line breaks."""
    return " ".join(line.strip() for line in node.prettify().splitlines())


def _wrapped(text: str) -> bool:
    """Whether one pair of parentheses is around all of it."""
    if not text.startswith("("):
        return False
    depth = 0
    plain = _STRINGS.sub(lambda m: "_" * len(m[0]), text)
    for index, character in enumerate(plain):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return index == len(plain) - 1
    return False


def _grouping(modifier: Any) -> str:
    word = "by" if modifier.type == parser.AggModifierType.By else "without"
    labels = ", ".join(map(_label, modifier.labels))
    return f" {word} ({labels}) "


def _label(name: str) -> str:
    return name if _PLAIN_LABEL.match(name) else quoted(name)


def matching_text(modifier: Any) -> str:
    """`bool`, `on (...)` and what follows it, with a blank before each."""
    if modifier is None:
        return ""
    fill = modifier.fill_values
    if fill.lhs is not None or fill.rhs is not None:
        raise ParseFault("the modifier `fill` is not known here")
    text = " bool" if modifier.return_bool else ""
    if modifier.matching is not None:
        include = modifier.matching.type == parser.LabelModifierType.Include
        labels = ", ".join(map(_label, modifier.matching.labels))
        text += f" {'on' if include else 'ignoring'} ({labels})"
    sides = {"ManyToOne": "group_left", "OneToMany": "group_right"}
    side = sides.get(str(modifier.card).rpartition(".")[2])
    if side is not None:
        text += f" {side} ({', '.join(map(_label, modifier.group_labels or []))})"
    return text


def _subquery(node: Any) -> str:
    step = "" if node.step is None else parser.display_duration(node.step)
    text = f"[{parser.display_duration(node.range)}:{step}]"
    if node.at is not None:
        text += f" {node.at}"
    return text + offset_text(node.offset)


def offset_text(offset: timedelta | None) -> str:
    """` offset 5m`, empty for none."""
    if not offset:
        return ""
    sign = "-" if offset < timedelta(0) else ""
    return f" offset {sign}{parser.display_duration(abs(offset))}"


def fault_of(fault: ParseFault) -> str:
    return f"it is no PromQL that is understood here: {shown(str(fault))}"
