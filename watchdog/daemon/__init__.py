"""The composition root: settings, adapters and the engine become one running process."""

from watchdog.daemon.faces import StartFailed
from watchdog.daemon.main import init, run

__all__ = ["StartFailed", "init", "run"]
