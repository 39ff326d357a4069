"""Pausing by a command: what is claimed, what is certain, and what only a read-back can tell."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from tests.actions.conftest import AT
from watchdog.actions.command import CommandActuator
from watchdog.core.spec import Command
from watchdog.core.words import Truth
from watchdog.ports import Attempt, Attempted


def tool(folder: Path, script: str, interpreter: str = "/bin/sh") -> str:
    file = folder / "mycelia-tool"
    file.write_text(f"#!{interpreter}\n{script}\n")
    file.chmod(0o755)
    return str(file)


async def attempt(
    command: Command, *, ours: dict[str, str] | None = None, deadline_seconds: float = 5.0
) -> Attempt:
    actuator = CommandActuator(ours if ours is not None else {})
    return await actuator.attempt(command, key="intent-7", deadline_seconds=deadline_seconds)


async def ready(command: Command, *, ours: dict[str, str] | None = None) -> tuple[Truth, str]:
    actuator = CommandActuator(ours if ours is not None else {})
    reading = await actuator.preflight(command, at=AT, deadline_seconds=5.0)
    assert reading.at == AT
    return reading.truth, reading.reason


# -- attempts --------------------------------------------------------------------------------------


async def test_exit_status_0_is_a_claim(tmp_path: Path) -> None:
    made = await attempt(Command((tool(tmp_path, 'echo "$1 paused successfully"'), "redemption")))

    assert made.result is Attempted.CLAIMED
    assert made.output == "redemption paused successfully"
    assert made.reason.endswith("mycelia-tool exit status 0")


@pytest.mark.parametrize("status", [1, 2, 127])
async def test_a_failure_may_come_after_the_effect(tmp_path: Path, status: int) -> None:
    script = f"touch effect; echo trying; echo 'cannot log' >&2; exit {status}"
    made = await attempt(Command((tool(tmp_path, script),), cwd=str(tmp_path)))

    assert (tmp_path / "effect").exists()
    assert made.result is Attempted.UNKNOWN
    assert f"exit status {status}: cannot log" in made.reason
    assert made.output == "trying\nstderr: cannot log"


async def test_a_signal_leaves_it_open(tmp_path: Path) -> None:
    made = await attempt(Command((tool(tmp_path, "kill -9 $$"),)))

    assert made.result is Attempted.UNKNOWN
    assert made.reason.endswith("ended by SIGKILL")


async def test_a_hanging_tool_leaves_it_open_within_the_deadline(tmp_path: Path) -> None:
    began = time.monotonic()
    made = await attempt(
        Command((tool(tmp_path, "echo began; exec sleep 60"),)), deadline_seconds=0.5
    )

    assert time.monotonic() - began < 1.5
    assert made.result is Attempted.UNKNOWN
    assert "did not end within 0.5 s" in made.reason
    assert made.output == "began"


async def test_what_never_began_is_refused() -> None:
    made = await attempt(Command(("mycelia-nosuchctl", "pause")))

    assert made.result is Attempted.REFUSED
    assert "No such file" in made.reason


async def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    made = await attempt(Command(("true",), cwd=str(tmp_path / "gone")))

    assert made.result is Attempted.REFUSED
    assert "gone" in made.reason


async def test_a_missing_variable_is_refused_before_anything_begins(tmp_path: Path) -> None:
    made = await attempt(
        Command((tool(tmp_path, "touch effect"),), cwd=str(tmp_path), env=("REGION",))
    )

    assert made == Attempt(
        Attempted.REFUSED, "environment variable REGION is not set for the watchdog"
    )
    assert not (tmp_path / "effect").exists()


async def test_no_time_left_is_not_done(tmp_path: Path) -> None:
    made = await attempt(Command((tool(tmp_path, "exit 0"),)), deadline_seconds=0)

    assert made.result is Attempted.NOT_DONE


async def test_a_tool_sees_what_is_named_and_the_intents_key(tmp_path: Path) -> None:
    ours = {"REGION": "eu", "WATCHDOG_SENTRY_DSN": "hidden", "HOME": "/root"}
    made = await attempt(Command((tool(tmp_path, "exec env"),), env=("HOME",)), ours=ours)

    seen = {line.partition("=")[0] for line in made.output.splitlines()}
    assert seen - {"PWD", "OLDPWD", "SHLVL", "_"} == {"PATH", "LANG", "HOME", "SLO_WATCHDOG_INTENT"}
    assert "SLO_WATCHDOG_INTENT=intent-7" in made.output
    assert "HOME=/root" in made.output


async def test_a_secret_that_was_let_through_does_not_come_back(tmp_path: Path) -> None:
    ours = {"FLAG_AUTH": "correct horse battery"}
    script = 'echo "with <$FLAG_AUTH>"; echo "bad auth $FLAG_AUTH" >&2; exit 1'
    made = await attempt(Command((tool(tmp_path, script),), env=("FLAG_AUTH",)), ours=ours)

    assert "horse" not in made.output
    assert "horse" not in made.reason
    assert "with <***>" in made.output


async def test_a_flood_of_output_is_bounded_and_its_end_is_kept(tmp_path: Path) -> None:
    script = "echo first; head -c 100000000 /dev/zero | tr '\\0' x; echo; echo done"
    made = await attempt(Command((tool(tmp_path, script),)), deadline_seconds=30)

    assert made.result is Attempted.CLAIMED
    assert len(made.output) <= 2000
    assert made.output.startswith("first\nxxx")
    assert made.output.endswith("xxx\ndone")


async def test_a_tool_that_leaves_a_grandchild_holds_nobody_up(tmp_path: Path) -> None:
    began = time.monotonic()
    made = await attempt(Command((tool(tmp_path, "setsid sleep 3 & echo paused"),)))

    assert time.monotonic() - began < 2.5
    assert (made.result, made.output) == (Attempted.CLAIMED, "paused")


async def test_a_cancelled_attempt_ends_its_tool(tmp_path: Path) -> None:
    script = "echo $$ > pid; exec sleep 60"
    running = asyncio.create_task(
        attempt(Command((tool(tmp_path, script),), cwd=str(tmp_path)), deadline_seconds=60)
    )
    await asyncio.sleep(0.3)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


# -- preflight -------------------------------------------------------------------------------------


async def test_a_tool_that_would_start_is_ready_and_is_not_run(tmp_path: Path) -> None:
    file = tool(tmp_path, "touch effect")

    truth, reason = await ready(Command(("./mycelia-tool",), cwd=str(tmp_path)))

    assert truth is Truth.TRUE
    assert str(tmp_path) in reason
    assert (await ready(Command((file,))))[0] is Truth.TRUE
    assert not (tmp_path / "effect").exists()


async def test_a_tool_on_a_path_that_is_let_through_is_found(tmp_path: Path) -> None:
    tool(tmp_path, "exit 0")
    command = Command(("mycelia-tool",), env=("PATH",))

    assert (await ready(command, ours={"PATH": str(tmp_path)}))[0] is Truth.TRUE
    assert (await ready(command, ours={"PATH": "/usr/bin"}))[0] is Truth.FALSE


async def test_the_daemons_own_path_finds_nothing_for_a_command(tmp_path: Path) -> None:
    tool(tmp_path, "exit 0")

    truth, reason = await ready(Command(("mycelia-tool",)), ours={"PATH": str(tmp_path)})

    assert truth is Truth.FALSE
    assert "no executable 'mycelia-tool' on PATH" in reason


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (Command(("true",), cwd="/nosuch"), "folder /nosuch does not exist"),
        (Command(("true",), cwd="/etc/passwd"), "folder /etc/passwd does not exist"),
        (Command(("true",), env=("REGION",)), "variable REGION is not set"),
        (Command(("./nosuch",), cwd="/usr"), "no executable './nosuch' in /usr"),
        (Command(("/etc/passwd",)), "no executable '/etc/passwd'"),
        (Command(()), "no executable ''"),
    ],
)
async def test_what_is_missing_is_said(command: Command, reason: str) -> None:
    truth, why = await ready(command)

    assert truth is Truth.FALSE
    assert reason in why


async def test_a_script_whose_interpreter_is_missing_is_not_ready(tmp_path: Path) -> None:
    file = tool(tmp_path, "", interpreter="/usr/bin/env nosuch-node")

    truth, reason = await ready(Command((file,)))

    assert truth is Truth.FALSE
    assert "needs nosuch-node" in reason


async def test_preflight_has_a_deadline() -> None:
    reading = await CommandActuator({}).preflight(Command(("true",)), at=AT, deadline_seconds=0)

    assert reading.truth is Truth.UNKNOWN
