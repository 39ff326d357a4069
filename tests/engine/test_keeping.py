"""A policy takes the action from under an episode that holds by it: told, watched on, or closed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.house import ALICE, TARGET, House, living, pause, policy
from watchdog.core import entries as e
from watchdog.core.spec import ActionSpec, Playbook, Policy, Rung
from watchdog.core.states import State
from watchdog.core.words import Mode
from watchdog.engine import OrderRefused
from watchdog.sandbox.handle import Sandbox

MOVED = "flag:another"


@pytest.fixture
async def house(tmp_path: Path, sandbox: Sandbox) -> AsyncIterator[House]:
    """E1 holds the flag by `pause`, and its rule is well again."""
    async with living(tmp_path, sandbox) as house:
        await house.clear()
        house.break_peg()
        await house.reaches(State.CONTAINED)
        house.mend_peg()
        yield house


def with_only(sandbox: Sandbox, action: ActionSpec) -> Policy:
    rungs = (Rung(action.name, Mode.ARMED, 5.0),)
    return replace(
        policy(sandbox),
        actions={action.name: action},
        playbooks={"ladder": Playbook("ladder", rungs)},
    )


def applied(house: House, action: ActionSpec) -> None:
    house.engine.adopt(
        with_only(house.sandbox, action), e.PolicyApplied("sha of another", (), "alice")
    )


def told(house: House) -> list[e.Paged]:
    pages = house.entries(e.Paged)
    return [page for page in pages if "not looked after any more" in page.title]


@pytest.mark.parametrize("name", ["pause", "halt"], ids=["another target", "another name too"])
async def test_what_no_action_is_left_for_is_told_and_closed_by_a_person(
    house: House, name: str
) -> None:
    action = pause(house.sandbox, name=name, target=MOVED)
    applied(house, action)
    (page,) = told(house)
    assert page.key == "episode:E1"
    assert page.title == (f"{TARGET} is not looked after any more: the policy has no pause for it")
    applied(house, replace(action, sla_seconds=31.0))
    assert len(told(house)) == 1, "it is told when it comes to that, and not at every load"

    for dry in (True, False):
        with pytest.raises(OrderRefused, match=f"no pause for {TARGET} any more.*close E1"):
            await house.orders.rollbacks.undo(ALICE, "E1", "well", force=False, dry=dry)
    assert house.sandbox.flag_changes() == 1

    done = house.orders.episodes.close(ALICE, "E1", "restored by hand", dry=False)
    assert f"{TARGET} stays rolled back and nothing looks after it" in done.effect
    assert house.engine.book.claims == {}
    assert house.engine.book.open_episode("peg") is None


async def test_another_action_for_the_same_target_watches_on(house: House) -> None:
    applied(house, pause(house.sandbox, name="halt"))
    assert told(house) == []
    await house.sandbox.change_flag_behind_its_back(enabled=True)
    await house.until(lambda: house.entries(e.Drifted), "the drift")
    (drift,) = house.entries(e.Drifted)
    assert (drift.target, drift.action, drift.episodes) == (TARGET, "halt", ("E1",))


async def test_another_action_for_the_same_target_undoes_it(house: House) -> None:
    applied(house, pause(house.sandbox, name="halt"))
    await house.orders.rollbacks.undo(ALICE, "E1", "well", force=False, dry=False)
    assert house.sandbox.is_enabled()
    assert house.engine.book.claims == {}


async def test_an_episode_whose_action_is_there_is_undone_and_not_closed(house: House) -> None:
    with pytest.raises(OrderRefused, match="E1 is contained; only latched episodes are closed"):
        house.orders.episodes.close(ALICE, "E1", "away with it", dry=False)
