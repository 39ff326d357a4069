"""Sources as people are shown them: plain data."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from watchdog.engine.engine import Engine

View = dict[str, Any]


def sources_view(engine: Engine) -> list[View]:
    now = engine.ports.clock.now()
    return [
        {
            "name": name,
            "every_seconds": memory.spec.every_seconds,
            "polls": memory.polls,
            "missed": memory.missed,
            "last_seconds_ago": now.steady - memory.last.at.steady if memory.last else None,
            "took_seconds": memory.last.took_seconds if memory.last else None,
            "up": dict(memory.last.up) if memory.last else {},
            "failure": memory.last.failure.reason if memory.last and memory.last.failure else None,
            "failure_kind": memory.last.failure.blind.value
            if memory.last and memory.last.failure
            else None,
            "history": _filling(engine, name),
        }
        for name, memory in engine.memory.sources.items()
    ]


def _filling(engine: Engine, source: str) -> View | None:
    """How far windows were filled from the source's history; None where there was no need."""
    progress = engine.filling.progress.get(source)
    return None if progress is None else asdict(progress)
