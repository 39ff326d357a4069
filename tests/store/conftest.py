from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from watchdog.store import SqliteJournal


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder with an empty journal."""
    folder = tmp_path / "state"
    SqliteJournal.create(folder, reserve_bytes=64 * 1024)
    return folder


@pytest.fixture
def journal(state: Path) -> Iterator[SqliteJournal]:
    with SqliteJournal.open(state, reserve_bytes=64 * 1024) as opened:
        yield opened
