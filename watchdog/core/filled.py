"""What the journal says of windows and of the history that they are filled from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class WindowsFilled:
    """A rule's windows hold the metrics system's history from here on. A breach that it shows
    began unseen: the rule must be clear once more before it may act.
    """

    rule: str
    seconds: float  # how far back
    coverage_before: float  # of the longest window
    coverage: float
    kind: Literal["windows.filled"] = "windows.filled"


@dataclass(frozen=True, slots=True)
class WindowsUnfilled:
    """A source's history could not be had. It costs coverage, and changes nothing else."""

    source: str
    rules: tuple[str, ...]  # that lack it
    tries: int
    reason: str  # of the last one
    again_seconds: float | None  # until the next try; None: not before the next start or `apply`
    kind: Literal["windows.unfilled"] = "windows.unfilled"
