"""A deploy and the configuration's rollback, on a real folder that a real manifest is about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.configuration import BAD_BUILD, GOOD_BUILD, ladder, live, ready, served
from tests.engine.house import ALICE, ROBOT, TARGET, House, living, peg, policy
from tests.engine.test_full_journal import Filling, disk
from watchdog.core import entries as e
from watchdog.core.deploys import DeployOutcome
from watchdog.core.probes import ManifestProbe, Probed
from watchdog.core.replay import replayed
from watchdog.core.rights import Account, Grant, Right, Rights
from watchdog.core.spec import Policy, Rung, SourceSpec
from watchdog.core.states import State
from watchdog.core.words import Mode, Status
from watchdog.engine import DeployDesk, Done, OrderRefused, Orders, Person, Wish
from watchdog.engine.retention import fold, snapshot
from watchdog.sandbox.handle import Sandbox
from watchdog.sandbox.release import write_manifest


@pytest.fixture
async def mycelia(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox.start(tmp_path / "mycelia") as sandbox:
        yield sandbox


def current(sandbox: Sandbox) -> Path:
    return sandbox.places.release / "mainnet"


def target(sandbox: Sandbox) -> str:
    return f"config:{current(sandbox)}"


def guarded(sandbox: Sandbox) -> Policy:
    """The release folder must be as its manifest says, else the release before is put back."""
    how = ManifestProbe(str(current(sandbox) / "checksums.txt"), extra=False)
    probe = SourceSpec("probe:whole", 0.1, 1.0, 1 << 30, 1, how)
    rule = peg("whole", source=probe.name, signal=Probed(1, 1, how.path, how))
    base = ladder(sandbox, Rung("restore", Mode.ARMED, 30.0))
    return replace(base, rules={"whole": rule}, sources={probe.name: probe})


def begin(house: House, where: str, person: Person = ALICE, **different: object) -> Done:
    how = {"for_seconds": 60.0, "change": "git 2f1c9d4", "reason": "", "dry": False} | different
    return house.orders.deploys.begin(person, where, **how)  # type: ignore[arg-type]  # by name


def end(house: House, where: str, outcome: DeployOutcome = DeployOutcome.OK) -> Done:
    return house.orders.deploys.end(ALICE, where, outcome, "", dry=False)


def is_(house: House, status: Status) -> bool:
    verdict = house.engine.memory.verdict("whole")
    return verdict is not None and verdict.status is status


async def under_way(house: House, sandbox: Sandbox) -> None:
    """A deploy begins, and of its files only one is copied yet, for longer than `for`."""
    begin(house, target(sandbox))
    copy_half(sandbox)
    await house.until(lambda: is_(house, Status.BREACHED), "seen")
    await house.reaches(State.HELD)


def copy_half(sandbox: Sandbox) -> None:
    (current(sandbox) / "redemption.json").write_text('{"feeBasisPoints": 30', encoding="utf-8")


def copy_all(sandbox: Sandbox) -> None:
    """The files of the new release and their manifest, which agree again."""
    (current(sandbox) / "redemption.json").write_text('{"feeBasisPoints": 30}', encoding="utf-8")
    write_manifest(current(sandbox))


def started(house: House) -> list[e.IntentOpened]:
    return house.entries(e.IntentOpened)


async def test_a_half_copied_tree_is_no_corruption_while_it_is_deployed(
    tmp_path: Path, mycelia: Sandbox
) -> None:
    async with ready(tmp_path, mycelia, guarded(mycelia)) as house:
        await under_way(house, mycelia)
        assert started(house) == []
        assert house.newest is not None
        (refused,) = house.newest.refusals
        assert refused.startswith(f"deploy: deploy of {target(mycelia)} under way since ")

        copy_all(mycelia)
        end(house, target(mycelia))  # before anybody has looked at the whole one
        await house.reaches(State.OK)

        assert started(house) == []
        assert [replayed(d) for d in house.entries(e.Decided) if replayed(d)] == []


async def test_what_a_deploy_leaves_broken_is_put_back_when_it_ends(
    tmp_path: Path, mycelia: Sandbox
) -> None:
    async with ready(tmp_path, mycelia, guarded(mycelia)) as house:
        await under_way(house, mycelia)
        await asyncio.sleep(0.3)
        assert started(house) == []

        end(house, target(mycelia), DeployOutcome.FAILED)
        await house.until(lambda: house.entries(e.IntentEnded), "put back")

        assert live(mycelia) == served(mycelia) == GOOD_BUILD
        assert len(started(house)) == 1


async def test_what_was_rolled_back_is_frozen_over_a_restart_until_a_person_lifts_it(
    tmp_path: Path, mycelia: Sandbox
) -> None:
    where = target(mycelia)
    async with ready(tmp_path, mycelia, guarded(mycelia)) as house:
        copy_half(mycelia)
        await house.until(lambda: house.entries(e.IntentEnded), "put back")
        with pytest.raises(OrderRefused, match=f"{where} is frozen: E1 rolled it back"):
            begin(house, where)

    async with living(tmp_path, mycelia, guarded(mycelia)) as house:
        with pytest.raises(OrderRefused, match="slo-watchdog deploy unfreeze config:"):
            begin(house, where)
        for person, reason, why in ((ALICE, " ", "a reason"), (ROBOT, "mended", "as a person")):
            with pytest.raises(OrderRefused, match=why):
                house.orders.deploys.unfreeze(person, where, reason, dry=False)
        house.orders.deploys.unfreeze(ALICE, where, "another build", dry=False)
        (lifted,) = house.entries(e.FreezeLifted)
        assert (lifted.episodes, lifted.actor) == (("E1",), "alice")
        begin(house, where)

    async with living(tmp_path, mycelia, guarded(mycelia)) as house:
        assert house.engine.book.deploys.open[where].actor == "alice", "still under way"
        end(house, where)
        begin(house, where)


async def test_nobody_deploys_into_an_action_and_people_act_through_a_deploy_only_by_saying_so(
    tmp_path: Path, mycelia: Sandbox
) -> None:
    where = target(mycelia)
    async with ready(tmp_path, mycelia, guarded(mycelia)) as house:

        def rollback(*, through_hold: bool) -> asyncio.Task[Done]:
            order = house.orders.rollbacks.rollback(
                ALICE, "restore", "technical", "it is bad", through_hold=through_hold, dry=False
            )
            return asyncio.create_task(order)

        begin(house, where)
        with pytest.raises(OrderRefused, match=r"under way since.*To act through it: --through-"):
            await rollback(through_hold=False)
        assert live(mycelia) == BAD_BUILD

        acting = rollback(through_hold=True)
        await house.until(lambda: house.engine.book.intents, "under way")
        end(house, where)
        for name in (where, "all"):
            with pytest.raises(OrderRefused, match=r"I1 .* is under way on config:"):
                begin(house, name)
        assert (await acting).data["outcome"] == "done"

        house.orders.deploys.unfreeze(ALICE, where, "for the next one", dry=False)
        begin(house, where)
        with pytest.raises(OrderRefused, match="Wait until it is over, or, in spite of it"):
            await house.orders.rollbacks.undo(ALICE, "restore", "", force=False, dry=False)


async def test_an_order_is_refused_with_a_reason_and_shows_itself_before(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox) as house:
        shown = begin(house, TARGET, dry=True)
        assert shown.effect.startswith(f"a deploy of {TARGET} begins, until ")
        assert house.engine.book.deploys.open == {}
        with pytest.raises(OrderRefused, match=f"no action changes flag:other.*{TARGET}, all"):
            begin(house, "flag:other")
        with pytest.raises(OrderRefused, match="--for 20m"):
            begin(house, TARGET, for_seconds=1e6)
        with pytest.raises(OrderRefused, match="no deploy of all is under way"):
            end(house, "all")
        with pytest.raises(OrderRefused, match="is not frozen"):
            house.orders.deploys.unfreeze(ALICE, TARGET, "why not", dry=False)
        with pytest.raises(OrderRefused, match="name the target"):
            house.orders.deploys.unfreeze(ALICE, "all", "why not", dry=False)
        done = begin(house, TARGET, ROBOT)
        assert done.data == {"deploy": "P1"}, "a script may"
        with pytest.raises(OrderRefused, match=r"P1 \(git 2f1c9d4\) of flag:"):
            begin(house, TARGET)
        assert end(house, TARGET).effect.startswith("P1, the deploy of ")


async def test_rights_are_asked_where_there_are_some(tmp_path: Path, sandbox: Sandbox) -> None:
    grant = Grant(frozenset({Right.DEPLOY}), frozenset({"team"}), users=frozenset({"ci"}))
    rights = Rights("/etc/rights.toml", (grant,))
    pipeline = Person("ci (uid 7)", counts=True, account=Account("ci"))
    async with living(tmp_path, sandbox) as house:
        house.orders = Orders(house.engine, lambda: rights)
        begin(house, TARGET, pipeline)
        with pytest.raises(OrderRefused, match="lacks the right `deploy`"):
            begin(house, TARGET)
        with pytest.raises(OrderRefused, match="lacks the right `deploy`"):
            end(house, TARGET)
        with pytest.raises(OrderRefused, match="lacks the right `deploy`"):
            begin(house, "all", pipeline)  # which is nobody's alone
        with pytest.raises(OrderRefused, match="lacks the right `unfreeze`"):
            house.orders.deploys.unfreeze(pipeline, TARGET, "why not", dry=False)


async def test_what_cannot_be_recorded_has_not_begun(tmp_path: Path, sandbox: Sandbox) -> None:
    async with living(tmp_path, sandbox, journal=Filling) as house:
        await house.clear()
        disk(house).full = True
        with pytest.raises(OrderRefused, match="could not be recorded"):
            begin(house, TARGET)
        assert house.engine.book.deploys.open == {}
        disk(house).full = False
        begin(house, TARGET)
        disk(house).full = True
        with pytest.raises(OrderRefused, match="could not be recorded"):
            end(house, TARGET)
        assert TARGET in house.engine.book.deploys.open
        disk(house).full = False


async def test_what_is_known_outlives_the_entries_that_told_it(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox, policy(sandbox)) as house:
        desk = DeployDesk(house.engine)
        for name in ("ci-1", "ci-2"):
            desk.begin(Wish(TARGET, "pipeline ci", 60.0, "v2", "", name))
            desk.end_own("pipeline ci", name, DeployOutcome.OK, "")
        desk.begin(Wish("all", "pipeline ci", 60.0, "v2", "", "ci-3"))
        journal, book = house.engine.ports.journal, house.engine.book
        newest, at = house.engine.recorder.last_seq, book.last
        assert at is not None
        journal.prune(newest, snapshot(fold(journal, upto_seq=newest)[0]), at)
        again, _ = fold(journal)
        assert again.deploys == book.deploys
        assert desk.begin(Wish("all", "pipeline ci", 60.0, "v2", "", "ci-3")).known
