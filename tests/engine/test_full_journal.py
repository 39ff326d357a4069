"""Law 1: what cannot be recorded is not done; when there is room again it is done, or given up."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from tests.engine.house import ALICE, House, living, pause, policy
from watchdog.core import entries as e
from watchdog.core.states import State
from watchdog.core.words import Instant, Status
from watchdog.engine import OrderRefused
from watchdog.ports import FIRST_EPOCH, JournalFull
from watchdog.sandbox.handle import Sandbox
from watchdog.store import SqliteJournal


class Filling:
    """The real journal on a disk that somebody fills."""

    def __init__(self, real: SqliteJournal) -> None:
        self.real = real
        self.full = False

    def append(
        self,
        entries: Sequence[e.Entry],
        at: Instant,
        *,
        epoch: int = FIRST_EPOCH,
        after: int | None = None,
    ) -> tuple[e.Recorded, ...]:
        if self.full:
            raise JournalFull("no room")
        return self.real.append(entries, at, epoch=epoch, after=after)

    def newest(self) -> int:
        return self.real.newest()

    def read(self, after: int = 0, limit: int | None = None) -> Iterable[e.Recorded]:
        return self.real.read(after, limit)

    def base(self) -> tuple[int, str, bytes] | None:
        return self.real.base()

    def prune(
        self, upto_seq: int, snapshot: bytes, at: Instant, *, epoch: int = FIRST_EPOCH
    ) -> None:
        self.real.prune(upto_seq, snapshot, at, epoch=epoch)

    def refill(self) -> bool:
        return self.real.refill()

    def close(self) -> None:
        self.real.close()


def disk(house: House) -> Filling:
    journal = house.engine.ports.journal
    assert isinstance(journal, Filling)
    return journal


async def breach_on_a_full_disk(house: House) -> None:
    """The gates allow it, and nothing of it can be written."""
    await house.clear()
    disk(house).full = True
    house.break_peg()
    await house.reaches(State.ACTING)
    await asyncio.sleep(1.0)
    assert house.sandbox.flag_requests(method="PUT") == 0
    assert house.entries(e.IntentOpened) == []
    assert house.engine.recorder.stuck == "no room"


async def test_nothing_acts_until_it_is_recorded_and_then_it_does(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    patient = policy(sandbox, action=pause(sandbox, deadline_seconds=10.0))
    async with living(tmp_path, sandbox, patient, journal=Filling) as house:
        await breach_on_a_full_disk(house)
        disk(house).full = False
        await house.reaches(State.CONTAINED)
        assert sandbox.flag_changes() == 1
        (intent,) = [o for o in disk(house).read() if isinstance(o.entry, e.IntentOpened)]
        assert intent.at.wall <= sandbox.changes()[0].at


async def test_an_intent_whose_time_is_over_when_there_is_room_is_abandoned_and_asked_again(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox, journal=Filling) as house:
        await breach_on_a_full_disk(house)
        await asyncio.sleep(1.5)  # its deadline of 2 s is over
        disk(house).full = False
        await house.reaches(State.CONTAINED)
        ends = house.entries(e.IntentEnded)
        assert [end.outcome for end in ends] == [e.Outcome.ABANDONED, e.Outcome.DONE]
        assert sandbox.flag_changes() == 1


@pytest.mark.parametrize(
    ("meanwhile", "says", "state"),
    [
        (House.mend_peg, "evidence: healthy", State.OK),
        (lambda house: house.sandbox.fault("status", "hang"), "evidence: blind: ", State.HELD),
    ],
    ids=["over", "out of sight"],
)
async def test_an_intent_that_waited_is_not_started_when_its_breach_holds_no_more(
    tmp_path: Path,
    sandbox: Sandbox,
    meanwhile: Callable[[House], None],
    says: str,
    state: State,
) -> None:
    patient = policy(sandbox, action=pause(sandbox, deadline_seconds=10.0))
    async with living(tmp_path, sandbox, patient, journal=Filling) as house:
        await breach_on_a_full_disk(house)
        meanwhile(house)
        rule = house.engine.memory.rules["peg"]
        await house.until(
            lambda: rule.sight and rule.sight.verdict.status is not Status.BREACHED, "no breach"
        )
        disk(house).full = False
        ep = await house.reaches(state)
        (end,) = house.entries(e.IntentEnded)
        assert end.outcome is e.Outcome.ABANDONED
        assert f"stopped right before the effect: {says}" in end.reason
        await asyncio.sleep(0.5)
        assert ep.state is state
        assert sandbox.flag_requests(method="PUT") == 0


async def test_a_persons_order_that_cannot_be_recorded_is_refused_and_not_done_later(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    patient = policy(sandbox, action=pause(sandbox, deadline_seconds=10.0))
    async with living(tmp_path, sandbox, patient, journal=Filling) as house:
        await house.clear()
        disk(house).full = True
        with pytest.raises(OrderRefused, match="could not be recorded: no room; not done"):
            await house.orders.rollbacks.rollback(
                ALICE, "pause", "executive", "now", through_hold=False, dry=False
            )
        assert not house.engine.book.intents
        assert not house.engine.book.episodes
        disk(house).full = False
        await asyncio.sleep(0.5)
        assert house.entries(e.IntentOpened) == []
        assert sandbox.flag_requests(method="PUT") == 0


async def test_who_was_refused_is_not_told_once_more_when_the_lead_is_lost(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """Nobody hears it any more, so the log would tell of an error that was never looked at."""
    unheard: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, found: unheard.append(found))
    async with living(tmp_path, sandbox, policy(sandbox), journal=Filling) as house:
        await house.clear()
        disk(house).full = True
        with pytest.raises(OrderRefused, match="could not be recorded: no room; not done"):
            await house.orders.rollbacks.rollback(
                ALICE, "pause", "executive", "now", through_hold=False, dry=False
            )
        house.engine.leading.deposed()
        gc.collect()
        assert unheard == []
        disk(house).full = False


async def test_a_disk_that_fills_between_intent_and_effect_keeps_the_effect_from_happening(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """The first look cannot be recorded: a restart could not tell that nothing was tried."""
    async with living(tmp_path, sandbox, journal=Filling) as house:
        await house.clear()

        def heard(one: e.Recorded) -> None:
            if isinstance(one.entry, e.IntentOpened):
                disk(house).full = True

        house.engine.recorder.listen(heard)
        house.break_peg()
        await house.until(lambda: house.engine.recorder.stuck, "the full disk")
        await asyncio.sleep(1.0)
        assert sandbox.flag_requests(method="PUT") == 0
