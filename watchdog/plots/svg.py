"""A plot as SVG that is as wide as its place and keeps its letters readable at any width.

Letters and ticks are placed in pixels and per cent; the lines lie in an inner picture that is
stretched, with strokes that are not. So one text serves a wide screen and a phone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from watchdog.plots.plot import Line, Mark, Plot
from watchdog.plots.scale import Axis, axis_of, times

HEIGHT = 200
_TOP, _BOTTOM = 24, 22  # pixels, for marks and for times
_INNER = HEIGHT - _TOP - _BOTTOM
_STRETCHED = 'viewBox="0 0 1000 1000" preserveAspectRatio="none"'
_WIDE = 1000.0
_LETTER = 22.0  # of the width's thousandths: a bold letter of 11 pixels on a phone's 330
_NEAR = 55.0  # the same: tags that would begin or end closer than this share one
KINDS = "abcdefgh"
"""The class of each line, by its turn."""


def svg(plot: Plot) -> str:
    """The picture; "" where there is nothing to see."""
    if plot.is_empty or plot.end <= plot.start:
        return ""
    values = [value for line in plot.lines for value in line.values]
    axis = axis_of(values, [bound.value for bound in plot.bounds])
    label = escape(told(plot), quote=True)
    pieces = [
        f'<svg class="plot" role="img" aria-label="{label}" width="100%" height="{HEIGHT}">',
        *_grid(plot, axis),
        f'<svg y="{_TOP}" width="100%" height="{_INNER}" {_STRETCHED}>',
        *_stretches(plot),
        *_bounds(plot, axis),
        *(_line(plot, line, axis, kind_of(line, n)) for n, line in enumerate(plot.lines)),
        *_rods(plot),
        "</svg>",
        *_bound_labels(plot, axis),
        *_tags(plot),
        "</svg>",
    ]
    return "".join(pieces)


def kind_of(line: Line, turn: int) -> str:
    return line.kind or KINDS[turn % len(KINDS)]


def told(plot: Plot) -> str:
    """The same in words."""
    said = [f"{plot.what} over time"]
    for line in plot.lines:
        values = list(line.values)
        if values:
            newest = plot.written(values[-1])
            said.append(f"{line.label}: newest {newest}, highest {plot.written(max(values))}")
    said += [f"{bound.label}: {plot.written(bound.value)}" for bound in plot.bounds]
    said += [f"{mark.tag}: {mark.label}" for mark in plot.marks]
    return ". ".join(said)


def _x(plot: Plot, at: float) -> float:
    """Thousandths of the width."""
    inside = min(max(at, plot.start), plot.end)
    return (inside - plot.start) / (plot.end - plot.start) * _WIDE


def _y(axis: Axis, value: float) -> float:
    """Thousandths of the inner height, from above."""
    return (1 - axis.share(value)) * 1000.0


def _pixels(axis: Axis, value: float) -> float:
    return _TOP + (1 - axis.share(value)) * _INNER


def _grid(plot: Plot, axis: Axis) -> Iterator[str]:
    for value in axis.ticks():
        y = _pixels(axis, value)
        yield f'<line class="grid" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="tick" x="2" y="{y - 3:.1f}">{escape(plot.written(value))}</text>'
    for at, text in times(plot.start, plot.end):
        x = _x(plot, at) / 10
        anchor = "start" if x < 5 else "end" if x > 95 else "middle"
        yield (
            f'<text class="tick" x="{x:.2f}%" y="{HEIGHT - 6}" text-anchor="{anchor}">{text}</text>'
        )
    if axis.bend:
        yield f'<text class="tick" x="100%" y="{HEIGHT - 6}" text-anchor="end">log scale</text>'


def _stretches(plot: Plot) -> Iterator[str]:
    for one in plot.stretches:
        left, right = _x(plot, one.start), _x(plot, one.end)
        yield (
            f'<rect class="stretch {one.kind}" x="{left:.1f}" y="0" '
            f'width="{max(right - left, 1.0):.1f}" height="1000">'
            f"<title>{escape(one.label)}</title></rect>"
        )


def _bounds(plot: Plot, axis: Axis) -> Iterator[str]:
    for bound in plot.bounds:
        y = _y(axis, bound.value)
        yield f'<path class="bound" d="M0 {y:.1f}H1000"/>'


def _bound_labels(plot: Plot, axis: Axis) -> Iterator[str]:
    taken: list[float] = []
    for bound in sorted(plot.bounds, key=lambda one: -one.value):
        y = _pixels(axis, bound.value) - 4
        if taken and y - taken[-1] < 12:
            y = taken[-1] + 12
        taken.append(y)
        yield (
            f'<text class="bound" x="99.5%" y="{y:.1f}" text-anchor="end">'
            f"{escape(bound.label)} {escape(plot.written(bound.value))}</text>"
        )


def _line(plot: Plot, line: Line, axis: Axis, kind: str) -> str:
    places: list[tuple[float, float] | None] = [
        None if value is None else (_x(plot, at), _y(axis, value)) for at, value in line.points
    ]
    if line.dots:
        dots = "".join(f"M{at[0]:.1f} {at[1]:.1f}h0" for at in places if at is not None)
        return f'<path class="dots {kind}" d="{dots}"/>'
    return f'<path class="line {kind}" d="{"".join(_path(places))}"/>'


def _path(places: Iterable[tuple[float, float] | None]) -> Iterator[str]:
    pen_down = False
    for place in places:
        if place is None:
            pen_down = False
            continue
        # A single reading between two gaps is a dot: a line of no length with a round end.
        yield f"{'L' if pen_down else 'M'}{place[0]:.1f} {place[1]:.1f}" + (
            "" if pen_down else "h0"
        )
        pen_down = True


def _rods(plot: Plot) -> Iterator[str]:
    for mark in plot.marks:
        yield f'<path class="rod" d="M{_x(plot, mark.at):.1f} 0V1000"/>'


def _tags(plot: Plot) -> Iterator[str]:
    for at, marks in _together(plot):
        tag, label = _tag(marks), "; ".join(f"{mark.tag} {mark.label}" for mark in marks)
        x = _inside(at, tag) / 10
        yield (
            f'<text class="tag" x="{x:.2f}%" y="15" text-anchor="middle">{escape(tag)}'
            f"<title>{escape(label)}</title></text>"
        )


def _tag(marks: list[Mark]) -> str:
    return marks[0].tag if len(marks) == 1 else f"{marks[0].tag}-{marks[-1].tag}"


def _half(tag: str) -> float:
    """Of a tag's width, in thousandths of the plot's where that is narrow."""
    return len(tag) * _LETTER / 2


def _inside(at: float, tag: str) -> float:
    """The middle of a tag that stands at `at`, moved so that the plot holds all of it."""
    half = max(15.0, min(_half(tag), _WIDE / 2))
    return min(max(at, half), _WIDE - half)


def _together(plot: Plot) -> list[tuple[float, list[Mark]]]:
    """Marks whose tags would lie on one another, with the place of the first of each."""
    groups: list[tuple[float, list[Mark]]] = []
    for mark in sorted(plot.marks, key=lambda one: one.at):
        groups.append((_x(plot, mark.at), [mark]))
        while len(groups) > 1 and _collide(groups[-2], groups[-1]):
            _, marks = groups.pop()
            groups[-1][1].extend(marks)
    return groups


def _collide(one: tuple[float, list[Mark]], other: tuple[float, list[Mark]]) -> bool:
    (left, right), (tag, after) = (one[0], other[0]), (_tag(one[1]), _tag(other[1]))
    room = _inside(right, after) - _half(after) - _inside(left, tag) - _half(tag)
    return right - left < _NEAR or room < 0
