"""An owner's part: rules as core values, judged against the platform that they will run on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from watchdog.core.spec import (
    PRESENT,
    BurnPair,
    Counters,
    Kind,
    Liveness,
    PrometheusApi,
    RatioThreshold,
    RuleSpec,
    Slo,
    SourceSpec,
    ValueThreshold,
)
from watchdog.core.standing import MANUAL
from watchdog.core.words import Mode, Severity
from watchdog.policy.canon import sha256
from watchdog.policy.document import Document, entries_of
from watchdog.policy.expressions import Spot, check_selector, check_value, normal
from watchdog.policy.laws import (
    check_armed,
    check_grants,
    check_keys,
    check_ratio_bound,
    check_slo,
    check_window,
    exact,
)
from watchdog.policy.platform import Platform
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.rule_models import IntegrityShape, RuleShape, SloShape, ThresholdShape
from watchdog.policy.shape import closest, shape_of

KEYS = ("version", "rules")
LATER = {"events": "inbound events"}
KINDS = (Kind.SLO, Kind.THRESHOLD, Kind.INTEGRITY, Kind.LIVENESS)
PAGE_AFTER_SECONDS = 300.0
_PROSE = frozenset({"sha256", "where", "runbook", "summary", "labels", "mode_reason"})
"""What does not change how a rule judges or acts, and so not its hash."""

Signal = RatioThreshold | ValueThreshold | Slo | Liveness


@dataclass(frozen=True, slots=True)
class Owned:
    """One owner's compiled part. `entries` tell where each rule stands."""

    owner: str
    rules: Mapping[str, RuleSpec]
    entries: Mapping[str, Entry]
    sha256: str


def compile_owner(
    owner: str, documents: Sequence[Document], platform: Platform, findings: Findings
) -> Owned | None:
    """All rules of one owner, or None with every fault in `findings`."""
    entries: dict[str, Entry] = {}
    rules: dict[str, RuleSpec] = {}
    for document in documents:
        for entry in entries_of(document, "rules", findings):
            if findings.full:
                return None
            first = entries.setdefault(entry.name, entry)
            if first is not entry:
                findings.refuse(
                    entry.key,
                    f"the rule {entry.name} stands also at {first.key.text}",
                    "Give one of them another name.",
                )
                continue
            rule = compile_rule(entry, owner, platform, findings)
            if rule is not None:
                rules[rule.name] = rule
    if findings.errors:
        return None
    said = [
        replace(rule, where="", signal=_normal(rule.signal)) for _, rule in sorted(rules.items())
    ]
    return Owned(owner, rules, entries, sha256(said))


def compile_rule(
    entry: Entry, owner: str, platform: Platform, findings: Findings
) -> RuleSpec | None:
    if entry.name == MANUAL:
        findings.refuse(
            entry.key, f"{MANUAL} is what people's own orders are kept under", "Call it otherwise."
        )
        return None
    shape = shape_of(RuleShape, entry, findings)
    if shape is None:
        return None
    before = len(findings.errors)
    kinds = [kind for kind in KINDS if getattr(shape, kind) is not None]
    if len(kinds) != 1:
        findings.refuse(
            entry.key_at(kinds[1]) if kinds else entry.key,
            f"the rule {entry.name} is {' and '.join(kinds) or 'of no kind'}",
            f"Write exactly one of {', '.join(KINDS)}.",
        )
        return None
    check_keys(entry, shape, owner, findings)
    check_grants(entry, shape, owner, platform, findings)
    source = _source(entry, shape, platform, findings)
    if source is None:
        return None
    signal = _signal(entry, shape, source, findings)
    interval = interval_of(source)
    check_armed(entry, shape, kinds[0], interval, findings)
    if shape.stale_after is not None and shape.stale_after < interval:
        findings.refuse(
            entry.at("stale_after"),
            f"{entry.name} would be stale between two samples of {source.name}",
            "Write at least the time between two samples, or leave it out.",
        )
    if signal is None or len(findings.errors) > before:
        return None
    return _spec(entry, owner, shape, kinds[0], source, signal)


def interval_of(source: SourceSpec) -> float:
    """How often new samples can arrive."""
    if isinstance(source.how, PrometheusApi):
        return max(source.every_seconds, source.how.scraped_every_seconds)
    return source.every_seconds


def _spec(  # one rule, from what was found out about it
    entry: Entry, owner: str, shape: RuleShape, kind: str, source: SourceSpec, signal: Signal
) -> RuleSpec:
    interval = interval_of(source)
    reason = shape.armed_because if shape.mode == "armed" and shape.armed_because else ""
    if not reason:
        said = "mode" in shape.model_fields_set
        reason = f"{shape.mode}, as written" if said else "observe, as nothing else is written"
    if shape.override:
        reason += f"; override: {shape.override}"
    blind = shape.on_blind
    spec = RuleSpec(
        name=entry.name,
        owner=owner,
        kind=kind,
        severity=Severity(shape.severity),
        source=source.name,
        signal=signal,
        every_seconds=interval,
        stale_after_seconds=shape.stale_after or 2 * interval,
        for_seconds=shape.for_ or 0.0,
        keep_firing_seconds=shape.keep_firing_for or 0.0,
        minimum_events=float(shape.minimum_events or 0),
        page_after_seconds=PAGE_AFTER_SECONDS if isinstance(blind, str) else blind.page_after,
        playbook=shape.playbook,
        up_to=shape.up_to,
        mode=Mode[shape.mode.upper()],
        mode_reason=reason,
        corroborate=tuple(sorted(set(shape.corroborate))),
        cooldown_seconds=shape.cooldown,
        watch_seconds=shape.watch,
        runbook=shape.runbook,
        labels=tuple(sorted(shape.labels.items())),
        summary=shape.summary,
        sha256="",
        where=entry.key.text,
    )
    meant = replace(spec, signal=_normal(signal))
    return replace(spec, sha256=sha256(meant, _PROSE))


def _normal(signal: Signal) -> Signal:
    """The signal with its expressions as the parser writes them, to be hashed."""
    if isinstance(signal, Slo | RatioThreshold):
        counters = signal.counters
        events, total = normal(counters.events), normal(counters.total)
        return replace(signal, counters=replace(counters, events=events, total=total))
    return replace(signal, expr=normal(signal.expr))


def _source(
    entry: Entry, shape: RuleShape, platform: Platform, findings: Findings
) -> SourceSpec | None:
    """The rule's source; `liveness: {up: SOURCE}` names it by itself."""
    live = shape.liveness
    if shape.source is None and live is not None:
        found = platform.sources.get(live.up)
        if found is None:
            findings.refuse(
                entry.at("liveness", "up"),
                f"there is no source {live.up}",
                f"{closest(live.up, platform.sources)} A selector needs `source:` beside it.",
            )
        elif isinstance(found.how, PrometheusApi):
            findings.refuse(
                entry.at("liveness", "up"),
                f"{live.up} is a Prometheus, which knows the `up` of many targets",
                f"Write `source: {live.up}` and a selector, like {{up: 'up{{job=\"x\"}}'}}.",
            )
            return None
        return found
    if shape.source is None:
        findings.refuse(
            entry.key,
            f"{entry.name} has no `source`",
            closest("", platform.sources).replace("Known are", "Name one of"),
        )
        return None
    found = platform.sources.get(shape.source)
    if found is None:
        findings.refuse(
            entry.at("source"),
            f"there is no source {shape.source}",
            closest(shape.source, platform.sources),
        )
    return found


def _signal(
    entry: Entry, shape: RuleShape, source: SourceSpec, findings: Findings
) -> Signal | None:
    if shape.slo is not None:
        return _slo(entry, shape.slo, source, findings)
    if shape.threshold is not None:
        return _threshold(entry, shape.threshold, source, findings)
    if shape.integrity is not None:
        integrity = shape.integrity
        return _value(entry, "integrity", integrity.expr, integrity, source, findings)
    if shape.liveness is not None:
        return _liveness(entry, shape.liveness.up, source, findings, named=shape.source is None)
    return None


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
