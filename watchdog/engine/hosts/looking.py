"""Named checks, looked at on this very host by the sources of probes: bounded, never raising.

A look that proves something either way is true or false; everything else is unknown, with why.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import Protocol

from watchdog.core.acting import ActionSpec
from watchdog.core.origins import SourceSpec, probe_source
from watchdog.core.probes import PROBE
from watchdog.core.samples import Reading
from watchdog.core.verification import MOST_OUTPUT, NamedCheck
from watchdog.core.words import CheckReading, Instant, Truth
from watchdog.ports import Clock, MetricSource

GRACE_SECONDS = 2.0
"""For a source that does not keep its own deadline."""


class Looks(Protocol):
    """What looks at an action's checks, wherever its host is."""

    async def look(self, action: ActionSpec, check: NamedCheck) -> CheckReading:
        """Once, within the check's deadline."""
        ...


def fingerprint(check: NamedCheck) -> str:
    """What it asks, so that another daemon asks that and nothing else."""
    return hashlib.sha256(repr(check).encode()).hexdigest()


class Looking:
    """Implements `Looks` for checks of this host."""

    def __init__(self, open_source: Callable[[SourceSpec], MetricSource], clock: Clock) -> None:
        self._open = open_source
        self._clock = clock
        self._opened: dict[str, tuple[SourceSpec, MetricSource]] = {}

    async def look(self, action: ActionSpec, check: NamedCheck) -> CheckReading:
        seconds = check.deadline_seconds
        spec = probe_source(f"check:{action.name}/{check.name}", check.how, seconds, seconds)
        at = self._clock.now()
        try:
            source = await self._source(spec)
            async with asyncio.timeout(seconds + GRACE_SECONDS):
                reading = await source.poll(at, (PROBE,))
        except TimeoutError:
            return CheckReading(Truth.UNKNOWN, f"no answer within {seconds:g} s: cut off", at)
        except Exception as error:  # noqa: BLE001  # a bug in a look costs an answer, not the daemon
            return CheckReading(Truth.UNKNOWN, f"{type(error).__name__}: {error}"[:300], at)
        return _read(reading, at)

    async def _source(self, spec: SourceSpec) -> MetricSource:
        """One for each check, so that a look which hangs is not hung again beside."""
        found = self._opened.get(spec.name)
        if found is not None and found[0] == spec:
            return found[1]
        if found is not None:
            await found[1].aclose()
        source = self._open(spec)
        self._opened[spec.name] = (spec, source)
        return source


def _read(reading: Reading, at: Instant) -> CheckReading:
    if reading.look is not None:
        look = reading.look
        return CheckReading(Truth.of(look.holds), look.reason, at, look.output[:MOST_OUTPUT])
    why = reading.failure.reason if reading.failure is not None else "nothing was seen"
    return CheckReading(Truth.UNKNOWN, why, at)
