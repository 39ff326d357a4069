"""Ways of changing a target and of reading back what it serves; reading never changes.

What stands here is imported when it is first asked for: the process that swaps folders starts
in this package as well, and must not wait for an HTTP client that it has no use for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchdog.actions.actuator import open_actuator
    from watchdog.actions.probe import open_probe

__all__ = ["open_actuator", "open_probe"]

_WHERE = {
    "open_actuator": "watchdog.actions.actuator",
    "open_probe": "watchdog.actions.probe",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
