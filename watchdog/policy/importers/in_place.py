"""`from: FILE#Alert`: a Prometheus alert read where it stands, in place of a copy of it.

The file lies in the owner's folder, so its text is a part of the owner's: loaded, kept last-good
and hashed with the rules. What the alert says stands below what the rule says itself, and each
fault is told where it was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from watchdog.policy.importers import prometheus
from watchdog.policy.importers.fields import Fields
from watchdog.policy.importers.inline import Recording, Recordings
from watchdog.policy.importers.prometheus import Alert
from watchdog.policy.importers.report import Report
from watchdog.policy.importers.writing import Draft, scalar_text
from watchdog.policy.nodes import BadText, Node, Place
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.scalars import shown
from watchdog.policy.shape import closest
from watchdog.policy.tree import read_trees

FROM = "from"
_SIGNALS = ("slo", "threshold", "integrity", "liveness", "event")
_ALERT_FILE = re.compile(r"^(?:groups:|kind:\s*[\"']?PrometheusRule\b)", re.MULTILINE)
_BROUGHT_BY = {"for": "for", "keep_firing_for": "keep_firing_for", "labels": "labels"} | {
    "severity": "labels", "summary": "annotations", "runbook": "annotations"
}  # fmt: skip
"""A field of the rule, and the alert's field that it comes from; a signal comes from `expr`."""


def is_alert_file(text: str) -> bool:
    """Whether a file in an owner's folder is Prometheus's, and so no file of rules."""
    return _ALERT_FILE.search(text) is not None


@dataclass(slots=True)
class _File:
    alerts: list[Alert] = field(default_factory=list)
    recordings: list[Recording] = field(default_factory=list)
    report: Report = field(default_factory=Report)


class AlertFiles:
    """The alert files of one owner, read when the first rule asks for one of them."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._read: dict[str, _File] | None = None
        self._used: set[str] = set()

    def expand(self, entry: Entry, owner: str, findings: Findings) -> Entry | None:
        """The rule with what its alert brings; itself without `from`; None with what is wrong."""
        found = entry.node.entries.get(FROM) if entry.node.kind == "mapping" else None
        if found is None:
            return entry
        key, node = found
        asked = self._asked(node, owner, findings)
        if asked is None:
            return None
        file, alert = asked
        own = [kind for kind in _SIGNALS if kind in entry.node.entries]
        if own:
            findings.refuse(
                entry.key_at(own[0]),
                f"`{own[0]}` beside `from`",
                "The alert says what is judged: keep one of the two.",
            )
            return None
        report = Report()
        draft = prometheus.draft_of(self._with(alert, report), self._recordings(), [], report)
        for problem in report.errors:
            findings.errors.append(problem)
        if draft is None:
            why = next((note.what for note in report.notes), "it cannot be judged")
            if not report.errors:
                findings.refuse(node.place, f"{alert.name} of {file}: {why}", "Write the rule.")
            return None
        _advise(report, findings)
        del key
        return replace(entry, node=_merged(entry.node, draft, alert))

    def advise_unused(self, findings: Findings) -> None:
        """A file that no rule reads is somebody's mistake."""
        for path in sorted(set(self._texts) - self._used):
            what = "no rule reads an alert of this file"
            findings.advise(Place(path, 1, 1), what, "Write `from: FILE#Alert` in a rule.")

    def _with(self, alert: Alert, report: Report) -> Alert:
        """A copy of the alert that reports to this rule."""
        fields = Fields(alert.fields.node, alert.fields.path, report)
        return replace(alert, fields=fields)

    def _recordings(self) -> Recordings:
        files = (self._read or {}).values()
        return Recordings([recording for file in files for recording in file.recordings])

    def _asked(self, node: Node, owner: str, findings: Findings) -> tuple[str, Alert] | None:
        name, hash_, wanted = node.text.partition("#")
        if node.kind != "scalar" or not hash_ or not name or not wanted:
            what = f"from: {shown(node.text)} names no alert"
            findings.refuse(node.place, what, "Write it as FILE#AlertName.")
            return None
        path = f"{owner}/{name}"
        if path not in self._texts:
            names = [known.partition("/")[2] for known in self._texts]
            findings.refuse(
                node.place,
                f"there is no alert file {shown(name)} in the folder of {owner}",
                closest(name, names) if names else "Put it there; it begins with `groups:`.",
            )
            return None
        self._used.add(path)
        file = self._file(path)
        alert_name, slash, number = wanted.rpartition("/")
        chosen = int(number) if slash and number.isdecimal() and len(number) < 4 else None
        alert_name = wanted if chosen is None else alert_name
        found = [alert for alert in file.alerts if alert.name == alert_name]
        if not found:
            findings.errors.extend(file.report.errors)
            remedy = closest(alert_name, {alert.name for alert in file.alerts})
            findings.refuse(node.place, f"{name} has no alert {shown(alert_name)}", remedy)
            return None
        if chosen is None and len(found) > 1:
            what = f"{name} has {len(found)} alerts {shown(alert_name)}"
            findings.refuse(node.place, what, f"Write which one: {name}#{alert_name}/1.")
            return None
        if chosen is not None and not 1 <= chosen <= len(found):
            what = f"{name} has {len(found)} alerts {shown(alert_name)}, and no {chosen}."
            findings.refuse(node.place, what, "They are counted from 1.")
            return None
        return name, found[(chosen or 1) - 1]

    def _file(self, path: str) -> _File:
        if self._read is None:
            self._read = {known: _read(text, known) for known, text in self._texts.items()}
        return self._read[path]


def _read(text: str, path: str) -> _File:
    file = _File()
    try:
        trees = read_trees(text, path)
    except BadText as bad:
        file.report.error(bad.place, bad.what, bad.remedy)
        return file
    documents = [Fields(tree, "", file.report) for tree in trees if tree.kind == "mapping"]
    file.alerts, file.recordings = prometheus.read_documents(documents, file.report)
    return file


def _advise(report: Report, findings: Findings) -> None:
    """Of what changed, that which makes the rule judge otherwise than the alert."""
    for note in report.notes:
        if note.field.endswith(".expr"):
            place = Place(note.file, note.line, note.column)
            findings.advise(place, f"{note.field}: {note.what}", note.remedy)


def _merged(node: Node, draft: Draft, alert: Alert) -> Node:
    """The rule's own fields over the alert's; each keeps its place."""
    entries: dict[str, tuple[Place, Node]] = {}
    for key, value in draft.fields("").items():
        if key in {"source", "mode"}:
            continue
        from_field = _BROUGHT_BY.get(key, "expr")
        entries[key] = alert.fields.at(from_field), _node(value, alert.fields.value_at(from_field))
    entries.update(node.entries)
    return replace(node, entries=entries)


def _node(value: object, place: Place) -> Node:
    match value:
        case Mapping():
            inner = {str(key): (place, _node(item, place)) for key, item in value.items()}
            return Node(place, "mapping", entries=inner)
        case list():
            return Node(place, "list", items=[_node(item, place) for item in value])
        case int():
            return Node(place, "scalar", value, str(value))
        case _:
            text = scalar_text(value)
            return Node(place, "scalar", text, text)
