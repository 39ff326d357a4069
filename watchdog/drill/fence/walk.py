"""Walks a whole policy, so that a place in a part that nobody thought of here is met as well.

Who has to name a credential that the drill does not have sends nothing, and is no place that it
reaches. Of a system restore it is the archive that must be the target's: without root's record of
exactly that one nothing is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from watchdog.core.asking import Command, Endpoint
from watchdog.core.probes import AttestationProbe, ManifestProbe, TcpProbe
from watchdog.core.releases import LineOf, Stated
from watchdog.core.spec import Policy
from watchdog.core.telling.contacts import AppriseUrl, Webhook
from watchdog.core.telling.status_pages import AtlassianPage, StatusCall, StatusFile
from watchdog.core.trees import RestoreSystem, SwapTree
from watchdog.drill.fence.argument import why_refused
from watchdog.drill.fence.target import Target

_PLACE = re.compile(r"/|~|[a-z][a-z0-9+.-]*://", re.IGNORECASE | re.ASCII)
"""How any text begins that may be a place."""

_NAMED = {
    "sources": "source",
    "actions": "action",
    "rules": "rule",
    "verification": "verification of",
}
"""What is told by its name; all else of a policy by the name of its part."""

_TO_READ = frozenset(
    {
        *("about", "document", "link", "note", "runbook"),
        *("says", "summary", "templates", "text", "title"),
    }
)
"""Fields that people read, and nothing asks."""

_TO_COMPARE = frozenset({"labels", "member", "value"})
"""Fields that are held against others, and nothing asks."""


@dataclass(frozen=True, slots=True)
class _Run:
    """An argument list, and the folder that it runs in."""

    argv: tuple[str, ...]
    cwd: str | None


def outside(policy: Policy, target: Target) -> tuple[str, ...]:
    """Every place that the policy names and that is not the target's, each in a sentence."""
    parts: dict[str, Any] = {}
    for one in fields(policy):
        value, word = getattr(policy, one.name), _NAMED.get(one.name)
        if word is None:
            parts[one.name] = value
        else:
            parts |= {f"{word} {name}": named for name, named in value.items()}
    found = (
        f"{name} reaches {place}" for name, part in parts.items() for place in _places(part, target)
    )
    return tuple(dict.fromkeys(found))


def _places(value: Any, target: Target) -> Iterator[str]:
    """What lies outside of it, anywhere in a value."""
    yield from (path for path in _paths(value) if path and not target.holds(path))
    match value:
        case Webhook() | AtlassianPage() | StatusCall() if _is_mute(value, target):
            return
        case str() if _PLACE.match(value) and not (target.serves(value) or target.holds(value)):
            yield value
        case AppriseUrl(url=url) if url:  # a service of somebody's, whatever its address
            yield url
        case Endpoint(url=url) if not target.serves(url):
            yield url
        case TcpProbe(host=host, port=port) if not target.serves(f"http://{host}:{port}"):
            yield f"{host}:{port}"
        case Command() | RestoreSystem():
            yield from (place for run in _runs(value) for place in _outside_of(run, target))
        case Stated(text=text):
            why = why_refused(text, None, target)
            if why:
                yield f"{text!r}: {why}"
        case _:
            yield from _within(value, target)


def _is_mute(value: Webhook | AtlassianPage | StatusCall, target: Target) -> bool:
    """Whether it tells people by a credential that the drill lacks, and so tells nobody."""
    needed = {header.secret for header in value.endpoint.headers if header.secret is not None}
    if isinstance(value, Webhook) and value.hmac:
        needed.add(value.hmac)
    return not needed <= target.credentials


def _paths(value: Any) -> tuple[str | None, ...]:
    """The files and folders that it names by itself."""
    match value:
        case Endpoint(ca_file=path):
            return (path,)
        case RestoreSystem(archive=archive, verify_in=folder):
            return archive, folder
        case SwapTree(current=current, previous=previous):
            return current, previous
        case (
            ManifestProbe(path=path)
            | AttestationProbe(path=path)
            | LineOf(path=path)
            | StatusFile(path=path)
        ):
            return (path,)
        case _:
            return ()


def _within(value: Any, target: Target) -> Iterator[str]:
    if is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            if one.name not in _TO_READ | _TO_COMPARE:
                yield from _places(getattr(value, one.name), target)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _places(item, target)
    elif isinstance(value, tuple | list | frozenset | set):
        for item in value:
            yield from _places(item, target)


def _runs(value: Command | RestoreSystem) -> Iterator[_Run]:
    if isinstance(value, Command):
        yield _Run(value.argv, value.cwd)
    else:
        yield from (_Run(argv, value.verify_in) for argv in value.verify)


def _outside_of(run: _Run, target: Target) -> Iterator[str]:
    """The program, every argument with the reason for which it is none of the drill's, and where
    it runs.
    """
    program, *arguments = run.argv
    if not target.holds(program):
        yield program
    for one in arguments:
        why = why_refused(one, run.cwd, target)
        if why:
            yield f"{one!r}: {why}"
    if run.cwd is not None and not target.holds(run.cwd):
        yield run.cwd
