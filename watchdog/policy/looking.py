"""What is looked at, out of the words that say it: of an owner's rule, or of a named check."""

from __future__ import annotations

from watchdog.core.probes import (
    AttestationProbe,
    CommandProbe,
    HttpProbe,
    ManifestProbe,
    Probe,
    TcpProbe,
)
from watchdog.core.spec import Command, Endpoint
from watchdog.policy.base import Shape
from watchdog.policy.expressions import Spot, check_expectation
from watchdog.policy.probe_models import AnsweringShape, SoundShape
from watchdog.policy.problem import Entry, Findings, Path

WAYS = {
    "expr": ("breach_when", "allow_infinite"),
    "manifest": ("extra",),
    "attestation": ("signers", "max_age", "min_collateralization", "headers"),
    "up": (),
    "http": ("status", "expect", "ca", "fail", "headers"),
    "tcp": ("fail",),
    "command": ("cwd", "failing", "inconclusive", "fail", "env"),
}
"""What looks, and the keys that only mean something beside it."""


def way_of(
    entry: Entry,
    path: Path,
    inner: Shape,
    findings: Findings,
    beside: frozenset[str] = frozenset(),
) -> str:
    """What is looked at by the words at `path`; `beside` are keys that say nothing of that."""
    name = str(path[-1]) if path else entry.name
    ways = [key for key in WAYS if getattr(inner, key, None) is not None]
    if len(ways) != 1:
        known = [key for key in WAYS if key in type(inner).model_fields]
        findings.refuse(
            entry.key_at(*path, ways[1]) if ways else entry.key_at(*path) if path else entry.key,
            f"{name} looks {'in two ways' if ways else 'at nothing'}",
            f"Write exactly one of {', '.join(known)}.",
        )
        return ""
    here = ways[0]
    for key in sorted(inner.model_fields_set - {here, *WAYS[here]} - beside):
        whose = [way for way, keys in WAYS.items() if key in keys]
        findings.refuse(
            entry.key_at(*path, key), f"`{key}` is for {' and '.join(whose)}", "Remove it."
        )
    return here


def answering(
    entry: Entry, path: Path, way: str, shape: AnsweringShape, findings: Findings
) -> HttpProbe | TcpProbe | CommandProbe | None:
    if shape.tcp is not None:
        return TcpProbe(shape.tcp.host, shape.tcp.port)
    if way == "command":
        return CommandProbe(
            Command(tuple(shape.command or ()), shape.cwd),
            tuple(sorted(set(shape.failing or [1, 2]))),
            shape.inconclusive or "",
        )
    if shape.expect is not None:
        check_expectation(Spot(entry, (*path, "expect"), shape.expect), findings)
    if shape.status is not None and 300 <= shape.status < 400:
        findings.refuse(
            entry.at(*path, "status"),
            "a redirect is never followed, and proves nothing of what it leads to",
            "Ask the address that it leads to.",
        )
    return HttpProbe(Endpoint(shape.http or "", (), shape.ca), shape.status, shape.expect or "")


def sound(
    entry: Entry, path: Path, way: str, shape: SoundShape, findings: Findings
) -> ManifestProbe | AttestationProbe | None:
    if way == "manifest":
        return ManifestProbe(shape.manifest or "", extra=shape.extra != "ignore")
    where = shape.attestation or ""
    if shape.signers is None:
        findings.refuse(
            entry.key_at(*path, "attestation"),
            f"{entry.name} does not say whose signature counts",
            'Add signers: ["HEX"]: the key inside an attestation proves nothing.',
        )
    if shape.max_age is None:
        findings.refuse(
            entry.key_at(*path, "attestation"),
            f"{entry.name} does not say how old an attestation may be",
            "Add `max_age: 30m`: without it an old one would count for ever.",
        )
    if shape.signers is None or shape.max_age is None:
        return None
    return AttestationProbe(
        served=Endpoint(where) if where.startswith("http") else None,
        path="" if where.startswith("http") else where,
        signers=tuple(sorted({key.lower() for key in shape.signers})),
        max_age_seconds=shape.max_age,
        min_collateralization=shape.min_collateralization,
    )


def about(how: Probe) -> str:
    """What is looked at, without what an address or a command may hold of secrets."""
    match how:
        case HttpProbe():
            return f"GET {_plain(how.endpoint.url)}"
        case TcpProbe():
            return f"{how.host}:{how.port}"
        case CommandProbe():
            return f"the command {how.command.argv[0]}"
        case ManifestProbe():
            return how.path
        case AttestationProbe():
            return how.path or _plain(how.served.url if how.served else "")


def _plain(url: str) -> str:
    return url.partition("?")[0]
