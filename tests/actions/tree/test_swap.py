"""A bad release goes, the one before it comes back: at once, once, and with nothing lost."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.actions.tree.site import MARKER, Site, release, tree
from watchdog.core.words import Truth
from watchdog.ports import Attempted


async def test_the_release_before_is_live_and_the_bad_one_is_the_backup(site: Site) -> None:
    bad, good = tree(site.live), tree(site.previous, "por.json")
    ready = await site.is_ready()
    done = await site.swap()

    assert done.result is Attempted.CLAIMED
    assert tree(site.live, "por.json") == good
    (backup,) = site.backups()
    assert re.fullmatch(r"mainnet-backup-\d{8}-\d{6}", backup.name)
    assert tree(backup) == bad
    assert tree(site.previous, "por.json") == good
    assert ready.anchor is not None
    assert dict(done.facts) == {
        "generation": site.facts["generation"],
        "digest": ready.anchor.digest,
        "displaced": str(backup),
        "displaced_generation": f"before-{site.facts['generation']}",
        "present_build": site.facts["present_build"],
        "proven": "yes",
    }
    assert '"key": "intent-1"' in (backup / MARKER).read_text()


async def test_a_repeat_finds_it_done_and_repeats_nothing(site: Site) -> None:
    await site.is_ready()
    first, second = await site.swap(), await site.swap()

    assert second.result is Attempted.CLAIMED
    assert second.reason.startswith("swapped already")
    assert second.facts == first.facts
    assert site.build == "41"
    assert len(site.backups()) == 1


async def test_undo_puts_the_very_tree_back_and_its_successor_waits_again(site: Site) -> None:
    bad = tree(site.live)
    await site.rolled_back()
    undone, again = await site.undo(), await site.undo()

    assert undone.result is again.result is Attempted.CLAIMED
    assert again.reason.startswith("swapped back already")
    assert ("proven", "yes") in undone.facts
    assert tree(site.live) == bad
    assert site.backups() == []
    assert [folder.name for folder in site.staged()] == [f"staged-{site.facts['generation']}"]


async def test_what_was_undone_can_be_rolled_back_again(site: Site) -> None:
    await site.rolled_back()
    await site.undo()
    await site.rolled_back("intent-3")

    assert site.build == "41"
    assert len(site.backups()) == 1


async def test_an_undo_that_brings_back_something_else_is_itself_put_back(site: Site) -> None:
    """Somebody wrote into the backup meanwhile: what the rollback had put there stands again."""
    await site.rolled_back()
    (backup,) = site.backups()
    (backup / "conf" / "app.json").write_text('{"release": 99}')
    # What the decision of back then was about is long overtaken; that is none of this.
    (site.previous / "BUILD").write_text("43\n")
    undone = await site.undo()

    assert undone.result is Attempted.UNKNOWN
    assert dict(undone.facts)["proven"].startswith("no")
    assert site.build == "42"
    put_back = await site.attempt(site.how, "intent-2")
    assert put_back.result is Attempted.CLAIMED, put_back.reason
    assert site.build == "41"


async def test_an_undo_that_knows_only_the_generation_finds_what_was_displaced(site: Site) -> None:
    await site.is_ready()
    known = dict(site.facts)
    await site.swap()
    site.facts = known
    undone = await site.undo()

    assert undone.result is Attempted.CLAIMED
    assert site.build == "42"


async def test_an_undo_of_what_never_happened_changes_nothing(site: Site) -> None:
    await site.is_ready()
    undone = await site.undo()

    assert undone.result is Attempted.CLAIMED
    assert "nothing to undo" in undone.reason
    assert site.build == "42"
    assert len(site.staged()) == 1


async def test_a_release_deployed_since_then_is_never_undone_over(site: Site) -> None:
    await site.rolled_back()
    site.live.rename(site.folder / "put-away")
    release(site.live, 43)
    undone = await site.undo()

    assert undone.result is Attempted.CONFLICT
    assert site.build == "43"


async def test_a_swap_that_nobody_staged_is_none_that_was_decided_for(site: Site) -> None:
    await site.is_ready()
    site.facts["generation"] = "0" * 32
    done = await site.swap()

    assert done.result is Attempted.CONFLICT
    assert "is staged, and the live one has no generation" in done.reason
    assert site.build == "42"


def deployed(site: Site) -> None:
    """The team's pipeline: what was live is what comes before, and another release is live."""
    shutil.rmtree(site.previous)
    shutil.copytree(site.live, site.previous)
    release(site.live, 43)


def touched(site: Site) -> None:
    (site.previous / "added.json").write_text("{}")


def told_otherwise(site: Site) -> None:
    """In its very file, as a copy over it does."""
    (site.previous / "BUILD").write_text("40\n")


def moved_in(site: Site) -> None:
    """The same release by its number, in another folder."""
    site.live.rename(site.folder / "put-away")
    shutil.copytree(site.folder / "put-away", site.live)


@pytest.mark.parametrize(
    ("happens", "says"),
    [
        (deployed, "build of .* is 43 by now, and not 42"),
        (touched, "mainnet-previous was written to since its copy was made"),
        (told_otherwise, "build of .*mainnet-previous is 40 by now, and not 41"),
        (lambda site: shutil.rmtree(site.previous), "mainnet-previous is being changed, or gone"),
        (moved_in, "mainnet is another folder by now"),
    ],
)
async def test_what_is_not_as_it_was_decided_for_is_not_exchanged(
    site: Site, happens: Callable[[Site], None], says: str
) -> None:
    await site.is_ready()
    happens(site)
    before = tree(site.live)
    done = await site.swap()

    assert done.result is Attempted.CONFLICT
    assert re.search(says, done.reason)
    assert tree(site.live) == before
    assert site.backups() == []


async def test_a_swap_that_was_done_is_finished_whatever_happens_to_previous_meanwhile(
    site: Site,
) -> None:
    await site.is_ready()
    await site.swap()
    touched(site)
    done = await site.swap()

    assert done.result is Attempted.CLAIMED
    assert done.reason.startswith("swapped already")


async def test_what_is_written_deep_into_previous_meanwhile_is_not_in_the_copy_that_is_live_then(
    site: Site,
) -> None:
    await site.is_ready()
    (site.previous / "conf" / "app.json").write_text('{"release": 40}')

    assert (await site.swap()).result is Attempted.CLAIMED
    assert (site.live / "conf" / "app.json").read_text() == '{"release": 41}'


async def test_what_the_live_folder_is_written_into_all_day_keeps_nobody_from_it(
    site: Site,
) -> None:
    await site.is_ready()
    (site.live / "service.log").write_text("a request\n")

    assert (await site.swap()).result is Attempted.CLAIMED


async def test_a_live_folder_that_is_gone_is_not_made_by_a_swap(site: Site) -> None:
    await site.is_ready()
    site.live.rename(site.folder / "put-away")
    done = await site.swap()

    assert done.result is Attempted.REFUSED
    assert "is missing" in done.reason
    assert not site.live.exists()


@pytest.mark.parametrize("named", ["", "../../etc", "before-x"])
async def test_a_generation_is_one_or_it_is_refused(site: Site, named: str) -> None:
    await site.is_ready()
    site.facts["generation"] = named

    assert (await site.swap()).result is Attempted.REFUSED
    assert site.build == "42"


async def test_another_content_than_was_decided_on_is_not_swapped_in(site: Site) -> None:
    await site.is_ready()
    site.facts["digest"] = "f" * 64

    assert (await site.swap()).result is Attempted.CONFLICT
    assert site.build == "42"


async def test_a_live_tree_that_claims_a_staged_generation_is_not_believed(site: Site) -> None:
    """Somebody copied a tree with its marker, and changed the copy."""
    await site.is_ready()
    (staged,) = site.staged()
    (site.live / MARKER).write_bytes((staged / MARKER).read_bytes())
    done = await site.swap()

    assert done.result is Attempted.REFUSED
    assert "both say" in done.reason
    await site.is_ready()  # stages it anew, under a generation of its own
    assert (await site.swap()).result is Attempted.CLAIMED
    assert site.build == "41"


async def test_whether_it_stands_is_told_without_changing_anything(site: Site) -> None:
    await site.is_ready()
    assert await site.stands() is Truth.FALSE
    await site.swap()
    assert await site.stands() is Truth.TRUE
    assert await site.stands(site.back) is Truth.FALSE
    await site.undo()
    assert await site.stands(site.back) is Truth.TRUE
    assert await site.stands() is Truth.FALSE
    site.facts["generation"] = "0" * 32
    assert await site.stands() is Truth.UNKNOWN


async def test_contents_that_are_not_as_proven_are_told_with_the_first_difference(
    site: Site,
) -> None:
    """Something changed the staged copy after it was proven."""
    await site.is_ready()
    (staged,) = site.staged()
    (staged / "conf" / "app.json").write_text('{"release": 99}')
    done = await site.swap()

    assert done.result is Attempted.UNKNOWN
    assert "conf/app.json differs in sha256" in done.reason
    assert dict(done.facts)["proven"] == "no: conf/app.json differs in sha256"
    assert site.build == "41"  # it was swapped: whoever reads this undoes it
    assert (await site.undo()).result is Attempted.CLAIMED
    assert site.build == "42"


async def test_a_file_too_many_in_the_live_tree_is_a_difference(site: Site) -> None:
    await site.is_ready()
    (staged,) = site.staged()
    (staged / "left-over.txt").write_text("")

    assert dict((await site.swap()).facts)["proven"] == "no: left-over.txt is extra"


# -- files that stay live --------------------------------------------------------------------------


async def test_a_live_file_stays_as_it_is_across_swap_and_undo(site: Site) -> None:
    await site.is_ready()
    (site.live / "por.json").write_text("attested a minute ago")  # after preflight
    (site.live / "por.json").chmod(0o640)
    await site.swap()
    assert (site.live / "por.json").read_text() == "attested a minute ago"
    assert (site.live / "por.json").stat().st_mode & 0o777 == 0o640

    (site.live / "por.json").write_text("attested right now")
    await site.undo()
    assert (site.live / "por.json").read_text() == "attested right now"


async def test_where_the_live_tree_has_no_such_file_the_one_before_comes(site: Site) -> None:
    (site.live / "por.json").unlink()
    await site.is_ready()
    await site.swap()

    assert (site.live / "por.json").read_text() == "attested last week"


async def test_where_the_tree_before_has_no_such_file_the_live_one_stays(site: Site) -> None:
    (site.previous / "por.json").unlink()
    await site.is_ready()
    done = await site.swap()

    assert ("proven", "yes") in done.facts
    assert (site.live / "por.json").read_text() == "attested at noon"


async def test_a_link_in_place_of_a_live_file_leads_nobody_astray(site: Site) -> None:
    secret = site.folder / "secret"
    secret.write_text("not for readers of the site")
    (site.live / "por.json").unlink()
    (site.live / "por.json").symlink_to(secret)
    await site.is_ready()
    await site.swap()

    assert (site.live / "por.json").read_text() == "attested last week"
    assert not (site.live / "por.json").is_symlink()


async def test_what_was_written_between_copy_and_exchange_is_carried_over(site: Site) -> None:
    """Told by hand: the swap was cut off right after the exchange, and the old tree is newer."""
    await site.is_ready()
    (staged,) = site.staged()
    (site.live / "por.json").write_text("written in the last instant")
    staged.rename(site.folder / "in-between")
    site.live.rename(staged)
    (site.folder / "in-between").rename(site.live)
    os.utime(site.live / "por.json", ns=(0, 0))
    done = await site.swap()

    assert done.result is Attempted.CLAIMED
    assert done.reason.startswith("swapped already")
    assert (site.live / "por.json").read_text() == "written in the last instant"
    assert len(site.backups()) == 1


# -- readers ---------------------------------------------------------------------------------------


async def test_a_reader_who_holds_the_folder_open_reads_one_release_to_its_end(site: Site) -> None:
    await site.is_ready()
    held = os.open(site.live, os.O_RDONLY | os.O_DIRECTORY)
    try:
        await site.swap()
        file = os.open("conf/app.json", os.O_RDONLY, dir_fd=held)
        assert os.read(file, 100) == b'{"release": 42}'
        os.close(file)
    finally:
        os.close(held)
    assert (site.live / "conf" / "app.json").read_text() == '{"release": 41}'


async def test_an_empty_live_folder_is_swapped_as_well(site: Site) -> None:
    for path in sorted(site.live.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    await site.rolled_back()

    assert site.build == "41"


async def test_a_live_tree_with_a_pipe_in_it_is_displaced_and_has_no_digest(site: Site) -> None:
    os.mkfifo(site.live / "queue")
    learned = await site.rolled_back()

    assert site.build == "41"
    assert "displaced_digest" not in learned
    assert (Path(learned["displaced"]) / "queue").is_fifo()


async def test_one_live_folder_may_have_several_to_go_back_to(site: Site) -> None:
    release(site.folder / "golden", 7)
    golden = replace(site.how, previous=str(site.folder / "golden"))
    first, previous = (await site.is_ready()).anchor, site.how
    site.how = golden
    second = (await site.is_ready()).anchor
    site.how = previous
    again = (await site.is_ready()).anchor

    assert first == again
    assert second is not None
    assert second.digest != first.digest if first else False
    assert len(site.staged()) == 2
    site.how = golden
    await site.rolled_back()
    assert site.build == "7"
