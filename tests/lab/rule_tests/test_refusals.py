"""A test file that makes no sense is refused with its place, and never passes for that."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.lab.rule_tests.written import HEAD, MORE, OUTAGE, run, write
from tests.policy.texts import PLATFORM, RULES, unmarked
from watchdog.lab.rule_tests import Loader, run_files

PROM_RULES = """\
groups:
  - name: g
    rules:
      - alert: High
        expr: x > 1
"""


LONG = """\
tests: [§{alert_rule_test: [{eval_time: 300d, alertname: x}]}]
evaluation_interval: 1s
"""
MANY = b"""\
tests: [{input_series: [{series: x, values: '0x999999999999999'}], promql_expr_test: [{expr: x}]}]
"""
ENDLESS = b"""\
evaluation_interval: 1s
tests:
  - input_series: [{series: x, values: '0+1x999999999999 _x999999999999'}]
    promql_expr_test: [{expr: x, eval_time: 365d}]
"""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("    rule_test: [{eval_time: 1m, rule: §error-rat, exp_state: ok}]", "mean error-rate?"),
        ("    rule_test: [§{eval_time: 1m, rule: error-rate}]", "expects nothing"),
        ("    rule_test: [{eval_time: 1m, rule: error-rate, exp_state: §held_up}]", "held_up"),
        ("    rule_test: [{eval_time: 1m, rule: error-rate, exp_refused: [§burnin]}]", "burning?"),
        ("    rule_test: [{eval_time: 1m, rule: error-rate, exp_blind: §stael}]", "stale?"),
        ("    rule_test: [{eval_time: §1.5m, rule: error-rate, exp_state: ok}]", "no duration"),
        ("    rule_test: [{eval_time: §2y, rule: error-rate, exp_state: ok}]", "than a year"),
        (
            "    rule_test: [§{eval_time: 1m, rule: peg, exp_verdict: healthy, exp_blind: nan}]",
            "at once",
        ),
        ("    rule_test: [§{rule: error-rate, exp_state: ok}]", "no `eval_time`"),
        ("    rule_test: [{eval_time: 1m, rule: error-rate, §exp_stat: ok}]", "exp_state?"),
        ("    rule_test: [{eval_time: 1m, rule: §slow-quantile, exp_state: ok}]", "label_replace"),
        ("    episode_test: [{eval_time: 1m, rule: §none, exp_states: []}]", "no rule none"),
        (
            "    action_test: [{eval_time: 1m, exp_actions: [§{action: pause-redemption}]}]",
            "without its rule",
        ),
        (
            "    action_test: [{eval_time: 1m, rule: peg, exp_actions: [{action: §pause}]}]",
            "no action pause",
        ),
        (
            """\
    action_test:
      - {eval_time: 1m, rule: peg, exp_actions: [{action: pause-redemption, ruling: §refused}]}""",
            "would_act",
        ),
        ("    page_test: [{eval_time: 1m, exp_pages: [{severity: §P9}]}]", "P0"),
        ("    alert_rule_test: [{alertname: §error-rat}]", "error-rate?"),
        ("    sources: [{source: §ap, is: down, from: 1m}]", "app?"),
        ("    sources: [{source: app, is: §frozen, from: 1m}]", "Write down or unasked"),
        ("    sources: [{source: app, is: down, from: 1m, to: §30s}]", "before it begins"),
        ("    holds: [{from: 1m, to: §1m}]", "before it begins"),
        ("    holds: [§{from: 1m, rule: peg, owner: team-a}]", "several things"),
        ("    deploys: [{from: 1m, to: §1m}]", "before it begins"),
        ("    deploys: [{from: 1m, target: §flag:other}]", "flag:btc_mainnet_redemption"),
        ("    holds: [{from: 1m, target: §flag:other}]", "flag:btc_mainnet_redemption"),
        ("    supposing: {actions: {pause: §{}}}", "pause-redemption"),
        ("    supposing: {ready: §maybe}", "Known are"),
        ("    max_mode: §army", "armed?"),
        ("    start_timestamp: §yesterday", "2026-03-01T02:00:00Z"),
        ("    input_series: [{series: §x y, values: 1}]", "no series"),
        ("    input_series: [{series: 'x{', values: 1}, {series: y, values: §1 b}]", "'b'"),
        ("    input_series: [{series: x, values: 1}, {series: §x, values: 2}]", "stands twice"),
        ("    input_series: [{series: x, values: §'{{schema:1}}'}]", "native histograms"),
        ("    input_series: [{series: x, values: 1, source: §ap}]", "app?"),
        ("    input_series: [{series: §x, values: 1, source: status}]", "peg_ratio"),
        ("    promql_expr_test: [{expr: §label_join(x)}]", "label_join"),
        ("    promql_expr_test: [{expr: §sum(}]", "PromQL"),
        ("    promql_expr_test: [{expr: x, exp_samples: [{labels: §'x{'}]}]", "no series"),
        ("    promql_expr_test: [{expr: x, exp_samples: [{value: §five}]}]", "no number"),
        ("    §alert_rule_tests: []", "alert_rule_test?"),
        ("    §interval: 5s", "stands twice"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(tmp_path: Path, text: str, says: str) -> None:
    whole, line, column = unmarked(HEAD + text + "\n")
    ran = run(tmp_path, whole)
    assert not ran.passed
    found = [p.text for p in ran.problems if (p.line, p.column) == (line, column)]
    assert any(says in one for one in found), [problem.text for problem in ran.problems]
    assert all(p.file == ran.file for p in ran.problems)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rule_files: [§nothing.yaml]\ntests: [{name: x}]\n", "there is no nothing.yaml"),
        ("rule_files: [§'*.yml']\ntests: [{name: x}]\n", "there is no *.yml"),
        ("rule_files: [§/]\ntests: [{name: x}]\n", "platform.yaml"),
        ("rule_files: [rules.yaml, §../other]\ntests: [{name: x}]\n", "two rules folders"),
        ("rule_files: [rules.yaml]\nenvironment: §Prod\ntests: [{name: x}]\n", "name"),
        ("§rule_files: [rules.yaml]\n", "no `tests`"),
        ("tests: §[]\n", "at least 1"),
        ("group_eval_order: [a, §a]\ntests: [{name: x}]\n", "stands twice"),
        ("evaluation_interval: §0s\ntests: [{name: x}]\n", "nothing"),
        ("fuzzy_compare: §yes\ntests: [{name: x}]\n", "neither true nor false"),
        ("tests: [{name: x, §rule_test: [{eval_time: 1m, rule: a, exp_state: ok}]}]\n", "folder"),
        (LONG, "steps"),
        ("§- a\n", "no mapping"),
        ("§", "empty"),
        ("tests: §*a\n", "no anchor"),
        ("tests: &a [§*a]\n", "contains itself"),
        ("tests: [\n§", "not YAML"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, text: str, says: str) -> None:
    whole, line, column = unmarked(text)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/platform.yaml").write_text(PLATFORM)
    ran = run(tmp_path, whole)
    found = [p.text for p in ran.problems if (p.line, p.column) == (line, column)]
    assert any(says in one for one in found), [problem.text for problem in ran.problems]


def test_rules_that_do_not_load_are_told_at_their_own_place(tmp_path: Path) -> None:
    broken = RULES.replace("severity: P0", "severity: P7")
    ran = run(tmp_path, HEAD + OUTAGE, broken + MORE)
    (problem,) = ran.problems
    assert problem.file == f"{tmp_path}/team-a/rules.yaml"
    assert problem.line == 4


def test_a_folder_of_several_environments_wants_one(tmp_path: Path) -> None:
    several = PLATFORM.replace("environment: production", "environments: [production, staging]")
    ran = run(tmp_path, HEAD + OUTAGE, platform=several)
    (problem,) = ran.problems
    assert "several environments" in problem.what
    path = write(tmp_path, HEAD + OUTAGE, platform=several)
    assert run_files([path], Loader(environment="production"))[0].passed
    path.write_text(f"environment: production\n{HEAD}{OUTAGE}")
    assert run_files([path])[0].passed


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (PROM_RULES.replace("x > 1", "§label_join(x)"), "label_join"),
        (PROM_RULES.replace("name: g", "name: g\n    §limit: 5"), "`limit`"),
        (PROM_RULES + "        annotations: {a: §'{{ if $value }}x{{ end }}'}\n", "`if`"),
        (PROM_RULES + "        annotations: {a: §'{{ query \"up\" }}'}\n", "`query`"),
        (PROM_RULES + "        labels: {a: §'{{ $labels.a'}\n", "does not end"),
        (PROM_RULES + "        annotations: {a: §'{{ printf \"%d\" $value }}'}\n", "%d"),
        (PROM_RULES.replace("- alert: High", "- §record: r\n        alert: High"), "either"),
        (PROM_RULES.replace("alert: High", "record: high\n        for: 1m"), "recording rule"),
        (PROM_RULES + "        §fro: 1m\n", "for"),
        (PROM_RULES.replace("expr: x > 1", "for: 1m"), "no `expr`"),
    ],
)
def test_rules_of_prometheus_that_cannot_be_evaluated_here(
    tmp_path: Path, text: str, says: str
) -> None:
    whole = text.replace("§", "")
    (tmp_path / "prom.yaml").write_text(whole)
    (tmp_path / "prom.test.yaml").write_text("rule_files: [prom.yaml]\ntests: [{name: x}]\n")
    (ran,) = run_files([tmp_path / "prom.test.yaml"])
    (problem,) = ran.problems
    assert says in problem.text
    assert problem.file == str(tmp_path / "prom.yaml")
    if "§" in text and "either" not in says:
        assert (problem.line, problem.column) == unmarked(text)[1:]


def test_an_alert_that_does_not_exist_is_pointed_out(tmp_path: Path) -> None:
    """promtool lets it pass, and so do we, but not in silence."""
    (tmp_path / "prom.yaml").write_text(PROM_RULES)
    text = "rule_files: [prom.yaml]\ntests: [{alert_rule_test: [{alertname: Higher}]}]\n"
    (tmp_path / "prom.test.yaml").write_text(text)
    (ran,) = run_files([tmp_path / "prom.test.yaml"])
    assert ran.passed
    (advice,) = ran.advice
    assert "there is no alert Higher" in advice.text


def test_a_series_that_no_rule_reads_is_pointed_out(tmp_path: Path) -> None:
    text = OUTAGE.replace('requests_total{code="500"}', 'request_total{code="500"}')
    ran = run(tmp_path, f"{HEAD}{text}")
    (advice,) = [one for one in ran.advice if "reads" in one.what]
    assert (advice.line, advice.what) == (7, "no rule reads request_total")
    assert advice.remedy == "Did you mean requests_total?"


def _bomb() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "content",
    [
        b"\x7fELF\x02\x01\x00\xff\xfe" * 1000,
        _bomb().encode(),
        b"tests: " + b"[" * 100_000,
        b"tests:\n- {a: b}\n" * 200_000,
        b"rule_files: [" + b"'*/*/*/*/*'," * 30 + b"]\ntests: [{name: x}]\n",
        MANY,
        ENDLESS,
        b"tests: [{promql_expr_test: [{expr: '" + b"(" * 15_000 + b"'}]}]\n",
        b"tests: [{input_series: [{series: 'x{" + b'a="b",' * 2_000 + b"}', values: 1}]}]\n",
    ],
    ids=["binary", "bomb", "deep", "long", "glob", "many", "endless", "parens", "labels"],
)
def test_hostile_files_are_refused_in_time(tmp_path: Path, content: bytes) -> None:
    # our own time: other tests may hold the machine
    path = tmp_path / "hostile.test.yaml"
    path.write_bytes(content)
    began = time.process_time()
    (ran,) = run_files([path])
    assert time.process_time() - began < 2
    assert not ran.passed
    assert ran.problems or any(not check.passed for check in ran.checks)


def test_a_pipe_and_a_huge_file_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.test.yaml")
    with (tmp_path / "huge.test.yaml").open("wb") as huge:
        huge.truncate(100 * 1024 * 1024)
    began = time.process_time()
    pipe, large = run_files([tmp_path / "pipe.test.yaml", tmp_path / "huge.test.yaml"])
    assert time.process_time() - began < 1
    assert "no regular file" in pipe.problems[0].what
    assert "104857600 bytes" in large.problems[0].what
