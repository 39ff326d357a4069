"""The signal of an episode, as far as the record holds it: the verdicts that its entries stand on.

Between two of them nothing is known, so they are dots and no line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from watchdog.core.states import State
from watchdog.core.text import duration, number, percent
from watchdog.core.words import Instant, Verdict, WindowReading
from watchdog.lab.incident.values import Gathered
from watchdog.plots import Bound, Line, Mark, Plot, Stretch

_PASSING = frozenset({State.PENDING, State.VERIFYING})
"""Told by what comes right before and after them."""

_LIMIT = re.compile(r"(?:>=|<=|==|!=|>|<)\s*([\d.]+)\s*(%?)\Z")


def pictures(found: Gathered) -> tuple[Plot, ...]:
    """What there is to be seen; nothing where no verdict holds a number."""
    verdicts = {v.at.wall: v for v in found.verdicts}
    seen = [verdicts[at] for at in sorted(verdicts)]
    ends = found.ended or found.last
    if found.opened is None or ends is None:
        return ()
    measure = found.measure
    first = measure.began.wall if measure is not None else found.opened[0].wall
    times = [first, ends.wall, *(v.at.wall for v in seen)]
    span = min(times), max(times)
    margin = max(1.0, (span[1] - span[0]) * 0.03)
    frame = _Frame(found, span[0] - margin, span[1] + margin)
    made = [frame.values(seen), frame.windows(seen), frame.cost()]
    return tuple(plot for plot in made if plot is not None and not plot.is_empty)


class _Frame:
    """What all plots of one episode have in common."""

    def __init__(self, found: Gathered, start: float, end: float) -> None:
        self._found = found
        self._start, self._end = start, end
        self._marks = tuple(_marks(found))
        self._stretches = tuple(_blind(found, end))

    def _plot(
        self,
        what: str,
        lines: tuple[Line, ...],
        bounds: tuple[Bound, ...] = (),
        *,
        as_share: bool = False,
    ) -> Plot:
        return Plot(
            what, self._start, self._end, lines, bounds, self._marks, self._stretches,
            percent if as_share else number,
        )  # fmt: skip

    def values(self, seen: list[Verdict]) -> Plot | None:
        """The number that was compared, and what with."""
        points = [(v.at.wall, v.value) for v in seen if _is_number(v.value)]
        texts = [v.bound for v in seen if v.bound]
        limit = _LIMIT.search(texts[-1]) if texts else None
        if not points:
            return None
        as_share = limit is not None and bool(limit[2])
        bounds: tuple[Bound, ...] = ()
        if limit is not None:
            bounds = (Bound(float(limit[1]) / (100 if as_share else 1), "bound"),)
        return self._plot(
            "Value that was judged", (Line("value", points, dots=True),), bounds, as_share=as_share
        )

    def windows(self, seen: list[Verdict]) -> Plot | None:
        """Burn where the rule has an objective, else the share of bad events, by window."""
        burns = any(w.burn is not None for v in seen for w in v.evidence)
        lines: dict[float, list[tuple[float, float | None]]] = {}
        factors: set[float] = set()
        for verdict in seen:
            for window in verdict.evidence:
                value = window.burn if burns else window.ratio
                if _is_number(value):
                    lines.setdefault(window.seconds, []).append((verdict.at.wall, value))
                if burns and window.factor is not None:
                    factors.add(window.factor)
        drawn = tuple(
            Line(f"over {duration(seconds)}", points, dots=True)
            for seconds, points in sorted(lines.items())
        )
        if not drawn:
            return None
        what = "Burn rate by window" if burns else "Share of bad events by window"
        bounds = tuple(Bound(factor, "fires above") for factor in sorted(factors))
        return self._plot(what, drawn, bounds, as_share=not burns)

    def cost(self) -> Plot | None:
        points = [(at.wall, count) for at, count in self._found.costs]
        if len(points) < 2:
            return None
        return self._plot("Failed events since the first bad sample", (Line("events", points),))


def windows_of(verdict: Verdict) -> Iterator[tuple[str, ...]]:
    """As a table tells them: window, bad, total, share, burn, fires above, seen."""
    for window in verdict.evidence:
        yield _row(window)


def _row(window: WindowReading) -> tuple[str, ...]:
    return (
        duration(window.seconds),
        number(window.bad, 6),
        number(window.total, 6),
        "" if window.ratio is None else percent(window.ratio),
        "" if window.burn is None else number(window.burn, 4),
        "" if window.factor is None else number(window.factor, 4),
        percent(window.coverage),
    )


def _marks(found: Gathered) -> Iterator[Mark]:
    measure = found.measure
    if measure is not None and measure.first_bad is not None:
        yield Mark(measure.first_bad.wall, "bad", "first bad sample")
    if found.opened is not None:
        yield Mark(found.opened[0].wall, "breach", "the episode opened")
    for at, state in found.moves:
        if state in _PASSING:
            continue
        yield Mark(at.wall, state.value, f"the episode became {state.value}")


def _blind(found: Gathered, end: float) -> Iterator[Stretch]:
    for since, until in found.blind:
        yield Stretch(since.wall, _wall(until, end), "blind", "the rule was blind")


def _wall(at: Instant | None, otherwise: float) -> float:
    return otherwise if at is None else at.wall


def _is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
