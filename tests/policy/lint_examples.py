"""For every entry of the catalogue a folder that it finds fault with, and one that it passes.

Both come from one folder in which all is well, by exchanging one text for another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.policy.texts import VARS

PLATFORM = """\
version: 1
environments: [production, staging]
sources:
  app: {scrape: "{{ app }}/metrics", every: 5s, deadline: 2s}
  prom: {prometheus: "http://localhost:9090", every: 15s, scraped_every: 30s}
actions:
  pause:
    flag: redemption
    read_back: {get: "http://flags.{{ zone }}/redemption"}
    do: {call: {method: PUT, url: "http://flags.{{ zone }}/redemption", json: {on: false}},
         expect: "on == `false`"}
    undo: {run: [resume], expect: "on == `true`"}
    contained_when: [{get: "{{ app }}/status", expect: "paused == `true`"}]
    deadline: 10s
    drilled_within: 45d
playbooks:
  redemption: [{action: pause, mode: armed}]
grants:
  team-a: [redemption, pause]
drills: {feature-flag: {every: 30d}}
"""
RULES = """\
version: 1
rules:
  promise:
    severity: P0
    runbook: docs/redemption.md
    source: app
    slo:
      objective: 99%
      bad: requests_total{code=~"5.."}
      total: requests_total
      burn:
        - {budget: 2%, long: 1h, short: 5m}
        - {budget: 5%, long: 6h, short: 30m}
    minimum_events: 250
    playbook: redemption
    mode: shadow
  errors:
    severity: P0
    runbook: docs/redemption.md
    source: app
    threshold: {bad: 'requests_total{code=~"5.."}', total: requests_total, over: 30s,
                breach_when: "> 5%"}
    minimum_events: 20
    for: 15s
    playbook: redemption
    mode: armed
    armed_because: launch decision
    corroborate: [saturated]
  saturated:
    severity: P1
    source: prom
    threshold: {expr: max(busy), breach_when: "> 90%"}
  down:
    severity: P0
    liveness: {up: app}
    for: 30s
"""
CONTACTS = """\
version: 1
channels: {mail: {apprise: apprise-mail}}
people: {ada: {name: Ada, reach: {mail: ada@example.org}}}
on-call: {people: [ada]}
audiences: {team: {to: [mail]}}
status-pages:
  public:
    call: {method: PUT, url: "http://status", json: {state: "${status}"}}
    components: {redemption: {name: Redemption, rules: [promise]}}
"""
TESTS = """\
tests:
  - rule_test: [{rule: promise}]
  - rule_test: [{rule: errors}]
"""


@dataclass(frozen=True, slots=True)
class Example:
    """`wrong` takes the place of `right` in one of the files."""

    right: str
    wrong: str
    file: str = "team-a/rules.yaml"
    better: str = ""  # another text that passes, where `right` is too easy

    def files(self, text: str) -> dict[str, str]:
        files = well()
        assert files[self.file].count(self.right) == 1, f"{self.right!r} in {self.file}"
        return files | {self.file: files[self.file].replace(self.right, text)}


def well() -> dict[str, str]:
    return {
        "platform.yaml": PLATFORM,
        "vars/production.yaml": VARS + "zone: example.com\n",
        "vars/staging.yaml": VARS + "zone: test.example.com\n",
        "contacts.yaml": CONTACTS,
        "team-a/rules.yaml": RULES,
        "team-a/rules.test.yaml": TESTS,
    }


_PLATFORM = "platform.yaml"
_SHORT, _LONG = "{budget: 2%, long: 1h, short: 5m}", "{budget: 5%, long: 6h, short: 30m}"
_ERRORS = 'over: 30s,\n                breach_when: "> 5%"}\n    minimum_events: 20'

LAWS: Mapping[str, Example] = {
    "slo-never-fires": Example("objective: 99%", "objective: 90%"),
    "objective-without-budget": Example("objective: 99%", "objective: 100%"),
    "factor-beside-budget": Example(_SHORT, "{budget: 2%, long: 1h, short: 5m, factor: 14.4}"),
    "reversed-comparison": Example('breach_when: "> 5%"', 'breach_when: "< 5%"'),
    "bound-never-true": Example('breach_when: "> 5%"', 'breach_when: "> 100%"'),
    "filtered-expression": Example("expr: max(busy)", "expr: max(busy) > 0.9"),
    "percentage-slip": Example('breach_when: "> 5%"', 'breach_when: "> 5"'),
    "window-under-two-samples": Example("over: 30s", "over: 9s", better="over: 20s"),
    "window-beyond-period": Example("long: 6h", "long: 60d"),
    "short-not-shorter": Example("short: 30m", "short: 6h"),
    "armed-too-quick": Example("for: 15s", "for: 14s"),
    "armed-without-minimum": Example(_ERRORS, _ERRORS.replace("\n    minimum_events: 20", "")),
    "read-back-missing": Example(
        '    read_back: {get: "http://flags.{{ zone }}/redemption"}\n', "", _PLATFORM
    ),
    "opposite-states": Example(
        "playbooks:\n",
        "  start:\n    flag: redemption\n    read_back: {get: http://flags}\n"
        "    do: {run: [resume], expect: 'on == `true`'}\n    deadline: 10s\n"
        "playbooks:\n  other: [{action: start, mode: armed}]\n",
        _PLATFORM,
    ),
    "undo-equals-do": Example('expect: "on == `true`"', 'expect: "on == `false`"', _PLATFORM),
    "wrong-environment": Example(
        "environments: [production, staging]", "environments: [staging]", _PLATFORM
    ),
    "each-label-lost": Example(
        'expr: max(busy), breach_when: "> 90%"}',
        'expr: max(busy), breach_when: "> 90%"}\n    each: [zone]',
        better='expr: max by (zone) (busy), breach_when: "> 90%"}\n    each: [zone]',
    ),
    "not-granted": Example("team-a: [redemption, pause]", "team-a: [redemption]", _PLATFORM),
}

LINTS: Mapping[str, Example] = {
    "one-event-fires": Example(
        _ERRORS,
        _ERRORS.replace("20", "19"),
    ),
    "few-samples-in-window": Example("over: 30s", "over: 15s", better="over: 20s"),
    "breaches-within-budget": Example(
        _LONG, "{budget: 10%, long: 6d, short: 6h}", better="{budget: 10%, long: 3d, short: 6h}"
    ),
    "pair-without-effect": Example(_LONG, "{budget: 15%, long: 6h, short: 30m}"),
    "range-without-two-samples": Example(
        "expr: max(busy)",
        "expr: 'max(rate(busy[30s]))'",
        better="expr: 'max(rate(busy[1m]))'",
    ),
    "quantile-without-buckets": Example(
        "expr: max(busy)",
        "expr: 'histogram_quantile(0.9, sum(rate(busy_bucket[5m])))'",
        better="expr: 'histogram_quantile(0.9, sum by (le) (rate(busy_bucket[5m])))'",
    ),
    "bound-out-of-reach": Example(
        'expr: max(busy), breach_when: "> 90%"',
        'expr: max(busy) > bool 0.9, breach_when: "> 1"',
        better='expr: max(busy) > bool 0.9, breach_when: "== 1"',
    ),
    "pattern-as-text": Example(
        "{bad: 'requests_total{code=~\"5..\"}'",
        "{bad: 'requests_total{code=\"5..\"}'",
    ),
    "hung-target-unseen": Example(
        "deadline: 2s", "deadline: 10s", _PLATFORM, better="deadline: 9s"
    ),
    "lives-on-what-dies": Example(
        "liveness: {up: app}\n    for: 30s\n",
        "liveness: {up: dying}\n    for: 30s\n    playbook: redemption\n    mode: shadow\n",
    ),
    "environments-share-a-target": Example("zone: test.", "zone: ", "vars/staging.yaml"),
    "another-environment-named": Example(
        "zone: example.com", "zone: staging.example.com", "vars/production.yaml"
    ),
    "corroborated-by-the-same-source": Example("corroborate: [saturated]", "corroborate: [down]"),
    "channel-unheard": Example(
        "actions:\n", "events: {idle: {hmac: idle-webhook}}\nactions:\n", _PLATFORM
    ),
    "each-of-several-series": Example(
        'expr: max(busy), breach_when: "> 90%"}',
        'expr: busy, breach_when: "> 90%"}\n    each: [zone]',
        better="expr: 'histogram_quantile(0.9, sum by (le, zone) (rate(busy_bucket[1m])))', "
        'breach_when: "> 90%"}\n    each: [zone]',
    ),
    "nobody-there": Example("ada@example.org", "ada@mycelia.invalid", "contacts.yaml"),
    "drilled-within-too-short": Example("every: 30d", "every: 60d", "platform.yaml"),
    "status-page-of-no-rule": Example("rules: [promise]", "rules: [promis]", "contacts.yaml"),
    "rule-without-a-test": Example("[{rule: errors}]", "[{rule: down}]", "team-a/rules.test.yaml"),
}


def dying(example: Example) -> dict[str, str]:
    """The one example that takes two changes: a source where the flags are served."""
    files = example.files(example.wrong)
    source = '  dying: {scrape: "http://flags.{{ zone }}/metrics", every: 5s, deadline: 2s}\n'
    files["platform.yaml"] = PLATFORM.replace("actions:\n", source + "actions:\n")
    files["team-a/rules.test.yaml"] += "  - rule_test: [{rule: down}]\n"
    return files


def wrong(name: str) -> dict[str, str]:
    example = LINTS[name]
    return dying(example) if name == "lives-on-what-dies" else example.files(example.wrong)


def right(example: Example) -> dict[str, str]:
    return example.files(example.better or example.right)
