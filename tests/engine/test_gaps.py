"""A time in which nobody watched is on the record before anything is judged by what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.core.decisions.watch import a_policy
from watchdog.clock import Kernel, SystemClock
from watchdog.core.book import Book
from watchdog.core.entries import RuleCleared, Slept
from watchdog.core.evaluation import Evaluation
from watchdog.core.inputs import Facts
from watchdog.core.memory import Memory
from watchdog.core.words import Mode
from watchdog.engine.passes import Passes
from watchdog.engine.recorder import Recorder
from watchdog.store import SqliteJournal

FROZEN_SECONDS = 300.0
RULE = "errors"


@dataclass
class Daemon:
    """Its passes over one rule that was once clear; it may cease to lead, and stand still."""

    journal: SqliteJournal
    up: float = 1000.0
    leads: bool = True
    recorder: Recorder = field(init=False)
    passes: Passes = field(init=False)

    def __post_init__(self) -> None:
        clock = SystemClock(Kernel("a boot", time.time, lambda: self.up))
        self.recorder, memory = Recorder(self.journal, Book(), clock), Memory()
        self.recorder.leads = lambda: self.leads
        memory.adopt(a_policy())
        facts = Facts("sandbox", "here", Mode.ARMED)
        self.passes = Passes(self.recorder, Evaluation(memory, lambda: facts))
        self.ticks(1.0)
        draft = self.recorder.draft()
        draft.add(RuleCleared(RULE))
        self.recorder.commit(draft)

    def ticks(self, after_seconds: float) -> None:
        self.up += after_seconds
        self.passes.on_tick(a_policy())

    @property
    def gaps(self) -> list[float]:
        return [one.entry.seconds for one in self.journal.read() if isinstance(one.entry, Slept)]

    @property
    def is_clear(self) -> bool:
        return RULE in self.recorder.book.cleared


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    SqliteJournal.create(tmp_path / "state")
    with closing(SqliteJournal.open(tmp_path / "state")) as journal:
        yield Daemon(journal)


def test_who_stood_still_beyond_its_lease_and_leads_on_says_so_first(daemon: Daemon) -> None:
    """Nobody else led meanwhile: what is breached by now began unseen."""
    daemon.leads = False  # as it finds out when it wakes
    daemon.ticks(FROZEN_SECONDS)
    daemon.ticks(1.0)
    assert (daemon.gaps, daemon.is_clear) == ([], True)

    daemon.leads = True  # in the same epoch
    daemon.ticks(1.0)
    assert (daemon.gaps, daemon.is_clear) == ([FROZEN_SECONDS], False)
    daemon.ticks(1.0)
    assert daemon.gaps == [FROZEN_SECONDS]


def test_who_has_just_woken_has_not_watched(daemon: Daemon) -> None:
    """It may come to lead before its first pass."""
    now = daemon.recorder.clock.now
    daemon.ticks(1.0)
    assert daemon.passes.watched_seconds(now()) == 1.0
    daemon.up += FROZEN_SECONDS
    assert daemon.passes.watched_seconds(now()) == 0.0
    daemon.ticks(0.0)
    daemon.ticks(2.0)
    assert daemon.passes.watched_seconds(now()) == 2.0


def test_who_stood_still_while_another_led_has_missed_nothing(daemon: Daemon) -> None:
    daemon.leads = False
    daemon.ticks(FROZEN_SECONDS)
    daemon.passes.others_watched()
    daemon.leads = True
    daemon.ticks(1.0)
    assert (daemon.gaps, daemon.is_clear) == ([], True)
