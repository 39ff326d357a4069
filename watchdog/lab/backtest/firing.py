"""What became of each episode in a rehearsal, read from the entries that it recorded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from watchdog.core import entries as e
from watchdog.core.states import State
from watchdog.core.words import Direction, Severity


@dataclass(frozen=True, slots=True)
class Decision:
    at: float
    ruling: str  # allowed, refused, needs_approval, would_act
    action: str
    reason: str


@dataclass(slots=True)
class Firing:
    """One episode. Times are seconds since the epoch; None where it did not come to that.

    It *fires* when `for` is reached and the gates are asked: the moment an alert would. It *acts*
    when they let it.
    """

    episode: str
    rule: str
    severity: Severity
    opened_at: float
    fired_at: float | None = None
    acted_at: float | None = None
    action: str = ""
    ended_at: float | None = None
    recovered_at: float | None = None
    last_breached_at: float | None = None
    state: str = State.OK.value
    reason: str = ""  # of the verdict at which it fired, or opened
    reopens: str = ""
    barred: str = ""
    decisions: list[Decision] = field(default_factory=list)
    bad: float | None = None  # events since the incident began, until it fired
    budget: float | None = None  # the share of the whole period's budget that these were

    @property
    def refusal(self) -> str:
        """Why it did not act, where it fired and did not."""
        if self.acted_at is not None or not self.decisions:
            return ""
        return self.decisions[-1].reason


def firings(log: Iterable[e.Recorded]) -> list[Firing]:
    """Every episode in the order in which they opened."""
    found: dict[str, Firing] = {}
    for recorded in log:
        _take(found, recorded.entry, recorded.at.wall)
    return list(found.values())


def _take(found: dict[str, Firing], entry: e.Entry, at: float) -> None:
    match entry:
        case e.EpisodeOpened():
            reason = entry.verdict.reason if entry.verdict else ""
            found[entry.episode] = Firing(
                entry.episode,
                entry.rule,
                entry.severity,
                at,
                reason=reason,
                reopens=entry.reopens,
                barred=entry.barred,
            )
        case e.EpisodeBarred():
            found[entry.episode].barred = entry.reason
        case e.Decided():
            firing = found[entry.episode]
            if firing.fired_at is None:
                firing.fired_at = at
                firing.reason = entry.verdict.reason if entry.verdict else firing.reason
            if entry.ruling in {e.Ruling.WOULD_ACT, e.Ruling.NEEDS_APPROVAL}:
                firing.acted_at = firing.acted_at or at
                firing.action = firing.action or entry.action
            firing.decisions.append(Decision(at, entry.ruling.value, entry.action, entry.reason))
        case e.IntentOpened() if entry.direction is Direction.DO:
            firing = found[entry.episode]
            firing.acted_at = firing.acted_at or at
            firing.action = firing.action or entry.action
        case e.EpisodeMoved():
            firing = found[entry.episode]
            firing.state = entry.after.value
            if entry.after is State.OK:
                firing.ended_at = at
