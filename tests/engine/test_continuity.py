"""What survives: the book, its snapshot, the clocks; and law 10: decided again, the same."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import sqlite3
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.engine.house import ALICE, House, build, living, peg, policy, wired
from watchdog.clock import Left, SystemClock
from watchdog.core import entries as e
from watchdog.core.evaluation import Evaluation
from watchdog.core.memory import Memory
from watchdog.core.replay import StrangeInputs, inputs_from, judged_again, replayed
from watchdog.core.spec import Scope
from watchdog.core.states import State
from watchdog.core.words import (
    Instant,
    Mode,
    Severity,
    Status,
    Verdict,
    WindowReading,
    World,
)
from watchdog.engine.checkpoints import Checkpoints
from watchdog.engine.passes import Passes
from watchdog.engine.retention import KEEP_AT_LEAST, fold, retire, snapshot
from watchdog.sandbox.handle import Sandbox
from watchdog.store import SqliteHistory, SqliteJournal, open_reader


async def a_long_day(house: House) -> None:
    """Decisions of every kind: allowed, refused for many reasons, shadow, approve, commanded."""
    await house.clear()
    held = house.orders.stops.hold(
        ALICE, Scope("rule", "stopped"), "deploy", for_seconds=None, silence=False, dry=False
    )
    house.break_peg()
    states = {"armed": State.CONTAINED, "shadowy": State.SHADOWED, "asking": State.AWAITING}
    book = house.engine.book
    for rule, state in states.items():
        await house.until(
            lambda rule=rule, state=state: (  # type: ignore[misc]  # bound at once
                (ep := book.open_episode(rule)) is not None and ep.state is state
            ),
            f"{rule} is {state}",
        )
    house.orders.stops.release(ALICE, str(held.data["hold"]), "deployed", dry=False)
    house.mend_peg()
    await house.orders.rollbacks.undo(ALICE, "pause", "fixed", force=False, dry=False)
    await asyncio.sleep(1.5)
    await house.orders.rollbacks.rollback(
        ALICE, "pause", "executive", "told to", through_hold=False, dry=False
    )


@pytest.fixture
async def state(tmp_path: Path, sandbox: Sandbox) -> Path:
    """The state folder that a long day left behind."""
    rules = policy(
        sandbox,
        peg("armed"),
        peg("stopped"),
        peg("shadowy", mode=Mode.SHADOW),
        peg("asking", mode=Mode.APPROVE),
        peg("telling", playbook=None, mode=Mode.OBSERVE),
        peg("observed", mode=Mode.OBSERVE),
    )
    async with living(tmp_path, sandbox, rules) as house:
        await a_long_day(house)
        live = house.engine.book
    with SqliteJournal.open(tmp_path / "state", reserve_bytes=4096) as journal:
        assert fold(journal)[0] == live, "what a start-up finds is what was believed"
    return tmp_path / "state"


def decisions(state: Path) -> list[e.Decided]:
    with open_reader(state) as reader:
        return [one.entry for one in reader.read() if isinstance(one.entry, e.Decided)]


async def test_every_decision_of_the_journal_is_decided_again_the_same(state: Path) -> None:
    made = decisions(state)
    assert {d.ruling for d in made} == set(e.Ruling)
    assert {d.rule for d in made} >= {"manual", "telling", "stopped"}
    for decided in made:
        assert replayed(decided) == (), decided.decision
        again = judged_again(decided)
        if again is not None:
            assert (again.ruling, again.reason) == (decided.ruling, decided.reason)
            assert again.gates == decided.gates
            inputs = inputs_from(decided.inputs)
            assert inputs_from(asdict(inputs)) == inputs


async def test_every_effect_of_the_day_has_an_earlier_durable_intent(
    state: Path, sandbox: Sandbox
) -> None:
    """Two pauses and one undo, counted at the target."""
    changes = sandbox.changes()
    assert Counter(change.after for change in changes) == {False: 2, True: 1}
    with open_reader(state) as reader:
        intents = [one for one in reader.read() if isinstance(one.entry, e.IntentOpened)]
    for intent, change in zip(intents, changes, strict=True):
        assert intent.at.wall <= change.at


async def test_what_was_tampered_with_or_is_of_another_program_is_seen(state: Path) -> None:
    allowed = next(
        d for d in decisions(state) if d.ruling is e.Ruling.ALLOWED and d.rule == "armed"
    )
    forged = {**allowed.inputs, "budget_used": 99}
    (ruling, reason, *gates) = replayed(_with(allowed, inputs=forged))
    assert ruling == "ruling: recorded 'allowed', now 'refused'"
    assert "budget: spent" in reason
    assert len(gates) == 2
    assert replayed(_with(allowed, reason="because")) != ()
    assert replayed(_with(allowed, gates=tuple(reversed(allowed.gates)))) == (
        "the gates were asked in another order",
    )
    assert replayed(_with(allowed, inputs={})) != ()
    for change, says in STRANGE:
        with pytest.raises(StrangeInputs, match=says):
            replayed(_with(allowed, inputs={**allowed.inputs, **change}))


STRANGE: list[tuple[dict[str, object], str]] = [
    ({"status": "purple"}, "inputs.status: 'purple' is no Status"),
    ({"budget_used": "many"}, "inputs.budget_used: 'many' is no int"),
    ({"holds": "none"}, "inputs.holds: 'none' is no list"),
    ({"modes": [{"who": "rule"}]}, r"inputs.modes\[0\]: written by another program's gates"),
    ({"moon": "full"}, "inputs: written by another program's gates: moon"),
]


async def test_folding_twice_gives_equal_books_and_so_does_a_snapshot_with_the_rest(
    state: Path,
) -> None:
    with SqliteJournal.open(state, reserve_bytes=4096) as journal:
        whole, last = fold(journal)
        again, _ = fold(journal)
        assert whole == again
        assert last > 40
        # The last cut is retired for good, so that the rest of the journal follows a snapshot.
        for cut in range(1, last, 7):
            journal.prune(cut, snapshot(fold(journal, upto_seq=cut)[0]), Instant(0.0, 0.0))
            rest, seq = fold(journal)
            assert (rest, seq) == (whole, last), f"cut at {cut}"
        journal.verify()


def test_retiring_keeps_the_newest_and_goes_by_the_steady_clock(tmp_path: Path) -> None:
    SqliteJournal.create(tmp_path / "state", reserve_bytes=4096)
    with SqliteJournal.open(tmp_path / "state", reserve_bytes=4096) as journal:
        old, new = Instant(1000.0, 1000.0), Instant(2000.0, 2000.0)
        journal.append([e.RuleCleared(f"r{n}") for n in range(KEEP_AT_LEAST)], old)
        journal.append([e.RuleCleared(f"s{n}") for n in range(500)], new)
        whole, last = fold(journal)

        def retired(now: Instant, keep_seconds: float) -> int:
            return retire(journal, now, keep_seconds=keep_seconds, last_seq=last)

        assert retired(Instant(1e9, 2000.0), 5000.0) == 0, "the wall clock retires nothing"
        assert retired(Instant(0.0, 2500.0), 1000.0) == 500
        assert next(iter(journal.read())).seq == 501
        assert fold(journal) == (whole, last)
        assert retired(Instant(0.0, 99999.0), 1000.0) == 0, "so many are kept however old"


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_a_verdict_on_a_number_that_is_none_comes_out_of_a_snapshot_as_it_went_in(
    tmp_path: Path, number: float
) -> None:
    at = Instant(1000.0, 1000.0)
    window = WindowReading(60.0, 1.0, 1.0, 0.0, 1.0, ratio=number, burn=number)
    verdict = Verdict(Status.BREACHED, "above", at, value=number, bound="> 5", evidence=(window,))
    opened = e.EpisodeOpened("E1", "peg", "team", Severity.P0, World.LIVE, verdict)
    SqliteJournal.create(tmp_path / "state", reserve_bytes=4096)
    with SqliteJournal.open(tmp_path / "state", reserve_bytes=4096) as journal:
        journal.append([opened, e.RuleCleared("other")], at)
        whole, _ = fold(journal)
        journal.prune(1, snapshot(fold(journal, upto_seq=1)[0]), at)
        again, _ = fold(journal)
    kept = again.episodes["E1"].verdict
    assert kept is not None
    assert (repr(kept.value), repr(kept.evidence)) == (repr(number), repr((window,)))
    assert repr(again) == repr(whole)


# -- restarts --------------------------------------------------------------------------------------


async def test_a_restart_goes_on_with_the_for_clock_the_windows_and_what_was_clear(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    rules = policy(sandbox, peg(for_seconds=2.0))
    async with living(tmp_path, sandbox, rules) as house:
        await house.clear()
        house.break_peg()
        await house.reaches(State.PENDING)
        await asyncio.sleep(1.2)
        before = house.engine.memory.rules["peg"].breach.held_seconds
        at = house.engine.ports.clock.now()
    async with wired(tmp_path, sandbox) as wire:
        again = build(tmp_path, sandbox, wire)
        again.engine.adopt(rules, None)
        assert again.engine.warm() == ()
        clock = again.engine.memory.rules["peg"].breach
        assert clock.held_seconds >= before >= 0.9
        assert again.engine.ports.clock.now().steady >= at.steady
        assert again.newest is not None
        assert again.newest.state is State.PENDING
        again.engine.recorder.close()
        again.engine.ports.history.close()


async def test_a_clock_that_health_set_back_does_not_go_on_after_a_death(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """Kept only while it ran, it came back as it had been: two short breaches were one."""
    rules = policy(sandbox, peg(for_seconds=30.0))

    def kept(house: House) -> float | None:
        clocks = json.loads(house.engine.ports.history.load().get("clocks", b"{}"))
        breached_at: float | None = clocks.get("peg", {}).get("breach", (0.0, None))[1]
        return breached_at

    async with living(tmp_path, sandbox, rules) as house:
        await house.clear()
        house.break_peg()
        await house.reaches(State.PENDING)
        await house.until(lambda: kept(house) is not None, "a checkpoint of the clock that runs")
        house.mend_peg()
        await house.reaches(State.OK)
        await house.until(lambda: kept(house) is None, "a checkpoint of the clock set back")


async def test_what_a_start_could_not_read_is_written_anew(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """Else a clock that stood in it would go on at the next start, whatever was seen meanwhile."""
    rules = policy(sandbox, peg(for_seconds=300.0))
    async with living(tmp_path, sandbox, rules) as house:
        await house.clear()
        house.break_peg()
        await house.reaches(State.PENDING)
    house.mend_peg()

    def runs(history: SqliteHistory) -> bool:
        return json.loads(history.load()["clocks"])["peg"]["breach"][1] is not None

    kept = SqliteHistory.open(tmp_path / "state")
    assert runs(kept), "or this shows nothing"
    kept.close()

    memory = Memory()
    memory.adopt(rules)
    passes = Passes(house.engine.recorder, Evaluation(memory, house.engine.facts))
    file = tmp_path / "state" / "history.db"
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as backup:
        backup.execute("BEGIN EXCLUSIVE")
        history = SqliteHistory.open(tmp_path / "state")
        checkpoints = Checkpoints(memory, history, passes)
        checkpoints.restore()
        assert history.problem, "it is locked"
        backup.execute("ROLLBACK")
    passes.completed = house.engine.ports.clock.now()  # of a pass that saw it healthy
    counting = asyncio.create_task(checkpoints.counting_forever())
    try:
        await house.until(lambda: not runs(history), "a checkpoint without the old clock")
    finally:
        counting.cancel()
        history.close()


def test_the_steady_clock_goes_on_over_a_restart_of_the_process() -> None:
    first = SystemClock()
    left = Left(first.now(), first.name)
    second = SystemClock()
    second.go_on_from(left)
    assert 0 <= second.now().steady - left.at.steady < 1.0
    assert second.name == first.name


@pytest.mark.parametrize("gone", [3600.0, 0.0, -3600.0])
def test_after_a_reboot_it_goes_on_by_the_wall_and_never_back(gone: float) -> None:
    """The wall clock may have been set back while the machine was down."""
    now = SystemClock().now()
    left = Left(Instant(now.wall - gone, 9e9), "another-boot@0.0")
    clock = SystemClock()
    clock.go_on_from(left)
    passed = clock.now().steady - 9e9
    assert max(0.0, gone) <= passed < max(0.0, gone) + 1.0
    following = SystemClock()
    following.go_on_from(Left(clock.now(), clock.name))
    before = clock.now().steady
    assert -1e-5 <= following.now().steady - before < 1.0


def test_an_offset_that_would_lead_back_is_not_believed() -> None:
    clock = SystemClock()
    left = Left(Instant(clock.now().wall, 9e9), f"{clock.boot}@0.0")
    clock.go_on_from(left)
    assert clock.now().steady >= 9e9


def _with(decided: e.Decided, **different: object) -> e.Decided:
    fields = {name: getattr(decided, name) for name in e.Decided.__dataclass_fields__}
    return e.Decided(**{**fields, **different})
