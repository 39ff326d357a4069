"""What becomes of a restore that does not go smoothly: backed out, stuck, unverified, undone."""

import ast
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.house.tree import REPOSITORY
from tests.restore.site import Site, corrupt
from tests.restore.test_hostile import member, packed
from watchdog.restore.plan import Plan
from watchdog.restore.state import ask
from watchdog.restore.trust import why_not_roots


@pytest.fixture
def archive(site: Site) -> Path:
    archive = site.back_up()
    site.record(archive)
    corrupt(site.root)
    return archive


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@contextmanager
def immutable(file: Path) -> Iterator[None]:
    subprocess.run(["chattr", "+i", file], check=True)
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", file], check=True)


def test_a_verify_command_that_fails_leaves_it_restored_and_says_so(
    site: Site, archive: Path
) -> None:
    verify = (("id", "-un"), ("sh", "-c", "echo broken peg >&2; exit 3"))
    told = site.start(site.approved(archive, verify=verify))
    assert told["outcome"] == "unverified"
    assert told["reason"] == "sh -c echo broken peg >&2; exit 3 ended with 3: broken peg"
    assert told["verified"][0]["output"] == "nobody\n"  # not as root
    assert (site.root / "etc/app.conf").read_text() == "mode = good\n"


def test_what_fails_before_the_tree_is_touched_backs_out_by_itself(
    site: Site, archive: Path
) -> None:
    bad = site.look()
    plan = site.approved(archive)
    site.start(plan)  # leaves a folder of its own, in which nothing more can be written below
    ask(site.places, plan.id, "undo")
    site.start(plan)
    assert site.look() == bad
    other = site.approved(archive)
    site.places.of(other.id).mkdir()
    (site.places.of(other.id) / "saved.tar").mkdir()  # what will be saved finds no place
    told = site.start(other)
    assert told["outcome"] == "backed out"
    assert told["reason"].startswith("saved: ")
    assert site.look() == bad
    assert not (site.places.of(other.id) / "staging").exists()


def test_what_fails_later_is_stuck_until_it_is_resumed(site: Site, archive: Path) -> None:
    good_conf = "mode = good\n"
    with immutable(site.root / "srv/app/bin/tool"):
        plan = site.approved(archive)
        told = site.start(plan)
        assert told["outcome"] == "stuck", told
        assert told["reason"].startswith("placed: ")
        blocked = site.approved(archive)
        reason = site.start(blocked)["reason"]
        assert reason == f"restore {plan.id} is not ended: resume or undo it first"
    assert site.start(plan)["outcome"] == "done"
    assert (site.root / "etc/app.conf").read_text() == good_conf


def test_what_is_stuck_can_be_undone(site: Site, archive: Path) -> None:
    bad = site.look()
    plan = site.approved(archive)
    with immutable(site.root / "srv/app/bin/tool"):
        assert site.start(plan)["outcome"] == "stuck"
    ask(site.places, plan.id, "undo")
    assert site.start(plan)["outcome"] == "undone"
    assert site.look() == bad


def test_after_a_day_only_roots_word_goes_on(site: Site, archive: Path) -> None:
    plan = site.approved(archive)
    with immutable(site.root / "srv/app/bin/tool"):
        assert site.start(plan)["outcome"] == "stuck"
    half = site.look()
    site.wall = 90_000
    Path(site.places.of(plan.id) / "result.json").unlink()
    told = site.start(plan)
    assert told["reason"] == "it was left for more than a day: root must resume or undo it"
    assert site.look() == half
    ask(site.places, plan.id, "resume")
    assert site.start(plan)["outcome"] == "done"


def undo_of(site: Site, archive: Path, plan: Plan, **changes: object) -> Plan:
    return site.plan(archive, act="undo", of=plan.id, **changes)


def test_an_undo_that_people_approve_needs_as_many_of_them(site: Site, archive: Path) -> None:
    bad = site.look()
    plan = site.approved(archive)
    assert site.start(plan)["outcome"] == "done"
    restored = site.look()
    undo = undo_of(site, archive, plan)
    site.ask(undo)
    site.sign(undo, "ada")
    assert site.start(undo)["reason"] == "1 of 2 approvals (ada)"
    assert site.look() == restored
    site.sign(undo, "grace")
    told = site.start(undo)
    assert (told["outcome"], told["of"]) == ("undone", plan.id)
    assert site.look() == bad


def test_an_undo_is_of_what_its_approvers_had_read(site: Site, archive: Path) -> None:
    plan = site.approved(archive)
    assert site.start(plan)["outcome"] == "done"
    undo = undo_of(site, archive, plan, services=("mycelia-*",))
    site.ask(undo)
    site.sign(undo, "ada", "grace")
    assert site.start(undo)["reason"] == f"services is not that of the restore {plan.id}"
    stranger = undo_of(site, archive, site.plan(archive))
    site.ask(stranger)
    site.sign(stranger, "ada", "grace")
    assert "was ever begun here" in site.start(stranger)["reason"]


def test_a_folder_that_others_have_filled_since_stays_and_is_named(
    site: Site, archive: Path
) -> None:
    plan = site.approved(archive)
    assert site.start(plan)["outcome"] == "done"
    (site.root / "etc/theirs").write_text("not ours to remove")
    ask(site.places, plan.id, "undo")
    told = site.start(plan)
    assert told["outcome"] == "undone"
    assert told["reason"] == "'etc' stays: others have written in it"
    assert [one.name for one in (site.root / "etc").iterdir()] == ["theirs"]


def test_members_on_another_file_system_are_restored_and_undone_as_well(site: Site) -> None:
    data = site.root / "srv/app/data"
    kept = {one.name: one.read_bytes() for one in data.iterdir()}
    with mounted(data, "8m"):
        for name, content in kept.items():
            (data / name).write_bytes(content)
        (data / "ledger-again").unlink()
        os.link(data / "ledger", data / "ledger-again")
        (data / "newest").symlink_to("ledger")
        os.setxattr(data / "ledger", "security.capability", bytes.fromhex("01000002" + "00" * 16))
        good = site.look()
        archive = site.back_up()
        site.record(archive)
        (data / "ledger").write_bytes(b"lost")
        (data / "newest").unlink()
        (data / "newest").symlink_to("nowhere")
        bad = site.look()
        plan = site.approved(archive)
        assert site.start(plan)["outcome"] == "done"
        assert site.look() == good
        assert (data / "ledger").samefile(data / "ledger-again")
        ask(site.places, plan.id, "undo")
        assert site.start(plan)["outcome"] == "undone"
        assert site.look() == bad


def test_folders_that_no_member_names_are_made_and_taken_away_again(site: Site) -> None:
    before = site.look()
    archive = site.backups / "system-backup-1.tar"
    folder = member("opt", tarfile.DIRTYPE, mode=0o710)
    archive.write_bytes(packed(folder, member("opt/a/b/c", content=b"c"), member("var/x/y")))
    site.record(archive)
    plan = site.approved(archive)
    assert site.start(plan)["outcome"] == "done"
    assert (site.root / "opt/a/b/c").read_bytes() == b"c"
    modes = {name: (site.root / name).stat().st_mode & 0o777 for name in ("opt", "opt/a", "var/x")}
    assert modes == {"opt": 0o710, "opt/a": 0o755, "var/x": 0o755}
    ask(site.places, plan.id, "undo")
    assert site.start(plan)["outcome"] == "undone"
    assert site.look() == before


def test_an_archive_that_others_may_write_is_read_from_a_copy(site: Site) -> None:
    with mounted(site.backups, "8m"):  # as backups often lie on a disk of their own
        archive = site.back_up()
        site.record(archive)
        corrupt(site.root)
        os.chown(site.backups, 33, 33)
        assert why_not_roots(archive)
        plan = site.approved(archive)
        assert site.start(plan)["outcome"] == "done"
        assert not (site.places.of(plan.id) / "archive").exists()


def test_how_far_it_is_is_there_to_read_and_what_it_saved_is_not(site: Site, archive: Path) -> None:
    os.chown(site.places.requests.parent, 33, 34)
    plan = site.approved(archive)
    assert site.start(plan)["outcome"] == "done"
    folder = site.places.of(plan.id)
    modes = {
        one.name: (oct(one.stat().st_mode & 0o777), one.stat().st_gid) for one in folder.iterdir()
    }
    assert modes["result.json"] == modes["progress.json"] == ("0o640", 34)
    assert modes["saved.tar"] == modes["state.json"] == ("0o600", 0)
    assert json.loads((folder / "progress.json").read_text())["step"]


def test_the_privileged_part_imports_nothing_but_itself_and_the_standard_library() -> None:
    """What root runs is audited by itself; nothing else may come into it unseen."""
    foreign = set()
    files = sorted((REPOSITORY / "watchdog/restore").glob("*.py"))
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            foreign |= {
                name
                for name in names
                if not name.startswith("watchdog.restore.")
                and name != "watchdog.restore"
                and name.split(".")[0] not in sys.stdlib_module_names
            }
    assert foreign == set()
    assert sum(len(file.read_text().splitlines()) for file in files) < 3000
