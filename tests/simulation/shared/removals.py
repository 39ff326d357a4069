"""What keeps two daemons from acting both, taken out: each must turn some seed red."""

from __future__ import annotations

import pytest

from tests.simulation.removals import Removal
from tests.simulation.shared import way
from tests.simulation.shared.server import Server
from watchdog.engine.leading import Leading


def without_the_fence(patch: pytest.MonkeyPatch) -> None:
    """Nobody looks at the lease right before an effect."""

    async def nothing_against_it(_leading: Leading) -> str:
        return ""

    patch.setattr(Leading, "fence", nothing_against_it)


def without_the_fence_of_errands(patch: pytest.MonkeyPatch) -> None:
    """What is asked of another host is done there whoever leads by then."""

    async def nothing_against_it(_leading: Leading, epoch: int) -> str:
        del epoch
        return ""

    patch.setattr(Leading, "still_leads", nothing_against_it)


def without_the_epoch(patch: pytest.MonkeyPatch) -> None:
    """The server takes what anybody appends, and whoever dies has often sent something."""
    patch.setitem(way.LAST_WORDS, "journal", 0.05)
    patch.setattr(Server, "fence", lambda *_: None)


def without_the_expiry(patch: pytest.MonkeyPatch) -> None:
    """Whoever asks for the lease has it."""
    patch.setattr(Server, "is_free", lambda *_: True)


REMOVALS = (
    Removal(without_the_fence, ("the lease is looked at right before",), (1, 2, 3)),
    Removal(without_the_fence_of_errands, ("the lease is looked at right before",), (1, 2, 3)),
    Removal(without_the_epoch, ("only who leads records",), (1, 2, 3)),
    Removal(without_the_expiry, ("one leads at a time",), (1, 2, 3)),
)
