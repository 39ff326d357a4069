"""The rules that are shipped: they load, they are what the documents say, their runbooks exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchdog.core.spec import Command, Policy, RatioThreshold, Slo
from watchdog.core.words import Mode
from watchdog.policy import load_files
from watchdog.policy.reference import reference

ROOT = Path(__file__).resolve().parents[2]


def shipped(environment: str, **variables: str) -> Policy:
    # by their texts: whoever checked this repository out may be neither us nor root
    rules = ROOT / "rules"
    files = {str(f.relative_to(rules)): f.read_text() for f in sorted(rules.rglob("*.yaml"))}
    outcome = load_files(files, environment, variables=variables)
    assert outcome.complete, [problem.text for problem in outcome.errors]
    assert not outcome.advice, [problem.text for problem in outcome.advice]
    assert outcome.policy is not None
    assert load_files(outcome.files, environment).policy == outcome.policy
    return outcome.policy


@pytest.mark.parametrize("environment", ["production", "sandbox"])
def test_the_shipped_rules_load(environment: str) -> None:
    modes = {rule.name: rule.mode for rule in shipped(environment).rules.values()}
    assert modes == {
        "redemption-availability": Mode.ARMED,
        "redemption-error-rate": Mode.ARMED,
        "redemption-quote-latency": Mode.SHADOW,
        "peg-collateralised": Mode.ARMED,
        "proof-of-reserves-age": Mode.OBSERVE,
        "mycelia-down": Mode.OBSERVE,
    }


def test_the_runbooks_exist() -> None:
    for rule in shipped("production").rules.values():
        assert (ROOT / rule.runbook).is_file(), rule.name


def test_the_objective_has_the_workbooks_factors() -> None:
    signal = shipped("production").rules["redemption-availability"].signal
    assert isinstance(signal, Slo)
    assert [pair.factor for pair in signal.pairs] == [14.4, 6.0]


def test_the_sandbox_is_quick_and_takes_what_the_demo_gives() -> None:
    policy = shipped(
        "sandbox", app="http://127.0.0.1:4567", mycelia="/run/m", launchctl="/run/m/bin/launchctl"
    )
    rule = policy.rules["redemption-error-rate"]
    assert isinstance(rule.signal, RatioThreshold)
    assert (rule.every_seconds, rule.signal.over_seconds, rule.for_seconds) == (1, 10, 3)
    assert (rule.stale_after_seconds, rule.minimum_events) == (2, 20)
    action = policy.actions["pause-redemption"]
    assert action.do.how == Command(
        ("/run/m/bin/launchctl", "pause", "redemption"), "/run/m", ("PATH",)
    )
    assert action.read_back.url == (
        "http://127.0.0.1:4567/api/feature-flags/btc_mainnet_redemption"
    )


def test_the_reference_is_current() -> None:
    written = (ROOT / "docs/rules.md").read_text()
    assert written == reference(), "run: python -m watchdog.policy.reference > docs/rules.md"
