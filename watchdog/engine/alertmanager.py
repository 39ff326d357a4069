"""An Alertmanager beside us, in both directions: its silences are read, and it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from watchdog.core.spec import Policy
from watchdog.engine.alerts import AlertTelling
from watchdog.engine.recorder import Recorder
from watchdog.engine.silences import SilenceWatch
from watchdog.ports import Alertmanagers


class Alertmanager:
    """Two loops that share nothing; one that ends ends both, and so the process."""

    def __init__(
        self,
        recorder: Recorder,
        ports: Alertmanagers,
        policy: Callable[[], Policy],
        on_change: Callable[[], None],
    ) -> None:
        self.silences = SilenceWatch(recorder, ports.open_silences, policy, on_change)
        self.alerts = AlertTelling(recorder, ports.open_alerts, policy)
        recorder.listen(self.alerts.heard)

    def adopt(self) -> None:
        """Another policy is in force."""
        self.silences.adopt()
        self.alerts.adopt()

    async def forever(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self.silences.forever(), name="silences")
            both.create_task(self.alerts.forever(), name="alerts")
