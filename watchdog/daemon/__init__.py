"""The composition root: settings, adapters and the engine become one running process."""

from watchdog.daemon.main import StartFailed, init, run

__all__ = ["StartFailed", "init", "run"]
