from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from watchdog.ports import History
from watchdog.store import SqliteHistory
from watchdog.store.pieces import PIECE_BYTES


@pytest.fixture
def history(tmp_path: Path) -> Iterator[SqliteHistory]:
    opened = SqliteHistory.open(tmp_path)
    yield opened
    opened.close()


def _again(history: SqliteHistory, folder: Path) -> dict[str, bytes]:
    """What a new process finds."""
    history.close()
    after = SqliteHistory.open(folder)
    try:
        assert after.notices == []
        return dict(after.load())
    finally:
        after.close()


def test_what_was_saved_is_there_after_a_restart(history: SqliteHistory, tmp_path: Path) -> None:
    port: History = history
    port.save({"empty": b"", "one": b"1", "piece": b"p" * PIECE_BYTES, "big": os.urandom(150_000)})
    saved = port.load()
    port.save({"one": b"2"})
    assert _again(history, tmp_path) == {**saved, "one": b"2"}
    assert stat.S_IMODE((tmp_path / "history.db").stat().st_mode) == 0o600


def test_values_may_change_grow_and_shrink(history: SqliteHistory, tmp_path: Path) -> None:
    value = bytearray(os.urandom(5 * PIECE_BYTES))
    history.save({"window": bytes(value)})
    value[3 * PIECE_BYTES] ^= 1
    history.save({"window": bytes(value)})
    assert history.load() == {"window": bytes(value)}
    value += os.urandom(2 * PIECE_BYTES + 1)
    history.save({"window": bytes(value)})
    assert history.load() == {"window": bytes(value)}
    del value[PIECE_BYTES + 7 :]
    history.save({"window": bytes(value)})
    assert _again(history, tmp_path) == {"window": bytes(value)}


def test_a_process_that_did_not_load_first_replaces_the_whole_value(
    history: SqliteHistory, tmp_path: Path
) -> None:
    history.save({"window": os.urandom(5 * PIECE_BYTES)})
    history.close()
    after = SqliteHistory.open(tmp_path)
    after.save({"window": b"short"})
    assert _again(after, tmp_path) == {"window": b"short"}


def test_what_has_not_changed_is_not_written(history: SqliteHistory, tmp_path: Path) -> None:
    values = {f"window-{number}": bytearray(os.urandom(150_000)) for number in range(20)}
    history.save({key: bytes(value) for key, value in values.items()})
    path = tmp_path / "history.db"
    before = path.stat().st_mtime_ns
    history.save({key: bytes(value) for key, value in values.items()})
    assert path.stat().st_mtime_ns == before

    written = _bytes_written()
    for value in values.values():
        value[70_000] ^= 1
    history.save({key: bytes(value) for key, value in values.items()})
    assert path.stat().st_mtime_ns > before
    assert _bytes_written() - written < 20 * 150_000 / 3, "one piece of each, and SQLite's own"
    assert history.load() == values


def _bytes_written() -> int:
    for line in Path("/proc/self/io").read_text(encoding="ascii").splitlines():
        name, _, number = line.partition(": ")
        if name == "wchar":
            return int(number)
    raise AssertionError("the kernel does not count")


def test_what_is_dropped_is_gone(history: SqliteHistory, tmp_path: Path) -> None:
    history.save({"a": b"1", "b": b"2"})
    history.drop(["a", "unknown"])
    history.drop([])
    assert history.load() == {"b": b"2"}
    history.save({"a": b"1"})
    assert _again(history, tmp_path) == {"a": b"1", "b": b"2"}


@pytest.mark.parametrize(
    "damaged", [b"not a database " * 500, b"SQLite format 3\0" + b"\xff" * 9000]
)
def test_a_damaged_file_is_moved_aside_and_begun_anew(tmp_path: Path, damaged: bytes) -> None:
    (tmp_path / "history.db").write_bytes(damaged)
    history = SqliteHistory.open(tmp_path)
    assert (tmp_path / "history.db.damaged").read_bytes() == damaged
    assert "begun anew" in history.notices[0]
    assert history.load() == {}
    history.save({"window": b"1"})
    assert history.problem == ""
    assert _again(history, tmp_path) == {"window": b"1"}


def test_a_file_damaged_in_the_middle_is_never_believed(tmp_path: Path) -> None:
    history = SqliteHistory.open(tmp_path)
    history.save({f"window-{number}": os.urandom(50_000) for number in range(20)})
    history.close()
    path = tmp_path / "history.db"
    whole = path.read_bytes()
    for at in range(4096, len(whole), len(whole) // 12):
        path.write_bytes(whole[:at] + b"\xaa" * 700 + whole[at + 700 :])
        after = SqliteHistory.open(tmp_path)
        after.load()
        assert after.notices, f"damage at byte {at} went unnoticed"
        after.save({"window": b"1"})
        after.save({"window": b"1"})
        assert after.problem == ""
        assert after.load()["window"] == b"1"
        after.close()


def test_another_version_is_moved_aside(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "history.db") as shell:
        shell.execute("PRAGMA user_version = 99")
    shell.close()
    history = SqliteHistory.open(tmp_path)
    assert "version 99" in history.notices[0]
    history.save({"window": b"1"})
    assert history.load() == {"window": b"1"}
    history.close()


def test_a_history_somebody_else_holds_is_done_without(
    history: SqliteHistory, tmp_path: Path
) -> None:
    history.save({"window": b"1"})
    second = SqliteHistory.open(tmp_path)
    assert "locked" in second.problem
    assert second.load() == {}
    history.close()
    assert second.load() == {"window": b"1"}
    second.close()
