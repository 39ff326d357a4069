"""Rules on events and their channels: what may be written, and what becomes of it."""

from __future__ import annotations

import pytest

from tests.policy.texts import PLATFORM, at, folder, load, unmarked
from watchdog.core.channels import Channel, EventSignal, Matcher
from watchdog.core.spec import Policy
from watchdog.core.words import Mode
from watchdog.policy.diff import compare

CHANNELS = "events: {security: {hmac: security-webhook}, alertmanager: {token: alertmanager}}\n"
HEARING = PLATFORM.replace("actions:\n", f"{CHANNELS}actions:\n", 1)
RULE = """\
version: 1
rules:
  security-incident:
    severity: P0
    runbook: docs/runbooks/redemption.md
    event: {from: security, match: {severity: critical}}
    playbook: redemption
    mode: armed
    armed_because: security decides by hand already
"""


def loaded(rules: str = RULE, platform: str = HEARING) -> Policy:
    outcome = load(folder(platform, team_a=rules))
    assert outcome.complete, [problem.text for problem in outcome.errors]
    assert not outcome.advice, [problem.text for problem in outcome.advice]
    assert outcome.policy is not None
    return outcome.policy


def test_an_armed_event_rule_needs_no_for_since_one_event_is_a_fact() -> None:
    policy = loaded()
    rule = policy.rules["security-incident"]
    assert (rule.kind, rule.source, rule.for_seconds) == ("event", "event:security", 0.0)
    assert (rule.mode, rule.every_seconds, rule.stale_after_seconds) == (Mode.ARMED, 5.0, 10.0)
    matchers = (Matcher("severity", "=", "critical"),)
    assert rule.signal == EventSignal("security", matchers, 3600.0)
    assert policy.sources["event:security"].how == Channel("hmac", "security-webhook")
    assert policy.sources["event:alertmanager"].how == Channel("token", "alertmanager")


def test_conditions_are_those_of_promql_and_an_alert_stands_for_a_day() -> None:
    match = 'match: {b: "=~x|y.*", a: "!=z", c: "!~q", d: =e}'
    rules = RULE.replace(
        "from: security, match: {severity: critical}", f"from: alertmanager, {match}"
    )
    signal = loaded(rules).rules["security-incident"].signal
    assert isinstance(signal, EventSignal)
    assert [one.text for one in signal.matchers] == ['a!="z"', 'b=~"x|y.*"', 'c!~"q"', 'd="=e"']
    assert signal.lasts_seconds == 86_400.0


def test_order_changes_no_hash_and_another_condition_does() -> None:
    def sha256(match: str) -> str:
        return loaded(RULE.replace("{severity: critical}", match)).rules["security-incident"].sha256

    assert sha256("{a: x, b: y}") == sha256("{b: y, a: x}")
    assert len({sha256("{a: x}"), sha256("{a: y}"), sha256('{a: "!=x"}'), sha256("{}")}) == 4


def test_a_platform_without_channels_means_what_it_meant_before() -> None:
    quiet = RULE.replace("event: {from: security, match: {severity: critical}}", "source: app\n"
        "    threshold: {expr: up, breach_when: '< 1'}\n    for: 15s")  # fmt: skip
    before, after = loaded(quiet, PLATFORM), loaded(quiet, PLATFORM.replace(CHANNELS, ""))
    assert before.sha256 == after.sha256
    assert loaded(quiet, HEARING).sha256 != before.sha256


def test_applying_a_channel_is_told() -> None:
    quiet = PLATFORM.replace(
        "actions:\n", "events: {security: {hmac: security-webhook}}\nactions:\n", 1
    )
    texts = [change.text for change in compare(loaded(platform=quiet), loaded())]
    assert texts == ["the source event:alertmanager is new"]


@pytest.mark.parametrize(
    ("right", "wrong", "what"),
    [
        ("from: security", "from: §securty", "there is no channel securty. Did you mean security?"),
        ("event: {from: security, ", "§event: {", "has no `from`"),
        ("match: {severity: critical}", "§matches: {}", "unknown key `matches`"),
        ("{severity: critical}", "{severity: §5}", "text is wanted, not 5"),
        ("{severity: critical}", '{severity: §"=~("}', "Write a regular expression as in PromQL"),
        ("{severity: critical}", '{severity: §""}', "severity is to be empty"),
        ("{severity: critical}", "{§a b: c}", "is no label name"),
        ("critical}}", "critical}, lasts: §10s}", "an event that lasts 10s. Write 5m to 30d."),
        ("critical}}", "critical}, lasts: §31d}", "an event that lasts 31d. Write 5m to 30d."),
        ("    playbook", "    for: §1h\n    playbook", "`for` would never be reached"),
        ("    playbook", "    §source: app\n    playbook", "`source` beside `event`"),
        ("    playbook", "    §every: 5s\n    playbook", "nobody polls for an event"),
        ("    playbook", "    §deadline: 5s\n    playbook", "nobody polls for an event"),
        ("    playbook", "    §stale_after: 5s\n    playbook", "nobody polls for an event"),
        ("    playbook", "    §minimum_events: 5\n    playbook", "is for ratios of counters"),
        ("    event", "    liveness: {up: app}\n    §event", "is liveness and event"),
        (
            "event: {from: security, match: {severity: critical}}",
            "§event: {from: alertmanager}",
            "would be breached by every alert that alertmanager brings",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_stands(right: str, wrong: str, what: str) -> None:
    assert right in RULE
    text, line, column = unmarked(RULE.replace(right, wrong, 1))
    outcome = load(folder(HEARING, team_a=text))
    told = at(outcome.errors, "team-a/rules.yaml", line, column)
    assert any(what in one for one in told), [problem.text for problem in outcome.errors]


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ("{§security: {}}", "known by nothing"),
        ("{security: {hmac: a, §token: b}}", "known in two ways"),
        ("{security: {hmac: a, §token: b, deploys: c}}", "known in three ways"),
        ("{ci: {hmac: a, §targets: [all]}}", "is for channels of deploys"),
        ("{ci: {deploys: a, targets: [§anything]}}", "is no target"),
        ("{security: {hmac: §../key}}", "is no name"),
        ("{§app: {hmac: key}}", "app is a source as well"),
        ("{security: {hmac: key}, §other: {token: key}}", "known by one credential, key"),
        ("{security: {§hmak: key}}", "unknown key `hmak`"),
        ("{§Security: {hmac: key}}", "is no name"),
        ("§5", "`events` is a mapping of names"),
    ],
)
def test_a_channel_is_known_by_one_key_of_its_own(wrong: str, what: str) -> None:
    marked = PLATFORM.replace("actions:\n", f"events: {wrong}\nactions:\n", 1)
    text, line, column = unmarked(marked)
    outcome = load(folder(text, team_a=RULE))
    told = at(outcome.errors, "platform.yaml", line, column)
    assert any(what in one for one in told), [problem.text for problem in outcome.errors]


def test_an_owner_opens_no_channel() -> None:
    outcome = load(folder(HEARING, team_a=f"{RULE}events: {{mine: {{hmac: mine}}}}\n"))
    assert any("beside those of platform.yaml" in problem.text for problem in outcome.errors)


def test_without_any_channel_the_remedy_says_where_they_stand() -> None:
    outcome = load(folder(PLATFORM, team_a=RULE))
    assert any("The platform's file names them" in problem.text for problem in outcome.errors)
