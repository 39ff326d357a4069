"""Rules over what was: when they would have fired, what would have been done, and how well."""

from watchdog.lab.backtest.firing import Decision, Firing
from watchdog.lab.backtest.run import Run, Settings, Stage, replay

__all__ = ["Decision", "Firing", "Run", "Settings", "Stage", "replay"]
