"""What the unit tests of a rules folder prove of each rule's text, for the record of its evidence.

A rule is proven when every check of every case that names it passed, and in one of these it came
to act: a rule that was never seen to fire is not known to. A test file that is itself wrong proves
the contrary of every rule that it names: nobody knows what it would have said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from watchdog.core import entries as e
from watchdog.core.alerting import alert_name
from watchdog.core.naming import family_of
from watchdog.core.spec import Policy
from watchdog.lab.rule_tests.coverage import named_in
from watchdog.lab.rule_tests.reading import Unreadable, files_at, text_of
from watchdog.lab.rule_tests.run import FileRan, Ran, run_files
from watchdog.lab.rule_tests.under_test import Loader
from watchdog.policy.nodes import Place
from watchdog.policy.tested import rules_tested
from watchdog.policy.variables import Value


@dataclass(frozen=True, slots=True)
class Proof:
    """Of one rule's text. `sha256` is of the text without its mode (`RuleSpec.proof`)."""

    rule: str
    sha256: str
    passed: bool
    reason: str


@dataclass(slots=True)
class _Sum:
    checks: int = 0
    failed: list[str] = field(default_factory=list)
    broken: str = ""
    acted: bool = False  # or would have, or would have asked; or has nothing to do

    @property
    def passed(self) -> bool:
        return self.acted and not self.failed and not self.broken

    @property
    def reason(self) -> str:
        if self.broken:
            return f"{self.broken} is no test file that could be run"
        many = "1 check" if self.checks == 1 else f"{self.checks} checks"
        if self.failed:
            return f"{len(self.failed)} of {many} failed, the first at {self.failed[0]}"
        if not self.acted:
            return f"{many} passed, and in none would it have acted: write a story in which it does"
        return f"{many} passed"


def proofs_in(
    folder: Path, environment: str, variables: Mapping[str, Value], rules: Iterable[str]
) -> tuple[Proof, ...]:
    """Run the test files below a rules folder that name one of `rules`. Raises Unreadable.

    Each is run for the environment that it names, or for this one of several. What it proves is of
    that text: where another environment's variables make it another, nothing is proven of that.
    """
    loader, wanted = Loader(None, variables, environment), frozenset(rules)
    policy, problems = loader.load(folder, environment)
    if policy is None:
        if not problems:
            raise Unreadable(folder, "no policy", "See check.")
        first = problems[0]
        raise Unreadable(Path(first.file), first.what, first.remedy, (first.line, first.column))
    by_name = _rules_by_name(policy)
    spoken = {name for name, rules_of in by_name.items() if not wanted.isdisjoint(rules_of)}
    files = [path for path in files_at(folder) if spoken & {*_named_by_text(path)}]
    return tuple(p for p in proofs_of(run_files(files, loader), policy, folder) if p.rule in wanted)


def proofs_of(files: Iterable[FileRan], policy: Policy, folder: Path) -> tuple[Proof, ...]:
    """What these runs prove of the policy's rules; those that no test names are left out."""
    sums: dict[str, _Sum] = {}
    by_name = _rules_by_name(policy)
    for file in files:
        if file.suite is None:
            named = _named_by_text(Path(file.file))
            for rule in {one for name in named for one in by_name.get(name, ())}:
                sums.setdefault(rule, _Sum()).broken = _short(file.file, folder)
            continue
        ours = file.suite.rules.ours
        if ours is None:
            continue
        for ran in file.ran:
            for rule in named_in(ran.case, ours):
                spec, mine = ours.policy.rules.get(rule), policy.rules.get(rule)
                if spec is None or mine is None or spec.proof != mine.proof:
                    continue  # of another folder, or of another text
                found = sums.setdefault(rule, _Sum())
                found.checks += len(ran.checks)
                found.failed += [_place(c.place, folder) for c in ran.checks if not c.passed]
                found.acted |= mine.playbook is None or rule in _acting(ran)
    return tuple(
        Proof(rule, policy.rules[rule].proof, one.passed, one.reason)
        for rule, one in sorted(sums.items())
        if rule in policy.rules and (one.checks or one.broken)
    )


def _acting(ran: Ran) -> set[str]:
    """The rules that no gate refused; of a member its family."""
    log = ran.course.log if ran.course is not None else []
    decided = [recorded.entry for recorded in log if isinstance(recorded.entry, e.Decided)]
    return {family_of(one.rule) for one in decided if one.ruling is not e.Ruling.REFUSED}


def _rules_by_name(policy: Policy) -> Mapping[str, frozenset[str]]:
    """The rules that a check may mean: by a rule's own name, or by that of its alert."""
    found: dict[str, frozenset[str]] = {}
    for rule in policy.rules.values():
        for name in {rule.name, alert_name(rule)}:
            found[name] = found.get(name, frozenset()) | {rule.name}
    return found


def _named_by_text(path: Path) -> tuple[str, ...]:
    try:
        return tuple(name for name, _ in rules_tested(text_of(path), str(path)))
    except Unreadable:
        return ()


def _place(place: Place, folder: Path) -> str:
    return _short(place.text, folder)


def _short(text: str, folder: Path) -> str:
    return text.removeprefix(f"{folder}/")
