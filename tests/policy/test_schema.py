"""The schemas for editors: current, valid, and true of every file that loads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML
from typer.testing import CliRunner

from tests.policy.lint_examples import well
from tests.policy.test_config_actions import SITES
from tests.policy.texts import PLATFORM, RULES, VARS
from watchdog.cli import app
from watchdog.cli.schema import SCHEMAS
from watchdog.lab.rule_tests.suite import read_form
from watchdog.policy.problem import Findings
from watchdog.policy.schema import FOLDER, text_of

SHIPPED = Path(__file__).resolve().parents[2] / "rules"
TEST = """\
rule_files:
environments: [production, sandbox]
fuzzy_compare: "true"
tests:
  - name:
    max_mode: shadow
    environments: [sandbox]
    external_labels: {rank: 1}
    input_series:
      - {series: up, values: 5}
      - series: down
        values:
    alert_rule_test:
      - alertname: Any
        exp_alerts:
    promql_expr_test: [{expr: up, eval_time: 0, exp_samples: [{labels: up, value: .NaN}]}]
    sources: [{source: public, is: failing, from: 1m}]
    supposing:
    rule_test: [{eval_time: 5m, rule: peg, exp_verdict: blind, exp_refused: [burning]}]
    page_test: [{eval_time: 5m, exp_pages: [{title: is blind}]}]
"""
"""Every way of writing what the reader of test files takes as well."""
_LINE = "# yaml-language-server: $schema="


def kind_of(path: str) -> str:
    if path in {"platform.yaml", "contacts.yaml"}:
        return path.removesuffix(".yaml")
    if path.endswith(".test.yaml"):
        return "tests"
    return "vars" if path.startswith("vars/") else "rules"


def data(text: str) -> Any:
    """As an editor reads it."""
    return YAML(typ="safe", pure=True).load(text)


def faults(kind: str, text: str) -> list[str]:
    validator = Draft202012Validator(SCHEMAS[kind]())
    return [error.message for error in validator.iter_errors(data(text))]


def shipped() -> Iterator[tuple[str, str]]:
    for path in sorted(SHIPPED.rglob("*.yaml")):
        name = path.relative_to(SHIPPED).as_posix()
        yield name, path.read_text()


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_one(kind: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[kind]())


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_shipped_schemas_are_current(kind: str) -> None:
    kept = SHIPPED / FOLDER / f"{kind}.json"
    assert kept.read_text() == text_of(kind, SCHEMAS), "run: slo-watchdog schema --write rules"


def test_the_shipped_files_satisfy_the_schema_that_they_name() -> None:
    for name, text in shipped():
        first = text.splitlines()[0]
        assert first.startswith(_LINE), name
        named = (SHIPPED / name).parent / first.removeprefix(_LINE)
        assert named.resolve() == (SHIPPED / FOLDER / f"{kind_of(name)}.json").resolve()
        validator = Draft202012Validator(json.loads(named.read_text()))
        assert [error.message for error in validator.iter_errors(data(text))] == [], name


def test_the_test_file_has_the_form_that_is_judged(tmp_path: Path) -> None:
    findings = Findings()
    (tmp_path / "story.test.yaml").write_text(TEST)
    assert read_form(tmp_path / "story.test.yaml", findings) is not None, findings.errors


def test_files_that_load_satisfy_their_schema() -> None:
    loaded = [("platform.yaml", PLATFORM), ("team-a/rules.yaml", RULES), ("vars/p.yaml", VARS)]
    loaded += [(p, t) for p, t in well().items() if not p.endswith(".test.yaml")]
    loaded += [("team-a/story.test.yaml", TEST)]
    loaded += [("platform.yaml", SITES)]
    for path, text in loaded:
        assert faults(kind_of(path), text) == [], path


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("rules", "severity: P0", "severity: P9"),
        ("rules", "severity: P0", "severty: P0"),
        ("rules", "minimum_events: 20", "minimum_events: many"),
        ("rules", "mode: armed", "mode: arned"),
        ("rules", "version: 1", "version: 2"),
        ("platform", "every: 5s", "evry: 5s"),
        ("platform", "every: 5s", "every: 5"),
        ("platform", "version: 1\n", ""),
        ("platform", "team-a: [redemption, pause-redemption]", "team-a: redemption"),
        ("vars", "app: http://localhost:3000", "app: [http://localhost:3000]"),
        ("tests", "exp_verdict: blind", "exp_verdict: blnd"),
        ("tests", "max_mode: shadow", "max_mode: 1"),
        ("tests", "eval_time: 0", "eval_tme: 0"),
        ("tests", "exp_refused: [burning]", "exp_refused: [burnt]"),
        ("tests", "is: failing", "is: broken"),
    ],
)
def test_an_editor_sees_what_is_no_word_of_the_language(kind: str, right: str, wrong: str) -> None:
    text = {"rules": RULES, "platform": PLATFORM, "vars": VARS, "tests": TEST}[kind]
    assert right in text
    assert faults(kind, text.replace(right, wrong, 1)) != []


@pytest.mark.parametrize("right", ["minimum_events: 20", "for: 15s", "mode: armed", "severity: P0"])
def test_a_variable_may_stand_for_any_scalar(right: str) -> None:
    key = right.partition(":")[0]
    assert faults("rules", RULES.replace(right, f'{key}: "{{{{ it }}}}"', 1)) == []


def test_the_command_prints_one_and_writes_all(tmp_path: Path) -> None:
    printed = CliRunner().invoke(app, ["schema", "rules"])
    assert printed.exit_code == 0
    assert json.loads(printed.output)["title"] == "One owner's rules"
    every = json.loads(CliRunner().invoke(app, ["schema"]).output)
    assert set(every) == set(SCHEMAS)
    written = CliRunner().invoke(app, ["schema", "--write", str(tmp_path)])
    assert written.exit_code == 0
    assert "yaml-language-server: $schema=../.schema/rules.json" in written.output
    assert {path.stem for path in (tmp_path / FOLDER).iterdir()} == set(SCHEMAS)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["schema", "nonsense"], 2, "There is no schema nonsense"),
        (["schema", "--write", "nowhere"], 1, "nowhere is no folder"),
    ],
)
def test_what_cannot_be_written_is_told(words: list[str], status: int, said: str) -> None:
    ran = CliRunner().invoke(app, words)
    assert (ran.exit_code, said in ran.output) == (status, True)
