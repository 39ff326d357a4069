"""A good drill is recorded as what decisions may rest on, and people see why they are asked."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.engine.house import ALICE, House, living, pause, policy
from watchdog.cli.page import Page
from watchdog.cli.plan_page import show_plan
from watchdog.core import entries as e
from watchdog.core.drills import DrillCounted, DrillKind, DrillTold
from watchdog.core.replay import replayed
from watchdog.core.rights import Account, Grant, Right, Rights
from watchdog.core.states import State
from watchdog.engine import NoPlan, OrderRefused, Orders, Person
from watchdog.engine.modes import rungs
from watchdog.sandbox.handle import Sandbox

MONTH = 30 * 86_400.0


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox.start(tmp_path / "mycelia") as made:
        yield made


def record(house: House, days_ago: float) -> None:
    at = house.engine.ports.clock.now().wall - days_ago * 86_400.0
    told = DrillTold(DrillKind.FEATURE_FLAG, passed=True, ended_at=at, action="pause")
    house.orders.drills.record(ALICE, told, dry=False)


async def test_a_document_is_recorded_once_also_after_a_newer_one(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox, policy(sandbox)) as house:
        now = house.engine.ports.clock.now().wall
        for name, ago in (("old", 100.0), ("new", 10.0)):
            told = DrillTold(DrillKind.CONFIG, passed=True, ended_at=now - ago, sha256=name * 20)
            house.orders.drills.record(ALICE, told, dry=False)
        again = DrillTold(DrillKind.CONFIG, passed=True, ended_at=now - 100.0, sha256="old" * 20)
        with pytest.raises(OrderRefused, match="on the record already, as T1"):
            house.orders.drills.record(ALICE, again, dry=False)


async def test_people_are_asked_until_it_was_practised_and_see_why(
    tmp_path: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = policy(sandbox)
    gated = policy(sandbox, action=pause(sandbox, drilled_within_seconds=MONTH))
    async with living(tmp_path, sandbox, plain) as house:
        record(house, 40.0)
        assert house.entries(DrillCounted) == [], "nobody asks for it"
        house.engine.adopt(replace(gated, sha256="gated"), e.PolicyApplied("gated", (), "alice"))
        (counted,) = house.entries(DrillCounted)
        assert (counted.action, counted.drill) == ("pause", "T1"), "what was told before counts"
        await house.clear()
        house.break_peg()
        await house.reaches(State.AWAITING)
        why = "nobody has practised it lately: drilled_within 30d of pause: its last good drill, T1"
        how = "To practise it: slo-watchdog drill run feature-flag. It needs the yes of 1 person"
        page = next(one for one in house.entries(e.Paged) if "asks for approval" in one.title)
        assert why in page.body
        assert how in page.body
        plan = house.orders.plans.plan("E1")
        assert not isinstance(plan, NoPlan)
        assert why in plan["approvals"]["undrilled"]
        show_plan(Page(), plan, datetime.now(UTC))
        shown = capsys.readouterr().out
        assert why in shown
        assert "a person may undo when" in shown, "nothing undoes it by itself"
        asked = house.entries(e.Decided)[-1]
        assert "drilled_within 30d of pause: its last good drill, T1, ended at" in asked.reason
        (rung,) = rungs(house.engine, house.engine.in_force().rules["peg"])
        assert (rung["mode"], rung["effective_mode"]) == ("armed", "approve")
        assert asked.reason == f"approve, by {rung['by']}"
        house.mend_peg()
        await house.reaches(State.OK)

        record(house, 1.0)
        assert [one.drill for one in house.entries(DrillCounted)] == ["T1", "T2"]
        await house.clear()
        house.break_peg()
        await house.reaches(State.CONTAINED)
        assert [replayed(one) for one in house.entries(e.Decided)] == [(), ()]
        house.mend_peg()


def owned(*rights: Right, owner: str = "team") -> tuple[Person, Rights]:
    person = Person("bob (uid 2)", counts=True, account=Account("bob"))
    grant = Grant(frozenset(rights), frozenset({owner}), users=frozenset({"bob"}))
    return person, Rights("rights.toml", (grant,))


async def test_who_may_only_acknowledge_makes_no_action_start_by_itself(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    gated = policy(sandbox, action=pause(sandbox, drilled_within_seconds=MONTH))
    async with living(tmp_path, sandbox, gated) as house:
        now = house.engine.ports.clock.now().wall
        good = DrillTold(DrillKind.FEATURE_FLAG, passed=True, ended_at=now, action="pause")
        bad = replace(good, passed=False, reasons=("late",))
        by_hand = replace(good, what=DrillKind.DISASTER, action="")
        bob, rights = owned(Right.ACK, Right.APPROVE, Right.ACT)
        drills = Orders(house.engine, lambda: rights).drills
        for dry in (True, False):
            with pytest.raises(OrderRefused, match="lacks the right `apply` for team"):
                drills.record(bob, good, dry=dry)
        assert house.entries(DrillCounted) == []
        drills.record(bob, bad, dry=False)
        with pytest.raises(OrderRefused, match="lacks the right `ack` for all owners"):
            drills.record(bob, by_hand, dry=False)

        drills.record(replace(bob, itself=True), good, dry=False)
        assert [one.drill for one in house.entries(DrillCounted)] == ["T2"]
        bob, rights = owned(Right.APPLY)
        drills.record(bob, good, dry=False)
        assert [one.drill for one in house.entries(DrillCounted)] == ["T2", "T3"]
