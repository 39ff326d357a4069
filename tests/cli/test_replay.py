"""`replay`: the record decides again, and a record that was forged is found out."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import Ended, here
from tests.core.decisions.watch import HEALTHY, Watch, a_policy
from watchdog.core import entries as e
from watchdog.core.words import Instant, Truth
from watchdog.store import SqliteJournal


def written(folder: Path, entries: list[tuple[Instant, e.Entry]]) -> Path:
    """A state folder whose journal holds these."""
    SqliteJournal.create(folder)
    with SqliteJournal.open(folder, reserve_bytes=4096) as journal:
        for at, entry in entries:
            journal.append([entry], at)
    return folder


@pytest.fixture(scope="module")
def day() -> Watch:
    """A rollback, its refusal by the cooldown afterwards, and quiet."""
    watch = Watch(a_policy())
    watch.break_it()
    watch.end()
    watch.look(Truth.TRUE, Truth.TRUE)
    watch.undo(watch.episode)
    watch.run(30, HEALTHY)
    watch.break_it()
    return watch


def replayed(folder: Path, *arguments: str) -> Ended:
    return here("replay", *arguments, "--journal", str(folder), socket=folder / "none")


def test_every_decision_of_a_day_is_made_again_the_same(day: Watch, tmp_path: Path) -> None:
    state = written(tmp_path / "state", day.journal)
    ended = replayed(state, "--all")
    assert ended.status == 0, ended.err
    assert ended.out.startswith(f"identical: {len(day.decisions)} decisions")
    lines = replayed(state, "--all", "--json").out.splitlines()
    assert [json.loads(line)["identical"] for line in lines] == [True] * len(day.decisions)
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(state / "journal.db", copy)
    ended = replayed(copy / "journal.db", "D1")
    assert ended.status == 0
    assert "D1" in ended.out
    assert "identical" in ended.out
    assert "its verdict: judged again" in ended.out


def test_what_differs_is_said_exactly_and_ends_in_another_status(
    day: Watch, tmp_path: Path
) -> None:
    forged = [
        (at, _forged(entry) if isinstance(entry, e.Decided) else entry) for at, entry in day.journal
    ]
    state = written(tmp_path / "state", forged)
    ended = replayed(state, "D1", "--json")
    assert ended.status == 1
    told = ended.json
    assert not told["identical"]
    assert "verdict, value: recorded 0.06, now 0.5" in told["differs"]
    assert any("budget: spent" in line for line in told["differs"])
    assert replayed(state, "--all").out.count("DIFFERS") == len(day.decisions)


def _forged(decided: e.Decided) -> e.Decided:
    assert decided.verdict is not None
    verdict = replace(decided.verdict, value=0.06)
    return replace(decided, verdict=verdict, inputs={**decided.inputs, "budget_used": 99})


def test_what_cannot_be_found_or_read_is_said(day: Watch, tmp_path: Path) -> None:
    state = written(tmp_path / "state", day.journal)
    assert replayed(state).status == 2
    assert replayed(state, "D1", "--all").status == 2
    ended = replayed(state, "D99")
    assert ended.status == 4
    assert "there is no decision D99" in ended.err
    strange = tmp_path / "backup.db"
    strange.write_bytes(b"\0" * 100)
    assert "is read when it is called journal.db" in replayed(strange, "D1").err
    ended = replayed(tmp_path / "nowhere", "D1")
    assert ended.status == 1
    assert "Traceback" not in ended.err


def test_a_decision_of_another_programs_gates_is_no_match(day: Watch, tmp_path: Path) -> None:
    def older(entry: e.Entry) -> e.Entry:
        if not isinstance(entry, e.Decided):
            return entry
        inputs = {key: value for key, value in entry.inputs.items() if key != "beyond"}
        return replace(entry, inputs=inputs)

    state = written(tmp_path / "state", [(at, older(entry)) for at, entry in day.journal])
    ended = replayed(state, "D1")
    assert ended.status == 1
    assert "cannot be replayed" in ended.out
    assert "beyond" in ended.out
