"""Expressions whose result itself is the alarm: breached while they return anything.

`a > 5 and b == 0`, `a unless b`, `absent(a)`: what PromQL filters away is gone, so an empty answer
means health only where everything that could have spoken was heard.

* Nothing returned: HEALTHY, if every selector matched something; else BLIND. Silence of what
  stands under `absent` or behind `unless` only ever adds to a result, and is told apart.
* Something returned: BREACHED. A selector that matched nothing blinds here too, unless it is one
  arm of an `or` whose other arm spoke, or its silence is what was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any

import promql_parser as parser

from watchdog.core.judge.answers import bad_numbers, named
from watchdog.core.judge.finding import Finding, blinded
from watchdog.core.promql.parsing import parsed
from watchdog.core.promql.selector import selector_text
from watchdog.core.samples import Answer
from watchdog.core.spec import PRESENT, ValueThreshold
from watchdog.core.text import shortened
from watchdog.core.words import Blind, Status

_ABSENT = frozenset({"absent", "absent_over_time"})


class Need(IntEnum):
    """What it means that a selector matches nothing; of two that share a text the higher counts."""

    ASKED = 0  # its silence is what the expression asks about
    ARM = 1  # another arm of an `or` may speak without it
    VITAL = 2  # without it nothing is known


@dataclass(frozen=True, slots=True)
class Needs:
    """By the selector as the parser writes it, and without its time modifiers."""

    whole: dict[str, Need]
    bare: dict[str, Need]

    def of(self, selector: str) -> Need:
        """`selector` as an answer names it. What is not recognised is vital."""
        if selector in self.whole:
            return self.whole[selector]
        try:
            node = parsed(selector)
        except ValueError:
            return Need.VITAL
        if not isinstance(node, parser.VectorSelector):
            return Need.VITAL
        written = node.prettify()
        if written in self.whole:
            return self.whole[written]
        return self.bare.get(selector_text(node), Need.VITAL)


@lru_cache(maxsize=4096)
def needs(expression: str) -> Needs:
    """Raises ParseFault."""
    whole: dict[str, Need] = {}
    bare: dict[str, Need] = {}
    for node, need in _walk(parsed(expression), Need.VITAL, outer=True):
        for known, text in ((whole, node.prettify()), (bare, selector_text(node))):
            known[text] = max(need, known.get(text, need))
    return Needs(whole, bare)


def _walk(node: Any, need: Need, *, outer: bool) -> Iterator[tuple[parser.VectorSelector, Need]]:
    """`outer` while only set operators lie between the node and the root."""
    match node:
        case parser.VectorSelector():
            yield node, need
        case parser.MatrixSelector():
            yield node.vector_selector, need
        case parser.ParenExpr():
            yield from _walk(node.expr, need, outer=outer)
        case parser.BinaryExpr():
            yield from _walk_both(node, need, outer=outer)
        case parser.Call():
            if node.func.name in _ABSENT:
                need = _turned(need)
            for argument in node.args:
                yield from _walk(argument, need, outer=False)
        case parser.AggregateExpr():
            yield from _walk(node.expr, need, outer=False)
            yield from _walk(node.param, need, outer=False)
        case parser.UnaryExpr() | parser.SubqueryExpr():
            yield from _walk(node.expr, need, outer=False)


def _walk_both(
    node: Any, need: Need, *, outer: bool
) -> Iterator[tuple[parser.VectorSelector, Need]]:
    word = str(node.op)
    outer = outer and word in {"and", "or", "unless"}
    left = right = need
    if word == "or":
        # Inside a sum, say, a silent arm leaves half a result, which nobody sees to be half.
        left = right = min(need, Need.ARM) if outer else _whole(need)
    elif word == "unless":
        right = _turned(need) if outer or need is Need.ASKED else _whole(need)
    yield from _walk(node.lhs, left, outer=outer)
    yield from _walk(node.rhs, right, outer=outer and word != "unless")


def _turned(need: Need) -> Need:
    """Below `absent` or behind `unless`: what adds to a result now takes away from it."""
    return Need.VITAL if need is Need.ASKED else Need.ASKED


def _whole(need: Need) -> Need:
    return Need.VITAL if need is Need.ARM else need


def judge_presence(signal: ValueThreshold, answer: Answer) -> Finding:
    """Breached while the expression returns anything."""
    expression = shortened(signal.expr)
    known = needs(signal.expr)
    silent = [name for name in answer.missing if known.of(name) is not Need.ASKED]
    if not answer.points:
        if silent:
            return _blind(silent, f"{expression} returns nothing, which says nothing")
        reason = f"{expression} returns nothing"
        return Finding(Status.HEALTHY, reason, bound=PRESENT, clear=True)
    vital = [name for name in silent if known.of(name) is Need.VITAL]
    if vital:
        return _blind(vital, f"what {expression} returns is not the whole")
    odd = bad_numbers(signal.expr, answer.points, infinite=True)
    if odd is not None:
        return odd
    count = len(answer.points)
    which = f": {named(answer.points)}" if any(point.labels for point in answer.points) else ""
    return Finding(
        Status.BREACHED,
        f"{expression} returns {count} series{which}",
        value=answer.points[0].value if count == 1 else float(count),
        bound=PRESENT,
    )


def _blind(selectors: list[str], then: str) -> Finding:
    names = ", ".join(shortened(name) for name in selectors)
    return blinded(Blind.NO_DATA, f"nothing matches {names}; {then}")
