"""The commands of a restore: recorded by root, shown, signed on any machine, followed."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.restore.site import Site, build, corrupt
from watchdog.cli import app
from watchdog.restore.plan import Plan

Say = Callable[..., Result]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    if os.geteuid() != 0:
        pytest.skip("needs root: anchors are root's")
    return build(tmp_path)


@pytest.fixture
def say(site: Site) -> Say:
    places = ("--requests", str(site.places.requests), "--restores", str(site.places.state))

    def restore(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["restore", *arguments, *places], env={"COLUMNS": "200"})

    return restore


@pytest.fixture
def plan(site: Site) -> Plan:
    archive = site.back_up()
    site.record(archive)
    corrupt(site.root)
    plan = site.plan(archive, verify=(("pnpm", "run", "diagnose"),))
    site.ask(plan)
    return plan


def test_an_anchor_is_recorded_and_told(site: Site) -> None:
    archive = site.back_up()
    place = ("--restores", str(site.places.state), "--root", str(site.root))
    told = CliRunner().invoke(app, ["anchor", "record", str(archive), *place])
    assert told.exit_code == 0, told.output
    assert "1 members give rights to who runs them" in told.output
    (head,) = site.places.anchors.glob("*.json")
    assert json.loads(head.read_text())["archive"] == str(archive)
    refused = CliRunner().invoke(app, ["anchor", "record", str(archive), *place, "--no-privileged"])
    assert refused.exit_code == 1
    assert "srv/app/bin/tool" in refused.output


def test_what_is_asked_for_is_listed_and_shown_with_what_would_be_lost(
    say: Say, plan: Plan
) -> None:
    assert re.match(rf"{plan.id}  restore  D-17  asked by margaret, expires", say("show").output)
    shown = say("show", plan.id).output
    for line in (
        "asked     by margaret, for D-17",
        f"sha256    {plan.sha256}",
        "approvals 2 or more, none of them margaret's",
        "verify    pnpm run diagnose   in /",
        "services  none",
    ):
        assert line in shown
    assert re.search(r"lost      \d files written since, \d+ bytes; the newest:", shown)
    assert "srv/app/data/ledger" in shown
    told = json.loads(say("show", plan.id, "--json").output)
    assert told["lost"]["files"] >= 2
    assert told["text"] == plan.text


def test_people_sign_here_or_elsewhere_and_it_counts(
    site: Site, say: Say, plan: Plan, tmp_path: Path
) -> None:
    here = say("sign", plan.id, "--key", str(site.keys["ada"]), "--yes")
    assert here.exit_code == 0, here.output
    copy = tmp_path / "request.json"
    copy.write_text(plan.text)
    moved = site.places.requests.rename(site.folder / "not-on-this-machine")
    elsewhere = say("sign", str(copy), "--key", str(site.keys["grace"]), "--yes")
    moved.rename(site.places.requests)
    signature = tmp_path / "grace.sig"
    signature.write_text(elsewhere.stdout)
    assert say("sign", plan.id, "--signature", str(signature)).exit_code == 0
    assert say("sign", plan.id, "--signature", str(signature)).exit_code == 0  # said twice is once
    (site.folder / "keys/ada").unlink()
    told = site.start(plan)
    assert told["people"] == ["ada", "grace"]


def test_nothing_is_signed_unseen(site: Site, say: Say, plan: Plan) -> None:
    asked = say("sign", plan.id, "--key", str(site.keys["ada"]))
    assert asked.exit_code == 5
    assert "Not confirmed" in asked.output
    assert list((site.places.requests / plan.id / "approvals").iterdir()) == []


def test_a_link_in_the_daemons_folder_leads_root_nowhere(
    site: Site, say: Say, plan: Plan, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    approvals = site.places.requests / plan.id / "approvals"
    approvals.rmdir()
    approvals.symlink_to(elsewhere)
    os.chown(site.places.requests / plan.id, 33, 33)
    say("sign", plan.id, "--key", str(site.keys["ada"]), "--yes")
    assert list(elsewhere.iterdir()) == []
    assert elsewhere.stat().st_uid == 0


def test_its_state_is_told_at_every_time(site: Site, say: Say, plan: Plan) -> None:
    assert "it was not started yet" in say("status", plan.id).output
    site.start(plan)
    assert say("status", plan.id).output == "refused: 0 of 2 approvals\n"
    site.sign(plan, "ada", "grace")
    site.start(plan)
    told = say("status", plan.id).output
    assert told.startswith("unverified: pnpm run diagnose")
    assert "approved by ada, grace\n" in told
    assert f"undo: slo-watchdog restore undo {plan.id}" in told


@pytest.mark.parametrize("deed", ["status", "resume", "undo"])
def test_what_is_no_id_is_wrong_usage(say: Say, deed: str) -> None:
    assert say(deed, "../../etc").exit_code == 2


def test_what_was_never_begun_cannot_be_undone(say: Say, plan: Plan) -> None:
    refused = say("undo", plan.id, "--yes")
    assert refused.exit_code == 1
    assert "was ever begun here" in refused.output


def test_a_folder_that_is_not_there_is_not_taken_for_one_in_which_nothing_waits(
    tmp_path: Path,
) -> None:
    def shows(requests: Path) -> Result:
        command = ["restore", "show", "--requests", str(requests)]
        return CliRunner().invoke(app, command, env={"COLUMNS": "200"})

    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    found = shows(tmp_path / "empty")
    assert (found.exit_code, found.output) == (0, "No request waits here.\n")
    for name, says in {"gone": "does not exist. Name the", "file": "cannot be read: Not a"}.items():
        found = shows(tmp_path / name)
        assert found.exit_code == 1
        assert f"{tmp_path / name} {says}" in found.output


def test_a_file_that_is_no_request_is_named(say: Say, tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text("{}")
    told = say("show", str(file))
    assert told.exit_code == 1
    assert "must have exactly these fields" in told.output
    assert say("show", str(tmp_path / "none")).exit_code == 1
