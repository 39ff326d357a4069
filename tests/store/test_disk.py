"""Real small file systems: full, and read-only. Mounting them needs root, as CI has."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.stories import NOON, trouble
from watchdog.core.entries import Entry, StepTaken
from watchdog.ports import JournalBroken, JournalError, JournalFull
from watchdog.store import SqliteHistory, SqliteJournal, open_reader

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="mounts small file systems of its own, which needs root"
)

RESERVE_BYTES = 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 6 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def _fill(disk: Path) -> None:
    filler = os.open(disk / "filler", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        for size in (65536, 4096, 1):
            try:
                while True:
                    os.write(filler, b"x" * size)
            except OSError:
                continue
    finally:
        os.close(filler)


def _long(number: int) -> Entry:
    return StepTaken(f"I{number}", "change", "claimed", "exit status 0", output="o" * 50_000)


def _append_until_full(journal: SqliteJournal) -> int:
    """How many entries of 50 kB went in before the journal refused one."""
    for number in range(100):
        try:
            journal.append([_long(number)], NOON)
        except JournalFull:
            return number
    raise AssertionError("a full disk took 5 MB")


def test_a_full_disk_is_written_to_by_the_reserve_then_refused_then_recovered(disk: Path) -> None:
    state = disk / "state"
    SqliteJournal.create(state, reserve_bytes=RESERVE_BYTES)
    recorded = 0
    with SqliteJournal.open(state, reserve_bytes=RESERVE_BYTES) as journal:
        _fill(disk)
        journal.append(trouble(), NOON)
        recorded += 3
        recorded += _append_until_full(journal)
        assert recorded > 10, "the reserve's megabyte holds many entries"
        assert not journal.reserve_ready
        assert journal.last.seq == recorded
        assert not journal.refill()
        with pytest.raises(JournalFull, match="make room"):
            journal.append([_long(100)], NOON)

        (disk / "filler").unlink()
        assert journal.append(trouble(), NOON)[-1].seq == recorded + 3
        assert (state / "journal.reserve").stat().st_size == RESERVE_BYTES
        assert journal.verify() == recorded + 3
    with SqliteJournal.open(state, reserve_bytes=RESERVE_BYTES) as journal:
        assert journal.verify() == recorded + 3


def test_a_daemon_can_start_on_a_full_disk_and_says_that_there_is_no_reserve(disk: Path) -> None:
    state = disk / "state"
    SqliteJournal.create(state, reserve_bytes=RESERVE_BYTES)
    (state / "journal.reserve").unlink()
    _fill(disk)
    with SqliteJournal.open(state, reserve_bytes=RESERVE_BYTES) as journal:
        assert "no room for the reserve" in journal.notices[0]
        assert not journal.reserve_ready
        with pytest.raises(JournalFull):
            journal.append([_long(1)], NOON)
        (disk / "filler").unlink()
        assert journal.refill()


def test_init_on_a_full_disk_says_so_and_may_be_repeated(disk: Path) -> None:
    _fill(disk)
    with pytest.raises(JournalFull, match="make room"):
        SqliteJournal.create(disk / "state", reserve_bytes=RESERVE_BYTES)
    (disk / "filler").unlink()
    SqliteJournal.create(disk / "state", reserve_bytes=RESERVE_BYTES)
    SqliteJournal.open(disk / "state", reserve_bytes=RESERVE_BYTES).close()


def test_a_read_only_file_system_is_named_and_can_still_be_read(disk: Path) -> None:
    state = disk / "state"
    SqliteJournal.create(state, reserve_bytes=RESERVE_BYTES)
    with SqliteJournal.open(state, reserve_bytes=RESERVE_BYTES) as journal:
        journal.append(trouble(), NOON)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(JournalBroken, match="read-only"):
        SqliteJournal.open(state)
    with pytest.raises(JournalError, match="read-only"):
        SqliteJournal.create(disk / "other")
    with open_reader(state) as reader:
        assert reader.verify() == 3
    history = SqliteHistory.open(state)
    history.save({"window": b"1"})
    assert "Read-only" in history.problem
    assert history.load() == {}
    history.close()


def test_a_history_without_room_is_saved_once_there_is_some(disk: Path) -> None:
    history = SqliteHistory.open(disk)
    history.save({"window": b"old"})
    assert history.problem == ""
    history.save({"window": b"n" * 20_000_000, "other": b"1"})
    assert "full" in history.problem
    assert history.load() == {"window": b"old"}
    history.save({"window": b"new", "other": b"1"})
    assert history.problem == ""
    history.close()
    history = SqliteHistory.open(disk)
    assert history.load() == {"window": b"new", "other": b"1"}
    history.close()
