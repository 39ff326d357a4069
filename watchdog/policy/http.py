"""Endpoints: an address, headers whose secrets are named and never written, and a CA."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from watchdog.core.spec import Endpoint, Header
from watchdog.policy.expressions import Spot, check_expectation
from watchdog.policy.platform_models import ReadBackShape, SecretHeader
from watchdog.policy.problem import Entry, Findings, Path
from watchdog.policy.shape import shape_of

_SECRET_HEADERS = {"authorization", "proxy-authorization", "cookie", "x-api-key", "x-auth-token"}
_OURS = {"host", "content-length", "transfer-encoding", "connection", "accept-encoding"}


def endpoint(  # the parts of an address as they are written, and where
    entry: Entry,
    path: Path,
    url: str,
    headers: Mapping[str, Any],
    ca: str | None,
    findings: Findings,
) -> Endpoint:
    """The endpoint written at `path` of the entry; faults of its headers go to `findings`."""
    made = []
    seen: set[str] = set()
    for name, value in headers.items():
        here = (*path, "headers", name)
        if name.lower() in seen:
            findings.refuse(entry.key_at(*here), f"the header {name} stands twice", "Keep one.")
        seen.add(name.lower())
        if name.lower() in _OURS:
            findings.refuse(
                entry.key_at(*here), f"the header {name} is set by the program", "Remove it."
            )
        made.append(_header(entry, here, name, value, findings))
    return Endpoint(url, tuple(sorted(made, key=lambda h: h.name.lower())), ca)


def served(entry: Entry, path: Path, shape: ReadBackShape, findings: Findings) -> Endpoint:
    """Where a state is served, and what its document must show for it to count."""
    made = endpoint(entry, path, shape.get, shape.headers, shape.ca, findings)
    if shape.given is None:
        return made
    check_expectation(Spot(entry, (*path, "given"), shape.given), findings)
    return replace(made, given=shape.given)


def _header(entry: Entry, here: Path, name: str, value: Any, findings: Findings) -> Header:
    if isinstance(value, dict):
        found = entry.node
        for step in here:
            step_found = found.child(step)
            if step_found is not None:
                found = step_found[1]
        shape = shape_of(SecretHeader, Entry(name, found.place, found), findings)
        return Header(name, shape.prefix, shape.secret) if shape else Header(name)
    text = str(value)
    if name.lower() in _SECRET_HEADERS:
        findings.refuse(
            entry.at(*here),
            f"a secret in a rule file: {name}",
            f"Name a credential: {name}: {{secret: NAME}}; the text itself stays out of here.",
        )
    if not text.isprintable() or not text.isascii() or len(text) > 1000:
        findings.refuse(entry.at(*here), f"the header {name} is no plain text", "Use ASCII.")
    return Header(name, text)
