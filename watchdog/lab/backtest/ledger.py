"""How much of the error budget was gone when a rule fired, by the engine's own counts.

The bad events are those since the incident's labelled start; the whole budget is what the
objective allows of the events that would come in one period at the replayed stretch's mean rate.
"""

from __future__ import annotations

from collections.abc import Sequence

from watchdog.core import entries as e
from watchdog.core.spec import RuleSpec, Slo
from watchdog.core.windows import Tally
from watchdog.core.words import Instant
from watchdog.lab.backtest.firing import Firing
from watchdog.lab.backtest.incidents import Incident
from watchdog.lab.rehearsal import Rehearsal


class Ledger:
    """Reads the rehearsal's log as it grows."""

    def __init__(self, rehearsal: Rehearsal, incidents: Sequence[Incident]) -> None:
        self._rehearsal, self._incidents = rehearsal, incidents
        self._read = len(rehearsal.log)
        self._bad: dict[str, float] = {}  # episode -> bad events since its incident began
        self._policy = rehearsal.policy

    def look(self) -> None:
        """After each reading: count what new firings have cost."""
        log = self._rehearsal.log
        while self._read < len(log):
            recorded = log[self._read]
            self._read += 1
            entry = recorded.entry
            if isinstance(entry, e.Decided) and entry.episode not in self._bad:
                began = self._began(self._rule(entry.rule), recorded.at.wall)
                if began is not None:
                    self._count(entry, Instant(began, began))

    def settle(self, found: Sequence[Firing]) -> None:
        """Write into each firing what it cost."""
        for firing in found:
            firing.bad = self._bad.get(firing.episode)
            allowed = self._allowed(self._rule(firing.rule))
            if firing.bad is not None and allowed:
                firing.budget = firing.bad / allowed

    def _count(self, entry: e.Decided, began: Instant) -> None:
        tally = self._tally(entry.rule)
        if tally is not None:
            self._bad[entry.episode] = tally.since(began)[0]

    def _rule(self, name: str) -> RuleSpec:
        """Of the policy, or a member of one of its families."""
        rule = self._policy.rule(name)
        if rule is None:
            raise LookupError(f"{name} fired, and is no rule")
        return rule

    def _tally(self, rule: str) -> Tally | None:
        """None also of a member that is retired: what it counted is gone."""
        memory = self._rehearsal.memory.of(rule)
        return None if memory is None else memory.judge.tally

    def _began(self, rule: RuleSpec, at: float) -> float | None:
        """The start of the incident that it fired in."""
        starts = [i.start for i in self._incidents if i.concerns(rule) and i.start <= at <= i.end]
        return min(starts, default=None)

    def _allowed(self, rule: RuleSpec) -> float | None:
        """Bad events of one whole period's budget."""
        tally = self._tally(rule.name)
        if tally is None or not isinstance(rule.signal, Slo):
            return None
        _, total, seconds = tally.since(Instant(0.0, 0.0))
        if not seconds:
            return None
        return total / seconds * rule.signal.period_seconds * (1 - rule.signal.objective)
