from __future__ import annotations

import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from tests.store.busy import busy_daemon
from tests.store.stories import NOON, held, trouble
from watchdog.ports import JournalBusy, JournalCorrupt, JournalMissing, JournalTooNew
from watchdog.store import SqliteJournal, open_reader


def test_a_reader_sees_what_the_daemon_has_recorded_without_disturbing_it(
    journal: SqliteJournal, state: Path
) -> None:
    before = sorted(file.name for file in state.iterdir())
    with open_reader(state) as reader:
        assert list(reader.read()) == []
        mine = journal.append(trouble(), NOON)
        assert [one.hash for one in reader.read()] == [one.hash for one in mine]
        journal.append([held()], NOON)
        assert [one.entry for one in reader.read(after=3)] == [held()]
        assert reader.verify() == 4
        journal.prune(2, b"snapshot", NOON)
        assert reader.base() == journal.base()
        assert [one.seq for one in reader.read()] == [3, 4]
    now = {file.name for file in state.iterdir()} - {"journal.db-journal"}
    assert now == set(before) - {"journal.db-journal"}


def test_every_look_at_a_journal_that_is_written_to_all_the_time_is_whole(state: Path) -> None:
    looks = busy = 0
    with busy_daemon(state):
        end = time.monotonic() + 2.0
        with open_reader(state) as reader:
            while time.monotonic() < end or looks <= 10:  # however busy this machine is
                try:
                    seen = [one.seq for one in reader.read()]
                except JournalBusy:
                    busy += 1
                    continue
                looks += 1
                assert seen == list(range(seen[0], seen[-1] + 1))
                assert seen[-1] % 3 == 0, "half a batch"
    assert looks > 10
    assert busy <= looks


def test_a_daemon_stopped_in_the_middle_of_anything_does_not_stop_a_reader(state: Path) -> None:
    with busy_daemon(state) as daemon:
        for _ in range(5):
            time.sleep(0.03)
            os.kill(daemon.pid, signal.SIGSTOP)
            with open_reader(state) as reader:
                seen = [one.seq for one in reader.read()]
                assert seen[-1] % 3 == 0
                assert reader.verify() == len(seen)
            os.kill(daemon.pid, signal.SIGCONT)


def test_a_reader_names_what_is_missing_damaged_or_too_new(state: Path, tmp_path: Path) -> None:
    with pytest.raises(JournalMissing, match="slo-watchdog init"):
        open_reader(tmp_path / "nowhere")
    path = state / "journal.db"
    whole = path.read_bytes()
    path.write_bytes(b"garbage " * 1000)
    with pytest.raises(JournalCorrupt):
        open_reader(state)
    path.write_bytes(whole)
    for lost in ("entries", "about"):
        with sqlite3.connect(path) as shell:
            shell.execute(f"DROP TABLE {lost}")
        shell.close()
        with pytest.raises(JournalCorrupt, match=f"it is damaged, .* no such table: {lost}"):
            open_reader(state).verify()
        path.write_bytes(whole)
    with sqlite3.connect(path) as shell:
        shell.execute("UPDATE about SET schema_version = 2")
    shell.close()
    with pytest.raises(JournalTooNew):
        open_reader(state)
