"""Ways of changing a target and of reading back what it serves; reading never changes."""

from __future__ import annotations

from watchdog.actions.actuator import open_actuator
from watchdog.actions.probe import open_probe

__all__ = ["open_actuator", "open_probe"]
