"""Rules of ours as text: named, labelled, quoted so that they are read as they were meant."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from watchdog.policy.importers.each import LIMIT
from watchdog.policy.importers.report import Came, Report
from watchdog.policy.laws import seconds_text
from watchdog.policy.nodes import Place

Signal = tuple[str, dict[str, object]]
"""The kind's key and what stands below it."""

_PLAIN = re.compile(r"[A-Za-z/_][A-Za-z0-9_./:-]*\Z", re.ASCII)
_NOT_TEXT = frozenset({"null", "true", "false", "nan", "inf"})
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_NAME = re.compile(r"[^a-z0-9]+")
_RESERVED = frozenset({"manual"})
_LONGEST_NAME = 63


class Duration(float):
    """Seconds that are written as a duration: 1h30m."""

    __slots__ = ()


@dataclass(slots=True)
class Draft:
    """One rule on its way. `of` says what it was made from: "alert HighErrorRate"."""

    wish: str
    of: str
    place: Place
    severity: str
    signal: Signal
    summary: str = ""
    runbook: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    for_seconds: float | None = None
    keep_firing_seconds: float | None = None
    each: tuple[str, ...] = ()
    name: str = ""

    def fields(self, source: str) -> dict[str, object]:
        kind, signal = self.signal
        found: dict[str, object] = {"severity": self.severity}
        found |= {"summary": self.summary} if self.summary else {}
        found |= {"runbook": self.runbook} if self.runbook else {}
        found |= {"labels": self.labels} if self.labels else {}
        found |= {"source": source, kind: signal}
        found |= {"each": list(self.each), "limit": LIMIT} if self.each else {}
        if self.for_seconds:
            found["for"] = Duration(self.for_seconds)
        if self.keep_firing_seconds:
            found["keep_firing_for"] = Duration(self.keep_firing_seconds)
        return {**found, "mode": "observe"}


def kebab(text: str) -> str:
    """`KubePodCrashLooping` as kube-pod-crash-looping; never empty."""
    parted = _HUMPS.sub("-", text)
    name = _NOT_NAME.sub("-", parted.lower()).strip("-")
    if not name or not name[0].isalpha() or name in _RESERVED:
        name = f"rule-{name}".rstrip("-")
    return name[:_LONGEST_NAME].rstrip("-")


def name_all(drafts: Iterable[Draft], report: Report) -> None:
    """Give each its own name; of those that wish the same the later ones are numbered."""
    taken: set[str] = set()
    counts: dict[str, int] = {}  # by wish, so that a thousand of one name take no time
    for draft in drafts:
        wish = kebab(draft.wish)
        name, count = wish, counts.get(wish, 1)
        while name in taken:
            count += 1
            end = f"-{count}"
            name = wish[: _LONGEST_NAME - len(end)].rstrip("-") + end
        counts[wish] = count
        taken.add(name)
        draft.name = name
        report.came.append(Came(name, draft.of, draft.place))


def rules_text(drafts: Iterable[Draft], source: str, head: Iterable[str]) -> str:
    """The whole file."""
    lines = [*(f"# {line}".rstrip() for line in head), "", "version: 1", "rules:"]
    for index, draft in enumerate(drafts):
        lines += [""] * (index > 0)
        lines.append(f"  # {_comment(draft.of)}, {_comment(draft.place.text)}")
        lines.append(f"  {draft.name}:")
        lines += _mapping(draft.fields(source), 4)
    return "\n".join(lines) + "\n"


def _comment(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)[1:-1]
    return "".join(c if c.isprintable() else "?" for c in quoted)


def _mapping(fields: Mapping[str, object], indent: int) -> list[str]:
    lines = []
    for key, value in fields.items():
        start = f"{' ' * indent}{_key(key)}:"
        match value:
            case Mapping():
                lines += [start, *_mapping(value, indent + 2)]
            case [str(), *_]:
                lines.append(f"{start} [{', '.join(map(scalar, value))}]")
            case list():
                lines.append(start)
                lines += [f"{' ' * (indent + 2)}- {_flow(item)}" for item in value]
            case _:
                lines.append(f"{start} {scalar(value)}")
    return lines


def _flow(item: Mapping[str, object]) -> str:
    return "{" + ", ".join(f"{_key(key)}: {scalar(value)}" for key, value in item.items()) + "}"


def _key(key: str) -> str:
    return key if _PLAIN.match(key) and key.lower() not in _NOT_TEXT else scalar(key)


def scalar_text(value: object) -> str:
    """A value as text, before it is quoted."""
    return seconds_text(value) if isinstance(value, Duration) else str(value)


def scalar(value: object) -> str:
    """A value as YAML reads it back."""
    text = scalar_text(value)
    if isinstance(value, Duration | int):
        return text
    if text.endswith("%") and text[:-1].replace(".", "", 1).isdigit():
        return text
    if _PLAIN.match(text) and text.lower() not in _NOT_TEXT and not text.endswith(":"):
        return text
    if text.isprintable() and ('"' in text or "\\" in text):
        return "'" + text.replace("'", "''") + "'"
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in quoted)
