"""Sources as people are shown them: plain data."""

from __future__ import annotations

from watchdog.engine.engine import Engine
from watchdog.engine.shapes_around import HistoryShape, SourceShape


def sources_view(engine: Engine) -> list[SourceShape]:
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


def _filling(engine: Engine, source: str) -> HistoryShape | None:
    """How far windows were filled from the source's history; None where there was no need."""
    progress = engine.filling.progress.get(source)
    if progress is None:
        return None
    return {
        "rules": progress.rules,
        "filled": progress.filled,
        "failed": progress.failed,
        "rule": progress.rule,
        "share": progress.share,
        "problem": progress.problem,
        "tries": progress.tries,
        "again_seconds": progress.again_seconds,
        "over": progress.over,
    }
