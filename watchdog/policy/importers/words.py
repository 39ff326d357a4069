"""Labels, annotations and severities of others in our words; what has no place is reported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from watchdog.policy.importers.report import Report
from watchdog.policy.nodes import Place
from watchdog.policy.scalars import shown

Texts = Mapping[str, tuple[Place, str]]

_SEVERITIES = {
    "P0": ("p0", "sev0", "emergency", "disaster"),
    "P1": ("p1", "sev1", "critical", "crit", "page", "pager", "high", "error", "urgent", "alert"),
    "P2": ("p2", "sev2", "warning", "warn", "ticket", "medium", "major", "average"),
    "P3": ("p3", "sev3", "sev4", "p4", "info", "information", "low", "minor", "notice", "none"),
}
_BY_WORD = {word: ours for ours, words in _SEVERITIES.items() for word in words}
OTHERWISE = "P2"
_SUMMARIES = ("summary", "title", "description", "message")
_RUNBOOKS = ("runbook_url", "runbook", "runbookUrl", "runbookURL")
_LABEL = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{0,99}\Z", re.ASCII)
_LABEL_TEXT = re.compile(r"[^\x00-\x1f]{0,200}\Z")
_TEMPLATE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_OF_LABEL = re.compile(r"\s*-?\s*(?:\$labels|\.Labels)\.([A-Za-z_][A-Za-z0-9_]*)\s*-?\s*\Z")
_OF_VALUE = re.compile(r"\s*-?\s*(?:\$value|\.Value)\s*(?:\|[^{}]*)?\Z")
_LONGEST = 2000


@dataclass(slots=True)
class Told:
    """What people are told of a rule."""

    severity: str = OTHERWISE
    summary: str = ""
    runbook: str = ""
    labels: dict[str, str] = field(default_factory=dict)


def severity_of(text: str | None, place: Place, name: str, report: Report) -> str:
    """P0 to P3. What is not known is P2, and that is said."""
    if text is None:
        report.changed(place, name, f"there is none; the rule has {OTHERWISE}", "Choose one.")
        return OTHERWISE
    known = _BY_WORD.get(text.strip().lower())
    if known is None:
        what = f"{shown(text)!r} is none of ours; the rule has {OTHERWISE}"
        report.changed(place, name, what, "Choose one of P0 to P3.")
        return OTHERWISE
    if known != text:
        report.changed(place, name, f"{text} is {known} here")
    return known


def own_severity(word: str) -> str:
    """P0 to P3 for a word that the other tool writes by itself."""
    return _BY_WORD[word]


def labels_of(labels: Texts, path: str, report: Report) -> dict[str, str]:
    """Labels that a rule may carry."""
    found: dict[str, str] = {}
    for name, (place, text) in labels.items():
        full = f"{path}.{name}"
        if "{{" in text:
            remedy = "Labels are fixed here; the page names the rule and its series."
            report.dropped(place, full, "it is a template, filled in for each alert", remedy)
        elif not _LABEL.match(name):
            report.dropped(place, full, "no label of ours may be called so", "Rename it.")
        elif not _LABEL_TEXT.match(text):
            what = "our labels hold at most 200 printable characters"
            report.dropped(place, full, what, "Shorten it.")
        else:
            found[name] = text
    return found


def annotate(told: Told, annotations: Texts, path: str, report: Report) -> None:
    """Summary and runbook; the rest has no place."""
    summary = next((name for name in _SUMMARIES if _says(annotations, name)), None)
    runbook = next((name for name in _RUNBOOKS if _says(annotations, name)), None)
    for name, (place, text) in annotations.items():
        full = f"{path}.{name}"
        if name == summary:
            told.summary = words_of(text, place, full, report) or told.summary
            if name != "summary" and told.summary:
                report.changed(place, full, "it is the rule's summary")
        elif name == runbook:
            told.runbook = words_of(text, place, full, report) or told.runbook
        elif text.strip():
            what = "a rule has a summary and a runbook, and no other texts"
            report.dropped(place, full, what, "Put what people need into the runbook.")


def _says(annotations: Texts, name: str) -> bool:
    return name in annotations and bool(annotations[name][1].strip())


def words_of(text: str, place: Place, name: str, report: Report) -> str:
    """A text for people, its simple templates as <label>; empty where it cannot be kept."""
    plain = _TEMPLATE.sub(_stand_in, text)
    if "{{" in plain or "}}" in plain:
        what = "its template cannot be told beforehand"
        report.dropped(place, name, what, "Write a fixed text: `why` shows the numbers.")
        return ""
    plain = " ".join(plain.split())
    if len(plain) > _LONGEST:
        what = f"it has {len(plain)} characters; {_LONGEST} are the most"
        report.dropped(place, name, what, "Put it into the runbook.")
        return ""
    if "{{" in text:
        report.changed(place, name, f"its templates are fixed words now: {shown(plain)}")
    return plain


def _stand_in(match: re.Match[str]) -> str:
    label = _OF_LABEL.match(match[1])
    if label is not None:
        return f"<{label[1]}>"
    return "<value>" if _OF_VALUE.match(match[1]) else match[0]
