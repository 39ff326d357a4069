"""All variants over one reading of the past, each with a book, gates and episodes of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from watchdog.core.naming import is_of
from watchdog.lab.backtest.incidents import Incident
from watchdog.lab.backtest.run import Settings, Stage, replay_all
from watchdog.lab.backtest.score import Figures, score
from watchdog.lab.history import History, Span
from watchdog.lab.tune.variants import Grid, Variant

__all__ = ["Grid", "Point", "Sweep", "sweep"]


@dataclass(frozen=True, slots=True)
class Point:
    """`best`: none is as good in recall, what is false and detection, and better in one.

    A rule without a playbook never acts, so its false firings are counted: people are told.
    """

    number: int
    variant: Variant
    figures: Figures
    best: bool = False

    @property
    def acts(self) -> bool:
        return self.variant.rule.playbook is not None

    @property
    def false_a_month(self) -> float:
        figures = self.figures
        return figures.false_actions_a_month if self.acts else figures.false_firings_a_month

    def document(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "text": self.variant.text or "as it stands",
            "present": self.variant.present,
            "best": self.best,
            "false_a_month": self.false_a_month,
            **self.figures.document(),
        }


@dataclass(frozen=True, slots=True)
class Sweep:
    rule: str
    points: tuple[Point, ...]
    refused: tuple[str, ...]  # why some combinations were not tried

    @property
    def counts(self) -> str:
        """What is counted as false."""
        return "false actions" if all(point.acts for point in self.points) else "false firings"

    def document(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "counts": self.counts,
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
        own = [firing for firing in run.firings if is_of(firing.rule, name)]
        found = score(own, incidents, {name: variant.rule}, span)
        points.append(Point(number, variant, found.rules[name]))
    return tuple(replace(p, best=not any(_beats(o, p) for o in points)) for p in points)


def _beats(one: Point, other: Point) -> bool:
    mine, theirs = _worth(one), _worth(other)
    return all(a >= b for a, b in zip(mine, theirs, strict=True)) and mine != theirs


def _worth(point: Point) -> tuple[float, float, float]:
    """More is better."""
    seconds = point.figures.detection_p50_seconds
    late = float("-inf") if seconds is None else -seconds
    return point.figures.recall or 0.0, -point.false_a_month, late
