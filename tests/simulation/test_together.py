"""Several daemons on one simulated store: every property holds, and one seed gives one trace.

`make sim` runs many more. To see one: python -m tests.simulation --daemons 2 --seed 7 --trace
"""

from __future__ import annotations

import pytest

from tests.simulation.__main__ import tale
from tests.simulation.shared.life import live_together

SHORT = 2.0
"""Minutes before the calm."""


@pytest.mark.parametrize("seed", range(1, 6))
def test_every_property_holds_of_two(seed: int) -> None:
    told = live_together(seed, minutes=SHORT)
    assert not told.violations, f"\n{tale(told, daemons=2)}"
    assert told.counts["takeovers"]


def test_every_property_holds_of_three() -> None:
    told = live_together(6, daemons=3, minutes=SHORT)
    assert not told.violations, f"\n{tale(told, daemons=3)}"


def test_one_seed_gives_one_trace_of_two() -> None:
    assert live_together(2, minutes=0.5).trace == live_together(2, minutes=0.5).trace
