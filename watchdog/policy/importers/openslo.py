"""OpenSLO: documents of `openslo/v1`.

An SLO with its SLI and its alert policies becomes a rule for each objective and condition. Which
query language a metric source speaks is the source's business: only Prometheus is understood.
"""

from __future__ import annotations

from collections.abc import Sequence

from watchdog.policy.importers.fields import Fields, decimal_of
from watchdog.policy.importers.numbers import percent_text
from watchdog.policy.importers.openslo_parts import Book, Sli, conditions, indicator_of, shorthand
from watchdog.policy.importers.openslo_rules import Objective, rules
from watchdog.policy.importers.report import Report
from watchdog.policy.importers.words import labels_of, words_of
from watchdog.policy.importers.writing import Draft
from watchdog.policy.nodes import Place
from watchdog.policy.scalars import shown

VERSION = "openslo/v1"
KINDS = frozenset(
    {"SLO", "SLI", "AlertPolicy", "AlertCondition", "AlertNotificationTarget"}
    | {"DataSource", "Service"}
)
_ONLY_NAMED = {
    "AlertNotificationTarget": "no rule says who is told: docs/installation.md",
    "DataSource": "sources stand in platform.yaml",
    "Service": "a rule belongs to its owner",
}
_BREACHES = {"lte": ">", "lt": ">=", "gte": "<", "gt": "<="}
"""What is good, and when it no longer is."""


def drafts(documents: Sequence[Fields], report: Report) -> list[Draft]:
    book = Book({}, set(), report)
    slos = []
    for document in documents:
        document.take("apiVersion")
        kind = document.text("kind") or ""
        name = _name(document, report)
        if kind in _ONLY_NAMED:
            report.dropped(document.place, f"{kind} {name}", _ONLY_NAMED[kind])
        elif kind == "SLO":
            slos.append((name, document))
        elif (kind, name) in book.objects:
            report.error(document.place, f"a second {kind} {shown(name)}", "Keep one of the two.")
        else:
            book.objects[kind, name] = document
    found = []
    for name, document in slos:
        found += _slo(name, document, book)
        document.close()
    for (kind, name), document in book.objects.items():
        if (kind, name) in book.used:
            document.close()
        else:
            report.dropped(document.place, f"{kind} {name}", "no SLO in these files refers to it")
    return found


def _name(document: Fields, report: Report) -> str:
    metadata = document.inside("metadata")
    if metadata is None:
        report.error(document.place, "there is no metadata", "Add it, with a name.")
        return "?"
    name = metadata.needed("name") or "?"
    ours = {"name", "displayName", "labels"} if document.text("kind") == "SLO" else {"name"}
    for key in metadata.node.entries:
        if key not in ours:
            metadata.drop(key, "a rule has no place for it")
    return name


def _slo(name: str, document: Fields, book: Book) -> list[Draft]:
    report = book.report
    spec = document.inside("spec")
    if spec is None:
        report.error(document.place, f"the SLO {shown(name)} has no spec", "Is the file whole?")
        return []
    spec.path = shown(name)
    labels, summary = _told(name, document, spec, report)
    period = _period(spec, report)
    method = spec.text("budgetingMethod")
    if method not in {None, "Occurrences"}:
        what = f"{shown(method)}: events are counted here, not slices of time"
        report.changed(spec.value_at("budgetingMethod"), spec.named("budgetingMethod"), what)
    sli = indicator_of(spec, book)
    before = len(report.errors)
    alerts = conditions(spec, book)
    misread = not alerts and len(report.errors) > before  # it has a policy, with a fault in it
    objectives = [_objective(one_of, sli, report) for one_of in spec.each("objectives")]
    if not objectives:
        report.error(spec.place, f"{shown(name)} has no objectives", "Add one.")
    if "timeWindow" in spec and (alerts or sli is None or sli.counters is None):
        what = "what breaches does not depend on the period"
        report.dropped(spec.at("timeWindow"), spec.named("timeWindow"), what)
    spec.close()
    if sli is None or misread:
        return []
    result = []
    for objective in objectives:
        if objective is None:
            continue
        for draft in rules(objective, sli, alerts, period, report):
            draft.wish = f"{name}-{draft.wish}" if len(objectives) > 1 or alerts else name
            draft.of = f"OpenSLO SLO {name}{draft.of}"
            draft.place = objective.place
            draft.summary = draft.summary or summary
            draft.labels = labels
            result.append(draft)
    return result


def _told(name: str, document: Fields, spec: Fields, report: Report) -> tuple[dict[str, str], str]:
    """The labels and the summary of its rules."""
    metadata = document.inside("metadata")
    labels: dict[str, str] = {}
    title = ""
    if metadata is not None:
        labels = labels_of(_labels(metadata, report), f"{name}.labels", report)
        title = metadata.text("displayName") or ""
    description = spec.text("description")
    if description and title and metadata is not None:
        what = "the description is the summary"
        report.dropped(metadata.at("displayName"), f"{name}.displayName", what)
    place = spec.at("description")
    summary = words_of(description or title, place, spec.named("description"), report)
    service = spec.text("service")
    if service:
        labels.setdefault("service", service[:200])
    labels["slo"] = name[:200]
    return labels, summary


def _labels(metadata: Fields, report: Report) -> dict[str, tuple[Place, str]]:
    """Labels; a list of values is none of ours."""
    holder = metadata.inside("labels")
    found: dict[str, tuple[Place, str]] = {}
    for key, (place, node) in (holder.node.entries if holder is not None else {}).items():
        if node.kind == "scalar":
            found[key] = (place, node.text)
        else:
            report.dropped(place, f"metadata.labels.{key}", "a label here has one value")
    return found


def _period(spec: Fields, report: Report) -> float | None:
    """The rolling window; None where there is none that we have."""
    period = None
    for window in spec.each("timeWindow"):
        rolling = window.flag("isRolling", otherwise="calendar" not in window)
        text = window.text("duration")
        place = window.value_at("duration")
        seconds = shorthand(text)
        if text is not None and seconds is None:
            what = f"{shown(text)} is of no fixed length"
            report.changed(place, window.named("duration"), what, "It does not change the burn.")
        if not rolling:
            window.drop("calendar", "budgets are of rolling periods here")
            what = "an aligned period is a rolling one here; that changes no burn rate"
            report.changed(place, window.path, what)
        period = seconds or period
    return period


def _objective(fields: Fields, sli: Sli | None, report: Report) -> Objective | None:
    target = decimal_of(fields, "target")
    percent = decimal_of(fields, "targetPercent")
    title = fields.text("displayName") or ""
    if percent is not None:
        target = percent / 100
    if target is None or not 0 < target < 1:
        what = f"a target of {target}" if target is not None else "an objective without target"
        report.error(fields.place, what, "Write target: 0.999 or targetPercent: 99.9.")
        return None
    for key in ("timeSliceTarget", "timeSliceWindow"):
        fields.drop(key, "events are counted here, not slices of time")
    operator, value = fields.text("op"), decimal_of(fields, "value")
    if sli is not None and sli.counters is None and not sli.stored:
        if operator not in _BREACHES or value is None:
            what = "a thresholdMetric needs `op` (lte, lt, gte, gt) and `value` in its objective"
            report.error(fields.place, what, "Add them.")
            return None
        what = (
            f"a share of {percent_text(target)} of the time is no threshold: the rule breaches "
            "whenever the value is not good"
        )
        report.changed(fields.place, fields.named("target"), what, "Use `for`.")
    elif operator is not None or value is not None:
        report.dropped(fields.place, fields.named("op"), "a ratio is not compared with a value")
    return Objective(title, target, _BREACHES.get(operator or "", ""), value, fields.place)
