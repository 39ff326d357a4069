"""The calendar: what is due by the clock and may be late. Judging never depends on it.

APScheduler can fall silent (an error inside its own update leaves it without a timer, a wall
clock that steps back leaves it waiting), so it is watched: a beat that stays away has it rebuilt.
A job that fails or hangs is logged and ended by itself; only a record that cannot be written any
more is everybody's affair.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from watchdog.ports import Clock, JournalError

BEAT_SECONDS = 10.0
SILENT_AFTER_SECONDS = 60.0
JOB_SECONDS = 120.0
"""How long one job may take; the next run of it waits for it."""

Job = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Every:
    """One recurring piece of work; a late one is done once, not caught up."""

    name: str
    seconds: float
    job: Job


class Calendar:
    """Starts, beats, and starts anew when it fell silent."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._work: tuple[Every, ...] = ()
        self._cannot_record: Callable[[JournalError], None] = _nobody_hears
        self._scheduler: Any = None
        self._beat = 0.0
        self.rebuilt = 0

    def plan(self, work: tuple[Every, ...], cannot_record: Callable[[JournalError], None]) -> None:
        """What to do from `start` on, and who hears when something cannot be recorded."""
        self._work = work
        self._cannot_record = cannot_record

    def start(self) -> None:
        self._beat = self._clock.now().steady
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        for every in (*self._work, Every("beat", BEAT_SECONDS, self._beats)):
            self._scheduler.add_job(
                self._guarded(every),
                "interval",
                seconds=every.seconds,
                id=every.name,
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
            )
        self._scheduler.start()

    def stop(self) -> None:
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is not None:
            # One that broke may refuse to be shut down; it is thrown away all the same.
            with contextlib.suppress(Exception):
                scheduler.shutdown(wait=False)

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

    def _guarded(self, every: Every) -> Job:
        async def job() -> None:
            log = structlog.get_logger()
            try:
                async with asyncio.timeout(JOB_SECONDS) as deadline:
                    await every.job()
            except asyncio.CancelledError:
                if self._scheduler is not None:
                    raise
                log.info("calendar.job_ended", job=every.name)  # the daemon stops, as it was told
            except JournalError as error:
                log.critical("calendar.job_failed", job=every.name, error=str(error))
                self._cannot_record(error)
            except Exception:  # one job's failure must not silence the calendar
                hung = deadline.expired()
                log.exception(
                    "calendar.job_hung" if hung else "calendar.job_failed", job=every.name
                )

        return job


def _nobody_hears(_error: JournalError) -> None:
    return
