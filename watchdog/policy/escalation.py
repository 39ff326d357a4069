"""Who is on call, and who is told next when nobody answers, as contacts.yaml says."""

from __future__ import annotations

from datetime import UTC, datetime

from watchdog.core.telling.contacts import Ladder, OnCall, Step, Unless
from watchdog.core.words import Severity
from watchdog.policy.contact_names import Names, check_channels, check_people, read_named, told_of
from watchdog.policy.contacts_models import LadderShape, OnCallShape
from watchdog.policy.document import Document
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.scalars import shown
from watchdog.policy.shape import closest


def on_call_of(document: Document, names: Names, findings: Findings) -> OnCall:
    node = document.value("on-call")
    if node is None:
        return OnCall()
    entry = Entry("on-call", document.key("on-call"), node)
    shape = read_named(OnCallShape, entry, names, findings)
    if shape is None:
        return OnCall()
    check_people(entry, ("people",), shape.people, names, findings)
    if (shape.turn is None) != (shape.since is None):
        findings.refuse(
            entry.key_at("turn" if shape.since is None else "since"),
            "`turn` and `since` belong together",
            "Write both, or neither: then the first is always the first to be called.",
        )
    since = _instant(entry, shape.since, findings) if shape.since is not None else 0.0
    return OnCall(tuple(shape.people), shape.turn, since)


def _instant(entry: Entry, text: str, findings: Findings) -> float:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        findings.refuse(
            entry.at("since"),
            f"{shown(text)} is no time with its zone",
            'Write it like "2026-01-05T09:00+01:00".',
        )
        return 0.0
    return found.astimezone(UTC).timestamp()


def ladders_of(document: Document, names: Names, findings: Findings) -> dict[Severity, Ladder]:
    node = document.value("escalation")
    if node is None:
        return {}
    if node.kind != "mapping":
        findings.refuse(node.place, "`escalation` is a mapping", "Write it as P0: {steps: [...]}.")
        return {}
    found: dict[Severity, Ladder] = {}
    for name, (place, child) in node.entries.items():
        if name not in set(Severity):
            findings.refuse(place, f"{shown(name)} is no severity", closest(name, set(Severity)))
            continue
        entry = Entry(name, place, child)
        shape = read_named(LadderShape, entry, names, findings)
        if shape is not None:
            found[Severity(name)] = _ladder(entry, Severity(name), shape, names, findings)
    return found


def _ladder(
    entry: Entry, severity: Severity, shape: LadderShape, names: Names, findings: Findings
) -> Ladder:
    steps = []
    for index, step in enumerate(shape.steps):
        check_channels(entry, ("steps", index, "by"), step.by, names, findings)
        tell = told_of(entry, ("steps", index, "tell"), step.tell, names, findings)
        steps.append(Step(step.after or 0.0, tell, tuple(step.by), Unless(step.unless)))
    return Ladder(severity, tuple(steps), shape.updates)
