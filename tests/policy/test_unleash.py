"""Toggles of Unleash in short: what the form stands for, and what is refused at its place."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.policy.texts import PLATFORM, at, folder, load, unmarked
from watchdog.core.spec import ActionSpec, Endpoint, Header, HttpCall
from watchdog.wire.expectation import check_expectation, judge

TOGGLE = """\
  pause-checkout:
    unleash:
      url: https://unleash.example.org/sub/
      project: shop
      feature: checkout
      environment: production
      admin_token: unleash-admin
      client_token: unleash-client
    do: off
    contained_when: [{get: "{{ app }}/ops/status.json", expect: "paused == `true`"}]
    ready_when: [{get: "{{ app }}/health", expect: "status == 'ok'"}]
    deadline: 10s
    sla: 30s
"""
BASE = "https://unleash.example.org/sub/api"
SWITCH = f"{BASE}/admin/projects/shop/features/checkout/environments/production"


def platform(toggle: str = TOGGLE) -> str:
    return PLATFORM.replace("playbooks:\n", f"{toggle}playbooks:\n")


def action(toggle: str = TOGGLE, name: str = "pause-checkout") -> ActionSpec:
    outcome = load(folder(platform(toggle)))
    assert not outcome.errors
    assert outcome.policy is not None
    return outcome.policy.actions[name]


def by(secret: str) -> tuple[Header, ...]:
    return (Header("Authorization", "", secret),)


def test_it_is_switched_by_the_admin_api_and_back_by_an_undo() -> None:
    found = action()

    assert found.target == "flag:checkout@production"
    assert found.do.how == HttpCall("POST", Endpoint(f"{SWITCH}/off", by("unleash-admin")))
    assert found.undo is not None
    assert found.undo.how == HttpCall("POST", Endpoint(f"{SWITCH}/on", by("unleash-admin")))
    assert (found.deadline_seconds, found.sla_seconds, found.host) == (10.0, 30.0, "any")


def test_it_is_read_back_from_what_sdks_are_served() -> None:
    found = action()

    assert found.read_back.url == f"{BASE}/client/features?namePrefix=checkout"
    assert found.read_back.headers == by("unleash-client")
    served = {
        "features": [
            {"name": "checkout-v2", "project": "shop", "enabled": True},
            {"name": "checkout", "project": "shop", "enabled": False},
        ],
        "query": {"environment": "production"},
    }
    assert judge(found.do.expect, served).truth.value == "true"
    assert judge(found.undo.expect if found.undo else "", served).truth.value == "false"
    assert judge(found.read_back.given, served).truth.value == "true"
    elsewhere = served | {"query": {"environment": "development"}}
    assert judge(found.read_back.given, elsewhere).truth.value == "false"


def test_it_may_be_served_by_another() -> None:
    edge = TOGGLE.replace("project: shop", "served_by: https://edge.example.org")

    assert action(edge).read_back.url == (
        "https://edge.example.org/api/client/features?namePrefix=checkout"
    )
    assert isinstance(action(edge).do.how, HttpCall)


def test_without_a_client_token_what_is_stored_is_read_back_and_that_is_said() -> None:
    outcome = load(folder(platform(TOGGLE.replace("      client_token: unleash-client\n", ""))))

    assert outcome.policy is not None
    found = outcome.policy.actions["pause-checkout"]
    assert found.read_back.url == f"{BASE}/admin/projects/shop/features/checkout"
    assert found.read_back.headers == by("unleash-admin")
    assert any("what Unleash has stored is read back" in one.what for one in outcome.advice)


def test_it_is_ready_by_the_tokens_own_rights_and_by_what_is_written_beside() -> None:
    own, there, may = action().ready_when

    assert there.endpoint.url == f"{BASE}/admin/projects/shop/features/checkout"
    assert may.endpoint.url == f"{BASE}/admin/user"
    assert own.expect == "status == 'ok'"
    switches = {"permission": "UPDATE_FEATURE_ENVIRONMENT"}
    for permissions, truth in (
        ([{"permission": "ADMIN"}], "true"),
        ([switches | {"project": "shop", "environment": "production"}], "true"),
        ([switches | {"project": "*", "environment": "*"}], "true"),
        ([switches | {"project": "shop", "environment": "development"}], "false"),
        ([switches | {"project": "other", "environment": "production"}], "false"),
        ([switches], "true"),  # for all projects and environments
        ([switches | {"project": "shop"}], "true"),
        ([{"permission": "UPDATE_FEATURE", "project": "shop"}], "false"),
        ([], "false"),
        (None, "unknown"),
    ):
        assert judge(may.expect, {"permissions": permissions}).truth.value == truth, permissions


@pytest.mark.parametrize("name", ["a.b", "a_b", "a~b", "a!b", "a*b", "a(b)", "-", "...", "A" * 100])
def test_a_name_as_unleash_takes_them_stands_percent_encoded(name: str) -> None:
    found = action(TOGGLE.replace("feature: checkout", f'feature: "{name}"'))

    assert isinstance(found.do.how, HttpCall)
    escaped = name.replace("!", "%21").replace("*", "%2A").replace("(", "%28").replace(")", "%29")
    assert f"/features/{escaped}/environments/" in found.do.how.endpoint.url
    for expect in (found.do.expect, found.read_back.given):
        check_expectation(expect)


@pytest.mark.parametrize("word", ["feature: checkout", "project: shop", "environment: production"])
@pytest.mark.parametrize(
    "name",
    ["..", ".", "a/b", "a b", "a'b", "a?b", "a#b", "a%2fb", "a&b", "ü", "a\\\\b", "", "A" * 101],
)
def test_a_name_that_is_none_is_refused_at_its_place(word: str, name: str) -> None:
    key = word.partition(":")[0]
    text, line, column = unmarked(platform(TOGGLE.replace(word, f'{key}: §"{name}"')))

    outcome = load(folder(text))

    (said,) = at(outcome.errors, "platform.yaml", line, column)
    assert len(outcome.errors) == 1
    assert "is no name in Unleash" in said


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("url: https://unleash.example.org/sub/", "url: §https://x/api", "not that of an API"),
        ("url: https://unleash.example.org/sub/", "url: §https://x/?a=b", "not that of an API"),
        ("url: https://unleash.example.org/sub/", "url: §ftp://x", "no http(s) address"),
        ("client_token: unleash-client", "client_token: §unleash-admin", "cannot be both"),
        (
            "client_token: unleash-client",
            "§served_by: https://edge.example.org",
            "without `client_token`",
        ),
        ("do: off", "do: §disable", "disable is not known"),
        ("do: off", "do: off\n    §read_back: {get: https://x}", "unknown key `read_back`"),
        ("unleash:\n", "flag: other\n    §unleash:\n", "two targets in one action"),
        (
            "expect: \"status == 'ok'\"",
            "expect: §\"status == 'ok' &\"",
            "not JMESPath",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_place(old: str, new: str, what: str) -> None:
    text, line, column = unmarked(platform(TOGGLE.replace(old, new)))

    outcome = load(folder(text))

    assert len(outcome.errors) == 1
    (said,) = at(outcome.errors, "platform.yaml", line, column)
    assert what in said


@pytest.mark.parametrize("word", ["url", "feature", "environment", "admin_token"])
def test_what_is_missing_is_named(word: str) -> None:
    lines = [line for line in TOGGLE.splitlines(keepends=True) if f"      {word}:" not in line]

    outcome = load(folder(platform("".join(lines))))

    assert [f"has no `{word}`" in error.what for error in outcome.errors] == [True]


def test_two_playbooks_may_not_want_it_both_on_and_off() -> None:
    other = TOGGLE.replace("pause-checkout", "open-checkout").replace("do: off", "do: on")
    text = platform(TOGGLE + other).replace(
        "playbooks:\n",
        "playbooks:\n  a: [{action: pause-checkout, mode: armed}]\n"
        "  b: [{action: open-checkout, mode: armed}]\n",
    )

    outcome = load(folder(text))

    assert any("flag:checkout@production" in error.what for error in outcome.errors)


def test_a_maintenance_window_may_be_for_it() -> None:
    window = (
        "maintenance:\n  nights:\n    scope: {target: flag:checkout@production}\n"
        '    days: [mon]\n    from: "01:00"\n    to: "02:00"\n    zone: Europe/Zurich\n'
        "    reason: the shop sleeps\n"
    )

    assert not load(folder(platform() + window)).errors


def test_each_makes_a_toggle_of_every_value() -> None:
    many = TOGGLE.replace(
        "    unleash:\n", "    each: {flag: [cart, pay]}\n    unleash:\n"
    ).replace("feature: checkout", 'feature: "{{ flag }}"')

    assert action(many, 'pause-checkout{flag="pay"}').target == "flag:pay@production"


def test_a_read_back_of_any_action_says_what_it_must_show_to_count() -> None:
    given = PLATFORM.replace(
        'btc_mainnet_redemption"}\n', 'btc_mainnet_redemption", given: "name == \'r\'"}\n'
    )
    outcome = load(folder(given))
    assert outcome.policy is not None
    assert outcome.policy.actions["pause-redemption"].read_back.given == "name == 'r'"
    plain = load(folder())
    assert plain.policy is not None
    before = plain.policy.actions["pause-redemption"]
    assert before.sha256 != outcome.policy.actions["pause-redemption"].sha256

    marked = given.replace("given: \"name == 'r'\"", 'given: §"keys(name)"')
    text, line, column = unmarked(marked)
    refused = load(folder(text))
    assert at(refused.errors, "platform.yaml", line, column)


def test_the_page_shows_what_the_short_form_stands_for() -> None:
    page = (Path(__file__).parents[2] / "docs/unleash.md").read_text(encoding="utf-8")
    short, whole = (
        action(block.removeprefix("actions:\n"))
        for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    )

    assert replace(short, target="", sha256="") == replace(whole, target="", sha256="")
