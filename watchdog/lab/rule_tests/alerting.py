"""Groups of Prometheus's rules, evaluated as Prometheus evaluates them, on a test's series.

Rules of a group run one after another and see what those before them recorded. An alert is
pending from its first sample, firing once that is `for` ago, and goes when a pass does not give
it any more (after `keep_firing_for`, where it fired). `ALERTS` and `ALERTS_FOR_STATE` are written
as well. A rule that cannot be evaluated ends the test: what follows would rest on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from watchdog.core.promql.faults import EvaluationFault
from watchdog.core.samples import Labels
from watchdog.lab.rule_tests.groups import Group, Rule
from watchdog.lab.rule_tests.loaded import LoadedStore, vector_at
from watchdog.lab.rule_tests.notation import Gap
from watchdog.lab.rule_tests.template import Given

_STALE = Gap(stale=True)
_DUST = 1e-9  # seconds that adding up intervals may lose


class RuleFailed(Exception):
    """A rule could not be evaluated; the text says why."""

    def __init__(self, rule: str, why: str) -> None:
        super().__init__(why)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Alert:
    """A firing alert, as a test compares it."""

    labels: Labels  # with alertname
    annotations: Labels


@dataclass(slots=True)
class _Active:
    labels: Labels
    annotations: Labels
    since: float
    firing: bool = False
    gone_since: float | None = None

    @property
    def alert(self) -> Alert:
        return Alert(self.labels, self.annotations)


@dataclass(slots=True)
class _State:
    """What a rule keeps from one pass to the next."""

    rule: Rule
    active: dict[Labels, _Active] = field(default_factory=dict)
    written: set[tuple[str, Labels]] = field(default_factory=set)


class Groups:
    """All groups of one test, in the order of their evaluation."""

    def __init__(
        self,
        groups: Sequence[Group],
        order: Sequence[str],
        external_labels: dict[str, str],
        external_url: str,
    ) -> None:
        ranks = {name: rank for rank, name in enumerate(order)}
        ordered = sorted(groups, key=lambda group: ranks.get(group.name, 0))
        self._rules = [_State(rule) for group in ordered for rule in group.rules]
        self._external_labels, self._external_url = external_labels, external_url

    def evaluate(self, store: LoadedStore, at: float) -> None:
        """One pass. Raises RuleFailed."""
        for state in self._rules:
            try:
                written = dict(self._results(state, store, at))
            except EvaluationFault as fault:
                raise RuleFailed(state.rule.name, str(fault)) from None
            for name, labels in state.written - written.keys():
                store.put(name, labels, at, _STALE)
            for (name, labels), value in written.items():
                store.put(name, labels, at, value)
            state.written = set(written)

    def firing(self, alertname: str) -> list[Alert]:
        """The alerts of this name that fire after the newest pass."""
        return [
            active.alert
            for state in self._rules
            if state.rule.alerts and state.rule.name == alertname
            for active in state.active.values()
            if active.firing
        ]

    def _results(
        self, state: _State, store: LoadedStore, at: float
    ) -> Iterator[tuple[tuple[str, Labels], float]]:
        rule = state.rule
        if not rule.alerts:
            yield from _recorded(rule, store, at)
            return
        self._advance(state, store, at)
        for active in state.active.values():
            word = "firing" if active.firing else "pending"
            yield ("ALERTS", _with(active.labels, {"alertstate": word})), 1.0
            yield ("ALERTS_FOR_STATE", active.labels), active.since

    def _advance(self, state: _State, store: LoadedStore, at: float) -> None:
        rule, found = state.rule, self._found(state.rule, store, at)
        for labels, notes in found.items():
            active = state.active.get(labels)
            if active is None:
                state.active[labels] = _Active(labels, notes, at)
            else:
                active.annotations = notes
        for labels, active in list(state.active.items()):
            if labels in found:
                active.gone_since = None
            elif not _keeps(active, rule, at):
                del state.active[labels]
                continue
            if at - active.since + _DUST >= rule.for_seconds:
                active.firing = True

    def _found(self, rule: Rule, store: LoadedStore, at: float) -> dict[Labels, Labels]:
        """The alerts that the expression gives now, with their annotations."""
        found: dict[Labels, Labels] = {}
        for element in vector_at(rule.expression, store, at):
            seen = {**dict(element.labels), **({"__name__": element.name} if element.name else {})}
            given = Given(seen, element.value, self._external_labels, self._external_url)
            own = {name: text.fill(given) for name, text in rule.labels}
            labels = _with(element.labels, {**own, "alertname": rule.name})
            if labels in found:
                raise EvaluationFault(
                    "vector contains metrics with the same labelset after applying alert labels"
                )
            found[labels] = tuple(
                sorted((name, text.fill(given)) for name, text in rule.annotations)
            )
        return found


def _keeps(active: _Active, rule: Rule, at: float) -> bool:
    """Whether an alert that the expression no longer gives goes on firing for a while."""
    if not active.firing or rule.keep_firing_seconds <= 0:
        return False
    if active.gone_since is None:
        active.gone_since = at
    return at - active.gone_since < rule.keep_firing_seconds - _DUST


def _recorded(
    rule: Rule, store: LoadedStore, at: float
) -> Iterator[tuple[tuple[str, Labels], float]]:
    seen = set()
    given = Given({}, 0.0)
    own = {name: text.fill(given) for name, text in rule.labels}
    for element in vector_at(rule.expression, store, at):
        labels = _with(element.labels, own)
        if labels in seen:
            raise EvaluationFault(
                "vector contains metrics with the same labelset after applying rule labels"
            )
        seen.add(labels)
        yield (rule.name, labels), element.value


def _with(labels: Labels, more: dict[str, str]) -> Labels:
    """Labels with others put over them; an empty one is none."""
    return tuple(sorted((k, v) for k, v in {**dict(labels), **more}.items() if v))
