"""An action is ready by what was looked at, never by what an action of its name once was."""

from __future__ import annotations

from pathlib import Path

from tests.engine.house import living, pause, policy
from watchdog.core import entries as e
from watchdog.core.spec import Command, Step
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
