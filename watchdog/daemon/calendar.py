"""The calendar: what is due by the clock and may be late. Judging never depends on it.

APScheduler can fall silent (an error inside its own update leaves it without a timer, a wall
clock that steps back leaves it waiting), so it is watched: a beat that stays away has it rebuilt.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from watchdog.ports import Clock

BEAT_SECONDS = 10.0
SILENT_AFTER_SECONDS = 60.0

Job = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Every:
    """One recurring piece of work; a late one is done once, not caught up."""

    name: str
    seconds: float
    job: Job


class Calendar:
    """Starts, beats, and starts anew when it fell silent."""

    def __init__(self, clock: Clock, work: tuple[Every, ...]) -> None:
        self._clock = clock
        self._work = work
        self._scheduler: Any = None
        self._beat = 0.0
        self.rebuilt = 0

    def start(self) -> None:
        self._beat = self._clock.now().steady
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        for every in (*self._work, Every("beat", BEAT_SECONDS, self._beats)):
            self._scheduler.add_job(
                _guarded(every),
                "interval",
                seconds=every.seconds,
                id=every.name,
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
            )
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None

    def supervise(self) -> None:
        """Called at every pass: rebuild a calendar that does not beat any more."""
        if self._scheduler is None:
            return
        silent = self._clock.now().steady - self._beat
        if silent > SILENT_AFTER_SECONDS:
            structlog.get_logger().error("calendar.rebuilt", silent_seconds=silent)
            self.rebuilt += 1
            self.stop()
            self.start()

    async def _beats(self) -> None:
        self._beat = self._clock.now().steady


def _guarded(every: Every) -> Job:
    async def job() -> None:
        try:
            await every.job()
        except Exception as error:  # noqa: BLE001  # one job's failure must not silence the calendar
            structlog.get_logger().error(
                "calendar.job_failed", job=every.name, error=f"{type(error).__name__}: {error}"
            )

    return job
