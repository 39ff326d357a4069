"""One process a job: alone on its folder, ended at its deadline, gone with whoever started it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.actions.tree.site import AT, Site, tree
from tests.actions.tree.strace import injected
from watchdog.actions import open_actuator
from watchdog.actions.tree.adapter import TreeActuator
from watchdog.core.spec import Command
from watchdog.core.trees import SwapTree
from watchdog.core.words import Truth
from watchdog.ports import Attempted
from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets

HANGS = injected({"renameat2": "delay_enter=60s"})


def workers() -> list[psutil.Process]:
    """The processes at work that this one has started."""
    return workers_of(os.getpid())


def workers_of(pid: int) -> list[psutil.Process]:
    found = psutil.Process(pid).children(recursive=True)
    return [one for one in found if _is_worker(one)]


def _is_worker(process: psutil.Process) -> bool:
    """Not the strace beside it, whose words are the same."""
    try:
        words = process.cmdline()
    except psutil.Error:
        return False
    return "watchdog.actions.tree" in words and "inject" not in " ".join(words)


@contextmanager
def lock_held(site: Site) -> Iterator[None]:
    """As a process that could not be ended holds it."""
    handle = os.open(site.work / "lock", os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(handle)


async def test_two_attempts_at_once_make_one_exchange(site: Site) -> None:
    await site.is_ready()
    other = Site(site.folder, site.how, TreeActuator(), dict(site.facts))
    first, second = await asyncio.gather(site.swap(), other.swap())

    assert first.result is second.result is Attempted.CLAIMED
    assert sorted(done.reason.split(";")[0] for done in (first, second)) == [
        "swapped",
        "swapped already",
    ]
    assert first.facts == second.facts
    assert site.build == "41"
    assert len(site.backups()) == 1


async def test_a_swap_and_its_undo_at_once_leave_one_whole_release(site: Site) -> None:
    whole = tree(site.live, "por.json"), tree(site.previous, "por.json")
    await site.is_ready()
    await asyncio.gather(site.swap(), site.undo())

    assert tree(site.live, "por.json") in whole
    assert len(site.backups()) + len(site.staged()) == 1


async def test_while_another_works_there_nothing_is_known(site: Site) -> None:
    await site.is_ready()
    with lock_held(site):
        done = await site.swap(deadline_seconds=1.5)
        facts = tuple(site.facts.items())
        stands = await site.actuator.stands(site.how, key="k", deadline_seconds=1.5, facts=facts)
    assert stands.truth is Truth.UNKNOWN
    assert done.result is Attempted.UNKNOWN
    assert "another process works on the folder" in done.reason
    assert site.build == "42"


async def test_a_process_that_hangs_is_ended_at_the_deadline(site: Site) -> None:
    await site.is_ready()
    site.actuator = TreeActuator(python=HANGS)
    began = time.monotonic()
    done = await site.swap(deadline_seconds=2.0)

    assert time.monotonic() - began < 4.0
    assert done.result is Attempted.UNKNOWN
    assert "did not end within 2 s" in done.reason
    assert workers() == []
    site.actuator = TreeActuator()
    assert (await site.swap()).result is Attempted.CLAIMED
    assert site.build == "41"


async def test_no_time_left_is_not_done(site: Site) -> None:
    await site.is_ready()
    assert (await site.swap(deadline_seconds=0.0)).result is Attempted.NOT_DONE
    assert site.build == "42"


async def test_a_cancelled_attempt_leaves_no_process(site: Site) -> None:
    await site.is_ready()
    site.actuator = TreeActuator(python=HANGS)
    swapping = asyncio.create_task(site.swap())
    while not workers():  # noqa: ASYNC110  # another process begins
        await asyncio.sleep(0.01)
    swapping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await swapping

    assert workers() == []


async def test_an_answer_that_is_none_is_unknown(site: Site, tmp_path: Path) -> None:
    liar = tmp_path / "python"
    liar.write_text("#!/bin/sh\necho done\n")
    liar.chmod(0o755)
    await site.is_ready()
    site.actuator = TreeActuator(python=(str(liar),))
    assert (await site.swap()).result is Attempted.UNKNOWN
    assert (await site.look()).reading.truth is Truth.UNKNOWN
    site.actuator = TreeActuator(python=(str(tmp_path / "nosuch"),))
    assert (await site.swap()).result is Attempted.REFUSED


# -- long preflights -------------------------------------------------------------------------------


async def test_a_long_preflight_goes_on_between_looks_and_tells_how_far_it_is(site: Site) -> None:
    with (site.previous / "large").open("wb") as file:
        for _ in range(40):
            file.write(os.urandom(1 << 20))
    site.actuator = TreeActuator(python=injected({"fsync": "delay_enter=100ms"}))
    said, found = [], await site.look(0.3)
    while found.reading.truth is Truth.UNKNOWN:
        assert found.anchor is None
        said.append(found.reading.reason)
        found = await site.look(0.3)

    assert found.reading.truth is Truth.TRUE
    assert any("% of 40 MiB" in one for one in said), said
    assert all(one.startswith("not ready yet: ") for one in said)


async def test_a_swap_does_not_wait_for_a_preflight(site: Site) -> None:
    await site.is_ready()
    site.actuator = TreeActuator(python=injected({"mkdir": "delay_enter=60s"}))
    assert (await site.look(0.5)).reading.truth is Truth.UNKNOWN
    assert len(workers()) == 1
    began = time.monotonic()
    assert (await site.swap()).result is Attempted.CLAIMED
    assert time.monotonic() - began < 5.0


async def test_the_preflight_ends_with_whoever_began_it(site: Site) -> None:
    site.actuator = TreeActuator(python=injected({"mkdir": "delay_enter=60s"}))
    await site.look(0.5)
    assert len(workers()) == 1
    await site.actuator.aclose()
    assert workers() == []


SLOW_DAEMON = """
import asyncio, sys
from watchdog.actions.tree.adapter import TreeActuator
from watchdog.core.trees import SwapTree
from watchdog.core.words import Instant

async def main():
    actuator = TreeActuator()
    how = SwapTree(sys.argv[1], sys.argv[2])
    look = await actuator.preflight(how, at=Instant(1.0, 1.0), deadline_seconds=0.5)
    print(look.reading.truth, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_it_ends_with_the_daemon_however_that_ends(site: Site, end: signal.Signals) -> None:
    site.work.mkdir(mode=0o700)
    (site.work / "lock").touch()
    with lock_held(site), daemon_of(site) as daemon:
        assert daemon.stdout is not None
        assert daemon.stdout.readline() == b"unknown\n"
        (worker,) = workers_of(daemon.pid)
        daemon.send_signal(end)
        daemon.wait(timeout=10)
        psutil.wait_procs([worker], timeout=5)
        assert not worker.is_running()


def daemon_of(site: Site) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", SLOW_DAEMON, str(site.live), str(site.previous)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


# -- what it is asked ------------------------------------------------------------------------------


async def test_what_is_no_swap_is_not_its_business() -> None:
    actuator, how = TreeActuator(), Command(("true",))
    done = await actuator.attempt(how, key="k", deadline_seconds=1)
    assert done.result is Attempted.REFUSED
    settled = await actuator.settle(how, key="k", deadline_seconds=1, facts=())
    assert settled.result is Attempted.REFUSED
    found = await actuator.preflight(how, at=AT, deadline_seconds=1)
    assert found.reading.truth is Truth.FALSE


async def test_it_is_reached_through_the_one_actuator(site: Site) -> None:
    wire = Wire(FileSecrets([]))
    one = open_actuator(wire, {SwapTree: site.actuator})
    found = await one.preflight(site.how, at=AT, deadline_seconds=20)
    assert found.anchor is not None
    facts = found.anchor.facts
    done = await one.attempt(site.how, key="k", deadline_seconds=20, facts=facts)
    assert done.result is Attempted.CLAIMED
    await wire.aclose()


async def test_many_who_wait_for_one_look_close_no_file_but_its_own(site: Site) -> None:
    """A number that is closed twice may be, the second time, somebody else's file.

    Each who has its answer asks again at once, while others still wait for the answer before.
    """
    await site.is_ready()

    async def asks() -> list[Truth]:
        found = []
        for _ in range(4):
            ready = await site.actuator.preflight(site.how, at=AT, deadline_seconds=20)
            found.append(ready.reading.truth)
        return found

    async def opens() -> None:
        """Takes the numbers that were given back, as any other part of a daemon does."""
        for _ in range(60):
            read, write = os.pipe()
            await asyncio.sleep(0.02)
            os.close(read)  # raises where somebody else closed it
            os.close(write)

    told = await asyncio.gather(*(asks() for _ in range(6)), opens())

    assert {truth for one in told[:-1] for truth in one or []} == {Truth.TRUE}
