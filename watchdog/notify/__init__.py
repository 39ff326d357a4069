"""Who is told: one file a channel, each independent of its siblings.

What is told never decides anything; a channel that fails delays no decision.
"""

from __future__ import annotations

from watchdog.core.alertmanager import AlertmanagerSpec
from watchdog.notify.alertmanager import AlertmanagerAlerts
from watchdog.ports import AlertSink
from watchdog.wire.http import Wire

__all__ = ["open_alerts"]


def open_alerts(spec: AlertmanagerSpec, wire: Wire) -> AlertSink:
    """The Alertmanager that `spec` describes. It uses the wire's connections."""
    return AlertmanagerAlerts(spec, wire)
