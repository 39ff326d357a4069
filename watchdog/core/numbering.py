"""Which entries give something a name, so that the book counts on: E1, D1, I1, V1, and so on."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from watchdog.core import entries as e
from watchdog.core.verification import VerificationBegan

NAMES: Mapping[type, str] = MappingProxyType(
    {
        e.EpisodeOpened: "episode",
        e.Decided: "decision",
        e.IntentOpened: "intent",
        e.HoldPlaced: "hold",
        e.FollowUpAdded: "follow_up",
        e.DrillEnded: "drill",
        VerificationBegan: "verification",
        e.Paged: "note",
        e.Announced: "announcement",
    }
)
"""Kind of entry -> the field in which the new name stands."""


def count_in(counts: dict[str, int], entry: e.Entry) -> None:
    """Remember the highest number of each letter. An empty name is none."""
    field = NAMES.get(type(entry))
    name = str(getattr(entry, field, "")) if field is not None else ""
    if name:
        letter, number = name[0], int(name[1:])
        counts[letter] = max(counts.get(letter, 0), number)
