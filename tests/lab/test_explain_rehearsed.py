"""The shipped rules explained, and rehearsed: the action starts when it was told to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.core.decisions.watch import a_policy
from tests.lab.explain_rules import a_ratio
from watchdog.cli import app
from watchdog.core import entries as e
from watchdog.core.gates import GATES
from watchdog.core.samples import Answer, Point, Reading, Sample
from watchdog.core.spec import Endpoint, Policy, PrometheusApi, SourceSpec
from watchdog.core.words import Instant, Status
from watchdog.lab.explain import Asked, Explanation, explain
from watchdog.lab.explain.needs import WORDS
from watchdog.lab.rehearsal import Rehearsal
from watchdog.policy import load_folder

RULES = Path(__file__).resolve().parents[2] / "rules"
NOON = Instant(1_790_000_000.0, 1000.0)
COUNTER = "redemption_requests_total"
FAILED, SERVED = (("code", "500"),), (("code", "200"),)


@pytest.fixture(scope="module")
def policy() -> Policy:
    load = load_folder(RULES, "sandbox")
    assert load.policy is not None
    return load.policy


def minutes(began: float, ratio: float, rate: float, seconds: int) -> Iterator[Reading]:
    """A scrape a second; from `began` on a share of the requests fails."""
    for second in range(seconds):
        at = NOON.plus(float(second))
        failed = rate * ratio * max(0.0, second - began)
        served = rate * second - failed
        samples = tuple(
            Sample(COUNTER, labels, value, at.wall)
            for labels, value in ((FAILED, failed), (SERVED, served))
        )
        yield Reading("app", at, 0.0, samples, up={"app": True})


def acted_after(policy: Policy, rule: str, began: float, ratio: float, rate: float) -> float:
    rehearsal = Rehearsal(policy, NOON)
    for reading in minutes(began, ratio, rate, 1800):
        rehearsal.feed(reading)
        for kept in rehearsal.log:
            entry = kept.entry
            if isinstance(entry, e.Decided) and entry.rule == rule:
                assert entry.ruling is e.Ruling.ALLOWED, entry.reason
                return kept.at.wall - NOON.wall - began
        rehearsal.log.clear()
    raise AssertionError(f"{rule} did nothing")


def told(policy: Policy, rule: str, *ratios: float) -> Explanation:
    return explain(policy, rule, Asked(traffic=20.0, ratios=ratios))


@pytest.mark.parametrize("ratio", [0.08, 0.3, 1.0])
def test_the_fast_rule_acts_when_it_was_told_to(policy: Policy, ratio: float) -> None:
    found = told(policy, "redemption-error-rate", ratio).ratios
    assert found is not None
    (row,) = found.rows
    assert row.acts is not None
    acted = acted_after(policy, "redemption-error-rate", 30.4, ratio, 20.0)
    assert row.acts.earliest <= acted <= row.acts.latest


def test_the_slow_rule_acts_when_it_was_told_to(policy: Policy) -> None:
    found = told(policy, "redemption-availability", 0.04).ratios
    assert found is not None
    (row,) = found.rows
    assert row.acts is not None
    acted = acted_after(policy, "redemption-availability", 320.5, 0.04, 20.0)
    assert row.acts.earliest <= acted <= row.acts.latest
    assert row.spent_acted is not None
    assert row.spent_acted > (row.spent_seen or 0.0) > 0.0199


def test_every_gate_of_the_core_is_told_of(policy: Policy) -> None:
    assert set(WORDS) == set(GATES), "a gate without words of its own"
    needs = {need.gate: need.needs for need in told(policy, "redemption-error-rate").gates}
    assert len(needs) == len(GATES)
    assert "breached for 3s" in needs["evidence"]
    assert "at least 20 events" in needs["evidence"]
    assert "flag:btc_mainnet_redemption" in needs["hold"]
    assert "10s wholly observed" in needs["burning"]
    assert needs["budget"].startswith("fewer than 4 automatic actions")
    assert "1m since redemption-error-rate last started pause-redemption" in needs["cooldown"]


def test_a_rule_without_a_playbook_asks_no_gate(policy: Policy) -> None:
    found = told(policy, "mycelia-down")
    assert (found.gates, found.ladder, found.ratios) == ((), (), None)


def test_a_target_that_hangs_longer_than_its_interval_is_warned_of(policy: Policy) -> None:
    quick = " ".join(told(policy, "mycelia-down").notes)
    assert "too seldom" not in quick, "every 1s, deadline 1.5s, for 5s"
    patient = replace(policy.sources["app"], deadline_seconds=2.0)
    slower = replace(policy, sources={**policy.sources, "app": patient})
    assert "too seldom for `for` to add up" in " ".join(told(slower, "mycelia-down").notes)


def test_chance_needs_traffic(policy: Policy) -> None:
    bare = explain(policy, "redemption-error-rate", Asked(base=0.01)).ratios
    assert bare is not None
    assert bare.chance is None
    fed = explain(policy, "redemption-error-rate", Asked(traffic=20.0, base=0.01)).ratios
    assert fed is not None
    assert fed.chance is not None
    assert fed.chance.per_month > 0


def test_a_base_rate_above_the_bound_is_said_and_nothing_is_made_up(policy: Policy) -> None:
    found = explain(policy, "redemption-error-rate", Asked(traffic=20.0, base=0.06))
    assert found.ratios is not None
    assert (found.ratios.rows, found.ratios.curve, found.ratios.shifted) == ((), (), ())
    assert found.ratios.chance is None, "no alarm comes by chance where one never ends"
    assert any("breached without any fault" in note for note in found.notes)
    shown = run("redemption-error-rate", "--traffic", "20/s", "--base-rate", "6%")[1]
    assert "one that never ends: 6% of events always fail" in shown
    assert "a month" not in shown


def test_a_rule_that_has_to_earn_it_is_not_told_to_act_at_once(policy: Policy) -> None:
    rule = replace(policy.rules["redemption-error-rate"], armed_because="")
    declared = replace(policy, rules={**policy.rules, rule.name: rule})
    found = told(declared, rule.name)
    needs = {need.gate: need.needs for need in found.gates}
    earn = "shadow until it has earned to act"
    assert f"; {earn}: the process's `shadow_days` without a would-act" in needs["mode"]
    assert needs["mode"].endswith("(slo-watchdog evidence redemption-error-rate)")
    assert found.ladder[0].does.startswith("records that it would act, and once it has earned it,")
    assert earn not in str(told(policy, rule.name).gates), "its file says why it may"


def test_a_rule_in_shadow_is_told_what_it_takes_to_be_armed(policy: Policy) -> None:
    needs = {need.gate: need.needs for need in told(policy, "redemption-quote-latency").gates}
    assert "declared armed, it would act once it has earned it: " in needs["mode"]
    assert "a passing unit test of this very text" in needs["mode"]


# -- the command -----------------------------------------------------------------------------------


def run(*words: str) -> tuple[int, str]:
    command = ["explain", *words, "--rules", str(RULES), "--environment", "production"]
    ran = CliRunner().invoke(app, command, env={"COLUMNS": "120", "NO_COLOR": "1"})
    return ran.exit_code, ran.output


def test_the_command_shows_table_plot_gates_and_playbook() -> None:
    status, shown = run("redemption-availability", "--traffic", "600/m", "--base-rate", "0.01%")
    assert status == 0
    for text in (
        "1h and 5m both burn above 14.4",
        "more than 0.6%",
        "51s..56s",
        "|**",
        "blast_radius",
    ):
        assert text in shown
    assert "1. pause-redemption on flag:btc_mainnet_redemption, armed: acts" in shown


def test_the_command_gives_the_same_as_json() -> None:
    status, shown = run("redemption-availability", "--json", "--ratio", "100%", "--ratio", "0.02")
    assert status == 0
    rows = json.loads(shown)["ratios"]["rows"]
    assert [row["ratio"] for row in rows] == [0.02, 1.0]
    assert rows[1]["seen"]["earliest"] == pytest.approx(51.84)


def test_a_rule_that_only_tells_is_not_told_to_act() -> None:
    for rule, follows in (("mycelia-down", "people are told"), ("peg-collateralised", "acted on")):
        assert f"  {follows} " in run(rule)[1]


@pytest.mark.parametrize("rule", ["peg-collateralised", "proof-of-reserves-age", "mycelia-down"])
def test_rules_of_values_have_their_detection_time(rule: str) -> None:
    status, shown = run(rule, "--json")
    assert status == 0
    found = json.loads(shown)
    lasting = found["rhythm"]["lasting"]
    assert found["acts"] == {"earliest": lasting, "latest": lasting + found["rhythm"]["every"]}


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("redemption-availabilty",), 4, "Did you mean redemption-availability?"),
        (("mycelia-down", "--traffic", "fast"), 2, "write it like 12/s"),
        (("mycelia-down", "--traffic", "0"), 2, "write it like 12/s"),
        (("mycelia-down", "--ratio", "5"), 2, "write it like 5%"),
        (("mycelia-down", "--base-rate", "-1"), 2, "write it like 5%"),
        (("mycelia-down", "--var", "app"), 2, "write NAME=VALUE"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_what_to_write(
    words: tuple[str, ...], status: int, said: str
) -> None:
    code, shown = run(*words)
    assert (code, said in " ".join(shown.replace("│", " ").split())) == (status, True), shown


def test_several_environments_and_none_said(tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["explain", "x", "--rules", str(RULES)])
    assert ran.exit_code == 2
    assert "Say which: --environment production" in ran.output
    ran = CliRunner().invoke(app, ["explain", "x", "--rules", str(tmp_path / "none")])
    assert ran.exit_code == 1
    assert "Traceback" not in ran.output


# -- a provider with a rhythm of its own -----------------------------------------------------------


def provided(
    polled: float, scraped: float, phase: float, began: float, ended: float
) -> Iterator[Reading]:
    """A poll of a Prometheus after the other: each sees the newest scrape. Half fails meanwhile."""
    for poll in range(200):
        at, newest = (
            NOON.plus(poll * polled),
            phase + scraped * ((poll * polled - phase) // scraped),
        )
        bad = 5.0 * max(0.0, min(newest, ended) - began)
        answers = {
            text: Answer((Point((), value, NOON.wall + newest),), NOON.wall + newest)
            for text, value in (("bad", bad), ("all", 10.0 * newest + 1000.0))
        }
        yield Reading("app", at, 0.0, answers=answers)


@pytest.mark.parametrize(("polled", "scraped"), [(15.0, 30.0), (20.0, 30.0), (30.0, 15.0)])
def test_a_prometheus_adds_its_own_rhythm_to_ours(polled: float, scraped: float) -> None:
    rule = a_ratio(300.0, 0.1, max(polled, scraped), 3 * scraped)
    rule = replace(rule, minimum_events=0.0, stale_after_seconds=4 * scraped)
    source = SourceSpec(
        "app", polled, 2.0, 1 << 20, 100, PrometheusApi(Endpoint("http://prom"), scraped)
    )
    policy = replace(a_policy(rule), sources={"app": source})
    told = explain(policy, rule.name, Asked(ratios=(0.5,))).ratios
    assert told is not None
    (row,) = told.rows
    assert row.seen is not None
    assert row.acts is not None
    assert row.reset is not None
    for phase in (1.0, 7.0, 14.0):
        for began in (612.0, 619.0, 633.3):
            did = course(policy, provided(polled, scraped, phase, began, began + 900.0))
            for span, was in (
                (row.seen, did["breached"] - began),
                (row.acts, did["acted"] - began),
                (row.reset, did["healthy"] - began - 900.0),
            ):
                assert span.earliest <= was <= span.latest, (span, was, did)


def course(policy: Policy, readings: Iterator[Reading]) -> dict[str, float]:
    """When the one rule was first breached, when it acted, and when it was healthy again."""
    rehearsal, did = Rehearsal(policy, NOON), dict[str, float]()
    for reading in readings:
        rehearsal.feed(reading)
        after = reading.at.wall - NOON.wall
        verdict = rehearsal.memory.verdict("errors")
        if verdict is not None and verdict.status is Status.BREACHED:
            did.setdefault("breached", after)
        if "breached" in did and verdict is not None and verdict.status is Status.HEALTHY:
            did.setdefault("healthy", after)
        if any(isinstance(kept.entry, e.Decided) for kept in rehearsal.log):
            did.setdefault("acted", after)
    return did
