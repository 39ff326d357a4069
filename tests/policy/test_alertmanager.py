"""The platform's `alertmanager:` section: what it means, what is refused, and how it changes."""

from __future__ import annotations

import pytest

from tests.policy.texts import PLATFORM, RULES, VARS, at, folder, load, unmarked
from watchdog.core.alerting import alert_labels
from watchdog.core.alertmanager import AlertmanagerSpec
from watchdog.core.spec import Endpoint, Header, Policy
from watchdog.core.words import World
from watchdog.daemon.credentials import credentials
from watchdog.policy.change import Change, Effect
from watchdog.policy.diff import compare

SECTION = """\
alertmanager:
  url: http://am:9093
"""
LOGIN = """\
alertmanager:
  url: ["https://am-2/alerts/", "https://am-1/alerts/"]
  alerts: false
  every: 1m
  headers: {Authorization: {secret: am-token, prefix: "Bearer "}}
  ca: /etc/ssl/am.pem
"""


def policy(section: str = "", rules: str = RULES) -> Policy:
    found = load(folder(PLATFORM + section, VARS, team_a=rules))
    assert found.policy is not None, found.errors
    assert found.complete
    return found.policy


def test_an_address_is_enough() -> None:
    assert policy(SECTION).alertmanager == AlertmanagerSpec(
        (Endpoint("http://am:9093"),),
        every_seconds=10.0,
        deadline_seconds=5.0,
        silences=True,
        alerts=True,
        again_seconds=60.0,
        page_after_seconds=300.0,
        max_bytes=4 * 1024 * 1024,
    )


def test_replicas_share_headers_whose_credentials_are_asked_for_at_the_start() -> None:
    found = policy(LOGIN)
    spec = found.alertmanager
    assert spec is not None
    header = (Header("Authorization", "Bearer ", "am-token"),)
    assert spec.endpoints == tuple(
        Endpoint(f"https://am-{n}/alerts/", header, "/etc/ssl/am.pem") for n in (1, 2)
    )
    assert (spec.silences, spec.alerts, spec.deadline_seconds) == (True, False, 5.0)
    assert next(iter(spec.replicas("/api/v2/silences").values())).url == (
        "https://am-1/alerts/api/v2/silences"
    )
    assert "am-token" in credentials(found)


def test_a_policy_without_it_is_the_one_that_it_was() -> None:
    """Its hash, which decisions carry, must not change by the section's mere existence."""
    assert policy().alertmanager is None
    assert policy().sha256 != policy(SECTION).sha256
    assert policy(SECTION).sha256 == policy(SECTION + "  every: 10s\n").sha256


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("§alertmanager: {every: 5s}", "has no `url`"),
        ("alertmanager: {url: §am:9093}", "no http(s) address"),
        ('alertmanager: {url: ["http://a", §"b"]}', "no http(s) address"),
        ("alertmanager: {url: §[]}", "a list of 0"),
        ('alertmanager: {url: ["http://a", §"http://a/"]}', "stands twice"),
        ("alertmanager: {url: §http://am/api/v2/alerts}", "inside the Alertmanager's API"),
        ("alertmanager: {url: §http://am?x=1}", "with a query"),
        ("alertmanager: {url: http://am, silences: false, §alerts: false}", "asked for nothing"),
        ("alertmanager: {url: http://am, every: 2s, deadline: §3s}", "longer than the next"),
        ("alertmanager: {url: http://am, §silence: true}", "Did you mean silences?"),
        ("alertmanager: {url: http://am, headers: {Authorization: §Bearer x}}", "a secret"),
        ("alertmanager: §http://am", "mapping"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(section: str, says: str) -> None:
    text, line, column = unmarked(PLATFORM + section + "\n")
    found = load(folder(text))
    assert found.policy is None
    assert any(says in told for told in at(found.errors, "platform.yaml", line, column)), (
        found.errors
    )


def changes(old: Policy, new: Policy) -> list[Change]:
    return compare(old, new)


def test_what_a_load_changes_about_it_is_said() -> None:
    """Unsaid it would not even be loaded: what changes nothing is not applied."""
    told = [one.text for one in changes(policy(), policy(SECTION))]
    assert told == [
        "Alertmanager is told of episodes",
        "silences in Alertmanager stop starts, and keep pages back",
    ]
    (gone, untold) = changes(policy(SECTION), policy())
    assert gone == Change(
        Effect.WIDEN, "alertmanager", "silences in Alertmanager stop nothing any more"
    )
    assert "not told any more" in untold.text
    (elsewhere,) = changes(policy(SECTION), policy(SECTION.replace("am:", "other:")))
    assert elsewhere.effect is Effect.CHANGE


def test_other_labels_and_words_of_a_rule_are_said_too() -> None:
    labelled = RULES.replace("    source: app", "    labels: {db: orders}\n    source: app")
    (other,) = changes(policy(), policy(rules=labelled))
    assert other.text == "error-rate has other labels: silences in Alertmanager go by them"
    (words,) = changes(policy(), policy(rules=RULES.replace("redemption.md", "other.md")))
    assert words.text == "error-rate tells people something else"


ALERTS = """\
groups:
  - name: shop
    labels: {team: shop}
    rules:
      - alert: ShopErrors
        expr: sum(rate(errors_total[5m])) > 5
        for: 1m
        labels: {severity: critical}
"""


def test_silences_made_for_an_alert_cover_the_rule_that_reads_it() -> None:
    """By the names that the alert has in Alertmanager already, its own severity among them."""
    rules = "version: 1\nrules:\n  shop-errors: {from: alerts.yaml#ShopErrors, source: prom}\n"
    files = folder(PLATFORM + SECTION, VARS, team_a=rules) | {"team-a/alerts.yaml": ALERTS}
    found = load(files).policy
    assert found is not None
    assert dict(alert_labels(found.rules["shop-errors"], found.environment, World.LIVE)) == {
        "alertname": "ShopErrors",
        "severity": "critical",
        "team": "shop",
        "rule": "shop-errors",
        "owner": "team-a",
        "environment": "production",
        "world": "live",
        "problem": "breach",
        "watchdog": "slo-watchdog",
    }
