"""`from: FILE#Alert`: an alert read where it stands, as a part of its owner's text."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from tests.policy.texts import PLATFORM, VARS, load
from watchdog.core.spec import RatioThreshold, ValueThreshold
from watchdog.core.words import Mode, Severity
from watchdog.policy import Load
from watchdog.policy.schema import rules as schema_of_rules
from watchdog.policy.tree import read_tree

ALERTS = """\
groups:
  - name: shop
    rules:
      - record: shop:errors:ratio
        expr: sum(rate(r_total{code=~"5.."}[5m])) / sum(rate(r_total[5m]))
      - alert: ShopErrors
        expr: shop:errors:ratio > 0.05
        for: 2m
        keep_firing_for: 5m
        labels: {severity: critical, team: shop}
        annotations:
          summary: "{{ $labels.job }} fails"
          runbook_url: https://runbooks.example.org/shop
      - {alert: Twice, expr: 'sum(q) > 5', labels: {severity: warning}}
      - {alert: Twice, expr: 'sum(q) > 9', labels: {severity: critical}}
      - {alert: Broken, expr: 'sum('}
      - {alert: Always, expr: 'vector(1)'}
      - {alert: ShopQueue, expr: 'queue > 5 and on (job) up == 1', labels: {severity: page}}
"""
RULES = """\
version: 1
rules:
  shop-errors:
    from: alerts.yaml#ShopErrors
    source: prom
    minimum_events: 20
    playbook: redemption
    mode: shadow
"""


def files(rules: str = RULES, alerts: str = ALERTS) -> dict[str, str]:
    return {
        "platform.yaml": PLATFORM,
        "vars/production.yaml": VARS,
        "team-a/rules.yaml": rules,
        "team-a/alerts.yaml": alerts,
    }


def one(from_: str, more: str = "") -> str:
    return f"version: 1\nrules:\n  it:\n    from: {from_}\n    source: prom\n{more}"


def said(outcome: Load) -> list[str]:
    return [problem.text for problem in outcome.errors]


def test_the_alert_says_what_is_judged_and_the_rule_what_is_done() -> None:
    outcome = load(files())
    assert outcome.complete, said(outcome)
    assert outcome.policy is not None
    rule = outcome.policy.rules["shop-errors"]
    assert isinstance(rule.signal, RatioThreshold)
    assert rule.signal.counters.events == 'r_total{code=~"5.."}'
    assert (rule.for_seconds, rule.keep_firing_seconds) == (120.0, 300.0)
    assert rule.severity is Severity.P1
    assert (rule.mode, rule.playbook, rule.minimum_events) == (Mode.SHADOW, "redemption", 20.0)
    assert dict(rule.labels)["team"] == "shop"
    assert rule.summary == "<job> fails"
    assert rule.where == "team-a/rules.yaml:3:3"


def test_what_the_rule_says_itself_goes_before_the_alert() -> None:
    rules = RULES + "    severity: P0\n    for: 10m\n    summary: ours\n"
    outcome = load(files(rules))
    assert outcome.policy is not None
    rule = outcome.policy.rules["shop-errors"]
    assert (rule.severity, rule.for_seconds, rule.summary) == (Severity.P0, 600.0, "ours")


def test_another_alert_is_another_rule_and_another_hash() -> None:
    before, after = load(files()), load(files(alerts=ALERTS.replace("> 0.05", "> 0.1")))
    comment = load(files(alerts="# nothing new\n" + ALERTS))
    assert before.policy is not None
    assert after.policy is not None
    assert comment.policy is not None
    rule, other = before.policy.rules["shop-errors"], after.policy.rules["shop-errors"]
    assert rule.sha256 != other.sha256
    assert before.policy.sha256 != after.policy.sha256
    assert comment.policy.rules["shop-errors"].sha256 == rule.sha256
    assert comment.policy.sha256 == before.policy.sha256


def test_the_alerts_text_is_in_force_with_the_owners_and_kept_last_good() -> None:
    good = load(files())
    assert good.files["team-a/alerts.yaml"] == ALERTS
    broken = load(
        files(alerts=ALERTS.replace("expr: shop:errors", "expr: (shop:errors")), good.files
    )
    assert broken.errors[0].file == "team-a/alerts.yaml"
    assert broken.policy is not None
    assert broken.policy.rules == good.policy.rules if good.policy else False
    assert broken.files["team-a/alerts.yaml"] == ALERTS


REFUSED = {
    "no alert named": ("alerts.yaml", "rules", 4, "Write it as FILE#AlertName."),
    "no such file": ("alert.yaml#ShopErrors", "rules", 4, "Did you mean alerts.yaml?"),
    "another owner's": ("../team-b/alerts.yaml#X", "rules", 4, "there is no alert file"),
    "a path": ("/etc/passwd#X", "rules", 4, "there is no alert file"),
    "no such alert": ("alerts.yaml#ShopError", "rules", 4, "Did you mean ShopErrors?"),
    "which of two": ("alerts.yaml#Twice", "rules", 4, "alerts.yaml#Twice/1"),
    "a third of two": ("alerts.yaml#Twice/3", "rules", 4, "and no 3"),
    "one that is broken": ("alerts.yaml#Broken", "alerts", 16, "is no PromQL"),
    "one that always fires": ("alerts.yaml#Always", "rules", 4, "it reads no metric"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_it_is_refused_at_its_place(why: str) -> None:
    name, file, line, says = REFUSED[why]
    outcome = load(files(one(f'"{name}"')))
    assert any(
        text.startswith(f"team-a/{file}.yaml:{line}:") and says in text for text in said(outcome)
    ), said(outcome)


def test_the_second_of_a_name_can_be_chosen() -> None:
    outcome = load(files(one("alerts.yaml#Twice/2")))
    assert outcome.policy is not None
    signal = outcome.policy.rules["it"].signal
    assert isinstance(signal, ValueThreshold)
    assert signal.bound.limit == 9.0


def test_a_broken_alert_that_nobody_reads_refuses_nothing() -> None:
    assert load(files()).complete


def test_a_fault_of_the_language_is_told_where_the_alert_stands() -> None:
    """The alert's `for` is too long for any rule of ours."""
    outcome = load(files(alerts=ALERTS.replace("for: 2m", "for: 3y")))
    assert [t for t in said(outcome) if t.startswith("team-a/alerts.yaml:8:14: for:")], said(
        outcome
    )


def test_the_schema_asks_for_no_severity_that_the_alert_brings_along() -> None:
    validator = Draft202012Validator(schema_of_rules())
    for text, valid in ((RULES, True), (RULES.replace("    from: ", "    runbook: "), False)):
        tree = read_tree(text, "rules.yaml")
        assert tree is not None
        assert validator.is_valid(tree.plain()) is valid


def test_a_signal_beside_it_is_refused() -> None:
    more = "    threshold: {expr: a, breach_when: '> 1'}\n"
    outcome = load(files(one("alerts.yaml#ShopErrors", more)))
    assert any("`threshold` beside `from`" in text for text in said(outcome))


def test_what_it_does_not_say_as_the_alert_does_is_advice() -> None:
    outcome = load(files(one("alerts.yaml#ShopQueue")))
    assert outcome.complete
    texts = [problem.text for problem in outcome.advice]
    assert any(
        text.startswith("team-a/alerts.yaml:18:") and "several series" in text for text in texts
    )


def test_a_file_of_alerts_that_no_rule_reads_is_advice() -> None:
    rules = "version: 1\nrules:\n  it:\n    severity: P1\n    source: prom\n"
    rules += "    threshold: {expr: sum(a), breach_when: '> 1'}\n"
    outcome = load(files(rules))
    assert outcome.complete
    assert "no rule reads an alert of this file" in [problem.what for problem in outcome.advice]


@pytest.mark.parametrize(
    "alerts",
    [
        "groups: [",
        "groups: 5\n",
        "groups:\n- *x\n",
        "groups:\n" + "[" * 5000,
        "kind: PrometheusRule",
    ],
)
def test_a_file_that_is_none_is_refused_in_words(alerts: str) -> None:
    outcome = load(files(alerts=alerts))
    assert outcome.errors
    assert all(problem.file.startswith("team-a/") for problem in outcome.errors)
