"""What a rule judges: its signal, compiled against the source that its samples come from."""

from __future__ import annotations

from dataclasses import replace

from watchdog.core.channels import EventSignal
from watchdog.core.probes import Probed
from watchdog.core.spec import (
    PRESENT,
    BurnPair,
    Counters,
    Liveness,
    PrometheusApi,
    RatioThreshold,
    Slo,
    SourceSpec,
    ValueThreshold,
)
from watchdog.policy.expressions import Spot, check_selector, check_value, normal
from watchdog.policy.laws import check_ratio_bound, check_slo, check_window, exact
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.rule_models import IntegrityShape, RuleShape, SloShape, ThresholdShape

Signal = RatioThreshold | ValueThreshold | Slo | Liveness | Probed | EventSignal


def interval_of(source: SourceSpec) -> float:
    """How often new samples can arrive."""
    if isinstance(source.how, PrometheusApi):
        return max(source.every_seconds, source.how.scraped_every_seconds)
    return source.every_seconds


def normal_signal(signal: Signal) -> Signal:
    """The signal with its expressions as the parser writes them, to be hashed."""
    if isinstance(signal, Probed | EventSignal):
        return signal
    if isinstance(signal, Slo | RatioThreshold):
        counters = signal.counters
        events, total = normal(counters.events), normal(counters.total)
        return replace(signal, counters=replace(counters, events=events, total=total))
    return replace(signal, expr=normal(signal.expr))


def signal_of(
    entry: Entry, shape: RuleShape, source: SourceSpec, findings: Findings
) -> Signal | None:
    if shape.slo is not None:
        return _slo(entry, shape.slo, source, findings)
    if shape.threshold is not None:
        return _threshold(entry, shape.threshold, source, findings)
    if shape.integrity is not None:
        return _integrity(entry, shape.integrity, source, findings)
    if shape.liveness is not None and shape.liveness.up is not None:
        return _liveness(entry, shape.liveness.up, source, findings, named=shape.source is None)
    return None


def _integrity(
    entry: Entry, shape: IntegrityShape, source: SourceSpec, findings: Findings
) -> ValueThreshold | None:
    if shape.expr is None or shape.breach_when is None:
        findings.refuse(
            entry.key_at("integrity"),
            f"{entry.name}.integrity has no `breach_when`",
            'Say what breaches, like breach_when: "< 1".',
        )
        return None
    return _value(entry, "integrity", shape.expr, shape, source, findings)


def _value(
    entry: Entry,
    under: str,
    expr: str,
    shape: ThresholdShape | IntegrityShape,
    source: SourceSpec,
    findings: Findings,
) -> ValueThreshold:
    bound = shape.breach_when
    if bound.op == PRESENT and shape.allow_infinite:
        findings.refuse(
            entry.key_at(under, "allow_infinite"),
            "with `present` no value is judged",
            "Remove `allow_infinite`.",
        )
    check_value(Spot(entry, (under, "expr"), expr), bound, source, findings)
    return ValueThreshold(expr, bound, shape.allow_infinite)


def _liveness(
    entry: Entry, up: str, source: SourceSpec, findings: Findings, *, named: bool
) -> Liveness | None:
    if named or (up == source.name and not isinstance(source.how, PrometheusApi)):
        return Liveness("up")
    if not isinstance(source.how, PrometheusApi):
        findings.refuse(
            entry.at("liveness", "up"),
            f"{source.name} is read directly and has one `up`",
            f"Write liveness: {{up: {source.name}}}.",
        )
        return None
    check_selector(Spot(entry, ("liveness", "up"), up), source, findings)
    return Liveness(up)


def _counters(  # what was written, where, and for which source
    entry: Entry,
    under: str,
    bad: str | None,
    good: str | None,
    total: str,
    source: SourceSpec,
    findings: Findings,
) -> Counters | None:
    if (bad is None) == (good is None):
        findings.refuse(
            entry.key_at(under, "good") if bad else entry.key_at(under),
            f"{under} counts {'both bad and good' if bad else 'neither bad nor good'} events",
            "Write exactly one of `bad` and `good`.",
        )
        return None
    word = "good" if bad is None else "bad"
    events = good if bad is None else bad
    if events is None:
        return None
    check_selector(Spot(entry, (under, word), events), source, findings)
    check_selector(Spot(entry, (under, "total"), total), source, findings)
    if normal(events) == normal(total):
        findings.refuse(
            entry.at(under, word),
            f"{word} and total are the same counter",
            f"Select the {word} events only.",
        )
    return Counters(events, total, good=word == "good")


def _slo(entry: Entry, slo: SloShape, source: SourceSpec, findings: Findings) -> Slo | None:
    check_slo(entry, slo, source, findings)
    counters = _counters(entry, "slo", slo.bad, slo.good, slo.total, source, findings)
    if counters is None:
        return None
    pairs = [
        BurnPair(
            pair.budget,
            pair.long,
            pair.short,
            float(exact(pair.budget) * exact(slo.period) / exact(pair.long)),
        )
        for pair in slo.burn
    ]
    pairs.sort(key=lambda p: (p.long_seconds, p.short_seconds, p.budget))
    return Slo(counters, slo.objective, slo.period, tuple(pairs))


def _threshold(
    entry: Entry, threshold: ThresholdShape, source: SourceSpec, findings: Findings
) -> RatioThreshold | ValueThreshold | None:
    ratio_keys = [k for k in ("bad", "good", "total", "over") if getattr(threshold, k) is not None]
    if threshold.expr is not None:
        for key in ratio_keys:
            findings.refuse(
                entry.key_at("threshold", key),
                f"`{key}` beside `expr`",
                "Write either an expr, or bad, total and over.",
            )
        return _value(entry, "threshold", threshold.expr, threshold, source, findings)
    if threshold.allow_infinite:
        findings.refuse(
            entry.key_at("threshold", "allow_infinite"),
            "a ratio is never infinite",
            "Remove `allow_infinite`.",
        )
    if threshold.total is None or threshold.over is None:
        findings.refuse(
            entry.key_at("threshold"),
            "threshold has neither an `expr` nor all of bad (or good), total and over",
            "Write one of the two forms whole.",
        )
        return None
    check_ratio_bound(entry, threshold.breach_when, findings)
    check_window(entry, ("threshold", "over"), threshold.over, interval_of(source), findings)
    counters = _counters(
        entry, "threshold", threshold.bad, threshold.good, threshold.total, source, findings
    )
    if counters is None:
        return None
    return RatioThreshold(counters, threshold.over, threshold.breach_when)
