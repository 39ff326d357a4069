"""Rules with `each` in unit tests, in a backtest and in an explanation: members are told apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.backtest.past import BEGAN, EVERY, OUTAGE, SPAN, openmetrics, policy, rules_folder
from tests.lab.rule_tests.written import failures, run
from watchdog.core.words import Severity
from watchdog.lab.backtest import Settings, Stage, replay
from watchdog.lab.backtest.incidents import Incident
from watchdog.lab.backtest.score import score
from watchdog.lab.explain import Asked, explain
from watchdog.lab.history import read_openmetrics
from watchdog.lab.report.document import document
from watchdog.lab.rule_tests.coverage import coverage_of
from watchdog.lab.tune import Grid, sweep, variants

SATURATED = """\
version: 1
rules:
  saturated:
    severity: P2
    source: app
    threshold: {expr: "max by (db) (used)", breach_when: "> 90%"}
    each: [db]
    for: 15s
    runbook: docs/databases.md
    playbook: redemption
    mode: shadow
"""

HEAD = """\
rule_files: [rules.yaml]
tests:
  - name: two databases
    interval: 5s
    input_series:
      - {series: 'used{db="orders"}', values: 0.2x12 0.95x60}
      - {series: 'used{db="users"}', values: 0.2x12 0.95x12 0.2x60}
      - {series: 'used{db="stock"}', values: 0.2x60 _x60}
"""

TELLS = """\
    rule_test:
      - {eval_time: 50s, rule: saturated, exp_verdict: healthy, exp_reason: all 3 healthy}
      - {eval_time: 100s, rule: saturated, exp_verdict: breached, exp_reason: 2 of 3}
      - {eval_time: 100s, rule: 'saturated{db="orders"}', exp_state: shadowed}
      - {eval_time: 200s, rule: 'saturated{db="users"}', exp_verdict: healthy, exp_state: ok}
      - {eval_time: 330s, rule: 'saturated{db="stock"}', exp_blind: no_data}
    episode_test:
      - eval_time: 200s
        rule: 'saturated{db="users"}'
        exp_states: [{at: 65s, state: pending}, {at: 80s, state: shadowed}, {state: ok}]
    action_test:
      - eval_time: 200s
        rule: saturated
        exp_actions:
          - {rule: 'saturated{db="orders"}', ruling: would_act, action: pause-redemption}
          - {rule: 'saturated{db="users"}', ruling: would_act, action: pause-redemption}
    alert_rule_test:
      - eval_time: 200s
        alertname: saturated
        exp_alerts:
          - exp_labels: {db: orders, severity: P2, owner: team-a, world: shadow}
            exp_annotations: {runbook: docs/databases.md}
"""


def test_unit_tests_name_members_and_cover_the_family(tmp_path: Path) -> None:
    ran = run(tmp_path, HEAD + TELLS, SATURATED)
    assert failures(ran) == []
    (coverage,) = coverage_of([ran])
    assert (set(coverage.rules), coverage.tested) == ({"saturated"}, {"saturated"})
    assert coverage.verdicts_missed("saturated") == ()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("{eval_time: 1m, rule: 'saturated{pod=\"x\"}', exp_verdict: healthy}", "there is no rule"),
        ("{eval_time: 1m, rule: saturated, exp_state: ok}", "has no episode itself"),
    ],
)
def test_what_names_no_member_is_refused_with_how_to_write_it(
    tmp_path: Path, wrong: str, says: str
) -> None:
    ran = run(tmp_path, f"{HEAD}    rule_test:\n      - {wrong}\n", SATURATED)
    (problem,) = ran.problems
    assert says in problem.what
    assert problem.remedy == "Write 'saturated{db=\"DB\"}'."


BY_SHARD = """\
  by-shard:
    severity: P2
    source: app
    threshold:
      bad: shard_requests_total{code="500"}
      total: shard_requests_total
      over: 5m
      breach_when: "> 10%"
    each: [shard]
    for: 1m
    minimum_events: 10
    runbook: docs/x.md
    playbook: p
    mode: shadow
"""


def shards(step: int) -> dict[str, float]:
    """Half of what the first of two shards is asked fails in the outage."""
    failed = 5.0 * max(0, min(step, OUTAGE[1]) - OUTAGE[0])
    return {
        'shard_requests_total{shard="a",code="200"}': 10.0 * step - failed,
        'shard_requests_total{shard="a",code="500"}': failed,
        'shard_requests_total{shard="b",code="200"}': 10.0 * step,
        'shard_requests_total{shard="b",code="500"}': 0.0,
    }


def test_a_backtest_fires_for_the_member_and_scores_the_family(tmp_path: Path) -> None:
    folder = rules_folder(tmp_path / "r")
    rules = folder / "team/rules.yaml"
    rules.write_text(rules.read_text() + BY_SHARD)
    stage = Stage.of(policy(folder), Settings(), only=["by-shard"])
    history = read_openmetrics(openmetrics(tmp_path / "h", shards), None)
    done = replay(stage, history, SPAN, Settings())
    (firing,) = done.firings
    assert (firing.rule, firing.action) == ('by-shard{shard="a"}', "pause")
    assert firing.recovered_at is not None
    span = BEGAN + EVERY * OUTAGE[0], BEGAN + EVERY * OUTAGE[1]
    for labels, recall in (((("shard", "a"),), 1.0), ((("shard", "b"),), 0.0), ((), 1.0)):
        incident = Incident(*span, Severity.P2, labels=labels)
        scored = score(done.firings, [incident], stage.policy.rules, SPAN)
        assert scored.rules["by-shard"].recall == recall, labels
    assert document(done)["rules"]["by-shard"]["acted"] == 1


def test_a_sweep_measures_the_family_by_its_members(tmp_path: Path) -> None:
    folder = rules_folder(tmp_path / "r")
    rules = folder / "team/rules.yaml"
    rules.write_text(rules.read_text() + BY_SHARD)
    stage = Stage.of(policy(folder), Settings(), only=["by-shard"])
    history = read_openmetrics(openmetrics(tmp_path / "h", shards), None)
    tried, _ = variants(stage.policy.rules["by-shard"], Grid(factors=(0.5, 1), windows=(1,)))
    span = BEGAN + EVERY * OUTAGE[0], BEGAN + EVERY * OUTAGE[1]
    known = Incident(*span, Severity.P2, labels=(("shard", "a"),))
    points = sweep(stage, tried, history, SPAN, Settings(), [known])
    assert [(point.figures.recall, point.figures.false) for point in points] == [(1.0, 0)] * 2
    sooner, later = sorted(point.figures.detection_p50_seconds or 0 for point in points)
    assert 0 < sooner < later


def test_an_explanation_is_of_one_label_set(tmp_path: Path) -> None:
    folder = rules_folder(tmp_path / "r")
    rules = folder / "team/rules.yaml"
    rules.write_text(rules.read_text() + BY_SHARD)
    plan = policy(folder)
    told = explain(plan, "by-shard", Asked(traffic=10.0))
    assert told.notes[0] == "This is of each shard by itself; at most 20 of them are watched."
    assert told.ratios is not None
