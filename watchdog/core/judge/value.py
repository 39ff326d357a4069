"""Rules that judge a number as it stands: thresholds, integrity, and whether the service is up."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

from watchdog.core.judge.answers import bad_numbers, named
from watchdog.core.judge.finding import Finding, blinded
from watchdog.core.judge.presence import Need, needs
from watchdog.core.looks import LOOKBACK_SECONDS
from watchdog.core.promql import outline
from watchdog.core.samples import Answer
from watchdog.core.spec import Bound, Liveness, ValueThreshold
from watchdog.core.text import apart, number, percent, shortened
from watchdog.core.words import Blind, Status

_BREACHES: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {
        ">": operator.gt,
        ">=": operator.ge,
        "<": operator.lt,
        "<=": operator.le,
        "==": operator.eq,
        "!=": operator.ne,
    }
)
_SECONDS = MappingProxyType(
    {
        "ms": 0.001,
        "s": 1.0,
        "m": 60.0,
        "h": 3600.0,
        "d": 86400.0,
        "w": 604800.0,
        "y": 31536000.0,
    }
)
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`')
_REACH = re.compile(r"(?:\[|\boffset\s+)\s*((?:\d+(?:ms|[smhdwy]))+)", re.IGNORECASE)
_PIECE = re.compile(r"(\d+)(ms|[smhdwy])")


def breaches(value: float, bound: Bound) -> bool:
    """Compared as they are, never rounded. A KeyError is an operator that policy let through."""
    return _BREACHES[bound.op](value, bound.limit)


def compared(value: float, bound: Bound, *, breached: bool) -> tuple[str, str]:
    """The value as text, and "> 5%" or "not > 5%"."""
    form = percent if "%" in bound.text else number
    shown, _ = apart(value, bound.limit, form)
    return shown, bound.text if breached else f"not {bound.text}"


def missing(expression: str, answer: Answer) -> Finding | None:
    """Blind where a selector matches nothing, unless that is what the expression asks."""
    silent = [name for name in answer.missing if not _asked(expression, name)]
    if not silent:
        return None
    names = ", ".join(shortened(name) for name in silent)
    return blinded(Blind.NO_DATA, f"nothing matches {names}")


def _asked(expression: str, selector: str) -> bool:
    """Whether the silence of a selector is what the expression asks: under `absent`, say."""
    try:
        return needs(expression).of(selector) is Need.ASKED
    except ValueError:  # longer than is read here: a Prometheus answers it
        return False


def judge_value(signal: ValueThreshold, answer: Answer) -> Finding:
    """One number against its bound. A selector that matches nothing blinds, whatever is left."""
    expression = shortened(signal.expr)
    absent = missing(signal.expr, answer)
    if absent is not None:
        return absent
    if not answer.points:
        reason = f"{expression} gives no result, though everything in it matches something"
        return blinded(Blind.NO_DATA, reason)
    if len(answer.points) > 1:
        reason = (
            f"{expression} gives {len(answer.points)} series where one is expected: "
            f"{named(answer.points)}"
        )
        return blinded(Blind.TOO_MANY_SERIES, reason)
    odd = bad_numbers(signal.expr, answer.points, infinite=signal.allow_infinite)
    if odd is not None:
        return odd
    value = answer.points[0].value
    breached = breaches(value, signal.bound)
    shown, against = compared(value, signal.bound, breached=breached)
    return Finding(
        Status.BREACHED if breached else Status.HEALTHY,
        f"{expression} is {shown}, {against}",
        value=value,
        bound=signal.bound.text,
        clear=not breached,
    )


def judge_liveness(signal: Liveness, answer: Answer) -> Finding:
    """Breached while any series is 0."""
    absent = missing(signal.expr, answer)
    if absent is not None:
        return absent
    if not answer.points:
        return blinded(Blind.NO_DATA, f"nothing matches {shortened(signal.expr)}")
    odd = bad_numbers(signal.expr, answer.points, infinite=False)
    if odd is not None:
        return odd
    down = [point for point in answer.points if point.value == 0]
    count = len(answer.points)
    value = 0.0 if down else min(point.value for point in answer.points)
    if down:
        which = named(down) if any(point.labels for point in down) else shortened(signal.expr)
        reason = f"{len(down)} of {count} down: {which}"
        return Finding(Status.BREACHED, reason, value=value, bound="== 0")
    return Finding(Status.HEALTHY, f"{count} of {count} up", value=value, bound="== 0", clear=True)


@lru_cache(maxsize=4096)
def lag_seconds(expression: str) -> float:
    """By how much even the newest samples of an expression are shifted, by their `offset`."""
    try:
        return outline(expression).lag_seconds
    except ValueError:  # longer than is read here
        return 0.0


@lru_cache(maxsize=4096)
def reach_seconds(expression: str) -> float:
    """How far back an expression looks at most, by its ranges and offsets.

    By all of them together where it is longer than is read here.
    """
    try:
        return outline(expression).range_seconds - LOOKBACK_SECONDS
    except ValueError:
        return sum(
            int(count) * _SECONDS[unit]
            for found in _REACH.findall(_QUOTED.sub('""', expression))
            for count, unit in _PIECE.findall(found)
        )
