"""What the platform's file may not hold: each refusal at its exact place, with what to do."""

from __future__ import annotations

import pytest

from tests.policy.texts import PLATFORM, at, folder, load, unmarked

READ_BACK = '    read_back: {get: "{{ app }}/api/feature-flags/btc_mainnet_redemption"}\n'
DO = '    do: {run: [mycelia-launchctl, pause, redemption], expect: "enabled == `false`"}\n'
MAINTENANCE = """\
maintenance:
  weekly:
    scope: all
    days: [tue]
    from: "02:00"
    to: "04:00"
    zone: Europe/Zurich
    reason: the weekly deploy
"""

RESUME = """\
  resume-redemption:
    flag: btc_mainnet_redemption
    deadline: 5s
    read_back: {get: "http://x/y"}
    contained_when: [{get: "http://x/y", expect: "a == `1`"}]
    do: {run: [a], expect: "enabled == `true`"}
playbooks:
"""

# what is replaced in the good file, by what, and what the refusal says
REFUSED = {
    "another environment": (
        "environment: production",
        "environment: §sandbox",
        "runs in production",
    ),
    "no environment": (
        "version: 1\nenvironment: production\n",
        "§version: 1\n",
        "no `environment`",
    ),
    "both kinds of environment": (
        "environment: production",
        "environment: production\n§environments: [production]",
        "both",
    ),
    "an environment that is a list": (
        "environment: production",
        "environment: §[production]",
        "no name",
    ),
    "another version": ("version: 1", "version: §2", "This program reads version 1"),
    "unknown top key": ("playbooks:", "§playboks: {}\nplaybooks:", "Did you mean playbooks?"),
    "two targets": (DO, DO + "    §config: {current: /srv}\n", "two targets in one action"),
    "a system restore": (DO, DO + "    §system: {archive: /srv}\n", "two targets in one action"),
    "an anchor": (DO, DO + "    §anchor: {margin: 10m}\n", "unknown key `anchor`"),
    "approvals of what asks nobody": (
        "within: 2m",
        "approvals: §2",
        "`approvals` beside `mode: armed`, which asks nobody",
    ),
    "a step without a way": (DO, '    §do: {expect: "enabled == `false`"}\n', "no way to act"),
    "a step with two ways": (
        DO,
        '    §do: {run: [a], call: {method: PUT, url: "http://x/y"}, expect: "a == `1`"}\n',
        "both",
    ),
    "a step without its state": (
        DO,
        "    §do: {run: [a]}\n",
        "pause-redemption.do has no `expect`",
    ),
    "a shell line": (
        DO,
        '    do: {run: [§"pause redemption"], expect: "e == `false`"}\n',
        "no shell",
    ),
    "a relative tool": (DO, '    do: {run: [§./pause], expect: "e == `false`"}\n', "whole path"),
    "a relative folder": (
        DO,
        '    do: {run: [a], cwd: §srv, expect: "e == `false`"}\n',
        "absolute",
    ),
    "a call that only reads": (
        DO,
        '    do: {call: {method: §GET, url: "http://x/y"}, expect: "e == `false`"}\n',
        "Write POST",
    ),
    "an expectation of nothing known": (
        DO,
        '    do: {run: [a], expect: §"enabled ==="}\n',
        "do.expect",
    ),
    "an expectation that nothing can prove": (
        DO,
        '    do: {run: [a], expect: §"length(x) > `0`"}\n',
        "do.expect",
    ),
    "do and undo alike": (
        'redemption], expect: "enabled == `true`"',
        'redemption], expect: §"enabled==`false`"',
        "same",
    ),
    "a secret in a file": (
        'feature-flags/btc_mainnet_redemption"}',
        'feature-flags/x", headers: {Authorization: §Bearer abc}}',
        "Authorization: {secret: NAME}",
    ),
    "a header by nobody's rules": (
        'feature-flags/btc_mainnet_redemption"}',
        'feature-flags/x", headers: {§"X Y": a}}',
        "no header name",
    ),
    "a password in an address": (
        '"http://localhost:9090"',
        '§"http://me:secret@localhost"',
        "a user or password in an address",
    ),
    "no address": ('"http://localhost:9090"', "§localhost:9090", "no http(s) address"),
    "a source of no kind": (
        '  prom: {prometheus: "http://localhost:9090", every: 15s, scraped_every: 30s}',
        "  §prom: {every: 15s}",
        "exactly one of scrape, prometheus and json",
    ),
    "a source of two kinds": (
        "{prometheus:",
        '{scrape: "http://x/", §prometheus:',
        "exactly one of",
    ),
    "a key of another kind": (
        'metrics", every: 5s',
        'metrics", every: 5s, §timestamp: t',
        "for json",
    ),
    "no JMESPath": ("timestamp: timestamp", 'timestamp: §"a[["', "no JMESPath"),
    "a negative interval": ("every: 15s, scraped", "every: §-15s, scraped", "negative"),
    "an unknown action": (
        "action: pause-redemption",
        "action: §pause-redemtion",
        "Did you mean pause",
    ),
    "an action twice": (
        "within: 2m}\n",
        "within: 2m}\n    - {action: §pause-redemption, mode: armed}\n",
        "stands twice",
    ),
    "a rung without a mode": (
        "{action: pause-redemption, mode: armed, within: 2m}",
        "§{action: pause-redemption}",
        "`mode`",
    ),
    "a grant of nothing": (
        "team-a: [redemption, pause-redemption]",
        "team-a: [§redemtion]",
        "Did you mean redemption?",
    ),
    "a bad name": ("  prom:", "  §Prom_1:", "is no name"),
    "a time that is none": (
        "grants:",
        MAINTENANCE.replace('"02:00"', '§"25:00"') + "grants:",
        "no time of",
    ),
    "a day that is none": (
        "grants:",
        MAINTENANCE.replace("[tue]", "[§tuesday]") + "grants:",
        "not known",
    ),
    "a zone that is none": (
        "grants:",
        MAINTENANCE.replace("Europe/Zurich", "§Europe/Zurick") + "grants:",
        "no IANA time zone",
    ),
    "a zone that leads elsewhere": (
        "grants:",
        MAINTENANCE.replace("Europe/Zurich", "§../../etc/passwd") + "grants:",
        "no IANA",
    ),
    "a scope of two": (
        "grants:",
        MAINTENANCE.replace("all", "§{owner: a, rule: b}") + "grants:",
        "exactly one of",
    ),
    "a scope misspelt": (
        "grants:",
        MAINTENANCE.replace("all", "§everything") + "grants:",
        "not known",
    ),
    "an unknown target": (
        "grants:",
        MAINTENANCE.replace("all", "{target: §'flag:btc'}") + "grants:",
        "no action changes",
    ),
    "an empty window": (
        "grants:",
        MAINTENANCE.replace('"04:00"', '§"02:00"') + "grants:",
        "whole day",
    ),
    "a budget of nothing": (
        "grants:",
        "limits: {budget: {actions: §0, per: 24h}}\ngrants:",
        "at least 1",
    ),
    "a blast radius misspelt": (
        "grants:",
        "limits: {§blast_raduis: 5}\ngrants:",
        "mean blast_radius?",
    ),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_the_platform_is_refused_at_its_place(name: str) -> None:
    old, new, says = REFUSED[name]
    assert old in PLATFORM
    text, line, column = unmarked(PLATFORM.replace(old, new, 1))
    outcome = load(folder(platform=text))
    found = at(outcome.errors, "platform.yaml", line, column)
    assert any(says in problem for problem in found), [e.text for e in outcome.errors]
    assert outcome.policy is None
    assert outcome.files == {}


def test_two_playbooks_may_not_pull_one_target_two_ways() -> None:
    opposite = "  opposite: [{action: §resume-redemption, mode: armed}]\ngrants:\n"
    platform = PLATFORM.replace("playbooks:\n", RESUME).replace("grants:\n", opposite)
    text, line, column = unmarked(platform)
    outcome = load(folder(platform=text))
    (says,) = at(outcome.errors, "platform.yaml", line, column)
    assert "may not pull one target two ways" in says
    assert len(outcome.errors) == 1


def test_an_action_that_nobody_can_verify_is_refused() -> None:
    outcome = load(folder(platform=PLATFORM.replace(READ_BACK, "")))
    (problem,) = outcome.errors
    assert (problem.line, problem.column) == (12, 3)
    assert problem.what == "pause-redemption has no `read_back`"
    assert "An action that nobody can verify is refused" in problem.remedy


def test_a_document_must_say_how_old_it_is() -> None:
    outcome = load(folder(platform=PLATFORM.replace("    timestamp: timestamp\n", "")))
    (problem,) = outcome.errors
    assert (problem.line, problem.column) == (6, 3)
    assert "timestamp: PATH" in problem.remedy


def test_one_folder_may_serve_several_environments() -> None:
    text = PLATFORM.replace("environment: production", "environments: [staging, production]")
    outcome = load(folder(platform=text))
    assert outcome.policy is not None
    assert outcome.policy.environment == "production"


def test_a_good_window_becomes_a_good_window() -> None:
    overnight = MAINTENANCE.replace("[tue]", "[sun, mon]").replace("02:00", "23:00")
    outcome = load(folder(platform=PLATFORM + overnight))
    assert outcome.policy is not None
    (window,) = outcome.policy.windows
    assert window.days == (1, 7)
    assert str(window.zone) == "Europe/Zurich"
    assert (window.since.hour, window.until.hour) == (23, 4)


def test_a_window_over_a_rule_that_does_not_exist_is_told() -> None:
    text = PLATFORM + MAINTENANCE.replace("all", "{rule: eror-rate}")
    outcome = load(folder(platform=text))
    assert outcome.complete
    assert [a.remedy for a in outcome.advice] == ["Did you mean error-rate?"]


def test_a_secret_is_named_and_its_text_is_read_elsewhere() -> None:
    headers = ', headers: {Authorization: {secret: flag-token, prefix: "Bearer "}}}'
    text = PLATFORM.replace('btc_mainnet_redemption"}', 'btc_mainnet_redemption"' + headers, 1)
    outcome = load(folder(platform=text))
    assert outcome.policy is not None
    (header,) = outcome.policy.actions["pause-redemption"].read_back.headers
    assert (header.name, header.value, header.secret) == ("Authorization", "Bearer ", "flag-token")


def test_a_call_sends_its_json() -> None:
    call = (
        "    do: {call: {method: PUT, url: 'http://x/flags/y', json: {enabled: false}},"
        ' expect: "enabled == `false`"}\n'
    )
    outcome = load(folder(platform=PLATFORM.replace(DO, call)))
    assert outcome.policy is not None
    how = outcome.policy.actions["pause-redemption"].do.how
    assert getattr(how, "body", None) == '{"enabled": false}'
