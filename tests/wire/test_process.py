"""Commands, as real processes, that behave in all the ways in which commands misbehave."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from watchdog.wire.environment import (
    cleared_environment,
    default_environment,
    find_program,
    missing_interpreter,
)
from watchdog.wire.process import (
    Ended,
    Exited,
    Lost,
    NotStarted,
    Signalled,
    TimedOut,
    run,
    signal_group,
)


async def sh(script: str, *, deadline_seconds: float = 5.0, max_bytes: int = 65536) -> Ended:
    return await run(["sh", "-c", script], deadline_seconds=deadline_seconds, max_bytes=max_bytes)


async def until(true: Callable[[], bool], seconds: float = 3.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110  # the kernel sets no event of ours
            await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def descriptors() -> set[str]:
    return {link.name for link in Path("/proc/self/fd").iterdir()}


def our_children() -> set[int]:
    return {child.pid for child in psutil.Process().children()}


# -- ends by itself --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [0, 1, 2, 126, 127, 255])
async def test_an_exit_status_is_told_as_it_is(status: int) -> None:
    ended = await sh(f"echo said; echo complained >&2; exit {status}")

    assert isinstance(ended, Exited)
    assert (ended.status, ended.reason) == (status, f"exit status {status}")
    assert (ended.stdout.text, ended.stderr.text) == ("said\n", "complained\n")
    assert not ended.held_open


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGTERM"])
async def test_a_signal_is_told_by_its_name(name: str) -> None:
    ended = await sh(f"kill -{name.removeprefix('SIG')} $$")

    assert isinstance(ended, Signalled)
    assert (ended.signal, ended.reason) == (signal.Signals[name], f"ended by {name}")


async def test_arguments_reach_the_command_as_written() -> None:
    odd = ["a b", "$HOME", "*", "", "'", "; exit 3", "\n"]
    ended = await run(
        [sys.executable, "-c", "import sys; print(sys.argv[1:])", *odd], deadline_seconds=10
    )

    assert isinstance(ended, Exited)
    assert ended.stdout.text == f"{odd!r}\n"


async def test_the_command_runs_in_its_folder(tmp_path: Path) -> None:
    ended = await run(["pwd"], cwd=str(tmp_path), deadline_seconds=5)

    assert isinstance(ended, Exited)
    assert ended.stdout.text == f"{tmp_path}\n"


async def test_our_standard_input_stays_ours() -> None:
    theirs, ours = os.pipe()
    kept = os.dup(0)
    os.dup2(theirs, 0)
    try:
        os.write(ours, b"for the daemon only")
        ended = await sh("cat; echo end", deadline_seconds=2)
    finally:
        os.dup2(kept, 0)
        for descriptor in (theirs, ours, kept):
            os.close(descriptor)

    assert isinstance(ended, Exited)
    assert ended.stdout.text == "end\n"


async def test_the_command_leads_a_group_and_session_of_its_own() -> None:
    ended = await run(
        [sys.executable, "-c", "import os; print(os.getpid(), os.getpgrp(), os.getsid(0))"],
        deadline_seconds=10,
    )

    assert isinstance(ended, Exited)
    pid, group, session = ended.stdout.text.split()
    assert pid == group == session


async def test_no_descriptor_of_ours_reaches_the_command() -> None:
    inheritable = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(inheritable, True)  # noqa: FBT003  # the library's own signature
    try:
        ended = await sh("ls /proc/self/fd")
    finally:
        os.close(inheritable)

    assert isinstance(ended, Exited)
    assert len(ended.stdout.text.split()) == 4  # three standard ones, and ls's own


# -- the environment -------------------------------------------------------------------------------


async def test_the_daemons_environment_stays_with_the_daemon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WATCHDOG_SENTRY_DSN", "not for commands")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")

    ended = await run(["env"], deadline_seconds=5)

    assert isinstance(ended, Exited)
    assert set(ended.stdout.text.split()) == {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG=C.UTF-8",
    }


async def test_named_variables_are_let_through() -> None:
    ours = {"REGION": "eu", "TOKEN": "x", "LANG": "de_DE.UTF-8"}
    environment = cleared_environment(("REGION", "ABSENT"), ours)

    ended = await run(["env"], env=environment.variables, deadline_seconds=5)

    assert environment.missing == ("ABSENT",)
    assert isinstance(ended, Exited)
    assert "REGION=eu" in ended.stdout.text
    assert "TOKEN" not in ended.stdout.text
    assert "LANG=C.UTF-8" in ended.stdout.text


# -- never begins ----------------------------------------------------------------------------------


async def test_a_missing_tool_is_no_passing_trouble() -> None:
    ended = await run(["mycelia-nosuchctl", "pause"], deadline_seconds=5)

    assert ended == NotStarted(
        "'mycelia-nosuchctl' was not started: No such file or directory", passing=False
    )


async def test_a_file_that_may_not_be_executed_is_not_started(tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\n")

    ended = await run([str(tool)], deadline_seconds=5)

    assert isinstance(ended, NotStarted)
    assert "Permission denied" in ended.reason
    assert not ended.passing


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    ended = await run(["true"], cwd=str(tmp_path / "gone"), deadline_seconds=5)

    assert isinstance(ended, NotStarted)
    assert ended.reason.endswith(f"(folder {tmp_path}/gone)")


async def test_a_tool_that_is_just_being_written_may_be_tried_again(tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    shutil.copy("/bin/true", tool)
    tool.chmod(0o755)
    with tool.open("ab"):  # "text file busy"
        ended = await run([str(tool)], deadline_seconds=5)

    assert isinstance(ended, NotStarted)
    assert ended.passing


@pytest.mark.parametrize("argv", [[], ["a\0b"], ["echo", "x" * 3_000_000]])
async def test_what_cannot_be_a_command_is_not_started(argv: list[str]) -> None:
    ended = await run(argv, deadline_seconds=5)

    assert isinstance(ended, NotStarted)
    assert not ended.passing
    assert len(ended.reason) < 200


async def test_without_time_left_nothing_is_started(tmp_path: Path) -> None:
    ended = await run(["touch", str(tmp_path / "effect")], deadline_seconds=0)

    assert isinstance(ended, NotStarted)
    assert ended.passing
    assert not (tmp_path / "effect").exists()


# -- time ------------------------------------------------------------------------------------------


async def test_a_hanging_command_is_ended_within_the_deadline() -> None:
    began = time.monotonic()
    ended = await sh("echo began; exec sleep 60", deadline_seconds=0.5)

    assert isinstance(ended, TimedOut)
    assert ended.killed
    assert ended.reason == "did not end within 0.5 s, killed"
    assert ended.stdout.text == "began\n"
    assert 0.3 < time.monotonic() - began < 1.0


async def test_a_command_may_tidy_up_when_asked_to_end() -> None:
    ended = await sh(
        "trap 'echo tidied; exit 0' TERM; echo began; while :; do sleep 0.01; done",
        deadline_seconds=1.0,
    )

    assert isinstance(ended, TimedOut)  # exit status 0 or not: it did not do its work in time
    assert ended.stdout.text.endswith("tidied\n")


async def test_a_command_that_ignores_sigterm_is_killed_with_its_whole_group(
    tmp_path: Path,
) -> None:
    ended = await sh(
        f"trap '' TERM; (trap '' TERM; sleep 60) & echo $! > {tmp_path}/pid; wait",
        deadline_seconds=0.5,
    )

    assert isinstance(ended, TimedOut)
    assert ended.killed
    grandchild = int((tmp_path / "pid").read_text())
    await until(lambda: not alive(grandchild))


async def test_a_stopped_command_is_ended_too() -> None:
    ended = await sh("kill -STOP $$", deadline_seconds=0.5)

    assert isinstance(ended, TimedOut)
    assert ended.killed


async def test_the_loop_goes_on_while_a_command_runs() -> None:
    beats = 0
    running = asyncio.create_task(sh("head -c 100000000 /dev/zero", deadline_seconds=20))
    while not running.done():
        beats += 1
        await asyncio.sleep(0)

    assert isinstance(await running, Exited)
    assert beats > 100


# -- what it leaves behind -------------------------------------------------------------------------


async def test_a_child_left_in_the_group_holds_nobody_up_and_is_killed(tmp_path: Path) -> None:
    began = time.monotonic()
    ended = await sh(f"sleep 60 & echo $! > {tmp_path}/pid; echo paused")

    assert isinstance(ended, Exited)
    assert (ended.status, ended.stdout.text, ended.held_open) == (0, "paused\n", True)
    assert time.monotonic() - began < 2
    left = int((tmp_path / "pid").read_text())
    await until(lambda: not alive(left))


async def test_a_silent_child_left_in_the_group_is_killed_at_once(tmp_path: Path) -> None:
    ended = await sh(f"sleep 60 >/dev/null 2>&1 & echo $! > {tmp_path}/pid")

    assert isinstance(ended, Exited)
    assert not ended.held_open
    left = int((tmp_path / "pid").read_text())
    await until(lambda: not alive(left))


@pytest.mark.parametrize("leader", ["exit 0", "sleep 60"])
async def test_a_child_that_left_the_group_holds_nobody_up(tmp_path: Path, leader: str) -> None:
    began = time.monotonic()
    ended = await sh(
        f"setsid sh -c 'echo $$ > {tmp_path}/pid; exec sleep 60' & "
        f"while [ ! -s {tmp_path}/pid ]; do sleep 0.01; done; {leader}",
        deadline_seconds=1.5,
    )

    took = time.monotonic() - began
    escaped = int((tmp_path / "pid").read_text())
    os.kill(escaped, signal.SIGKILL)
    assert isinstance(ended, Exited if leader == "exit 0" else TimedOut)
    assert ended.held_open
    assert took < 2.5


async def test_what_a_late_child_still_prints_is_heard() -> None:
    ended = await sh("(sleep 0.1; echo late) &")

    assert isinstance(ended, Exited)
    assert (ended.stdout.text, ended.held_open) == ("late\n", False)


async def test_no_process_zombie_or_descriptor_remains() -> None:
    await sh("true")
    before = descriptors(), our_children()
    for script in ("true", "exit 3", "kill -9 $$", "sleep 60 & true", "sleep 60"):
        await sh(script, deadline_seconds=0.5)
    await run(["nosuch"], deadline_seconds=1)
    gc.collect()  # a Popen that feels responsible would warn here

    assert (descriptors(), our_children()) == before


async def test_a_status_that_somebody_else_took_is_no_success() -> None:
    """With SIGCHLD ignored the kernel keeps no status; Popen would say 0."""
    old = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        ended = await sh("exit 3")
    finally:
        signal.signal(signal.SIGCHLD, old)

    assert isinstance(ended, Lost)


async def test_where_the_kernel_grants_no_pidfd_the_end_is_seen_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forbidden(_pid: int) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "pidfd_open", forbidden)
    before = our_children()
    began = time.monotonic()
    ended = await sh("sleep 0.1; exit 3")

    assert isinstance(ended, Exited)
    assert ended.status == 3
    assert time.monotonic() - began < 1
    assert isinstance(await sh("sleep 60", deadline_seconds=0.5), TimedOut)
    assert our_children() == before


async def test_a_command_that_we_may_not_kill_is_left_and_said_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As with a setuid tool: the kernel refuses our signal."""
    before = our_children()
    groups: list[int] = []

    def refuse(group: int, _number: int) -> None:
        groups.append(group)
        raise PermissionError

    with monkeypatch.context() as kernel:
        kernel.setattr(os, "killpg", refuse)
        began = time.monotonic()
        ended = await sh("exec sleep 60", deadline_seconds=0.5)

    assert time.monotonic() - began < 3
    assert isinstance(ended, TimedOut)
    assert not ended.killed
    assert ended.reason.endswith("could not be killed")
    os.killpg(groups[0], signal.SIGKILL)
    await until(lambda: our_children() == before)  # and it is buried once it dies


# -- what it prints --------------------------------------------------------------------------------


async def test_a_hundred_megabytes_are_read_and_not_kept() -> None:
    ended = await sh(
        "echo first; head -c 100000000 /dev/zero | tr '\\0' x; echo last; "
        "head -c 1000000 /dev/zero >&2",
        deadline_seconds=30,
        max_bytes=1000,
    )

    assert isinstance(ended, Exited)
    assert ended.stdout.text.startswith("first\nxxx")
    assert ended.stdout.text.endswith("xxxlast\n")
    assert ended.stdout.total_bytes == 100_000_011
    assert ended.stdout.cut_bytes == 100_000_011 - 1000
    assert "[... 99999011 bytes left out ...]" in ended.stdout.text
    assert len(ended.stdout.text) < 1100
    assert ended.stderr.total_bytes == 1_000_000


async def test_endless_output_ends_with_the_deadline() -> None:
    ended = await sh("exec yes", deadline_seconds=0.5, max_bytes=1000)

    assert isinstance(ended, TimedOut)
    assert ended.killed
    assert len(ended.stdout.text) < 1100


@pytest.mark.parametrize("size", [0, 1, 499, 500, 501, 999, 1000, 1001, 2000])
async def test_the_cap_is_exact(size: int) -> None:
    ended = await sh(f"head -c {size} /dev/zero", max_bytes=1000)

    assert isinstance(ended, Exited)
    assert ended.stdout.total_bytes == size
    assert ended.stdout.cut_bytes == max(0, size - 1000)
    assert ended.stdout.text.count("\0") == min(size, 1000)


async def test_bytes_that_are_no_text_do_no_harm() -> None:
    ended = await sh(r"printf '\377\376ok'")

    assert isinstance(ended, Exited)
    assert ended.stdout.text == "\ufffd\ufffdok"


# -- cancelled -------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment_seconds", [0.0, 0.05, 0.3])
async def test_a_cancelled_command_dies_with_its_group(
    tmp_path: Path, moment_seconds: float
) -> None:
    before = our_children()
    running = asyncio.create_task(
        sh(f"trap '' TERM; sleep 60 & echo $! > {tmp_path}/pid; wait", deadline_seconds=60)
    )
    await asyncio.sleep(moment_seconds)
    running.cancel()
    began = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert time.monotonic() - began < 1
    assert our_children() == before
    if (tmp_path / "pid").exists() and (written := (tmp_path / "pid").read_text()):
        await until(lambda: not alive(int(written)))


async def test_a_callers_own_time_limit_works() -> None:
    before = our_children()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await sh("sleep 60", deadline_seconds=60)

    assert our_children() == before


async def test_cancelled_twice_still_leaves_nothing() -> None:
    before = our_children()
    running = asyncio.create_task(sh("sleep 60", deadline_seconds=60))
    await asyncio.sleep(0.1)
    running.cancel()
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    await until(lambda: our_children() == before)


# -- never the wrong process -----------------------------------------------------------------------


@pytest.mark.parametrize("group", [-1, 0, 1, os.getpgrp()])
def test_our_own_group_and_init_are_never_signalled(group: int) -> None:
    with pytest.raises(ValueError, match="never"):
        signal_group(group, 0)


def test_a_group_that_is_gone_needs_no_signal() -> None:
    gone = subprocess.Popen(["true"], start_new_session=True)
    gone.wait()

    assert signal_group(gone.pid, signal.SIGKILL)


# -- finding tools ---------------------------------------------------------------------------------


def make_tool(file: Path, first_line: str = "#!/bin/sh") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{first_line}\n")
    file.chmod(0o755)
    return file


def test_tools_are_found_as_the_command_would_find_them(tmp_path: Path) -> None:
    tool = make_tool(tmp_path / "bin" / "tool")
    (tmp_path / "bin" / "folder").mkdir()
    (tmp_path / "bin" / "text").write_text("")
    path = f"{tmp_path}/nosuch:{tmp_path}/bin"

    assert find_program("tool", path=path, cwd=None) == str(tool)
    assert find_program("./bin/tool", path="", cwd=str(tmp_path)) is not None
    assert find_program("tool", path="bin", cwd=str(tmp_path)) is not None
    assert find_program("folder", path=path, cwd=None) is None
    assert find_program("text", path=path, cwd=None) is None
    assert find_program("tool", path="/usr/bin", cwd=None) is None
    assert find_program("a\0b", path=path, cwd=None) is None


@pytest.mark.parametrize(
    ("first_line", "missing"),
    [
        ("#!/bin/sh", None),
        ("#!/nosuch/python3 -E", "/nosuch/python3"),
        ("#!/usr/bin/env sh", None),
        ("#!/usr/bin/env nosuch-node", "nosuch-node"),
        ("#!/usr/bin/env -S A=1 nosuch-node --flag", "nosuch-node"),
        ("\x7fELF", None),
        ("#!", None),
    ],
)
def test_a_script_without_its_interpreter_is_noticed(
    tmp_path: Path, first_line: str, missing: str | None
) -> None:
    tool = make_tool(tmp_path / "tool", first_line)

    found = missing_interpreter(str(tool), path=default_environment()["PATH"], cwd=None)

    assert found == missing
