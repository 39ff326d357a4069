"""The command `test`: what it prints, what it writes, and its exit status."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from tests.lab.rule_tests.written import HEAD, OUTAGE, write
from watchdog.cli import app
from watchdog.cli.exits import NOT_SO, WRONG_USAGE

CHECK = "    rule_test: [{eval_time: 6m, rule: error-rate, exp_state: contained}]\n"
PASSING = HEAD + OUTAGE + CHECK
FAILING = PASSING.replace("contained", "latched")


def test_the_status_tells_whether_the_rules_do_as_the_tests_say(tmp_path: Path) -> None:
    path = write(tmp_path, PASSING)
    passed = CliRunner().invoke(app, ["test", str(path)])
    assert passed.exit_code == 0, passed.output
    assert "1 file, 1 test, 1 check: 1 passed, 0 failed" in passed.output
    path.write_text(FAILING)
    failed = CliRunner().invoke(app, ["test", str(path)])
    assert failed.exit_code == NOT_SO
    assert "FAILED a story: state of error-rate at 6m" in failed.output


def test_a_folder_stands_for_its_test_files(tmp_path: Path) -> None:
    write(tmp_path, PASSING)
    (tmp_path / "team-a/other.test.yaml").write_text(FAILING)
    (tmp_path / "team-a/.hidden.test.yaml").write_text(FAILING)
    junit = tmp_path / "junit.xml"
    done = CliRunner().invoke(app, ["test", str(tmp_path), "--json", "--junit", str(junit)])
    assert done.exit_code == NOT_SO
    document = json.loads(done.stdout)
    assert [Path(f["file"]).name for f in document["files"]] == [
        "other.test.yaml",
        "story.test.yaml",
    ]
    suites = ET.fromstring(junit.read_text())  # noqa: S314  # what we wrote
    assert [suite.get("failures") for suite in suites] == ["1", "0"]


def test_a_file_that_cannot_be_used_is_not_so(tmp_path: Path) -> None:
    path = write(tmp_path, PASSING.replace("error-rate", "error-rat"))
    done = CliRunner().invoke(app, ["test", str(path)])
    assert done.exit_code == NOT_SO
    assert f"{path}:8:39: there is no rule error-rat. Did you mean error-rate?" in done.output


@pytest.mark.parametrize("given", [["nothing.test.yaml"], ["."], ["story", "--var", "x"]])
def test_wrong_usage_has_its_own_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["test", *given])
    assert done.exit_code == WRONG_USAGE, done.output


def test_a_report_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, PASSING)
    done = CliRunner().invoke(app, ["test", str(path), "--junit", str(tmp_path / "no/such.xml")])
    assert done.exit_code == NOT_SO
    assert "cannot be written" in done.output


def test_variables_and_the_environment_go_before_the_files(tmp_path: Path) -> None:
    path = write(tmp_path, PASSING)
    (tmp_path / "vars/production.yaml").write_text("spare: 1\n")
    assert CliRunner().invoke(app, ["test", str(path)]).exit_code == NOT_SO
    given = ["test", str(path), "--var", "app=http://localhost:1"]
    assert CliRunner().invoke(app, given).exit_code == 0
    assert CliRunner().invoke(app, [*given, "--environment", "staging"]).exit_code == NOT_SO
