"""Actions that put a folder back: what they mean, and what is refused at its place."""

from __future__ import annotations

import pytest

from tests.policy.texts import PLATFORM, at, folder, load, unmarked
from watchdog.core.spec import ActionSpec, Command, Publish
from watchdog.core.trees import SwapTree

CONFIG = """\
  restore-config:
    config:
      current: /srv/mycelia/release/mainnet
      previous: /srv/mycelia/release/mainnet-previous
      mutable: [por.json]
      keep_backups: 3
    anchor: {build_sha: {file: BUILD_SHA}, margin: 20m}
    verify: [{run: [pnpm, run, "release:verify"], cwd: /srv/mycelia}]
    publish: {run: [pnpm, run, "release:publish"], cwd: /srv/mycelia, idempotent: true}
    read_back: {get: "{{ app }}/ops/status.json", expect: "buildSha == '${anchor.build_sha}'"}
    contained_when: [{get: "{{ app }}/ops/status.json", expect: "peg.status == 'ok'"}]
    deadline: 5m
    sla: 10m
    host: mainnet-1
"""

OTHER = PLATFORM.replace("playbooks:\n", CONFIG + "playbooks:\n")
SITES = (
    OTHER.replace("  restore-config:\n", "  restore-config:\n    each: {site: [a, b]}\n")
    .replace("host: mainnet-1", 'host: "{{ site }}-1"')
    .replace("release/mainnet", "release/{{ site }}")
)


def action() -> ActionSpec:
    outcome = load(folder(OTHER))
    assert not outcome.errors
    assert outcome.policy is not None
    return outcome.policy.actions["restore-config"]


def test_a_configuration_is_a_target_and_its_rollback_an_exchange_of_folders() -> None:
    found = action()
    assert found.target == "config:/srv/mycelia/release/mainnet"
    assert found.do.how == SwapTree(
        "/srv/mycelia/release/mainnet",
        "/srv/mycelia/release/mainnet-previous",
        ("por.json",),
        3,
        (("build_sha", "BUILD_SHA"),),
    )
    assert found.verify == (Command(("pnpm", "run", "release:verify"), "/srv/mycelia"),)
    assert found.publish == Publish(
        Command(("pnpm", "run", "release:publish"), "/srv/mycelia"), idempotent=True
    )
    assert (found.anchor_margin_seconds, found.deadline_seconds, found.sla_seconds) == (
        1200.0,
        300.0,
        600.0,
    )
    assert found.host == "mainnet-1"


def test_one_text_puts_back_the_folder_of_each_site() -> None:
    outcome = load(folder(SITES))
    assert not outcome.errors
    assert outcome.policy is not None
    found = outcome.policy.actions
    for site in ("a", "b"):
        one = found[f'restore-config{{site="{site}"}}']
        assert (one.target, one.host) == (f"config:/srv/mycelia/release/{site}", f"{site}-1")


def test_a_person_undoes_it_by_exchanging_back() -> None:
    found = action()
    assert found.undo is not None
    assert isinstance(found.undo.how, SwapTree)
    assert found.undo.how.displaced


REFUSED = {
    "no host": ("    host: mainnet-1\n", "", "A folder belongs to a host"),
    "no anchor": (
        "    anchor: {build_sha: {file: BUILD_SHA}, margin: 20m}\n",
        "",
        "Say how old it must be",
    ),
    "a folder at the top": (
        "current: /srv/mycelia/release/mainnet\n",
        "current: §/srv\n",
        "cannot be exchanged as a whole",
    ),
    "a folder in the other": (
        "previous: /srv/mycelia/release/mainnet-previous",
        "previous: §/srv/mycelia/release/mainnet/previous",
        "lie in each other",
    ),
    "a mutable file elsewhere": ("[por.json]", "[§../por.json]", "path inside the folder"),
    "a mutable file of the root": ("[por.json]", "[§/etc/passwd]", "path inside the folder"),
    "a fact that is not named": (
        "\"buildSha == '${anchor.build_sha}'\"",
        "§\"buildSha == '${anchor.version}'\"",
        "`anchor` names no fact version",
    ),
    "a fact of ours": (
        "{build_sha: {file: BUILD_SHA}, margin",
        "{build_sha: {file: BUILD_SHA}, §digest: {file: D}, margin",
        "digest is no name for a fact",
    ),
    "a read-back that tells nothing": (
        "\"buildSha == '${anchor.build_sha}'\"",
        "§\"status == 'ok'\"",
        "would show the same before and after",
    ),
    "a read-back that is no expression": (
        "\"buildSha == '${anchor.build_sha}'\"",
        '§"buildSha == \'${anchor.build_sha}"',
        "read_back.expect",
    ),
    "no backups": ("keep_backups: 3", "keep_backups: §0", "1"),
    "a shell line": (
        '[{run: [pnpm, run, "release:verify"], cwd',
        '[{run: [§"pnpm run release:verify"], cwd',
        "looks like a shell line",
    ),
    "a folder-dependent program": (
        '{run: [pnpm, run, "release:publish"]',
        "{run: [§scripts/publish]",
        "depends on the folder",
    ),
}


@pytest.mark.parametrize(("old", "new", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_at_its_place(old: str, new: str, says: str) -> None:
    assert old in OTHER
    changed = OTHER.replace(old, new)
    if "§" not in changed:
        changed = changed.replace("  restore-config:", "  §restore-config:")
    text, line, column = unmarked(changed)
    errors = load(folder(text)).errors
    assert any(says in told for told in at(errors, "platform.yaml", line, column)), errors


def test_one_without_a_proof_of_containment_is_advised_about() -> None:
    lines = CONFIG.splitlines(keepends=True)
    without = "".join(line for line in lines if "contained_when" not in line)
    text = OTHER.replace(CONFIG, without)
    assert any("restore-config has no contained_when" in str(a) for a in load(folder(text)).advice)


def test_its_hash_is_of_its_meaning() -> None:
    written = action().sha256
    again = load(folder(OTHER.replace("deadline: 5m", "deadline: 300s"))).policy
    other = load(folder(OTHER.replace("margin: 20m", "margin: 21m"))).policy
    assert again is not None
    assert other is not None
    assert again.actions["restore-config"].sha256 == written
    assert other.actions["restore-config"].sha256 != written
