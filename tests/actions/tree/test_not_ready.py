"""Every reason for which a swap would not work, told long before it is needed, with a remedy."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.actions.tree.site import AS_NOBODY, AT, NOBODY, Site, release, tree
from watchdog.actions.tree.adapter import TreeActuator
from watchdog.core.words import Truth
from watchdog.ports import Attempted

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="plays other users, which needs root")
MOUNTS = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a folder, which needs root")


async def test_ready_is_said_with_all_that_it_rests_upon(site: Site) -> None:
    found = await site.is_ready()
    (staged,) = site.staged()

    assert "3 files" not in found.reading.reason  # of por.json, which stays live, nothing is said
    assert "2 files" in found.reading.reason
    assert "one exchange of the two folders" in found.reading.reason
    seen = {site.facts.pop(name) for name in ("previous_seen_digest", "live_seen_digest")}
    assert len(seen) == 2
    assert site.facts == {
        "build": "41",
        "present_build": "42",
        "generation": staged.name.removeprefix("staged-"),
    }
    assert tree(staged) == tree(site.previous)
    assert site.work.stat().st_mode & 0o777 == 0o700
    assert site.build == "42"


async def test_asked_again_it_is_the_same_and_nothing_is_staged_anew(site: Site) -> None:
    first = await site.is_ready()
    staged = site.staged()
    assert await site.is_ready() == first
    assert site.staged() == staged


async def test_the_anchor_is_as_old_as_its_newest_member_by_the_kernels_record(site: Site) -> None:
    """Not as old as a copied time says, and no newer for a name made beside its members."""
    newest = max(path.stat().st_ctime for path in site.previous.rglob("*"))
    for path in site.previous.rglob("*"):
        os.utime(path, (1.0, 1.0))
    changed = max(path.stat().st_ctime for path in site.previous.rglob("*"))
    (site.previous / ".slo-watchdog-generation").write_text("{}")  # of another life of the folder
    anchor = (await site.is_ready()).anchor

    assert anchor is not None
    assert anchor.written_at == pytest.approx(changed, abs=1e-6)
    assert anchor.written_at > newest


# -- previous --------------------------------------------------------------------------------------


async def test_previous_is_missing(site: Site) -> None:
    shutil.rmtree(site.previous)
    assert await site.why_not() == f"{site.previous} is missing: there is nothing to restore"


async def test_previous_is_empty(site: Site) -> None:
    shutil.rmtree(site.previous)
    site.previous.mkdir()
    assert "is empty: there is nothing to restore" in await site.why_not()


async def test_previous_holds_nothing_but_files_that_stay_live(site: Site) -> None:
    for name in ("BUILD", "conf/app.json"):
        (site.previous / name).unlink()
    (site.previous / "conf").rmdir()
    assert "holds no file of its own" in await site.why_not()


async def test_previous_is_a_file(site: Site) -> None:
    shutil.rmtree(site.previous)
    site.previous.write_text("41")
    assert await site.why_not() == f"{site.previous} is no folder"


async def test_previous_equals_the_present(site: Site) -> None:
    """In all but the file that stays live."""
    shutil.rmtree(site.previous)
    shutil.copytree(site.live, site.previous)
    (site.previous / "por.json").write_text("attested last week")
    assert "equals what is live: there is nothing to go back to" in await site.why_not()

    (site.previous / "BUILD").chmod(0o600)  # a mode alone is a difference
    await site.is_ready()


@pytest.mark.parametrize("inside", ["mainnet/old", "."])
async def test_previous_and_current_lie_in_one_another(site: Site, inside: str) -> None:
    release(site.live / "old", 41)
    site.how = replace(site.how, previous=str((site.folder / inside).resolve()))
    assert "lie in one another" in await site.why_not()


async def test_previous_is_the_live_folder_by_another_name(site: Site) -> None:
    shutil.rmtree(site.previous)
    site.previous.symlink_to(site.live)
    assert "is the live folder itself" in await site.why_not()


@pytest.mark.parametrize("what", ["pipe", "socket", "device"])
async def test_previous_holds_what_cannot_be_copied(site: Site, what: str) -> None:
    path = site.previous / "odd"
    if what == "pipe":
        os.mkfifo(path)
    elif what == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
    elif os.geteuid() == 0:
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, 3))
    else:
        pytest.skip("needs root: only root can make a device")
    assert await site.why_not() == f"odd is a {what}, which cannot be copied: remove it"


async def test_previous_is_written_to_while_it_is_read(site: Site) -> None:
    """A deploy is copying into it: what a look sees is no release."""
    for number in range(300):
        (site.previous / f"page-{number}").write_bytes(b"x" * 2_000_000)
    writing = site.previous / "page-0"
    look = asyncio.create_task(site.look())
    while not look.done():
        writing.write_bytes(os.urandom(1000))
        await asyncio.sleep(0.002)
    reading = (await look).reading

    assert reading.truth is Truth.FALSE
    assert "written to" in reading.reason or "gone again" in reading.reason
    assert site.staged() == []


@AS_ROOT
async def test_previous_cannot_be_read(site: Site) -> None:
    unprivileged(site)
    (site.previous / "BUILD").chmod(0o000)
    assert await site.why_not() == (
        "BUILD cannot be read (Permission denied): let the watchdog's user read it"
    )
    (site.previous / "BUILD").chmod(0o644)
    (site.previous / "conf").chmod(0o000)
    assert "conf cannot be read (Permission denied)" in await site.why_not()


@AS_ROOT
async def test_previous_belongs_to_somebody_whom_we_cannot_give_files_to(site: Site) -> None:
    unprivileged(site)
    os.chown(site.previous / "BUILD", 1234, 1234)
    assert "BUILD is owned by 1234:1234, which the watchdog's user 65534 cannot recreate" in (
        await site.why_not()
    )


@AS_ROOT
async def test_previous_is_read_only_so_that_its_copy_could_not_be_renamed(site: Site) -> None:
    unprivileged(site)
    site.previous.chmod(0o555)
    assert "is read-only" in await site.why_not()


async def test_previous_lies_on_another_file_system(site: Site) -> None:
    other = Path("/dev/shm") / f"slo-watchdog-test-{os.getpid()}"  # made, and removed
    release(other, 41)
    try:
        site.how = replace(site.how, previous=str(other))
        assert "is on another file system" in await site.why_not()
    finally:
        shutil.rmtree(other)


# -- current, and what is around it ----------------------------------------------------------------


async def test_current_is_missing(site: Site) -> None:
    shutil.rmtree(site.live)
    assert f"{site.live} is missing" in await site.why_not()


async def test_current_is_a_file(site: Site) -> None:
    shutil.rmtree(site.live)
    site.live.write_text("")
    assert f"{site.live} is no folder" in await site.why_not()


async def test_current_is_a_link_to_nowhere(site: Site) -> None:
    shutil.rmtree(site.live)
    site.live.symlink_to("gone")
    assert "is a link to no folder" in await site.why_not()


@contextlib.contextmanager
def mounted(*arguments: str | Path) -> Iterator[None]:
    subprocess.run(["mount", *arguments], check=True, timeout=10)
    try:
        yield
    finally:
        subprocess.run(["umount", arguments[-1]], check=True, timeout=10)


@MOUNTS
async def test_current_is_a_mount_point_of_the_same_file_system(site: Site) -> None:
    """The device is the same; renaming it answers EBUSY all the same."""
    release(site.folder / "elsewhere", 42)
    with mounted("--bind", site.folder / "elsewhere", site.live):
        assert "is a mount point or on another file system" in await site.why_not()
    await site.is_ready()


@MOUNTS
async def test_the_file_system_is_read_only(site: Site) -> None:
    with mounted("--bind", "-o", "ro", site.folder, site.folder):
        assert "not writable for the watchdog (Read-only file system)" in await site.why_not()


@MOUNTS
async def test_a_file_system_that_turned_read_only_changes_nothing(site: Site) -> None:
    await site.is_ready()
    with mounted("--bind", "-o", "ro", site.folder, site.folder):
        assert "Read-only file system" in await site.why_not()
        done = await site.swap()
    assert done.result in {Attempted.NOT_DONE, Attempted.REFUSED}
    assert "Read-only file system" in done.reason
    assert site.build == "42"


@MOUNTS
async def test_a_full_file_system_has_no_room_for_a_copy(ground: Path) -> None:
    folder = ground / "small"
    folder.mkdir()
    with mounted("-t", "tmpfs", "-o", "size=40m", "tmpfs", folder):
        site = Site.built(folder)
        (site.previous / "big").write_bytes(bytes(25_000_000))
        assert "not enough space beside" in await site.why_not()
        assert site.staged() == []
        (site.previous / "big").write_bytes(bytes(5_000_000))
        await site.is_ready()


async def test_a_release_larger_than_the_disk_is_not_even_read(site: Site) -> None:
    with (site.previous / "sparse").open("wb") as file:
        file.truncate(1 << 42)
    assert "not enough space beside" in await site.why_not()


@AS_ROOT
async def test_the_folder_above_is_not_writable(site: Site) -> None:
    unprivileged(site)
    os.chown(site.folder, 0, 0)
    assert f"{site.folder} is not writable for the watchdog" in await site.why_not()


@AS_ROOT
async def test_the_live_folder_itself_is_not_writable(site: Site) -> None:
    unprivileged(site)
    os.chown(site.live, 0, 0)
    assert f"{site.live} is not writable for the watchdog" in await site.why_not()


@AS_ROOT
async def test_a_sticky_folder_lets_only_owners_rename(site: Site) -> None:
    unprivileged(site)
    os.chown(site.folder, 0, 0)
    site.folder.chmod(0o1777)
    os.chown(site.live, 1234, 1234)
    site.live.chmod(0o777)
    assert "is sticky: only the owners rename" in await site.why_not()


@AS_ROOT
async def test_somebody_elses_work_area_is_not_used(site: Site) -> None:
    site.work.mkdir()
    os.chown(site.work, NOBODY, NOBODY)
    assert "is not a folder of the watchdog's user: move it away" in await site.why_not()


async def test_a_link_in_place_of_the_work_area_is_not_followed(site: Site) -> None:
    (site.folder / "trap").mkdir()
    site.work.symlink_to(site.folder / "trap")
    assert "is not a folder of the watchdog's user" in await site.why_not()
    assert list((site.folder / "trap").iterdir()) == []


# -- what is declared ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../por.json", "/etc/passwd", "a/../b", "", "a//b"])
async def test_a_live_files_name_that_leaves_the_folder(site: Site, name: str) -> None:
    site.how = replace(site.how, mutable=(name,))
    assert "is no name of a file within the folder" in await site.why_not()


async def test_a_live_file_whose_folder_the_tree_before_does_not_have(site: Site) -> None:
    (site.live / "state").mkdir()
    (site.live / "state" / "seen").write_text("7")
    site.how = replace(site.how, mutable=("state/seen",))
    assert "has no folder for it: make it there" in await site.why_not()
    (site.previous / "state").mkdir()
    await site.rolled_back()
    assert (site.live / "state" / "seen").read_text() == "7"


async def test_a_live_file_that_is_a_folder_in_the_tree_before(site: Site) -> None:
    (site.previous / "por.json").unlink()
    (site.previous / "por.json").mkdir()
    assert "por.json, a file that stays live, is none in" in await site.why_not()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read: it tells build"),
        (b"\n41\n", "must be 1 to 200 plain characters"),
        (b"x" * 201, "must be 1 to 200 plain characters"),
        ("41 \u2013 b".encode(), "must be 1 to 200 plain characters"),
    ],
)
async def test_a_fact_that_cannot_be_told(site: Site, content: bytes | None, why: str) -> None:
    (site.previous / "BUILD").unlink()
    if content is not None:
        (site.previous / "BUILD").write_bytes(content)
    assert why in await site.why_not()


async def test_a_fact_is_not_read_through_a_link(site: Site) -> None:
    (site.folder / "secret").write_text("hunter2")
    (site.previous / "BUILD").unlink()
    (site.previous / "BUILD").symlink_to(site.folder / "secret")
    assert "cannot be read" in await site.why_not()


async def test_a_present_fact_that_cannot_be_read_is_left_out(site: Site) -> None:
    (site.live / "BUILD").unlink()
    await site.is_ready()
    assert "present_build" not in site.facts


# -- whoever only looks ----------------------------------------------------------------------------


async def test_who_only_looks_makes_nothing_and_says_what_it_sees(site: Site) -> None:
    looking = TreeActuator(stages=False)
    before = await looking.preflight(site.how, at=AT, deadline_seconds=10)
    assert before.reading.truth is Truth.UNKNOWN
    assert "the daemon's preflight does that" in before.reading.reason
    assert not site.work.exists()

    await site.is_ready()
    after = await looking.preflight(site.how, at=AT, deadline_seconds=10)
    assert after.reading.truth is Truth.TRUE
    shutil.rmtree(site.previous)
    gone = await looking.preflight(site.how, at=AT, deadline_seconds=10)
    assert gone.reading.truth is Truth.FALSE


async def test_the_way_back_is_looked_at_without_what_went_before(site: Site) -> None:
    shutil.rmtree(site.previous)
    found = await site.actuator.preflight(site.back, at=AT, deadline_seconds=10)
    assert found.reading.truth is Truth.TRUE
    assert found.anchor is None
    shutil.rmtree(site.live)
    found = await site.actuator.preflight(site.back, at=AT, deadline_seconds=10)
    assert found.reading.truth is Truth.FALSE


def unprivileged(site: Site) -> None:
    """The daemon's user has no rights beyond those on the site's folder, which is its own."""
    site.actuator = TreeActuator(python=AS_NOBODY)
    for path in [site.folder, *site.folder.rglob("*")]:
        os.chown(path, NOBODY, NOBODY)
