"""promtool's notation for series: `errors_total{code="500"}` and `0+10x6 _x3 stale 1 2`.

Read as promtool reads it, down to how numbers add up: `a+bxn` is a and then n sums. What means
something else than it seems to (a leading zero is octal there) is refused, and so are native
histograms. Values are unrolled only as far as a test looks, whatever number stands behind the x.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from watchdog.core.promql import Refused, Selector
from watchdog.core.samples import Labels

_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_WORD = r"[iI][nN][fF]|[nN][aA][nN]"
_VALUE = re.compile(rf"[-+]?(?:{_NUMBER}|{_WORD})\Z", re.ASCII)
_STEPS = re.compile(rf"([-+]?(?:{_NUMBER}|{_WORD}))(?:([-+]{_NUMBER}))?x(\d+)\Z", re.ASCII)
_GAP = re.compile(r"_(?:x(\d+))?\Z", re.ASCII)
_OCTAL = re.compile(r"[-+]?0\d", re.ASCII)
_ITEM = re.compile(r"[^ \t]+")

_SHOWN = 40


class BadNotation(ValueError):
    """A text that is no series; says what is wrong with it and what to do."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}. {remedy}")
        self.what, self.remedy = what, remedy


@dataclass(frozen=True, slots=True)
class Gap:
    """No sample; `stale` says that the series ends here."""

    stale: bool = False


Item = float | Gap
"""What stands at one step."""

_BLANK, _STALE = Gap(), Gap(stale=True)


@dataclass(frozen=True, slots=True)
class _Run:
    """`count` items: the first, and each next one larger by `step`."""

    first: Item
    step: float
    count: int

    def items(self) -> Iterator[Item]:
        if isinstance(self.first, Gap):
            for _ in range(self.count):
                yield self.first
            return
        value = self.first
        for _ in range(self.count):
            yield value
            value += self.step


@dataclass(frozen=True, slots=True)
class Values:
    """The written values of one series."""

    runs: tuple[_Run, ...]

    def first(self, count: int) -> list[Item]:
        """The first `count` items, fewer where fewer are written."""
        return list(islice((item for run in self.runs for item in run.items()), count))

    def __len__(self) -> int:
        return sum(run.count for run in self.runs)


def values_of(text: str) -> Values:
    """Raises BadNotation."""
    if "{{" in text:
        raise BadNotation(
            "native histograms are not supported by this version", "Write classic buckets."
        )
    if "\n" in text.strip():
        raise BadNotation("values on several lines", "Write them on one line, or folded with `>-`.")
    return Values(tuple(_run(found[0]) for found in _ITEM.finditer(text.strip("\n"))))


def _run(item: str) -> _Run:
    if item == "stale":
        return _Run(_STALE, 0.0, 1)
    gap = _GAP.match(item)
    if gap:
        return _Run(_BLANK, 0.0, 1 if gap[1] is None else _count(gap[1], item))
    steps = _STEPS.match(item)
    if steps is None:
        if not _VALUE.match(item):
            raise BadNotation(f"{_shown(item)} is no value", _remedy(item))
        return _Run(_number(item, item), 0.0, 1)
    if not steps[2] and _unstepped(steps[1]):
        raise BadNotation(f"{_shown(item)} is no value", "Write each of them out.")
    step = 0.0 if steps[2] is None else _number(steps[2], item)
    return _Run(_number(steps[1], item), step, _count(steps[3], item) + 1)


def _unstepped(number: str) -> bool:
    return number.lstrip("+-")[0] in "iInN"  # promtool takes `Infx2` for one word


def _remedy(item: str) -> str:
    if item.startswith("stale"):
        return "`stale` stands alone; after it the series is gone."
    if item.startswith("_"):
        return "A missing sample is _, three of them _x3."
    if "," in item or ";" in item:
        return "Values are separated by blanks."
    return "Values are like 5, 0+10x6 (0 and then six more), 1x3, _, _x3 and stale."


def _number(text: str, item: str) -> float:
    if _OCTAL.match(text):
        raise BadNotation(
            f"{_shown(item)} has a leading zero, which promtool would take for octal",
            "Write it without.",
        )
    value = float(text)
    if math.isinf(value) and text.lstrip("+-")[0] not in "iI":
        raise BadNotation(f"{_shown(item)} is too large a number", "Write Inf if you mean that.")
    return value


def _count(digits: str, item: str) -> int:
    if len(digits) > 15:
        raise BadNotation(f"{_shown(item)} repeats too often", "Write a smaller number after x.")
    return int(digits)


def series_of(text: str) -> tuple[str, Labels]:
    """The metric name and labels of `name{label="value"}`. Raises BadNotation.

    The name is empty where none is written.
    """
    if text.strip() in {"", "{}"}:
        return "", ()
    how = 'Write it like requests_total{code="500"}.'
    try:
        selector = Selector.parse(text)
    except Refused:
        raise BadNotation(f"{_shown(text)} is no series", how) from None
    odd = next((m for m in selector.matchers if m.operator != "="), None)
    if odd is not None:
        raise BadNotation(f"{_shown(text)} is a selector, no series", f"{how} Only = is possible.")
    labels = {matcher.label: matcher.value for matcher in selector.matchers}
    if len(labels) < len(selector.matchers):
        raise BadNotation(f"{_shown(text)} has a label twice", "Keep one of the two.")
    return selector.name or "", tuple(sorted((k, v) for k, v in labels.items() if v))


def series_text(name: str, labels: Labels) -> str:
    """A series as it is written."""
    inner = ", ".join(f'{key}="{_escaped(value)}"' for key, value in labels)
    return f"{name}{{{inner}}}" if inner or not name else name


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "...")
