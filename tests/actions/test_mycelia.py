"""The pause itself, by Mycelia's own tool and by its own API, honest and not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.actions.conftest import AT
from watchdog.actions import open_actuator, open_probe
from watchdog.actions.command import CommandActuator
from watchdog.core.spec import Command, Endpoint, Header, HttpCall
from watchdog.core.words import Truth
from watchdog.ports import Attempt, Attempted
from watchdog.sandbox.handle import Sandbox
from watchdog.wire.http import Wire

FLAG = "btc_mainnet_redemption"
OFF = "enabled == `false`"


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox.start(tmp_path / "mycelia") as sandbox:
        yield sandbox


def launchctl(sandbox: Sandbox) -> Command:
    return Command(
        (str(sandbox.bin / "mycelia-launchctl"), "pause", "redemption"), str(sandbox.root)
    )


async def pause(sandbox: Sandbox, *, deadline_seconds: float = 10.0) -> Attempt:
    return await CommandActuator().attempt(
        launchctl(sandbox), key="k", deadline_seconds=deadline_seconds
    )


async def is_off(sandbox: Sandbox, wire: Wire) -> Truth:
    endpoint = Endpoint(f"{sandbox.url}/api/feature-flags/{FLAG}")
    return (await open_probe(wire).read(endpoint, OFF, at=AT, deadline_seconds=5)).truth


async def test_the_tool_pauses_and_the_served_flag_proves_it(sandbox: Sandbox, wire: Wire) -> None:
    ready = await CommandActuator().preflight(launchctl(sandbox), at=AT, deadline_seconds=5)
    assert ready.truth is Truth.TRUE
    assert await is_off(sandbox, wire) is Truth.FALSE

    made = await pause(sandbox)

    assert made.result is Attempted.CLAIMED
    assert "paused successfully" in made.output
    assert await is_off(sandbox, wire) is Truth.TRUE
    assert sandbox.flag_changes() == 1


async def test_a_tool_that_lies_is_found_out_by_the_flag(sandbox: Sandbox, wire: Wire) -> None:
    sandbox.launchctl.pretends_to_pause()

    made = await pause(sandbox)

    assert made.result is Attempted.CLAIMED
    assert await is_off(sandbox, wire) is Truth.FALSE


async def test_a_tool_that_fails_after_applying_is_not_taken_for_undone(
    sandbox: Sandbox, wire: Wire
) -> None:
    sandbox.launchctl.fails_after_applying()

    made = await pause(sandbox)

    assert made.result is Attempted.UNKNOWN
    assert await is_off(sandbox, wire) is Truth.TRUE


async def test_a_stubborn_tool_is_ended(sandbox: Sandbox, wire: Wire) -> None:
    sandbox.launchctl.hangs(stubborn=True)

    made = await pause(sandbox, deadline_seconds=2)

    assert made.result is Attempted.UNKNOWN
    assert "killed" in made.reason
    assert await is_off(sandbox, wire) is Truth.FALSE


async def test_a_request_pauses_and_the_served_flag_proves_it(
    sandbox: Sandbox, wire: Wire, credentials: Path
) -> None:
    (credentials / "flags-token").write_text(sandbox.token)
    endpoint = Endpoint(
        f"{sandbox.url}/api/feature-flags/{FLAG}",
        (Header("Authorization", "Bearer ", secret="flags-token"),),
    )
    call = HttpCall("PUT", endpoint, '{"enabled": false}')

    sandbox.fault("flag_write", "fail_after", times=1)
    failed = await open_actuator(wire).attempt(call, key="k", deadline_seconds=5)
    assert failed.result is Attempted.UNKNOWN
    assert await is_off(sandbox, wire) is Truth.TRUE  # a 500, and yet it was applied

    (credentials / "flags-token").write_text("not the token")
    refused = await open_actuator(wire).attempt(call, key="k", deadline_seconds=5)
    assert refused.result is Attempted.REFUSED
    assert sandbox.flag_changes() == 1
