"""The composition root: settings, adapters and the engine become one running process."""

from watchdog.daemon.faces import StartFailed
from watchdog.daemon.loading import PolicyUnusable
from watchdog.daemon.main import init, run

__all__ = ["PolicyUnusable", "StartFailed", "init", "run"]
