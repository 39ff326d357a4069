"""What a policy could reach outside of a drill's target. Law: whatever is not known to lie within
it lies outside.

Walks the whole policy, so that a place in a part that nobody thought of here is met as well.
Credentials are no matter: the drill's daemon has none but its own. Of a system restore it is the
archive that must be the target's: without root's record of exactly that one nothing is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from watchdog.core.asking import Command, Endpoint
from watchdog.core.probes import AttestationProbe, ManifestProbe, TcpProbe
from watchdog.core.releases import LineOf
from watchdog.core.spec import Policy
from watchdog.core.telling.contacts import AppriseUrl
from watchdog.core.telling.status_pages import StatusFile
from watchdog.core.trees import RestoreSystem, SwapTree

_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"',;]*", re.IGNORECASE | re.ASCII)
_PORT_OF = re.compile(r"(?=[^:]*[a-z.\[])[\w.\[\]-]+:\d{2,5}\Z", re.IGNORECASE | re.ASCII)
"""A host with its port, and no time of the day."""

_BETWEEN = re.compile(r"[\s=,:;@\"']+")
"""What stands between the places of one argument: --root=/srv/a:/srv/b, user@host:/srv/a."""

_JOINED = re.compile(r"-[A-Za-z](?=[/~.])")
"""An option whose value follows at once: -C/srv/a."""
_NAMED = {
    "sources": "source",
    "actions": "action",
    "rules": "rule",
    "verification": "verification of",
}
"""What is told by its name; all else of a policy by the name of its part."""

_TO_READ = frozenset({"runbook", "document", "summary", "text"})
"""Fields that people read, and nothing asks."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a drill may touch: one origin, and one folder with all that is in it."""

    url: str
    root: Path

    def serves(self, url: str) -> bool:
        return url == self.url or url.startswith((f"{self.url}/", f"{self.url}?"))

    def holds(self, path: str) -> bool:
        place = Path(path)
        if not place.is_absolute() or ".." in place.parts:
            return False
        return place == self.root or self.root in place.parents


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
        case str() if _URL.match(value) and not target.serves(value):
            yield value
        case AppriseUrl(url=url) if url:  # a service of somebody's, whatever its address
            yield url
        case Endpoint(url=url) if not target.serves(url):
            yield url
        case TcpProbe(host=host, port=port) if not target.serves(f"http://{host}:{port}"):
            yield f"{host}:{port}"
        case Command(argv=argv, cwd=cwd):
            yield from _programs(argv, cwd, target)
        case RestoreSystem(verify=verify):
            for argv in verify:
                yield from _programs(argv, None, target)
        case _:
            yield from _within(value, target)


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
            if one.name not in _TO_READ:
                yield from _places(getattr(value, one.name), target)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _places(item, target)
    elif isinstance(value, tuple | list | frozenset | set):
        for item in value:
            yield from _places(item, target)


def _programs(argv: tuple[str, ...], cwd: str | None, target: Target) -> Iterator[str]:
    """The program and every argument that is a place, and where it runs."""
    if not target.holds(argv[0]):
        yield argv[0]
    for one in argv[1:]:
        if not _lies_within(one, target):
            yield one
    if cwd is not None and not target.holds(cwd):
        yield cwd


def _lies_within(argument: str, target: Target) -> bool:
    """Whether each place in it is the target's: addresses, paths, and hosts with a port."""
    if not all(map(target.serves, _URL.findall(argument))):
        return False
    rest = _URL.sub(" ", argument)
    places = [_JOINED.sub("", one, count=1) for one in _BETWEEN.split(rest)]
    foreign = [one for one in places if one.startswith(("/", "~")) and not target.holds(one)]
    upwards = any(".." in Path(one).parts for one in places)
    hosts = [one for one in re.split(r"[\s=,;@\"']+", rest) if _PORT_OF.match(one)]
    return not foreign and not upwards and all(target.serves(f"http://{one}") for one in hosts)
