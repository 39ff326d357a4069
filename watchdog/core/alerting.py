"""Our episodes as Alertmanager's alerts: by which labels they are known, and what they tell.

One law: the labels that an alert is told with are those by which silences are matched. They are
fixed when the episode opens and stand on the record, so that neither a restart nor another policy
gives one episode two names.

An alert tells of an episode from the moment in which its `for` is reached until it is over or
undone and quiet, as our own `/api/v1/alerts` does. It is worked out anew from the book each time:
what ended lately is told as resolved, what ended long ago Alertmanager has let expire.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from watchdog.core.alertmanager import MARKER
from watchdog.core.samples import Labels
from watchdog.core.spec import RuleSpec
from watchdog.core.words import World

ALERTNAME = "alertname"

Problem = Literal["breach", "blind"]
"""What an alert is about: the label `problem`."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as it is told. Times are seconds since the epoch."""

    labels: Labels
    annotations: Labels
    starts_at: float
    ends_at: float  # ahead while it fires; then when it ended
    rule: str = ""  # whose page tells more, if a rule's does


def alert_labels(
    rule: RuleSpec, environment: str, world: World, problem: Problem = "breach"
) -> Labels:
    """Who a rule's alert is. What the rule's own `labels` say goes before what we would say.

    A rule that was imported, or is read in place, has its alert's name among them, so that
    silences made for that alert cover the rule as well. Only what tells ours apart is ours alone.
    A family's member is its family with the member's labels.
    """
    said = {
        ALERTNAME: rule.family,
        "severity": rule.severity.value,
        "owner": rule.owner,
        "environment": environment,
        **dict(rule.labels),
    }
    return _told(said | _ours(rule.family, world, problem))


def alert_name(rule: RuleSpec) -> str:
    """By which its alerts are known: the name of the rule, or what its own labels say."""
    return dict(alert_labels(rule, "", World.LIVE)).get(ALERTNAME, rule.family)


def strangers_labels(
    name: str, owner: str, severity: str, environment: str, world: World
) -> Labels:
    """The same for an episode whose rule is not known: a person's order."""
    said = {ALERTNAME: name, "severity": severity, "owner": owner, "environment": environment}
    return _told(said | _ours(name, world, "breach"))


def about(labels: Labels, problem: Problem) -> dict[str, str]:
    """The same alert's labels, about this problem."""
    return {**dict(labels), "problem": problem}


def _ours(rule: str, world: World, problem: Problem) -> dict[str, str]:
    return {"rule": rule, "world": world.value, "problem": problem, MARKER[0]: MARKER[1]}


def _told(labels: Mapping[str, str]) -> Labels:
    """Without empty ones: to Alertmanager an empty label is one that is not there."""
    return tuple(sorted((name, value) for name, value in labels.items() if value))


ADDED = frozenset({"owner", "environment", "rule", "world", "problem", MARKER[0]})
"""Labels that the watchdog puts to those that an alert would have anyway."""

OF_THE_MOMENT = frozenset({"world", "problem"})
"""Labels that one rule's alerts may carry with any of their values."""
