"""A version is rolled back: proven deployable, deployed once, read back, and never by hearsay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.engine.configuration import look_again, steps
from tests.engine.house import ALICE, House, living, peg, policy, source
from tests.releases.site import BAD, GOOD, SHOWS, TARGET, Shop
from watchdog.cli.page import Page
from watchdog.cli.plan_page import show_plan
from watchdog.core import entries as e
from watchdog.core.deploys import DeployOutcome
from watchdog.core.releases import DeployRelease, content_digest
from watchdog.core.replay import replayed
from watchdog.core.spec import Endpoint, JsonDocument, Playbook, Policy, Rung, Scope, Step
from watchdog.core.states import State
from watchdog.core.words import Mode, Truth
from watchdog.engine import Done, NoPlan, OrderRefused
from watchdog.engine.deploys import DeployDesk, Wish
from watchdog.engine.hosts.errands import ways_of
from watchdog.sandbox.handle import Sandbox

NAME = "roll-back-shop"
BOTH = pytest.mark.parametrize("kind", ["tool", "call"])


@pytest.fixture(scope="module")
def one_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Shop.running(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture
def shop(one_shop: Shop) -> Shop:
    one_shop.reset()
    return one_shop


def of_kind(shop: Shop, kind: str, **different: Any) -> DeployRelease:
    return (shop.by_tool if kind == "tool" else shop.by_call)(**different)


def rules(sandbox: Sandbox, shop: Shop, how: DeployRelease, **different: Any) -> Policy:
    """One rule, over how well the version that is served does."""
    action = shop.action(how, **different)
    document = JsonDocument(Endpoint(f"{shop.url}/status"), "timestamp", (("status", "health"),))
    base = policy(sandbox, peg(), sources=(source(sandbox, how=document),))
    return replace(
        base,
        actions={NAME: action},
        playbooks={"ladder": Playbook("ladder", (Rung(NAME, Mode.ARMED, 5.0),))},
    )


@asynccontextmanager
async def ready(folder: Path, sandbox: Sandbox, rules: Policy) -> AsyncIterator[House]:
    """A house that is on guard, with a version to go back to."""
    async with living(folder, sandbox, rules, patience_seconds=0.1) as house:
        await house.clear()
        await house.until(lambda: readiness(house)[0] is Truth.TRUE, "ready")
        yield house


def readiness(house: House) -> tuple[Truth, str]:
    found = house.engine.book.readiness.get(NAME)
    return (found[0], found[1]) if found is not None else (Truth.UNKNOWN, "")


async def command(house: House) -> Done:
    return await house.orders.rollbacks.rollback(
        ALICE, NAME, "technical", "bad version", through_hold=False, dry=False
    )


async def undo(house: House) -> Done:
    return await house.orders.rollbacks.undo(ALICE, NAME, "it was fine", force=True, dry=False)


def outcome(done: Done) -> str:
    return str(done.data["outcome"])


def quarantined(house: House) -> list[str]:
    return list(house.engine.book.anchors.bad)


@BOTH
async def test_a_person_deploys_the_version_before_and_takes_it_back_again(
    tmp_path: Path, sandbox: Sandbox, shop: Shop, kind: str
) -> None:
    async with ready(tmp_path, sandbox, rules(sandbox, shop, of_kind(shop, kind))) as house:
        done = await command(house)

        assert outcome(done) == "done", done.effect
        assert steps(house) == [
            ("read_before", "false"),
            ("prove", "claimed"),
            ("change", "claimed"),
            ("settle", "claimed"),
        ]
        assert quarantined(house) == [content_digest(TARGET, BAD)]

        undone = await undo(house)

        assert outcome(undone) == "done", undone.effect
        assert shop.changes == ["v5 -> v4", "v4 -> v5"]
        assert quarantined(house) == [], "whoever undoes it vouches for it"


async def test_a_version_that_is_ill_is_rolled_back_by_itself_and_never_restored(
    tmp_path: Path, sandbox: Sandbox, shop: Shop
) -> None:
    async with ready(tmp_path, sandbox, rules(sandbox, shop, shop.by_call())) as house:
        shop.fault("v5 is ill")
        ep = await house.reaches(State.CONTAINED)

        assert shop.changes == ["v5 -> v4"]
        assert [one.episode for one in house.engine.book.anchors.bad.values()] == [ep.id]

        def offered() -> bool:
            look_again(house)  # the version before is the bad one now
            anchor = house.engine.book.anchors.now.get(NAME)
            return anchor is not None and anchor.digest == content_digest(TARGET, BAD)

        await house.until(offered, "the bad one is what would be restored")
        with pytest.raises(OrderRefused, match="quarantined"):
            await command(house)
        assert shop.served == GOOD


async def test_who_says_that_it_is_deployed_while_the_old_one_is_served_has_failed(
    tmp_path: Path, sandbox: Sandbox, shop: Shop
) -> None:
    shop.fault("lies")
    policy = rules(sandbox, shop, shop.by_tool(), deadline_seconds=2.5)
    async with ready(tmp_path, sandbox, policy) as house:
        done = await command(house)

        assert outcome(done) == "failed", done.effect
        assert "claimed" in done.effect
        assert len(shop.calls("deploy")) == 1
        assert quarantined(house) == []


@pytest.mark.parametrize(("kind", "fault"), [("tool", "says no"), ("call", "hangs after")])
async def test_what_came_of_a_deploy_is_told_by_what_is_served(
    tmp_path: Path, sandbox: Sandbox, shop: Shop, kind: str, fault: str
) -> None:
    shop.fault(fault)
    policy = rules(sandbox, shop, of_kind(shop, kind), deadline_seconds=2.0)
    async with ready(tmp_path, sandbox, policy) as house:
        done = await command(house)

        assert outcome(done) == "done", done.effect
        assert shop.changes == ["v5 -> v4"]
        assert len(shop.calls("deploy")) == 1
        shop.mend(fault)


async def test_one_that_hangs_is_ended_at_its_deadline_and_nothing_is_tried_again(
    tmp_path: Path, sandbox: Sandbox, shop: Shop
) -> None:
    shop.fault("hangs before")
    policy = rules(sandbox, shop, shop.by_tool(), deadline_seconds=2.0)
    async with ready(tmp_path, sandbox, policy) as house:
        done = await command(house)

        assert outcome(done) == "failed", done.effect
        shop.mend("hangs before")
        await asyncio.sleep(0.1)
        assert (shop.changes, len(shop.calls("deploy"))) == ([], 1)


async def test_what_is_declared_idempotent_is_tried_again_after_an_unknown_outcome(
    tmp_path: Path, sandbox: Sandbox, shop: Shop
) -> None:
    shop.fault("breaks down")
    how = shop.by_tool(idempotent=True)
    async with ready(tmp_path, sandbox, rules(sandbox, shop, how)) as house:
        order = asyncio.create_task(command(house))
        await house.until(lambda: shop.calls("deploy"), "tried once")
        shop.mend("breaks down")

        assert outcome(await order) == "done"
        assert len(shop.calls("deploy")) > 1


async def test_what_breaks_down_is_not_tried_again_by_itself(
    tmp_path: Path, sandbox: Sandbox, shop: Shop
) -> None:
    shop.fault("breaks down")
    policy = rules(sandbox, shop, shop.by_call(), deadline_seconds=1.2)
    async with ready(tmp_path, sandbox, policy) as house:
        assert outcome(await command(house)) == "failed"
        assert len(shop.calls("deploy")) == 1


async def test_what_cannot_be_deployed_any_more_stops_it_right_before_the_effect(
    tmp_path: Path, sandbox: Sandbox, shop: Shop
) -> None:
    async with ready(tmp_path, sandbox, rules(sandbox, shop, shop.by_tool())) as house:
        shop.purge(GOOD)
        done = await command(house)

        assert outcome(done) == "failed", done.effect
        assert "v4 cannot be deployed any more" in done.effect
        assert shop.calls("deploy") == []


OVERTAKEN: dict[str, tuple[str, Callable[[Shop], None], str, str]] = {
    "another runs": (
        "tool",
        lambda shop: shop.change(served="v6"),
        "v6 runs by now, and not v5",
        "v6 -> v4",
    ),
    "another anchor": (
        "call",
        lambda shop: shop.change(previous="v3"),
        "v3 would be restored by now, and not v4",
        "v5 -> v3",
    ),
}


@pytest.mark.parametrize("what", OVERTAKEN)
async def test_a_persons_order_looks_anew_at_what_changed_since_the_last_preflight_and_goes_on(
    tmp_path: Path, sandbox: Sandbox, shop: Shop, what: str
) -> None:
    kind, happens, says, changes = OVERTAKEN[what]
    async with ready(tmp_path, sandbox, rules(sandbox, shop, of_kind(shop, kind))) as house:
        happens(shop)
        done = await command(house)

        assert outcome(done) == "done", done.effect
        assert shop.changes == [changes]
        overtaken, went_on = house.entries(e.IntentEnded)
        assert overtaken.outcome is e.Outcome.ABANDONED
        assert says in overtaken.reason
        assert overtaken.episode == went_on.episode


async def test_an_order_that_finds_nothing_to_go_back_to_says_what_is_different(
    tmp_path: Path, sandbox: Sandbox, shop: Shop
) -> None:
    async with ready(tmp_path, sandbox, rules(sandbox, shop, shop.by_tool())) as house:
        shop.change(served="v6", previous="v6")
        with pytest.raises(OrderRefused) as refused:
            await command(house)

        assert "v6 runs by now, and not v5" in str(refused.value)
        assert "nothing to roll back to: v6 runs already" in str(refused.value)
        assert shop.calls("deploy") == []
        assert list(house.engine.book.open_episodes()) == []


async def test_an_order_that_somebody_keeps_overtaking_is_left_to_a_person(
    tmp_path: Path, sandbox: Sandbox, shop: Shop
) -> None:
    async with ready(tmp_path, sandbox, rules(sandbox, shop, shop.by_call())) as house:
        deploys_before_each_proof(house, shop)
        done = await command(house)

        assert outcome(done) == "abandoned", done.effect
        assert [end.outcome.value for end in house.entries(e.IntentEnded)] == ["abandoned"] * 3
        (ep,) = house.engine.book.open_episodes()
        assert (ep.state, shop.calls("deploy")) == (State.LATCHED, [])


def deploys_before_each_proof(house: House, shop: Shop) -> None:
    """Whatever is decided, another version runs before it can take effect."""
    number = iter(range(10, 100))

    def heard(recorded: e.Recorded) -> None:
        if isinstance(recorded.entry, e.IntentOpened):
            shop.change(served=f"v{next(number)}")

    house.engine.recorder._listeners.insert(0, heard)


async def test_a_version_that_is_ill_at_once_is_rolled_back_though_no_preflight_has_seen_it(
    tmp_path: Path, sandbox: Sandbox, shop: Shop
) -> None:
    """Nobody told of the deploy, and the breach comes long before the calendar's next look."""
    shop.change(served=GOOD, previous="v3")
    async with ready(tmp_path, sandbox, rules(sandbox, shop, shop.by_call())) as house:
        shop.change(served=BAD, previous=GOOD)
        shop.fault("v5 is ill")
        ep = await house.reaches(State.CONTAINED)

        assert shop.changes == ["v5 -> v4"]
        overtaken, done = house.entries(e.IntentEnded)
        assert overtaken.outcome is e.Outcome.ABANDONED
        assert "v5 runs by now, and not v4" in overtaken.reason
        assert (done.outcome, ep.differed) == (e.Outcome.DONE, 1)
        decided_on_what_was_carried_out(house)


def decided_on_what_was_carried_out(house: House) -> None:
    """Each start rests on a decision of its own, which its inputs give again."""
    decided = {one.decision: one for one in house.entries(e.Decided)}
    for opened in house.entries(e.IntentOpened):
        decision = decided.pop(opened.decision)
        assert decision.inputs["anchor"] == dict(opened.facts)["digest"]
        assert replayed(decision) == ()


async def test_by_itself_it_is_decided_anew_twice_and_then_left_to_a_person(
    tmp_path: Path, sandbox: Sandbox, shop: Shop
) -> None:
    async with ready(tmp_path, sandbox, rules(sandbox, shop, shop.by_call())) as house:
        deploys_before_each_proof(house, shop)
        shop.fault("all are ill")
        ep = await house.reaches(State.LATCHED)

        assert [end.outcome.value for end in house.entries(e.IntentEnded)] == ["abandoned"] * 3
        assert "decided 3 times, and overtaken" in ep.reason
        assert shop.calls("deploy") == []


async def test_what_a_deploy_changed_is_looked_at_when_it_ends_before_anything_is_decided(
    tmp_path: Path, sandbox: Sandbox, shop: Shop
) -> None:
    shop.change(served=GOOD, previous="v3")
    async with ready(tmp_path, sandbox, rules(sandbox, shop, shop.by_call())) as house:
        deploys = DeployDesk(house.engine)
        deploys.begin(Wish(TARGET, "pipeline ci", 60.0))
        shop.change(served=BAD, previous=GOOD)
        shop.fault("v5 is ill")
        deploys.end(TARGET, "pipeline ci", DeployOutcome.OK)
        assert readiness(house) == (Truth.UNKNOWN, "changed by a deploy; looked at anew")
        await house.reaches(State.CONTAINED)

        assert shop.changes == ["v5 -> v4"]
        (done,) = house.entries(e.IntentEnded)
        assert done.outcome is e.Outcome.DONE
        decided_on_what_was_carried_out(house)


async def test_a_hold_that_comes_while_it_is_asked_again_is_heard(
    tmp_path: Path, sandbox: Sandbox, shop: Shop
) -> None:
    async with ready(tmp_path, sandbox, rules(sandbox, shop, shop.by_tool())) as house:
        asked = len(shop.calls("can-deploy"))
        shop.fault("proof hangs")
        shop.fault("v5 is ill")
        await house.until(lambda: len(shop.calls("can-deploy")) > asked, "it is asked again")
        scope = Scope("target", TARGET)
        house.orders.stops.hold(ALICE, scope, "wait", for_seconds=60, silence=False, dry=False)
        shop.mend("proof hangs")
        await house.until(lambda: house.entries(e.IntentEnded), "it ended")

        (ended,) = house.entries(e.IntentEnded)
        assert ended.outcome is e.Outcome.ABANDONED
        assert "wait" in ended.reason
        assert shop.calls("deploy") == []


async def test_a_read_back_that_speaks_of_other_versions_is_told_before_it_is_needed(
    tmp_path: Path, sandbox: Sandbox, shop: Shop
) -> None:
    how = shop.by_call()
    strange = Step(how, SHOWS.replace("'${", "'release-${"))
    policy = rules(sandbox, shop, how, do=strange)
    async with living(tmp_path, sandbox, policy, patience_seconds=0.1) as house:
        await house.until(lambda: readiness(house)[1], "looked at")
        truth, reason = readiness(house)
        assert truth is Truth.FALSE
        assert (
            "the read-back does not show what is said to run: not build == 'release-v5'" in reason
        )
        with pytest.raises(OrderRefused, match="not ready"):
            await command(house)


async def test_what_was_displaced_and_purged_since_cannot_be_taken_back(
    tmp_path: Path, sandbox: Sandbox, shop: Shop
) -> None:
    async with ready(tmp_path, sandbox, rules(sandbox, shop, shop.by_tool())) as house:
        assert outcome(await command(house)) == "done"
        shop.purge(BAD)

        undone = await undo(house)

        assert outcome(undone) == "failed", undone.effect
        assert "v5 cannot be deployed any more" in undone.effect
        assert (shop.served, quarantined(house)) == (GOOD, [content_digest(TARGET, BAD)])


@pytest.mark.parametrize(
    ("cut_off", "ends", "changes"),
    [
        ("proof hangs", e.Outcome.ABANDONED, []),
        ("hangs before", e.Outcome.FAILED, []),
        ("hangs after", e.Outcome.DONE, ["v5 -> v4"]),
    ],
)
async def test_a_watchdog_that_ends_in_the_middle_repeats_nothing(
    tmp_path: Path,
    sandbox: Sandbox,
    shop: Shop,
    cut_off: str,
    ends: e.Outcome,
    changes: list[str],
) -> None:
    policy = rules(sandbox, shop, shop.by_tool(), deadline_seconds=3.0)
    async with ready(tmp_path, sandbox, policy) as house:
        word = "can-deploy" if cut_off == "proof hangs" else "deploy"
        before = len(shop.calls(word))
        shop.fault(cut_off)
        order = asyncio.create_task(command(house))
        await house.until(lambda: len(shop.calls(word)) > before, "it is cut off here")
        await house.until(lambda: shop.changes == changes, "and had this effect")
        order.cancel()
    shop.mend(cut_off)
    deployed = len(shop.calls("deploy"))

    async with living(tmp_path, sandbox, policy, patience_seconds=0.1) as house:
        await house.until(lambda: house.entries(e.IntentEnded), "it ended")

        (ended,) = house.entries(e.IntentEnded)
        assert ended.outcome is ends, ended.reason
        assert (shop.changes, len(shop.calls("deploy"))) == (changes, deployed)
        assert len(quarantined(house)) == len(changes), "what it displaced is known as bad"


def test_another_hosts_daemon_can_be_asked_for_every_part_of_it(shop: Shop) -> None:
    action = shop.action(shop.by_tool())
    assert action.undo is not None
    for how in (action.do.how, action.undo.how):
        assert isinstance(how, DeployRelease)
        assert {how, how.by, replace(how, asks_only=True)} <= set(ways_of(action))


async def test_the_plan_shows_both_versions_and_the_very_command(
    tmp_path: Path, sandbox: Sandbox, shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    async with ready(tmp_path, sandbox, rules(sandbox, shop, shop.by_tool())) as house:
        found = house.orders.plans.plan(NAME)
        assert not isinstance(found, NoPlan)

        show_plan(Page(), found, datetime.now(UTC))

    told = " ".join(capsys.readouterr().out.split())
    assert "deployer.py" in told
    for line in (
        "deploy v4 ",
        "can-deploy v4 ",
        "undo ",
        "deploy v5 ",
        "version v4 ",
        "present version v5 ",
        "known by ",
        f"what runs is told by build of {shop.url}/version",
        f"read back {shop.url}/version: build == 'v4' ",
        "which must show: build == 'v5' ",
        "LOST: what v5 does, and v4 does not",
    ):
        assert line in f"{told} ", told
    for word in ("digest", "restores", "written at", "${"):
        assert word not in told


async def test_a_release_that_is_just_being_deployed_pages_nobody(
    tmp_path: Path, sandbox: Sandbox, shop: Shop
) -> None:
    async with ready(tmp_path, sandbox, rules(sandbox, shop, shop.by_call())) as house:
        deploys = DeployDesk(house.engine)
        deploys.begin(Wish(TARGET, "pipeline ci", 60.0))
        shop.change(previous=BAD)  # as the deployer calls it before it serves the next one
        looked = house.engine.preflight.looked_at

        def looked_again() -> bool:
            look_again(house)
            return house.engine.preflight.looked_at != looked

        await house.until(looked_again, "looked at meanwhile")
        assert readiness(house)[0] is Truth.TRUE
        assert house.entries(e.Paged) == []

        deploys.end(TARGET, "pipeline ci", DeployOutcome.OK)
        looked = house.engine.preflight.looked_at
        await house.until(looked_again, "looked at afterwards")
        await house.until(
            lambda: readiness(house)[0] is Truth.FALSE, "what is so afterwards counts"
        )
        assert "nothing to roll back to" in house.entries(e.Paged)[-1].title
