"""An action's verification: its named checks, each written as a probe with a window of its own.

The platform's file is the operator's, so a check of it may send credentials that it names, and let
variables through, as an action's own commands do. What it may not do is change anything: a command
that an action changes its target with is no check.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from watchdog.core.naming import family_of
from watchdog.core.probes import AttestationProbe, CommandProbe, HttpProbe, Probe
from watchdog.core.releases import DeployRelease
from watchdog.core.spec import ActionSpec, Command, Endpoint
from watchdog.core.text import duration
from watchdog.core.verification import MOST_CHECKS, NamedCheck
from watchdog.core.words import Direction
from watchdog.policy.http import endpoint
from watchdog.policy.looking import about, answering, sound, way_of
from watchdog.policy.platform_models import NamedCheckShape
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.shape import shape_of
from watchdog.policy.steps import command_of

KEY = "verification"
MOST_DEADLINE = 300.0
MOST_WITHIN = 3600.0

_SOUND = frozenset({"manifest", "attestation"})
_BESIDE = frozenset({"after", "deadline", "within", "page", "says"})

Verifications = dict[str, tuple[NamedCheck, ...]]


def verification_of(
    entries: Iterable[Entry], actions: Mapping[str, ActionSpec | None], findings: Findings
) -> Verifications:
    """The checks of every action that has some and is without a fault."""
    changing = dict(_changing(actions.values()))
    found = {}
    for entry in entries:
        node = entry.node.child(KEY)
        if actions.get(entry.name) is None or node is None:
            continue
        place, inner = node
        checks = [
            made
            for name, (key, child) in inner.entries.items()
            if (made := _check(Entry(name, key, child), changing, findings)) is not None
        ]
        if len(inner.entries) > MOST_CHECKS:
            findings.refuse(
                place,
                f"{family_of(entry.name)} has {len(inner.entries)} checks",
                f"Keep at most {MOST_CHECKS}: people must be able to read what they say.",
            )
        if checks:
            found[entry.name] = tuple(checks)
    return found


def _check(
    entry: Entry, changing: Mapping[tuple[str, ...], str], findings: Findings
) -> NamedCheck | None:
    shape = shape_of(NamedCheckShape, entry, findings)
    if shape is None:
        return None
    way = way_of(entry, (), shape, findings, _BESIDE)
    for key, most in (("deadline", MOST_DEADLINE), ("within", MOST_WITHIN)):
        if getattr(shape, key) > most:
            findings.refuse(
                entry.at(key),
                f"a check with a {key} of {duration(getattr(shape, key))}"
                if key == "deadline"
                else f"a check that is looked at for {duration(shape.within)}",
                f"Write at most {duration(most)}.",
            )
    if len(set(shape.after)) < len(shape.after):
        findings.refuse(entry.at("after"), f"{shape.after[0]} stands twice", "Keep one.")
    how = _how(entry, way, shape, findings) if way else None
    if how is None:
        return None
    if isinstance(how, CommandProbe) and how.command.argv in changing:
        findings.refuse(
            entry.at("command"),
            f"{entry.name} would change something: it is how {changing[how.command.argv]} acts",
            "A check only looks, and is done again until it holds: name a command that shows it.",
        )
    return NamedCheck(
        name=entry.name,
        how=how,
        about=about(how),
        after=tuple(one for one in Direction if one.value in shape.after),
        deadline_seconds=shape.deadline,
        within_seconds=shape.within,
        page=shape.page,
        says=shape.says,
    )


def _how(entry: Entry, way: str, shape: NamedCheckShape, findings: Findings) -> Probe | None:
    """The probe, with the credentials and the variables that the operator's file may name."""
    made = (sound if way in _SOUND else answering)(entry, (), way, shape, findings)
    match made:
        case CommandProbe():
            command = command_of(entry, ("command",), list(made.command.argv), shape, findings)
            return replace(made, command=command)
        case HttpProbe():
            return replace(made, endpoint=_endpoint(entry, made.endpoint, shape, findings))
        case AttestationProbe() if made.served is not None:
            return replace(made, served=_endpoint(entry, made.served, shape, findings))
        case AttestationProbe() if shape.headers:
            findings.refuse(entry.key_at("headers"), "a file is sent no headers", "Remove them.")
    return made


def _endpoint(
    entry: Entry, asked: Endpoint, shape: NamedCheckShape, findings: Findings
) -> Endpoint:
    return endpoint(entry, (), asked.url, shape.headers, asked.ca_file, findings)


def _changing(actions: Iterable[ActionSpec | None]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The commands that change something, and whose they are."""
    for action in actions:
        if action is None:
            continue
        for _, step in action.written_steps:
            how = step.how.by if isinstance(step.how, DeployRelease) else step.how
            if isinstance(how, Command):
                yield how.argv, action.name
        if action.publish is not None:
            yield action.publish.command.argv, action.name
