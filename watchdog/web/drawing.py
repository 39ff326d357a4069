"""From what is remembered of a rule to plots of it, against what it is held to.

Of an objective each pair of windows is a plot of its own: both burns, and the factor above which
both must be. Any other rule has one plot, of the number that is compared. Where nothing was
remembered, an episode's plot shows the few numbers that its record holds, as dots.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from markupsafe import Markup

from watchdog.core.spec import BurnPair, RatioThreshold, RuleSpec, Slo
from watchdog.core.text import duration, number, percent
from watchdog.core.words import Instant, Status
from watchdog.plots import Bound, Line, Mark, Plot, Stretch, kind_of, spark, svg
from watchdog.web.templating import visible
from watchdog.web.timeline import Reading
from watchdog.web.trails import Moment, Trail, Trails, bound_of, wall_of

SPANS = {"15m": 900.0, "1h": 3600.0, "6h": 21_600.0, "24h": 86_400.0}
USUAL_SPAN = "1h"

_SPARK_SECONDS, _SPARK_POINTS = 3600.0, 60
_MOST_DRAWN = 1000
_LEAST_SECONDS = 60.0
_STRETCHES = {Status.BREACHED: "breached", Status.BLIND: "blind"}


@dataclass(frozen=True, slots=True)
class Figure:
    """`legend` is (class, label, newest number) of each line; `since` is when it was begun."""

    title: str
    picture: Markup
    legend: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Span:
    """On the wall clock."""

    start: float
    end: float

    @classmethod
    def until(cls, now: Instant, seconds: float, trail: Trail | None) -> Span:
        """The newest part, which begins where something is known."""
        start = now.wall - seconds
        if trail is not None:
            first = next(trail.moments(now.steady - seconds), None)
            known = wall_of(first.steady, now) if first is not None else start
            start = max(start, min(known, now.wall - _LEAST_SECONDS))
        return cls(start, now.wall)


def rule_figures(
    rule: RuleSpec, trail: Trail, now: Instant, span: Span, marks: Sequence[Mark] = ()
) -> list[Figure]:
    """One for each threshold; none where nothing was measured in that time."""
    moments = _within(trail, now, span)
    if isinstance(rule.signal, Slo):
        plots = [_pair(pair, trail.windows, moments, span, now) for pair in rule.signal.pairs]
    else:
        plots = [_value(rule, moments, span, now)]
    return [drawn(_marked(plot, marks)) for plot in plots if not plot.is_empty]


def episode_figure(
    rule: RuleSpec,
    trail: Trail | None,
    readings: Sequence[Reading],
    now: Instant,
    span: Span,
    marks: Sequence[Mark],
) -> Figure | None:
    """Of an objective the pair that was nearest to its factor."""
    moments = _within(trail, now, span) if trail is not None else []
    measured = [one for one in moments if any(value is not None for value in one.values)]
    if trail is None or not measured:
        plot = _dotted(rule, _pair_of(rule, readings), readings, span)
    elif isinstance(rule.signal, Slo):
        strains = {pair: _strain(pair, trail.windows, moments) for pair in rule.signal.pairs}
        worst = max(strains, key=strains.__getitem__)
        plot = _pair(worst, trail.windows, moments, span, now)
        plot = _with_dots(plot, _dotted(rule, worst, readings, span), moments[0], now)
    else:
        plot = _value(rule, moments, span, now)
        plot = _with_dots(plot, _dotted(rule, None, readings, span), moments[0], now)
    return None if plot.is_empty else drawn(_marked(plot, marks))


def _with_dots(plot: Plot, dotted: Plot, first: Moment, now: Instant) -> Plot:
    """With the record's numbers of before anything was remembered."""
    since = wall_of(first.steady, now)
    dots = tuple(
        replace(line, points=[one for one in line.points if one[0] < since], kind=kind_of(line, n))
        for n, line in enumerate(dotted.lines)
    )
    return replace(plot, lines=(*plot.lines, *dots))


class Sparks:
    """Plots the size of a word, each drawn once for as long as nothing new is known."""

    def __init__(self, trails: Trails) -> None:
        self._trails = trails
        self._drawn: dict[str, tuple[float, Markup]] = {}

    def of(self, rule: RuleSpec, now: Instant) -> Markup:
        """Of an objective how near the nearest pair is to its factor; else the number that is
        compared with a limit; nothing of what is compared with none.
        """
        trail = self._trails.of(rule.name)
        if trail is None:
            return Markup()
        newest, picture = self._drawn.get(rule.name, (-math.inf, Markup()))
        if newest != trail.newest:
            picture = _sparkline(rule, trail, now)
            self._drawn[rule.name] = trail.newest, picture
            while len(self._drawn) > _MOST_DRAWN:
                del self._drawn[next(iter(self._drawn))]
        return picture


def _sparkline(rule: RuleSpec, trail: Trail, now: Instant) -> Markup:
    moments = list(trail.moments(now.steady - _SPARK_SECONDS, _SPARK_POINTS))
    if isinstance(rule.signal, Slo):
        pairs, windows = rule.signal.pairs, trail.windows
        points = [(one.steady, _share(pairs, windows, one)) for one in moments]
        return Markup(spark(points, 1.0))  # noqa: S704  # numbers and our own classes
    limit = bound_of(rule)
    if limit is None:
        return Markup()
    points = [(one.steady, one.values[0]) for one in moments]
    return Markup(spark(points, limit[1]))  # noqa: S704  # as above


def drawn(plot: Plot) -> Figure:
    newest = ((line, line.newest) for line in plot.lines)
    return Figure(
        plot.what,
        Markup(visible(svg(plot))),  # noqa: S704  # its texts are escaped where it is made
        tuple(
            (kind_of(line, n), line.label, "" if value is None else plot.written(value))
            for n, (line, value) in enumerate(newest)
            if not line.kind
        ),
    )


def _within(trail: Trail, now: Instant, span: Span) -> list[Moment]:
    since = now.steady - (now.wall - span.start)
    until = now.steady - (now.wall - span.end)
    return [one for one in trail.moments(since) if one.steady <= until]


def _pair(
    pair: BurnPair,
    windows: Sequence[float],
    moments: Sequence[Moment],
    span: Span,
    now: Instant,
) -> Plot:
    def line(seconds: float) -> Line:
        column = windows.index(seconds)
        points = [(wall_of(one.steady, now), one.values[column]) for one in moments]
        return Line(f"over {duration(seconds)}", points)

    return Plot(
        f"burn over {duration(pair.long_seconds)} and {duration(pair.short_seconds)}",
        span.start,
        span.end,
        (line(pair.long_seconds), line(pair.short_seconds)),
        (Bound(pair.factor, "both above"),),
        stretches=tuple(_stretches(moments, now)),
    )


def _value(rule: RuleSpec, moments: Sequence[Moment], span: Span, now: Instant) -> Plot:
    points = [(wall_of(one.steady, now), one.values[0]) for one in moments]
    return Plot(
        _named(rule),
        span.start,
        span.end,
        (Line("the rule's number", points),),
        _bounds(rule),
        stretches=tuple(_stretches(moments, now)),
        written=_form(rule),
    )


def _dotted(rule: RuleSpec, pair: BurnPair | None, readings: Sequence[Reading], span: Span) -> Plot:
    """What the record holds: the numbers at its entries."""
    if pair is not None:
        lines = tuple(
            Line(
                f"over {duration(seconds)}",
                [(one.wall, dict(one.burns).get(seconds)) for one in readings],
                dots=True,
            )
            for seconds in (pair.long_seconds, pair.short_seconds)
        )
        over = f"{duration(pair.long_seconds)} and {duration(pair.short_seconds)}"
        what = f"burn over {over}, as the record has it"
        return Plot(what, span.start, span.end, lines, (Bound(pair.factor, "both above"),))
    points = [(one.wall, one.value) for one in readings]
    what = f"{_named(rule)}, as the record has it"
    line = Line("the rule's number", points, dots=True)
    return Plot(what, span.start, span.end, (line,), _bounds(rule), written=_form(rule))


def _pair_of(rule: RuleSpec, readings: Sequence[Reading]) -> BurnPair | None:
    """The pair of an objective that was nearest to its factor, by the record."""
    if not isinstance(rule.signal, Slo):
        return None

    def strain(pair: BurnPair) -> float:
        both = [
            min(burns.get(pair.long_seconds, 0.0), burns.get(pair.short_seconds, 0.0))
            for burns in (dict(one.burns) for one in readings)
        ]
        return max(both, default=0.0) / pair.factor

    return max(rule.signal.pairs, key=strain)


def _named(rule: RuleSpec) -> str:
    if isinstance(rule.signal, RatioThreshold):
        return f"share of bad events over {duration(rule.signal.over_seconds)}"
    return "value"


def _form(rule: RuleSpec) -> Callable[[float], str]:
    return percent if isinstance(rule.signal, RatioThreshold) else partial(number, digits=3)


def _bounds(rule: RuleSpec) -> tuple[Bound, ...]:
    found = bound_of(rule)
    return () if found is None else (Bound(found[1], f"breached when {found[0]}"),)


def _marked(plot: Plot, marks: Sequence[Mark]) -> Plot:
    inside = tuple(mark for mark in marks if plot.start <= mark.at <= plot.end)
    return replace(plot, marks=inside)


def _stretches(moments: Sequence[Moment], now: Instant) -> Iterator[Stretch]:
    """From where a status was first seen to where another was."""
    begun: Moment | None = None
    for one in moments:
        if begun is not None and one.status is not begun.status:
            yield from _stretch(begun, one.steady, now)
            begun = None
        if begun is None:
            begun = one
    if begun is not None and moments:
        yield from _stretch(begun, moments[-1].steady, now)


def _stretch(begun: Moment, until: float, now: Instant) -> Iterator[Stretch]:
    kind = _STRETCHES.get(begun.status)
    if kind is not None:
        yield Stretch(wall_of(begun.steady, now), wall_of(until, now), kind, kind)


def _strain(pair: BurnPair, windows: Sequence[float], moments: Iterable[Moment]) -> float:
    shares = (_share((pair,), windows, one) for one in moments)
    return max((share for share in shares if share is not None), default=-math.inf)


def _share(pairs: Sequence[BurnPair], windows: Sequence[float], one: Moment) -> float | None:
    """The lower burn of a pair over its factor, of the pair where that is highest."""
    found = []
    for pair in pairs:
        long, short = (
            one.values[windows.index(w)] for w in (pair.long_seconds, pair.short_seconds)
        )
        if long is not None and short is not None:
            found.append(min(long, short) / pair.factor)
    return max(found, default=None)
