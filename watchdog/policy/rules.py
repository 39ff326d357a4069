"""An owner's part: rules as core values, judged against the platform that they will run on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from watchdog.core.channels import EventSignal
from watchdog.core.probes import Probed
from watchdog.core.spec import Kind, Liveness, RuleSpec, SourceSpec
from watchdog.core.standing import MANUAL
from watchdog.core.words import Mode, Severity
from watchdog.policy.canon import sha256
from watchdog.policy.channels import STALE_SECONDS
from watchdog.policy.document import Document, entries_of
from watchdog.policy.each import DEFAULT_LIMIT, check_each, check_told_apart
from watchdog.policy.events import told
from watchdog.policy.impact import impact_of
from watchdog.policy.importers.in_place import AlertFiles
from watchdog.policy.in_part import judge_in_part
from watchdog.policy.laws import check_armed, check_grants, check_keys, check_owner
from watchdog.policy.meant import corrected
from watchdog.policy.platform import Platform
from watchdog.policy.probes import check_rhythm, chosen, is_probe, probing
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.rule_models import RuleShape
from watchdog.policy.shape import shape_of
from watchdog.policy.signals import Signal, interval_of, normal_signal, signal_of
from watchdog.policy.sourced import source_named

KEYS = ("version", "rules")
LATER = {"events": "channels in an owner's file, beside those of platform.yaml,"}
KINDS = (Kind.SLO, Kind.THRESHOLD, Kind.INTEGRITY, Kind.LIVENESS, Kind.EVENT)
PAGE_AFTER_SECONDS = 300.0
_PROSE = frozenset({"sha256", "where", "runbook", "summary", "labels", "mode_reason"}) | {
    "armed_because",
    "proof_sha256",
}
"""What does not change how a rule judges or acts, and so not its hash."""


@dataclass(frozen=True, slots=True)
class Owned:
    """One owner's compiled part. `entries` tell where each rule stands.

    `probes` are the sources of rules that look by themselves.
    """

    owner: str
    rules: Mapping[str, RuleSpec]
    entries: Mapping[str, Entry]
    sha256: str
    probes: Mapping[str, SourceSpec] = field(default_factory=dict)


def compile_owner(
    owner: str,
    documents: Sequence[Document],
    platform: Platform,
    findings: Findings,
    alerts: AlertFiles,
) -> Owned | None:
    """All rules of one owner; with any fault in `findings`, those that are right of them."""
    entries: dict[str, Entry] = {}
    rules: dict[str, RuleSpec] = {}
    probes: dict[str, SourceSpec] = {}
    for document in documents:
        for written in entries_of(document, "rules", findings):
            if findings.full:
                return None
            first = entries.setdefault(written.name, written)
            if first is not written:
                findings.refuse(
                    written.key,
                    f"the rule {written.name} stands also at {first.key.text}",
                    "Give one of them another name.",
                )
                continue
            entry = alerts.expand(written, owner, findings)
            if entry is None:
                continue
            entries[entry.name] = entry
            compiled = compile_rule(entry, owner, platform, findings)
            if compiled is not None:
                rule, source = compiled
                rules[rule.name] = rule
                if isinstance(rule.signal, Probed):
                    probes[source.name] = source
    alerts.advise_unused(findings)
    said = [
        replace(rule, where="", signal=normal_signal(rule.signal))
        for _, rule in sorted(rules.items())
    ]
    meant = [said, sorted(probes.items())] if probes else said
    return Owned(owner, rules, entries, sha256(meant), probes)


def compile_rule(
    entry: Entry, owner: str, platform: Platform, findings: Findings
) -> tuple[RuleSpec, SourceSpec] | None:
    """The rule, and the source that it reads: the platform's, or a probe of its own."""
    if entry.name == MANUAL:
        findings.refuse(
            entry.key, f"{MANUAL} is what people's own orders are kept under", "Call it otherwise."
        )
        return None
    entry = corrected(RuleShape, entry, findings)
    shape = shape_of(RuleShape, entry, findings)
    if shape is None:
        judge_in_part(entry, owner, platform, findings)
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
    check_keys(entry, shape, findings)
    check_owner(entry, shape, owner, findings)
    check_grants(entry, shape, owner, platform, findings)
    check_each(entry, shape, platform, findings)
    source, signal = _measured(entry, shape, owner, platform, findings)
    if source is None:
        return None
    interval = interval_of(source)
    check_armed(entry, shape, kinds[0], interval, findings)
    if shape.stale_after is not None and shape.stale_after < interval:
        findings.refuse(
            entry.at("stale_after"),
            f"{entry.name} would be stale between two samples of {source.name}",
            "Write at least the time between two samples, or leave it out.",
        )
    impact = None
    if signal is not None:
        check_told_apart(entry, shape, source, signal, findings)
        impact = impact_of(entry, shape, source, signal, findings)
    if signal is None or len(findings.errors) > before:
        return None
    return replace(_spec(entry, owner, shape, kinds[0], source, signal), impact=impact), source


def _measured(
    entry: Entry, shape: RuleShape, owner: str, platform: Platform, findings: Findings
) -> tuple[SourceSpec | None, Signal | None]:
    """Where the rule's samples come from, and what it judges of them."""
    if shape.event is not None:
        return told(entry, shape, shape.event, platform, findings)
    if is_probe(shape):
        probe = probing(entry, shape, owner, platform, findings)
        return (probe.source, probe.signal) if probe is not None else (None, None)
    check_rhythm(entry, shape, findings)
    if (shape.integrity or shape.liveness) and not chosen(entry, shape, findings):
        return None, None
    source = source_named(entry, shape, platform, findings)
    return source, signal_of(entry, shape, source, findings) if source is not None else None


def _stale_after(source: SourceSpec, signal: Signal) -> float:
    """Two intervals. A target that hangs is told of only when the look's deadline is over."""
    if isinstance(signal, EventSignal):
        return STALE_SECONDS
    hung = source.deadline_seconds if isinstance(signal, Liveness) else 0.0
    return 2 * interval_of(source) + hung


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
        stale_after_seconds=shape.stale_after or _stale_after(source, signal),
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
        armed_because=(shape.armed_because or "") if shape.mode == "armed" else "",
        each=tuple(shape.each or ()),
        limit=(shape.limit or DEFAULT_LIMIT) if shape.each else 0,
        forget_gone=not isinstance(blind, str) and blind.gone == "forget",
    )
    meant = replace(spec, signal=normal_signal(signal))
    proof = sha256(meant, _PROSE | {"mode"})
    return replace(spec, sha256=sha256(meant, _PROSE), proof_sha256=proof)
