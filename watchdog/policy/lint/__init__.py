"""`check` beyond the load: what would load, and not do what it is for."""

from watchdog.policy.lint.catalogue import LINTS, lint
from watchdog.policy.lint.finding import Finding, Level
from watchdog.policy.lint.ground import Ground, ground_of

__all__ = ["LINTS", "Finding", "Ground", "Level", "ground_of", "lint"]
