"""What was sent, did not show by its deadline, and takes effect later: told, held, and undone."""

from __future__ import annotations

from pathlib import Path

from tests.engine.house import ALICE, TARGET, House, living
from watchdog.core import entries as e
from watchdog.core.states import State
from watchdog.engine import Done
from watchdog.sandbox.handle import Sandbox

SHOWS_AFTER_SECONDS = 3.5
"""Later than the action's deadline."""


async def undone(house: House, episode: str) -> Done:
    return await house.orders.rollbacks.undo(ALICE, episode, "mended", force=True, dry=False)


async def rolled_back(house: House) -> Done:
    return await house.orders.rollbacks.rollback(
        ALICE, "pause", "technical", "x", through_hold=False, dry=False
    )


def told(house: House) -> list[str]:
    return [page.title for page in house.entries(e.Paged) if "given up" in page.title]


async def test_what_comes_after_its_deadline_is_told_held_and_can_be_undone(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox) as house:
        await house.clear()
        sandbox.fault("flag_read", "late", seconds=SHOWS_AFTER_SECONDS)
        house.break_peg()
        episode = await house.reaches(State.LATCHED)
        (ended,) = house.entries(e.IntentEnded)
        assert ended.outcome is e.Outcome.FAILED
        assert house.engine.book.claims == {}

        await house.until(lambda: house.entries(e.CameLate), "it is seen")
        (late,) = house.entries(e.CameLate)
        assert (late.intent, late.episode, late.target) == (ended.intent, episode.id, TARGET)
        assert sandbox.flag_changes() == 1
        assert told(house) == [f"peg: {TARGET} is rolled back after pause was given up"]
        (claim,) = house.engine.book.claimants(TARGET)
        assert (claim.episode, claim.found) == (episode.id, False)

        sandbox.clear_faults("flag_read")
        assert "undo: done" in (await undone(house, episode.id)).effect
        assert sandbox.is_enabled()
        assert house.engine.book.claims == {}


async def test_what_may_have_come_late_is_not_taken_for_found_so(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """A person rolls back again, and finds that the first request came through meanwhile."""
    async with living(tmp_path, sandbox) as house:
        await house.clear()
        sandbox.fault("flag_read", "late", seconds=SHOWS_AFTER_SECONDS)
        said = (await rolled_back(house)).effect
        assert house.entries(e.IntentEnded)[-1].outcome is e.Outcome.FAILED
        assert said.endswith("may take effect yet: it is looked out for, and told")
        sandbox.clear_faults("flag_read")

        await rolled_back(house)
        assert house.entries(e.IntentEnded)[-1].outcome is e.Outcome.FOUND
        assert [claim.found for claim in house.engine.book.claimants(TARGET)] == [False]
        assert "undo: done" in (await undone(house, "E2")).effect
        assert sandbox.is_enabled()
        assert house.entries(e.CameLate) == [], "E2 holds it, and has told so"
