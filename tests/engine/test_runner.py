"""What comes of an intent, by what the target did and what it shows: the read-back decides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.house import (
    ALICE,
    DEADLINE_SECONDS,
    TARGET,
    House,
    living,
    pause,
    policy,
)
from watchdog.core import entries as e
from watchdog.core.spec import Scope
from watchdog.core.states import Event, State
from watchdog.core.words import Direction, Severity, World
from watchdog.engine.orders.desk import OrderRefused
from watchdog.sandbox.handle import Sandbox

BOUND_SECONDS = 1.0


def nothing(_: Sandbox) -> None:
    pass


def answering(status: int, **numbers: Any) -> Callable[[Sandbox], None]:
    return lambda sandbox: sandbox.fault("flag_write", "answer", status=status, **numbers)


def writing(kind: str, **numbers: Any) -> Callable[[Sandbox], None]:
    return lambda sandbox: sandbox.fault("flag_write", kind, **numbers)


def reading(kind: str, **numbers: Any) -> Callable[[Sandbox], None]:
    return lambda sandbox: sandbox.fault("flag_read", kind, **numbers)


@dataclass(frozen=True)
class Case:
    name: str
    fault: Callable[[Sandbox], None]
    outcome: e.Outcome
    effects: int
    writes: int | None = None  # how many requests may have been sent; None: not of interest


DONE, FOUND, FAILED, UNKNOWN = (
    e.Outcome.DONE,
    e.Outcome.FOUND,
    e.Outcome.FAILED,
    e.Outcome.UNKNOWN,
)
CASES = [
    Case("claims and did", nothing, DONE, 1, 1),
    Case("claims and did not", writing("pretend"), FAILED, 0, 1),
    Case("says 500 and did", writing("fail_after"), DONE, 1, 1),
    Case("does and never answers", writing("hang_after"), DONE, 1),
    Case("never answers and did not", writing("hang"), FAILED, 0),
    Case("says 500 once and did not", answering(500, times=1), DONE, 1, 2),
    Case("says 503 always", answering(503), FAILED, 0),
    Case("refuses with 401", answering(401), FAILED, 0, 1),
    Case("refuses with 403", answering(403), FAILED, 0, 1),
    Case("has a conflict", answering(409), UNKNOWN, 0, 1),
    Case("is busy once", answering(429, times=1, headers={"retry-after": "1"}), DONE, 1, 2),
    Case("is busy for ever", answering(429, headers={"retry-after": "60"}), FAILED, 0, 1),
    Case("shows it late", reading("late", seconds=0.5), DONE, 1, 1),
    Case("shows it too late", reading("late", seconds=60), FAILED, 1, 1),
    Case("cannot be read", reading("html"), UNKNOWN, 1, 1),
    Case("hangs when read", reading("hang"), e.Outcome.ABANDONED, 0, 0),
]


def ended(house: House) -> e.IntentEnded:
    return house.entries(e.IntentEnded)[-1]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
async def test_the_read_back_decides(tmp_path: Path, sandbox: Sandbox, case: Case) -> None:
    async with living(tmp_path, sandbox) as house:
        await house.clear()
        case.fault(sandbox)
        await house.orders.rollbacks.rollback(
            ALICE, "pause", "technical", "test", through_hold=False, dry=False
        )
        end = ended(house)
        assert end.outcome is case.outcome, end
        assert sandbox.flag_changes() == case.effects
        assert end.seconds <= DEADLINE_SECONDS + BOUND_SECONDS
        if case.writes is not None:
            assert sandbox.flag_requests(method="PUT") <= case.writes
        claimed = case.outcome in {DONE, FOUND}
        assert bool(house.engine.book.claims) is claimed
        said = any("rolled back by" in page.title for page in house.entries(e.Paged))
        assert said is claimed
        assert house.newest is not None
        states = {State.VERIFYING, State.CONTAINED} if claimed else {State.LATCHED}
        assert house.newest.state in states


async def test_what_stands_already_is_found_and_nothing_is_sent(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox) as house:
        await house.clear()
        await sandbox.change_flag_behind_its_back(enabled=False)
        await house.orders.rollbacks.rollback(
            ALICE, "pause", "technical", "test", through_hold=False, dry=False
        )
        assert ended(house).outcome is FOUND
        assert sandbox.flag_requests(method="PUT") == 0
        ep = await house.reaches(State.CONTAINED)
        told = await house.orders.rollbacks.undo(ALICE, ep.id, "over", force=False, dry=False)
        assert "was found in this state" in told.effect
        assert sandbox.flag_changes(by="somebody-else") == sandbox.flag_changes() == 1


async def test_a_dead_service_is_given_up_within_the_deadline(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox) as house:
        await house.clear()
        await sandbox.refuse_connections()
        await house.orders.rollbacks.rollback(
            ALICE, "pause", "technical", "test", through_hold=False, dry=False
        )
        assert ended(house).outcome is UNKNOWN
        assert ended(house).seconds <= DEADLINE_SECONDS + BOUND_SECONDS
        tries = [s for s in house.entries(e.StepTaken) if s.step == "change"]
        assert 2 <= len(tries) <= 10, "it is tried again, and not in a storm"


async def test_a_hold_between_decision_and_effect_stops_it(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox) as house:
        await house.clear()
        loop = asyncio.get_running_loop()

        def hold() -> None:
            house.orders.stops.hold(
                ALICE, Scope("target", TARGET), "wait", for_seconds=None, silence=False, dry=False
            )

        def heard(one: e.Recorded) -> None:
            if isinstance(one.entry, e.IntentOpened):
                loop.call_soon(hold)  # after the decision is durable, before the first look is back

        house.engine.recorder.listen(heard)
        house.break_peg()
        await house.until(lambda: house.entries(e.IntentEnded), "the end of the intent")
        assert ended(house).outcome is e.Outcome.ABANDONED
        assert "stopped right before the effect: hold: hold H1" in ended(house).reason
        ep = await house.reaches(State.HELD)
        await asyncio.sleep(1.0)
        assert ep.state is State.HELD
        assert "already burning" in ep.barred
        assert sandbox.flag_requests(method="PUT") == 0


async def test_a_hold_while_it_is_asked_who_leads_stops_it_and_tells_what_was_begun(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox) as house:
        await house.clear()
        loop = asyncio.get_running_loop()
        said: list[str] = []

        def hold() -> None:
            wait = house.orders.stops.hold(
                ALICE, Scope("target", TARGET), "wait", for_seconds=None, silence=False, dry=False
            )
            said.append(wait.effect)

        def heard(one: e.Recorded) -> None:
            if isinstance(one.entry, e.StepBegan) and not said:
                loop.call_soon(hold)  # after the gates were asked: the next await is for the lease

        house.engine.recorder.listen(heard)
        house.break_peg()
        await house.until(lambda: house.entries(e.IntentEnded), "the end of the intent")
        assert ended(house).outcome is e.Outcome.ABANDONED
        assert "stopped right before the effect: hold: hold H1" in ended(house).reason
        assert f"Begun before it, and may still take effect: pause on {TARGET} (E1)" in said[0]
        assert sandbox.flag_requests(method="PUT") == 0


async def test_a_hold_after_a_try_in_vain_lets_no_other_follow(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox) as house:
        await house.clear()
        loop = asyncio.get_running_loop()
        sandbox.fault("flag_write", "answer", status=500, times=1)

        def hold() -> None:
            house.orders.stops.hold(
                ALICE, Scope("target", TARGET), "wait", for_seconds=None, silence=False, dry=False
            )

        def heard(one: e.Recorded) -> None:
            if isinstance(one.entry, e.StepTaken) and one.entry.step == "change":
                loop.call_soon(hold)

        house.engine.recorder.listen(heard)
        house.break_peg()
        await house.until(lambda: house.entries(e.IntentEnded), "the end of the intent")
        assert ended(house).outcome is FAILED
        assert "no other try: hold: hold H1" in ended(house).reason
        await house.reaches(State.LATCHED)
        assert (sandbox.flag_requests(method="PUT"), sandbox.flag_changes()) == (1, 0)


async def test_a_hold_that_ends_in_time_lets_another_try_follow(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox) as house:
        await house.clear()
        loop = asyncio.get_running_loop()
        sandbox.fault("flag_write", "answer", status=500, times=1)

        def hold() -> None:
            house.orders.stops.hold(
                ALICE, Scope("target", TARGET), "wait", for_seconds=None, silence=False, dry=False
            )
            loop.call_later(
                DEADLINE_SECONDS / 4,
                lambda: house.orders.stops.release(ALICE, "H1", "go on", dry=False),
            )

        def heard(one: e.Recorded) -> None:
            tried = isinstance(one.entry, e.StepTaken) and one.entry.step == "change"
            if tried and not house.entries(e.HoldPlaced):
                loop.call_soon(hold)

        house.engine.recorder.listen(heard)
        house.break_peg()
        await house.reaches(State.CONTAINED)
        assert [one.outcome for one in house.entries(e.IntentEnded)] == [DONE]
        assert (sandbox.flag_requests(method="PUT"), sandbox.flag_changes()) == (2, 1)


async def test_an_action_past_its_first_effect_finishes_under_a_hold(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox) as house:
        await house.clear()
        sandbox.fault("flag_read", "late", seconds=0.7)
        house.break_peg()
        await house.until(sandbox.flag_changes, "the effect")
        house.orders.stops.hold(
            ALICE, Scope("all"), "late", for_seconds=None, silence=False, dry=False
        )
        await house.until(lambda: house.entries(e.IntentEnded), "the end of the intent")
        assert ended(house).outcome is DONE


# -- found open at the start -----------------------------------------------------------------------


async def test_one_stale_answer_is_no_reason_to_do_nothing(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """One of several replicas says that it is off already, right before the effect."""
    async with living(tmp_path, sandbox) as house:
        await house.clear()
        body = '{"flag": "btc_mainnet_redemption", "enabled": false}'
        as_json = {"content-type": "application/json"}
        reading("answer", times=1, status=200, body=body, headers=as_json)(sandbox)
        await house.orders.rollbacks.rollback(
            ALICE, "pause", "technical", "test", through_hold=False, dry=False
        )
        assert ended(house).outcome is DONE
        assert sandbox.flag_changes() == 1
        (looked,) = [one for one in house.entries(e.StepTaken) if one.step == "read_before"]
        assert (looked.result, "a moment before it was" in looked.reason) == ("false", True)


async def test_while_it_drains_no_order_begins_anything_and_what_was_begun_ends(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    rules = policy(sandbox)
    rules.actions["other"] = pause(sandbox, name="other", target="flag:other")
    async with living(tmp_path, sandbox, rules) as house:
        await house.clear()
        sandbox.fault("flag_write", "hang_after", seconds=1)
        house.break_peg()
        await house.until(lambda: sandbox.flag_changes() == 1, "its effect")
        draining = asyncio.create_task(house.engine.runner.drain(10.0))
        await asyncio.sleep(0)
        with pytest.raises(OrderRefused, match="the watchdog is stopping, and begins nothing any"):
            await house.orders.rollbacks.rollback(
                ALICE, "other", "technical", "test", through_hold=False, dry=False
            )
        assert [one.intent for one in house.entries(e.IntentOpened)] == ["I1"]
        assert not any(ep.rule == "manual" for ep in house.engine.book.episodes.values())
        await draining
        assert [one.outcome for one in house.entries(e.IntentEnded)] == [DONE]
        with pytest.raises(OrderRefused, match="is stopping"):
            await house.orders.rollbacks.undo(ALICE, "pause", "back", force=True, dry=False)
        assert len(house.entries(e.IntentOpened)) == 1


def leave_open(*, tried: bool, text: str = "") -> Callable[[House], None]:
    """The process before this one died with an intent open."""

    def leave(house: House) -> None:
        draft = house.engine.recorder.draft()
        draft.add(e.EpisodeOpened("E1", "manual", "", Severity.P0, World.LIVE, None, actor="alice"))
        draft.move(draft.book.episodes["E1"], Event.COMMANDED, "technical", actor="alice")
        until = draft.now.plus(DEADLINE_SECONDS)
        opened = e.IntentOpened("I1", "E1", "pause", TARGET, Direction.DO, until, "alice")
        draft.add(replace(opened, action_sha256=text))
        if tried:
            draft.add(e.StepTaken("I1", "read_before", "false", "enabled is true"))
        house.engine.recorder._listeners.remove(house.engine.runner.heard)
        house.engine.recorder.commit(draft)
        house.engine.recorder.listen(house.engine.runner.heard)

    return leave


@pytest.mark.parametrize(
    ("tried", "off", "outcome"),
    [
        (True, True, DONE),
        (False, True, FOUND),
        (True, False, e.Outcome.ABANDONED),
        (False, False, e.Outcome.ABANDONED),
    ],
)
async def test_an_intent_found_open_is_settled_by_reading_alone(
    tmp_path: Path, sandbox: Sandbox, *, tried: bool, off: bool, outcome: e.Outcome
) -> None:
    if off:
        await sandbox.change_flag_behind_its_back(enabled=False)
    async with living(tmp_path, sandbox, before=leave_open(tried=tried)) as house:
        await house.until(lambda: house.entries(e.IntentEnded), "the end of the intent")
        assert ended(house).outcome is outcome
        assert house.engine.book.intents == {}
    assert sandbox.flag_requests(method="PUT") == 0


@pytest.mark.parametrize(
    ("sha256", "target", "outcome"),
    [("A", TARGET, DONE), ("B", TARGET, UNKNOWN), ("A", "flag:other", UNKNOWN)],
    ids=["as-it-was", "another-text", "another-target"],
)
async def test_what_was_decided_for_is_not_settled_by_an_action_that_was_changed_since(
    tmp_path: Path, sandbox: Sandbox, sha256: str, target: str, outcome: e.Outcome
) -> None:
    await sandbox.change_flag_behind_its_back(enabled=False)
    rules = policy(sandbox)
    rules.actions["pause"] = replace(rules.actions["pause"], sha256=sha256, target=target)
    before = leave_open(tried=True, text="A")
    async with living(tmp_path, sandbox, rules, before=before) as house:
        await house.until(lambda: house.entries(e.IntentEnded), "the end of the intent")
        assert (ended(house).outcome, ended(house).target) == (outcome, TARGET)
        if outcome is UNKNOWN:
            assert "a policy was applied since that has pause otherwise" in ended(house).reason
            assert house.engine.book.every_claim() == ()
            await house.reaches(State.LATCHED)


async def test_an_intent_found_open_that_cannot_be_read_goes_to_a_person(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    sandbox.fault("flag_read", "html")
    async with living(tmp_path, sandbox, before=leave_open(tried=True)) as house:
        await house.until(lambda: house.entries(e.IntentEnded), "the end of the intent")
        assert ended(house).outcome is UNKNOWN
        await house.reaches(State.LATCHED)
    assert sandbox.flag_requests(method="PUT") == 0


async def test_an_effect_that_shows_a_moment_after_the_restart_is_ours(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """The launch tool outlived the process that started it."""
    async with living(tmp_path, sandbox, before=leave_open(tried=True)) as house:
        await asyncio.sleep(0.5)
        await sandbox.change_flag_behind_its_back(enabled=False)
        await house.until(lambda: house.entries(e.IntentEnded), "the end of the intent")
        assert ended(house).outcome is DONE


async def test_what_is_under_way_is_settled_by_nobody_else_and_can_be_cut_off(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """A lease that lapsed and came back: what waited is recorded, begins, and all is settled."""
    async with living(tmp_path, sandbox) as house:
        await house.clear()
        sandbox.fault("flag_write", "hang_after", seconds=60)
        house.break_peg()
        await house.until(lambda: sandbox.flag_changes() == 1, "its effect")
        runner = house.engine.runner
        assert runner.settle_open() == 0
        runner.halt()
        assert runner.settle_open() == 1, "what was cut off is"
        await house.reaches(State.CONTAINED)
        assert [one.intent for one in house.entries(e.IntentEnded)] == ["I1"]
        left = [task.get_name() for task in asyncio.all_tasks() if "intent" in task.get_name()]
        assert (left, runner.active) == ([], 0)


async def test_an_intent_of_an_action_that_is_gone_goes_to_a_person(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    rules = policy(sandbox)
    rules.actions["other"] = pause(sandbox, name="other")
    for names in (rules.actions, rules.playbooks, rules.rules):
        names.pop(next(iter(names)))
    async with living(tmp_path, sandbox, rules, before=leave_open(tried=True)) as house:
        await house.until(lambda: house.entries(e.IntentEnded), "the end of the intent")
        assert ended(house).outcome is UNKNOWN
        assert "not in the policy any more" in ended(house).reason
