"""A plot of characters: detection time against error ratio, both on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Sequence

from watchdog.core.text import duration, percent

_TIMES = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 21_600,
          43_200, 86_400, 172_800, 259_200, 604_800, 2_592_000)  # fmt: skip
_RATIOS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def plot(points: Sequence[tuple[float, float]], *, width: int = 60, height: int = 12) -> list[str]:
    """Lines of text for (ratio, seconds), by rising ratio; empty for fewer than two points."""
    kept = [(ratio, max(seconds, 0.1)) for ratio, seconds in points if ratio > 0]
    if len(kept) < 2:
        return []
    left, right = math.log(kept[0][0]), math.log(kept[-1][0])
    low = math.log(min(seconds for _, seconds in kept))
    high = max(math.log(max(seconds for _, seconds in kept)), low + 0.1)
    grid = [[" "] * width for _ in range(height)]

    def column(ratio: float) -> int:
        return round((math.log(ratio) - left) / (right - left) * (width - 1))

    def row(seconds: float) -> int:
        return height - 1 - round((math.log(seconds) - low) / (high - low) * (height - 1))

    for ratio, seconds in kept:
        grid[row(seconds)][column(ratio)] = "*"
    marks = {row(s): span_text(s) for s in _TIMES if low <= math.log(s) <= high}
    marks[0] = span_text(math.exp(high))
    marks[height - 1] = span_text(math.exp(low))
    margin = max((len(text) for text in marks.values()), default=0)
    lines = [
        f"{marks.get(i, '').rjust(margin)} |{''.join(cells).rstrip()}"
        for i, cells in enumerate(grid)
    ]
    lines.append(f"{' ' * margin} +{'-' * width}")
    return [*lines, " " * (margin + 2) + _ruler([(column(r), percent(r)) for r in _RATIOS
            if left <= math.log(r) <= right], width)]  # fmt: skip


def span_text(seconds: float) -> str:
    return duration(round(seconds, 1) if seconds < 10 else round(seconds))


def _ruler(marks: Sequence[tuple[int, str]], width: int) -> str:
    """Labels under their columns; one that would touch the one before is left out."""
    line, free = [" "] * (width + 6), 0
    for column, text in marks:
        start = max(0, column - len(text) // 2)
        if start >= free:
            line[start : start + len(text)] = text
            free = start + len(text) + 1
    return "".join(line).rstrip()
