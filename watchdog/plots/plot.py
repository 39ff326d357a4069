"""What is plotted, as values. Times are seconds since the epoch, UTC."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from watchdog.core.text import number

Point = tuple[float, float | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One line; a point without a value breaks it: nothing was measured there."""

    label: str
    points: Sequence[Point]
    dots: bool = False  # single readings, between which nothing is known
    kind: str = ""  # its class, where it is not that of its turn

    @property
    def values(self) -> Iterator[float]:
        return (value for _, value in self.points if value is not None and math.isfinite(value))

    @property
    def newest(self) -> float | None:
        return next((value for _, value in reversed(self.points) if value is not None), None)


@dataclass(frozen=True, slots=True)
class Bound:
    """What lines are held against."""

    value: float
    label: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment. `tag` is short enough to stand on the plot; `label` tells what it was."""

    at: float
    tag: str
    label: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """From one time to another; `kind` is a class of the style sheet."""

    start: float
    end: float
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Plot:
    """`what` names what is plotted: "burn", "share of requests"."""

    what: str
    start: float
    end: float
    lines: tuple[Line, ...]
    bounds: tuple[Bound, ...] = ()
    marks: tuple[Mark, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    written: Callable[[float], str] = number

    @property
    def is_empty(self) -> bool:
        return not any(True for line in self.lines for _ in line.values)
