"""A backup made beside a daemon that records, and put back as docs/journal.md says."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.store.busy import busy_daemon
from tests.store.stories import NOON, held, trouble
from watchdog.ports import JournalCorrupt, JournalError
from watchdog.store import SqliteJournal, back_up, open_reader


def test_a_backup_beside_a_daemon_that_records_is_one_whole_state(
    state: Path, tmp_path: Path
) -> None:
    with busy_daemon(state):
        made = [back_up(state, tmp_path / f"copy-{number}") for number in range(5)]
    assert [one.seq for one in made] == sorted(one.seq for one in made)
    assert made[-1].seq > made[0].seq
    for one in made:
        assert one.seq % 3 == 0, "half a batch"
        assert [path.name for path in one.file.parent.iterdir()] == ["journal.db"]
        assert stat.S_IMODE(one.file.stat().st_mode) == 0o600
        with open_reader(one.file.parent) as copy:
            assert copy.verify() == one.entries
            assert [last.hash for last in copy.read(one.seq - 1)] == [one.hash]
    with SqliteJournal.open(made[0].file.parent) as journal:
        assert journal.last.seq == made[0].seq
        (mine,) = journal.append([held()], NOON)
        assert mine.seq == made[0].seq + 1


def test_a_backup_of_a_journal_that_a_dead_daemon_left_half_written(
    state: Path, tmp_path: Path
) -> None:
    with busy_daemon(state) as daemon:
        daemon.kill()
        daemon.wait()
    made = back_up(state, tmp_path / "copy")
    assert made.seq % 3 == 0
    assert made.entries > 0


def test_an_old_backup_is_refused_until_a_person_accepts_what_it_forgot(
    state: Path, tmp_path: Path
) -> None:
    with SqliteJournal.open(state, reserve_bytes=4096) as journal:
        journal.append(trouble(), NOON)
        made = back_up(state, tmp_path / "copy")
        journal.append([held()], NOON)
    assert made.seq == 3
    shutil.copyfile(made.file, state / "journal.db")
    with pytest.raises(JournalCorrupt, match="backup"):
        SqliteJournal.open(state)
    (state / "journal.mark").unlink()
    with SqliteJournal.open(state, reserve_bytes=4096) as journal:
        assert (journal.last.seq, journal.last.hash) == (made.seq, made.hash)
        assert journal.notices


def test_an_empty_journal_and_an_old_base_are_backed_up_as_well(
    state: Path, tmp_path: Path
) -> None:
    assert (back_up(state, tmp_path / "empty").seq, (tmp_path / "empty").is_dir()) == (0, True)
    with SqliteJournal.open(state, reserve_bytes=4096) as journal:
        last = journal.append(trouble(), NOON)[-1]
        journal.prune(last.seq, b"what they led to", NOON)
    made = back_up(state, tmp_path / "pruned")
    assert (made.entries, made.seq, made.hash) == (0, last.seq, last.hash)


def test_what_cannot_be_backed_up_leaves_nothing(state: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    with pytest.raises(JournalError, match="there cannot be made: File exists"):
        back_up(state, there)
    with pytest.raises(JournalError, match="does not exist"):
        back_up(tmp_path / "nowhere", tmp_path / "new")
    with SqliteJournal.open(state, reserve_bytes=4096) as journal:
        journal.append(trouble(), NOON)
    sound = (state / "journal.db").read_bytes()
    (state / "journal.db").write_bytes(sound.replace(b'"rule":', b'"ruin":', 1))
    with pytest.raises(JournalCorrupt):
        back_up(state, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_journal_whose_base_was_wiped_out_is_said_to_be_damaged(
    state: Path, tmp_path: Path
) -> None:
    with SqliteJournal.open(state, reserve_bytes=4096) as journal:
        journal.append(trouble(), NOON)
    wiped = bytearray((state / "journal.db").read_bytes())
    wiped[-200:-100] = b"\0" * 100
    (state / "journal.db").write_bytes(wiped)
    with pytest.raises(JournalCorrupt, match="its base is damaged"):
        back_up(state, tmp_path / "new")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system, which needs root")
def test_a_full_disk_is_said_and_leaves_nothing(state: Path, tmp_path: Path) -> None:
    with SqliteJournal.open(state, reserve_bytes=4096) as journal:
        for number in range(40):
            journal.append(trouble(number), NOON)
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(small)]
    subprocess.run(mount, check=True)
    try:
        with pytest.raises(JournalError, match="full"):
            back_up(state, small / "copy")
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)
