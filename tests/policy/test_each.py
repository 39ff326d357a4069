"""Rules and actions with `each`: what is taken, what it means, and what is refused where."""

import re
from pathlib import Path
from textwrap import indent

import pytest
from typer.testing import CliRunner

from tests.policy.texts import at, load, unmarked
from watchdog.cli import app
from watchdog.core.spec import Policy
from watchdog.core.words import Mode
from watchdog.policy.diff import rearmed

PLATFORM = """\
version: 1
environment: production
sources:
  app: {scrape: "{{ app }}/metrics", every: 5s}
  prom: {prometheus: "http://localhost:9090", every: 15s, scraped_every: 15s}
actions:
  pause-flag:
    each: {flag: [btc, eth]}
    flag: "{{ flag }}"
    read_back: {get: "{{ app }}/flags/{{ flag }}"}
    do: {run: [mycelia-flags, disable, "{{ flag }}"], expect: "enabled == `false`"}
    undo: {run: [mycelia-flags, enable, "{{flag}}"], expect: "enabled == `true`"}
    contained_when: [{get: "{{ app }}/status", expect: "flags.{{ flag }} == `false`"}]
    deadline: 10s
  pause-all:
    flag: everything
    read_back: {get: "{{ app }}/flags/everything"}
    do: {run: [mycelia-flags, disable, everything], expect: "enabled == `false`"}
    contained_when: [{get: "{{ app }}/status", expect: "flags.everything == `false`"}]
    deadline: 10s
playbooks:
  flags:
    - {action: pause-flag, mode: armed, within: 2m}
    - {action: pause-all, mode: approve}
  all: [{action: pause-all, mode: armed}]
grants:
  team: [flags, pause-flag, all, pause-all]
"""

ERRORS = """\
version: 1
rules:
  flag-errors:
    severity: P1
    runbook: docs/runbooks/flags.md
    source: app
    threshold: {bad: bad_total, total: all_total, over: 30s, breach_when: "> 5%"}
    minimum_events: 20
    each: [flag]
    for: 15s
    playbook: flags
    mode: armed
    armed_because: a test
"""

SATURATED = """\
version: 1
rules:
  database-saturated:
    severity: P2
    source: prom
    threshold: {expr: "max by (db) (used / most)", breach_when: "> 90%"}
    each: [db]
    limit: 20
    for: 5m
    on_blind: {page_after: 10m}
    mode: observe
"""


def files(rules: str = ERRORS, platform: str = PLATFORM) -> dict[str, str]:
    variables = "app: http://localhost:3000\n"
    return {
        "platform.yaml": platform,
        "vars/production.yaml": variables,
        "team/rules.yaml": rules,
    }


def policy(rules: str = ERRORS, platform: str = PLATFORM) -> Policy:
    loaded = load(files(rules, platform))
    assert loaded.errors == ()
    assert loaded.policy is not None
    return loaded.policy


def test_a_family_is_a_rule_and_each_label_set_is_one_too() -> None:
    family = policy(SATURATED).rules["database-saturated"]
    assert (family.each, family.limit, family.is_family) == (("db",), 20, True)
    member = policy(SATURATED).rule('database-saturated{db="orders"}')
    assert member is not None
    assert (member.is_family, member.family) == (False, "database-saturated")
    assert (member.sha256, member.proof) == (family.sha256, family.proof)
    assert dict(member.labels) == {"db": "orders"}


@pytest.mark.parametrize(
    "name",
    [
        "database-saturated{}",
        'database-saturated{pod="orders"}',
        'database-saturated{db="orders", pod="x"}',
        'database-saturated{db="orders"} ',
        "database-saturated{db=orders}",
        'no-such-rule{db="orders"}',
    ],
)
def test_what_is_no_member_is_no_rule(name: str) -> None:
    assert policy(SATURATED).rule(name) is None


def test_an_action_for_listed_values_is_one_for_each_of_them() -> None:
    actions = policy().actions
    assert list(actions) == ['pause-flag{flag="btc"}', 'pause-flag{flag="eth"}', "pause-all"]
    eth = actions['pause-flag{flag="eth"}']
    assert eth.target == "flag:eth"
    assert eth.read_back.url == "http://localhost:3000/flags/eth"
    assert "'eth'" in repr(eth.do.how)
    assert eth.contained_when[0].expect == "flags.eth == `false`"


def test_a_member_climbs_the_ladder_of_its_own_value() -> None:
    found = policy()
    member = found.rule('flag-errors{flag="eth"}')
    assert member is not None
    assert member.playbook is not None
    ladder = [rung.action for rung in found.playbooks[member.playbook].rungs]
    assert ladder == ['pause-flag{flag="eth"}', "pause-all"]
    assert member.mode is Mode.ARMED


def test_a_value_that_is_not_listed_has_no_action_and_says_so() -> None:
    member = policy().rule('flag-errors{flag="eth; rm -rf /"}')
    assert member is not None
    assert (member.playbook, member.mode) == (None, Mode.OBSERVE)
    assert member.mode_reason == 'observe: pause-flag, pause-all is not for flag="eth; rm -rf /"'


def test_a_plain_action_is_shared_by_all_members() -> None:
    found = policy(ERRORS.replace("playbook: flags", "playbook: all"))
    one, other = found.rule('flag-errors{flag="btc"}'), found.rule('flag-errors{flag="x"}')
    assert one is not None
    assert other is not None
    assert one.playbook == other.playbook == "all"


def test_one_more_listed_value_arms_once_more() -> None:
    old, new = policy(), policy(platform=PLATFORM.replace("[btc, eth]", "[btc, eth, doge]"))
    assert rearmed(old, new) == ("flag-errors",)
    assert rearmed(new, old) == ()


def test_what_has_no_each_keeps_the_hash_that_it_had() -> None:
    plain = SATURATED.replace("    each: [db]\n    limit: 20\n", "").replace(" by (db)", "")
    rule = policy(plain).rules["database-saturated"]
    assert rule.sha256 == ("a405f09a0e03bb0b35f93499851eda479bee2a08ccd7932bf5795bc2ad5a7d1f"), (
        "as it was before rules could have `each`"
    )


PROM_BY_DB = SATURATED[SATURATED.index("    source") : SATURATED.index("    limit")].rstrip()

RULES_REFUSED = {
    "twice the same label": ("each: [db]", "each: [db, §db]", "db stands twice in `each`"),
    "none": ("each: [db]", "each: §[]", "Write at least 1."),
    "no label": ("each: [db]", 'each: [§"a-b"]', "is no label name"),
    "a limit of nothing": ("limit: 20", "limit: §0", "Write at least 1."),
    "a limit without each": ("    each: [db]\n    limit", "    §limit", "`limit` without `each`"),
    "forgetting without each": (
        "    each: [db]\n    limit: 20\n    for: 5m\n    on_blind: {page_after: 10m}",
        "    on_blind: {page_after: 10m, §gone: forget}",
        "`gone` without `each`",
    ),
    "a label that is aggregated away": (
        '{expr: "max by (db) (used / most)"',
        '{expr: §"max by (pod) (used / most)"',
        "gives no label db, by which `each` tells its result apart: it is gone after max by (pod)",
    ),
    "a label that matching drops": (
        '{expr: "max by (db) (used / most)"',
        '{expr: §"used / on (pod) most"',
        "Keep it, as in max by (db) (...).",
    ),
    "an or with nothing behind it": (
        '{expr: "max by (db) (used / most)"',
        '{expr: §"max by (db) (used) or vector(0)"',
        "it is gone after vector(0)",
    ),
    "a probe": (
        PROM_BY_DB,
        "    liveness: {tcp: localhost:5432}\n    §each: [db]",
        "is a probe, which has no labels to tell apart",
    ),
    "an up of one target": (
        PROM_BY_DB,
        "    liveness: {up: app}\n    §each: [db]",
        "app is read directly and has one `up`",
    ),
}


@pytest.mark.parametrize("case", RULES_REFUSED)
def test_what_cannot_be_told_apart_is_refused_in_its_place(case: str) -> None:
    before, after, told = RULES_REFUSED[case]
    assert before in SATURATED
    text, line, column = unmarked(SATURATED.replace(before, after))
    found = at(load(files(text)).errors, "team/rules.yaml", line, column)
    assert any(told in one for one in found), found


@pytest.mark.parametrize(
    "expr",
    [
        "max by (db) (used) / on (db) group_left (pod) most",
        "topk(3, used)",
        "used / 100",
        '100 * label_replace(max(used), "db", "$1", "x", "(.*)")',
        "sum without (pod) (rate(used[5m]))",
        "histogram_quantile(0.9, sum by (le, db) (rate(x_bucket[5m])))",
    ],
)
def test_where_the_label_may_be_there_the_answer_decides(expr: str) -> None:
    text = SATURATED.replace('"max by (db) (used / most)"', f"'{expr}'")
    assert load(files(text)).errors == ()


def test_an_action_for_values_needs_a_rule_that_says_for_which() -> None:
    for each in ("", "    each: [pod]\n"):
        text, line, column = unmarked(
            ERRORS.replace("    each: [flag]\n", each).replace("playbook: ", "playbook: §")
        )
        found = at(load(files(text)).errors, "team/rules.yaml", line, column)
        (told,) = found
        assert "pause-flag in the playbook flags is one action for each flag" in told
        assert ("Write `each: [pod, flag]`" if each else "Write `each: [flag]`") in told


ACTIONS_REFUSED = {
    "a value with a blank": ("[btc, eth]", '[§"b c", eth]', "is no value to act by"),
    "a value with a slash": ("[btc, eth]", '[§"../btc", eth]', "is no value to act by"),
    "no values": ("[btc, eth]", "§[]", "flag lists no values"),
    "one twice": ("[btc, eth]", "[btc, §btc]", "btc stands twice"),
    "no mapping": ("{flag: [btc, eth]}", "[btc]", "lists values of one to five labels"),
    "a label that nothing uses": (
        "{flag: [btc, eth]}",
        "{flag: [btc, eth], §pod: [a]}",
        "pause-flag does the same for every pod",
    ),
    "one target for all": ('flag: "{{ flag }}"', "flag: §all", "change the same target"),
    "a variable of that name": (
        "each: {flag: [btc, eth]}",
        "each: {flag: [btc, eth], §app: [a]}",
        "app is a variable of the environment as well",
    ),
    "a name that pretends": ("  pause-flag:", '  §"pause-flag{x}":', "is no name"),
    "too many": (
        "[btc, eth]",
        f"[{', '.join(f'f{n}' for n in range(101))}]",
        "101 actions in one; 100 is the most",
    ),
    "another unknown variable": ('disable, "{{ flag }}"', 'disable, §"{{ flog }}"', "flog"),
}


@pytest.mark.parametrize("case", ACTIONS_REFUSED)
def test_an_action_for_values_that_is_wrong_is_refused_once(case: str) -> None:
    before, after, told = ACTIONS_REFUSED[case]
    assert before in PLATFORM
    text = PLATFORM.replace(before, after)
    if "§" in text:
        text, line, column = unmarked(text)
        (found,) = at(load(files(platform=text)).errors, "platform.yaml", line, column)
        assert told in found
    else:
        assert [one for one in load(files(platform=text)).errors if told in one.text]


def test_actions_of_one_ladder_are_for_the_same_values() -> None:
    other = PLATFORM[PLATFORM.index("  pause-flag:") : PLATFORM.index("  pause-all:")]
    other = other.replace("pause-flag", "stop-flag").replace("[btc, eth]", "[btc]")
    other = other.replace('flag: "{{ flag }}"', 'flag: "{{ flag }}-stop"')
    text = PLATFORM.replace("  pause-all:", f"{other}  pause-all:", 1).replace(
        "    - {action: pause-all, mode: approve}",
        "    - {action: stop-flag, mode: approve}",
    )
    (told,) = load(files(platform=text)).errors
    assert "stop-flag is for other values than the actions before it" in told.text


def test_the_pages_examples_load_together() -> None:
    page = (Path(__file__).parents[2] / "docs/each.md").read_text(encoding="utf-8")
    rule, actions = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    head = "version: 1\nenvironment: production\nsources:\n"
    head += '  prom: {prometheus: "http://localhost:9090", every: 15s, scraped_every: 15s}\n'
    rules = "version: 1\nrules:\n" + indent(rule, "  ")
    rules += indent(rule, "  ").replace("database-saturated", "flag-errors").replace("db", "flag")
    rules += "    playbook: flags\n"
    found = policy(rules, head + actions + "grants: {team: [flags, pause-flag]}\n")
    assert found.rules["database-saturated"].limit == 20
    member = found.rule('flag-errors{flag="eth_redemption"}')
    assert member is not None
    assert member.playbook == 'flags{flag="eth_redemption"}'


def test_the_command_checks_a_folder_of_families_and_tells_a_missing_tool_once(
    tmp_path: Path,
) -> None:
    for name, text in files().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    done = CliRunner().invoke(app, ["check", str(tmp_path)])
    assert done.exit_code == 0, done.output
    flat = " ".join(done.output.split())
    assert flat.count("pause-flag is never ready on this host: no executable mycelia-flags") == 2
    explained = CliRunner().invoke(
        app, ["explain", "flag-errors", "--rules", str(tmp_path), "--environment", "production"]
    )
    assert explained.exit_code == 0, explained.output
    assert "This is of each flag by itself" in explained.output
    member = CliRunner().invoke(
        app,
        ["explain", 'flag-errors{flag="x"}', "--rules", str(tmp_path), "--environment=production"],
    )
    assert "Explain its family: flag-errors" in " ".join(member.output.split())
