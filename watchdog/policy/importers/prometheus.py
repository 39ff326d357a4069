"""Prometheus alerting rules: rule files (`groups:`) and PrometheusRule objects of its operator.

Alerts become rules, recording rules are put into the alerts that use them. The group's rhythm is
no field of ours: a rule is judged whenever its source has samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from watchdog.core.promql import ParseFault
from watchdog.core.promql.selector import exact_name
from watchdog.policy.importers.each import several_series
from watchdog.policy.importers.fields import Fields
from watchdog.policy.importers.inline import Inlined, Recording, Recordings
from watchdog.policy.importers.promql import (
    MAX_WRITTEN,
    fault_of,
    selectors,
    tree_of,
)
from watchdog.policy.importers.report import Report
from watchdog.policy.importers.signals import NoSignal, Read, signal_of
from watchdog.policy.importers.words import Texts, Told, annotate, labels_of, severity_of
from watchdog.policy.importers.writing import Draft, Signal
from watchdog.policy.nodes import Place
from watchdog.policy.scalars import shown

KIND = "PrometheusRule"
VERSIONS = ("monitoring.coreos.com/v1",)

_RHYTHM = "a rule is judged whenever samples of its source arrive"


@dataclass(slots=True)
class Alert:
    """One alerting rule as it was read; its group's labels are among its own."""

    name: str
    tree: Any
    fields: Fields
    labels: Texts = field(default_factory=dict)


def drafts(documents: Sequence[Fields], report: Report) -> list[Draft]:
    """`documents` are rule files and PrometheusRule objects."""
    alerts, recordings = read_documents(documents, report)
    known = Recordings(recordings)
    used: list[Recording] = []
    found = []
    for alert in alerts:
        draft = draft_of(alert, known, used, report)
        alert.fields.close()
        if draft is not None:
            found.append(draft)
    for recording in recordings:
        if recording not in used:
            what = "no alert that is imported uses it"
            remedy = "Let Prometheus go on recording it, if somebody else needs it."
            report.dropped(recording.place, f"record {recording.name}", what, remedy)
    return found


def read_documents(
    documents: Sequence[Fields], report: Report
) -> tuple[list[Alert], list[Recording]]:
    """All alerts and recording rules of the documents."""
    alerts: list[Alert] = []
    recordings: list[Recording] = []
    for document in documents:
        _read_document(document, alerts, recordings, report)
    return alerts, recordings


def _read_document(
    document: Fields, alerts: list[Alert], recordings: list[Recording], report: Report
) -> None:
    holder: Fields | None = document
    if "groups" not in document:
        document.take("apiVersion")
        document.take("kind")
        document.drop("metadata", "it is the cluster's business")
        document.drop("status", "it is the cluster's business")
        holder = document.inside("spec")
    if holder is None:
        report.error(document.place, "there is no `spec`", "Is the file whole?")
    else:
        for group in holder.each("groups"):
            _read_group(group, alerts, recordings, report)
        if holder is not document:
            holder.close()
    document.close()


def _read_group(
    group: Fields, alerts: list[Alert], recordings: list[Recording], report: Report
) -> None:
    group.path = f"group {shown(group.text('name') or '')}"
    group.drop("interval", _RHYTHM, "Its rhythm is the source's `every`.")
    group.drop("limit", "a rule has one episode, however many series breach")
    group.drop("query_offset", "samples are judged as they arrive, not later")
    group.drop("partial_response_strategy", "a partial answer makes a rule blind")
    shared = group.texts("labels")
    for node in group.items("rules"):
        if node.kind != "mapping":
            report.error(node.place, "a rule that is no mapping", "Write KEY: VALUE lines.")
            continue
        rule = Fields(node, f"{group.path}.rules[]", report)
        if "alert" in rule and "record" in rule:
            report.error(rule.at("record"), "a rule with both `alert` and `record`", "Keep one.")
        elif "record" in rule:
            recording = _recording(rule, shared, report)
            if recording is not None:
                recordings.append(recording)
        else:
            alert = _alert(rule, shared, report)
            if alert is not None:
                alerts.append(alert)


def _recording(rule: Fields, shared: Texts, report: Report) -> Recording | None:
    name = rule.needed("record") or ""
    rule.path = f"record {shown(name)}"
    tree = expression(rule, "expr", report)
    labels = {key: text for key, (_, text) in {**shared, **rule.texts("labels")}.items()}
    rule.close()
    if tree is None or not name:
        return None
    return Recording(name, tree, labels, rule.at("record"))


def _alert(rule: Fields, shared: Texts, report: Report) -> Alert | None:
    name = rule.needed("alert") or ""
    rule.path = shown(name) or "alert"
    tree = expression(rule, "expr", report)
    labels = {**shared, **rule.texts("labels")}
    if tree is None or not name:
        _tell_the_rest(rule)
        return None
    return Alert(name, tree, rule, labels)


def _tell_the_rest(rule: Fields) -> None:
    """Of an alert that cannot come over, what else is wrong with it: all faults at once."""
    for key in ("for", "keep_firing_for"):
        rule.seconds(key)
    rule.texts("annotations")
    rule.close()


def expression(fields: Fields, key: str, report: Report) -> Any:
    """A field's PromQL as a tree, or None with what is wrong reported."""
    text = fields.needed(key)
    return None if text is None else tree_at(text, fields.value_at(key), report)


def tree_at(text: str, place: Place, report: Report) -> Any:
    if "{{" in text or "}}" in text:
        what = f"a template that nobody has filled in: {shown(text)}"
        report.error(place, what, "Render the file first, and import what comes out.")
        return None
    try:
        return tree_of(text)
    except ParseFault as fault:
        report.error(place, fault_of(fault), "Correct the expression, or take it out.")
        return None


def draft_of(
    alert: Alert, known: Recordings, used: list[Recording], report: Report
) -> Draft | None:
    """The rule that an alert becomes; what was put in is added to `used`."""
    fields = alert.fields
    place, name = fields.value_at("expr"), fields.named("expr")
    try:
        inlined = known.inline(alert.tree)
    except ParseFault as fault:
        report.error(place, f"{name}: {shown(str(fault))}", "Simplify it, or take it out.")
        _tell_the_rest(fields)
        return None
    used += inlined.used
    _tell_recordings(inlined, place, name, report)
    try:
        read = signal_of(inlined.tree)
    except NoSignal as why:
        remedy = "Is it a dead man's switch? `slo_watchdog_*` and the systemd unit have their own."
        report.dropped(fields.at("alert"), f"alert {alert.name}", str(why), remedy)
        _read_all(fields)
        return None
    draft = _told(alert, read.signal, report)
    draft.each = tell(read, place, name, report)
    too_long = longest_text(read.signal)
    if too_long > MAX_WRITTEN:
        what = f"{name} would have {too_long} characters here; {MAX_WRITTEN} are the most"
        report.error(place, what, "Simplify it, or take it out.")
        return None
    return draft


def tell(read: Read, place: Place, name: str, report: Report) -> tuple[str, ...]:
    """What a signal does not say in the expression's own words; what `each` is to be."""
    for change in read.changes:
        report.changed(place, name, change)
    return several_series(read.each, place, name, report) if read.several else ()


def longest_text(signal: Signal) -> int:
    return max((len(value) for value in signal[1].values() if isinstance(value, str)), default=0)


def _told(alert: Alert, signal: Signal, report: Report) -> Draft:
    fields = alert.fields
    place, severity = alert.labels.get("severity", (fields.at("alert"), None))
    path = fields.named("labels")
    told = Told(severity=severity_of(severity, place, f"{path}.severity", report))
    told.labels = labels_of(alert.labels, path, report)
    told.labels.setdefault("alertname", alert.name[:200])
    annotate(told, fields.texts("annotations"), fields.named("annotations"), report)
    return Draft(
        wish=alert.name,
        of=f"alert {alert.name}",
        place=fields.at("alert"),
        severity=told.severity,
        signal=signal,
        summary=told.summary,
        runbook=told.runbook,
        labels=told.labels,
        for_seconds=fields.seconds("for"),
        keep_firing_seconds=fields.seconds("keep_firing_for"),
    )


def _read_all(fields: Fields) -> None:
    """The alert as a whole is reported; its fields need not be named one by one."""
    for key in fields.node.entries:
        fields.take(key)


def _tell_recordings(inlined: Inlined, place: Place, name: str, report: Report) -> None:
    for recording in inlined.used:
        what = (
            f"the recording rule {recording.name} ({recording.place.text}) is put in; it was as "
            "old as the last evaluation, and is of this moment now"
        )
        if recording.labels:
            labels = ", ".join(f"{key}={value}" for key, value in sorted(recording.labels.items()))
            what += f". Its labels ({labels}) only choose what is put in"
        report.changed(place, name, what)
    for recorded, why in inlined.kept:
        report.changed(
            place,
            name,
            f"{recorded} could not be put in: {why}",
            "It is read as it is: let Prometheus go on recording it.",
        )
    strangers = _strangers(inlined)
    for recorded in strangers:
        report.changed(
            place,
            name,
            f"{recorded} looks like a recorded series, and the rule for it is not in these files",
            "It is read as it is; or give the file that records it, too.",
        )


def _strangers(inlined: Inlined) -> Iterator[str]:
    kept = {name for name, _ in inlined.kept}
    names = dict.fromkeys(exact_name(node) for node in selectors(inlined.tree))
    return (name for name in names if name is not None and ":" in name and name not in kept)
