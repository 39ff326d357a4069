"""How well the rules did, measured by what people know to have been trouble.

A firing is *true* when it began within an incident that concerns its rule, or up to `grace` after
its end (windows look back); all others are false. An incident is *detected* when a rule that it
concerns fired so; detection time runs from its labelled start. A firing from before an incident
detects nothing: people had been told of something else.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from watchdog.core.naming import family_of, is_of, values_in
from watchdog.core.spec import RuleSpec
from watchdog.lab.backtest.firing import Firing
from watchdog.lab.backtest.incidents import Incident
from watchdog.lab.history import Span

MONTH_SECONDS = 30 * 86_400.0
GRACE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Detection:
    """One incident, and the firing that first showed it, where one did."""

    incident: Incident
    firing: Firing | None
    seconds: float | None
    already: str = ""  # the episode that had fired before it and still stood


@dataclass(frozen=True, slots=True)
class Figures:
    """None where there is nothing to divide by. The median and the nearest-rank 95th percentile are
    of the incidents that were detected.
    """

    incidents: int
    detected: int
    fired: int
    true: int
    acted: int
    false_actions: int
    false_actions_a_month: float
    false_firings_a_month: float
    detection_p50_seconds: float | None
    detection_p95_seconds: float | None

    @property
    def false(self) -> int:
        return self.fired - self.true

    @property
    def precision(self) -> float | None:
        return self.true / self.fired if self.fired else None

    @property
    def recall(self) -> float | None:
        return self.detected / self.incidents if self.incidents else None

    def document(self) -> dict[str, Any]:
        return {
            "incidents": self.incidents,
            "detected": self.detected,
            "recall": self.recall,
            "fired": self.fired,
            "true": self.true,
            "false": self.false,
            "precision": self.precision,
            "acted": self.acted,
            "false_actions": self.false_actions,
            "false_actions_a_month": self.false_actions_a_month,
            "false_firings_a_month": self.false_firings_a_month,
            "detection_p50_seconds": self.detection_p50_seconds,
            "detection_p95_seconds": self.detection_p95_seconds,
        }


@dataclass(frozen=True, slots=True)
class Score:
    overall: Figures
    rules: Mapping[str, Figures]
    detections: tuple[Detection, ...]
    false: tuple[Firing, ...]
    outside: tuple[Incident, ...]  # not wholly within the span: not counted

    def document(self, iso: Callable[[float | None], str | None]) -> dict[str, Any]:
        return {
            "overall": self.overall.document(),
            "rules": {name: figures.document() for name, figures in self.rules.items()},
            "incidents": [
                {
                    "start": iso(d.incident.start),
                    "end": iso(d.incident.end),
                    "severity": d.incident.severity.value,
                    "name": d.incident.name,
                    "where": d.incident.where,
                    "detected_by": d.firing.rule if d.firing else None,
                    "episode": d.firing.episode if d.firing else None,
                    "detection_seconds": d.seconds,
                    "acted": iso(d.firing.acted_at) if d.firing else None,
                    "budget_at_fire": d.firing.budget if d.firing else None,
                    "already_firing": d.already,
                }
                for d in self.detections
            ],
            "false_episodes": [firing.episode for firing in self.false],
            "not_counted": [incident.where for incident in self.outside],
        }


def score(
    firings: Sequence[Firing],
    incidents: Sequence[Incident],
    rules: Mapping[str, RuleSpec],
    span: Span,
    grace_seconds: float = GRACE_SECONDS,
) -> Score:
    """Over the span's incidents; those that reach beyond it are not counted, and said so."""
    known = {**rules, **_members(firings, rules)}
    counted = [i for i in incidents if span.start <= i.start and i.end <= span.end]
    outside = tuple(i for i in incidents if i not in counted)
    # Nothing is said of a firing in an incident that is not counted: neither true nor false.
    fired = [
        f
        for f in firings
        if f.fired_at is not None and not _covered(f, outside, known, grace_seconds)
    ]
    detections = tuple(_detect(i, fired, known, grace_seconds) for i in counted)
    false = tuple(f for f in fired if not _covered(f, counted, known, grace_seconds))
    by_rule = {}
    for name, rule in rules.items():
        own = [f for f in fired if is_of(f.rule, name)]
        concern = [i for i in counted if i.concerns(rule)]
        seen = tuple(_detect(i, own, known, grace_seconds) for i in concern)
        by_rule[name] = _figures(seen, own, [f for f in false if is_of(f.rule, name)], span)
    return Score(_figures(detections, fired, false, span), by_rule, detections, false, outside)


def _members(firings: Sequence[Firing], rules: Mapping[str, RuleSpec]) -> dict[str, RuleSpec]:
    """The members of families that fired, with their labels: an incident may be of one alone."""
    found = {}
    for name in {f.rule for f in firings} - rules.keys():
        family, values = rules[family_of(name)], values_in(name)
        found[name] = replace(family, name=name, member=values, labels=(*family.labels, *values))
    return found


def nearest_rank(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least this share of all does not exceed."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _figures(
    detections: Sequence[Detection],
    fired: Sequence[Firing],
    false: Sequence[Firing],
    span: Span,
) -> Figures:
    seconds = [d.seconds for d in detections if d.seconds is not None]
    false_actions = sum(f.acted_at is not None for f in false)
    return Figures(
        incidents=len(detections),
        detected=len(seconds),
        fired=len(fired),
        true=len(fired) - len(false),
        acted=sum(f.acted_at is not None for f in fired),
        false_actions=false_actions,
        false_actions_a_month=false_actions * MONTH_SECONDS / span.seconds,
        false_firings_a_month=len(false) * MONTH_SECONDS / span.seconds,
        detection_p50_seconds=statistics.median(seconds) if seconds else None,
        detection_p95_seconds=nearest_rank(seconds, 0.95),
    )


def _within(firing: Firing, incident: Incident, grace_seconds: float) -> bool:
    at = firing.fired_at
    return at is not None and incident.start <= at <= incident.end + grace_seconds


def _covered(
    firing: Firing,
    incidents: Sequence[Incident],
    rules: Mapping[str, RuleSpec],
    grace_seconds: float,
) -> bool:
    rule = rules[firing.rule]
    return any(_within(firing, i, grace_seconds) and i.concerns(rule) for i in incidents)


def _detect(
    incident: Incident,
    fired: Sequence[Firing],
    rules: Mapping[str, RuleSpec],
    grace_seconds: float,
) -> Detection:
    own = [f for f in fired if incident.concerns(rules[f.rule])]
    first = min(
        (f for f in own if _within(f, incident, grace_seconds)),
        key=lambda f: f.fired_at or 0.0,
        default=None,
    )
    if first is not None and first.fired_at is not None:
        return Detection(incident, first, first.fired_at - incident.start)
    before = next(
        (
            f.episode
            for f in own
            if f.fired_at is not None
            and f.fired_at < incident.start
            and (f.ended_at is None or f.ended_at > incident.start)
        ),
        "",
    )
    return Detection(incident, None, None, before)
