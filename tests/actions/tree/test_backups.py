"""Backups: never over another, pruned by age and only ours, never the one that is needed."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.actions.tree.site import Site, release, tree
from watchdog.ports import Attempted


async def again_and_again(site: Site, times: int) -> list[Path]:
    """Each time a new bad release is deployed and rolled back; the displaced trees in order."""
    made = []
    for number in range(times):
        (site.live / "BUILD").write_text(f"{100 + number}\n")
        learned = await site.rolled_back(f"intent-{number}")
        made.append(Path(learned["displaced"]))
    return made


async def test_three_swaps_within_a_second_get_three_names(site: Site) -> None:
    made = await again_and_again(site, 3)

    assert len(set(made)) == 3
    assert [(path / "BUILD").read_text() for path in made] == ["100\n", "101\n", "102\n"]


async def test_a_name_that_is_taken_is_left_alone_and_the_next_one_used(site: Site) -> None:
    """Every name of the coming seconds is taken: by a folder, a file, a link."""
    await site.is_ready()
    taken = [_name(site, second) for second in range(-1, 30)]
    for path in taken:
        path.write_text("mine")
    await site.swap()

    assert Path(site.facts["displaced"]).name.endswith("-2")
    assert [path.read_text() for path in taken] == ["mine"] * len(taken)


async def test_a_name_that_pruning_left_free_is_not_used_within_its_second(site: Site) -> None:
    """It would make the newest the oldest by its name, and so the first to go."""
    await site.is_ready()
    for second in range(-1, 30):
        path = _name(site, second)
        path.with_name(f"{path.name}-3").write_text("mine")
    await site.swap()

    assert Path(site.facts["displaced"]).name.endswith("-4")


def _name(site: Site, second: int) -> Path:
    at = datetime.now(UTC) + timedelta(seconds=second)
    return site.folder / at.strftime("mainnet-backup-%Y%m%d-%H%M%S")


async def test_beyond_what_is_kept_the_oldest_of_ours_go(site: Site) -> None:
    site.how = replace(site.how, keep_backups=2)
    by_hand = release(site.folder / "mainnet-backup-20200101-000000", 3)
    odd = release(site.folder / "mainnet-backup-of-alice", 4)
    made = await again_and_again(site, 4)

    assert [path.exists() for path in made] == [False, False, True, True]
    assert (by_hand / "BUILD").read_text() == "3\n"
    assert (odd / "BUILD").read_text() == "4\n"
    assert list(site.work.glob("trash-*")) == []


async def test_the_one_that_is_needed_is_never_pruned(site: Site) -> None:
    await again_and_again(site, 2)
    site.how = replace(site.how, keep_backups=0)
    settled = await site.settle()

    assert settled.result is Attempted.CLAIMED
    assert site.backups() == [Path(site.facts["displaced"])]


async def test_a_backup_with_unwritable_folders_is_pruned_whole(site: Site) -> None:
    site.how = replace(site.how, keep_backups=1)
    (site.live / "conf").chmod(0o555)
    made = await again_and_again(site, 2)

    assert [path.exists() for path in made] == [False, True]


async def test_settling_gives_the_displaced_tree_its_digest_and_may_be_repeated(
    site: Site,
) -> None:
    first = await site.rolled_back()
    again = await site.settle()

    assert dict(again.facts) == {"displaced_digest": first["displaced_digest"]}
    await site.undo()
    os.rename(site.live, site.previous.with_name("bad"))  # noqa: PTH104  # a person's mv
    release(site.live, 44)
    site.how = replace(site.how, previous=str(site.previous.with_name("bad")))
    ready = await site.is_ready()
    assert ready.anchor is not None
    assert ready.anchor.digest == first["displaced_digest"]  # so it is known again: quarantined


async def test_a_displaced_tree_that_is_gone_settles_without_a_digest(site: Site) -> None:
    await site.is_ready()
    await site.swap()
    site.backups()[0].rename(site.folder / "put-away")
    settled = await site.settle()

    assert settled.result is Attempted.CLAIMED
    assert settled.facts == ()
    undone = await site.undo()
    assert undone.result is Attempted.REFUSED
    assert "is not to be found" in undone.reason
    assert site.build == "41"


async def test_a_backup_that_a_person_moved_back_to_its_name_is_found(site: Site) -> None:
    bad = tree(site.live)
    await site.rolled_back()
    site.backups()[0].rename(site.folder / "mainnet-backup-20250101-120000")
    undone = await site.undo()

    assert undone.result is Attempted.CLAIMED
    assert tree(site.live) == bad
