"""Actions that put a whole back, from their shapes: laws of paths, of proof, and of facts."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePosixPath

from watchdog.core.filling_in import PRESENT, Lacking, asked_for, filled
from watchdog.core.spec import ActionSpec, Publish, Step
from watchdog.core.trees import Facts, RestoreSystem, SwapTree
from watchdog.policy.canon import sha256
from watchdog.policy.expressions import Spot, check_expectation
from watchdog.policy.http import served
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.restoring_models import (
    AnchorShape,
    ConfigActionShape,
    SystemActionShape,
    TreeShape,
)
from watchdog.policy.scalars import shown
from watchdog.policy.shape import shape_of
from watchdog.policy.steps import checks_of, command_of

_FACT = re.compile(r"[a-z][a-z0-9_]{0,49}\Z", re.ASCII)
_OURS = frozenset(
    {
        *("generation", "digest", "proven", "displaced", "displaced_digest"),
        *("displaced_generation", "previous_seen_digest", "live_seen_digest"),
    }
)
"""Facts that the program names itself."""


def config_action(entry: Entry, findings: Findings) -> ActionSpec | None:
    """The action, or None with what is wrong with it among the findings."""
    shape = shape_of(ConfigActionShape, entry, findings)
    if shape is None:
        return None
    _check_tree(entry, shape.config, findings)
    facts = _facts(entry, shape.anchor, findings)
    expect = _expectation(entry, shape, facts, findings)
    tree = SwapTree(
        current=_clean(shape.config.current),
        previous=_clean(shape.config.previous),
        mutable=tuple(sorted(set(shape.config.mutable))),
        keep_backups=shape.config.keep_backups,
        facts=facts,
    )
    publish = shape.publish
    contained = checks_of(entry, "contained_when", shape.contained_when, findings)
    if not contained:
        findings.advise(
            entry.key,
            f"{entry.name} has no contained_when",
            "Without it only a healthy rule can prove that the rollback helped.",
        )
    spec = ActionSpec(
        name=entry.name,
        target=f"config:{tree.current}",
        read_back=served(entry, ("read_back",), shape.read_back, findings),
        do=Step(tree, expect),
        undo=Step(replace(tree, displaced=True), expect),
        contained_when=contained,
        resume_when=checks_of(entry, "resume_when", shape.resume_when, findings),
        deadline_seconds=shape.deadline,
        sla_seconds=shape.sla or shape.deadline,
        drilled_within_seconds=shape.drilled_within,
        host=shape.host,
        sha256="",
        verify=tuple(
            command_of(entry, ("verify", index, "run"), one.run, one, findings)
            for index, one in enumerate(shape.verify)
        ),
        publish=Publish(
            command_of(entry, ("publish", "run"), publish.run, publish, findings),
            publish.idempotent,
        )
        if publish
        else None,
        anchor_margin_seconds=shape.anchor.margin,
    )
    return replace(spec, sha256=sha256(spec, frozenset({"sha256"})))


def system_action(entry: Entry, findings: Findings) -> ActionSpec | None:
    """The same for a system's restore."""
    shape = shape_of(SystemActionShape, entry, findings)
    if shape is None:
        return None
    folders = {one.cwd for one in shape.verify}
    if len(folders) > 1:
        findings.refuse(
            entry.key_at("verify"),
            "the commands of `verify` are run in different folders",
            "The helper runs them in one: write the same `cwd` for all.",
        )
    for index, one in enumerate(shape.verify):
        if one.env:
            findings.refuse(
                entry.key_at("verify", index, "env"),
                "the helper lets no variables of the daemon through",
                "Remove `env`, and write the program's whole path.",
            )
    back, system = shape.read_back, shape.system
    check_expectation(Spot(entry, ("read_back", "expect"), back.expect), findings)
    commands = tuple(
        command_of(entry, ("verify", index, "run"), one.run, one, findings)
        for index, one in enumerate(shape.verify)
    )
    restore = RestoreSystem(
        archive=system.archive,
        root=_clean(system.root),
        services=tuple(sorted(set(system.services))),
        max_age_seconds=system.max_age,
        verify=tuple(command.argv for command in commands),
        verify_in=next(iter(folders), None) or "/",
    )
    spec = ActionSpec(
        name=entry.name,
        target=f"system:{restore.root}",
        read_back=served(entry, ("read_back",), back, findings),
        do=Step(restore, back.expect),
        undo=Step(replace(restore, undo=True), back.expect),
        contained_when=checks_of(entry, "contained_when", shape.contained_when, findings),
        resume_when=checks_of(entry, "resume_when", shape.resume_when, findings),
        deadline_seconds=shape.deadline,
        sla_seconds=shape.sla or shape.deadline,
        host=shape.host,
        sha256="",
        anchor_margin_seconds=shape.anchor.margin,
    )
    return replace(spec, sha256=sha256(spec, frozenset({"sha256"})))


def _check_tree(entry: Entry, tree: TreeShape, findings: Findings) -> None:
    current, previous = PurePosixPath(tree.current), PurePosixPath(tree.previous)
    for key, path in (("current", current), ("previous", previous)):
        if len(path.parts) < 3 or ".." in path.parts:
            findings.refuse(
                entry.at("config", key),
                f"{shown(str(path))} cannot be exchanged as a whole",
                "Name a folder inside a folder of its own, like /srv/mycelia/release/mainnet.",
            )
    if current == previous or current in previous.parents or previous in current.parents:
        findings.refuse(
            entry.at("config", "previous"),
            "`previous` and `current` lie in each other",
            "Keep them side by side.",
        )


def _facts(entry: Entry, anchor: AnchorShape, findings: Findings) -> Facts:
    made = []
    for name, fact in sorted((anchor.__pydantic_extra__ or {}).items()):
        if not _FACT.match(name) or name.startswith(PRESENT) or name in _OURS:
            findings.refuse(
                entry.key_at("anchor", name),
                f"{shown(name)} is no name for a fact",
                "Write it like build_sha: {file: BUILD_SHA}.",
            )
        made.append((name, fact.file))
    return tuple(made)


def _expectation(entry: Entry, shape: ConfigActionShape, facts: Facts, findings: Findings) -> str:
    """What the read-back must show, checked as it will be asked, with some value for each fact."""
    text = shape.read_back.expect
    asked = asked_for(text)
    every = dict.fromkeys((*asked, *asked_for(text, "present")))
    here = entry.at("read_back", "expect")
    for name in every:
        if name not in dict(facts):
            findings.refuse(
                here,
                f"`anchor` names no fact {name}",
                f"Add it: anchor: {{{name}: {{file: NAME}}}}.",
            )
    if not asked:
        findings.refuse(
            here,
            "the read-back would show the same before and after",
            "Let it name what the anchor holds: \"buildSha == '${anchor.build_sha}'\".",
        )
    made = filled(text, tuple((of + name, "x") for of in ("", PRESENT) for name in every))
    if not isinstance(made, Lacking):
        check_expectation(Spot(entry, ("read_back", "expect"), made), findings)
    return text


def _clean(path: str) -> str:
    return str(PurePosixPath(path))
