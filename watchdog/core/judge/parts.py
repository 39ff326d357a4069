"""One answer told apart by labels: what each label set is given, and who can be told apart at all.

Nothing is judged here. A number that does not say whose it is belongs to nobody, and is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import promql_parser as parser

from watchdog.core.judge.answers import pick, series_text
from watchdog.core.judge.finding import Finding, blinded
from watchdog.core.naming import Values
from watchdog.core.promql.parsing import parsed
from watchdog.core.samples import Answer, Labels, Point, Reading
from watchdog.core.text import shortened
from watchdog.core.words import Blind

MOST_CHARACTERS = 200
"""Of a label's value in a name; longer ones name nothing that a person could read."""

Share = Mapping[str, Answer]
"""What one label set is given: each expression's answer, with its own series alone."""


@dataclass(frozen=True, slots=True)
class Parts:
    """`whole`: why nobody can be told apart; everybody is given the answers as they are then.

    `odd`: why it is not sure that these are all.
    """

    shares: Mapping[Values, Share]
    nobody: Share  # of a label set that is not there
    whole: Finding | None = None
    odd: Finding | None = None


def told_apart(
    each: tuple[str, ...],
    expressions: tuple[str, ...],
    reading: Reading,
    answers: Mapping[str, Answer],
) -> Parts:
    if reading.failure is not None:
        failure = reading.failure
        reason = f"{reading.source}: {failure.reason}"
        return Parts({}, answers, whole=blinded(failure.blind, reason))
    picked, fault = pick(expressions, answers)
    if fault is not None:
        return Parts({}, answers, whole=fault)
    shares: dict[Values, dict[str, list[Point]]] = {}
    odd = None
    for expression, answer in zip(expressions, picked, strict=True):
        for point in answer.points:
            values = tuple((label, value) for label in each if (value := _of(label, point.labels)))
            strange = _strange(each, values, expression, point)
            if strange is not None:
                odd = odd or strange
                continue
            shares.setdefault(values, {}).setdefault(expression, []).append(point)
    whole = dict(zip(expressions, picked, strict=True))
    return Parts(
        {values: _share(whole, points) for values, points in shares.items()},
        _share(whole, {}),
        odd=odd,
    )


def _of(label: str, labels: Labels) -> str:
    return next((value for name, value in labels if name == label), "")


def _share(whole: Share, points: Mapping[str, list[Point]]) -> Share:
    return {
        expression: _own(expression, answer, tuple(points.get(expression, ())))
        for expression, answer in whole.items()
    }


def _own(expression: str, answer: Answer, points: tuple[Point, ...]) -> Answer:
    """As fresh as its own series, where the answer tells their times; else as all of them."""
    times = [point.at for point in points if point.at is not None] if _is_raw(expression) else []
    own = max(times) if times and len(times) == len(points) else answer.newest
    return replace(answer, points=points, newest=own)


@lru_cache(maxsize=4096)
def _is_raw(expression: str) -> bool:
    """A selector as it stands: what was computed of several samples has several times."""
    try:
        node = parsed(expression)
    except ValueError:
        return False
    return isinstance(node, parser.VectorSelector) and node.offset is None and node.at is None


def _strange(
    each: tuple[str, ...], values: Values, expression: str, point: Point
) -> Finding | None:
    if len(values) < len(each):
        lacking = ", ".join(label for label in each if label not in dict(values))
        reason = (
            f"{shortened(expression)} gives a series without {lacking}: "
            f"{series_text(point.labels)}. Keep the label, as in max by ({', '.join(each)}) (...)"
        )
        return blinded(Blind.ODD_ANSWER, reason)
    for label, value in values:
        if len(value) > MOST_CHARACTERS or not value.isprintable():
            shown = shortened(ascii(value)[1:-1])
            reason = (
                f"{shortened(expression)} gives a series whose {label} is no name: {shown} "
                f"(at most {MOST_CHARACTERS} printable characters)"
            )
            return blinded(Blind.ODD_ANSWER, reason)
    return None


def values_text(values: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f'{label}="{value}"' for label, value in values)
