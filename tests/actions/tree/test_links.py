"""Releases behind a symbolic link: the link is replaced at once, the folders stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.actions.tree.site import MARKER, Site, release, tree
from watchdog.core.words import Truth
from watchdog.ports import Attempted


@pytest.fixture
def linked(site: Site) -> Site:
    return behind_links(site, Path("releases"))


def behind_links(site: Site, leading_to: Path) -> Site:
    """`mainnet -> releases/42`, and the one before it is `mainnet-previous -> releases/41`."""
    (site.folder / "releases").mkdir()
    for name, number in (("mainnet", 42), ("mainnet-previous", 41)):
        folder = site.folder / "releases" / str(number)
        (site.folder / name).rename(folder)
        (site.folder / name).symlink_to(leading_to / str(number))
    return site


async def test_the_link_leads_to_the_release_before_and_no_folder_moves(linked: Site) -> None:
    bad = tree(linked.live.resolve())
    text = linked.live.readlink()
    ready = await linked.is_ready()
    assert "one replacement of the symbolic link" in ready.reading.reason
    done = await linked.swap()

    assert done.result is Attempted.CLAIMED
    assert ("proven", "yes") in done.facts
    assert linked.build == "41"
    assert linked.live.is_symlink()
    assert linked.live.readlink() != text
    assert not linked.live.readlink().is_absolute()
    displaced = linked.folder / "releases" / "42"
    assert linked.facts["displaced"] == str(displaced)
    assert tree(displaced) == bad
    assert '"key": "intent-1"' in (displaced / MARKER).read_text()
    assert (linked.live / "por.json").read_text() == "attested at noon"
    assert linked.backups() == []


async def test_a_link_that_names_the_whole_path_does_so_after_a_swap_as_well(site: Site) -> None:
    linked = behind_links(site, site.folder / "releases")
    text = linked.live.readlink()
    await linked.is_ready()
    await linked.swap()
    assert linked.live.readlink().is_absolute()
    assert linked.build == "41"
    await linked.undo()
    assert linked.live.readlink() == text


async def test_a_repeat_an_undo_and_another_swap_each_end_where_they_must(linked: Site) -> None:
    text, bad = linked.live.readlink(), tree(linked.live.resolve())
    await linked.is_ready()
    assert await linked.stands() is Truth.FALSE
    first, again = await linked.swap(), await linked.swap()
    assert first.facts == again.facts
    assert (await linked.settle()).result is Attempted.CLAIMED
    assert await linked.stands() is Truth.TRUE
    assert (await linked.undo()).result is Attempted.CLAIMED
    assert (await linked.undo()).reason.startswith("swapped back already")
    assert linked.live.readlink() == text
    assert tree(linked.live.resolve()) == bad
    await linked.rolled_back("intent-3")
    assert linked.build == "41"


async def test_a_deploy_that_moves_the_link_meanwhile_is_never_undone_over(linked: Site) -> None:
    await linked.rolled_back()
    release(linked.folder / "releases" / "43", 43)
    linked.live.unlink()
    linked.live.symlink_to("releases/43")

    assert (await linked.undo()).result is Attempted.CONFLICT
    assert linked.build == "43"


async def test_a_release_that_was_displaced_is_never_deleted(linked: Site) -> None:
    await linked.rolled_back()
    for number in (43, 44, 45, 46):
        release(linked.folder / "releases" / str(number), number)
        new = linked.folder / "new-link"
        new.symlink_to(f"releases/{number}")
        new.rename(linked.live)
        await linked.rolled_back(f"intent-{number}")

    assert [(linked.folder / "releases" / str(n) / "BUILD").exists() for n in range(41, 47)] == [
        True
    ] * 6
