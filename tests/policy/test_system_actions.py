"""Actions that restore a system: what they mean, and what is refused at its place."""

from __future__ import annotations

import pytest

from tests.policy.texts import PLATFORM, at, folder, load, unmarked
from watchdog.core.spec import ActionSpec, Rung
from watchdog.core.trees import RestoreSystem
from watchdog.core.words import Mode

SYSTEM = """\
  restore-system:
    system:
      archive: /srv/mycelia/backups/system-backup-*.tar.gz
      root: /
      services: ["mycelia-*"]
      max_age: 26h
    verify: [{run: [pnpm, run, diagnose], cwd: /srv/mycelia}]
    read_back: {get: "{{ app }}/ops/status.json", expect: "status == 'operational'"}
    deadline: 4h
    host: mainnet-1
"""

OTHER = PLATFORM.replace("playbooks:\n", SYSTEM + "playbooks:\n")
RUNG = "within: 2m}\n"


def action(text: str = OTHER) -> ActionSpec:
    outcome = load(folder(text))
    assert not outcome.errors
    assert outcome.policy is not None
    return outcome.policy.actions["restore-system"]


def test_a_system_is_a_target_and_its_restore_what_the_helper_does() -> None:
    found = action()
    assert found.target == "system:/"
    assert found.do.how == RestoreSystem(
        "/srv/mycelia/backups/system-backup-*.tar.gz",
        "/",
        ("mycelia-*",),
        26 * 3600.0,
        (("pnpm", "run", "diagnose"),),
        "/srv/mycelia",
    )
    assert found.undo is not None
    assert isinstance(found.undo.how, RestoreSystem)
    assert found.undo.how.undo
    assert found.verify == (), "the helper runs them, as part of the restore"
    assert found.anchor_margin_seconds == 600.0


def test_a_ladder_ends_with_it_and_asks_two_people() -> None:
    text = OTHER.replace(RUNG, RUNG + "    - {action: restore-system, mode: approve}\n")
    text = text.replace(
        "[redemption, pause-redemption]", "[redemption, pause-redemption, restore-system]"
    )
    outcome = load(folder(text))
    assert not outcome.errors
    assert outcome.policy is not None
    last = outcome.policy.playbooks["redemption"].rungs[-1]
    assert last == Rung("restore-system", Mode.APPROVE, 300.0, approvals=2)


REFUSED = {
    "a pattern in a folder": (
        "archive: /srv/mycelia/backups/system-backup-*.tar.gz",
        "archive: §/srv/*/system-backup.tar.gz",
        "pattern of archives",
    ),
    "no services": ('services: ["mycelia-*"]', "services: §[]", "1"),
    "no host": ("    host: mainnet-1\n", "", "A system is a host's"),
    "a variable": ("cwd: /srv/mycelia}]", "cwd: /srv/mycelia, §env: [PATH]}]", "lets no variables"),
    "two folders": (
        "verify: [{run: [pnpm, run, diagnose], cwd: /srv/mycelia}]",
        "§verify: [{run: [a], cwd: /srv}, {run: [b], cwd: /var}]",
        "run in different folders",
    ),
}


@pytest.mark.parametrize(("old", "new", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_at_its_place(old: str, new: str, says: str) -> None:
    assert old in OTHER
    changed = OTHER.replace(old, new)
    if "§" not in changed:
        changed = changed.replace("  restore-system:", "  §restore-system:")
    text, line, column = unmarked(changed)
    errors = load(folder(text)).errors
    assert any(says in told for told in at(errors, "platform.yaml", line, column)), errors


def test_it_is_never_armed() -> None:
    text = OTHER.replace(RUNG, RUNG + "    - {action: restore-system, mode: armed}\n")
    told, granted = load(folder(text)).errors
    assert "never done without asking" in told.what
    assert "may not use restore-system" in granted.what, "told beside it, and not only afterwards"
