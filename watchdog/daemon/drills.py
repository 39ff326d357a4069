"""Keeps the calendar of drills: tells what is overdue, and starts what is to run by itself.

Laws
* A drill is a process of its own, of low priority, with a deadline: nothing of it runs in here, and
  what it does comes back as an order over the control socket, as of any person who runs one.
* None is started while an episode is open, or by a daemon that follows, or twice at once; one that
  did not go well is tried again a day later and not sooner.
* A drill that never came to a result is a failed one: it is recorded as that.
"""

from __future__ import annotations

import asyncio
import getpass
import sys
from pathlib import Path

import structlog

from watchdog.core.drills import DrillKind, DrillPlan, DrillTold
from watchdog.engine import Engine, OrderRefused, Orders, Person
from watchdog.settings import Settings
from watchdog.wire.environment import default_environment
from watchdog.wire.process import Exited, run

EVERY_SECONDS = 60.0
AGAIN_SECONDS = 86_400.0
_MOST_BYTES = 65_536


class DrillCalendar:
    def __init__(self, engine: Engine, orders: Orders, settings: Settings) -> None:
        self._engine = engine
        self._orders = orders
        self._settings = settings
        self._tried: dict[DrillKind, float] = {}  # steady
        self._running: asyncio.Task[None] | None = None

    async def look(self) -> None:
        """Once, by the calendar."""
        if self._engine.leading.elsewhere():
            return
        now, drills = self._engine.ports.clock.now(), self._engine.book.drills
        for plan in self._engine.in_force().drills:
            try:
                self._orders.drills.tell_missed(plan)
            except OrderRefused as refused:
                structlog.get_logger().warning("drill.untold", reason=str(refused))
            if plan.run and drills.is_near(plan, now) and self._may_start(plan, now.steady):
                self._tried[plan.what] = now.steady
                self._running = asyncio.create_task(self._run(plan), name=f"drill {plan.what}")

    async def aclose(self) -> None:
        """End the one that runs: it leaves nothing behind."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    def _may_start(self, plan: DrillPlan, now: float) -> bool:
        if self._running is not None and not self._running.done():
            return False
        if any(True for _ in self._engine.book.open_episodes()):
            return False
        tried = self._tried.get(plan.what)
        return tried is None or now - tried >= AGAIN_SECONDS

    async def _run(self, plan: DrillPlan) -> None:
        log, before = structlog.get_logger().bind(drill=plan.what.value), self._last(plan)
        log.info("drill.started")
        ended = await run(
            (
                *("nice", "-n", "15", sys.executable, "-m", "watchdog", "drill", "run"),
                *(plan.what.value, "--socket", str(self._settings.control_socket)),
                *("--into", str(self.documents())),
            ),
            cwd="/",
            env=default_environment(),
            deadline_seconds=plan.deadline_seconds,
            max_bytes=_MOST_BYTES,
        )
        log.info("drill.ended", reason=ended.reason)
        if self._last(plan) == before:
            said = ended.stderr.text.strip()[-300:] if isinstance(ended, Exited) else ""
            self._failed(plan, f"it came to no result: {ended.reason}. {said}".strip())

    def documents(self) -> Path:
        folder = Path(self._settings.state_dir) / "drills"
        folder.mkdir(mode=0o750, exist_ok=True)
        return folder

    def _last(self, plan: DrillPlan) -> str:
        found = self._engine.book.drills.last.get(plan.what)
        return found.drill if found is not None else ""

    def _failed(self, plan: DrillPlan, reason: str) -> None:
        now = self._engine.ports.clock.now()
        told = DrillTold(plan.what, passed=False, ended_at=now.wall, reasons=(reason,))
        person = Person(f"slo-watchdog ({getpass.getuser()})", counts=False, everything=True)
        try:
            self._orders.drills.record(person, told, dry=False)
        except OrderRefused as refused:
            structlog.get_logger().warning("drill.unrecorded", reason=str(refused))
