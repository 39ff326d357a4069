"""People are asked, answer, and order what others must approve; on real adapters, on the record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.house import ALICE, ROBOT, TARGET, House, build, living, pause, policy, wired
from watchdog.core import entries as e
from watchdog.core.aftermath import intent_ended
from watchdog.core.approvals import ApprovalGiven
from watchdog.core.book import MANUAL
from watchdog.core.rights import Account, Grant, Right, Rights
from watchdog.core.spec import Playbook, Policy, Rung, Scope, Step
from watchdog.core.starting import open_intent
from watchdog.core.states import Event, State
from watchdog.core.trees import RestoreSystem
from watchdog.core.words import Direction, Mode, Severity, World
from watchdog.engine import NoPlan, OrderRefused, Orders, Person
from watchdog.sandbox.handle import Sandbox

BOB, CAROL = Person("bob (uid 2)", counts=True), Person("carol (uid 3)", counts=True)


def asking(sandbox: Sandbox, approvals: int = 1) -> Policy:
    rung = Rung("pause", Mode.APPROVE, 5.0, approvals)
    return replace(policy(sandbox), playbooks={"ladder": Playbook("ladder", (rung,))})


@asynccontextmanager
async def asked(folder: Path, sandbox: Sandbox, approvals: int = 1) -> AsyncIterator[House]:
    async with living(folder, sandbox, asking(sandbox, approvals)) as house:
        await house.clear()
        house.break_peg()
        await house.reaches(State.AWAITING)
        yield house


def approve(house: House, person: Person, *, dry: bool = False) -> str:
    return house.orders.approvals.approve(
        person, "E1", "I read the plan", through_hold=False, dry=dry
    ).effect


async def test_the_last_yes_pauses_what_is_served_and_it_is_read_back(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with asked(tmp_path, sandbox, 2) as house:
        assert "1 more person must" in approve(house, ALICE)
        assert sandbox.flag_changes() == 0
        assert approve(house, BOB).startswith("E1 (peg): pause is approved by alice, bob")
        await house.reaches(State.CONTAINED)
        assert sandbox.flag_changes() == 1
        given = house.entries(ApprovalGiven)
        assert [one.actor for one in given] == ["alice", "bob (uid 2)"]
        house.mend_peg()


async def test_dry_tells_what_would_run_and_records_nothing(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with asked(tmp_path, sandbox) as house:
        told = approve(house, ALICE, dry=True)
        assert "PUT http" in told
        assert "slo-watchdog deny E1" in told
        assert house.entries(ApprovalGiven) == []
        with pytest.raises(OrderRefused, match="does not count as a person"):
            approve(house, ROBOT)
        with pytest.raises(OrderRefused, match="a reason is needed"):
            house.orders.approvals.approve(ALICE, "E1", " ", through_hold=False, dry=False)


async def test_one_no_latches_it(tmp_path: Path, sandbox: Sandbox) -> None:
    async with asked(tmp_path, sandbox, 2) as house:
        approve(house, ALICE)
        house.orders.approvals.deny(BOB, "E1", "not tonight", dry=False)
        await house.reaches(State.LATCHED)
        with pytest.raises(OrderRefused, match="nothing waits there"):
            approve(house, CAROL)
        assert sandbox.flag_changes() == 0


async def test_a_hold_right_before_the_effect_stops_what_was_approved(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with asked(tmp_path, sandbox) as house:
        house.orders.stops.hold(
            ALICE, Scope("all"), "wait", for_seconds=60.0, silence=False, dry=False
        )
        assert "approved, and held: hold" in approve(house, BOB)
        told = house.orders.approvals.approve(BOB, "E1", "go", through_hold=True, dry=False)
        assert "and started" in told.effect
        await house.reaches(State.CONTAINED)


async def test_a_rollback_by_hand_that_needs_two_waits_for_two_others(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox, asking(sandbox, 2)) as house:
        await house.clear()
        told = await _rollback(house, ALICE)
        assert "E1 asks for approval of pause: needs the yes of 2 people" in told
        with pytest.raises(OrderRefused, match="E1 asks for approval of pause already"):
            await _rollback(house, BOB)
        with pytest.raises(OrderRefused, match="alice asked for it"):
            approve(house, ALICE)
        approve(house, BOB)
        assert sandbox.flag_changes() == 0
        approve(house, CAROL)
        await house.until(lambda: house.entries(e.IntentEnded), "it has ended")
        assert sandbox.flag_changes() == 1
        (intent,) = house.entries(e.IntentOpened)
        assert intent.approved_by == ("bob", "carol")


async def _rollback(house: House, person: Person) -> str:
    done = await house.orders.rollbacks.rollback(
        person, "pause", "executive", "told to", through_hold=False, dry=False
    )
    return done.effect


# -- plan ------------------------------------------------------------------------------------------


async def test_a_plan_tells_all_of_it_and_runs_nothing(tmp_path: Path, sandbox: Sandbox) -> None:
    async with asked(tmp_path, sandbox, 2) as house:
        approve(house, ALICE)
        written = house.engine.recorder.last_seq
        for what in ("E1", "peg", "pause"):
            found = house.orders.plans.plan(what)
            assert not isinstance(found, NoPlan)
            assert found["action"]["do"]["method"] == "PUT"
            assert found["action"]["do"]["headers"] == ["Authorization: Bearer <governance>"]
            assert sandbox.token not in str(found)
            assert found["approvals"]["needed"] == 2
        found = house.orders.plans.plan("E1")
        assert not isinstance(found, NoPlan)
        assert found["approvals"]["request"]["missing"] == 1
        assert found["ruling"] == "needs_approval"
        assert [gate["gate"] for gate in found["gates"] if not gate["passed"]] == []
        assert house.engine.recorder.last_seq == written
        assert sandbox.flag_changes() == 0


async def test_a_plan_of_what_is_quiet_says_what_a_breach_would_do(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox) as house:
        await house.clear()
        found = house.orders.plans.plan("peg")
        assert not isinstance(found, NoPlan)
        assert found["episode"] is None
        assert found["reason"] == "evidence: healthy"
        nothing = house.orders.plans.plan("peek")
        assert isinstance(nothing, NoPlan)
        assert "there is no rule peek" in nothing.reason
        assert house.newest is None


async def test_a_plan_of_what_stands_already_says_so_and_by_which_episode(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox) as house:
        await house.clear()
        rollbacks, given = house.orders.rollbacks, ("pause", "technical", "a bad build")
        await rollbacks.rollback(ALICE, *given, through_hold=False, dry=False)
        await house.reaches(State.CONTAINED)
        found = house.orders.plans.plan("pause")
        assert not isinstance(found, NoPlan)
        stands = f"{TARGET} stands so already, by E1 (manual)"
        assert (found["ruling"], found["reason"]) == ("allowed", f"commanded by a person; {stands}")
        assert {gate["gate"]: gate["reason"] for gate in found["gates"]}["target"] == stands
        again = await rollbacks.rollback(ALICE, *given, through_hold=False, dry=True)
        assert again.effect.endswith(stands)


# -- rights ----------------------------------------------------------------------------------------

RIGHTS = Rights(
    "rights.toml",
    (
        Grant(
            frozenset({Right.APPROVE, Right.UNDO}), frozenset({"team"}), users=frozenset({"bob"})
        ),
        Grant(frozenset(Right), frozenset({"others"}), groups=frozenset({"sre"})),
        Grant(frozenset({Right.HOLD}), frozenset(), groups=frozenset({"ops"})),
    ),
)
MALLORY = Person("mallory (uid 9)", counts=True, account=Account("mallory", frozenset({"sre"})))
WITH_RIGHTS = Person("bob (uid 2)", counts=True, account=Account("bob", frozenset()))
OPS = Person("ann (uid 4)", counts=True, account=Account("ann", frozenset({"ops"})))


async def test_an_order_without_the_right_names_it_its_owner_and_who_has_it(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with asked(tmp_path, sandbox) as house:
        orders = Orders(house.engine, lambda: RIGHTS)
        for dry in (True, False):
            with pytest.raises(OrderRefused) as refused:
                orders.approvals.approve(MALLORY, "E1", "go", through_hold=False, dry=dry)
            assert str(refused.value) == (
                "mallory (uid 9) lacks the right `approve` for team, which is given to: user bob "
                "(rights.toml)"
            )
        with pytest.raises(OrderRefused, match="`ack` for team, which is given to: nobody"):
            orders.episodes.ack(WITH_RIGHTS, "E1", "", dry=False)
        with pytest.raises(OrderRefused, match="`rollback` for team"):
            await orders.rollbacks.rollback(
                WITH_RIGHTS, "pause", "executive", "x", through_hold=False, dry=True
            )
        with pytest.raises(OrderRefused, match="`act` for team"):
            orders.episodes.close(WITH_RIGHTS, "E1", "x", dry=False)
        orders.approvals.approve(WITH_RIGHTS, "E1", "go", through_hold=False, dry=False)
        await house.reaches(State.CONTAINED)
        with pytest.raises(OrderRefused, match="`undo` for team, which is given to: user bob"):
            await orders.rollbacks.undo(MALLORY, "pause", "x", force=True, dry=True)
        house.mend_peg()


async def test_whoever_reaches_the_socket_may_hold_and_take_that_back(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox) as house:
        stops = Orders(house.engine, lambda: RIGHTS).stops
        for name in ("H1", "H2"):
            told = stops.hold(
                ROBOT, Scope("all"), "wait", for_seconds=None, silence=False, dry=False
            )
            assert told.effect.startswith(name)
        with pytest.raises(OrderRefused, match="`hold` for all owners, which is given to: group"):
            stops.release(WITH_RIGHTS, "H1", "x", dry=False)
        stops.release(OPS, "H1", "seen", dry=False)
        with pytest.raises(OrderRefused, match="`silence` for team"):
            stops.hold(OPS, Scope("rule", "peg"), "x", for_seconds=9.0, silence=True, dry=True)


async def test_a_silence_ends_by_itself(tmp_path: Path, sandbox: Sandbox) -> None:
    async with living(tmp_path, sandbox) as house:
        with pytest.raises(OrderRefused, match="a silence ends by itself: say when"):
            house.orders.stops.hold(
                ALICE, Scope("rule", "peg"), "x", for_seconds=None, silence=True, dry=True
            )


async def test_a_restored_system_is_undone_by_root_and_its_episode_closed_by_a_person(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    restore = RestoreSystem("/backups/*.tar.gz", "/srv", (), 86400.0)
    step = Step(restore, "status == 'ok'")
    action = pause(sandbox, do=step, undo=Step(replace(restore, undo=True), "status == 'ok'"))
    async with wired(tmp_path, sandbox) as wire:
        house = build(tmp_path, sandbox, wire)
        plan = policy(sandbox, action=action)
        house.engine.adopt(plan, e.PolicyApplied("sha of all", (), "test"))
        draft = house.engine.recorder.draft()
        draft.add(e.EpisodeOpened("E1", MANUAL, "", Severity.P0, World.LIVE, None, actor="alice"))
        ep = draft.book.episodes["E1"]
        draft.move(ep, Event.COMMANDED, "told to", actor="alice")
        intent = open_intent(draft, ep, action, Direction.DO, reason="told to", by="alice")
        draft.add(e.StepTaken(intent, "change", "claimed", "", facts=(("request", "f" * 32),)))
        told = intent, "E1", "pause", TARGET, Direction.DO, e.Outcome.DONE, "it is", "ok", 1.0
        intent_ended(e.IntentEnded(*told, draft.now), plan, draft)
        draft.move(ep, Event.CONTAINED, "healthy again")
        with pytest.raises(OrderRefused, match=f"slo-watchdog restore undo {'f' * 32}. When that"):
            await house.orders.rollbacks.undo(ALICE, "E1", "x", force=True, dry=False)
        house.orders.episodes.close(ALICE, "E1", "all is well", dry=False)
        assert ep.state is State.OK
        assert house.engine.book.every_claim() == ()
        house.engine.recorder.close()
        house.engine.ports.history.close()
