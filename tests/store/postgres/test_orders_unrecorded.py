"""What is ordered of a leader that cannot record it: refused, or not known, and never forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.house import ALICE, TARGET, House, living
from tests.store.postgres.conftest import Home
from watchdog.core import entries as e
from watchdog.core.entries import PolicyApplied
from watchdog.core.spec import Scope
from watchdog.core.states import State
from watchdog.engine import Done, OrderRefused
from watchdog.engine.retention import snapshot
from watchdog.ports import JournalLost
from watchdog.sandbox.handle import Sandbox
from watchdog.store import SqliteJournal
from watchdog.store.postgres import Address, PostgresPeers
from watchdog.store.postgres.trouble import NotDone


class Road:
    """The real journal over a road that may be closed, before or after what is sent on it."""

    def __init__(self, real: SqliteJournal) -> None:
        self._real = real
        self.closed: JournalLost | None = None

    def append(self, *given: Any, **more: Any) -> Any:
        if self.closed is not None:
            raise self.closed
        return self._real.append(*given, **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


Order = Callable[[House], Done | Awaitable[Done]]


def hold(house: House) -> Done:
    return house.orders.stops.hold(
        ALICE, Scope("all"), "stop it", for_seconds=None, silence=False, dry=False
    )


def undo(house: House) -> Awaitable[Done]:
    return house.orders.rollbacks.undo(ALICE, "E1", "fixed", force=True, dry=False)


def rollback(house: House) -> Awaitable[Done]:
    return house.orders.rollbacks.rollback(
        ALICE, "pause", "technical", "x", through_hold=True, dry=False
    )


ORDERS: tuple[Order, ...] = (
    hold,
    undo,
    lambda house: house.orders.stops.release(ALICE, "H1", "done", dry=False),
    lambda house: house.orders.episodes.ack(ALICE, "E1", "seen", dry=False),
    lambda house: house.orders.episodes.mark(ALICE, "E1", "drill", "a test", dry=False),
    lambda house: house.orders.deploys.unfreeze(ALICE, TARGET, "another release", dry=False),
)


async def carried_out(order: Order, house: House) -> Done:
    found = order(house)
    return found if isinstance(found, Done) else await found


@pytest.fixture
async def house(tmp_path: Path, shared: Home) -> AsyncIterator[House]:
    """It leads, on a record that it shares; an episode is contained, and a hold stands."""
    with closing(PostgresPeers(Address(shared.url, "here"))) as ours:
        async with (
            Sandbox.start(tmp_path / "mycelia") as sandbox,
            living(tmp_path, sandbox, peers=ours, journal=Road) as made,
        ):
            await made.clear()
            made.break_peg()
            await made.reaches(State.CONTAINED)
            hold(made)
            yield made
            road(made).closed = None


def road(house: House) -> Road:
    journal = house.engine.ports.journal
    assert isinstance(journal, Road)
    return journal


async def test_what_could_not_be_recorded_is_refused_and_leaves_no_trace(house: House) -> None:
    road(house).closed = NotDone("the road is closed")
    written, believed = house.engine.recorder.last_seq, snapshot(house.engine.book)
    for order in ORDERS:
        with pytest.raises(OrderRefused, match=r"not be recorded: the road is closed; not done"):
            await carried_out(order, house)
    policy = house.engine.in_force()
    applied = PolicyApplied("another", (), "alice")
    missed = house.engine.adopt(replace(policy, sha256="another"), applied, ordered=True)
    assert missed is not None
    assert (missed.reason, missed.in_doubt) == ("the road is closed", False)
    assert house.engine.in_force() is policy
    road(house).closed = None
    assert house.engine.recorder.last_seq == written
    assert snapshot(house.engine.book) == believed


async def test_what_was_sent_and_not_answered_is_not_known_and_is_tried_until_it_is(
    house: House,
) -> None:
    road(house).closed = JournalLost("no answer")
    with pytest.raises(OrderRefused, match=r"whether it was recorded is not known.*: no answer"):
        hold(house)
    assert len(house.engine.book.holds) == len(("H1", "H2")), "what may stand is kept to"
    with pytest.raises(OrderRefused, match="could not be recorded: no answer; not done"):
        await carried_out(undo, house)
    road(house).closed = None
    await house.until(lambda: len(house.entries(e.HoldPlaced)) == len(("H1", "H2")), "recorded")


async def test_who_does_not_lead_any_more_carries_nothing_out(house: House) -> None:
    written = house.engine.recorder.last_seq
    for order in (*ORDERS, rollback):
        house.engine.leading.deposed()
        with pytest.raises(OrderRefused, match="not done"):
            await carried_out(order, house)
    assert house.engine.recorder.last_seq == written
