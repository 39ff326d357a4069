"""Which format a document is of, and from documents of all formats to one file of rules."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from watchdog.policy.importers import openslo, prometheus, pyrra, sloth
from watchdog.policy.importers.fields import Fields
from watchdog.policy.importers.report import Report
from watchdog.policy.importers.writing import Draft, name_all, rules_text
from watchdog.policy.load import load_files
from watchdog.policy.nodes import BadText, Node, Place
from watchdog.policy.problem import Problem
from watchdog.policy.scalars import shown
from watchdog.policy.tree import read_trees

_KNOWN = (
    "Known are Prometheus rule files (`groups:`), PrometheusRule (monitoring.coreos.com/v1), Sloth "
    "(`version: prometheus/v1`, sloth.slok.dev/v1), Pyrra (pyrra.dev/v1alpha1) and OpenSLO "
    "(openslo/v1)."
)

_TEMPLATE = re.compile(
    r"\{\{-?\s*(?:if|else|end|range|with|include|template|define|toYaml)\b|\{\{-?\s*\.(?:Values|Release|Chart)\b"
)
"""What a chart's templates hold, and a rule's own annotations hardly."""

Importer = Callable[[Sequence[Fields], Report], list[Draft]]

_IMPORTERS: Mapping[str, Importer] = {
    "prometheus": prometheus.drafts,
    "sloth": sloth.drafts,
    "pyrra": pyrra.drafts,
    "openslo": openslo.drafts,
}
_BY_VERSION: Mapping[str, tuple[str, frozenset[str]]] = {
    "monitoring.coreos.com/v1": ("prometheus", frozenset({prometheus.KIND})),
    sloth.VERSION: ("sloth", frozenset({sloth.KIND, sloth.WINDOWS_KIND})),
    pyrra.VERSION: ("pyrra", frozenset({pyrra.KIND})),
    openslo.VERSION: ("openslo", openslo.KINDS),
}
"""apiVersion -> the importer and the kinds that it reads."""


@dataclass(frozen=True, slots=True)
class Imported:
    """`rules` is the text of a rule file, empty where nothing came over."""

    rules: str
    drafts: tuple[Draft, ...]
    report: Report

    @property
    def errors(self) -> tuple[Problem, ...]:
        return self.report.errors

    def json(self) -> str:
        """For machines: everything that the text says."""
        report = self.report
        return json.dumps(
            {
                "ok": not self.errors,
                "rules": [
                    {"name": c.rule, "of": c.of, "file": c.place.file, "line": c.place.line}
                    for c in report.came
                ],
                "notes": [
                    {
                        "file": note.file,
                        "line": note.line,
                        "column": note.column,
                        "fate": note.fate.value,
                        "field": note.field,
                        "what": note.what,
                        "remedy": note.remedy,
                    }
                    for note in sorted(report.notes)
                ],
                "errors": [
                    {
                        "file": p.file,
                        "line": p.line,
                        "column": p.column,
                        "what": p.what,
                        "remedy": p.remedy,
                    }
                    for p in self.errors
                ],
                "text": self.rules,
            },
            indent=2,
        )


def import_texts(texts: Mapping[str, str], source: str = "prometheus") -> Imported:
    """`texts` are files by name; `source` is what the rules will read. Raises nothing for what the
    files contain.
    """
    report = Report()
    documents: dict[str, list[Fields]] = {name: [] for name in _IMPORTERS}
    for file, text in texts.items():
        for node in _trees(text, file, report):
            _sort(node, documents, report)
    drafts = [
        draft
        for name, importer in _IMPORTERS.items()
        if documents[name]
        for draft in importer(documents[name], report)
    ]
    name_all(drafts, report)
    if not drafts:
        if not report.errors:
            place = Place(next(iter(texts), "-"), 1, 1)
            report.error(place, "nothing in it became a rule", "The notes say why.")
        return Imported("", (), report)
    rules = rules_text(drafts, source, _head(texts, source))
    _check(rules, source, drafts, report)
    return Imported(rules, tuple(drafts), report)


def _trees(text: str, file: str, report: Report) -> list[Node]:
    try:
        trees = read_trees(text, file)
    except BadText as bad:
        remedy = bad.remedy
        if _TEMPLATE.search(text):
            remedy = "It is a template: render it first (helm template), and import the result."
        report.error(bad.place, bad.what, remedy)
        return []
    if not trees:
        report.error(Place(file, 1, 1), "the file is empty", "Was it saved whole?")
    return trees


def _sort(node: Node, documents: dict[str, list[Fields]], report: Report) -> None:
    """Put a document with its importer."""
    if node.kind != "mapping":
        report.error(node.place, f"a document that is a {node.kind}", _KNOWN)
        return
    fields = Fields(node, "", report)
    kind = fields.text("kind") or ""
    version = fields.text("apiVersion")
    if version is not None and kind.endswith("List"):
        for index, inner in enumerate(fields.items("items")):
            del index
            _sort(inner, documents, report)
        fields.drop("metadata", "it is the cluster's business")
        fields.close()
    elif version is not None:
        _sort_object(fields, version, kind, documents, report)
    elif "groups" in fields:
        documents["prometheus"].append(fields)
    elif "version" in fields:
        word = fields.text("version") or ""
        if word not in sloth.WORDS:
            what = f"version {shown(word)} is not known here"
            report.error(fields.value_at("version"), what, _KNOWN)
        else:
            documents["sloth"].append(fields)
    else:
        report.error(fields.place, "a document of no known format", _KNOWN)


def _sort_object(
    fields: Fields,
    version: str,
    kind: str,
    documents: dict[str, list[Fields]],
    report: Report,
) -> None:
    importer, kinds = _BY_VERSION.get(version, ("", frozenset()))
    if not importer:
        what = f"apiVersion {shown(version)} is not known here"
        report.error(fields.value_at("apiVersion"), what, _KNOWN)
    elif kind not in kinds:
        what = f"kind {shown(kind)} of {version} is not known here"
        remedy = f"Known are: {', '.join(sorted(kinds))}."
        report.error(fields.value_at("kind"), what, remedy)
    else:
        documents[importer].append(fields)


def _head(texts: Mapping[str, str], source: str) -> list[str]:
    names = ", ".join(shown(name.rpartition("/")[2]) for name in texts)
    return [
        f"Imported from {names} by `slo-watchdog import`.",
        "Everything is in `observe`: it gives verdicts and starts nothing. The import's report",
        "says what changed and what was dropped; docs/importing.md says what to do next.",
        f"The rules read the source `{source}`, which platform.yaml must have.",
    ]


_OWNER = "imported"


def _check(rules: str, source: str, drafts: Sequence[Draft], report: Report) -> None:
    """Load what would be written. A refusal is told at the place that the rule came from."""
    platform = (
        "version: 1\nenvironment: import\nsources:\n"
        f"  {source}: {{prometheus: 'http://localhost:9090', every: 1s}}\n"
    )
    load = load_files({"platform.yaml": platform, f"{_OWNER}/rules.yaml": rules}, "import")
    lines = rules.splitlines()
    starts = {f"  {draft.name}:": draft for draft in drafts}
    for problem in load.errors:
        above = lines[: problem.line]
        draft = next((starts[line] for line in reversed(above) if line in starts), None)
        place = draft.place if draft is not None else Place(drafts[0].place.file, 1, 1)
        of = f"{draft.of}: " if draft is not None else ""
        what = f"{of}the rule would be refused: {problem.what}"
        report.error(place, what, problem.remedy)
