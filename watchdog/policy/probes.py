"""Rules that look by themselves: each has a source of its own, which asks one question.

A rule file is the owner's, so what a probe may do is little: it sends no credentials, passes no
variables on, and runs only programs that the platform granted the owner (`run:PROGRAM`).
"""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.core.origins import probe_source
from watchdog.core.probes import CommandProbe, Probe, Probed
from watchdog.core.spec import Command, SourceSpec
from watchdog.policy.laws import seconds_text
from watchdog.policy.looking import WAYS, about, answering, sound, way_of
from watchdog.policy.platform import RUN, Platform
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.rule_models import RuleShape
from watchdog.policy.scalars import shown

_NO_PROBE = ("expr", "up")
_LIVENESS_EVERY, _INTEGRITY_EVERY = 10.0, 60.0
_LONGEST_DEADLINE = 10.0
_SHARE_OF_EVERY = 0.8  # so that a look that hangs is over before the next is due
_LEAST_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class Probing:
    """A probe's rule: what it judges, and the source that looks for it alone."""

    signal: Probed
    source: SourceSpec


def chosen(entry: Entry, shape: RuleShape, findings: Findings) -> str:
    """What an integrity or liveness rule looks at, by its key; empty where that is refused."""
    kind = "integrity" if shape.integrity is not None else "liveness"
    inner = shape.integrity or shape.liveness
    return "" if inner is None else way_of(entry, (kind,), inner, findings)


def is_probe(shape: RuleShape) -> bool:
    inner = shape.integrity or shape.liveness
    return inner is not None and any(
        getattr(inner, key, None) is not None for key in WAYS if key not in _NO_PROBE
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
    how: Probe | None = None
    if shape.liveness is not None:
        how = answering(entry, ("liveness",), way, shape.liveness, findings)
    elif shape.integrity is not None:
        how = sound(entry, ("integrity",), way, shape.integrity, findings)
    if isinstance(how, CommandProbe):
        _check_granted(entry, how.command, owner, platform, findings)
    if how is None or len(findings.errors) > before:
        return None
    count = shape.liveness.fail if shape.liveness is not None else None
    fails, looks = count or (1, 1)
    signal = Probed(fails, looks, about(how), how)
    return Probing(signal, probe_source(f"probe:{entry.name}", how, every, deadline))


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
