"""All variants over one reading of the past, each with a book, gates and episodes of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from watchdog.lab.backtest.incidents import Incident
from watchdog.lab.backtest.run import Settings, Stage, replay_all
from watchdog.lab.backtest.score import Figures, score
from watchdog.lab.history import History, Span
from watchdog.lab.tune.variants import Grid, Variant

__all__ = ["Grid", "Point", "Sweep", "sweep"]


@dataclass(frozen=True, slots=True)
class Point:
    """`best`: none is as good in recall, false actions and detection, and better in one."""

    number: int
    variant: Variant
    figures: Figures
    best: bool = False

    def document(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "text": self.variant.text or "as it stands",
            "present": self.variant.present,
            "best": self.best,
            **self.figures.document(),
        }


@dataclass(frozen=True, slots=True)
class Sweep:
    rule: str
    points: tuple[Point, ...]
    refused: tuple[str, ...]  # why some combinations were not tried

    def document(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "points": [point.document() for point in self.points],
            "not_tried": list(self.refused),
        }


def sweep(
    stage: Stage,
    tried: Sequence[Variant],
    history: History,
    span: Span,
    settings: Settings,
    incidents: Sequence[Incident],
    progress: Callable[[float], None] | None = None,
) -> tuple[Point, ...]:
    """`stage` holds the rule, and those that it asks for company. Raises history.Bad."""
    name = tried[0].rule.name
    stages = [
        replace(
            stage,
            policy=replace(stage.policy, rules={**stage.policy.rules, name: variant.rule}),
        )
        for variant in tried
    ]
    runs = replay_all(stages, history, span, settings, incidents, progress)
    points = []
    for number, (variant, run) in enumerate(zip(tried, runs, strict=True)):
        own = [firing for firing in run.firings if firing.rule == name]
        found = score(own, incidents, {name: variant.rule}, span)
        points.append(Point(number, variant, found.rules[name]))
    return tuple(replace(p, best=not any(_beats(o, p) for o in points)) for p in points)


def _beats(one: Point, other: Point) -> bool:
    mine, theirs = _worth(one.figures), _worth(other.figures)
    return all(a >= b for a, b in zip(mine, theirs, strict=True)) and mine != theirs


def _worth(figures: Figures) -> tuple[float, float, float]:
    """More is better."""
    seconds = figures.detection_p50_seconds
    late = float("-inf") if seconds is None else -seconds
    return figures.recall or 0.0, -figures.false_actions_a_month, late
