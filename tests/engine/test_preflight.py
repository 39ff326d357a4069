"""An action is ready by what was looked at, never by what an action of its name once was."""

from __future__ import annotations

from pathlib import Path

from tests.engine.house import living, pause, policy
from watchdog.core import entries as e
from watchdog.core.spec import Check, Command, Endpoint, Step
from watchdog.core.words import Truth
from watchdog.engine.preflight import CHANGED
from watchdog.sandbox.handle import Sandbox


async def test_a_changed_action_is_not_ready_before_it_was_looked_at(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    whole = pause(sandbox)
    broken = pause(
        sandbox, sha256="another", do=Step(Command(("/nonexistent/tool",)), whole.do.expect)
    )
    async with living(tmp_path, sandbox, policy(sandbox, action=whole)) as house:
        await house.clear()
        assert house.engine.book.readiness["pause"][0] is Truth.TRUE

        applied = e.PolicyApplied("sha of another", (), "test")
        house.engine.adopt(policy(sandbox, action=broken), applied)
        assert house.engine.book.readiness["pause"][:2] == (Truth.UNKNOWN, CHANGED)

        readiness = house.engine.book.readiness
        await house.until(lambda: readiness["pause"][0] is Truth.FALSE, "the look at it")
        assert "/nonexistent/tool" in readiness["pause"][1]
        assert any("is not ready" in page.title for page in house.entries(e.Paged))


async def test_an_action_is_ready_only_while_all_that_it_needs_is_proven(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    needs = Check(Endpoint(f"{sandbox.url}/ops/status.json"), "peg.collateralization >= `1`")
    action = pause(sandbox, ready_when=(needs,))
    async with living(tmp_path, sandbox, policy(sandbox, action=action)) as house:
        await house.clear()
        assert house.engine.book.readiness["pause"][0] is Truth.TRUE

        sandbox.set_status("peg.collateralization", 0.9)
        house.engine._look_at_actions()
        readiness = house.engine.book.readiness
        await house.until(lambda: readiness["pause"][0] is Truth.FALSE, "the look at it")
        assert "not proven" in readiness["pause"][1]
        assert "peg.collateralization is 0.9" in readiness["pause"][1]
