"""One leads at a time, and what it may no longer do when another does."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import psycopg
import pytest

from tests.real_parts.postgres import RealPostgres
from tests.store.postgres.conftest import Home
from tests.store.stories import NOON, held, trouble
from watchdog.clock import SystemClock
from watchdog.core.entries import RuleCleared
from watchdog.core.words import Instant
from watchdog.ports import Clock, JournalDeposed, JournalLost, Lead
from watchdog.store.postgres import Address, PostgresLease


@pytest.fixture
def leases(shared: Home) -> Iterator[list[PostgresLease]]:
    """Three processes that might lead."""
    with ExitStack() as open_ones:
        yield [open_ones.enter_context(asking(shared, f"d{number}")) for number in range(3)]


def asking(home: Home, name: str, clock: Clock | None = None) -> closing[PostgresLease]:
    return closing(PostgresLease(Address(home.url, name), clock or SystemClock()))


def test_the_first_to_ask_leads_and_the_others_are_told_who_does(
    leases: list[PostgresLease],
) -> None:
    first, second, third = leases
    nobody = third.look()
    assert (nobody.holder, nobody.epoch, nobody.mine) == ("", 0, False)
    lead = first.ask("alpha", 30.0)
    assert (lead.holder, lead.epoch, lead.mine, lead.valid_for_seconds) == ("alpha", 1, True, 30.0)
    told = second.ask("beta", 30.0)
    assert (told.holder, told.epoch, told.mine) == ("alpha", 1, False)
    assert 29.0 < told.valid_for_seconds <= 30.0
    assert not told.mine_at(told.asked_at)
    assert third.look().holder == "alpha"


def test_the_epoch_grows_with_each_change_of_holder_and_never_otherwise(
    leases: list[PostgresLease],
) -> None:
    first, second, third = leases
    assert [first.ask("alpha", 30.0).epoch for _ in range(5)] == [1] * 5
    first.yield_()
    assert first.look().valid_for_seconds == 0.0
    assert first.ask("alpha", 30.0).epoch == 1, "nobody else held it meanwhile"
    first.yield_()
    assert (second.ask("beta", 30.0).epoch, second.ask("beta", 40.0).epoch) == (2, 2)
    first.yield_()
    assert second.look().mine, "what is not ours is not given up"
    assert third.ask("gamma", 30.0).holder == "beta"


def test_asking_for_less_does_not_shorten_what_was_promised(leases: list[PostgresLease]) -> None:
    first, second, third = leases
    first.ask("alpha", 30.0)
    first.ask("alpha", 0.1)
    assert second.ask("beta", 30.0).valid_for_seconds > 29.0
    time.sleep(0.15)
    assert not third.ask("gamma", 30.0).mine


def test_a_lease_that_ran_out_is_taken_by_whoever_asks_next(leases: list[PostgresLease]) -> None:
    first, second, _ = leases
    lead = first.ask("alpha", 0.3)
    assert not second.ask("beta", 30.0).mine
    time.sleep(0.35)
    taken = second.ask("beta", 30.0)
    assert (taken.holder, taken.epoch, taken.mine) == ("beta", 2, True)
    assert not lead.mine_at(SystemClock().now().steady)
    assert first.ask("alpha", 30.0).holder == "beta"


def test_another_process_of_the_same_name_is_another_holder(leases: list[PostgresLease]) -> None:
    first, second, _ = leases
    first.ask("alpha", 30.0)
    told = second.ask("alpha", 30.0)
    assert (told.holder, told.mine) == ("alpha", False)
    first.yield_()
    assert second.ask("alpha", 30.0).epoch == 2


class StoppedThere:
    """A clock that is read just before a long pause of the process."""

    def __init__(self) -> None:
        self._real = SystemClock()

    def now(self) -> Instant:
        now = self._real.now()
        time.sleep(0.4)
        return now


def test_the_holder_stops_believing_before_anybody_else_may_take_it(shared: Home) -> None:
    with asking(shared, "slow", StoppedThere()) as slow, asking(shared, "other") as other:
        lead = slow.ask("slow", 0.5)
        assert SystemClock().now().steady >= lead.asked_at + 0.4, "counted from before it asked"
        assert lead.mine_at(lead.asked_at + 0.49)
        assert not lead.mine_at(lead.asked_at + 0.5)
        assert other.look().valid_for_seconds > 0.25, "the store still keeps others from it"


def test_no_lease_lasts_longer_because_the_servers_clock_was_set_back(
    leases: list[PostgresLease], shared: Home
) -> None:
    first, second, _ = leases
    first.ask("alpha", 0.3)
    shared.edit("UPDATE lease SET expires_at = clock_timestamp() + interval '1 hour'")
    assert second.ask("beta", 30.0).valid_for_seconds <= 0.3
    time.sleep(0.35)
    assert second.ask("beta", 30.0).mine


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf"), 1e9])
def test_a_lease_of_no_sensible_length_is_refused(
    leases: list[PostgresLease], seconds: float
) -> None:
    with pytest.raises(ValueError, match="at most"):
        leases[0].ask("alpha", seconds)


def test_who_was_deposed_appends_nothing_more(shared: Home) -> None:
    old, new = shared.start("old", leads_for=0.3), shared.start("new", leads_for=None)
    old.journal.append(trouble(1), NOON, epoch=1)
    time.sleep(0.35)
    with pytest.raises(JournalDeposed, match="epoch 1, held by old, has run out"):
        old.journal.append([held()], NOON, epoch=1)
    assert new.lease.ask("new", 30.0).epoch == 2
    with pytest.raises(JournalDeposed, match="epoch 1 is over: new leads in epoch 2"):
        old.journal.append([held()], NOON, epoch=1)
    with pytest.raises(JournalDeposed):
        old.journal.prune(2, b"", NOON, epoch=1)
    assert [one.seq for one in new.journal.append([held()], NOON, epoch=2)] == [4]


def test_a_follower_reads_on_and_appends_under_the_epoch_that_leads(shared: Home) -> None:
    leader, follower = shared.start("leader"), shared.start("follower", leads_for=None)
    leader.journal.append(trouble(1), NOON)
    assert follower.journal.newest() == 3
    assert [one.seq for one in follower.journal.read(after=0)] == [1, 2, 3]
    epoch = follower.lease.look().epoch
    assert follower.journal.append([held()], NOON, epoch=epoch)[0].seq == 4
    assert leader.journal.append(trouble(2), NOON)[0].seq == 5, "the follower's comes before"
    assert [one.seq for one in leader.journal.read(after=3)] == [4, 5, 6, 7]
    assert [one.seq for one in follower.journal.read(after=4)] == [5, 6, 7]


def test_an_append_is_wholly_before_the_next_epoch(shared: Home) -> None:
    """It is in the middle of its transaction when its lease runs out; the taker waits for it."""
    old, new = shared.start("old", leads_for=0.3), shared.start("new", leads_for=None)
    taken: list[Lead] = []
    with psycopg.connect(shared.url) as session:
        session.execute("SELECT slo_watchdog.fence(1)")
        time.sleep(0.35)
        taker = threading.Thread(target=lambda: taken.append(new.lease.ask("new", 30.0)))
        taker.start()
        time.sleep(0.2)
        assert taken == [], "the epoch ended under an append that may yet commit"
        session.commit()
    taker.join()
    assert taken[0].epoch == 2
    with pytest.raises(JournalDeposed):
        old.journal.append([held()], NOON, epoch=1)


def test_of_many_that_ask_at_once_one_leads_and_epochs_never_mix(shared: Home) -> None:
    """Each appends under what it believes; whatever is taken stands in the order of the epochs."""
    stores = [shared.start(f"d{number}", leads_for=None) for number in range(4)]
    end = time.monotonic() + 1.5
    refused = [0] * len(stores)

    def live(number: int) -> None:
        chance, store = random.Random(number), stores[number]  # noqa: S311  # the same each time
        lead = store.lease.look()
        while time.monotonic() < end:
            if chance.random() < 0.4:
                lead = store.lease.ask(f"d{number}", chance.choice([0.02, 0.05, 0.2]))
            if lead.mine and chance.random() < 0.2:
                store.lease.yield_()
            try:
                store.journal.append([RuleCleared(f"{lead.epoch}")], NOON, epoch=lead.epoch)
            except JournalDeposed:
                refused[number] += 1
                lead = store.lease.look()
            time.sleep(chance.random() * 0.02)

    threads = [threading.Thread(target=live, args=[number]) for number in range(len(stores))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with shared.look() as reader:
        entries = [one.entry for one in reader.read()]
    epochs = [int(one.rule) for one in entries if isinstance(one, RuleCleared)]
    assert epochs == sorted(epochs)
    assert len(set(epochs)) > 5
    assert sum(refused) > 5


def test_a_lease_that_cannot_be_asked_for_says_so_and_leaves_what_was_known(
    server: RealPostgres, leases: list[PostgresLease], shared: Home
) -> None:
    lease = leases[0]
    lead = lease.ask("alpha", 30.0)
    with psycopg.connect(shared.url) as session:
        session.execute("SELECT * FROM slo_watchdog.lease FOR UPDATE")
        begun = time.monotonic()
        with pytest.raises(JournalLost, match="lock"):
            lease.ask("alpha", 30.0)
        assert time.monotonic() - begun < 2.5
    assert lead.mine_at(SystemClock().now().steady)
    assert lease.ask("alpha", 30.0).epoch == lead.epoch
    server.hang_up("lease d0")
    with pytest.raises(JournalLost):
        lease.ask("alpha", 30.0)
    assert lease.ask("alpha", 30.0).epoch == lead.epoch
