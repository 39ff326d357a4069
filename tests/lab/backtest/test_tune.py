"""A sweep tries what could be written, and the edit changes the numbers and nothing else."""

import difflib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.backtest.past import (
    BEGAN,
    EVERY,
    OUTAGE,
    SPAN,
    openmetrics,
    policy,
    rules_folder,
)
from watchdog.core.spec import RatioThreshold, Slo
from watchdog.core.words import Severity
from watchdog.lab.backtest import Settings, Stage, replay
from watchdog.lab.backtest.incidents import Incident
from watchdog.lab.history import Bad, read_openmetrics
from watchdog.lab.tune import Grid, Sweep, edited, sweep, variants

KNOWN = Incident(
    BEGAN + EVERY * OUTAGE[0], BEGAN + EVERY * OUTAGE[1], Severity.P0, name="half of all fail"
)


def test_each_point_is_what_a_backtest_of_that_variant_says(tmp_path: Path) -> None:
    settings = Settings()
    plan = policy(rules_folder(tmp_path / "r"))
    stage = Stage.of(plan, settings, only=["share"])
    history = read_openmetrics(openmetrics(tmp_path / "h"), None)
    tried, _ = variants(stage.policy.rules["share"], Grid(factors=(0.5, 1, 3, 6), windows=(1, 2)))
    points = sweep(stage, tried, history, SPAN, settings, [KNOWN])
    assert points[0].variant.present
    seen = {point.variant.text: point.figures for point in points}
    assert seen["> 60% over 5m"].recall == 0, "half of all requests fail, never more"
    assert (
        (seen["> 5% over 5m"].detection_p50_seconds or 0)
        < (seen[""].detection_p50_seconds or 0)
        < (seen["> 10% over 10m"].detection_p50_seconds or 0)
    )
    for point in points[:3]:
        alone = replace(stage, policy=replace(stage.policy, rules={"share": point.variant.rule}))
        run = replay(alone, history, SPAN, settings)
        fired = [f.fired_at - KNOWN.start for f in run.firings if f.fired_at is not None]
        assert fired == [point.figures.detection_p50_seconds]
    assert [point.variant.text for point in points if point.best] == ["> 5% over 5m"]


def test_a_rule_that_only_tells_is_measured_by_what_it_tells_falsely(tmp_path: Path) -> None:
    """Without a playbook it acts never, also not falsely: that would make every variant good."""
    stage = Stage.of(policy(rules_folder(tmp_path / "r")), Settings(), only=["queue"])

    def busy(step: int) -> dict[str, float]:
        return {"queue_length": 40.0 if step % 100 < 10 or OUTAGE[0] <= step < OUTAGE[1] else 3.0}

    history = read_openmetrics(openmetrics(tmp_path / "h", busy), None)
    tried, _ = variants(stage.policy.rules["queue"], Grid(windows=(1,), fors=(60.0, 300.0)))
    points = sweep(stage, tried, history, SPAN, Settings(), [KNOWN])
    assert {point.figures.false_actions for point in points} == {0}
    quick, patient = points[0], next(p for p in points if p.variant.text == "for 5m")
    assert quick.false_a_month == quick.figures.false_firings_a_month > 0
    assert (quick.figures.recall, patient.figures.recall) == (1.0, 1.0)
    assert (patient.false_a_month, patient.best) == (0.0, True)
    assert Sweep("queue", points, ()).counts == "false firings"


def test_what_could_never_fire_is_not_tried(tmp_path: Path) -> None:
    rule = policy(rules_folder(tmp_path / "r")).rules["slow-burn"]
    tried, refused = variants(rule, Grid(factors=(1, 100), windows=(0.1, 1)))
    assert [variant.text for variant in tried] == ["", "burn 14.4 over 6m/30s"][:1]
    assert any("could never be reached" in why for why in refused)
    assert any("under four polls" in why for why in refused)


def changed(before: str, after: str) -> list[str]:
    """Lines taken out, then lines put in."""
    lines = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    return [line for sign in "-+" for line in lines if line[0] == sign]


def test_the_edit_keeps_comments_and_changes_the_numbers_alone(tmp_path: Path) -> None:
    folder = rules_folder(tmp_path / "r")
    plan = policy(folder)
    rule = plan.rules["share"]
    assert isinstance(rule.signal, RatioThreshold)
    bound = replace(rule.signal.bound, limit=0.05, text="> 5%")
    signal = replace(rule.signal, bound=bound, over_seconds=600.0)
    edit = edited(folder, plan, replace(rule, signal=signal, for_seconds=90.0), {})
    assert changed(edit.before, edit.after) == [
        "-       over: 5m",
        '-       breach_when: "> 10%"   # of all',
        "-     for: 1m",
        "+       over: 10m",
        '+       breach_when: "> 5%"   # of all',
        "+     for: 1m30s",
    ]
    assert (folder / "team" / "rules.yaml").read_text() == edit.before, (
        "nothing is written by itself"
    )


def test_numbers_inside_one_line_and_new_keys_are_written_where_they_belong(tmp_path: Path) -> None:
    folder = rules_folder(tmp_path / "r")
    plan = policy(folder)
    tried, _ = variants(
        plan.rules["slow-burn"],
        Grid(factors=(0.5,), windows=(2,), fors=(120.0,), minimum_events=(50.0,)),
    )
    edit = edited(folder, plan, tried[1].rule, {})
    assert changed(edit.before, edit.after) == [
        "-       burn: [{budget: 2%, long: 1h, short: 5m}]",
        "+     minimum_events: 50",
        "+     for: 2m",
        "+       burn: [{budget: 2%, long: 2h, short: 10m}]",
    ]
    (folder / "team" / "rules.yaml").write_text(edit.after)
    made = policy(folder).rules["slow-burn"]
    assert isinstance(made.signal, Slo)
    assert made.signal.pairs[0].factor == pytest.approx(7.2)
    assert edited(folder, policy(folder), made, {}).diff == ""


def test_the_numbers_of_an_alert_read_in_place_are_not_written_into_the_rule(
    tmp_path: Path,
) -> None:
    text = "version: 1\nrules:\n  busy:\n    from: alerts.yaml#Busy\n    source: app\n"
    folder = rules_folder(tmp_path / "r", text)
    alert = "groups: [{name: g, rules: [{alert: Busy, expr: max(busy) > 5, for: 1m}]}]\n"
    (folder / "team" / "alerts.yaml").write_text(alert)
    plan = policy(folder)
    tried, _ = variants(plan.rules["busy"], Grid(factors=(2,), windows=(1,)))
    with pytest.raises(Bad, match=r"3:3: .* stand in the alert that it reads, alerts.yaml#Busy"):
        edited(folder, plan, tried[1].rule, {})
    longer = replace(plan.rules["busy"], for_seconds=300.0)
    edit = edited(folder, plan, longer, {})
    assert changed(edit.before, edit.after) == ["+     for: 5m"]


def test_a_variant_that_the_language_refuses_is_not_offered_as_an_edit(tmp_path: Path) -> None:
    folder = rules_folder(tmp_path / "r")
    plan = policy(folder)
    rule = plan.rules["share"]
    assert isinstance(rule.signal, RatioThreshold)
    bound = replace(rule.signal.bound, limit=4.0, text="> 400%")
    with pytest.raises(Bad, match=r"would be refused: .*team/rules.yaml:\d+:\d+: "):
        edited(folder, plan, replace(rule, signal=replace(rule.signal, bound=bound)), {})
