"""`events` in a test file: rules that hear them are judged as at night."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.rule_tests.written import failures, run
from tests.policy.test_event_rules import HEARING, RULE
from tests.policy.texts import folder, load, unmarked
from watchdog.cli.explain_page import show_explanation
from watchdog.cli.page import Page
from watchdog.core.spec import Policy
from watchdog.lab.backtest.run import Settings, Stage
from watchdog.lab.explain import explain
from watchdog.lab.explain.formulae import Span
from watchdog.lab.explain.ratios import Asked

ALERTED = """\
  alerted:
    severity: P0
    runbook: docs/runbooks/redemption.md
    event: {from: alertmanager, match: {alertname: "=~Mycelia.*"}}
    for: 30s
    playbook: redemption
    mode: armed
    armed_because: the alert is ours
"""
HEAD = "rule_files: [rules.yaml]\ntests:\n  - name: a story\n"
EVENT = "channel: security, id: inc-42, labels: {severity: critical}"
ALERT = "channel: alertmanager, id: fp, labels: {alertname: MyceliaDown}"


def told(tmp_path: Path, text: str) -> list[str]:
    return failures(run(tmp_path, HEAD + text, RULE + ALERTED, HEARING))


def policy() -> Policy:
    found = load(folder(HEARING, team_a=RULE + ALERTED)).policy
    assert found is not None
    return found


def test_an_event_is_acted_on_when_it_is_told_and_not_when_it_is_told_again(tmp_path: Path) -> None:
    text = f"""\
    events:
      - {{at: 1m, {EVENT}}}
      - {{at: 2m, {EVENT}}}
      - {{at: 3m, channel: security, id: inc-42, status: resolved}}
    action_test:
      - eval_time: 4m
        exp_actions: [{{rule: security-incident, action: pause-redemption, at: 1m}}]
    rule_test:
      - {{eval_time: 2m, rule: security-incident, exp_verdict: breached}}
      - {{eval_time: 3m, rule: security-incident, exp_verdict: healthy, exp_state: contained}}
"""
    assert told(tmp_path, text) == []
    assert told(tmp_path, text.replace("at: 1m}]", "at: 59s}]")) != []


def test_an_alert_that_is_repeated_is_one_and_a_later_beginning_another(tmp_path: Path) -> None:
    text = f"""\
    supposing: {{undo_after: 1m}}
    events:
      - {{at: 1m, {ALERT}}}
      - {{at: 5m, {ALERT}}}
      - {{at: 6m, {ALERT}, status: resolved}}
      - {{at: 30m, {ALERT}}}
      - {{at: 40m, began: 40m, {ALERT}}}
    action_test:
      - eval_time: 50m
        exp_actions:
          - {{rule: alerted, action: pause-redemption}}
          - {{rule: alerted, action: pause-redemption}}
    episode_test:
      - eval_time: 50m
        rule: alerted
        exp_states:
          - {{at: 1m, state: pending}}
          - {{state: acting}}
          - {{state: verifying}}
          - {{state: contained}}
          - {{state: watched}}
          - {{state: ok}}
          - {{at: 40m, state: pending}}
          - {{state: acting}}
          - {{state: verifying}}
          - {{state: contained}}
"""
    assert told(tmp_path, text) == []


def test_a_deaf_channel_blinds_its_rule_alone(tmp_path: Path) -> None:
    text = """\
    sources: [{source: security, is: deaf, from: 1m, to: 2m}]
    rule_test:
      - {eval_time: 90s, rule: security-incident, exp_blind: deaf}
      - {eval_time: 90s, rule: alerted, exp_verdict: healthy}
      - {eval_time: 3m, rule: security-incident, exp_verdict: healthy}
"""
    assert told(tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("    events: [{at: 1m, channel: §securty, id: x}]", "no channel securty"),
        ("    events: [{at: 1m, channel: security, id: §a/b}]", "is no id of an event"),
        ("    events: [{at: §soon, channel: security, id: x}]", "is no duration"),
        ("    events: [{at: 1m, channel: security, id: x, status: §open}]", "open"),
        ("    events: [{at: 1m, channel: security, id: x, §began_at: 1m}]", "unknown key"),
        ("    sources: [{source: security, is: §down, from: 1m}]", "Write deaf or unasked."),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_stands(
    tmp_path: Path, text: str, says: str
) -> None:
    more = "\n    rule_test: [{eval_time: 1m, rule: alerted, exp_verdict: healthy}]\n"
    whole, line, column = unmarked(HEAD + text + more)
    problems = run(tmp_path, whole, RULE + ALERTED, HEARING).problems
    found = [p.text for p in problems if (p.line, p.column) == (line, column)]
    assert any(says in one for one in found), [problem.text for problem in problems]


def test_a_label_that_no_rule_asks_for_is_told(tmp_path: Path) -> None:
    text = """\
    events:
      - {at: 1s, channel: security, id: a, labels: {sevrity: critical}}
      - {at: 1s, channel: security, id: b, labels: {severity: low}}
    rule_test: [{eval_time: 1m, rule: security-incident, exp_verdict: healthy}]
"""
    advice = run(tmp_path, HEAD + text, RULE + ALERTED, HEARING).advice
    assert [problem.what for problem in advice] == ["no rule asks for a label that a has"]


def test_explain_says_what_it_can_and_that_there_is_no_history(
    capsys: pytest.CaptureFixture[str],
) -> None:
    at_once, later = (explain(policy(), name, Asked()) for name in ("security-incident", "alerted"))
    assert (at_once.acts, later.acts) == (Span(0.0, 0.0), Span(30.0, 35.0))
    show_explanation(Page(), later)
    shown = capsys.readouterr().out
    assert "breached while an event of alertmanager{alertname=~" in shown
    assert "It has no signal history" in shown
    assert "a sample every" not in shown


def test_a_backtest_leaves_it_out_by_name() -> None:
    stage = Stage.of(policy(), Settings())
    assert set(stage.left_out) == {"security-incident", "alerted"}
    assert all("it hears events, which have no history" in why for why in stage.left_out.values())
