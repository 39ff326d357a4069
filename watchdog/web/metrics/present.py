"""The gauges: families made from the engine's present when somebody asks, and from nothing else."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client import Metric as Family
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
)

from watchdog.core.episode import OPEN
from watchdog.core.hindsight import Task
from watchdog.core.judge import Budget
from watchdog.core.text import duration
from watchdog.core.words import Blind, Instant, Status, Truth, WindowReading, World
from watchdog.engine import DrillNow, LessonsNow, MeasuresNow, Present, RuleNow, TellingNow
from watchdog.web.metrics.catalog import CATALOG
from watchdog.web.metrics.metric import Kind
from watchdog.web.policy_load import PolicyLoad

Sample = tuple[tuple[str, ...], float | bool | None]
"""Label values in the catalog's order, and the number; None is left out."""


def of_process(x: Present, longest_pass: float) -> Iterator[Family]:
    p = x.process
    yield _info("build", (p.version, platform.python_version()))
    yield _info("process", (p.environment, p.host, p.max_mode.word))
    yield _one("passes_total", x.passes)
    yield _one("last_pass_timestamp_seconds", x.last_pass.wall if x.last_pass else None)
    yield _one("last_pass_age_seconds", _age(x.last_pass, x.now))
    yield _one("pass_longest_seconds", longest_pass)
    yield _one("leads", x.lead.here)
    yield _one("lease_epoch", x.lead.epoch)
    yield _one("daemons", x.lead.daemons)
    yield _one("store_lost", x.lead.store_lost)
    yield _one("clock_synced", x.limits.clock_synced)


def of_record(x: Present, load: PolicyLoad) -> Iterator[Family]:
    failing = load.failing_since
    yield _info("policy", (x.policy.environment, x.policy.sha256))
    yield _info("policy_part", *((part.owner, part.sha256) for part in x.policy.parts))
    yield _one("policy_pending", load.pending)
    yield _one("policy_errors", len(load.errors))
    yield _one("policy_failing_seconds", 0.0 if failing is None else x.now.steady - failing)
    yield _one("journal_last_seq", x.last_seq)
    yield _one("journal_stuck", bool(x.stuck))
    yield _one("journal_stuck_seconds", _age(x.stuck_since, x.now) or 0.0)
    yield _one("journal_reserve_ready", x.reserve_ready)
    yield _one("holds_standing", x.holds)
    yield _family(
        "episodes_open",
        [
            ((world.value, state.value), x.episodes.get((world, state), 0))
            for world in World
            for state in sorted(OPEN)
        ],
    )


def of_rules(x: Present) -> Iterator[Family]:
    """One family at a time, so that whoever encodes may pause in between."""
    yield _info(
        "rule",
        *(
            (
                r.spec.name,
                r.spec.owner,
                r.spec.severity.value,
                r.spec.kind,
                r.spec.source,
                r.spec.playbook or "",
            )
            for r in x.rules
        ),
    )
    yield _family(
        "rule_verdict",
        [((r.spec.name, s.value), _status(r) is s) for r in x.rules for s in Status],
    )
    yield _family(
        "rule_blind",
        [((r.spec.name, _blind(r)), 1) for r in x.rules if _status(r) is Status.BLIND],
    )
    families = [r for r in x.rules if r.spec.each]
    yield _family(
        "rule_members",
        [((r.spec.name, s.value), r.members.get(s, 0)) for r in families for s in Status],
    )
    yield _per_rule(x, "rule_value", lambda r: r.verdict.value if r.verdict else None)
    yield _per_rule(x, "rule_held_seconds", lambda r: r.held_seconds)
    yield _per_rule(x, "rule_for_seconds", lambda r: r.spec.for_seconds)
    yield _per_rule(x, "rule_mode_declared", lambda r: r.spec.mode.value)
    yield _per_rule(x, "rule_mode_effective", lambda r: r.effective.value)
    yield _family(
        "rule_mode_lowered", [((r.spec.name, r.lowered_by), 1) for r in x.rules if r.lowered_by]
    )
    earned = [(r.spec.name, r.evidence) for r in x.rules if r.evidence is not None]
    yield _family("rule_shadow_seconds", [((n,), kept.clean_seconds(x.now)) for n, kept in earned])
    yield _family(
        "rule_would_acts_unexplained",
        [((n,), sum(not act.explained for act in kept.would_acts)) for n, kept in earned],
    )
    yield _per_rule(
        x, "rule_evaluation_age_seconds", lambda r: _age(r.verdict.at if r.verdict else None, x.now)
    )
    yield _per_rule(x, "rule_sample_age_seconds", lambda r: _sample_age(r, x.now))
    yield _per_window(x, "rule_burn", lambda w: w.burn)
    yield _per_window(x, "rule_burn_limit", lambda w: w.factor)
    yield _per_window(x, "rule_window_ratio", lambda w: w.ratio)
    yield _per_window(x, "rule_window_coverage_ratio", lambda w: w.coverage)


def of_budgets(x: Present) -> Iterator[Family]:
    """Of the objectives that have traffic; burn is told per window, with the rules."""
    columns: dict[str, Callable[[Budget], float]] = {
        "slo_objective_ratio": lambda b: b.objective,
        "slo_period_seconds": lambda b: b.period_seconds,
        "slo_error_budget_remaining_ratio": lambda b: b.remaining,
        "slo_error_budget_coverage_ratio": lambda b: b.coverage,
        "slo_error_budget_exhaustion_seconds": lambda b: b.exhausted_in_seconds,
    }
    for short, read in columns.items():
        yield _family(
            short, [((r.spec.name,), read(r.budget)) for r in x.rules if r.budget is not None]
        )


def of_alertmanager(x: Present) -> Iterator[Family]:
    """Nothing but names where the policy has none."""
    a = x.alertmanager
    yield _family("alertmanager_up", [((url,), up) for url, up in a.up.items()] if a else [])
    yield _one("alertmanager_silences", a.silences if a else None)
    yield _one("alertmanager_silences_age_seconds", a.silences_age_seconds if a else None)
    yield _one("alertmanager_alerts", a.alerts if a else None)
    yield _one("alertmanager_told_age_seconds", a.told_age_seconds if a else None)


def of_deploys(x: Present) -> Iterator[Family]:
    """As many as the policy has targets, and one for all of them."""
    yield _family("deploys_in_progress", [((t.target,), t.deploying) for t in x.targets])
    yield _family("deploys_frozen", [((t.target,), t.frozen) for t in x.targets])


def of_sources(sources: Sequence[Mapping[str, Any]]) -> Iterator[Family]:
    """`sources` as `Views.sources` gives them."""
    columns = {
        "source_polls_total": [s["polls"] for s in sources],
        "source_missed_polls_total": [s["missed"] for s in sources],
        "source_failing": [s["failure"] is not None for s in sources],
        "source_last_poll_age_seconds": [s["last_seconds_ago"] for s in sources],
    }
    for short, values in columns.items():
        yield _family(
            short, [((s["name"],), value) for s, value in zip(sources, values, strict=True)]
        )


def of_actions(actions: Sequence[Mapping[str, Any]], x: Present) -> Iterator[Family]:
    """`actions` as `Views.actions` gives them."""
    yield _family("action_ready", [((a["name"],), a["ready"] == "true") for a in actions])
    yield _family("action_practised", [((a["name"],), not a["unpractised"]) for a in actions])
    yield _family("action_claimed", [((a["name"],), len(a["claimed_by"])) for a in actions])
    yield _one("action_open_intents", x.open_intents)
    yield _one("action_budget_left", x.limits.budget_left)
    missing = x.missing_approvals
    yield _family(
        "awaiting_approvals", [((a["name"],), missing.get(a["name"], 0)) for a in actions]
    )


def of_lessons(x: LessonsNow) -> Iterator[Family]:
    """Nothing of the procedure's review where the policy has none."""
    yield _family("follow_ups_open", [((t.value,), x.open.get(t, 0)) for t in Task])
    yield _family("follow_ups_overdue", [((t.value,), x.overdue.get(t, 0)) for t in Task])
    yield _one("procedure_review_overdue", x.review_overdue)
    yield _one("procedure_review_due_seconds", x.review_due_seconds)


def of_drills(drills: Sequence[DrillNow]) -> Iterator[Family]:
    """Kinds that are planned or were ever practised; overdue only of those that are planned."""
    yield _family("drill_age_seconds", [((d.what,), d.age_seconds) for d in drills])
    yield _family("drill_passed", [((d.what,), d.passed) for d in drills if d.passed is not None])
    yield _family(
        "drill_overdue", [((d.what,), d.overdue) for d in drills if d.overdue is not None]
    )
    yield _family(
        "drill_duration_seconds", [((d.what,), d.seconds) for d in drills if d.seconds is not None]
    )


def of_verification(x: Present) -> Iterator[Family]:
    """Checks of actions in force that were ever looked at."""
    found = x.verification.items()
    held = [(key, one.truth is Truth.TRUE) for key, one in found]
    failed = [(key, one.truth is Truth.FALSE) for key, one in found]
    yield _family("verification_held", held)
    yield _family("verification_failed", failed)
    yield _family("verification_age_seconds", [(key, one.age_seconds) for key, one in found])


def of_telling(x: TellingNow) -> Iterator[Family]:
    yield _one("notes_waiting", x.waiting)
    yield _one("notes_oldest_seconds", x.oldest_seconds)
    yield _family("channel_failing", [((name,), down) for name, down in x.failing.items()])
    yield _family("status_page_wrong", [((name,), wrong) for name, wrong in x.wrong.items()])


def of_measures(m: MeasuresNow) -> Iterator[Family]:
    """From the record, whatever this process saw of it."""
    yield _one("preflight_age_seconds", m.preflight_age)
    keyed: dict[str, Mapping[tuple[str, ...], float]] = {
        "rollback_frequency": m.rollbacks,
        "rollback_in_time_ratio": m.in_time,
        "service_downtime_seconds": m.service,
        "feature_downtime_seconds": m.feature,
        "target_downtime_seconds": m.target,
        "downtime_seconds": m.together,
        "rule_affected": m.affected,
        "action_proof_age_seconds": {(action,): age for action, age in m.proof_ages.items()},
    }
    for short, values in keyed.items():
        yield _family(short, sorted(values.items()))


def _per_rule(x: Present, short: str, read: Any) -> Family:
    return _family(short, [((r.spec.name,), read(r)) for r in x.rules])


def _per_window(x: Present, short: str, read: Any) -> Family:
    return _family(
        short,
        [
            ((r.spec.name, duration(seconds)), read(window))
            for r in x.rules
            if r.verdict is not None
            for seconds, window in _windows(r.verdict.evidence).items()
        ],
    )


def _windows(evidence: tuple[WindowReading, ...]) -> dict[float, WindowReading]:
    """One reading a length: two pairs may share a window, and then the tighter factor is shown."""
    found: dict[float, WindowReading] = {}
    for window in evidence:
        kept = found.get(window.seconds)
        if kept is None or (window.factor or 0.0) < (kept.factor or 0.0):
            found[window.seconds] = window
    return found


def _status(rule: RuleNow) -> Status:
    return rule.verdict.status if rule.verdict else Status.BLIND


def _blind(rule: RuleNow) -> str:
    reason = rule.verdict.blind if rule.verdict else Blind.NOT_YET
    return (reason or Blind.OURS).value


def _age(at: Instant | None, now: Instant) -> float | None:
    return None if at is None else now.steady - at.steady


def _sample_age(rule: RuleNow, now: Instant) -> float | None:
    sampled = rule.verdict.sampled_at if rule.verdict else None
    return None if sampled is None else now.wall - sampled


def _one(short: str, value: float | bool | None) -> Family:  # noqa: FBT001  # a number or a yes or no
    return _family(short, [((), value)])


def _info(short: str, *labels: tuple[str, ...]) -> Family:
    metric = CATALOG[short]
    family = InfoMetricFamily(metric.name, metric.help, labels=metric.labels)
    for values in labels:
        family.add_metric(values, dict(zip(metric.labels, values, strict=True)))
    return family


def _family(short: str, samples: Sequence[Sample]) -> Family:
    metric = CATALOG[short]
    make = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = make(metric.name, metric.help, labels=metric.labels)
    for values, number in samples:
        if number is not None:
            family.add_metric(values, float(number))
    return family
