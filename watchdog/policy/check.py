"""`slo-watchdog check RULES`: everything wrong with a folder, in every environment it names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os.path import commonprefix
from pathlib import Path

from watchdog.policy.folder import read_folder
from watchdog.policy.lint import Finding, Ground, Level, ground_of, lint
from watchdog.policy.load import Load, load_folder
from watchdog.policy.meant import keys_meant
from watchdog.policy.nodes import BadText
from watchdog.policy.platform import KEYS, LATER
from watchdog.policy.problem import Findings, Problem
from watchdog.policy.scalars import is_name
from watchdog.policy.tested import rules_tested_in
from watchdog.policy.tree import read_in_part
from watchdog.policy.variables import Value


@dataclass(frozen=True, slots=True)
class Report:
    """What `check` found. `errors` are worth a failing exit status, `advice` is not.

    `findings` are of what would load: lints, by environment in which each was found.
    """

    folder: str
    loads: Mapping[str, Load]
    findings: Mapping[Finding, tuple[str, ...]] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Problem, ...]:
        return _distinct([problem for load in self.loads.values() for problem in load.errors])

    @property
    def advice(self) -> tuple[Problem, ...]:
        given = _distinct([problem for load in self.loads.values() for problem in load.advice])
        found = {_place(finding.problem) for finding in self.findings}  # told there already
        return tuple(problem for problem in given if _place(problem) not in found)

    @property
    def ok(self) -> bool:
        whole = not self.errors and all(load.policy for load in self.loads.values())
        return whole and not any(f.level is Level.ERROR for f in self.findings)

    @property
    def clean(self) -> bool:
        """Nothing at all was found, advice of the load aside."""
        return self.ok and not self.findings

    def with_findings(self, environment: str, found: Iterable[Finding]) -> Report:
        """The same report with more of what lints found."""
        merged = dict(self.findings)
        for one in found:
            merged[one] = (*merged.get(one, ()), environment)
        return replace(self, findings=merged)

    def text(self) -> str:
        """For people: every problem with its file as it can be opened, then one line of sum."""
        lines = [self._line(problem, "") for problem in self.errors]
        lines += [self._line(problem, "advice: ") for problem in self.advice]
        lines += [self._found(alike) for alike in self._alike()]
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

    def _alike(self) -> list[list[Finding]]:
        """Findings by what is one line of text: of environments that differ in a path at most."""
        lines: list[list[Finding]] = []
        of_spot: dict[tuple[object, ...], list[Finding]] = {}
        for finding in sorted(self.findings):
            alike = of_spot.get(_spot(finding), [])
            told = {name for one in alike for name in self.findings[one]}
            if alike and told.isdisjoint(self.findings[finding]):
                alike.append(finding)
                continue
            of_spot[_spot(finding)] = [finding]
            lines.append(of_spot[_spot(finding)])
        return lines

    def _found(self, alike: Sequence[Finding]) -> str:
        first = alike[0]
        where = sorted({name for finding in alike for name in self.findings[finding]})
        seen = f" in {', '.join(where)}" if len(self.loads) > 1 else ""
        told = {one.problem.what: self.findings[one] for one in alike}
        what = first.problem.what if len(told) == 1 else _in_one(told)
        problem = replace(first.problem, what=what)
        line = self._line(problem, f"{first.level.value}[{first.id}]{seen}: ")
        return f"{line}{'' if line.endswith(('.', '!', '?')) else '.'} {first.why}"

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
                "findings": [
                    {
                        "id": finding.id,
                        "level": finding.level.value,
                        **_plain(finding.problem),
                        "why": finding.why,
                        "environments": list(self.findings[finding]),
                    }
                    for finding in sorted(self.findings)
                ],
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
    report = Report(shown, loads)
    for name, ground in grounds(report, folder).items():
        report = report.with_findings(name, lint(ground))
    return report


def grounds(report: Report, folder: str | Path) -> dict[str, Ground]:
    """What lints look at: all that loads in each environment, with the tests of the folder."""
    policies = {name: load.policy for name, load in report.loads.items() if load.policy}
    tested = frozenset(rules_tested_in(folder)) if policies else frozenset()
    found = {}
    for name in policies:
        others = {other: policy for other, policy in policies.items() if other != name}
        ground = ground_of(report.loads[name], others=others, tested=tested)
        if ground is not None:
            found[name] = ground
    return found


def environments_of(folder: str | Path) -> list[str]:
    """Those of platform.yaml and those that have a variables file."""
    files = read_folder(folder).files
    named = {Path(path).stem for path in files if path.startswith("vars/")}
    try:
        tree, _ = read_in_part(files.get("platform.yaml", ""), "platform.yaml")
    except BadText:
        tree = None  # the load says what is wrong with it
    top = keys_meant(tree, KEYS, LATER, Findings()) if tree is not None else {}
    for key in ("environment", "environments"):
        found = top.get(key)
        if found is not None:
            node = found[1]
            named |= {item.text for item in (node.items or [node]) if is_name(item.text)}
    return sorted(name for name in named if is_name(name)) or ["production"]


def _distinct(problems: list[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(set(problems)))


def _place(problem: Problem) -> tuple[str, int, int]:
    return problem.file, problem.line, problem.column


def _spot(finding: Finding) -> tuple[object, ...]:
    """By what a line of text stands for several findings."""
    return (*_place(finding.problem), finding.id, finding.problem.remedy)


def _in_one(told: Mapping[str, Sequence[str]]) -> str:
    """Several texts that begin alike as one, with what each says of which environment."""
    shared = commonprefix(list(told))  # noqa: RUF071  # of texts, and no paths
    head = shared[: shared.rfind(": ") + 2] if ": " in shared else ""
    return head + "; ".join(
        f"{what[len(head) :]} ({', '.join(names)})" for what, names in told.items()
    )


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
