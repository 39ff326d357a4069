"""What unit tests prove of a rule's text goes to the record by its hash, and of no other text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policy.texts import RULES, folder
from watchdog.lab.rule_tests.proof import Proof, proofs_in
from watchdog.lab.rule_tests.reading import Unreadable
from watchdog.policy.load import load_folder

RULE = "error-rate"
TEST = """\
rule_files: [rules.yaml]
environment: production
tests:
  - interval: 5s
    input_series:
      - {series: 'requests_total{code="200"}', values: 0+50x24 1200x24}
      - {series: 'requests_total{code="500"}', values: 0x24 50+50x24}
    rule_test:
      - {eval_time: 1m, rule: error-rate, exp_verdict: healthy}
      - {eval_time: 3m, rule: error-rate, exp_verdict: breached}
"""


def rules_folder(root: Path, test: str = TEST, rules: str = RULES) -> Path:
    for name, text in {**folder(team_a=rules), "team-a/rate.test.yaml": test}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def proven(root: Path, **variables: str) -> tuple[Proof, ...]:
    return proofs_in(root, "production", variables, [RULE])


def test_a_rule_that_does_what_its_tests_say_is_proven_by_the_hash_of_its_text(
    tmp_path: Path,
) -> None:
    (proof,) = proven(rules_folder(tmp_path))
    policy = load_folder(tmp_path, "production").policy
    assert policy is not None
    assert proof == Proof(RULE, policy.rules[RULE].proof, passed=True, reason="2 checks passed")
    assert proofs_in(tmp_path, "production", {}, ["another"]) == ()


def test_a_test_that_names_the_rules_alert_proves_the_rule(tmp_path: Path) -> None:
    rules = RULES.replace("  error-rate:\n", "  error-rate:\n    labels: {alertname: TooMany}\n")
    alert = "alertname: TooMany, exp_alerts: [{exp_labels: {severity: P0}, exp_annotations: {}}]"
    checks = f"    alert_rule_test: [{{eval_time: 3m, {alert}}}]\n"
    test = TEST[: TEST.index("    rule_test:")] + checks.replace(
        "exp_annotations: {}", "exp_annotations: {runbook: docs/runbooks/redemption.md}"
    )
    (proof,) = proven(rules_folder(tmp_path, test, rules))
    assert (proof.passed, proof.reason) == (True, "1 check passed")


def test_a_story_in_which_it_never_acts_proves_nothing(tmp_path: Path) -> None:
    """All checks pass, and nobody has seen it fire: not alone, and not where a gate refuses it."""
    calm = TEST.replace("0+50x24 1200x24", "0+50x48").replace("breached", "healthy")
    calm = calm.replace("0x24 50+50x24", "0x48")
    refused = TEST.replace("    rule_test:", "    supposing: {ready: 'false'}\n    rule_test:")
    for name, text in {"calm": calm, "refused": refused}.items():
        (proof,) = proven(rules_folder(tmp_path / name, text))
        assert not proof.passed, name
        assert proof.reason.startswith("2 checks passed, and in none would it have acted")


def test_one_failed_check_or_a_broken_test_file_proves_the_contrary(tmp_path: Path) -> None:
    (proof,) = proven(rules_folder(tmp_path / "one", TEST.replace("healthy", "blind")))
    assert not proof.passed
    assert proof.reason.startswith("1 of 2 checks failed, the first at team-a/rate.test.yaml:9:")
    (proof,) = proven(rules_folder(tmp_path / "two", TEST.replace("interval: 5s", "intervall: 5s")))
    assert not proof.passed
    assert proof.reason == "team-a/rate.test.yaml is no test file that could be run"


def test_a_folder_that_does_not_load_proves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=rf"^{tmp_path}/team-a/rules\.yaml:\d+:\d+: "):
        proven(rules_folder(tmp_path, rules=RULES.replace("for: 15s", "for: soon")))
