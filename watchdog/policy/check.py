"""`slo-watchdog check RULES`: everything wrong with a folder, in every environment it names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from watchdog.policy.folder import read_folder
from watchdog.policy.load import Load, load_folder
from watchdog.policy.problem import Problem
from watchdog.policy.scalars import is_name
from watchdog.policy.tree import BadText, read_tree
from watchdog.policy.variables import Value


@dataclass(frozen=True, slots=True)
class Report:
    """What `check` found. `errors` are worth a failing exit status, `advice` is not."""

    folder: str
    loads: Mapping[str, Load]

    @property
    def errors(self) -> tuple[Problem, ...]:
        return _distinct([problem for load in self.loads.values() for problem in load.errors])

    @property
    def advice(self) -> tuple[Problem, ...]:
        return _distinct([problem for load in self.loads.values() for problem in load.advice])

    @property
    def ok(self) -> bool:
        return not self.errors and all(load.policy for load in self.loads.values())

    def text(self) -> str:
        """For people: every problem with its file as it can be opened, then one line of sum."""
        lines = [self._line(problem, "") for problem in self.errors]
        lines += [self._line(problem, "advice: ") for problem in self.advice]
        for environment, load in self.loads.items():
            policy = load.policy
            if policy is None or load.errors:
                lines.append(f"{environment}: refused")
            else:
                armed = sum(rule.mode.word == "armed" for rule in policy.rules.values())
                lines.append(
                    f"{environment}: {_count(len(policy.rules), 'rule')} ({armed} armed), "
                    f"{_count(len(policy.sources), 'source')}, "
                    f"{_count(len(policy.actions), 'action')}, sha256 {policy.sha256[:12]}"
                )
        return "\n".join(lines)

    def _line(self, problem: Problem, kind: str) -> str:
        whole = problem.file.startswith("/") or problem.file == self.folder  # the folder itself
        path = problem.file if whole else f"{self.folder}/{problem.file}"
        shown = Problem(path, problem.line, problem.column, kind + problem.what, problem.remedy)
        return shown.text

    def json(self) -> str:
        """For machines; the same facts."""
        return json.dumps(
            {
                "ok": self.ok,
                "errors": [_plain(problem) for problem in self.errors],
                "advice": [_plain(problem) for problem in self.advice],
                "environments": {
                    environment: {
                        "loaded": load.complete,
                        "sha256": load.policy.sha256 if load.policy and load.complete else None,
                        "rules": sorted(load.policy.rules) if load.policy else [],
                        "parts": {
                            part.owner: {"state": part.state.value, "sha256": part.sha256}
                            for part in load.parts
                        },
                    }
                    for environment, load in self.loads.items()
                },
            },
            indent=2,
        )


def check(
    folder: str | Path,
    environment: str | None = None,
    *,
    variables: Mapping[str, Value] | None = None,
) -> Report:
    """Load the folder as each environment would; all that it names when none is given."""
    shown = str(folder).rstrip("/") or "/"
    names = [environment] if environment is not None else environments_of(folder)
    loads = {name: load_folder(folder, name, variables=variables) for name in names}
    return Report(shown, loads)


def environments_of(folder: str | Path) -> list[str]:
    """Those of platform.yaml and those that have a variables file."""
    files = read_folder(folder).files
    named = {Path(path).stem for path in files if path.startswith("vars/")}
    try:
        tree = read_tree(files.get("platform.yaml", ""), "platform.yaml")
    except BadText:
        tree = None  # the load says what is wrong with it
    for key in ("environment", "environments"):
        found = tree.entries.get(key) if tree is not None else None
        if found is not None:
            node = found[1]
            named |= {item.text for item in (node.items or [node]) if is_name(item.text)}
    return sorted(name for name in named if is_name(name)) or ["production"]


def _distinct(problems: list[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(set(problems)))


def _plain(problem: Problem) -> dict[str, str | int]:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "what": problem.what,
        "remedy": problem.remedy,
    }


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
