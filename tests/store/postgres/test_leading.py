"""What a daemon believes when it ceases to lead, and when it leads again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from tests.store.postgres.conftest import Home
from tests.store.postgres.newer import writes_as_a_newer_program
from watchdog.clock import Kernel, SystemClock
from watchdog.core.book import Book
from watchdog.core.entries import RuleCleared
from watchdog.core.words import Instant
from watchdog.engine.leading import Leading, Reactions
from watchdog.engine.recorder import Recorder
from watchdog.ports import JournalLost, JournalTooNew, Lead
from watchdog.store.postgres import Address, PostgresJournal, PostgresLease


class Road:
    """The real journal over a road on which it may be lost, for writing or for all."""

    def __init__(self, real: PostgresJournal) -> None:
        self._real = real
        self.writes_lost = self.all_lost = False
        self.on_newest: Callable[[], None] = lambda: None

    def append(self, *given: Any, **more: Any) -> Any:
        if self.writes_lost or self.all_lost:
            raise JournalLost("the road is closed")
        return self._real.append(*given, **more)

    def __getattr__(self, name: str) -> Any:
        if self.all_lost and name in {"read", "base", "newest"}:
            raise JournalLost("the road is closed")
        if name == "newest":
            self.on_newest()
        return getattr(self._real, name)


@dataclass
class Daemon:
    """A daemon's part in who leads; `heard` tells what became of it."""

    leading: Leading
    recorder: Recorder
    lease: PostgresLease
    road: Road
    heard: list[str] = field(default_factory=list)
    unwatched: float = 0.0  # for which nobody watched when it took over

    def says_clear(self, rule: str) -> bool:
        draft = self.recorder.draft()
        draft.add(RuleCleared(rule))
        return self.recorder.commit(draft)

    @property
    def cleared(self) -> set[str]:
        return self.recorder.book.cleared


class Uptime:
    """How long a machine is up, by itself; it may stand still."""

    def __init__(self, more_seconds: float = 0.0) -> None:
        self.more_seconds = more_seconds

    def clock(self) -> SystemClock:
        return SystemClock(
            Kernel("a boot", time.time, lambda: time.monotonic() + self.more_seconds)
        )


def daemon(
    home: Home,
    name: str,
    stack: ExitStack,
    uptime: Uptime | None = None,
    between: Callable[[], object] = lambda: None,
) -> Daemon:
    """`between` happens after it looked who leads for the first time, and before it asks."""
    home.where(name)
    address, heard = Address(home.url, name), list[str]()
    clock = uptime.clock() if uptime is not None else SystemClock()
    journal = stack.enter_context(closing(PostgresJournal.open(address, home.folder / name)))
    lease = stack.enter_context(closing(PostgresLease(address, clock)))
    road = Road(journal)
    recorder = Recorder(road, Book(), clock)

    def took_over(lead: Lead, unwatched: float) -> bool:
        heard.append(f"took over in {lead.epoch}")
        made.unwatched = unwatched
        return True

    reactions = Reactions(
        took_over=took_over,
        resumed=lambda: heard.append("resumed"),
        lost=lambda: heard.append("lost"),
        policy=lambda _: None,
        busy=lambda: False,
        watched_seconds=lambda: 0.0,
        who_sees=lambda: "",
        shift=clock.shift,
    )
    leading = Leading(lease, road, recorder, name, 30.0, reactions)
    recorder.leads, recorder.on_deposed = leading.leads, leading.deposed
    look = lease.look

    def looked() -> Lead:
        found = look()
        between()
        return found

    lease.look = looked  # type: ignore[method-assign]  # another is faster, right there
    made = Daemon(leading, recorder, lease, road, heard)
    leading.begin(0.0)
    lease.look = look  # type: ignore[method-assign]  # as it was
    return made


@pytest.fixture
def both(shared: Home) -> Iterator[tuple[Daemon, Daemon]]:
    """Ada leads, and bob follows."""
    with ExitStack() as stack:
        yield daemon(shared, "ada", stack), daemon(shared, "bob", stack)


async def test_who_follows_reads_on_and_drafts_nothing(both: tuple[Daemon, Daemon]) -> None:
    ada, bob = both
    assert ada.heard == ["took over in 1"]
    assert bob.heard == []
    assert ada.says_clear("peg")
    bob.says_clear("errors")
    await bob.leading.once()
    assert bob.cleared == ada.cleared == {"peg"}
    assert bob.recorder.last_seq == ada.recorder.last_seq == 1


async def test_what_could_not_be_recorded_is_not_believed_once_another_has_led(
    both: tuple[Daemon, Daemon],
) -> None:
    ada, bob = both
    ada.says_clear("peg")
    ada.lease.yield_()
    await bob.leading.once()
    assert bob.heard == ["took over in 2"]

    assert not ada.says_clear("errors"), "its epoch is over"
    assert ada.heard[-1] == "lost"
    assert not ada.leading.leads()
    assert bob.says_clear("latency")
    ada.road.all_lost = True
    with pytest.raises(JournalLost):
        await ada.leading.once()
    assert ada.recorder.waits, "it is not forgotten that the book is wrong"
    ada.road.all_lost = False
    await ada.leading.once()

    assert ada.cleared == bob.cleared == {"peg", "latency"}
    assert not ada.recorder.waits


async def test_what_waited_is_recorded_when_nobody_led_since_and_not_before_it_leads_on(
    both: tuple[Daemon, Daemon],
) -> None:
    ada, bob = both
    ada.road.writes_lost = True
    assert not ada.says_clear("peg")
    ada.leading.deposed()  # as an expired lease is told
    ada.heard.clear()

    await ada.leading.once()
    assert ada.heard == []
    assert not ada.leading.leads(), "what it believes is not on the record yet"
    ada.road.writes_lost = False
    await ada.leading.once()

    assert ada.heard == ["resumed"]
    await bob.leading.once()
    assert bob.cleared == {"peg"}


async def test_a_lease_that_came_back_in_another_epoch_is_taken_as_a_new_one(
    both: tuple[Daemon, Daemon],
) -> None:
    """Frozen for so long that another led and left: the first that it hears is its own lease."""
    ada, bob = both
    ada.lease.yield_()
    await bob.leading.once()
    assert bob.says_clear("peg")
    bob.lease.yield_()

    await ada.leading.once()

    assert ada.heard == ["took over in 1", "lost", "took over in 3"]
    assert (ada.cleared, ada.leading.epoch) == ({"peg"}, 3)


async def test_a_lease_that_ran_out_before_its_answer_was_taken_in_is_not_taken(
    shared: Home,
) -> None:
    """Bob's machine stands still while he reads on; he takes over when he has asked again."""
    machine = Uptime()
    with ExitStack() as stack:
        ada, bob = daemon(shared, "ada", stack), daemon(shared, "bob", stack, machine)
        assert ada.says_clear("peg")
        ada.lease.yield_()

        def stands_still() -> None:
            machine.more_seconds += 90.0

        bob.road.on_newest = stands_still
        await bob.leading.once()
        assert (bob.heard, bob.leading.leads(), bob.leading.epoch) == ([], False, 0)
        bob.road.on_newest = lambda: None

        await bob.leading.once()
        assert bob.leading.leads()
        assert bob.heard == ["took over in 2"]
        assert bob.unwatched > 89.0, "who led before was heard of before that"


async def test_whom_a_newer_entry_ends_leaves_the_lease_to_those_who_can_read_it(
    both: tuple[Daemon, Daemon], shared: Home
) -> None:
    """Ada's program is newer than bob's, and stops in order right after it wrote."""
    ada, bob = both
    assert ada.says_clear("peg")
    writes_as_a_newer_program(shared.url, ada.leading.epoch)
    await ada.leading.give_up()

    with pytest.raises(
        JournalTooNew, match=r"entry 2 \(orbit.changed\).* Install the slo-watchdog"
    ):
        await bob.leading.once()
    bob.says_clear("errors")
    assert (bob.heard, bob.recorder.last_seq, bob.cleared) == ([], 0, set())
    assert not bob.leading.leads()
    await bob.leading.give_up()

    assert ada.lease.ask("ada", 30.0).mine, "nobody has to wait for bob's lease to run out"
    with psycopg.connect(shared.url) as shell:
        newest = shell.execute("SELECT seq, kind FROM slo_watchdog.entries ORDER BY seq DESC")
        assert newest.fetchone() == (2, "orbit.changed")


async def test_a_clock_that_is_behind_the_record_is_set_forward(
    both: tuple[Daemon, Daemon], shared: Home
) -> None:
    ada, bob = both
    now = ada.recorder.clock.now()
    assert ada.recorder.record([RuleCleared("peg")], Instant(now.wall, now.steady + 5.0))
    ada.lease.yield_()
    await bob.leading.once()
    assert bob.recorder.clock.now().steady >= now.steady + 5.0
    assert shared.url


def apart_seconds(one: Daemon, other: Daemon) -> float:
    """What an hour's hold would be too long or too short by, after a takeover."""
    return abs(one.recorder.clock.now().steady - other.recorder.clock.now().steady)


@pytest.mark.parametrize("longer", ["who leads", "who follows"])
def test_daemons_that_begin_at_once_on_a_new_store_count_by_one_clock(
    shared: Home, longer: str
) -> None:
    days = Uptime(864_000.0)
    first, second = (days, Uptime()) if longer == "who leads" else (Uptime(), days)
    with ExitStack() as stack:
        begun: list[Daemon] = []
        ada = daemon(
            shared, "ada", stack, second, lambda: begun.append(daemon(shared, "bob", stack, first))
        )
        (bob,) = begun
        assert (bob.heard, ada.heard) == (["took over in 1"], [])
        assert apart_seconds(ada, bob) < 1.0


async def test_a_follower_whose_machine_stood_still_counts_on_with_the_others(shared: Home) -> None:
    machine = Uptime()
    with ExitStack() as stack:
        ada, bob = daemon(shared, "ada", stack), daemon(shared, "bob", stack, machine)
        machine.more_seconds -= 600.0
        assert apart_seconds(ada, bob) > 599.0
        await bob.leading.once()
        assert apart_seconds(ada, bob) < 1.0
        assert bob.leading.lead.asked_at <= bob.recorder.clock.now().steady
