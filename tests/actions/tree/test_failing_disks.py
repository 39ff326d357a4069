"""A disk that is full, fails, or offers less: what is answered is true, and a repeat mends it."""

from __future__ import annotations

import shutil

import pytest

from tests.actions.tree.site import Site, tree
from tests.actions.tree.strace import failing, injected
from watchdog.actions.tree.adapter import TreeActuator
from watchdog.core.words import Truth
from watchdog.ports import Attempt, Attempted

NO_EXCHANGE = failing("renameat2", "EINVAL")


async def swap_failing(site: Site, call: str, error: str, when: str = "1+") -> Attempt:
    await site.is_ready()
    site.actuator = TreeActuator(python=failing(call, error, when))
    done = await site.swap()
    site.actuator = TreeActuator()
    return done


async def ends_whole(site: Site) -> None:
    """Whatever was answered: the same again ends with the release before live, once."""
    done = await site.swap()
    assert done.result is Attempted.CLAIMED, done.reason
    assert ("proven", "yes") in done.facts
    assert site.build == "41"
    assert len(site.backups()) == 1


@pytest.mark.parametrize("error", ["EXDEV", "EBUSY", "ENOSPC"])
async def test_an_exchange_that_is_refused_changed_nothing(site: Site, error: str) -> None:
    bad = tree(site.live)
    done = await swap_failing(site, "renameat2", error)

    assert done.result in {Attempted.NOT_DONE, Attempted.REFUSED}
    assert "the live folder is what it was" in done.reason
    assert tree(site.live) == bad
    await ends_whole(site)


async def test_an_exchange_on_a_failing_disk_is_unknown(site: Site) -> None:
    done = await swap_failing(site, "renameat2", "EIO")

    assert done.result is Attempted.UNKNOWN
    await ends_whole(site)


async def test_no_room_for_a_live_file_changes_nothing(site: Site) -> None:
    bad = tree(site.live)
    done = await swap_failing(site, "copy_file_range", "ENOSPC")

    assert done.result is Attempted.NOT_DONE
    assert "No space left" in done.reason
    assert tree(site.live) == bad
    await ends_whole(site)


async def test_no_room_for_the_displaced_trees_marker_is_unknown_after_the_swap(
    site: Site,
) -> None:
    """The second write: the first is the answer to nobody, since the live file needs none."""
    await site.is_ready()
    (site.live / "por.json").unlink()
    site.actuator = TreeActuator(python=failing("write", "ENOSPC", "1"))
    done = await site.swap()
    site.actuator = TreeActuator()

    assert done.result is Attempted.UNKNOWN
    assert "swapped, then No space left" in done.reason
    assert site.build == "41"
    await ends_whole(site)


@pytest.mark.parametrize("when", ["1", "3"])
async def test_a_sync_that_fails_is_never_a_claim(site: Site, when: str) -> None:
    done = await swap_failing(site, "fsync", "EIO", when)

    assert done.result is Attempted.UNKNOWN
    await ends_whole(site)


async def test_a_staging_that_finds_no_room_is_not_ready_and_leaves_nothing(site: Site) -> None:
    site.actuator = TreeActuator(python=failing("copy_file_range", "ENOSPC"))
    assert "No space left" in await site.why_not()
    site.actuator = TreeActuator(python=failing("fsync", "EIO"))
    assert (await site.look()).reading.truth is Truth.UNKNOWN
    assert site.staged() == []
    site.actuator = TreeActuator()
    await site.is_ready()
    assert list(site.work.glob("building-*")) == []


# -- where two folders cannot be exchanged ---------------------------------------------------------


async def test_without_an_exchange_renames_do_it_and_preflight_says_so(site: Site) -> None:
    bad = tree(site.live)
    site.actuator = TreeActuator(python=NO_EXCHANGE)
    ready = await site.is_ready()
    assert "renames with a gap of an instant" in ready.reading.reason
    await site.rolled_back()
    assert site.build == "41"
    assert tree(site.backups()[0]) == bad
    assert (await site.undo()).result is Attempted.CLAIMED
    assert tree(site.live) == bad
    assert [path.name.partition("-")[0] for path in site.staged()] == ["staged"]


@pytest.mark.parametrize("number", [2, 3])
async def test_a_death_between_the_renames_is_mended_by_the_next_attempt(
    site: Site, number: int
) -> None:
    await site.is_ready()
    (site.live / "por.json").unlink()  # no other rename than those of the swap
    argv = injected({"renameat2": "error=EINVAL", "rename": f"signal=KILL:when={number}"})
    site.actuator = TreeActuator(python=argv)
    done = await site.swap()
    site.actuator = TreeActuator()

    assert done.result is Attempted.UNKNOWN
    await ends_whole(site)


async def test_a_death_with_nothing_in_the_live_place_is_mended_by_preflight_as_well(
    site: Site,
) -> None:
    bad = tree(site.live)
    await site.is_ready()
    site.live.rename(site.work / "gap")
    (site.work / "gap.json").write_text(f'{{"live": "{site.live}", "other": "{site.staged()[0]}"}}')
    assert await site.stands() is Truth.TRUE  # it was begun
    ready = await site.is_ready()

    assert "the folder is back" in ready.reading.reason
    assert tree(site.live) == bad
    assert await site.stands() is Truth.FALSE
    await ends_whole(site)


async def test_a_copy_without_the_kernels_help_is_the_same(site: Site) -> None:
    (site.previous / "random").write_bytes(bytes(range(256)) * 5000)
    site.actuator = TreeActuator(python=failing("copy_file_range,ioctl", "EXDEV"))
    await site.is_ready()

    assert tree(site.staged()[0]) == tree(site.previous)


async def test_a_work_area_that_is_gone_is_said(site: Site) -> None:
    await site.is_ready()
    shutil.rmtree(site.work)
    done = await site.swap()

    assert done.result is Attempted.REFUSED
    assert "nothing was staged" in done.reason
