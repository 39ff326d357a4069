"""Actions that deploy a version again: what they mean, and what is refused at its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from tests.policy.texts import PLATFORM, at, folder, load, unmarked
from watchdog.cli.tools import unfound
from watchdog.core.releases import DeployRelease, FieldOf, LineOf, PrintedBy, Stated, back
from watchdog.core.spec import ActionSpec, Check, Command, Endpoint, HttpCall
from watchdog.daemon.credentials import credentials
from watchdog.policy import Load
from watchdog.policy.schema import platform

BY_TOOL = """\
  roll-back-shop:
    release: shop
    present: {get: "{{ app }}/version", value: build}
    anchor: {run: [deployer, previous, shop], margin: 20m}
    deployable: {run: [deployer, can-deploy, shop, "${anchor.version}"], env: [HOME]}
    do: {run: [deployer, deploy, shop, "--version=${anchor.version}"], cwd: /srv/shop}
    read_back: {get: "{{ app }}/version", expect: "build == '${anchor.version}'"}
    contained_when: [{get: "{{ app }}/ops/status.json", expect: "orders.status == 'ok'"}]
    deadline: 5m
    sla: 10m
"""
BY_CALL = """\
  roll-back-shop:
    release: shop
    present: {get: "{{ app }}/version", value: build}
    anchor: {get: "http://deployer/shop", value: previous.version, released_at: previous.at}
    deployable: {get: "http://deployer/artifacts/${anchor.version}", expect: "state == 'there'"}
    do:
      call:
        method: PUT
        url: http://deployer/shop?was=${present.version}
        headers: {Authorization: {secret: deployer, prefix: "Bearer "}}
        json: {version: "${anchor.version}"}
      idempotent: true
    undo: {run: [deployer, deploy, shop, "${present.version}"]}
    read_back: {get: "{{ app }}/version", expect: "build == '${anchor.version}'"}
    contained_when: [{get: "{{ app }}/ops/status.json", expect: "orders.status == 'ok'"}]
    deadline: 5m
    host: shop-1
"""
APP = "http://localhost:3000"


def with_it(action: str) -> str:
    return PLATFORM.replace("playbooks:\n", action + "playbooks:\n")


def compiled(text: str) -> Load:
    return load(folder(with_it(text)))


def action(text: str) -> tuple[ActionSpec, DeployRelease]:
    outcome = compiled(text)
    assert not outcome.errors
    assert outcome.policy is not None
    found = outcome.policy.actions["roll-back-shop"]
    assert isinstance(found.do.how, DeployRelease)
    return found, found.do.how


def test_a_service_is_a_target_and_its_rollback_the_version_before() -> None:
    found, how = action(BY_TOOL)
    assert found.target == how.target == "release:shop"
    assert how.by == Command(
        ("deployer", "deploy", "shop", "--version=${anchor.version}"), "/srv/shop"
    )
    assert how.present == FieldOf(Endpoint(f"{APP}/version"), "build")
    assert how.anchor == PrintedBy(Command(("deployer", "previous", "shop")))
    assert how.deployable == Command(
        ("deployer", "can-deploy", "shop", "${anchor.version}"), env=("HOME",)
    )
    assert (found.anchor_margin_seconds, found.deadline_seconds, found.host) == (1200.0, 300, "any")


def test_a_call_may_deploy_it_and_a_document_tell_how_old_it_is() -> None:
    found, how = action(BY_CALL)
    assert isinstance(how.by, HttpCall)
    assert how.by.body == '{"version": "${anchor.version}"}'
    assert how.anchor == FieldOf(
        Endpoint("http://deployer/shop"), "previous.version", "previous.at"
    )
    assert isinstance(how.deployable, Check)
    assert how.idempotent
    assert (found.anchor_margin_seconds, found.host) == (600.0, "shop-1")


def test_a_person_undoes_it_by_deploying_what_was_displaced() -> None:
    found, how = action(BY_TOOL)
    assert found.undo is not None
    assert found.undo.how == back(how)
    assert isinstance(found.undo.how, DeployRelease)
    assert found.undo.how.by == Command(
        ("deployer", "deploy", "shop", "--version=${present.version}"), "/srv/shop"
    )


def test_the_way_back_may_be_another_one_and_is_idempotent_by_its_own_word() -> None:
    found, how = action(BY_CALL)
    assert found.undo is not None
    assert isinstance(found.undo.how, DeployRelease)
    assert found.undo.how.by == Command(("deployer", "deploy", "shop", "${present.version}"))
    assert (how.idempotent, found.undo.how.idempotent) == (True, False)
    assert found.undo.how.deployable == Check(
        Endpoint("http://deployer/artifacts/${present.version}"), "state == 'there'"
    )


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("{file: /srv/shop/PREVIOUS}", LineOf("/srv/shop/PREVIOUS")),
        ("{version: v2.4.1}", Stated("v2.4.1")),
        ('{version: "42"}', Stated("42")),
        ("{version: registry/shop@sha256:abc}", Stated("registry/shop@sha256:abc")),
    ],
)
def test_what_is_restored_may_be_told_by_a_file_or_stand_in_the_policy(
    written: str, means: LineOf | Stated
) -> None:
    text = BY_TOOL.replace("{run: [deployer, previous, shop], margin: 20m}", written)
    assert action(text)[1].anchor == means


def test_one_for_each_service_changes_a_target_of_its_own() -> None:
    text = BY_TOOL.replace(
        "release: shop\n", 'release: "{{ service }}"\n    each: {service: [shop, cart]}\n'
    )
    outcome = compiled(text)
    assert not outcome.errors
    assert outcome.policy is not None
    targets = [one.target for one in outcome.policy.actions.values()]
    assert targets[1:] == ["release:shop", "release:cart"]
    same = compiled(
        BY_TOOL.replace("release: shop\n", "release: shop\n    each: {service: [a, b]}\n")
    )
    assert any("does the same for every service" in str(told) for told in same.errors)


REFUSED = {
    "no version in what deploys": (
        BY_TOOL,
        '"--version=${anchor.version}"',
        "latest",
        "${anchor.version} is nowhere in it",
    ),
    "no version in the call": (
        BY_CALL,
        '{version: "${anchor.version}"}',
        "{version: latest}",
        "nowhere in it",
    ),
    "no version in the proof": (
        BY_TOOL,
        'shop, "${anchor.version}"]',
        "shop]",
        "deployable.run does not say which",
    ),
    "no version in the asked proof": (
        BY_CALL,
        "artifacts/${anchor.version}",
        "artifacts/any",
        "deployable.get does not say",
    ),
    "an undo of the wrong version": (
        BY_CALL,
        'undo: {run: [deployer, deploy, shop, "${present.version}"]}',
        'undo: {§run: [deployer, deploy, shop, "${anchor.version}"]}',
        "${present.version} is nowhere in it",
    ),
    "a read-back that tells nothing": (
        BY_TOOL,
        "\"build == '${anchor.version}'\"",
        '§"healthy == `true`"',
        "would show the same before and after",
    ),
    "a read-back that is no expression": (
        BY_TOOL,
        "\"build == '${anchor.version}'\"",
        "§\"build = '${anchor.version}'\"",
        "JMESPath",
    ),
    "a version that chooses the program": (
        BY_TOOL,
        '[deployer, deploy, shop, "--version=${anchor.version}"]',
        '[§"deployer-${anchor.version}", deploy]',
        "would choose the program",
    ),
    "a version that chooses the host": (
        BY_CALL,
        "url: http://deployer/shop?was=${present.version}",
        "url: §http://${present.version}/shop",
        "would choose the host",
    ),
    "a version in a header": (
        BY_CALL,
        'prefix: "Bearer "',
        'prefix: §"${anchor.version} "',
        "is not filled in here",
    ),
    "a version where one is told": (
        BY_TOOL,
        '/version", value',
        '/${present.version}", value',
        "not filled in here",
    ),
    "a version in a folder's name": (
        BY_TOOL,
        "cwd: /srv/shop",
        'cwd: §"/srv/${anchor.version}"',
        "not filled in here",
    ),
    "a version as a key": (
        BY_CALL,
        '{version: "${anchor.version}"}',
        '{"${anchor.version}": 1}',
        "a version as a key",
    ),
    "a misspelt version": (
        BY_TOOL,
        '"--version=${anchor.version}"',
        '§"${anchor.versoin}"',
        "nothing that is known",
    ),
    "a half-written version": (
        BY_TOOL,
        '"--version=${anchor.version}"',
        '§"${anchor.version"',
        "nothing that is known",
    ),
    "two ways of telling": (
        BY_TOOL,
        "{run: [deployer, previous, shop]",
        "{run: [x], §version: v4",
        "run and version",
    ),
    "no way of telling": (
        BY_TOOL,
        "anchor: {run: [deployer, previous, shop], ",
        "§anchor: {",
        "is of no kind",
    ),
    "two ways of proving": (
        BY_TOOL,
        "deployable: {run",
        "deployable: {§get: http://a, run",
        "run and get",
    ),
    "two ways of deploying": (
        BY_TOOL,
        "do: {run",
        "§do: {call: {method: PUT, url: http://a}, run",
        "both `run` and",
    ),
    "a document without a path": (
        BY_TOOL,
        '{get: "{{ app }}/version", value: build}',
        '{§get: "{{ app }}/version"}',
        "where in the document",
    ),
    "a path that is none": (BY_TOOL, "value: build", 'value: §"build["', "is no JMESPath"),
    "a time of a command": (
        BY_TOOL,
        "shop], margin",
        "shop], §released_at: x, margin",
        "`released_at` is for get",
    ),
    "a folder for a document": (
        BY_TOOL,
        "value: build}",
        "value: build, §cwd: /srv}",
        "`cwd` is for run, not get",
    ),
    "a proof without a question": (
        BY_CALL,
        ", expect: \"state == 'there'\"}",
        "}",
        "what must be true of its answer",
    ),
    "an expectation of a command": (
        BY_TOOL,
        "env: [HOME]}",
        "§expect: \"a == 'b'\"}",
        "`expect` is for get, not run",
    ),
    "no plain version": (
        BY_TOOL,
        "{run: [deployer, previous, shop], ",
        "{version: §../v4, ",
        "is no version",
    ),
    "a version like an option": (
        BY_TOOL,
        "{run: [deployer, previous, shop], ",
        "{version: §--all, ",
        "is no version",
    ),
    "a service with blanks": (BY_TOOL, "release: shop", "release: §the shop", "is no name of"),
    "two targets": (BY_TOOL, "release: shop\n", "flag: x\n    §release: shop\n", "two targets"),
    "a shell line": (
        BY_TOOL,
        "[deployer, previous, shop]",
        '[§"deployer previous shop"]',
        "shell line",
    ),
}


@pytest.mark.parametrize(("text", "old", "new", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_at_its_place(text: str, old: str, new: str, says: str) -> None:
    assert old in text
    changed = text.replace(old, new, 1)
    errors = compiled(changed.replace("§", "")).errors
    assert any(says in f"{told.what}. {told.remedy}" for told in errors), errors
    if "§" in changed:
        _, line, column = unmarked(with_it(changed))
        assert any(says in told for told in at(errors, "platform.yaml", line, column)), errors


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("deployable", "Say what proves that"),
        ("present", "which version"),
        ("anchor", "which version is restored"),
        ("read_back", "nobody can verify"),
    ],
)
def test_what_it_cannot_do_without_is_asked_for(word: str, says: str) -> None:
    text = with_it(re.sub(f" +{word}.*\n", "", BY_TOOL))
    line = text.splitlines().index("  roll-back-shop:") + 1
    told = at(load(folder(text)).errors, "platform.yaml", line, 3)
    assert any(says in one for one in told), told


def test_a_release_that_is_read_back_where_it_is_deployed_is_advised_about() -> None:
    text = BY_CALL.replace("?was=${present.version}", "").replace(
        'read_back: {get: "{{ app }}/version"', "read_back: {get: http://deployer/shop"
    )
    assert any("at the very address that deploys it" in str(told) for told in compiled(text).advice)


def test_one_without_a_proof_of_containment_is_advised_about() -> None:
    text = re.sub(" +contained_when.*\n", "", BY_TOOL)
    assert any("roll-back-shop has no contained_when" in str(a) for a in compiled(text).advice)


def test_its_hash_is_of_its_meaning() -> None:
    written = action(BY_TOOL)[0].sha256
    assert action(BY_TOOL.replace("deadline: 5m", "deadline: 300s"))[0].sha256 == written
    for old, new in (("can-deploy", "is-there"), ("value: build", "value: b"), ("20m", "21m")):
        assert action(BY_TOOL.replace(old, new))[0].sha256 != written


def test_a_build_number_is_compared_as_a_number() -> None:
    text = BY_TOOL.replace("'${anchor.version}'", "`${anchor.version}`")
    assert action(text)[0].do.expect == "build == `${anchor.version}`"


def test_a_window_may_be_over_it() -> None:
    window = """\
maintenance:
  nights:
    scope: {target: "release:shop"}
    days: [sun]
    from: "02:00"
    to: "04:00"
    zone: Europe/Zurich
    reason: nobody is there
"""
    assert not load(folder(with_it(BY_TOOL) + window)).errors


@pytest.mark.parametrize("text", [BY_TOOL, BY_CALL])
def test_editors_know_it(text: str) -> None:
    validator = Draft202012Validator(platform())
    document = YAML(typ="safe", pure=True).load(with_it(text))
    assert [error.message for error in validator.iter_errors(document)] == []


def test_every_tool_that_it_would_run_is_looked_for_on_its_host() -> None:
    outcome = compiled(BY_TOOL)
    assert outcome.policy is not None
    missing = {(one.action, *one.words) for one in unfound(outcome.policy, "here", {"HOME": "/"})}
    steps = {words[0] for action, *words in missing if action == "roll-back-shop"}
    assert steps == {"anchor", "deployable", "do"}, "an undo that nobody wrote is no other tool"


def test_every_credential_that_it_would_send_is_asked_for_at_the_start() -> None:
    asked = '{get: "http://deployer/shop", headers: {X-Api-Key: {secret: reader}}, value'
    outcome = compiled(BY_CALL.replace('{get: "http://deployer/shop", value', asked))
    assert outcome.policy is not None
    assert set(credentials(outcome.policy)) == {"deployer", "reader"}


PAGE = Path(__file__).resolve().parents[2] / "docs" / "releases.md"


def test_the_pages_examples_load() -> None:
    texts = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(texts) == 2
    for text in texts:
        outcome = compiled(text.removeprefix("actions:\n"))
        assert not outcome.errors
        assert not [told for told in outcome.advice if "roll-back" in str(told)]
