"""Several daemons on one simulated store: every property holds, and one seed gives one trace.

`make sim` runs many more. To see one: python -m tests.simulation --daemons 2 --seed 7 --trace
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.simulation.__main__ import tale
from tests.simulation.removals import Removal
from tests.simulation.shared.daemon import Daemon
from tests.simulation.shared.life import SharedLife, live_together
from tests.simulation.shared.removals import REMOVALS

SHORT = 1.0
"""Minutes before the calm."""


@pytest.mark.parametrize("seed", range(1, 6))
def test_every_property_holds_of_two(seed: int) -> None:
    told = live_together(seed, minutes=SHORT)
    assert not told.violations, f"\n{tale(told, daemons=2)}"
    assert told.counts["takeovers"]


def test_every_property_holds_of_three() -> None:
    told = live_together(6, daemons=3, minutes=SHORT)
    assert not told.violations, f"\n{tale(told, daemons=3)}"


def test_a_trace_of_two_is_the_same_in_another_process() -> None:
    """So that a seed is all that needs to be told of a fault."""
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.simulation",
            *["--daemons", "2", "--seed", "2", "--minutes", "1"],
        ],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert ran.stdout.split()[3] == f"{live_together(2, minutes=SHORT).trace},"


def test_who_is_blind_ceases_to_lead_before_the_store_hears_that_it_yields() -> None:
    """An answer that takes its time would else leave two of them that believe they lead."""
    life = SharedLife(1, minutes=1.5)
    life.world.calm = True  # nothing else befalls them

    def put_out_its_eyes() -> None:
        leader = life.harm.leader()
        assert leader is not None
        for name in ("app", "status"):
            leader.sources.hide(name)

    life.world.after(30.0, "the leader sees nothing any more", put_out_its_eyes)
    told = life.live()
    assert told.counts["takeovers"] == 2
    assert not told.violations, f"\n{tale(told, daemons=2)}"


def test_what_is_heard_of_the_lease_too_late_is_not_believed() -> None:
    """Frozen while the answer was on its way: by now another has led, and has made the change."""
    life = SharedLife(1, minutes=3.0)
    life.world.calm = True
    stopped: list[Daemon] = []

    def stop(daemon: Daemon, task: str) -> None:
        if task.startswith("intent") and not stopped:
            assert daemon.process is not None
            stopped.append(daemon)
            daemon.paused = True
            daemon.process.owner.freeze()
            life.world.after(40.0, "", daemon.wake)

    life.properties.on_look = stop
    life.world.after(20.0, "peg", lambda: life.outside.service.troubles.update(peg=1e9))
    told = life.live()
    assert stopped
    assert not told.violations, f"\n{tale(told, daemons=2)}"
    assert told.counts["effects"] <= 1


@pytest.mark.parametrize("removal", REMOVALS, ids=lambda one: one.take_out.__name__)
def test_what_is_taken_out_is_missed(removal: Removal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that stays green without what it checks has not looked."""
    removal.take_out(monkeypatch)
    seen: set[str] = set()
    for seed in removal.seeds:
        life = SharedLife(seed, minutes=SHORT)
        life.ends_red = True
        found = life.live().violations
        seen |= {one.partition(":")[0] for one in found}
        if seen & set(removal.laws):
            return
    pytest.fail(f"nobody missed it; seen: {sorted(seen)}")
