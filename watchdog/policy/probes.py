"""Rules that look by themselves: each has a source of its own, which asks one question.

A rule file is the owner's, so what a probe may do is little: it sends no credentials, passes no
variables on, and runs only programs that the platform granted the owner (`run:PROGRAM`).
"""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.core.probes import (
    AttestationProbe,
    CommandProbe,
    HttpProbe,
    ManifestProbe,
    Probe,
    Probed,
    TcpProbe,
)
from watchdog.core.spec import Command, Endpoint, SourceSpec
from watchdog.policy.expressions import Spot, check_expectation
from watchdog.policy.laws import seconds_text
from watchdog.policy.platform import RUN, Platform
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.rule_models import IntegrityShape, LivenessShape, RuleShape
from watchdog.policy.scalars import shown

_BELONGS = {
    "expr": ("breach_when", "allow_infinite"),
    "manifest": ("extra",),
    "attestation": ("signers", "max_age", "min_collateralization"),
    "up": (),
    "http": ("status", "expect", "ca", "fail"),
    "tcp": ("fail",),
    "command": ("cwd", "failing", "fail"),
}
"""What looks, and the keys that only mean something beside it."""

_NO_PROBE = ("expr", "up")
_LIVENESS_EVERY, _INTEGRITY_EVERY = 10.0, 60.0
_LONGEST_DEADLINE = 10.0
_SHARE_OF_EVERY = 0.8  # so that a look that hangs is over before the next is due
_LEAST_EVERY = 1.0
_HTTP_BYTES = 1024 * 1024
_FILE_BYTES = 1024 * 1024 * 1024  # of all files of one manifest


@dataclass(frozen=True, slots=True)
class Probing:
    """A probe's rule: what it judges, and the source that looks for it alone."""

    signal: Probed
    source: SourceSpec


def chosen(entry: Entry, shape: RuleShape, findings: Findings) -> str:
    """What an integrity or liveness rule looks at, by its key; empty where that is refused."""
    kind = "integrity" if shape.integrity is not None else "liveness"
    inner = shape.integrity or shape.liveness
    if inner is None:
        return ""
    ways = [key for key in _BELONGS if getattr(inner, key, None) is not None]
    if len(ways) != 1:
        known = [key for key in _BELONGS if key in type(inner).model_fields]
        findings.refuse(
            entry.key_at(kind, ways[1]) if ways else entry.key_at(kind),
            f"{kind} looks {'in two ways' if ways else 'at nothing'}",
            f"Write exactly one of {', '.join(known)}.",
        )
        return ""
    here = ways[0]
    for key in sorted(inner.model_fields_set - {here, *_BELONGS[here]}):
        whose = [way for way, keys in _BELONGS.items() if key in keys]
        findings.refuse(
            entry.key_at(kind, key), f"`{key}` is for {' and '.join(whose)}", "Remove it."
        )
    return here


def is_probe(shape: RuleShape) -> bool:
    inner = shape.integrity or shape.liveness
    return inner is not None and any(
        getattr(inner, key, None) is not None for key in _BELONGS if key not in _NO_PROBE
    )


def check_rhythm(entry: Entry, shape: RuleShape, findings: Findings) -> None:
    """`every` and `deadline` of a rule that reads a source are its source's."""
    for key in ("every", "deadline"):
        if getattr(shape, key) is not None:
            findings.refuse(
                entry.key_at(key),
                f"`{key}` is for probes; here the source's counts",
                f"Remove it, or change the source's `{key}`.",
            )


def probing(
    entry: Entry, shape: RuleShape, owner: str, platform: Platform, findings: Findings
) -> Probing | None:
    """The probe of a rule for which `is_probe` holds, or None with its faults in `findings`."""
    before = len(findings.errors)
    way = chosen(entry, shape, findings)
    if shape.source is not None:
        findings.refuse(entry.key_at("source"), "a probe looks by itself", "Remove `source`.")
    every = shape.every or (_LIVENESS_EVERY if shape.liveness else _INTEGRITY_EVERY)
    if every < _LEAST_EVERY:
        findings.refuse(
            entry.at("every"), f"a look every {seconds_text(every)}", "Write 1s or longer."
        )
    deadline = shape.deadline or min(_LONGEST_DEADLINE, _SHARE_OF_EVERY * every)
    if deadline > every:
        findings.refuse(
            entry.at("deadline"),
            f"a look may take {seconds_text(deadline)}, and the next is due after "
            f"{seconds_text(every)}",
            f"Write at most {seconds_text(every)}, or look less often.",
        )
    if not way:
        return None
    how: Probe | None
    if shape.liveness is not None:
        how = _liveness(entry, way, shape.liveness, findings)
    else:
        how = _integrity(entry, way, shape.integrity, findings)
    if isinstance(how, CommandProbe):
        _check_granted(entry, how.command, owner, platform, findings)
    if how is None or len(findings.errors) > before:
        return None
    count = shape.liveness.fail if shape.liveness is not None else None
    fails, looks = count or (1, 1)
    signal = Probed(fails, looks, _about(how), how)
    most = _FILE_BYTES if isinstance(how, ManifestProbe) else _HTTP_BYTES
    return Probing(signal, SourceSpec(f"probe:{entry.name}", every, deadline, most, 1, how))


def _liveness(
    entry: Entry, way: str, shape: LivenessShape, findings: Findings
) -> HttpProbe | TcpProbe | CommandProbe | None:
    if shape.tcp is not None:
        return TcpProbe(shape.tcp.host, shape.tcp.port)
    if way == "command":
        return CommandProbe(
            Command(tuple(shape.command or ()), shape.cwd),
            tuple(sorted(set(shape.failing or [1, 2]))),
        )
    if shape.expect is not None:
        check_expectation(Spot(entry, ("liveness", "expect"), shape.expect), findings)
    if shape.status is not None and 300 <= shape.status < 400:
        findings.refuse(
            entry.at("liveness", "status"),
            "a redirect is never followed, and proves nothing of what it leads to",
            "Ask the address that it leads to.",
        )
    return HttpProbe(Endpoint(shape.http or "", (), shape.ca), shape.status, shape.expect or "")


def _integrity(
    entry: Entry, way: str, shape: IntegrityShape | None, findings: Findings
) -> ManifestProbe | AttestationProbe | None:
    if shape is None:
        return None
    if way == "manifest":
        return ManifestProbe(shape.manifest or "", extra=shape.extra != "ignore")
    where = shape.attestation or ""
    if shape.signers is None:
        findings.refuse(
            entry.key_at("integrity", "attestation"),
            f"{entry.name} does not say whose signature counts",
            'Add signers: ["HEX"]: the key inside an attestation proves nothing.',
        )
    if shape.max_age is None:
        findings.refuse(
            entry.key_at("integrity", "attestation"),
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


def _check_granted(
    entry: Entry, command: Command, owner: str, platform: Platform, findings: Findings
) -> None:
    program = command.argv[0]
    here = entry.at("liveness", "command", 0)
    if "/" in program and not program.startswith("/"):
        findings.refuse(
            here,
            f"{shown(program)} depends on the folder it is run in",
            "Write the program's whole path, or its bare name.",
        )
    granted = platform.grants.get(owner, frozenset())
    if f"{RUN}{program}" not in granted:
        whole = ", ".join([*sorted(granted), f"{RUN}{program}"])
        findings.refuse(
            here,
            f"{owner} may not run {shown(program)}",
            "A rule file may run only what the platform's file grants: "
            f"grants: {{{owner}: [{whole}]}}.",
        )


def _about(how: Probe) -> str:
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
