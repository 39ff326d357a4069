"""What people, machines and CI read of a run."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from xml.etree import ElementTree as ET

from tests.lab.rule_tests.written import HEAD, OUTAGE, run, write
from watchdog.core.alerting import alert_labels
from watchdog.core.states import State
from watchdog.core.words import World
from watchdog.engine import Views
from watchdog.lab.rule_tests import Loader, Report, run_files
from watchdog.lab.rule_tests.checks import as_alerts
from watchdog.lab.rule_tests.course import Standing
from watchdog.lab.rule_tests.shapes import AlertShape, AlertTestShape
from watchdog.policy import load_folder
from watchdog.web import prometheus_api

NAME = "a story of <&\"' and \x01"
FAILING = (
    HEAD.replace("a story", json.dumps(NAME))
    + OUTAGE
    + """\
    rule_test:
      - {eval_time: 5m, rule: error-rate, exp_verdict: healthy}
      - {eval_time: 6m, rule: error-rate, exp_state: held}
    episode_test:
      - eval_time: 6m
        rule: error-rate
        exp_states: [{at: 5m10s, state: pending}, {at: 5m25s, state: held}]
"""
)


def test_a_failure_shows_what_was_expected_beside_what_came(tmp_path: Path) -> None:
    report = Report((run(tmp_path, FAILING),))
    assert not report.passed
    lines = report.text().splitlines()
    file = f"{tmp_path}/team-a/story.test.yaml"
    start = lines.index(f"{file}:12:9: FAILED {NAME}: states of error-rate at 6m")
    assert lines[start + 1 : start + 7] == [
        "    expected   5m10s pending",
        "             - 5m25s held",
        "    got        5m10s pending",
        "             + 5m25s acting",
        "             + 5m26s verifying",
        "             + 5m26s contained",
    ]
    assert lines[-1] == "1 file, 1 test, 3 checks: 1 passed, 2 failed"


def test_the_summary_names_what_was_not_reached(tmp_path: Path) -> None:
    lines = Report((run(tmp_path, FAILING),)).text().splitlines()
    start = lines.index(f"{tmp_path}: 1 of 5 rules tested")
    said = "\n".join(lines[start:])
    assert "failing has no test" in said
    assert "error-rate was never blind" not in said, "a newborn counter is blind"
    assert "states never reached: held, awaiting, shadowed, watched, latched" in said
    assert "gates that never refused: evidence, environment" in said


def test_the_json_says_the_same(tmp_path: Path) -> None:
    document = json.loads(Report((run(tmp_path, FAILING),)).json())
    assert not document["passed"]
    (file,) = document["files"]
    assert [check["passed"] for check in file["checks"]] == [True, False, False]
    second = file["checks"][1]
    assert (second["line"], second["eval_time_seconds"]) == (10, 360.0)
    assert second["expected"] == ["held"]
    (coverage,) = document["coverage"]
    assert coverage["untested"] == ["failing", "peg", "saturated", "slow-quantile"]
    assert "held" in coverage["states_never_reached"]


def test_the_junit_file_can_be_read(tmp_path: Path) -> None:
    good = write(tmp_path, FAILING)
    bad = tmp_path / "bad.test.yaml"
    bad.write_text("tests: [")
    report = Report(run_files([good, bad], Loader()))
    suites = ET.fromstring(report.junit())  # noqa: S314  # what we wrote
    assert [suite.get("name") for suite in suites] == [str(good), str(bad)]
    assert [(s.get("tests"), s.get("failures"), s.get("errors")) for s in suites] == [
        ("3", "2", "0"),
        ("1", "0", "1"),
    ]
    failures = suites.findall(".//failure")
    assert len(failures) == 2
    assert "+ 5m25s acting" in (failures[1].get("message") or "")
    named = {case.get("name", "") for case in suites.iter("testcase")}
    shown = NAME.replace("\x01", "\N{REPLACEMENT CHARACTER}")
    assert f"{shown}: verdict of error-rate at 5m (line 9)" in named


def test_the_alert_is_the_one_that_the_prometheus_api_shows(tmp_path: Path) -> None:
    """Both show an episode by the same labels and annotations, in the same states."""
    write(tmp_path, HEAD)
    policy = load_folder(tmp_path, "production").policy
    assert policy is not None
    rule = policy.rules["error-rate"]
    told = alert_labels(rule, "production", World.LIVE)
    for state in State:
        view = {"state": state.value, "episode": "E1", "verdict": None}
        ep = {"id": "E1", "state": state.value, "opened": "", "reason": "so"}
        views = SimpleNamespace(
            policy=lambda: SimpleNamespace(rules={rule.name: rule}),
            in_trouble=lambda: [rule.name],
            standing=lambda _rule, view=view: view,
            episodes=lambda ep=ep: [ep],
            alert_labels=lambda _episode: dict(told),
        )
        shown: Any = prometheus_api.alerts(cast("Views", views))["alerts"]
        asks = AlertTestShape(
            alertname=rule.name,
            exp_alerts=[AlertShape(exp_labels=dict(told), exp_annotations={"episode": "x"})],
        )
        ours = as_alerts(rule, Standing(None, state, "E1", "so", (), told), asks)
        firing = [alert for alert in shown if alert["state"] == "firing"]
        assert [dict(alert.labels) for alert in ours] == [alert["labels"] for alert in firing]
        assert [dict(a.annotations) for a in ours] == [alert["annotations"] for alert in firing]
