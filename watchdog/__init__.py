"""The SLO watchdog: reads metrics, judges them by rule files, rolls back by itself, proves it.

Rooms, and what each may import, are described in docs/architecture.md and held by the contracts
in .importlinter.
"""
