"""The process dies, or the disk fails, at a system call of an append; then somebody starts anew.

strace kills the victim as it enters the n-th call of one kind, for every n until none is left.
That is the death of a process, not of power: what was handed to the kernel survives.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.store.stories import NOON, opened, trouble
from tests.store.victim import RESERVE_BYTES
from watchdog.ports import JournalMissing
from watchdog.store import SqliteJournal, open_reader

CALLS = (
    "openat",
    "close",
    "pwrite64",
    "write",
    "fsync",
    "fdatasync",
    "ftruncate",
    "fallocate",
    "unlink",
    "rename",
)
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class End:
    """How a victim ended: its own word, nothing where it was killed, and what was acknowledged."""

    word: str
    acknowledged: tuple[int, ...]


class Executioner:
    """Lets victims live on copies of one state folder, under strace."""

    def __init__(self, process: subprocess.Popen[str], room: Path) -> None:
        self._process = process
        self._room = room
        self._state = room / "seed"
        SqliteJournal.create(self._state, reserve_bytes=RESERVE_BYTES)
        with SqliteJournal.open(self._state, reserve_bytes=RESERVE_BYTES) as journal:
            journal.append(trouble(0), NOON)

    def run(self, inject: str, *, story: str = "append", batches: int = 1) -> tuple[End, Path]:
        control, state = self._room / "control", self._room / "state"
        for old in (control, state):
            shutil.rmtree(old, ignore_errors=True)
        control.mkdir()
        if story != "create":
            shutil.copytree(self._state, state)
        order = {"control": str(control), "state": str(state), "story": story, "batches": batches}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        victim = psutil.Process(int(self._process.stdout.readline()))
        call = inject.partition(":")[0]
        arguments = ["-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={inject}"]
        with subprocess.Popen(
            ["strace", *arguments, "-p", str(victim.pid)], stderr=subprocess.PIPE, text=True
        ) as strace:
            assert strace.stderr is not None
            attached = strace.stderr.readline()
            assert "attached" in attached, attached
            (control / "go").touch()
            strace.communicate(timeout=30)
        victim_gone(victim)
        end, acks = control / "end", control / "acks"
        return End(
            end.read_text(encoding="utf-8") if end.exists() else "",
            tuple(int(line) for line in acks.read_text(encoding="utf-8").split()),
        ), state


def victim_gone(victim: psutil.Process) -> None:
    _, alive = psutil.wait_procs([victim], timeout=10)
    assert not alive


@pytest.fixture
def executioner(tmp_path: Path) -> Iterator[Executioner]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.store.victim"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        yield Executioner(process, tmp_path)
        assert process.stdin is not None
        process.stdin.close()


def _nothing_is_lost(state: Path, end: End, *, batches: int) -> None:
    """A reader first, while everything lies as the dead process left it; then a new daemon."""
    with open_reader(state) as reader:
        seen = [one.seq for one in reader.read()]
        retired = (reader.base() or (0,))[0]
    with SqliteJournal.open(state, reserve_bytes=RESERVE_BYTES) as journal:
        assert journal.verify() == len(seen)
        assert seen == list(range(retired + 1, journal.last.seq + 1))
        assert set(end.acknowledged) <= set(range(1, journal.last.seq + 1))
        assert (journal.last.seq - 3) % 3 == 0, "a batch is there whole or not at all"
        assert 3 <= journal.last.seq <= 3 + 3 * batches
        assert retired in {0, 6}
        assert journal.notices == []
        following = journal.last.seq + 1
        assert journal.append([opened()], NOON)[0].seq == following
    SqliteJournal.open(state).close()


def _kill_everywhere(
    executioner: Executioner, story: str, batches: int, every: int = 1
) -> Iterator[tuple[str, End, Path]]:
    for call in CALLS:
        for number in range(1, 1000, every):
            end, state = executioner.run(
                f"{call}:signal=KILL:when={number}", story=story, batches=batches
            )
            if end.word:
                assert end.word == "done", end.word
                break
            yield f"{call} {number}", end, state


def test_a_death_in_an_append_loses_nothing_that_was_acknowledged(
    executioner: Executioner, capsys: pytest.CaptureFixture[str]
) -> None:
    points = 0
    for _, end, state in _kill_everywhere(executioner, "append", 1, every=2):
        _nothing_is_lost(state, end, batches=1)
        points += 1
    with capsys.disabled():
        sys.stdout.write(f"\n{points} deaths in one append survived\n")
    assert points >= 20


@pytest.mark.sim
@pytest.mark.timeout(600)
@pytest.mark.parametrize("story", ["append", "prune"])
def test_a_death_at_any_call_of_three_appends_and_a_pruning_loses_nothing(
    executioner: Executioner, story: str, capsys: pytest.CaptureFixture[str]
) -> None:
    points = 0
    for _, end, state in _kill_everywhere(executioner, story, 3):
        _nothing_is_lost(state, end, batches=3)
        points += 1
    with capsys.disabled():
        sys.stdout.write(f"\n{points} deaths in three appends ({story}) survived\n")
    assert points >= 100


@pytest.mark.sim
@pytest.mark.timeout(300)
def test_a_death_in_init_leaves_a_journal_or_none(
    executioner: Executioner, capsys: pytest.CaptureFixture[str]
) -> None:
    points = 0
    for _, _, state in _kill_everywhere(executioner, "create", 0):
        try:
            SqliteJournal.open(state, reserve_bytes=RESERVE_BYTES).close()
        except JournalMissing:
            SqliteJournal.create(state, reserve_bytes=RESERVE_BYTES)
            SqliteJournal.open(state, reserve_bytes=RESERVE_BYTES).close()
        points += 1
    with capsys.disabled():
        sys.stdout.write(f"\n{points} deaths in init survived\n")
    assert points >= 30


@pytest.mark.parametrize(("call", "times"), [("fsync", 4), ("fdatasync", 8), ("pwrite64", 24)])
def test_a_disk_that_fails_once_ends_the_process_and_keeps_the_record(
    executioner: Executioner, call: str, times: int
) -> None:
    """Behind the last call of its kind, and where SQLite can do without it, all goes well."""
    ends: Counter[str] = Counter()
    for number in range(1, times + 1):
        end, state = executioner.run(f"{call}:error=EIO:when={number}")
        ends[end.word.partition(":")[0]] += 1
        if end.word == "done":
            assert end.acknowledged == (4, 5, 6)
        _nothing_is_lost(state, end, batches=1)
    assert set(ends) <= {"done", "JournalBroken"}
    if call == "fdatasync":
        assert ends["JournalBroken"] >= 4, "rollback journal, file, its header, marker: each synced"
    elif call == "pwrite64":
        assert ends["JournalBroken"] >= 4


def test_a_disk_that_is_full_once_costs_no_entry(executioner: Executioner) -> None:
    for number in range(1, 25):
        end, state = executioner.run(f"pwrite64:error=ENOSPC:when={number}")
        ended_full = end.word.startswith("JournalFull")
        assert ended_full or end.acknowledged == (4, 5, 6), end.word
        _nothing_is_lost(state, end, batches=1)
