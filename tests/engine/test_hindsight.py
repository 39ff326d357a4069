"""What people find out afterwards: recorded with their name, numbered, due, and believed again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.engine.house import ALICE, ROBOT, House, living, policy
from watchdog.core.entries import (
    FollowUpAdded,
    FollowUpClosed,
    ImpactTold,
    PolicyApplied,
    Unread,
)
from watchdog.core.hindsight import NO_LOSS, Task
from watchdog.core.procedure import Procedure
from watchdog.core.states import State
from watchdog.core.words import Instant
from watchdog.engine import OrderRefused, Views, Wanted
from watchdog.engine.lessons_view import lessons_now
from watchdog.engine.retention import fold
from watchdog.sandbox.handle import Sandbox
from watchdog.store import SqliteJournal, Where, open_reader

TODAY = datetime.now(UTC).date()
TOMORROW, YESTERDAY = (str(TODAY + timedelta(days=n)) for n in (1, -1))


def wanted(due: str = TOMORROW, episode: str = "E1", task: Task = Task.FIX) -> Wanted:
    return Wanted(episode, task, "bob", due, "a  longer\ntimeout")


async def test_what_is_said_of_an_episode_is_on_record_and_stays_said(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox) as house:
        await house.clear()
        said = house.orders.hindsight
        told = ImpactTold("E1", "alice", tickets=14, data_loss=NO_LOSS)
        with pytest.raises(OrderRefused, match="there is no episode E1"):
            said.impact(ALICE, told, dry=False)
        house.break_peg()
        await house.reaches(State.CONTAINED)
        effect = "E1 (peg): support tickets: 14; data loss: none. What was said before stays"
        assert said.impact(ALICE, told, dry=True).effect == effect
        assert house.entries(ImpactTold) == []
        assert said.impact(ALICE, told, dry=False).effect == effect
        assert house.entries(ImpactTold) == [told]
        with pytest.raises(OrderRefused, match="nothing is said: --tickets"):
            said.impact(ALICE, ImpactTold("E1", "alice"), dry=False)
        for never in ("E2", "E0", "X1", "E", "E²"):
            with pytest.raises(OrderRefused, match=f"there is no episode {never}"):
                said.add(ALICE, wanted(episode=never), dry=True)
        del house.engine.book.episodes["E1"]  # as the book does with the oldest
        assert said.impact(ALICE, told, dry=False).effect.startswith("E1: support tickets")


async def test_a_follow_up_is_numbered_closed_once_and_there_after_a_restart(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox) as house:
        await house.clear()
        house.break_peg()
        await house.reaches(State.CONTAINED)
        said = house.orders.hindsight
        for due, why in (
            (YESTERDAY, "is over already"),
            ("soon", "soon is no day. Write it like --due 2026-12-01"),
        ):
            with pytest.raises(OrderRefused, match=why):
                said.add(ALICE, wanted(due), dry=True)
        assert said.add(ROBOT, wanted(), dry=False).data == {"follow_up": "F1"}
        second = said.add(ALICE, wanted(task=Task.TRAINING), dry=False)
        assert second.effect == (
            f"F2: bob is to do by {TOMORROW} (training, for E1 (peg)): a longer timeout"
        )
        with pytest.raises(OrderRefused, match="a reason is needed"):
            said.close(ALICE, "F1", " ", dry=False)
        assert said.close(ALICE, "F1", "rolled out", dry=False).target == "F1"
        with pytest.raises(OrderRefused, match=r"F1 was closed on .* by alice"):
            said.close(ALICE, "F1", "again", dry=True)
        with pytest.raises(OrderRefused, match="there is no follow-up F3"):
            said.close(ALICE, "F3", "x", dry=True)
        (closed,) = house.entries(FollowUpClosed)
        assert (closed.actor, closed.reason) == ("alice", "rolled out")
        assert [one.actor for one in house.entries(FollowUpAdded)] == ["robot", "alice"]
        shown = Views(house.engine).status()["follow_ups"]
        assert [(one["follow_up"], one["task"], one["overdue"]) for one in shown] == [
            ("F2", "training", False)
        ]
        again, _ = fold(house.engine.ports.journal)
        assert again.lessons == house.engine.book.lessons
        assert again.next_id("F") == "F3"


def overdue_now(house: House) -> tuple[int, bool | None]:
    now = lessons_now(house.engine)
    return sum(now.overdue.values()), now.review_overdue


async def test_what_is_overdue_is_counted_and_a_procedure_that_nobody_looked_at(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    late, in_time = (
        Procedure("the wiki", str(TODAY - timedelta(days=days)), 90 * 86_400.0) for days in (91, 90)
    )
    async with living(tmp_path, sandbox) as house:
        await house.clear()
        assert overdue_now(house) == (0, None)
        draft = house.engine.recorder.draft()
        for number, due in ((1, YESTERDAY), (2, TOMORROW)):
            draft.add(FollowUpAdded(f"F{number}", "E1", Task.TEST, "bob", due, "try it", "alice"))
        house.engine.recorder.commit(draft)
        for procedure, is_late in ((late, True), (in_time, False)):
            rules = replace(policy(sandbox), procedure=procedure)
            house.engine.adopt(rules, PolicyApplied(str(is_late), (), "test"))
            assert overdue_now(house) == (1, is_late)
            shown = Views(house.engine).status()["procedure"]
            assert shown is not None
            assert (shown["document"], shown["overdue"]) == ("the wiki", is_late)


async def test_a_daemon_goes_on_after_what_a_newer_one_wrote_aside(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    newer = Unread('{"kind":"aside.moon_seen","phase":[0.5]}', "aside.moon_seen")
    SqliteJournal.create(tmp_path / "state", reserve_bytes=4096)
    journal = SqliteJournal.open(tmp_path / "state", reserve_bytes=4096)
    journal.append([newer], Instant(1_790_000_000.0, 1.0))
    journal.close()
    async with living(tmp_path, sandbox) as house:
        await house.clear()
        house.break_peg()
        await house.reaches(State.CONTAINED)
        assert house.entries(Unread) == [newer], "as it stands, for who knows it"
        with open_reader(Where(tmp_path / "state")) as record:
            assert record.verify() >= house.engine.recorder.last_seq, "a chain that is whole"
