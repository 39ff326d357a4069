"""One poller for each source of the policy in force; those that are unchanged go on undisturbed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from watchdog.core.memory import Memory, SourceMemory
from watchdog.core.samples import Reading
from watchdog.core.spec import SourceSpec
from watchdog.engine.polling import Poller
from watchdog.ports import Clock, MetricSource


class Pollers:
    """`supervise` hears of one that ended by itself."""

    def __init__(
        self,
        open_source: Callable[[SourceSpec], MetricSource],
        memory: Memory,
        clock: Clock,
        arrived: Callable[[Reading], None],
        supervise: Callable[[asyncio.Task[None]], None],
    ) -> None:
        self._open = open_source
        self._memory = memory
        self._clock = clock
        self._arrived = arrived
        self._supervise = supervise
        self._running: dict[str, tuple[SourceSpec, asyncio.Task[None]]] = {}
        self._sources: dict[str, MetricSource] = {}
        self._polled: dict[str, SourceMemory] = {}
        self.retired: list[MetricSource] = []

    def align(self, wanted: Mapping[str, SourceSpec]) -> None:
        """Poll these, and nothing else."""
        for name, (spec, task) in list(self._running.items()):
            if wanted.get(name) != spec or self._polled[name] is not self._memory.sources.get(name):
                task.remove_done_callback(self._supervise)
                task.cancel()
                del self._running[name]
                self.retired.append(self._sources.pop(name))
        for name, spec in wanted.items():
            if name not in self._running and self._memory.sources[name].wanted:
                self._running[name] = (spec, self._poll(spec))

    def tasks(self) -> list[asyncio.Task[None]]:
        return [task for _, task in self._running.values()]

    async def aclose(self) -> None:
        """Once the tasks have ended."""
        for source in (*self._sources.values(), *self.retired):
            await source.aclose()

    def _poll(self, spec: SourceSpec) -> asyncio.Task[None]:
        source = self._sources[spec.name] = self._open(spec)
        memory = self._polled[spec.name] = self._memory.sources[spec.name]
        poller = Poller(source, memory, self._clock, self._arrived, self._memory.hear_aside)
        task = asyncio.create_task(poller.run(), name=f"poll {spec.name}")
        task.add_done_callback(self._supervise)
        return task
