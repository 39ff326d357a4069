"""contacts.yaml's `status-pages:`: what it means, what is refused where, and how it changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.policy.test_schema import faults
from tests.policy.texts import PLATFORM, RULES, VARS, at, folder, load, unmarked
from watchdog.core.spec import Endpoint, Header, Policy
from watchdog.core.telling.status_pages import (
    AtlassianPage,
    Component,
    Condition,
    StatusCall,
    StatusFile,
    StatusPage,
)
from watchdog.policy.change import Effect
from watchdog.policy.diff import compare

HEAD = """\
version: 1
channels: {mail: {url: "mailto://mail.example.org?to={to}", to: a@example.org}}
audiences: {team: {to: [mail]}}
status-pages:
"""
TARGET = 'targets: ["flag:btc_mainnet_redemption"]'
PUBLIC = f"""\
  public:
    statuspage: kctbh9vrtdwd
    token: statuspage
    updates: 30m
    components:
      redemption: {{name: Redemption, {TARGET}, id: b13yz5g2cw10, estimate: 2h}}
"""
SITE = """\
  site:
    file: /srv/site/ops/status.json
    host: web-1
    components:
      redemption: {name: Redemption, rules: [error-rate], burning: degraded}
"""
HOOK = f"""\
  hook:
    call:
      method: PUT
      url: https://status.example.org/state
      headers: {{Authorization: {{secret: hook, prefix: "Bearer "}}}}
      json: {{state: "${{status}}", parts: ["${{component.redemption}}"]}}
    look: https://status.example.org/health
    again: 5m
    components:
      redemption: {{name: Redemption, {TARGET}}}
"""


PAGE = Path(__file__).resolve().parents[2] / "docs" / "status-page.md"
NEWS = "is new, and public: it shows"
PART = "components: {a: {name: A, rules: [r]}}"


def policy(pages: str) -> Policy:
    files = folder(PLATFORM, VARS, team_a=RULES)
    if pages:
        files["contacts.yaml"] = HEAD + pages
    found = load(files)
    assert found.policy is not None, found.errors
    return found.policy


def test_each_kind_becomes_what_it_says() -> None:
    contacts = policy(PUBLIC + SITE + HOOK).contacts
    assert contacts is not None
    target = ("flag:btc_mainnet_redemption",)
    part = Component("redemption", "Redemption", target)
    token = (Header("Authorization", "OAuth ", "statuspage"),)
    assert contacts.status_pages["public"] == StatusPage(
        "public",
        AtlassianPage(Endpoint("https://api.statuspage.io", token), "kctbh9vrtdwd"),
        (
            Component(
                "redemption",
                "Redemption",
                target,
                estimate_seconds=7200.0,
                reference="b13yz5g2cw10",
            ),
        ),
        update_seconds=1800.0,
    )
    assert contacts.status_pages["site"] == StatusPage(
        "site",
        StatusFile(
            "/srv/site/ops/status.json",
            "web-1",
            (
                (("incidents",), '"${incidents}"'),
                (("notice",), '"${notice}"'),
                (("status",), '"${status}"'),
            ),
        ),
        (Component("redemption", "Redemption", (), ("error-rate",), Condition.DEGRADED),),
        again_seconds=10.0,
    )
    bearer = (Header("Authorization", "Bearer ", "hook"),)
    assert contacts.status_pages["hook"] == StatusPage(
        "hook",
        StatusCall(
            "PUT",
            Endpoint("https://status.example.org/state", bearer),
            '{"parts": ["${component.redemption}"], "state": "${status}"}',
            Endpoint("https://status.example.org/health", bearer),
        ),
        (part,),
        again_seconds=300.0,
    )
    assert faults("contacts", HEAD + PUBLIC + SITE + HOOK) == []


def test_the_example_of_the_documentation_loads() -> None:
    (example,) = re.findall(r"```yaml\nstatus-pages:\n(.*?)```", PAGE.read_text(), re.DOTALL)
    rules = RULES.replace("error-rate", "redemption-error-rate")
    found = load(folder(PLATFORM, VARS, team_a=rules) | {"contacts.yaml": HEAD + example})
    assert (found.complete, found.advice) == (True, ()), found.errors
    assert faults("contacts", HEAD + example) == []


@pytest.mark.parametrize(
    ("page", "says"),
    [
        ("§mail: {file: /a, host: any, @}", "something else"),
        ("p: {file: /a, host: any, @}\n  §q: {file: /a, host: any, @}", "q and p are one page"),
        ("p: {file: /a, host: any, components: §{}}", "a list of 0"),
        ("§p: {file: /a, host: any}", "has no `components`"),
        ("§p: {@}", "of no kind"),
        ("p: {statuspage: x, §file: /a, @}", "statuspage and"),
        ("p: {§statuspage: x, @}", "has no token"),
        ("p: {§file: /a, @}", "a file belongs to a host"),
        ("p: {file: §a/b, host: any, @}", "no absolute path"),
        ("p: {file: /a, host: any, §token: t, @}", "is for"),
        ("p: {file: /a, host: any, components: {§a: {name: A}}}", "nothing is known of how a does"),
        ("p: {file: /a, host: any, components: {a: {name: A, rules: [r], §id: x}}}", "is for"),
        (
            "p: {file: /a, host: any, components: {a: {name: A, targets: [§flag:x]}}}",
            "no action changes flag:x",
        ),
        (
            "p: {file: /a, host: any, updates: §5s, @}",
            "all the time",
        ),
        (
            "p: {statuspage: x, token: t, §again: 5s, @}",
            "by hand is theirs",
        ),
        (
            "p: {file: /a, host: any, set: {flags.x: §false}, @}",
            "a constant, whatever is so",
        ),
        (
            "p: {file: /a, host: any, set: {a: '${status}', b: §'${state}'}, @}",
            "there is no field state",
        ),
        (
            "p: {file: /a, host: any, §set: {a: '${notice}'}, @}",
            "would tell later that it was us",
        ),
        (
            "p: {file: /a, host: any, set: {§a: '${status}', a.b: '${notice}'}, @}",
            "cannot both be put",
        ),
        (
            "p: {call: {method: PUT, url: 'http://a', json: {x: [§'${component.b}']}}, @}",
            "Did you mean component.a?",
        ),
        (
            "p: {§call: {method: PUT, url: 'http://a'}, @}",
            "says nothing",
        ),
        (
            "p: {call: {method: PUT, url: 'http://a', headers: {Cookie: §x}, json: {a: 1}}, @}",
            "a secret in a rule file",
        ),
    ],
)
def test_what_is_wrong_is_told_at_its_place(page: str, says: str) -> None:
    text, line, column = unmarked(f"{HEAD}  {page.replace('@', PART)}\n")
    found = load(folder(PLATFORM, VARS, team_a=RULES) | {"contacts.yaml": text})
    assert found.policy is None
    assert any(says in told for told in at(found.errors, "contacts.yaml", line, column)), (
        found.errors
    )


def test_a_rule_that_does_not_exist_yet_is_advice() -> None:
    text, line, column = unmarked(HEAD + SITE.replace("error-rate", "§eror-rate"))
    found = load(folder(PLATFORM, VARS, team_a=RULES) | {"contacts.yaml": text})
    assert found.complete
    (told,) = at(found.advice, "contacts.yaml", line, column)
    assert "Did you mean error-rate?" in told


def test_an_own_text_is_tried_on_what_a_page_is_told() -> None:
    own = "Subject: {{ component }}\n\n{{ summary }} {{ episode }}\n"
    files = folder(PLATFORM, VARS, team_a=RULES) | {"contacts.yaml": HEAD + SITE}
    found = load(files | {"messages/public-status.j2": own})
    assert [one.file for one in found.errors] == ["messages/public-status.j2"]
    assert "'episode' is undefined" in found.errors[0].what
    assert load(files | {"messages/public-status.j2": own.replace(" {{ episode }}", "")}).complete


def test_what_the_public_will_see_is_said_before() -> None:
    def told(old: str, new: str) -> list[tuple[Effect, str]]:
        return [
            (one.effect, one.text)
            for one in compare(policy(old), policy(new))
            if "status page" in one.text
        ]

    assert told("", PUBLIC + SITE) == [
        (Effect.CHANGE, f"the status page public {NEWS} redemption"),
        (
            Effect.CHANGE,
            f"the status page site {NEWS} redemption (and its trouble as degraded)",
        ),
    ]
    hidden = SITE.replace(", burning: degraded", "")
    assert told(SITE, hidden) == [
        (Effect.CHANGE, "the status page site is changed: it shows redemption")
    ]
    ((effect, text),) = told(PUBLIC + SITE, SITE)
    assert (effect, text) == (
        Effect.REMOVE,
        "the status page public is told nothing any more: what it shows stays so",
    )
    assert told(SITE, SITE) == []
