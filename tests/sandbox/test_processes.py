"""No process of a sandbox outlives the one who started it, however that one ends."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from watchdog.sandbox.handle import Sandbox
from watchdog.sandbox.processes import Command, ProcessEndedError, line_in_log, start_process

STARTER = """
import asyncio, sys
from watchdog.sandbox.handle import Sandbox

async def main():
    async with Sandbox.start(sys.argv[1], metrics_process=True) as sandbox:
        print(sandbox.app.pid, sandbox.metrics.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


def is_alive(pid: int) -> bool:
    # An orphan that nobody has reaped yet is dead all the same.
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


async def test_a_failing_test_leaves_nothing_behind(tmp_path: Path) -> None:
    pids: list[int] = []

    async def failing() -> None:
        async with Sandbox.start(tmp_path, metrics_process=True) as sandbox:
            pids.extend((sandbox.app.pid, sandbox.metrics.pid))
            sandbox.app.pause()  # a stopped process must go as well
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await failing()
    assert len(pids) == 2
    assert not any(is_alive(pid) for pid in pids)


def test_a_killed_starter_takes_its_processes_along(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, tmp_path],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as starter:
        assert starter.stdout is not None
        pids = [int(word) for word in starter.stdout.readline().split()]
        assert [is_alive(pid) for pid in pids] == [True, True]
        starter.send_signal(signal.SIGKILL)

    deadline = time.monotonic() + 5
    while any(is_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(is_alive(pid) for pid in pids)


async def test_sigterm_ends_the_app_at_once_even_in_a_hanging_request(sandbox: Sandbox) -> None:
    sandbox.fault("health", "hang")
    port = int(sandbox.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as waiting:
        waiting.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        began = time.monotonic()
        await sandbox.app.stop()

    assert sandbox.app.status == 0, sandbox.app.log_tail()
    assert time.monotonic() - began < 3


async def test_restarted_processes_keep_their_ports(tmp_path: Path) -> None:
    async with Sandbox.start(tmp_path, metrics_process=True) as sandbox:
        places = (sandbox.url, sandbox.metrics_url, sandbox.control_url)
        pids = (sandbox.app.pid, sandbox.metrics.pid)
        await sandbox.restart_app()
        await sandbox.restart_metrics()

        assert (sandbox.url, sandbox.metrics_url, sandbox.control_url) == places
        assert (sandbox.app.pid, sandbox.metrics.pid) != pids


async def test_a_process_that_cannot_start_says_why(tmp_path: Path) -> None:
    script = "import sys; sys.exit('no such luck')"
    command = Command("unlucky", [sys.executable, "-c", script], tmp_path / "log")
    process = start_process(command)
    with pytest.raises(ProcessEndedError, match="no such luck"):
        await line_in_log(process, "{")


async def test_one_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    script = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('{', flush=True); time.sleep(60)"
    )
    process = start_process(Command("deaf", [sys.executable, "-c", script], tmp_path / "log"))
    await line_in_log(process, "{")
    await process.stop(grace_seconds=0.2)

    assert process.status == -signal.SIGKILL


BUSY_BEHIND_A_WAIT = """
import hashlib, os, sys, threading
busy = lambda: hashlib.pbkdf2_hmac("sha256", b"a", b"b", 1 << 30)
threading.Thread(target=busy, daemon=True).start()
waits = [(os.POSIX_SPAWN_OPEN, 0, sys.argv[1], os.O_RDONLY, 0)]
print("{", flush=True)
os.posix_spawn("/bin/true", ["true"], {}, file_actions=waits)
"""


async def test_pause_returns_once_every_thread_stands_still(tmp_path: Path) -> None:
    """The first thread waits in the kernel, as for a slow disk, and takes no signal till then."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    script = [sys.executable, "-c", BUSY_BEHIND_A_WAIT, str(fifo)]
    process = start_process(Command("busy", script, tmp_path / "log"))
    await line_in_log(process, "{")
    seen = psutil.Process(process.pid)
    while seen.status() != psutil.STATUS_DISK_SLEEP:  # noqa: ASYNC110 - a child has no event
        await asyncio.sleep(0.01)
    release = threading.Timer(0.3, fifo.write_bytes, [b""])
    release.start()
    process.pause()
    used = seen.cpu_times().user
    await asyncio.sleep(0.2)
    assert seen.cpu_times().user == used
    assert process.is_running
    release.join()
    process.kill_now()


async def test_a_reset_gives_a_new_sandbox(sandbox: Sandbox) -> None:
    await sandbox.change_flag_behind_its_back(enabled=False)
    await sandbox.break_redemption()
    sandbox.fault("health", "hang")
    sandbox.launchctl.fails()
    await sandbox.refuse_connections()
    sandbox.app.pause()

    await sandbox.reset()

    state = await sandbox.state()
    assert (state["listening"], state["faults"], state["errors_began_at"]) == (True, [], None)
    assert state["traffic"]["flowing"] is True
    assert (sandbox.flag_changes(), sandbox.is_enabled()) == (0, True)
    assert not sandbox.places.tool_faults.exists()


async def test_a_taken_port_is_given_way_where_that_is_wanted(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        async with Sandbox.start(tmp_path / "a", port=taken, or_free_port=True) as sandbox:
            assert sandbox.url != f"http://127.0.0.1:{taken}"
            assert sandbox.is_enabled()
        with pytest.raises(ProcessEndedError, match="in use"):
            await Sandbox.start(tmp_path / "b", port=taken).start_app()


async def test_a_second_sandbox_in_the_same_folder_goes_on(tmp_path: Path) -> None:
    async with Sandbox.start(tmp_path) as first:
        await first.change_flag_behind_its_back(enabled=False)
        token = first.token
    async with Sandbox.start(tmp_path) as second:
        assert second.token == token
        assert (await second.state())["flags"]["btc_mainnet_redemption"]["enabled"] is False
        assert second.flag_changes() == 1
        assert (await second.state())["traffic"]["flowing"] is False
