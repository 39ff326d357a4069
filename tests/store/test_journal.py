from __future__ import annotations

import dataclasses
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.store.stories import NOON, opened, trouble
from watchdog.ports import (
    JournalBusy,
    JournalCorrupt,
    JournalError,
    JournalMissing,
    JournalTooNew,
)
from watchdog.store import SqliteJournal
from watchdog.store.schema import next_row

HOLDER = """
import sys
from pathlib import Path
from watchdog.store import SqliteJournal
SqliteJournal.open(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def _edit(state: Path, *statements: str) -> None:
    """What somebody with an editor does to the file, without asking the triggers."""
    with sqlite3.connect(state / "journal.db") as shell:
        for name in ("entries_stay", "entries_retire", "entries_follow", "base_moves_on"):
            shell.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            shell.execute(statement)
    shell.close()


def test_entries_may_be_appended_while_others_are_read(journal: SqliteJournal) -> None:
    journal.append(trouble(1), NOON)
    reading = journal.read()
    assert next(iter(reading)).seq == 1
    journal.append(trouble(2), NOON)
    assert journal.last.seq == 6


def test_only_init_creates_a_journal_and_never_over_another(tmp_path: Path) -> None:
    with pytest.raises(JournalMissing, match="slo-watchdog init"):
        SqliteJournal.open(tmp_path / "state")
    assert not (tmp_path / "state").exists()
    SqliteJournal.create(tmp_path / "state")
    with SqliteJournal.open(tmp_path / "state") as journal:
        journal.append([opened()], NOON)
    with pytest.raises(JournalError, match="exists already"):
        SqliteJournal.create(tmp_path / "state")
    with SqliteJournal.open(tmp_path / "state") as journal:
        assert journal.last.seq == 1
    (tmp_path / "state" / "journal.db").unlink()
    with pytest.raises(JournalMissing, match="find out where it went"):
        SqliteJournal.open(tmp_path / "state")


def test_a_creation_that_was_cut_short_may_be_tried_again(tmp_path: Path) -> None:
    state = tmp_path / "state"
    SqliteJournal.create(state)
    (state / "journal.db").rename(state / "journal.db.new")
    with pytest.raises(JournalMissing):
        SqliteJournal.open(state)
    SqliteJournal.create(state)
    SqliteJournal.open(state).close()


def test_the_files_are_their_owners_alone(state: Path) -> None:
    with SqliteJournal.open(state) as journal:
        journal.append([opened()], NOON)
        assert stat.S_IMODE(state.stat().st_mode) == 0o700
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in state.iterdir()}
    assert modes.pop("journal.db-journal") == 0o600
    assert modes == dict.fromkeys(("journal.db", "journal.mark", "journal.reserve", "lock"), 0o600)


def test_a_folder_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(JournalError, match="chmod 700"):
        SqliteJournal.create(tmp_path)


def test_the_reserve_is_really_allocated(tmp_path: Path) -> None:
    SqliteJournal.create(tmp_path / "state")
    reserve = (tmp_path / "state" / "journal.reserve").stat()
    assert reserve.st_size == 4 * 1024 * 1024
    assert reserve.st_blocks * 512 >= reserve.st_size


def test_a_second_daemon_is_told_who_holds_the_folder(state: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(state)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(JournalBusy, match=f"process {holder.pid}"):
            SqliteJournal.open(state)
        with pytest.raises(JournalBusy):
            SqliteJournal.create(state)
        holder.stdin.close()
    SqliteJournal.open(state).close()


def test_no_shell_can_keep_the_daemon_from_recording(journal: SqliteJournal, state: Path) -> None:
    shell = sqlite3.connect(state / "journal.db", timeout=0.1)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        shell.execute("SELECT * FROM entries").fetchall()
    shell.close()
    assert journal.append([opened()], NOON)[0].seq == 1


def test_a_shell_that_came_first_is_named_as_the_obstacle(state: Path) -> None:
    shell = sqlite3.connect(state / "journal.db", isolation_level=None)
    shell.execute("BEGIN")
    shell.execute("SELECT * FROM entries").fetchall()
    with pytest.raises(JournalBusy, match="another program"):
        SqliteJournal.open(state)
    shell.close()
    SqliteJournal.open(state).close()


@pytest.mark.parametrize(
    ("statement", "law"),
    [
        ("UPDATE entries SET body = '{}' WHERE seq = 2", "append-only"),
        ("DELETE FROM entries WHERE seq = 3", "append-only"),
        ("DELETE FROM entries", "append-only"),
        ("INSERT INTO entries VALUES (9, 1, 1, 'k', '{}', '', '')", "follows"),
        ("INSERT OR REPLACE INTO entries VALUES (2, 1, 1, 'k', '{}', '', '')", "follows"),
        ("UPDATE base SET seq = 3, hash = 'x'", "moves on"),
        ("DELETE FROM base", "stays"),
    ],
)
def test_the_file_itself_refuses_what_breaks_the_law(state: Path, statement: str, law: str) -> None:
    with SqliteJournal.open(state) as journal:
        journal.append(trouble(), NOON)
    shell = sqlite3.connect(state / "journal.db")
    with pytest.raises(sqlite3.IntegrityError, match=law):
        shell.execute(statement)
    shell.close()


def test_a_damaged_file_is_reported_and_left_as_it_is(state: Path) -> None:
    with SqliteJournal.open(state) as journal:
        journal.append(trouble(), NOON)
    path = state / "journal.db"
    whole = path.read_bytes()
    for damaged in (b"not a database " * 500, whole[:5000], whole[:100], whole[:1], b""):
        path.write_bytes(damaged)
        with pytest.raises(JournalCorrupt, match="backup"):
            SqliteJournal.open(state)
        assert path.read_bytes() == damaged


def test_a_newer_schema_is_refused(state: Path) -> None:
    _edit(state, "UPDATE about SET schema_version = 2")
    with pytest.raises(JournalTooNew, match="schema version 2"):
        SqliteJournal.open(state)


def test_an_entry_of_a_newer_program_is_named_and_refused(state: Path) -> None:
    with SqliteJournal.open(state) as journal:
        newer = next_row(journal.last, NOON, "orbit.changed", '{"kind":"orbit.changed"}')
    _edit(state)
    with sqlite3.connect(state / "journal.db") as shell:
        shell.execute("INSERT INTO entries VALUES (?,?,?,?,?,?,?)", dataclasses.astuple(newer))
    shell.close()
    with SqliteJournal.open(state) as journal:
        assert journal.last.seq == 1, "the chain holds: it was truly written"
        with pytest.raises(JournalTooNew, match=r"entry 1 \(orbit.changed\)"):
            list(journal.read())


def test_a_journal_from_an_old_backup_is_refused_until_a_person_accepts_it(state: Path) -> None:
    with SqliteJournal.open(state) as journal:
        journal.append(trouble(1), NOON)
    backup = (state / "journal.db").read_bytes()
    with SqliteJournal.open(state) as journal:
        journal.append(trouble(2), NOON)
    (state / "journal.db").write_bytes(backup)
    with pytest.raises(JournalCorrupt, match=r"ends with entry 3, but entry 6 .*journal\.mark"):
        SqliteJournal.open(state)
    (state / "journal.mark").unlink()
    with SqliteJournal.open(state) as journal:
        assert journal.last.seq == 3
        assert "made anew" in journal.notices[0]
        journal.append(trouble(2), NOON)
    with SqliteJournal.open(state) as journal:
        assert journal.notices == []


def test_another_journal_of_the_same_length_is_not_taken_for_ours(
    state: Path, tmp_path: Path
) -> None:
    SqliteJournal.create(tmp_path / "other")
    for folder in (state, tmp_path / "other"):
        with SqliteJournal.open(folder) as journal:
            journal.append(trouble(), NOON)
    shutil.copy(tmp_path / "other" / "journal.db", state / "journal.db")
    with pytest.raises(JournalCorrupt, match="another journal"):
        SqliteJournal.open(state)


def test_a_marker_with_one_torn_slot_still_counts_and_with_two_is_refused(state: Path) -> None:
    with SqliteJournal.open(state) as journal:
        journal.append([opened(1)], NOON)
        journal.append([opened(2)], NOON)
    mark = state / "journal.mark"
    whole = mark.read_bytes()
    assert len(whole) == 1024
    for slot in (0, 512):
        mark.write_bytes(whole[:slot] + b"\0" * 100 + whole[slot + 100 :])
        SqliteJournal.open(state).close()
        mark.write_bytes(whole)
    mark.write_bytes(b"\0" * 1024)
    with pytest.raises(JournalCorrupt, match=r"journal\.mark is damaged"):
        SqliteJournal.open(state)


def test_a_snapshot_that_was_tampered_with_stops_the_start(state: Path) -> None:
    with SqliteJournal.open(state) as journal:
        journal.append(trouble(), NOON)
        journal.prune(2, b"snapshot", NOON)
    _edit(state, "UPDATE base SET snapshot = x'00'")
    with pytest.raises(JournalCorrupt, match="base at entry 2"):
        SqliteJournal.open(state)
