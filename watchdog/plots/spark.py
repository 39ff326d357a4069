"""A plot the size of a word: how it went, and where its bound is. Said in words beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from watchdog.plots.plot import Point
from watchdog.plots.scale import axis_of


def spark(points: Sequence[Point], bound: float) -> str:
    """Hidden from those who hear a page: the number beside it says what it shows."""
    known = [(at, value) for at, value in points if value is not None and math.isfinite(value)]
    if len(known) < 2 or known[-1][0] <= known[0][0]:
        return ""
    axis = axis_of([value for _, value in known], [bound])
    start, length = known[0][0], known[-1][0] - known[0][0]
    drawn, pen_down = [], False
    for at, value in points:
        if value is None or not math.isfinite(value):
            pen_down = False
            continue
        x, y = (at - start) / length * 1000, (1 - axis.share(value)) * 1000
        drawn.append(f"{'L' if pen_down else 'M'}{x:.0f} {y:.0f}")
        pen_down = True
    held = f'<path class="bound" d="M0 {(1 - axis.share(bound)) * 1000:.0f}H1000"/>'
    return (
        '<svg class="spark" aria-hidden="true" viewBox="0 0 1000 1000" preserveAspectRatio="none">'
        f'{held}<path class="line" d="{"".join(drawn)}"/></svg>'
    )
