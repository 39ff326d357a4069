"""Ports that change a target, and what came of trying."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from watchdog.core.spec import How
from watchdog.core.trees import Anchor, Facts
from watchdog.core.words import CheckReading, Instant


class Attempted(StrEnum):
    """What came of one attempt to change a target. None of these is proof: the read-back is."""

    CLAIMED = "claimed"  # the tool or service says that it is done
    NOT_DONE = "not_done"  # certainly no effect; worth another try
    REFUSED = "refused"  # certainly no effect; another try would be refused as well
    CONFLICT = "conflict"  # the target has changed meanwhile, by somebody else
    UNKNOWN = "unknown"  # may or may not have happened


@dataclass(frozen=True, slots=True)
class Attempt:
    result: Attempted
    reason: str
    output: str = ""  # bounded, redacted
    retry_after_seconds: float | None = None
    facts: Facts = ()  # what this attempt learned, for later steps


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether an action would work, and what it would restore to where it restores something."""

    reading: CheckReading
    anchor: Anchor | None = None


class Actuator(Protocol):
    """Changes a target."""

    async def attempt(
        self, how: How, *, key: str, deadline_seconds: float, facts: Facts = ()
    ) -> Attempt:
        """Try once. `key` is the same for every attempt of one intent.

        A swap or a restore looks at its mark at the target first, and repeats nothing. `facts`
        are those that the intent has learned so far.
        """
        ...

    async def stands(
        self, how: How, *, key: str, deadline_seconds: float, facts: Facts
    ) -> CheckReading:
        """Whether the change of this intent stands at the target, or was begun, by its mark alone.

        Changes nothing. FALSE only where surely nothing was changed. A target that carries no mark
        is told by its read-back instead, and answers UNKNOWN here.
        """
        ...

    async def settle(self, how: How, *, key: str, deadline_seconds: float, facts: Facts) -> Attempt:
        """After a proven success: clear away what only the way there needed. May be repeated."""
        ...

    async def preflight(self, how: How, *, at: Instant, deadline_seconds: float) -> Readiness:
        """Would it work? Looks at tools, folders, credentials; changes no target.

        Long work goes on between calls; until it is done the answer is UNKNOWN, with progress.
        """
        ...
