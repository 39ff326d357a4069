"""The shipped rules do what their unit tests say, and each of them has some."""

from __future__ import annotations

import shutil
from pathlib import Path

from watchdog.core.words import Status
from watchdog.lab.rule_tests import Loader, Report, files_at, run_files
from watchdog.policy.tested import rules_tested_in

ROOT = Path(__file__).resolve().parents[3]


def test_the_shipped_rules_keep_what_their_tests_promise(tmp_path: Path) -> None:
    # a copy: whoever checked this repository out may be neither us nor root
    rules = shutil.copytree(ROOT / "rules", tmp_path / "rules", copy_function=shutil.copyfile)
    report = Report(run_files(files_at(rules), Loader()))
    assert report.passed, report.text()
    (coverage,) = report.coverage
    assert not coverage.untested
    for rule in coverage.rules:
        assert coverage.verdicts[rule] == set(Status), f"{rule}: {coverage.verdicts[rule]}"
    assert set(rules_tested_in(rules)) == set(coverage.rules)
