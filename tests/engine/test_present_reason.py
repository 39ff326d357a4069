"""What holds an episode back is told as it is now, however often it came and went."""

from __future__ import annotations

from pathlib import Path

from tests.engine.house import ALICE, House, living
from watchdog.core.spec import Scope
from watchdog.core.states import State
from watchdog.engine import Views
from watchdog.sandbox.handle import Sandbox


def hold(house: House, *, silence: bool = False) -> None:
    house.orders.stops.hold(
        ALICE, Scope("all"), "deploy", for_seconds=600.0, silence=silence, dry=False
    )


async def test_a_refusal_that_is_over_is_told_no_more(tmp_path: Path, sandbox: Sandbox) -> None:
    async with living(tmp_path, sandbox) as house:
        views = Views(house.engine)

        async def told(says: str) -> None:
            def shown() -> bool:
                (ep,) = views.status()["episodes"]
                why = views.why("peg")
                assert why is not None
                return ep["reason"].startswith(says) and says in why["not_acting"]

            await house.until(shown, says)

        await house.clear()
        hold(house, silence=True)
        house.break_peg()
        await house.reaches(State.HELD)
        await told("hold: silence H1")
        house.orders.stops.release(ALICE, "H1", "deployed", dry=False)
        await told("burning: already burning")
        hold(house)
        await told("hold: hold H2")
        house.orders.stops.release(ALICE, "H2", "deployed", dry=False)
        await told("burning: already burning")


async def test_an_undo_that_came_to_nothing_is_told_until_it_is_undone(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox) as house:
        views = Views(house.engine)
        await house.clear()
        house.break_peg()
        await house.reaches(State.CONTAINED)
        sandbox.fault("flag_write", "answer", status=401)
        await house.orders.rollbacks.undo(ALICE, "E1", "mended", force=True, dry=False)
        (ep,) = views.status()["episodes"]
        assert ep["state"] == "contained"
        assert "; its undo ended failed: " in ep["reason"]
        assert "401" in ep["reason"]
        why = views.why("peg")
        assert why is not None
        assert "its undo ended failed" in why["not_acting"]
        sandbox.clear_faults("flag_write")
        await house.orders.rollbacks.undo(ALICE, "E1", "mended", force=True, dry=False)
        assert all("its undo" not in ep["reason"] for ep in views.status()["episodes"])
