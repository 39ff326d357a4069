"""What one daemon asks of another ends in time, for both, whatever becomes of either."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field

import psycopg
import pytest

from tests.store.postgres.conftest import Home
from tests.store.postgres.test_lending import HEALTH, RESTORE, TREE, Side, side
from watchdog.core.words import Instant, Truth
from watchdog.engine.effects.workbench import Workbench
from watchdog.engine.hosts import NotCarriedOut, Unanswered
from watchdog.engine.hosts.errands import Answer, Call, Order, answer_in, answered, written
from watchdog.ports import Attempt, Attempted, Presence
from watchdog.store.postgres import Address, PostgresPeers

FULL = """
CREATE FUNCTION public.no_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON slo_watchdog.daemons
   FOR EACH ROW EXECUTE FUNCTION public.no_room();
"""


@dataclass
class Two:
    """Ada leads, and bob follows."""

    ada: Side
    bob: Side
    url: str
    tasks: dict[str, asyncio.Task[None]]
    carried_out: list[str] = field(default_factory=list)

    async def carry_out(self, body: str) -> str:
        self.carried_out.append(body)
        return f"{body}, as ordered"

    async def freeze_ada(self) -> None:
        """It takes nothing any more, and has not left."""
        self.tasks["ada"].cancel()
        await asyncio.wait([self.tasks["ada"]])

    async def bob_takes_over(self) -> None:
        self.ada.lease.yield_()
        await self.bob.leads()

    async def ask(self, what: Call | Order, seconds: float) -> Answer | Unanswered:
        """Of bob's host, as an errand that lies on the store."""
        with closing(PostgresPeers(Address(self.url, "asks"))) as peers:
            number = peers.send("host b-host", written(what), epoch=1, deadline_seconds=seconds)
            async with asyncio.timeout(5):
                while (answer := peers.answer_to(number)) is None:  # noqa: ASYNC110  # threads
                    await asyncio.sleep(0.02)
        return answer_in(answer, "bob")


@pytest.fixture
async def two(shared: Home) -> AsyncIterator[Two]:
    async with AsyncExitStack() as stack:
        ada = await stack.enter_async_context(side(shared, "a"))
        bob = await stack.enter_async_context(side(shared, "b"))
        ada.leading.begin(0.0)
        bob.leading.begin(0.0)
        each = {"ada": ada, "bob": bob}
        tasks = {name: asyncio.create_task(one.hosts.forever()) for name, one in each.items()}
        made = Two(ada, bob, shared.url, tasks)
        ada.hosts.orders["order"] = bob.hosts.orders["order"] = made.carry_out
        await until(lambda: all(len(one.hosts.present()) == len(each) for one in each.values()))
        yield made
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        await ada.hosts.leave()
        await bob.hosts.leave()


async def until(so: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not so():  # noqa: ASYNC110  # threads meet there
            await asyncio.sleep(0.02)


async def test_who_does_not_lead_carries_no_order_out_although_its_epoch_runs(two: Two) -> None:
    """As one would that bears the leader's name, and is not the process that leads."""
    found = await two.ask(Order("order", "hold"), 5.0)
    assert found == Attempt(Attempted.REFUSED, "b does not lead in epoch 1")
    assert two.carried_out == []


async def test_what_nobody_took_is_taken_back_when_another_comes_to_lead(two: Two) -> None:
    await two.freeze_ada()
    asking = asyncio.create_task(two.bob.hosts.order("order", "hold", 900.0))
    await asyncio.sleep(0.1)
    await two.bob_takes_over()
    async with asyncio.timeout(3):
        found = await asking
    assert isinstance(found, Unanswered)
    assert not found.sent
    assert "nobody had taken it" in found.reason

    two.tasks["ada"] = asyncio.create_task(two.ada.hosts.forever())
    await asyncio.sleep(0.5)
    assert two.carried_out == []


async def test_what_was_taken_is_not_known_when_another_comes_to_lead(two: Two) -> None:
    began = asyncio.Event()

    async def hang(_: str) -> str:
        began.set()
        await asyncio.sleep(60)
        return ""

    two.ada.hosts.orders["order"] = hang
    asking = asyncio.create_task(two.bob.hosts.order("order", "undo", 900.0))
    async with asyncio.timeout(5):
        await began.wait()
    await two.bob_takes_over()
    async with asyncio.timeout(3):
        found = await asking
    assert found == Unanswered(
        "another daemon leads by now than when daemon a was asked", sent=True
    )


async def test_whoever_waits_hears_that_an_order_failed_was_refused_or_was_cut_off(
    two: Two,
) -> None:
    async def fail(_: str) -> str:
        raise ValueError("a bug")

    async def refuse(_: str) -> str:
        raise NotCarriedOut("an older one")

    async def hang(_: str) -> str:
        began.set()
        await asyncio.sleep(60)
        return ""

    began, order = asyncio.Event(), two.bob.hosts.order
    two.ada.hosts.orders |= {"fail": fail, "refuse": refuse, "hang": hang}
    async with asyncio.timeout(5):
        assert await order("fail", "", 900.0) == Unanswered(
            "a failed: ValueError: a bug", sent=True
        )
        assert await order("refuse", "", 900.0) == Unanswered("an older one", sent=False)
        assert await order("new", "", 900.0) == Unanswered("nobody here takes new", sent=False)
        asking = asyncio.create_task(order("hang", "", 900.0))
        await began.wait()
        await two.ada.hosts.leave()
        assert await asking == Unanswered("a was cut off in the middle", sent=True)


@pytest.mark.parametrize("why", ["it was begun late", "the store's clock was set back"])
async def test_what_is_begun_when_its_time_is_over_is_not_done(two: Two, why: str) -> None:
    late = why == "it was begun late"
    call = Call("attempt", RESTORE.name, RESTORE.sha256, 0, "I1", seconds=0.5 if late else 0.0)
    with psycopg.connect(two.url) as shell:
        if late:  # whoever asks who leads must wait
            shell.execute("LOCK TABLE slo_watchdog.lease")
        asking = asyncio.create_task(two.ask(call, 0.5 if late else 300.0))
        await asyncio.sleep(0.85 if late else 0.0)
    found = await asking
    assert found == Attempt(Attempted.NOT_DONE, "its time was over before it could be begun")
    assert two.bob.worker.asked == []


async def test_a_reading_that_an_older_daemon_refuses_says_why_here(two: Two) -> None:
    two.tasks["bob"].cancel()
    there = two.ada.hosts.of(RESTORE)
    reading = asyncio.create_task(
        there.probe.read(HEALTH, "ok", at=Instant(0.0, 0.0), deadline_seconds=3)
    )
    with closing(PostgresPeers(Address(two.url, "old"))) as old:
        me = Presence("old", "b-host", "0.0.1", sees=True)
        while not (errands := old.meet(me)[1]):  # noqa: ASYNC110  # threads meet there
            await asyncio.sleep(0.02)
        refused = Attempt(Attempted.REFUSED, "this version does not know what is asked")
        old.answer(errands[0].number, answered(refused))
        found = await reading
    assert (found.truth, found.reason) == (Truth.UNKNOWN, refused.reason)


async def test_whoever_does_not_lead_any_more_clears_nothing_away(two: Two) -> None:
    """The marks of a way half gone are what the next one goes on by."""
    leading, worker = two.ada.leading, two.ada.worker
    recorder = leading._recorder  # our own
    bench = Workbench(recorder, worker, worker, lambda _: "", leading.fence)
    assert (await bench.settle(TREE, "I1", 1.0, ())).reason == "no room", "the worker's own word"
    await two.bob_takes_over()
    settled = await bench.settle(TREE, "I1", 1.0, ())
    assert (settled.result, settled.reason) == (Attempted.NOT_DONE, "not tried: epoch 1 is over")


async def test_a_full_disk_under_the_table_of_daemons_ends_nobody(two: Two) -> None:
    with psycopg.connect(two.url, autocommit=True) as shell:
        shell.execute(FULL)
        await asyncio.sleep(0.6)
        assert not any(task.done() for task in two.tasks.values())
        shell.execute("DROP TRIGGER no_room ON slo_watchdog.daemons")
    assert await two.bob.hosts.order("order", "hold", 5.0) == "hold, as ordered"
