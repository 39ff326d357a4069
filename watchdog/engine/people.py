"""Everybody who is told: people by their channels, the public by status pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from watchdog.core.spec import Policy
from watchdog.engine.credentials import Credentials
from watchdog.engine.given import Ports
from watchdog.engine.hosts import Hosts
from watchdog.engine.outbox import Outbox
from watchdog.engine.outbox.writing import Measured
from watchdog.engine.recorder import Recorder
from watchdog.engine.status_pages import StatusPages


class People:
    """Loops that share nothing; one that ends ends all, and so the process."""

    def __init__(
        self,
        recorder: Recorder,
        ports: Ports,
        policy: Callable[[], Policy],
        measured: Measured,
        hosts: Hosts,
        trouble: Callable[[], str],
    ) -> None:
        """`trouble` is why nothing can be recorded now, "" where it can."""
        self.outbox = Outbox(recorder, policy, ports.open_notifier, measured, trouble)
        self.status_pages = StatusPages(
            recorder, policy, ports.open_status_page, hosts.here, hosts.page_shown
        )
        self.credentials = Credentials(policy, ports.lacks)
        hosts.doing.page_shows = self.status_pages.shown_here

    async def forever(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as all_of_them:
            all_of_them.create_task(self.outbox.forever(), name="outbox")
            all_of_them.create_task(self.status_pages.forever(), name="status pages")
            all_of_them.create_task(self.credentials.forever(), name="credentials")
