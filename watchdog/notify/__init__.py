"""Who is told: one file a channel, each independent of its siblings.

What is told never decides anything; a channel that fails delays no decision.
"""

from __future__ import annotations

from watchdog.core.alertmanager import AlertmanagerSpec
from watchdog.core.telling.contacts import AppriseUrl, Channel
from watchdog.core.telling.status_pages import AtlassianPage, StatusFile, StatusPage
from watchdog.notify.alertmanager import AlertmanagerAlerts
from watchdog.notify.apprise_url import AppriseNotifier, unknown
from watchdog.notify.atlassian import AtlassianBoard
from watchdog.notify.status_call import CallBoard
from watchdog.notify.status_file import FileBoard
from watchdog.notify.webhook import WebhookNotifier
from watchdog.ports import AlertSink, Notifier, Secrets, StatusBoard
from watchdog.wire.http import Wire

__all__ = ["open_alerts", "open_notifier", "open_status_page", "unknown_service"]


def open_alerts(spec: AlertmanagerSpec, wire: Wire) -> AlertSink:
    """The Alertmanager that `spec` describes. It uses the wire's connections."""
    return AlertmanagerAlerts(spec, wire)


def open_notifier(channel: Channel, wire: Wire) -> Notifier:
    """Whoever tells people by this channel. It uses the wire's connections."""
    if isinstance(channel.how, AppriseUrl):
        return AppriseNotifier(channel.how, wire.secrets)
    return WebhookNotifier(channel.how, wire)


async def unknown_service(channel: Channel, secrets: Secrets, to: str) -> str:
    """Why nobody, like `to`, would be told by this channel's URL; empty where they would."""
    if isinstance(channel.how, AppriseUrl):
        return await unknown(channel.how, secrets, to)
    return ""


def open_status_page(page: StatusPage, wire: Wire) -> StatusBoard:
    """Whoever tells this page what stands. It uses the wire's connections."""
    how = page.how
    if isinstance(how, AtlassianPage):
        return AtlassianBoard(how, wire)
    return FileBoard(how) if isinstance(how, StatusFile) else CallBoard(how, wire)
