"""An action's `verification`: what is read, what is refused, and that nothing else hangs on it."""

from __future__ import annotations

import pytest

from tests.policy.texts import MARK, PLATFORM, RULES, VARS, at, folder, load, unmarked
from watchdog.core.probes import AttestationProbe, CommandProbe, HttpProbe
from watchdog.core.spec import Policy
from watchdog.core.words import Direction
from watchdog.policy.diff import compare, rearmed

KEY = "a" * 64
CHECKS = f"""\
    verification:
      health: {{http: "{{{{ app }}}}/health", expect: "status == 'ok'"}}
      por: {{attestation: /srv/por.json, signers: ["{KEY}"], max_age: 30m, page: true}}
      flow:
        command: [/opt/flow, --test-flow]
        env: [PATH]
        after: [undo]
        deadline: 1m
        within: 5m
        says: a user can redeem
"""


def platform(checks: str = "") -> str:
    return PLATFORM.replace("    deadline: 10s\n", checks + "    deadline: 10s\n")


def policy(checks: str = "") -> Policy:
    found = load(folder(platform(checks), VARS, team_a=RULES))
    assert found.policy is not None, found.errors
    return found.policy


def test_checks_are_read_and_arm_nothing() -> None:
    """They are no part of the action: its hash, what people approved and what is armed stay."""
    plain, checked = policy(), policy(CHECKS)
    health, por, flow = checked.verification["pause-redemption"]
    assert isinstance(health.how, HttpProbe)
    assert health.how.endpoint.url == "http://localhost:3000/health"
    assert (health.deadline_seconds, health.within_seconds, health.page) == (30.0, 60.0, False)
    assert health.after == (Direction.DO, Direction.UNDO)
    assert isinstance(por.how, AttestationProbe)
    assert por.page
    assert isinstance(flow.how, CommandProbe)
    assert (flow.how.command.env, flow.after) == (("PATH",), (Direction.UNDO,))
    assert (flow.deadline_seconds, flow.within_seconds) == (60.0, 300.0)

    assert plain.verification == {}
    assert plain.sha256 != checked.sha256
    assert plain.actions == checked.actions
    assert [one.text for one in compare(plain, checked)] == [
        "the action pause-redemption is verified differently"
    ]
    assert rearmed(plain, checked) == ()


def test_an_action_for_listed_values_has_checks_for_each() -> None:
    text = platform('    verification: {served: {http: "{{ app }}/flags/{{ flag }}"}}\n')
    text = text.replace(
        "    flag: btc_mainnet_redemption\n",
        '    each: {flag: [one, two]}\n    flag: "{{ flag }}"\n',
    ).replace("/api/feature-flags/btc_mainnet_redemption", "/api/feature-flags/{{ flag }}")
    text = text.partition("playbooks:")[0]
    found = load(folder(text, team_a=RULES.partition("rules:")[0] + "rules: {}\n"))
    assert found.policy is not None, found.errors
    assert {
        (name, check.how.endpoint.url)
        for name, checks in found.policy.verification.items()
        for check in checks
        if isinstance(check.how, HttpProbe)
    } == {
        ('pause-redemption{flag="one"}', "http://localhost:3000/flags/one"),
        ('pause-redemption{flag="two"}', "http://localhost:3000/flags/two"),
    }


@pytest.mark.parametrize(
    ("check", "says"),
    [
        ("§a: {within: 1m}", "a looks at nothing"),
        ("a: {tcp: 'db:1', §command: [x]}", "a looks in two ways"),
        ("a: {tcp: 'db:1', §expect: a == 'b'}", "`expect` is for http"),
        ("a: {tcp: 'db:1', §headers: {a: b}}", "`headers` is for attestation and http"),
        ("a: {command: [§bin/x]}", "depends on the folder it is run in"),
        ("a: {command: §[mycelia-launchctl, pause, redemption]}", "would change something"),
        ("a: {command: §[mycelia-launchctl, resume, redemption]}", "would change something"),
        ("a: {command: [x], §idempotent: true}", "unknown key `idempotent`"),
        ("a: {command: [x], deadline: §6m}", "Write at most 5m"),
        ("a: {command: [x], within: §2h}", "Write at most 1h"),
        ("a: {command: [x], after: §[do, do]}", "do stands twice"),
        ("a: {command: [x], after: [§later]}", "Write do or undo"),
        ("a: {http: 'http://h/', headers: {authorization: §x}}", "a secret in a rule file"),
        ("a: {§attestation: /por.json, max_age: 1m}", "whose signature counts"),
        ("a: {tcp: 'db:1'}, §a: {tcp: 'db:2'}", "a"),
        ("§A: {tcp: 'db:1'}", "names are small letters"),
        (f"§{', '.join(f'c{n}: {{tcp: x:1}}' for n in range(21))}", "at most 20"),
    ],
)
def test_what_is_wrong_is_refused_where_it_stands(check: str, says: str) -> None:
    section = f"    verification: {{{check}}}\n"
    if check.startswith(f"{MARK}c0"):
        section = f"    {MARK}verification: {{{check.removeprefix(MARK)}}}\n"
    text, line, column = unmarked(platform(section))
    found = load(folder(text))
    assert found.policy is None
    told = at(found.errors, "platform.yaml", line, column)
    assert any(says.lower() in one.lower() for one in told), found.errors
