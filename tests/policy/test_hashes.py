"""A hash is of meaning: how it is written changes nothing, what it means changes it."""

from __future__ import annotations

import pytest

from tests.policy.texts import PLATFORM, RULES, VARS, folder, load
from watchdog.core.spec import Policy

REWRITTEN = """\
# the same rule, by another hand
rules:
    error-rate:
        armed_because: launch decision
        mode: "armed"
        playbook: redemption
        for: "{{ three_polls }}"
        minimum_events: 20
        threshold: {over: 0m30s, breach_when: ">5%", total: requests_total{},
            bad: 'requests_total{ code =~ "5.." }'}
        source: app
        runbook: docs/runbooks/redemption.md
        severity: P0
version: 1
""".replace("0m30s", "30s")


def policy(files: dict[str, str]) -> Policy:
    found = load(files)
    assert found.complete, [problem.text for problem in found.errors]
    assert found.policy is not None
    return found.policy


GOOD = policy(folder())


def test_comments_order_blanks_and_variables_change_nothing() -> None:
    rewritten = REWRITTEN.replace("requests_total{},", "requests_total,")
    other = policy(folder(variables=VARS + "three_polls: 15s\n", team_a=rewritten))
    assert other.rules["error-rate"].sha256 == GOOD.rules["error-rate"].sha256
    assert other.parts == GOOD.parts
    assert other.sha256 == GOOD.sha256


def test_evidence_is_kept_over_a_change_of_mode_and_over_no_other() -> None:
    ours = GOOD.rules["error-rate"]
    shadow = policy(folder(team_a=RULES.replace("mode: armed", "mode: shadow"))).rules
    assert shadow["error-rate"].proof == ours.proof
    assert shadow["error-rate"].sha256 != ours.sha256
    words = policy(folder(team_a=RULES.replace("launch decision", "it works"))).rules
    assert words["error-rate"].proof == ours.proof
    bound = policy(folder(team_a=RULES.replace("> 5%", "> 6%"))).rules
    assert bound["error-rate"].proof != ours.proof


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("> 5%", "> 6%"),
        ("> 5%", ">= 5%"),
        ("for: 15s", "for: 16s"),
        ("over: 30s", "over: 31s"),
        ("code=~", "code!~"),
        ("minimum_events: 20", "minimum_events: 21"),
        ("mode: armed", "mode: shadow"),
        ("severity: P0", "severity: P1"),
        ("playbook: redemption", "playbook: redemption\n    up_to: pause-redemption"),
        ("playbook: redemption", "playbook: redemption\n    cooldown: 1h"),
    ],
)
def test_a_changed_meaning_changes_rule_part_and_whole(old: str, new: str) -> None:
    other = policy(folder(team_a=RULES.replace(old, new)))
    assert other.rules["error-rate"].sha256 != GOOD.rules["error-rate"].sha256
    assert dict(_parts(other)) != dict(_parts(GOOD))
    assert dict(_parts(other))["platform"] == dict(_parts(GOOD))["platform"]
    assert other.sha256 != GOOD.sha256


@pytest.mark.parametrize("old", ["launch decision", "docs/runbooks/redemption.md"])
def test_words_for_people_change_the_part_and_not_the_rule(old: str) -> None:
    other = policy(folder(team_a=RULES.replace(old, "other words")))
    assert other.rules["error-rate"].sha256 == GOOD.rules["error-rate"].sha256
    assert other.sha256 != GOOD.sha256


def test_a_changed_action_changes_its_own_hash_and_not_the_rules() -> None:
    other = policy(folder(PLATFORM.replace("deadline: 10s", "deadline: 20s")))
    assert other.actions["pause-redemption"].sha256 != GOOD.actions["pause-redemption"].sha256
    assert other.rules["error-rate"].sha256 == GOOD.rules["error-rate"].sha256
    assert dict(_parts(other))["team-a"] == dict(_parts(GOOD))["team-a"]
    assert other.sha256 != GOOD.sha256


def test_a_changed_grant_changes_the_platform() -> None:
    other = policy(folder(PLATFORM.replace("  team-b: [redemption, pause-redemption]\n", "")))
    assert other.sha256 != GOOD.sha256


def _parts(found: Policy) -> list[tuple[str, str]]:
    return [(part.owner, part.sha256) for part in found.parts]
