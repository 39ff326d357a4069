"""The server or the way to it fails: each call ends in time, and nothing is written twice."""

from __future__ import annotations

import asyncio
import random
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.real_parts import FaultProxy, Weather
from tests.real_parts.postgres import RealPostgres
from tests.store.postgres.conftest import Home
from tests.store.stories import NOON, held, trouble
from watchdog.core.entries import Recorded, RuleCleared
from watchdog.ports import JournalCorrupt, JournalDeposed, JournalError, JournalLost
from watchdog.store import Store, create
from watchdog.store.postgres import PostgresHistory

IN_TIME_SECONDS = 3.5  # a call's deadline, and what a busy machine adds


@pytest.fixture(scope="module")
def doomed() -> Iterator[RealPostgres]:
    """A server that the tests of this file stop, freeze and crash."""
    with RealPostgres() as running:
        yield running


@pytest.fixture
def house(doomed: RealPostgres, tmp_path: Path) -> Iterator[Home]:
    name = tmp_path.name.replace("-", "_")[:60]
    doomed.database(name)
    home = Home(tmp_path, doomed.url(name))
    create(home.where())
    yield home
    home.close()


def lost_in_time(call: Callable[[], object]) -> JournalLost:
    begun = time.monotonic()
    with pytest.raises(JournalLost) as error:
        call()
    assert time.monotonic() - begun < IN_TIME_SECONDS
    return error.value


def until_it_answers(call: Callable[[], tuple[Recorded, ...]]) -> tuple[Recorded, ...]:
    """What a daemon does that must record: the same append, again and again."""
    end = time.monotonic() + 15
    while True:
        try:
            return call()
        except JournalLost:
            assert time.monotonic() < end, "it never came back"
            time.sleep(0.05)


def seqs(home: Home) -> list[int]:
    with home.look() as reader:
        reader.verify()
        return [one.seq for one in reader.read()]


def test_a_server_that_is_down_is_lost_and_found_again(doomed: RealPostgres, house: Home) -> None:
    store = house.start(leads_for=600.0)
    store.journal.append(trouble(1), NOON)
    doomed.stop()
    for _ in range(2):
        assert "Nothing acts until it answers" in str(
            lost_in_time(lambda: store.journal.append(trouble(2), NOON))
        )
    lost_in_time(store.journal.newest)
    lost_in_time(store.lease.look)
    history = store.history
    assert isinstance(history, PostgresHistory)
    history.save({"window": b"1"})
    assert "refused" in history.problem
    with pytest.raises(JournalLost):
        house.start("other")
    doomed.start()
    assert until_it_answers(lambda: store.journal.append(trouble(2), NOON))[-1].seq == 6
    history.save({"window": b"1"})
    assert history.problem == ""
    assert seqs(house) == [1, 2, 3, 4, 5, 6]


def test_a_frozen_server_holds_nobody_up_and_writes_once_when_it_wakes(
    doomed: RealPostgres, house: Home
) -> None:
    store = house.start(leads_for=600.0)
    store.journal.append(trouble(1), NOON)
    doomed.freeze()
    try:
        lost_in_time(lambda: store.journal.append(trouble(2), NOON))
        lost_in_time(lambda: store.journal.append(trouble(2), NOON))
        begun = time.monotonic()
        for _ in range(20):
            lost_in_time(lambda: store.journal.append(trouble(2), NOON))
        assert time.monotonic() - begun < 1.0, "an attempt to connect is waited for once"
        lost_in_time(store.lease.look)
    finally:
        doomed.thaw()
    # What was sent lies in the server's hands: it may write it now, while it is sent once more.
    again = until_it_answers(lambda: store.journal.append(trouble(2), NOON))
    assert [one.seq for one in again] == [4, 5, 6]
    assert store.journal.append([held()], NOON)[0].seq == 7
    assert seqs(house) == [1, 2, 3, 4, 5, 6, 7]


def test_a_server_that_crashes_keeps_all_that_it_acknowledged(
    doomed: RealPostgres, house: Home
) -> None:
    store = house.start(leads_for=600.0)
    acknowledged: list[Recorded] = []
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            batch = trouble(number)
            acknowledged.extend(
                until_it_answers(lambda batch=batch: store.journal.append(batch, NOON))  # type: ignore[misc]  # a default binds it
            )

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(2):
        time.sleep(0.3)
        doomed.stop()
        doomed.start()
    time.sleep(0.5)
    stop.set()
    writer.join()
    assert [one.seq for one in acknowledged] == list(range(1, len(acknowledged) + 1))
    assert seqs(house) == [one.seq for one in acknowledged]
    assert len(acknowledged) > 30


class Road:
    """A daemon whose way to the server leads through bad weather."""

    def __init__(self, home: Home, proxy: FaultProxy, server: RealPostgres) -> None:
        self.proxy = proxy
        self.home = Home(
            home.folder / "far", home.url.replace(f":{server.port}/", f":{proxy.port}/")
        )
        self.near = home

    async def start(self) -> Store:
        return await asyncio.to_thread(self.home.start, "far", leads_for=600.0)


@pytest.fixture
async def road(server: RealPostgres, shared: Home) -> AsyncIterator[Road]:
    async with FaultProxy("127.0.0.1", server.port) as proxy:
        road = Road(shared, proxy, server)
        yield road
        road.home.close()


async def lost_beside(call: Callable[[], object]) -> JournalLost:
    return await asyncio.to_thread(lost_in_time, call)


async def test_an_answer_that_was_lost_does_not_write_twice(road: Road) -> None:
    store = await road.start()
    await asyncio.to_thread(store.journal.append, trouble(1), NOON)
    road.proxy.set(Weather(reset_after_bytes=0))
    await lost_beside(lambda: store.journal.append(trouble(2), NOON))
    road.proxy.heal()
    assert await asyncio.to_thread(seqs, road.near) == [1, 2, 3, 4, 5, 6], "it was done"
    back = await asyncio.to_thread(
        until_it_answers, lambda: store.journal.append(trouble(2), NOON, after=3)
    )
    assert [one.seq for one in back] == [4, 5, 6]
    more = await asyncio.to_thread(store.journal.append, [held()], NOON)
    assert more[0].seq == 7
    assert await asyncio.to_thread(seqs, road.near) == [1, 2, 3, 4, 5, 6, 7]


async def test_what_never_arrived_is_written_by_the_second_try(road: Road) -> None:
    store = await road.start()
    road.proxy.set(Weather(blackhole=True))
    await lost_beside(lambda: store.journal.append(trouble(1), NOON))
    assert await asyncio.to_thread(seqs, road.near) == []
    road.proxy.heal()
    back = await asyncio.to_thread(until_it_answers, lambda: store.journal.append(trouble(1), NOON))
    assert [one.seq for one in back] == [1, 2, 3]
    assert await asyncio.to_thread(seqs, road.near) == [1, 2, 3]


async def test_after_a_lost_answer_another_append_goes_first_and_finds_what_was_done(
    road: Road,
) -> None:
    store = await road.start()
    road.proxy.set(Weather(reset_after_bytes=0))
    await lost_beside(lambda: store.journal.append(trouble(1), NOON))
    road.proxy.heal()
    other = await asyncio.to_thread(until_it_answers, lambda: store.journal.append([held()], NOON))
    assert other[0].seq == 4, "the numbers between show what had been done"
    first = await asyncio.to_thread(store.journal.append, trouble(1), NOON)
    assert [one.seq for one in first] == [1, 2, 3]
    assert await asyncio.to_thread(seqs, road.near) == [1, 2, 3, 4]


async def test_who_was_deposed_is_still_told_what_it_had_written(road: Road) -> None:
    store = await road.start()
    road.proxy.set(Weather(reset_after_bytes=0))
    await lost_beside(lambda: store.journal.append(trouble(1), NOON))
    await lost_beside(lambda: store.journal.append([held(1)], NOON))
    road.proxy.heal()
    road.near.edit("UPDATE lease SET epoch = 2, session = 'another'")
    back = await asyncio.to_thread(
        until_it_answers, lambda: store.journal.append(trouble(1), NOON, epoch=1)
    )
    assert [one.seq for one in back] == [1, 2, 3]
    with pytest.raises(JournalDeposed):
        await asyncio.to_thread(store.journal.append, [held(1)], NOON, epoch=1)
    assert await asyncio.to_thread(seqs, road.near) == [1, 2, 3]


async def test_an_answer_that_drips_is_not_waited_for(road: Road) -> None:
    store = await road.start()
    road.proxy.set(Weather(slice_bytes=1, slice_seconds=0.3))
    await lost_beside(lambda: store.journal.append(trouble(1), NOON))
    await lost_beside(lambda: list(store.journal.read()))
    road.proxy.heal()
    await road.proxy.down()
    await road.proxy.up()
    back = await asyncio.to_thread(until_it_answers, lambda: store.journal.append(trouble(1), NOON))
    assert [one.seq for one in back] == [1, 2, 3]


async def test_through_bad_weather_each_batch_is_there_exactly_once(road: Road) -> None:
    store = await road.start()
    done: list[Recorded] = []

    def write() -> None:
        for number in range(40):
            batch = [RuleCleared(f"rule-{number}")]
            done.extend(until_it_answers(lambda batch=batch: store.journal.append(batch, NOON)))  # type: ignore[misc]  # a default binds it

    writing = asyncio.create_task(asyncio.to_thread(write))
    chance = random.Random(1)  # noqa: S311  # the same each time
    while not writing.done():
        await asyncio.sleep(chance.random() * 0.05)
        road.proxy.set(Weather(reset_after_bytes=chance.randrange(0, 4000)))
        await asyncio.sleep(chance.random() * 0.05)
        road.proxy.heal()
    await writing
    assert [one.seq for one in done] == list(range(1, 41))
    with road.near.look() as reader:
        found = [one.entry for one in reader.read()]
    assert found == [RuleCleared(f"rule-{number}") for number in range(40)]


def test_a_server_that_accepts_and_never_speaks_ends_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        home = Home(tmp_path, f"postgresql://nobody@127.0.0.1:{port}/nothing")
        begun = time.monotonic()
        with pytest.raises(JournalLost, match=r"timeout|does not answer"):
            home.start()
        assert time.monotonic() - begun < 6.0


def test_a_store_that_was_put_back_is_noticed_while_running_and_at_the_next_start(
    house: Home, doomed: RealPostgres
) -> None:
    store = house.start(leads_for=600.0)
    store.journal.append(trouble(1), NOON)
    store.journal.append([held()], NOON)
    house.edit(
        "DELETE FROM entries WHERE seq = 4",
        "UPDATE head SET seq = 3, hash = (SELECT hash FROM entries WHERE seq = 3)",
    )
    doomed.hang_up("journal alpha")
    lost_in_time(store.journal.newest)
    with pytest.raises(JournalCorrupt, match="does not hold entry 4"):
        store.journal.append([held()], NOON)
    with pytest.raises(JournalError, match="does not hold entry 4"):
        store.journal.append([held()], NOON)
    house.stop(store)
    with pytest.raises(JournalCorrupt, match=r"entry 4 had been written.*store\.mark"):
        house.start()
    (house.where().state_dir / "store.mark").unlink()
    assert house.start().journal.newest() == 3


def test_a_lock_that_somebody_holds_is_not_waited_for_long(house: Home) -> None:
    store = house.start(leads_for=600.0)
    with psycopg.connect(house.url) as session:
        session.execute("SELECT * FROM slo_watchdog.head FOR UPDATE")
        assert "lock" in str(lost_in_time(lambda: store.journal.append(trouble(1), NOON)))
    assert store.journal.append(trouble(1), NOON)[0].seq == 1


def test_where_two_daemons_append_at_once_all_of_it_is_one_chain(shared: Home) -> None:
    stores = [shared.start("a"), shared.start("b", leads_for=None)]
    told: list[list[Recorded]] = [[], []]

    def write(number: int) -> None:
        for index in range(30):
            told[number].extend(
                until_it_answers(
                    lambda index=index: stores[number].journal.append(  # type: ignore[misc]  # a default binds it
                        [RuleCleared(f"{number}-{index}")], NOON.plus(index)
                    )
                )
            )

    writers = [threading.Thread(target=write, args=[number]) for number in (0, 1)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert seqs(shared) == list(range(1, 61))
    assert sorted(one.seq for side in told for one in side) == list(range(1, 61))
