"""Daemons that meet on the store, and what one is asked to do for another."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace

import pytest

from tests.store.postgres.conftest import Home
from watchdog.core.capabilities import BEFORE_IT_WAS_TOLD, CAPABILITIES, read
from watchdog.ports import JournalError, Presence
from watchdog.store.postgres import Address, PostgresPeers
from watchdog.store.postgres.peers import MOST_CHARACTERS

ADA = Presence("ada", "a-host", "1.0", sees=True)
BOB = Presence("bob", "b-host", "1.0", sees=False)


@pytest.fixture
def peers(shared: Home) -> Iterator[list[PostgresPeers]]:
    """Of ada, of bob, and of another process on bob's host that calls itself cy."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(closing(PostgresPeers(Address(shared.url, name))))
            for name in ("ada", "bob", "cy")
        ]


def test_who_meets_is_known_to_all_with_what_it_said_last(peers: list[PostgresPeers]) -> None:
    ada, bob, _ = peers
    assert [one.name for one in ada.meet(ADA)[0]] == ["ada"]
    there, errands = bob.meet(BOB)
    assert [(one.name, one.host, one.sees) for one in there] == [
        ("ada", "a-host", True),
        ("bob", "b-host", False),
    ]
    assert errands == ()
    time.sleep(0.2)
    there, _ = bob.meet(BOB)
    assert there[0].seconds_ago >= 0.2
    assert there[1].seconds_ago < 0.2
    ada.leave()
    assert [one.name for one in bob.meet(BOB)[0]] == ["bob"]


def test_what_a_program_knows_is_told_also_where_another_has_never_heard_of_it(
    peers: list[PostgresPeers], shared: Home
) -> None:
    ada, bob, _ = peers
    newer = CAPABILITIES | {"way:orbit", "way:orbit/height"}
    ada.meet(replace(ADA, knows=newer))
    assert [one.knows for one in bob.meet(BOB)[0]] == [newer, CAPABILITIES]

    shared.edit("UPDATE daemons SET knows = NULL WHERE name = 'ada'")
    assert bob.meet(BOB)[0][0].knows == read(BEFORE_IT_WAS_TOLD), "its program is an older one"


def test_an_errand_goes_to_one_process_once_and_only_that_one_answers(
    peers: list[PostgresPeers],
) -> None:
    ada, bob, cy = peers
    number = ada.send(BOB.to_host, "please", epoch=3, deadline_seconds=5.0)
    assert ada.meet(ADA)[1] == ()
    (errand,) = bob.meet(BOB)[1]
    assert (errand.number, errand.epoch, errand.body) == (number, 3, "please")
    assert 4.0 < errand.left_seconds <= 5.0
    assert bob.meet(BOB)[1] == ()
    assert cy.meet(Presence("cy", "b-host", "1.0", sees=True))[1] == ()
    assert ada.answer_to(number) is None
    cy.answer(number, "not asked")
    assert ada.answer_to(number) is None
    bob.answer(number, "done")
    assert ada.answer_to(number) == "done"


def test_what_is_ordered_of_a_daemon_is_taken_by_it_while_it_leads_and_by_no_other(
    peers: list[PostgresPeers],
) -> None:
    ada, bob, cy = peers
    ada.send(BOB.to_daemon, "please", epoch=1, deadline_seconds=5.0)
    assert cy.meet(Presence("cy", "b-host", "1.0", sees=True, leads=True))[1] == ()
    assert bob.meet(BOB)[1] == ()
    assert [one.body for one in bob.meet(replace(BOB, leads=True))[1]] == ["please"]


def test_what_nobody_has_taken_is_taken_back_and_done_by_nobody(
    peers: list[PostgresPeers],
) -> None:
    ada, bob, _ = peers
    first, second = (ada.send(BOB.to_host, "do", epoch=1, deadline_seconds=5.0) for _ in range(2))
    assert ada.take_back(first)
    assert [one.number for one in bob.meet(BOB)[1]] == [second]
    assert not ada.take_back(second)
    bob.answer(first, "done")
    assert ada.answer_to(first) is None


def test_of_two_that_bear_one_name_the_second_is_refused_and_the_dead_are_not_taken_for_one(
    peers: list[PostgresPeers], shared: Home
) -> None:
    ada, other = peers[0], PostgresPeers(Address(shared.url, "ada"))
    with closing(other):
        assert other.namesake(10.0) == ""
        ada.meet(ADA)
        assert other.namesake(0.0) == "", "it was heard of too long ago"
        alive = threading.Event()

        def live() -> None:
            while not alive.wait(0.1):
                ada.meet(ADA)

        with ThreadPoolExecutor(1) as pool:
            pool.submit(live)
            assert other.namesake(10.0) == "a daemon named ada runs on a-host already"
            alive.set()
        assert other.namesake(10.0) == "", "it says nothing any more"
        other.meet(ADA)
        assert other.twin == "", "a row that the dead have left is nobody's"
        ada.meet(ADA)
        other.meet(ADA)
        assert "another process on this store is named ada" in other.twin
        assert "another process on this store is named ada" in ada.twin


def test_what_nobody_took_in_time_is_nobodys(peers: list[PostgresPeers]) -> None:
    ada, bob, _ = peers
    ada.send(BOB.to_host, "at once", epoch=1, deadline_seconds=0.1)
    time.sleep(0.15)
    assert bob.meet(BOB)[1] == ()


def test_what_is_too_long_is_refused(peers: list[PostgresPeers]) -> None:
    with pytest.raises(JournalError, match="too long"):
        peers[0].send("host b", "x" * (MOST_CHARACTERS + 1), epoch=1, deadline_seconds=1.0)
