"""Loads a policy part by part: the platform's and each owner's, every one all-or-nothing.

A part that is broken keeps its last good text, so that one team's slip stops nobody else, and
nothing that is in force is lost by somebody else's change. `load_files` is pure; `load_folder`
adds the reading. Neither raises for what the files contain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from watchdog.core.spec import Part, Policy
from watchdog.policy.canon import sha256
from watchdog.policy.folder import Folder, read_folder
from watchdog.policy.parts import (
    Base,
    Parts,
    choose_owners,
    compile_base,
    split,
    wrong_besides,
)
from watchdog.policy.problem import PLATFORM, Findings, Problem
from watchdog.policy.together import Choice
from watchdog.policy.variables import GIVEN, Value, typed, write_variables

PolicyFiles = Mapping[str, str]
"""Path in the rules folder -> text: what is in force, so that it can be loaded again."""


class PartState(StrEnum):
    LOADED = "loaded"
    KEPT = "kept"  # broken; its last good text stays in force
    REFUSED = "refused"  # broken, and there is nothing good to keep


@dataclass(frozen=True, slots=True)
class PartLoad:
    """How one part fared. `sha256` is of what is in force, empty when nothing is."""

    owner: str
    state: PartState
    sha256: str
    errors: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Load:
    """The outcome: the policy in force (None without a platform), and all that was wrong."""

    policy: Policy | None
    parts: tuple[PartLoad, ...]
    errors: tuple[Problem, ...]
    advice: tuple[Problem, ...]
    files: dict[str, str]

    @property
    def complete(self) -> bool:
        """Everything that was offered is in force."""
        return self.policy is not None and not self.errors


def load_folder(
    folder: str | Path,
    environment: str,
    *,
    last_good: PolicyFiles | None = None,
    variables: Mapping[str, Value] | None = None,
) -> Load:
    """Read the folder and load it; `variables` go before those of vars/<environment>.yaml."""
    found = read_folder(folder)
    return _load(found, environment, last_good=last_good, variables=variables)


def load_files(
    files: PolicyFiles,
    environment: str,
    *,
    last_good: PolicyFiles | None = None,
    variables: Mapping[str, Value] | None = None,
) -> Load:
    """The same from texts: no disk, no clock; equal inputs give equal policies and hashes."""
    return _load(Folder(dict(files)), environment, last_good=last_good, variables=variables)


def _load(
    folder: Folder,
    environment: str,
    *,
    last_good: PolicyFiles | None,
    variables: Mapping[str, Value] | None,
) -> Load:
    given = Findings()
    files = dict(folder.files)
    if variables:
        files[GIVEN] = write_variables(typed(variables, given))
    problems = [*folder.problems, *given.errors]
    last = split(last_good or {}, ())
    if not folder.whole or "platform.yaml" not in files:
        if folder.whole and not any(p.file.startswith("platform.") for p in problems):
            what = "there is no platform.yaml"
            problems.append(Problem("platform.yaml", 1, 1, what, "Is this the rules folder?"))
        return _as_before(last, environment, problems)
    new = split(files, problems)
    base = compile_base(new, environment)
    if base.platform is not None:
        choice = choose_owners(base, new, last)
        if not choice.lost or not last.platform:
            return _loaded(choice, {PLATFORM: PartState.LOADED})
        base.findings.errors.extend(_taken_away(choice))
    if not last.platform:
        return _nothing(base.findings, new, base)
    old = compile_base(last, environment)
    if old.platform is None:  # the record is of another environment, or of another version
        base.findings.errors.extend(old.findings.errors)
        return _nothing(base.findings, new, base)
    choice = choose_owners(old, new, last)
    choice.findings[PLATFORM] = base.findings
    return _loaded(choice, {PLATFORM: PartState.KEPT})


def _taken_away(choice: Choice) -> list[Problem]:
    """The platform may not pull the ground from under rules that are in force."""
    found = []
    for owner in choice.lost:
        first = choice.findings[owner].errors[0]
        found.append(
            Problem(
                "platform.yaml",
                1,
                1,
                f"with it the rules of {owner}, which are in force, could no longer be loaded "
                f"({first.file}:{first.line}:{first.column}: {first.what})",
                "Change those rules first, or in the same load.",
            )
        )
    return found


def _as_before(last: Parts, environment: str, problems: list[Problem]) -> Load:
    """The folder is not there: everything stays as it was."""
    findings = Findings(errors=problems)
    base = compile_base(last, environment) if last.platform else None
    if base is None or base.platform is None:
        return _nothing(findings, last)
    choice = choose_owners(base, last, last)
    choice.findings[PLATFORM] = findings
    return _loaded(choice, dict.fromkeys([PLATFORM, *choice.owned], PartState.KEPT))


def _nothing(platform: Findings, new: Parts, base: Base | None = None) -> Load:
    """No platform, so no policy; what can be known of the owners' files is told all the same."""
    besides = wrong_besides(base, new) if base is not None else {}
    errors = tuple(sorted(platform.errors))
    parts = [PartLoad(PLATFORM, PartState.REFUSED, "", errors)]
    for owner in sorted(new.owners):
        found = besides.get(owner)
        own = tuple(sorted(found.errors if found else new.problems.get(owner, ())))
        parts.append(PartLoad(owner, PartState.REFUSED, "", own))
    everything = [problem for part in parts for problem in part.errors]
    return Load(None, tuple(parts), tuple(everything), tuple(platform.advice), {})


def _loaded(choice: Choice, states: dict[str, PartState]) -> Load:
    platform = choice.platform
    loads = [_part(PLATFORM, platform.sha256, choice, states.get(PLATFORM))]
    for owner in sorted(choice.findings):
        if owner != PLATFORM:
            owned = choice.owned.get(owner)
            loads.append(_part(owner, owned.sha256 if owned else "", choice, states.get(owner)))
    owned_parts = [choice.owned[owner] for owner in sorted(choice.owned)]
    parts = [Part(PLATFORM, platform.sha256), *(Part(o.owner, o.sha256) for o in owned_parts)]
    policy = Policy(
        environment=platform.environment,
        sha256=sha256([[part.owner, part.sha256] for part in parts]),
        parts=tuple(parts),
        sources={
            **platform.sources,
            **{channel.name: channel for channel in platform.channels.values()},
            **{k: v for o in owned_parts for k, v in o.probes.items()},
        },
        actions=dict(platform.actions),
        playbooks=dict(platform.playbooks),
        rules={name: rule for o in owned_parts for name, rule in sorted(o.rules.items())},
        windows=platform.windows,
        limits=platform.limits,
        alertmanager=platform.alertmanager,
        contacts=platform.contacts,
        procedure=platform.procedure,
        drills=platform.drills,
        verification=dict(platform.verification),
    )
    errors = [problem for load in loads for problem in load.errors]
    advice = sorted({p for findings in choice.findings.values() for p in findings.advice})
    return Load(policy, tuple(loads), tuple(errors), tuple(advice), choice.files)


def _part(owner: str, sha: str, choice: Choice, state: PartState | None) -> PartLoad:
    errors = tuple(sorted(choice.findings[owner].errors))
    if state is None:
        kept = PartState.KEPT if owner in choice.owned else PartState.REFUSED
        state = kept if errors else PartState.LOADED
    return PartLoad(owner, state, sha, errors)
