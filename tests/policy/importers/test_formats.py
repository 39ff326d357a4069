"""What each format means: windows, factors, times and names, as its own tool has them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policy.importers.beside import as_policy
from tests.policy.importers.samples import OPENSLO, PROMETHEUS, PYRRA, SLOTH, SLOTH_OBJECT
from watchdog.core.spec import RatioThreshold, RuleSpec, Slo, ValueThreshold
from watchdog.core.words import Severity
from watchdog.policy.importers.importing import import_texts
from watchdog.policy.importers.report import Fate

HOUR, DAY = 3600.0, 86_400.0


def rules(text: str) -> dict[str, RuleSpec]:
    return as_policy(import_texts({"f.yaml": text})).rules


def slo(rule: RuleSpec) -> Slo:
    assert isinstance(rule.signal, Slo)
    return rule.signal


def pairs(rule: RuleSpec) -> list[tuple[float, float, float]]:
    return [(round(p.factor, 9), p.long_seconds, p.short_seconds) for p in slo(rule).pairs]


def notes(text: str) -> list[str]:
    return [note.text for note in import_texts({"f.yaml": text}).report.notes]


def test_an_alert_of_prometheus_with_all_that_it_may_have() -> None:
    rule = rules(PROMETHEUS)["high-error-rate"]
    assert (rule.for_seconds, rule.keep_firing_seconds) == (300.0, 600.0)
    assert rule.severity is Severity.P1
    assert dict(rule.labels) == {
        "alertname": "HighErrorRate",
        "severity": "critical",
        "site": "north",
        "team": "shop",
    }
    assert rule.summary == "<job> fails at <value>"
    assert rule.runbook == "https://runbooks.example.org/errors"
    told = import_texts({"f.yaml": PROMETHEUS}).report
    gone = {note.field for note in told.notes if note.fate is Fate.DROPPED}
    assert gone == {
        "group shop.interval",
        "group shop.query_offset",
        "group shop.limit",
        "record unused:sum",
        "HighErrorRate.labels.pod",
        "HighErrorRate.annotations.description",
        "HighErrorRate.annotations.dashboard",
    }
    lines = PROMETHEUS.splitlines()
    for note in told.notes:
        word = note.field.rpartition(".")[2].removeprefix("record ")
        assert word in lines[note.line - 1] or note.field.endswith("expr"), note


def test_sloth_has_two_pairs_for_a_page_and_two_for_a_ticket() -> None:
    found = rules(SLOTH)
    assert set(found) == {"shop-availability-page", "shop-latency-ticket"}
    page = found["shop-availability-page"]
    assert slo(page).objective == 0.999
    assert slo(page).period_seconds == 30 * DAY
    assert pairs(page) == [(14.4, HOUR, 300.0), (6.0, 6 * HOUR, 1800.0)]
    assert slo(page).counters.events == 'requests_total{code=~"(5..|429)"}'
    assert page.severity is Severity.P1
    assert dict(page.labels)["alertname"] == "ShopAvailability"
    ticket = found["shop-latency-ticket"].signal
    assert isinstance(ticket, ValueThreshold)
    assert ticket.bound.op == "present"
    assert "[2h]" in ticket.expr
    assert "> (3 * 0.01)" in ticket.expr
    assert "[3d]" in ticket.expr


def test_sloths_alert_windows_are_those_of_its_period() -> None:
    found = rules(SLOTH_OBJECT)
    page, ticket = found["shop-availability-page"], found["shop-availability-ticket"]
    assert slo(page).period_seconds == 7 * DAY
    assert pairs(page) == [(13.44, HOUR, 300.0), (3.5, 6 * HOUR, 1800.0)]
    assert pairs(ticket) == [(1.4, DAY, 2 * HOUR), (0.98, 3 * DAY, 6 * HOUR)]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (
            "28d",
            [
                (14.0, HOUR, 300.0, 120.0),
                (7.0, 6 * HOUR, 1800.0, 900.0),
                (2.0, DAY, 2 * HOUR, HOUR),
                (1.0, 4 * DAY, 6 * HOUR, 3 * HOUR),
            ],
        ),
        (
            "30d",  # to whole minutes: 64.3, 5.4 and 2.1 minutes for the first
            [
                (14.0, 3840.0, 300.0, 120.0),
                (7.0, 23_160.0, 1920.0, 960.0),
                (2.0, 92_580.0, 7740.0, 3840.0),
                (1.0, 370_260.0, 23_160.0, 11_580.0),
            ],
        ),
        (
            "2w",  # half a minute goes up: 2.5 minutes are 3
            [
                (14.0, 1800.0, 180.0, 60.0),
                (7.0, 3 * HOUR, 900.0, 480.0),
                (2.0, 12 * HOUR, HOUR, 1800.0),
                (1.0, 2 * DAY, 3 * HOUR, 5400.0),
            ],
        ),
    ],
)
def test_pyrras_windows_are_scaled_and_rounded(
    window: str, expected: list[tuple[float, float, float, float]]
) -> None:
    found = rules(PYRRA.replace("window: 2w", f"window: {window}"))
    burns = [found[f"shop-errors-{name}-burn"] for name in ("fast", "medium", "slow", "long-term")]
    assert [(*pairs(rule)[0], rule.for_seconds) for rule in burns] == expected


def test_an_objective_of_pyrra_with_all_that_it_may_have() -> None:
    found = rules(PYRRA)
    fast, gone = found["shop-errors-fast-burn"], found["shop-errors-absent"]
    assert (fast.severity, gone.severity) == (Severity.P1, Severity.P3)
    assert dict(fast.labels) == {
        "alertname": "ShopBurns",
        "namespace": "monitoring",
        "slo": "shop-errors",
        "team": "web",
    }
    assert dict(gone.labels)["alertname"] == "ShopIsGone"
    assert fast.runbook == "https://runbooks.example.org/shop"
    assert isinstance(gone.signal, ValueThreshold)
    assert gone.signal.expr == 'absent(requests_total{job="shop"})'
    assert any("one objective for each handler" in note for note in notes(PYRRA))


def test_a_burn_that_can_never_be_is_dropped_and_told_of() -> None:
    text = PYRRA.replace('target: "99"', 'target: "90"')
    assert "shop-errors-fast-burn" not in rules(text)
    assert any("can never fire with a target of 90%" in note for note in notes(text))
    text = SLOTH.replace("objective: 99.9", "objective: 90")
    assert len(slo(rules(text)["shop-availability-page"]).pairs) == 1
    assert any("can never fire with an objective of 90%" in note for note in notes(text))


def test_openslo_burns_over_one_window() -> None:
    found = rules(OPENSLO)
    fast, slow = found["web-availability-good-fast"], found["web-availability-good-slow"]
    assert isinstance(fast.signal, RatioThreshold)
    assert fast.signal.bound.limit == pytest.approx(14.4 * 0.005, rel=1e-15)
    assert (fast.signal.over_seconds, fast.for_seconds) == (HOUR, 300.0)
    assert isinstance(slow.signal, RatioThreshold)
    assert (slow.signal.bound.limit, slow.signal.over_seconds) == (0.005, 3 * DAY)
    assert (fast.severity, slow.severity) == (Severity.P1, Severity.P2)
    assert (fast.summary, slow.summary) == ("It burns fast.", "The web is there")


def test_an_openslo_objective_without_a_policy_gets_the_workbooks_windows() -> None:
    text = OPENSLO.replace("  alertPolicies:\n    - alertPolicyRef: burn\n", "")
    rule = rules(text)["web-availability"]
    assert pairs(rule) == [(13.44, HOUR, 300.0), (5.6, 6 * HOUR, 1800.0)], "of four weeks"
    assert any("no alert policy says when to alert" in note for note in notes(text))


def test_a_policy_with_a_fault_in_it_is_not_taken_for_none() -> None:
    """`lte` stands in examples of the format, and would be true of every good hour."""
    policy = """\
    - kind: AlertPolicy
      metadata: {name: burn}
      spec:
        conditions:
          - kind: AlertCondition
            metadata: {name: fast}
            spec:
              severity: page
              condition: {kind: burnrate, op: lte, threshold: 2, lookbackWindow: 1h, alertAfter: 5m}
"""
    text = OPENSLO.replace("    - alertPolicyRef: burn\n", policy)
    found = import_texts({"f.yaml": text})
    (problem,) = found.report.errors
    assert "A burn is too high: write gt or gte." in problem.remedy
    assert found.report.came == [], "windows that nobody asked for are not put in its place"
    assert not any("no alert policy" in note for note in notes(text))


def test_all_faults_of_an_alert_are_told_at_once() -> None:
    text = """\
groups:
  - name: g
    rules:
      - alert: Broken
        expr: sum(
        for: five
        keep_firing_for: long
        colour: red
"""
    found = import_texts({"f.yaml": text})
    assert [problem.line for problem in found.report.errors] == [5, 6, 7]
    assert any("colour" in note for note in notes(text))


def test_a_burn_of_exactly_the_threshold_is_told_of() -> None:
    text = OPENSLO.replace("op: gt,", "op: gte,")
    (note,) = [note for note in notes(text) if ".op: " in note]
    assert note.endswith("a burn of exactly the threshold alerted; here a burn breaches above it.")
    assert not any(".op: " in note for note in notes(OPENSLO))


SEVERITIES = {
    "critical": "P1",
    "CRITICAL": "P1",
    "page": "P1",
    "warning": "P2",
    "ticket": "P2",
    "info": "P3",
    "p0": "P0",
    "P3": "P3",
    "whatever": "P2",
}


@pytest.mark.parametrize("word", SEVERITIES)
def test_a_severity_is_one_of_ours(word: str) -> None:
    text = PROMETHEUS.replace("severity: critical", f"severity: {word}")
    assert rules(text)["high-error-rate"].severity == SEVERITIES[word]
    told = [note for note in notes(text) if "labels.severity" in note]
    assert len(told) == (0 if word == "P3" else 1)


NAMES = {
    "HighErrorRate": "high-error-rate",
    "CPUThrottlingHigh": "cpu-throttling-high",
    "etcd_no-leader": "etcd-no-leader",
    "Disk 95% full": "disk-95-full",
    "5xxRate": "rule-5xx-rate",
    "manual": "rule-manual",
    "Ünïcode": "rule-n-code",
    "x" * 80: "x" * 63,
}


@pytest.mark.parametrize("alert", NAMES)
def test_a_name_is_one_of_ours(alert: str) -> None:
    text = PROMETHEUS.replace("alert: HighErrorRate", f"alert: '{alert}'")
    (rule,) = rules(text).values()
    if alert == "Ünïcode":
        assert rule.name.isascii()
        return
    assert rule.name == NAMES[alert]
    assert dict(rule.labels)["alertname"] == alert


def test_alerts_of_one_name_are_told_apart() -> None:
    more = PROMETHEUS[PROMETHEUS.index("      - alert:") :]
    found = rules(PROMETHEUS + more + more)
    assert list(found) == ["high-error-rate", "high-error-rate-2", "high-error-rate-3"]


def test_texts_that_our_files_would_misread_are_quoted() -> None:
    odd: dict[str, Any] = {
        "a": "yes",
        "b": "0x1f",
        "c": 'it\'s "quoted"',
        "d": "a: b # c",
        "e": "null",
        "f": "5%",
        "g": "- x",
        "h": "back\\slash",
        "i": "\u2028\x85 \x7f",
        "j": "~",
        "k": "{x}",
    }
    labels = "".join(f"          {key}: {json_text(text)}\n" for key, text in odd.items())
    text = PROMETHEUS.replace("          team: shop\n", labels)
    found = dict(rules(text)["high-error-rate"].labels)
    assert {key: found[key] for key in odd} == odd


def json_text(text: str) -> str:
    escaped = "".join(c if c.isprintable() and c not in '"\\' else f"\\u{ord(c):04x}" for c in text)
    return f'"{escaped}"'


OPERATOR = """\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: x}
spec: {groups: [{name: g, rules: [{alert: Z, expr: 'sum(q) > 1'}]}]}
"""


def test_files_of_several_formats_and_lists_come_in_together() -> None:
    as_list = "apiVersion: v1\nkind: List\nitems:\n" + "".join(
        "  - " + document.replace("\n", "\n    ").rstrip() + "\n" for document in (PYRRA, OPERATOR)
    )
    result = import_texts({"list.yaml": as_list, "sloth.yaml": SLOTH})
    assert {came.of.split()[0] for came in result.report.came} == {"alert", "Sloth", "Pyrra"}
    as_policy(result)
