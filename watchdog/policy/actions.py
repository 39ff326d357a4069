"""Actions as desired states: what to do, what it must lead to, and where that is read back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from watchdog.core.naming import family_of
from watchdog.core.spec import ActionSpec, Check, Command, HttpCall, Step
from watchdog.policy.canon import sha256
from watchdog.policy.expressions import Spot, check_expectation, same_expectation
from watchdog.policy.http import endpoint
from watchdog.policy.platform_models import ActionShape, CheckShape, StepShape
from watchdog.policy.problem import Entry, Findings, Path
from watchdog.policy.scalars import shown
from watchdog.policy.shape import shape_of


def actions_of(entries: Iterable[Entry], findings: Findings) -> dict[str, ActionSpec | None]:
    """All of them. Of one for listed values a fault is told once, and two never share a target."""
    made: dict[str, ActionSpec | None] = {}
    for entry in entries:
        family = family_of(entry.name)
        before = [n for n in made if family_of(n) == family]
        if family != entry.name and any(made[n] is None for n in before):
            continue
        found = len(findings.errors)
        spec = action_spec(entry, findings)
        made[entry.name] = spec if len(findings.errors) == found else None
        same = [n for n in before if spec and (one := made[n]) and one.target == spec.target]
        if same and family != entry.name:
            findings.refuse(
                entry.at("flag"),
                f"{same[0]} and {entry.name} change the same target",
                "Use every label of `each` in `flag:`.",
            )
    return made


def action_spec(entry: Entry, findings: Findings) -> ActionSpec | None:
    shape = shape_of(ActionShape, entry, findings)
    if shape is None:
        return None
    back = shape.read_back
    do = _step(entry, "do", shape.do, findings)
    undo = _step(entry, "undo", shape.undo, findings) if shape.undo else None
    if shape.undo and same_expectation(shape.do.expect, shape.undo.expect):
        findings.refuse(
            entry.at("undo", "expect"),
            f"do and undo of {entry.name} want the same state",
            "Say in each what the read-back shows afterwards.",
        )
    contained = _checks(entry, "contained_when", shape.contained_when, findings)
    resume = _checks(entry, "resume_when", shape.resume_when, findings)
    if not contained:
        findings.advise(
            entry.key,
            f"{entry.name} has no contained_when",
            "Without it only a healthy rule can prove containment, and a pause may blind it.",
        )
    read_back = endpoint(entry, ("read_back",), back.get, back.headers, back.ca, findings)
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
        host=shape.host,
        sha256="",
    )
    return replace(spec, sha256=sha256(spec, frozenset({"sha256"})))


def _step(entry: Entry, key: str, shape: StepShape, findings: Findings) -> Step | None:
    check_expectation(Spot(entry, (key, "expect"), shape.expect), findings)
    if (shape.run is None) == (shape.call is None):
        findings.refuse(
            entry.key_at(key),
            f"{entry.name}.{key} has {'both `run` and `call`' if shape.run else 'no way to act'}",
            "Write exactly one of run: [COMMAND, ARGUMENT] and call: {method, url}.",
        )
        return None
    if shape.run is not None:
        return Step(_command(entry, key, shape, findings), shape.expect)
    for word in ("cwd", "env"):
        if getattr(shape, word):
            findings.refuse(entry.key_at(key, word), f"`{word}` is for run, not call", "Remove it.")
    call = shape.call
    if call is None:
        return None
    where = (key, "call")
    headers = endpoint(entry, where, call.url, call.headers, call.ca, findings)
    body = None
    if "json_" in call.model_fields_set:  # an explicit null is a body too
        body = json.dumps(call.json_, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return Step(HttpCall(call.method, headers, body), shape.expect)


def _command(entry: Entry, key: str, shape: StepShape, findings: Findings) -> Command:
    argv = shape.run or []
    if "/" in argv[0] and not argv[0].startswith("/"):
        findings.refuse(
            entry.at(key, "run", 0),
            f"{shown(argv[0])} depends on the folder it is run in",
            "Write the program's whole path, or its bare name.",
        )
    if len(argv) == 1 and " " in argv[0]:
        findings.refuse(
            entry.at(key, "run", 0),
            f"{shown(argv[0])} looks like a shell line, and there is no shell",
            "Write each argument by itself: [mycelia-launchctl, pause, redemption].",
        )
    return Command(tuple(argv), shape.cwd, tuple(sorted(set(shape.env))))


def _checks(
    entry: Entry, key: str, shapes: list[CheckShape], findings: Findings
) -> tuple[Check, ...]:
    made = []
    for index, shape in enumerate(shapes):
        here: Path = (key, index)
        check_expectation(Spot(entry, (*here, "expect"), shape.expect), findings)
        asked = endpoint(entry, here, shape.get, shape.headers, shape.ca, findings)
        made.append(Check(asked, shape.expect))
    return tuple(made)
