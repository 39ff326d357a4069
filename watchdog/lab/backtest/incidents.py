"""Labelled incidents: what people know to have been trouble, in YAML or CSV.

    incidents:
      - {start: 2026-10-03T14:05Z, end: 2026-10-03T14:40Z, severity: P0, name: bad deploy}

    start,end,severity,rule,name
    2026-10-03T14:05Z,2026-10-03T14:40Z,P0,,bad deploy

`rule` (or `labels` of rules) says which rules should have seen it; without both, any rule may.
Everything wrong is a Problem with its line and column; a file that is not right is not used.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from watchdog.core.naming import family_of
from watchdog.core.samples import Labels, labels_of
from watchdog.core.spec import RuleSpec
from watchdog.core.words import Severity
from watchdog.policy import Problem
from watchdog.policy.nodes import BadText, Node, Place
from watchdog.policy.reading import Unreadable, text_of
from watchdog.policy.scalars import shown
from watchdog.policy.tree import read_tree

MAX_BYTES = 1 << 20
_KEYS = ("start", "end", "severity", "rule", "labels", "name")
_SHAPE = "Write: - {start: 2026-10-03T14:05Z, end: 2026-10-03T14:40Z, severity: P0}"
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?(?:[Zz]|[+-]\d\d:\d\d)?", re.ASCII
)
_NUMBER = re.compile(r"\d{9,10}(?:\.\d{1,6})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Incident:
    """Times are seconds since the epoch."""

    start: float
    end: float
    severity: Severity
    rule: str = ""
    labels: Labels = ()
    name: str = ""
    where: str = ""

    def concerns(self, rule: RuleSpec) -> bool:
        """Whether a rule should have seen it; a family also what a member of it should have."""
        of_family = rule.is_family and family_of(self.rule) == rule.name
        if self.rule:
            return of_family or self.rule in {rule.name, rule.family}
        open_ = rule.each if rule.is_family else ()
        asked = {(name, value) for name, value in self.labels if name not in open_}
        return asked <= set(rule.labels)

    @property
    def named(self) -> bool:
        return bool(self.rule or self.labels)


@dataclass(slots=True)
class Incidents:
    """What the file holds, and what is wrong with it."""

    found: list[Incident] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, place: Place, what: str, remedy: str) -> None:
        self.problems.append(Problem(place.file, place.line, place.column, what, remedy))


Cells = Mapping[str, tuple[Place, str]]


def read_incidents(path: Path, rules: Mapping[str, RuleSpec] | None = None) -> Incidents:
    """`rules`: those that an incident may name; None: any."""
    incidents = Incidents()
    try:
        text = text_of(path, MAX_BYTES)
    except Unreadable as error:
        incidents.problems.append(error.problem)
        return incidents
    if path.suffix.lower() == ".csv":
        _read_csv(text, path, incidents)
    else:
        _read_yaml(text, path, incidents)
    for incident in incidents.found if rules is not None else ():
        _known(incident, rules or {}, incidents)
    incidents.found.sort(key=lambda incident: incident.start)
    return incidents


def _known(incident: Incident, rules: Mapping[str, RuleSpec], incidents: Incidents) -> None:
    if any(incident.concerns(rule) for rule in rules.values()):
        return
    file, line, column = incident.where.rsplit(":", 2)
    what = (
        f"there is no rule {shown(incident.rule)}" if incident.rule else "no rule has these labels"
    )
    known = ", ".join(sorted(rules)[:8])
    incidents.refuse(Place(file, int(line), int(column)), what, f"The rules are {known}.")


def _read_yaml(text: str, path: Path, incidents: Incidents) -> None:
    start = Place(str(path), 1, 1)
    try:
        tree = read_tree(text, str(path), texts=True)
    except BadText as error:
        incidents.refuse(error.place, error.what, error.remedy)
        return
    if tree is not None and tree.kind == "mapping":
        entry = tree.entries.get("incidents")
        tree = entry[1] if entry is not None else tree
    if tree is None or tree.kind != "list":
        incidents.refuse(start, "no list of incidents", _SHAPE)
        return
    for item in tree.items:
        if item.kind != "mapping":
            incidents.refuse(item.place, "not an incident", _SHAPE)
            continue
        cells, labels = _cells(item, incidents)
        _take(cells, labels, item.place, incidents)


def _cells(item: Node, incidents: Incidents) -> tuple[dict[str, tuple[Place, str]], Labels]:
    cells: dict[str, tuple[Place, str]] = {}
    labels: dict[str, str] = {}
    for key, (place, node) in item.entries.items():
        if key not in _KEYS:
            incidents.refuse(place, f"unknown key {shown(key)}", f"Known are {', '.join(_KEYS)}.")
        elif key == "labels":
            if node.kind != "mapping" or any(n.kind != "scalar" for _, n in node.entries.values()):
                incidents.refuse(node.place, "labels are names with texts", "Write {team: x}.")
                continue
            labels = {name: child.text for name, (_, child) in node.entries.items()}
        elif node.kind != "scalar":
            incidents.refuse(node.place, f"{key} is one value", _SHAPE)
        else:
            cells[key] = node.place, node.text
    return cells, labels_of(labels)


def _read_csv(text: str, path: Path, incidents: Incidents) -> None:
    reader = csv.reader(io.StringIO(text), strict=True)
    header: list[str] = []
    try:
        for row in reader:
            place = Place(str(path), reader.line_num, 1)
            if not any(cell.strip() for cell in row):
                continue
            if not header:
                header = [cell.strip().lower() for cell in row]
                unknown = [name for name in header if name not in _KEYS or name == "labels"]
                if unknown or not {"start", "end"} <= set(header):
                    what = (
                        f"unknown column {shown(unknown[0])!r}"
                        if unknown
                        else "no start or end column"
                    )
                    incidents.refuse(place, what, "Write: start,end,severity,rule,name")
                    return
                continue
            if len(row) != len(header):
                what = f"{len(row)} cells under {len(header)} columns"
                incidents.refuse(place, what, "Quote texts that hold commas.")
                continue
            named = zip(header, row, strict=True)
            cells = {name: (place, cell.strip()) for name, cell in named if cell.strip()}
            _take(cells, (), place, incidents)
    except csv.Error as error:
        place = Place(str(path), max(1, reader.line_num), 1)
        incidents.refuse(place, f"not CSV: {error}", "Write: start,end,severity,rule,name")
        return
    if not header:
        incidents.refuse(Place(str(path), 1, 1), "empty", "Write: start,end,severity,rule,name")


def _take(cells: Cells, labels: Labels, place: Place, incidents: Incidents) -> None:
    times = {}
    for key in ("start", "end"):
        if key not in cells:
            incidents.refuse(place, f"an incident without {key}", _SHAPE)
            continue
        where, text = cells[key]
        at = _time(text)
        if at is None:
            remedy = "Write 2026-10-03T14:05Z, or seconds since the epoch."
            incidents.refuse(where, f"{key} {text[:40]!r} is no time", remedy)
        else:
            times[key] = at
    where, text = cells.get("severity", (place, "P0"))
    severity = next((each for each in Severity if each.value == text), None)
    if severity is None:
        incidents.refuse(where, f"severity {text[:40]!r}", "Write one of P0, P1, P2, P3.")
    if len(times) < 2 or severity is None:
        return
    if times["end"] <= times["start"]:
        incidents.refuse(cells["end"][0], "the end does not lie after the start", "Swap them?")
        return
    rule, name = (cells[key][1] if key in cells else "" for key in ("rule", "name"))
    incidents.found.append(
        Incident(times["start"], times["end"], severity, rule, labels, name[:200], place.text)
    )


def _time(text: str) -> float | None:
    if _NUMBER.fullmatch(text):
        return float(text)
    if not _TIME.fullmatch(text):
        return None
    try:
        at = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
