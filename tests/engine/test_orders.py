"""What people order: said first, refused with a reason, done once, recorded with their name."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.house import ALICE, ROBOT, TARGET, House, living, peg, policy
from watchdog.core import entries as e
from watchdog.core.spec import Limits, Scope
from watchdog.core.states import State
from watchdog.engine import Done, OrderRefused, Person
from watchdog.sandbox.handle import Sandbox

Order = Callable[[House, Person, bool], Awaitable[Done]]


async def hold(house: House, person: Person, dry: bool) -> Done:  # noqa: FBT001  # as Order says
    return house.orders.stops.hold(
        person, Scope("rule", "peg"), "deploy", for_seconds=60.0, silence=False, dry=dry
    )


async def rollback(house: House, person: Person, dry: bool) -> Done:  # noqa: FBT001  # as Order says
    return await house.orders.rollbacks.rollback(
        person, "pause", "executive", "told to", through_hold=False, dry=dry
    )


async def release(house: House, person: Person, dry: bool) -> Done:  # noqa: FBT001  # as Order says
    return house.orders.stops.release(person, "H1", "deployed", dry=dry)


async def ack(house: House, person: Person, dry: bool) -> Done:  # noqa: FBT001  # as Order says
    return house.orders.episodes.ack(person, "E1", "I see it", dry=dry)


async def mark(house: House, person: Person, dry: bool) -> Done:  # noqa: FBT001  # as Order says
    return house.orders.episodes.mark(person, "E1", "drill", "a test", dry=dry)


async def act(house: House, person: Person, dry: bool) -> Done:  # noqa: FBT001  # as Order says
    return house.orders.episodes.act(person, "E1", "I looked", through_hold=False, dry=dry)


async def close(house: House, person: Person, dry: bool) -> Done:  # noqa: FBT001  # as Order says
    return house.orders.episodes.close(person, "E1", "settled", dry=dry)


async def undo(house: House, person: Person, dry: bool) -> Done:  # noqa: FBT001  # as Order says
    return await house.orders.rollbacks.undo(person, "E1", "fixed", force=False, dry=dry)


async def quiet(house: House) -> None:
    await house.clear()


async def held(house: House) -> None:
    """A breach began under a hold, which is over: already burning."""
    await under_hold(house)
    house.break_peg()
    await house.reaches(State.HELD)
    house.orders.stops.release(ALICE, "H1", "deployed", dry=False)


async def under_hold(house: House) -> None:
    await house.clear()
    await hold(house, ALICE, dry=False)


async def contained(house: House) -> None:
    await house.clear()
    house.break_peg()
    await house.reaches(State.CONTAINED)
    house.mend_peg()


async def latched(house: House) -> None:
    await house.clear()
    house.sandbox.fault("flag_write", "pretend")
    house.break_peg()
    await house.reaches(State.LATCHED)


CASES = [
    (quiet, rollback, e.EpisodeOpened),
    (under_hold, release, e.HoldEnded),
    (held, mark, e.Marked),
    (held, act, e.EpisodeUnbarred),
    (latched, close, e.EpisodeMoved),
    (contained, undo, e.IntentOpened),
]
Scene = Callable[[House], Awaitable[None]]


@pytest.mark.parametrize(
    ("scene", "order", "kind"), CASES, ids=[order.__name__ for _, order, _ in CASES]
)
async def test_an_order_is_said_first_refused_to_a_robot_and_then_done_by_a_person(
    tmp_path: Path, sandbox: Sandbox, scene: Scene, order: Order, kind: type[e.Entry]
) -> None:
    async with living(tmp_path, sandbox) as house:
        await scene(house)
        before, changes = len(house.entries(kind)), sandbox.flag_changes()
        said = await order(house, ALICE, True)  # noqa: FBT003  # as Order says
        assert said.effect
        assert (len(house.entries(kind)), sandbox.flag_changes()) == (before, changes)
        with pytest.raises(OrderRefused, match="robot does not count as a person here"):
            await order(house, ROBOT, False)  # noqa: FBT003  # as Order says
        assert (len(house.entries(kind)), sandbox.flag_changes()) == (before, changes)
        await order(house, ALICE, False)  # noqa: FBT003  # as Order says
        new = house.entries(kind)[before:]
        assert new
        assert getattr(new[0], "actor", "") == "alice"


@pytest.mark.parametrize("order", [hold, ack])
async def test_anyone_may_stop_and_acknowledge(
    tmp_path: Path, sandbox: Sandbox, order: Order
) -> None:
    async with living(tmp_path, sandbox) as house:
        await house.clear()
        house.break_peg()
        await house.reaches(State.CONTAINED)
        written = house.engine.recorder.last_seq
        await order(house, ROBOT, True)  # noqa: FBT003  # as Order says
        assert house.engine.recorder.last_seq == written
        await order(house, ROBOT, False)  # noqa: FBT003  # as Order says
        assert house.engine.recorder.last_seq > written


async def test_what_makes_no_sense_is_refused_with_a_reason_and_a_remedy(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox) as house:
        await house.clear()
        for order, says in (
            (act, "there is no episode E1"),
            (close, "there is no episode E1"),
            (undo, "there is no episode E1"),
            (release, "there is no hold H1"),
        ):
            with pytest.raises(OrderRefused, match=says):
                await order(house, ALICE, False)  # noqa: FBT003  # as Order says
        stops, rollbacks = house.orders.stops, house.orders.rollbacks
        with pytest.raises(OrderRefused, match="there is no rule peek; there are: peg"):
            stops.hold(ALICE, Scope("rule", "peek"), "x", for_seconds=1, silence=False, dry=True)
        with pytest.raises(OrderRefused, match="a reason is needed"):
            stops.hold(ALICE, Scope("all"), "  ", for_seconds=1, silence=False, dry=True)
        for action, kind, says in (
            ("pauze", "executive", "there is no action pauze; there are: pause"),
            ("pause", "whim", "'whim' is none of executive"),
        ):
            with pytest.raises(OrderRefused, match=says):
                await rollbacks.rollback(ALICE, action, kind, "x", through_hold=False, dry=True)
        with pytest.raises(OrderRefused, match="there is nothing to undo"):
            await rollbacks.undo(ALICE, "pause", "x", force=False, dry=True)


async def test_an_episode_without_a_playbook_is_not_said_to_act(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox, policy(sandbox, peg(playbook=None))) as house:
        await held(house)
        with pytest.raises(
            OrderRefused, match=r"peg has no playbook.*slo-watchdog rollback ACTION"
        ):
            await act(house, ALICE, True)  # noqa: FBT003  # as Order says
        with pytest.raises(OrderRefused, match="peg has no playbook"):
            await act(house, ALICE, False)  # noqa: FBT003  # as Order says
        assert house.entries(e.EpisodeUnbarred) == []


async def test_what_is_held_by_another_gate_is_told_which_and_what_helps(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    spent = replace(policy(sandbox, peg()), limits=Limits(0, 86400.0, 5))
    async with living(tmp_path, sandbox, spent) as house:
        await house.clear()
        house.break_peg()
        await house.reaches(State.HELD)
        with pytest.raises(OrderRefused) as refused:
            await act(house, ALICE, True)  # noqa: FBT003  # as Order says
    assert str(refused.value) == (
        "E1 is held, not held as already burning: budget: spent: 0 of 0 in 1d. It goes on once "
        "budget lets it. By your own decision: "
        "slo-watchdog rollback pause --kind technical --reason WHY"
    )


@pytest.mark.parametrize(
    ("scene", "helps"),
    [(contained, "slo-watchdog recover E1"), (latched, "slo-watchdog close E1 --reason WHY")],
)
async def test_what_has_acted_or_given_up_is_told_how_it_goes_on(
    tmp_path: Path, sandbox: Sandbox, scene: Scene, helps: str
) -> None:
    async with living(tmp_path, sandbox) as house:
        await scene(house)
        with pytest.raises(OrderRefused, match=helps):
            await act(house, ALICE, True)  # noqa: FBT003  # as Order says


async def test_a_person_acts_through_a_hold_only_by_saying_so(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox) as house:
        await house.clear()
        house.orders.stops.hold(
            ALICE, Scope("all"), "deploy", for_seconds=None, silence=False, dry=False
        )
        with pytest.raises(OrderRefused, match="--through-hold"):
            await rollback(house, ALICE, False)  # noqa: FBT003  # as Order says
        assert sandbox.flag_requests(method="PUT") == 0
        await house.orders.rollbacks.rollback(
            ALICE, "pause", "executive", "told to", through_hold=True, dry=False
        )
        assert sandbox.flag_changes() == 1


async def test_an_undo_waits_for_resume_when_or_is_forced_with_a_reason(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox) as house:
        await contained(house)
        sandbox.fail_health()
        with pytest.raises(OrderRefused, match="resume_when of pause is "):
            await undo(house, ALICE, False)  # noqa: FBT003  # as Order says
        assert sandbox.flag_changes() == 1
        with pytest.raises(OrderRefused, match="a reason is needed"):
            await house.orders.rollbacks.undo(ALICE, "E1", "", force=True, dry=False)
        await house.orders.rollbacks.undo(ALICE, "E1", "I know", force=True, dry=False)
        assert sandbox.is_enabled()


@pytest.mark.parametrize(
    ("asks", "said"),
    [
        (True, "; its resume_when holds"),
        (False, "; it has no resume_when, so nothing tells whether the cause is gone"),
    ],
)
async def test_an_undo_says_first_what_tells_that_it_may_be(
    tmp_path: Path, sandbox: Sandbox, *, asks: bool, said: str
) -> None:
    in_force = policy(sandbox, peg())
    if not asks:
        actions = {name: replace(one, resume_when=()) for name, one in in_force.actions.items()}
        in_force = replace(in_force, actions=actions)
    async with living(tmp_path, sandbox, in_force) as house:
        await contained(house)
        told = await undo(house, ALICE, True)  # noqa: FBT003  # as Order says
        assert told.effect.endswith(said)


async def test_who_of_two_gives_up_first_changes_nothing_at_the_target(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox, policy(sandbox, peg(), peg("second"))) as house:
        await house.clear()
        house.break_peg()
        claims = house.engine.book.claims
        await house.until(lambda: sum(map(len, claims.values())) == 2, "two claims")
        await house.until(
            lambda: all(x.state is State.CONTAINED for x in house.engine.book.open_episodes()),
            "both contained",
        )
        house.mend_peg()
        told = await undo(house, ALICE, False)  # noqa: FBT003  # as Order says
        assert "gives up its claim" in told.effect
        assert not sandbox.is_enabled()
        await house.orders.rollbacks.undo(ALICE, "E2", "fixed", force=False, dry=False)
        assert sandbox.is_enabled()


async def test_what_a_person_ordered_ends_when_it_gave_up_its_claim_to_another(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox) as house:
        await house.clear()
        for _ in range(2):
            await rollback(house, ALICE, False)  # noqa: FBT003  # as Order says
        episodes = house.engine.book.episodes
        await house.until(
            lambda: [ep.state for ep in episodes.values()] == [State.CONTAINED] * 2, "both"
        )
        told = await undo(house, ALICE, False)  # noqa: FBT003  # as Order says
        assert "gives up its claim" in told.effect
        await house.until(lambda: episodes["E1"].state is State.OK, "nothing is left of it")
        assert episodes["E1"].reason.endswith(f"{TARGET} stays as it is for E2 (manual)")
        assert episodes["E2"].state is State.CONTAINED
        assert not sandbox.is_enabled()


async def test_the_undo_of_what_holds_nothing_is_refused_and_names_who_does(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox) as house:
        await latched(house)
        sandbox.clear_faults("flag_write")
        await rollback(house, ALICE, False)  # noqa: FBT003  # as Order says
        assert [claim.episode for claim in house.engine.book.claimants(TARGET)] == ["E2"]
        for dry in (True, False):
            with pytest.raises(OrderRefused, match="E1 has no claim to give up; ") as refused:
                await undo(house, ALICE, dry)
            assert f"{TARGET} stays as it is for E2 (manual). " in str(refused.value)
            assert "slo-watchdog undo pause" in str(refused.value)
        assert not sandbox.is_enabled()


async def test_two_undos_at_once_are_one(tmp_path: Path, sandbox: Sandbox) -> None:
    async with living(tmp_path, sandbox) as house:
        await contained(house)
        both = await asyncio.gather(
            undo(house, ALICE, False),  # noqa: FBT003  # as Order says
            undo(house, ALICE, False),  # noqa: FBT003  # as Order says
            return_exceptions=True,
        )
        assert sum(isinstance(one, OrderRefused) for one in both) == 1
        assert sandbox.flag_changes() == 2
