"""Mycelia's tools behave as the real ones are known to, and lie or hang when told to."""

import asyncio
import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from watchdog.sandbox.handle import Sandbox


def run(
    sandbox: Sandbox, *command: str, cwd: Path | None = None, deadline_seconds: float = 15.0
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd or sandbox.root,
        env=sandbox.environment,
        capture_output=True,
        text=True,
        timeout=deadline_seconds,
        check=False,
    )


def test_redemption_is_paused_and_resumed(sandbox: Sandbox) -> None:
    paused = run(sandbox, "mycelia-launchctl", "pause", "redemption")
    assert (paused.returncode, "paused successfully" in paused.stdout) == (0, True)
    assert not sandbox.is_enabled()

    resumed = run(sandbox, "mycelia-launchctl", "resume", "redemption")
    assert resumed.returncode == 0
    assert sandbox.is_enabled()
    assert sandbox.flag_changes() == 2


async def test_further_emergency_controls(sandbox: Sandbox) -> None:
    assert run(sandbox, "mycelia-launchctl", "slow", "rewards").returncode == 0
    assert run(sandbox, "mycelia-launchctl", "cap", "oracle", "50").returncode == 0

    flags = (await sandbox.state())["flags"]
    assert flags["rewards_slow_mode"]["enabled"] is True
    assert flags["oracle_read_scope_max"]["value"] == 50


def test_the_launch_status_says_nothing_about_flags(sandbox: Sandbox) -> None:
    said = run(sandbox, "mycelia-launchctl", "status")

    assert said.returncode == 0
    assert "redemption" not in said.stdout


@pytest.mark.parametrize("words", ["", "pause", "pause rewards", "cap oracle many", "help"])
def test_an_order_it_does_not_know_changes_nothing(sandbox: Sandbox, words: str) -> None:
    answer = run(sandbox, "mycelia-launchctl", *words.split())

    assert (answer.returncode, "usage" in answer.stderr) == (1, True)
    assert sandbox.flag_requests() == 0


def test_without_the_token_below_the_working_directory_it_fails(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    answer = run(sandbox, "mycelia-launchctl", "pause", "redemption", cwd=tmp_path)

    assert answer.returncode == 1
    assert "governance-token.txt" in answer.stderr
    assert sandbox.is_enabled()


async def test_without_the_flag_service_it_fails(sandbox: Sandbox) -> None:
    await sandbox.refuse_connections()
    answer = run(sandbox, "mycelia-launchctl", "pause", "redemption")

    assert answer.returncode == 1
    assert "does not answer" in answer.stderr


def test_a_refusal_of_the_flag_service_is_passed_on(sandbox: Sandbox) -> None:
    sandbox.fault("flag_write", "answer", status=403, body='{"error": "no"}')
    answer = run(sandbox, "mycelia-launchctl", "pause", "redemption")

    assert answer.returncode == 1
    assert "HTTP 403" in answer.stderr


def test_a_tool_that_pretends(sandbox: Sandbox) -> None:
    sandbox.launchctl.pretends_to_pause()
    lie = run(sandbox, "mycelia-launchctl", "pause", "redemption")
    assert (lie.returncode, "paused successfully" in lie.stdout) == (0, True)
    assert sandbox.is_enabled()

    sandbox.launchctl.is_honest()
    run(sandbox, "mycelia-launchctl", "pause", "redemption")
    assert not sandbox.is_enabled()


def test_a_tool_that_fails_before_and_one_that_fails_after(sandbox: Sandbox) -> None:
    sandbox.launchctl.fails()
    assert run(sandbox, "mycelia-launchctl", "pause", "redemption").returncode == 1
    assert sandbox.flag_changes() == 0

    sandbox.launchctl.fails_after_applying()
    assert run(sandbox, "mycelia-launchctl", "pause", "redemption").returncode == 1
    assert sandbox.flag_changes() == 1


def test_a_tool_that_hangs_before_and_one_that_hangs_after(sandbox: Sandbox) -> None:
    sandbox.launchctl.hangs()
    with pytest.raises(subprocess.TimeoutExpired):
        run(sandbox, "mycelia-launchctl", "pause", "redemption", deadline_seconds=0.5)
    assert sandbox.flag_changes() == 0

    sandbox.launchctl.hangs_after_applying()
    with pytest.raises(subprocess.TimeoutExpired):
        run(sandbox, "mycelia-launchctl", "pause", "redemption", deadline_seconds=1.5)
    assert sandbox.flag_changes() == 1


def test_a_stubborn_tool_ignores_being_asked_to_end(sandbox: Sandbox) -> None:
    sandbox.launchctl.hangs(stubborn=True)
    with subprocess.Popen([sandbox.launchctl.path, "status"], cwd=sandbox.root) as tool:
        deadline = time.monotonic() + 10
        while not sandbox.launchctl.calls() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.1)  # from the note of the call to ignoring the signal
        tool.terminate()
        with pytest.raises(subprocess.TimeoutExpired):
            tool.wait(0.3)
        tool.kill()


@pytest.mark.parametrize("new_session", [False, True])
def test_a_grandchild_holds_the_pipes(sandbox: Sandbox, *, new_session: bool) -> None:
    sandbox.launchctl.leaves_a_grandchild(new_session=new_session)
    with subprocess.Popen(
        [sandbox.launchctl.path, "pause", "redemption"],
        cwd=sandbox.root,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as tool:
        assert tool.wait(15) == 0
        left = int(sandbox.places.grandchildren.read_text())
        with pytest.raises(subprocess.TimeoutExpired):
            tool.communicate(timeout=0.3)  # the tool is gone, its pipe is not
        assert (os.getpgid(left) == tool.pid) is not new_session
        os.kill(left, signal.SIGKILL)
        assert b"paused successfully" in tool.communicate(timeout=5)[0]


async def test_grandchildren_do_not_outlive_the_sandbox(tmp_path: Path) -> None:
    async with Sandbox.start(tmp_path) as sandbox:
        sandbox.launchctl.leaves_a_grandchild(new_session=True)
        command = (str(sandbox.launchctl.path), "pause", "redemption")
        tool = await asyncio.create_subprocess_exec(
            *command, cwd=sandbox.root, stdout=asyncio.subprocess.DEVNULL
        )
        assert await tool.wait() == 0
        left = int(sandbox.places.grandchildren.read_text())
        assert is_alive(left)
    deadline = time.monotonic() + 5
    while is_alive(left) and time.monotonic() < deadline:  # noqa: ASYNC110 - not our child
        await asyncio.sleep(0.01)
    assert not is_alive(left)


def is_alive(pid: int) -> bool:
    # An orphan that nobody has reaped yet is dead all the same.
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_tool_that_chatters(sandbox: Sandbox) -> None:
    sandbox.launchctl.chatters(3_000_000)
    answer = run(sandbox, "mycelia-launchctl", "pause", "redemption")

    assert len(answer.stdout) > 3_000_000
    assert not sandbox.is_enabled()


def test_calls_are_remembered(sandbox: Sandbox) -> None:
    subprocess.run(
        [sandbox.launchctl.path, "status"], cwd=sandbox.root, env={"LANG": "C"}, check=True
    )

    (call,) = sandbox.launchctl.calls()
    assert call["arguments"] == ["status"]
    assert call["cwd"] == str(sandbox.root)
    assert "LANG" in call["environment"]
    assert "HOME" not in call["environment"]


async def test_flags_are_listed_and_switched_unless_governed(sandbox: Sandbox) -> None:
    assert "spv_proofs: on" in run(sandbox, "mycelia-flags", "status").stdout
    assert "governance_v1" in run(sandbox, "mycelia-flags", "list").stdout

    assert run(sandbox, "mycelia-flags", "disable", "spv_proofs").returncode == 0
    assert run(sandbox, "mycelia-flags", "enable", "testnet_features").returncode == 0
    flags = (await sandbox.state())["flags"]
    assert flags["spv_proofs"]["enabled"] is False
    assert flags["testnet_features"]["enabled"] is True

    refused = run(sandbox, "mycelia-flags", "disable", "btc_mainnet_redemption")
    assert (refused.returncode, "governance" in refused.stderr) == (1, True)
    assert sandbox.is_enabled()


def test_package_scripts_tell_by_their_status(sandbox: Sandbox) -> None:
    for script in ("diagnose", "ops:lint", "ops:tail", "release:verify", "release:publish"):
        answer = run(sandbox, "pnpm", "run", script)
        assert answer.returncode == 0, (script, answer.stderr)
    assert run(sandbox, "pnpm", "run", "nosuch").returncode == 1

    sandbox.fail_health()
    assert run(sandbox, "pnpm", "run", "diagnose").returncode == 1
    sandbox.set_status("slos.por_attestation_age.value", 0.5)
    assert "3/4 passed" in run(sandbox, "pnpm", "run", "ops:lint").stderr


async def test_lint_that_judged_nothing_exits_0_all_the_same(sandbox: Sandbox) -> None:
    await sandbox.refuse_connections()
    answer = run(sandbox, "pnpm", "run", "ops:lint")

    assert (answer.returncode, answer.stdout.strip()) == (0, "0/0 passed")


async def test_the_test_flow_goes_the_way_of_one_redemption(sandbox: Sandbox) -> None:
    flow = ("pnpm", "--filter", "@mycelia/redemption", "start", "--", "--test-flow")
    assert run(sandbox, *flow).stdout.endswith("3/3 steps passed: quote, burn, payout\n")

    await sandbox.break_redemption(0.5)
    broken = run(sandbox, *flow)
    assert (broken.returncode, "50% of the test redemptions failed" in broken.stderr) == (1, True)

    run(sandbox, "mycelia-launchctl", "pause", "redemption")
    paused = run(sandbox, *flow)
    assert (paused.returncode, "refused as it should be" in paused.stdout) == (0, True)
