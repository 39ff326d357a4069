"""Operators between two vectors: which elements belong together, and what the pairs become.

A match that is ambiguous, or a result with the same labels twice, is an EvaluationFault: the rule
is blind then, and no number is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from enum import Enum

from watchdog.core.promql.faults import EvaluationFault
from watchdog.core.promql.vector import Element, Value, Vector, unique
from watchdog.core.samples import Labels

_NAME = "__name__"

Combine = Callable[[float, float], float | None]
"""The number of a pair, None where the pair falls away."""


class Side(Enum):
    """Which side may have several elements for one of the other."""

    NEITHER = "one-to-one"
    LEFT = "group_left"
    RIGHT = "group_right"


@dataclass(frozen=True, slots=True)
class Matching:
    """`on` or `ignoring` these labels, and `group_left` or `group_right` with labels to take over.

    `keeps_name`: a comparison without `bool` leaves the name on; else it is another quantity.
    """

    labels: frozenset[str] = frozenset()
    on: bool = False
    many: Side = Side.NEITHER
    include: tuple[str, ...] = ()
    keeps_name: bool = False

    def key(self, element: Element) -> Hashable:
        """Equal for elements that belong together."""
        if not self.labels:
            return () if self.on else element.labels
        key = tuple(pair for pair in element.labels if (pair[0] in self.labels) is self.on)
        return (element.name, key) if self.on and _NAME in self.labels else key

    def labelled(self, many: Element, one: Element) -> tuple[str | None, Labels]:
        """The name and labels of a pair's result."""
        name = many.name if self.keeps_name else None
        if self.many is Side.NEITHER and (self.on or self.labels):
            labels = tuple(pair for pair in many.labels if (pair[0] in self.labels) is self.on)
            return name if (_NAME in self.labels) is self.on else None, labels
        if not self.include:
            return name, many.labels
        taken = dict(many.labels)
        found = dict(one.labels)
        for label in self.include:
            if label == _NAME:
                name = one.name
            elif label in found:
                taken[label] = found[label]
            else:
                taken.pop(label, None)
        return name, tuple(sorted(taken.items()))


def combine(apply: Combine, left: Value, right: Value, matching: Matching) -> Value:
    """Any pair of scalars and vectors."""
    if isinstance(left, float):
        if isinstance(right, float):
            value = apply(left, right)
            if value is None:
                raise TypeError("a filter between scalars: the parser lets none through")
            return value
        pairs: Iterator[tuple[Element, float | None]] = ((e, apply(left, e.value)) for e in right)
        if matching.keeps_name:  # a filter lets the vector's own value through, on either side
            pairs = ((e, None if value is None else e.value) for e, value in pairs)
    elif isinstance(right, float):
        pairs = ((e, apply(e.value, right)) for e in left)
    else:
        return _matched(apply, left, right, matching)
    vector = [
        Element(e.name if matching.keeps_name else None, e.labels, value, e.at)
        for e, value in pairs
        if value is not None
    ]
    return vector if matching.keeps_name else unique(vector)


def _matched(apply: Combine, left: Vector, right: Vector, matching: Matching) -> Vector:
    """Pairs of elements that belong together; the rest falls away.

    Ambiguity is a fault also where the comparison would have dropped the pair.
    """
    if not left or not right:
        return []
    swapped = matching.many is Side.RIGHT
    many, one = (right, left) if swapped else (left, right)
    others = _by_key(one, matching, "left" if swapped else "right")
    result: Vector = []
    seen: set[Hashable] = set()
    for element in many:
        key = matching.key(element)
        other = others.get(key)
        if other is None:
            continue
        name, labels = matching.labelled(element, other)
        pair = key if matching.many is Side.NEITHER else (name, labels)
        if pair in seen:
            raise EvaluationFault(_several(matching, element))
        seen.add(pair)
        left_one, right_one = (other, element) if swapped else (element, other)
        value = apply(left_one.value, right_one.value)
        if value is not None:
            result.append(Element(name, labels, value, min(element.at, other.at)))
    return unique(result)


def _by_key(one: Vector, matching: Matching, side: str) -> dict[Hashable, Element]:
    others: dict[Hashable, Element] = {}
    for element in one:
        key = matching.key(element)
        if key in others:
            raise EvaluationFault(
                f"found duplicate series for the match group {key} on the {side} hand-side of the "
                "operation: match by more labels, or aggregate that side first"
            )
        others[key] = element
    return others


def _several(matching: Matching, element: Element) -> str:
    labels = dict(element.labels)
    if matching.many is Side.NEITHER:
        return (
            f"multiple matches for labels {labels}: write group_left or group_right where one "
            "side may have several"
        )
    return f"multiple matches for labels {labels}: the result has the same labels twice"


def both(left: Vector, right: Vector, matching: Matching) -> Vector:
    """`and`: what of the left has a match on the right."""
    keys = {matching.key(element) for element in right}
    return [element for element in left if matching.key(element) in keys]


def either(left: Vector, right: Vector, matching: Matching) -> Vector:
    """`or`: all of the left, and what of the right has no match there."""
    keys = {matching.key(element) for element in left}
    return unique([*left, *(element for element in right if matching.key(element) not in keys)])


def unlike(left: Vector, right: Vector, matching: Matching) -> Vector:
    """`unless`: what of the left has no match on the right."""
    keys = {matching.key(element) for element in right}
    return [element for element in left if matching.key(element) not in keys]


SETS: dict[str, Callable[[Vector, Vector, Matching], Vector]] = {
    "and": both,
    "or": either,
    "unless": unlike,
}
