"""Probes as sources: one question of a rule's own, on its own clock, with its own deadline.

A look that proves something of the service, either way, is a `Look`. All else is a `Failure` and
never the service's: names, certificates, our limits, credentials, answers that prove nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from watchdog.core.probes import Probe
from watchdog.core.samples import Failure, Fault, Look, Reading
from watchdog.core.spec import SourceSpec
from watchdog.core.words import Blind, Instant
from watchdog.sources.faults import bug
from watchdog.wire.scrub import scrubbed

MOST_REASON = 300

Looking = Callable[[Instant], Awaitable[Look | Failure]]


def ours(reason: str) -> Failure:
    """A limit or a part of ours stood in the way."""
    return Failure(Fault.OURS, Blind.OURS, told(reason))


def told(reason: str, known: frozenset[str] = frozenset()) -> str:
    """A reason as it may stand in the record: it may quote what was read or printed."""
    return scrubbed(reason, known=known, most=MOST_REASON)


class ProbeSource:
    """Implements `ports.MetricSource` by one looking function."""

    def __init__(self, spec: SourceSpec, looking: Looking) -> None:
        if not isinstance(spec.how, Probe):
            raise TypeError(f"source {spec.name} is no probe")
        self.name = spec.name
        self._looking = looking

    async def aclose(self) -> None:
        """Nothing to close: connections belong to the wire, and a look ends by itself."""

    async def poll(self, at: Instant, wanted: Sequence[str]) -> Reading:  # noqa: ARG002  # a probe answers one question
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            found = await self._looking(at)
        except Exception as error:  # noqa: BLE001  # a failure is in the Reading, never raised
            found = bug(error)
        took = loop.time() - began
        if isinstance(found, Failure):
            return Reading(self.name, at, took, failure=found)
        return Reading(self.name, at, took, look=found)
