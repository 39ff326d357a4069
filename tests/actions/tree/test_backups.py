"""Backups: never over another, pruned by age and only ours, never the one that is needed."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.actions.tree.site import MARKER, PYTHON, Site, release, tree
from watchdog.actions.tree.adapter import TreeActuator
from watchdog.ports import Attempted

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


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


def clocked(shift: str) -> TreeActuator:
    """One whose processes live that far from now."""
    env = ("env", f"LD_PRELOAD={FAKETIME}", f"FAKETIME={shift}", "DONT_FAKE_MONOTONIC=1")
    return TreeActuator(python=(*env, *PYTHON, "-S"))


@pytest.mark.skipif(not FAKETIME.exists(), reason="needs libfaketime (Debian: faketime)")
async def test_after_the_clock_stepped_back_the_oldest_go_and_not_the_newest(site: Site) -> None:
    site.how = replace(site.how, keep_backups=3)
    made = []
    for number, shift in enumerate(("+0d", "+300d", "+300d", "-400d", "-399d", "-401d")):
        site.actuator = clocked(shift)
        (site.live / "BUILD").write_text(f"{100 + number}\n")
        made.append(Path((await site.rolled_back(f"intent-{number}"))["displaced"]))

    assert sorted(made) != made, "their names are in another order than they were made in"
    assert [path.exists() for path in made] == [False] * 3 + [True] * 3


async def test_those_of_a_program_that_did_not_number_them_go_first_by_their_names(
    site: Site,
) -> None:
    site.how = replace(site.how, keep_backups=4)
    older = await again_and_again(site, 2)
    for path in older:
        told = json.loads((path / MARKER).read_text())
        del told["order"]
        (path / MARKER).write_text(json.dumps(told))
    older[0] = older[0].rename(site.folder / "mainnet-backup-20980101-000000")
    older[1] = older[1].rename(site.folder / "mainnet-backup-20990101-000000")
    made = await again_and_again(site, 3)

    assert [path.exists() for path in (*older, *made)] == [False, True, True, True, True]


async def test_a_backup_that_a_person_made_live_by_a_link_is_never_pruned(site: Site) -> None:
    made = await again_and_again(site, 2)
    site.live.rename(site.folder / "put-away")
    site.live.symlink_to(made[0])
    site.how = replace(site.how, keep_backups=0)
    await site.settle()

    assert [path.exists() for path in made] == [True, True]


async def test_a_backup_that_is_restored_from_is_never_pruned(site: Site) -> None:
    site.how = replace(site.how, keep_backups=1)
    (first,) = await again_and_again(site, 1)
    site.how = replace(site.how, previous=str(first))
    made = await again_and_again(site, 2)

    assert first.exists()
    assert [path.exists() for path in made] == [False, True]


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
