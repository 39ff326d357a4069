"""Which rules a folder's test files speak of, for whoever misses one."""

from __future__ import annotations

from pathlib import Path

from watchdog.policy.tested import rules_tested, rules_tested_in

TESTS = """\
rule_files: [rules.yaml]
tests:
  - name: not-a-rule
    alert_rule_test: [{eval_time: 1m, alertname: a}]
    rule_test: [{eval_time: 1m, rule: b, exp_state: ok}]
    episode_test: [{eval_time: 1m, rule: c, exp_states: []}]
    action_test: [{eval_time: 1m, exp_actions: [{rule: d, action: not-this}]}]
    page_test: [{eval_time: 1m, rule: e, exp_pages: []}, {eval_time: 1m, exp_pages: []}]
    holds: [{from: 1m, rule: not-that}]
"""


def test_a_rule_is_spoken_of_where_a_check_names_it() -> None:
    found = [(name, place.text) for name, place in rules_tested(TESTS, "x.test.yaml")]
    assert [name for name, _ in found] == ["a", "b", "c", "d", "e"]
    assert found[1] == ("b", "x.test.yaml:5:39")


def test_what_cannot_be_read_speaks_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "team-a").mkdir()
    (tmp_path / "team-a/good.test.yaml").write_text(TESTS)
    (tmp_path / "team-a/broken.test.yaml").write_text("tests: [")
    (tmp_path / "team-a/binary.test.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "team-a/odd.test.yaml").write_text("tests: {rule_test: [rule]}")
    (tmp_path / "team-a/folder.test.yaml").mkdir()
    (tmp_path / "team-a/rules.yaml").write_text(TESTS.replace("rule: b", "rule: z"))
    found = rules_tested_in(tmp_path)
    assert sorted(found) == ["a", "b", "c", "d", "e"]
    assert found["a"].file == "team-a/good.test.yaml"
