"""The rules that are shipped: they load, they are what the documents say, their runbooks exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from nacl.bindings import crypto_core_ed25519_is_valid_point
from ruamel.yaml import YAML

from watchdog.core.probes import AttestationProbe, Probed
from watchdog.core.spec import Command, Policy, RatioThreshold, Slo
from watchdog.core.words import Mode
from watchdog.policy import load_files
from watchdog.policy.platform_models import ActionShape
from watchdog.policy.reference import reference
from watchdog.policy.rule_models import SloShape

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
        "security-incident": Mode.ARMED,
        "proof-of-reserves-age": Mode.OBSERVE,
        "por-attestation": Mode.APPROVE,
        "release-files": Mode.APPROVE,
        "mycelia-down": Mode.OBSERVE,
        "system-failure": Mode.APPROVE,
        "public-probe": Mode.OBSERVE,
    }


def test_the_key_that_is_shipped_is_nobodys() -> None:
    """No signature fits it: the text is no point of the curve. Until it is filled in, blind."""
    rule = shipped("production").rules["por-attestation"]
    assert isinstance(rule.signal, Probed)
    assert isinstance(rule.signal.how, AttestationProbe)
    (key,) = rule.signal.how.signers
    assert not crypto_core_ed25519_is_valid_point(bytes.fromhex(key))


def test_the_runbooks_exist() -> None:
    for rule in shipped("production").rules.values():
        assert (ROOT / rule.runbook).is_file(), rule.name


def test_the_objective_has_the_workbooks_factors() -> None:
    signal = shipped("production").rules["redemption-availability"].signal
    assert isinstance(signal, Slo)
    assert [pair.factor for pair in signal.pairs] == [14.4, 6.0]


def test_the_sandbox_is_quick_and_takes_what_the_demo_gives() -> None:
    policy = shipped(
        "sandbox",
        app="http://127.0.0.1:4567",
        mycelia="/run/m",
        launchctl="/run/m/bin/launchctl",
        pnpm="/run/m/bin/pnpm",
        flags="/run/m/bin/flags",
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


def test_the_documents_examples_load_and_show_every_word_of_an_action_and_an_slo() -> None:
    page = (ROOT / "docs" / "rules.md").read_text()
    blocks = re.findall(r"^```yaml\n(?:# (\S+)\n)(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == page.count("```yaml") == 2
    outcome = load_files(dict(blocks), "production")
    assert outcome.complete, [problem.text for problem in outcome.errors]
    assert not outcome.advice, [problem.text for problem in outcome.advice]
    assert outcome.policy is not None
    (action,) = outcome.policy.actions.values()
    assert action.undo is not None
    assert action.contained_when
    assert action.resume_when
    (rule,) = outcome.policy.rules.values()
    assert isinstance(rule.signal, Slo)
    assert rule.mode is Mode.ARMED
    words = YAML(typ="safe")
    platform, rules = (words.load(text) for _, text in blocks)
    shown = set(platform["actions"]["pause-withdrawals"])
    elsewhere = {"each"}  # docs/each.md has its own
    known = {info.alias or name for name, info in ActionShape.model_fields.items()}
    assert shown == known - elsewhere
    slo = set(rules["rules"]["withdrawal-availability"]["slo"])
    alternatives = {"good"}  # in place of bad
    assert slo == set(SloShape.model_fields) - alternatives


def test_the_readmes_rule_loads_beside_the_shipped_platform() -> None:
    (text,) = re.findall(
        r"^```yaml\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )
    rules = ROOT / "rules"
    others = ("platform.yaml", "vars/production.yaml")
    files = {name: (rules / name).read_text() for name in others}
    outcome = load_files({**files, "redemption-team/rules.yaml": text}, "production")
    assert outcome.complete, [problem.text for problem in outcome.errors]
    assert outcome.policy is not None
    assert list(outcome.policy.rules) == ["redemption-error-rate"]
