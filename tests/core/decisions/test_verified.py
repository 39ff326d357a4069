"""What makes a verification moot, and what does not: folded from the record alone."""

from __future__ import annotations

import pytest

from watchdog.core.entries import Drifted
from watchdog.core.intents import CameLate, IntentEnded, IntentOpened, Outcome
from watchdog.core.verification import VerificationBegan
from watchdog.core.verified import Verifications
from watchdog.core.words import Direction, Instant

NOW = Instant(1e9, 10.0)
DO, UNDO = Direction.DO, Direction.UNDO


def under_way() -> Verifications:
    """A pause by I1 is being verified."""
    found = Verifications()
    found.take(VerificationBegan("V1", "E1", "pause", "flag:x", DO, ("health",), "I1"), NOW)
    return found


def changed(found: Verifications, direction: Direction, outcome: Outcome) -> str:
    """What overtakes it once I2 has come to this."""
    opened = IntentOpened("I2", "E1", "pause", "flag:x", direction, NOW.plus(30.0))
    found.take(opened, NOW)
    assert found.runs["V1"].overtaken == "I2"
    found.take(IntentEnded("I2", "E1", "pause", "flag:x", direction, outcome, "", "", 1.0), NOW)
    return found.runs["V1"].overtaken


@pytest.mark.parametrize(
    ("direction", "outcome", "overtaken"),
    [
        (UNDO, Outcome.DONE, "I2"),
        (UNDO, Outcome.UNKNOWN, "I2"),
        (UNDO, Outcome.FOUND, "I2"),  # it was back already: not what was rolled back stands
        (UNDO, Outcome.FAILED, ""),
        (UNDO, Outcome.ABANDONED, ""),
        (DO, Outcome.FOUND, ""),
        (DO, Outcome.DONE, "I2"),
    ],
)
def test_a_change_that_changed_nothing_is_none(
    direction: Direction, outcome: Outcome, overtaken: str
) -> None:
    assert changed(under_way(), direction, outcome) == overtaken


def test_what_comes_late_or_is_changed_by_somebody_else_makes_it_moot_after_all() -> None:
    late = under_way()
    assert changed(late, UNDO, Outcome.FAILED) == ""
    late.take(CameLate("I2", "E1", "pause", "flag:x", "enabled"), NOW)
    assert late.runs["V1"].overtaken == "I2"
    drifted = under_way()
    drifted.take(Drifted("flag:y", "pause", ("E1",), "enabled"), NOW)
    assert drifted.runs["V1"].overtaken == ""
    drifted.take(Drifted("flag:x", "pause", ("E1",), "enabled"), NOW)
    assert drifted.runs["V1"].overtaken == "somebody else's"
