"""Our own rules under test: what is expected of them is compared with what the core does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.rule_tests.written import HEAD, OUTAGE, failures, run, write
from tests.policy.texts import PLATFORM, RULES
from watchdog.core.entries import Decided
from watchdog.lab.rule_tests import Loader
from watchdog.lab.rule_tests.course import run_course
from watchdog.lab.rule_tests.shapes import GATES
from watchdog.lab.rule_tests.suite import Suite, read_form, suite_of
from watchdog.policy.problem import Findings

ACTS = """\
    rule_test:
      - {eval_time: 5m, rule: error-rate, exp_verdict: healthy, exp_state: ok, exp_refused: []}
      - {eval_time: 6m, rule: error-rate, exp_verdict: breached, exp_reason: "> 5%"}
      - {eval_time: 6m, rule: error-rate, exp_state: contained}
    episode_test:
      - eval_time: 6m
        rule: error-rate
        exp_states:
          [{at: 5m10s, state: pending}, {state: acting}, {state: verifying}, {state: contained}]
    action_test:
      - {eval_time: 5m24s, exp_actions: []}
      - {eval_time: 6m, exp_actions: [{at: 5m25s, rule: error-rate, action: pause-redemption}]}
      - {eval_time: 6m, rule: peg, exp_actions: []}
    page_test:
      - eval_time: 5m30s
        rule: error-rate
        exp_pages: [{severity: P0, title: rolled back}, {at: 5m26s, title: contained}]
    alert_rule_test:
      - {eval_time: 5m24s, alertname: error-rate}
      - eval_time: 5m25s
        alertname: error-rate
        exp_alerts:
          - exp_labels: {severity: P0, owner: team-a, world: live}
            exp_annotations: {runbook: docs/runbooks/redemption.md}
"""


def test_an_outage_is_acted_on_when_for_is_reached(tmp_path: Path) -> None:
    assert failures(run(tmp_path, HEAD + OUTAGE + ACTS)) == []


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("exp_verdict: healthy", "exp_verdict: blind", "verdict of error-rate at 5m"),
        ("exp_verdict: healthy", "exp_blind: stale", "blindness of error-rate at 5m"),
        ('"> 5%"', '"> 50%"', "reason of error-rate at 6m"),
        ("exp_state: contained", "exp_state: latched", "state of error-rate at 6m"),
        ("exp_refused: []", "exp_refused: [mode]", "gates that refuse of error-rate at 5m"),
        ("at: 5m10s", "at: 5m11s", "states of error-rate at 6m"),
        ("{state: acting}, ", "", "states of error-rate at 6m"),
        ("eval_time: 5m24s, exp_actions", "eval_time: 5m25s, exp_actions", "actions at 5m25s"),
        ("at: 5m25s", "at: 5m20s", "actions at 6m"),
        ("title: contained", "title: latched", "pages about error-rate at 5m30s"),
        ("severity: P0, title", "severity: P1, title", "pages about error-rate at 5m30s"),
        ("world: live}", "world: shadow}", "alert error-rate at 5m25s"),
        ("{runbook: docs", "{runbook: doc", "alert error-rate at 5m25s"),
        ("eval_time: 5m24s, alertname", "eval_time: 5m25s, alertname", "alert error-rate at 5m25s"),
    ],
)
def test_what_does_not_come_is_told(tmp_path: Path, right: str, wrong: str, says: str) -> None:
    assert right in ACTS
    (failure,) = failures(run(tmp_path, HEAD + OUTAGE + ACTS.replace(right, wrong, 1)))
    assert failure.endswith(f"FAILED a story: {says}")


READ = """\
  error-rate:
    from: alerts.yaml#ErrorRateHigh
    source: app
    minimum_events: 20
    playbook: redemption
    mode: armed
    armed_because: launch decision
"""
READ_FROM = """\
groups:
  - name: redemption
    rules:
      - alert: ErrorRateHigh
        expr: sum(rate(requests_total{code=~"5.."}[30s])) / sum(rate(requests_total[30s])) > 0.05
        for: 15s
        labels: {severity: critical, team: redemption}
        annotations: {summary: too many fail}
"""
ORIGINAL = """\
    alert_rule_test:
      - {eval_time: 4m, alertname: ErrorRateHigh}
      - eval_time: 8m
        alertname: ErrorRateHigh
        exp_alerts:
          - exp_labels: {severity: critical, team: redemption}
            exp_annotations: {summary: too many fail}
"""


def test_a_test_of_the_alert_that_a_rule_is_read_from_tests_the_rule(tmp_path: Path) -> None:
    """The same checks, of Prometheus's own rules and of ours."""
    rules = f"version: 1\nrules:\n{READ}"
    write(tmp_path, HEAD, rules)
    (tmp_path / "team-a/alerts.yaml").write_text(READ_FROM)
    theirs = HEAD.replace("rules.yaml", "alerts.yaml")
    theirs = theirs.replace("tests:", "evaluation_interval: 15s\ntests:")
    for way in (HEAD, theirs):
        assert failures(run(tmp_path, way + OUTAGE + ORIGINAL, rules)) == []
    # What the watchdog adds is compared where a test names it.
    added = "team: redemption, rule: error-rate, watchdog: slo-watchdog}"
    named = ORIGINAL.replace("team: redemption}", added)
    assert failures(run(tmp_path, HEAD + OUTAGE + named, rules)) == []
    (failure,) = failures(run(tmp_path, HEAD + OUTAGE + ORIGINAL.replace("critical", "P1"), rules))
    assert failure.endswith("alert ErrorRateHigh at 8m")
    asked = ORIGINAL.replace("alertname: ErrorRateHigh", "alertname: error-rate")
    problem, *_ = run(tmp_path, HEAD + OUTAGE + asked, rules).problems
    assert problem.remedy == "The alert of the rule error-rate is named ErrorRateHigh: write that."


def test_an_action_that_no_check_proves_is_proven_by_the_recovery_alone(tmp_path: Path) -> None:
    unchecked = "\n".join(line for line in PLATFORM.splitlines() if "contained_when" not in line)
    assert unchecked.count("\n") == PLATFORM.count("\n") - 2
    (failure, *_) = failures(run(tmp_path, HEAD + OUTAGE + ACTS, platform=unchecked + "\n"))
    assert failure.endswith("FAILED a story: state of error-rate at 6m"), "at night it is verified"
    told = HEAD + "    supposing: {actions: {pause-redemption: {contained: true}}}\n" + OUTAGE
    (problem,) = run(tmp_path, told, platform=unchecked + "\n").problems
    assert problem.what == "pause-redemption has no contained_when that could say it"


def test_blindness_has_its_reason(tmp_path: Path) -> None:
    text = """\
    input_series:
      - {series: 'requests_total{code="200"}', values: 0+100x60 _x12 7200+100x60}
      - {series: peg_ratio, values: 1x62 NaN stale _x4 1x60, source: status}
    sources:
      - {source: app, is: restarted, from: 8m}
      - {source: status, is: down, from: 9m}
    rule_test:
      - {eval_time: 0s, rule: error-rate, exp_blind: newborn}
      - {eval_time: 5m30s, rule: error-rate, exp_blind: no_traffic}
      - {eval_time: 8m, rule: error-rate, exp_blind: restarted}
      - {eval_time: 8m30s, rule: error-rate, exp_verdict: healthy}
      - {eval_time: 5m10s, rule: peg, exp_verdict: healthy}
      - {eval_time: 5m15s, rule: peg, exp_blind: nan}
      - {eval_time: 5m30s, rule: peg, exp_blind: no_data}
      - {eval_time: 9m, rule: peg, exp_blind: source_down}
"""
    assert failures(run(tmp_path, HEAD + text)) == []


def test_a_document_that_stands_still_is_old_and_then_frozen(tmp_path: Path) -> None:
    text = """\
    input_series: [{series: peg_ratio, values: 1x20 0.5x100}]
    sources: [{source: status, is: frozen, from: 1m}]
    rule_test:
      - {eval_time: 1m30s, rule: peg, exp_verdict: healthy}
      - {eval_time: 3m, rule: peg, exp_blind: frozen}
    episode_test:
      - {eval_time: 10m, rule: peg, exp_states: []}
"""
    assert failures(run(tmp_path, HEAD + text)) == []


def test_a_prometheus_answers_by_the_evaluator_here(tmp_path: Path) -> None:
    text = """\
    input_series:
      - {series: 'used{kind="x"}', values: 50x60 95x100}
      - {series: limit, values: 100x160}
      - {series: 'prom_requests_total{code="200"}', values: 0+10x60 600x200}
      - {series: 'prom_requests_total{code="500"}', values: 0x60 0+10x200}
    sources:
      - {source: prom, is: partial, from: 9m, to: 10m}
      - {source: prom, is: down, from: 11m, to: 12m}
      - {source: prom, is: frozen, from: 12m30s}
    rule_test:
      - {eval_time: 5m, rule: saturated, exp_verdict: healthy, exp_reason: is 50%}
      - {eval_time: 6m, rule: saturated, exp_state: pending}
      - {eval_time: 8m, rule: saturated, exp_verdict: breached, exp_refused: [mode]}
      - {eval_time: 8m, rule: failing, exp_verdict: breached, exp_state: held}
      - {eval_time: 9m30s, rule: saturated, exp_blind: partial, exp_state: held}
      - {eval_time: 11m30s, rule: saturated, exp_blind: unreachable}
      - {eval_time: 12m30s, rule: saturated, exp_verdict: breached}
      - {eval_time: 15m, rule: saturated, exp_blind: frozen}
"""
    assert failures(run(tmp_path, HEAD + text)) == []


def test_a_hold_is_a_gate_and_a_silence_keeps_pages_back(tmp_path: Path) -> None:
    text = """\
    holds: [{rule: error-rate, from: 1m, to: 5m40s, silence: true, reason: a drill}]
    rule_test:
      - {eval_time: 5m30s, rule: error-rate, exp_state: held, exp_refused: [hold, burning]}
      - {eval_time: 9m, rule: error-rate, exp_refused: [burning]}
    action_test: [{eval_time: 9m, exp_actions: []}]
    page_test: [{eval_time: 9m, rule: error-rate, exp_pages: []}]
"""
    assert failures(run(tmp_path, HEAD + OUTAGE + text)) == []


def test_supposed_outcomes_lead_where_they_would(tmp_path: Path) -> None:
    text = """\
    supposing: {actions: {pause-redemption: {takes: 5s, outcome: unknown}}}
    episode_test:
      - eval_time: 6m
        rule: error-rate
        exp_states: [{state: pending}, {at: 5m25s, state: acting}, {at: 5m30s, state: latched}]
"""
    assert failures(run(tmp_path, HEAD + OUTAGE + text)) == []


def test_what_a_person_undoes_is_watched(tmp_path: Path) -> None:
    text = """\
    input_series:
      - {series: 'requests_total{code="200"}', values: 0+100x60 6000x20 6000+100x500}
      - {series: 'requests_total{code="500"}', values: 0x60 0+100x20 2000x500}
    supposing: {undo_after: 1m}
    rule_test: [{eval_time: 9m, rule: error-rate, exp_state: watched}]
"""
    assert failures(run(tmp_path, HEAD + text)) == []


def test_a_lower_mode_of_the_process_counts(tmp_path: Path) -> None:
    text = """\
    max_mode: shadow
    action_test:
      - eval_time: 6m
        rule: error-rate
        exp_actions: [{action: pause-redemption, ruling: would_act}]
    page_test: [{eval_time: 6m, rule: error-rate, exp_pages: []}]
"""
    assert failures(run(tmp_path, HEAD + OUTAGE + text)) == []


def test_a_maintenance_window_is_met_at_its_time_of_the_week(tmp_path: Path) -> None:
    window = """\
maintenance:
  weekly:
    scope: {owner: team-a}
    days: [tue]
    from: "02:00"
    to: "04:00"
    zone: UTC
    reason: the weekly deploy
"""
    text = """\
    start_timestamp: 2026-03-03T02:30:00Z
    rule_test:
      - {eval_time: 6m, rule: error-rate, exp_state: held, exp_refused: [hold, burning]}
"""
    assert failures(run(tmp_path, HEAD + OUTAGE + text, platform=PLATFORM + window)) == []
    later = text.replace("02:30", "04:30").replace("held", "contained").replace("hold, burning", "")
    assert failures(run(tmp_path, HEAD + OUTAGE + later, platform=PLATFORM + window)) == []


def suite_at(path: Path) -> Suite:
    findings = Findings()
    form = read_form(path, findings)
    assert form is not None, findings.errors
    suite = suite_of(form, None, Loader(), findings)
    assert suite is not None, findings.errors
    return suite


DEPLOYED = """\
    deploys: [{from: 5m, to: 7m, target: "flag:btc_mainnet_redemption", change: v2}]
    rule_test:
      - {eval_time: 6m59s, rule: error-rate, exp_state: held, exp_refused: [deploy]}
    action_test:
      - {eval_time: 6m59s, exp_actions: []}
      - {eval_time: 7m10s, exp_actions: [{at: 7m5s, rule: error-rate, action: pause-redemption}]}
"""


def test_nothing_starts_under_a_deploy_and_what_it_leaves_broken_is_acted_on(
    tmp_path: Path,
) -> None:
    """By the first look after its end."""
    assert failures(run(tmp_path, HEAD + OUTAGE + DEPLOYED)) == []


def test_passes_that_are_left_out_find_nothing_new(tmp_path: Path) -> None:
    """The same story with every pass of the daemon gives the same record."""
    text = """\
    input_series:
      - {series: 'requests_total{code="200"}', values: 0+100x60 6000x60 _x20 6000+100x200}
      - {series: 'requests_total{code="500"}', values: 0x60 0+100x5 500x200}
      - {series: peg_ratio, values: 1x70 0.9x10 1x300}
    sources:
      - {source: status, is: unasked, from: 12m, to: 14m}
      - {source: status, is: frozen, from: 16m, to: 19m}
      - {source: app, is: down, from: 18m, to: 25m}
    holds: [{from: 15m, to: 15m30s}]
    supposing: {undo_after: 1m}
    rule_test: [{eval_time: 26m, rule: peg, exp_state: ok}]
"""
    # without rules of a Prometheus, in whose presence every pass is made
    path = write(tmp_path, HEAD + text, RULES + PEG, PLATFORM.replace(PROM, ""))
    suite = suite_at(path)
    assert suite.rules.ours is not None
    (case,) = suite.cases
    few = run_course(suite.rules.ours, case)
    all_of_them = run_course(suite.rules.ours, case, every_pass=True)
    assert [(r.at, r.entry) for r in few.log] == [(r.at, r.entry) for r in all_of_them.log]
    assert len(few.log) > 20
    assert few.verdicts == all_of_them.verdicts


PROM = '  prom: {prometheus: "http://localhost:9090", every: 15s, scraped_every: 30s}\n'
PEG = """\
  peg:
    severity: P0
    source: status
    integrity: {expr: peg_ratio, breach_when: "< 1"}
    for: 45s
    mode: observe
"""


def test_the_gates_have_the_names_that_decisions_record(tmp_path: Path) -> None:
    path = write(tmp_path, HEAD + OUTAGE + ACTS)
    suite = suite_at(path)
    assert suite.rules.ours is not None
    course = run_course(suite.rules.ours, suite.cases[0])
    (decided,) = [r.entry for r in course.log if isinstance(r.entry, Decided) and r.entry.gates]
    assert tuple(answer.gate for answer in decided.gates) == GATES


def test_a_probe_holds_unless_the_test_says_otherwise(tmp_path: Path) -> None:
    probe = """\
  public-probe:
    severity: P0
    liveness: {http: "https://mycelia.example/health", fail: 3 of 5}
    every: 10s
    mode: observe
"""
    text = """\
    sources:
      - {source: public-probe, is: failing, from: 2m, to: 4m}
      - {source: public-probe, is: unseen, from: 6m}
    rule_test:
      - {eval_time: 110s, rule: public-probe, exp_verdict: healthy}
      - {eval_time: 135s, rule: public-probe, exp_verdict: healthy}
      - {eval_time: 140s, rule: public-probe, exp_verdict: breached}
      - {eval_time: 5m30s, rule: public-probe, exp_verdict: healthy, exp_state: ok}
      - {eval_time: 8m, rule: public-probe, exp_blind: unreachable}
"""
    assert failures(run(tmp_path, HEAD + text, rules=RULES + probe)) == []


ASKS = """\
    approvals: [{at: 5m40s, by: [alice]}, {at: 5m50s, by: [alice, bob], rule: error-rate}]
    rule_test:
      - {eval_time: 5m45s, rule: error-rate, exp_state: awaiting}
      - {eval_time: 6m, rule: error-rate, exp_state: contained}
    action_test:
      - eval_time: 6m
        rule: error-rate
        exp_actions:
          - {at: 5m25s, action: pause-redemption, ruling: needs_approval}
          - {at: 5m50s, action: pause-redemption}
"""


def test_people_are_asked_and_answer_as_the_test_says(tmp_path: Path) -> None:
    asking = PLATFORM.replace("mode: armed, within", "mode: approve, approvals: 2, within")
    assert asking != PLATFORM
    assert failures(run(tmp_path, HEAD + OUTAGE + ASKS, platform=asking)) == []
    told = ASKS.replace("by: [alice, bob]", "by: [alice]")
    assert len(failures(run(tmp_path, HEAD + OUTAGE + told, platform=asking))) == 2
    denied = ASKS.replace("rule: error-rate}]", "rule: error-rate, denied: true}]")
    (one, other) = failures(run(tmp_path, HEAD + OUTAGE + denied, platform=asking))
    assert "state of error-rate at 6m" in one
    assert "actions of error-rate at 6m" in other


def test_who_answers_for_a_rule_that_is_none_is_told(tmp_path: Path) -> None:
    ran = run(tmp_path, HEAD + OUTAGE + ASKS.replace("rule: error-rate}]", "rule: eror-rate}]"))
    assert any("eror-rate" in problem.text for problem in ran.problems)
