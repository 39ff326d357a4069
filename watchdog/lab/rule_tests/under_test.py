"""The rules that a test file names: our rules folders, and Prometheus's rule files.

`rule_files` may name a rules folder (with platform.yaml), an owner's folder or file in one, or a
file with `groups`. Of ours the whole folder is loaded, since rules share targets, budgets and
gates; what was named is what the file is taken to test.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from watchdog.core.alerting import alert_name
from watchdog.core.judge import queries
from watchdog.core.promql import Refused
from watchdog.core.spec import Policy, PrometheusApi
from watchdog.lab.rule_tests.groups import Group, read_groups
from watchdog.lab.rule_tests.loaded import why_not
from watchdog.lab.rule_tests.provider import Question
from watchdog.lab.rule_tests.reading import Unreadable, text_of
from watchdog.policy.check import environments_of
from watchdog.policy.load import load_folder
from watchdog.policy.nodes import BadText
from watchdog.policy.problem import Entry, Findings, Problem
from watchdog.policy.tree import read_tree
from watchdog.policy.variables import Value


@dataclass(frozen=True, slots=True)
class Ours:
    """One rules folder, loaded. `tested` are the rules of what was named."""

    folder: Path
    policy: Policy
    tested: frozenset[str]
    unasked: Mapping[str, str]  # rule -> why what it asks a Prometheus cannot be answered here

    def place_of(self, rule: str) -> str:
        return f"{self.folder}/{self.policy.rules[rule].where}"

    def rules_of_alert(self, name: str) -> tuple[str, ...]:
        """The rules whose alerts have this name; several may be read from one alert."""
        return tuple(rule.name for rule in self.policy.rules.values() if alert_name(rule) == name)


@dataclass(frozen=True, slots=True)
class UnderTest:
    ours: Ours | None = None
    theirs: tuple[Group, ...] = ()

    @property
    def alerts(self) -> frozenset[str]:
        """The names of the alerts in Prometheus's own rule files. They go before ours."""
        return frozenset(rule.name for group in self.theirs for rule in group.rules if rule.alerts)


@dataclass(slots=True)
class Loader:
    """Loads each rules folder once. `environment` goes before what test files say.

    Files that name several environments, `prefers` among them, are run for that one alone.
    """

    environment: str | None = None
    variables: Mapping[str, Value] = field(default_factory=dict)
    prefers: str | None = None
    _loaded: dict[tuple[Path, str], tuple[Policy | None, tuple[Problem, ...]]] = field(
        default_factory=dict
    )

    def load(self, folder: Path, environment: str) -> tuple[Policy | None, tuple[Problem, ...]]:
        """The policy, or None with what is wrong with the folder."""
        key = (folder.resolve(), environment)
        if key not in self._loaded:
            load = load_folder(folder, environment, variables=self.variables)
            policy = load.policy if load.complete else None
            self._loaded[key] = policy, tuple(_within(folder, p) for p in load.errors)
        return self._loaded[key]


def find_rules(  # what was named, where, and what it needs
    names: Sequence[str],
    environment: str | None,
    base: Path,
    entry: Entry,
    loader: Loader,
    findings: Findings,
) -> UnderTest:
    """Everything that `rule_files` names; what cannot be used is in `findings`."""
    ours: list[tuple[int, Path, str]] = []  # (index, rules folder, what of it)
    groups: list[Group] = []
    for index, name in enumerate(names):
        place = entry.at("rule_files", index)
        found = _found(base, name)
        if not found:
            findings.refuse(place, f"there is no {name}", f"Paths are taken from {base}/.")
        for path in found:
            root = _rules_folder(path)
            if path.is_dir() and root is None:
                what = f"{name} is no rules folder: it has no platform.yaml, nor has the one above"
                findings.refuse(place, what, "Name files, or the folder with platform.yaml.")
            elif path.is_dir() or (root is not None and not _has_groups(path)):
                root = root or path
                ours.append((index, root, _within_folder(path, root)))
            else:
                groups += _groups(path, findings)
    return UnderTest(_ours(ours, environment, entry, loader, findings), tuple(groups))


def _found(base: Path, name: str) -> list[Path]:
    """The file or folder, or what a pattern matches."""
    path = Path(os.path.normpath(base / name))  # `..` is for the eye alone
    try:
        if path.exists() or not re.search(r"[*?[]", name):
            return [path] if path.exists() else []
        return sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    except (OSError, ValueError):
        return []


def _rules_folder(path: Path) -> Path | None:
    """The rules folder that it is, or lies in."""
    around = [path, path.parent] if path.is_dir() else [path.parent, path.parent.parent]
    return next((folder for folder in around if (folder / "platform.yaml").is_file()), None)


def _within_folder(path: Path, root: Path) -> str:
    """Where in the rules folder it lies; a link out of it by the name that it has there."""
    base = root.resolve()
    ways = (path.resolve(), path.parent.resolve() / path.name)
    inside = (way.relative_to(base).as_posix() for way in ways if way.is_relative_to(base))
    return next(inside, path.name)


def _has_groups(path: Path) -> bool:
    """Whether a file beside ours is one of Prometheus all the same."""
    try:
        text = text_of(path)
        tree = read_tree(text, str(path), texts=True) if "groups" in text else None
    except (Unreadable, BadText):
        return False  # the load of the folder says what is wrong with it
    return tree is not None and "groups" in tree.entries


def _groups(path: Path, findings: Findings) -> tuple[Group, ...]:
    try:
        return read_groups(text_of(path), str(path), findings)
    except Unreadable as error:
        findings.errors.append(error.problem)
        return ()


def _ours(
    named: Sequence[tuple[int, Path, str]],
    environment: str | None,
    entry: Entry,
    loader: Loader,
    findings: Findings,
) -> Ours | None:
    if not named:
        return None
    index, folder, _ = named[0]
    place = entry.at("rule_files", index)
    other = next((n for n in named if n[1].resolve() != folder.resolve()), None)
    if other is not None:
        what = f"two rules folders in one test file, {folder} and {other[1]}"
        findings.refuse(entry.at("rule_files", other[0]), what, "Write a test file for each.")
        return None
    wanted = loader.environment or environment or _only_environment(folder)
    if wanted is None:
        what = f"{folder} serves several environments"
        how = "Write `environment: NAME`, whose variables are taken, or `environments: [A, B]`."
        findings.refuse(place, what, how)
        return None
    policy, problems = loader.load(folder, wanted)
    if policy is None:
        findings.errors.extend(problems)
        return None
    paths = {path for _, _, path in named}
    tested = frozenset(
        name for name, rule in policy.rules.items() if any(_lies_in(rule.where, p) for p in paths)
    )
    if not tested:
        findings.refuse(place, f"there is no rule in {', '.join(sorted(paths))}", "Name another.")
    return Ours(folder, policy, tested, dict(_unasked(policy)))


def _lies_in(where: str, path: str) -> bool:
    """`where` is "owner/rules.yaml:12:3"; `path` a file, an owner's folder, or "."."""
    return path == "." or where.startswith((f"{path}:", f"{path}/"))


def _only_environment(folder: Path) -> str | None:
    names = environments_of(folder)
    return names[0] if len(names) == 1 else None


def _unasked(policy: Policy) -> Iterator[tuple[str, str]]:
    """Rules whose expressions a Prometheus would have to answer."""
    for name, rule in policy.rules.items():
        if not isinstance(policy.sources[rule.source].how, PrometheusApi):
            continue
        for text in queries(rule):
            try:
                Question(text)
            except Refused as error:
                yield name, why_not(error)[0]
                break


def _within(folder: Path, problem: Problem) -> Problem:
    whole = problem.file.startswith("/") or problem.file == str(folder)
    file = problem.file if whole else f"{folder}/{problem.file}"
    return Problem(file, problem.line, problem.column, problem.what, problem.remedy)
