"""contacts.yaml's `status-pages:` as core values: who shows what to the public, and by what words.

The law for documents: what is put into one holds a field of ours, so that no constant can pretend
that something is so which the watchdog itself may read there; and something in it tells later that
it was us.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from watchdog.core.asking import Endpoint, Header
from watchdog.core.telling.status_pages import (
    FIELDS,
    OF_COMPONENT,
    AtlassianPage,
    Component,
    Condition,
    StatusCall,
    StatusFile,
    StatusPage,
    fields_in,
)
from watchdog.policy.document import Document, entries_of, read_document
from watchdog.policy.http import endpoint
from watchdog.policy.problem import Entry, Findings, Path
from watchdog.policy.scalars import shown
from watchdog.policy.shape import closest, shape_of
from watchdog.policy.status_pages_models import ComponentShape, StatusPageShape
from watchdog.policy.variables import Given

KEY = "status-pages"
API = "https://api.statuspage.io"
AGAIN_SECONDS = 10.0
LEAST_UPDATE_SECONDS = 60.0
_BY_WHICH_WE_KNOW = ("status", "incidents", "identity", "components")
_SET = {"status": "${status}", "incidents": "${incidents}", "notice": "${notice}"}
_KINDS = ("statuspage", "file", "call")
_BELONGS = {
    "token": "statuspage",
    "api": "statuspage",
    "notify": "statuspage",
    "host": "file",
    "set_": "file",
    "look": "call",
}


def status_pages(
    document: Document, taken: Collection[str], findings: Findings
) -> dict[str, StatusPage]:
    """All of them; `taken` are the names that something else of the file has."""
    found: dict[str, StatusPage] = {}
    for entry in entries_of(document, KEY, findings):
        if entry.name in taken:
            findings.refuse(
                entry.key,
                f"{entry.name} is a status page and something else",
                "Give one of them another name.",
            )
        page = _page(entry, findings)
        if page is None:
            continue
        for name, other in found.items():
            if other.how.place == page.how.place:
                findings.refuse(
                    entry.key, f"{entry.name} and {name} are one page", "Keep one of them."
                )
        found[entry.name] = page
    return found


@dataclass(frozen=True, slots=True)
class Places:
    """Where the pages of a file stand, for what only the rest of the policy can tell."""

    entries: tuple[Entry, ...] = ()

    @classmethod
    def of(cls, text: str | None, file: str, given: Given) -> Places:
        document = read_document(text, file, given, Findings()) if text is not None else None
        return cls(tuple(entries_of(document, KEY, Findings())) if document is not None else ())

    def named(self, kind: str) -> Iterator[tuple[Entry, Path, str]]:
        """Everything under `targets` or `rules` of a component, with where it stands."""
        for entry in self.entries:
            plain = entry.node.plain()
            components = plain.get("components") if isinstance(plain, dict) else None
            for name, component in (components if isinstance(components, dict) else {}).items():
                names = component.get(kind) if isinstance(component, dict) else None
                for index, one in enumerate(names if isinstance(names, list) else []):
                    yield entry, ("components", name, kind, index), str(one)

    def check_targets(self, targets: Collection[str], findings: Findings) -> None:
        """What nothing changes would never be paused."""
        for entry, path, target in self.named("targets"):
            if target not in targets:
                findings.refuse(
                    entry.at(*path), f"no action changes {shown(target)}", closest(target, targets)
                )

    def advise_rules(self, rules: Collection[str], findings: Findings) -> None:
        """A rule is its owner's, and may come and go."""
        for entry, path, rule in self.named("rules"):
            if rule not in rules:
                findings.advise(
                    entry.at(*path), f"there is no rule {shown(rule)}", closest(rule, rules)
                )


def _page(entry: Entry, findings: Findings) -> StatusPage | None:
    shape = shape_of(StatusPageShape, entry, findings)
    if shape is None:
        return None
    given = [kind for kind in _KINDS if getattr(shape, kind) is not None]
    if len(given) != 1:
        findings.refuse(
            entry.key_at(given[1]) if given else entry.key,
            f"the status page {entry.name} is {' and '.join(given) or 'of no kind'}",
            "Write exactly one of statuspage, file and call.",
        )
        return None
    kind = given[0]
    for key, whose in _BELONGS.items():
        if kind != whose and key in shape.model_fields_set:
            word = key.rstrip("_")
            findings.refuse(entry.key_at(word), f"`{word}` is for `{whose}`", "Remove it.")
    _check_times(entry, kind, shape, findings)
    components = tuple(
        _component(entry, kind, name, one, findings) for name, one in shape.components.items()
    )
    how = _how(entry, kind, shape, findings)
    if how is None:
        return None
    again = shape.again or (AGAIN_SECONDS if kind == "file" else None)
    return StatusPage(
        entry.name, how, components, shape.updates, again, shape.deadline, shape.page_after
    )


def _check_times(entry: Entry, kind: str, shape: StatusPageShape, findings: Findings) -> None:
    if shape.updates is not None and shape.updates < LEAST_UPDATE_SECONDS:
        findings.refuse(
            entry.at("updates"), "the public would hear of it all the time", "Write at least 1m."
        )
    if shape.again is not None and kind == "statuspage":
        findings.refuse(
            entry.key_at("again"),
            "what people change on that page by hand is theirs",
            "Remove it: it is told on change, and by `updates`.",
        )


def _component(
    entry: Entry, kind: str, name: str, shape: ComponentShape, findings: Findings
) -> Component:
    if not shape.targets and not shape.rules:
        findings.refuse(
            entry.key_at("components", name),
            f"nothing is known of how {name} does",
            "Name the `targets` of actions, or `rules`.",
        )
    for key in ("id", "paused_as"):
        if key in shape.model_fields_set and kind != "statuspage":
            place = entry.key_at("components", name, key)
            findings.refuse(place, f"`{key}` is for `statuspage`", "Remove it.")
    burning = None if shape.burning == "hidden" else Condition(shape.burning)
    return Component(
        name=name,
        title=shape.name,
        targets=tuple(dict.fromkeys(shape.targets)),
        rules=tuple(dict.fromkeys(shape.rules)),
        burning=burning,
        summary=shape.summary or "",
        impact=shape.impact or "",
        estimate_seconds=shape.estimate,
        reference=shape.id or "",
        paused_as=shape.paused_as,
    )


def _how(
    entry: Entry, kind: str, shape: StatusPageShape, findings: Findings
) -> AtlassianPage | StatusFile | StatusCall | None:
    if kind == "statuspage":
        return _atlassian(entry, shape, findings)
    if kind == "file":
        return _file(entry, shape, findings)
    call = shape.call
    if call is None:
        return None
    where = endpoint(entry, ("call",), call.url, call.headers, call.ca, findings)
    if "json_" not in call.model_fields_set:
        findings.refuse(
            entry.key_at("call"), "the call says nothing", 'Add `json: {state: "${status}"}`.'
        )
        return None
    _check_texts(entry, ("call", "json"), call.json_, shape, findings)
    look = replace(where, url=shape.look) if shape.look is not None else None
    return StatusCall(call.method, where, json.dumps(call.json_, sort_keys=True), look)


def _atlassian(entry: Entry, shape: StatusPageShape, findings: Findings) -> AtlassianPage | None:
    if shape.token is None:
        findings.refuse(
            entry.key_at("statuspage"),
            f"the status page {entry.name} has no token",
            "Add `token: NAME` of the credential that holds it.",
        )
        return None
    header = Header("Authorization", "OAuth ", shape.token)
    api = shape.api or API
    if "?" in api:
        findings.refuse(entry.at("api"), "a base address with a query", "Remove the query.")
    return AtlassianPage(Endpoint(api, (header,)), str(shape.statuspage), shape.notify)


def _file(entry: Entry, shape: StatusPageShape, findings: Findings) -> StatusFile | None:
    if shape.host is None:
        findings.refuse(
            entry.key_at("file"),
            "a file belongs to a host",
            "Name it, or write `host: any` where there is one daemon alone.",
        )
        return None
    texts: Mapping[str, Any] = shape.set_ if shape.set_ is not None else _SET
    for path, text in texts.items():
        here: Path = ("set", path)
        if not isinstance(text, str) or not fields_in(text):
            findings.refuse(
                entry.at(*here),
                f"{path} would be a constant, whatever is so",
                'Write a text with a field of ours, like "${status}".',
            )
        others = [other for other in texts if other.startswith(f"{path}.")]
        if others:
            findings.refuse(
                entry.key_at(*here), f"{path} and {others[0]} cannot both be put", "Keep one."
            )
        _check_texts(entry, here, text, shape, findings)
    names = {name for text in texts.values() if isinstance(text, str) for name in fields_in(text)}
    if not any(name in _BY_WHICH_WE_KNOW or name.startswith(OF_COMPONENT) for name in names):
        findings.refuse(
            entry.key_at("set"),
            "nothing in the document would tell later that it was us",
            'Put "${status}", "${incidents}" or "${identity}" into it as well.',
        )
    fields = tuple((tuple(path.split(".")), json.dumps(text)) for path, text in texts.items())
    return StatusFile(str(shape.file), shape.host, tuple(sorted(fields)))


def _check_texts(
    entry: Entry, path: Path, value: Any, shape: StatusPageShape, findings: Findings
) -> None:
    """Every ${FIELD} in it is one that there is."""
    known = {*FIELDS, *(f"{OF_COMPONENT}{name}" for name in shape.components)}
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _check_texts(entry, (*path, key), inner, shape, findings)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _check_texts(entry, (*path, index), inner, shape, findings)
    elif isinstance(value, str):
        for name in fields_in(value):
            if name not in known:
                findings.refuse(
                    entry.at(*path), f"there is no field {shown(name)}", closest(name, known)
                )
