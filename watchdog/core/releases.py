"""Versions as targets: how it is told which one runs and which one is restored, and the deploying.

Laws: a version is a short plain text that names one content for ever; nothing else that was read
from outside is ever put into a command, an address or a body. What is deployed is the version that
was decided for, and only while the one that it displaces still runs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import overload

from watchdog.core.asking import Check, Command, Endpoint, HttpCall
from watchdog.core.filling_in import PRESENT, Lacking, exchanged, filled, is_version
from watchdog.core.trees import Facts

VERSION = "version"
"""The fact: what is restored; with `PRESENT` before it, what runs when that is decided."""

PRESENT_DIGEST = PRESENT + "digest"
"""The fact: the content of what runs, which is known from then on, too."""


@dataclass(frozen=True, slots=True)
class FieldOf:
    """A field of a JSON document, by JMESPath; and another that says since when that stands."""

    endpoint: Endpoint
    value: str
    released_at: str | None = None


@dataclass(frozen=True, slots=True)
class PrintedBy:
    """The one line that a command prints."""

    command: Command


@dataclass(frozen=True, slots=True)
class LineOf:
    """The one line of a file."""

    path: str


@dataclass(frozen=True, slots=True)
class Stated:
    """As the policy itself says."""

    text: str


Telling = FieldOf | PrintedBy | LineOf | Stated
"""Every way of being told a version."""


@dataclass(frozen=True, slots=True)
class DeployRelease:
    """Deploy a version in the place of the one that runs.

    That is the anchor's; with `displaced` it is the one that a rollback displaced, and all texts
    are written for that. With `asks_only` nothing is deployed: it is asked whether what was decided
    for is still so.
    """

    by: Command | HttpCall
    target: str
    present: Telling
    anchor: Telling
    deployable: Command | Check  # proves that it can still be deployed
    idempotent: bool = False  # an unknown outcome may be followed by another try
    displaced: bool = False
    asks_only: bool = False

    @property
    def parts(self) -> tuple[DeployRelease | Command | HttpCall, ...]:
        """What is done of it by itself: asking, and looking whether its tool is there."""
        return replace(self, asks_only=True), self.by


def content_digest(target: str, version: str) -> str:
    """The name of a version's content among all that is restored or quarantined."""
    return hashlib.sha256(f"{target}\0{version}".encode()).hexdigest()


def facts_of(target: str, anchor: str, present: str) -> Facts:
    """What an intent must know of both."""
    return (
        (VERSION, anchor),
        (PRESENT + VERSION, present),
        (PRESENT_DIGEST, content_digest(target, present)),
    )


@dataclass(frozen=True, slots=True)
class Exchange:
    """The version that is to be deployed, and the one that must run until then."""

    wanted: str
    stands: str


def exchange_of(how: DeployRelease, facts: Facts) -> Exchange | Lacking:
    """By what was decided, or learned, for the intent."""
    known = dict(facts)
    versions = known.get(VERSION, ""), known.get(PRESENT + VERSION, "")
    for name, version in zip(("what is restored", "what stood before"), versions, strict=True):
        if not version:
            return Lacking(f"the version of {name} is not known")
        if not is_version(version):
            return Lacking(f"{version!r} is no version: not plain enough to be passed on")
    anchor, present = versions
    return Exchange(present, anchor) if how.displaced else Exchange(anchor, present)


def way_of(how: DeployRelease, facts: Facts) -> Command | HttpCall | Lacking:
    """What deploys it, with the versions in their places."""
    lacking = exchange_of(how, facts)
    return lacking if isinstance(lacking, Lacking) else _put(how.by, facts)


def proof_of(how: DeployRelease, facts: Facts) -> Command | Check | Lacking:
    """What proves that it can be deployed, with the versions in their places."""
    lacking = exchange_of(how, facts)
    if isinstance(lacking, Lacking):
        return lacking
    if isinstance(how.deployable, Command):
        return _command(how.deployable, facts)
    expect = filled(how.deployable.expect, facts)
    endpoint = _endpoint(how.deployable.endpoint, facts)
    if isinstance(expect, Lacking):
        return expect
    return endpoint if isinstance(endpoint, Lacking) else Check(endpoint, expect)


def back(how: DeployRelease) -> DeployRelease:
    """The same the other way round: what was displaced takes the place of what displaced it."""
    deployable = how.deployable
    return replace(
        how,
        by=_exchanged(how.by),
        deployable=_exchanged(deployable)
        if isinstance(deployable, Command)
        else Check(
            replace(deployable.endpoint, url=exchanged(deployable.endpoint.url)),
            exchanged(deployable.expect),
        ),
        displaced=not how.displaced,
    )


def _put(by: Command | HttpCall, facts: Facts) -> Command | HttpCall | Lacking:
    if isinstance(by, Command):
        return _command(by, facts)
    endpoint = _endpoint(by.endpoint, facts)
    body = filled(by.body, facts) if by.body is not None else None
    if isinstance(endpoint, Lacking):
        return endpoint
    return body if isinstance(body, Lacking) else HttpCall(by.method, endpoint, body)


def _command(command: Command, facts: Facts) -> Command | Lacking:
    argv: list[str] = []
    for argument in command.argv:
        put = filled(argument, facts)
        if isinstance(put, Lacking):
            return put
        argv.append(put)
    return replace(command, argv=tuple(argv))


def _endpoint(endpoint: Endpoint, facts: Facts) -> Endpoint | Lacking:
    put = filled(endpoint.url, facts, in_address=True)
    return put if isinstance(put, Lacking) else replace(endpoint, url=put)


@overload
def _exchanged(by: Command) -> Command: ...
@overload
def _exchanged(by: HttpCall) -> HttpCall: ...
def _exchanged(by: Command | HttpCall) -> Command | HttpCall:
    if isinstance(by, Command):
        return replace(by, argv=tuple(exchanged(argument) for argument in by.argv))
    url = exchanged(by.endpoint.url)
    body = exchanged(by.body) if by.body is not None else None
    return HttpCall(by.method, replace(by.endpoint, url=url), body)
