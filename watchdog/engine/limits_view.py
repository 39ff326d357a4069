"""What holds every automatic start back at once: the clock, and the budget."""

from __future__ import annotations

from watchdog.core.starts import slots_taken
from watchdog.core.words import Truth, World
from watchdog.engine.engine import Engine
from watchdog.engine.present import LimitsNow


def limits_now(engine: Engine) -> LimitsNow:
    limits, now = engine.in_force().limits, engine.ports.clock.now()
    taken = slots_taken(engine.book.acted, World.LIVE, now, within_seconds=limits.budget_seconds)
    synced = engine.time_synced is Truth.TRUE if engine.process.time_sync_required else None
    return LimitsNow(max(0, limits.budget_actions - taken), synced)
