"""What came of a run, for people, for machines (`--json`) and for CI (JUnit XML)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

from watchdog.core.text import duration
from watchdog.lab.rule_tests.checks import Check
from watchdog.lab.rule_tests.coverage import Coverage, coverage_of
from watchdog.lab.rule_tests.run import FileRan
from watchdog.policy.problem import Problem

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Report:
    """Of one run of any number of test files."""

    files: tuple[FileRan, ...]

    @property
    def passed(self) -> bool:
        return all(file.passed for file in self.files)

    @property
    def coverage(self) -> tuple[Coverage, ...]:
        return coverage_of(self.files)

    def text(self) -> str:
        """Every problem and every failure, then what was reached, then the sum."""
        told: set[str] = set()
        lines = [line for file in self.files for line in _file_lines(file, told)]
        lines += [line for coverage in self.coverage for line in _coverage_lines(coverage)]
        return "\n".join([*lines, _sum(self.files)])

    def json(self) -> str:
        document = {
            "passed": self.passed,
            "files": [_file(file) for file in self.files],
            "coverage": [_coverage(coverage) for coverage in self.coverage],
        }
        return json.dumps(document, indent=2)

    def junit(self) -> str:
        """One suite a file, one test case a check."""
        suites = "".join(line for file in self.files for line in _suite(file))
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n{suites}</testsuites>\n'


def _file_lines(file: FileRan, told: set[str]) -> Iterator[str]:
    """What is wrong in several environments is told once."""
    said = [problem.text for problem in file.problems]
    for advice in file.advice:
        place = (advice.file, advice.line, advice.column)
        said.append(Problem(*place, f"advice: {advice.what}", advice.remedy).text)
    yield from (line for line in said if line not in told)
    told.update(said)
    for check in file.checks:
        if not check.passed:
            yield from failure_lines(check)


def failure_lines(check: Check) -> Iterator[str]:
    """A failure: where, what, and what was expected beside what came."""
    yield f"{check.place.text}: FAILED {check.case}: {title(check)}"
    if check.broken:
        yield f"    could not be compared: {check.broken}"
        return
    expected = [line for text in check.expected for line in text.splitlines()]
    got = [line for text in check.got for line in text.splitlines()]
    yield from _side("expected", expected, got)
    yield from _side("got", got, expected)


def _side(word: str, lines: Sequence[str], others: Sequence[str]) -> Iterator[str]:
    """Lines that the other side does not have are marked."""
    for number, line in enumerate(lines):
        mark = " " if line in others else "-" if word == "expected" else "+"
        yield f"    {word if number == 0 else '':<8} {mark} {line}"


def title(check: Check) -> str:
    return f"{check.about} at {duration(check.at_seconds)}"


def _coverage_lines(coverage: Coverage) -> Iterator[str]:
    whole, tested = len(coverage.rules), len(coverage.rules) - len(coverage.untested)
    what = coverage.folder or "Prometheus's rule files"
    yield f"{what}: {tested} of {whole} rules tested"
    for name, place in coverage.untested.items():
        yield f"    {place}: {name} has no test"
    if not coverage.folder:
        return
    for rule in coverage.rules:
        missed = coverage.verdicts_missed(rule)
        if rule in coverage.tested and missed:
            yield f"    {rule} was never {' nor '.join(missed)}"
    if coverage.states_missed:
        yield f"    states never reached: {', '.join(coverage.states_missed)}"
    if coverage.gates_missed:
        yield f"    gates that never refused: {', '.join(coverage.gates_missed)}"


def _sum(files: Sequence[FileRan]) -> str:
    checks = [check for file in files for check in file.checks]
    failed = sum(not check.passed for check in checks)
    refused = len({file.file for file in files if file.problems})
    cases = sum(len(file.ran) for file in files)
    text = f"{_of(len({file.file for file in files}), 'file')}, {_of(cases, 'test')}, "
    text += f"{_of(len(checks), 'check')}: {len(checks) - failed} passed, {failed} failed"
    return text + (f"; {_of(refused, 'file')} could not be used" if refused else "")


def _of(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _file(file: FileRan) -> dict[str, Any]:
    return {
        "file": file.file,
        "environment": file.environment,
        "passed": file.passed,
        "errors": [_problem(problem) for problem in file.problems],
        "advice": [_problem(problem) for problem in file.advice],
        "checks": [_check(check) for check in file.checks],
    }


def _problem(problem: Problem) -> dict[str, str | int]:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "what": problem.what,
        "remedy": problem.remedy,
    }


def _check(check: Check) -> dict[str, Any]:
    return {
        "test": check.case,
        "line": check.place.line,
        "column": check.place.column,
        "eval_time_seconds": check.at_seconds,
        "about": check.about,
        "passed": check.passed,
        "expected": list(check.expected),
        "got": list(check.got),
        "broken": check.broken or None,
    }


def _coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        "folder": coverage.folder or None,
        "rules": sorted(coverage.rules),
        "untested": sorted(coverage.untested),
        "verdicts_never_seen": {
            rule: list(coverage.verdicts_missed(rule))
            for rule in sorted(coverage.rules)
            if coverage.folder and coverage.verdicts_missed(rule)
        },
        "states_never_reached": list(coverage.states_missed) if coverage.folder else [],
        "gates_that_never_refused": list(coverage.gates_missed) if coverage.folder else [],
    }


def _suite(file: FileRan) -> Iterator[str]:
    checks = list(file.checks)
    failed = sum(not check.passed for check in checks)
    name = file.file + (f" [{file.environment}]" if file.environment else "")
    yield (
        f'  <testsuite name={_attribute(name)} tests="{len(checks) + len(file.problems)}" '
        f'failures="{failed}" errors="{len(file.problems)}" skipped="0">\n'
    )
    for problem in file.problems:
        yield f'    <testcase classname={_attribute(file.file)} name="reading the file">\n'
        yield f"      <error message={_attribute(problem.text)}/>\n    </testcase>\n"
    for check in checks:
        name = f"{check.case}: {title(check)} (line {check.place.line})"
        where = f"classname={_attribute(file.file)} name={_attribute(name)}"
        if check.passed:
            yield f"    <testcase {where}/>\n"
            continue
        message = "\n".join(failure_lines(check))
        yield f"    <testcase {where}>\n      <failure message={_attribute(message)}/>\n"
        yield "    </testcase>\n"
    yield "  </testsuite>\n"


def _attribute(text: str) -> str:
    return quoteattr(_NO_XML.sub("\N{REPLACEMENT CHARACTER}", text), {"\n": "&#10;"})
