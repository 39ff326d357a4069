"""A staged copy is the same to every reader, whatever a release holds."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.actions.tree.site import AS_NOBODY, NOBODY, Site, release, tree
from tests.actions.tree.strace import traced
from watchdog.actions.tree.adapter import TreeActuator
from watchdog.ports import Attempted

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="gives files away, which needs root")

RESTED_SECONDS = 2.2
NAMES = (
    b"two\nlines",
    b"not-\xff\xfe-utf8",
    b" sorts before a dot",
    "snöw ☃".encode(),
    b"-rf",
    b"x" * 255,
)


async def staged_like_previous(site: Site) -> Path:
    """The staged copy, compared with its original by other means."""
    await site.is_ready()
    (staged,) = site.staged()
    assert tree(staged) == tree(site.previous)
    return staged


async def test_links_are_copied_as_they_are(site: Site) -> None:
    (site.previous / "to-file").symlink_to("BUILD")
    (site.previous / "to-folder").symlink_to("conf")
    (site.previous / "dangling").symlink_to("no/such/thing")
    (site.previous / "outside").symlink_to("/etc/hostname")
    (site.previous / "round").symlink_to("round")
    staged = await staged_like_previous(site)

    assert (staged / "outside").readlink() == Path("/etc/hostname")
    assert (await site.swap()).result is Attempted.CLAIMED


async def test_hard_links_stay_together_and_apart_from_the_original(site: Site) -> None:
    os.link(site.previous / "BUILD", site.previous / "conf" / "build")
    staged = await staged_like_previous(site)
    one, two = (staged / "BUILD").stat(), (staged / "conf" / "build").stat()

    assert one.st_ino == two.st_ino
    assert one.st_nlink == 2
    assert one.st_ino != (site.previous / "BUILD").stat().st_ino


async def test_modes_with_setuid_and_setgid_and_times_stay(site: Site) -> None:
    modes = {"BUILD": 0o4755, "conf": 0o2750, "conf/app.json": 0o400, ".": 0o711}
    for name, mode in modes.items():
        (site.previous / name).chmod(mode)
        os.utime(site.previous / name, ns=(1, 1_234_567_890_123_456_789))
    staged = await staged_like_previous(site)

    for name in ("BUILD", "conf", "conf/app.json"):
        assert (staged / name).stat().st_mtime_ns == 1_234_567_890_123_456_789
        assert (staged / name).stat().st_mode & 0o7777 == modes[name]


@AS_ROOT
async def test_owners_stay(site: Site) -> None:
    os.chown(site.previous / "conf", 1000, 1001)
    os.chown(site.previous / "BUILD", 1000, 1001)
    (site.previous / "BUILD").chmod(0o6711)
    (site.previous / "link").symlink_to("BUILD")
    os.chown(site.previous / "link", 1002, 1003, follow_symlinks=False)
    staged = await staged_like_previous(site)

    assert (staged / "BUILD").stat().st_mode & 0o7777 == 0o6711


async def test_extended_attributes_stay(site: Site) -> None:
    os.setxattr(site.previous / "BUILD", "user.origin", b"pipeline 7\0\xff")
    os.setxattr(site.previous / "conf", "user.note", b"")
    (site.previous / "BUILD").chmod(0o444)
    if os.geteuid() == 0:
        os.setxattr(site.previous / "BUILD", "trusted.seal", b"sealed")
    staged = await staged_like_previous(site)
    assert os.getxattr(staged / "BUILD", "user.origin") == b"pipeline 7\0\xff"

    before = await site.is_ready()
    os.setxattr(site.previous / "conf", "user.note", b"changed")
    after = await site.is_ready()
    assert before.anchor != after.anchor  # an attribute alone is a difference


async def test_access_lists_stay_and_none_is_inherited(site: Site) -> None:
    """A default list on the folder above is not that of the release."""
    acl = bytes.fromhex(
        "02000000" "01000600ffffffff" "02000400e8030000" "04000400ffffffff"
        "10000600ffffffff" "20000400ffffffff"
    )  # fmt: skip
    os.setxattr(site.folder, "system.posix_acl_default", acl)
    os.setxattr(site.previous / "BUILD", "system.posix_acl_access", acl)
    staged = await staged_like_previous(site)

    assert os.getxattr(staged / "BUILD", "system.posix_acl_access") == acl
    assert os.listxattr(staged / "conf" / "app.json") == []


async def test_names_of_any_bytes_and_empty_folders_stay(site: Site) -> None:
    for name in NAMES:
        (site.previous / os.fsdecode(name)).write_bytes(name)
    (site.previous / "empty" / "and" / "deep").mkdir(parents=True)
    await staged_like_previous(site)
    done = await site.swap()

    assert ("proven", "yes") in done.facts
    assert (site.live / "empty" / "and" / "deep").is_dir()


async def test_a_name_that_is_no_text_is_told_in_print(site: Site) -> None:
    os.mkfifo(os.fsencode(site.previous) + b"/od\nd-\xff")
    assert await site.why_not() == "od\\nd-\\udcff is a pipe, which cannot be copied: remove it"


async def test_holes_and_large_files_stay(site: Site) -> None:
    with (site.previous / "sparse").open("wb") as file:
        file.seek(30_000_000)
        file.write(b"end")
    (site.previous / "random").write_bytes(os.urandom(3_000_001))
    (site.previous / "none").write_bytes(b"")
    await staged_like_previous(site)


async def test_a_changed_original_is_staged_anew_and_the_old_copy_goes(site: Site) -> None:
    first = await site.is_ready()
    (old,) = site.staged()
    (site.previous / "BUILD").write_text("40\n")
    second = await site.is_ready()
    (new,) = site.staged()

    assert (first.anchor, old) != (second.anchor, new)
    assert site.facts["build"] == "40"
    assert not old.exists()
    await site.swap()
    assert site.build == "40"


async def test_a_staged_copy_that_was_tampered_with_is_made_anew(site: Site) -> None:
    await site.is_ready()
    (old,) = site.staged()
    status = (old / "BUILD").stat()
    (old / "BUILD").write_text("13\n")  # as long, and as old, as it was
    os.utime(old / "BUILD", ns=(status.st_atime_ns, status.st_mtime_ns))
    await site.is_ready()
    (new,) = site.staged()

    assert new != old
    assert (new / "BUILD").read_text() == "41\n"


async def test_of_trees_that_rest_nothing_is_read_again_until_one_changes(
    site: Site, tmp_path: Path
) -> None:
    await site.is_ready()
    await asyncio.sleep(RESTED_SECONDS)
    remembered = await site.is_ready()
    site.actuator = TreeActuator(python=traced(["openat"], tmp_path / "trace"))
    assert await site.is_ready() == remembered
    opened = (tmp_path / "trace").read_text()
    assert "app.json" not in opened
    site.actuator = TreeActuator()

    (site.live / "BUILD").write_text("43\n")
    await site.is_ready()
    assert site.facts["present_build"] == "43"
    await asyncio.sleep(RESTED_SECONDS)
    await site.is_ready()
    (old,) = site.staged()
    status = (old / "BUILD").stat()
    (old / "BUILD").write_text("13\n")
    os.utime(old / "BUILD", ns=(status.st_atime_ns, status.st_mtime_ns))
    os.setxattr(site.previous / "conf", "user.note", b"changed")
    await site.is_ready()
    (new,) = site.staged()
    assert tree(new) == tree(site.previous)
    assert not old.exists()


async def test_litter_of_a_death_while_staging_is_cleared_away(site: Site) -> None:
    await site.is_ready()
    release(site.work / "building-0", 1)
    (site.work / "building-0" / "conf").chmod(0o000)
    release(site.work / "trash-1", 1)
    (site.work / "marker.new").write_text("half")
    await site.is_ready()

    left = {path.name.partition("-")[0] for path in site.work.iterdir()}
    assert left - {"looked"} == {"staged", "manifest", "known.json", "lock"}


@AS_ROOT
async def test_a_user_without_rights_swaps_and_undoes_what_it_owns(site: Site) -> None:
    site.actuator = TreeActuator(python=AS_NOBODY)
    for path in [site.folder, *site.folder.rglob("*")]:
        os.chown(path, NOBODY, NOBODY)
    bad = tree(site.live)
    await site.rolled_back()
    assert site.build == "41"
    await site.undo()
    assert tree(site.live) == bad
