"""Actions as desired states: what to do, what it must lead to, and where that is read back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from watchdog.core.naming import family_of
from watchdog.core.spec import ActionSpec
from watchdog.policy.canon import sha256
from watchdog.policy.expressions import same_expectation
from watchdog.policy.http import served
from watchdog.policy.platform_models import ActionShape
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.releases import release_action
from watchdog.policy.restoring import config_action, system_action
from watchdog.policy.shape import shape_of
from watchdog.policy.steps import checks_of, step_of
from watchdog.policy.unleash import unleash_action

_MAKERS = {
    "config": config_action,
    "system": system_action,
    "release": release_action,
    "unleash": unleash_action,
}


def actions_of(entries: Iterable[Entry], findings: Findings) -> dict[str, ActionSpec | None]:
    """All of them. Of one for listed values a fault is told once, and two never share a target."""
    made: dict[str, ActionSpec | None] = {}
    for entry in entries:
        family = family_of(entry.name)
        before = [n for n in made if family_of(n) == family]
        if family != entry.name and any(made[n] is None for n in before):
            continue
        found = len(findings.errors)
        spec = _made(entry, findings)
        made[entry.name] = spec if len(findings.errors) == found else None
        same = [n for n in before if spec and (one := made[n]) and one.target == spec.target]
        if same and family != entry.name:
            findings.refuse(
                entry.at(kind := _kind(entry)),
                f"{same[0]} and {entry.name} change the same target",
                f"Use every label of `each` in `{kind}:`.",
            )
    return made


def _made(entry: Entry, findings: Findings) -> ActionSpec | None:
    """Of the kind that its words say; one without a word of its kind is taken for a flag's."""
    kinds = _kinds(entry)
    if len(kinds) > 1:
        findings.refuse(
            entry.key_at(kinds[1]),
            "two targets in one action",
            "Write an action for each, and a playbook with both.",
        )
        return None
    return _MAKERS.get(_kind(entry), action_spec)(entry, findings)


def _kinds(entry: Entry) -> list[str]:
    written = entry.node.entries if entry.node.kind == "mapping" else {}
    return [kind for kind in ("flag", *_MAKERS) if kind in written]


def _kind(entry: Entry) -> str:
    return next(iter(_kinds(entry)), "flag")


def action_spec(entry: Entry, findings: Findings) -> ActionSpec | None:
    shape = shape_of(ActionShape, entry, findings)
    if shape is None:
        return None
    do = step_of(entry, "do", shape.do, findings)
    undo = step_of(entry, "undo", shape.undo, findings) if shape.undo else None
    if shape.undo and same_expectation(shape.do.expect, shape.undo.expect):
        findings.refuse(
            entry.at("undo", "expect"),
            f"do and undo of {entry.name} want the same state",
            "Say in each what the read-back shows afterwards.",
        )
    contained = checks_of(entry, "contained_when", shape.contained_when, findings)
    resume = checks_of(entry, "resume_when", shape.resume_when, findings)
    if not contained:
        findings.advise(
            entry.key,
            f"{entry.name} has no contained_when",
            "Without it only a healthy rule can prove containment, and a pause may blind it.",
        )
    read_back = served(entry, ("read_back",), shape.read_back, findings)
    ready = checks_of(entry, "ready_when", shape.ready_when, findings)
    if do is None or (shape.undo and undo is None):
        return None
    spec = ActionSpec(
        name=entry.name,
        target=f"flag:{shape.flag}",
        read_back=read_back,
        do=do,
        undo=undo,
        contained_when=contained,
        resume_when=resume,
        deadline_seconds=shape.deadline,
        sla_seconds=shape.sla or shape.deadline,
        drilled_within_seconds=shape.drilled_within,
        host=shape.host,
        sha256="",
        ready_when=ready,
    )
    return replace(spec, sha256=sha256(spec, frozenset({"sha256"})))
